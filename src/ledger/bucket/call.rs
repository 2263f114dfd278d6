//! What went wrong with one call to a store: the table of what may be tried again, and words without secrets.

use std::error::Error;

use object_store::client::HttpError;
use secrecy::{ExposeSecret, SecretString};

/// The most characters of a store's own words that are told.
const WORDS: usize = 200;

const REACH: &str = "check the address, the network, and AWS_ENDPOINT_URL or the like for a server of your own; where no key is set, a role of the machine has to give one";
const RIGHTS: &str = "the credentials need the rights to list, get and put objects below the ledger's key, and to delete for merging; docs/ledger-in-a-bucket.md has the policy";
pub(super) const KEYS: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or what Google's and Azure's stores take; docs/ledger-in-a-bucket.md has the table";
const THERE: &str = "check the bucket's name and region; roomform makes objects, but no bucket";
const ASKED: &str =
    "check the address, the region and the server that AWS_ENDPOINT_URL or the like names";

/// What became of a call that did not do what it was made for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// There is no such object, or no such bucket.
    Absent(String),
    /// There is an object already.
    Exists,
    /// The object is another than the one that was read.
    Changed,
    /// The object is the one that was read.
    Same,
    /// The store, or the way to it, failed: whether it acted is not known, and it may do better next time.
    Passing(String, &'static str),
    /// It will not do better next time.
    Final(String, &'static str),
}

impl Trouble {
    pub(super) fn of(error: &object_store::Error, hidden: &[SecretString]) -> Self {
        let reason = || reason(error, hidden);
        match error {
            object_store::Error::NotFound { .. } => Self::Absent(reason()),
            object_store::Error::AlreadyExists { .. } => Self::Exists,
            object_store::Error::Precondition { .. } => Self::Changed,
            object_store::Error::NotModified { .. } => Self::Same,
            object_store::Error::PermissionDenied { .. } => Self::Final(reason(), RIGHTS),
            object_store::Error::Unauthenticated { .. } => Self::Final(reason(), KEYS),
            object_store::Error::Generic { .. } => match status(&error.to_string()) {
                None if text_of_redirect(error) => Self::Final(reason(), THERE),
                Some((408 | 409 | 425 | 429 | 500.., _)) | None => Self::Passing(reason(), REACH),
                Some((401, _)) => Self::Final(reason(), KEYS),
                Some((403, _)) => Self::Final(reason(), RIGHTS),
                Some((300..=399 | 404, _)) => Self::Final(reason(), THERE),
                Some(_) => Self::Final(reason(), ASKED),
            },
            _ => Self::Final(reason(), ASKED),
        }
    }

    /// Why, and what can be done about it, where that is to be told.
    pub(super) fn told(self) -> (String, &'static str) {
        match self {
            Self::Absent(reason) => (reason, THERE),
            Self::Exists => ("an object is there already".to_owned(), ASKED),
            Self::Changed | Self::Same => ("somebody else changes it".to_owned(), "run it again"),
            Self::Passing(reason, remedy) | Self::Final(reason, remedy) => (reason, remedy),
        }
    }
}

/// The status in the library's words, which has no other place for it; and what comes after it.
fn status(text: &str) -> Option<(u16, &str)> {
    let (_, rest) = text.split_once("status code: ")?;
    let number = rest.get(..3)?.parse().ok()?;
    Some((number, rest))
}

/// A redirect that leads nowhere has no status in the library's words.
fn text_of_redirect(error: &object_store::Error) -> bool {
    error.to_string().contains("Received redirect")
}

/// Why a call failed, in a few words.
fn reason(error: &object_store::Error, hidden: &[SecretString]) -> String {
    let text = error.to_string();
    let words = match (status(&text), way(error)) {
        (Some((_, rest)), _) => answered(rest),
        (None, Some(way)) => way,
        // Before it stand the address and how long it took.
        (None, None) => text.rsplit(" - ").next().unwrap_or_default().to_owned(),
    };
    let words = hidden.iter().fold(words, |words, secret| {
        let secret = secret.expose_secret();
        if secret.is_empty() {
            return words;
        }
        words.replace(secret, "…")
    });
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= WORDS {
        return line;
    }
    line.chars().take(WORDS).chain(['…']).collect()
}

/// What the store answered: its status, and the code and message of its XML where there are such.
fn answered(rest: &str) -> String {
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

/// What was in the way of a call that has no answer: the innermost cause has the words that help, and no address.
fn way(error: &object_store::Error) -> Option<String> {
    let mut cause: &dyn Error = error;
    let mut http = false;
    while let Some(next) = cause.source() {
        http |= next.is::<HttpError>();
        cause = next;
    }
    http.then(|| cause.to_string())
}
