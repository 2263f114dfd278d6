//! `--write-probe`: creates and updates one room, to learn what the API does where its documentation is silent.
//!
//! The room is closed, gets no messages, and is not recorded. It gets members only if the user names them. Removing it is a manual
//! step.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Answer, Finding, Verdict, WriteProbe, quoted};
use crate::imbachat::{
    Delivery, Dice, Failure, ReadRooms, Reader, RoomWrite, WriteRooms, Writer, Written,
};
use crate::manifest::Loaded;
use crate::model::{
    CountMeaning, CountResult, Field, LiveRoom, MemberCounts, Pipe, Recorded, RoomId, RoomKind,
    RoomState, UserId, looks,
};

pub const UNDER_WAY: &str =
    "the probe is running; if you stop now, you will not know which room it created";
/// The list may lag, so after the second call it is read up to `READS` times, with a pause of
/// `PAUSE` between the reads.
const READS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(250);
/// This question is answered by the first read whose list contains the room.
const IS_PIPE_KEPT: &str = "is the pipe kept";

/// What is known before the probe writes.
pub struct Known<'a> {
    pub reader: &'a Reader,
    pub rooms: &'a [LiveRoom],
    pub loaded: &'a Loaded,
    pub recorded: Option<&'a Recorded>,
}

/// Returns why the probe must not use a pipe; `None` if it may use the pipe.
pub fn refuse_pipe(pipe: &Pipe, known: &Known<'_>) -> Option<Finding> {
    let Known { rooms, loaded, .. } = known;
    if known.reader.is_partial() {
        let message = "nothing was written: a JWT may show only one user's rooms, so the pipe may belong to a live room that is not in the list";
        return Some(Finding::failed(message, "read with the secret key"));
    }
    let declared = &loaded.desired.rooms;
    // A server that ignores case or other differences could take a look-alike for the pipe of
    // an existing room.
    let look = looks(pipe.as_str());
    let mut pipes = rooms.iter().map(|room| &room.pipe).chain(declared.keys());
    let unused = "choose an unused pipe, such as roomform-probe-1";
    let (reason, remedy) = match rooms.iter().find(|room| room.pipe == *pipe) {
        Some(room) if room.deleted => ("belonged to a room that was deleted".to_owned(), unused),
        Some(_) => ("is a live room".to_owned(), unused),
        None if !loaded.is_valid() => (
            "may be in the manifest, which is invalid".to_owned(),
            "fix the manifest first: run `roomform check` to see its errors",
        ),
        None if declared.contains_key(pipe) => ("is in the manifest".to_owned(), unused),
        None if known.recorded.is_some_and(|it| it.ids.contains_key(pipe)) => {
            ("is in the ledger".to_owned(), unused)
        }
        None => {
            let other = quoted(pipes.find(|other| looks(other.as_str()) == look)?.as_str());
            let reason = format!("looks like {other}, and a server may confuse the two");
            (reason, unused)
        }
    };
    let message = format!("nothing was written: {} {reason}", quoted(pipe.as_str()));
    Some(Finding::failed(message, remedy))
}

/// Creates the room, updates it, and compares the list with what each call sent.
pub async fn write_probe(
    pipe: Pipe,
    users: &[UserId],
    writer: &Writer,
    known: &Known<'_>,
    dice: &Dice,
    look: impl AsyncFnOnce(RoomId) -> ProbedUsers,
) -> (Finding, Option<WriteProbe>) {
    let first = RoomState::new("roomform write probe", RoomKind::Dialog, false);
    let title = "roomform write probe: remove this room";
    let second = RoomState::new(title, RoomKind::Conference, false);
    let call = async |room: Option<RoomId>, state: &RoomState, members: &[UserId]| {
        let write = RoomWrite {
            room,
            pipe: &pipe,
            state,
            members,
        };
        writer.write(&write).await
    };
    let Written { room: id, errors } = match call(None, &first, &[]).await {
        Ok(written) => written,
        Err(failure) => return (not_created(&failure), None),
    };
    if let Some(room) = known.rooms.iter().find(|room| room.id == id) {
        return (overwritten(room), None);
    }
    // Reads the rows that have the id or the pipe of the probe's room.
    let read = async || {
        let take = |rows: &mut Vec<LiveRoom>, row: LiveRoom| {
            if row.id == id || row.pipe == pipe {
                rows.push(row);
            }
        };
        known.reader.collect(dice, Vec::new, take).await
    };
    let mut notes = Notes {
        probe: WriteProbe {
            pipe: pipe.clone(),
            room: id,
            answers: Vec::new(),
        },
        odd: false,
    };
    let mut failures = Vec::new();
    notes.carried(&errors);
    match read().await {
        Ok(rows) => notes.created(&rows, &first),
        Err(failure) => failures.push(failure),
    }
    match call(Some(id), &second, &[]).await {
        Err(failure) => failures.push(failure),
        Ok(Written { room, errors }) => {
            notes.carried(&errors);
            notes.named(room);
            let mut reads = 0;
            let seen = loop {
                tokio::time::sleep(PAUSE * reads).await;
                reads += 1;
                let seen = read().await;
                let is_shown = |row: &LiveRoom| row.id == id && row.state == second;
                let shown = seen.as_ref().is_ok_and(|rows| rows.iter().any(is_shown));
                if shown || reads == READS {
                    break seen;
                }
            };
            match seen {
                Ok(rows) => notes.updated(&rows, &first, &second, reads),
                Err(failure) => failures.push(failure),
            }
        }
    }
    if !users.is_empty() {
        match call(Some(id), &second, users).await {
            Err(failure) => failures.push(failure),
            Ok(Written { errors, .. }) => {
                notes.carried(&errors);
                let live = known.rooms.iter().filter(|room| !room.deleted);
                let all: BTreeSet<RoomId> = live.map(|room| room.id).chain([id]).collect();
                notes.looked(look(id).await, &all);
            }
        }
    }
    (notes.finding(failures.first()), Some(notes.probe))
}

