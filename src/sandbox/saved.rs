//! The state as text: JSON with a format number, one room, user or message a line, so that a person can read and diff it.
//! After it come the changes since, one a line: saving one room does not write all others again.
//!
//! The main functions are [`write()`], [`write_changes()`] and [`read()`]. They do not touch files (that is [`super::store`]).

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::state::{Counters, Key, Message, Room, State, User};

/// The format written here, and the only one that is read.
pub(super) const FORMAT: u64 = 1;

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

/// A line after the state: what replaces or follows what was there.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Change<'a> {
    Counters(Counters),
    Room(Cow<'a, Room>),
    User(Cow<'a, User>),
    Message(Cow<'a, Message>),
}

/// A state that was read.
pub(super) struct Loaded {
    pub(super) state: State,
    /// Whether the last line was cut short. Nothing in it was answered, so it is left out.
    pub(super) is_torn: bool,
}

/// Why a text is not a state.
#[derive(Debug)]
pub(super) enum ReadError {
    Damaged(serde_json::Error),
    Format(u64),
}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error)
    }
}

/// The text of a state.
pub(super) fn write(state: &State) -> serde_json::Result<Vec<u8>> {
    let widgets = || state.widgets.values();
    let mut text = format!("{{\"format\":{FORMAT},\n\"counters\":").into_bytes();
    serde_json::to_writer(&mut text, &state.counters)?;
    write_lines(
        &mut text,
        "rooms",
        widgets().flat_map(|widget| widget.rooms.values()),
    )?;
    write_lines(
        &mut text,
        "users",
        widgets().flat_map(|widget| widget.users.values()),
    )?;
    write_lines(
        &mut text,
        "messages",
        widgets().flat_map(|widget| &widget.messages),
    )?;
    text.extend_from_slice(b"}\n");
    Ok(text)
}

/// The lines that bring the text of an older state up to this one.
pub(super) fn write_changes(state: &State, changed: &BTreeSet<Key>) -> serde_json::Result<Vec<u8>> {
    let change = |key: &Key| {
        let widget = |number| state.widgets.get(number);
        Some(match key {
            Key::Room(number, id) => Change::Room(Cow::Borrowed(widget(number)?.rooms.get(id)?)),
            Key::User(number, id) => Change::User(Cow::Borrowed(widget(number)?.users.get(id)?)),
            Key::Message(number, index) => {
                Change::Message(Cow::Borrowed(widget(number)?.messages.get(*index)?))
            }
        })
    };
    let mut text = Vec::new();
    for change in [Change::Counters(state.counters)]
        .into_iter()
        .chain(changed.iter().filter_map(change))
    {
        serde_json::to_writer(&mut text, &change)?;
        text.push(b'\n');
    }
    Ok(text)
}

fn write_lines<'a, T: Serialize + 'a>(
    text: &mut Vec<u8>,
    name: &str,
    items: impl Iterator<Item = &'a T>,
) -> serde_json::Result<()> {
    text.extend_from_slice(format!(",\n\"{name}\":[").as_bytes());
    for (at, item) in items.enumerate() {
        text.extend_from_slice(if at == 0 { b"\n" } else { b",\n" });
        serde_json::to_writer(&mut *text, item)?;
    }
    text.push(b']');
    Ok(())
}

/// Reads a state and the changes after it.
pub(super) fn read(text: &[u8]) -> Result<Loaded, ReadError> {
    let (Header { format }, _) = first(text)?;
    if format != FORMAT {
        return Err(ReadError::Format(format));
    }
    let (
        Saved {
            counters,
            rooms,
            users,
            messages,
        },
        end,
    ) = first(text)?;
    let rooms = rooms.into_iter().map(|it| Change::Room(Cow::Owned(it)));
    let users = users.into_iter().map(|it| Change::User(Cow::Owned(it)));
    let messages = messages.into_iter();
    let messages = messages.map(|it| Change::Message(Cow::Owned(it)));
    let mut state = State {
        counters,
        ..State::default()
    };
    for change in rooms.chain(users).chain(messages) {
        take(&mut state, change);
    }
    let changes = text.get(end..).unwrap_or_default();
    let mut is_torn = false;
    for line in changes.split_inclusive(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            continue;
        }
        is_torn = !line.ends_with(b"\n");
        match serde_json::from_slice(line) {
            Ok(_) if is_torn => {}
            Ok(change) => take(&mut state, change),
            Err(error) if is_torn && error.is_eof() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Loaded { state, is_torn })
}

