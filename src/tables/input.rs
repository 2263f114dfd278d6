//! What a table is asked for: a file, how to read it, and which rows count.

use super::source::{At, Spanned};

/// A file with rows, and how it is to be read.
#[derive(Debug, Clone)]
pub struct RawFile {
    /// The path as written, relative to the manifest's file, or to the preset's directory.
    pub path: Spanned<String>,
    /// The character between cells, where the file is not to be asked.
    pub delimiter: Option<u8>,
    /// The encoding, where it is not UTF-8.
    pub encoding: Option<Spanned<String>>,
    /// Whether a file that gives nothing is meant.
    pub allow_empty: bool,
    /// Columns whose names in the file end with numbers (`course1`, `course2`, …): each number makes a row of its own.
    pub numbered: Vec<Spanned<String>>,
    /// Columns that the file may lack: then their cells are empty.
    pub optional: Vec<Spanned<String>>,
    /// Which of the files its manifest names it is: one file may be read in two ways.
    pub number: usize,
    /// Whether it may be absent: then nothing is looked up in it.
    pub may_lack: bool,
    /// Where the format is named whose preset asks for columns of it.
    pub format: Option<At>,
}

/// One condition: a cell of this column has to be one of these texts.
#[derive(Debug, Clone)]
pub struct RawFilter {
    /// The column.
    pub column: Spanned<String>,
    /// The texts.
    pub values: Vec<String>,
    /// What else a format says there may be: any other text is a mistake. None where no format says so.
    pub known: Option<Vec<String>>,
    /// Whether case does not count, as in a format's own conditions.
    pub any_case: bool,
}

/// Pairs of columns that have to be equal: this file's, and the other's.
pub type RawOn = Vec<(Spanned<String>, Spanned<String>)>;

/// A file between a roster and the rooms' rows, as sections are between students and courses.
#[derive(Debug, Clone)]
pub struct RawVia {
    /// The file.
    pub file: RawFile,
    /// Its columns, and the roster's.
    pub on: RawOn,
    /// Which of its rows count.
    pub filter: Vec<RawFilter>,
}
