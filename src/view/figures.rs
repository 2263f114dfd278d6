//! Formats the figures of a plan or a manifest diff, and the counts of members.

use std::collections::{BTreeMap, BTreeSet};

use super::grammar::counts;
use super::section::{Line, SectionKind};
use super::text::text;
use super::{Count, Span, Text, View};
use crate::model::{CountGap, CountResult, MemberCounts, Pipe, RoomCount};
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

impl<'a> View<'a> {
    /// Adds the figures of a count, and a line for each room that does not have the expected number
    /// of members.
    pub(super) fn add_counts(&mut self, plan: &'a Plan) {
        let Some(counts) = &plan.counts else { return };
        self.facts.push(count_figures(counts));
        let mut gaps: BTreeMap<CountGap, usize> = BTreeMap::new();
        for room in &counts.rooms {
            let kind = match room.result {
                CountResult::Equal => continue,
                CountResult::Unknown(gap) => {
                    *gaps.entry(gap).or_default() += 1;
                    continue;
                }
                _ if room.is_short() => SectionKind::FewerMembers,
                _ => SectionKind::Notes,
            };
            let text = match room.lacks_only_removed() {
                true => text!("{}; {}", describe_count(room), describe_removals(room)),
                false => describe_count(room),
            };
            self.add(kind, [Line::for_room(&room.pipe, text)]);
        }
        for (gap, rooms) in gaps {
            let rooms = Count(rooms, "room");
            let text = text!("{} cannot be counted: {}", rooms, describe_gap(gap, counts));
            self.add(SectionKind::Notes, [Line::new(text)]);
        }
    }
}

/// Describes the count of a room, for example `28 known, 27 counted`.
pub(super) fn describe_count(room: &RoomCount) -> Text<'_> {
    let known = match room.is_recorded {
        true => "known",
        false => "declared",
    };
    let counted = match room.result {
        CountResult::Equal => room.expected.to_string(),
        CountResult::Fewer(size) | CountResult::More(size) => size.to_string(),
        CountResult::Outside(size) => format!("not {size}"),
        CountResult::Unknown(_) => "not".to_owned(),
    };
    Span::words(format!("{} {known}, {counted} counted", room.expected)).into()
}

fn describe_removals(room: &RoomCount) -> Text<'_> {
    let removals = Count(room.open_removals as usize, "open removal");
    text!(
        "{}; if already done in ImbaChat, run `roomform todo done PIPE`",
        removals
    )
}

fn describe_gap(gap: CountGap, counts: &MemberCounts) -> Text<'_> {
    let reason = match gap {
        CountGap::Budget => "the limit of --count-requests or --count-bytes is reached",
        CountGap::Changed => "the number of members changed during the count",
        CountGap::Ignored => "the server ignores the filter `count_users`",
        CountGap::Unclear => "the server's answers contradict each other",
        CountGap::NoneFound => "the filter `count_users` finds none of the rooms",
        CountGap::Writer => "it is unclear whether the server counts the writing user",
        CountGap::Failed => {
            let reason = counts.failure.as_deref().unwrap_or_default();
            return text!("{}", Span::Said(reason.into()));
        }
    };
    reason.into()
}

/// Returns the figures in one line, for example `20 rooms counted: equal; 5 requests, 3 KiB`.
pub fn count_figures(counted: &MemberCounts) -> String {
    let rooms = || counted.rooms.iter();
    let tally = |is_one: fn(&RoomCount) -> bool| rooms().filter(|room| is_one(room)).count();
    let agrees = tally(|room| !room.is_recorded && room.result == CountResult::Equal);
    let equal = tally(|room| room.is_recorded && room.result == CountResult::Equal);
    let more = tally(|room| matches!(room.result, CountResult::More(_)));
    let removed = tally(RoomCount::lacks_only_removed);
    let unknown = tally(|room| matches!(room.result, CountResult::Unknown(_)));
    let (short, all) = (counted.short(), counted.rooms.len() - unknown);
    let results = match all {
        0 if unknown > 0 => String::new(),
        0 => "nothing to compare".to_owned(),
        _ if equal == all => "equal".to_owned(),
        _ if agrees == all => "count agrees with the manifest".to_owned(),
        _ => counts([
            (equal, "equal"),
            (agrees, "as declared"),
            (short, "fewer"),
            (removed, "fewer (open removals)"),
            (more, "more"),
            (all - equal - agrees - short - removed - more, "different"),
        ]),
    };
    let colon = if results.is_empty() { "" } else { ": " };
    let of = match unknown {
        0 => String::new(),
        _ => format!("{all} of "),
    };
    let offset = match counted.offset.filter(|_| all > 0) {
        None => "",
        Some(0) => "; assumed: the writing user is not a member of the rooms that roomform created",
        Some(_) => "; the server counts the writing user in rooms that roomform created",
    };
    let requests = Count(counted.requests as usize, "request");
    let size = counted.bytes.div_ceil(1024);
    format!(
        "{of}{} counted{colon}{results}; {requests}, {size} KiB{offset}",
        Count(counted.rooms.len(), "room")
    )
}
