//! Failures of store calls: which calls are retried, how long to wait, and how to describe a
//! failure without secrets.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use object_store::client::HttpError;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use tracing::info;

use crate::model::Redactor;

/// Maximum length of a message from the store, in characters.
const MESSAGE_LENGTH: usize = 200;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

const CHECK_NETWORK: &str = "check the address, the network and, for your own server, AWS_ENDPOINT_URL or its equivalent; if you set no key, check that the machine's role provides one";
const GRANT_RIGHTS: &str = "allow the credentials to list, get and put objects below the ledger's key, and to delete them for merging; docs/ledger-in-a-bucket.md has the policy";
pub(super) const SET_KEYS: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the variables for Google or Azure; docs/ledger-in-a-bucket.md lists these variables";
const CHECK_BUCKET: &str = "check the bucket's name and region; roomform does not create buckets";
const CHECK_SERVER: &str =
    "check the address, the region, and the server in AWS_ENDPOINT_URL or its equivalent";

/// Why a call failed, and what the user can do about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StoreFailure {
    /// The object or the bucket does not exist.
    Absent(String),
    Exists,
    /// The object has changed since it was read, so it was not written.
    Changed,
    /// The object has not changed since it was read, so it was not fetched.
    Same,
    /// The store or the network failed. The call may have succeeded, and a retry may work.
    Transient(String, &'static str),
    /// The call failed, and a retry would not help.
    Permanent(String, &'static str),
}

impl StoreFailure {
    pub(super) fn new(error: &object_store::Error, hidden: &[SecretString]) -> Self {
        let reason = || reason(error, hidden);
        match error {
            object_store::Error::NotFound { .. } => Self::Absent(reason()),
            object_store::Error::AlreadyExists { .. } => Self::Exists,
            object_store::Error::Precondition { .. } => Self::Changed,
            object_store::Error::NotModified { .. } => Self::Same,
            object_store::Error::PermissionDenied { .. } => Self::Permanent(reason(), GRANT_RIGHTS),
            object_store::Error::Unauthenticated { .. } => Self::Permanent(reason(), SET_KEYS),
            object_store::Error::Generic { .. } => match status(&error.to_string()) {
                None if is_redirect(error) => Self::Permanent(reason(), CHECK_BUCKET),
                Some((408 | 409 | 425 | 429 | 500.., _)) | None => {
                    Self::Transient(reason(), CHECK_NETWORK)
                }
                Some((401, _)) => Self::Permanent(reason(), SET_KEYS),
                Some((403, _)) => Self::Permanent(reason(), GRANT_RIGHTS),
                Some((300..=399 | 404, _)) => Self::Permanent(reason(), CHECK_BUCKET),
                Some(_) => Self::Permanent(reason(), CHECK_SERVER),
            },
            _ => Self::Permanent(reason(), CHECK_SERVER),
        }
    }

    /// Returns why the call failed, as text for a message, and what the user can do about it.
    pub(super) fn into_reason(self) -> (String, &'static str) {
        match self {
            Self::Absent(reason) => (reason, CHECK_BUCKET),
            Self::Exists => ("the object already exists".to_owned(), CHECK_SERVER),
            Self::Changed | Self::Same => {
                ("another process is changing it".to_owned(), "run it again")
            }
            Self::Transient(reason, remedy) | Self::Permanent(reason, remedy) => (reason, remedy),
        }
    }
}

/// Returns the HTTP status, and the text that starts with it. The library reports the status
/// only in the text of its error.
fn status(text: &str) -> Option<(u16, &str)> {
    let (_, rest) = text.split_once("status code: ")?;
    let number = rest.get(..3)?.parse().ok()?;
    Some((number, rest))
}

/// Returns whether the error is a redirect without a target. The library reports such a
/// redirect without a status, so this function checks the message.
fn is_redirect(error: &object_store::Error) -> bool {
    error.to_string().contains("Received redirect")
}

fn reason(error: &object_store::Error, hidden: &[SecretString]) -> String {
    let text = error.to_string();
    let words = match (status(&text), innermost_cause(error)) {
        (Some((_, rest)), _) => describe_answer(rest),
        (None, Some(cause)) => cause,
        // Keep the part after ` - `. The part before it has the address and the duration.
        (None, None) => text.rsplit(" - ").next().unwrap_or_default().to_owned(),
    };
    let words = Redactor::new(hidden.iter().map(ExposeSecret::expose_secret)).redact(&words);
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MESSAGE_LENGTH {
        return line;
    }
    line.chars().take(MESSAGE_LENGTH).chain(['…']).collect()
}

/// Describes an answer by its status, and by the code and message of its XML, if present.
fn describe_answer(rest: &str) -> String {
    let (status, body) = rest.split_once(": ").unwrap_or((rest, ""));
    let part = |name: &str| {
        let (_, rest) = body.split_once(&format!("<{name}>"))?;
        rest.split_once('<').map(|(part, _)| part.to_owned())
    };
    let parts: Vec<String> = ["Code", "Message"].into_iter().filter_map(part).collect();
    match (parts.is_empty(), body.trim()) {
        (false, _) => format!("it answered {status}: {}", parts.join(": ")),
        (true, "") => format!("it answered {status}"),
        (true, body) => format!("it answered {status}: {body}"),
    }
}

/// If the store did not answer, returns the innermost cause of the error. This cause has the
/// useful message, and no address.
fn innermost_cause(error: &object_store::Error) -> Option<String> {
    let mut cause: &dyn Error = error;
    let mut http = false;
    while let Some(next) = cause.source() {
        http |= next.is::<HttpError>();
        cause = next;
    }
    http.then(|| cause.to_string())
}

/// Increasing pauses between attempts, until a time limit. They are random, so that runs do not
/// retry at the same time.
pub(super) struct Backoff {
    until: Instant,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            until: Instant::now() + patience,
            next: FIRST_PAUSE,
        }
    }

    /// Waits before the next attempt. Returns false at once if the pause would end after the time
    /// limit.
    pub(super) async fn pause(&mut self) -> bool {
        let part = RandomState::new().hash_one(Instant::now()) % 1000;
        let pause = self.next.mul_f64(0.5 + part as f64 / 1000.0);
        if Instant::now() + pause > self.until {
            return false;
        }
        self.next = (self.next * 2).min(LONGEST_PAUSE);
        tokio::time::sleep(pause).await;
        true
    }

    /// Calls `attempt` until it succeeds or fails permanently, or until the time limit.
    pub(super) async fn retry<T, F>(
        mut self,
        call: &str,
        attempt: impl Fn() -> F,
    ) -> Result<T, StoreFailure>
    where
        F: Future<Output = Result<T, StoreFailure>>,
    {
        loop {
            match attempt().await {
                Err(StoreFailure::Transient(reason, remedy)) => {
                    info!(call, reason, "the ledger's store failed");
                    if !self.pause().await {
                        return Err(StoreFailure::Transient(reason, remedy));
                    }
                }
                settled => return settled,
            }
        }
    }
}
