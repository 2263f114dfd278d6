//! The rooms after rosters and templates are resolved: as a JSON manifest, or as CSV with a line for each member. Rooms are written one
//! by one, so that a large manifest is not in memory twice. Equal input gives equal bytes.

use std::io::{self, Write};
use std::iter;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::json;

use super::csv::{CsvReader, io_error};
use super::escape;
use crate::manifest::verbatim;
use crate::model::{
    Desired, DesiredRoom, Field, FieldValue, Limit, Limits, MembersPolicy, Pipe, RoomKind, Welcome,
};
use crate::view::limit_words;

/// Writes the rooms as a manifest, one line for each room. The result gives the same plan.
///
/// # Errors
/// The output cannot be written.
pub fn manifest(desired: &Desired, rooms: &[&DesiredRoom], out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\n\"version\": 1,\n")?;
    if let Some(widget) = desired.widget {
        writeln!(out, "\"widget\": {widget},")?;
    }
    if !desired.scope.is_empty() {
        let scope = escape::json(&serde_json::to_string(&desired.scope)?);
        writeln!(out, "\"scope\": {scope},")?;
    }
    if desired.limits != Limits::default() {
        let limits = desired.limits.counted().into_iter();
        let limits = limits.filter_map(|(key, limit)| match limit? {
            limit @ Limit::Count(_) => Some(format!("\"{key}\":{}", limit_words(limit))),
            limit => Some(format!("\"{key}\":\"{}\"", limit_words(limit))),
        });
        let mut limits: Vec<String> = limits.collect();
        if !desired.limits.publish.is_empty() {
            let publish = escape::json(&serde_json::to_string(&desired.limits.publish)?);
            limits.push(format!("\"publish\":{publish}"));
        }
        let limits = limits.join(",");
        writeln!(out, "\"limits\": {{{limits}}},")?;
    }
    write!(out, "\"rooms\": [")?;
    for (index, room) in rooms.iter().enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        let room = serde_json::to_string(&JsonRoom(room))?;
        out.write_all(escape::json(&room).as_bytes())?;
    }
    out.write_all(b"\n]\n}\n")
}

/// A room in the manifest's syntax.
struct JsonRoom<'a>(&'a DesiredRoom);

impl Serialize for JsonRoom<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let DesiredRoom {
            pipe,
            state,
            members,
            ending: _,
            exclude,
            policy,
            ignore,
            welcome,
            place: _,
        } = self.0;
        let mut room = serializer.serialize_map(None)?;
        room.serialize_entry("pipe", pipe.as_str())?;
        for field in Field::ALL {
            let name = field.name();
            match state.raw(field) {
                FieldValue::Text(text) => room.serialize_entry(name, text)?,
                FieldValue::Kind(RoomKind::Other(number)) => room.serialize_entry(name, &number)?,
                FieldValue::Kind(kind) => room.serialize_entry(name, &kind.to_string())?,
                FieldValue::Public(public) => room.serialize_entry(name, &public)?,
            }
        }
        let members: Vec<u64> = members.iter().map(|member| member.user.0).collect();
        room.serialize_entry("members", &members)?;
        if !exclude.is_empty() {
            let exclude: Vec<u64> = exclude.iter().map(|user| user.0).collect();
            room.serialize_entry("exclude", &exclude)?;
        }
        if *policy == MembersPolicy::OnCreate {
            room.serialize_entry("members_policy", "on_create")?;
        }
        let ignored: Vec<&str> = ignore.iter().map(Field::name).collect();
        if !ignored.is_empty() {
            room.serialize_entry("ignore", &ignored)?;
        }
        if let Some(Welcome { from, text }) = welcome {
            let welcome = json!({ "from": from.0, "text": verbatim(text) });
            room.serialize_entry("welcome", &welcome)?;
        }
        room.end()
    }
}

/// The first room that CSV cannot print: its pipe or title has a command that the log of a CI job obeys, and CSV has no escapes.
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

/// Writes `pipe,title,type,public,user`, one line for each member. A room without members has a line without a user.
///
/// # Errors
/// The output cannot be written.
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
        for member in &room.members {
            line(&member.user.to_string())?;
        }
    }
    table.flush()
}
