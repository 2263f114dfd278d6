//! Plain types that several files of the simulation use. This file uses none of those files.

use std::sync::Arc;

use jiff::Timestamp;
use roomform::model::{Pipe, RoomId, RoomState, UserId};

/// The command-line flags that affect the plan.
#[derive(Debug, Clone, Copy, Default)]
pub struct Flags {
    /// `--only` with this glob.
    pub only: Option<&'static str>,
    pub publish: bool,
    pub recreate: bool,
    pub beyond_limits: bool,
    pub resend_ignored: bool,
    pub assume_members: bool,
}

impl Flags {
    /// Whether `--only` selects a room.
    pub fn choose(&self, pipe: &Pipe) -> bool {
        self.only
            .is_none_or(|glob| pipe.as_str().starts_with(glob.trim_end_matches('*')))
    }
}

/// The numbers of the events at which a process is interrupted, stopped and killed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fate {
    pub interrupt: Option<u64>,
    /// A second interrupt, after which the process no longer waits for answers.
    pub stop: Option<u64>,
    pub death: Option<u64>,
}

/// How a process is started.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    pub flags: Flags,
    pub fate: Fate,
    pub fail_fast: bool,
    pub parallelism: usize,
    pub rate: Option<f64>,
    /// Milliseconds between plan and apply, in which someone reviews the plan.
    pub thought: u64,
    /// Apply even an empty plan.
    pub always: bool,
}

/// A fault that the simulation must find. The product has no switch for it, so the simulated process or its ledger is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// A run does not wait, although the list may lag.
    Impatience,
    /// A field that the list does not show in time is recorded as ignored.
    HastyVerdict,
    /// Every run gets the claim of every create.
    SharedClaims,
    /// Every run gets the claim of every message.
    UnpromisedWelcome,
    /// Every claim of another run looks two hours old.
    OldClaims,
}

/// A call in flight.
#[derive(Debug, Clone)]
pub enum Call {
    Write(Arc<Write>),
    Say(Arc<Said>),
}

/// One write call, as it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    pub room: Option<RoomId>,
    pub pipe: Pipe,
    pub state: RoomState,
    pub members: Vec<UserId>,
}

/// A message, as it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub room: RoomId,
    pub from: UserId,
    pub text: String,
}

/// A call that no one waits for, and that the server executes later.
#[derive(Debug)]
pub struct Late {
    /// The time at which the server executes it.
    pub due: u64,
    /// The run that sent it.
    pub run: String,
    pub call: Call,
}

/// The time at the start of a world: 2026-01-01.
const START: i64 = 1_767_225_600_000;

/// Formats a time in milliseconds as the ledger does. Such times sort correctly as text.
pub fn time_text(time: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(time).unwrap())
}

/// The time when `elapsed` milliseconds of a world have passed.
pub fn timestamp(elapsed: u64) -> Timestamp {
    Timestamp::from_millisecond(START + elapsed as i64).unwrap()
}
