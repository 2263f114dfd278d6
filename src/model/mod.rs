//! The types that every stage shares: desired, observed and recorded rooms.
//!
//! Main types: [`Desired`] (from the manifest), [`Observed`] (from the server) and [`Recorded`]
//! (from the ledger).
//! They are plain, ordered values without serde, I/O or a clock. Each machine-readable format has
//! its own structs elsewhere.

mod counts;
mod date;
mod desired;
mod escaped;
mod ids;
mod member_list;
mod named;
mod observed;
mod recorded;
mod redactor;
mod room;
mod row;
mod text;
mod users;

pub use counts::{CountGap, CountMeaning, CountResult, MemberCounts, RoomCount, Size};
pub use date::{Date, NOTICE, Presence, Time};
pub use desired::{
    Desired, DesiredRoom, FileId, Limit, Limits, Member, MembersPolicy, Place, RosterCounts,
    UserNames, Welcome, user_with_name,
};
pub use ids::{MessageId, Pipe, RoomId, RunId, StoreKind, Target, UserId, WidgetId};
pub use member_list::MemberList;
pub(crate) use named::named_enum;
pub use observed::{LiveRoom, MOST_ROWS, Observed};
pub use recorded::{
    HistoryEntry, ListedRoom, OpenCreate, Owed, PendingField, Recorded, RecordedRoom, Release,
    Sending, Shown,
};
pub use redactor::Redactor;
pub use room::{Field, FieldSet, FieldValue, RoomKind, RoomState};
pub use row::{Cell, Listing, Row};
pub use text::{Count, difference, few, is_hidden, looks, nfc, spell_unsafe};
pub use users::UserSet;
