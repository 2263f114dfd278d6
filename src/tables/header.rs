//! The header of a file with rows: its delimiter and columns. It is read once, however often the file is used.
//!
//! Main type: [`Header`].

use std::collections::{BTreeMap, HashMap};
use std::io::Cursor;
use std::sync::{Arc, OnceLock};

use csv::StringRecord;

use super::diagnostic::{At, Code, Problems, Source};
use super::dialect::{
    Start, after_line_end, bad_quotes, is_plain, likely_delimiter, line_ends, spreadsheet_line,
};
use super::index::Index;
use super::number::is_digits;
use crate::model::{FileId, nfc};

/// The column name in a file without a header.
pub(crate) const ONLY_COLUMN: &str = "user";

/// The name shown as the encoding of a workbook. It also marks a file as a sheet, which is
/// always read as a table and never as one value per line.
pub(super) const XLSX: &str = "XLSX";

/// A file or a sheet that was read.
#[derive(Debug)]
pub(crate) struct OpenedFile {
    pub(crate) id: FileId,
    pub(crate) source: Arc<Source>,
    /// The file's name in messages, with the sheet of a workbook: `school.xlsx#Pupils`.
    pub(crate) name: String,
    pub(crate) encoding: &'static str,
    pub(super) unusable: UnusableCells,
}

impl OpenedFile {
    /// Whether the file is a sheet of a workbook.
    pub(crate) fn is_sheet(&self) -> bool {
        self.encoding == XLSX
    }
}

/// The cells of a workbook that are errors if their column is used. The key is the index of the
/// column.
pub(super) type UnusableCells = BTreeMap<usize, Vec<UnusableCell>>;

#[derive(Debug)]
pub(crate) struct UnusableCell {
    /// The number of the row, from 1.
    pub(super) row: u32,
    pub(super) why: &'static str,
    pub(super) hint: &'static str,
}

/// How to read a file's rows.
#[derive(Debug)]
pub(crate) struct Header {
    /// The delimiter; `None` if the file has one value per line.
    pub(crate) delimiter: Option<u8>,
    /// The names of the columns as written, without surrounding white space.
    pub(crate) columns: Vec<String>,
    /// For each column name, the indices of the columns with that name. The keys are made by
    /// [`column_key`].
    pub(crate) by_name: BTreeMap<String, Vec<usize>>,
    /// For each [`word`] that a template may use, the first column that matches.
    by_word: OnceLock<HashMap<String, usize>>,
    /// The start of the first row.
    pub(crate) start: Start,
    /// The text with bad quotes replaced by spaces, so that later errors are found too; `None` if
    /// there are no bad quotes.
    pub(crate) repaired: Option<String>,
    /// The start of each row, set when the rows have been read.
    pub(super) rows: OnceLock<RowStarts>,
    /// For each column, an index to find rows by their cells.
    pub(super) indexes: Vec<OnceLock<Index>>,
}

/// The places of a file's rows.
#[derive(Debug, Default)]
pub(crate) struct RowStarts {
    /// The starts of all rows that are not blank.
    pub(super) starts: Vec<Start>,
    /// The indices in `starts` of the rows with too few or too many cells.
    pub(super) ragged: Vec<u32>,
    /// The number of blank rows before the last row, plus the number of records that make no row.
    pub(super) blank: usize,
    /// The number of rows that the other records make.
    pub(super) made: usize,
}

impl RowStarts {
    /// Returns the starts of the rows with these indices.
    pub(super) fn at(&self, numbers: impl Iterator<Item = u32>) -> impl Iterator<Item = Start> {
        let starts = numbers.map(|number| self.starts.get(number as usize));
        starts.flatten().copied()
    }
}

