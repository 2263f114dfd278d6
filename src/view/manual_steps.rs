//! Members to remove manually, as lines and as the view of `todo`.

use super::plan::site;
use super::section::{Line, SectionKind, Title};
use super::text::text;
use super::{Count, Span, View};
use crate::model::{Target, UserId};
use crate::plan::{LeaveReason, ManualSteps, OpenStep};

/// The open steps, one line each.
pub fn todo<'a>(target: &'a Target, rooms: &'a [ManualSteps]) -> View<'a> {
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
        view.add(
            SectionKind::OpenSteps,
            steps.map(|step| open_steps(room, step)),
        );
    }
    view
}

/// Steps of one room with the same run and reason.
fn open_steps<'a>(room: &'a ManualSteps, steps: &'a [OpenStep]) -> Line<'a> {
    let users: Vec<UserId> = steps.iter().map(|step| step.user).collect();
    let text = steps.first().map(|step| {
        text!(
            "remove {} from room {}, {} {}, by run {}",
            users.as_slice(),
            room.id,
            reason(step.reason),
            Span::words(age(step.age)),
            Span::Name(step.run.as_ref().into())
        )
    });
    Line {
        title: Some(Title::Same(&room.title)),
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
