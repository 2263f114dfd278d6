//! The ledger opened for writing: facts are on disk when [`Record::append`] comes back, and many share one fsync.
//!
//! Main type: [`Journal`]. A thread of its own writes, so that nobody else waits for the disk. The file is locked only while
//! lines are written, never between: a killed run leaves no lock, and two runs on one ledger take turns line by line.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::future::Future;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::claims::Claims;
use super::entry::Fact;
use super::file::{LedgerError, PIECE, bytes, is_whole_line, parse, regular};
use super::fold::Entries;
use super::line::Line;
use super::stamps::Stamps;
use crate::model::{Pipe, RoomId, RunId, Target, UserId};

/// How long lines come together before the disk is asked for all of them: it saves a third of the work where a server answers at
/// once. Rooms are begun ahead and do not wait for it; a room with more members than one call takes does after each call, and
/// so does a welcome.
const LINGER: Duration = Duration::from_millis(1);
/// Bytes that a line has room for before it is written.
const USUAL_LINE: usize = 512;

/// Where facts are written down.
pub trait Record: Send + Sync {
    /// Comes back when the facts are safe; after an error nothing may be sent to the server any more.
    fn append(&self, facts: Vec<Fact>) -> impl Future<Output = Result<(), LedgerError>> + Send;

    /// Writes down that a room's welcome is about to be sent, unless some run did so before and did not certainly fail: then
    /// false, and it is not to be sent.
    fn claim(
        &self,
        pipe: &Pipe,
        room: RoomId,
        from: UserId,
    ) -> impl Future<Output = Result<bool, LedgerError>> + Send;
}

/// An open ledger file.
#[derive(Debug)]
pub struct Journal {
    stamps: Stamps,
    sender: Option<mpsc::Sender<Batch>>,
    writer: Option<JoinHandle<()>>,
}

struct Batch {
    lines: Vec<u8>,
    /// Only to be written if no message to this room was begun.
    claim: Option<(Pipe, RoomId)>,
    /// Whether it was written.
    done: oneshot::Sender<Told>,
}

impl Journal {
    /// Opens the ledger of a target for a run to write to; makes it, and its directory, if it is not there.
    ///
    /// # Errors
    /// [`LedgerError`]: also when the file is of another target, newer, or damaged.
    pub fn open(path: &Path, target: &Target, run: &RunId) -> Result<Self, LedgerError> {
        let io = |doing| {
            move |source| LedgerError::Io {
                path: path.to_owned(),
                doing,
                source,
            }
        };
        fs::create_dir_all(directory(path)).map_err(io("its directory cannot be made"))?;
        let mut file = open_locked(path).map_err(io("cannot be opened for writing"))?;
        let stamps = begin(path, &mut file, target, run)?;
        drop(file);
        let (sender, receiver) = mpsc::channel();
        let owned = path.to_owned();
        let work = move || write(&owned, &receiver);
        let writer = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(work);
        let writer = writer.map_err(io("no thread could be started for it"))?;
        Ok(Self {
            stamps,
            sender: Some(sender),
            writer: Some(writer),
        })
    }

    fn lines(&self, facts: &[Fact]) -> Result<Vec<u8>, serde_json::Error> {
        let mut lines = Vec::with_capacity(USUAL_LINE * facts.len());
        for (fact, stamp) in facts.iter().zip(self.stamps.next()) {
            serde_json::to_writer(&mut lines, &Line::new(stamp, fact))?;
            lines.push(b'\n');
        }
        Ok(lines)
    }
}

/// Makes a new file a ledger, and makes sure that an old one is of this target. The caller holds the lock. The stamps of what
/// the run adds.
fn begin(
    path: &Path,
    file: &mut File,
    target: &Target,
    run: &RunId,
) -> Result<Stamps, LedgerError> {
    let io = |doing| {
        move |source| LedgerError::Io {
            path: path.to_owned(),
            doing,
            source,
        }
    };
    let old = parse(path, BufReader::with_capacity(PIECE, &mut *file), target)?;
    let stamps = Stamps::after(run, old.entries.keys().rev());
    if old.headed {
        return Ok(stamps);
    }
    let header = bytes(target, &Entries::new()).map_err(io::Error::from);
    let written = header
        .and_then(|header| append(file, &header))
        .and_then(|()| file.sync_all());
    written
        .and_then(|()| sync_directory(path))
        .map_err(io("cannot be written"))?;
    Ok(stamps)
}

/// Writes whole lines after whole lines: what a killed run left of its last one is cut off first. The caller holds the lock.
fn append(file: &mut File, lines: &[u8]) -> io::Result<()> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut whole = whole_lines(file, end)?;
    if whole < end {
        file.seek(SeekFrom::Start(whole))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        if is_whole_line(&tail) {
            file.write_all(b"\n")?;
            whole = end + 1;
        } else {
            file.set_len(whole)?;
        }
    }
    let written = file.write_all(lines);
    if written.is_err() {
        // Half a line would be taken for a killed run's; so it is cut off now, if the disk still lets us.
        drop(file.set_len(whole));
    }
    written
}

