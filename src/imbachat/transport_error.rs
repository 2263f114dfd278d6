//! Converts errors of the HTTP library to causes and messages. Describes every TLS error in plain
//! words, with a hint.

use std::error::Error as _;
use std::io::ErrorKind;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription as Alert, CertificateError, Error, InvalidMessage, OtherError};

use super::retry::Cause;
use crate::model::few;

/// Maximum number of names from a certificate that a message shows.
const NAMED: usize = 5;

const ASK: &str = "ask the server's operator to replace the certificate";
const RENEW: &str =
    "ask the server's operator to renew the certificate, or set this machine's clock";
const CLOCK: &str =
    "set this machine's clock, or ask the server's operator to replace the certificate";
const TRUST: &str = "check --api-url and the proxy settings; for your own certificate authority, set SSL_CERT_FILE to the path of its certificate";
const OPERATOR: &str = "check --api-url and the proxy settings, or ask the server's operator";

/// Describes a TLS error, and adds a hint.
fn explain(error: &Error) -> (String, &'static str) {
    let (reason, hint) = match error {
        Error::InvalidCertificate(error) => {
            let (reason, hint) = certificate(error);
            return (format!("its certificate {reason}"), hint);
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => (
            "the server does not speak TLS",
            "check --api-url: the port may belong to plain http or to another program",
        ),
        Error::NoCertificatesPresented => ("the server has no certificate", OPERATOR),
        Error::AlertReceived(alert) => answer(*alert),
        Error::PeerIncompatible(_) => NOTHING_IN_COMMON,
        Error::NoApplicationProtocol => answer(Alert::NoApplicationProtocol),
        _ => ("the TLS handshake failed", OPERATOR),
    };
    (reason.to_owned(), hint)
}

const NOTHING_IN_COMMON: (&str, &str) = (
    "the server offers no version or cipher of TLS that is still safe",
    "ask the server's operator to offer TLS 1.2 or 1.3",
);

/// Describes an alert that the server sent, and adds a hint.
fn answer(alert: Alert) -> (&'static str, &'static str) {
    match alert {
        Alert::HandshakeFailure | Alert::InsufficientSecurity | Alert::ProtocolVersion => {
            NOTHING_IN_COMMON
        }
        Alert::UnrecognisedName => (
            "the server does not know this host",
            "check the host in --api-url",
        ),
        Alert::CertificateRequired
        | Alert::NoCertificate
        | Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied => (
            "the server asks for a client certificate, which roomform does not have",
            "ask the server's operator for an address without client certificates",
        ),
        Alert::NoApplicationProtocol => ("the server offers neither HTTP/1.1 nor HTTP/2", OPERATOR),
        _ => ("the server ended the TLS handshake", OPERATOR),
    }
}

/// Describes what is wrong with a certificate. The text follows the words "its certificate".
fn certificate(error: &CertificateError) -> (String, &'static str) {
    use CertificateError as E;
    let (reason, hint) = match error {
        E::ExpiredContext { not_after, .. } => {
            (&*format!("expired at {}", date(*not_after)), RENEW)
        }
        E::NotValidYetContext { not_before, .. } => (
            &*format!("is not valid before {}", date(*not_before)),
            CLOCK,
        ),
        E::NotValidForNameContext {
            expected,
            presented,
        } => {
            let (host, names) = (expected.to_str(), names(presented));
            let hint = "check the host in --api-url: it must be one of the certificate's names";
            (&*format!("is not for {host}, but for {names}"), hint)
        }
        E::Expired | E::NotValidYet => ("is not valid today", CLOCK),
        E::NotValidForName => ("is for another host", "check the host in --api-url"),
        E::UnknownIssuer | E::BadSignature => (
            "is not signed by an authority that this machine trusts",
            TRUST,
        ),
        E::BadEncoding => ("is malformed", ASK),
        E::Revoked => ("was revoked", ASK),
        E::UnhandledCriticalExtension => ("has a critical extension that is not supported", ASK),
        E::UnsupportedSignatureAlgorithmContext { .. }
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            ("is signed with an algorithm that is not supported", ASK)
        }
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => ("is not for servers", ASK),
        E::Other(OtherError(error)) => match error.downcast_ref::<webpki::Error>() {
            Some(error) => chain(error),
            None => ("is rejected", OPERATOR),
        },
        _ => ("is rejected", OPERATOR),
    };
    (reason.to_owned(), hint)
}

