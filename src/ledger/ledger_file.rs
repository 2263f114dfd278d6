//! A ledger file that is watched: if it disappears or is replaced while it is in use, the next
//! write fails. It is locked during writes: two runs on one ledger take turns, and a killed run
//! leaves no lock behind.
//!
//! Main type: [`LedgerFile`]. If [`LedgerFile::rewrite`] made the new file, the replacement is
//! accepted, because the header of the new file names the ledger that it replaces.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use tracing::info;

use super::entry::Entries;
use super::error::{LedgerError, Loss};
use super::file::{CANNOT_BE_READ, Snapshot, buffered, header_of, parse, target_of};
use super::json::{Header, write_ledger};
use super::lineage::{Fingerprint, fingerprint_of, predecessors};
use crate::model::Target;

/// The number of bytes before `Known::end` that are compared to detect a replaced file.
const TAIL: u64 = 1 << 10;

/// How long to wait while another process has locked the ledger. A write takes milliseconds, unless
/// the process is suspended.
const PATIENCE: Duration = Duration::from_secs(30);

/// A ledger file, and what this process knows about it. Clones share what is known.
#[derive(Debug, Clone)]
pub struct LedgerFile {
    path: PathBuf,
    known: Arc<Mutex<Option<Known>>>,
}

/// The state of a file when it was last read or written.
#[derive(Debug)]
struct Known {
    /// Kept open, so that the system gives its inode to no other file.
    file: File,
    /// The offset at which the last known line ends.
    end: u64,
    /// The last bytes before `end`.
    tail: Vec<u8>,
}

/// Reads the ledger of a target. A missing file counts as an empty ledger.
///
/// # Errors
/// Returns a [`LedgerError`] if the ledger cannot be read. The error is never `Closed` or
/// `Lost`.
pub fn read(path: &Path, target: &Target) -> Result<Snapshot, LedgerError> {
    LedgerFile::new(path).read(target)
}

impl LedgerFile {
    /// Creates the handle of a ledger file. Opens nothing yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            known: Arc::default(),
        }
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the ledger of a target. A missing file counts as an empty ledger.
    ///
    /// # Errors
    /// Returns a [`LedgerError`] if the ledger cannot be read. The error is never `Closed`.
    pub fn read(&self, target: &Target) -> Result<Snapshot, LedgerError> {
        let Some(file) = self.open()? else {
            info!(path = %self.path.display(), "there is no ledger yet");
            return Ok(Snapshot::default());
        };
        let snapshot = self.parse(&file, target)?;
        self.keep(file)?;
        info!(path = %self.path.display(), entries = snapshot.entries.len(), "ledger read");
        Ok(snapshot)
    }

    /// Returns the target that the ledger belongs to; `None` if the file is missing or empty, or
    /// has only a partial line.
    ///
    /// # Errors
    /// Returns [`LedgerError::Io`], `NoHeader` or `Lost`.
    pub(super) fn target(&self) -> Result<Option<Target>, LedgerError> {
        match self.open()? {
            Some(file) => target_of(&self.path, &mut buffered(file)),
            None => Ok(None),
        }
    }

    /// Parses an open file to its end. Adds a warning if every user of the machine can change the
    /// file.
    pub(super) fn parse(&self, file: &File, target: &Target) -> Result<Snapshot, LedgerError> {
        let mut snapshot = parse(&self.path, buffered(file), target)?;
        let metadata = file.metadata().map_err(self.unreadable())?;
        snapshot.warnings.extend(self.warn_of_mode(&metadata));
        Ok(snapshot)
    }

    #[cfg(unix)]
    fn warn_of_mode(&self, metadata: &fs::Metadata) -> Option<String> {
        use std::os::unix::fs::PermissionsExt;
        let mode = metadata.permissions().mode() & 0o777;
        let path = self.path.display();
        (mode & 0o002 != 0).then(|| {
            format!("ledger `{path}`: every user of this machine can change it (mode {mode:04o}); run `chmod 600` on it")
        })
    }

    #[cfg(not(unix))]
    fn warn_of_mode(&self, _: &fs::Metadata) -> Option<String> {
        None
    }

    /// Opens the file for reading; `None` if it is missing.
    fn open(&self) -> Result<Option<File>, LedgerError> {
        let known = self.known();
        let opened = fs::metadata(&self.path)
            .and_then(|metadata| check_regular(&metadata))
            .and_then(|()| File::open(&self.path));
        match opened {
            Ok(file) => self.check(known.as_ref(), file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match &*known {
                Some(_) => Err(self.lost(Loss::Gone)),
                None => Ok(None),
            },
            Err(error) => Err(self.unreadable()(error)),
        }
    }

    /// Opens the file for writing and locks it. The lock is released when the returned file is
    /// dropped or passed to [`Self::keep`]. Creates the file and its directory if they are
    /// missing, unless the file was already known.
    pub(super) fn lock(&self) -> Result<File, LedgerError> {
        let known = self.known();
        if known.is_none() {
            fs::create_dir_all(directory(&self.path)).map_err(LedgerError::io(
                &self.path,
                "its directory cannot be created",
            ))?;
        }
        match open_locked(&self.path, known.is_none()) {
            Ok(file) => self.check(known.as_ref(), file),
            Err(error) if known.is_some() && error.kind() == io::ErrorKind::NotFound => {
                Err(self.lost(Loss::Gone))
            }
            Err(error) => {
                let doing = "cannot be opened for writing";
                Err(LedgerError::io(&self.path, doing)(error))
            }
        }
    }

    /// Checks that `file` continues the known file, and rewinds `file` to its start.
    fn check(&self, known: Option<&Known>, mut file: File) -> Result<File, LedgerError> {
        let continues = known.map_or(Ok(true), |known| known.is_continued_by(&mut file));
        if !continues.map_err(self.unreadable())? {
            return Err(self.lost(Loss::Replaced));
        }
        file.rewind().map_err(self.unreadable())?;
        Ok(file)
    }

    /// Checks the file after a write, and remembers its new end. If another program replaced
    /// the file after [`Self::lock`], the write is lost, and this function returns an error.
    pub(super) fn keep_written(&self, mut file: File) -> Result<(), LedgerError> {
        let is_there = is_still_there(&file, &self.path).map_err(self.unreadable())?;
        if !is_there {
            let exists = self.path.exists();
            return Err(self.lost(if exists { Loss::Replaced } else { Loss::Gone }));
        }
        file = self.check(self.known().as_ref(), file)?;
        file.seek(SeekFrom::End(0)).map_err(self.unreadable())?;
        self.keep(file)
    }

    /// Replaces the entries of a ledger with the result of `work`. Returns the new entries and the
    /// warnings from reading the old file. Other runs wait, and then continue in the new file.
    ///
    /// # Errors
    /// Returns a [`LedgerError`] if the ledger cannot be replaced. It is then unchanged.
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
        let write = |mut out: &mut dyn Write, replaces| {
            let header = Header::new(target);
            write_ledger(&mut out, &Header { replaces, ..header }, &snapshot.entries)
        };
        let mut replace = || {
            file.rewind()?;
            let replaced = fingerprint_of(&file)?;
            let mut same = Fingerprint::default();
            write(&mut same, snapshot.replaces.clone())?;
            if same.finish() == replaced {
                return Ok(None);
            }
            let replaces = match snapshot.has_header {
                true => predecessors(replaced, snapshot.replaces.clone()),
                false => Vec::new(),
            };
            // If the path is a symbolic link, keep the link and replace its target.
            let path = &fs::canonicalize(&self.path)?;
            let mut new = tempfile::NamedTempFile::new_in(directory(path))?;
            let mut out = BufWriter::new(&mut new);
            write(&mut out, replaces)?;
            out.flush()?;
            drop(out);
            new.as_file()
                .set_permissions(file.metadata()?.permissions())?;
            new.as_file().sync_all()?;
            let new = new.persist(path).map_err(|error| error.error)?;
            sync_directory(path)?;
            io::Result::Ok(Some(new))
        };
        let new = replace().map_err(LedgerError::io(&self.path, "cannot be replaced"))?;
        self.keep(new.unwrap_or(file))?;
        Ok(snapshot)
    }

    /// Remembers the file up to its current position, and releases its lock. The caller must have
    /// read or written the file up to there.
    pub(super) fn keep(&self, file: File) -> Result<(), LedgerError> {
        let known = Known::new(file).map_err(|error| match error.kind() {
            // The file has become shorter.
            io::ErrorKind::UnexpectedEof => self.lost(Loss::Replaced),
            _ => self.unreadable()(error),
        })?;
        *self.known() = Some(known);
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lost(&self, loss: Loss) -> LedgerError {
        let place = self.path.display().to_string();
        LedgerError::Lost { place, loss }
    }

    fn unreadable(&self) -> impl Fn(io::Error) -> LedgerError {
        LedgerError::io(&self.path, CANNOT_BE_READ)
    }
}

