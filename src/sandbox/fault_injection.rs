//! Fault injection: some calls fail, some answers are lost, and the number of calls per second
//! is limited.
//!
//! The main type is [`Faults`]. It decides what happens to each request, and the server carries
//! out the decision. A decision depends on the seed and the number of earlier requests. So a
//! client that sends one request at a time gets the same faults in each run.

use std::time::Instant;

use super::Config;

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    /// The request fails before it has any effect.
    Failed,
    /// The request takes effect, but the connection is cut before the answer.
    Lost,
    /// The request is over the rate limit. The client may retry after this many seconds.
    Refused {
        retry_after: u64,
    },
}

#[derive(Debug)]
pub(super) struct Faults {
    config: Config,
    requests: u64,
    bucket: Option<Bucket>,
}

/// A token bucket. Its capacity is the number of tokens added per second, but at least one.
#[derive(Debug)]
struct Bucket {
    rate: f64,
    permits: f64,
    filled_at: Instant,
}

impl Faults {
    pub(super) fn new(config: Config, now: Instant) -> Self {
        let bucket = config.rate_limit.map(|rate| Bucket {
            rate,
            permits: rate.max(1.0),
            filled_at: now,
        });
        Self {
            config,
            requests: 0,
            bucket,
        }
    }

    /// Decides what happens to the next request. A refused request does not affect later decisions.
    pub(super) fn decide(&mut self, now: Instant) -> Fate {
        if let Some(retry_after) = self.bucket.as_mut().and_then(|bucket| bucket.take(now)) {
            return Fate::Refused { retry_after };
        }
        let throw = self.requests.wrapping_mul(2);
        self.requests += 1;
        if self.share(throw) < self.config.error_rate {
            Fate::Failed
        } else if self.share(throw + 1) < self.config.lost_answer_rate {
            Fate::Lost
        } else {
            Fate::Answered
        }
    }

    /// Returns a pseudo-random number in [0, 1).
    fn share(&self, throw: u64) -> f64 {
        let bits = splitmix64(splitmix64(self.config.seed).wrapping_add(throw));
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl Bucket {
    /// Takes a token, or returns the whole seconds until one is available.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let passed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.permits = (self.permits + passed * self.rate).min(self.rate.max(1.0));
        self.filled_at = now;
        if self.permits >= 1.0 {
            self.permits -= 1.0;
            return None;
        }
        Some(((1.0 - self.permits) / self.rate).ceil().max(1.0) as u64)
    }
}

/// Does one step of splitmix64, which spreads a number over all 64 bits.
pub(super) fn splitmix64(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn fates(seed: u64, count: usize) -> Vec<Fate> {
        let now = Instant::now();
        let config = Config {
            error_rate: 0.2,
            lost_answer_rate: 0.1,
            seed,
            ..Config::default()
        };
        let mut faults = Faults::new(config, now);
        (0..count).map(|_| faults.decide(now)).collect()
    }

    fn limited(rate: f64, now: Instant) -> Faults {
        let config = Config {
            rate_limit: Some(rate),
            ..Config::default()
        };
        Faults::new(config, now)
    }

    #[test]
    fn fates_follow_from_the_seed() {
        assert_eq!(fates(1, 50), fates(1, 50));
        assert_ne!(fates(1, 50), fates(2, 50));
    }

    #[test]
    fn shares_are_met() {
        let fates = fates(3, 10_000);
        let count = |fate| fates.iter().filter(|&&other| other == fate).count();
        assert!((1_850..2_150).contains(&count(Fate::Failed)));
        assert!(
            (700..900).contains(&count(Fate::Lost)),
            "a tenth of the other four fifths"
        );
    }

    #[test]
    fn the_limit_refills_with_time() {
        let start = Instant::now();
        let mut faults = limited(2.0, start);
        assert_eq!(faults.decide(start), Fate::Answered);
        assert_eq!(faults.decide(start), Fate::Answered);
        assert_eq!(faults.decide(start), Fate::Refused { retry_after: 1 });
        assert_eq!(
            faults.decide(start + Duration::from_secs(1)),
            Fate::Answered
        );
    }

    #[test]
    fn a_slow_limit_says_how_long() {
        let start = Instant::now();
        let mut faults = limited(0.25, start);
        assert_eq!(faults.decide(start), Fate::Answered);
        assert_eq!(faults.decide(start), Fate::Refused { retry_after: 4 });
    }
}
