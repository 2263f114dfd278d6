//! Conditions on cells, as written in `where`.
//!
//! Main type: [`Condition`].

use super::number::is_altered;
use crate::model::Date;

/// A condition that a cell can meet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Condition {
    /// The cell is one of these texts.
    OneOf(Vec<String>),
    /// The cell is none of these texts.
    Not(Vec<String>),
    /// The cell is a list with this separator, and contains at least one of these elements.
    Has(Vec<String>, String),
    /// If true, the cell is not empty. If false, the cell is empty.
    Present(bool),
    /// The cell is a date before this date.
    Before(Date),
    /// The cell is a date after this date.
    After(Date),
}

impl Condition {
    /// Whether a cell meets the condition.
    pub(crate) fn accepts(&self, cell: &str, any_case: bool) -> bool {
        let is_in = |texts: &[String], cell: &str| {
            let mut texts = texts.iter();
            texts.any(|text| text == cell || (any_case && text.eq_ignore_ascii_case(cell)))
        };
        match self {
            Self::OneOf(texts) => is_in(texts, cell),
            Self::Not(texts) => !is_in(texts, cell),
            Self::Has(texts, split) => {
                let mut elements = cell.split(split.as_str());
                elements.any(|element| is_in(texts, element.trim()))
            }
            Self::Present(present) => cell.is_empty() != *present,
            Self::Before(date) => parse_date(cell).is_some_and(|found| found < *date),
            Self::After(date) => parse_date(cell).is_some_and(|found| found > *date),
        }
    }

    /// Returns the texts that the whole cell is compared with.
    pub(crate) fn whole_cells(&self) -> &[String] {
        match self {
            Self::OneOf(texts) | Self::Not(texts) => texts,
            Self::Has(..) | Self::Present(_) | Self::Before(_) | Self::After(_) => &[],
        }
    }

    /// Whether the condition needs a date, but the cell has something else. An empty cell is
    /// allowed.
    pub(crate) fn is_bad_date(&self, cell: &str) -> bool {
        let needs_date = matches!(self, Self::Before(_) | Self::After(_));
        needs_date && !cell.is_empty() && parse_date(cell).is_none()
    }

    /// Returns the delimiter if the cell seems to be a list, although the condition compares
    /// the cell as a whole.
    pub(crate) fn find_list(&self, cell: &str) -> Option<&'static str> {
        let texts = self.whole_cells();
        let is_text = |element: &str| texts.iter().any(|text| text == element);
        if texts.is_empty() || is_text(cell) {
            return None;
        }
        memchr::memchr3(b'|', b';', b',', cell.as_bytes())?;
        let mut lists = lists_in(cell).filter(|(delimiter, is_prose)| {
            let mut elements = cell.split(*delimiter).map(str::trim);
            (!is_prose || elements.any(is_text))
                && !texts.iter().any(|text| text.contains(*delimiter))
        });
        lists.next().map(|(delimiter, _)| delimiter)
    }
}

/// The delimiters of lists in cells.
pub(crate) const LIST_DELIMITERS: [&str; 3] = ["|", ";", ","];

/// Returns each delimiter that seems to separate values in a cell. The bool says whether the cell
/// may be a single value instead: a comma is often part of a name or a number.
pub(crate) fn lists_in(cell: &str) -> impl Iterator<Item = (&'static str, bool)> {
    let found = LIST_DELIMITERS.into_iter().filter(|delimiter| {
        let elements = cell.split(*delimiter).map(str::trim);
        elements.filter(|element| !element.is_empty()).count() > 1
    });
    let is_prose = || cell.contains(char::is_whitespace) || is_altered(cell);
    found.map(move |delimiter| (delimiter, delimiter == "," && is_prose()))
}

/// Parses the date in a cell. Ignores a time after the date.
pub(crate) fn parse_date(cell: &str) -> Option<Date> {
    let (date, time) = cell.split_at_checked(10)?;
    let is_date = time.is_empty() || time.starts_with(['T', ' ']);
    is_date.then(|| Date::parse(date))?
}
