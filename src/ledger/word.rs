//! How a line names a field.

use serde::{Deserialize, Serialize};

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
