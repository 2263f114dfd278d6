//! Creates the client of a store from an address and variables. The client makes one attempt per
//! call; `retry` decides about retries.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{BackoffConfig, ClientOptions, HeaderValue, ObjectStore, RetryConfig};
use secrecy::ExposeSecret;

use super::super::address::{Address, StoreKind, StoreOptions};
use super::retry::{SET_KEYS, StoreFailure};

const AGENT: &str = concat!("roomform/", env!("CARGO_PKG_VERSION"));

/// The variables that set the URL of the server.
const ENDPOINTS: [&str; 5] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS",
    "AZURE_STORAGE_ENDPOINT",
    "GOOGLE_BASE_URL",
];

const ALLOW_HTTP: [&str; 3] = ["AWS_ALLOW_HTTP", "AZURE_ALLOW_HTTP", "GOOGLE_ALLOW_HTTP"];

/// Why no client can be created, and what the user can do about it.
type Refusal = (String, &'static str);

/// Creates a client, without sending a request.
pub(super) fn connect(
    address: &Address,
    options: &StoreOptions,
) -> Result<Arc<dyn ObjectStore>, Refusal> {
    let variables = options.variables.iter();
    let variables: Vec<_> = variables
        .map(|(name, value)| (*name, value.expose_secret()))
        .collect();
    let client = client(options.timeout, allows_http(&variables)?);
    build(address, &variables, client).map_err(|error| {
        let (reason, _) = StoreFailure::new(&error, &options.hidden).into_reason();
        (reason, SET_KEYS)
    })
}

fn build(
    address: &Address,
    variables: &[(&'static str, &str)],
    client: ClientOptions,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    // A call without an answer may have succeeded, so only our code decides about retries.
    let no_retries = RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: 0,
        retry_timeout: Duration::ZERO,
    };
    // The library knows the variables, so each one is passed on under its own name.
    macro_rules! build {
        ($builder:expr, $with_name:ident) => {{
            let mut builder = $builder.with_client_options(client).with_retry(no_retries);
            for (name, value) in variables
                .iter()
                .filter(|(name, _)| !ALLOW_HTTP.contains(name))
            {
                builder = builder.with_config(name.to_ascii_lowercase().parse()?, *value);
            }
            Arc::new(builder.$with_name(&address.bucket).build()?)
        }};
    }
    Ok(match address.kind {
        StoreKind::S3 => {
            // Avoid bulk deletes, because some S3-compatible servers do not support them.
            let key = AmazonS3ConfigKey::DisableBulkDelete;
            let builder = AmazonS3Builder::new().with_config(key, "true");
            build!(builder, with_bucket_name)
        }
        StoreKind::Google => build!(GoogleCloudStorageBuilder::new(), with_bucket_name),
        StoreKind::Azure => build!(MicrosoftAzureBuilder::new(), with_container_name),
    })
}

fn client(timeout: Duration, plain_http: bool) -> ClientOptions {
    ClientOptions::new()
        .with_timeout(timeout)
        .with_connect_timeout(timeout.min(Duration::from_secs(10)))
        .with_user_agent(HeaderValue::from_static(AGENT))
        .with_allow_http(plain_http)
}

/// Returns whether to allow plain HTTP: always for this machine, and for other servers only if a
/// variable allows it.
fn allows_http(variables: &[(&'static str, &str)]) -> Result<bool, Refusal> {
    let is_yes = |value: &str| {
        let value = value.to_ascii_lowercase();
        matches!(value.trim(), "true" | "1" | "yes" | "on")
    };
    let plain_http: Vec<_> = variables
        .iter()
        .filter(|(name, value)| ENDPOINTS.contains(name) && value.starts_with("http://"))
        .collect();
    let mut variables = variables.iter();
    if variables.any(|(name, value)| ALLOW_HTTP.contains(name) && is_yes(value)) {
        return Ok(!plain_http.is_empty());
    }
    match plain_http.iter().find(|(_, value)| !is_this_machine(value)) {
        Some((name, _)) => Err((
            format!("{name} is an http address of another machine"),
            "use https; to send signed requests unencrypted, set AWS_ALLOW_HTTP=true (or AZURE_ALLOW_HTTP, GOOGLE_ALLOW_HTTP)",
        )),
        None => Ok(!plain_http.is_empty()),
    }
}

fn is_this_machine(url: &str) -> bool {
    let rest = url.trim_start_matches("http://");
    let host = rest.split('/').next().unwrap_or_default();
    // Skip the user name before `@`, because it may look like a host.
    let host = host.rsplit('@').next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let address = name.parse::<std::net::IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
