//! Failures of a call, and whether the server acted on it.

use std::time::Duration;

/// The kinds of calls that failures distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// get_rooms.
    List,
    /// imba_rooms without `room_id`, for a room that does not exist yet.
    Create,
    /// imba_rooms with `room_id`: safe to repeat.
    Update,
    /// send_msg: a repeat sends the message twice.
    Message,
}

/// Why a call failed. The table in `retry` says which causes may be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The host name does not resolve.
    NoAddress,
    /// The connection failed.
    NoConnection,
    /// The connection timed out.
    NoConnectionInTime,
    /// TLS certificate rejected, or the server has no TLS.
    Tls,
    /// HTTP/2: the server rejected the request before it acted on it.
    NotProcessed,
    /// The connection broke; the request may have been sent.
    Cut,
    /// The answer timed out.
    NoAnswer,
    /// An HTTP status other than success.
    Status(u16),
    /// HTTP success, but with an HTML page.
    Html,
    /// HTTP success, but the body is unreadable or of an unknown shape.
    Unreadable,
    /// HTTP success, but the body reports an error with this code; 0 if it has none.
    Body(u16),
}

/// How far a failed request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It was not sent, or the server did not begin to act on it.
    NotSent,
    /// The server refused it.
    Refused,
    /// The server asked to retry later, before it did anything.
    Later,
    /// The server may have acted on it.
    Uncertain,
}

/// A call that did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The cause, if the retry table has one for it.
    pub cause: Option<Cause>,
    /// What happened, without secrets.
    pub message: String,
    /// What the user can do about it.
    pub hint: Option<String>,
    /// How far the request got.
    pub delivery: Delivery,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// Whether a retry would fail the same way.
    pub lasting: bool,
    /// Whether the server rejects the credentials, so that no call would succeed.
    pub denied: bool,
}

impl Failure {
    /// A failure that a retry does not fix.
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

    /// A failure that a retry may fix.
    pub fn passing(delivery: Delivery, message: impl Into<String>) -> Self {
        Self {
            lasting: false,
            ..Self::lasting(delivery, message)
        }
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
