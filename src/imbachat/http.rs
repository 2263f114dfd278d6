//! Sends requests and handles what all answers have in common.
//!
//! Main type: [`Http`]. It follows no redirects (`api: fact 4`), sends no secrets over plain HTTP, and redacts them in errors.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::header::{
    ACCEPT, CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER, USER_AGENT,
};
use reqwest::{Client, RequestBuilder, Response, redirect};
use secrecy::{ExposeSecret, SecretString};
use tracing::{debug, field};

use super::endpoint::Endpoint;
use super::failure::{Cause, Delivery, Failure};
use super::trace;
use super::transport_error::{classify, explain_tls, join_causes};
use super::wire::{self, Bad};
use crate::model::{RunId, WidgetId};

/// Maximum size of an answer to a write.
pub(super) const LARGEST_ANSWER: usize = 4 << 20;
/// Maximum size of the body of an error.
const LARGEST_ERROR: usize = 64 << 10;
/// Maximum time for the body of a list, in timeouts.
const LIST_TIMEOUTS: u32 = 20;
/// The `User-Agent`, without the run id.
const AGENT: &str = concat!("roomform/", env!("CARGO_PKG_VERSION"));
/// Maximum length of quoted server text.
const QUOTED: usize = 300;

/// Sends requests to one API.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
    endpoint: Endpoint,
    /// Timeout for connecting, for idle time, and for a whole write.
    pub(super) timeout: Duration,
    secrets: Vec<SecretString>,
    agent: String,
    /// How errors describe the credentials.
    pub(super) credentials: Credentials,
    /// The number of requests sent.
    sent: Arc<AtomicU64>,
}

impl Http {
    /// Creates a client. `timeout` limits connecting, idle time and a whole write. `secrets` are redacted in all errors.
    ///
    /// # Errors
    /// If the TLS library fails to initialise.
    pub fn new(
        endpoint: Endpoint,
        timeout: Duration,
        secrets: Vec<SecretString>,
    ) -> Result<Self, Failure> {
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            // Only `retry` decides what is retried.
            .retry(reqwest::retry::never())
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .read_timeout(timeout);
        // Never use a proxy to reach this machine.
        if endpoint.is_loopback() {
            builder = builder.no_proxy();
            if !endpoint.is_https() {
                // Loading the system's trusted certificates would take most of a short run.
                builder = builder.tls_certs_only([]);
            }
        }
        let client = builder
            .build()
            .map_err(|error| Failure::lasting(Delivery::NotSent, join_causes(&error)))?;
        Ok(Self {
            client,
            endpoint,
            timeout,
            secrets,
            agent: AGENT.to_owned(),
            credentials: SECRET_KEY,
            sent: Arc::default(),
        })
    }

    /// Adds the run id to the `User-Agent`, so that the server's log can be matched to the run.
    #[must_use]
    pub fn with_run(self, run: &RunId) -> Self {
        let agent = format!("{AGENT} (run {run})");
        Self { agent, ..self }
    }

    /// A POST to a path below the base address.
    pub(super) fn post(&self, path: &str) -> Result<RequestBuilder, Failure> {
        let request = self.client.post(self.endpoint.join(path)?);
        let request = request.header(ACCEPT, "application/json");
        Ok(request.header(USER_AGENT, &self.agent))
    }

    /// Sends a request and returns the answer, whatever its status. Logs neither our headers nor user text.
    pub(super) async fn answer(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let request = request.build().map_err(|error| self.fail(error))?;
        let number = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        debug!(number, method = %request.method(), path = request.url().path(), "request");
        let begun = Instant::now();
        let answer = self.client.execute(request).await;
        let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        match answer {
            Ok(mut response) => {
                let status = response.status().as_u16();
                let kind = header(response.headers(), CONTENT_TYPE).unwrap_or("none");
                let kind = self.redact(kind.split(';').next().unwrap_or_default().trim());
                debug!(number, status, kind, milliseconds, "answer");
                response.extensions_mut().insert(number);
                Ok(response)
            }
            Err(error) => {
                let failure = self.fail(error);
                let cause = failure.cause.map(field::debug);
                debug!(number, cause, milliseconds, "no answer");
                Err(failure)
            }
        }
    }

