//! One request, one look at its answer: everything every call has in common.
//!
//! Main type: [`Http`]. It follows no redirect (`api: fact 4`), sends no secret in clear, and lets none out in an error.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER, USER_AGENT};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use secrecy::{ExposeSecret, SecretString};

use super::endpoint::Endpoint;
use super::failure::{Cause, Delivery, Failure};
use super::trace::{self, RequestTrace};
use super::transport_error::{cause, chain, mistrust};
use super::wire::{self, Bad};
use crate::model::RunId;

/// An answer to a write larger than this is not one.
const LARGEST_ANSWER: usize = 4 << 20;
/// Who the server is told is calling.
const AGENT: &str = concat!("roomform/", env!("CARGO_PKG_VERSION"));
/// The longest text of a server that is quoted.
const QUOTED: usize = 300;

/// Requests to one API.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
    endpoint: Endpoint,
    timeout: Duration,
    secrets: Vec<SecretString>,
    agent: String,
    /// How many requests were sent.
    sent: Arc<AtomicU64>,
}

impl Http {
    /// A client. `timeout` bounds a connection, a silence, and a whole write; `secrets` are kept out of every error.
    ///
    /// # Errors
    /// If the TLS library cannot be set up.
    pub fn new(
        endpoint: Endpoint,
        timeout: Duration,
        secrets: Vec<SecretString>,
    ) -> Result<Self, Failure> {
        let builder = Client::builder()
            .redirect(redirect::Policy::none())
            // Only `retry` decides what is sent again.
            .retry(reqwest::retry::never())
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .read_timeout(timeout);
        // A proxy is for the way out; this machine is never behind one.
        let builder = match endpoint.is_loopback() {
            // In clear nobody is asked for a certificate: reading the machine's trusted ones would be most of a short run.
            true if !endpoint.is_https() => builder.no_proxy().tls_certs_only([]),
            true => builder.no_proxy(),
            false => builder,
        };
        let client = builder
            .build()
            .map_err(|error| Failure::lasting(Delivery::NotSent, chain(&error)))?;
        Ok(Self {
            client,
            endpoint,
            timeout,
            secrets,
            agent: AGENT.to_owned(),
            sent: Arc::default(),
        })
    }

    /// The same, with the run's id in the `User-Agent`, so that a line in the server's log leads to the run.
    #[must_use]
    pub fn of_run(self, run: &RunId) -> Self {
        let agent = format!("{AGENT} (run {run})");
        Self { agent, ..self }
    }

    /// A POST to a path below the base address; `whole` bounds the whole exchange by the timeout.
    pub(super) fn post(&self, path: &str, whole: bool) -> Result<RequestBuilder, Failure> {
        let request = self
            .client
            .post(self.endpoint.join(path)?)
            .header("Accept", "application/json")
            .header(USER_AGENT, &self.agent);
        Ok(if whole {
            request.timeout(self.timeout)
        } else {
            request
        })
    }

    /// Sends, and gives back any answer.
    pub(super) async fn answer(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let request = request.build().map_err(|error| self.broken(error))?;
        let told = RequestTrace::request(&self.sent, &request);
        let mut response = match self.client.execute(request).await {
            Ok(response) => response,
            Err(error) => {
                let failure = self.broken(error);
                told.failed(&failure);
                return Err(failure);
            }
        };
        told.answered(&mut response, |text| self.clean(text));
        Ok(response)
    }

    /// Sends, and gives back an answer with a good status.
    pub(super) async fn send(
        &self,
        request: RequestBuilder,
        who: Who,
    ) -> Result<Response, Failure> {
        let response = self.answer(request).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status.is_redirection() {
            return Err(self.redirected(&response));
        }
        let retry_after = retry_after(response.headers());
        let said = match self.body(response).await {
            Ok(body) => wire::complaint(&body).map(|complaint| complaint.text),
            Err(_) => None,
        };
        Err(self.denied(
            status.as_u16(),
            Some(status),
            said.as_deref(),
            retry_after,
            who,
        ))
    }

