//! Finds columns by the names in a manifest, including numbered and optional columns, and reports those that are missing.
//!
//! Main entry: [`Table::column`]. Case and surrounding white space are ignored.

use super::diagnostic::{At, Code, Diagnostic, Problems, clip};
use super::dialect::cell_offset;
use super::header::{NamedColumn, column_key};
use super::input::{RawFile, RawFilter};
use super::number::whole_number;
use super::row::{Cells, Column, Filter};
use super::selection::Selection;
use super::source::Spanned;
use super::table::Table;

/// Number of lines below the first one that are searched for the header.
const LOWEST_HEADER: u32 = 10;
/// Maximum number that a numbered column may have.
const MOST_NUMBERED: u64 = 1000;

impl Table {
    /// Finds the column with this name. Errors go to `problems`.
    pub(crate) fn column(&self, name: &Spanned<String>, problems: &mut Problems) -> Option<Column> {
        let wanted = column_key(&name.value);
        let found = if self.numbered.contains(&wanted) {
            self.numbered_places(&wanted)
        } else {
            match self.header.columns.by_name.get(&wanted) {
                Some(named) if named.times > 1 => Err(*named),
                named => Ok(named.map(|named| self.cells_at(named.place, &wanted))),
            }
        };
        let place = match found {
            Ok(Some(place)) => place,
            Ok(None) if self.optional.contains(&wanted) => Cells::Absent,
            Ok(None) => {
                self.note_unknown(name, &wanted, problems);
                return None;
            }
            Err(repeated) => {
                problems.push(self.repeated(name, &repeated));
                return None;
            }
        };
        let known = match &place {
            Cells::At(place) | Cells::Parts(place, _) => self.columns().get(*place),
            Cells::Numbered(_) | Cells::Absent => None,
        };
        let name = known.map_or(name.value.trim(), String::as_str).to_owned();
        let column = Column { name, place };
        let inexact = self.inexact.iter().filter(|(_, index)| column.has(*index));
        let mut inexact = inexact.peekable();
        let is_exact = inexact.peek().is_none();
        problems.extend(inexact.map(|(row, index)| self.inexact_number(*row, *index)));
        is_exact.then_some(column)
    }

    /// Reports a cell that the workbook may have changed, so that it could name another user or course.
    fn inexact_number(&self, row: u32, index: usize) -> Diagnostic {
        let start = self.source.line_start(row).unwrap_or_default();
        let text = self.source.text.get(start..).unwrap_or_default();
        let offset = start + cell_offset(text, self.header.delimiter, index);
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        let column = self.columns().get(index).map_or("", String::as_str);
        let place = format!("{}:{row}:{}", self.source.name, clip(column));
        let message = format!("{place}: a workbook stores only 15 digits of a number");
        Diagnostic::at(
            Code::BadCell,
            At {
                file: self.file,
                offset,
            },
            message,
        )
        .hint("format the column as text, and enter the number again")
    }

    pub(crate) fn all_columns(
        &self,
        names: &[Spanned<String>],
        problems: &mut Problems,
    ) -> Option<Vec<Column>> {
        resolved(names.iter().map(|name| self.column(name, problems)))
    }

