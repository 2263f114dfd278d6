//! A saved plan against the list as it is now: which rooms are as they were, which are done already, which were changed since.

use super::change::{Action, Change, Members, Plan};
use super::digest::Digest;
use crate::model::{Field, LiveRoom, Observed, Recorded, RoomState};

/// What becomes of one planned change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The room is as it was when the plan was made: do it.
    AsPlanned,
    /// An earlier run of this plan came half way: send what is left.
    Continue(Box<Change>),
    /// The room is as the plan wants it, and its members are on record: nothing to do.
    Already,
    /// Somebody changed the room since.
    Stale(&'static str),
}

/// The fate of every change of a plan, in the plan's order.
pub fn fates(plan: &Plan, observed: &Observed, recorded: &Recorded) -> Vec<Fate> {
    plan.changes
        .iter()
        .map(|change| fate(change, observed, recorded))
        .collect()
}

fn fate(change: &Change, observed: &Observed, recorded: &Recorded) -> Fate {
    let live: Vec<&LiveRoom> = observed.live(&change.pipe).collect();
    match (live.as_slice(), &change.action) {
        ([room], action)
            if same(&room.state, &change.send) && is_meant(room, action, change, recorded) =>
        {
            rest(change, room, recorded)
        }
        ([], Action::Create) if !change.recreate && recorded.ids.contains_key(&change.pipe) => {
            Fate::Stale("the ledger knows the room, and the list lacks it")
        }
        ([room], Action::Update { .. })
            if change.welcome.is_some()
                && Digest::of(observed, &change.pipe) == change.digest
                && !recorded.owes_welcome(&change.pipe, room.id) =>
        {
            // Another run sent it, or tried to: the rest is as it was.
            Fate::Continue(Box::new(Change {
                welcome: None,
                ..change.clone()
            }))
        }
        _ if Digest::of(observed, &change.pipe) == change.digest => Fate::AsPlanned,
        ([], Action::Update { .. }) => Fate::Stale("the room is gone"),
        ([], Action::Create) => Fate::Stale("a deleted room with this pipe came or went"),
        ([_], Action::Create) => Fate::Stale("somebody made a room with this pipe"),
        ([_], Action::Update { .. }) => Fate::Stale("somebody changed the room"),
        _ => Fate::Stale("more than one live room has this pipe"),
    }
}

/// Whether the live room is the plan's: the one it names or, for a create, one that the ledger says we made.
fn is_meant(room: &LiveRoom, action: &Action, change: &Change, recorded: &Recorded) -> bool {
    match action {
        Action::Update { id, .. } => *id == room.id,
        Action::Create => {
            recorded.rooms.contains_key(&room.id) || recorded.owed.contains_key(&change.pipe)
        }
    }
}

fn same(live: &RoomState, send: &RoomState) -> bool {
    Field::ALL
        .into_iter()
        .all(|field| live.value(field) == send.value(field))
}

/// What is left of a change whose fields are as they should be.
fn rest(change: &Change, room: &LiveRoom, recorded: &Recorded) -> Fate {
    let known = recorded.rooms.get(&room.id);
    let is_recorded = |user: &_| known.is_some_and(|known| known.members.contains(user));
    let Members {
        new,
        unverified,
        recorded: before,
    } = &change.members;
    let left = |users: &[_]| {
        users
            .iter()
            .copied()
            .filter(|user| !is_recorded(user))
            .collect::<Vec<_>>()
    };
    let (new, unverified) = (left(new), left(unverified));
    let owed = recorded.owes_welcome(&change.pipe, room.id);
    let welcome = change.welcome.clone().filter(|_| owed);
    if new.is_empty() && unverified.is_empty() && welcome.is_none() {
        return Fate::Already;
    }
    let done = change.members.count() - new.len() - unverified.len();
    let members = Members {
        new,
        unverified,
        recorded: before + done,
    };
    let action = Action::Update {
        id: room.id,
        fields: Vec::new(),
    };
    Fate::Continue(Box::new(Change {
        action,
        members,
        welcome,
        ..change.clone()
    }))
}
