//! A list answer, split while it arrives: each element of `data` is handed over and forgotten, the rest is kept as the envelope.
//!
//! Main type: [`ListStream`]. It only finds where elements start and end; `wire` decodes them. `data` may be a list or, as PHP
//! encodes arrays with gaps, an object with numeric keys; stray commas are ignored (`api: fact 8`). In an answer of an undocumented
//! shape it also finds the elements of a bare list; `raw_rows` looks for lists elsewhere in it.

/// An element larger than this is not a room.
const LARGEST_ROW: usize = 8 << 20;
/// An envelope larger than this is not one.
const LARGEST_ENVELOPE: usize = 1 << 20;
/// The same if the rows may be in it: then all of them are kept.
const LARGEST_OF_ANY_SHAPE: usize = 64 << 20;

/// Why a list answer cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// A part is too large.
    #[error("a part of the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// An element of the list is not an object.
    #[error("an element of the list is not an object")]
    NotAnObject,
    /// The answer ended too early.
    #[error("the answer ends in the middle")]
    Cut,
}

/// Finds the elements of `data` in a stream of bytes.
#[derive(Debug, Default)]
pub struct ListStream {
    envelope: Vec<u8>,
    row: Vec<u8>,
    key: Vec<u8>,
    depth: u32,
    in_text: bool,
    escaped: bool,
    in_data: bool,
    /// How many brackets are open around an element.
    level: u32,
    data_is_list: bool,
    expect_value: bool,
    count: usize,
    any_shape: bool,
}

impl ListStream {
    /// `any_shape`: for an answer whose shape is not documented.
    pub fn new(any_shape: bool) -> Self {
        Self {
            any_shape,
            ..Self::default()
        }
    }

    /// Reads a piece of the answer; every element that ends in it goes to `take`.
    ///
    /// # Errors
    /// [`RowError`], or what `take` returned.
    pub fn feed<E: From<RowError>>(
        &mut self,
        piece: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = piece;
        while let Some((byte, after)) = rest.split_first() {
            if !self.in_data || self.depth < self.level {
                self.read_envelope(*byte)?;
                rest = after;
            } else if self.depth == self.level && !self.starts_element(*byte)? {
                rest = after;
            } else {
                let end = self.element_end(rest);
                let part = rest.split_at_checked(end.unwrap_or(rest.len()));
                let (part, after) = part.unwrap_or((rest, &[]));
                if self.row.len() + part.len() > LARGEST_ROW {
                    return Err(RowError::TooLarge(LARGEST_ROW).into());
                }
                self.row.extend_from_slice(part);
                if end.is_some() {
                    self.count += 1;
                    take(&self.row)?;
                }
                rest = after;
            }
        }
        Ok(())
    }

    /// How many elements came.
    pub fn count(&self) -> usize {
        self.count
    }

    /// What is left of the answer without the elements.
    ///
    /// # Errors
    /// [`RowError::Cut`] if the answer is not complete.
    pub fn finish(self) -> Result<Vec<u8>, RowError> {
        let whole = self.depth == 0 && !self.in_text;
        // What is not even an object, HTML above all, gets its own error from the reader of the envelope.
        if whole || !self.begins_with(b"{") {
            Ok(self.envelope)
        } else {
            Err(RowError::Cut)
        }
    }

    /// Reads a byte between elements. True if an element starts with it.
    fn starts_element(&mut self, byte: u8) -> Result<bool, RowError> {
        if self.follow_text(byte) {
            if self.any_shape && self.in_text {
                self.key.push(byte);
                if self.key.len() > LARGEST_ENVELOPE {
                    return Err(RowError::TooLarge(LARGEST_ENVELOPE));
                }
            }
            return Ok(false);
        }
        match byte {
            b'{' => {
                self.row.clear();
                self.expect_value = self.data_is_list;
                return Ok(true);
            }
            b'}' | b']' => {
                self.depth -= 1;
                self.in_data = false;
                self.expect_value = false;
                self.envelope.push(byte);
            }
            b'"' if !self.expect_value => self.key.clear(),
            // `data` has names where PHP would have put numbers: it belongs to the envelope.
            b':' if self.any_shape
                && !self.data_is_list
                && self.count == 0
                && !is_number(&self.key) =>
            {
                self.in_data = false;
                self.envelope.push(b'"');
                self.envelope.append(&mut self.key);
                self.envelope.extend(b"\":");
            }
            b':' => self.expect_value = true,
            b',' | b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => return Err(RowError::NotAnObject),
        }
        Ok(false)
    }

    /// Where the element that the bytes are in ends, if it does.
    fn element_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let end = bytes.iter().position(|byte| {
            if !self.follow_text(*byte) {
                match byte {
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth -= 1,
                    _ => {}
                }
            }
            self.depth == self.level
        });
        end.map(|end| end + 1)
    }

    fn read_envelope(&mut self, byte: u8) -> Result<(), RowError> {
        self.envelope.push(byte);
        let largest = match self.any_shape {
            true => LARGEST_OF_ANY_SHAPE,
            false => LARGEST_ENVELOPE,
        };
        if self.envelope.len() > largest {
            return Err(RowError::TooLarge(largest));
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
                let data = self.depth == 2 && self.expect_value && self.key == b"data";
                let bare = self.depth == 1 && self.any_shape && byte == b'[';
                self.in_data = data && self.begins_with(b"{") || bare;
                self.level = self.depth;
                self.data_is_list = byte == b'[';
                self.expect_value = self.in_data && self.data_is_list;
            }
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            b',' => self.expect_value = false,
            _ => {}
        }
        Ok(())
    }

    /// What the answer began with, with or without a byte order mark; a page with a script in it is neither object nor list.
    fn begins_with(&self, bracket: &[u8]) -> bool {
        let text = self.envelope.as_slice();
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        text.trim_ascii_start().starts_with(bracket)
    }

    /// Follows texts. True if the byte is inside of one, or ends one.
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

/// Whether a key is one of those that PHP gives a list with gaps.
pub(super) fn is_number(key: &[u8]) -> bool {
    !key.is_empty() && key.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
#[path = "list_stream_tests.rs"]
mod tests;
