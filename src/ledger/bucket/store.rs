//! The client of a store, the paths of a ledger's objects, and the store calls on them. The client
//! makes one attempt per call; `retry` decides about retries.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, TryFutureExt as _, TryStreamExt as _, stream};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, GetOptions, HeaderValue, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMode, PutPayload, RetryConfig, UpdateVersion,
};
use secrecy::{ExposeSecret, SecretString};

use super::super::address::{Address, StoreKind, StoreOptions};
use super::super::error::{LedgerError, Loss};
use super::retry::{Backoff, SET_KEYS, StoreFailure};

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

/// Maximum number of calls to the store at the same time.
pub(super) const CONCURRENT_CALLS: usize = 16;

#[derive(Clone)]
pub(super) struct Store {
    client: Arc<dyn ObjectStore>,
    hidden: Arc<[SecretString]>,
    patience: Duration,
    address: Arc<str>,
    /// The path of the object that pieces are merged into.
    pub(super) base: Path,
    /// The path prefix of all pieces.
    pub(super) pieces: Path,
    /// The path prefix of all claims.
    pub(super) claims: Path,
}

/// The result of one attempt to write an object. [`StoreFailure::Changed`] means that the object
/// exists: another run created it, or an earlier attempt succeeded. After any other failure, the
/// object may have been written or not.
pub(super) type Put = Result<UpdateVersion, StoreFailure>;

/// An object and its version. The failure is `Same` if the object still has the known version, or
/// `Absent` if it does not exist.
pub(super) type Fetched = Result<(Vec<u8>, UpdateVersion), StoreFailure>;

impl Store {
    pub(super) fn connect(address: &Address, options: &StoreOptions) -> Result<Self, LedgerError> {
        let unusable = |reason: String, remedy| LedgerError::Store {
            place: address.to_string(),
            doing: "cannot be reached",
            reason,
            remedy,
        };
        let client = connect(address, options);
        let client = client.map_err(|(reason, remedy)| unusable(reason, remedy))?;
        let key = &address.key;
        let path = |key: String| {
            Path::parse(key).map_err(|error| unusable(error.to_string(), "choose another key"))
        };
        Ok(Self {
            client,
            hidden: options.hidden.as_slice().into(),
            patience: options.timeout * 2,
            address: address.to_string().into(),
            base: path(key.clone())?,
            pieces: path(format!("{key}.d"))?,
            claims: path(format!("{key}.d/claims"))?,
        })
    }

    /// Returns the address of an object for messages.
    pub(super) fn address_of(&self, path: &Path) -> String {
        let key = path.as_ref().strip_prefix(self.base.as_ref());
        format!("{}{}", self.address, key.unwrap_or_default())
    }

    pub(super) fn is_claim(&self, path: &Path) -> bool {
        path.prefix_matches(&self.claims)
    }

    pub(super) fn error(&self, doing: &'static str, failure: StoreFailure) -> LedgerError {
        let (reason, remedy) = failure.into_reason();
        LedgerError::Store {
            place: self.address.to_string(),
            doing,
            reason,
            remedy,
        }
    }

    fn failure(&self, error: object_store::Error) -> StoreFailure {
        StoreFailure::new(&error, &self.hidden)
    }

    pub(super) fn backoff(&self) -> Backoff {
        Backoff::new(self.patience)
    }

    async fn retry<T, F>(&self, call: &str, attempt: impl Fn() -> F) -> Result<T, StoreFailure>
    where
        F: Future<Output = object_store::Result<T>>,
    {
        let attempt = || attempt().map_err(|error| self.failure(error));
        self.backoff().retry(call, attempt).await
    }

    /// Lists the objects directly below a prefix.
    pub(super) async fn list(&self, prefix: &Path) -> Result<Vec<ObjectMeta>, LedgerError> {
        let list = || self.client.list_with_delimiter(Some(prefix));
        match self.retry("list", list).await {
            Ok(listed) => Ok(listed.objects),
            Err(failure) => Err(self.error("cannot be listed", failure)),
        }
    }

    /// Fetches an object; `None` if it does not exist.
    pub(super) async fn fetch(&self, path: &Path) -> Result<Option<Vec<u8>>, LedgerError> {
        let fetched = self.fetch_new(path, None).await?;
        Ok(fetched.ok().map(|(bytes, _)| bytes))
    }

    /// Fetches an object if its version is not the known one.
    pub(super) async fn fetch_new(
        &self,
        path: &Path,
        known: Option<&UpdateVersion>,
    ) -> Result<Fetched, LedgerError> {
        let fetch = || self.try_fetch(path, known);
        match self.backoff().retry("get", fetch).await {
            fetched @ (Ok(_) | Err(StoreFailure::Same | StoreFailure::Absent(_))) => Ok(fetched),
            Err(failure) => Err(self.error("cannot be read", failure)),
        }
    }

