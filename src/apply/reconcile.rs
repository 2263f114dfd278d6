//! Resolves uncertain creates, of this run and of other runs: reads the list, then adopts or
//! creates each room.
//!
//! One read covers all uncertain rooms. A room counts as absent only if the list still does not
//! show it after the longest time that the list may lag. If another run claimed a room, this
//! run creates the room only when that claim is old.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;
use tracing::info;

use super::attempts::CreateClaim;
use super::job::{Backoff, Job};
use crate::imbachat::ReadRooms;
use crate::ledger::{Claimed, Record};
use crate::model::{LiveRoom, Observed, Pipe, RoomId, Time};
use crate::plan::Change;

/// What the search for the room of an uncertain create found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    Found(RoomId),
    /// Several rooms have the pipe.
    Several(Vec<RoomId>),
    /// The room does not exist, so this run may create it.
    Absent,
    /// The room was not found, and this run may not create it.
    Unknown,
    /// The list does not show the room, but the list may be incomplete.
    NotListed,
}

/// The searches for the rooms of uncertain creates during one apply.
#[derive(Debug, Default)]
pub(super) struct Searches(BTreeMap<Pipe, Search>);

/// The search for one room.
#[derive(Debug)]
struct Search {
    begun: Instant,
    /// The claim of another run to create the room, if there is one.
    held: Option<Held>,
    /// Whether this run was already allowed to create the room, and may not create it again.
    is_last_create: bool,
    is_over: bool,
}

impl Search {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            held: None,
            is_last_create: false,
            is_over: false,
        }
    }
}

/// The largest difference that is assumed between the clocks of two machines, as in Kerberos.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// The claim of another run.
#[derive(Debug)]
struct Held {
    run: String,
    /// When the claim was written, by the clock of the other run's machine.
    since: Time,
    first_seen: Instant,
    /// The start of the first read that did not show the room. Reads before the claim became
    /// old are ignored.
    absent_since: Option<Instant>,
}

/// A create that may have succeeded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Uncertain<'a> {
    pub(super) change: &'a Change,
    /// Whether this run sent the create.
    pub(super) is_ours: bool,
}

/// What one read of the list showed, and when the read began.
struct Reading {
    begun: Instant,
    observed: Observed,
}

impl Searches {
    /// Returns whether to search for the room.
    pub(super) fn is_open(&self, pipe: &Pipe) -> bool {
        self.0.get(pipe).is_none_or(|search| !search.is_over)
    }

