//! A short digest of what the server showed for a pipe. The digest shows whether a saved plan
//! is stale.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::model::{Field, FieldValue, Observed, Pipe};

/// A digest of all rows of a pipe: id, pipe, fields, and whether the row is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 16]);

impl Digest {
    /// Computes the digest of the rows of a pipe, even if there are none.
    pub fn of(observed: &Observed, pipe: &Pipe) -> Self {
        let mut hash = Sha256::new();
        for room in observed.rows(pipe) {
            // With length prefixes, different lists of fields never give the same bytes.
            let mut update_text = |text: &str| {
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text);
            };
            update_text(room.pipe.as_str());
            let mut rest = room.id.0.to_le_bytes().to_vec();
            for field in Field::ALL {
                match room.state.raw(field) {
                    FieldValue::Text(text) => update_text(text),
                    FieldValue::Kind(kind) => rest.extend(kind.number().to_le_bytes()),
                    FieldValue::Public(public) => rest.push(u8::from(public)),
                }
            }
            rest.push(u8::from(room.deleted));
            hash.update(rest);
        }
        Self(hash.finalize().first_chunk().copied().unwrap_or_default())
    }

    /// Parses 32 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        (text.len() == 32 && text.is_ascii()).then_some(())?;
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
