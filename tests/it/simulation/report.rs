//! Checks the outcome that an apply reports against what the server and the disk saw.

use std::collections::{BTreeMap, BTreeSet};

use roomform::apply::{Doubt, Halt, Outcome, RoomOutcome, Status};
use roomform::imbachat::Delivery;
use roomform::ledger::{Fact, RoomFact, Stage};
use roomform::model::{Field, LiveRoom, Pipe, UserId};
use roomform::plan::{Change, Plan};

use super::record::Account;
use super::server::Server;
use super::truth::check;
use super::world::{Answer, Request, Run, Spoken, State};

/// The false claims of an outcome. `lists`: number of lists that the process requested before it began to apply.
pub fn lies(state: &State, run: &Run, plan: &Plan, outcome: &Outcome, lists: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let named = outcome.rooms.iter().map(|room| &room.pipe);
    let planned = plan.changes.iter().map(|change| &change.pipe);
    check(&mut wrong, named.eq(planned), "not the rooms of the plan");
    let server = &state.server;
    let writes = outcome.writes() as usize == run.requests.len();
    check(&mut wrong, writes, "another number of writes");
    let sends = outcome.sends() as usize == run.said.len();
    check(&mut wrong, sends, "another number of messages");
    let reads = outcome.reads as usize == run.lists - lists;
    check(&mut wrong, reads, "another number of reads");
    halt(run, outcome, &mut wrong);
    let mut said: BTreeMap<&Pipe, Vec<Answer>> = BTreeMap::new();
    for Spoken { pipe, answer, .. } in &run.said {
        if let Some(pipe) = pipe {
            said.entry(pipe).or_default().push(*answer);
        }
    }
    let mut requests: BTreeMap<&Pipe, Vec<&Request>> = BTreeMap::new();
    for request in &run.requests {
        requests
            .entry(&request.write.pipe)
            .or_default()
            .push(request);
    }
    for (room, change) in outcome.rooms.iter().zip(&plan.changes) {
        let sent = requests
            .get(&room.pipe)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let said = said.get(&room.pipe).map(Vec::as_slice).unwrap_or_default();
        let mut lies = Vec::new();
        counted(run, room, change, sent, said, &mut lies);
        ended(room, change, sent, said, &mut lies);
        welcomed(state, run, room, change, said, &mut lies);
        confirmed(server, run, room, change, &mut lies);
        shown(run, outcome, room, change, &mut lies);
        wrong.extend(
            lies.into_iter()
                .map(|text| format!("{}: {text}: {room:?}", room.pipe)),
        );
    }
    wrong
}

fn halt(run: &Run, outcome: &Outcome, wrong: &mut Vec<String>) {
    let so = match &outcome.halt {
        None => !run.ledger_failed,
        Some(Halt::Ledger { .. }) => run.ledger_failed,
        Some(Halt::Interrupted) => run.interrupted,
        Some(Halt::Denied) => run.denied,
        Some(Halt::FailFast) => outcome.rooms.iter().any(|room| {
            let carries = !room.errors.is_empty();
            carries
                || matches!(
                    room.status,
                    Status::Failed { .. } | Status::Conflict(_) | Status::Uncertain(..)
                )
        }),
    };
    check(wrong, so, "it did not stop for that reason");
}

/// Checks every figure of a room.
fn counted(
    run: &Run,
    room: &RoomOutcome,
    change: &Change,
    sent: &[&Request],
    said: &[Answer],
    wrong: &mut Vec<String>,
) {
    check(
        wrong,
        room.requests as usize == sent.len() + said.len(),
        "another number of requests",
    );
    check(wrong, room.create == change.is_create(), "created, or not");
    let repeats = sent
        .windows(2)
        .filter(|pair| pair[0].write == pair[1].write);
    let again = repeats.count() + said.len().saturating_sub(1);
    let so = if room.was_uncertain {
        room.retries as usize <= again
    } else {
        room.retries as usize == again
    };
    check(wrong, so, "another number of retries");
    check(
        wrong,
        room.members == on_disk(run, &room.pipe).len(),
        "another number of members",
    );
    let first = sent.first().is_none_or(|request| match change.room_id {
        // Another run may have created the room meanwhile.
        None => request.write.room.is_none() || room.was_uncertain,
        id => request.write.room == id,
    });
    check(wrong, first, "another room was written to");
    let state = sent
        .iter()
        .all(|request| request.write.state == change.send);
    check(wrong, state, "another state was sent than planned");
}

