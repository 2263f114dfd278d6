//! A file with rows: its header, its columns, its rows one after another with their places.
//!
//! Main type: [`Table`]. CSV with a header, or a plain text with one value a line. It knows nothing of users or rooms.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::atomic::Ordering;

use csv::StringRecord;

use super::diagnostic::{At, Code, Diagnostic, Problems, Sources, clip};
use super::dialect::{Start, first_line, line_ends, values};
use super::header::{Header, reader};
use super::input::RawFile;
use super::row::{Column, Row, trimmed};
use super::source::Spanned;
use crate::model::FileId;

/// An opened file with rows.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// The file.
    pub(crate) file: FileId,
    pub(crate) header: Header,
    /// The file's name in messages.
    pub(crate) name: String,
    /// Where the format is named whose preset asks for columns of it.
    pub(crate) format: Option<At>,
    /// Columns that stand there with numbers, and columns that may be absent, in lower case.
    pub(crate) numbered: Vec<String>,
    pub(crate) optional: Vec<String>,
    /// Whether a row with too many or too few cells was met.
    has_ragged: Cell<bool>,
}

impl Table {
    /// One use of a file whose header was read.
    pub(crate) fn new(file: FileId, raw: &RawFile, header: Header, sources: &Sources) -> Self {
        let lower = |names: &[Spanned<String>]| -> Vec<String> {
            let names = names.iter().map(|name| name.value.trim().to_lowercase());
            names.collect()
        };
        let source = sources.file(file);
        Self {
            file,
            header,
            name: source.map(|source| clip(&source.name)).unwrap_or_default(),
            format: raw.format,
            numbered: lower(&raw.numbered),
            optional: lower(&raw.optional),
            has_ragged: Cell::new(false),
        }
    }

    /// The names of the columns, as written, without white space around them.
    pub(crate) fn columns(&self) -> &[String] {
        &self.header.columns.names
    }

    /// Calls `take` for each row; blank ones are passed over, ragged ones noted. `numbered` are columns of which each number
    /// makes a row of its own, as far as the first of them has something in it.
    pub(crate) fn rows(
        &self,
        sources: &Sources,
        numbered: &[Column],
        problems: &mut Problems,
        mut take: impl FnMut(&Row<'_>, &mut Problems),
    ) {
        let Some(text) = self.text(sources) else {
            return;
        };
        let most = numbered.iter().map(Column::numbers).max().unwrap_or(1);
        self.records(text, |record, start| {
            let row = |number| Row {
                record,
                number,
                file: self.file,
                header: &self.header,
                text,
                start,
            };
            if record.len() != self.columns().len() {
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

    /// How many rows have something in them.
    pub(crate) fn count(&self, sources: &Sources) -> usize {
        let mut count = 0;
        if let Some(text) = self.text(sources) {
            self.records(text, |_, _| count += 1);
        }
        count
    }

    /// Everything that stands in rows with too many or too few cells.
    pub(crate) fn ragged_cells(&self, sources: &Sources) -> HashSet<String> {
        let mut cells = HashSet::new();
        if let Some(text) = self.text(sources).filter(|_| self.has_ragged.get()) {
            self.records(text, |record, _| {
                if record.len() != self.columns().len() {
                    let found = record.iter().map(|cell| cell.trim());
                    cells.extend(found.filter(|cell| !cell.is_empty()).map(str::to_owned));
                }
            });
        }
        cells
    }

    fn text<'t>(&'t self, sources: &'t Sources) -> Option<&'t str> {
        let written = || sources.file(self.file).map(|source| source.text.as_str());
        self.header.repaired.as_deref().or_else(written)
    }

    /// Every record after the header that has something in it. A file that is used once is not kept in cells; one that is used
    /// again is split once more, for all later uses.
    fn records(&self, text: &str, mut take: impl FnMut(&StringRecord, Start)) {
        let columns = &self.header.columns;
        if columns.passes.fetch_add(1, Ordering::Relaxed) == 0 {
            return self.split(text, take);
        }
        let records = columns.records.get_or_init(|| {
            let mut records = Vec::new();
            self.split(text, |record, start| records.push((record.clone(), start)));
            records
        });
        for (record, start) in records {
            take(record, *start);
        }
    }

    fn split(&self, text: &str, mut take: impl FnMut(&StringRecord, Start)) {
        let mut record = StringRecord::new();
        let Some(delimiter) = self.header.delimiter else {
            for (value, start) in values(text) {
                record.clear();
                record.push_field(value);
                take(&record, start);
            }
            return;
        };
        let mut start = self.header.rows;
        let first = start.byte;
        let mut reader = reader(text.get(first..).unwrap_or_default(), delimiter);
        while reader.read_record(&mut record).unwrap_or_default() {
            let before = record.position().map_or(0, csv::Position::byte) as usize + first;
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
            if !record.iter().all(|cell| trimmed(cell).is_empty()) {
                take(&record, start);
            }
        }
    }

    /// Reads the first record of a text that starts at one.
    pub(crate) fn record(&self, text: &str, record: &mut StringRecord) -> bool {
        let Some(delimiter) = self.header.delimiter else {
            let line = first_line(text).trim_end_matches(['\r', '\n']);
            *record = StringRecord::from(vec![line]);
            return !line.trim().is_empty();
        };
        // A text that is UTF-8 and may be ragged has no way to fail.
        reader(text, delimiter)
            .read_record(record)
            .unwrap_or_default()
    }

    fn ragged(&self, row: &Row<'_>, sources: &Sources) -> Diagnostic {
        let (has, wants) = (row.record.len(), self.columns().len());
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
    use std::sync::Arc;

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
            let byte = text.find("two\n").unwrap_or_default() + 4;
            let line = if has_mark { 3 } else { 2 };
            let table = Table {
                file: FileId(0),
                header: Header {
                    delimiter: Some(b','),
                    columns: Arc::default(),
                    rows: Start { byte, line },
                    repaired: None,
                },
                name: String::new(),
                format: None,
                numbered: Vec::new(),
                optional: Vec::new(),
                has_ragged: Cell::new(false),
            };
            let mut rows = 0;
            table.records(&text, |_, start| {
                rows += 1;
                let before = text.get(..start.byte).unwrap_or_default();
                assert_eq!(start.line as usize, 1 + line_ends(before.as_bytes()).count(), "{text:?}");
            });
            prop_assert!(rows > 0 || !text.contains("\na"), "{:?}", text);
            let pass = || {
                let mut records = Vec::new();
                table.split(&text, |record, start| records.push((record.clone(), start)));
                records
            };
            let mut kept = Vec::new();
            table.records(&text, |record, start| kept.push((record.clone(), start)));
            prop_assert_eq!(kept, pass(), "{:?}", text);
        }
    }
}
