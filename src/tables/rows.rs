//! Reads the rows that a use of a table selects. The first use of a file reads all rows. Later uses
//! read only the rows that their conditions may select, so that thousands of uses remain cheap.
//!
//! Main entry: [`TableUse::rows`].

use std::collections::BTreeSet;

use csv::StringRecord;

use super::condition::LIST_DELIMITERS;
use super::diagnostic::{Code, Diagnostic};
use super::dialect::{Start, trimmed};
use super::header::RowStarts;
use super::index::Index;
use super::row::{Cells, Column, Row, Selection, parts, row_values};
use super::row_use::{RowCounts, RowUse, Visited};
use super::table::{Table, TableUse};
use crate::model::{Place, Presence};

/// The number of indexes that are built one by one. After that, each pass doubles the number of
/// indexes, so that a file with many columns needs few passes.
const MOST_BUILT_ALONE: usize = 8;

impl TableUse<'_> {
    /// Calls `visit` for each row, with the dates of the row, or with `None` if a condition
    /// leaves the row out. Skips blank rows, and reports rows with too few or too many cells.
    ///
    /// A record makes a row for each value of its `expand` column. With `numbered` columns, a
    /// record makes a row for each number, except for numbers without a value in the first of
    /// the `numbered` columns.
    pub(crate) fn rows(
        &self,
        selection: &Selection<'_>,
        mut visit: impl FnMut(&Row<'_>, Option<Presence>) -> RowUse,
    ) -> Visited {
        let (mut counts, mut visited) = (RowCounts::default(), Visited::default());
        let visit_record = |record: &StringRecord, start| {
            let row = |(number, value)| Row {
                record,
                number,
                value,
                table: *self,
                start,
            };
            if self.is_ragged(record) {
                self.problems.push(ragged(&row((0, ""))));
                return None;
            }
            let before = visited.rows;
            for made in row_values(record, selection.numbered.as_ref()) {
                let row = row(made);
                let presence = selection.presence(&row);
                visited.rows += 1;
                visited.matching += usize::from(presence.is_some());
                counts.add(visit(&row, presence), 1);
            }
            Some(visited.rows - before)
        };
        match (self.header.rows.get(), self.find_rows(selection)) {
            (None, _) => self.read_first(visit_record),
            (Some(rows), None) => self.read_at(rows.starts.iter().copied(), visit_record),
            (Some(_), Some(found)) => self.read_at(found.into_iter(), visit_record),
        }
        if let Some(rows) = self.header.rows.get() {
            counts.add(RowUse::LeftOut, rows.made - visited.rows);
            counts.add(RowUse::Invalid, rows.ragged.len());
            counts.add(RowUse::Blank, rows.blank);
        }
        self.counts.set(Some(counts));
        visited
    }

    /// Returns the rows with these cells in these columns.
    pub(super) fn rows_with<'k>(
        &self,
        columns: &[Column],
        cells: impl Iterator<Item = &'k str> + Clone,
    ) -> Vec<Place> {
        let numbered = self.numbered().next();
        let numbered = numbered.and_then(|name| self.column(name));
        let rows = self.header.rows.get();
        // An index has no empty cells. Use the column whose cell is in the fewest rows.
        let wanted = columns.iter().zip(cells.clone());
        let found = wanted.filter(|(_, text)| !text.is_empty());
        let found = found.map(|(column, text)| {
            let indexes = rows.into_iter().flat_map(|rows| self.indexes(column, rows));
            let found = indexes.map(|index| index.find(&index.cells, text));
            found.collect::<Vec<_>>()
        });
        let fewest = found.min_by_key(|found| found.iter().map(|rows| rows.len()).sum::<usize>());
        let fewest = fewest.into_iter().flatten().flatten().map(|(_, row)| *row);
        let starts = rows.into_iter().flat_map(|rows| rows.at(fewest.clone()));
        let mut places = Vec::new();
        self.read_at(starts, |record, start| {
            let has_cells = row_values(record, numbered.as_ref()).any(|row| {
                let own = columns.iter().map(|column| column.cell(record, row));
                own.eq(cells.clone())
            });
            let (file, line) = (self.file.id, start.line);
            places.extend(has_cells.then_some(Place { file, line }));
        });
        places
    }

    /// Reports a file without matching rows, unless `allow_empty` is set.
    pub(crate) fn check_empty(&self, counted: usize) {
        // If all rows have too few or too many cells, each row already has its own error.
        let are_ragged =
            self.header.rows.get().is_some_and(|rows| {
                !rows.starts.is_empty() && rows.starts.len() == rows.ragged.len()
            });
        if counted == 0 && !self.raw.allow_empty && !are_ragged {
            let message = format!("`{}` has no matching rows", self.file.name);
            let hint = "check the file and `where`, or set `allow_empty: true`";
            let at = self.raw.path.at;
            self.problems.note(Code::EmptyRoster, at, message, hint);
        }
    }
}

