//! Members and rooms to remove manually: caused by this change, or still open from earlier runs.

use super::names::users;
use super::plan::site;
use super::section::{Detail, Line, Place, SectionKind, Title};
use super::text::{names, text};
use super::{Count, NAMED, Span, View};
use crate::model::{Pipe, Target, UserId, UserNames};
use crate::plan::{LeaveReason, ManualSteps, OpenStep, Plan};

/// The open steps, a line for each member, and the rooms on record that the manifest does not declare.
pub fn todo<'a>(
    target: &'a Target,
    rooms: &'a [ManualSteps],
    undeclared: &'a [Pipe],
    known: &UserNames,
) -> View<'a> {
    let steps = || rooms.iter().flat_map(|room| &room.previously_removed);
    let verdict = match (steps().count(), steps().map(|step| step.age).max()) {
        (count, Some(oldest)) => {
            let (count, rooms) = (Count(count, "open step"), Count(rooms.len(), "room"));
            format!("{count} in {rooms}, the oldest {}", age(oldest))
        }
        (_, None) => "no open steps".to_owned(),
    };
    let heading = text!("Manual steps for {}", site(target));
    let mut view = View::new("todo", Some(target), heading, verdict);
    for room in rooms {
        let steps = room.previously_removed.chunks(1);
        let lines = steps.map(|steps| Line {
            title: Some(Title::Same(&room.title)),
            ..open_steps(room, steps, known)
        });
        view.add(SectionKind::OpenSteps, lines);
    }
    view.add_undeclared(SectionKind::OpenSteps, undeclared);
    view
}

impl<'a> View<'a> {
    /// Adds the members and rooms that the API cannot remove.
    pub(super) fn add_manual_steps(&mut self, plan: &'a Plan) {
        self.add_removed_members(&plan.manual_steps);
        let known = self.names.clone();
        for room in &plan.manual_steps {
            let is_same = |one: &OpenStep, next: &OpenStep| {
                (one.reason, &one.run) == (next.reason, &next.run)
            };
            let steps = room.previously_removed.chunk_by(is_same);
            let lines = steps.map(|steps| open_steps(room, steps, &known));
            self.add(SectionKind::OpenSteps, lines);
        }
        self.add_undeclared(SectionKind::ManualSteps, &plan.baseline.left);
        let is_old = |pipe: &&Pipe| plan.baseline.left.binary_search(pipe).is_err();
        self.add_undeclared(
            SectionKind::OpenSteps,
            plan.undeclared.iter().filter(is_old),
        );
    }

    /// Adds the members that this change removes from the manifest.
    pub(super) fn add_removed_members(&mut self, rooms: &'a [ManualSteps]) {
        let known = self.names.clone();
        let rooms = rooms.iter().filter(|room| !room.newly_removed.is_empty());
        let lines = rooms.map(|room| {
            let removed = Span::Ids(users(&room.newly_removed, &known));
            let text = text!("no longer in the manifest: {}", removed);
            Line {
                detail: Detail::Removed(&room.newly_removed),
                ..Line::for_room(&room.pipe, text)
            }
        });
        self.add(SectionKind::ManualSteps, lines);
    }

    /// Adds one line for all rooms on record that the manifest does not declare.
    fn add_undeclared(&mut self, kind: SectionKind, pipes: impl IntoIterator<Item = &'a Pipe>) {
        let pipes: Vec<&str> = pipes.into_iter().map(Pipe::as_str).collect();
        if !pipes.is_empty() {
            let rooms = Count(pipes.len(), "room");
            let pipes = names(pipes.into_iter(), NAMED);
            let text = text!(
                "{} on record but no longer declared: {}; delete or keep each in ImbaChat, then run `roomform ledger forget PIPE`",
                rooms,
                pipes
            );
            self.add(kind, [Line::new(text)]);
        }
    }
}

/// Steps of one room with the same run and reason.
fn open_steps<'a>(room: &'a ManualSteps, steps: &'a [OpenStep], known: &UserNames) -> Line<'a> {
    let removed: Vec<UserId> = steps.iter().map(|step| step.user).collect();
    let text = steps.first().map(|step| {
        text!(
            "remove {} from room {}, {} {}, by run {}",
            Span::Ids(users(&removed, known)),
            room.id,
            reason(step.reason),
            Span::words(age(step.age)),
            Span::Name(step.run.as_ref().into())
        )
    });
    let place = room.place.as_ref();
    Line {
        place: place.map(|(file, line)| Place::new(file, *line)),
        detail: Detail::OpenSteps(steps),
        ..Line::for_room(&room.pipe, text.unwrap_or_default())
    }
}

/// Why a member is to be removed.
pub fn reason(reason: LeaveReason) -> &'static str {
    match reason {
        LeaveReason::Left => "no longer in the manifest",
        LeaveReason::Excluded => "excluded",
    }
}

/// For example `since today` or `for 12 days`.
fn age(days: u64) -> String {
    match days {
        0 => "since today".to_owned(),
        days => format!("for {}", Count(days as usize, "day")),
    }
}
