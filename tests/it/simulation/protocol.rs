//! What must hold at the moment a call that writes reaches the server.

use std::collections::BTreeSet;

use roomform::imbachat::Delivery;
use roomform::ledger::Fact;
use roomform::model::UserId;
use roomform::plan::CHUNK;

use super::server::Write;
use super::world::{Answer, Run, State};

/// Checks one call of a run against everything known so far.
pub fn write(state: &mut State, run: usize, write: &Write) {
    let process = &state.runs[run];
    let mut wrong = Vec::new();
    if process.ledger_failed {
        wrong.push("it is sent although the ledger could not be written");
    }
    if process.interrupted {
        wrong.push("it is sent after the interrupt");
    }
    if process.denied {
        wrong.push("it is sent although the server does not accept its sender");
    }
    if write.members.len() > CHUNK {
        wrong.push("it has more members than go into one call");
    }
    if !unconfirmed(process, write) {
        wrong.push("it is sent before the call before it was on disk as confirmed");
    }
    match process.wishes.rooms.get(&write.pipe) {
        None => wrong.push("nobody declared the room"),
        Some(wish) => {
            if !write.members.iter().all(|user| wish.members.contains(user)) {
                wrong.push("it names somebody who is not declared, or excluded");
            }
        }
    }
    if write.room.is_none() {
        if !intended(state, process, write) {
            wrong.push("it creates without an intent on disk that names all its members");
        }
        if process
            .shown
            .iter()
            .any(|row| row.pipe == write.pipe && !row.deleted)
        {
            wrong.push("it creates a room that the last list showed");
        }
        if process
            .since_list()
            .any(|(before, answer)| again(before, answer, write))
        {
            wrong.push("it creates again without having looked");
        }
    }
    for text in wrong {
        state.fail(format!("run {run}: a write to {}: {text}", write.pipe));
    }
}

/// Whether a create may already have been carried out by this earlier one.
fn again(before: &Write, answer: Answer, write: &Write) -> bool {
    let harmless = matches!(
        answer,
        Answer::Bad(Delivery::NotSent | Delivery::Later | Delivery::Refused)
    );
    before.pipe == write.pipe && before.room.is_none() && !harmless
}

/// Whether all earlier good answers for the room are on disk.
fn unconfirmed(process: &Run, write: &Write) -> bool {
    let good = process.requests.iter().filter(|request| {
        request.write.pipe == write.pipe && matches!(request.answer, Answer::Good(_))
    });
    let confirmed = process
        .appended
        .iter()
        .filter(|fact| matches!(fact, Fact::Confirmed { pipe, .. } if *pipe == write.pipe));
    good.count() <= confirmed.count()
}

fn intended(state: &State, process: &Run, write: &Write) -> bool {
    let mine = state
        .disk
        .entries
        .iter()
        .filter(|(stamp, _)| stamp.run == process.name);
    mine.rev().any(|(_, fact)| match fact {
        Fact::Intent { pipe, members } if *pipe == write.pipe => {
            let owed: BTreeSet<&UserId> = members.iter().collect();
            write.members.iter().all(|user| owed.contains(user))
        }
        _ => false,
    })
}
