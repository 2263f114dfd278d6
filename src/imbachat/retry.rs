//! The table: after which failure of which call the same request may be sent again, and when.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::failure::{Call, Delivery, Failure};

/// Tries of one request in all.
const ATTEMPTS: u32 = 4;
/// The longest first wait.
const BASE: Duration = Duration::from_millis(250);
/// The longest a server's `Retry-After` is followed.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Random numbers for back-off; seeded, so that a run can be replayed.
#[derive(Debug)]
pub struct Dice(AtomicU64);

impl Dice {
    /// Dice that fall as the seed says.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// A duration from nothing up to the given one: full jitter.
    pub fn jitter(&self, most: Duration) -> Duration {
        // splitmix64
        let seed = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        most.mul_f64((mixed ^ (mixed >> 31)) as f64 / u64::MAX as f64)
    }
}

/// How long to wait before the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Anything up to this.
    UpTo(Duration),
    /// What the server asked for, and a little more.
    AtLeast(Duration),
}

impl Wait {
    /// The wait as the dice fall.
    pub fn thrown(self, dice: &Dice) -> Duration {
        match self {
            Self::UpTo(most) => dice.jitter(most),
            Self::AtLeast(least) => least + dice.jitter(BASE),
        }
    }
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Send the same again after this wait, which is [`Dice`]'s to shorten or lengthen.
    Again(Wait),
    /// Nobody knows whether it was done: look, do not send.
    InDoubt,
    /// It was not done, and will not be.
    Final,
}

/// The verdict on the `attempt`th try (from 1). A create is only ever sent again if the server cannot have acted on it.
pub fn verdict(call: Call, failure: &Failure, attempt: u32) -> Verdict {
    let safe = match failure.delivery {
        Delivery::NotSent | Delivery::Later => true,
        Delivery::InDoubt => call != Call::Create,
        Delivery::Refused => false,
    };
    match failure.delivery {
        Delivery::InDoubt if !safe => Verdict::InDoubt,
        Delivery::InDoubt if failure.lasting || attempt >= ATTEMPTS => Verdict::InDoubt,
        _ if !safe || failure.lasting || attempt >= ATTEMPTS => Verdict::Final,
        _ => Verdict::Again(wait(failure, attempt)),
    }
}

/// The server's wish, within reason; else up to 0.25 s, 0.5 s, 1 s.
fn wait(failure: &Failure, attempt: u32) -> Wait {
    let own = BASE * 2_u32.saturating_pow(attempt.saturating_sub(1));
    failure.retry_after.map_or(Wait::UpTo(own), |asked| {
        Wait::AtLeast(asked.min(LONGEST_WAIT))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_create_is_sent_again_only_if_the_server_cannot_have_acted() {
        for delivery in [
            Delivery::NotSent,
            Delivery::Refused,
            Delivery::Later,
            Delivery::InDoubt,
        ] {
            for lasting in [false, true] {
                let failure = Failure {
                    lasting,
                    ..Failure::passing(delivery, "x")
                };
                let again = matches!(verdict(Call::Create, &failure, 1), Verdict::Again(_));
                assert_eq!(
                    again,
                    !lasting && matches!(delivery, Delivery::NotSent | Delivery::Later),
                    "{delivery:?}"
                );
                let doubt = verdict(Call::Create, &failure, 1) == Verdict::InDoubt;
                assert_eq!(doubt, delivery == Delivery::InDoubt);
            }
        }
    }

    #[test]
    fn updates_and_lists_are_repeated_and_every_call_gives_up() {
        let failure = Failure::passing(Delivery::InDoubt, "cut");
        for call in [Call::Update, Call::List] {
            assert_eq!(
                verdict(call, &failure, 1),
                Verdict::Again(Wait::UpTo(Duration::from_millis(250)))
            );
            assert_eq!(
                verdict(call, &failure, 3),
                Verdict::Again(Wait::UpTo(Duration::from_secs(1)))
            );
            assert_eq!(verdict(call, &failure, ATTEMPTS), Verdict::InDoubt);
        }
        let later = Failure {
            retry_after: Some(Duration::from_secs(900)),
            ..Failure::passing(Delivery::Later, "429")
        };
        assert_eq!(
            verdict(Call::Create, &later, 1),
            Verdict::Again(Wait::AtLeast(LONGEST_WAIT))
        );
        assert_eq!(verdict(Call::Create, &later, ATTEMPTS), Verdict::Final);
    }
}
