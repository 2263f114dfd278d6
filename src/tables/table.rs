//! A file with rows: its header, its columns, and its rows with their places.
//!
//! Main type: [`Table`]. It reads CSV with a header, or plain text with one value per line. It does not know about users or rooms.

use std::cell::Cell;
use std::collections::HashSet;
use std::hash::Hash;
use std::ops::Deref;
use std::sync::Arc;

use csv::{Position, StringRecord};

use super::diagnostic::Problems;
use super::dialect::{Start, after_line_end, first_line, line_ends, trimmed, values};
use super::header::{Header, OpenedFile, RowStarts, reader};
use super::input::RawFile;
use super::row_use::{RowCounts, RowUse};
use crate::model::Date;

/// One use of a file with rows.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) file: Arc<OpenedFile>,
    pub(crate) header: Arc<Header>,
    pub(crate) raw: RawFile,
    /// The counts of the rows; `None` until they are read, or if an equal use has read them.
    pub(crate) counts: Cell<Option<RowCounts>>,
}

/// A table, and where its errors go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableUse<'t> {
    pub(super) table: &'t Table,
    pub(crate) problems: &'t Problems,
    /// The day for which dates are evaluated.
    pub(super) today: Date,
}

impl<'t> Deref for TableUse<'t> {
    type Target = Table;

    fn deref(&self) -> &Table {
        self.table
    }
}

impl Table {
    /// Returns a value with the same hash for all uses that read the same rows of a file in the same
    /// way.
    pub(crate) fn content(&self) -> impl Hash {
        let raw = &self.raw;
        let dates = (&raw.from, &raw.until, &raw.days);
        let rows = (dates, &raw.filters, &raw.show, raw.allow_empty);
        (self.columns(), rows)
    }

    /// Returns a value with the same hash for all uses in which every name means the same column.
    pub(crate) fn columns(&self) -> impl Hash {
        (Arc::as_ptr(&self.header), &self.raw.optional)
    }

    /// Moves `rows` rows from the count of [`RowUse::Used`] to the count of `row_use`.
    pub(crate) fn recount(&self, rows: usize, row_use: RowUse) {
        let mut counts = self.counts.get().unwrap_or_default();
        counts.move_used(rows, row_use);
        self.counts.set(Some(counts));
    }

    /// Returns every cell of the rows that have too few or too many cells.
    pub(crate) fn ragged_cells(&self) -> HashSet<String> {
        let mut cells = HashSet::new();
        if let Some(rows) = self.header.rows.get() {
            self.read_at(rows.at(rows.ragged.iter().copied()), |record, _| {
                let found = record.iter().map(str::trim);
                cells.extend(found.filter(|cell| !cell.is_empty()).map(str::to_owned));
            });
        }
        cells
    }

    /// Returns the text, with bad quotes replaced.
    pub(super) fn text(&self) -> &str {
        let repaired = self.header.repaired.as_deref();
        repaired.unwrap_or(&self.file.source.text)
    }

    /// Visits every record after the header, except blank records. Stores where each record
    /// starts. `visit` returns how many rows a record makes, or `None` if the record is ragged.
    pub(super) fn read_first(&self, mut visit: impl FnMut(&StringRecord, Start) -> Option<usize>) {
        let mut rows = RowStarts::default();
        let mut visit = |record: &StringRecord, start| {
            match visit(record, start) {
                None => rows.ragged.push(rows.starts.len() as u32),
                Some(0) => rows.blank += 1,
                Some(made) => rows.made += made,
            }
            rows.starts.push(start);
        };
        let (text, mut record) = (self.text(), StringRecord::new());
        let mut blank = 0;
        if let Some(delimiter) = self.header.delimiter {
            let mut start = self.header.start;
            let (first, mut end) = (start.byte as usize, start.byte as usize);
            let mut reader = reader(text.get(first..).unwrap_or_default(), delimiter);
            while reader.read_record(&mut record).unwrap_or_default() {
                // The reader skips empty lines above the row.
                let above = text.as_bytes().get(end..).unwrap_or_default();
                let is_break = |byte: &&u8| matches!(byte, b'\r' | b'\n');
                let byte = end + above.iter().take_while(is_break).count();
                let lines = |from| line_ends(text.as_bytes().get(from..byte).unwrap_or_default());
                blank += lines(end).count();
                start.line += lines(start.byte as usize).count() as u32;
                start.byte = byte as u32;
                end = after_line_end(text, first + reader.position().byte() as usize);
                if record.iter().all(|cell| trimmed(cell).is_empty()) {
                    blank += 1;
                } else {
                    visit(&record, start);
                }
            }
        } else {
            for (index, (value, start)) in values(text).enumerate() {
                blank = start.line as usize - 1 - index;
                visit(&StringRecord::from(vec![value]), start);
            }
        }
        rows.blank += blank;
        rows.starts.shrink_to_fit();
        // The starts are already set if `visit` reads the rows of the same file.
        let _ = self.header.rows.set(rows);
    }

