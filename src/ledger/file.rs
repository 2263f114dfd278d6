//! Parses the text of a ledger. A partial last line is not an error, because a killed run may leave
//! one.

use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::entry::Entries;
use super::error::LedgerError;
use super::fold::fold_owned;
use super::json::{Header, Link, VERSION, parse_entry};
use crate::model::{Recorded, Target};

const READ_BUFFER: usize = 256 << 10;
pub(super) const CANNOT_BE_READ: &str = "cannot be read";

/// The content of a ledger at one time.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// All entries, in the order of their stamps.
    pub entries: Entries,
    /// Problems with the ledger that do not prevent its use.
    pub warnings: Vec<String>,
    /// Whether the ledger exists.
    pub found: bool,
    pub(super) has_header: bool,
    /// The fingerprints of the ledgers that this ledger replaces.
    pub(super) replaces: Vec<String>,
    pub(super) link: Link,
}

impl Snapshot {
    /// Combines the entries into the recorded state.
    pub fn into_recorded(self) -> Recorded {
        fold_owned(self.entries)
    }

    /// Returns whether a compaction or a merge has replaced the ledger. Old entries may then be
    /// missing.
    pub fn is_rewritten(&self) -> bool {
        !self.replaces.is_empty()
    }
}

/// Returns the first line that is not empty; `None` if the ledger has no complete line.
fn first_line(text: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    while without_mark(&line).trim_ascii().is_empty() {
        line.clear();
        text.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Ok(None);
        }
    }
    Ok(Some(line))
}

/// Returns the header of a ledger; `None` if the ledger does not start with one.
pub(super) fn header_of(text: &mut impl BufRead) -> io::Result<Option<Header>> {
    let line = first_line(text)?;
    Ok(line.and_then(|line| serde_json::from_slice(without_mark(&line)).ok()))
}

/// Returns the target that a ledger belongs to; `None` if the ledger is empty or has only a partial
/// line.
///
/// # Errors
/// Returns [`LedgerError::Io`] or `NoHeader`.
pub(super) fn target_of(
    path: &Path,
    text: &mut impl BufRead,
) -> Result<Option<Target>, LedgerError> {
    let line = first_line(text).map_err(LedgerError::io(path, CANNOT_BE_READ))?;
    let Some(line) = line else {
        return Ok(None);
    };
    match serde_json::from_slice::<Header>(without_mark(&line)) {
        Ok(header) => Ok(Some(header.target())),
        Err(_) => Err(LedgerError::NoHeader(path.to_owned())),
    }
}

/// Removes a byte order mark, which some editors write at the start of a file.
fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

pub(super) fn buffered<F: io::Read>(file: F) -> BufReader<F> {
    BufReader::with_capacity(READ_BUFFER, file)
}

/// Parses a ledger. `path` is used only in messages.
///
/// # Errors
/// Returns [`LedgerError::Io`], `NoHeader`, `Foreign`, `Future` or `Damaged`.
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
        // Some editors omit the line break at the end of a file. The last line is then still an
        // entry.
        if !line.ends_with(b"\n") && !is_whole_line(&line) {
            let text = "the last line is incomplete, probably because a run was killed; roomform ignores that line";
            let warning = format!("ledger `{}`: {text}", path.display());
            snapshot.warnings.push(warning);
            break;
        }
        let content = without_mark(&line).trim_ascii();
        if content.is_empty() {
            continue;
        }
        let before = entries.last().map(|(stamp, _)| stamp);
        let entry = parse_entry(content, before);
        // A header is not an entry.
        if entry.is_err()
            && let Some(header) = check_header(path, content, target)?
        {
            snapshot.has_header = true;
            snapshot.replaces.extend(header.replaces);
            snapshot.link = header.link;
            continue;
        }
        if !snapshot.has_header {
            return Err(LedgerError::NoHeader(path.to_owned()));
        }
        entries.push(entry.map_err(|error| {
            LedgerError::damaged(path, number, format!("not an entry: {error}"))
        })?);
    }
    // Build the map from the whole list. Files are nearly always in order, so this is faster
    // than inserting entry by entry, and takes half the memory.
    snapshot.entries = entries.into_iter().collect();
    Ok(snapshot)
}

/// Returns whether bytes without a line break are a complete line. A truncated JSON object is never
/// valid JSON.
pub(super) fn is_whole_line(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(without_mark(bytes)).is_ok()
}

/// Returns the header if the line is one, and checks its target. A header can be on any line,
/// because two ledgers merged line by line have two headers.
fn check_header(path: &Path, line: &[u8], target: &Target) -> Result<Option<Header>, LedgerError> {
    let Ok(header) = serde_json::from_slice::<Header>(line) else {
        return Ok(None);
    };
    let version = header.roomform_ledger;
    if version > VERSION {
        return Err(LedgerError::Future {
            path: path.to_owned(),
            version,
        });
    }
    let found = header.target();
    if found != *target {
        return Err(LedgerError::Foreign {
            path: path.to_owned(),
            found: Box::new(found),
            wanted: Box::new(target.clone()),
        });
    }
    Ok(Some(header))
}
