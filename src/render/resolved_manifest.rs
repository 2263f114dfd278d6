//! Writes the rooms, with rosters and templates resolved: as a JSON manifest, as YAML that
//! can be compared line by line, or as CSV with a line for each member. The same input always gives
//! the same bytes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::iter;

use serde_json::Value;

use super::csv::{CsvReader, io_error};
use super::escape;
use crate::manifest::{quote_yaml, verbatim};
use crate::model::{
    Desired, DesiredRoom, Field, FieldValue, Limit, MembersPolicy, Pipe, RoomKind, UserId, Welcome,
    nfc,
};
use crate::view::limit_words;

/// Writes the rooms as a manifest, with a line for each room. Writes room by room, so that a large
/// manifest is not in memory twice. The new manifest results in the same plan.
///
/// # Errors
/// Returns an error if the output cannot be written.
pub fn manifest(desired: &Desired, rooms: &[&DesiredRoom], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{{")?;
    for (key, node) in head_entries(desired) {
        writeln!(out, "\"{key}\": {},", escape::json(&node.to_json()))?;
    }
    write!(out, "\"rooms\": [")?;
    for (index, room) in rooms.iter().enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        let room = Node::Map(room_entries(room)).to_json();
        out.write_all(escape::json(&room).as_bytes())?;
    }
    out.write_all(b"\n]\n}\n")
}

/// Returns the pipe of the first room that cannot be printed as CSV: its pipe or title contains
/// a command that a CI system would execute if it were printed to a log, and CSV has no
/// escapes.
pub fn find_ci_command<'a>(rooms: &[&'a DesiredRoom]) -> Option<&'a Pipe> {
    let begins = |text: &str, commands: &[&str]| commands.iter().any(|it| text.starts_with(it));
    let has_command = |text: &str| {
        let mut words = text.split_whitespace();
        let has_word = words.any(|word| begins(word, &["::", "section_start:", "section_end:"]));
        has_word || text.contains("##[") || text.contains("##vso[")
    };
    let mut rooms = rooms.iter();
    let room = rooms.find(|room| has_command(room.pipe.as_str()) || has_command(&room.state.title));
    room.map(|room| &room.pipe)
}

/// Writes the columns `pipe,title,type,public,user`, with a line for each member. A room without
/// members has a line without a user.
///
/// # Errors
/// Returns an error if the output cannot be written.
pub fn members(rooms: &[&DesiredRoom], reader: CsvReader, out: &mut dyn Write) -> io::Result<()> {
    let mut table = reader.start(out)?;
    let names = Field::ALL.iter().map(|field| field.name());
    let header = iter::once("pipe").chain(names).chain(["user"]);
    table.write_record(header).map_err(io_error)?;
    for room in rooms {
        let values = Field::ALL.map(|field| match room.state.raw(field) {
            FieldValue::Public(public) => public.to_string(),
            value => reader.cell(&value.to_string()).into_owned(),
        });
        let pipe = reader.cell(room.pipe.as_str());
        let mut line = |user: &str| {
            let values = values.iter().map(String::as_str);
            let line = iter::once(&*pipe).chain(values).chain([user]);
            table.write_record(line).map_err(io_error)
        };
        if room.members.is_empty() {
            line("")?;
        }
        for user in &*room.members {
            line(&user.to_string())?;
        }
    }
    table.flush()
}

/// Returns the lines before the rooms as YAML with one list item per line, so that two manifests
/// can be compared line by line. With the rooms, the text is a valid manifest.
pub(super) fn yaml_head(desired: &Desired) -> String {
    let mut text = String::new();
    write_entries(&mut text, head_entries(desired), 0);
    text + "rooms:\n"
}

/// Returns the lines of a room, with one user per line.
pub(super) fn yaml_room(room: &DesiredRoom) -> String {
    let mut text = String::new();
    write_entries(&mut text, room_entries(room), 4);
    format!("  - {}", text.trim_start())
}

/// Writes the entries, indented by this many spaces. Leaves out empty lists.
fn write_entries(text: &mut String, entries: Entries, indent: usize) {
    for (key, node) in entries {
        let _ = match node {
            Node::List(items) if items.is_empty() => Ok(()),
            Node::List(items) => {
                let _ = writeln!(text, "{:indent$}{key}:", "");
                let mut items = items.iter().map(format_inline);
                items.try_for_each(|item| writeln!(text, "{:indent$}  - {item}", ""))
            }
            Node::Map(entries) => {
                let _ = writeln!(text, "{:indent$}{key}:", "");
                write_entries(text, entries, indent + 2);
                Ok(())
            }
            node => writeln!(text, "{:indent$}{key}: {}", "", format_inline(&node)),
        };
    }
}

