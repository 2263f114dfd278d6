//! Ids of widgets, rooms, messages, users, runs and targets.

use std::fmt;
use std::sync::Arc;

use super::named_enum;

/// A widget's number (`imba_id`). Widgets are the unit of ownership: one manifest describes one widget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WidgetId(pub u64);

/// A room's number on the server. Numbers increase across all widgets and are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId(pub u64);

/// A message's number on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// A user's id on the *customer's* site, as in `users_ids`. It is not ImbaChat's own user id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub u64);

/// A room's unique key within a widget. Pipes are compared byte for byte.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pipe(Arc<str>);

impl Pipe {
    /// Creates a pipe from any text, because the server may hold any pipe. The manifest has
    /// stricter rules and checks them itself.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// Returns the pipe as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Pipe {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The id of one run, as used in the ledger, the report, the logs, and the `User-Agent` header.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(Arc<str>);

impl RunId {
    /// Formats a number as 16 hexadecimal digits. The number should be different in each run.
    pub fn new(number: u64) -> Self {
        Self(format!("{number:016x}").into())
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The target of a run: the API's origin (or `sandbox:`) and the widget. A ledger belongs to exactly one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Scheme, host and port of the API, without a path: `https://api.imbachat.com`. The built-in sandbox is `sandbox:`.
    pub origin: String,
    /// The widget that the run reads or writes.
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
    /// Whether the target is the built-in sandbox.
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

named_enum! {
    /// The API of an object store, and the scheme of its addresses.
    pub enum StoreKind {
        /// Amazon S3 and compatible servers.
        S3 = "s3",
        /// Google Cloud Storage.
        Google = "gs",
        /// Azure Blob Storage.
        Azure = "az",
    }
}
