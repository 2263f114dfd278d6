//! Invariants of server, disk and manifest at the end of a world.

use std::collections::BTreeSet;

use roomform::ledger::{Fact, RoomFact, Stage};
use roomform::model::{Field, MembersPolicy, Pipe, Sending, UserId};
use roomform::plan::{ConflictKind, Plan};

use super::record::Account;
use super::server::Life;
use super::wishes::{Wish, Wishes};
use super::world::State;

/// Checks the world against the manifest. `plan` is the last plan, already checked by the oracle.
pub fn check(state: &mut State, wishes: &Wishes, plan: &Plan) {
    let mut wrong = ledger(state);
    let account = Account::of(&state.disk.entries);
    for (pipe, wish) in &wishes.rooms {
        let live = state.server.live(pipe);
        let conflict = plan.conflicts.iter().find(|line| line.pipe == *pipe);
        let several = conflict.is_some_and(|line| matches!(line.kind, ConflictKind::Several(_)));
        if several != (live.len() > 1) {
            wrong.push(format!("{pipe}: live as {live:?}, conflict {conflict:?}"));
        }
        if conflict.is_none() {
            wrong.extend(room(state, plan, pipe, wish));
            promised(state, &account, pipe, wish, &mut wrong);
            welcomed(state, &account, pipe, wish, &mut wrong);
        }
    }
    if state.server.manners.upserts {
        let rooms = state.server.rooms.values();
        let live = rooms.filter(|room| room.life == Life::Live);
        let mut pipes: Vec<&Pipe> = live.map(|room| &room.pipe).collect();
        pipes.sort_unstable();
        let twice = pipes.windows(2).filter(|pair| pair[0] == pair[1]);
        wrong.extend(twice.map(|pair| format!("{}: live twice", pair[0])));
    }
    for text in wrong {
        state.fail(format!("in the end: {text}"));
    }
}

/// Checks that every recorded member was added.
fn ledger(state: &State) -> Vec<String> {
    let mut wrong = Vec::new();
    for fact in state.disk.entries.values() {
        if let Fact::Room(
            _,
            room,
            RoomFact::Message {
                stage: Stage::Confirmed,
                ..
            },
        ) = fact
        {
            let truth = state.server.rooms.get(room);
            if truth.is_none_or(|truth| truth.said.is_empty()) {
                wrong.push(format!("a message is lost: {fact:?}"));
            }
        }
        let Fact::Room(_, room, RoomFact::Confirmed { members, .. }) = fact else {
            continue;
        };
        let truth = state.server.rooms.get(room);
        let added =
            truth.is_some_and(|truth| members.iter().all(|user| truth.members.contains(user)));
        if !added {
            wrong.push(format!("the ledger says what never was: {fact:?}"));
        }
    }
    wrong
}

/// Checks that a room without a conflict is as declared, except for what the plan names.
fn room(state: &State, plan: &Plan, pipe: &Pipe, wish: &Wish) -> Option<String> {
    let live = state.server.live(pipe);
    let [id] = live.as_slice() else {
        return Some(format!("{pipe}: live as {live:?}"));
    };
    let truth = &state.server.rooms[id];
    for field in Field::ALL {
        let named = plan
            .ignored
            .iter()
            .any(|line| line.pipe == *pipe && line.field == field);
        let equal = truth.state.value(field) == wish.state.value(field);
        if !equal && !named && !wish.ignore.contains(field) {
            return Some(format!("{pipe}: {} is not as wanted", field.name()));
        }
    }
    let lost: Vec<&UserId> = wish.members.difference(&truth.members).collect();
    let all = wish.policy == MembersPolicy::Ensure;
    (all && !lost.is_empty()).then(|| format!("{pipe}: members are lost: {lost:?}"))
}

/// Checks that each promised welcome was sent, or is known to be uncertain.
fn welcomed(state: &State, account: &Account, pipe: &Pipe, wish: &Wish, wrong: &mut Vec<String>) {
    for id in state.server.live(pipe) {
        let said = state.server.rooms[&id].said.len();
        if wish.welcome.is_some() && account.owes_welcome(pipe, id) {
            wrong.push(format!("{pipe}: room {id} still waits for its welcome"));
        }
        if account.begun(id) == Some(Sending::Confirmed) && said == 0 {
            wrong.push(format!("{pipe}: the welcome of room {id} is lost"));
        }
    }
}

/// Checks that each member of an intent is in the pipe's room or in an earlier room with the
/// pipe. If the server ignores case, the room's pipe may differ in case.
fn promised(state: &State, account: &Account, pipe: &Pipe, wish: &Wish, wrong: &mut Vec<String>) {
    let claims = account.claims.get(pipe).into_iter().flatten();
    let promised: BTreeSet<UserId> = claims.flat_map(|claim| &claim.members).copied().collect();
    let rooms = state.server.rooms.values();
    let reached: BTreeSet<UserId> = rooms
        .filter(|room| state.server.same(&room.pipe, pipe))
        .flat_map(|room| room.members.iter().copied())
        .collect();
    let lost: Vec<&UserId> = wish
        .members
        .intersection(&promised)
        .filter(|user| !reached.contains(user))
        .collect();
    if !lost.is_empty() {
        wrong.push(format!(
            "{pipe}: an intent named them, and they never got there: {lost:?}"
        ));
    }
}
