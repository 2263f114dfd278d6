//! A file with rows: its header, its columns, its rows one after another with their places.
//!
//! Main type: [`Table`]. CSV with a header, or a plain text with one value a line. It knows nothing of users or rooms.

use csv::StringRecord;

use super::diagnostic::{Code, Diagnostic, Problems, Sources};
use super::fields::{clip, nearest, whole_number};
use super::layout::{is_plain, likely_delimiter, lines, spreadsheet_line};
use super::raw::{RawFile, RawFilter, Spanned};
use super::row::{Cells, Column, Filter, Row};
use crate::model::FileId;

/// The name of the only column of a file without a header.
pub(super) const ONLY_COLUMN: &str = "user";
/// How many columns of one name with numbers behind it are looked for.
const MOST_NUMBERED: u64 = 1000;

/// An opened file with rows.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// The file.
    pub(super) file: FileId,
    /// The character between cells; none for a file with one value a line.
    pub(super) delimiter: Option<u8>,
    /// The names of the columns, as written, without white space around them.
    pub(super) columns: Vec<String>,
    /// The byte at which the header starts, or the first row where there is none.
    start: usize,
    /// Columns that may be absent, in lower case.
    optional: Vec<String>,
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
        if is_plain(&source.name) {
            return Some(Self {
                file,
                delimiter: None,
                columns: vec![ONLY_COLUMN.to_owned()],
                start: 0,
                optional: Vec::new(),
            });
        }
        let (start, said) = spreadsheet_line(text);
        let delimiter = raw
            .delimiter
            .or(said)
            .unwrap_or_else(|| likely_delimiter(&text[start..]));
        let mut table = Self {
            file,
            delimiter: Some(delimiter),
            columns: Vec::new(),
            start,
            optional: raw
                .optional
                .iter()
                .map(|name| name.value.trim().to_lowercase())
                .collect(),
        };
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

    /// The column of this name, in whatever case. What is wrong goes to `problems`.
    pub(super) fn column(
        &self,
        name: &Spanned<String>,
        numbered: bool,
        problems: &mut Problems,
    ) -> Option<Column> {
        let wanted = name.value.trim().to_lowercase();
        let found = self.places(&wanted);
        let shown = clip(&name.value);
        if let [place] = found.as_slice()
            && !numbered
        {
            return Some(Column {
                name: self.columns[*place].clone(),
                place: Cells::At(*place),
            });
        }
        if !numbered && found.len() > 1 {
            let message = format!(
                "the column `{shown}` stands {} times in the header",
                found.len()
            );
            let diagnostic = Diagnostic::at(Code::DuplicateColumn, name.at, message);
            problems
                .push(diagnostic.hint("roomform never picks one: rename the others in the file"));
            return None;
        }
        let places = if numbered {
            self.numbered_places(&wanted)
        } else {
            Vec::new()
        };
        let name_as_written = name.value.clone();
        if !places.is_empty() {
            return Some(Column {
                name: name_as_written,
                place: Cells::Numbered(places),
            });
        }
        if self.optional.contains(&wanted) {
            return Some(Column {
                name: name_as_written,
                place: Cells::Absent,
            });
        }
        let message = if numbered {
            format!("there is no column `{shown}1`")
        } else {
            format!("there is no column `{shown}`")
        };
        let known: Vec<String> = self
            .columns
            .iter()
            .take(20)
            .map(|column| clip(column))
            .collect();
        let lower: Vec<String> = self
            .columns
            .iter()
            .map(|column| column.to_lowercase())
            .collect();
        let near = nearest(&wanted, lower.iter().map(String::as_str));
        let hint = near.map_or_else(
            || format!("the columns are {}", known.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        problems.push(Diagnostic::at(Code::UnknownColumn, name.at, message).hint(hint));
        None
    }

    /// The conditions of a `where`; none of them may be about a column that is not there.
    pub(super) fn filters(
        &self,
        raw: &[RawFilter],
        numbered: &[Spanned<String>],
        problems: &mut Problems,
    ) -> Option<Vec<Filter>> {
        let filters = raw.iter().map(|RawFilter { column, values }| {
            let is_numbered = is_among(&column.value, numbered);
            Some(Filter {
                column: self.column(column, is_numbered, problems)?,
                values: values.clone(),
            })
        });
        // Each is looked at, so that all mistakes are told.
        filters.collect::<Vec<_>>().into_iter().collect()
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
        let text = sources
            .file(self.file)
            .map(|file| file.text.as_str())
            .unwrap_or_default();
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

    /// Every record after the header that has something in it, with its first byte.
    fn records(&self, text: &str, mut take: impl FnMut(&StringRecord, usize)) {
        if self.delimiter.is_none() {
            return lines(text, take);
        }
        let mut reader = self.reader(text);
        let mut record = StringRecord::new();
        let mut header = true;
        while reader.read_record(&mut record).unwrap_or_default() {
            let before = record
                .position()
                .map_or(0, |position| position.byte() as usize)
                + self.start;
            // The reader counts the end of the last line in.
            let breaks = text[before..]
                .bytes()
                .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                .count();
            let blank = record.iter().all(|cell| cell.trim().is_empty());
            if !std::mem::take(&mut header) && !blank {
                take(&record, before + breaks);
            }
        }
    }

    fn reader<'t>(&self, text: &'t str) -> csv::Reader<&'t [u8]> {
        csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter.unwrap_or(b','))
            .from_reader(&text.as_bytes()[self.start..])
    }

    fn places(&self, name: &str) -> Vec<usize> {
        let named = |column: &String| column.to_lowercase() == name;
        let found = self
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| named(column));
        found.map(|(index, _)| index).collect()
    }

    /// The places of `course1`, `course2`, … by their numbers.
    fn numbered_places(&self, name: &str) -> Vec<Option<usize>> {
        let mut places = Vec::new();
        for (place, column) in self.columns.iter().enumerate() {
            let column = column.to_lowercase();
            let number = column.strip_prefix(name).and_then(whole_number);
            let Some(number) = number.filter(|number| (1..=MOST_NUMBERED).contains(number)) else {
                continue;
            };
            let index = number as usize - 1;
            if places.len() <= index {
                places.resize(index + 1, None);
            }
            places[index].get_or_insert(place);
        }
        places
    }

    fn ragged(&self, row: &Row<'_>, sources: &Sources) -> Diagnostic {
        let (has, wants) = (row.record.len(), self.columns.len());
        let message = format!(
            "{}: the row has {has} cells, the header {wants}",
            row.place(sources)
        );
        let broken = row.record.iter().any(|cell| cell.contains('\n'));
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

/// Whether a name is one of some.
pub(super) fn is_among(name: &str, names: &[Spanned<String>]) -> bool {
    names
        .iter()
        .any(|other| other.value.trim().eq_ignore_ascii_case(name.trim()))
}
