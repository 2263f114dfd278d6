//! Formats the figures of a plan or a manifest diff.

use std::collections::BTreeSet;

use super::Count;
use super::grammar::counts;
use crate::model::Pipe;
use crate::plan::{Change, MemberTally, Plan, Summary};

/// Returns the figures of a plan in one line.
pub fn verdict(plan: &Plan) -> String {
    let mut parts = parts(&plan.summary, &plan.changes);
    if let conflicts @ 1.. = plan.conflicts.len() {
        parts.push(Count(conflicts, "conflict").to_string());
    }
    if let short @ 1.. = plan.short_rooms() {
        let rooms = Count(short, "room");
        parts.push(format!("{rooms} with fewer members than known"));
    }
    if parts.is_empty() {
        parts.push("nothing to do".to_owned());
    }
    let (parts, summary) = (parts.join(", "), &plan.summary);
    let (unchanged, unmanaged) = (summary.unchanged, summary.unmanaged);
    let open = open_steps(plan.open_steps());
    let open = open.map(|open| format!("; {open}")).unwrap_or_default();
    format!("{parts}; {unchanged} unchanged, {unmanaged} unmanaged{open}")
}

/// Describes the open steps, for example `3 open steps in 2 rooms, the oldest for 12 days`.
/// `steps` has the room and the age of each step.
pub(super) fn open_steps<'a>(steps: impl Iterator<Item = (&'a Pipe, u64)>) -> Option<String> {
    let (rooms, ages): (BTreeSet<&Pipe>, Vec<u64>) = steps.unzip();
    let (steps, rooms) = (Count(ages.len(), "open step"), Count(rooms.len(), "room"));
    let oldest = ages.into_iter().max()?;
    Some(format!("{steps} in {rooms}, the oldest {}", age(oldest)))
}

/// Formats an age, for example `since today` or `for 12 days`.
pub(super) fn age(days: u64) -> String {
    match days {
        0 => "since today".to_owned(),
        days => format!("for {}", Count(days as usize, "day")),
    }
}

pub(super) fn recreated(changes: &[Change]) -> usize {
    changes.iter().filter(|change| change.recreate).count()
}

/// Returns the kinds of pending work, each with its count.
pub(super) fn parts(summary: &Summary, changes: &[Change]) -> Vec<String> {
    let of_them = |parts: [(usize, &str); 2]| match counts(parts) {
        parts if parts.is_empty() => parts,
        parts => format!(" ({parts})"),
    };
    let become_public = match summary.publish {
        1 => "becomes public",
        _ => "become public",
    };
    let gain = match summary.add_only {
        1 => "gains",
        _ => "gain",
    };
    let recreated = (recreated(changes), "recreated");
    let created = of_them([(summary.create_public, "public"), recreated]);
    let updated = of_them([
        (summary.publish, become_public),
        (summary.changed_outside, "changed outside"),
    ]);
    let (create, update, add_only) = (summary.create, summary.update, summary.add_only);
    let MemberTally { rooms, members } = summary.unknown;
    let unknown = format!("{} of {}", Count(members, "member"), Count(rooms, "room"));
    let again = (
        members,
        format!("{unknown} to send again (membership unknown)"),
    );
    let (members, messages) = (summary.members, summary.messages);
    let parts = [
        (create, format!("{create} to create{created}")),
        (update, format!("{update} to update{updated}")),
        (add_only, format!("{add_only} {gain} members")),
        (members, format!("{} to add", Count(members, "member"))),
        again,
        (messages, format!("{} to send", Count(messages, "message"))),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    parts.map(|(_, words)| words).collect()
}
