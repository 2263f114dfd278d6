//! How a call failed, and the retry table: which calls are retried after which failures, and
//! after what wait.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracing::{field, info, warn};

/// Maximum number of attempts for a call.
const ATTEMPTS: u32 = 4;
/// Maximum number of attempts for a call that the server asks to retry later. It is higher than
/// [`ATTEMPTS`], because the server has not acted on the call yet.
const PATIENT: u32 = 10;
/// Maximum wait before the first retry. The maximum doubles with each further retry.
const BASE: Duration = Duration::from_millis(250);
/// A longer `Retry-After` is shortened to this time.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The kind of a call. The retry table treats each kind differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// A call of get_rooms.
    List,
    /// A call of imba_rooms without `room_id`, for a room that does not exist yet.
    Create,
    /// A call of imba_rooms with `room_id`. It is safe to repeat.
    Update,
    /// A call of send_msg. A repeated call sends the message twice.
    Message,
}

/// Why a call failed. The table below decides after which causes a call may be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The host name cannot be resolved.
    NoAddress,
    /// The connection could not be opened.
    NoConnection,
    /// The connection could not be opened in time.
    NoConnectionInTime,
    /// The server's TLS certificate was rejected, or the TLS handshake failed.
    Tls,
    /// The server reported over HTTP/2 that it rejected the request without acting on it.
    NotProcessed,
    /// The connection broke, and the request may already have been sent.
    Cut,
    /// The server did not answer in time.
    NoAnswer,
    /// The answer has this HTTP status, which is not success.
    Status(u16),
    /// The answer has HTTP status success, but is an HTML page.
    Html,
    /// The answer has HTTP status success, but its body is unreadable or has an unknown shape.
    Unreadable,
    /// The answer has HTTP status success, but its body reports an error with this code; 0 if the
    /// body has no code.
    Body(u16),
}

/// How far a failed request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The request was not sent, or the server did not begin to act on it.
    NotSent,
    /// The server refused the request.
    Refused,
    /// The server asked to retry later, and has not acted on the request.
    Later,
    /// The server may have acted on the request.
    Uncertain,
}

/// A call that did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The cause of the failure; `None` if the retry table has no row for it.
    pub cause: Option<Cause>,
    /// What went wrong, without secrets.
    pub message: String,
    /// What the user can do about it.
    pub hint: Option<String>,
    /// How far the request got.
    pub delivery: Delivery,
    /// How long the server asked to wait before a retry.
    pub retry_after: Option<Duration>,
    /// Whether a retry would fail the same way.
    pub lasting: bool,
}

impl Failure {
    /// Creates a failure that a retry would not fix.
    pub fn lasting(delivery: Delivery, message: impl Into<String>) -> Self {
        Self {
            cause: None,
            message: message.into(),
            hint: None,
            delivery,
            retry_after: None,
            lasting: true,
        }
    }

    /// Creates a failure of a call that was not sent. A retry would not help.
    pub(super) fn not_sent(message: impl Into<String>) -> Self {
        Self::lasting(Delivery::NotSent, message)
    }

    /// Creates a failure with this cause, and sets the other fields from the retry table.
    pub fn from_cause(cause: Cause, message: impl Into<String>) -> Self {
        let (delivery, lasting) = classify(cause);
        Self {
            cause: Some(cause),
            lasting,
            ..Self::lasting(delivery, message)
        }
    }

    /// Creates a failure that a retry may fix.
    pub fn passing(delivery: Delivery, message: impl Into<String>) -> Self {
        Self {
            lasting: false,
            ..Self::lasting(delivery, message)
        }
    }

    /// Sets the hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns whether the server rejected the credentials. If it did, every other call would fail
    /// too.
    pub fn is_denied(&self) -> bool {
        matches!(self.cause, Some(Cause::Status(401) | Cause::Body(401)))
    }
}

/// Random numbers for back-off. A fixed seed makes a run repeatable.
#[derive(Debug)]
pub struct Dice(AtomicU64);

impl Dice {
    /// Creates random numbers from a seed.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// Creates random numbers that differ in each run.
    pub fn random() -> Self {
        Self::new(RandomState::new().hash_one(()))
    }

    /// Returns a random duration between zero and `most` (full jitter).
    pub fn jitter(&self, most: Duration) -> Duration {
        // The splitmix64 algorithm.
        let seed = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        most.mul_f64((mixed ^ (mixed >> 31)) as f64 / u64::MAX as f64)
    }
}

/// How long to wait before a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Wait a random time, at most this duration.
    UpTo(Duration),
    /// Wait the time that the server asked for, plus jitter.
    AtLeast(Duration),
}

