//! Columns by the names that a manifest has for them: numbered ones, ones that may be absent, and what is wrong with the others.
//!
//! Main entry: [`Table::column`]. Case and white space around a name do not count.

use super::diagnostic::{Code, Diagnostic, Problems, clip};
use super::header::NamedColumn;
use super::input::RawFilter;
use super::number::whole_number;
use super::row::{Cells, Column, Filter};
use super::source::Spanned;
use super::table::Table;

/// How many columns of one name with numbers behind it are looked for.
const MOST_NUMBERED: u64 = 1000;

impl Table {
    /// The column of this name. What is wrong goes to `problems`.
    pub(crate) fn column(&self, name: &Spanned<String>, problems: &mut Problems) -> Option<Column> {
        let wanted = name.value.trim().to_lowercase();
        let found = if self.numbered.contains(&wanted) {
            self.numbered_places(&wanted)
        } else {
            self.place(&wanted)
        };
        match found {
            Ok(Some(place)) => {
                let known = match place {
                    Cells::At(place) => self.columns().get(place).cloned(),
                    _ => None,
                };
                let name = known.unwrap_or_else(|| name.value.trim().to_owned());
                return Some(Column { name, place });
            }
            Ok(None) if self.optional.contains(&wanted) => {
                let name = name.value.trim().to_owned();
                let place = Cells::Absent;
                return Some(Column { name, place });
            }
            Ok(None) => self.unknown(name, &wanted, problems),
            Err(repeated) => problems.push(self.repeated(name, &repeated)),
        }
        None
    }

    pub(crate) fn all_columns(
        &self,
        names: &[Spanned<String>],
        problems: &mut Problems,
    ) -> Option<Vec<Column>> {
        resolved(names.iter().map(|name| self.column(name, problems)))
    }

    /// The conditions of a `where`; none of them may be about a column that is not there.
    pub(crate) fn filters(
        &self,
        raw: &[RawFilter],
        problems: &mut Problems,
    ) -> Option<Vec<Filter>> {
        let filters = raw.iter().map(|raw| {
            Some(Filter {
                column: self.column(&raw.column, problems)?,
                values: raw.values.clone(),
                known: raw.known.clone(),
                any_case: raw.any_case,
            })
        });
        resolved(filters)
    }

    /// Whether the header has a column of this name.
    pub(crate) fn has_column(&self, name: &str) -> bool {
        let columns = &self.header.columns;
        columns.named(&name.trim().to_lowercase()).is_some()
    }

    /// Whether a template may ask for a column of this name although the header does not have it as it is.
    pub(crate) fn is_special(&self, name: &str) -> bool {
        let name = name.trim().to_lowercase();
        self.numbered.contains(&name) || self.optional.contains(&name)
    }

    /// Where a plain column is.
    fn place(&self, name: &str) -> Result<Option<Cells>, NamedColumn> {
        match self.header.columns.named(name) {
            Some(named) if named.times > 1 => Err(named),
            named => Ok(named.map(|named| Cells::At(named.place))),
        }
    }

    /// The places of `course1`, `course2`, … by their numbers.
    fn numbered_places(&self, name: &str) -> Result<Option<Cells>, NamedColumn> {
        let mut places = Vec::new();
        for (column, named) in self.header.columns.starting_with(name) {
            let number = column.strip_prefix(name).and_then(whole_number);
            let Some(number) = number.filter(|number| (1..=MOST_NUMBERED).contains(number)) else {
                continue;
            };
            if named.times > 1 {
                let place = named.last;
                return Err(NamedColumn { place, ..named });
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
        let message = format!(
            "the column `{}` stands {} times in the header of `{}`",
            clip(column),
            repeated.times,
            self.name
        );
        let diagnostic = Diagnostic::at(Code::DuplicateColumn, name.at, message);
        diagnostic.hint("roomform never picks one: rename the others in the file")
    }

    fn unknown(&self, name: &Spanned<String>, wanted: &str, problems: &mut Problems) {
        let number = if self.numbered.iter().any(|numbered| numbered == wanted) {
            "1"
        } else {
            ""
        };
        let message = format!(
            "`{}` has no column `{}{number}`",
            self.name,
            clip(&name.value)
        );
        let diagnostic = Diagnostic::at(Code::UnknownColumn, name.at, message);
        problems.push_with_hint(diagnostic, |search| {
            let near = search.find(wanted, self.header.columns.lower(), |_| true);
            let hint = near.map_or_else(
                || self.list_of_columns(),
                |near| format!("did you mean `{near}`?"),
            );
            if self.format == Some(name.at) {
                format!(
                    "{hint}; `id`, or a key in `each` or `room` over the format's own, names another"
                )
            } else {
                hint
            }
        });
    }

    fn list_of_columns(&self) -> String {
        let known = self.columns().iter().take(20);
        let known: Vec<String> = known.map(|name| clip(name)).collect();
        format!("the columns are {}", known.join(", "))
    }
}

/// All of them, or `None` if one is missing. All are looked up first, so that every mistake is noted.
pub(crate) fn resolved<T>(columns: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    columns.collect::<Vec<_>>().into_iter().collect()
}
