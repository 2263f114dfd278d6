//! Explains why a user is in a room: everything that adds the user, with its position in the file,
//! and every exclusion.

use std::fmt::Write;

use super::column::{measure, pad};
use super::escape::{quoted, terminal};
use super::paint::{Paint, Styles};
use crate::manifest::{Explained, Membership, SkipReason, Subject, Way};
use crate::model::{
    Desired, DesiredRoom, Field, ListedRoom, MembersPolicy, Pipe, Place, UserId, Welcome,
};
use crate::view::Count;
use crate::view::grammar::user as name_user;

/// Returns the explanation as text, which ends with a line break.
pub fn explained(
    explained: &Explained,
    listed: &[ListedRoom],
    desired: &Desired,
    paint: Paint,
) -> String {
    let mut text = String::new();
    match &explained.subject {
        Subject::Room(pipe) => {
            let room = desired.rooms.get(pipe);
            let left = || format!("{}  not in the manifest\n", terminal(pipe.as_str()));
            text += &room.map_or_else(left, |room| describe_room(room, desired, paint));
        }
        Subject::User(user, names) => {
            let heading = match user {
                Some(user) => format!("user {}", terminal(&name_user(*user, &desired.names))),
                None => "user without a usable id".to_owned(),
            };
            let _ = writeln!(text, "{}", paint.style(Styles::STRONG, heading));
            let shown = user.and_then(|user| desired.names.get(&user));
            let others = names.iter().filter(|name| Some(*name) != shown);
            let others: Vec<String> = others.map(|name| terminal(name)).collect();
            if !others.is_empty() {
                let other = if shown.is_some() { "other " } else { "" };
                let _ = writeln!(text, "  {other}names: {}", others.join(", "));
            }
        }
    }
    if let Some(row) = explained.left_out {
        let row = format_place(desired, row);
        let _ = writeln!(text, "  left out by the `where` of `people`: {row}");
    }
    let memberships = explained.memberships.iter();
    let (members, out): (Vec<_>, Vec<_>) = memberships.partition(|it| it.excluded.is_empty());
    let by_room = matches!(explained.subject, Subject::Room(_));
    let [member, kept_out, rest] = match by_room {
        true => ["member", "user", "kept out"],
        false => ["membership", "room", "kept out of"],
    };
    let label = |user: UserId, pipe: &Pipe| match by_room {
        true => terminal(&name_user(user, &desired.names)),
        false => terminal(pipe.as_str()),
    };
    let ways = |members: Vec<&Membership>| {
        let mut lines = Vec::new();
        for it in members {
            let mut label = label(it.user, &it.pipe);
            let ways = it.ways.iter().map(|way| format_way(way, desired));
            let outs = it.excluded.iter();
            let outs = outs.map(|way| format!("kept out by {}", format_way(way, desired)));
            let all = ways.chain(outs);
            lines.extend(all.map(|way| (std::mem::take(&mut label), way)));
        }
        lines
    };
    let heading = Count(members.len(), member).to_string();
    write_list(&mut text, &heading, ways(members));
    if !out.is_empty() {
        let heading = format!("{} {rest}", Count(out.len(), kept_out));
        write_list(&mut text, &heading, ways(out));
    }
    if !explained.skipped.is_empty() {
        let count = Count(explained.skipped.len(), "place");
        let skipped = explained.skipped.iter().map(|(place, reason)| {
            let reason = match reason {
                SkipReason::Where => "left out by `where`".to_owned(),
                SkipReason::Dates => "outside its dates".to_owned(),
                SkipReason::People(row) => {
                    format!(
                        "the person's row, {}, is left out",
                        format_place(desired, *row)
                    )
                }
            };
            (format_place(desired, *place), reason)
        });
        let heading = format!("{count} without effect");
        write_list(&mut text, &heading, skipped.collect());
    }
    if !listed.is_empty() {
        let noun = if by_room { "other user" } else { "room" };
        let listed_rooms = listed.iter().map(|it| {
            let state = match it.is_open_step {
                true => "to remove",
                false => "known",
            };
            let since = it.since.as_deref().map(terminal);
            let since = since.map_or_else(String::new, |since| format!(" since {since}"));
            let state = format!("room {}, {state}{since}", it.room);
            (label(it.user, &it.pipe), state)
        });
        let heading = format!("{} in the ledger", Count(listed.len(), noun));
        write_list(&mut text, &heading, listed_rooms.collect());
    }
    text
}

/// Writes a heading, and lines with an aligned label.
fn write_list(text: &mut String, heading: &str, lines: Vec<(String, String)>) {
    let colon = if lines.is_empty() { "" } else { ":" };
    let _ = writeln!(text, "  {heading}{colon}");
    let width = measure(lines.iter().map(|(label, _)| label.clone()));
    for (label, line) in lines {
        let _ = writeln!(text, "    {}  {line}", pad(&label, width));
    }
}

fn describe_room(room: &DesiredRoom, desired: &Desired, paint: Paint) -> String {
    let pipe = paint.style(Styles::STRONG, terminal(room.pipe.as_str()));
    let title = quoted(&room.state.title);
    let (kind, public) = (room.state.kind, room.state.value(Field::Public));
    let policy = match room.policy {
        MembersPolicy::Ensure => "",
        MembersPolicy::OnCreate => ", members are added only when the room is created",
    };
    let place = format_place(desired, room.place);
    let mut text = format!("{pipe}  {title}\n  {kind}, {public}{policy}; declared at {place}\n");
    if let Some(Welcome { from, text: said }) = &room.welcome {
        let from = terminal(&name_user(*from, &desired.names));
        let _ = writeln!(text, "  welcome from {from}: {}", quoted(said));
    }
    text
}

/// Formats one reason, for example `rooms.yaml:3 through @staff › @heads`.
fn format_way(way: &Way, desired: &Desired) -> String {
    let place = format_place(desired, way.place);
    let groups = way.groups.iter();
    let groups = Vec::from_iter(groups.map(|group| format!("@{}", terminal(group))));
    match groups.as_slice() {
        [] if way.joined => format!("{place} (enrol)"),
        [] => place,
        groups => format!("{place} through {}", groups.join(" › ")),
    }
}

fn format_place(desired: &Desired, place: Place) -> String {
    format!("{}:{}", terminal(&desired.file_name(place)), place.line)
}