    /// Finds the columns that select rows; `None` if one is missing, which is reported.
    pub(crate) fn selection<'f>(
        &self,
        raw: &RawFile,
        filter: &'f [RawFilter],
        problems: &mut Problems,
    ) -> Option<Selection<'f>> {
        let expand = raw.expand.as_ref().map(|(column, _)| column);
        let numbered = raw.numbered.iter().chain(expand);
        let numbered = resolved(numbered.map(|name| self.column(name, problems)));
        let filters = self.filters(filter, problems);
        let [from, until, days] = [&raw.from, &raw.until, &raw.days].map(|name| match name {
            Some(name) => self.column(name, problems).map(Some),
            None => Some(None),
        });
        let show = self.all_columns(&raw.show, problems);
        Some(Selection {
            numbered: numbered?,
            filters: filters?,
            from: from?,
            until: until?,
            days: days?,
            show: show?,
        })
    }

    /// Resolves the conditions of a `where`; every column must exist.
    fn filters<'f>(
        &self,
        raw: &'f [RawFilter],
        problems: &mut Problems,
    ) -> Option<Vec<Filter<'f>>> {
        let filters = raw.iter().map(|raw| {
            let column = self.column(&raw.column, problems)?;
            Some(Filter::new(raw, column))
        });
        resolved(filters)
    }

    /// Whether the header has a column with this name.
    pub(crate) fn has_column(&self, name: &str) -> bool {
        let columns = &self.header.columns.by_name;
        columns.contains_key(&column_key(name))
    }

    /// Whether a template may use this column name although the header does not contain it literally.
    pub(crate) fn is_special(&self, name: &str) -> bool {
        let name = column_key(name);
        self.numbered.contains(&name) || self.optional.contains(&name)
    }

    fn cells_at(&self, place: usize, key: &str) -> Cells {
        match &self.expand {
            Some((column, split)) if column == key => Cells::Parts(place, split.clone()),
            _ => Cells::At(place),
        }
    }

    /// Returns the indices of `course1`, `course2`, … by number.
    fn numbered_places(&self, name: &str) -> Result<Option<Cells>, NamedColumn> {
        let mut places = Vec::new();
        let columns = self.header.columns.by_name.range(name.to_owned()..);
        for (column, named) in columns.take_while(|(column, _)| column.starts_with(name)) {
            let number = column.strip_prefix(name).and_then(whole_number);
            let Some(number) = number.filter(|number| (1..=MOST_NUMBERED).contains(number)) else {
                continue;
            };
            if named.times > 1 {
                let place = named.last;
                return Err(NamedColumn { place, ..*named });
            }
            let index = number as usize - 1;
            if places.len() <= index {
                places.resize(index + 1, None);
            }
            if let Some(known) = places.get_mut(index) {
                *known = Some(named.place);
            }
        }
        Ok((!places.is_empty()).then_some(Cells::Numbered(places)))
    }

    fn repeated(&self, name: &Spanned<String>, repeated: &NamedColumn) -> Diagnostic {
        let column = self.columns().get(repeated.place).unwrap_or(&name.value);
        let (column, times, file) = (clip(column), repeated.times, &self.name);
        let message =
            format!("the column `{column}` occurs {times} times in the header of `{file}`");
        let diagnostic = Diagnostic::at(Code::DuplicateColumn, name.at, message);
        diagnostic.hint("rename the duplicates in the file; roomform never picks one")
    }

    fn note_unknown(&self, name: &Spanned<String>, wanted: &str, problems: &mut Problems) {
        let is_numbered = self.numbered.iter().any(|numbered| numbered == wanted);
        let number = if is_numbered { "1" } else { "" };
        let (file, shown) = (&self.name, clip(&name.value));
        let message = format!("`{file}` has no column `{shown}{number}`");
        let diagnostic = Diagnostic::at(Code::UnknownColumn, name.at, message);
        problems.push_with_hint(diagnostic, |search| {
            let columns = self.header.columns.by_name.keys();
            let near = search.find(wanted, columns.map(String::as_str), |_| true);
            let mut hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None if self.header.delimiter.is_none() => {
                    "a .txt file has one user per line; write `delimiter` if it is a table"
                        .to_owned()
                }
                None => match self.find_line_with(wanted) {
                    Some(line) => format!("line {line} has it: remove the lines above the header"),
                    None => format!("the columns are {}", self.list_columns()),
                },
            };
            if self.format == Some(name.at) {
                hint += "; to use another column, name it in `id`, `each` or `room`";
            }
            hint
        });
    }

    /// Returns the first line below the header that has this text as a cell, if it is near: the header is then probably a title.
    fn find_line_with(&self, wanted: &str) -> Option<u32> {
        let lines = self.header.rows.line..self.header.rows.line + LOWEST_HEADER;
        let is_there = |line: &u32| {
            let record = self.record_at(*line);
            let mut cells = record.iter().flat_map(|record| record.iter());
            cells.any(|cell| column_key(cell) == wanted)
        };
        lines.into_iter().find(is_there)
    }

    /// Lists the first columns, for a message.
    pub(crate) fn list_columns(&self) -> String {
        let known = self.columns().iter().filter(|name| !name.is_empty());
        let known: Vec<String> = known.take(20).map(|name| clip(name)).collect();
        known.join(", ")
    }
}

/// Collects the values, or returns `None` if one is missing. It evaluates every item first, so that every error is reported.
pub(crate) fn resolved<T>(columns: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    columns.collect::<Vec<_>>().into_iter().collect()
}
