//! Why somebody is in a room, in words: every way in with its place, and what keeps them out.

use std::fmt::Write;

use super::escape::{quoted, terminal};
use super::paint::{Paint, Tone};
use crate::manifest::{Explained, Membership, Subject, Way};
use crate::model::{Desired, DesiredRoom, MembersPolicy, Welcome};
use crate::view::Count;

/// The whole answer. Ends with a line break.
pub fn explained(explained: &Explained, desired: &Desired, paint: Paint) -> String {
    let mut text = String::new();
    match &explained.subject {
        Subject::Room(pipe) => {
            if let Some(room) = desired.rooms.get(pipe) {
                room_head(&mut text, room, desired, paint);
            }
        }
        Subject::User(user, names) => {
            let names: Vec<String> = names.iter().map(|name| terminal(name)).collect();
            let known = if names.is_empty() {
                String::new()
            } else {
                format!(" ({})", names.join(", "))
            };
            let user = match user {
                Some(user) => format!("user {user}"),
                None => "user without a usable id".to_owned(),
            };
            let _ = writeln!(text, "{}{known}", paint.tone(Tone::Strong, user));
        }
    }
    if let Some(row) = explained.left_out {
        let row = place(desired, row);
        let _ = writeln!(text, "  left out by the `where` of `people`: {row}");
    }
    let (out, inside): (Vec<&Membership>, Vec<&Membership>) = explained
        .memberships
        .iter()
        .partition(|membership| !membership.excluded.is_empty());
    let by_room = matches!(explained.subject, Subject::Room(_));
    let nouns = if by_room {
        ("member", "user kept out")
    } else {
        ("membership", "room kept out of")
    };
    list(&mut text, nouns.0, &inside, by_room, desired);
    if !out.is_empty() {
        list(&mut text, nouns.1, &out, by_room, desired);
    }
    text
}

fn room_head(text: &mut String, room: &DesiredRoom, desired: &Desired, paint: Paint) {
    let public = if room.state.public {
        "public"
    } else {
        "closed"
    };
    let _ = writeln!(
        text,
        "{}  {}",
        paint.tone(Tone::Strong, terminal(room.pipe.as_str())),
        quoted(&room.state.title)
    );
    let policy = match room.policy {
        MembersPolicy::Ensure => "",
        MembersPolicy::OnCreate => ", members only when it is created",
    };
    let _ = writeln!(
        text,
        "  {}, {public}{policy}; declared at {}",
        room.state.kind,
        place(desired, room.place)
    );
    if let Some(Welcome { from, text: said }) = &room.welcome {
        let _ = writeln!(text, "  welcome from {from}: {}", quoted(said));
    }
}

fn list(
    text: &mut String,
    noun: &str,
    memberships: &[&Membership],
    by_room: bool,
    desired: &Desired,
) {
    let count = match noun.split_once(' ') {
        Some((first, rest)) => format!("{} {rest}", Count(memberships.len(), first)),
        None => Count(memberships.len(), noun).to_string(),
    };
    let colon = if memberships.is_empty() { "" } else { ":" };
    let _ = writeln!(text, "  {count}{colon}");
    let label = |membership: &Membership| {
        if by_room {
            membership.user.to_string()
        } else {
            terminal(membership.pipe.as_str())
        }
    };
    let width = memberships
        .iter()
        .map(|membership| label(membership).chars().count())
        .max()
        .unwrap_or_default()
        .min(40);
    for membership in memberships {
        let mut label = label(membership);
        let ways = membership.ways.iter().map(|way| way_line(way, desired));
        let outs = membership
            .excluded
            .iter()
            .map(|way| format!("kept out by {}", way_line(way, desired)));
        for line in ways.chain(outs) {
            let _ = writeln!(text, "    {label:<width$}  {line}");
            label = String::new();
        }
    }
}

/// `rooms.yaml:3 through @staff › @heads`
fn way_line(way: &Way, desired: &Desired) -> String {
    let place = place(desired, way.place);
    let groups: Vec<String> = way
        .groups
        .iter()
        .map(|group| format!("@{}", terminal(group)))
        .collect();
    match groups.as_slice() {
        [] if way.joined => format!("{place} (enrol)"),
        [] => place,
        groups => format!("{place} through {}", groups.join(" › ")),
    }
}

fn place(desired: &Desired, place: crate::model::Place) -> String {
    format!("{}:{}", terminal(&desired.file_name(place)), place.line)
}
