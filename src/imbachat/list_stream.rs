//! Splits a list answer while it arrives. Passes on each element of `data`, and keeps the rest
//! of the answer as the envelope.
//!
//! Main type: [`ListStream`]. It only finds where elements start and end; `wire` parses them.
//! [`rooms_of`] combines both for a saved answer. `data` is a list, or an object with numeric keys,
//! which is how PHP encodes a list with gaps. Stray commas are ignored (`api: fact 8`).

use super::wire::{self, BadAnswer, shape};
use crate::model::LiveRoom;

/// Maximum number of elements in a list.
const MOST_ROWS: usize = 1_000_000;
/// Maximum size of an element in MiB.
const LARGEST_ROW: usize = 8;
/// Maximum size in MiB of the envelope, and of the text between two elements.
const LARGEST_ENVELOPE: usize = 1;

pub(super) const NOT_AN_OBJECT: &str = "an element of the list is not an object";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The number of open brackets around an element: the bracket that opens the answer, and the
/// bracket that opens `data`.
const LEVEL: u32 = 2;

/// Finds the elements of `data` in an answer that arrives in pieces.
#[derive(Debug, Default)]
pub struct ListStream {
    envelope: Vec<u8>,
    row: Vec<u8>,
    key: Vec<u8>,
    depth: u32,
    in_text: bool,
    escaped: bool,
    in_data: bool,
    data_is_list: bool,
    expect_value: bool,
    /// Whether the answer is a JSON object; `None` before its first character.
    is_object: Option<bool>,
    count: usize,
    /// The number of bytes since the last element.
    between: usize,
}

impl ListStream {
    /// Reads a piece of the answer. Passes each element that ends in this piece to `take`.
    ///
    /// # Errors
    /// Returns a [`BadAnswer`] if the list has another shape or is too large, or the error that
    /// `take` returned.
    pub fn feed(
        &mut self,
        piece: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), BadAnswer>,
    ) -> Result<(), BadAnswer> {
        let mut rest = piece;
        while let Some((byte, after)) = rest.split_first() {
            if !self.in_data {
                self.read_envelope(*byte)?;
                rest = after;
            } else if self.depth == LEVEL && !self.starts_element(*byte)? {
                rest = after;
            } else {
                let end = self.element_end(rest);
                let part = rest.split_at_checked(end.unwrap_or(rest.len()));
                let (part, after) = part.unwrap_or((rest, &[]));
                limit(
                    "a row of the server's list",
                    self.row.len() + part.len(),
                    LARGEST_ROW,
                )?;
                self.row.extend_from_slice(part);
                if end.is_some() {
                    self.count += 1;
                    if self.count > MOST_ROWS {
                        let text = format!("the server's list has more than {MOST_ROWS} rows");
                        return Err(BadAnswer::TooLarge(text));
                    }
                    take(&self.row)?;
                }
                rest = after;
            }
        }
        Ok(())
    }

    /// Returns the number of elements that have been passed on.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns the envelope: the answer without its elements.
    ///
    /// # Errors
    /// Returns a [`BadAnswer`] if the answer is incomplete.
    pub fn finish(self) -> Result<Vec<u8>, BadAnswer> {
        let whole = self.depth == 0 && !self.in_text;
        // If the answer is not a JSON object (it may be HTML), parsing the envelope gives a better
        // error.
        if whole || self.is_object != Some(true) {
            Ok(self.envelope)
        } else {
            Err(shape("the answer is cut off before its end"))
        }
    }

    /// Reads a byte between two elements. Returns true if the byte is the start of an element.
    fn starts_element(&mut self, byte: u8) -> Result<bool, BadAnswer> {
        self.between += 1;
        limit(
            "the gap between two rows of the server's list",
            self.between,
            LARGEST_ENVELOPE,
        )?;
        if self.follow_text(byte) {
            return Ok(false);
        }
        match byte {
            b'{' => {
                self.row.clear();
                self.between = 0;
                self.expect_value = self.data_is_list;
                return Ok(true);
            }
            b'}' | b']' => {
                self.depth -= 1;
                self.in_data = false;
                self.expect_value = false;
                self.envelope.push(byte);
            }
            b'"' if !self.expect_value => {}
            b':' => self.expect_value = true,
            b',' | b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => return Err(shape(NOT_AN_OBJECT)),
        }
        Ok(false)
    }

    /// Returns where the current element ends; `None` if it does not end in these bytes.
    fn element_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let end = bytes.iter().position(|byte| {
            if !self.follow_text(*byte) {
                match byte {
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth -= 1,
                    _ => {}
                }
            }
            self.depth == LEVEL
        });
        end.map(|end| end + 1)
    }

    fn read_envelope(&mut self, byte: u8) -> Result<(), BadAnswer> {
        self.envelope.push(byte);
        let what = "the server's answer, not counting its rows,";
        limit(what, self.envelope.len(), LARGEST_ENVELOPE)?;
        if self.is_object.is_none()
            && !byte.is_ascii_whitespace()
            && !BYTE_ORDER_MARK.contains(&byte)
        {
            // Only the first character shows whether the answer is an object. An HTML page may
            // contain braces, but does not start with one.
            self.is_object = Some(byte == b'{');
        }
        if self.follow_text(byte) {
            if self.depth == 1 && self.in_text {
                self.key.push(byte);
            }
            return Ok(());
        }
        match byte {
            b'"' => self.key.clear(),
            b':' => self.expect_value = true,
            b'{' | b'[' => {
                self.depth += 1;
                let data = self.depth == LEVEL && self.expect_value && self.key == b"data";
                self.in_data = data && self.is_object == Some(true);
                self.data_is_list = byte == b'[';
                self.expect_value = self.in_data && self.data_is_list;
            }
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            b',' => self.expect_value = false,
            _ => {}
        }
        Ok(())
    }

    /// Tracks whether the reader is inside a JSON string. Returns true if the byte is part of a
    /// string or ends it.
    fn follow_text(&mut self, byte: u8) -> bool {
        if !self.in_text {
            self.in_text = byte == b'"';
            return false;
        }
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => self.in_text = false,
            _ => {}
        }
        true
    }
}

/// Returns an error if a part of the answer has more than `most` MiB.
fn limit(what: &str, bytes: usize, most: usize) -> Result<(), BadAnswer> {
    match bytes > most << 20 {
        true => Err(BadAnswer::TooLarge(format!(
            "{what} is larger than {most} MiB"
        ))),
        false => Ok(()),
    }
}

/// Parses a saved answer of get_rooms. Returns its rooms in the server's order, including
/// deleted ones. Tolerates the same deviations from the documented format as in answers over
/// HTTP.
///
/// # Errors
/// Returns a [`BadAnswer`] if the answer is not a list of rooms, or reports an error.
pub fn rooms_of(answer: &[u8]) -> Result<Vec<LiveRoom>, BadAnswer> {
    let (mut list, mut rooms) = (ListStream::default(), Vec::new());
    list.feed(answer, |text| {
        rooms.push(wire::row(text)?);
        Ok(())
    })?;
    wire::envelope(&list.finish()?)?;
    Ok(rooms)
}

#[cfg(test)]
#[path = "list_stream_tests.rs"]
mod tests;