/// The first document of a text, and where it ends.
fn first<'de, T: Deserialize<'de>>(text: &'de [u8]) -> serde_json::Result<(T, usize)> {
    let mut documents = serde_json::Deserializer::from_slice(text).into_iter();
    let first = documents.next();
    let first = first.unwrap_or_else(|| serde_json::from_slice(text))?;
    Ok((first, documents.byte_offset()))
}

fn take(state: &mut State, change: Change<'_>) {
    match change {
        Change::Counters(counters) => state.counters = counters,
        Change::Room(room) => {
            state.counters.room = state.counters.room.max(room.id);
            state.widget_mut(room.widget).put_room(room.into_owned());
        }
        Change::User(user) => {
            state.counters.user = state.counters.user.max(user.id);
            let users = &mut state.widget_mut(user.widget).users;
            users.insert(user.remote, user.into_owned());
        }
        Change::Message(message) => {
            state.counters.message = state.counters.message.max(message.id);
            let messages = &mut state.widget_mut(message.widget).messages;
            messages.push(message.into_owned());
        }
    }
}

#[cfg(test)]
#[expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a failing unwrap is a failing test"
)]
mod tests {
    use super::*;

    fn written(state: &State) -> String {
        String::from_utf8(write(state).unwrap()).unwrap()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut state = State::default();
        state.touch(7, 1_608_410_527);
        state.touch(8, 1_608_410_528);
        state.add_user(7, 3, None, false, 1_608_410_529);
        let text = written(&state);
        let again = read(text.as_bytes()).unwrap().state;
        assert_eq!(written(&again), text);
        assert_eq!(again.counters, state.counters);
        assert_eq!(again.widgets[&7].rooms, state.widgets[&7].rooms);
    }

    #[test]
    fn changes_bring_an_older_text_up_to_date_and_a_torn_one_is_left_out() {
        let mut state = State::default();
        state.touch(7, 0);
        let mut text = written(&state);
        state.changed.clear();
        let mut room = state.widgets[&7].rooms[&1].clone();
        room.members.insert(3);
        state.put_room(room);
        state.add_user(7, 3, Some("user"), false, 1);
        state.generated_pipe(2);
        let changes = write_changes(&state, &state.changed).unwrap();
        text.push_str(&String::from_utf8(changes).unwrap());
        assert_eq!(text.lines().count(), 7 + 3);
        let again = read(text.as_bytes()).unwrap();
        assert_eq!(written(&again.state), written(&state));
        assert!(!again.is_torn);
        for cut in [1, 2, 30] {
            let torn = read(&text.as_bytes()[..text.len() - cut]).unwrap();
            assert!(torn.is_torn && !torn.state.widgets[&7].users.contains_key(&3));
        }
        for damage in ["}", "{\"guest\":1}\n", "{\"room\":{}\n"] {
            let damaged = format!("{text}{damage}");
            let read = read(damaged.as_bytes());
            assert!(matches!(read, Err(ReadError::Damaged(_))), "{damage}");
        }
    }

    #[test]
    fn each_thing_has_its_line() {
        let mut state = State::default();
        assert_eq!(written(&state).lines().count(), 5);
        state.touch(7, 0);
        state.touch(8, 0);
        assert_eq!(written(&state).lines().count(), 9);
    }

    #[test]
    fn another_format_is_told_from_damage() {
        assert!(matches!(
            read(b"{\"format\":2,\"shape\":[]}"),
            Err(ReadError::Format(2))
        ));
        for text in [
            "",
            "{}",
            "[1]",
            "{\"format\":1}",
            "{\"format\":1,\"rooms\":[",
            "not json",
        ] {
            assert!(
                matches!(read(text.as_bytes()), Err(ReadError::Damaged(_))),
                "{text}"
            );
        }
    }
}
