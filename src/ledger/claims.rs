//! Which messages somebody has already begun, as the file says: so that of two runs on one ledger only one sends a welcome.
//!
//! Main types: [`Begun`], and [`Claims`], which fills one from a file. It reads what was added since it last looked, or all of a file that took the place of the old one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::entry::{Fact, Stamp};
use super::file::whole_lines;
use super::fold::{Entries, messages};
use super::journal::is_still_there;
use super::quick;
use crate::model::{Pipe, RoomId};

/// The messages begun, as far as it was shown entries.
#[derive(Debug, Default)]
pub(super) struct Begun(BTreeMap<Pipe, Entries>);

impl Begun {
    /// Whether a message to the room was begun, by whichever run, and did not certainly fail.
    pub(super) fn has(&self, pipe: &Pipe, room: RoomId) -> bool {
        let entries = self.0.get(pipe);
        entries.is_some_and(|entries| messages(entries).contains_key(&room))
    }

    /// Whether it was shown the entry with this stamp.
    #[cfg(feature = "object-store")]
    pub(super) fn holds(&self, pipe: &Pipe, stamp: &Stamp) -> bool {
        let entries = self.0.get(pipe);
        entries.is_some_and(|entries| entries.contains_key(stamp))
    }

    /// Shows it an entry.
    pub(super) fn take(&mut self, stamp: Stamp, fact: Fact) {
        if let Fact::Message { pipe, .. } | Fact::Forgotten { pipe } = &fact {
            let entries = self.0.entry(pipe.clone()).or_default();
            entries.insert(stamp, fact);
        }
    }
}

/// The messages begun in a ledger, up to a place in its file.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// Held open: a file that took its place cannot be mistaken for it.
    file: Option<File>,
    until: u64,
    begun: Begun,
}

impl Claims {
    /// Whether a message to the room was begun, as far as this caught up.
    pub(super) fn has(&self, pipe: &Pipe, room: RoomId) -> bool {
        self.begun.has(pipe, room)
    }

    /// Reads what was added. The caller holds the ledger's lock.
    pub(super) fn catch_up(&mut self, path: &Path) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) if is_still_there(&file, path)? && file.metadata()?.len() >= self.until => {
                file
            }
            _ => {
                *self = Self::default();
                File::open(path)?
            }
        };
        file.seek(SeekFrom::Start(self.until))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        self.file = Some(file);
        let whole = whole_lines(&text);
        self.until += whole.len() as u64;
        // A line that is no entry was refused when the ledger was opened; one that came since says nothing to us.
        let lines = whole.split(|byte| *byte == b'\n');
        for line in lines {
            let Ok((stamp, fact)) = quick::read(line) else {
                continue;
            };
            self.begun.take(stamp.into(), fact);
        }
        Ok(())
    }
}
