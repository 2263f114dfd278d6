//! Locks the ledger file during writes. Two runs on one ledger take turns, and a killed run leaves
//! no lock behind.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// How long to wait while another process has locked the ledger. A write takes milliseconds, unless
/// the process is suspended.
const PATIENCE: Duration = Duration::from_secs(30);

/// Opens and locks the file. Dropping the file releases the lock.
pub(super) fn open_locked(path: &Path, create: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(create).read(true).append(true);
    // Only the owner may read the ledger, because it names people.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    loop {
        let file = options.open(path)?;
        check_regular(&file.metadata()?)?;
        let file = lock_within(file, PATIENCE)?;
        // Another run may have replaced the file while this run waited for the lock.
        if is_still_there(&file, path)? {
            return Ok(file);
        }
    }
}

/// Locks a file, unless another process keeps it locked for `patience`. The wait blocks a
/// thread instead of polling, so that processes get the lock in turn.
fn lock_within(file: File, patience: Duration) -> io::Result<File> {
    if file.try_lock().is_ok() {
        return Ok(file);
    }
    let (sender, locked) = mpsc::channel();
    std::thread::spawn(move || {
        // If the caller has given up, the failed send drops the file, which releases the lock.
        drop(sender.send(file.lock().map(|()| file)));
    });
    locked.recv_timeout(patience).unwrap_or_else(|_| {
        let seconds = patience.as_secs();
        let reason = format!("another process has locked it for {seconds} s");
        Err(io::Error::new(io::ErrorKind::TimedOut, reason))
    })
}

/// Refuses devices and pipes, because reading them may never end.
pub(super) fn check_regular(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ))
    }
}

pub(super) fn is_still_there(file: &File, path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(there) => Ok(is_same(&file.metadata()?, &there)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns whether both metadata belong to the same file.
#[cfg(unix)]
pub(super) fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
pub(super) fn is_same(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

pub(super) fn directory(path: &Path) -> &Path {
    path.parent()
        .filter(|directory| !directory.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Syncs the directory of a file, so that a new file name is durable. Does nothing on systems
/// other than Unix, because only Unix can open a directory.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(directory(path))?.sync_all(),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_another_process_keeps_is_an_error() -> io::Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        let open = || File::open(file.path());
        let kept = open()?;
        kept.lock()?;
        let refused = lock_within(open()?, Duration::from_millis(20));
        let reason = refused.map_err(|error| error.to_string()).err();
        let expected = "another process has locked it for 0 s";
        assert_eq!(reason.as_deref(), Some(expected));
        drop(kept);
        lock_within(open()?, PATIENCE).map(drop)
    }
}
