//! Live rooms -> the text of a manifest that `plan` finds nothing to do for.
//!
//! It writes what the list showed and what the ledger recorded, and says in comments what cannot be known.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::diagnostic::At;
use super::validate::{bad_pipe, bad_title};
use crate::model::{FileId, LiveRoom, Pipe, Recorded, RecordedRoom, RoomKind, WidgetId, is_hidden};

const NOWHERE: At = At {
    file: FileId(0),
    offset: 0,
};

/// The manifest of these rooms, sorted by pipe. Deleted rooms are left out; rooms that a manifest cannot declare become comments.
pub fn export(widget: WidgetId, rooms: &[LiveRoom], recorded: &Recorded) -> String {
    let mut by_pipe: BTreeMap<&Pipe, Vec<&LiveRoom>> = BTreeMap::new();
    for room in rooms.iter().filter(|room| !room.deleted) {
        by_pipe.entry(&room.pipe).or_default().push(room);
    }
    let mut declared = String::new();
    let mut left_out = String::new();
    for (pipe, rooms) in by_pipe {
        match (rooms.as_slice(), bad_pipe(pipe.as_str(), NOWHERE)) {
            ([room], None) => declare(&mut declared, room, recorded.rooms.get(&room.id)),
            (rooms, reason) => {
                let reason = reason.map_or_else(
                    || "more than one live room has this pipe".to_owned(),
                    |why| why.message,
                );
                let ids: Vec<String> = rooms.iter().map(|room| room.id.to_string()).collect();
                let _ = writeln!(
                    left_out,
                    "  # left out: pipe {} (id {}): {reason}",
                    quoted(pipe.as_str()),
                    ids.join(", ")
                );
            }
        }
    }
    let empty = if declared.is_empty() {
        " [] # none: --allow-empty says that none is meant"
    } else {
        ""
    };
    format!("{HEAD}version: 1\nwidget: {widget}\n\nrooms:{empty}\n{declared}{left_out}")
}

const HEAD: &str = "\
# Made by `roomform export` from the rooms the server listed. `roomform plan` finds nothing to do for it.
# The API does not tell who is in a room. `members` below are those whose adding is on record in the ledger;
# everyone else who is in a room stays there, listed or not.
";

fn declare(text: &mut String, room: &LiveRoom, recorded: Option<&RecordedRoom>) {
    let state = &room.state;
    let title_fits = bad_title(&state.title, NOWHERE).is_none();
    let mut ignore = Vec::new();
    let title = if title_fits {
        quoted(&state.title)
    } else {
        ignore.push("title");
        quoted(&format!("room {}", room.id))
    };
    let _ = writeln!(
        text,
        "  - pipe: {}\n    title: {title}",
        quoted(room.pipe.as_str())
    );
    if !title_fits {
        let _ = writeln!(
            text,
            "    # the live title cannot stand in a manifest: {}",
            quoted(&state.title)
        );
    }
    match state.kind {
        RoomKind::Other(number) => {
            ignore.push("type");
            let _ = writeln!(
                text,
                "    type: conference # live type {number}, which a manifest cannot name; kept as it is"
            );
        }
        kind => {
            let _ = writeln!(text, "    type: {kind}");
        }
    }
    let _ = writeln!(text, "    public: {}", state.public);
    if !ignore.is_empty() {
        let _ = writeln!(text, "    ignore: [{}]", ignore.join(", "));
    }
    let none = BTreeSet::new();
    let members: Vec<String> = recorded
        .map_or(&none, |recorded| &recorded.members)
        .iter()
        .map(ToString::to_string)
        .collect();
    let _ = match members.as_slice() {
        [] => writeln!(
            text,
            "    members: [] # unknown: none on record, and the API lists none"
        ),
        members => writeln!(
            text,
            "    members: [{}] # on record; there may be others",
            members.join(", ")
        ),
    };
}

/// A YAML double-quoted text, in which nothing invisible or direction-changing is left raw.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if is_hidden(c) => {
                quoted.push_str(&format!("\\U{:08x}", u32::from(c)));
            }

            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
