//! What a write probe learns: each of the API's unknowns with what was seen of it.

use super::quoted;
use crate::imbachat::Failure;
use crate::model::{Field, Finding, LiveRoom, Pipe, Probe, RoomId, RoomState, Step};

pub(super) const NAME: &str = "write-probe";
/// Asked after whichever read shows the room first.
const PIPE: &str = "is the pipe kept";

/// What is learned on the way.
pub(super) struct Notes {
    pub(super) probe: Probe,
    odd: bool,
}

impl Notes {
    pub(super) fn new(pipe: Pipe, id: RoomId) -> Self {
        let probe = Probe {
            pipe,
            room: Some(id),
            findings: Vec::new(),
        };
        Self { probe, odd: false }
    }

    fn note(
        &mut self,
        question: impl Into<String>,
        settled: bool,
        good: bool,
        answer: impl Into<String>,
    ) {
        self.odd |= !good;
        self.probe.findings.push(Finding {
            question: question.into(),
            settled,
            answer: answer.into(),
        });
    }

    /// Errors that a successful answer carried.
    pub(super) fn carried(&mut self, errors: &[String]) {
        let answer = format!("yes: {}", errors.join("; "));
        let known = self.probe.findings.iter().any(|it| it.answer == answer);
        if !errors.is_empty() && !known {
            self.note("does a success carry errors", true, false, answer);
        }
    }

    /// After the first call.
    pub(super) fn made(&mut self, rows: Result<&[LiveRoom], &Failure>, sent: &RoomState) {
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
    pub(super) fn answered(&mut self, id: RoomId) {
        let same = Some(id) == self.probe.room;
        let answer = if same {
            "yes".to_owned()
        } else {
            format!("no, it named room {id}, which may be another one: look at it too")
        };
        self.note(
            "does a call by pipe and id name the same room",
            true,
            same,
            answer,
        );
    }

    /// After the second call and so many reads.
    pub(super) fn updated(
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
        for field in Field::ALL {
            if field == Field::Public {
                let answer = "not tried: the probe opens no room";
                self.note(updates(field), false, true, answer);
                continue;
            }
            let shown = row.state.value(field);
            let (took, old) = (shown == sent.value(field), shown == before.value(field));
            let answer = match (took, old) {
                (true, _) => "yes".to_owned(),
                (false, true) => format!("no, not within {reads} reads of the list"),
                (false, false) => "it became something else".to_owned(),
            };
            self.note(updates(field), true, took, answer);
        }
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

    pub(super) fn step(&self, failure: Option<&Failure>) -> Step {
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

fn arrives(field: Field) -> String {
    format!("does a create's {} arrive", field.noun())
}

fn updates(field: Field) -> String {
    format!("does a repeated call update the {}", field.noun())
}
