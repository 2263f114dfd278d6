//! Formats a sent message as text.

use super::escape::{quoted, terminal};
use crate::view::Sent;

/// Returns the sent message, its room and its id as text, which ends with a line break.
pub fn sent(sent: &Sent<'_>) -> String {
    let id = match sent.id {
        Some(id) => format!("message {id}"),
        None => "message (the server gave no id)".to_owned(),
    };
    let room = match sent.pipe {
        Some(pipe) => format!("{} (room {})", terminal(pipe.as_str()), sent.room),
        None => format!("room {}", sent.room),
    };
    let (from, text) = (sent.from, quoted(sent.text));
    let target = terminal(&sent.target.to_string());
    format!("sent: {id} to {room}\n      from {from}: {text}\n      target: {target}\n")
}
