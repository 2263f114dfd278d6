//! Sends HTTP requests with their forms, and handles the failures that any call can have.
//!
//! Main types: [`Http`] and [`Form`]. `Http` does not follow redirects (`api: fact 4`), and redacts
//! secrets in errors.

use std::fmt::{Display, Write as _};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, USER_AGENT};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use secrecy::{ExposeSecret, SecretString};
use tracing::{debug, field};

use super::network::{Endpoint, Network, Proxy};
use super::retry::{Cause, Failure};
use super::transport_error::{classify, explain_tls, join_causes};
use super::wire::BadAnswer;
use crate::model::{Redactor, RunId};

/// The `User-Agent` header, without the run id.
const AGENT: &str = concat!("roomform/", env!("CARGO_PKG_VERSION"));
/// Maximum length of quoted server text, in characters.
const QUOTED: usize = 300;

/// Sends requests to one API.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
    endpoint: Endpoint,
    /// The time limit for opening a connection, for an idle connection, and for a whole write.
    pub(super) timeout: Duration,
    pub(super) redactor: Redactor,
    proxy: Option<Proxy>,
    agent: String,
    /// How to name the credentials in errors, and the hint if they are rejected.
    pub(super) credentials: Credentials,
    /// The number of requests that were sent, shared by all clones.
    sent: Arc<AtomicU64>,
}