fn format_inline(node: &Node) -> String {
    match node {
        Node::Plain(Value::String(word)) => word.clone(),
        // Texts that differ only in their Unicode normal form are written in the same way.
        Node::Text(text) => quote_yaml(&nfc(text)),
        // The JSON from `to_json` is valid YAML too.
        Node::Plain(_) | Node::List(_) | Node::Map(_) => node.to_json(),
    }
}

/// Keys with their values, in the order in which they are written.
type Entries = Vec<(&'static str, Node)>;

/// A value of a manifest.
enum Node {
    /// A number, a boolean or a word of the manifest's syntax.
    Plain(Value),
    /// A text from the manifest.
    Text(String),
    List(Vec<Node>),
    Map(Entries),
}

impl Node {
    /// The value as JSON, not yet escaped.
    fn to_json(&self) -> String {
        match self {
            Self::Plain(value) => value.to_string(),
            Self::Text(text) => Value::from(text.as_str()).to_string(),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_json).collect();
                format!("[{}]", items.join(","))
            }
            Self::Map(entries) => {
                let entries = entries.iter();
                let entries = entries.map(|(key, node)| format!("\"{key}\":{}", node.to_json()));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// The entries before the rooms.
fn head_entries(desired: &Desired) -> Entries {
    let Desired {
        widget,
        scope,
        limits,
        rooms: _,
        files: _,
        rosters: _,
        outside_dates: _,
        names: _,
        today: _,
    } = desired;
    let mut entries = vec![("version", Node::Plain(1.into()))];
    entries.extend(widget.map(|widget| ("widget", Node::Plain(widget.0.into()))));
    add_list(&mut entries, "scope", globs(scope));
    let counted = limits.counted().into_iter().filter_map(|(key, limit)| {
        let limit = match limit? {
            Limit::Count(count) => Node::Plain(count.into()),
            limit @ Limit::Share(_) => Node::Text(limit_words(limit)),
        };
        Some((key, limit))
    });
    let mut limited: Entries = counted.collect();
    add_list(&mut limited, "publish", globs(&limits.publish));
    if !limited.is_empty() {
        entries.push(("limits", Node::Map(limited)));
    }
    entries
}

/// The entries of a room. The members come last, because there may be many.
fn room_entries(room: &DesiredRoom) -> Entries {
    let DesiredRoom {
        pipe,
        state,
        members,
        member_places: _,
        ending: _,
        exclude,
        policy,
        ignore,
        welcome,
        place: _,
    } = room;
    let mut entries = vec![("pipe", Node::Text(pipe.to_string()))];
    entries.extend(Field::ALL.map(|field| {
        let value = match state.raw(field) {
            FieldValue::Text(text) => Node::Text(text.to_owned()),
            FieldValue::Kind(RoomKind::Other(number)) => Node::Plain(number.into()),
            FieldValue::Kind(kind) => Node::Plain(kind.to_string().into()),
            FieldValue::Public(public) => Node::Plain(public.into()),
        };
        (field.name(), value)
    }));
    if *policy == MembersPolicy::OnCreate {
        entries.push(("members_policy", Node::Plain(policy.name().into())));
    }
    let ignored = ignore.iter();
    let ignored = ignored.map(|field| Node::Plain(field.name().into()));
    add_list(&mut entries, "ignore", ignored.collect());
    if let Some(Welcome { from, text }) = welcome {
        let text = Node::Text(verbatim(text));
        let welcome = Node::Map(vec![("from", user(*from)), ("text", text)]);
        entries.push(("welcome", welcome));
    }
    let excluded = exclude.iter().copied().map(user);
    add_list(&mut entries, "exclude", excluded.collect());
    let members = members.iter().copied().map(user);
    entries.push(("members", Node::List(members.collect())));
    entries
}

fn user(user: UserId) -> Node {
    Node::Plain(user.0.into())
}

/// Returns the globs sorted and without duplicates. Their order in the manifest has no meaning.
fn globs(globs: &[String]) -> Vec<Node> {
    let globs: BTreeSet<&String> = globs.iter().collect();
    globs.into_iter().cloned().map(Node::Text).collect()
}

fn add_list(entries: &mut Entries, key: &'static str, items: Vec<Node>) {
    if !items.is_empty() {
        entries.push((key, Node::List(items)));
    }
}
