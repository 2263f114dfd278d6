//! What stands in a plan's file: plain structs, so that the plan itself can change without breaking old files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::Field;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Body {
    /// The ledger the plan was made with, where its path is the same on every machine.
    pub(super) ledger: Option<String>,
    pub(super) origin: String,
    pub(super) widget: u64,
    pub(super) changes: Vec<ChangeLine>,
    pub(super) by_hand: Vec<ByHandLine>,
    pub(super) ignored: Vec<IgnoredLine>,
    pub(super) guards: Vec<GuardLine>,
    pub(super) unchanged: usize,
    pub(super) unmanaged: usize,
    pub(super) declared: usize,
    pub(super) conflicts: Vec<ConflictLine>,
    #[serde(default)]
    pub(super) standing: StandingLine,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct StandingLine {
    pub(super) left: Vec<String>,
    pub(super) back: Vec<String>,
    /// Rooms and memberships by the name of the file that gives them.
    pub(super) given: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChangeLine {
    pub(super) pipe: String,
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) room_id: Option<u64>,
    pub(super) digest: String,
    pub(super) recreate: bool,
    pub(super) fields: Vec<ChangedLine>,
    pub(super) send: StateLine,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) kept: Vec<FieldWord>,
    pub(super) new: Vec<u64>,
    pub(super) unverified: Vec<u64>,
    pub(super) recorded: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) welcome: Option<WelcomeLine>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WelcomeLine {
    pub(super) from: u64,
    pub(super) text: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StateLine {
    pub(super) title: String,
    pub(super) r#type: i64,
    pub(super) public: bool,
}

/// A field by its key in the manifest.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FieldWord {
    Title,
    Type,
    Public,
}

impl From<Field> for FieldWord {
    fn from(field: Field) -> Self {
        match field {
            Field::Title => Self::Title,
            Field::Kind => Self::Type,
            Field::Public => Self::Public,
        }
    }
}

impl From<FieldWord> for Field {
    fn from(word: FieldWord) -> Self {
        match word {
            FieldWord::Title => Self::Title,
            FieldWord::Type => Self::Kind,
            FieldWord::Public => Self::Public,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChangedLine {
    #[serde(flatten)]
    pub(super) values: FieldLine,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) outside: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) manifest: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "field", rename_all = "snake_case")]
pub(super) enum FieldLine {
    Title { before: String, after: String },
    Type { before: i64, after: i64 },
    Public { before: bool, after: bool },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ByHandLine {
    pub(super) pipe: String,
    pub(super) room_id: u64,
    pub(super) left: Vec<u64>,
    pub(super) released: Vec<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct IgnoredLine {
    pub(super) pipe: String,
    #[serde(flatten)]
    pub(super) values: FieldLine,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "guard", rename_all = "snake_case")]
pub(super) enum GuardLine {
    Limit {
        key: String,
        count: u64,
        allowed: u64,
        share: Option<u64>,
        rooms: Vec<String>,
    },
    Recreate {
        count: u64,
        rooms: Vec<String>,
    },
    MassChange {
        created: u64,
        left: u64,
        known: u64,
    },
    Shrunk {
        source: String,
        now: u64,
        before: u64,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ConflictLine {
    pub(super) pipe: String,
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) kind: ConflictWord,
    pub(super) room_ids: Vec<u64>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ConflictWord {
    Several,
    Deleted,
    Vanished,
}

/// Something in the body that no plan has.
#[derive(Debug)]
pub(super) struct Odd;