/// What was observed after users were added to the room.
pub struct ProbedUsers {
    /// The count of the room's members.
    pub counts: MemberCounts,
    /// The rooms that a JWT for one of the users lists; `None` if no JWT can be signed.
    pub listed: Option<Result<Vec<RoomId>, Failure>>,
}

/// What the probe has learned so far.
struct Notes {
    probe: WriteProbe,
    /// Whether an answer differs from what plans rely on.
    odd: bool,
}

impl Notes {
    /// Notes the answer to a question: `Ok` if plans can rely on the answer, `Err` if they cannot.
    fn settle(&mut self, question: impl Into<String>, answer: Result<&str, String>) {
        self.odd |= answer.is_err();
        self.note(question, true, answer.map_or_else(|odd| odd, str::to_owned));
    }

    fn leave_open(&mut self, question: impl Into<String>, answer: &str) {
        self.note(question, false, answer);
    }

    fn note(&mut self, question: impl Into<String>, settled: bool, answer: impl Into<String>) {
        self.probe.answers.push(Answer {
            question: question.into(),
            settled,
            answer: answer.into(),
        });
    }

    /// Notes errors that the server reports in a successful answer.
    fn carried(&mut self, errors: &[String]) {
        let answer = format!("yes: {}", errors.join("; "));
        let known = self.probe.answers.iter().any(|it| it.answer == answer);
        if !errors.is_empty() && !known {
            self.settle("can a success also report errors", Err(answer));
        }
    }

    fn created(&mut self, rows: &[LiveRoom], sent: &RoomState) {
        let lag = "does the list lag";
        let Some(row) = rows.iter().find(|row| row.id == self.probe.room) else {
            let answer = "yes: the read after the create did not show the room";
            self.settle(lag, Err(answer.to_owned()));
            for field in Field::ALL {
                self.leave_open(arrives(field), "the list lacked the room before the update");
            }
            return;
        };
        self.settle(lag, Ok("not after the create"));
        self.kept(row);
        for field in Field::ALL {
            let question = arrives(field);
            match (row.state.value(field) == sent.value(field), field) {
                (true, Field::Public) => {
                    let answer = "`closed` was sent and is shown; `public` was not tried, because the probe never makes a room public";
                    self.leave_open(question, answer);
                }
                (true, _) => self.settle(question, Ok("yes")),
                (false, _) => {
                    self.settle(question, Err("no, the list shows another value".to_owned()))
                }
            }
        }
    }

    fn kept(&mut self, row: &LiveRoom) {
        let answer = match row.pipe == self.probe.pipe {
            true => Ok("yes, byte for byte"),
            false => Err(format!("no, it became {}", quoted(row.pipe.as_str()))),
        };
        self.settle(IS_PIPE_KEPT, answer);
    }

    /// Notes whether the answer to the second call has the same room id.
    fn named(&mut self, id: RoomId) {
        let other =
            || format!("no, it returned room {id}, which may be another room: check it too");
        let answer = (id == self.probe.room).then_some("yes").ok_or_else(other);
        self.settle("does a call by pipe and id return the same room id", answer);
    }

    fn updated(&mut self, rows: &[LiveRoom], before: &RoomState, sent: &RoomState, reads: u32) {
        let question = "does a call by pipe and id update the room or duplicate it";
        let is_alike = |row: &&LiveRoom| row.pipe == self.probe.pipe && !row.deleted;
        match rows.iter().filter(is_alike).count() {
            0 => {
                self.odd = true;
                self.leave_open(question, "the list shows no room with this pipe");
            }
            1 => self.settle(question, Ok("it updates: there is one room with the pipe")),
            more => {
                let answer = format!("it duplicates: there are {more} rooms with the pipe");
                self.settle(question, Err(answer));
            }
        }
        let Some(row) = rows.iter().find(|row| row.id == self.probe.room) else {
            return;
        };
        let mut answers = self.probe.answers.iter();
        if !answers.any(|it| it.question == IS_PIPE_KEPT) {
            self.kept(row);
        }
        for field in Field::ALL {
            let (question, shown) = (updates(field), row.state.value(field));
            let answer = match shown {
                _ if field == Field::Public => {
                    self.leave_open(question, "not tried: the probe never makes a room public");
                    continue;
                }
                shown if shown == sent.value(field) => Ok("yes"),
                shown if shown == before.value(field) => {
                    Err(format!("no, not within {reads} reads of the list"))
                }
                _ => Err("no, the list shows neither the old nor the new value".to_owned()),
            };
            self.settle(question, answer);
        }
        if reads > 1 && row.state == *sent {
            let answer = format!("yes: it took {reads} reads until the list showed the update");
            self.settle("does the list lag after an update", Err(answer));
        }
        let answer = "not tried: the call after the create also had the room's id";
        let question = "does a call by pipe alone update the room or duplicate it";
        self.leave_open(question, answer);
    }

