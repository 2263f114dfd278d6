//! An address and variables -> a client of the store. One attempt a call: who may try again is decided in `store`.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{BackoffConfig, ClientOptions, HeaderValue, ObjectStore, RetryConfig};
use secrecy::ExposeSecret;

use super::super::address::{Address, StoreKind, StoreOptions};

const AGENT: &str = concat!("roomform/", env!("CARGO_PKG_VERSION"));

/// Variables that name a server.
const ENDPOINTS: [&str; 5] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS",
    "AZURE_STORAGE_ENDPOINT",
    "GOOGLE_BASE_URL",
];

/// Variables that allow a server without TLS.
const IN_CLEAR: [&str; 3] = ["AWS_ALLOW_HTTP", "AZURE_ALLOW_HTTP", "GOOGLE_ALLOW_HTTP"];

/// Why there is no client.
pub(super) enum Refusal {
    /// This variable would send credentials in clear.
    InClear(&'static str),
    /// The library refused a variable.
    Invalid(object_store::Error),
}

impl From<object_store::Error> for Refusal {
    fn from(error: object_store::Error) -> Self {
        Self::Invalid(error)
    }
}

/// A client; nothing is sent yet.
pub(super) fn connect(
    address: &Address,
    options: &StoreOptions,
) -> Result<Arc<dyn ObjectStore>, Refusal> {
    let variables: Vec<(&'static str, &str)> = options
        .variables
        .iter()
        .map(|(name, value)| (*name, value.expose_secret()))
        .collect();
    let client = client(options.timeout, allows_http(&variables)?);
    Ok(match address.kind {
        StoreKind::S3 => {
            let builder = AmazonS3Builder::new()
                .with_client_options(client)
                .with_retry(once())
                // Some servers that speak like S3 know no other way.
                .with_config(AmazonS3ConfigKey::DisableBulkDelete, "true");
            let builder = given(&variables, builder, |builder, key, value| {
                builder.with_config(key, value)
            })?;
            Arc::new(builder.with_bucket_name(&address.bucket).build()?)
        }
        StoreKind::Google => {
            let builder = GoogleCloudStorageBuilder::new()
                .with_client_options(client)
                .with_retry(once());
            let builder = given(&variables, builder, |builder, key, value| {
                builder.with_config(key, value)
            })?;
            Arc::new(builder.with_bucket_name(&address.bucket).build()?)
        }
        StoreKind::Azure => {
            let builder = MicrosoftAzureBuilder::new()
                .with_client_options(client)
                .with_retry(once());
            let builder = given(&variables, builder, |builder, key, value| {
                builder.with_config(key, value)
            })?;
            Arc::new(builder.with_container_name(&address.bucket).build()?)
        }
    })
}

/// The builder with all variables, by the library's own names for them.
fn given<B, K: Key>(
    variables: &[(&'static str, &str)],
    builder: B,
    with: impl Fn(B, K, String) -> B,
) -> Result<B, object_store::Error> {
    let mut builder = builder;
    for (name, value) in variables
        .iter()
        .filter(|(name, _)| !IN_CLEAR.contains(name))
    {
        let key = K::from_str(&name.to_ascii_lowercase())?;
        builder = with(builder, key, (*value).to_owned());
    }
    Ok(builder)
}

trait Key: FromStr<Err = object_store::Error> {}
impl Key for AmazonS3ConfigKey {}
impl Key for GoogleConfigKey {}
impl Key for AzureConfigKey {}

fn client(timeout: Duration, in_clear: bool) -> ClientOptions {
    ClientOptions::new()
        .with_timeout(timeout)
        .with_connect_timeout(timeout.min(Duration::from_secs(10)))
        .with_user_agent(HeaderValue::from_static(AGENT))
        .with_allow_http(in_clear)
}

/// No attempt but the first: one that was lost may have been carried out, and only we know what that means.
fn once() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: 0,
        retry_timeout: Duration::ZERO,
    }
}

/// Whether a server may be spoken to without TLS: this machine, and any where somebody said so.
fn allows_http(variables: &[(&'static str, &str)]) -> Result<bool, Refusal> {
    let mut variables_in_clear = variables
        .iter()
        .filter(|(name, value)| ENDPOINTS.contains(name) && value.starts_with("http://"))
        .peekable();
    if variables_in_clear.peek().is_none() {
        return Ok(false);
    }
    let yes = |value: &str| {
        matches!(
            value.to_ascii_lowercase().trim(),
            "true" | "1" | "yes" | "on"
        )
    };
    let mut allowed = variables.iter();
    if allowed.any(|(name, value)| IN_CLEAR.contains(name) && yes(value)) {
        return Ok(true);
    }
    match variables_in_clear.find(|(_, value)| !is_this_machine(value)) {
        Some((name, _)) => Err(Refusal::InClear(name)),
        None => Ok(true),
    }
}

fn is_this_machine(url: &str) -> bool {
    let rest = url.trim_start_matches("http://");
    let host = rest.split('/').next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let address = name.parse::<std::net::IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
