//! The ledger as a whole, replaced atomically: merging others in, compacting.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use super::entry::Header;
use super::file::{LedgerError, bytes, parse};
use super::fold::Entries;
use super::journal::{open_locked, sync_directory};
use crate::model::Target;

/// Puts other entries in the place of a ledger's. Runs that write to it meanwhile wait, and go on in the new file.
///
/// # Errors
/// [`LedgerError`]; the ledger is then as it was.
pub fn rewrite(
    path: &Path,
    target: &Target,
    work: impl FnOnce(Entries) -> Entries,
) -> Result<Entries, LedgerError> {
    let io = |doing| {
        move |source| LedgerError::Io {
            path: path.to_owned(),
            doing,
            source,
        }
    };
    let directory = path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(io("its directory cannot be made"))?;
    let mut file = open_locked(path).map_err(io("cannot be opened for writing"))?;
    let mut old = Vec::new();
    file.read_to_end(&mut old).map_err(io("cannot be read"))?;
    let entries = work(parse(path, &old, target)?.entries);
    let replaced = bytes(target, &entries)
        .map_err(io::Error::from)
        .and_then(|text| {
            let mut new = tempfile::NamedTempFile::new_in(directory)?;
            new.write_all(&text)?;
            new.as_file()
                .set_permissions(file.metadata()?.permissions())?;
            new.as_file().sync_all()?;
            new.persist(path).map_err(|error| error.error)?;
            sync_directory(path)
        });
    replaced.map_err(io("cannot be replaced"))?;
    Ok(entries)
}

/// Whose ledger a file is; `None` if it is not there or empty.
///
/// # Errors
/// [`LedgerError::Io`], or `Damaged` if it does not start as a ledger.
pub fn target_of(path: &Path) -> Result<Option<Target>, LedgerError> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(|source| LedgerError::Io {
            path: path.to_owned(),
            doing: "cannot be read",
            source,
        })?,
    };
    let first = text
        .split(|byte| *byte == b'\n')
        .find(|line| !line.trim_ascii().is_empty());
    first
        .map(serde_json::from_slice::<Header>)
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
