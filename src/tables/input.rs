//! The description of a table: which file, how to read it, and which rows to use.

use std::fmt;

use super::condition::Condition;
use super::source::{At, Spanned};
use crate::model::FileId;

/// A file with rows, and how to read it.
#[derive(Debug, Clone, Default)]
pub struct RawFile {
    /// The path as written, relative to the manifest's file or to the preset's directory.
    pub path: Spanned<String>,
    /// The delimiter, if it is not detected.
    pub delimiter: Option<u8>,
    /// The encoding, if it is not UTF-8.
    pub encoding: Option<Spanned<String>>,
    /// The sheet of a workbook, if it is not the first one.
    pub sheet: Option<Spanned<SheetName>>,
    /// Whether an empty file is allowed.
    pub allow_empty: bool,
    /// Columns whose names end in a number (`course1`, `course2`, …): each number becomes a separate row.
    pub numbered: Vec<Spanned<String>>,
    /// A column with several values in a cell, and the text between them: each value gives a row of its own.
    pub expand: Option<(Spanned<String>, String)>,
    /// Optional columns: if the file lacks them, their cells are empty.
    pub optional: Vec<Spanned<String>>,
    /// The columns with the first and the last day on which a row applies.
    pub from: Option<Spanned<String>>,
    pub until: Option<Spanned<String>>,
    /// The column with the number of days on which a row applies, counted from the first day.
    pub days: Option<Spanned<String>>,
    /// The columns that make a readable name of a row's user.
    pub show: Vec<Spanned<String>>,
    /// The number of this use of a file in the manifest: one file may be used in two ways.
    pub number: usize,
    /// Whether the file may be absent; then it has no rows.
    pub may_lack: bool,
    /// The place that names the format, if a preset requires columns of the file.
    pub format: Option<At>,
}

impl RawFile {
    /// Returns the manifest's file and the number of the use in it.
    pub(super) fn key(&self) -> (FileId, usize) {
        (self.path.at.file, self.number)
    }
}

/// A sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SheetName {
    /// The sheet with this name; case is ignored.
    Name(String),
    /// The sheet at this position, from 1.
    Number(u64),
}

impl fmt::Display for SheetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Number(number) => number.fmt(f),
        }
    }
}

/// A condition on the cells of a column.
#[derive(Debug, Clone)]
pub struct RawFilter {
    /// The column.
    pub column: Spanned<String>,
    /// What a cell must be.
    pub condition: Condition,
    /// The values that the column may have; any other value is an error. `None` if no format defines them.
    pub known: Option<KnownWords>,
    /// Whether case is ignored, as in a format's own conditions.
    pub any_case: bool,
}

/// Values that a format defines for a column, in addition to those of the condition.
#[derive(Debug, Clone)]
pub struct KnownWords {
    /// The values.
    pub words: Vec<String>,
    /// The hint for any other value.
    pub hint: &'static str,
}

/// Pairs of columns that must be equal: this file's column and the other file's.
pub type RawOn = Vec<(Spanned<String>, Spanned<String>)>;

/// A file between a roster and the rows of the rooms, such as sections between students and courses.
#[derive(Debug)]
pub struct RawVia {
    /// The file.
    pub file: RawFile,
    /// Its columns, paired with the roster's.
    pub on: RawOn,
    /// The roster's columns that it replaces, paired with its own. Empty if it only fills empty
    /// cells: it then has columns with the names that the join uses.
    pub to: RawOn,
    /// Which of its rows to use.
    pub filter: Vec<RawFilter>,
}
