//! A list answer, decoded while it arrives: each element of `data` is handed over and forgotten, the rest is kept as the envelope.
//!
//! Main type: [`Rows`]. It only finds where elements begin and end; what they mean is `wire`'s. `data` may be a list or,
//! as PHP encodes arrays with gaps, an object with numeric keys; stray commas are passed over (`api: fact 8`). Of an answer whose
//! shape nobody published the elements of a bare list are found too; what may be elsewhere in it is left to `shape`.

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
pub struct Rows {
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

impl Rows {
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
            } else if self.depth == self.level && !self.begins(*byte)? {
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

    /// Takes a byte between elements. True if one begins with it.
    fn begins(&mut self, byte: u8) -> Result<bool, RowError> {
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
        for (index, byte) in bytes.iter().enumerate() {
            if self.text(*byte) {
                continue;
            }
            match byte {
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == self.level {
                        return Some(index + 1);
                    }
                }
                _ => {}
            }
        }
        None
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

/// Whether a key is one of those that PHP gives a list with gaps.
pub(super) fn is_number(key: &[u8]) -> bool {
    !key.is_empty() && key.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
#[expect(
    clippy::indexing_slicing,
    reason = "a test that indexes what is not there fails where it stands"
)]
mod tests {
    use super::*;

    fn split(text: &str, piece: usize) -> Result<(Vec<String>, String), RowError> {
        split_by(Rows::default(), text, piece)
    }

    fn split_by(
        mut rows: Rows,
        text: &str,
        piece: usize,
    ) -> Result<(Vec<String>, String), RowError> {
        let mut found = Vec::new();
        for piece in text.as_bytes().chunks(piece) {
            rows.feed(piece, |row| {
                found.push(String::from_utf8_lossy(row).into_owned());
                Ok::<(), RowError>(())
            })?;
        }
        assert_eq!(rows.count(), found.len());
        Ok((found, String::from_utf8_lossy(&rows.finish()?).into_owned()))
    }

    #[test]
    fn elements_are_found_wherever_the_pieces_are_cut() {
        let text = r#"{"success":"true","data":[{"id":1,"name":"a\"],}"},{"meta":{"data":[1]}},],"code":200}"#;
        for piece in 1..text.len() {
            let (rows, envelope) = split(text, piece).unwrap_or_default();
            assert_eq!(
                rows,
                [r#"{"id":1,"name":"a\"],}"}"#, r#"{"meta":{"data":[1]}}"#]
            );
            assert_eq!(envelope, r#"{"success":"true","data":[],"code":200}"#);
        }
    }

    #[test]
    fn of_any_shape_a_bare_list_is_read_and_what_has_names_is_left() {
        let named = r#"{"data":{"total":2,"mess\"ages":[{"id":1}]},"x":[{"data":[{}]}]}"#;
        let cases = [
            (r#" [{"id":1},{"a":"]"},]"#, 2, " []"),
            (r#"{"data":[{"id":1}],"x":1}"#, 1, r#"{"data":[],"x":1}"#),
            (r#"{"data":{"0":{"id":1}, "7":{}}}"#, 2, r#"{"data":{}}"#),
            (named, 0, named),
            ("{\"data\":{}}", 0, "{\"data\":{}}"),
        ];
        for (text, count, left) in cases {
            for piece in 1..=text.len() {
                let (rows, envelope) =
                    split_by(Rows::of_any_shape(), text, piece).unwrap_or_default();
                assert_eq!((rows.len(), envelope.as_str()), (count, left), "{text}");
            }
        }
        let bare = split_by(Rows::of_any_shape(), "[[1]]", 9);
        assert_eq!(bare, Err(RowError::NotAnObject));
    }

    /// Nothing of brackets, quotes and keys in any order is too much, and where it is cut changes nothing.
    #[test]
    fn no_answer_makes_it_fall_over() {
        let words = [
            "{",
            "}",
            "[",
            "]",
            "\"",
            "\\",
            ":",
            ",",
            "data",
            "7",
            " ",
            "\"data\":",
        ];
        let mut dice = 7_usize;
        for round in 0..4_000 {
            let mut next = || {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                words[(dice >> 33) % words.len()]
            };
            let text: String = (0..round % 24).map(|_| next()).collect();
            for rows in [Rows::default, Rows::of_any_shape] {
                let whole = split_by(rows(), &text, text.len().max(1));
                assert_eq!(split_by(rows(), &text, 1), whole, "{text}");
            }
        }
    }

    #[test]
    fn data_may_be_an_object_with_gaps() {
        let (rows, envelope) =
            split(r#"{"data":{"0":{"id":1},"7":{"id":2}},"code":200}"#, 3).unwrap_or_default();
        assert_eq!(
            (rows.len(), envelope.as_str()),
            (2, r#"{"data":{},"code":200}"#)
        );
    }

    #[test]
    fn other_shapes_are_left_to_the_envelope_or_refused() {
        assert_eq!(
            split(r#"{"code":401,"error":"data"}"#, 9).map(|(_, rest)| rest),
            Ok(r#"{"code":401,"error":"data"}"#.to_owned())
        );
        assert_eq!(
            split(r#"{"errors":["data",["data"]]}"#, 9).map(|(rows, _)| rows.len()),
            Ok(0)
        );
        assert_eq!(split(r#"{"data":[null]}"#, 9), Err(RowError::NotAnObject));
        assert_eq!(split(r#"{"data":["x"]}"#, 9), Err(RowError::NotAnObject));
        assert_eq!(
            split(r#"{"data":{"0":"x"}}"#, 9),
            Err(RowError::NotAnObject)
        );
        assert_eq!(
            split(r#"{"data":{"error":1}}"#, 9),
            Err(RowError::NotAnObject)
        );
        assert_eq!(split(r#"{"data":[[1]]}"#, 9), Err(RowError::NotAnObject));
        let page = r#"<html><script>let x = {"data":[1]}</script>"#;
        assert_eq!(split(page, 9), Ok((Vec::new(), page.to_owned())));
        assert_eq!(split(r#"{"data":[{"id":1},{"id""#, 9), Err(RowError::Cut));
        assert_eq!(split(r#"{"data":[{"id":1}]"#, 9), Err(RowError::Cut));
        let marked = "\u{feff}{\"data\":[{\"id\":1}]";
        assert_eq!(split(marked, 9), Err(RowError::Cut));
    }
}
