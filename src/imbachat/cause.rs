//! An error of the HTTP library -> what happened, and all it has to say.

use std::error::Error as _;

use super::failure::Cause;

/// What kind of failure the library's error is.
pub(super) fn cause(error: &reqwest::Error) -> Cause {
    let causes = causes(error);
    let is_tls = |cause: &&(dyn std::error::Error + 'static)| holds_tls(*cause);
    match error {
        _ if !error.is_connect() && error.is_timeout() => Cause::NoAnswer,
        _ if !error.is_connect() && !error.is_builder() => Cause::Cut,
        _ if error.is_timeout() => Cause::NoConnectionInTime,
        _ if causes.iter().any(is_tls) => Cause::Tls,
        _ if causes
            .iter()
            .any(|cause| cause.to_string().contains("dns error")) =>
        {
            Cause::NoAddress
        }
        _ => Cause::NoConnection,
    }
}

/// Whether an error is one of TLS, in however many of the system's it is wrapped: their `source` passes over what they hold.
fn holds_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let inner = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>() || inner.is_some_and(|inner| holds_tls(inner))
}

/// The causes below an error, outermost first.
fn causes(error: &reqwest::Error) -> Vec<&(dyn std::error::Error + 'static)> {
    let mut found = Vec::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        found.push(inner);
        cause = inner.source();
    }
    found
}

/// An error and its causes in one line, each cause once.
pub(super) fn chain(error: &reqwest::Error) -> String {
    causes(error)
        .iter()
        .map(ToString::to_string)
        .fold(error.to_string(), |text, cause| {
            if text.ends_with(&cause) {
                text
            } else {
                format!("{text}: {cause}")
            }
        })
}
