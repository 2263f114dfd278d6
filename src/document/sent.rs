//! A sent message as a document.

use serde::Serialize;

use super::{Header, TargetDocument};
use crate::error::Exit;
use crate::view::Sent;

/// The message that `send` sent.
#[derive(Debug, Serialize)]
pub struct SentDocument {
    #[serde(flatten)]
    header: Header,
    #[serde(flatten)]
    target: TargetDocument,
    room_id: u64,
    /// The room's pipe, if the pipe was used to find it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pipe: Option<String>,
    /// The sender's user id on the site.
    user_id: u64,
    /// The message's id, or null if the server gave none.
    message_id: Option<u64>,
    message: String,
}

impl SentDocument {
    /// Builds the document of a sent message.
    pub fn new(sent: &Sent<'_>) -> Self {
        Self {
            header: Header::new("sent", Exit::Done),
            target: TargetDocument::new(sent.target),
            room_id: sent.room.0,
            pipe: sent.pipe.map(ToString::to_string),
            user_id: sent.from.0,
            message_id: sent.id.map(|id| id.0),
            message: sent.text.to_owned(),
        }
    }
}
