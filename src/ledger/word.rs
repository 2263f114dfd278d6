//! How a line names a field, and how far a message is.

use serde::{Deserialize, Serialize};

use super::entry::Stage;
use crate::model::Field;

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

/// How far a message is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StageWord {
    Intended,
    Confirmed,
    Failed,
}

impl From<Stage> for StageWord {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Intended => Self::Intended,
            Stage::Confirmed => Self::Confirmed,
            Stage::Failed => Self::Failed,
        }
    }
}

impl From<StageWord> for Stage {
    fn from(word: StageWord) -> Self {
        match word {
            StageWord::Intended => Self::Intended,
            StageWord::Confirmed => Self::Confirmed,
            StageWord::Failed => Self::Failed,
        }
    }
}
