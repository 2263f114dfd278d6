//! Keeps the texts of a manifest, and converts byte offsets to lines and columns.
//!
//! Main type: [`Sources`].

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use super::dialect::line_ends;
use crate::model::{FileId, Place};

/// A byte offset in a source. It is small, because every declared member has one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// The id of the file.
    pub file: FileId,
    /// The offset, in bytes.
    pub offset: u32,
}

impl At {
    /// A placeholder where no place is needed.
    pub(crate) const NOWHERE: Self = Self {
        file: FileId(0),
        offset: 0,
    };

    /// Creates a place. The offset fits into a `u32`, because texts are smaller than 4 GiB.
    pub(crate) fn new(file: FileId, offset: usize) -> Self {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        Self { file, offset }
    }
}

/// A value and its place. The hash does not depend on the place.
#[derive(Debug, Clone, Default)]
pub struct Spanned<T> {
    pub value: T,
    /// The place where the value starts.
    pub at: At,
}

impl<T> Spanned<T> {
    pub(crate) fn new(value: T, at: At) -> Self {
        Self { value, at }
    }
}

impl<T: Hash> Hash for Spanned<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

/// A named text with an index of its lines.
#[derive(Debug)]
pub struct Source {
    /// The file's path as the user would write it.
    pub name: Arc<str>,
    /// The whole text of the file.
    pub text: String,
    /// The index of lines. Built on first use, because most files with rows do not need it.
    index: OnceLock<Index>,
    /// The index of the line that was found last. Each search starts there: of millions of searches,
    /// nearly all are for the same line or one of the next few.
    last_line: AtomicU32,
}

/// An index for finding lines and columns.
#[derive(Debug)]
struct Index {
    line_starts: Vec<u32>,
    /// The number of characters in the text before each block, so that a column in a very long
    /// line can be found without counting the whole line.
    characters: Vec<u32>,
}

/// Block size, in bytes.
const BLOCK: usize = 4096;
/// Number of lines after which a binary search is cheaper.
const NEAR: usize = 8;

impl Source {
    /// Creates a source. Callers limit the text far below 4 GiB.
    pub(crate) fn new(name: impl Into<Arc<str>>, text: String) -> Self {
        Self {
            name: name.into(),
            text,
            index: OnceLock::new(),
            last_line: AtomicU32::new(0),
        }
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::build(&self.text))
    }

    /// Returns the byte offset of a line. Lines are counted from 1.
    pub(crate) fn line_start(&self, line: u32) -> Option<usize> {
        let index = (line as usize).checked_sub(1)?;
        let start = self.index().line_starts.get(index);
        start.map(|start| *start as usize)
    }

    /// Returns the number of the line that contains an offset. Lines are counted from 1.
    pub(crate) fn line_at(&self, offset: u32) -> u32 {
        let starts = &self.index().line_starts;
        let last = self.last_line.load(Ordering::Relaxed);
        let near = starts.get(last as usize..).unwrap_or_default();
        let near = near.iter().take(NEAR).take_while(|start| **start <= offset);
        let index = match near.count() {
            0 | NEAR => starts.partition_point(|start| *start <= offset) as u32 - 1,
            lines => last + lines as u32 - 1,
        };
        self.last_line.store(index, Ordering::Relaxed);
        index + 1
    }

    /// Counts the characters that start before an offset.
    fn characters_before(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        let block = offset / BLOCK;
        let counted = self.index().characters.get(block);
        let rest = self.text.as_bytes().get(block * BLOCK..offset);
        counted.copied().unwrap_or_default() as usize + starts(rest.unwrap_or_default())
    }
}

impl Index {
    fn build(text: &str) -> Self {
        let ends = line_ends(text.as_bytes()).map(|end| u32::try_from(end).unwrap_or(u32::MAX));
        let mut line_starts: Vec<u32> = std::iter::once(0).chain(ends).collect();
        line_starts.shrink_to_fit();
        let mut count = 0;
        let blocks = text.as_bytes().chunks(BLOCK).map(|block| {
            let before = count;
            count += starts(block) as u32;
            before
        });
        let mut characters: Vec<u32> = blocks.collect();
        characters.push(count);
        Self {
            line_starts,
            characters,
        }
    }
}

/// Counts the characters that start in a slice of UTF-8.
fn starts(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

/// All texts of a manifest.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<Arc<Source>>,
}

/// A position as it is displayed: the line and the column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineColumn {
    /// The number of the line, from 1.
    pub line: u32,
    /// The number of the column, in characters, from 1.
    pub column: u32,
}

impl Sources {
    /// Adds a text, and returns the id of its file.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: String) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(Arc::new(Source::new(name, text)));
        id
    }

    /// Returns the source with this id.
    pub fn file(&self, id: FileId) -> Option<&Arc<Source>> {
        self.files.get(id.0 as usize)
    }

    /// Returns the names of all files, in order of their ids.
    pub fn names(&self) -> Vec<Arc<str>> {
        self.files.iter().map(|file| file.name.clone()).collect()
    }

    /// Returns the line and column of a place.
    pub fn locate(&self, at: At) -> LineColumn {
        let Some(file) = self.file(at.file) else {
            return LineColumn { line: 1, column: 1 };
        };
        let line = file.line_at(at.offset);
        let start = file.line_start(line).unwrap_or_default();
        let before = file.characters_before(at.offset as usize) - file.characters_before(start);
        LineColumn {
            line,
            column: before as u32 + 1,
        }
    }

    /// Returns the file name, line and column of a place, for a message.
    pub fn name_and_position(&self, at: At) -> (&str, LineColumn) {
        let name = self.file(at.file).map(|file| &*file.name);
        (name.unwrap_or_default(), self.locate(at))
    }

    /// Converts a byte offset to a [`Place`], which has a line number instead of an offset.
    pub fn to_place(&self, at: At) -> Place {
        Place {
            file: at.file,
            line: self.file(at.file).map_or(1, |file| file.line_at(at.offset)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::Config as Trials;

    use super::{Source, line_ends};

    proptest! {
        #![proptest_config(Trials { failure_persistence: None, ..Trials::default() })]
        /// The line does not depend on the lines that were found before.
        #[test]
        fn lines_are_found_in_any_order(
            text in "([ab]{0,3}(\n|\r\n|\r)){0,40}",
            picks in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
        ) {
            let source = Source::new("a.csv", text.clone());
            for pick in picks {
                let offset = pick.index(text.len() + 1);
                let ends = line_ends(text.as_bytes()).filter(|end| *end <= offset);
                prop_assert_eq!(source.line_at(offset as u32) as usize, 1 + ends.count());
            }
        }
    }
}
