//! How to reach a server: checks that its address is safe for credentials, and selects the proxy
//! and the trusted certificates.
//!
//! Main types: [`Endpoint`] and [`Network`]. The HTTP library ignores unusable environment
//! variables; this module reports them as errors.

use std::net::IpAddr;
use std::path::Path;

use hyper_util::client::proxy::matcher::Matcher;
use percent_encoding::percent_decode_str;
use reqwest::Url;
use rustls_native_certs::load_certs_from_paths;
use secrecy::{ExposeSecret, SecretString};

use super::retry::{Cause, Failure};

/// The base address of an API. Credentials may be sent to it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    base: Url,
}

impl Endpoint {
    /// Checks an address. https is always allowed. http is allowed to this machine; to other
    /// hosts, it is allowed only if `insecure` is true.
    ///
    /// # Errors
    /// Returns a [`Failure`] with a hint if the address is invalid or not allowed.
    pub fn new(address: &str, insecure: bool) -> Result<Self, Failure> {
        let base = Url::parse(address)
            .map_err(|error| wrong(&error.to_string()).hint("write it as https://host"))?;
        if base.host_str().is_none() || !matches!(base.scheme(), "http" | "https") {
            return Err(wrong("it is neither https nor http").hint("write it as https://host"));
        }
        if !base.username().is_empty()
            || base.password().is_some()
            || base.query().is_some()
            || base.fragment().is_some()
        {
            return Err(wrong("it has a user, a password, a query or a fragment")
                .hint("remove these parts; credentials are read from the environment"));
        }
        let endpoint = Self { base };
        if endpoint.base.scheme() == "http" && !endpoint.is_loopback() && !insecure {
            return Err(wrong("plain http would send the credentials unencrypted")
                .hint("use https, or pass --allow-insecure-http to send them anyway"));
        }
        Ok(endpoint)
    }

    /// Returns the scheme, host and port, with the base path if there is one, because two paths on
    /// one host may be two servers.
    pub fn origin(&self) -> String {
        let path = self.base.path().trim_end_matches('/');
        format!("{}{path}", self.base.origin().ascii_serialization())
    }

    /// Returns the host, with the port and path if they are not the default, for use in file names.
    pub fn host_label(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        let port = self.base.port().map(|port| format!(":{port}"));
        let path = self.base.path().trim_end_matches('/');
        let label = format!("{host}{}{path}", port.unwrap_or_default());
        label.replace(
            |c: char| !c.is_ascii_alphanumeric() && !".-".contains(c),
            "_",
        )
    }

    pub(super) fn is_https(&self) -> bool {
        self.base.scheme() == "https"
    }

