//! Writes the rooms, with rosters and templates resolved, as a JSON manifest or as CSV with a
//! line for each member. Writes room by room, so that a large manifest is not in memory twice.
//! The same input always gives the same bytes.

use std::io::{self, Write};
use std::iter;

use super::csv::{CsvReader, io_error};
use super::escape;
use super::manifest_node::{self, Node};
use crate::model::{Desired, DesiredRoom, Field, FieldValue, Pipe};

/// Writes the rooms as a manifest, with a line for each room. The new manifest results in the same
/// plan.
///
/// # Errors
/// Returns an error if the output cannot be written.
pub fn manifest(desired: &Desired, rooms: &[&DesiredRoom], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{{")?;
    for (key, node) in manifest_node::head(desired) {
        writeln!(out, "\"{key}\": {},", escape::json(&node.to_json()))?;
    }
    write!(out, "\"rooms\": [")?;
    for (index, room) in rooms.iter().enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        let room = Node::Map(manifest_node::room(room)).to_json();
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
        for member in &room.members {
            line(&member.user.to_string())?;
        }
    }
    table.flush()
}