/// The members that are on disk as confirmed by this run.
fn on_disk(run: &Run, room: &Pipe) -> Vec<UserId> {
    let members = run.appended.iter().filter_map(|fact| match fact {
        Fact::Room(pipe, _, RoomFact::Confirmed { members, .. }) if pipe == room => {
            Some(members.as_slice())
        }
        _ => None,
    });
    members.flatten().copied().collect()
}

/// Checks that the status matches the last answer.
fn ended(
    room: &RoomOutcome,
    change: &Change,
    sent: &[&Request],
    said: &[Answer],
    wrong: &mut Vec<String>,
) {
    let last = sent.last().map(|request| request.answer);
    let good = matches!(last, Some(Answer::Good(_))) || change.is_welcome_only() && last.is_none();
    let doubtful = last == Some(Answer::Bad(Delivery::Uncertain));
    let (word, silent) = (said.last(), said.is_empty());
    let is_later =
        |answer: &Answer| matches!(answer, Answer::Bad(how) if *how != Delivery::Uncertain);
    let answers = sent.iter().map(|request| &request.answer);
    let has_acted = !answers.chain(said).all(is_later);
    let errors = sent.iter().any(|request| request.errors);
    check(
        wrong,
        errors != room.errors.is_empty(),
        "it carries an error, or not",
    );
    let so = match &room.status {
        Status::Verified if errors => false,
        Status::Applied if errors => false,
        Status::Partial => good && silent && errors,
        Status::Verified | Status::Pending(_) | Status::Ignored(_) => {
            good && word.is_none_or(|word| matches!(word, Answer::Good(_)))
        }
        Status::Applied | Status::NotVisible => good && silent,
        // Two rooms instead of one, or another room than the intended one.
        Status::Conflict(_) => (good || doubtful || room.was_uncertain) && silent,
        Status::Uncertain(Doubt::Create, _) => doubtful && room.create && room.id.is_none(),
        Status::Uncertain(Doubt::OtherRun, _) => {
            !good && silent && room.create && room.id.is_none()
        }
        Status::Uncertain(Doubt::Welcome, _) => {
            good && word == Some(&Answer::Bad(Delivery::Uncertain))
        }
        Status::Failed { .. } if silent => matches!(last, Some(Answer::Bad(_))),
        Status::Failed { .. } => {
            good && matches!(word, Some(Answer::Bad(how)) if *how != Delivery::Uncertain)
        }
        Status::NotStarted => {
            // The list did not show the room of an uncertain create.
            let is_absent = room.create && room.was_uncertain;
            is_absent || !has_acted
        }
        Status::UpToDate | Status::Undeclared | Status::Stale(_) => last.is_none() && silent,
        Status::Unfinished => has_acted || room.was_uncertain,
    };
    check(wrong, so, "the last answer was another");
    let other = sent
        .iter()
        .any(|request| match (request.write.room, request.answer) {
            (Some(meant), Answer::Good(id)) => meant != id,
            _ => false,
        });
    let reported = matches!(room.status, Status::Conflict(_));
    check(
        wrong,
        reported || !other,
        "another room was written to than was meant",
    );
}

/// Checks that a welcome reported as sent was sent and recorded, and that no welcome is skipped.
fn welcomed(
    state: &State,
    run: &Run,
    room: &RoomOutcome,
    change: &Change,
    said: &[Answer],
    wrong: &mut Vec<String>,
) {
    let confirmed = run.appended.iter().filter(|fact| {
        matches!(fact, Fact::Room(pipe, _, RoomFact::Message { stage: Stage::Confirmed, .. }) if *pipe == room.pipe)
    });
    let good = said
        .iter()
        .filter(|answer| matches!(answer, Answer::Good(_)));
    let (confirmed, good) = (confirmed.count(), good.count());
    check(
        wrong,
        room.messages == confirmed,
        "another number of messages",
    );
    check(
        wrong,
        good >= confirmed,
        "a message is counted that was not sent",
    );
    check(
        wrong,
        said.is_empty() || change.welcome.is_some(),
        "a message is sent that was not planned",
    );
    let truth = room.id.and_then(|id| state.server.rooms.get(&id));
    let there = truth.map_or(0, |truth| truth.said.len());
    check(
        wrong,
        there >= room.messages,
        "a message is counted that is not there",
    );
    let verified = matches!(
        room.status,
        Status::Verified | Status::Pending(_) | Status::Ignored(_)
    );
    if change.welcome.is_some() && verified && room.errors.is_empty() {
        let others = state.disk.entries.iter().any(|(stamp, fact)| {
            let message =
                matches!(fact, Fact::Room(_, id, RoomFact::Message { .. }) if Some(*id) == room.id);
            message && *stamp.run != *run.name
        });
        // If another run created the room, the ledger says whether its welcome is still to be sent.
        let is_owed = |id| Account::of(&state.disk.entries).owes_welcome(&room.pipe, id);
        check(
            wrong,
            room.messages == 1 || others || !room.id.is_some_and(is_owed),
            "no welcome, and not a word of it",
        );
    }
}