impl Wait {
    /// Returns the time to wait, with jitter.
    pub fn duration(self, dice: &Dice) -> Duration {
        match self {
            Self::UpTo(most) => dice.jitter(most),
            Self::AtLeast(least) => least + dice.jitter(BASE),
        }
    }
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Retry after this wait.
    Again(Wait),
    /// Do not retry, because the server may have acted. Read the list to find out.
    Uncertain,
    /// Do not retry, because a retry would not help. The server did not act.
    Final,
}

/// Returns how far a call with this cause got, and whether a retry would fail the same way.
///
/// After a 5xx, the server may have acted: the 5xx may come from the server after it acted, or
/// from a proxy that timed out. A 503 is no exception, because it is unknown whether the server
/// or a proxy sent it.
fn classify(cause: Cause) -> (Delivery, bool) {
    match cause {
        Cause::NoAddress
        | Cause::NoConnection
        | Cause::NoConnectionInTime
        | Cause::NotProcessed => (Delivery::NotSent, false),
        Cause::Tls => (Delivery::NotSent, true),
        Cause::Cut | Cause::NoAnswer | Cause::Html | Cause::Unreadable => {
            (Delivery::Uncertain, false)
        }
        Cause::Status(code) | Cause::Body(code) => match code {
            425 | 429 => (Delivery::Later, false),
            408 | 500..=599 => (Delivery::Uncertain, false),
            _ => (Delivery::Refused, true),
        },
    }
}

/// Makes a call, and retries it until it succeeds or no retry is allowed. `pause` waits before a
/// retry; if it returns false, no further attempt starts. If the server asked for the wait, warns
/// the user, because it may be long.
///
/// # Errors
/// Returns the [`Failure`] of the last attempt.
pub async fn with_retries<T, F>(
    call: Call,
    dice: &Dice,
    pause: impl AsyncFn(Duration) -> bool,
    mut make_call: impl FnMut() -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut attempt = 1;
    loop {
        let failure = match make_call().await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        let verdict = verdict(call, &failure, attempt);
        let cause = failure.cause.map(field::debug);
        info!(?call, attempt, cause, ?verdict, "a call failed");
        let Verdict::Again(wait) = verdict else {
            return Err(failure);
        };
        let duration = wait.duration(dice);
        let seconds = duration.as_secs_f64().round() as u64;
        if matches!(wait, Wait::AtLeast(_)) && seconds > 0 {
            warn!(seconds, "the server asked to wait");
        }
        if !pause(duration).await {
            return Err(failure);
        }
        attempt += 1;
    }
}

/// A pause for [`with_retries`] that always allows another attempt.
pub(super) async fn sleep(time: Duration) -> bool {
    tokio::time::sleep(time).await;
    true
}

