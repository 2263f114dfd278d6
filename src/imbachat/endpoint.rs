//! Checks that the address of an API is safe for credentials.

use std::net::IpAddr;

use reqwest::Url;

use super::failure::{Delivery, Failure};

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
    let message = format!("invalid API address: {reason}");
    Failure::lasting(Delivery::NotSent, message)
}
