//! A file with rows: its header, its columns, its rows one after another with their places.
//!
//! Main type: [`Table`]. CSV with a header, or a plain text with one value a line. It knows nothing of users or rooms.

use std::cell::Cell;
use std::collections::HashSet;

use csv::StringRecord;

use super::diagnostic::{At, Code, Diagnostic, Problems, Sources};
use super::fields::clip;
use super::layout::{
    Start, first_line, is_plain, likely_delimiter, line_ends, lines, spreadsheet_line, unquoted,
};
use super::raw::{RawFile, Spanned};
use super::row::{Column, Row, trimmed};
use crate::model::FileId;

/// The name of the only column of a file without a header.
pub(super) const ONLY_COLUMN: &str = "user";

/// An opened file with rows.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// The file.
    pub(super) file: FileId,
    /// The character between cells; none for a file with one value a line.
    pub(super) delimiter: Option<u8>,
    /// The names of the columns, as written, without white space around them.
    pub(super) columns: Vec<String>,
    /// The file's name in messages.
    pub(super) name: String,
    /// Where the format is named whose preset asks for columns of it.
    pub(super) format: Option<At>,
    /// Columns that stand there with numbers, and columns that may be absent, in lower case.
    pub(super) numbered: Vec<String>,
    pub(super) optional: Vec<String>,
    /// The byte at which the header starts, or the first row where there is none.
    start: usize,
    /// Whether a row with too many or too few cells was met.
    has_ragged: Cell<bool>,
}

impl Table {
    /// The table in a file's text. What is wrong with its header goes to `problems`.
    pub(super) fn open(
        file: FileId,
        raw: &RawFile,
        sources: &Sources,
        problems: &mut Problems,
    ) -> Option<Self> {
        let source = sources.file(file)?;
        let text = source.text.as_str();
        let lower = |names: &[Spanned<String>]| -> Vec<String> {
            let names = names.iter().map(|name| name.value.trim().to_lowercase());
            names.collect()
        };
        let mut table = Self {
            file,
            delimiter: None,
            columns: vec![ONLY_COLUMN.to_owned()],
            name: clip(&source.name),
            format: raw.format,
            numbered: lower(&raw.numbered),
            optional: lower(&raw.optional),
            start: 0,
            has_ragged: Cell::new(false),
        };
        if is_plain(&source.name) {
            return Some(table);
        }
        let (start, said) = spreadsheet_line(text);
        let delimiter = raw
            .delimiter
            .or(said)
            .unwrap_or_else(|| likely_delimiter(text.get(start..).unwrap_or_default()));
        (table.delimiter, table.start) = (Some(delimiter), start);
        let mut header = StringRecord::new();
        // A text that is UTF-8 and may be ragged has no way to fail.
        let found = table
            .reader(text)
            .read_record(&mut header)
            .unwrap_or_default();
        if !found || header.iter().all(|cell| cell.trim().is_empty()) {
            let message = format!("`{}` has no header", clip(&source.name));
            let diagnostic = Diagnostic::at(Code::EmptyRoster, raw.path.at, message);
            problems.push(diagnostic.hint(
                "its first line names the columns; a file with one user a line is called .txt",
            ));
            return None;
        }
        table.columns = header.iter().map(|cell| cell.trim().to_owned()).collect();
        Some(table)
    }