/// Checks that a room reported as confirmed has what was sent, and that the ledger records it.
fn confirmed(
    server: &Server,
    run: &Run,
    room: &RoomOutcome,
    change: &Change,
    wrong: &mut Vec<String>,
) {
    let all: BTreeSet<UserId> = change.members.sent().collect();
    let disk: BTreeSet<UserId> = on_disk(run, &room.pipe).into_iter().collect();
    check(
        wrong,
        disk.is_subset(&all),
        "someone was added who was not planned",
    );
    let truth = room.id.and_then(|id| server.rooms.get(&id));
    let added = disk.is_empty() || truth.is_some_and(|truth| disk.is_subset(&truth.members));
    let strayed = matches!(room.status, Status::Conflict(_));
    check(
        wrong,
        added || strayed,
        "someone is counted who was never added",
    );
    if matches!(
        room.status,
        Status::Verified
            | Status::Applied
            | Status::Partial
            | Status::Pending(_)
            | Status::Ignored(_)
            | Status::NotVisible
            | Status::Uncertain(Doubt::Welcome, _)
    ) {
        let sent: BTreeSet<UserId> = disk.iter().chain(&room.unconfirmed).copied().collect();
        check(wrong, sent == all, "not everybody planned was sent");
        check(
            wrong,
            room.unconfirmed.is_empty() || !room.errors.is_empty(),
            "not everybody planned was added",
        );
        check(wrong, truth.is_some(), "there is no such room");
    }
}

/// Checks that the outcome's statements about the list agree with the last list.
fn shown(
    run: &Run,
    outcome: &Outcome,
    room: &RoomOutcome,
    change: &Change,
    wrong: &mut Vec<String>,
) {
    let rows = run.shown.iter();
    let live: Vec<&LiveRoom> = rows
        .filter(|row| row.pipe == room.pipe && !row.deleted)
        .collect();
    let one = match live.as_slice() {
        [row] if Some(row.id) == room.id => Some(*row),
        _ => None,
    };
    let differs = |row: &LiveRoom| -> Vec<Field> {
        let fields = Field::ALL.into_iter();
        fields
            .filter(|_| !change.is_welcome_only())
            .filter(|field| row.state.value(*field) != change.send.value(*field))
            .collect()
    };
    let so = match &room.status {
        Status::Verified => one.is_some_and(|row| differs(row).is_empty()),
        Status::Pending(fields) | Status::Ignored(fields) => one.is_some_and(|row| {
            let named: Vec<Field> = fields.iter().map(|(field, ..)| *field).collect();
            let values = fields.iter().all(|(field, sent, shown)| {
                row.state.value(*field) == *shown && change.send.value(*field) == *sent
            });
            values && named == differs(row) && !named.is_empty()
        }),
        Status::Uncertain(Doubt::Welcome, _) => one.is_some(),
        Status::NotVisible => one.is_none() && live.len() < 2,
        Status::Applied => outcome.verification_error.is_some() || outcome.halt.is_some(),
        _ => true,
    };
    check(wrong, so, "the last list showed otherwise");
    let looked = outcome.observed.is_some() || outcome.verification_error.is_some();
    let by_list = matches!(
        room.status,
        Status::Verified | Status::Pending(_) | Status::Ignored(_) | Status::NotVisible
    );
    check(wrong, looked || !by_list, "no one looked");
}
