//! Lists the members and rooms that must be removed manually. Some of these steps are new in
//! this change, and some are still open from earlier runs.

use super::figures::{age, open_steps};
use super::grammar::users;
use super::plan::site;
use super::section::{Detail, Line, Place, SectionKind, Title};
use super::text::{names, text};
use super::{Count, NAMED, Span, State, View};
use crate::model::{Pipe, Target, UserId, UserNames};
use crate::plan::{LeaveReason, LeftRoom, ManualSteps, OpenStep, Plan, ages};

/// Creates the view of the open steps. Each member and each room that left the manifest has its
/// own line.
pub fn todo<'a>(
    target: &'a Target,
    rooms: &'a [ManualSteps],
    left: &'a [LeftRoom],
    known: &UserNames,
) -> View<'a> {
    let verdict = open_steps(ages(rooms, left)).unwrap_or_else(|| "no open steps".to_owned());
    let heading = text!("Manual steps for {}", site(target));
    let mut view = View::new("todo", Some(target), heading, verdict);
    for room in rooms {
        let steps = room.previously_removed.chunks(1);
        let lines = steps.map(|steps| Line {
            title: Some(Title::Same(&room.title)),
            ..step_line(room, steps, known)
        });
        view.add(SectionKind::OpenSteps, lines);
    }
    view.add(SectionKind::LeftRooms, left.iter().map(left_room));
    view
}

impl<'a> View<'a> {
    /// Adds lines for the members and rooms that the API cannot remove.
    pub(super) fn add_manual_steps(&mut self, plan: &'a Plan) {
        self.add_removed_members(&plan.manual_steps);
        let known = self.names.clone();
        for room in &plan.manual_steps {
            let is_same = |one: &OpenStep, next: &OpenStep| {
                (one.reason, &one.run) == (next.reason, &next.run)
            };
            let steps = room.previously_removed.chunk_by(is_same);
            let lines = steps.map(|steps| step_line(room, steps, &known));
            self.add(SectionKind::OpenSteps, lines);
        }
        self.add_leaving_rooms(&plan.baseline.left);
        let left = plan.left_rooms.iter().map(left_room);
        self.add(SectionKind::LeftRooms, left);
    }

    /// Adds lines for the members whom this change removes from the manifest.
    pub(super) fn add_removed_members(&mut self, rooms: &'a [ManualSteps]) {
        let known = self.names.clone();
        let rooms = rooms.iter().filter(|room| !room.newly_removed.is_empty());
        // A manifest diff has no live rooms.
        let is_live = self.state != State::Compared;
        let lines = rooms.map(|room| {
            let removed = Span::Ids(users(&room.newly_removed, &known));
            let text = match is_live {
                true => text!("remove {} from room {}", removed, room.id),
                false => text!("remove {}", removed),
            };
            Line {
                title: Some(Title::Same(&room.title)),
                detail: Detail::Removed(&room.newly_removed),
                ..Line::for_room(&room.pipe, text)
            }
        });
        self.add(SectionKind::ManualSteps, lines);
    }

    /// Adds one line for all rooms that leave the manifest.
    fn add_leaving_rooms(&mut self, pipes: &'a [Pipe]) {
        if !pipes.is_empty() {
            let rooms = Count(pipes.len(), "room");
            let pipes = names(pipes.iter().map(Pipe::as_str), NAMED);
            let text = text!(
                "{} on record but no longer declared: {}; delete or keep each in ImbaChat, then run `roomform ledger forget PIPE`",
                rooms,
                pipes
            );
            self.add(SectionKind::ManualSteps, [Line::new(text)]);
        }
    }
}

/// A room that left the manifest in an earlier run.
fn left_room(room: &LeftRoom) -> Line<'_> {
    let text = text!(
        "room {}, {}, no longer in the manifest {}, recorded by run {}",
        room.id,
        Count(room.members.len(), "known member"),
        Span::words(age(room.age)),
        Span::Name(room.release.run.as_ref().into())
    );
    Line {
        title: Some(Title::Same(&room.title)),
        ..Line::for_room(&room.pipe, text)
    }
}

/// Formats steps of one room as a line. All these steps have the same run and reason.
fn step_line<'a>(room: &'a ManualSteps, steps: &'a [OpenStep], known: &UserNames) -> Line<'a> {
    let removed: Vec<UserId> = steps.iter().map(|step| step.user).collect();
    let text = steps.first().map(|step| {
        text!(
            "remove {} from room {}: {}; open {}, recorded by run {}",
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

pub fn reason(reason: LeaveReason) -> &'static str {
    match reason {
        LeaveReason::Left => "no longer in the manifest",
        LeaveReason::Excluded => "excluded",
        LeaveReason::RoomLeft => "the room is no longer in the manifest",
    }
}
