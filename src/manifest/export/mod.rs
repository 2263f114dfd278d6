//! Writes live rooms as a manifest for which `plan` has no changes.
//!
//! Main type: [`Entry`], the text for one pipe. An export has the rooms in the server's list, and
//! the members in the ledger. Comments say what is unknown. `append` adds to an existing text.
//! `by_prefix` and `by_type` name the files of a split export. `read_back` checks the result.

use std::collections::BTreeMap;

use thiserror::Error;

use super::template::slug;
use super::validate::{bad_pipe, bad_title};
use super::yaml::{Written, written};
use crate::model::{
    Desired, DesiredRoom, Field, FieldValue, FileId, LiveRoom, Pipe, Place, Recorded, RecordedRoom,
    RoomKind, WidgetId, spell_unsafe,
};
use crate::tables::diagnostic::At;
use crate::tables::number::is_digits;

/// The manifest entry for one pipe of the server's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The pipe that the entry is for.
    pub pipe: Pipe,
    /// The type of the room, or of the first room if several have this pipe.
    pub kind: RoomKind,
    /// Whether the text declares the room. Otherwise, the text is a comment that says why the
    /// room cannot be declared.
    pub declared: bool,
    /// The lines of the entry, indented by two spaces.
    pub text: String,
}

/// Creates an entry for each pipe, sorted by pipe. Deleted rooms are ignored.
pub fn entries(rooms: &[LiveRoom], recorded: &Recorded) -> Vec<Entry> {
    let mut by_pipe: BTreeMap<&Pipe, Vec<&LiveRoom>> = BTreeMap::new();
    for room in rooms.iter().filter(|room| !room.deleted) {
        by_pipe.entry(&room.pipe).or_default().push(room);
    }
    let entries = by_pipe.into_iter().filter_map(|(pipe, mut rooms)| {
        rooms.sort_by_key(|room| room.id);
        let first = rooms.first()?;
        let reason = match bad_pipe(pipe.as_str(), At::NOWHERE) {
            Some(why) => Some(why.message),
            None if rooms.len() > 1 => Some("more than one live room has this pipe".to_owned()),
            None => None,
        };
        let text = match &reason {
            None => declare(first, recorded.rooms.get(&first.id)),
            Some(reason) => {
                let ids: Vec<String> = rooms.iter().map(|room| room.id.to_string()).collect();
                let (pipe, ids) = (quote_yaml(pipe.as_str()), ids.join(", "));
                format!("  # left out: pipe {pipe} (id {ids}): {reason}\n")
            }
        };
        Some(Entry {
            pipe: pipe.clone(),
            kind: first.state.kind,
            declared: reason.is_none(),
            text,
        })
    });
    entries.collect()
}

/// Writes a manifest with these entries. Rooms that no manifest can declare become comments.
pub fn page(widget: WidgetId, scope: &[String], entries: &[&Entry]) -> String {
    let texts = |declared: bool| -> String {
        let entries = entries.iter().filter(|entry| entry.declared == declared);
        entries.map(|entry| entry.text.as_str()).collect()
    };
    let (declared, left_out) = (texts(true), texts(false));
    let scope = match scope {
        [] => String::new(),
        globs => {
            let globs: Vec<String> = globs.iter().map(|glob| quote_yaml(glob)).collect();
            format!("scope: [{}]\n", globs.join(", "))
        }
    };
    let (head, empty) = match declared.as_str() {
        // An empty manifest needs --allow-empty, so tell the user.
        "" => (HEAD_OF_NOTHING, " [] # none; `apply` needs --allow-empty"),
        _ => (HEAD, ""),
    };
    format!("{head}version: 1\nwidget: {widget}\n{scope}\nrooms:{empty}\n{declared}{left_out}")
}

const HEAD: &str = "\
# Written by `roomform export` from the server's list of rooms. `roomform plan` finds no changes for it.
# The API does not list the members of a room. `members` below are those that the ledger records;
# everyone else in a room stays in it.
";
const HEAD_OF_NOTHING: &str = "\
# Written by `roomform export` from the server's list of rooms: none of the requested rooms can be declared.
";