/// Describes what is wrong with a certificate or its chain, for errors that only the `webpki`
/// library has.
fn chain(error: &webpki::Error) -> (&'static str, &'static str) {
    use webpki::Error as E;
    match error {
        E::CaUsedAsEndEntity => (
            "belongs to a certificate authority, not to a server",
            "ask the server's operator to use a certificate that an authority signed, and set SSL_CERT_FILE to the path of that authority's certificate",
        ),
        E::EndEntityUsedAsCa => (
            "is signed with a certificate that must not sign others",
            ASK,
        ),
        E::CertDistrusted => ("is signed by an authority that is distrusted", ASK),
        E::NameConstraintViolation => ("is for a name that its authority must not certify", ASK),
        E::PathLenConstraintViolated
        | E::MaximumNameConstraintComparisonsExceeded
        | E::MaximumPathBuildCallsExceeded
        | E::MaximumPathDepthExceeded
        | E::MaximumSignatureChecksExceeded => ("has too many authorities in its chain", ASK),
        _ => (
            "is malformed, or has a version or an extension that is not supported",
            ASK,
        ),
    }
}

/// Lists host names. The library writes each as `DnsName("chat.example")`.
fn names(presented: &[String]) -> String {
    let names = presented.iter();
    let names = names.map(|name| name.split('"').nth(1).unwrap_or(name));
    match presented {
        [] => "no host".to_owned(),
        _ => few(names, NAMED),
    }
}

fn date(time: UnixTime) -> String {
    let seconds = time.as_secs();
    let date = i64::try_from(seconds).map(Timestamp::from_second);
    match date {
        Ok(Ok(date)) => date.to_string(),
        _ => format!("second {seconds}"),
    }
}

/// Returns the cause of an error.
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

/// Returns whether the server guarantees that it did not act on a request (RFC 9113, 8.7). The
/// library reports a GOAWAY only for requests that the server did not process. If the server
/// may have processed a request, the library reports a broken connection instead.
fn is_unprocessed(error: Source<'_>) -> bool {
    error.downcast_ref::<h2::Error>().is_some_and(|error| {
        let is_refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        error.is_remote() && (error.is_go_away() || is_refused)
    })
}

/// Returns whether decompressing the body failed.
fn is_malformed(error: Source<'_>) -> bool {
    let error = error.downcast_ref::<std::io::Error>();
    error.is_some_and(|error| {
        matches!(
            error.kind(),
            ErrorKind::InvalidData | ErrorKind::InvalidInput
        )
    })
}

/// Returns the TLS error inside an error. Looks into I/O errors too, because their `source` skips
/// the error that they wrap.
fn tls(error: Source<'_>) -> Option<&Error> {
    let own = error.downcast_ref::<Error>();
    own.or_else(|| tls(error.downcast_ref::<std::io::Error>()?.get_ref()?))
}

/// Describes why TLS failed, and adds a hint; `None` if TLS is not the cause.
pub(super) fn explain_tls(error: &reqwest::Error) -> Option<(String, &'static str)> {
    Some(explain(causes(error).find_map(tls)?))
}

