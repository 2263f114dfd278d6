//! The state as text: a line with a format number, then a line for each room, user and message, so that it is easy to read and diff.
//! Later changes follow, one per line, so that saving one room does not rewrite all others.
//!
//! The main functions are [`write()`], [`write_changes()`] and [`read()`]. File access is in [`super::store`].

use std::path::Path;

use serde::Deserialize;

use super::error::SandboxError;
use super::records::{Counters, Entry, Message, Room, User};
use super::server_state::World;

/// The format version that is written, and the only one that can be read.
const FORMAT: u64 = 1;

#[derive(Deserialize)]
struct Header {
    format: u64,
}

#[derive(Deserialize)]
struct Saved {
    counters: Counters,
    rooms: Vec<Room>,
    users: Vec<User>,
    messages: Vec<Message>,
}

pub(super) fn write(world: &World) -> serde_json::Result<Vec<u8>> {
    let widgets = || world.widgets.values();
    let rooms = widgets().flat_map(|it| it.rooms.values().cloned());
    let users = widgets().flat_map(|it| it.users.values().cloned());
    let messages = widgets().flat_map(|it| it.messages.iter().cloned());
    let entries = rooms.map(Entry::Room).chain(users.map(Entry::User));
    let entries: Vec<Entry> = entries.chain(messages.map(Entry::Message)).collect();
    // The lists in the head stay empty, because each record has a line of its own below. Only
    // older states have records in the lists.
    let counters = serde_json::to_string(&world.counters)?;
    let head = format!(
        "{{\"format\":{FORMAT},\"counters\":{counters},\"rooms\":[],\"users\":[],\"messages\":[]}}\n"
    );
    let lines = write_changes(world.counters, &entries)?;
    Ok([head.into_bytes(), lines].concat())
}

/// Serializes the changes since the last save.
pub(super) fn write_changes(counters: Counters, changes: &[Entry]) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    for change in [&Entry::Counters(counters)].into_iter().chain(changes) {
        serde_json::to_writer(&mut text, change)?;
        text.push(b'\n');
    }
    Ok(text)
}

/// Reads a state and the changes after it. Also returns whether the last line is partial. A partial
/// line is dropped, because its call was never answered. The path is only for errors.
pub(super) fn read(path: &Path, text: &[u8]) -> Result<(World, bool), SandboxError> {
    let path = || path.to_owned();
    let damaged = |source| SandboxError::Damaged {
        path: path(),
        source,
    };
    let (Header { format }, _) = first(text).map_err(damaged)?;
    if format != FORMAT {
        return Err(SandboxError::Format {
            path: path(),
            format,
        });
    }
    let (saved, end) = first::<Saved>(text).map_err(damaged)?;
    let mut world = World::for_saving();
    let entries = [Entry::Counters(saved.counters)].into_iter();
    entries
        .chain(saved.rooms.into_iter().map(Entry::Room))
        .chain(saved.users.into_iter().map(Entry::User))
        .chain(saved.messages.into_iter().map(Entry::Message))
        .for_each(|entry| world.load(entry));
    let changes = text.get(end..).unwrap_or_default();
    let mut is_torn = false;
    for line in changes.split_inclusive(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            continue;
        }
        is_torn = !line.ends_with(b"\n");
        match serde_json::from_slice(line) {
            Ok(_) if is_torn => {}
            Ok(change) => world.load(change),
            Err(error) if is_torn && error.is_eof() => {}
            Err(error) => return Err(damaged(error)),
        }
    }
    Ok((world, is_torn))
}

/// Returns the first JSON document in a text, and the offset of its end.
fn first<'de, T: Deserialize<'de>>(text: &'de [u8]) -> serde_json::Result<(T, usize)> {
    let mut documents = serde_json::Deserializer::from_slice(text).into_iter();
    let first = documents.next();
    let first = first.unwrap_or_else(|| serde_json::from_slice(text))?;
    Ok((first, documents.byte_offset()))
}

#[cfg(test)]
#[path = "saved_tests.rs"]
mod tests;