/// Decides what to do after attempt number `attempt` failed (counted from 1). A create or a message
/// is retried only if the server cannot have acted on it.
pub fn verdict(call: Call, failure: &Failure, attempt: u32) -> Verdict {
    let attempts = match failure.delivery {
        Delivery::NotSent => ATTEMPTS,
        Delivery::Later => PATIENT,
        // Repeating a list or an update does no harm, even if the first call had an effect.
        Delivery::Uncertain if matches!(call, Call::List | Call::Update) => ATTEMPTS,
        Delivery::Uncertain | Delivery::Refused => 1,
    };
    if attempt < attempts && !failure.lasting {
        // If the server does not ask for a certain wait, the maximum is 0.25 s, then 0.5 s,
        // 1 s and so on.
        let own = BASE * 2_u32.saturating_pow(attempt.saturating_sub(1).min(7));
        return Verdict::Again(match failure.retry_after {
            Some(asked) => Wait::AtLeast(asked.min(LONGEST_WAIT)),
            None => Wait::UpTo(own.min(LONGEST_WAIT)),
        });
    }
    match failure.delivery {
        Delivery::Uncertain => Verdict::Uncertain,
        _ => Verdict::Final,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Formats one row of the retry table: the verdict for each kind of call.
    fn row(cause: Cause) -> String {
        let failure = Failure::from_cause(cause, "x");
        let cell = |call| {
            let mut tries = 0;
            loop {
                tries += 1;
                let end = match verdict(call, &failure, tries) {
                    Verdict::Again(_) => continue,
                    Verdict::Uncertain => "uncertain",
                    Verdict::Final => "final",
                };
                return if tries == 1 {
                    end.to_owned()
                } else {
                    format!("{tries} tries, {end}")
                };
            }
        };
        let calls = [Call::List, Call::Create, Call::Update, Call::Message];
        let [list, create, update, message] = calls.map(cell);
        format!(
            "{:<20} {list:<18} {create:<18} {update:<18} {message}",
            format!("{cause:?}")
        )
    }

    #[test]
    fn the_whole_table() {
        let statuses = [
            301, 307, 400, 401, 403, 404, 408, 413, 422, 425, 429, 500, 502, 503, 504,
        ];
        let bodies = [0, 401, 403, 404, 422, 429, 500];
        let causes = [
            Cause::NoAddress,
            Cause::NoConnection,
            Cause::NoConnectionInTime,
            Cause::Tls,
            Cause::NotProcessed,
            Cause::Cut,
            Cause::NoAnswer,
        ]
        .into_iter()
        .chain(statuses.map(Cause::Status))
        .chain([Cause::Html, Cause::Unreadable])
        .chain(bodies.map(Cause::Body));
        let table: Vec<String> = causes.map(row).collect();
        let table = format!(
            "cause                list and verify    create             update, members    message\n{}",
            table.join("\n")
        );
        insta::assert_snapshot!(table, @r"
        cause                list and verify    create             update, members    message
        NoAddress            4 tries, final     4 tries, final     4 tries, final     4 tries, final
        NoConnection         4 tries, final     4 tries, final     4 tries, final     4 tries, final
        NoConnectionInTime   4 tries, final     4 tries, final     4 tries, final     4 tries, final
        Tls                  final              final              final              final
        NotProcessed         4 tries, final     4 tries, final     4 tries, final     4 tries, final
        Cut                  4 tries, uncertain uncertain          4 tries, uncertain uncertain
        NoAnswer             4 tries, uncertain uncertain          4 tries, uncertain uncertain
        Status(301)          final              final              final              final
        Status(307)          final              final              final              final
        Status(400)          final              final              final              final
        Status(401)          final              final              final              final
        Status(403)          final              final              final              final
        Status(404)          final              final              final              final
        Status(408)          4 tries, uncertain uncertain          4 tries, uncertain uncertain
        Status(413)          final              final              final              final
        Status(422)          final              final              final              final
        Status(425)          10 tries, final    10 tries, final    10 tries, final    10 tries, final
        Status(429)          10 tries, final    10 tries, final    10 tries, final    10 tries, final
        Status(500)          4 tries, uncertain uncertain          4 tries, uncertain uncertain
        Status(502)          4 tries, uncertain uncertain          4 tries, uncertain uncertain
        Status(503)          4 tries, uncertain uncertain          4 tries, uncertain uncertain
        Status(504)          4 tries, uncertain uncertain          4 tries, uncertain uncertain
        Html                 4 tries, uncertain uncertain          4 tries, uncertain uncertain
        Unreadable           4 tries, uncertain uncertain          4 tries, uncertain uncertain
        Body(0)              final              final              final              final
        Body(401)            final              final              final              final
        Body(403)            final              final              final              final
        Body(404)            final              final              final              final
        Body(422)            final              final              final              final
        Body(429)            10 tries, final    10 tries, final    10 tries, final    10 tries, final
        Body(500)            4 tries, uncertain uncertain          4 tries, uncertain uncertain
        ");
    }

    #[test]
    fn waits_grow_are_thrown_and_follow_the_server() {
        let (failure, dice) = (Failure::from_cause(Cause::Status(500), "x"), Dice::new(7));
        let waits: Vec<Verdict> = (1..=3)
            .map(|attempt| verdict(Call::Update, &failure, attempt))
            .collect();
        assert_eq!(
            waits,
            [250, 500, 1000].map(|most| Verdict::Again(Wait::UpTo(Duration::from_millis(most))))
        );
        let thrown: Vec<Duration> = (0..1000)
            .map(|_| Wait::UpTo(BASE).duration(&dice))
            .collect();
        let mean = thrown.iter().sum::<Duration>() / 1000;
        assert!(
            thrown.iter().all(|wait| *wait <= BASE) && (100..150).contains(&mean.as_millis()),
            "{mean:?}"
        );
        let asked = Wait::AtLeast(Duration::from_secs(2)).duration(&dice);
        assert!(asked >= Duration::from_secs(2) && asked <= Duration::from_secs(2) + BASE);
    }

    #[test]
    fn a_server_cannot_ask_for_an_endless_wait() {
        let later = Failure {
            retry_after: Some(Duration::from_secs(900)),
            ..Failure::passing(Delivery::Later, "429")
        };
        assert_eq!(
            verdict(Call::Create, &later, 1),
            Verdict::Again(Wait::AtLeast(LONGEST_WAIT))
        );
        assert_eq!(verdict(Call::Create, &later, PATIENT), Verdict::Final);
    }
}
