//! What can go wrong with a call, and the one question that matters after it: did the server act on it?

use std::time::Duration;

/// The calls there are, as far as a failure depends on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// get_rooms.
    List,
    /// imba_rooms for a room that is not there yet: without `room_id`.
    Create,
    /// imba_rooms with `room_id`: repeating it changes nothing.
    Update,
    /// send_msg: repeating it says it twice.
    Message,
}

/// What happened to a call. Which of these may be sent again is `retry`'s table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The host has no address.
    NoAddress,
    /// No connection came about.
    NoConnection,
    /// No connection came about in time.
    NoConnectionInTime,
    /// The other side is not who it should be.
    Tls,
    /// HTTP/2: the server rejected the request before it acted on it.
    NotProcessed,
    /// The connection broke. Whether the request had left, nobody can tell.
    Cut,
    /// No answer in time.
    NoAnswer,
    /// Another HTTP status than success.
    Status(u16),
    /// HTTP success, but a page in HTML.
    Html,
    /// HTTP success, but nothing that can be read, or not of the shape.
    Unreadable,
    /// HTTP success, but the body says no: with this code, or 0 for none.
    Body(u16),
}

/// How far a failed request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It never left, or the server did not begin to act on it.
    NotSent,
    /// The server answered that it would not do it.
    Refused,
    /// The server asked to come back later, before doing anything.
    Later,
    /// Nobody knows: it may have been done.
    InDoubt,
}

/// A call that did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What happened, where the table knows it.
    pub cause: Option<Cause>,
    /// What happened, without secrets.
    pub message: String,
    /// What the user can do about it.
    pub hint: Option<String>,
    /// How far it got.
    pub delivery: Delivery,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// Whether trying again could end otherwise at all.
    pub lasting: bool,
    /// Whether the server does not accept who we are: then no other call would fare better.
    pub denied: bool,
}

impl Failure {
    /// A failure that another try would only repeat.
    pub fn lasting(delivery: Delivery, message: impl Into<String>) -> Self {
        Self {
            cause: None,
            message: message.into(),
            hint: None,
            delivery,
            retry_after: None,
            lasting: true,
            denied: false,
        }
    }

    /// A failure that may pass.
    pub fn passing(delivery: Delivery, message: impl Into<String>) -> Self {
        Self {
            lasting: false,
            ..Self::lasting(delivery, message)
        }
    }

    /// The same with a remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Names in a row, not all of very many; `None` if there are none.
pub(super) fn some(
    mut names: impl ExactSizeIterator<Item = String>,
    most: usize,
) -> Option<String> {
    let shown: Vec<String> = names.by_ref().take(most).collect();
    match names.len() {
        _ if shown.is_empty() => None,
        0 => Some(shown.join(", ")),
        more => Some(format!("{} and {more} more", shown.join(", "))),
    }
}
