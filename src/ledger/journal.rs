//! A ledger that is open for writing. When [`Record::append`] returns, the facts are safely
//! stored. Facts that are waiting at the same time are written together.
//!
//! Main type: [`Journal`]. Its writer receives the facts in batches. The writer of a file is here:
//! a thread, so that only tasks that need an answer wait for the disk. All waiting batches share
//! one fsync. The file is locked only during a write, so two runs that share a ledger take
//! turns, one write at a time. The writer of a bucket is in `bucket/write`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::claims::{Claim, Claimed, FileClaims};
use super::entry::{Entries, EntryClock, Fact};
use super::error::LedgerError;
use super::file::is_whole_line;
use super::json::{bytes, write_entry};
use super::ledger_file::{LedgerFile, end_of_lines, sync_directory};
use crate::model::{RunId, Target};

/// How long to collect batches before an fsync. With a fast server, collecting saves a third of
/// the work. Most creates do not wait for the fsync, because they are claimed ahead of time. A
/// welcome message waits for the fsync. If a room has too many members for one call, each call
/// for the room waits for it as well.
const LINGER: Duration = Duration::from_millis(1);
const CANNOT_BE_WRITTEN: &str = "cannot be written";

/// A place to record facts.
pub trait Record {
    /// Records facts, and returns when they are safely stored. After an error, nothing more may be
    /// sent to the server.
    fn append(&self, facts: Vec<Fact>) -> impl Future<Output = Result<(), LedgerError>>;

    /// Claims a call, by recording the intent to send it. If the claim is refused, nothing is
    /// recorded, and the call must not be sent.
    fn claim(
        &self,
        claim: Claim,
        intent: Fact,
    ) -> impl Future<Output = Result<Claimed, LedgerError>>;
}

/// A ledger that is open for writing.
#[derive(Debug)]
pub struct Journal {
    batches: mpsc::UnboundedSender<Batch>,
    /// Dropped after `batches`. When `batches` is dropped, the thread writes all remaining
    /// batches and ends. When this field is dropped, it waits for the thread.
    thread: Option<JoinOnDrop>,
}

#[derive(Debug)]
struct JoinOnDrop(Option<JoinHandle<()>>);

impl Drop for JoinOnDrop {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // If the thread panicked, its callers have already received an error.
            drop(thread.join());
        }
    }
}

/// Facts that must be written together. The writer stamps them just before it writes them, so their
/// stamps are later than those of all entries that it has read, even if a clock is wrong. If
/// another run's entry affects a claim, the claim is stamped after that entry.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) facts: Vec<Fact>,
    /// If set, the batch is written only if this claim is granted.
    pub(super) claim: Option<Claim>,
    answer: oneshot::Sender<Result<Claimed, LedgerError>>,
}

/// The channel on which the writer receives batches.
pub(super) type Batches = mpsc::UnboundedReceiver<Batch>;