    /// Visits the records that start at these places.
    pub(super) fn read_at<T>(
        &self,
        starts: impl Iterator<Item = Start>,
        mut visit: impl FnMut(&StringRecord, Start) -> T,
    ) {
        let (text, mut record) = (self.text(), StringRecord::new());
        let mut reader = self
            .header
            .delimiter
            .map(|delimiter| reader(text, delimiter));
        for start in starts {
            if let Some(reader) = &mut reader {
                // Do not seek if there are only line ends between the reader's position and
                // the row. The reader skips line ends itself, and a seek would fill its buffer
                // again.
                let passed = text.get(reader.position().byte() as usize..start.byte as usize);
                let is_break = |byte: u8| matches!(byte, b'\r' | b'\n');
                // Reading cannot fail: the text is in memory and UTF-8, and ragged rows are allowed.
                if !passed.is_some_and(|passed| passed.bytes().all(is_break)) {
                    let mut place = Position::new();
                    place.set_byte(start.byte.into());
                    reader.seek(place).unwrap_or_default();
                }
                reader.read_record(&mut record).unwrap_or_default();
            } else {
                let line = text.get(start.byte as usize..).map_or("", first_line);
                record = StringRecord::from(vec![line.trim()]);
            }
            visit(&record, start);
        }
    }

    /// Returns the record that starts on this line, if any.
    pub(crate) fn record_at(&self, line: u32) -> Option<StringRecord> {
        let byte = self.file.source.line_start(line)?;
        let text = self.text().get(byte..)?;
        let byte = byte as u32;
        let mut found = None;
        let start = (!first_line(text).trim().is_empty()).then_some(Start { byte, line });
        self.read_at(start.into_iter(), |record, _| found = Some(record.clone()));
        found
    }

    /// Whether a row has too few cells, or extra cells that are not empty. Empty extra cells
    /// are allowed, because spreadsheets add them.
    pub(super) fn is_ragged(&self, record: &StringRecord) -> bool {
        let columns = self.header.columns.len();
        // `skip` would visit every cell of every row.
        let mut extra = (columns..record.len()).filter_map(|place| record.get(place));
        record.len() < columns || extra.any(|cell| !trimmed(cell).is_empty())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;
    use proptest::test_runner::Config as Trials;

    use super::super::diagnostic::Source;
    use super::*;
    use crate::model::FileId;

    proptest! {
        #![proptest_config(Trials { cases: 2_000, failure_persistence: None, ..Trials::default() })]

        /// Whatever the quotes and line ends, the line of a row is the line of its first byte.
        #[test]
        fn rows_know_their_lines(
            has_mark in any::<bool>(),
            signs in prop::collection::vec(select(vec!["a", "é", ",", "\"", "\"\"", "\"b\nc\"", "\"\r\"", "\r", "\n", "\r\n", "\n\n"]), 0..16),
        ) {
            let mark = if has_mark { "sep=,\r\n" } else { "" };
            let text = format!("{mark}one,two\n{}", signs.concat());
            let byte = text.find("two\n").unwrap_or_default() + 4;
            let line = if has_mark { 3 } else { 2 };
            let start = Start { byte: byte as u32, line };
            let table = Table {
                file: Arc::new(OpenedFile {
                    id: FileId(0),
                    source: Arc::new(Source::new("", text.clone())),
                    name: String::new(),
                    encoding: "",
                    unusable: Default::default(),
                }),
                header: Arc::new(Header::new(Some(b','), Vec::new(), start)),
                raw: RawFile::default(),
                counts: Cell::default(),
            };
            let mut read = Vec::new();
            table.read_first(|record, start| {
                read.push((record.clone(), start));
                let before = text.get(..start.byte as usize).unwrap_or_default();
                assert_eq!(start.line as usize, 1 + line_ends(before.as_bytes()).count(), "{text:?}");
                Some(1)
            });
            prop_assert!(!read.is_empty() || !text.contains("\na"), "{:?}", text);
            let mut again = Vec::new();
            let starts = read.iter().map(|(_, start)| *start);
            table.read_at(starts, |record, start| again.push((record.clone(), start)));
            prop_assert_eq!(again, read, "{:?}", text);
        }
    }
}
