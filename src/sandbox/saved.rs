//! The state as text: JSON with a format number, one room, user or message a line, so that a person can read and diff it.
//!
//! The main functions are [`write()`] and [`read()`]. They do not touch files (that is [`super::store`]).

use serde::{Deserialize, Serialize};

use super::state::{Counters, Message, Room, State, User};

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

/// Reads a state.
pub(super) fn read(text: &[u8]) -> Result<State, ReadError> {
    let Header { format } = serde_json::from_slice(text)?;
    if format != FORMAT {
        return Err(ReadError::Format(format));
    }
    let Saved {
        counters,
        rooms,
        users,
        messages,
    } = serde_json::from_slice(text)?;
    let mut state = State {
        counters,
        ..State::default()
    };
    for room in rooms {
        state.counters.room = state.counters.room.max(room.id);
        state.widget_mut(room.widget).put_room(room);
    }
    for user in users {
        state.counters.user = state.counters.user.max(user.id);
        state
            .widget_mut(user.widget)
            .users
            .insert(user.remote, user);
    }
    for message in messages {
        state.counters.message = state.counters.message.max(message.id);
        state.widget_mut(message.widget).messages.push(message);
    }
    Ok(state)
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
        let again = read(text.as_bytes()).unwrap();
        assert_eq!(written(&again), text);
        assert_eq!(again.counters, state.counters);
        assert_eq!(again.widgets[&7].rooms, state.widgets[&7].rooms);
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
