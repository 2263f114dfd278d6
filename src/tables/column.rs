//! Finds columns by the names in a manifest, including numbered and optional columns. Reports
//! missing columns.
//!
//! Main entry: [`TableUse::column`]. Case and surrounding white space are ignored.

use csv::StringRecord;

use super::diagnostic::{Code, Diagnostic, clip};
use super::dialect::Start;
use super::header::{UnusableCell, column_key, is_same_key};
use super::number::whole_number;
use super::row::{Cells, Column, Filter, Row, Selection};
use super::source::Spanned;
use super::table::{Table, TableUse};

/// Number of lines that are searched for the header if it is not the first line.
const LOWEST_HEADER: u32 = 10;
/// The highest number of a numbered column, as in `course1000`.
const MOST_NUMBERED: u64 = 1000;

impl<'t> TableUse<'t> {
    /// Finds the column with this name. Errors are reported.
    pub(crate) fn column(&self, name: &Spanned<String>) -> Option<Column> {
        let wanted = column_key(&name.value);
        let found = match has(&self.raw.numbered, &wanted) {
            true => self.numbered_places(&wanted),
            false => match self.header.by_name.get(&wanted).map(Vec::as_slice) {
                None => Ok(None),
                Some([place]) => Ok(Some(self.cells_at(*place, &wanted))),
                Some(places) => Err(places),
            },
        };
        let place = match found {
            Ok(Some(place)) => place,
            Ok(None) if has(&self.raw.optional, &wanted) => Cells::Absent,
            Ok(None) => return self.note_unknown(name, &wanted),
            Err(places) => return self.note_repeated(name, places),
        };
        let known = match &place {
            Cells::At(place) | Cells::Parts(place, _) => self.header.columns.get(*place),
            Cells::Numbered(_) | Cells::Absent => None,
        };
        let name = known.map_or(name.value.trim(), String::as_str).to_owned();
        let column = Column { name, place };
        let mut is_usable = true;
        for place in column.places() {
            for cell in self.file.unusable.get(&place).into_iter().flatten() {
                self.note_unusable(cell, place);
                is_usable = false;
            }
        }
        is_usable.then_some(column)
    }

    fn note_unusable(&self, cell: &UnusableCell, place: usize) {
        let line = cell.row;
        let byte = self.file.source.line_start(line).unwrap_or_default() as u32;
        let row = Row {
            record: &StringRecord::new(),
            number: 0,
            value: "",
            table: *self,
            start: Start { byte, line },
        };
        let (name, place) = (String::new(), Cells::At(place));
        let mistake = row.mistake(Code::BadCell, &Column { name, place }, cell.why);
        self.problems.push(mistake.hint(cell.hint));
    }

    pub(crate) fn all_columns(&self, names: &[Spanned<String>]) -> Option<Vec<Column>> {
        resolved(names.iter().map(|name| self.column(name)))
    }