    /// Notes the results of counting and of reading with a JWT. `all` contains the rooms that the
    /// secret key lists, and the probe's room.
    fn looked(&mut self, seen: ProbedUsers, all: &BTreeSet<RoomId>) {
        let question = "which rooms does the filter count_users find";
        let ignored = "all rooms: the server ignores the filter, so members cannot be counted";
        let unclear = "the answers fit more than one meaning, or contradict each other";
        match seen.counts.meaning {
            CountMeaning::Exact => {
                self.settle(question, Ok("rooms with exactly this number of users"));
            }
            CountMeaning::AtLeast => {
                self.settle(question, Ok("rooms with at least this number of users"));
            }
            CountMeaning::Ignored => self.settle(question, Err(ignored.to_owned())),
            CountMeaning::Either | CountMeaning::Unclear => self.leave_open(question, unclear),
        }
        for room in &seen.counts.rooms {
            let question = "are the users in the room";
            match room.result {
                CountResult::Equal => {
                    self.settle(question, Ok("yes, all were counted"));
                    let is_counted = seen.counts.offset == Some(1);
                    let answer = if is_counted { "yes" } else { "no" };
                    self.settle("does the writing user count as a member", Ok(answer));
                }
                CountResult::Fewer(size) | CountResult::More(size) => {
                    let answer = format!("users sent: {}; users counted: {size}", room.expected);
                    self.settle(question, Err(answer));
                }
                CountResult::Outside(_) | CountResult::Unknown(_) => {
                    self.leave_open(question, "they could not be counted");
                }
            }
        }
        let question = "does a JWT list only its user's rooms";
        match seen.listed {
            None => self.leave_open(question, "not tried: signing a JWT needs the secret key"),
            Some(Err(failure)) => self.leave_open(question, &failure.message),
            Some(Ok(listed)) => {
                let own = listed.contains(&self.probe.room);
                let listed = listed.iter().filter(|room| all.contains(room)).count();
                match (own, listed == all.len()) {
                    (false, _) => {
                        let answer = "the JWT of a user who was added to the probe's room does not list that room";
                        self.leave_open(question, answer);
                    }
                    (true, true) => self.settle(question, Ok("no, it lists all rooms")),
                    (true, false) => {
                        let answer = format!("yes, it lists {listed} of {} rooms", all.len());
                        self.settle(question, Ok(&answer));
                    }
                }
            }
        }
    }

    fn finding(&self, failure: Option<&Failure>) -> Finding {
        let settled = self.probe.answers.iter().filter(|it| it.settled).count();
        let mut message = format!("a room was created; {settled} questions answered");
        let mut verdict = Verdict::Ok;
        if let Some(failure) = failure {
            verdict = Verdict::Failed;
            message = format!("a room was created, but then: {}", failure.message);
        } else if self.odd {
            verdict = Verdict::Warning;
            message.push_str(", with unexpected answers; see below");
        }
        let remedy = "remove the room in ImbaChat: the API cannot delete it";
        Finding::new(verdict, message, Some(remedy.to_owned()))
    }
}

fn arrives(field: Field) -> String {
    format!("does a create's {} arrive", field.noun())
}

fn updates(field: Field) -> String {
    format!("does a repeated call update the {}", field.noun())
}

/// Returns the finding for an existing room that was overwritten. The user must not remove it or
/// write to it again.
fn overwritten(room: &LiveRoom) -> Finding {
    let (id, state, pipe) = (room.id, &room.state, quoted(room.pipe.as_str()));
    let message = format!(
        "no room was created: the server answered with room {id}, which already had the pipe {pipe}, and may have overwritten it"
    );
    let visibility = if state.public { "public" } else { "closed" };
    let remedy = format!(
        "check room {id} in ImbaChat, and do not remove it: before the probe it was {}, {}, {visibility}",
        quoted(&state.title),
        state.kind
    );
    Finding::failed(message, remedy)
}

fn not_created(failure: &Failure) -> Finding {
    if failure.delivery == Delivery::Uncertain {
        let remedy = "look for the room in ImbaChat, and remove it if it exists";
        let message = format!("the room may have been created: {}", failure.message);
        return Finding::failed(message, remedy);
    }
    let message = format!("no room was created: {}", failure.message);
    Finding::new(Verdict::Failed, message, failure.hint.clone())
}
