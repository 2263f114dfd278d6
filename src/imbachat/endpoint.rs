//! The API's address, checked to be safe for secrets.

use std::net::IpAddr;

use reqwest::Url;

use super::failure::{Delivery, Failure};

/// The base address of an API, checked to be safe for secrets.
#[derive(Debug, Clone)]
pub struct Endpoint {
    base: Url,
}

impl Endpoint {
    /// Checks an address. Allows https, http to this machine, or any http if `insecure`.
    ///
    /// # Errors
    /// If the address is invalid or not allowed, with a hint.
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
                .hint("credentials come from the environment"));
        }
        let endpoint = Self { base };
        if endpoint.base.scheme() == "http" && !endpoint.is_loopback() && !insecure {
            return Err(wrong("plain http would send the credentials unencrypted")
                .hint("use https, or pass --allow-insecure-http to send them anyway"));
        }
        Ok(endpoint)
    }

    /// Scheme, host, port, and the base path if there is one, because two paths may be two servers.
    pub fn origin(&self) -> String {
        let path = self.base.path().trim_end_matches('/');
        format!("{}{path}", self.base.origin().ascii_serialization())
    }

    /// The host, with the port if it is not the default; used in file names.
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

    /// Joins a path to the base address.
    pub(super) fn join(&self, path: &str) -> Result<Url, Failure> {
        let address = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        Url::parse(&address).map_err(|error| wrong(&error.to_string()))
    }
}

fn wrong(reason: &str) -> Failure {
    let message = format!("invalid API address: {reason}");
    Failure::lasting(Delivery::NotSent, message)
}
