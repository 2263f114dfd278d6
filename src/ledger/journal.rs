//! The ledger opened for writing: facts are on disk when [`Record::append`] comes back, and many share one fsync.
//!
//! Main type: [`Journal`]. A thread of its own writes, so that nobody else waits for the disk.

use std::fs::{self, File, OpenOptions};
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::entry::{Fact, Header, Line, Stamp};
use super::file::{LedgerError, read};
use crate::model::Target;

/// Where facts are written down.
pub trait Record: Send + Sync {
    /// Comes back when the facts are safe; after an error nothing may be sent to the server any more.
    fn append(&self, facts: Vec<Fact>) -> impl Future<Output = Result<(), LedgerError>> + Send;
}

/// An open ledger file.
#[derive(Debug)]
pub struct Journal {
    run: String,
    sequence: AtomicU64,
    sender: Option<mpsc::Sender<Batch>>,
    writer: Option<JoinHandle<()>>,
}

struct Batch {
    lines: Vec<u8>,
    done: oneshot::Sender<Result<(), LedgerError>>,
}

impl Journal {
    /// Opens the ledger of a target for writing; makes it, and its directory, if it is not there.
    ///
    /// # Errors
    /// [`LedgerError`]: also when the file is of another target, newer, or damaged.
    pub fn open(path: &Path, target: &Target) -> Result<Self, LedgerError> {
        let snapshot = read(path, target)?;
        let io = |doing| {
            move |source| LedgerError::Io {
                path: path.to_owned(),
                doing,
                source,
            }
        };
        if let Some(directory) = path
            .parent()
            .filter(|directory| !directory.as_os_str().is_empty())
        {
            fs::create_dir_all(directory).map_err(io("its directory cannot be made"))?;
        }
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(io("cannot be opened for writing"))?;
        file.set_len(snapshot.whole)
            .map_err(io("its torn last line cannot be cut off"))?;
        if !snapshot.headed {
            let header = serde_json::to_vec(&Header::of(target)).map_err(std::io::Error::from);
            let written = header.and_then(|header| file.write_all(&[&header[..], b"\n"].concat()));
            written
                .and_then(|()| file.sync_all())
                .map_err(io("cannot be written"))?;
            sync_directory(path).map_err(io("its directory cannot be synced"))?;
        }
        let (sender, receiver) = mpsc::channel();
        let owned = path.to_owned();
        let writer = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || write(&owned, file, &receiver));
        let writer = writer.map_err(io("no thread could be started for it"))?;
        let run = format!("{:016x}", RandomState::new().hash_one(std::process::id()));
        Ok(Self {
            run,
            sequence: AtomicU64::new(0),
            sender: Some(sender),
            writer: Some(writer),
        })
    }

    fn lines(&self, facts: &[Fact]) -> Result<Vec<u8>, serde_json::Error> {
        let time = format!("{:.3}", Timestamp::now());
        let mut lines = Vec::new();
        for fact in facts {
            let sequence = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
            let stamp = Stamp {
                time: time.clone(),
                run: self.run.clone(),
                sequence,
            };
            serde_json::to_writer(&mut lines, &Line::new(stamp, fact))?;
            lines.push(b'\n');
        }
        Ok(lines)
    }
}

impl Record for Journal {
    async fn append(&self, facts: Vec<Fact>) -> Result<(), LedgerError> {
        let gone = || LedgerError::Closed("its writer has stopped".to_owned());
        let (done, answer) = oneshot::channel();
        let lines = self
            .lines(&facts)
            .map_err(|error| LedgerError::Closed(error.to_string()))?;
        let batch = Batch { lines, done };
        self.sender
            .as_ref()
            .ok_or_else(gone)?
            .send(batch)
            .map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
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

/// Writes batches as they come: all that wait are written together and synced once.
fn write(path: &Path, mut file: File, batches: &mpsc::Receiver<Batch>) {
    let mut broken: Option<String> = None;
    while let Ok(first) = batches.recv() {
        let waiting: Vec<Batch> = std::iter::once(first).chain(batches.try_iter()).collect();
        let text: Vec<u8> = waiting
            .iter()
            .flat_map(|batch| &batch.lines)
            .copied()
            .collect();
        let result = match &broken {
            Some(reason) => Err(reason.clone()),
            None => file
                .write_all(&text)
                .and_then(|()| file.sync_data())
                .map_err(|error| error.to_string()),
        };
        for batch in waiting {
            let answer = match &result {
                Ok(()) => Ok(()),
                Err(reason) => Err(LedgerError::Closed(format!(
                    "`{}`: {reason}",
                    path.display()
                ))),
            };
            // Nobody waits any more if the run was cut short; the line is on disk all the same.
            drop(batch.done.send(answer));
        }
        broken = broken.or(result.err());
    }
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> std::io::Result<()> {
    let directory = path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> std::io::Result<()> {
    Ok(())
}
