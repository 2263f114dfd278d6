//! A list answer, decoded while it arrives: each element of `data` is handed over and forgotten, the rest is kept as the envelope.
//!
//! Main type: [`ListStream`]. It only finds where elements begin and end; what they mean is `wire`'s. `data` may be a list or,
//! as PHP encodes arrays with gaps, an object with numeric keys; stray commas are passed over (`api: fact 8`). Of an answer whose
//! shape nobody published the elements of a bare list are found too; what may be elsewhere in it is left to `raw_envelope`.

/// An element larger than this is not a room.
const LARGEST_ROW: usize = 8 << 20;
/// An envelope larger than this is not one.
const LARGEST_ENVELOPE: usize = 1 << 20;
/// The same where the rows may be in it: they are piled up.
const LARGEST_OF_ANY_SHAPE: usize = 64 << 20;

/// Why a list answer cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// A part is larger than anything meant.
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
    /// For an answer whose shape nobody published.
    pub fn of_any_shape() -> Self {
        Self {
            any_shape: true,
            ..Self::default()
        }
    }

    /// Whether it is for one of those.
    pub fn is_of_any_shape(&self) -> bool {
        self.any_shape
    }

    /// Takes a piece of the answer; every element that ends in it goes to `take`.
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
                self.envelope_byte(*byte)?;
                rest = after;
            } else if self.depth == self.level && !self.skip_to_element(*byte)? {
                rest = after;
            } else {
                rest = self.element(rest, &mut take)?;
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
        // What is not even an object has its own name, HTML above all; only the envelope's reader knows it.
        if whole || !self.begins_with(b"{") {
            Ok(self.envelope)
        } else {
            Err(RowError::Cut)
        }
    }

    /// Reads a byte between elements. True if an element starts with it.
    fn skip_to_element(&mut self, byte: u8) -> Result<bool, RowError> {
        if self.text(byte) {
            if self.any_shape && self.in_text {
                self.name(byte)?;
            }
            return Ok(false);
        }
        match byte {
            b'{' => {
                self.row.clear();
                self.expect_value = self.data_is_list;
                return Ok(true);
            }
            b'[' => return Err(RowError::NotAnObject),
            b'}' | b']' => {
                self.depth -= 1;
                self.in_data = false;
                self.expect_value = false;
                self.envelope.push(byte);
            }
            b'"' if self.expect_value => return Err(RowError::NotAnObject),
            b'"' => self.key.clear(),
            b':' if self.is_no_list() => self.leave(),
            b':' => self.expect_value = true,
            b',' | b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => return Err(RowError::NotAnObject),
        }
        Ok(false)
    }

    /// Takes what a piece has of an element, and gives back what is behind it. One that lies in the piece as a whole is not copied.
    fn element<'p, E: From<RowError>>(
        &mut self,
        piece: &'p [u8],
        take: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<&'p [u8], E> {
        let end = self.end(piece);
        let (part, rest) = piece
            .split_at_checked(end.unwrap_or(piece.len()))
            .unwrap_or((piece, &[]));
        if self.row.len() + part.len() > LARGEST_ROW {
            return Err(RowError::TooLarge(LARGEST_ROW).into());
        }
        let is_whole = end.is_some() && self.row.is_empty();
        if !is_whole {
            self.row.extend_from_slice(part);
        }
        if end.is_some() {
            self.count += 1;
            take(if is_whole { part } else { &self.row })?;
        }
        Ok(rest)
    }

    /// Where the element that the bytes are in ends, if it does. These are nearly all bytes of a list.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if self.in_text {
                at += self.text_end(rest).unwrap_or(rest.len());
                continue;
            }
            let sign = rest.iter().position(|byte| is_bracket_or_quote(*byte))?;
            at += sign + 1;
            match rest.get(sign) {
                Some(b'"') => self.in_text = true,
                Some(b'{' | b'[') => self.depth += 1,
                Some(_) => {
                    self.depth -= 1;
                    if self.depth == self.level {
                        return Some(at);
                    }
                }
                None => {}
            }
        }
        None
    }

    /// Where the text that the bytes are in ends, if it does: as [`text`](Self::text) follows it, without a look at the fields for each
    /// byte.
    fn text_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut escaped = self.escaped;
        let end = bytes.iter().position(|byte| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        });
        self.escaped = escaped;
        self.in_text = end.is_none();
        end.map(|end| end + 1)
    }

    fn envelope_byte(&mut self, byte: u8) -> Result<(), RowError> {
        self.envelope.push(byte);
        let largest = self.largest();
        if self.envelope.len() > largest {
            return Err(RowError::TooLarge(largest));
        }
        let was_text = self.in_text;
        if self.text(byte) {
            if self.depth == 1 && was_text && self.in_text {
                self.key.push(byte);
            }
            return Ok(());
        }
        match byte {
            b'"' if !was_text => self.key.clear(),
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

    fn largest(&self) -> usize {
        if self.any_shape {
            LARGEST_OF_ANY_SHAPE
        } else {
            LARGEST_ENVELOPE
        }
    }

    /// A letter of a key in `data`.
    fn name(&mut self, byte: u8) -> Result<(), RowError> {
        self.key.push(byte);
        if self.key.len() > LARGEST_ENVELOPE {
            return Err(RowError::TooLarge(LARGEST_ENVELOPE));
        }
        Ok(())
    }

    /// Whether `data` turns out to be an object with names where PHP would have put numbers.
    fn is_no_list(&self) -> bool {
        self.any_shape && !self.data_is_list && self.count == 0 && !is_number(&self.key)
    }

    /// What was taken for the list is a part of the envelope.
    fn leave(&mut self) {
        self.in_data = false;
        self.envelope.push(b'"');
        self.envelope.append(&mut self.key);
        self.envelope.extend(b"\":");
    }

    /// Follows texts. True if the byte is inside of one, or ends one.
    fn text(&mut self, byte: u8) -> bool {
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

fn is_bracket_or_quote(byte: u8) -> bool {
    matches!(byte, b'{' | b'}' | b'[' | b']' | b'"')
}

/// Whether a key is one of those that PHP gives a list with gaps.
pub(super) fn is_number(key: &[u8]) -> bool {
    !key.is_empty() && key.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
#[path = "list_stream_tests.rs"]
mod tests;