    /// Sends a request and returns the answer if its status is success.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = self.answer(request).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status.is_redirection() {
            return Err(self.redirected(&response));
        }
        let retry_after = retry_after(response.headers());
        let reason = match self.body(response, LARGEST_ERROR, self.timeout).await {
            Ok(body) => wire::complaint(&body),
            Err(failure) => Some(failure.message).filter(|_| failure.lasting),
        };
        Err(Failure {
            retry_after,
            ..self.refusal(Cause::Status(status.as_u16()), reason)
        })
    }

    /// Maximum time for the body of a list: it may take longer than other answers.
    pub(super) fn list_time(&self) -> Duration {
        self.timeout.saturating_mul(LIST_TIMEOUTS)
    }

    /// Reads the whole body of an answer, within these limits.
    pub(super) async fn body(
        &self,
        response: Response,
        largest: usize,
        time: Duration,
    ) -> Result<Vec<u8>, Failure> {
        let (number, mut body) = (number(&response), Vec::new());
        let take = |piece: &[u8]| {
            body.extend_from_slice(piece);
            Ok(())
        };
        self.pieces(response, largest, time, take).await?;
        self.log_body(number, None, &body);
        Ok(body)
    }

    /// Passes on the pieces of a body as they arrive, within these limits. No server makes a run endless.
    pub(super) async fn pieces(
        &self,
        mut response: Response,
        largest: usize,
        time: Duration,
        mut take: impl FnMut(&[u8]) -> Result<(), Bad>,
    ) -> Result<(), Failure> {
        let read = async {
            let mut size = 0;
            while let Some(piece) = response.chunk().await.map_err(|error| self.fail(error))? {
                size += piece.len();
                if size > largest {
                    let (size, unit) = match largest >> 20 {
                        0 => (largest >> 10, "KiB"),
                        size => (size, "MiB"),
                    };
                    let text = format!("the server's answer is larger than {size} {unit}");
                    return Err(self.reject(Bad::TooLarge(text)));
                }
                take(&piece).map_err(|bad| self.reject(bad))?;
            }
            Ok(())
        };
        tokio::time::timeout(time, read).await.unwrap_or_else(|_| {
            let seconds = time.as_secs_f64();
            let text = format!("the server's answer is not complete after {seconds} s");
            let failure = self.reject(Bad::TooLarge(text));
            Err(failure.hint("raise --timeout if the server needs more time"))
        })
    }

    /// Logs the shape of a body. For a list, without its rows.
    pub(super) fn log_body(&self, number: u64, rows: Option<usize>, body: &[u8]) {
        // The shape is computed only if it is logged.
        debug!(
            number,
            rows,
            bytes = body.len(),
            shape = self.redact(&trace::shape(body)),
            "body"
        );
    }

    /// The failure for an HTTP 200 answer that cannot be used.
    pub(super) fn reject(&self, bad: Bad) -> Failure {
        let unusable = |cause, text: &str| {
            let text = self.redact(text);
            Failure::from_cause(cause, format!("the server's answer cannot be used: {text}"))
        };
        match bad {
            Bad::Shape(text) => {
                let cause = match text.contains("HTML") {
                    true => Cause::Html,
                    false => Cause::Unreadable,
                };
                unusable(cause, &text)
                    .hint("check --api-url; a proxy or a login page may have answered instead of the API")
            }
            Bad::TooLarge(text) => Failure {
                lasting: true,
                ..Failure::from_cause(Cause::Unreadable, text)
                    .hint("check --api-url, and ask the server's operator")
            },
            Bad::NoList(text) => Failure {
                lasting: true,
                ..unusable(Cause::Unreadable, &text).hint(
                    "check --endpoint; get messages reads a list, or one under `data` or `messages`",
                )
            },
            Bad::Complaint { code, text } => {
                let code = code.and_then(|code| u16::try_from(code).ok());
                self.refusal(Cause::Body(code.unwrap_or_default()), Some(text))
            }
        }
    }

    /// The failure for a transport error, with its whole chain: the useful part comes last.
    pub(super) fn fail(&self, error: reqwest::Error) -> Failure {
        let error = error.without_url();
        let cause = classify(&error);
        if let Some((reason, remedy)) = explain_tls(&error) {
            let reason = self.redact(&reason);
            let message = format!("no connection to {}: {reason}", self.endpoint.origin());
            return Failure::from_cause(cause, message).hint(remedy);
        }
        let what = match cause {
            Cause::Cut => "the connection was lost".to_owned(),
            Cause::NotProcessed => "the server rejected the request before acting on it".to_owned(),
            Cause::NoAnswer => format!("no answer within {} s", self.timeout.as_secs_f64()),
            _ => format!("no connection to {}", self.endpoint.origin()),
        };
        let remedy = if cause == Cause::NotProcessed {
            "lower --parallelism, or run it again later"
        } else if error.is_timeout() {
            "check --api-url, the network and the proxy settings, or give it more time with --timeout"
        } else {
            "check --api-url, the network and the proxy settings"
        };
        let message = format!("{what}: {}", self.redact(&join_causes(&error)));
        Failure::from_cause(cause, message).hint(remedy)
    }

    /// The failure for a redirect.
    pub(super) fn redirected(&self, response: &Response) -> Failure {
        let target = header(response.headers(), LOCATION).unwrap_or("nowhere");
        let target = target.split(['?', '#']).next().unwrap_or_default();
        let status = response.status().as_u16();
        let message = format!(
            "the server redirects to `{}` (HTTP {status}); nothing was sent there",
            self.redact(target)
        );
        Failure::from_cause(Cause::Status(status), message)
            .hint("if you trust that address, give its origin with --api-url")
    }

    /// The failure when the server refuses, by HTTP status or by `code`.
    fn refusal(&self, cause: Cause, reason: Option<String>) -> Failure {
        let (code, number) = match cause {
            Cause::Status(code) => (code, format!("HTTP {code}")),
            Cause::Body(code) if code > 0 => (code, format!("code {code} with HTTP 200")),
            _ => (0, "an error with HTTP 200".to_owned()),
        };
        let (credentials, remedy) = self.credentials;
        let not_accepted = format!("the server does not accept {credentials}");
        let (what, hint) = match code {
            401 | 403 => (not_accepted.as_str(), Some(remedy)),
            404 if matches!(cause, Cause::Status(_)) => (
                "the server does not know this address",
                Some("check --api-url"),
            ),
            422 => ("the server rejects the request", None),
            425 | 429 => {
                let hint = "lower --parallelism, or set --rate";
                ("the server asks to slow down", Some(hint))
            }
            408 | 500..=599 => ("the server failed", None),
            _ => ("the server rejects the call", None),
        };
        let reason = reason.map(|reason| format!(": {}", self.redact(&reason)));
        let message = format!("{what} ({number}){}", reason.unwrap_or_default());
        Failure {
            hint: hint.map(str::to_owned),
            ..Failure::from_cause(cause, message)
        }
    }

    /// Redacts one more text in errors.
    #[must_use]
    pub(super) fn hiding(mut self, secret: SecretString) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Also redacts the secret key as encoded in the header, because a server may echo it.
    #[must_use]
    pub(super) fn hiding_basic(self, widget: WidgetId, key: &SecretString) -> Self {
        let encoded = STANDARD.encode(format!("{widget}:{}", key.expose_secret()));
        self.hiding(SecretString::from(encoded))
    }

    /// Redacts and shortens a text from the server or the library. Redact before shortening, because a truncated
    /// secret is not found. For the same reason, redact longer secrets before those they contain.
    pub(super) fn redact(&self, text: &str) -> String {
        let mut secrets: Vec<&str> = self
            .secrets
            .iter()
            .map(ExposeSecret::expose_secret)
            .filter(|secret| secret.len() >= 3)
            .collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let clean = secrets
            .into_iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, "***"));
        clean.chars().take(QUOTED).collect()
    }
}

