//! The ledger as a whole, replaced atomically: merging others in, compacting.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use super::file::{LedgerError, PIECE, Snapshot, bytes, open, parse, unreadable};
use super::fold::Entries;
use super::journal::{directory, open_locked, sync_directory};
use super::line::Header;
use crate::model::Target;

/// Puts other entries in the place of a ledger's, and gives them back with what was wrong with the old file. Runs that write
/// to it meanwhile wait, and go on in the new file.
///
/// # Errors
/// [`LedgerError`]; the ledger is then as it was.
pub fn rewrite(
    path: &Path,
    target: &Target,
    mut work: impl FnMut(Entries) -> Entries,
) -> Result<Snapshot, LedgerError> {
    let io = |doing| {
        move |source| LedgerError::Io {
            path: path.to_owned(),
            doing,
            source,
        }
    };
    fs::create_dir_all(directory(path)).map_err(io("its directory cannot be made"))?;
    let file = open_locked(path).map_err(io("cannot be opened for writing"))?;
    let old = parse(path, BufReader::with_capacity(PIECE, &file), target)?;
    let snapshot = Snapshot {
        entries: work(old.entries),
        ..old
    };
    let replaced = bytes(target, &snapshot.entries)
        .map_err(io::Error::from)
        .and_then(|text| {
            // A link stays one: what it leads to is replaced.
            let path = &fs::canonicalize(path)?;
            let mut new = tempfile::NamedTempFile::new_in(directory(path))?;
            new.write_all(&text)?;
            new.as_file()
                .set_permissions(file.metadata()?.permissions())?;
            new.as_file().sync_all()?;
            new.persist(path).map_err(|error| error.error)?;
            sync_directory(path)
        });
    replaced.map_err(io("cannot be replaced"))?;
    Ok(snapshot)
}

/// Whose ledger a file is; `None` if it is not there, empty, or nothing but a line cut short.
///
/// # Errors
/// [`LedgerError::Io`], or `Damaged` if it does not start as a ledger.
pub fn target_of(path: &Path) -> Result<Option<Target>, LedgerError> {
    let Some(mut file) = open(path)? else {
        return Ok(None);
    };
    let mut line = Vec::new();
    let mut whole = true;
    while whole && line.trim_ascii().is_empty() {
        line.clear();
        let read = file.read_until(b'\n', &mut line);
        read.map_err(|error| unreadable(path, error))?;
        whole = line.ends_with(b"\n");
    }
    whole
        .then(|| serde_json::from_slice::<Header>(&line))
        .transpose()
        .map(|header| header.map(|header| header.target()))
        .map_err(|_| {
            let reason = "the file does not start with a ledger's header".to_owned();
            LedgerError::Damaged {
                path: path.to_owned(),
                line: 1,
                reason,
            }
        })
}
