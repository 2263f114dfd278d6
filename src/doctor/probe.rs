//! `--write-probe`: create one room and update it, to learn what the API does where its documentation is silent.
//!
//! The room gets no members and no messages, is closed, and is not recorded. Only people can remove it.

use std::time::Duration;

use super::{Answer, Finding, Verdict, WriteProbe, quoted};
use crate::imbachat::{
    Delivery, Dice, Failure, ReadRooms, Reader, RoomWrite, WriteRooms, Writer, Written,
};
use crate::manifest::Loaded;
use crate::model::{Field, LiveRoom, Pipe, Recorded, RoomId, RoomKind, RoomState, looks};

pub const UNDER_WAY: &str =
    "the probe is running; if you stop now, you will not know which room it created";
/// Reads of the list after the second call, because the list may lag, and the pause between them.
const READS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(250);
/// Answered by the first read that shows the room.
const IS_PIPE_KEPT: &str = "is the pipe kept";

/// What is known before anything is written.
pub struct Known<'a> {
    pub reader: &'a Reader,
    pub rooms: &'a [LiveRoom],
    pub loaded: &'a Loaded,
    pub recorded: Option<&'a Recorded>,
}

/// Why the probe must not use a pipe, if it must not.
pub fn refuse_pipe(pipe: &Pipe, known: &Known<'_>) -> Option<Finding> {
    let Known {
        reader,
        rooms,
        loaded,
        recorded,
    } = known;
    if reader.is_partial() {
        let message = "nothing was written: the pipe may belong to a live room, because a JWT may show only one user's rooms";
        return Some(Finding::failed(message, "read with the secret key"));
    }
    let declared = &loaded.desired.rooms;
    // A server that folds case, or more, would write to the room of such a pipe.
    let look = looks(pipe.as_str());
    let mut pipes = rooms.iter().map(|room| &room.pipe).chain(declared.keys());
    let reason = match rooms.iter().find(|room| room.pipe == *pipe) {
        Some(room) if room.deleted => "belonged to a room that was deleted".to_owned(),
        Some(_) => "is a live room".to_owned(),
        None if !loaded.is_valid() => "may be declared: the manifest is invalid".to_owned(),
        None if declared.contains_key(pipe) => "is in the manifest".to_owned(),
        None if recorded.is_some_and(|it| it.ids.contains_key(pipe)) => {
            "is in the ledger".to_owned()
        }
        None => {
            let other = quoted(pipes.find(|other| looks(other.as_str()) == look)?.as_str());
            format!("looks like {other}, and a server may confuse the two")
        }
    };
    let message = format!("nothing was written: {} {reason}", quoted(pipe.as_str()));
    let remedy = "choose an unused pipe, such as roomform-probe-1";
    Some(Finding::failed(message, remedy))
}