impl Header {
    pub(super) fn new(delimiter: Option<u8>, columns: Vec<String>, start: Start) -> Self {
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, name) in columns.iter().enumerate() {
            by_name.entry(column_key(name)).or_default().push(place);
        }
        Self {
            delimiter,
            by_name,
            by_word: OnceLock::new(),
            start,
            repaired: None,
            rows: OnceLock::new(),
            indexes: columns.iter().map(|_| OnceLock::new()).collect(),
            columns,
        }
    }

    /// Returns the column for a name in a template: the column with that name, or else the first
    /// column with the same [`word`].
    pub(crate) fn in_template(&self, name: &str) -> Option<&str> {
        let named = self.by_name.get(&column_key(name));
        let place = named.and_then(|places| places.first()).or_else(|| {
            // The columns are inserted in reverse order, so the first column with a word
            // replaces later columns with the same word.
            let words = self.columns.iter().enumerate().rev();
            let words = words.map(|(place, name)| (word(name), place));
            let by_word = self.by_word.get_or_init(|| words.collect());
            by_word.get(&word(name))
        });
        self.columns.get(*place?).map(String::as_str)
    }

    /// Reads the header of a file. Reports errors that make the rows unreadable.
    pub(crate) fn read(
        file: &OpenedFile,
        delimiter: Option<u8>,
        named_at: At,
        problems: &Problems,
    ) -> Option<Self> {
        let source = &file.source;
        let text = source.text.as_str();
        let is_txt = is_plain(&source.name);
        if is_txt && delimiter.is_none() {
            let start = Start { byte: 0, line: 1 };
            return Some(Self::new(None, vec![ONLY_COLUMN.to_owned()], start));
        }
        let (start, said) = spreadsheet_line(text);
        let table = text.get(start..).unwrap_or_default();
        let given = delimiter.or(said);
        let delimiter = given.unwrap_or_else(|| likely_delimiter(table));
        let at = |offset: usize| At::new(file.id, start + offset);
        // Formats a place as in `enrollments.csv:214`.
        let line = |at: At| format!("{}:{}", file.name, source.line_at(at.offset));
        let mut quotes = Vec::new();
        bad_quotes(table, delimiter, |open, what| {
            let at = at(open);
            let message = format!("{}: {what}", line(at));
            let hint = "close the quote or remove it; inside a quoted cell, write a quote twice";
            problems.note(Code::BadQuote, at, message, hint);
            quotes.push(start + open);
        });
        let repaired = (!quotes.is_empty()).then(|| without(text, &quotes));
        let text = repaired.as_deref().unwrap_or(text);
        let table = text.get(start..).unwrap_or_default();
        let mut header = StringRecord::new();
        let mut reader = reader(table, delimiter);
        // Reading cannot fail: the text is UTF-8, and ragged rows are allowed.
        let found = reader.read_record(&mut header).unwrap_or_default();
        let names: Vec<String> = header.iter().map(|cell| cell.trim().to_owned()).collect();
        let add_header = match is_txt {
            true => "add a header line, or remove `delimiter` if the file has one user per line",
            false if file.is_sheet() => "add a row with the names of the columns",
            false => {
                "add a header line; or, if the file has one user per line, change its extension to .txt"
            }
        };
        if !found || names.iter().all(String::is_empty) {
            let message = format!("`{}` has no header", file.name);
            return problems.refuse(Code::EmptyRoster, named_at, message, add_header);
        }
        let mut bytes = names.iter().flat_map(|name| name.bytes());
        if bytes.all(|byte| byte.is_ascii_digit()) {
            // Skip line breaks above the header, so that the error is in the right line.
            let at = at(table.len() - table.trim_start_matches(['\r', '\n']).len());
            let message = format!("{}: the first line looks like data", line(at));
            return problems.refuse(Code::EmptyRoster, at, message, add_header);
        }
        let mut byte = start + reader.position().byte() as usize;
        if let Some(offset) = find_header_below(text, byte, &names, given) {
            let at = at(table.len() - table.trim_start().len());
            let below = source.line_at(offset as u32);
            let what = "this looks like a title; the header seems to be in line";
            let message = format!("{}: {what} {below}", line(at));
            let hint = match file.is_sheet() {
                true => "remove the rows above the header",
                false => {
                    "remove the lines above the header, or quote cells that contain a delimiter"
                }
            };
            return problems.refuse(Code::EmptyRoster, at, message, hint);
        }
        byte = after_line_end(text, byte);
        let before = text.get(..byte).unwrap_or_default();
        let line = 1 + line_ends(before.as_bytes()).count() as u32;
        let byte = byte as u32;
        let start = Start { byte, line };
        Some(Self {
            repaired,
            ..Self::new(Some(delimiter), names, start)
        })
    }
}

/// Returns the form in which column names are compared: without surrounding white space, in lower
/// case, and in Unicode normal form, because some systems write `й` as two characters.
pub(crate) fn column_key(name: &str) -> String {
    nfc(name.trim()).to_lowercase()
}

/// Whether two keys or column names are equal, by [`column_key`].
pub(crate) fn is_same_key(one: &str, other: &str) -> bool {
    column_key(one) == column_key(other)
}

/// Returns a column's name as it is written in a template: the [`column_key`], with `_` for
/// each character that is not a letter or a digit.
pub(crate) fn word(name: &str) -> String {
    let key = column_key(name);
    let word = key.chars();
    word.map(|c| if c.is_alphanumeric() { c } else { '_' })
        .collect()
}

/// Returns the offset of the second row if that row seems to be the header: the first row has a
/// single name, and the second row has several. `given` is the delimiter, or `None` to detect it.
fn find_header_below(
    text: &str,
    from: usize,
    names: &[String],
    given: Option<u8>,
) -> Option<usize> {
    let has_name = |name: &&String| !name.is_empty();
    if names.iter().filter(has_name).count() > 1 {
        return None;
    }
    let below = text.get(from..)?;
    let is_blank = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|');
    let below = below.trim_start_matches(is_blank);
    let mut row = StringRecord::new();
    let delimiter = given.unwrap_or_else(|| likely_delimiter(below));
    reader(below, delimiter).read_record(&mut row).ok()?;
    let cells = row.iter().map(str::trim).filter(|cell| !cell.is_empty());
    let cells: Vec<&str> = cells.collect();
    let is_header = cells.len() > 1 && !cells.into_iter().any(is_digits);
    is_header.then_some(text.len() - below.len())
}

/// Creates a CSV reader for a text that may start at any row.
pub(crate) fn reader(text: &str, delimiter: u8) -> csv::Reader<Cursor<&[u8]>> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(Cursor::new(text.as_bytes()))
}

/// Replaces the quotes at these offsets by spaces.
fn without(text: &str, quotes: &[usize]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for quote in quotes {
        if let Some(byte) = bytes.get_mut(*quote) {
            *byte = b' ';
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}