    pub(super) fn is_loopback(&self) -> bool {
        let host = self.base.host_str().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// Appends a path to the base address.
    pub(super) fn join(&self, path: &str) -> Result<Url, Failure> {
        let address = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        Url::parse(&address).map_err(|error| wrong(&error.to_string()))
    }
}

fn wrong(reason: &str) -> Failure {
    Failure::not_sent(format!("invalid API address: {reason}"))
}

/// The environment variables for proxies and trusted certificates, with their values. A value may
/// contain a password.
#[derive(Debug, Clone, Default)]
pub struct Network(pub Vec<(&'static str, SecretString)>);

/// The proxy that the connection uses.
#[derive(Debug, Clone)]
pub(super) struct Proxy {
    /// The environment variable that names the proxy.
    name: &'static str,
    /// The proxy's address, without the user and the password.
    shown: String,
    pub(super) address: SecretString,
    /// The decoded password. From it, the redactor derives every encoded form to hide.
    pub(super) password: Option<SecretString>,
}

impl Network {
    /// Returns the first of these variables that is set, with its value.
    fn find(&self, names: &[&str]) -> Option<(&'static str, &str)> {
        names.iter().find_map(|name| {
            let (name, value) = self.0.iter().find(|(known, _)| known == name)?;
            Some((*name, value.expose_secret()))
        })
    }

    /// Returns the proxy for an address, if one is set. This machine is never reached through a
    /// proxy.
    pub(super) fn proxy(&self, endpoint: &Endpoint) -> Result<Option<Proxy>, Failure> {
        let names = match endpoint.is_https() {
            true => ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
            false => ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
        };
        let Some((name, value)) = self.find(&names).filter(|_| !endpoint.is_loopback()) else {
            return Ok(None);
        };
        let url = parse_proxy(name, value)?;
        if is_exempt(&self.exemptions()?, endpoint) {
            return Ok(None);
        }
        Ok(Some(Proxy {
            name,
            shown: without_user(&url),
            address: SecretString::from(url.as_str()),
            password: url.password().map(|password| {
                let decoded = percent_decode_str(password).decode_utf8_lossy();
                SecretString::from(decoded.as_ref())
            }),
        }))
    }

    /// Checks all variables. Call this for clients that ignore unusable variables.
    ///
    /// # Errors
    /// Returns a [`Failure`] if a variable is unusable.
    pub fn check(&self) -> Result<(), Failure> {
        for (name, value) in self.0.iter().filter(|(name, _)| is_proxy(name)) {
            parse_proxy(name, value.expose_secret())?;
        }
        self.exemptions()?;
        self.check_certificates()
    }

    /// Returns the entries of NO_PROXY.
    fn exemptions(&self) -> Result<Vec<&str>, Failure> {
        let Some((name, list)) = self.find(&["NO_PROXY", "no_proxy"]) else {
            return Ok(Vec::new());
        };
        // Many programs accept `*.host` with the same meaning as `.host`.
        let entries = list.split(',').map(str::trim);
        let entries: Vec<&str> = entries
            .map(|entry| match entry.strip_prefix('*') {
                Some(domain) if domain.starts_with('.') => domain,
                _ => entry,
            })
            .collect();
        match entries.iter().find(|entry| !is_host(entry)) {
            None => Ok(entries),
            Some(entry) => {
                let message =
                    format!("{name}: `{entry}` is neither a host nor an address nor a network");
                let hint = "write hosts, addresses or networks (10.0.0.0/8), separated by commas";
                Err(Failure::not_sent(message).hint(hint))
            }
        }
    }

    /// Checks that the file in SSL_CERT_FILE, and at least one directory in SSL_CERT_DIR, contain
    /// certificates.
    pub(super) fn check_certificates(&self) -> Result<(), Failure> {
        if let Some((name, file)) = self.find(&["SSL_CERT_FILE"]) {
            check_certificates(name, Path::new(file), true)?;
        }
        let Some((name, list)) = self.find(&["SSL_CERT_DIR"]) else {
            return Ok(());
        };
        let directories = list.split(if cfg!(windows) { ';' } else { ':' });
        let directories = directories.filter(|path| !path.is_empty()).map(Path::new);
        let checked = directories.map(|directory| check_certificates(name, directory, false));
        checked.reduce(Result::or).unwrap_or(Ok(()))
    }
}

/// Checks that a file or a directory contains certificates.
fn check_certificates(name: &str, path: &Path, is_file: bool) -> Result<(), Failure> {
    let problem = match path.metadata() {
        Err(error) => format!("cannot be read: {error}"),
        // A device is refused, because reading it may never end.
        Ok(metadata) if is_file && !metadata.is_file() => "is not a regular file".to_owned(),
        Ok(metadata) if !is_file && !metadata.is_dir() => "is not a directory".to_owned(),
        Ok(_) => {
            let (file, directory) = (is_file.then_some(path), (!is_file).then_some(path));
            let loaded = load_certs_from_paths(file, directory);
            if !loaded.certs.is_empty() {
                return Ok(());
            }
            let error = loaded.errors.first();
            error.map_or_else(
                || "holds no certificate".to_owned(),
                |error| format!("cannot be read: {error}"),
            )
        }
    };
    let message = format!("{name}: `{}` {problem}", path.display());
    let hint = format!(
        "set {name} to the path of the certificates (PEM) of the authorities to trust, or unset it"
    );
    Err(Failure::from_cause(Cause::Tls, message).hint(hint))
}

/// Returns the text that `doctor` shows for a variable: its value, without a password.
pub fn show_variable(name: &str, value: &SecretString) -> String {
    let value = value.expose_secret();
    match is_proxy(name) {
        true => proxy_address(value).map_or_else(
            || "not the address of an HTTP proxy".to_owned(),
            |url| without_user(&url),
        ),
        false => value.to_owned(),
    }
}

fn is_proxy(name: &str) -> bool {
    let name = name.to_uppercase();
    name.ends_with("_PROXY") && name != "NO_PROXY"
}

fn parse_proxy(name: &str, value: &str) -> Result<Url, Failure> {
    proxy_address(value).ok_or_else(|| {
        let message = format!("{name} is not the address of an HTTP proxy");
        Failure::not_sent(message).hint(format!("write {name} as http://host:port"))
    })
}

fn proxy_address(value: &str) -> Option<Url> {
    let url = match value.contains("://") {
        true => Url::parse(value),
        false => Url::parse(&format!("http://{value}")),
    };
    url.ok().filter(|url| {
        let is_origin = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        matches!(url.scheme(), "http" | "https") && is_origin
    })
}

fn without_user(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}://{host}:{port}", url.scheme())
}

/// Returns whether NO_PROXY excludes the server from the proxy.
fn is_exempt(entries: &[&str], endpoint: &Endpoint) -> bool {
    let matcher = Matcher::builder().all("http://proxy").no(entries.join(","));
    let origin = endpoint.origin().parse();
    origin.is_ok_and(|origin| matcher.build().intercept(&origin).is_none())
}

fn is_host(entry: &str) -> bool {
    let (address, prefix) = entry.split_once('/').unwrap_or((entry, "0"));
    let is_network = address.parse::<IpAddr>().is_ok() && prefix.parse::<u8>().is_ok();
    entry == "*"
        || is_network
        || entry
            .chars()
            .all(|c| c.is_alphanumeric() || "-_.".contains(c))
}

impl Proxy {
    /// Returns the failure for a connection that could not be made through the proxy.
    pub(super) fn fail(&self, cause: Cause, reason: &str, origin: &str) -> Failure {
        let Self { name, .. } = self;
        if reason.contains("tunnel error: proxy authorization required") {
            return self.login();
        }
        let failure = match cause {
            _ if reason.contains("tunnel error: unsuccessful") => {
                let message = format!("{self} does not connect to {origin}");
                return Failure::from_cause(cause, message).hint(
                    "ask the proxy's operator to allow it, or add the server's host to NO_PROXY",
                );
            }
            Cause::NoConnectionInTime => format!("{self} did not connect to {origin} in time"),
            // The outer causes only repeat that there is no connection, so show the innermost one.
            _ => format!(
                "no connection to {self}: {}",
                reason.rsplit(": ").next().unwrap_or_default()
            ),
        };
        let hint = format!("check {name}, or add the server's host to NO_PROXY");
        Failure::from_cause(cause, failure).hint(hint)
    }

    /// Returns the failure for a proxy that rejects the user and the password, or that asks for
    /// them if none are set.
    pub(super) fn login(&self) -> Failure {
        let (message, hint) = match self.password {
            Some(_) => ("does not accept the user and the password", "check them in"),
            None => (
                "asks for a user and a password",
                "write http://user:password@host:port in",
            ),
        };
        let message = format!("{self} {message} (HTTP 407)");
        let hint = format!("{hint} {}", self.name);
        Failure::from_cause(Cause::Status(407), message).hint(hint)
    }
}

impl std::fmt::Display for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, shown, .. } = self;
        write!(f, "the proxy {shown} ({name})")
    }
}
