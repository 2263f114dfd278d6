//! `--write-probe`: one room is made and written to once more, to see what the API does where its pages say nothing.
//!
//! It adds no members, opens nothing, says nothing, and is on no record: only people can take the room away again.

use std::time::Duration;

use super::super::apply::ask;
use super::super::site::Site;
use super::super::target::{WriteAccess, dice};
use super::super::{Console, formats};
use super::server::Outside;
use super::{local, quoted};
use crate::cli::Format;
use crate::error::{Error, Exit};
use crate::imbachat::{Delivery, Failure, ReadRooms, Reader, RoomWrite, WriteRooms, Writer};
use crate::manifest::Loaded;
use crate::model::{
    Field, Finding, LiveRoom, Pipe, Probe, Recorded, RoomId, RoomKind, RoomState, Step, is_hidden,
};
use crate::render::escape;
use crate::settings::Settings;

const NAME: &str = "write-probe";
/// Bytes a pipe may have.
const LONGEST: usize = 255;
/// Reads of the list after the second call: it may lag.
const READS: u32 = 3;
/// Asked after whichever read shows the room first.
const PIPE: &str = "is the pipe kept";
const PAUSE: Duration = Duration::from_millis(250);

/// What is known before anything is written.
pub(super) struct Known<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) recorded: Option<&'a Recorded>,
    pub(super) site: Option<&'a Site>,
    pub(super) outside: &'a Outside,
}

/// Refuses, before anything is looked at, what cannot be asked about or cannot be a pipe.
pub(super) fn allowed(pipe: &str, yes: bool, console: &Console) -> Result<(), Error> {
    let bad = pipe.is_empty() || pipe.len() > LONGEST || pipe.trim() != pipe;
    if bad || pipe.contains(is_hidden) {
        let message = "--write-probe: this cannot be a pipe";
        return Err(Error::message(Exit::Usage, message)
            .hint("1 to 255 bytes, without hidden characters and without spaces around"));
    }
    if yes {
        return Ok(());
    }
    let refused = |message: String| {
        let hint = "add --yes: one room is made that the API cannot delete again";
        Err(Error::message(Exit::Refused, message).hint(hint))
    };
    if console.format != Format::Text {
        let format = formats::word(console.format);
        return refused(format!(
            "--format {format} cannot ask, and --yes was not given"
        ));
    }
    if !console.interactive {
        return refused("no room was made: nobody is there to ask, and --yes was not given".into());
    }
    Ok(())
}

/// Makes the probe, if nothing speaks against it.
pub(super) async fn look(
    pipe: &str,
    yes: bool,
    known: Known<'_>,
    settings: &Settings,
) -> Result<(Step, Option<Probe>), Error> {
    let pipe = Pipe::new(pipe);
    let outside = known.outside;
    let (Some(site), Some(reached), Some(reader), Some(_)) = (
        known.site,
        &outside.reached,
        &outside.reader,
        &outside.survey,
    ) else {
        return Ok((Step::skipped(NAME, "needs `answers`"), None));
    };
    if let Some(reason) = taken(&pipe, &known) {
        let message = format!("nothing was written: {} {reason}", quoted(pipe.as_str()));
        let remedy = "name a pipe that nobody uses, as in roomform-probe-1".to_owned();
        return Ok((Step::failed(NAME, message, Some(remedy)), None));
    }
    let access = match WriteAccess::new(settings) {
        Ok(access) => access,
        Err(error) => return Ok((local::failed(NAME, &error), None)),
    };
    let question = format!(
        "Make a room `{}` in {}? The API cannot delete it again.",
        escape::terminal(pipe.as_str()),
        escape::terminal(&site.target.to_string())
    );
    if !yes && !ask(question)? {
        return Ok((Step::skipped(NAME, "the answer was no"), None));
    }
    let writer = access.writer(reached.http.clone(), site.target.widget);
    Ok(probe(pipe, &writer, reader).await)
}

