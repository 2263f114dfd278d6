//! Live rooms -> the text of a manifest that `plan` finds nothing to do for.
//!
//! Main type: [`Entry`], one pipe of the list. It writes what the list showed and what the ledger recorded, and says in comments
//! what cannot be known. `append` adds to a text that is there, `split` names files, `readback` judges what would be read.

mod append;
mod readback;
mod split;

use std::collections::BTreeMap;
use std::fmt::Write;

pub use append::append;
pub use readback::{Unlike, read_back};
pub use split::{by_prefix, by_type};

use super::validate::{bad_pipe, bad_title};
use crate::model::{
    Field, FieldValue, FileId, LiveRoom, Pipe, Recorded, RecordedRoom, RoomKind, UserSet, WidgetId,
    is_hidden,
};
use crate::tables::diagnostic::At;

const NOWHERE: At = At {
    file: FileId(0),
    offset: 0,
};

/// One pipe of the server's list, as a manifest says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The pipe.
    pub pipe: Pipe,
    /// The type of its room; of the first one, where there are several.
    pub kind: RoomKind,
    /// Whether the text declares it; else it says in a comment why a manifest cannot.
    pub declared: bool,
    /// Lines that are indented by two spaces.
    pub text: String,
}

/// An entry for each pipe, sorted by pipe. Deleted rooms are left out.
pub fn entries(rooms: &[LiveRoom], recorded: &Recorded) -> Vec<Entry> {
    let mut by_pipe: BTreeMap<&Pipe, Vec<&LiveRoom>> = BTreeMap::new();
    for room in rooms.iter().filter(|room| !room.deleted) {
        by_pipe.entry(&room.pipe).or_default().push(room);
    }
    by_pipe
        .into_iter()
        .filter_map(|(pipe, mut rooms)| {
            rooms.sort_by_key(|room| room.id);
            let first = rooms.first()?;
            let mut text = String::new();
            let reason = match bad_pipe(pipe.as_str(), NOWHERE) {
                Some(why) => Some(why.message),
                None if rooms.len() > 1 => Some("more than one live room has this pipe".to_owned()),
                None => None,
            };
            match &reason {
                None => declare(&mut text, first, recorded.rooms.get(&first.id)),
                Some(reason) => leave_out(&mut text, pipe, &rooms, reason),
            }
            Some(Entry {
                pipe: pipe.clone(),
                kind: first.state.kind,
                declared: reason.is_none(),
                text,
            })
        })
        .collect()
}

/// The manifest of these rooms; rooms that it cannot declare become comments.
pub fn page(widget: WidgetId, scope: &[String], entries: &[&Entry]) -> String {
    let texts = |declared: bool| -> String {
        let entries = entries.iter().filter(|entry| entry.declared == declared);
        entries.map(|entry| entry.text.as_str()).collect()
    };
    let (declared, left_out) = (texts(true), texts(false));
    let scope = match scope {
        [] => String::new(),
        globs => {
            let globs: Vec<String> = globs.iter().map(|glob| quoted(glob)).collect();
            format!("scope: [{}]\n", globs.join(", "))
        }
    };
    let (head, empty) = if declared.is_empty() {
        // Without --allow-empty a plan of it is refused.
        let empty = " [] # none: --allow-empty says that none is meant";
        (HEAD_OF_NOTHING, empty)
    } else {
        (HEAD, "")
    };
    format!("{head}version: 1\nwidget: {widget}\n{scope}\nrooms:{empty}\n{declared}{left_out}")
}

fn leave_out(text: &mut String, pipe: &Pipe, rooms: &[&LiveRoom], reason: &str) {
    let ids: Vec<String> = rooms.iter().map(|room| room.id.to_string()).collect();
    let _ = writeln!(
        text,
        "  # left out: pipe {} (id {}): {reason}",
        quoted(pipe.as_str()),
        ids.join(", ")
    );
}

const HEAD: &str = "\
# Made by `roomform export` from the rooms the server listed. `roomform plan` finds nothing to do for it.
# The API does not tell who is in a room. `members` below are those whose adding is on record in the ledger;
# everyone else who is in a room stays there, listed or not.
";
const HEAD_OF_NOTHING: &str = "\
# Made by `roomform export` from the rooms the server listed: of those that were asked for none can be declared.
";

fn declare(text: &mut String, room: &LiveRoom, recorded: Option<&RecordedRoom>) {
    let _ = writeln!(text, "  - pipe: {}", quoted(room.pipe.as_str()));
    let mut ignore = Vec::new();
    for field in Field::ALL {
        let name = field.name();
        let _ = match room.state.raw(field) {
            FieldValue::Text(title)
                if field == Field::Title && bad_title(title, NOWHERE).is_some() =>
            {
                ignore.push(name);
                writeln!(
                    text,
                    "    title: {}\n    # the live title cannot stand in a manifest: {}",
                    quoted(&format!("room {}", room.id)),
                    quoted(title)
                )
            }
            FieldValue::Kind(RoomKind::Other(number)) => {
                ignore.push(name);
                writeln!(
                    text,
                    "    type: conference # live type {number}, which a manifest cannot name; kept as it is"
                )
            }
            FieldValue::Text(value) => writeln!(text, "    {name}: {}", quoted(value)),
            FieldValue::Kind(kind) => writeln!(text, "    {name}: {kind}"),
            FieldValue::Public(public) => writeln!(text, "    {name}: {public}"),
        };
    }
    if !ignore.is_empty() {
        let _ = writeln!(text, "    ignore: [{}]", ignore.join(", "));
    }
    let none = UserSet::default();
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
