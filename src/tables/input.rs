//! Describes the files with rows that a manifest names: how to read them, and which rows to
//! use.

use std::fmt;

use super::condition::Condition;
use super::source::{At, Spanned};
use crate::model::FileId;

/// Identifies one use of a file with rows: by the manifest file that contains the use, and by
/// the number of the use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileUse {
    pub manifest: FileId,
    pub number: usize,
}

/// A file with rows, how to read it, and which rows to use.
#[derive(Debug, Default)]
pub struct RawFile {
    /// The path as written. It is relative to the manifest's file or to the preset's directory.
    pub path: Spanned<String>,
    /// The part of an entry of `generate` that names the file, such as `enrol`.
    pub part: &'static str,
    /// The delimiter; `None` to detect it.
    pub delimiter: Option<u8>,
    /// The encoding; `None` for UTF-8.
    pub encoding: Option<Spanned<String>>,
    /// The sheet of a workbook; `None` for the first sheet.
    pub sheet: Option<Spanned<SheetName>>,
    /// Whether the file may have no matching rows.
    pub allow_empty: bool,
    /// The names of columns such as `course1`, `course2`, …, without the numbers. Each number makes
    /// a separate row.
    pub numbered: Vec<Spanned<String>>,
    /// A column whose cells have several values, and the separator. Each value makes a separate
    /// row.
    pub expand: Option<(Spanned<String>, String)>,
    /// The columns that the file may lack. Their cells are then empty.
    pub optional: Vec<Spanned<String>>,
    /// The columns with the first and the last day on which a row applies.
    pub from: Option<Spanned<String>>,
    pub until: Option<Spanned<String>>,
    /// The column with the number of days on which a row applies, counted from the first day.
    pub days: Option<Spanned<String>>,
    /// The columns that make up the readable name of a row's user.
    pub show: Vec<Spanned<String>>,
    /// The conditions for the rows to use.
    pub filters: Vec<RawFilter>,
    /// The number that identifies this use of the file in the manifest file. The manifest may
    /// use one file in several ways.
    pub number: usize,
    /// Whether the file may be missing. A missing file has no rows.
    pub may_lack: bool,
    /// The place of `format`, if a preset requires certain columns in the file.
    pub format: Option<At>,
}

impl RawFile {
    pub(crate) fn file_use(&self) -> FileUse {
        FileUse {
            manifest: self.path.at.file,
            number: self.number,
        }
    }
}

/// A sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SheetName {
    /// The sheet with this name. Case is ignored.
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
#[derive(Debug, Clone, Hash)]
pub struct RawFilter {
    pub column: Spanned<String>,
    pub condition: Condition,
    /// The values that the column may have, besides those in the condition; `None` if any value is
    /// allowed.
    pub known: Option<KnownWords>,
    /// Whether case is ignored, as in conditions that a format defines.
    pub any_case: bool,
}

/// The values that a format defines for a column.
#[derive(Debug, Clone, Hash)]
pub struct KnownWords {
    pub words: Vec<String>,
    /// The hint for any other value.
    pub hint: &'static str,
}

/// Pairs of columns whose cells must be equal. The first column of each pair is in this file,
/// and the second column is in another file.
pub type RawOn = Vec<(Spanned<String>, Spanned<String>)>;

/// A file that links the rows of a roster to the rows that make rooms, such as a file of
/// sections that links students to courses.
#[derive(Debug)]
pub struct RawVia {
    pub file: FileUse,
    /// The file's columns, paired with the roster's columns.
    pub on: RawOn,
    /// The columns of the roster whose cells this file replaces, each paired with a column of
    /// this file. If this file only fills empty cells, the list is empty, and the columns of
    /// this file have the names that the roster's `on` uses.
    pub to: RawOn,
}
