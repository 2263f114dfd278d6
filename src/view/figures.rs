//! The figures of a plan or a manifest diff.

use super::{Count, Figure, Tone};
use crate::plan::{Plan, Summary};

/// The figures of a plan in one line.
pub fn verdict(plan: &Plan) -> String {
    let summary = &plan.summary;
    let conflicts = plan.conflicts.len();
    let mut parts = parts(summary, recreated(&plan.changes));
    if conflicts > 0 {
        parts.push(Count(conflicts, "conflict").to_string());
    }
    if parts.is_empty() {
        parts.push("nothing to do".to_owned());
    }
    let (unchanged, unmanaged) = (summary.unchanged, summary.unmanaged);
    format!(
        "{}; {unchanged} unchanged, {unmanaged} unmanaged",
        parts.join(", ")
    )
}

pub(super) fn recreated(changes: &[crate::plan::Change]) -> usize {
    changes.iter().filter(|change| change.recreate).count()
}

/// What there is to do, each kind with its figure.
pub(super) fn parts(summary: &Summary, recreated: usize) -> Vec<String> {
    let of_them = |kinds: [(usize, &str); 2]| {
        let kinds = kinds.into_iter().filter(|(count, _)| *count > 0);
        let kinds: Vec<String> = kinds
            .map(|(count, words)| format!("{count} {words}"))
            .collect();
        if kinds.is_empty() {
            String::new()
        } else {
            format!(" ({})", kinds.join(", "))
        }
    };
    let become_public = match summary.publish {
        1 => "becomes public",
        _ => "become public",
    };
    let unverified = summary.unverified;
    let parts = [
        (
            summary.create,
            format!(
                "{} to create{}",
                summary.create,
                of_them([(summary.create_public, "public"), (recreated, "made anew")])
            ),
        ),
        (
            summary.update,
            format!(
                "{} to update{}",
                summary.update,
                of_them([
                    (summary.publish, become_public),
                    (summary.changed_outside, "changed outside")
                ])
            ),
        ),
        (
            summary.add_only,
            format!("{} to gain members only", summary.add_only),
        ),
        (
            summary.members,
            format!("{} to add", Count(summary.members, "member")),
        ),
        (
            unverified.members,
            format!(
                "{} of {} unverified, to send again",
                Count(unverified.members, "member"),
                Count(unverified.rooms, "room")
            ),
        ),
        (
            summary.messages,
            format!("{} to send", Count(summary.messages, "message")),
        ),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    parts.map(|(_, words)| words).collect()
}

/// The figures one by one.
pub(super) fn cards(
    summary: &Summary,
    recreated: usize,
    conflicts: usize,
    by_hand: usize,
) -> Vec<Figure> {
    let figure = |label, count, tone| Figure { label, count, tone };
    let mut figures = vec![
        figure("become public", summary.publish, Tone::Danger),
        figure("new and public", summary.create_public, Tone::Danger),
        figure("made anew", recreated, Tone::Danger),
        figure("conflicts", conflicts, Tone::Warn),
        figure("by hand", by_hand, Tone::Hand),
        figure("to create", summary.create, Tone::Add),
        figure("to update", summary.update, Tone::Change),
        figure("members to add", summary.members, Tone::Join),
        figure("members unverified", summary.unverified.members, Tone::Warn),
        figure("messages to send", summary.messages, Tone::Join),
    ];
    figures.retain(|figure| figure.count > 0);
    figures.push(figure("unchanged", summary.unchanged, Tone::Plain));
    figures
}