fn declare(room: &LiveRoom, recorded: Option<&RecordedRoom>) -> String {
    let mut lines = vec![format!("  - pipe: {}", quote_yaml(room.pipe.as_str()))];
    let mut ignore = Vec::new();
    for field in Field::ALL {
        let name = field.name();
        let line = match room.state.raw(field) {
            FieldValue::Text(title)
                if field == Field::Title && bad_title(title, At::NOWHERE).is_some() =>
            {
                ignore.push(name);
                lines.push(format!("    title: \"room {}\"", room.id));
                let title = quote_yaml(title);
                format!("    # the live title is not allowed in a manifest: {title}")
            }
            FieldValue::Kind(RoomKind::Other(number)) => {
                ignore.push(name);
                format!(
                    "    type: conference # ignored: a manifest cannot name the live type, {number}"
                )
            }
            FieldValue::Text(value) => format!("    {name}: {}", quote_yaml(value)),
            FieldValue::Kind(kind) => format!("    {name}: {kind}"),
            FieldValue::Public(public) => format!("    {name}: {public}"),
        };
        lines.push(line);
    }
    if !ignore.is_empty() {
        lines.push(format!("    ignore: [{}]", ignore.join(", ")));
    }
    let members = recorded.iter().flat_map(|room| room.members.iter());
    let members: Vec<String> = members.map(|user| user.to_string()).collect();
    let remark = match members.is_empty() {
        true => "unknown: none on record, and the API does not list members",
        false => "these members are known; there may be more",
    };
    let members = members.join(", ");
    lines.push(format!("    members: [{members}] # {remark}\n"));
    lines.join("\n")
}

/// Writes a text as a double-quoted YAML string. Escapes characters that could hide text, control a
/// terminal, or start a command in the log of a CI job.
pub fn quote_yaml(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    spell_unsafe(&mut quoted, &text, |quoted, c| {
        quoted.push_str(&format!("\\U{:08x}", u32::from(c)));
    });
    quoted.push('"');
    quoted
}

/// Adds these rooms at the end of the `rooms` list. If the text has no such list, adds one at the
/// end. Returns `None` if there is no safe place to insert, for example in a list in brackets.
///
/// The caller must parse the result before using it, because this function does not check it.
pub fn append(text: &str, entries: &[&Entry]) -> Option<String> {
    let (mark, body) = match text.strip_prefix('\u{feff}') {
        Some(body) => ("\u{feff}", body),
        None => ("", text),
    };
    let emptied: String;
    let mut body = body;
    let mut place = written(body, "rooms");
    if let Written::Empty { start, end } = place {
        // Remove the brackets, and start the list on the next line. A comment stays after the key.
        let (key, rest) = (body.get(..start)?, body.get(end..)?);
        emptied = format!("{}{rest}", key.trim_end());
        let line = rest.split_inclusive('\n').next().map_or(0, str::len);
        let end = key.trim_end().len() + line;
        (body, place) = (&emptied, Written::Lines { column: 2, end });
    }
    let (at, head, column) = match place {
        Written::Otherwise | Written::Empty { .. } => return None,
        Written::Nowhere => (body.len(), "rooms:\n", 2),
        Written::Lines { column, end } => (end_of_list(body, column, end), "", column),
    };
    let (before, after) = body.split_at_checked(at)?;
    let mut added = String::new();
    if !before.is_empty() && !before.ends_with('\n') {
        added.push('\n');
    }
    added.push_str(head);
    for line in entries.iter().flat_map(|entry| entry.text.lines()) {
        added.extend(std::iter::repeat_n(' ', column));
        added.push_str(line.strip_prefix("  ").unwrap_or(line));
        added.push('\n');
    }
    if body
        .split('\n')
        .next()
        .is_some_and(|line| line.ends_with('\r'))
    {
        added = added.replace('\n', "\r\n");
    }
    Some(format!("{mark}{before}{added}{after}"))
}

/// Returns where the list ends. Comments directly below the list belong to it if they are
/// indented like its items.
fn end_of_list(text: &str, column: usize, end: usize) -> usize {
    let rest = text.get(end..).unwrap_or_default();
    let started = end == 0
        || text
            .strip_suffix(rest)
            .is_some_and(|before| before.ends_with('\n'));
    let mut at = end;
    if !started {
        at += rest.split_inclusive('\n').next().map_or(0, str::len);
    }
    let lines = text.get(at..).unwrap_or_default().split_inclusive('\n');
    let remarks = lines.take_while(|line| {
        let remark = line.trim_start_matches(' ');
        column > 0 && line.len() - remark.len() >= column && remark.starts_with('#')
    });
    at + remarks.map(str::len).sum::<usize>()
}

