//! Writes the batches of a journal to a file. This happens in a thread, so that only tasks that
//! need an answer wait for the disk. All waiting batches share one fsync.
//!
//! The file is locked only during a write, so two runs on one ledger take turns after each batch.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::time::Duration;

use super::claims::{Claimed, FileClaims};
use super::clock::EntryClock;
use super::entry::Entries;
use super::error::LedgerError;
use super::file::is_whole_line;
use super::journal::{Batch, Batches, JoinOnDrop, Journal, answer};
use super::json::{bytes, write_entry};
use super::ledger_file::{LedgerFile, end_of_lines};
use super::lock::sync_directory;
use crate::model::{RunId, Target};

/// How long to collect batches before an fsync. With a fast server, collecting saves a third of
/// the work. Most creates do not wait for the fsync, because they are claimed ahead of time. A
/// welcome message waits for the fsync. If a room has too many members for one call, each call
/// for the room waits for it as well.
const LINGER: Duration = Duration::from_millis(1);
const CANNOT_BE_WRITTEN: &str = "cannot be written";

impl Journal {
    /// Opens the ledger file of a target for writing. Creates the file and its directory if they do
    /// not exist.
    ///
    /// # Errors
    /// Returns a [`LedgerError`] if the file cannot be opened, belongs to another target, has a
    /// newer format, or is damaged.
    pub fn open(ledger: &LedgerFile, target: &Target, run: &RunId) -> Result<Self, LedgerError> {
        let entries = prepare(ledger, target)?;
        let clock = Arc::new(EntryClock::new(run, &entries));
        let (mut journal, batches) = Self::new(Arc::clone(&clock));
        let own = ledger.clone();
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || write_all(&own, batches, clock))
            .map_err(LedgerError::io(
                ledger.path(),
                "the thread that writes it could not be started",
            ))?;
        journal.thread = Some(JoinOnDrop(Some(thread)));
        Ok(journal)
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
fn write_all(ledger: &LedgerFile, mut batches: Batches, clock: Arc<EntryClock>) {
    let mut claims = FileClaims::new(clock);
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
    let (mut lines, mut answers) = (Vec::new(), Vec::new());
    for Batch { entries, claim, .. } in batches {
        let run = entries.first().map_or("", |(stamp, _)| &stamp.run);
        let answer = claim
            .as_ref()
            .map(|claim| claims.entries.decide(claim, run));
        let answer = answer.unwrap_or(Claimed::Ours);
        if answer == Claimed::Ours {
            for (stamp, fact) in entries {
                write_entry(&mut lines, stamp, fact)?;
                // Later claims among these batches depend on this claim.
                if claim.is_some() {
                    claims.entries.add(stamp.clone(), fact.clone());
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
