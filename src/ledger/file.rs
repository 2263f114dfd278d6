//! Parses a ledger's text. A partial last line is left by a killed run and is not an error.

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

/// The content of a ledger.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// All entries, by stamp.
    pub entries: Entries,
    /// Problems that do not prevent using the ledger.
    pub warnings: Vec<String>,
    /// Whether the ledger exists.
    pub found: bool,
    pub(super) has_header: bool,
}

impl Snapshot {
    /// Folds the entries.
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

/// A ledger with its entries folded.
#[derive(Debug, Clone, Default)]
pub struct Remembered {
    /// The folded entries.
    pub recorded: Recorded,
    /// See [`Snapshot`].
    pub warnings: Vec<String>,
    /// Whether the ledger exists.
    pub found: bool,
}

/// Reads the ledger of a target. A missing file is an empty ledger.
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

/// Reads the ledger of a target and folds its entries.
///
/// # Errors
/// Same as [`read`].
pub fn remember(path: &Path, target: &Target) -> Result<Remembered, LedgerError> {
    read(path, target).map(Snapshot::into_remembered)
}

/// Returns the target of a ledger file; `None` if the file is missing, empty, or only a partial line.
///
/// # Errors
/// [`LedgerError::Io`], or `Damaged` if the file has no valid header.
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

/// Parses a ledger. `path` is only for messages.
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
        // Some editors omit the final line break. The line is still an entry.
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
    // Files are nearly always in order. Building the map in one go is faster and takes half the memory.
    snapshot.entries = entries.into_iter().collect();
    Ok(snapshot)
}

/// Whether bytes without a line break are a complete line. No proper prefix of a JSON object is valid JSON.
pub(super) fn is_whole_line(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

/// Whether a line is a header, which must match this target. Two ledgers merged line by line have two headers.
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