/// Creates the room, updates it, and compares what the list shows after each call.
pub async fn write_probe(
    pipe: Pipe,
    writer: &Writer,
    known: &Known<'_>,
    dice: &Dice,
) -> (Finding, Option<WriteProbe>) {
    let first = RoomState::new("roomform write probe", RoomKind::Dialog, false);
    let title = "roomform write probe: remove this room";
    let second = RoomState::new(title, RoomKind::Conference, false);
    let call = async |room: Option<RoomId>, state: &RoomState| {
        let write = RoomWrite {
            room,
            pipe: &pipe,
            state,
            members: &[],
        };
        writer.write(&write).await
    };
    let Written { room: id, errors } = match call(None, &first).await {
        Ok(written) => written,
        Err(failure) => return (not_created(&failure), None),
    };
    if let Some(room) = known.rooms.iter().find(|room| room.id == id) {
        return (overwritten(room), None);
    }
    // The rows that may be the probe's.
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
    match call(Some(id), &second).await {
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
    (notes.finding(failures.first()), Some(notes.probe))
}

/// What the probe has learned so far.
struct Notes {
    probe: WriteProbe,
    /// Whether an answer is not what a plan would like.
    odd: bool,
}

impl Notes {
    fn settle(&mut self, question: impl Into<String>, good: bool, answer: impl Into<String>) {
        self.odd |= !good;
        self.note(question, true, answer);
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

    /// Errors that a successful answer carried.
    fn carried(&mut self, errors: &[String]) {
        let answer = format!("yes: {}", errors.join("; "));
        let known = self.probe.answers.iter().any(|it| it.answer == answer);
        if !errors.is_empty() && !known {
            self.settle("does a success carry errors", false, answer);
        }
    }

    fn created(&mut self, rows: &[LiveRoom], sent: &RoomState) {
        let lag = "does the list lag";
        let Some(row) = rows.iter().find(|row| row.id == self.probe.room) else {
            let answer = "yes: the read after the create did not show the room";
            self.settle(lag, false, answer);
            for field in Field::ALL {
                self.leave_open(arrives(field), "not visible before it was updated");
            }
            return;
        };
        self.settle(lag, true, "not after the create");
        self.kept(row);
        for field in Field::ALL {
            let question = arrives(field);
            match (row.state.value(field) == sent.value(field), field) {
                (true, Field::Public) => {
                    let answer = "closed was sent and is shown; the probe opens no rooms, so a public one was not tried";
                    self.leave_open(question, answer);
                }
                (true, _) => self.settle(question, true, "yes"),
                (false, _) => self.settle(question, false, "no, another one is shown"),
            }
        }
    }

    fn kept(&mut self, row: &LiveRoom) {
        if row.pipe == self.probe.pipe {
            self.settle(IS_PIPE_KEPT, true, "yes, byte for byte");
        } else {
            let answer = format!("no, it became {}", quoted(row.pipe.as_str()));
            self.settle(IS_PIPE_KEPT, false, answer);
        }
    }

    /// The room that the answer to the second call named.
    fn named(&mut self, id: RoomId) {
        let question = "does a call by pipe and id name the same room";
        if id == self.probe.room {
            self.settle(question, true, "yes");
        } else {
            let answer = format!("no, it named room {id}, which may be another one: check it too");
            self.settle(question, false, answer);
        }
    }

    fn updated(&mut self, rows: &[LiveRoom], before: &RoomState, sent: &RoomState, reads: u32) {
        let question = "does a call by pipe and id update or duplicate";
        let alike = rows
            .iter()
            .filter(|row| row.pipe == self.probe.pipe && !row.deleted);
        match alike.count() {
            0 => {
                self.odd = true;
                self.leave_open(question, "the list shows none with the pipe");
            }
            1 => self.settle(
                question,
                true,
                "it updates: there is one room with the pipe",
            ),
            more => {
                let answer = format!("it duplicates: there are {more} rooms with the pipe");
                self.settle(question, false, answer);
            }
        }
        let Some(row) = rows.iter().find(|row| row.id == self.probe.room) else {
            return;
        };
        if !self
            .probe
            .answers
            .iter()
            .any(|it| it.question == IS_PIPE_KEPT)
        {
            self.kept(row);
        }
        for field in Field::ALL {
            let (question, shown) = (updates(field), row.state.value(field));
            if field == Field::Public {
                self.leave_open(question, "not tried: the probe opens no room");
            } else if shown == sent.value(field) {
                self.settle(question, true, "yes");
            } else if shown == before.value(field) {
                let answer = format!("no, not within {reads} reads of the list");
                self.settle(question, false, answer);
            } else {
                self.settle(question, false, "it became something else");
            }
        }
        if reads > 1 && row.state == *sent {
            let answer = format!("yes: the update was shown at read {reads}");
            self.settle("does the list lag after an update", false, answer);
        }
        let question = "does a call by the pipe alone update or duplicate";
        self.leave_open(
            question,
            "not tried: both calls after the create named the room",
        );
    }

    fn finding(&self, failure: Option<&Failure>) -> Finding {
        let settled = self.probe.answers.iter().filter(|it| it.settled).count();
        let message = format!("a room was created; {settled} of the questions answered");
        let (verdict, message) = match failure {
            Some(failure) => {
                let message = format!("a room was created, and then: {}", failure.message);
                (Verdict::Failed, message)
            }
            None if self.odd => {
                let message = format!("{message}, with unexpected answers; see below");
                (Verdict::Warning, message)
            }
            None => (Verdict::Ok, message),
        };
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

/// A room that existed before must not be removed, nor written to again.
fn overwritten(room: &LiveRoom) -> Finding {
    let LiveRoom {
        id, pipe, state, ..
    } = room;
    let message = format!(
        "no room was created: the server named room {id}, which existed before with the pipe {}, and may have overwritten it",
        quoted(pipe.as_str())
    );
    let publicity = if state.public { "public" } else { "closed" };
    let remedy = format!(
        "check room {id} in ImbaChat, and do not remove it: before the probe it was {}, {}, {publicity}",
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
