//! Locks the ledger file during writes: two runs on one ledger take turns, and a killed run leaves no lock.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use super::error::LedgerError;

/// Creates the file and its directory if they are missing.
pub(super) fn create_locked(path: &Path) -> Result<File, LedgerError> {
    fs::create_dir_all(directory(path))
        .map_err(LedgerError::io(path, "its directory cannot be created"))?;
    open_locked(path).map_err(LedgerError::io(path, "cannot be opened for writing"))
}

/// Opens and locks the file. The lock is released when the file is dropped.
pub(super) fn open_locked(path: &Path) -> io::Result<File> {
    loop {
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true);
        // A ledger names people.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        check_regular(&file.metadata()?)?;
        file.lock()?;
        // Another run may have replaced the file with a compacted one.
        if is_still_there(&file, path)? {
            return Ok(file);
        }
    }
}

/// Reading a device or a pipe may never end.
pub(super) fn check_regular(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        Ok(())
    } else {
        Err(io::Error::other("it is not a regular file"))
    }
}

#[cfg(unix)]
pub(super) fn is_still_there(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let own = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((own.dev(), own.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
pub(super) fn is_still_there(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

pub(super) fn directory(path: &Path) -> &Path {
    path.parent()
        .filter(|directory| !directory.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(unix)]
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(directory(path))?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