impl Http {
    /// Creates a client. `timeout` limits the time to connect, the idle time, and the time of a
    /// whole write. `secrets` are redacted in all errors. The `User-Agent` has the run id, so that
    /// the server's log shows which run sent a request.
    ///
    /// # Errors
    /// Returns a [`Failure`] if a variable for the proxy or the certificates is unusable, or if
    /// there are no trusted certificates.
    pub fn new(
        endpoint: Endpoint,
        timeout: Duration,
        mut secrets: Vec<SecretString>,
        network: &Network,
        run: &RunId,
    ) -> Result<Self, Failure> {
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            // Only our `retry` module retries requests.
            .retry(reqwest::retry::never())
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .read_timeout(timeout)
            // The library would ignore unusable variables, so our `network` module selects the
            // proxy.
            .no_proxy();
        let proxy = network.proxy(&endpoint)?;
        if let Some(proxy) = &proxy {
            let address = proxy.address.expose_secret();
            builder = builder.proxy(reqwest::Proxy::all(address).map_err(Failure::no_client)?);
            secrets.extend(proxy.password.clone());
        }
        if endpoint.is_https() {
            network.check_certificates()?;
        } else if endpoint.is_loopback() {
            // No certificate is needed. Loading the system's certificates would take most of
            // the time of a short run.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self {
            client: builder.build().map_err(Failure::no_client)?,
            endpoint,
            timeout,
            redactor: Redactor::new(secrets.iter().map(ExposeSecret::expose_secret)),
            proxy,
            agent: format!("{AGENT} (run {run})"),
            credentials: SECRET_KEY,
            sent: Arc::default(),
        })
    }

    /// Returns ` through PROXY` for use in messages, or an empty text if no proxy is used.
    pub fn route(&self) -> String {
        let proxy = self.proxy.iter();
        proxy.map(|proxy| format!(" through {proxy}")).collect()
    }

    /// Creates a POST request that sends a form to a path below the base address.
    pub(super) fn post(&self, path: &str, form: Form) -> Result<RequestBuilder, Failure> {
        let request = self.client.post(self.endpoint.join(path)?);
        let content_type = format!("multipart/form-data; boundary={}", *BOUNDARY);
        Ok(request
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, &self.agent)
            .header(CONTENT_TYPE, content_type)
            .body(form.into_body()))
    }

    /// Sends a request and returns the answer with any status. Logs neither the headers that it
    /// sends nor user text.
    pub(super) async fn answer(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let request = request.build().map_err(|error| self.fail(error))?;
        let number = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        debug!(number, method = %request.method(), path = request.url().path(), "request");
        let begun = Instant::now();
        let answer = self.client.execute(request).await;
        let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        match answer {
            Ok(response) if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                Err(self
                    .proxy
                    .as_ref()
                    .map_or_else(|| self.refusal(Cause::Status(407), None), Proxy::login))
            }
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

    /// Returns the failure for an answer that has HTTP status success but cannot be used.
    pub(super) fn reject(&self, bad: BadAnswer) -> Failure {
        let unusable = |cause, text: &str| {
            let text = self.redact(text);
            Failure::from_cause(cause, format!("the server's answer cannot be used: {text}"))
        };
        match bad {
            BadAnswer::Shape(text) => {
                let cause = match text.contains("HTML") {
                    true => Cause::Html,
                    false => Cause::Unreadable,
                };
                unusable(cause, &text)
                    .hint("check --api-url; a proxy or a login page may have answered instead of the API")
            }
            BadAnswer::TooLarge(text) => Failure {
                lasting: true,
                ..Failure::from_cause(Cause::Unreadable, text)
                    .hint("check --api-url, and ask the server's operator")
            },
            BadAnswer::NoList(text) => Failure {
                lasting: true,
                ..unusable(Cause::Unreadable, &text).hint(
                    "check --endpoint: the answer must be a list, or have a list under `data` or `messages`",
                )
            },
            BadAnswer::Complaint { code, text } => {
                let code = code.and_then(|code| u16::try_from(code).ok());
                self.refusal(Cause::Body(code.unwrap_or_default()), Some(text))
            }
        }
    }

    /// Returns the failure for a transport error. The message lists the causes down to the last
    /// one, because the last one is the most useful.
    pub(super) fn fail(&self, error: reqwest::Error) -> Failure {
        let error = error.without_url();
        let cause = classify(&error);
        if let Some((reason, remedy)) = explain_tls(&error) {
            let reason = self.redact(&reason);
            let message = format!("no connection to {}: {reason}", self.endpoint.origin());
            return Failure::from_cause(cause, message).hint(remedy);
        }
        let reason = self.redact(&join_causes(&error));
        if let Some(proxy) = self.proxy.as_ref().filter(|_| error.is_connect()) {
            return proxy.fail(cause, &reason, &self.endpoint.origin());
        }
        let what = match cause {
            Cause::Cut => "the connection was lost".to_owned(),
            Cause::Unreadable => "the server's answer cannot be decompressed".to_owned(),
            Cause::NotProcessed => "the server rejected the request before acting on it".to_owned(),
            Cause::NoAnswer => format!("no answer within {} s", self.timeout.as_secs_f64()),
            _ => format!("no connection to {}", self.endpoint.origin()),
        };
        let remedy = if cause == Cause::NotProcessed {
            "lower --parallelism, or run the command again later"
        } else if error.is_timeout() {
            "check --api-url, the network and the proxy settings, or raise --timeout"
        } else {
            "check --api-url, the network and the proxy settings"
        };
        let message = format!("{what}{}: {reason}", self.route());
        Failure::from_cause(cause, message).hint(remedy)
    }

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

    /// Returns the failure for a call that the server refused, either with an HTTP status or in
    /// the body of the answer.
    pub(super) fn refusal(&self, cause: Cause, reason: Option<String>) -> Failure {
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
                ("the server asks roomform to slow down", Some(hint))
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

    /// Redacts a text from the server or the library, and then shortens it. The order matters: a
    /// shortened secret would not be found.
    pub(super) fn redact(&self, text: &str) -> String {
        let clean = self.redactor.redact(text);
        clean.chars().take(QUOTED).collect()
    }
}

impl Failure {
    fn no_client(error: reqwest::Error) -> Self {
        let reason = join_causes(&error);
        let reason = reason.rsplit(": ").next().unwrap_or_default();
        let message = format!("HTTPS cannot be used: {reason}");
        Self::from_cause(Cause::Tls, message).hint("unset SSL_CERT_FILE and SSL_CERT_DIR if they are empty, or install the system's certificates (ca-certificates)")
    }
}

/// The name of the credentials in errors, and the hint if the server rejects them (`api: fact 5`).
pub(super) type Credentials = (&'static str, &'static str);

const SECRET_KEY: Credentials = (
    "the widget's secret key",
    "check IMBACHAT_WIDGET and IMBACHAT_SECRET_KEY: both are shown in the widget's settings",
);
pub(super) const JWT: Credentials = (
    "the JWT",
    "check IMBACHAT_JWT: it may have expired, or be signed with another widget's key",
);
pub(super) const MINTED_JWT: Credentials = (
    "the JWT signed with the widget's secret key",
    "check --read-as, IMBACHAT_WIDGET, IMBACHAT_SECRET_KEY and this machine's clock; if you omit --read-as, roomform sends the secret key itself instead of a JWT",
);
pub(super) const SITE_USER: Credentials = (
    "the site user's login and password",
    "check IMBACHAT_LOGIN and IMBACHAT_PASSWORD: they must belong to a user of the site that has the widget",
);

pub(super) fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Returns the server's time, from the `Date` header.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    parse_date(header(headers, DATE)?)
}

pub(super) fn parse_date(text: &str) -> Option<Timestamp> {
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    Some(date.timestamp())
}

/// The boundary between the fields of a form. It is random in each process, so that no title
/// contains it.
static BOUNDARY: LazyLock<String> = LazyLock::new(|| {
    let dice = RandomState::new();
    format!("{:016x}{:016x}", dice.hash_one(1), dice.hash_one(2))
});

/// The fields of a call, in the order in which they are sent.
#[derive(Debug, Default)]
pub(super) struct Form {
    body: String,
}

impl Form {
    /// Adds a field. Its name needs no escaping, because it is never user text.
    #[must_use]
    pub(super) fn text(mut self, name: impl Display, value: impl Display) -> Self {
        let boundary = &*BOUNDARY;
        // Writing to a `String` cannot fail.
        let _infallible = write!(
            self.body,
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        self
    }

    fn into_body(self) -> String {
        self.body + "--" + &BOUNDARY + "--\r\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_sent_unchanged() {
        let form = Form::default().text("a", "one\r\n--two\"").text("b", "");
        let body = form.body.replace(&*BOUNDARY, "X");
        let field = |name, value| {
            format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        assert_eq!(body, field("a", "one\r\n--two\"") + &field("b", ""));
    }
}
