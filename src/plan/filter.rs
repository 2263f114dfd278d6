//! The inputs and options of a plan. Selects rooms (`--only`, `--except`, `--shard`), and the rows
//! of the server's list that matter to a manifest.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::OnceLock;

use globset::{Glob, GlobSet, GlobSetBuilder};
use sha2::{Digest as _, Sha256};

use crate::model::{Desired, LiveRoom, Observed, Pipe, Recorded, looks};

/// Selects pipes by globs and by shard. Without globs and shard, it selects every pipe.
#[derive(Debug, Clone, Default)]
pub struct RoomFilter {
    only: Option<Globs>,
    except: Option<Globs>,
    shard: Option<Shard>,
}

#[derive(Debug, Clone)]
struct Globs {
    texts: Vec<String>,
    set: GlobSet,
}

impl Globs {
    fn new(texts: &[String]) -> Result<Option<Self>, globset::Error> {
        let set = glob_set(texts)?;
        let texts = texts.to_vec();
        Ok(set.map(|set| Self { texts, set }))
    }

    fn is_match(&self, pipe: &Pipe) -> bool {
        self.set.is_match(pipe.as_str())
    }

    /// Returns the first glob that matches none of the pipes.
    fn find_unused(&self, pipes: &[&Pipe]) -> Option<&str> {
        let used = pipes
            .iter()
            .flat_map(|pipe| self.set.matches(pipe.as_str()));
        let used: BTreeSet<usize> = used.collect();
        let mut texts = self.texts.iter().enumerate();
        let unused = texts.find(|(index, _)| !used.contains(index));
        unused.map(|(_, text)| text.as_str())
    }
}

impl RoomFilter {
    /// Creates a filter that selects the pipes that a glob matches. Without globs, it selects all
    /// pipes.
    ///
    /// # Errors
    /// Returns the error of the first invalid glob.
    pub fn new(globs: &[String]) -> Result<Self, globset::Error> {
        Ok(Self {
            only: Globs::new(globs)?,
            except: None,
            shard: None,
        })
    }

    /// Excludes the pipes that a glob matches.
    ///
    /// # Errors
    /// Returns the error of the first invalid glob.
    pub fn except(self, globs: &[String]) -> Result<Self, globset::Error> {
        Ok(Self {
            except: Globs::new(globs)?,
            ..self
        })
    }

    /// Limits the filter to the pipes of a shard.
    #[must_use]
    pub fn in_shard(self, shard: Option<Shard>) -> Self {
        Self { shard, ..self }
    }

    /// Whether the pipe is selected.
    pub fn contains(&self, pipe: &Pipe) -> bool {
        self.is_matched(pipe) && self.shard.is_none_or(|shard| shard.contains(pipe))
    }

    /// Whether the globs select the pipe, whatever its shard.
    pub fn is_matched(&self, pipe: &Pipe) -> bool {
        let is_in = |globs: &Globs| globs.is_match(pipe);
        self.only.as_ref().is_none_or(is_in) && !self.except.as_ref().is_some_and(is_in)
    }

    /// Returns the first glob that matches none of the pipes, with its flag.
    pub fn find_unused(&self, pipes: &[&Pipe]) -> Option<(&'static str, &str)> {
        let flags = [("--only", &self.only), ("--except", &self.except)];
        let mut globs = flags
            .into_iter()
            .filter_map(|(flag, globs)| Some((flag, globs.as_ref()?)));
        globs.find_map(|(flag, globs)| Some((flag, globs.find_unused(pipes)?)))
    }

    /// Returns the names of the glob flags in use, for messages.
    pub fn flags(&self) -> &'static str {
        match (&self.only, &self.except) {
            (_, None) => "--only",
            (None, Some(_)) => "--except",
            (Some(_), Some(_)) => "--only with --except",
        }
    }

    /// Returns the selected shard, if any.
    pub fn shard(&self) -> Option<Shard> {
        self.shard
    }

    /// Returns the same filter without the shard.
    #[must_use]
    pub fn of_all_shards(&self) -> Self {
        self.clone().in_shard(None)
    }

    pub(super) fn has_globs(&self) -> bool {
        self.only.is_some() || self.except.is_some()
    }

    /// Whether every pipe is selected.
    pub fn is_all(&self) -> bool {
        !self.has_globs() && self.shard.is_none()
    }
}

pub(super) fn glob_set(globs: &[impl AsRef<str>]) -> Result<Option<GlobSet>, globset::Error> {
    if globs.is_empty() {
        return Ok(None);
    }
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        builder.add(Glob::new(glob.as_ref())?);
    }
    builder.build().map(Some)
}

/// Maximum number of look-alikes that are reported. Anyone may create rooms, so there may be many.
const MOST_LOOK_ALIKES: usize = 1000;

