//! Builds the view of a plan.

use super::figures::{recreated, verdict};
use super::findings;
use super::grammar::counts;
use super::section::{Line, Place, SectionKind};
use super::text::text;
use super::{Count, NAMED, Span, State, Text, View, values};
use crate::manifest::Loaded;
use crate::model::{Field, Target};
use crate::plan::{Change, ManualSteps, Note, Plan, Publish};

/// Creates the view of a plan, with the diagnostics of its manifest.
pub fn plan<'a>(plan: &'a Plan, loaded: &'a Loaded) -> View<'a> {
    let state = match plan {
        plan if !plan.refusals.is_empty() => State::Refused,
        plan if plan.overdue.is_some() => State::Overdue,
        plan if plan.is_pending() => State::Pending,
        plan if plan.open_steps().next().is_some() => State::StepsOpen,
        _ => State::Done,
    };
    let heading = text!("Plan for {}", site(&plan.target));
    let refusals = plan.refusals.iter().map(findings::refusal).map(Line::new);
    let mut view = View {
        state,
        facts: vec![requests(plan)],
        legend: legend(plan),
        cut: cut(plan),
        names: plan.names.clone(),
        desired: Some(&loaded.desired),
        ..View::new("plan", Some(&plan.target), heading, verdict(plan))
    };
    view.add(SectionKind::Refused, refusals);
    let overdue = plan.overdue.as_ref().map(findings::overdue);
    view.add(SectionKind::Overdue, overdue);
    view.add_changes(&plan.changes);
    view.add_counts(plan);
    view.add_conflicts(plan);
    view.add_manual_steps(plan);
    view.add_diagnostics(loaded);
    view.add_notes(&plan.notes);
    for it in &plan.ignored {
        let ([sent, shown], name) = (values(&it.sent, &it.shown), it.field.name());
        let text = text!("{} was sent as {}, the server shows {}", name, sent, shown);
        let kind = match it.field {
            Field::Public => SectionKind::IgnoredVisibility,
            Field::Title | Field::Kind => SectionKind::Ignored,
        };
        view.add(kind, [Line::for_room(&it.pipe, text)]);
    }
    view
}

/// Creates the view of a plan that was not applied, because it was refused or empty.
pub fn not_applied<'a>(plan: &'a Plan, loaded: &'a Loaded) -> View<'a> {
    View {
        verb: "apply",
        heading: text!("Nothing was applied to {}", site(&plan.target)),
        ..self::plan(plan, loaded)
    }
}

/// Names a target, for example `widget 627 on the sandbox`.
pub(super) fn site(target: &Target) -> Text<'_> {
    let site = match target.is_sandbox() {
        true => "the sandbox".into(),
        false => Text::from(Span::Name(target.origin.as_str().into())),
    };
    let widget = Span::words(target.widget.to_string());
    text!("widget {} on {}", widget, site)
}

fn requests(plan: &Plan) -> String {
    let calls = counts([
        (1, "to list"),
        (plan.summary.writes, "to write"),
        (plan.verifies(), "to verify"),
        (plan.summary.messages, "to send"),
    ]);
    format!("{}: {calls}", Count(plan.requests(), "request"))
}

impl<'a> View<'a> {
    /// Adds a line for each room that is not written until a person resolves its conflict.
    pub(super) fn add_conflicts(&mut self, plan: &'a Plan) {
        let conflicts = plan.conflicts.iter().map(|it| Line {
            place: Some(Place::new(&it.file, it.line)),
            ..Line::for_room(&it.pipe, findings::conflict(&it.kind))
        });
        self.add(SectionKind::Conflicts, conflicts);
    }

    pub(super) fn add_notes(&mut self, notes: impl IntoIterator<Item = &'a Note>) {
        let is_rename = |note: &&Note| matches!(note, Note::Renamed { .. });
        let (renames, others): (Vec<_>, Vec<_>) = notes.into_iter().partition(is_rename);
        for note in others {
            let (kind, line) = findings::note(note);
            self.add(kind, [line]);
        }
        if !renames.is_empty() {
            self.add(SectionKind::Notes, [findings::renames(&renames)]);
        }
    }
}

fn legend(plan: &Plan) -> Vec<&'static str> {
    let is_known = |change: &Change| {
        let is_inside = |publish: &Publish| publish.inside.is_some_and(|inside| inside > 0);
        (!change.members.new.is_empty() && change.members.known > 0)
            || change.publish.as_ref().is_some_and(is_inside)
    };
    let is_recorded = plan.changes.iter().any(is_known) || !plan.manual_steps.is_empty();
    let is_adopted = |note: &Note| matches!(note, Note::Adopted(_));
    let mut legend = Vec::new();
    if is_recorded && plan.notes.iter().any(is_adopted) {
        legend.push("known: confirmed by the server in an earlier run, or adopted; the API does not list members");
    } else if is_recorded {
        legend.push(
            "known: confirmed by the server in an earlier run; the API does not list members",
        );
    }
    if plan.summary.unknown.members > 0 {
        legend.push("unknown: the ledger does not record these members; sending them also re-adds people who were removed in ImbaChat");
    }
    if recreated(&plan.changes) > 0 {
        legend.push("recreated: the old room was deleted or is missing; people who were in it are not in the new one");
    }
    if plan.summary.changed_outside > 0 {
        legend.push(
            "changed outside: the room was changed after the last recorded write, and this ledger has no record of that change",
        );
    }
    legend
}

/// Says where to find all members and rooms, if a list of them is cut.
fn cut(plan: &Plan) -> Option<String> {
    let members = cuts_members(&plan.changes, &plan.manual_steps);
    let rooms = plan.baseline.left.len() > NAMED;
    // An HTML page shows all members of a room, but only JSON shows all rooms.
    let (what, formats) = match (members, rooms) {
        (false, false) => return None,
        (true, false) => ("members", "json, or plan --format html"),
        (false, true) => ("rooms", "json"),
        (true, true) => ("members and rooms", "json"),
    };
    Some(format!("all {what}: --format {formats}"))
}

/// Returns whether a list of members is cut.
pub(super) fn cuts_members(changes: &[Change], manual_steps: &[ManualSteps]) -> bool {
    let sent = changes.iter().map(|change| &change.members);
    let sent = sent.map(|members| members.new.len().max(members.unknown.len()));
    let gone = manual_steps
        .iter()
        .map(|room| room.newly_removed.len() + room.previously_removed.len());
    sent.chain(gone).any(|count| count > NAMED)
}