impl Journal {
    /// Opens the ledger file of a target for writing. Creates the file and its directory if they do
    /// not exist.
    ///
    /// # Errors
    /// Returns a [`LedgerError`] if the file cannot be opened, belongs to another target, has a
    /// newer format, or is damaged.
    pub fn open(ledger: &LedgerFile, target: &Target, run: &RunId) -> Result<Self, LedgerError> {
        let entries = prepare(ledger, target)?;
        let claims = FileClaims::new(EntryClock::new(run, &entries));
        let (mut journal, batches) = Self::new();
        let own = ledger.clone();
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || write_all(&own, batches, claims))
            .map_err(LedgerError::io(
                ledger.path(),
                "the thread that writes it could not be started",
            ))?;
        journal.thread = Some(JoinOnDrop(Some(thread)));
        Ok(journal)
    }

    pub(super) fn new() -> (Self, Batches) {
        let (batches, receiver) = mpsc::unbounded_channel();
        let thread = None;
        (Self { batches, thread }, receiver)
    }

    async fn send(&self, facts: Vec<Fact>, claim: Option<Claim>) -> Result<Claimed, LedgerError> {
        let stopped = || LedgerError::Closed {
            reason: "its writer has stopped".to_owned(),
            is_lost: false,
        };
        let (sender, answer) = oneshot::channel();
        let batch = Batch {
            facts,
            claim,
            answer: sender,
        };
        self.batches.send(batch).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

impl Record for Journal {
    async fn append(&self, facts: Vec<Fact>) -> Result<(), LedgerError> {
        self.send(facts, None).await.map(drop)
    }

    async fn claim(&self, claim: Claim, intent: Fact) -> Result<Claimed, LedgerError> {
        let facts = claim.ended().into_iter().chain([intent]).collect();
        self.send(facts, Some(claim)).await
    }
}

/// Sends each caller the answer to its batch, or the error.
pub(super) fn answer(batches: Vec<Batch>, answers: Result<Vec<Claimed>, &LedgerError>) {
    let mut answers = answers.map(Vec::into_iter);
    for batch in batches {
        let answer = match &mut answers {
            Ok(answers) => Ok(answers.next().unwrap_or(Claimed::Ours)),
            Err(error) => Err(error.closed()),
        };
        // If the run was interrupted, the caller no longer waits. The facts are stored anyway.
        drop(batch.answer.send(answer));
    }
}

/// Writes the header of a new file, or checks that an existing file belongs to this target. Returns
/// the entries.
fn prepare(ledger: &LedgerFile, target: &Target) -> Result<Entries, LedgerError> {
    let path = ledger.path();
    let mut file = ledger.lock()?;
    let old = ledger.parse(&file, target)?;
    if !old.has_header {
        bytes(target, &Entries::new())
            .map_err(io::Error::from)
            .and_then(|header| append(&mut file, &header))
            .and_then(|()| file.sync_all())
            .and_then(|()| sync_directory(path))
            .map_err(LedgerError::io(path, CANNOT_BE_WRITTEN))?;
    }
    ledger.keep(file)?;
    Ok(old.entries)
}

/// Writes batches as they arrive. After an error, writes nothing more.
fn write_all(ledger: &LedgerFile, mut batches: Batches, mut claims: FileClaims) {
    let mut failure = None;
    while let Some(first) = batches.blocking_recv() {
        std::thread::sleep(LINGER);
        let mut waiting = vec![first];
        waiting.extend(std::iter::from_fn(|| batches.try_recv().ok()));
        let written = match failure {
            Some(error) => Err(error),
            None => write(ledger, &waiting, &mut claims),
        };
        answer(waiting, written.as_ref().map(Vec::clone));
        failure = written.err();
    }
}

/// Writes the batches, except those with a claim that another run holds. Returns the answer to
/// each batch.
fn write(
    ledger: &LedgerFile,
    batches: &[Batch],
    claims: &mut FileClaims,
) -> Result<Vec<Claimed>, LedgerError> {
    let failed = LedgerError::io(ledger.path(), CANNOT_BE_WRITTEN);
    let mut file = ledger.lock()?;
    if batches.iter().any(|batch| batch.claim.is_some()) {
        claims.catch_up(ledger.path()).map_err(&failed)?;
    }
    claims.entries.clock.tick();
    let (mut lines, mut answers) = (Vec::new(), Vec::new());
    for Batch { facts, claim, .. } in batches {
        let answer = claim.as_ref().map(|claim| claims.entries.decide(claim));
        let answer = answer.unwrap_or(Claimed::Ours);
        if answer == Claimed::Ours {
            for fact in facts {
                let stamp = claims.entries.clock.stamp();
                write_entry(&mut lines, &stamp, fact)?;
                // Later claims among these batches depend on this claim.
                if claim.is_some() {
                    claims.entries.add(stamp, fact.clone());
                }
            }
        }
        answers.push(answer);
    }
    append(&mut file, &lines)
        .and_then(|()| file.sync_data())
        .map_err(failed)?;
    ledger.keep_written(file)?;
    Ok(answers)
}

/// Appends complete lines. If a killed run left a partial line at the end, removes it first. The
/// caller must hold the lock.
fn append(file: &mut File, lines: &[u8]) -> io::Result<()> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut whole = end_of_lines(file, end)?;
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
        // After a failed write, the file may end in a partial line, as after a killed run. Remove
        // it now if possible.
        drop(file.set_len(whole));
    }
    written
}