/// Where the last whole line ends, searched backwards from the end.
fn whole_lines(file: &mut File, end: u64) -> io::Result<u64> {
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

impl Record for Journal {
    async fn append(&self, facts: Vec<Fact>) -> Result<(), LedgerError> {
        self.hand_over(&facts, None).await.map(drop)
    }

    async fn claim(&self, pipe: &Pipe, room: RoomId, from: UserId) -> Result<bool, LedgerError> {
        let intent = Fact::intended(pipe, room, from);
        self.hand_over(&[intent], Some((pipe.clone(), room))).await
    }
}

impl Journal {
    async fn hand_over(
        &self,
        facts: &[Fact],
        claim: Option<(Pipe, RoomId)>,
    ) -> Result<bool, LedgerError> {
        let gone = || LedgerError::Closed("its writer has stopped".to_owned());
        let (done, answer) = oneshot::channel();
        let lines = self
            .lines(facts)
            .map_err(|error| LedgerError::Closed(error.to_string()))?;
        self.sender
            .as_ref()
            .ok_or_else(gone)?
            .send(Batch { lines, claim, done })
            .map_err(|_| gone())?;
        let Told { answer, others } = answer.await.map_err(|_| gone())?;
        drop(others);
        answer
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(writer) = self.writer.take() {
            // The writer only ends once everything handed to it is on disk; a panic in it was already an error to its callers.
            drop(writer.join());
        }
    }
}

/// What the writer has to say of a batch, and to whom.
type Answer = (oneshot::Sender<Told>, Result<bool, LedgerError>);

/// A caller's answer, and those of others whose lines were written together with its own: it passes them on. Only one caller is
/// woken by the writer's thread, since each that is would cost a call of the system.
struct Told {
    answer: Result<bool, LedgerError>,
    others: Others,
}

/// Answers that nobody has been told yet. They are when this is dropped, also with a caller that never looked at its own.
struct Others(std::vec::IntoIter<Answer>);

impl Drop for Others {
    fn drop(&mut self) {
        for (done, answer) in self.0.by_ref() {
            let others = Self(Vec::new().into_iter());
            // Nobody waits any more if the run was cut short; the line is on disk all the same.
            drop(done.send(Told { answer, others }));
        }
    }
}

/// Tells the first caller that still waits, and by it the others.
fn tell(answers: Vec<Answer>) {
    let mut answers = answers.into_iter();
    while let Some((done, answer)) = answers.next() {
        let others = Others(answers);
        match done.send(Told { answer, others }) {
            Ok(()) => return,
            Err(mut told) => answers = std::mem::take(&mut told.others.0),
        }
    }
}

/// Writes batches as they come: all that wait are written together and synced once.
fn write(path: &Path, batches: &mpsc::Receiver<Batch>) {
    let mut claims = Claims::default();
    let mut broken: Option<String> = None;
    while let Ok(first) = batches.recv() {
        std::thread::sleep(LINGER);
        let waiting: Vec<Batch> = std::iter::once(first).chain(batches.try_iter()).collect();
        let result = match &broken {
            Some(reason) => Err(reason.clone()),
            None => write_locked(path, &waiting, &mut claims).map_err(|error| error.to_string()),
        };
        let answer = |index: usize| match &result {
            Ok(written) => Ok(written.get(index).is_some_and(|written| *written)),
            Err(reason) => Err(LedgerError::Closed(format!(
                "`{}`: {reason}",
                path.display()
            ))),
        };
        let done = waiting.into_iter().map(|batch| batch.done).enumerate();
        tell(done.map(|(index, done)| (done, answer(index))).collect());
        broken = broken.or(result.err());
    }
}

/// Writes batches, but for claims that others made before; which were written.
fn write_locked(path: &Path, batches: &[Batch], claims: &mut Claims) -> io::Result<Vec<bool>> {
    let mut file = open_locked(path)?;
    if batches.iter().any(|batch| batch.claim.is_some()) {
        claims.catch_up(path)?;
    }
    let (mut lines, mut written, mut begun) = (Vec::new(), Vec::new(), BTreeSet::new());
    for batch in batches {
        let claim = batch.claim.as_ref();
        let free = claim.is_none_or(|(pipe, room)| !claims.has(pipe, *room) && begun.insert(*room));
        if free {
            lines.extend_from_slice(&batch.lines);
        }
        written.push(free);
    }
    append(&mut file, &lines).and_then(|()| file.sync_data())?;
    Ok(written)
}

/// The file, locked until it is dropped. Another run may have put a compacted one in its place meanwhile.
pub(super) fn open_locked(path: &Path) -> io::Result<File> {
    loop {
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(path)?;
        regular(&file.metadata()?)?;
        file.lock()?;
        if is_still_there(&file, path)? {
            return Ok(file);
        }
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

/// The directory a file lies in.
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