    /// Reads the list until a search for at least one room has a result. Returns `None` if the list
    /// cannot be read or the run ends early.
    pub(super) async fn look_for<R: ReadRooms, W, L: Record>(
        &mut self,
        uncertain: &[Uncertain<'_>],
        job: &Job<'_, R, W, L>,
    ) -> Option<BTreeMap<Pipe, Finding>> {
        let mut backoff = Backoff::default();
        loop {
            let reading = read(uncertain, job).await?;
            let mut findings = BTreeMap::new();
            let mut deadline = None;
            for room in uncertain {
                let pipe = &room.change.pipe;
                let search = self.0.entry(pipe.clone()).or_insert_with(Search::new);
                match search.step(*room, &reading, job).await? {
                    Ok(finding) => {
                        search.finish(&finding);
                        findings.insert(pipe.clone(), finding);
                    }
                    Err(until) => {
                        deadline =
                            Some(deadline.map_or(until, |earliest: Instant| earliest.min(until)));
                    }
                }
            }
            info!(
                wanted = uncertain.len(),
                found = findings.len(),
                "looked for uncertain rooms"
            );
            let Some(deadline) = deadline.filter(|_| findings.is_empty()) else {
                return Some(findings);
            };
            let wait = backoff.next_wait(deadline).unwrap_or_default();
            if !job.control.pause(wait).await {
                return None;
            }
        }
    }
}

/// The result of a search, or the time by which to read the list again.
type Step = Result<Finding, Instant>;

impl Search {
    /// Decides from one reading of the list. Returns `None` if the run ends early.
    async fn step<R: ReadRooms, W, L: Record>(
        &mut self,
        room: Uncertain<'_>,
        reading: &Reading,
        job: &Job<'_, R, W, L>,
    ) -> Option<Step> {
        let rows = reading.observed.live(&room.change.pipe);
        let ids: Vec<RoomId> = rows.map(|row| row.id).collect();
        match ids.as_slice() {
            [] => {}
            [id] => return Some(Ok(Finding::Found(*id))),
            _ => return Some(Ok(Finding::Several(ids))),
        }
        let (patience, is_partial) = (job.control.patience, job.reader.is_partial());
        if room.is_ours || is_partial {
            // If the list may be incomplete, another run's create is handled here too, because
            // such a list cannot prove that the room is absent.
            let until = self.begun + patience.verify;
            let absent = match (is_partial, self.is_last_create) {
                (true, _) => Finding::NotListed,
                (false, true) => Finding::Unknown,
                (false, false) => Finding::Absent,
            };
            // Only a list that was read after the lag proves that the room is absent.
            let is_late = reading.begun >= until;
            return Some(is_late.then_some(absent).ok_or(until));
        }
        let claim = CreateClaim::new(job, room.change);
        let (run, since, age) = match claim.make(None).await.ok()? {
            Claimed::Ours => return Some(Ok(Finding::Absent)),
            Claimed::Created(id) => return Some(Ok(Finding::Found(id))),
            Claimed::Held { run, since, age } => (run, since, age),
        };
        let held = self.held.take();
        let held = held.filter(|held| (&held.run, held.since) == (&run, since));
        let held = self.held.insert(held.unwrap_or_else(|| Held {
            run: run.clone(),
            since,
            first_seen: Instant::now(),
            absent_since: None,
        }));
        // The clocks of the two runs may differ. So trust the age only if it exceeds the limit
        // by the whole tolerance. Otherwise use the time since this run first saw the claim.
        let age = match age >= patience.claim() + CLOCK_TOLERANCE {
            true => age,
            false => held.first_seen.elapsed(),
        };
        let until = match age < patience.claim() {
            true => Instant::now() + (patience.claim() - age),
            false => *held.absent_since.get_or_insert(reading.begun) + patience.verify,
        };
        let give_up = self.begun + patience.other_run();
        if reading.begun < until {
            let is_over = Instant::now() >= give_up;
            return Some(
                is_over
                    .then_some(Finding::Unknown)
                    .ok_or(until.min(give_up)),
            );
        }
        self.is_last_create = true;
        Some(match claim.make(Some(run)).await.ok()? {
            Claimed::Ours => Ok(Finding::Absent),
            Claimed::Created(id) => Ok(Finding::Found(id)),
            Claimed::Held { .. } => Err(give_up),
        })
    }

    /// Ends the search. After `Absent`, restarts it for the create that follows.
    fn finish(&mut self, finding: &Finding) {
        match finding {
            Finding::Absent => {
                *self = Self {
                    is_last_create: true,
                    ..Self::new()
                };
            }
            Finding::Found(_) => {}
            Finding::Several(_) | Finding::Unknown | Finding::NotListed => self.is_over = true,
        }
    }
}

async fn read<R: ReadRooms, W, L>(
    uncertain: &[Uncertain<'_>],
    job: &Job<'_, R, W, L>,
) -> Option<Reading> {
    let pipes: BTreeSet<&Pipe> = uncertain.iter().map(|room| &room.change.pipe).collect();
    let take = |observed: &mut Observed, row: LiveRoom| {
        let is_wanted = pipes.contains(&row.pipe);
        observed.take(row, is_wanted, false);
    };
    let nothing_yet = || {
        job.control.reads.update(|reads| reads + 1);
        Observed::default()
    };
    let begun = Instant::now();
    let read = job.reader.collect(&job.control.dice, nothing_yet, take);
    let observed = job.control.unless_interrupted(read).await?.ok()?;
    Some(Reading { begun, observed })
}