/// Why a pipe may not be used.
fn taken(pipe: &Pipe, known: &Known<'_>) -> Option<&'static str> {
    let rooms = known.outside.survey.iter().flat_map(|survey| &survey.rooms);
    let mut rooms = rooms.filter(|room| room.pipe == *pipe);
    match rooms.next() {
        Some(room) if room.deleted => return Some("belonged to a room that was deleted"),
        Some(_) => return Some("is a live room"),
        None => {}
    }
    if !known.loaded.is_valid() {
        return Some("may be declared: the manifest is invalid");
    }
    if known.loaded.desired.rooms.contains_key(pipe) {
        return Some("is in the manifest");
    }
    let on_record = known.recorded.is_some_and(|it| it.ids.contains_key(pipe));
    on_record.then_some("is on record in the ledger")
}

fn state(title: &str, kind: RoomKind) -> RoomState {
    RoomState {
        title: title.to_owned(),
        kind,
        public: false,
    }
}

/// Two calls, and what the list shows after each.
async fn probe(pipe: Pipe, writer: &Writer, reader: &Reader) -> (Step, Option<Probe>) {
    let first = state("roomform write probe", RoomKind::Dialog);
    let second = state(
        "roomform write probe: remove this room",
        RoomKind::Conference,
    );
    let call = async |room: Option<RoomId>, state: &RoomState| {
        let write = RoomWrite {
            room,
            pipe: &pipe,
            state,
            members: &[],
        };
        writer.write(&write).await
    };
    let id = match call(None, &first).await {
        Ok(id) => id,
        Err(failure) => return (not_made(&failure), None),
    };
    let mut notes = Notes::new(pipe.clone(), id);
    let made = read(reader, &pipe, id).await;
    notes.made(made.as_deref(), &first);
    let again = call(Some(id), &second).await;
    let mut seen = Err(Failure::lasting(Delivery::NotSent, "not read"));
    let mut reads = 0;
    if let Ok(answered) = &again {
        notes.answered(*answered);
        while reads < READS && !shows(seen.as_deref(), id, &second) {
            tokio::time::sleep(PAUSE * reads).await;
            seen = read(reader, &pipe, id).await;
            reads += 1;
        }
        notes.updated(seen.as_deref(), &first, &second, reads);
    }
    let failure = [
        made.err(),
        again.err(),
        (reads > 0).then_some(seen.err()).flatten(),
    ];
    let failure = failure.into_iter().flatten().next();
    (notes.step(failure.as_ref()), Some(notes.probe))
}

fn shows(rows: Result<&[LiveRoom], &Failure>, id: RoomId, state: &RoomState) -> bool {
    rows.is_ok_and(|rows| rows.iter().any(|row| row.id == id && row.state == *state))
}

/// The rows that may be the probe's.
async fn read(reader: &Reader, pipe: &Pipe, id: RoomId) -> Result<Vec<LiveRoom>, Failure> {
    let take = |rows: &mut Vec<LiveRoom>, row: LiveRoom| {
        if row.id == id || row.pipe == *pipe {
            rows.push(row);
        }
    };
    reader.collect(&dice(), Vec::new, take).await
}

fn not_made(failure: &Failure) -> Step {
    let message = match failure.delivery {
        Delivery::InDoubt => format!("the room may have been made: {}", failure.message),
        _ => format!("no room was made: {}", failure.message),
    };
    let look = "look for the room in ImbaChat, and remove it by hand if it is there";
    let remedy = match failure.delivery {
        Delivery::InDoubt => Some(look.to_owned()),
        _ => failure.hint.clone(),
    };
    Step::failed(NAME, message, remedy)
}

/// What is learned on the way.
struct Notes {
    probe: Probe,
    odd: bool,
}

impl Notes {
    fn new(pipe: Pipe, id: RoomId) -> Self {
        let probe = Probe {
            pipe,
            room: Some(id),
            findings: Vec::new(),
        };
        Self { probe, odd: false }
    }

    fn note(
        &mut self,
        question: &'static str,
        settled: bool,
        good: bool,
        answer: impl Into<String>,
    ) {
        self.odd |= !good;
        self.probe.findings.push(Finding {
            question,
            settled,
            answer: answer.into(),
        });
    }

    /// After the first call.
    fn made(&mut self, rows: Result<&[LiveRoom], &Failure>, sent: &RoomState) {
        let id = self.probe.room;
        let Ok(rows) = rows else {
            return;
        };
        let Some(row) = rows.iter().find(|row| Some(row.id) == id) else {
            let answer = "yes: the read after the create did not show the room";
            self.note("does the list lag", true, false, answer);
            for field in Field::ALL {
                self.note(
                    arrives(field),
                    false,
                    true,
                    "not seen before it was updated",
                );
            }
            return;
        };
        self.note("does the list lag", true, true, "not after the create");
        self.kept(row);
        for field in Field::ALL {
            let (arrived, question) = (row.state.value(field) == sent.value(field), arrives(field));
            match (arrived, field) {
                (true, Field::Public) => {
                    let answer = "closed was sent and closed is shown; the probe opens no room, so not whether an open one arrives";
                    self.note(question, false, true, answer);
                }
                (arrived, _) => self.note(question, true, arrived, yes(arrived)),
            }
        }
    }

    fn kept(&mut self, row: &LiveRoom) {
        let kept = row.pipe == self.probe.pipe;
        let answer = if kept {
            "yes, byte for byte".to_owned()
        } else {
            format!("no, it became {}", quoted(row.pipe.as_str()))
        };
        self.note(PIPE, true, kept, answer);
    }

    /// The second call named a room.
    fn answered(&mut self, id: RoomId) {
        let same = Some(id) == self.probe.room;
        let answer = if same {
            "yes".to_owned()
        } else {
            format!("no, it named room {id}, which may be another one to remove")
        };
        self.note(
            "does a call by pipe and id name the same room",
            true,
            same,
            answer,
        );
    }

    /// After the second call and so many reads.
    fn updated(
        &mut self,
        rows: Result<&[LiveRoom], &Failure>,
        before: &RoomState,
        sent: &RoomState,
        reads: u32,
    ) {
        let Ok(rows) = rows else {
            return;
        };
        let alike = rows
            .iter()
            .filter(|row| row.pipe == self.probe.pipe && !row.deleted)
            .count();
        let answer = match alike {
            0 => "the list shows none with the pipe".to_owned(),
            1 => "it updates: there is one room with the pipe".to_owned(),
            more => format!("it duplicates: there are {more} rooms with the pipe"),
        };
        self.note(
            "does a call by pipe and id update or duplicate",
            alike > 0,
            alike == 1,
            answer,
        );
        let id = self.probe.room;
        let Some(row) = rows.iter().find(|row| Some(row.id) == id) else {
            return;
        };
        if !self.probe.findings.iter().any(|it| it.question == PIPE) {
            self.kept(row);
        }
        for field in [Field::Title, Field::Kind] {
            let shown = row.state.value(field);
            let (took, old) = (shown == sent.value(field), shown == before.value(field));
            let answer = match (took, old) {
                (true, _) => "yes".to_owned(),
                (false, true) => format!("no, not within {reads} reads of the list"),
                (false, false) => "it became something else".to_owned(),
            };
            self.note(updates(field), true, took, answer);
        }
        let answer = "not tried: the probe opens no room";
        self.note(updates(Field::Public), false, true, answer);
        if reads > 1 && row.state == *sent {
            let answer = format!("yes: the update was shown at read {reads}");
            self.note("does the list lag after an update", true, false, answer);
        }
        let answer = "not tried: both calls after the create named the room";
        self.note(
            "does a call by the pipe alone update or duplicate",
            false,
            true,
            answer,
        );
    }

    fn step(&self, failure: Option<&Failure>) -> Step {
        let remedy = "remove the room by hand in ImbaChat: the API cannot delete it";
        let settled = self.probe.findings.iter().filter(|it| it.settled).count();
        let message = format!("a room was made; {settled} of the unknowns settled");
        match failure {
            Some(failure) => {
                let message = format!("a room was made, and then: {}", failure.message);
                Step::failed(NAME, message, Some(remedy.to_owned()))
            }
            None if self.odd => {
                let message = format!("{message}, not all as one would wish; see below");
                Step::warning(NAME, message, remedy)
            }
            None => Step {
                remedy: Some(remedy.to_owned()),
                ..Step::ok(NAME, message)
            },
        }
    }
}

fn yes(yes: bool) -> &'static str {
    if yes {
        "yes"
    } else {
        "no, another one is shown"
    }
}

fn arrives(field: Field) -> &'static str {
    match field {
        Field::Title => "does a create's title arrive",
        Field::Kind => "does a create's type arrive",
        Field::Public => "does a create's publicity arrive",
    }
}

fn updates(field: Field) -> &'static str {
    match field {
        Field::Title => "does a repeated call update the title",
        Field::Kind => "does a repeated call update the type",
        Field::Public => "does a repeated call update the publicity",
    }
}
