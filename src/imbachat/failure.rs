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
    /// send_msg: repeating it sends the message twice.
    Message,
}

/// What happened to a call. Which of these may be sent again is `retry`'s table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The host has no address.
    NoAddress,
    /// No connection.
    NoConnection,
    /// No connection in time.
    NoConnectionInTime,
    /// The TLS certificate was rejected, or there is no TLS.
    Tls,
    /// HTTP/2: the server rejected the request before it acted on it.
    NotProcessed,
    /// The connection broke; the request may have been sent.
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
    /// Unknown: it may have been done.
    Uncertain,
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
    /// Whether another try would end the same way.
    pub lasting: bool,
    /// Whether the server does not accept the credentials: then no other call would succeed.
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

/// The first names, and how many more there are; `none` if there are none.
pub(super) fn list_names(names: &[String], most: usize, none: &str) -> String {
    let shown = names.get(..most).unwrap_or(names).join(", ");
    match names.len().saturating_sub(most) {
        _ if names.is_empty() => none.to_owned(),
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