impl Table {
    /// Returns the starts of the rows that a selection may select or report. Returns `None` if all
    /// rows must be read.
    fn find_rows(&self, selection: &Selection<'_>) -> Option<Vec<Start>> {
        let rows = self.header.rows.get()?;
        if !selection.may_skip {
            return None;
        }
        let filters = selection.filters.iter();
        let wanted = filters.clone().filter_map(|filter| {
            let (texts, as_element) = filter.wanted()?;
            let indexes = self.indexes(&filter.column, rows);
            let found = indexes
                .flat_map(|index| texts.iter().flat_map(|text| index.wanted(text, as_element)));
            Some(found.collect::<Vec<_>>())
        });
        let best = wanted.min_by_key(|found| found.iter().map(|rows| rows.len()).sum::<usize>())?;
        let mut found: Vec<u32> = best.into_iter().flatten().map(|(_, row)| *row).collect();
        // A list in a cell that `where` compares as a whole gets a warning. So also find the
        // rows that have such a list.
        for filter in filters.filter(|filter| !filter.whole_cells().is_empty()) {
            for index in self.indexes(&filter.column, rows) {
                let texts = filter.whole_cells().iter();
                let elements = texts.map(|text| index.find(&index.elements, text));
                let lists = LIST_DELIMITERS.map(|delimiter| index.find(&index.lists, delimiter));
                found.extend(elements.chain(lists).flatten().map(|(_, row)| *row));
            }
        }
        found.sort_unstable();
        found.dedup();
        Some(rows.at(found.into_iter()).collect())
    }

    /// Returns the index of each place where a column has cells. Builds missing indexes.
    fn indexes<'i>(
        &'i self,
        column: &'i Column,
        rows: &'i RowStarts,
    ) -> impl Iterator<Item = &'i Index> {
        let known = &self.header.indexes;
        column.places().filter_map(|place| {
            if known.get(place)?.get().is_none() {
                let built = known.iter().filter(|index| index.get().is_some()).count();
                let more = if built < MOST_BUILT_ALONE { 0 } else { built };
                let others = known.iter().enumerate();
                let others = others.filter(|(other, it)| *other != place && it.get().is_none());
                let others = others.map(|(other, _)| other).take(more);
                self.build_indexes(others.chain([place]), rows);
            }
            known.get(place)?.get()
        })
    }

    /// Builds the indexes of these columns in one pass.
    fn build_indexes(&self, places: impl Iterator<Item = usize>, rows: &RowStarts) {
        let indexes = places.map(|place| {
            let name = self.header.columns.get(place).map_or("", String::as_str);
            let cells = self.cells_at(place, name);
            (place, cells, Index::default(), BTreeSet::new())
        });
        let (mut indexes, mut numbers) = (indexes.collect::<Vec<_>>(), 0..);
        self.read_at(rows.starts.iter().copied(), |record, _| {
            let Some(number) = numbers.next().filter(|_| !self.is_ragged(record)) else {
                return;
            };
            for (place, cells, index, listed) in &mut indexes {
                let cell = record.get(*place).unwrap_or_default();
                match cells {
                    Cells::Parts(_, split) => {
                        parts(cell, split).for_each(|part| index.add(part, number, listed));
                    }
                    _ => index.add(trimmed(cell), number, listed),
                }
            }
        });
        for (place, _, index, _) in indexes {
            if let Some(known) = self.header.indexes.get(place) {
                known.get_or_init(|| index.sorted());
            }
        }
    }
}