    /// Finds the columns that select rows. Returns `None` if one is missing, which is reported.
    pub(crate) fn selection(&self) -> Option<Selection<'t>> {
        let raw = &self.table.raw;
        let numbered = resolved(self.numbered().map(|name| self.column(name)));
        let filters = raw.filters.iter();
        let filters = filters.map(|raw| Some(Filter::new(raw, self.column(&raw.column)?)));
        let filters = resolved(filters);
        let dates = [&raw.from, &raw.until, &raw.days];
        let [from, until, days] =
            dates.map(|name| optional(name.as_ref(), |name| self.column(name)));
        let show = self.all_columns(&raw.show);
        Some(Selection {
            numbered: numbered?.into_iter().next(),
            filters: filters?,
            from: from?,
            until: until?,
            days: days?,
            show: show?,
            may_skip: false,
        })
    }

    /// Returns the indices of the columns `course1`, `course2`, … by number.
    ///
    /// # Errors
    /// Returns the indices of a column that occurs several times.
    fn numbered_places(&self, name: &str) -> Result<Option<Cells>, &[usize]> {
        let mut found = Vec::new();
        let columns = self.header.by_name.range(name.to_owned()..);
        for (column, places) in columns.take_while(|(column, _)| column.starts_with(name)) {
            let number = column.strip_prefix(name).and_then(whole_number);
            let Some(number) = number.filter(|number| (1..=MOST_NUMBERED).contains(number)) else {
                continue;
            };
            let [place] = places.as_slice() else {
                return Err(places);
            };
            let index = number as usize - 1;
            if found.len() <= index {
                found.resize(index + 1, None);
            }
            if let Some(known) = found.get_mut(index) {
                *known = Some(*place);
            }
        }
        Ok((!found.is_empty()).then_some(Cells::Numbered(found)))
    }

    fn note_repeated<T>(&self, name: &Spanned<String>, places: &[usize]) -> Option<T> {
        let column = places.last().and_then(|it| self.header.columns.get(*it));
        let column = clip(column.unwrap_or(&name.value));
        let (times, file) = (places.len(), &self.file.name);
        let message =
            format!("the column `{column}` occurs {times} times in the header of `{file}`");
        let hint = "rename the duplicates in the file; roomform never picks one";
        self.problems
            .refuse(Code::DuplicateColumn, name.at, message, hint)
    }

    fn note_unknown<T>(&self, name: &Spanned<String>, wanted: &str) -> Option<T> {
        let is_numbered = has(&self.raw.numbered, wanted);
        let number = if is_numbered { "1" } else { "" };
        let (file, shown) = (&self.file.name, clip(&name.value));
        let message = format!("`{file}` has no column `{shown}{number}`");
        let diagnostic = Diagnostic::at(Code::UnknownColumn, name.at, message);
        self.problems.push_with_hint(diagnostic, |search| {
            let columns = self.header.by_name.keys();
            let near = search.find(wanted, columns.map(String::as_str), |_| true);
            let mut hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None if self.header.delimiter.is_none() => {
                    "if the file is a table, set `delimiter`; without `delimiter`, a .txt file has one user per line"
                        .to_owned()
                }
                None => match self.find_line_with(wanted) {
                    Some(line) => format!("line {line} has this column, so it seems to be the header; remove the lines above it"),
                    None => format!("the columns are {}", self.list_columns()),
                },
            };
            if self.raw.format == Some(name.at) {
                hint += "; to use another column, name it in `id`, `each` or `room`";
            }
            hint
        });
        None
    }
}

impl Table {
    /// Returns the columns that make several rows of a record.
    pub(super) fn numbered(&self) -> impl Iterator<Item = &Spanned<String>> {
        let expand = self.raw.expand.as_ref().map(|(column, _)| column);
        self.raw.numbered.iter().chain(expand)
    }

    /// Whether the header has a column with this name.
    pub(crate) fn has_column(&self, name: &str) -> bool {
        self.header.by_name.contains_key(&column_key(name))
    }

    /// Whether a template may use this name even if the header does not have it.
    pub(crate) fn is_special(&self, name: &str) -> bool {
        let name = column_key(name);
        has(&self.raw.numbered, &name) || has(&self.raw.optional, &name)
    }

    pub(super) fn cells_at(&self, place: usize, key: &str) -> Cells {
        match &self.raw.expand {
            Some((column, split)) if is_same_key(&column.value, key) => {
                Cells::Parts(place, split.clone())
            }
            _ => Cells::At(place),
        }
    }

    /// Returns the first line below the assumed header in which a cell has this text. That line
    /// may be the real header.
    fn find_line_with(&self, wanted: &str) -> Option<u32> {
        let first = self.header.start.line;
        (first..first + LOWEST_HEADER).find(|line| {
            let record = self.record_at(*line);
            let mut cells = record.iter().flat_map(|record| record.iter());
            cells.any(|cell| column_key(cell) == wanted)
        })
    }

    /// Lists the first columns, for a message.
    pub(crate) fn list_columns(&self) -> String {
        let known = self.header.columns.iter().filter(|name| !name.is_empty());
        let known: Vec<String> = known.take(20).map(|name| clip(name)).collect();
        known.join(", ")
    }
}

fn has(names: &[Spanned<String>], key: &str) -> bool {
    names.iter().any(|name| is_same_key(&name.value, key))
}

/// Finds an optional item. Returns `Some(None)` if no item is given, and `None` if the given
/// item is not found.
pub(crate) fn optional<A, T>(
    given: Option<A>,
    find: impl FnOnce(A) -> Option<T>,
) -> Option<Option<T>> {
    match given {
        Some(given) => find(given).map(Some),
        None => Some(None),
    }
}

/// Collects the values, or returns `None` if one is missing. It evaluates every item first, so that every error is reported.
pub(crate) fn resolved<T>(columns: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    columns.collect::<Vec<_>>().into_iter().collect()
}
