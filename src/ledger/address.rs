//! The name of a ledger as the user writes it: a path, or the address of an object in a bucket.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

pub use crate::model::StoreKind;

/// Where a ledger is stored, as the user named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// The ledger is a file at this path.
    File(PathBuf),
    /// The ledger is an object in a bucket.
    Object(Address),
}

/// The address of an object in a bucket, such as `s3://bucket/key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The API of the store.
    pub kind: StoreKind,
    /// The name of the bucket. In Azure, the name of the container.
    pub bucket: String,
    /// The key of the object in the bucket.
    pub key: String,
}

/// The settings of a bucket client, in addition to the address.
#[derive(Debug, Clone, Default)]
pub struct StoreOptions {
    /// Environment variables, such as `AWS_REGION`, with their values. The client does not read the
    /// environment.
    pub variables: Vec<(&'static str, SecretString)>,
    /// Secrets to redact in messages.
    pub hidden: Vec<SecretString>,
    /// The time limit of one request. A request is retried for at most twice as long.
    pub timeout: Duration,
}

/// An invalid or unsupported ledger name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--ledger: {reason}")]
pub struct NameError {
    reason: String,
    hint: &'static str,
}

impl NameError {
    fn new(reason: impl Into<String>, hint: &'static str) -> Self {
        let reason = reason.into();
        Self { reason, hint }
    }

    #[cfg(not(feature = "object-store"))]
    pub(super) fn unsupported(address: &Address) -> Self {
        Self::new(
            format!("`{address}`: this roomform was built without object stores"),
            "build roomform with the feature `object-store`, which is on by default, or name a file",
        )
    }

    /// Returns what the user can do about the error.
    pub fn hint(&self) -> &'static str {
        self.hint
    }
}

impl Name {
    /// Parses a path, `file:///path`, `s3://bucket/key`, `gs://bucket/key` or `az://container/key`.
    ///
    /// # Errors
    /// Returns a [`NameError`] if the scheme is unknown, or if the bucket or the object is missing
    /// or invalid.
    pub fn parse(name: &Path) -> Result<Self, NameError> {
        let scheme = name.to_str().and_then(|text| text.split_once("://"));
        // A name such as `./a://b` is a path, because `./a` cannot be a scheme.
        let is_word = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric());
        let Some((scheme, rest)) = scheme.filter(|(scheme, _)| is_word(scheme)) else {
            return Ok(Self::File(name.to_owned()));
        };
        match (scheme, StoreKind::from_name(scheme)) {
            (_, Some(kind)) => Address::new(kind, rest).map(Self::Object),
            ("file", None) if rest.starts_with('/') => Ok(Self::File(rest.into())),
            ("file", None) => {
                let reason = "a file: address has no host";
                Err(NameError::new(reason, "write it as file:///path"))
            }
            // Do not print the whole address, because it may contain a password.
            (other, None) => {
                let reason = format!("`{other}:` is not a ledger address");
                let hint = "name a path, or s3://bucket/key, gs://bucket/key, az://container/key";
                Err(NameError::new(reason, hint))
            }
        }
    }
}

impl Address {
    fn new(kind: StoreKind, rest: &str) -> Result<Self, NameError> {
        let hint = match kind {
            StoreKind::S3 => "write it as s3://bucket/rooms/ledger.jsonl",
            StoreKind::Google => "write it as gs://bucket/rooms/ledger.jsonl",
            StoreKind::Azure => "write it as az://container/rooms/ledger.jsonl",
        };
        if rest.contains('@') {
            let reason = "remove the credentials from the address; they come from the environment";
            return Err(NameError::new(reason, hint));
        }
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let is_bucket_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if bucket.is_empty() || !bucket.chars().all(is_bucket_char) {
            return Err(NameError::new(
                "the address has no valid bucket or container name",
                hint,
            ));
        }
        let is_plain = |part: &str| {
            let printable = |c: char| c.is_ascii_graphic() && !"?#%\\*\"<>|`".contains(c);
            !matches!(part, "" | "." | "..") && part.chars().all(printable)
        };
        if !key.split('/').all(is_plain) {
            let reason = "the address names no object: after the bucket, write names of letters, digits and punctuation, separated by `/`";
            return Err(NameError::new(reason, hint));
        }
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        Ok(Self { kind, bucket, key })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/{}", self.kind.name(), self.bucket, self.key)
    }
}
