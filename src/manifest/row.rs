//! One row of a table: its cells by column, what they have to be, and mistakes in them with their place.
//!
//! Main type: [`Row`].

use csv::StringRecord;

use super::diagnostic::{At, Code, Diagnostic, Sources};
use super::fields::clip;
use super::layout::cell_offset;
use super::table::Table;
use crate::model::Place;

/// A column found in a table.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// Its name as written in the file; without its number, if it has some.
    pub(super) name: String,
    pub(super) place: Cells,
}

/// Where the cells of a column are.
#[derive(Debug, Clone)]
pub(super) enum Cells {
    /// In one place of each row.
    At(usize),
    /// For each number, from 1; numbers that the file lacks have none.
    Numbered(Vec<Option<usize>>),
    /// Nowhere: the column may be absent, and is.
    Absent,
}

impl Column {
    /// The cell's place in the row of this number, from 0.
    fn place(&self, number: usize) -> Option<usize> {
        match &self.place {
            Cells::At(place) => Some(*place),
            Cells::Numbered(places) => places.get(number).copied().flatten(),
            Cells::Absent => None,
        }
    }

    /// How many rows a row of the file is for this column.
    pub(super) fn numbers(&self) -> usize {
        match &self.place {
            Cells::Numbered(places) => places.len(),
            Cells::At(_) | Cells::Absent => 1,
        }
    }
}

/// A condition on a row.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) column: Column,
    pub(super) values: Vec<String>,
}

/// One row of a table, or one of those that a row with numbered columns is.
#[derive(Debug)]
pub(super) struct Row<'r> {
    pub(super) record: &'r StringRecord,
    /// Which number of the numbered columns, from 0.
    pub(super) number: usize,
    pub(super) table: &'r Table,
    pub(super) text: &'r str,
    /// The byte at which it starts.
    pub(super) start: usize,
}

impl Row<'_> {
    /// A cell, without white space around it.
    pub(super) fn cell(&self, column: &Column) -> &str {
        column
            .place(self.number)
            .and_then(|place| self.record.get(place))
            .unwrap_or_default()
            .trim()
    }

    /// Whether all conditions hold.
    pub(super) fn passes(&self, filters: &[Filter]) -> bool {
        filters.iter().all(|filter| {
            let cell = self.cell(&filter.column);
            filter.values.iter().any(|value| value == cell)
        })
    }

    /// Where the row starts.
    pub(super) fn at(&self) -> At {
        At {
            file: self.table.file,
            offset: u32::try_from(self.start).unwrap_or(u32::MAX),
        }
    }

    /// All cells by the names of their columns.
    pub(super) fn cells(&self) -> Vec<(&str, &str)> {
        let names = self.table.columns.iter().map(String::as_str);
        names.zip(self.record.iter().map(str::trim)).collect()
    }

    /// A mistake in a cell.
    pub(super) fn mistake(
        &self,
        code: Code,
        column: &Column,
        message: &str,
        sources: &Sources,
    ) -> Diagnostic {
        let index = column.place(self.number).unwrap_or_default();
        let offset =
            self.start + cell_offset(&self.text[self.start..], self.table.delimiter, index);
        let at = At {
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
            ..self.at()
        };
        let name = self
            .table
            .columns
            .get(index)
            .map_or(column.name.as_str(), String::as_str);
        Diagnostic::at(
            code,
            at,
            format!("{}:{}: {message}", self.place(sources), clip(name)),
        )
    }

    /// `enrollments.csv:214`
    pub(super) fn place(&self, sources: &Sources) -> String {
        let Place { file, line } = sources.place(self.at());
        let name = sources
            .file(file)
            .map(|file| file.name.clone())
            .unwrap_or_default();
        format!("{name}:{line}")
    }
}
