//! Replaces the ledger file atomically, for merging and compacting.

use std::fs;
use std::io::{self, Seek as _, Write};

use super::entry::Entries;
use super::error::LedgerError;
use super::file::Snapshot;
use super::json::{Header, bytes_after};
use super::ledger_file::LedgerFile;
use super::lineage::{fingerprint, fingerprint_of, predecessors};
use super::lock::{directory, sync_directory};
use crate::model::Target;

impl LedgerFile {
    /// Replaces a ledger's entries, and returns the new ones with the warnings of the old file. Concurrent runs
    /// wait and continue in the new file.
    ///
    /// # Errors
    /// [`LedgerError`]; the ledger is then unchanged.
    pub fn rewrite(
        &self,
        target: &Target,
        mut work: impl FnMut(Entries) -> Entries,
    ) -> Result<Snapshot, LedgerError> {
        let mut file = self.lock()?;
        let old = self.parse(&file, target)?;
        let snapshot = Snapshot {
            entries: work(old.entries),
            ..old
        };
        let text = |replaces| {
            let header = Header::new(target);
            bytes_after(&Header { replaces, ..header }, &snapshot.entries)
        };
        let mut replace = || {
            file.rewind()?;
            let replaced = fingerprint_of(&file)?;
            let same = text(snapshot.replaces.clone())?;
            if fingerprint(&same) == replaced {
                return Ok(None);
            }
            let replaces = match snapshot.has_header {
                true => predecessors(replaced, snapshot.replaces.clone()),
                false => Vec::new(),
            };
            let text = text(replaces)?;
            // Keep a symbolic link and replace its target.
            let path = &fs::canonicalize(self.path())?;
            let mut new = tempfile::NamedTempFile::new_in(directory(path))?;
            new.write_all(&text)?;
            new.as_file()
                .set_permissions(file.metadata()?.permissions())?;
            new.as_file().sync_all()?;
            let new = new.persist(path).map_err(|error| error.error)?;
            sync_directory(path)?;
            io::Result::Ok(Some(new))
        };
        let new = replace().map_err(LedgerError::io(self.path(), "cannot be replaced"))?;
        self.keep(new.unwrap_or(file))?;
        Ok(snapshot)
    }
}
