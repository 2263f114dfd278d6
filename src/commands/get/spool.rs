//! Rows while it is not known whether the list is whole: in memory as long as they are few, then in a file without a name.
//!
//! Main type: [`Spool`]. A list that breaks off in the middle must not have been printed by half, and a table wants to know
//! how wide its columns get; and yet a hundred thousand rows are not piled up.

use std::cmp::Ordering;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;

use super::seen::Seen;
use crate::model::{Cell, Row};

/// What is kept in memory at most, in bytes.
const IN_MEMORY: usize = 4 << 20;

/// Rows that are coming in.
pub(super) struct Spool {
    file: BufWriter<SpooledTempFile>,
    end: u64,
    order: Order,
    index: Vec<(Vec<Key>, u64)>,
    /// Rows kept.
    pub(super) count: usize,
    /// Rows that did not pass the filters.
    pub(super) left_out: usize,
    fields: Seen,
    failed: Option<io::Error>,
}

/// By which fields to sort, each forwards or backwards.
pub(super) type Order = Vec<(String, bool)>;

/// Rows that are all there.
pub(super) struct Spooled {
    file: BufReader<SpooledTempFile>,
    /// Where each row is, if not one after another.
    sorted: Option<Vec<u64>>,
    count: usize,
    /// The fields of all rows where they first stood, and whether any row has something there.
    pub(super) fields: Vec<(String, bool)>,
}

impl Spool {
    /// An empty one.
    pub(super) fn new(order: Order) -> Self {
        Self {
            file: BufWriter::with_capacity(1 << 16, SpooledTempFile::new(IN_MEMORY)),
            end: 0,
            order,
            index: Vec::new(),
            count: 0,
            left_out: 0,
            fields: Seen::default(),
            failed: None,
        }
    }

    /// Takes a row in. What goes wrong is told at the end.
    pub(super) fn put(&mut self, row: &Row) {
        for (name, cell) in &row.fields {
            let filled = *cell != Cell::Nothing;
            self.fields.note(name, filled);
        }
        if !self.order.is_empty() {
            let keys = self.order.iter().map(|(name, _)| Key::of(row.get(name)));
            self.index.push((keys.collect(), self.end));
        }
        self.count += 1;
        if self.failed.is_none() {
            let bytes = encoded(row);
            self.end += bytes.len() as u64;
            self.failed = self.file.write_all(&bytes).err();
        }
    }

    /// The rows, once they are all there.
    pub(super) fn finish(mut self) -> io::Result<Spooled> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let file = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        let order = &self.order;
        self.index.sort_by(|(left, _), (right, _)| {
            let keys = left.iter().zip(right).zip(order);
            keys.fold(
                Ordering::Equal,
                |so_far, ((left, right), (_, backwards))| {
                    let here = left.cmp(right);
                    so_far.then(if *backwards { here.reverse() } else { here })
                },
            )
        });
        let sorted = (!order.is_empty()).then(|| self.index.iter().map(|(_, at)| *at).collect());
        Ok(Spooled {
            file: BufReader::new(file),
            sorted,
            count: self.count,
            fields: self.fields.into_fields(),
        })
    }
}

impl Spooled {
    /// The rows from the first to the last.
    pub(super) fn rows(&mut self) -> impl Iterator<Item = io::Result<Row>> {
        let start = self.file.seek(SeekFrom::Start(0)).err();
        let (file, sorted) = (&mut self.file, self.sorted.as_deref());
        let rows = (0..self.count).map(move |number| {
            if let Some(at) = sorted.and_then(|sorted| sorted.get(number)) {
                file.seek(SeekFrom::Start(*at))?;
            }
            decoded(file)
        });
        start.map(Err).into_iter().chain(rows)
    }
}

/// What a cell is sorted by: nothing, then numbers, then texts.
#[derive(Debug, Clone, PartialEq)]
enum Key {
    Nothing,
    /// By its value, and where floats no longer tell one from the next, by its digits.
    Number(f64, Option<i128>),
    Text(String),
}

impl Key {
    fn of(cell: Option<&Cell>) -> Self {
        match cell {
            None | Some(Cell::Nothing) => Self::Nothing,
            Some(Cell::Truth(truth)) => Self::Number(f64::from(u8::from(*truth)), None),
            Some(Cell::Number(text) | Cell::Text(text) | Cell::Nested(text)) => {
                // Ids come as texts too.
                let number = text.parse().ok().filter(|number: &f64| number.is_finite());
                number.map_or_else(
                    || Self::Text(text.clone()),
                    |number| Self::Number(number, text.parse().ok()),
                )
            }
        }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |key: &Self| match key {
            Self::Nothing => 0,
            Self::Number(..) => 1,
            Self::Text(_) => 2,
        };
        match (self, other) {
            (Self::Number(left, digits), Self::Number(right, others)) => {
                left.total_cmp(right).then(digits.cmp(others))
            }
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

/// How many fields, then for each its name, what it is, and its text.
fn encoded(row: &Row) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    length(&mut bytes, row.fields.len());
    for (name, cell) in &row.fields {
        let (tag, text) = match cell {
            Cell::Nothing => (b'-', ""),
            Cell::Truth(truth) => (if *truth { b'y' } else { b'n' }, ""),
            Cell::Number(text) => (b'#', text.as_str()),
            Cell::Text(text) => (b'"', text.as_str()),
            Cell::Nested(text) => (b'{', text.as_str()),
        };
        length(&mut bytes, name.len());
        bytes.extend(name.bytes());
        bytes.push(tag);
        length(&mut bytes, text.len());
        bytes.extend(text.bytes());
    }
    bytes
}

/// A row is far smaller than the largest answer, and that than the largest number here.
fn length(bytes: &mut Vec<u8>, length: usize) {
    bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

fn decoded(file: &mut impl Read) -> io::Result<Row> {
    let mut row = Row::default();
    for _ in 0..number(file)? {
        let name = text(file)?;
        let mut tag = [0];
        file.read_exact(&mut tag)?;
        let [tag] = tag;
        let text = text(file)?;
        let cell = match tag {
            b'y' => Cell::Truth(true),
            b'n' => Cell::Truth(false),
            b'#' => Cell::Number(text),
            b'"' => Cell::Text(text),
            b'{' => Cell::Nested(text),
            _ => Cell::Nothing,
        };
        row.fields.push((name, cell));
    }
    Ok(row)
}

fn number(file: &mut impl Read) -> io::Result<usize> {
    let mut bytes = [0; 4];
    file.read_exact(&mut bytes)?;
    usize::try_from(u32::from_le_bytes(bytes)).map_err(io::Error::other)
}

fn text(file: &mut impl Read) -> io::Result<String> {
    let mut bytes = vec![0; number(file)?];
    file.read_exact(&mut bytes)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}
