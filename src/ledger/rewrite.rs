//! Replaces the ledger file atomically, for merging and compacting.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::entry::Entries;
use super::error::LedgerError;
use super::file::{Snapshot, buffered, parse};
use super::json::bytes;
use super::lock::{create_locked, directory, sync_directory};
use crate::model::Target;

/// Replaces a ledger's entries, and returns the new ones with the warnings of the old file. Concurrent runs
/// wait and continue in the new file.
///
/// # Errors
/// [`LedgerError`]; the ledger is then unchanged.
pub fn rewrite(
    path: &Path,
    target: &Target,
    mut work: impl FnMut(Entries) -> Entries,
) -> Result<Snapshot, LedgerError> {
    let file = create_locked(path)?;
    let old = parse(path, buffered(&file), target)?;
    let snapshot = Snapshot {
        entries: work(old.entries),
        ..old
    };
    bytes(target, &snapshot.entries)
        .map_err(io::Error::from)
        .and_then(|text| {
            // Keep a symbolic link and replace its target.
            let path = &fs::canonicalize(path)?;
            let mut new = tempfile::NamedTempFile::new_in(directory(path))?;
            new.write_all(&text)?;
            new.as_file()
                .set_permissions(file.metadata()?.permissions())?;
            new.as_file().sync_all()?;
            new.persist(path).map_err(|error| error.error)?;
            sync_directory(path)
        })
        .map_err(LedgerError::io(path, "cannot be replaced"))?;
    Ok(snapshot)
}
