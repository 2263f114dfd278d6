//! Coverage of all worlds together: a state that the simulation never reaches is not tested.

use std::collections::BTreeMap;

use roomform::apply::{Doubt, Halt, Outcome, Status};
use roomform::plan::{ConflictKind, Note, Plan, Violation};

/// How often each event happened.
pub type Tally = BTreeMap<&'static str, u64>;

/// Every event that must happen within a few thousand worlds.
const ALL: [&str; 92] = [
    "401",
    "422",
    "429",
    "429 with Retry-After",
    "500 after the commit",
    "500 before the commit",
    "a claim taken over",
    "a compaction",
    "a create",
    "a create left to another run",
    "a create of another run",
    "a forgotten room",
    "a full disk",
    "a good message",
    "a good write",
    "a huge answer",
    "a late message",
    "a late write",
    "a likely rename",
    "a list that fails",
    "a list that is capped",
    "a list that lags",
    "a lost ledger",
    "a mass change",
    "a message of another run",
    "a message that no create promised",
    "a plan",
    "a room that another run created",
    "a shrunk roster",
    "an uncertain welcome",
    "a welcome still owed",
    "a wait for a confirmed room",
    "a welcome without an answer",
    "a success with an error",
    "a whole run",
    "a wrong clock",
    "a wrong certificate",
    "add_members",
    "an update",
    "applied",
    "assumed",
    "conflict",
    "create",
    "changed in the manifest",
    "changed outside",
    "changed outside, and in the manifest",
    "cut after the commit",
    "cut before the commit",
    "deleted",
    "dies",
    "was_uncertain",
    "failed",
    "garbage after the commit",
    "ignored",
    "ignored_by_server",
    "in chunks",
    "uncertain",
    "is interrupted",
    "is stopped",
    "left",
    "left out",
    "recreated",
    "recreated by others",
    "messages",
    "no connection",
    "not_started",
    "not_visible",
    "partial",
    "pending",
    "pending since an earlier run",
    "only a welcome",
    "public already",
    "publish",
    "released",
    "several",
    "stopped by a denial",
    "stopped by a failure",
    "stopped by an interrupt",
    "stopped by the ledger",
    "time-out after the commit",
    "time-out before the commit",
    "to create",
    "to create, uncertain",
    "to publish",
    "to update",
    "undeclared",
    "unfinished",
    "unknown",
    "update",
    "vanished",
    "verified",
    "welcomed",
];

/// The events that never happened.
pub fn missing(tally: &Tally) -> Vec<&'static str> {
    let all = ALL.into_iter();
    all.filter(|what| !tally.contains_key(what)).collect()
}

/// Counts the parts of a plan.
pub fn plan(tally: &mut Tally, plan: &Plan) {
    let mut count = |what: &'static str| *tally.entry(what).or_default() += 1;
    count("a plan");
    for change in &plan.changes {
        count(match change.room_id {
            None if change.recreate => "recreated",
            None if change.uncertain_since.is_some() => "to create, uncertain",
            None => "to create",
            Some(_) => "to update",
        });
        for field in &change.fields {
            match (field.changed.outside, field.changed.manifest) {
                (false, false) => {}
                (true, false) => count("changed outside"),
                (false, true) => count("changed in the manifest"),
                (true, true) => count("changed outside, and in the manifest"),
            }
        }
        if change.publishes() {
            count("to publish");
        }
        if !change.members.unknown.is_empty() {
            count("unknown");
        }
        if change.welcome.is_some() && !change.is_create() {
            count("a welcome still owed");
        }
        if change.is_welcome_only() {
            count("only a welcome");
        }
        if change.writes() > 1 {
            count("in chunks");
        }
    }
    for conflict in &plan.conflicts {
        count(match conflict.kind {
            ConflictKind::Several(_) => "several",
            ConflictKind::Deleted(_) => "deleted",
            ConflictKind::Vanished(_) => "vanished",
            ConflictKind::NotListed(_) => "not listed",
        });
    }
    for room in &plan.manual_steps {
        if !room.newly_removed.is_empty() {
            count("left");
        }
        if !room.previously_removed.is_empty() {
            count("released");
        }
    }
    plan.ignored.iter().for_each(|_| count("ignored"));
    plan.undeclared.iter().for_each(|_| count("undeclared"));
    for note in &plan.notes {
        count(match note {
            Note::Recreated { .. } => "recreated by others",
            Note::Renamed { .. } => "a likely rename",
            Note::WelcomeUncertain { .. } => "an uncertain welcome",
            Note::Pending { .. } => "pending since an earlier run",
            Note::LooksLike { .. } => "a look-alike",
            Note::Assumed(_) => "assumed",
            Note::Adopted(_) => "adopted",
            Note::AlreadyPublic(_) => "public already",
            Note::LeftOut { .. } => "left out",
            Note::OtherShards { .. } => "a part",
            Note::Ending(_) => "ending soon",
            Note::NotSent(_) => "not sent",
        });
    }
    for refusal in &plan.refusals {
        count(match refusal {
            Violation::Limit { kind, .. } => kind.name(),
            Violation::Publish { .. } => "publish",
            Violation::Recreate { .. } => "recreate refused",
            Violation::MassChange { .. } => "a mass change",
            Violation::Shrunk { .. } => "a shrunk roster",
        });
    }
}

/// Counts the statuses of rooms and runs.
pub fn outcome(tally: &mut Tally, outcome: &Outcome) {
    for room in &outcome.rooms {
        *tally.entry(room.status.name()).or_default() += 1;
        *tally.entry("was_uncertain").or_default() += u64::from(room.was_uncertain);
        *tally.entry("welcomed").or_default() += room.messages as u64;
        let doubt = match &room.status {
            Status::Uncertain(Doubt::Welcome, _) => "a welcome without an answer",
            Status::Uncertain(Doubt::OtherRun, _) => "a create left to another run",
            _ => continue,
        };
        *tally.entry(doubt).or_default() += 1;
    }
    let end = match outcome.halt {
        None => "a whole run",
        Some(Halt::Ledger { .. }) => "stopped by the ledger",
        Some(Halt::Denied) => "stopped by a denial",
        Some(Halt::FailFast) => "stopped by a failure",
        Some(Halt::Interrupted) => "stopped by an interrupt",
    };
    *tally.entry(end).or_default() += 1;
}