/// The name of the file for pipes without a usable prefix.
const OTHER_FILE: &str = "other";
/// Maximum length of a file name, in bytes.
const LONGEST_NAME: usize = 60;
/// Device names that Windows reserves, even if an extension follows.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Returns the file name, without extension, for the prefix of a pipe: the text before the
/// first `-` or `_`. The name is valid on all systems. All pipes that the server generated
/// share one file. Their prefixes all differ, so otherwise each would get its own file.
pub fn by_prefix(entry: &Entry) -> String {
    let pipe = entry.pipe.as_str();
    let prefix = match pipe.split_once(['-', '_']) {
        Some((prefix, _)) if !is_made_up(pipe) => prefix,
        _ => return OTHER_FILE.to_owned(),
    };
    // A slug is ASCII, so it can be cut at any byte.
    let mut name = slug(prefix);
    name.truncate(LONGEST_NAME);
    let name = name.trim_matches('-');
    let port = ["com", "lpt"].iter().any(|port| {
        let number = name.strip_prefix(port);
        number.is_some_and(|number| number.len() == 1 && is_digits(number))
    });
    match name {
        "" => OTHER_FILE.to_owned(),
        name if port || DEVICES.contains(&name) => format!("{name}-rooms"),
        name => name.to_owned(),
    }
}

/// Whether the server probably generated the pipe: PHP's `uniqid()`, `_`, and the time in seconds
/// (api: fact 10).
fn is_made_up(pipe: &str) -> bool {
    pipe.split_once('_').is_some_and(|(id, time)| {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        id.len() == 13 && id.bytes().all(is_hex) && time.len() >= 10 && is_digits(time)
    })
}

/// Returns the file name, without extension, for the type of a room.
pub fn by_type(entry: &Entry) -> String {
    match entry.kind {
        RoomKind::Other(number) => format!("type-{number}"),
        kind => kind.to_string(),
    }
}

/// How the manifest that is read back differs from the intended one.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Unlike {
    /// A new room would not be read as it was exported.
    #[error("the new room `{0}` would not be read correctly")]
    New(String),
    /// A room that was already declared would be read differently.
    #[error("the room `{0}` would be read differently than before")]
    Old(String),
    /// Another room would be declared too, for example because a file has changed meanwhile.
    #[error("the room `{0}` would also be declared")]
    Extra(String),
    /// The widget, the scope or the limits would be read differently.
    #[error("`widget`, `scope` or `limits` would be read differently than before")]
    Rest,
}

/// Checks that `after` declares the rooms of `added`, and that nothing else differs from `before`.
///
/// # Errors
/// Returns the first difference.
pub fn read_back(after: &Desired, added: &Desired, before: Option<&Desired>) -> Result<(), Unlike> {
    for (pipe, room) in &added.rooms {
        // Ignore the members policy: the file's defaults may set it, but an export does not.
        let found = after.rooms.get(pipe).map(|found| DesiredRoom {
            policy: room.policy,
            ..without_places(found)
        });
        if found != Some(without_places(room)) {
            return Err(Unlike::New(pipe.as_str().to_owned()));
        }
    }
    let Some(before) = before else {
        return Ok(());
    };
    for (pipe, room) in &before.rooms {
        if after.rooms.get(pipe).map(without_places) != Some(without_places(room)) {
            return Err(Unlike::Old(pipe.as_str().to_owned()));
        }
    }
    let known = |pipe| before.rooms.contains_key(pipe) || added.rooms.contains_key(pipe);
    if let Some(pipe) = after.rooms.keys().find(|pipe| !known(*pipe)) {
        return Err(Unlike::Extra(pipe.as_str().to_owned()));
    }
    let widget = before.widget.is_none() || before.widget == after.widget;
    if !widget || before.scope != after.scope || before.limits != after.limits {
        return Err(Unlike::Rest);
    }
    Ok(())
}

/// Returns a room without its places, because line numbers may differ.
fn without_places(room: &DesiredRoom) -> DesiredRoom {
    let (file, line) = (FileId(0), 0);
    let place = Place { file, line };
    DesiredRoom {
        member_places: Box::default(),
        ending: 0,
        place,
        ..room.clone()
    }
}
