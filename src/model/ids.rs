//! Identities: what names a widget, a room, a user and the place they live.

use std::fmt;
use std::sync::Arc;

/// A widget's number (`imba_id`), the unit of ownership: one manifest describes one widget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WidgetId(pub u64);

/// A room's number on the server; grows across widgets and is never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId(pub u64);

/// A message's number on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// A user's id on the *customer's* site, the one `users_ids` takes (not ImbaChat's own user id).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub u64);

/// A room's own name for itself, unique within a widget; compared byte for byte.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pipe(Arc<str>);

impl Pipe {
    /// Takes any text: what a manifest may declare is narrower and checked there, the server's pipes are what they are.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The pipe as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Pipe {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// One run of the program, as it stands in the ledger, in the report, in its logs, and in the `User-Agent` of its requests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(Arc<str>);

impl RunId {
    /// The id that a number is: 16 hexadecimal digits. Two runs should not have the same.
    pub fn new(number: u64) -> Self {
        Self(format!("{number:016x}").into())
    }

    /// The id as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a run works on: the API's origin (or `sandbox:`) and the widget. A ledger belongs to exactly one.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Scheme, host and port of the API, without a path: `https://api.imbachat.com`; the in-process sandbox is `sandbox:`.
    pub origin: String,
    /// The widget on it.
    pub widget: WidgetId,
}

macro_rules! display_inner {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}
display_inner!(WidgetId, RoomId, MessageId, UserId, Pipe, RunId);

impl Target {
    /// Whether it is the built-in sandbox.
    pub fn is_sandbox(&self) -> bool {
        self.origin == "sandbox:"
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_sandbox() {
            return write!(f, "widget {} on the sandbox", self.widget);
        }
        write!(f, "widget {} on {}", self.widget, self.origin)
    }
}

/// Whose API an object store is reached by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// Amazon's S3, and the many servers that speak like it.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}
