//! Maps an error of the HTTP library to a cause and a message.

use std::error::Error as _;

use jiff::Timestamp;
use rustls::CertificateError::{
    self, BadSignature, ExpiredContext, NotValidForNameContext, NotValidYetContext, UnknownIssuer,
};
use rustls::pki_types::UnixTime;

use super::failure::{Cause, list_names};

/// Maximum number of certificate names shown.
const NAMED: usize = 5;

/// Maps an error to its cause.
pub(super) fn classify(error: &reqwest::Error) -> Cause {
    let is_dns = |cause: &Source<'_>| cause.to_string().contains("dns error");
    match error {
        _ if !error.is_connect() && error.is_timeout() => Cause::NoAnswer,
        _ if error.is_request() && causes(error).any(is_unprocessed) => Cause::NotProcessed,
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

/// The TLS error inside an error. Also unwraps I/O errors, because their `source` skips the inner error.
fn tls(error: Source<'_>) -> Option<&rustls::Error> {
    let own = error.downcast_ref::<rustls::Error>();
    own.or_else(|| tls(error.downcast_ref::<std::io::Error>()?.get_ref()?))
}

/// Why TLS failed, and a hint; `None` if the error is not from TLS.
pub(super) fn explain_tls(error: &reqwest::Error) -> Option<(String, &'static str)> {
    let error = causes(error).find_map(tls)?;
    Some(match error {
        rustls::Error::InvalidCertificate(error) => certificate(error),
        rustls::Error::InvalidMessage(_) => (
            format!("the server does not speak TLS ({error})"),
            "check --api-url: the port may belong to plain http or to another program",
        ),
        other => (
            format!("TLS failed: {other}"),
            "check --api-url, and the proxy settings",
        ),
    })
}

fn certificate(error: &CertificateError) -> (String, &'static str) {
    match error {
        UnknownIssuer | BadSignature => (
            format!(
                "its certificate is not signed by an authority that this machine trusts ({error:?})"
            ),
            "check --api-url and the proxy settings; for your own certificate authority, set SSL_CERT_FILE to its certificate",
        ),
        ExpiredContext { not_after, .. } => (
            format!("its certificate expired at {}", date(*not_after)),
            "ask the server's operator to renew the certificate, or set this machine's clock",
        ),
        NotValidYetContext { not_before, .. } => (
            format!("its certificate is not valid before {}", date(*not_before)),
            "set this machine's clock, or ask the server's operator to replace the certificate",
        ),
        NotValidForNameContext {
            expected,
            presented,
        } => (
            format!(
                "its certificate is not for {}, but for {}",
                expected.to_str(),
                names(presented)
            ),
            "check the host in --api-url: it must be one of the certificate's names",
        ),
        other => (
            format!("its certificate is rejected: {other}"),
            "check --api-url and the proxy settings, or ask the server's operator",
        ),
    }
}

/// The library formats names as `DnsName("chat.example")`.
fn names(presented: &[String]) -> String {
    let names = presented.iter();
    let names = names.map(|name| name.split('"').nth(1).unwrap_or(name).to_owned());
    list_names(&names.collect::<Vec<_>>(), NAMED, "no host")
}

fn date(time: UnixTime) -> String {
    let seconds = time.as_secs();
    let date = i64::try_from(seconds).map(Timestamp::from_second);
    match date {
        Ok(Ok(date)) => date.to_string(),
        _ => format!("second {seconds}"),
    }
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