type Source<'e> = &'e (dyn std::error::Error + 'static);

/// Returns the causes of an error, outermost first.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = Source<'_>> {
    std::iter::successors(error.source(), |cause: &Source<'_>| (*cause).source())
}

/// Joins an error and its causes in one line, without repeated texts.
pub(super) fn join_causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    for cause in causes(error).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{CertRevocationListError, PeerIncompatible, PeerMisbehaved};

    use super::*;

    fn table() -> Vec<Error> {
        use webpki::Error as W;
        let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_700_000_000));
        let other = |error: W| CertificateError::Other(OtherError(Arc::new(error)));
        let certificates = [
            CertificateError::BadEncoding,
            CertificateError::Expired,
            CertificateError::ExpiredContext {
                time: at,
                not_after: at,
            },
            CertificateError::NotValidYet,
            CertificateError::NotValidYetContext {
                time: at,
                not_before: at,
            },
            CertificateError::Revoked,
            CertificateError::UnhandledCriticalExtension,
            CertificateError::UnknownIssuer,
            CertificateError::UnknownRevocationStatus,
            CertificateError::ExpiredRevocationList,
            CertificateError::ExpiredRevocationListContext {
                time: at,
                next_update: at,
            },
            CertificateError::BadSignature,
            CertificateError::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id: Vec::new(),
                supported_algorithms: Vec::new(),
            },
            CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id: Vec::new(),
                public_key_algorithm_id: Vec::new(),
            },
            CertificateError::NotValidForName,
            CertificateError::InvalidPurpose,
            CertificateError::InvalidOcspResponse,
            CertificateError::ApplicationVerificationFailure,
        ];
        let chains = [
            W::BadDer,
            W::BadDerTime,
            W::CaUsedAsEndEntity,
            W::CertDistrusted,
            W::EmptyEkuExtension,
            W::EndEntityUsedAsCa,
            W::ExtensionValueInvalid,
            W::InvalidCertValidity,
            W::InvalidNetworkMaskConstraint,
            W::InvalidSerialNumber,
            W::MalformedDnsIdentifier,
            W::MalformedExtensions,
            W::MalformedNameConstraint,
            W::MaximumNameConstraintComparisonsExceeded,
            W::MaximumPathBuildCallsExceeded,
            W::MaximumPathDepthExceeded,
            W::MaximumSignatureChecksExceeded,
            W::NameConstraintViolation,
            W::PathLenConstraintViolated,
            W::SignatureAlgorithmMismatch,
            W::UnsupportedCertVersion,
            W::UnsupportedCriticalExtension,
            W::UnsupportedNameType,
            W::UnsupportedCrlVersion,
        ];
        let alerts = (0..=255).map(|code| Error::AlertReceived(Alert::from(code)));
        let errors = [
            Error::InvalidMessage(InvalidMessage::InvalidContentType),
            Error::InvalidMessage(InvalidMessage::MessageTooLarge),
            Error::NoCertificatesPresented,
            Error::UnsupportedNameType,
            Error::DecryptError,
            Error::EncryptError,
            Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
            Error::PeerMisbehaved(PeerMisbehaved::DuplicateServerHelloExtensions),
            Error::InvalidCertRevocationList(CertRevocationListError::BadSignature),
            Error::General("SomethingInternal".to_owned()),
            Error::FailedToGetCurrentTime,
            Error::FailedToGetRandomBytes,
            Error::HandshakeNotComplete,
            Error::PeerSentOversizedRecord,
            Error::NoApplicationProtocol,
            Error::BadMaxFragmentSize,
            Error::Other(OtherError(Arc::new(W::BadDer))),
        ];
        let certificates = certificates.into_iter().chain(chains.map(other));
        let all = certificates.map(Error::InvalidCertificate).chain(errors);
        all.chain(alerts).collect()
    }

    #[test]
    fn every_reason_has_plain_words() {
        let mut rows: Vec<String> = Vec::new();
        for error in table() {
            let (reason, hint) = explain(&error);
            let row = format!("{reason}\n  {hint}");
            // This matches a name from the library's source, such as `CaUsedAsEndEntity`.
            let is_name = |word: &str| {
                word.chars().filter(char::is_ascii_uppercase).count() > 1
                    && word.contains(|c: char| c.is_ascii_lowercase())
            };
            let names: Vec<&str> = row
                .split_whitespace()
                .filter(|word| is_name(word))
                .collect();
            assert_eq!(names, Vec::<&str>::new(), "{error:?}");
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        insta::assert_snapshot!(rows.join("\n"), @"
        its certificate is malformed
          ask the server's operator to replace the certificate
        its certificate is not valid today
          set this machine's clock, or ask the server's operator to replace the certificate
        its certificate expired at 2023-11-14T22:13:20Z
          ask the server's operator to renew the certificate, or set this machine's clock
        its certificate is not valid before 2023-11-14T22:13:20Z
          set this machine's clock, or ask the server's operator to replace the certificate
        its certificate was revoked
          ask the server's operator to replace the certificate
        its certificate has a critical extension that is not supported
          ask the server's operator to replace the certificate
        its certificate is not signed by an authority that this machine trusts
          check --api-url and the proxy settings; for your own certificate authority, set SSL_CERT_FILE to the path of its certificate
        its certificate is rejected
          check --api-url and the proxy settings, or ask the server's operator
        its certificate is signed with an algorithm that is not supported
          ask the server's operator to replace the certificate
        its certificate is for another host
          check the host in --api-url
        its certificate is not for servers
          ask the server's operator to replace the certificate
        its certificate is malformed, or has a version or an extension that is not supported
          ask the server's operator to replace the certificate
        its certificate belongs to a certificate authority, not to a server
          ask the server's operator to use a certificate that an authority signed, and set SSL_CERT_FILE to the path of that authority's certificate
        its certificate is signed by an authority that is distrusted
          ask the server's operator to replace the certificate
        its certificate is signed with a certificate that must not sign others
          ask the server's operator to replace the certificate
        its certificate has too many authorities in its chain
          ask the server's operator to replace the certificate
        its certificate is for a name that its authority must not certify
          ask the server's operator to replace the certificate
        the server does not speak TLS
          check --api-url: the port may belong to plain http or to another program
        the TLS handshake failed
          check --api-url and the proxy settings, or ask the server's operator
        the server has no certificate
          check --api-url and the proxy settings, or ask the server's operator
        the server offers no version or cipher of TLS that is still safe
          ask the server's operator to offer TLS 1.2 or 1.3
        the server offers neither HTTP/1.1 nor HTTP/2
          check --api-url and the proxy settings, or ask the server's operator
        the server ended the TLS handshake
          check --api-url and the proxy settings, or ask the server's operator
        the server asks for a client certificate, which roomform does not have
          ask the server's operator for an address without client certificates
        the server does not know this host
          check the host in --api-url
        ");
    }
}
