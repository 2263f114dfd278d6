//! A file with rows: its header, its columns, and its rows with their places.
//!
//! Main type: [`Table`]. It reads CSV with a header, or plain text with one value per line. It does not know about users or rooms.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use csv::StringRecord;

use super::diagnostic::{At, Code, Diagnostic, Problems, Source, clip};
use super::dialect::{Start, first_line, line_ends, values};
use super::header::{Header, column_key, reader};
use super::input::RawFile;
use super::row::{Row, trimmed};
use super::selection::{RowCounts, RowUse, Selection};
use super::source::Spanned;
use crate::model::{Date, FileId, Presence};

/// A file that was read, or a sheet of it.
#[derive(Debug, Clone)]
pub(crate) struct OpenedFile {
    pub(super) file: FileId,
    /// The name of the encoding.
    pub(super) encoding: &'static str,
    /// The cells of a workbook that are too large to be exact: each row, from 1, and column index, from 0.
    pub(super) inexact: Arc<[(u32, usize)]>,
}

/// One use of a file with rows.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) file: FileId,
    pub(crate) source: Arc<Source>,
    /// The name of the file's encoding.
    pub(crate) encoding: &'static str,
    /// The row and the column index of each inexact number.
    pub(super) inexact: Arc<[(u32, usize)]>,
    pub(crate) header: Header,
    /// The file's name in messages.
    pub(crate) name: String,
    /// The place that names the format, if a preset requires columns of the file.
    pub(crate) format: Option<At>,
    /// The keys of numbered and of optional columns.
    pub(crate) numbered: Vec<String>,
    pub(crate) optional: Vec<String>,
    /// The key of the column with several values in a cell, and the text between them.
    pub(crate) expand: Option<(String, String)>,
    /// The place in the manifest that names the file.
    pub(crate) at: At,
    today: Date,
    /// What became of the rows, once they were read.
    counts: Cell<RowCounts>,
}

/// The number of rows that were visited, and of those that match all conditions.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Visited {
    pub(crate) rows: usize,
    pub(crate) matching: usize,
}

impl Table {
    /// Creates a table from a file and its header.
    pub(crate) fn new(
        opened: OpenedFile,
        source: Arc<Source>,
        header: Header,
        raw: &RawFile,
        today: Date,
    ) -> Self {
        let lower = |names: &[Spanned<String>]| -> Vec<String> {
            let names = names.iter().map(|name| column_key(&name.value));
            names.collect()
        };
        Self {
            file: opened.file,
            encoding: opened.encoding,
            inexact: opened.inexact,
            header,
            name: clip(&source.name),
            source,
            format: raw.format,
            numbered: lower(&raw.numbered),
            optional: lower(&raw.optional),
            expand: raw
                .expand
                .as_ref()
                .map(|(name, split)| (column_key(&name.value), split.clone())),
            at: raw.path.at,
            today,
            counts: Cell::default(),
        }
    }

    /// Returns the column names as written, without surrounding white space.
    pub(crate) fn columns(&self) -> &[String] {
        &self.header.columns.names
    }

