//! What is on record, as text: a line a room.

use std::fmt::Write;

use super::escape::{quoted, terminal};
use super::sentence;
use crate::model::{Owed, Recorded, RoomId, Sending, Target, UserId};
use crate::view::grammar::few;
use crate::view::{Count, values};

/// Members named in one line.
const NAMED: usize = 12;

/// The record of a ledger with so many entries. Ends with a line break.
pub fn ledger(target: &Target, entries: usize, recorded: &Recorded) -> String {
    let mut text = format!(
        "{target}: {}, {} on record\n",
        Count(entries, "line"),
        Count(recorded.ids.len(), "room")
    );
    for (pipe, id) in &recorded.ids {
        let left = if recorded.left.contains(pipe) {
            ", not in the manifest any more"
        } else {
            ""
        };
        let _ = writeln!(text, "\n  {}  room {id}{left}", terminal(pipe.as_str()));
        room(&mut text, recorded, *id);
    }
    for (pipe, owed) in &recorded.owed {
        let Owed {
            members, welcome, ..
        } = owed;
        let mut parts = Vec::new();
        if !members.is_empty() {
            let users: Vec<UserId> = members.iter().copied().collect();
            parts.push(few(&users, NAMED));
        }
        if *welcome {
            parts.push("its welcome".to_owned());
        }
        let _ = writeln!(
            text,
            "\n  {}  owed since it was to be created: {}",
            terminal(pipe.as_str()),
            parts.join(", and ")
        );
    }
    for (source, given) in &recorded.rosters {
        let _ = writeln!(
            text,
            "\n  {}  gave {given} rooms and memberships",
            terminal(source)
        );
    }
    let adopted = recorded.rooms.values().any(|room| !room.adopted.is_empty());
    let adopted = if adopted {
        "; adopted: taken for present, never confirmed"
    } else {
        ""
    };
    let _ = writeln!(
        text,
        "\nconfirmed to roomform; the API does not tell who is in a room{adopted}"
    );
    text
}

fn room(text: &mut String, recorded: &Recorded, id: RoomId) {
    let Some(room) = recorded.rooms.get(&id) else {
        return;
    };
    if let Some(sent) = &room.sent {
        let public = if sent.public { "public" } else { "closed" };
        let _ = writeln!(
            text,
            "    sent      {}, {}, {public}",
            quoted(&sent.title),
            sent.kind
        );
    }
    let lists = [
        ("members", &room.members),
        ("adopted", &room.adopted),
        ("released", &room.released),
    ];
    for (label, users) in lists {
        let users: Vec<UserId> = users.iter().copied().collect();
        if !users.is_empty() {
            let _ = writeln!(
                text,
                "    {label:<9} {}: {}",
                users.len(),
                few(&users, NAMED)
            );
        }
    }
    match room.welcome {
        Some(Sending::Confirmed) => text.push_str("    welcome   confirmed\n"),
        Some(Sending::InDoubt) => {
            text.push_str("    welcome   in doubt: it may have been sent, and is not sent again\n")
        }
        None => {}
    }
    for (field, shown) in &room.shown {
        let [sent, shown] = values(&shown.sent, &shown.shown).map(|text| sentence(&text));
        let _ = writeln!(
            text,
            "    ignored   {} sent as {sent}, shown as {shown}",
            field.name()
        );
    }
}
