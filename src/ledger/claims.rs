//! The messages that some run has begun to send. Of two runs on one ledger, only one sends a room's welcome.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::entry::{Entries, Fact, Stamp};
use super::fold::fold;
use super::json::parse_entry;
use super::lock::is_still_there;
use crate::model::{Pipe, RoomId};

/// The entries about messages.
#[derive(Debug, Default)]
pub(super) struct MessageEntries(BTreeMap<Pipe, Entries>);

impl MessageEntries {
    /// Whether a run has begun a message to the room and the message has not certainly failed.
    pub(super) fn has_begun(&self, pipe: &Pipe, room: RoomId) -> bool {
        let entries = self.0.get(pipe);
        entries.is_some_and(|entries| fold(entries).has_begun_welcome(room))
    }

    #[cfg(feature = "object-store")]
    pub(super) fn contains(&self, pipe: &Pipe, stamp: &Stamp) -> bool {
        let entries = self.0.get(pipe);
        entries.is_some_and(|entries| entries.contains_key(stamp))
    }

    pub(super) fn add(&mut self, stamp: Stamp, fact: Fact) {
        if let Fact::Message { pipe, .. } | Fact::Forgotten { pipe } = &fact {
            let entries = self.0.entry(pipe.clone()).or_default();
            entries.insert(stamp, fact);
        }
    }
}

/// The message entries of a ledger file.
#[derive(Debug, Default)]
pub(super) struct FileMessages {
    /// Kept open, so that a file that replaced it is detected.
    file: Option<File>,
    read_until: u64,
    /// As of the last [`Self::catch_up`].
    pub(super) entries: MessageEntries,
}

impl FileMessages {
    /// Reads added lines, or all of a file that replaced the old one. The caller holds the ledger's lock.
    pub(super) fn catch_up(&mut self, path: &Path) -> io::Result<()> {
        let known = match self.file.take() {
            Some(file) if is_still_there(&file, path)? => Some(file),
            _ => None,
        };
        let mut file = match known {
            Some(file) if file.metadata()?.len() >= self.read_until => file,
            _ => {
                *self = Self::default();
                File::open(path)?
            }
        };
        file.seek(SeekFrom::Start(self.read_until))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        self.file = Some(file);
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            // A killed run may have left a partial line after the last line break.
            if !line.ends_with(b"\n") {
                break;
            }
            self.read_until += line.len() as u64;
            // Invalid lines are refused when the ledger is opened. Ignore those added later.
            if let Ok((stamp, fact)) = parse_entry(line) {
                self.entries.add(stamp, fact);
            }
        }
        Ok(())
    }
}
