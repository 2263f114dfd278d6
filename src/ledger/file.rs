//! A ledger file's text -> its record. A torn last line is what a killed run leaves, and no reason to stop.

use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use tracing::info;

use super::entry::{Fact, StampRef};
use super::fold::{Entries, Forgotten, InOrder, fold, fold_all};
use super::line::{HEADER_KEY, Header, Line, VERSION};
use super::quick;
use crate::model::{Recorded, Target};

/// How much of a file is read at a time.
pub(super) const PIECE: usize = 256 << 10;

/// What is told of a file that is not there.
const NONE_YET: &str = "there is no ledger yet";

/// What is wrong with a ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It cannot be read or written.
    #[error("ledger `{}`: {doing}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// It belongs to another widget or server.
    #[error("ledger `{}` is of {found}, not of {wanted}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: Box<Target>,
        /// What the run is for.
        wanted: Box<Target>,
    },
    /// A newer roomform wrote it.
    #[error("ledger `{}` has format {version}, this roomform reads up to {VERSION}", path.display())]
    Future {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// A line in the middle is not an entry.
    #[error("ledger `{}`, line {line}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A bucket cannot be read or written.
    #[error("ledger `{place}`: {doing}: {reason}")]
    Store {
        /// Its address.
        place: String,
        /// What was tried.
        doing: &'static str,
        /// Why it failed, without any secret.
        reason: String,
        /// What can be done about it.
        remedy: &'static str,
    },
    /// An earlier write failed, and nothing may be written after it.
    #[error("the ledger cannot be written any more: {0}")]
    Closed(String),
}

impl LedgerError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => {
                "make the file and its directory writable and free some space, or name another place with --ledger"
            }
            Self::Foreign { .. } => {
                "name the ledger of this target with --ledger, or check --api-url and --widget"
            }
            Self::Future { .. } => "update roomform",
            Self::Damaged { .. } => {
                "mend or remove that line; without a ledger the plan says \"members unverified\" and sends them again"
            }
            Self::Store { remedy, .. } => remedy,
            Self::Closed(_) => {
                "nothing was sent to the server after that; run again once the ledger can be written"
            }
        }
    }
}

/// A ledger that was read.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The entries.
    pub entries: Entries,
    /// What was wrong with the file, but not so wrong that it cannot be used.
    pub warnings: Vec<String>,
    /// Whether there is a ledger at all.
    pub found: bool,
    /// Whether the file has its header.
    pub(super) headed: bool,
}

impl Snapshot {
    /// What is on record.
    pub fn recorded(&self) -> Recorded {
        fold(&self.entries)
    }

    /// What it comes to, where nobody needs the entries.
    pub(super) fn into_remembered(self) -> Remembered {
        Remembered {
            recorded: fold_all(self.entries),
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
    let Some(file) = open(path)? else {
        info!(path = %path.display(), "{NONE_YET}");
        return Ok(Snapshot::default());
    };
    let snapshot = parse(path, file, target)?;
    info!(path = %path.display(), entries = snapshot.entries.len(), "ledger read");
    Ok(snapshot)
}

/// What the ledger of a target comes to. Entries in the order of their stamps, as one run after another writes them, are folded as
/// they come; a file in which something was forgotten is read twice. Those that stand otherwise, as of two runs at a time, are all
/// kept meanwhile.
///
/// # Errors
/// Those of [`read`].
pub fn remember(path: &Path, target: &Target) -> Result<Remembered, LedgerError> {
    let mut forgotten = Forgotten::new();
    while let Some(file) = open(path)? {
        let (mut folding, mut entries) = (InOrder::new(forgotten), 0_usize);
        let read_through = each(path, file, target, |stamp, fact| {
            entries += 1;
            folding.take(&stamp, fact)
        })?;
        let ControlFlow::Continue(Snapshot {
            warnings, found, ..
        }) = read_through
        else {
            // Before everything is in memory once more.
            drop(folding);
            return Ok(read(path, target)?.into_remembered());
        };
        match folding.finish() {
            Ok(recorded) => {
                info!(path = %path.display(), entries, "ledger read");
                return Ok(Remembered {
                    recorded,
                    warnings,
                    found,
                });
            }
            Err(more) => forgotten = more,
        }
    }
    info!(path = %path.display(), "{NONE_YET}");
    Ok(Remembered::default())
}

/// A ledger's file; `None` if it is not there.
pub(super) fn open(path: &Path) -> Result<Option<BufReader<File>>, LedgerError> {
    let open = || {
        regular(&fs::metadata(path)?)?;
        File::open(path)
    };
    match open() {
        Ok(file) => Ok(Some(BufReader::with_capacity(PIECE, file))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, error)),
    }
}

pub(super) fn unreadable(path: &Path, source: io::Error) -> LedgerError {
    LedgerError::Io {
        path: path.to_owned(),
        doing: "cannot be read",
        source,
    }
}

/// A device or a pipe may never end.
pub(super) fn regular(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        Ok(())
    } else {
        Err(io::Error::other("it is not a regular file"))
    }
}

