//! A ledger's text -> its entries. A last line that was cut short is what a killed run leaves, and no reason to stop.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use tracing::info;

use super::entry::Entries;
use super::error::LedgerError;
use super::fold::{fold, fold_owned};
use super::json::{HEADER_KEY, Header, VERSION, parse_entry};
use super::lock::check_regular;
use crate::model::{Recorded, Target};

const READ_BUFFER: usize = 256 << 10;
const CANNOT_BE_READ: &str = "cannot be read";
const NO_HEADER: &str = "the file does not start with a ledger's header";

/// A ledger that was read.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The entries.
    pub entries: Entries,
    /// What was wrong with the file, but not so wrong that it cannot be used.
    pub warnings: Vec<String>,
    /// Whether there is a ledger at all.
    pub found: bool,
    pub(super) has_header: bool,
}

impl Snapshot {
    /// What is on record.
    pub fn recorded(&self) -> Recorded {
        fold(&self.entries)
    }

    pub(super) fn into_remembered(self) -> Remembered {
        Remembered {
            recorded: fold_owned(self.entries),
            warnings: self.warnings,
            found: self.found,
        }
    }
}

/// What a ledger comes to.
#[derive(Debug, Clone, Default)]
pub struct Remembered {
    /// What is on record.
    pub recorded: Recorded,
    /// As of a [`Snapshot`].
    pub warnings: Vec<String>,
    /// Whether there is a ledger at all.
    pub found: bool,
}

/// Reads the ledger of a target; a missing file is an empty ledger.
///
/// # Errors
/// [`LedgerError`], except `Closed`.
pub fn read(path: &Path, target: &Target) -> Result<Snapshot, LedgerError> {
    let Some(text) = open(path)? else {
        info!(path = %path.display(), "there is no ledger yet");
        return Ok(Snapshot::default());
    };
    let snapshot = parse(path, text, target)?;
    info!(path = %path.display(), entries = snapshot.entries.len(), "ledger read");
    Ok(snapshot)
}

/// What the ledger of a target comes to.
///
/// # Errors
/// Those of [`read`].
pub fn remember(path: &Path, target: &Target) -> Result<Remembered, LedgerError> {
    read(path, target).map(Snapshot::into_remembered)
}

/// Whose ledger a file is; `None` if it is missing, empty, or nothing but a line cut short.
///
/// # Errors
/// [`LedgerError::Io`], or `Damaged` if it does not start as a ledger.
pub(super) fn target_of(path: &Path) -> Result<Option<Target>, LedgerError> {
    let Some(mut text) = open(path)? else {
        return Ok(None);
    };
    let mut line = Vec::new();
    while line.trim_ascii().is_empty() {
        line.clear();
        let length = text.read_until(b'\n', &mut line);
        length.map_err(LedgerError::io(path, CANNOT_BE_READ))?;
        if !line.ends_with(b"\n") {
            return Ok(None);
        }
    }
    match Header::parse(&line) {
        Ok(header) => Ok(Some(header.into_target())),
        Err(_) => Err(LedgerError::damaged(path, 1, NO_HEADER)),
    }
}

fn open(path: &Path) -> Result<Option<BufReader<File>>, LedgerError> {
    let open = || {
        check_regular(&fs::metadata(path)?)?;
        File::open(path)
    };
    match open() {
        Ok(file) => Ok(Some(buffered(file))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LedgerError::io(path, CANNOT_BE_READ)(error)),
    }
}

pub(super) fn buffered<F: io::Read>(file: F) -> BufReader<F> {
    BufReader::with_capacity(READ_BUFFER, file)
}

/// The entries in a ledger; `path` is only for messages.
///
/// # Errors
/// [`LedgerError::Io`], `Foreign`, `Future` and `Damaged`.
pub fn parse(
    path: &Path,
    mut text: impl BufRead,
    target: &Target,
) -> Result<Snapshot, LedgerError> {
    let mut snapshot = Snapshot {
        found: true,
        ..Snapshot::default()
    };
    let (mut entries, mut line) = (Vec::new(), Vec::new());
    for number in 1.. {
        line.clear();
        let length = text.read_until(b'\n', &mut line);
        if length.map_err(LedgerError::io(path, CANNOT_BE_READ))? == 0 {
            break;
        }
        // Some editors leave the last line without its end; it is an entry all the same.
        if !line.ends_with(b"\n") && !is_whole_line(&line) {
            let text = "the last line is incomplete, probably from a killed run; it is dropped";
            let warning = format!("ledger `{}`: {text}", path.display());
            snapshot.warnings.push(warning);
            break;
        }
        let content = line.trim_ascii();
        if content.is_empty() {
            continue;
        }
        if check_header(path, content, target)? {
            snapshot.has_header = true;
            continue;
        }
        if !snapshot.has_header {
            return Err(LedgerError::damaged(path, number, NO_HEADER));
        }
        let entry = parse_entry(content).map_err(|error| {
            LedgerError::damaged(path, number, format!("not an entry: {error}"))
        })?;
        entries.push(entry);
    }
    // A file is nearly always in order: a map of all at once is built faster, and takes half the memory.
    snapshot.entries = entries.into_iter().collect();
    Ok(snapshot)
}

/// Whether bytes without a line's end are a line all the same: no part of a JSON object is one.
pub(super) fn is_whole_line(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

/// Whether a line is a header, which has to be of this target. Any line may be one: two ledgers merged line by line have two.
fn check_header(path: &Path, line: &[u8], target: &Target) -> Result<bool, LedgerError> {
    if memchr::memmem::find(line, HEADER_KEY).is_none() {
        return Ok(false);
    }
    let Ok(header) = Header::parse(line) else {
        return Ok(false);
    };
    let version = header.roomform_ledger;
    if version > VERSION {
        return Err(LedgerError::Future {
            path: path.to_owned(),
            version,
        });
    }
    let found = header.into_target();
    if found != *target {
        return Err(LedgerError::Foreign {
            path: path.to_owned(),
            found: Box::new(found),
            wanted: Box::new(target.clone()),
        });
    }
    Ok(true)
}