    /// Calls `visit` for each row, with the days on which it is declared; `None` if a condition leaves the row out. Blank rows
    /// are skipped; ragged rows are reported. Each number of `numbered` columns becomes a separate row, unless its cell in the
    /// first of these columns is empty. So does each value of the `expand` column.
    pub(crate) fn rows(
        &self,
        selection: &Selection<'_>,
        problems: &mut Problems,
        mut visit: impl FnMut(&Row<'_>, Option<Presence>, &mut Problems) -> RowUse,
    ) -> Visited {
        let numbered = selection.numbered.as_slice();
        let (mut counts, mut visited) = (RowCounts::default(), Visited::default());
        self.records(|record, start| {
            let row = |number| Row {
                record,
                number,
                file: self.file,
                name: &self.source.name,
                text: self.rows_text(),
                header: &self.header,
                start,
            };
            if self.is_ragged(record) {
                counts.add(RowUse::Invalid, 1);
                problems.push(self.ragged(&row(0)));
                return;
            }
            let before = visited.rows;
            let numbers = numbered.iter().map(|column| column.numbers(record));
            let most = numbers.max().unwrap_or(1);
            for number in 0..most {
                let row = row(number);
                let first = numbered.first();
                if first.is_none_or(|column| !row.cell(column).is_empty()) {
                    let presence = selection.presence(&row, self.today, problems);
                    visited.rows += 1;
                    visited.matching += usize::from(presence.is_some());
                    counts.add(visit(&row, presence, problems), 1);
                }
            }
            counts.add(RowUse::Blank, usize::from(visited.rows == before));
        });
        counts.add(
            RowUse::Blank,
            self.header.columns.blank.load(Ordering::Relaxed),
        );
        self.counts.set(counts);
        visited
    }

    /// Returns what became of the rows.
    pub(crate) fn counts(&self) -> RowCounts {
        self.counts.get()
    }

    /// Counts rows under another use, if they were counted as used before.
    pub(crate) fn recount(&self, rows: usize, row_use: RowUse) {
        let mut counts = self.counts.get();
        counts.move_used(rows, row_use);
        self.counts.set(counts);
    }

    /// Reports that no row of a file is used, unless it may be empty.
    pub(crate) fn check_empty(&self, counted: usize, raw: &RawFile, problems: &mut Problems) {
        if counted == 0 && !raw.allow_empty {
            let message = format!("`{}` has no matching rows", self.name);
            let hint = "check the file and `where`, or set `allow_empty: true`";
            problems.note(Code::EmptyRoster, raw.path.at, message, hint);
        }
    }

    /// Returns every cell of ragged rows.
    pub(crate) fn ragged_cells(&self) -> HashSet<String> {
        let mut cells = HashSet::new();
        if self.counts.get().has(RowUse::Invalid) {
            self.records(|record, _| {
                if self.is_ragged(record) {
                    let found = record.iter().map(|cell| cell.trim());
                    cells.extend(found.filter(|cell| !cell.is_empty()).map(str::to_owned));
                }
            });
        }
        cells
    }

    fn rows_text(&self) -> &str {
        let repaired = self.header.repaired.as_deref();
        repaired.unwrap_or(&self.source.text)
    }

    /// Visits every record after the header that is not blank. The first use keeps no cells. The second use splits the file again and
    /// keeps the cells for all later uses.
    fn records(&self, mut visit: impl FnMut(&StringRecord, Start)) {
        let columns = &self.header.columns;
        if columns.passes.fetch_add(1, Ordering::Relaxed) == 0 {
            return self.split(visit);
        }
        let records = columns.records.get_or_init(|| {
            let mut records = Vec::new();
            self.split(|record, start| records.push((record.clone(), start)));
            records
        });
        for (record, start) in records {
            visit(record, *start);
        }
    }

    fn split(&self, mut visit: impl FnMut(&StringRecord, Start)) {
        let (text, mut record) = (self.rows_text(), StringRecord::new());
        let set_blank = |blank| self.header.columns.blank.store(blank, Ordering::Relaxed);
        let Some(delimiter) = self.header.delimiter else {
            for (index, (value, start)) in values(text).enumerate() {
                set_blank(start.line as usize - 1 - index);
                record.clear();
                record.push_field(value);
                visit(&record, start);
            }
            return;
        };
        let mut start = self.header.rows;
        let (first, mut blank, mut own_end) = (start.byte, 0, 0);
        let mut reader = reader(text.get(first..).unwrap_or_default(), delimiter);
        while reader.read_record(&mut record).unwrap_or_default() {
            let before = record.position().map_or(0, csv::Position::byte) as usize + first;
            // The reader includes the end of the last line in its count.
            let rest = text.get(before..).unwrap_or_default().bytes();
            let breaks = rest.take_while(|byte| matches!(byte, b'\r' | b'\n'));
            let byte = before + breaks.count();
            let passed = text.as_bytes().get(start.byte..byte).unwrap_or_default();
            start.line += line_ends(passed).count() as u32;
            // The reader skips empty lines, so there may be several line ends before this row. The first one ends the row before.
            let ends = passed
                .iter()
                .rev()
                .take_while(|byte| matches!(byte, b'\r' | b'\n'));
            let ends = passed.len() - ends.count();
            let ends = line_ends(passed.get(ends..).unwrap_or_default()).count();
            blank += ends.saturating_sub(own_end);
            own_end = 1;
            start.byte = byte;
            if record.iter().all(|cell| trimmed(cell).is_empty()) {
                blank += 1;
            } else {
                visit(&record, start);
            }
        }
        set_blank(blank);
    }

    /// Returns the record that starts on this line, if any.
    pub(crate) fn record_at(&self, line: u32) -> Option<StringRecord> {
        let text = &self.source.text;
        let text = text.get(self.source.line_start(line)?..)?;
        let line = first_line(text).trim_end_matches(['\r', '\n']);
        if line.trim().is_empty() {
            return None;
        }
        let Some(delimiter) = self.header.delimiter else {
            return Some(StringRecord::from(vec![line]));
        };
        let mut record = StringRecord::new();
        let found = reader(text, delimiter).read_record(&mut record);
        // Reading cannot fail: the text is UTF-8, and ragged rows are allowed.
        found.unwrap_or_default().then_some(record)
    }

    /// Whether a row lacks cells, or has cells beyond the header that are not empty. Spreadsheets add empty cells.
    fn is_ragged(&self, record: &StringRecord) -> bool {
        let columns = self.columns().len();
        let mut extra = record.iter().skip(columns);
        record.len() < columns || extra.any(|cell| !trimmed(cell).is_empty())
    }

    fn ragged(&self, row: &Row<'_>) -> Diagnostic {
        let (has, wants) = (row.record.len(), self.columns().len());
        let line = row.file_and_line();
        let cells = if has == 1 { "cell" } else { "cells" };
        let message = format!("{line}: the row has {has} {cells}, the header {wants}");
        let broken = row.record.iter().any(|cell| cell.contains(['\r', '\n']));
        let hint = if broken {
            "look for an unclosed quote: the row spans several lines"
        } else if has > wants {
            "quote a cell that contains a delimiter, or remove the extra cells"
        } else {
            "add the missing cells; they may be empty"
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

        /// With any quotes and line ends, a row's line is the line of its first byte.
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
                source: Arc::new(Source::new("", text.clone())),
                encoding: "",
                inexact: Arc::default(),
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
                expand: None,
                at: At::NOWHERE,
                today: Date::default(),
                counts: Cell::default(),
            };
            let mut rows = 0;
            table.records(|_, start| {
                rows += 1;
                let before = text.get(..start.byte).unwrap_or_default();
                assert_eq!(start.line as usize, 1 + line_ends(before.as_bytes()).count(), "{text:?}");
            });
            prop_assert!(rows > 0 || !text.contains("\na"), "{:?}", text);
            let pass = || {
                let mut records = Vec::new();
                table.split(|record, start| records.push((record.clone(), start)));
                records
            };
            let mut kept = Vec::new();
            table.records(|record, start| kept.push((record.clone(), start)));
            prop_assert_eq!(kept, pass(), "{:?}", text);
        }
    }
}
