//! Decides which of several runs on one ledger may send a create or a message: the run that writes
//! its claim first.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::entry::{Entries, EntryClock, Fact, PipeFact, RoomFact, Stamp};
use super::fold::fold;
use super::json::parse_entry;
use super::ledger_file::is_still_there;
use crate::model::{Pipe, RoomId, Time};

/// What a run claims: the right to send one call. The entries of the claim are written only if it
/// is granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The right to send a room's welcome. It is granted if a create promised the welcome and no
    /// run has begun to send it.
    Message {
        /// The room's pipe.
        pipe: Pipe,
        /// The room's id.
        room: RoomId,
    },
    /// The right to create a room.
    Create {
        /// The room's pipe.
        pipe: Pipe,
        /// The recorded room that the new room replaces.
        replaces: Option<RoomId>,
        /// The run whose old claim this claim takes over. The room of the old claim is not in
        /// the list.
        takes_over: Option<String>,
    },
}

/// The answer to a [`Claim`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// The claim is granted and on disk. This run may send the call.
    Ours,
    /// The claim is refused: another run holds it, or no create promised the message.
    Held {
        /// The run that holds the claim.
        run: String,
        /// When that run wrote its claim, by the clock of its machine.
        since: Time,
        /// The age of that run's claim. It is correct only if both machines' clocks agree.
        age: Duration,
    },
    /// The claim is refused: another run created or adopted this room.
    Created(RoomId),
}

impl Claim {
    /// Returns the fact that ends another run's claim, if this claim takes it over.
    pub fn ended(&self) -> Option<Fact> {
        match self {
            Self::Create {
                pipe,
                takes_over: Some(run),
                ..
            } => {
                let ended = PipeFact::NotCreated(Some(run.clone()));
                Some(Fact::Pipe(pipe.clone(), ended))
            }
            _ => None,
        }
    }

    pub(super) fn pipe(&self) -> &Pipe {
        match self {
            Self::Message { pipe, .. } | Self::Create { pipe, .. } => pipe,
        }
    }

    /// Decides whether a run gets this claim. `entries` are those of the claim's pipe.
    pub fn decide(&self, run: &str, entries: &Entries, now: Time) -> Claimed {
        let recorded = fold(entries);
        let held = |run: &str, since: Time| Claimed::Held {
            run: run.to_owned(),
            since,
            age: Duration::from_millis(u64::try_from(now.0 - since.0).unwrap_or_default()),
        };
        match self {
            Self::Message { pipe, room } => match recorded.owes_welcome(pipe, *room) {
                true => Claimed::Ours,
                false => held("", now),
            },
            Self::Create {
                pipe,
                replaces,
                takes_over,
            } => {
                let id = recorded.ids.get(pipe).copied();
                if let Some(id) = id.filter(|id| Some(*id) != *replaces) {
                    return Claimed::Created(id);
                }
                let open = recorded.open.get(pipe).into_iter().flatten();
                let mut others =
                    open.filter(|open| open.run != run && Some(&open.run) != takes_over.as_ref());
                let first = others.next();
                first.map_or(Claimed::Ours, |open| held(&open.run, open.since))
            }
        }
    }
}

/// The entries that decide about claims, without their members, and the clock for new entries.
#[derive(Debug)]
pub(super) struct ClaimEntries {
    by_pipe: BTreeMap<Pipe, Entries>,
    /// After its next `tick`, its stamps are later than those of all added entries.
    pub(super) clock: EntryClock,
}

impl ClaimEntries {
    pub(super) fn new(clock: EntryClock) -> Self {
        let by_pipe = BTreeMap::new();
        Self { by_pipe, clock }
    }

    pub(super) fn decide(&self, claim: &Claim) -> Claimed {
        let (run, now) = (&self.clock.run, Time(Timestamp::now().as_millisecond()));
        match self.by_pipe.get(claim.pipe()) {
            Some(entries) => claim.decide(run, entries, now),
            None => claim.decide(run, &Entries::new(), now),
        }
    }

    #[cfg(feature = "object-store")]
    pub(super) fn contains(&self, pipe: &Pipe, stamp: &Stamp) -> bool {
        let entries = self.by_pipe.get(pipe);
        entries.is_some_and(|entries| entries.contains_key(stamp))
    }

    pub(super) fn add(&mut self, stamp: Stamp, fact: Fact) {
        self.clock.pass(&stamp);
        let fact = match fact {
            Fact::Pipe(pipe, PipeFact::Intent { welcome, .. }) => {
                let members = Vec::new();
                Fact::Pipe(pipe, PipeFact::Intent { members, welcome })
            }
            // For claims, `Confirmed` and `Adopted` mean only that the room exists, so keep the
            // shorter fact.
            Fact::Room(pipe, room, RoomFact::Confirmed { .. } | RoomFact::Adopted(_)) => {
                Fact::Room(pipe, room, RoomFact::Adopted(Vec::new()))
            }
            Fact::Pipe(_, PipeFact::NotCreated(_) | PipeFact::Forgotten)
            | Fact::Room(.., RoomFact::Message { .. }) => fact,
            _ => return,
        };
        if let Some(pipe) = fact.pipe() {
            let entries = self.by_pipe.entry(pipe.clone()).or_default();
            entries.insert(stamp, fact);
        }
    }
}

/// The claims in a ledger file, as far as they have been read.
#[derive(Debug)]
pub(super) struct FileClaims {
    /// The ledger file. It is kept open, so that the run notices when another file replaces it.
    file: Option<File>,
    read_until: u64,
    /// The entries that [`Self::catch_up`] has read, and this run's claims since then.
    pub(super) entries: ClaimEntries,
}

impl FileClaims {
    pub(super) fn new(clock: EntryClock) -> Self {
        Self {
            file: None,
            read_until: 0,
            entries: ClaimEntries::new(clock),
        }
    }

    /// Reads the added lines, or all lines if another file replaced the old one or the file became
    /// shorter. The caller must hold the ledger's lock.
    pub(super) fn catch_up(&mut self, path: &Path) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file)
                if is_still_there(&file, path)? && file.metadata()?.len() >= self.read_until =>
            {
                file
            }
            _ => {
                self.read_until = 0;
                self.entries.by_pipe.clear();
                File::open(path)?
            }
        };
        file.seek(SeekFrom::Start(self.read_until))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        self.file = Some(file);
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            // A killed run may have left a partial line at the end.
            if !line.ends_with(b"\n") {
                break;
            }
            self.read_until += line.len() as u64;
            // Ignore an invalid line. It must have been added while the ledger was open: a
            // ledger that already has an invalid line cannot be opened.
            if let Ok((stamp, fact)) = parse_entry(line, None) {
                self.entries.add(stamp, fact);
            }
        }
        Ok(())
    }
}
