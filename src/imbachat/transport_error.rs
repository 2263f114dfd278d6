//! Maps an error of the HTTP library to a cause and a message.

use std::error::Error as _;
use std::io::ErrorKind;

use super::failure::Cause;
use super::tls_error;

/// Maps an error to its cause.
pub(super) fn classify(error: &reqwest::Error) -> Cause {
    let is_dns = |cause: &Source<'_>| cause.to_string().contains("dns error");
    match error {
        _ if !error.is_connect() && error.is_timeout() => Cause::NoAnswer,
        _ if error.is_request() && causes(error).any(is_unprocessed) => Cause::NotProcessed,
        _ if causes(error).any(is_malformed) => Cause::Unreadable,
        _ if !error.is_connect() && !error.is_builder() => Cause::Cut,
        _ if error.is_timeout() => Cause::NoConnectionInTime,
        _ if causes(error).any(|cause| tls(cause).is_some()) => Cause::Tls,
        _ if causes(error).any(|cause| is_dns(&cause)) => Cause::NoAddress,
        _ => Cause::NoConnection,
    }
}

/// Whether the server guarantees that it did not act on a request (RFC 9113, 8.7). The library reports a GOAWAY only for
/// streams above the last stream id; other streams fail like any broken connection.
fn is_unprocessed(error: Source<'_>) -> bool {
    error.downcast_ref::<h2::Error>().is_some_and(|error| {
        let is_refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        error.is_remote() && (error.is_go_away() || is_refused)
    })
}

/// Whether a compressed body is malformed.
fn is_malformed(error: Source<'_>) -> bool {
    let error = error.downcast_ref::<std::io::Error>();
    error.is_some_and(|error| {
        matches!(
            error.kind(),
            ErrorKind::InvalidData | ErrorKind::InvalidInput
        )
    })
}

/// The TLS error inside an error. Also unwraps I/O errors, because their `source` skips the inner error.
fn tls(error: Source<'_>) -> Option<&rustls::Error> {
    let own = error.downcast_ref::<rustls::Error>();
    own.or_else(|| tls(error.downcast_ref::<std::io::Error>()?.get_ref()?))
}

/// Why TLS failed, and a hint; `None` if the error is not from TLS.
pub(super) fn explain_tls(error: &reqwest::Error) -> Option<(String, &'static str)> {
    Some(tls_error::explain(causes(error).find_map(tls)?))
}

type Source<'e> = &'e (dyn std::error::Error + 'static);

/// The causes of an error, outermost first.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = Source<'_>> {
    std::iter::successors(error.source(), |cause: &Source<'_>| (*cause).source())
}

/// An error and its causes in one line, without duplicates.
pub(super) fn join_causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    for cause in causes(error).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