/// Divides the rows of a list into declared rooms, undeclared rooms in scope, and the rest.
#[derive(Debug)]
pub struct RowFilter<'a> {
    desired: &'a Desired,
    wanted: HashMap<&'a str, &'a Pipe>,
    /// The declared pipes by the key that [`looks`] returns. The map is built when the first
    /// undeclared row arrives.
    looks: OnceLock<HashMap<String, Pipe>>,
    scope: RoomFilter,
}

impl<'a> RowFilter<'a> {
    /// Creates the filter of a manifest. Each of the manifest's globs is already known to be
    /// valid. If the globs cannot be combined, every room is in scope. The only effect is that
    /// more undeclared rooms are treated as unmanaged.
    pub fn new(desired: &'a Desired) -> Self {
        let pipes = desired.rooms.keys();
        Self {
            desired,
            wanted: pipes.map(|pipe| (pipe.as_str(), pipe)).collect(),
            looks: OnceLock::new(),
            scope: RoomFilter::new(&desired.scope).unwrap_or_default(),
        }
    }

    /// Returns the declared pipe that looks like this pipe.
    fn like(&self, pipe: &Pipe) -> Option<&Pipe> {
        let looks = self.looks.get_or_init(|| {
            let pipes = self.desired.rooms.keys();
            let look = |pipe: &Pipe| (looks(pipe.as_str()), pipe.clone());
            pipes.map(look).collect()
        });
        looks.get(&self::looks(pipe.as_str()))
    }

    /// Returns the observed state for a complete list.
    pub fn observed(&self, rows: impl IntoIterator<Item = LiveRoom>) -> Observed {
        let mut observed = self.empty_list();
        rows.into_iter()
            .for_each(|row| self.take(&mut observed, row));
        observed
    }

    /// Returns an empty list to add rows to.
    pub fn empty_list(&self) -> Observed {
        Observed::with_capacity(self.wanted.len())
    }

    /// Adds a row to the observed state.
    pub fn take(&self, observed: &mut Observed, mut row: LiveRoom) {
        let wanted = self.wanted.get(row.pipe.as_str()).copied();
        if let Some(pipe) = wanted {
            // Share the allocation of the declared pipe.
            row.pipe = pipe.clone();
        } else if !row.deleted
            && observed.look_alikes.len() < MOST_LOOK_ALIKES
            && let Some(like) = self.like(&row.pipe)
        {
            let pair = (like.clone(), row.pipe.clone());
            observed.look_alikes.push(pair);
        }
        let in_scope = wanted.is_none() && self.scope.contains(&row.pipe);
        observed.take(row, wanted.is_some(), in_scope);
    }
}

/// One of the parts into which the rooms are divided. Each pipe is in exactly one part, and in
/// the same part on every machine and in every version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    index: u32,
    pub(super) count: NonZeroU32,
}

impl Shard {
    /// Creates part `index` of `count`, where `index` starts at 0. If `index` is not less than
    /// `count`, the part is empty.
    pub fn new(index: u32, count: NonZeroU32) -> Self {
        Self { index, count }
    }

    /// Whether the pipe is in this part. To find the part of a pipe, take the first eight bytes
    /// of the pipe's SHA-256 as a big-endian number. This number modulo the number of parts is
    /// the index of the part. SHA-256 gives parts of similar size for any names, and other
    /// tools can compute it.
    pub fn contains(self, pipe: &Pipe) -> bool {
        let hash = Sha256::digest(pipe.as_str());
        let first = hash.first_chunk().copied().unwrap_or_default();
        u64::from_be_bytes(first) % u64::from(self.count.get()) == u64::from(self.index)
    }
}

/// The ledger keeps this form in the names of entries, and `baseline` parses it.
impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// Command-line options of a plan.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// The selected rooms.
    pub only: RoomFilter,
    /// What the command line allows beyond the manifest's limits.
    pub allow: Allow,
    /// Whether to resend fields that the server ignored.
    pub resend_ignored: bool,
    /// Whether to assume that declared members of existing rooms are present. If roomform
    /// counts the rooms, it assumes this only for rooms that have as many members as declared.
    pub assume_members: bool,
}

/// The states that a plan compares.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The state that the manifest declares.
    pub desired: &'a Desired,
    /// The state that the server's list shows.
    pub observed: &'a Observed,
    /// The state that the ledger records.
    pub recorded: &'a Recorded,
}

impl<'a> Inputs<'a> {
    /// Combines the three states.
    pub fn new(desired: &'a Desired, observed: &'a Observed, recorded: &'a Recorded) -> Self {
        Self {
            desired,
            observed,
            recorded,
        }
    }
}

/// What the command line allows beyond the manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allow {
    /// Closed rooms that may become public.
    pub publish: BTreeSet<Pipe>,
    /// Whether deleted or vanished rooms may be recreated.
    pub recreate: bool,
    /// Whether to ignore all limits except the one on publishing.
    pub beyond_limits: bool,
}
