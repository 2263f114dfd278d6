//! Invariants at the moment a write call reaches the server.

use roomform::imbachat::Delivery;
use roomform::ledger::{Fact, PipeFact, RoomFact, Stage};
use roomform::model::{Field, FieldValue, LiveRoom, MembersPolicy, Pipe, RoomId};
use roomform::plan::CHUNK;

use super::record::Account;
use super::server::{Arrival, Room};
use super::types::{Call, Late, Said, Write};
use super::world::{Answer, Request, Run, State};

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
        if !claimed(state, run, write) {
            wrong.push("it creates without the first claim on disk, with an intent that names all its members");
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
    // After this run made its plan or claimed the create, a run with another manifest may have
    // claimed the create without promising a welcome.
    let own = process
        .appended
        .iter()
        .any(|fact| matches!(fact, Fact::Pipe(pipe, PipeFact::Intent { welcome: true, .. }) if *pipe == row.pipe));
    let own = own || process.promised.contains(&row.pipe);
    if !own && !account.promises_welcome(&row.pipe) {
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

/// Checks a fact that a run records.
pub fn record(state: &mut State, run: usize, fact: &Fact) {
    let text = match fact {
        Fact::Pipe(pipe, PipeFact::NotCreated(of_run)) => {
            let name = of_run.as_ref().unwrap_or(&state.runs[run].name);
            let created = state.is_protected(pipe) && created(state, pipe, name);
            created.then_some("the create made a room, or is still under way")
        }
        Fact::Room(
            pipe,
            room,
            RoomFact::Pending {
                field,
                sent,
                shown,
                updated_at,
                since,
            },
        ) => {
            let mut rows = state.runs[run].shown.iter();
            let is_shown = rows.any(|row| {
                let same =
                    (row.state.value(*field), &row.updated_at) == (shown.clone(), updated_at);
                row.id == *room && same
            });
            let before = state.runs[run].pending.get(&(pipe.clone(), *field));
            let before = before.filter(|was| (&was.sent, &was.shown) == (sent, shown));
            if before.map(|was| was.since) == *since {
                (!is_shown).then_some("the last list did not show that")
            } else {
                Some("that is not the time at which it was first pending")
            }
        }
        Fact::Room(_, room, RoomFact::Confirmed { members, .. }) if !members.is_empty() => {
            let is_answered = |request: &Request| {
                let sent = &request.write.members;
                request.answer == Answer::Good(*room)
                    && !request.errors
                    && members.iter().all(|user| sent.contains(user))
            };
            let mut requests = state.runs[run].requests.iter();
            (!requests.any(is_answered)).then_some("no answer without an error confirmed them")
        }
        Fact::Room(_, room, RoomFact::Shown { field, sent, shown }) if sent != shown => {
            let took = can_prove(state, run) && took(state, run, *room, *field, sent);
            took.then_some("the server did not ignore it")
        }
        _ => None,
    };
    if let Some(text) = text {
        state.fail(format!("run {run}: it records {fact:?}: {text}"));
    }
}

/// Whether a create of a run made a room that the ledger does not know, or may still make one.
fn created(state: &State, pipe: &Pipe, run: &String) -> bool {
    let known = |id: &RoomId| {
        let mut facts = state.disk.entries.values();
        facts.any(
            |fact| matches!(fact, Fact::Room(_, room, RoomFact::Confirmed { .. }) if room == id),
        )
    };
    let live = state.server.live(pipe);
    let mut unknown = live.iter().filter(|id| !known(id));
    let made = unknown.any(|id| state.server.rooms[id].made_by.as_ref() == Some(run));
    let is_create = |late: &Late| match &late.call {
        Call::Write(write) => late.run == *run && write.pipe == *pipe && write.room.is_none(),
        Call::Say(_) => false,
    };
    made || state.server.late.iter().any(is_create)
}

/// Whether a run can rely on a list as proof. It cannot if an old row could look like the run's
/// own write. This can happen if a list or the ledger lacked the room, or if someone else wrote
/// to the room so recently that the list may not show that write yet. A write by an earlier run
/// is only a problem if the earlier run did not record it: recorded writes are known from the
/// ledger.
fn can_prove(state: &State, run: usize) -> bool {
    let Run { name, begun, .. } = &state.runs[run];
    let disturbs = |room: &Room| {
        let writes = room.writes.iter();
        let recent = writes.filter(|write| write.at + state.weather.lag >= *begun);
        let foreign = recent.filter(|write| write.run.as_ref() != Some(name));
        let foreign: Vec<&Arrival> = foreign.collect();
        foreign.len() > 1
            || foreign
                .iter()
                .any(|write| write.at >= *begun || !is_recorded(state, room, write))
    };
    let mut rooms = state.server.rooms.values();
    let lacks_rooms = ["a list that is capped", "a forgotten room"];
    let lacks_rooms = lacks_rooms.iter().any(|it| state.tally.contains_key(it));
    state.disk.is_whole && !lacks_rooms && !rooms.any(disturbs)
}

/// Whether the ledger has an answer for this write.
fn is_recorded(state: &State, room: &Room, write: &Arrival) -> bool {
    let Some(run) = &write.run else {
        return false;
    };
    let mut entries = state.disk.entries.iter();
    entries.any(|(stamp, fact)| {
        *stamp.run == **run
            && matches!(fact, Fact::Room(pipe, _, RoomFact::Confirmed { .. }) if *pipe == room.pipe)
    })
}

/// Whether the field was set by the last write that sent this value and was not changed by a
/// later write. If this run sent the value, only the writes of this run are considered;
/// otherwise, the writes of all runs are. If the field was already pending, the list may also
/// prove that the server ignored the pending write.
fn took(state: &State, run: usize, room: RoomId, field: Field, sent: &FieldValue) -> bool {
    let Some(room) = state.server.rooms.get(&room) else {
        return false;
    };
    let Run { name, pending, .. } = &state.runs[run];
    let sends = |write: &Arrival| write.is_ours && write.sent.value(field) == *sent;
    let is_own = |write: &Arrival| write.run.as_ref() == Some(name);
    let mut writes = room.writes.iter();
    let own = writes.rposition(|write| sends(write) && is_own(write));
    let mut writes = room.writes.iter();
    let earlier = writes.rposition(|write| sends(write) && !is_own(write));
    let was_pending = pending.contains_key(&(room.pipe.clone(), field));
    let earlier = earlier.filter(|_| own.is_none() || was_pending);
    let mut meant = own.into_iter().chain(earlier).peekable();
    meant.peek().is_some()
        && meant.all(|write| {
            let mut later = room.writes[write + 1..].iter();
            let changed = later.any(|write| write.changed.contains(field));
            !changed && !room.writes[write].ignored.contains(field)
        })
}

/// Whether the earlier call `before` may already have created the room.
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
        .filter(|fact| matches!(fact, Fact::Room(pipe, _, RoomFact::Confirmed { .. }) if *pipe == write.pipe));
    good.count() <= confirmed.count()
}

/// Whether the run holds the claim of the pipe, and its intent names all members of this
/// create. During the first second after it was made, the claim may already have a room,
/// because another run found an older room of the pipe.
fn claimed(state: &State, run: usize, write: &Write) -> bool {
    let process = &state.runs[run];
    let account = Account::of(&state.disk.entries);
    let first = account.open(&write.pipe).into_iter().next();
    let claims = account.claims.get(&write.pipe).into_iter().flatten();
    let now = state.time(run);
    let mut found = claims.filter(|claim| claim.room.is_some() && now.0 - claim.since.0 <= 1_000);
    let first = first.or_else(|| found.rfind(|claim| claim.run == process.name));
    let wish = process.wishes.rooms.get(&write.pipe);
    let promised = wish.is_some_and(|wish| wish.welcome.is_some());
    first.is_some_and(|claim| {
        let names = |user| claim.members.contains(user);
        claim.run == process.name && claim.welcome == promised && write.members.iter().all(names)
    })
}
