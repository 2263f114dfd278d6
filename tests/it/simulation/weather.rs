//! The fault rates of a world, and how processes start in it.

use std::time::Duration;

use super::fault::Fault;
use super::rng::Rng;
use super::types::{Fate, Flags, Start};

/// How long a run waits for a list to show its writes.
pub const VERIFY_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum error of a clock in milliseconds. Two such clocks differ by less than the 5 minutes
/// that the product tolerates.
pub const MOST_AHEAD: u64 = 149 * 1000;

/// Fault rates, mostly in thousandths.
#[derive(Debug, Clone, Default)]
pub struct Weather {
    /// A write fails in one of the ways in `faults`.
    pub fails: u64,
    pub faults: Vec<Fault>,
    pub list_fails: u64,
    /// Maximum number of milliseconds by which a list is stale.
    pub lag: u64,
    /// Every list is stale by exactly `lag` milliseconds.
    pub steady: bool,
    /// Maximum number of milliseconds after which the server executes a call that no one waits for.
    pub late: u64,
    /// A list silently lacks its second half.
    pub capped: u64,
    /// Others change something.
    pub others: u64,
    /// The server ignores all fields of one update.
    pub moody: u64,
    /// A write adds only some of its members, and the successful answer carries an error.
    pub errors: u64,
    /// The disk becomes full.
    pub full: u64,
    /// Maximum latency in milliseconds.
    pub latency: u64,
    /// Maximum number of milliseconds by which the clock of a run is wrong.
    pub clock: u64,
}

impl Weather {
    /// The fault rates of a world. Each kind of fault is absent from half of the worlds, so
    /// that the other kinds also occur without it.
    pub fn new(rng: &mut Rng) -> Self {
        let mut some = |most: u64| {
            if rng.chance(500) {
                1 + rng.below(most)
            } else {
                0
            }
        };
        let (fails, list_fails, lag, capped) = (some(400), some(200), some(12_000), some(40) / 2);
        let (others, moody, full) = (some(60), some(200), some(30) / 2);
        let latency = 1 + some(400);
        let mut faults = Fault::ALL.to_vec();
        if rng.chance(800) {
            faults.retain(|fault| *fault != Fault::Denied);
        }
        if rng.chance(600) {
            faults.retain(|_| rng.chance(300));
        }
        // Sometimes lists and calls are so late that no run waits long enough.
        let scale = if rng.chance(200) { 20 } else { 1 };
        Self {
            errors: 0,
            clock: 0,
            fails,
            faults,
            list_fails,
            lag: lag * scale,
            steady: rng.chance(400),
            late: 10_000 * scale,
            capped,
            others,
            moody,
            full,
            latency,
        }
    }
}

impl Weather {
    /// Whether a run that waits for [`VERIFY_TIMEOUT`] sees everything that the server ever executes.
    pub fn is_bounded(&self) -> bool {
        self.lag + self.late < VERIFY_TIMEOUT.as_millis() as u64
    }
}

impl Start {
    /// How processes start once all faults are over.
    pub fn calm(rng: &mut Rng) -> Self {
        Self {
            flags: Flags {
                publish: true,
                recreate: rng.chance(500),
                beyond_limits: true,
                ..Flags::default()
            },
            fate: Fate::default(),
            fail_fast: false,
            parallelism: 8,
            rate: None,
            thought: 0,
            always: false,
        }
    }

    /// How a process starts while faults occur.
    pub fn rough(rng: &mut Rng) -> Self {
        let event = |rng: &mut Rng, permille| {
            let most = 3 + rng.below(150);
            rng.chance(permille).then(|| 1 + rng.below(most))
        };
        Self {
            flags: Flags {
                only: rng.chance(80).then_some("p1*"),
                publish: rng.chance(800),
                recreate: rng.chance(200),
                beyond_limits: rng.chance(700),
                resend_ignored: rng.chance(100),
                assume_members: rng.chance(60),
            },
            fate: {
                let interrupt = event(rng, 150);
                let stop = interrupt.filter(|_| rng.chance(300));
                Fate {
                    interrupt,
                    stop: stop.map(|event| event + 2 + rng.below(8)),
                    death: event(rng, 400),
                }
            },
            fail_fast: rng.chance(80),
            parallelism: 1 + rng.below(8) as usize,
            rate: rng.chance(150).then_some(20.0),
            thought: rng.below(3000),
            always: false,
        }
    }
}
