//! Invariants at the moment a write call reaches the server.

use std::collections::BTreeSet;

use roomform::imbachat::Delivery;
use roomform::ledger::{Fact, Stage};
use roomform::model::{LiveRoom, MembersPolicy, UserId};
use roomform::plan::CHUNK;

use super::record::Account;
use super::server::{Said, Write};
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
        None => wrong.push("no one declared the room"),
        Some(wish) => {
            if !write.members.iter().all(|user| wish.members.contains(user)) {
                wrong.push("it names someone who is not declared, or excluded");
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

/// Checks one message of a run against everything known so far.
pub fn say(state: &mut State, run: usize, said: &Said) {
    let process = &state.runs[run];
    let mut wrong = Vec::new();
    if process.ledger_failed || process.interrupted || process.denied {
        wrong.push("it is sent after the run's end");
    }
    let rows = process.shown.iter();
    let rows = rows.filter(|row| row.id == said.room && !row.deleted);
    let rows: Vec<&LiveRoom> = rows.collect();
    let Some(row) = rows.first() else {
        let text = format!("run {run}: {said:?}: the last list did not show the room");
        return state.fail(text);
    };
    let same = process.shown.iter();
    let same = same.filter(|other| other.pipe == row.pipe && !other.deleted);
    if same.count() > 1 {
        wrong.push("more than one room has the pipe");
    }
    match process.wishes.rooms.get(&row.pipe) {
        None => wrong.push("no one declared the room"),
        Some(wish) => {
            let wished = wish.welcome.as_ref();
            let wished = wished.map(|welcome| (welcome.from, welcome.text.as_str()));
            if wished != Some((said.from, said.text.as_str())) {
                wrong.push("it is not the welcome that is declared");
            }
            let room = state.server.rooms.get(&said.room);
            let all = room.is_some_and(|room| wish.members.is_subset(&room.members));
            if !all && wish.policy == MembersPolicy::Ensure && !process.assumes {
                wrong.push("its members are not in");
            }
        }
    }
    let account = Account::of(&state.disk.entries);
    let runs = account.messages.get(&said.room);
    let begun = |stage: &Stage| *stage != Stage::Failed;
    let begun: Vec<&String> = runs
        .into_iter()
        .flatten()
        .filter(|(_, stage)| begun(stage))
        .map(|(name, _)| name)
        .collect();
    if begun != [&process.name] {
        wrong.push("it has no intent on disk, or another run has one too");
    }
    let last = account.welcomes.get(&row.pipe);
    // Another run with another manifest may have promised less since this run did, or since it made its plan.
    let own = process
        .appended
        .iter()
        .any(|fact| matches!(fact, Fact::Intent { pipe, welcome: true, .. } if *pipe == row.pipe));
    let own = own || process.promised.contains(&row.pipe);
    if !own && last.is_none_or(|(owed, _)| !owed) {
        wrong.push("no create promised it");
    }
    let mut before = process.said.iter().filter(|other| *other.said == *said);
    let harmless =
        |answer: Answer| matches!(answer, Answer::Bad(Delivery::NotSent | Delivery::Later));
    if !before.all(|other| harmless(other.answer)) {
        wrong.push("it is sent again, and may have arrived");
    }
    for text in wrong {
        state.fail(format!("run {run}: {said:?}: {text}"));
    }
}

/// Whether this earlier call may already have executed the create.
fn again(before: &Write, answer: Answer, write: &Write) -> bool {
    let harmless = matches!(
        answer,
        Answer::Bad(Delivery::NotSent | Delivery::Later | Delivery::Refused)
    );
    before.pipe == write.pipe && before.room.is_none() && !harmless
}

/// Whether all earlier successful answers for the room are on disk.
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
        Fact::Intent {
            pipe,
            members,
            welcome,
        } if *pipe == write.pipe => {
            let owed: BTreeSet<&UserId> = members.iter().collect();
            let wish = process.wishes.rooms.get(pipe);
            let promised = wish.is_some_and(|wish| wish.welcome.is_some());
            *welcome == promised && write.members.iter().all(|user| owed.contains(user))
        }
        _ => false,
    })
}