/// The name of the credentials in errors, and the hint if they are rejected (`api: fact 5`).
pub(super) type Credentials = (&'static str, &'static str);

pub(super) const SECRET_KEY: Credentials = (
    "the widget's secret key",
    "check IMBACHAT_WIDGET and IMBACHAT_SECRET_KEY: both are shown in the widget's settings",
);
pub(super) const JWT: Credentials = (
    "the JWT",
    "check IMBACHAT_JWT: it may have expired, or be signed with another widget's key",
);
pub(super) const MINTED_JWT: Credentials = (
    "the JWT signed with the widget's secret key",
    "check --read-as, IMBACHAT_WIDGET and IMBACHAT_SECRET_KEY, and this machine's clock; without --read-as the key itself is sent",
);
pub(super) const SITE_USER: Credentials = (
    "the site user's login and password",
    "check IMBACHAT_LOGIN and IMBACHAT_PASSWORD: they belong to a user of the site that has the widget",
);

/// The number of the request that an answer belongs to.
pub(super) fn number(response: &Response) -> u64 {
    response.extensions().get().copied().unwrap_or_default()
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The server's time, from the `Date` header.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    parse_date(header(headers, DATE)?)
}

fn parse_date(text: &str) -> Option<Timestamp> {
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    Some(date.timestamp())
}

/// `Retry-After`, in seconds or as a date. A date is relative to the answer's own `Date`, because our clock may be off.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let asked = header(headers, RETRY_AFTER)?.trim();
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = date(headers).unwrap_or_else(Timestamp::now);
    Some(Duration::try_from(parse_date(asked)?.duration_since(now)).unwrap_or_default())
}
