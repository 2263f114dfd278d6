//! The failures of a call, and what is known about whether the server acted on the call.

use std::time::Duration;

/// The kind of a call. The retry table treats each kind differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// A call of get_rooms.
    List,
    /// A call of imba_rooms without `room_id`, for a room that does not exist yet.
    Create,
    /// A call of imba_rooms with `room_id`. It is safe to repeat.
    Update,
    /// A call of send_msg. A repeated call sends the message twice.
    Message,
}

/// Why a call failed. The table in `retry` decides after which causes a call may be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The host name cannot be resolved.
    NoAddress,
    /// The connection could not be opened.
    NoConnection,
    /// The connection could not be opened in time.
    NoConnectionInTime,
    /// The server's TLS certificate was rejected, or the TLS handshake failed.
    Tls,
    /// The server reported over HTTP/2 that it rejected the request without acting on it.
    NotProcessed,
    /// The connection broke, and the request may already have been sent.
    Cut,
    /// The server did not answer in time.
    NoAnswer,
    /// The answer has this HTTP status, which is not success.
    Status(u16),
    /// The answer has HTTP status success, but is an HTML page.
    Html,
    /// The answer has HTTP status success, but its body is unreadable or has an unknown shape.
    Unreadable,
    /// The answer has HTTP status success, but its body reports an error with this code; 0 if the
    /// body has no code.
    Body(u16),
}

/// How far a failed request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The request was not sent, or the server did not begin to act on it.
    NotSent,
    /// The server refused the request.
    Refused,
    /// The server asked to retry later, and has not acted on the request.
    Later,
    /// The server may have acted on the request.
    Uncertain,
}

/// A call that did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The cause of the failure; `None` if the retry table has no row for it.
    pub cause: Option<Cause>,
    /// What went wrong, without secrets.
    pub message: String,
    /// What the user can do about it.
    pub hint: Option<String>,
    /// How far the request got.
    pub delivery: Delivery,
    /// How long the server asked to wait before a retry.
    pub retry_after: Option<Duration>,
    /// Whether a retry would fail the same way.
    pub lasting: bool,
    /// Whether the server rejected the credentials, so that every other call would fail too.
    pub denied: bool,
}

impl Failure {
    /// Creates a failure that a retry would not fix.
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

    /// Creates a failure that a retry may fix.
    pub fn passing(delivery: Delivery, message: impl Into<String>) -> Self {
        Self {
            lasting: false,
            ..Self::lasting(delivery, message)
        }
    }

    /// Sets the hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
