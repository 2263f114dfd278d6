//! `--shard I/N`: which part of the rooms a machine of several takes.

use std::fmt;
use std::num::NonZeroU32;

use sha2::{Digest as _, Sha256};

use crate::model::Pipe;

/// One of several parts of all rooms. Every pipe is in exactly one of them, on every machine, in every version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: NonZeroU32,
}

impl Shard {
    /// Part `index` of `count`, counted from 0. There is nothing in a part beyond the last.
    pub fn new(index: u32, count: NonZeroU32) -> Self {
        Self { index, count }
    }

    /// Which part, counted from 0.
    pub(super) fn index(self) -> u32 {
        self.index
    }

    /// Of how many.
    pub(super) fn count(self) -> u32 {
        self.count.get()
    }

    /// Whether the pipe is in this part: the first eight bytes of its SHA-256 as a big-endian number, modulo the count.
    /// A hash whose bits are all good, so that parts are of one size whatever the names; and one that other tools have too.
    pub fn contains(self, pipe: &Pipe) -> bool {
        let hash = Sha256::digest(pipe.as_str());
        let mut first = [0; 8];
        for (to, from) in first.iter_mut().zip(hash) {
            *to = from;
        }
        u64::from_be_bytes(first) % u64::from(self.count.get()) == u64::from(self.index)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}
