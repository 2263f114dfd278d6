//! Which rooms a run is about: `--only`, `--shard`, and the rows of the server's list that matter to a manifest.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::change::Plan;
use super::shard::Shard;
use crate::model::{Desired, LiveRoom, Observed, Pipe, looks};

/// Pipes chosen by globs and by a part of all; every pipe if there is neither.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    globs: Option<GlobSet>,
    shard: Option<Shard>,
}

impl Selection {
    /// A selection by globs.
    ///
    /// # Errors
    /// The first glob that is none, with what is wrong with it.
    pub fn new(globs: &[String]) -> Result<Self, globset::Error> {
        let mut builder = GlobSetBuilder::new();
        for glob in globs {
            builder.add(Glob::new(glob)?);
        }
        let globs = if globs.is_empty() {
            None
        } else {
            Some(builder.build()?)
        };
        Ok(Self { globs, shard: None })
    }

    /// Only those of them that are in a part.
    #[must_use]
    pub fn in_shard(self, shard: Option<Shard>) -> Self {
        Self { shard, ..self }
    }

    /// Whether the pipe is chosen.
    pub fn contains(&self, pipe: &Pipe) -> bool {
        self.is_matched(pipe) && self.shard.is_none_or(|shard| shard.contains(pipe))
    }

    /// Whether a glob chooses the pipe, in whatever part it is.
    pub fn is_matched(&self, pipe: &Pipe) -> bool {
        self.globs
            .as_ref()
            .is_none_or(|globs| globs.is_match(pipe.as_str()))
    }

    /// Which part of the matched pipes is chosen; all of them if it says none.
    pub fn shard(&self) -> Option<Shard> {
        self.shard
    }

    /// The same without regard to parts.
    #[must_use]
    pub fn of_all_shards(&self) -> Self {
        self.clone().in_shard(None)
    }

    /// Whether every pipe is chosen.
    pub fn is_all(&self) -> bool {
        self.globs.is_none() && self.shard.is_none()
    }
}

/// Sorts the rows of a list into those a run is about, those in its scope, and the rest.
pub struct Interest<'a> {
    wanted: Box<dyn Fn(&Pipe) -> bool + Send + Sync + 'a>,
    /// The wanted pipes by what they look like.
    looks: HashMap<String, &'a Pipe>,
    scope: Selection,
}

impl<'a> Interest<'a> {
    /// The interest of a manifest. Its globs were checked one by one when it was read; should they not go together, all
    /// rooms count as in scope, which only makes the figure of the unmanaged larger.
    pub fn new(desired: &'a Desired) -> Self {
        let scope = Selection::new(&desired.scope).unwrap_or_default();
        Self {
            wanted: Box::new(|pipe| desired.rooms.contains_key(pipe)),
            looks: desired
                .rooms
                .keys()
                .map(|pipe| (looks(pipe.as_str()), pipe))
                .collect(),
            scope,
        }
    }

    /// The interest of a plan: the rooms it writes to.
    pub fn of_plan(plan: &Plan) -> Self {
        let pipes: BTreeSet<Pipe> = plan
            .changes
            .iter()
            .map(|change| change.pipe.clone())
            .collect();
        Self {
            wanted: Box::new(move |pipe| pipes.contains(pipe)),
            looks: HashMap::new(),
            scope: Selection::default(),
        }
    }

    /// What a whole list shows of interest.
    pub fn observed(&self, rows: impl IntoIterator<Item = LiveRoom>) -> Observed {
        let mut observed = Observed::default();
        rows.into_iter()
            .for_each(|row| self.take(&mut observed, row));
        observed
    }

    /// Takes a row in.
    pub fn take(&self, observed: &mut Observed, row: LiveRoom) {
        let wanted = (self.wanted)(&row.pipe);
        let in_scope = !wanted && self.scope.contains(&row.pipe);
        if !wanted
            && !row.deleted
            && !self.looks.is_empty()
            && let Some(like) = self.looks.get(&looks(row.pipe.as_str()))
        {
            let pair = ((*like).clone(), row.pipe.clone());
            observed.look_alikes.push(pair);
        }
        observed.take(row, wanted, in_scope);
    }
}

impl fmt::Debug for Interest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interest")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
