//! How long to wait for a list that may lag behind the writes.

use std::time::Duration;

use tokio::time::Instant;

/// The wait before the second read.
const FIRST: Duration = Duration::from_millis(250);
/// The longest wait between two reads.
const LONGEST: Duration = Duration::from_secs(4);

/// How long a run waits before it concludes that a write had no effect.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Timeout of a request. The server may still act on a request until this time has passed.
    pub timeout: Duration,
    /// How long the list may lag behind a write.
    pub verify: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let timeout = Duration::from_secs(30);
        Self {
            timeout,
            verify: timeout,
        }
    }
}

impl Patience {
    /// The age at which a run's claim of a create expires: the run sends the create within `verify`, and the server answers it
    /// within `timeout`.
    pub(super) fn claim(self) -> Duration {
        self.timeout + self.verify
    }
}

/// The waits between the reads of a list: 0.25 s, then twice as long each time, up to 4 s.
#[derive(Debug)]
pub struct Backoff {
    wait: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { wait: FIRST }
    }
}

impl Backoff {
    /// The next wait; `None` once the deadline has passed. The last read is at the deadline.
    pub fn next_wait(&mut self, until: Instant) -> Option<Duration> {
        let left = until.duration_since(Instant::now());
        let wait = self.wait.min(left);
        self.wait = (self.wait * 2).min(LONGEST);
        (!left.is_zero()).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_four_seconds_and_end_at_the_deadline() {
        let mut waits = Vec::new();
        let until = Instant::now() + Duration::from_secs(14);
        let mut backoff = Backoff::default();
        while let Some(wait) = backoff.next_wait(until) {
            waits.push(wait.as_millis());
            tokio::time::sleep(wait).await;
        }
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 4000, 2250]);
    }
}