    async fn try_fetch(&self, path: &Path, known: Option<&UpdateVersion>) -> Fetched {
        let options = GetOptions {
            if_none_match: known.and_then(|known| known.e_tag.clone()),
            ..GetOptions::default()
        };
        let got = self.client.get_opts(path, options).await;
        let got = got.map_err(|error| self.failure(error))?;
        let version = UpdateVersion {
            e_tag: got.meta.e_tag.clone(),
            version: got.meta.version.clone(),
        };
        let bytes = got.bytes().await.map_err(|error| self.failure(error))?;
        Ok((bytes.to_vec(), version))
    }

    /// Makes one attempt to write an object.
    pub(super) async fn put(
        &self,
        path: &Path,
        bytes: &[u8],
        mode: PutMode,
    ) -> Result<Put, LedgerError> {
        match self.try_put(path, bytes, mode).await {
            Err(StoreFailure::Exists) => Ok(Err(StoreFailure::Changed)),
            put @ (Ok(_) | Err(StoreFailure::Changed | StoreFailure::Transient(..))) => Ok(put),
            Err(failure) => Err(self.error("cannot be written", failure)),
        }
    }

    /// Checks that the store refuses to write an object again under the same condition. If the
    /// store ignored conditions, two runs could overwrite each other's objects or send the same
    /// message. Returns false if the store did not answer.
    pub(super) async fn check_conditions(
        &self,
        path: &Path,
        bytes: &[u8],
        mode: PutMode,
        doing: &'static str,
    ) -> Result<bool, LedgerError> {
        match self.put(path, bytes, mode).await? {
            Err(StoreFailure::Changed) => Ok(true),
            Err(_) => Ok(false),
            Ok(_) => {
                let reason = "the store ignores If-Match and If-None-Match, so two runs could overwrite each other";
                let remedy = "update the store, or use a store that honours conditional writes; docs/ledger-in-a-bucket.md names such stores";
                let failure = StoreFailure::Permanent(reason.to_owned(), remedy);
                Err(self.error(doing, failure))
            }
        }
    }

    async fn try_put(&self, path: &Path, bytes: &[u8], mode: PutMode) -> Put {
        let payload = PutPayload::from(bytes.to_vec());
        let put = self.client.put_opts(path, payload, mode.into()).await;
        put.map(Into::into).map_err(|error| self.failure(error))
    }

    /// Writes an object under a name unique to this run. If the object already exists with this
    /// content, an earlier attempt succeeded.
    pub(super) async fn put_piece(
        &self,
        path: &Path,
        bytes: &[u8],
    ) -> Result<UpdateVersion, LedgerError> {
        let put = || async move {
            match self.try_put(path, bytes, PutMode::Create).await {
                Err(StoreFailure::Exists | StoreFailure::Changed) => {
                    self.check_content(path, bytes).await
                }
                put => put,
            }
        };
        let written = self.backoff().retry("put", put).await;
        written.map_err(|failure| self.error("cannot be written", failure))
    }

    async fn check_content(&self, path: &Path, bytes: &[u8]) -> Put {
        match self.try_fetch(path, None).await {
            Ok((content, version)) if content == bytes => Ok(version),
            Ok(_) => Err(StoreFailure::Permanent(
                format!("`{}` exists with other content", self.address_of(path)),
                "find out what else writes to this location, then run again",
            )),
            // A store may report that an object exists while an earlier attempt is still writing
            // it.
            Err(StoreFailure::Same | StoreFailure::Absent(_)) => {
                let reason = "the store is busy with the same object";
                Err(StoreFailure::Transient(reason.to_owned(), "run it again"))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Removes an object. Succeeds if the object does not exist.
    pub(super) async fn remove(&self, path: &Path) -> Result<(), LedgerError> {
        match self.retry("delete", || self.client.delete(path)).await {
            Ok(()) | Err(StoreFailure::Absent(_)) => Ok(()),
            Err(failure) => Err(self.error("a merged object cannot be removed", failure)),
        }
    }

    /// Fetches the metadata of an object; `None` if it does not exist.
    pub(super) async fn head(&self, path: &Path) -> Result<Option<ObjectMeta>, LedgerError> {
        match self.retry("head", || self.client.head(path)).await {
            Ok(object) => Ok(Some(object)),
            Err(StoreFailure::Absent(_)) => Ok(None),
            Err(failure) => Err(self.error("cannot be read", failure)),
        }
    }

    pub(super) fn lost(&self, loss: Loss) -> LedgerError {
        let place = self.address.to_string();
        LedgerError::Lost { place, loss }
    }
}

/// Runs futures, at most `limit` at the same time, and returns their outputs. After the first
/// error, the other futures are dropped.
pub(super) async fn run_concurrently<T, F>(
    limit: usize,
    work: impl Iterator<Item = F>,
) -> Result<Vec<T>, LedgerError>
where
    F: Future<Output = Result<T, LedgerError>>,
{
    let work: Vec<F> = work.collect();
    let outputs = stream::iter(work).buffer_unordered(limit.max(1));
    outputs.try_collect().await
}

/// Why no client can be created, and what the user can do about it.
type Refusal = (String, &'static str);

/// Creates a client, without sending a request.
fn connect(address: &Address, options: &StoreOptions) -> Result<Arc<dyn ObjectStore>, Refusal> {
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
