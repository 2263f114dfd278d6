//! A sent message as a document.

use serde_json::json;

use super::Document;
use crate::error::Exit;
use crate::view::Sent;

/// The message that `send` sent. Its id is null if the server gave none; the pipe is null if a room id was given.
pub fn sent(sent: &Sent<'_>) -> Document {
    let body = json!({
        "room_id": sent.room.0,
        "pipe": sent.pipe.map(ToString::to_string),
        "user_id": sent.from.0,
        "message_id": sent.id.map(|id| id.0),
        "message": sent.text,
    });
    Document::new("sent", Exit::Done, Some(sent.target), body)
}