impl Known {
    fn new(mut file: File) -> io::Result<Self> {
        let read_until = file.stream_position()?;
        // Ignore a partial last line, because another run may remove it.
        let end = end_of_lines(&mut file, read_until)?;
        let tail = tail_until(&mut file, end)?;
        // Ignore the error: a file that was only read is not locked.
        drop(file.unlock());
        Ok(Self { file, end, tail })
    }

    /// Returns whether `other` continues the known file. It does if it is the same file with
    /// lines added, or if its header says that it replaces the known file. If the known file
    /// has no lines, any file continues it.
    fn is_continued_by(&self, other: &mut File) -> io::Result<bool> {
        if self.end == 0 {
            return Ok(true);
        }
        let (known, metadata) = (self.file.metadata()?, other.metadata()?);
        if is_same(&known, &metadata) && metadata.len() >= self.end {
            return Ok(tail_until(other, self.end)? == self.tail);
        }
        other.rewind()?;
        let header = header_of(&mut buffered(&*other))?;
        let mut known = &self.file;
        known.rewind()?;
        let replaced = fingerprint_of(known)?;
        Ok(header.is_some_and(|header| header.replaces.contains(&replaced)))
    }
}

fn tail_until(file: &mut File, end: u64) -> io::Result<Vec<u8>> {
    let from = end.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.take(end - from).read_to_end(&mut tail)?;
    Ok(tail)
}

/// Returns where the last complete line before `end` ends.
pub(super) fn end_of_lines(file: &mut File, end: u64) -> io::Result<u64> {
    let mut until = end;
    let mut piece = [0; 4096];
    while until > 0 {
        let from = until.saturating_sub(piece.len() as u64);
        let part = piece.get_mut(..(until - from) as usize);
        let part = part.unwrap_or_default();
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(from + at as u64 + 1);
        }
        until = from;
    }
    Ok(0)
}

/// Opens and locks the file. Dropping the file releases the lock.
fn open_locked(path: &Path, create: bool) -> io::Result<File> {
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
fn check_regular(metadata: &fs::Metadata) -> io::Result<()> {
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
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

fn directory(path: &Path) -> &Path {
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