/// The lines that were written to their end; after the last line break there is only what a killed run left.
pub(super) fn whole_lines(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte == b'\n');
    end.and_then(|end| text.get(..=end)).unwrap_or_default()
}

/// The entries in a ledger, taken in line by line; `path` is only for messages.
///
/// # Errors
/// [`LedgerError::Io`], `Foreign`, `Future` and `Damaged`.
pub fn parse(path: &Path, text: impl BufRead, target: &Target) -> Result<Snapshot, LedgerError> {
    let mut entries = Vec::new();
    let read_through = each(path, text, target, |stamp, fact| {
        entries.push((stamp.into(), fact));
        ControlFlow::<Infallible>::Continue(())
    })?;
    let ControlFlow::Continue(snapshot) = read_through;
    // In order, as a file nearly always is, they need no search each. Of two with one stamp the later one holds.
    let entries = entries.into_iter().collect();
    Ok(Snapshot {
        entries,
        ..snapshot
    })
}

/// Hands over each entry in a ledger, until `take` breaks off. What comes back is the ledger without them.
fn each<B>(
    path: &Path,
    mut text: impl BufRead,
    target: &Target,
    mut take: impl FnMut(StampRef<'_>, Fact) -> ControlFlow<B>,
) -> Result<ControlFlow<B, Snapshot>, LedgerError> {
    let mut snapshot = Snapshot {
        found: true,
        ..Snapshot::default()
    };
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let length = text.read_until(b'\n', &mut line);
        if length.map_err(|error| unreadable(path, error))? == 0 {
            break;
        }
        let content = line.strip_suffix(b"\n");
        // Some editors leave the last line without its end; it is an entry all the same.
        let Some(content) = content.or_else(|| is_whole_line(&line).then_some(&line)) else {
            let text = "the last line was cut short, as a killed run leaves it; it is dropped";
            let warning = format!("ledger `{}`: {text}", path.display());
            snapshot.warnings.push(warning);
            break;
        };
        if content.trim_ascii().is_empty() {
            continue;
        }
        if let Some((stamp, fact)) = take_line(path, number, content, target, &mut snapshot)?
            && let ControlFlow::Break(reason) = take(stamp, fact)
        {
            return Ok(ControlFlow::Break(reason));
        }
    }
    Ok(ControlFlow::Continue(snapshot))
}

/// Whether bytes without a line's end are a line all the same: no part of a JSON object is one.
pub(super) fn is_whole_line(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

/// The entry of a line; none of a header.
fn take_line<'l>(
    path: &Path,
    number: usize,
    line: &'l [u8],
    target: &Target,
    snapshot: &mut Snapshot,
) -> Result<Option<(StampRef<'l>, Fact)>, LedgerError> {
    let damaged = |reason: String| LedgerError::Damaged {
        path: path.to_owned(),
        line: number,
        reason,
    };
    if snapshot.headed
        && let Some(entry) = quick::as_written(line)
    {
        return Ok(Some(entry));
    }
    // Two ledgers merged line by line have two headers: any line may be one, and each must fit.
    let may_be_header = memchr::memmem::find(line, HEADER_KEY).is_some();
    if may_be_header && let Ok(header) = serde_json::from_slice::<Header>(line) {
        if header.roomform_ledger > VERSION {
            return Err(LedgerError::Future {
                path: path.to_owned(),
                version: header.roomform_ledger,
            });
        }
        if header.target() != *target {
            let (found, wanted) = (Box::new(header.target()), Box::new(target.clone()));
            return Err(LedgerError::Foreign {
                path: path.to_owned(),
                found,
                wanted,
            });
        }
        snapshot.headed = true;
        return Ok(None);
    }
    if !snapshot.headed {
        return Err(damaged(
            "the file does not start with a ledger's header".to_owned(),
        ));
    }
    let entry = quick::read(line).map_err(|error| damaged(format!("not an entry: {error}")))?;
    Ok(Some(entry))
}

/// The bytes of a ledger: header and entries, one a line.
///
/// # Errors
/// If an entry cannot be written as JSON, which none can cause.
pub fn bytes(target: &Target, entries: &Entries) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec(&Header::of(target))?;
    bytes.push(b'\n');
    for (stamp, fact) in entries {
        serde_json::to_writer(&mut bytes, &Line::new(stamp.clone(), fact))?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}
