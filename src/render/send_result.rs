//! A message that was sent, as text.

use super::escape::{quoted, terminal};
use crate::model::{MessageId, Pipe, RoomId, Target, UserId};

/// A message that the server confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent<'a> {
    /// Where the room is.
    pub target: &'a Target,
    /// The room.
    pub room: RoomId,
    /// Its pipe, if it was found by that.
    pub pipe: Option<&'a Pipe>,
    /// Who says it.
    pub from: UserId,
    /// What.
    pub text: &'a str,
    /// Its number, if the server told it.
    pub id: Option<MessageId>,
}

/// What was sent, where, and its number. Ends with a line break.
pub fn sent(sent: &Sent<'_>) -> String {
    let Sent {
        target,
        room,
        pipe,
        from,
        text,
        id,
    } = sent;
    let id = match id {
        Some(id) => format!("message {id}"),
        None => "message (the server told no number)".to_owned(),
    };
    let room = match pipe {
        Some(pipe) => format!("{} (room {room})", terminal(pipe.as_str())),
        None => format!("room {room}"),
    };
    let (text, target) = (quoted(text), terminal(&target.to_string()));
    format!("sent: {id} to {room}\n      from {from}: {text}\n      target: {target}\n")
}
