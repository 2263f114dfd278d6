//! Columns by the names that a manifest has for them: numbered ones, ones that may be absent, and what is wrong with the others.
//!
//! Main entry: [`Table::column`]. Case and white space around a name do not count.

use super::diagnostic::{Code, Diagnostic, Problems};
use super::fields::{clip, nearest};
use super::number::whole_number;
use super::raw::{RawFilter, Spanned};
use super::row::{Cells, Column, Filter};
use super::table::Table;

/// How many columns of one name with numbers behind it are looked for.
const MOST_NUMBERED: u64 = 1000;

/// A column that stands in a header more than once.
struct Repeated {
    place: usize,
    times: usize,
}

impl Table {
    /// The column of this name. What is wrong goes to `problems`.
    pub(super) fn column(&self, name: &Spanned<String>, problems: &mut Problems) -> Option<Column> {
        let wanted = name.value.trim().to_lowercase();
        let found = if self.numbered.contains(&wanted) {
            self.numbered_places(&wanted)
        } else {
            self.place(&wanted)
        };
        match found {
            Ok(Some(place)) => {
                let known = match place {
                    Cells::At(place) => self.columns.get(place).cloned(),
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
            Ok(None) => problems.push(self.unknown(name, &wanted)),
            Err(repeated) => problems.push(self.repeated(name, &repeated)),
        }
        None
    }

    /// The same for several; all of them are looked up, so that all mistakes are told.
    pub(super) fn all_columns(
        &self,
        names: &[Spanned<String>],
        problems: &mut Problems,
    ) -> Option<Vec<Column>> {
        let columns = names.iter().map(|name| self.column(name, problems));
        columns.collect::<Vec<_>>().into_iter().collect()
    }

    /// The conditions of a `where`; none of them may be about a column that is not there.
    pub(super) fn filters(
        &self,
        raw: &[RawFilter],
        problems: &mut Problems,
    ) -> Option<Vec<Filter>> {
        let filters = raw.iter().map(|raw| {
            Some(Filter {
                column: self.column(&raw.column, problems)?,
                values: raw.values.clone(),
                others: raw.others.clone(),
            })
        });
        filters.collect::<Vec<_>>().into_iter().collect()
    }

    /// Whether a template may ask for a column of this name although the header does not have it as it is.
    pub(super) fn is_special(&self, name: &str) -> bool {
        let name = name.trim().to_lowercase();
        self.numbered.contains(&name) || self.optional.contains(&name)
    }

    /// The names in the header in lower case, with their places.
    fn lower(&self) -> Vec<(usize, String)> {
        let columns = self.columns.iter().enumerate();
        columns
            .map(|(place, column)| (place, column.to_lowercase()))
            .collect()
    }

    /// Where a plain column is.
    fn place(&self, name: &str) -> Result<Option<Cells>, Repeated> {
        let lower = self.lower();
        let mut found = lower.iter().filter(|(_, column)| column == name);
        let first = found.next();
        match (first, found.count()) {
            (Some((place, _)), more @ 1..) => Err(Repeated {
                place: *place,
                times: more + 1,
            }),
            (first, _) => Ok(first.map(|(place, _)| Cells::At(*place))),
        }
    }

    /// The places of `course1`, `course2`, … by their numbers.
    fn numbered_places(&self, name: &str) -> Result<Option<Cells>, Repeated> {
        let mut places = Vec::new();
        for (place, column) in self.lower() {
            let number = column.strip_prefix(name).and_then(whole_number);
            let Some(number) = number.filter(|number| (1..=MOST_NUMBERED).contains(number)) else {
                continue;
            };
            let index = number as usize - 1;
            if places.len() <= index {
                places.resize(index + 1, None);
            }
            let known = places.get_mut(index);
            if known.is_some_and(|known| known.replace(place).is_some()) {
                return Err(Repeated { place, times: 2 });
            }
        }
        Ok((!places.is_empty()).then_some(Cells::Numbered(places)))
    }

    fn repeated(&self, name: &Spanned<String>, repeated: &Repeated) -> Diagnostic {
        let column = self.columns.get(repeated.place).unwrap_or(&name.value);
        let message = format!(
            "the column `{}` stands {} times in the header of `{}`",
            clip(column),
            repeated.times,
            self.name
        );
        let diagnostic = Diagnostic::at(Code::DuplicateColumn, name.at, message);
        diagnostic.hint("roomform never picks one: rename the others in the file")
    }

    fn unknown(&self, name: &Spanned<String>, wanted: &str) -> Diagnostic {
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
        let known: Vec<String> = self
            .columns
            .iter()
            .take(20)
            .map(|name| clip(name))
            .collect();
        let lower = self.lower();
        let near = nearest(wanted, lower.iter().map(|(_, column)| column.as_str()));
        let hint = near.map_or_else(
            || format!("the columns are {}", known.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        let hint = if self.format == Some(name.at) {
            format!(
                "{hint}; `id`, or a key in `each` or `room` over the format's own, names another"
            )
        } else {
            hint
        };
        Diagnostic::at(Code::UnknownColumn, name.at, message).hint(hint)
    }
}