    /// The whole body of an answer.
    pub(super) async fn body(&self, mut response: Response) -> Result<Vec<u8>, Failure> {
        let told = RequestTrace::of(&response);
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.broken(error))? {
            body.extend_from_slice(&piece);
            if body.len() > LARGEST_ANSWER {
                return Err(Failure::lasting(
                    Delivery::InDoubt,
                    format!("the answer is larger than {LARGEST_ANSWER} bytes"),
                ));
            }
        }
        self.tell(told, None, &body);
        Ok(body)
    }

    /// Tells what the body of an answer is made of.
    pub(super) fn tell(&self, told: Option<RequestTrace>, rows: Option<usize>, body: &[u8]) {
        trace::body(told, rows, body, |text| self.clean(text));
    }

    /// A failure out of an answer that came with HTTP 200 and is no good all the same.
    pub(super) fn bad(&self, bad: Bad, who: Who) -> Failure {
        match bad {
            Bad::Shape(text) => {
                let cause = if text.contains("HTML") {
                    Cause::Html
                } else {
                    Cause::Unreadable
                };
                let text = self.clean(&text);
                Failure::of(cause, format!("the server's answer cannot be used: {text}"))
                    .hint("check --api-url; a proxy or a login page may answer in the API's place")
            }
            Bad::NoList(text) => {
                let message = format!("the server's answer cannot be used: {}", self.clean(&text));
                let failure = Failure::of(Cause::Unreadable, message);
                let hint = "check --endpoint; get messages reads a list, or one under `data` or `messages`";
                Failure {
                    lasting: true,
                    ..failure.hint(hint)
                }
            }
            Bad::Complaint(complaint) => {
                let code = complaint
                    .code
                    .and_then(|code| u16::try_from(code).ok())
                    .unwrap_or_default();
                self.denied(code, None, Some(&complaint.text), None, who)
            }
        }
    }

    /// A failure while sending or receiving, with the whole chain: the useful part is at its end.
    pub(super) fn broken(&self, error: reqwest::Error) -> Failure {
        let error = error.without_url();
        let cause = cause(&error);
        if let Some((reason, remedy)) = mistrust(&error) {
            let reason = self.clean(&reason);
            let message = format!("no connection to {}: {reason}", self.endpoint.origin());
            return Failure::of(cause, message).hint(remedy);
        }
        let what = match cause {
            Cause::Cut => "the connection broke off".to_owned(),
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
        Failure::of(cause, format!("{what}: {}", self.clean(&chain(&error)))).hint(remedy)
    }

    /// The failure that an answer which points elsewhere is.
    pub(super) fn redirected(&self, response: &Response) -> Failure {
        let target = response
            .headers()
            .get("location")
            .and_then(|value| value.to_str().ok())
            .unwrap_or("nowhere");
        let target = target.split(['?', '#']).next().unwrap_or_default();
        let status = response.status().as_u16();
        let message = format!(
            "the server redirects to `{}` (HTTP {status}); nothing was sent there",
            self.clean(target)
        );
        Failure::of(Cause::Status(status), message)
            .hint("if you trust that address, give its origin with --api-url")
    }

    /// The server said no, by HTTP status or by `code`.
    fn denied(
        &self,
        code: u16,
        http: Option<StatusCode>,
        said: Option<&str>,
        wait: Option<Duration>,
        who: Who,
    ) -> Failure {
        let number = match http {
            Some(status) => format!("HTTP {}", status.as_u16()),
            None if code == 0 => "an error with HTTP 200".to_owned(),
            None => format!("code {code} with HTTP 200"),
        };
        let said = said
            .map(|said| format!(": {}", self.clean(said)))
            .unwrap_or_default();
        let cause = http.map_or(Cause::Body(code), |status| Cause::Status(status.as_u16()));
        let (what, hint) = match code {
            401 | 403 => (
                format!("the server does not accept {}", who.credentials()),
                Some(who.remedy()),
            ),
            404 if http.is_some() => (
                "the server knows no such thing".to_owned(),
                Some("check --api-url"),
            ),
            422 => ("the server refuses what was sent".to_owned(), None),
            425 | 429 => (
                "the server asks to slow down".to_owned(),
                Some("lower --parallelism, or set --rate"),
            ),
            408 | 500..=599 => ("the server failed".to_owned(), None),
            _ => ("the server refuses the call".to_owned(), None),
        };
        let failure = Failure::of(cause, format!("{what} ({number}){said}"));
        let failure = match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        };
        Failure {
            retry_after: wait,
            ..failure
        }
    }

    /// The same, with one more text that no error may show.
    #[must_use]
    pub(super) fn hiding(mut self, secret: SecretString) -> Self {
        self.secrets.push(secret);
        self
    }

    /// A text of the server or the library without any of our secrets, and short. In this order: a secret that is cut
    /// would not be found any more, nor would one of which a shorter one is a part.
    pub(super) fn clean(&self, text: &str) -> String {
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

/// Whose credentials a call uses: two kinds, two remedies (`api: fact 5`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// The widget's secret key.
    Secret,
    /// A token.
    Jwt,
    /// A token made from the widget's secret key.
    Minted,
    /// A user of the customer's site.
    SiteUser,
}

impl Who {
    fn credentials(self) -> &'static str {
        match self {
            Self::Secret => "the widget's secret key",
            Self::Jwt => "the JWT",
            Self::Minted => "the JWT made from the widget's secret key",
            Self::SiteUser => "the site user's login and password",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Secret => {
                "check IMBACHAT_WIDGET and IMBACHAT_SECRET_KEY: they are the widget's, as its settings show them"
            }
            Self::Jwt => {
                "check IMBACHAT_JWT: it may have expired, or be signed with another widget's key"
            }
            Self::Minted => {
                "check --jwt-user, IMBACHAT_WIDGET and IMBACHAT_SECRET_KEY, and this machine's clock; without --jwt-user the key itself is sent"
            }
            Self::SiteUser => {
                "check IMBACHAT_LOGIN and IMBACHAT_PASSWORD: they are those of a user of the site the widget is on"
            }
        }
    }
}

/// `Retry-After`, in seconds or as a date. The date is counted from the answer's own `Date`: our clock may be off.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let date = |text: &str| {
        jiff::fmt::rfc2822::parse(text)
            .ok()
            .map(|date| date.timestamp())
    };
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = text(DATE)
        .and_then(date)
        .unwrap_or_else(jiff::Timestamp::now);
    Some(Duration::try_from(date(asked)?.duration_since(now)).unwrap_or_default())
}
