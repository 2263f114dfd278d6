//! Which rooms a run is about: `--only`, `--except`, `--shard`, and the rows of the server's list that matter to a manifest.

use std::collections::HashMap;
use std::sync::OnceLock;

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::shard::Shard;
use crate::model::{Desired, LiveRoom, Observed, Pipe, looks};

/// Pipes chosen by globs and by a part of all; every pipe if there is neither.
#[derive(Debug, Clone, Default)]
pub struct RoomFilter {
    only: Option<GlobSet>,
    except: Option<GlobSet>,
    shard: Option<Shard>,
}

impl RoomFilter {
    /// A selection by globs.
    ///
    /// # Errors
    /// The first glob that is none, with what is wrong with it.
    pub fn new(globs: &[String]) -> Result<Self, globset::Error> {
        Ok(Self {
            only: glob_set(globs)?,
            except: None,
            shard: None,
        })
    }

    /// Only those of them that no glob matches.
    ///
    /// # Errors
    /// The first invalid glob.
    pub fn except(self, globs: &[String]) -> Result<Self, globset::Error> {
        Ok(Self {
            except: glob_set(globs)?,
            ..self
        })
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

    /// Whether the globs choose the pipe, whatever its part.
    pub fn is_matched(&self, pipe: &Pipe) -> bool {
        let is_in = |globs: &GlobSet| globs.is_match(pipe.as_str());
        self.only.as_ref().is_none_or(is_in) && !self.except.as_ref().is_some_and(is_in)
    }

    /// The flags of its globs, as a message names them.
    pub fn flags(&self) -> &'static str {
        match (&self.only, &self.except) {
            (_, None) => "--only",
            (None, Some(_)) => "--except",
            (Some(_), Some(_)) => "--only with --except",
        }
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
        self.only.is_none() && self.except.is_none() && self.shard.is_none()
    }
}

fn glob_set(globs: &[String]) -> Result<Option<GlobSet>, globset::Error> {
    if globs.is_empty() {
        return Ok(None);
    }
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        builder.add(Glob::new(glob)?);
    }
    builder.build().map(Some)
}

/// Sorts the rows of a list into those of declared rooms, those in the manifest's scope, and the rest.
#[derive(Debug)]
pub struct RowFilter<'a> {
    desired: &'a Desired,
    wanted: HashMap<&'a str, &'a Pipe>,
    /// The declared pipes by what they look like, once there is a row that nobody declared.
    looks: OnceLock<HashMap<String, Pipe>>,
    scope: RoomFilter,
}

impl<'a> RowFilter<'a> {
    /// The filter of a manifest. Its globs were checked one by one when it was read; should they not go together, all
    /// rooms count as in scope, which only makes the figure of the unmanaged larger.
    pub fn new(desired: &'a Desired) -> Self {
        let pipes = desired.rooms.keys();
        Self {
            desired,
            wanted: pipes.map(|pipe| (pipe.as_str(), pipe)).collect(),
            looks: OnceLock::new(),
            scope: RoomFilter::new(&desired.scope).unwrap_or_default(),
        }
    }

    /// The declared pipe that a pipe looks like.
    fn like(&self, pipe: &Pipe) -> Option<&Pipe> {
        let looks = self.looks.get_or_init(|| {
            let pipes = self.desired.rooms.keys();
            let look = |pipe: &Pipe| (looks(pipe.as_str()), pipe.clone());
            pipes.map(look).collect()
        });
        looks.get(&self::looks(pipe.as_str()))
    }

    /// What a whole list shows.
    pub fn observed(&self, rows: impl IntoIterator<Item = LiveRoom>) -> Observed {
        let mut observed = self.empty_list();
        rows.into_iter()
            .for_each(|row| self.take(&mut observed, row));
        observed
    }

    /// What there is before the first row.
    pub fn empty_list(&self) -> Observed {
        Observed::with_capacity(self.wanted.len())
    }

    /// Takes a row in.
    pub fn take(&self, observed: &mut Observed, mut row: LiveRoom) {
        let wanted = self.wanted.get(row.pipe.as_str()).copied();
        if let Some(pipe) = wanted {
            // One text for both.
            row.pipe = pipe.clone();
        } else if !row.deleted
            && let Some(like) = self.like(&row.pipe)
        {
            let pair = (like.clone(), row.pipe.clone());
            observed.look_alikes.push(pair);
        }
        let in_scope = wanted.is_none() && self.scope.contains(&row.pipe);
        observed.take(row, wanted.is_some(), in_scope);
    }
}
