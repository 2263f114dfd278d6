//! The header of a file with rows: its delimiter and its columns, read once however many uses the file has.
//!
//! Main type: [`Header`].

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, OnceLock};

use csv::StringRecord;

use super::diagnostic::{At, Code, Diagnostic, Problems, Source, clip};
use super::dialect::{Start, is_plain, likely_delimiter, line_ends, spreadsheet_line};
use super::input::RawFile;
use super::quotes::{BadQuote, bad_quotes};
use crate::model::FileId;

/// The name of the only column of a file without a header.
pub(crate) const ONLY_COLUMN: &str = "user";

/// How a file's rows are read.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    /// The character between cells; none for a file with one value a line.
    pub(crate) delimiter: Option<u8>,
    pub(crate) columns: Arc<Columns>,
    /// Where the rows start.
    pub(crate) rows: Start,
    /// The file's text with spaces for bad quotes, if it has some: other mistakes are then found too.
    pub(crate) repaired: Option<Arc<str>>,
}

/// The columns of a header, found by name without going through all of them.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    /// The names as written, without white space around them.
    pub(crate) names: Vec<String>,
    /// By the name in lower case.
    pub(crate) by_name: BTreeMap<String, NamedColumn>,
    /// The first column by the word that means it in a template.
    by_word: OnceLock<HashMap<String, usize>>,
    /// How many uses of the file have gone through its rows.
    pub(crate) passes: AtomicU32,
    /// The rows, split into cells, once a second use needs them.
    pub(crate) records: OnceLock<Vec<(StringRecord, Start)>>,
}

/// The columns of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NamedColumn {
    /// The place of the first.
    pub(crate) place: usize,
    /// The place of the last.
    pub(crate) last: usize,
    pub(crate) times: usize,
}

impl Columns {
    pub(crate) fn new(names: Vec<String>) -> Self {
        let mut by_name: BTreeMap<String, NamedColumn> = BTreeMap::new();
        for (place, name) in names.iter().enumerate() {
            let named = by_name.entry(name.to_lowercase()).or_insert(NamedColumn {
                place,
                last: place,
                times: 0,
            });
            named.last = place;
            named.times += 1;
        }
        Self {
            names,
            by_name,
            by_word: OnceLock::new(),
            passes: AtomicU32::new(0),
            records: OnceLock::new(),
        }
    }

    /// The column that a template means: by its name, else by its word.
    pub(crate) fn in_template(&self, name: &str) -> Option<&str> {
        let place = match self.by_name.get(&name.trim().to_lowercase()) {
            Some(named) => named.place,
            None => {
                // Of several columns with one word the first is inserted last, and stays.
                let words = self.names.iter().enumerate().rev();
                let words = words.map(|(place, name)| (word(name), place));
                let by_word = self.by_word.get_or_init(|| words.collect());
                *by_word.get(&word(name))?
            }
        };
        self.names.get(place).map(String::as_str)
    }
}

/// A column's name as a template writes it: in lower case, with `_` for what no name in a template can have.
pub(crate) fn word(name: &str) -> String {
    let name = name.trim().chars();
    let name = name.map(|c| if c.is_alphanumeric() { c } else { '_' });
    name.collect::<String>().to_lowercase()
}

impl Header {
    /// The header of a file. Whatever makes its rows unreadable goes to `problems`.
    pub(crate) fn read(
        file: FileId,
        raw: &RawFile,
        source: &Source,
        problems: &mut Problems,
    ) -> Option<Self> {
        let text = source.text.as_str();
        if is_plain(&source.name) {
            return Some(Self {
                delimiter: None,
                columns: Arc::new(Columns::new(vec![ONLY_COLUMN.to_owned()])),
                rows: Start { byte: 0, line: 1 },
                repaired: None,
            });
        }
        let (start, said) = spreadsheet_line(text);
        let table = text.get(start..).unwrap_or_default();
        let delimiter = raw.delimiter.or(said);
        let delimiter = delimiter.unwrap_or_else(|| likely_delimiter(table));
        let at = |offset: usize| At {
            file,
            offset: u32::try_from(start + offset).unwrap_or(u32::MAX),
        };
        // `enrollments.csv:214`
        let line = |at: At| format!("{}:{}", clip(&source.name), source.line_at(at.offset));
        let mut quotes = Vec::new();
        bad_quotes(table, delimiter, |bad| {
            let at = at(bad.offset());
            let what = match bad {
                BadQuote::NeverClosed(_) => "a quoted cell starts here and is never closed",
                BadQuote::TextAfter(_) => {
                    "a quoted cell starts here, spans lines and has text after its closing quote"
                }
            };
            let message = format!("{}: {what}", line(at));
            let hint = "close the quote or remove it; inside a quoted cell, write a quote twice";
            problems.push(Diagnostic::at(Code::BadQuote, at, message).hint(hint));
            quotes.push(start + bad.offset());
        });
        let repaired = (!quotes.is_empty()).then(|| without(text, &quotes));
        let text = repaired.as_deref().unwrap_or(text);
        let table = text.get(start..).unwrap_or_default();
        let mut header = StringRecord::new();
        let mut reader = reader(table, delimiter);
        // A text that is UTF-8 and may be ragged has no way to fail.
        let found = reader.read_record(&mut header).unwrap_or_default();
        let names: Vec<String> = header.iter().map(|cell| cell.trim().to_owned()).collect();
        if !found || names.iter().all(String::is_empty) {
            let message = format!("`{}` has no header", clip(&source.name));
            let diagnostic = Diagnostic::at(Code::EmptyRoster, raw.path.at, message);
            problems.push(diagnostic.hint(
                "name the columns in the first line, or name a file with one user per line .txt",
            ));
            return None;
        }
        let filled = names.iter().filter(|name| !name.is_empty());
        if filled
            .flat_map(|name| name.bytes())
            .all(|byte| byte.is_ascii_digit())
        {
            // Line breaks before the header belong to no line of it.
            let at = at(table.len() - table.trim_start_matches(['\r', '\n']).len());
            let message = format!("{}: the first line looks like data", line(at));
            let diagnostic = Diagnostic::at(Code::EmptyRoster, at, message);
            problems.push(diagnostic.hint("add a header line, or name the file .txt"));
            return None;
        }
        let mut byte = start + reader.position().byte() as usize;
        // The reader leaves the second half of a CR LF to the next row.
        if text.get(..byte).is_some_and(|it| it.ends_with('\r'))
            && text.get(byte..).is_some_and(|it| it.starts_with('\n'))
        {
            byte += 1;
        }
        let before = text.get(..byte).unwrap_or_default();
        let line = 1 + line_ends(before.as_bytes()).count() as u32;
        Some(Self {
            delimiter: Some(delimiter),
            columns: Arc::new(Columns::new(names)),
            rows: Start { byte, line },
            repaired,
        })
    }
}

/// A reader of rows, anywhere in the file.
pub(crate) fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes())
}

/// A text with spaces for the quotes at these bytes.
fn without(text: &str, quotes: &[usize]) -> Arc<str> {
    let mut bytes = text.as_bytes().to_vec();
    for quote in quotes {
        if let Some(byte) = bytes.get_mut(*quote) {
            *byte = b' ';
        }
    }
    String::from_utf8(bytes).unwrap_or_default().into()
}