fn ragged(row: &Row<'_>) -> Diagnostic {
    let (has, wants) = (row.record.len(), row.table.header.columns.len());
    let line = row.file_and_line();
    let cells = if has == 1 { "cell" } else { "cells" };
    let message = format!("{line}: the row has {has} {cells}, but the header has {wants}");
    let broken = row.record.iter().any(|cell| cell.contains(['\r', '\n']));
    let hint = if row.table.file.is_sheet() {
        "give each extra column a name in the header, or clear the cells beside the table"
    } else if broken {
        "look for an unclosed quote: the row spans several lines"
    } else if has > wants {
        "quote a cell that contains a delimiter, or remove the extra cells"
    } else {
        "add the missing cells; they may be empty"
    };
    Diagnostic::at(Code::RaggedRow, row.at(), message).hint(hint)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;

    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};
    use proptest::test_runner::Config as Trials;

    use super::super::condition::Condition;
    use super::super::diagnostic::{At, Diagnostic, Problems, Sources};
    use super::super::header::{Header, OpenedFile};
    use super::super::input::{KnownWords, RawFile, RawFilter};
    use super::super::source::Spanned;
    use super::*;
    use crate::model::Date;

    /// Creates a table of two columns that was already read once. Also returns its text.
    fn table(rows: &[(&str, &str)]) -> (Table, Sources) {
        let lines = rows.iter().map(|(one, two)| format!("{one}\t{two}\n"));
        let mut sources = Sources::default();
        let id = sources.add("a.csv", format!("one\ttwo\n{}", lines.collect::<String>()));
        let file = OpenedFile {
            id,
            source: Arc::clone(sources.file(id).unwrap()),
            name: "a.csv".to_owned(),
            encoding: "UTF-8",
            unusable: Default::default(),
        };
        let header = Header::read(&file, Some(b'\t'), At::NOWHERE, &Problems::default());
        let table = Table {
            file: Arc::new(file),
            header: Arc::new(header.unwrap()),
            raw: RawFile::default(),
            counts: Cell::default(),
        };
        read((&table, &sources), &[], false);
        (table, sources)
    }

    /// Returns the lines of the selected rows, the counts of all rows, the diagnostics, and the
    /// number of visits.
    fn read(
        (table, sources): (&Table, &Sources),
        filters: &[RawFilter],
        may_skip: bool,
    ) -> (Vec<u32>, RowCounts, Vec<Diagnostic>, usize) {
        let (problems, filters) = (Problems::default(), filters.to_vec());
        let table = Table {
            file: Arc::clone(&table.file),
            header: Arc::clone(&table.header),
            raw: RawFile {
                filters,
                ..RawFile::default()
            },
            counts: Cell::default(),
        };
        let table = TableUse {
            table: &table,
            problems: &problems,
            today: Date::default(),
        };
        let mut selection = table.selection().unwrap();
        selection.may_skip = may_skip;
        let (mut lines, mut visits) = (Vec::new(), 0);
        table.rows(&selection, |row, presence| {
            visits += 1;
            lines.extend(presence.map(|_| row.start.line));
            RowUse::of(presence)
        });
        let counts = table.counts.get().unwrap();
        let mut found = problems.sorted(sources);
        // Ignore ragged rows: only the first use reports them.
        found.retain(|diagnostic| diagnostic.code != Code::RaggedRow);
        (lines, counts, found, visits)
    }

    fn filter(column: &str, condition: Condition) -> RawFilter {
        let (value, at) = (column.to_owned(), At::NOWHERE);
        RawFilter {
            column: Spanned { value, at },
            condition,
            known: None,
            any_case: false,
        }
    }

    #[test]
    fn each_of_many_uses_visits_only_its_own_rows() {
        let rows: Vec<String> = (0..1000)
            .map(|row| format!("class-{}", row % 100))
            .collect();
        let rows: Vec<(&str, &str)> = rows.iter().map(|row| (row.as_str(), "active")).collect();
        let (table, sources) = table(&rows);
        for class in 0..100 {
            let active = Condition::OneOf(vec!["active".to_owned()]);
            let one = Condition::OneOf(vec![format!("class-{class}")]);
            let filters = [filter("two", active), filter("one", one)];
            let (lines, counts, _, visits) = read((&table, &sources), &filters, true);
            assert_eq!((lines.len(), visits, counts.read()), (10, 10, 1000));
        }
    }

    const CELLS: [&str; 11] = [
        "",
        "a",
        "A",
        "b",
        "a|b",
        "a;c",
        "a,b",
        "c, a",
        "1,5",
        "2026-01-01",
        "\"x",
    ];

    fn conditions() -> impl Strategy<Value = RawFilter> {
        let texts = subsequence(CELLS.to_vec(), 0..4);
        let texts = texts.prop_map(|texts| texts.into_iter().map(str::to_owned).collect());
        let condition = (0..6, texts).prop_map(|(kind, texts): (_, Vec<String>)| match kind {
            0 | 1 => Condition::OneOf(texts),
            2 => Condition::Not(texts),
            3 => Condition::Has(texts, "|".to_owned()),
            4 => Condition::Present(texts.is_empty()),
            _ => Condition::Before(Date::parse("2026-03-01").unwrap()),
        });
        let known = KnownWords {
            words: vec!["b".to_owned()],
            hint: "",
        };
        let known = select(vec![None, Some(known)]);
        let made = (select(vec!["one", "two"]), condition, known, any::<bool>());
        made.prop_map(|(column, condition, known, any_case)| RawFilter {
            known,
            any_case,
            ..filter(column, condition)
        })
    }

    proptest! {
        #![proptest_config(Trials { cases: 2_000, failure_persistence: None, ..Trials::default() })]

        #[test]
        fn an_index_finds_what_reading_all_rows_finds(
            rows in prop::collection::vec((select(CELLS.to_vec()), select(vec!["", "a", "b", "a|b", "c, a", "a\tb"])), 0..12),
            filters in prop::collection::vec(conditions(), 1..4),
        ) {
            let (table, sources) = table(&rows);
            let (lines, counts, diagnostics, _) = read((&table, &sources), &filters, false);
            let (found, of_lookup, others, _) = read((&table, &sources), &filters, true);
            prop_assert_eq!((lines, counts, diagnostics), (found, of_lookup, others));
        }
    }
}
