//! `--shard I/N`: selects one machine's part of the rooms.

use std::fmt;
use std::num::NonZeroU32;

use sha2::{Digest as _, Sha256};

use crate::model::Pipe;

/// One of several parts of all rooms. A pipe is in exactly one part: the same on every machine and in every version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: NonZeroU32,
}

impl Shard {
    /// Creates part `index` of `count`; `index` starts at 0. A part with a larger index is empty.
    pub fn new(index: u32, count: NonZeroU32) -> Self {
        Self { index, count }
    }

    /// Returns the index of the part, from 0.
    pub(super) fn index(self) -> u32 {
        self.index
    }

    /// Returns the number of parts.
    pub(super) fn count(self) -> u32 {
        self.count.get()
    }

    /// Whether the pipe is in this part. The index of a pipe's part is the first eight bytes of its SHA-256, as a big-endian
    /// number, modulo the count. SHA-256 gives parts of similar size for any names, and other tools can compute it.
    pub fn contains(self, pipe: &Pipe) -> bool {
        let hash = Sha256::digest(pipe.as_str());
        let first = hash.first_chunk().copied().unwrap_or_default();
        u64::from_be_bytes(first) % u64::from(self.count.get()) == u64::from(self.index)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}