    /// Calls `take` for each row; blank ones are passed over, ragged ones noted. `numbered` are columns of which each number
    /// makes a row of its own, as far as the first of them has something in it.
    pub(super) fn rows(
        &self,
        sources: &Sources,
        numbered: &[Column],
        problems: &mut Problems,
        mut take: impl FnMut(&Row<'_>, &mut Problems),
    ) {
        let Some(source) = sources.file(self.file) else {
            return;
        };
        let text = source.text.as_str();
        let most = numbered.iter().map(Column::numbers).max().unwrap_or(1);
        self.records(text, |record, start| {
            let row = |number| Row {
                record,
                number,
                table: self,
                text,
                start,
            };
            if record.len() != self.columns.len() {
                self.has_ragged.set(true);
                problems.push(self.ragged(&row(0), sources));
                return;
            }
            for number in 0..most {
                let row = row(number);
                if numbered
                    .first()
                    .is_none_or(|column| !row.cell(column).is_empty())
                {
                    take(&row, problems);
                }
            }
        });
    }

    /// The columns as the file's header names them; none if it has no header.
    pub(super) fn header(&self) -> &[String] {
        match self.delimiter {
            Some(_) => &self.columns,
            None => &[],
        }
    }

    /// How many rows have something in them.
    pub(super) fn count(&self, sources: &Sources) -> usize {
        let mut count = 0;
        if let Some(source) = sources.file(self.file) {
            self.records(&source.text, |_, _| count += 1);
        }
        count
    }

    /// Everything that stands in rows with too many or too few cells.
    pub(super) fn ragged_cells(&self, sources: &Sources) -> HashSet<String> {
        let mut cells = HashSet::new();
        if let Some(source) = sources.file(self.file).filter(|_| self.has_ragged.get()) {
            self.records(&source.text, |record, _| {
                if record.len() != self.columns.len() {
                    let found = record.iter().map(|cell| cell.trim());
                    cells.extend(found.filter(|cell| !cell.is_empty()).map(str::to_owned));
                }
            });
        }
        cells
    }

    /// Every record after the header that has something in it.
    fn records(&self, text: &str, mut take: impl FnMut(&[&str], Start)) {
        let Some(delimiter) = self.delimiter else {
            return lines(text, take);
        };
        let mut header = true;
        let mut take = |record: &[&str], start| {
            let blank = record.iter().all(|cell| trimmed(cell).is_empty());
            if !std::mem::take(&mut header) && !blank {
                take(record, start);
            }
        };
        let (before, rows) = text.split_at_checked(self.start).unwrap_or_default();
        let lines_before = line_ends(before.as_bytes()).count() as u32;
        if memchr::memchr(b'"', rows.as_bytes()).is_none() {
            return unquoted(rows, delimiter, |record, start| {
                let byte = self.start + start.byte;
                let line = lines_before + start.line;
                take(record, Start { byte, line });
            });
        }
        let mut start = Start {
            byte: self.start,
            line: lines_before + 1,
        };
        let mut reader = self.reader(text);
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).unwrap_or_default() {
            let before = record
                .position()
                .map_or(0, |position| position.byte() as usize)
                + self.start;
            // The reader counts the end of the last line in.
            let rest = text.get(before..).unwrap_or_default();
            let breaks = rest
                .bytes()
                .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                .count();
            let byte = before + breaks;
            let passed = text.as_bytes().get(start.byte..byte).unwrap_or_default();
            start.line += line_ends(passed).count() as u32;
            start.byte = byte;
            let cells: Vec<&str> = record.iter().collect();
            take(&cells, start);
        }
    }

    fn reader<'t>(&self, text: &'t str) -> csv::Reader<&'t [u8]> {
        self.reader_of(text.get(self.start..).unwrap_or_default())
    }

    /// A reader of rows, wherever in the file they stand.
    fn reader_of<'t>(&self, text: &'t str) -> csv::Reader<&'t [u8]> {
        csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter.unwrap_or(b','))
            .from_reader(text.as_bytes())
    }

    /// Reads the first record of a text that starts at one.
    pub(super) fn record(&self, text: &str, record: &mut StringRecord) -> bool {
        if self.delimiter.is_none() {
            let line = first_line(text).trim_end_matches(['\r', '\n']);
            *record = StringRecord::from(vec![line]);
            return !line.trim().is_empty();
        }
        // A text that is UTF-8 and may be ragged has no way to fail.
        self.reader_of(text).read_record(record).unwrap_or_default()
    }

    fn ragged(&self, row: &Row<'_>, sources: &Sources) -> Diagnostic {
        let (has, wants) = (row.record.len(), self.columns.len());
        let message = format!(
            "{}: the row has {has} cells, the header {wants}",
            row.place(sources)
        );
        let broken = row.record.iter().any(|cell| cell.contains(['\r', '\n']));
        let hint = if broken {
            "look for a quote that is not closed: the row goes over several lines"
        } else if has > wants {
            "quote a cell with a delimiter in it, or take away the cells that are too many"
        } else {
            "write the missing cells, empty if need be"
        };
        Diagnostic::at(Code::RaggedRow, row.at(), message).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;
    use proptest::test_runner::Config as Trials;

    use super::*;

    proptest! {
        #![proptest_config(Trials { cases: 2_000, failure_persistence: None, ..Trials::default() })]

        /// Whatever is quoted, and however lines end: a row stands in the line that its first byte is in.
        #[test]
        fn rows_know_their_lines(
            has_mark in any::<bool>(),
            signs in prop::collection::vec(select(vec!["a", "é", ",", "\"", "\"\"", "\"b\nc\"", "\"\r\"", "\r", "\n", "\r\n", "\n\n"]), 0..16),
        ) {
            let mark = if has_mark { "sep=,\r\n" } else { "" };
            let text = format!("{mark}one,two\n{}", signs.concat());
            let (start, _) = spreadsheet_line(&text);
            let table = Table {
                file: FileId(0),
                delimiter: Some(b','),
                columns: Vec::new(),
                name: String::new(),
                format: None,
                numbered: Vec::new(),
                optional: Vec::new(),
                start,
                has_ragged: Cell::new(false),
            };
            let mut rows = 0;
            table.records(&text, |_, start| {
                rows += 1;
                let before = text.get(..start.byte).unwrap_or_default();
                assert_eq!(start.line as usize, 1 + line_ends(before.as_bytes()).count(), "{text:?}");
            });
            prop_assert!(rows > 0 || !text.contains("\na"), "{:?}", text);
        }
    }
}
