//! What a plan is checked against: everything that determines it.
//!
//! Main type: [`Truth`].

use std::collections::{BTreeMap, BTreeSet};

use roomform::model::{LiveRoom, MembersPolicy, Pipe, Time, UserId, Welcome};

use super::record::{Account, Known};
use super::server::Server;
use super::types::Flags;
use super::wishes::{Wish, Wishes};

/// Everything that determines a plan.
#[derive(Debug)]
pub struct Truth<'a> {
    pub wishes: &'a Wishes,
    pub flags: Flags,
    pub shown: &'a [LiveRoom],
    pub account: &'a Account,
    pub server: &'a Server,
    /// The wishes of each run, by its name.
    pub wanted: BTreeMap<&'a str, &'a Wishes>,
    /// Whether every list so far was up to date.
    pub punctual: bool,
    /// When the list was read.
    pub read_at: Time,
    pub nothing: Known,
}

impl Truth<'_> {
    /// The live rows the list showed for a pipe.
    pub fn live(&self, pipe: &Pipe) -> Vec<&LiveRoom> {
        let rows = self.shown.iter();
        rows.filter(|row| row.pipe == *pipe && !row.deleted)
            .collect()
    }

    /// What the ledger records for a live room.
    pub fn known(&self, row: &LiveRoom) -> &Known {
        self.account.rooms.get(&row.id).unwrap_or(&self.nothing)
    }

    /// Whether a room's members are assumed to be present: the flag is set, and the ledger has no record of the room.
    pub fn assumes(&self, pipe: &Pipe, row: &LiveRoom) -> bool {
        let known = self.account.rooms.contains_key(&row.id) || self.account.owes(pipe);
        self.flags.assume_members && !known
    }

    /// The welcome that is still to be sent to an existing room.
    pub fn welcome(&self, pipe: &Pipe, wish: &Wish, row: &LiveRoom) -> Option<Welcome> {
        let owed = self.account.owes_welcome(pipe, row.id);
        wish.welcome.clone().filter(|_| owed)
    }

    /// Declared members that are not recorded and must be sent: all of them, or those that an intent named.
    pub fn missing(&self, pipe: &Pipe, wish: &Wish, known: &Known) -> BTreeSet<UserId> {
        let owed = self.account.owed(pipe);
        let sent = |user: &UserId| wish.policy == MembersPolicy::Ensure || owed.contains(user);
        let missing = wish.members.difference(&known.on).copied();
        missing.filter(sent).collect()
    }
}

/// Records a check that fails.
pub fn check(wrong: &mut Vec<String>, holds: bool, text: &str) {
    if !holds {
        wrong.push(text.to_owned());
    }
}
