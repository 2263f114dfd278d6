//! The objects of one ledger, and the calls to them: what may be tried again is, with pauses that no two writers share.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path;
use object_store::{
    GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion,
};
use secrecy::SecretString;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::info;

use super::super::address::{Address, StoreOptions};
use super::super::file::LedgerError;
use super::call::{KEYS, Trouble};
use super::connect::{Refusal, connect};

/// Objects that are read, or removed, at a time.
pub(super) const AT_ONCE: usize = 16;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A ledger's objects.
#[derive(Clone)]
pub(super) struct Store {
    inner: Arc<dyn ObjectStore>,
    hidden: Arc<[SecretString]>,
    patience: Duration,
    address: Arc<str>,
    /// What pieces are merged into.
    pub(super) base: Path,
    /// What pieces lie below.
    pub(super) pieces: Path,
    /// What claims lie below.
    pub(super) claims: Path,
}

/// What became of one attempt to put an object.
pub(super) enum Put {
    /// It is there.
    Done(UpdateVersion),
    /// Somebody else was quicker, or an earlier attempt was not lost after all.
    Taken,
    /// Nobody knows; this is why.
    Lost(Trouble),
}

/// An object that was read only if it is another than before.
pub(super) enum Fetched {
    Bytes(Vec<u8>, UpdateVersion),
    Same,
    Absent,
}

impl Store {
    pub(super) fn connect(address: &Address, options: &StoreOptions) -> Result<Self, LedgerError> {
        let key = address.key.as_str();
        let unusable = |reason: String, remedy| LedgerError::Store {
            place: address.to_string(),
            doing: "cannot be reached",
            reason,
            remedy,
        };
        let path = |key: String| {
            Path::parse(key).map_err(|error| unusable(error.to_string(), "choose another key"))
        };
        let inner = connect(address, options).map_err(|refusal| match refusal {
            Refusal::InClear(name) => unusable(
                format!("{name} is an http address that is not this machine"),
                "use https; or set AWS_ALLOW_HTTP=true (AZURE_, GOOGLE_) to send what is signed in clear",
            ),
            Refusal::Given(error) => {
                let (reason, _) = Trouble::of(&error, &options.hidden).told();
                unusable(reason, KEYS)
            }
        })?;
        Ok(Self {
            inner,
            hidden: options.hidden.as_slice().into(),
            patience: options.timeout * 2,
            address: address.to_string().into(),
            base: path(key.to_owned())?,
            pieces: path(format!("{key}.d"))?,
            claims: path(format!("{key}.d/claims"))?,
        })
    }

    /// The address of one of its objects, for messages.
    pub(super) fn name(&self, path: &Path) -> String {
        let key = path.as_ref().strip_prefix(self.base.as_ref());
        format!("{}{}", self.address, key.unwrap_or_default())
    }

    pub(super) fn error(&self, doing: &'static str, trouble: Trouble) -> LedgerError {
        let (reason, remedy) = trouble.told();
        LedgerError::Store {
            place: self.address.to_string(),
            doing,
            reason,
            remedy,
        }
    }

    fn trouble(&self, error: object_store::Error) -> Trouble {
        Trouble::of(&error, &self.hidden)
    }

    /// What lies directly below a prefix.
    pub(super) async fn list(&self, below: &Path) -> Result<Vec<ObjectMeta>, LedgerError> {
        let list = || async move {
            let listed = self.inner.list_with_delimiter(Some(below)).await;
            listed.map_err(|error| self.trouble(error))
        };
        let listed = self.persist("list", list).await;
        match listed {
            Ok(listed) => Ok(listed.objects),
            Err(trouble) => Err(self.error("cannot be listed", trouble)),
        }
    }

    /// An object, if there is one, and if it is not this one.
    pub(super) async fn fetch(
        &self,
        path: &Path,
        known: Option<&UpdateVersion>,
    ) -> Result<Fetched, LedgerError> {
        let fetch = || async move {
            let options = GetOptions {
                if_none_match: known.and_then(|known| known.e_tag.clone()),
                ..GetOptions::default()
            };
            let got = self.inner.get_opts(path, options).await;
            let got = got.map_err(|error| self.trouble(error))?;
            let version = UpdateVersion {
                e_tag: got.meta.e_tag.clone(),
                version: got.meta.version.clone(),
            };
            let bytes = got.bytes().await.map_err(|error| self.trouble(error))?;
            Ok((bytes.to_vec(), version))
        };
        match self.persist("get", fetch).await {
            Ok((bytes, version)) => Ok(Fetched::Bytes(bytes, version)),
            Err(Trouble::Same) => Ok(Fetched::Same),
            Err(Trouble::Absent(_)) => Ok(Fetched::Absent),
            Err(trouble) => Err(self.error("cannot be read", trouble)),
        }
    }

    /// One attempt to put an object.
    pub(super) async fn put(
        &self,
        path: &Path,
        bytes: &[u8],
        mode: PutMode,
    ) -> Result<Put, LedgerError> {
        let payload = PutPayload::from(bytes.to_vec());
        let put = self.inner.put_opts(path, payload, mode.into()).await;
        match put.map_err(|error| self.trouble(error)) {
            Ok(done) => Ok(Put::Done(done.into())),
            Err(Trouble::Exists | Trouble::Changed) => Ok(Put::Taken),
            Err(trouble @ Trouble::Passing(..)) => Ok(Put::Lost(trouble)),
            Err(trouble) => Err(self.error("cannot be written", trouble)),
        }
    }

    /// Puts an object under a name that only this run has, however often it takes: who finds its own words there has been
    /// heard before.
    pub(super) async fn put_piece(&self, path: &Path, bytes: &[u8]) -> Result<(), LedgerError> {
        let put = || async move {
            match self.put(path, bytes, PutMode::Create).await {
                Ok(Put::Done(_)) => Ok(Ok(())),
                Ok(Put::Lost(trouble)) => Err(trouble),
                Ok(Put::Taken) => self.is_ours(path, bytes).await,
                Err(error) => Ok(Err(error)),
            }
        };
        let written = self.persist("put", put).await;
        written.map_err(|trouble| self.error("cannot be written", trouble))?
    }

    /// Whether an object that is there already holds just this. An attempt that is still on its way makes a store say so too early.
    async fn is_ours(&self, path: &Path, bytes: &[u8]) -> Result<Result<(), LedgerError>, Trouble> {
        match self.fetch(path, None).await {
            Ok(Fetched::Bytes(there, _)) if there == bytes => Ok(Ok(())),
            Ok(Fetched::Bytes(..)) => {
                let place = self.name(path);
                let trouble = Trouble::Final(
                    format!("`{place}` holds something else"),
                    "look who writes to this place; run again once it is known",
                );
                Ok(Err(self.error("cannot be written", trouble)))
            }
            Ok(Fetched::Same | Fetched::Absent) => {
                let reason = "the store is busy with the same object";
                Err(Trouble::Passing(reason.to_owned(), "run it again"))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    /// Takes an object away; one that is gone is no trouble.
    pub(super) async fn remove(&self, path: &Path) -> Result<(), LedgerError> {
        let remove = || async move {
            let removed = self.inner.delete(path).await;
            removed.map_err(|error| self.trouble(error))
        };
        match self.persist("delete", remove).await {
            Ok(()) | Err(Trouble::Absent(_)) => Ok(()),
            Err(trouble) => Err(self.error("cannot be cleared", trouble)),
        }
    }

    /// What the store says of an object.
    pub(super) async fn head(&self, path: &Path) -> Result<ObjectMeta, LedgerError> {
        let head = || async move {
            let head = self.inner.head(path).await;
            head.map_err(|error| self.trouble(error))
        };
        let head = self.persist("head", head).await;
        head.map_err(|trouble| self.error("cannot be read", trouble))
    }

    /// Tries until it works, or is known never to, or patience ends.
    async fn persist<T, F>(&self, call: &str, attempt: impl Fn() -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        let mut pauses = self.pauses();
        loop {
            match attempt().await {
                Err(Trouble::Passing(reason, remedy)) => {
                    info!(call, reason, "the ledger's store failed");
                    if !pauses.pause().await {
                        return Err(Trouble::Passing(reason, remedy));
                    }
                }
                settled => return settled,
            }
        }
    }

    /// Pauses between attempts, from now on.
    pub(super) fn pauses(&self) -> Pauses {
        Pauses {
            until: Instant::now() + self.patience,
            next: FIRST_PAUSE,
        }
    }
}

/// Does several things, at most so many at a time, and hands over what each comes to; the rest is dropped after an error.
pub(super) async fn side_by_side<T, E, F>(
    most: usize,
    work: Vec<F>,
    mut done: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let (mut waiting, mut running) = (work.into_iter(), JoinSet::new());
    loop {
        while running.len() < most
            && let Some(next) = waiting.next()
        {
            running.spawn(next);
        }
        let Some(joined) = running.join_next().await else {
            return Ok(());
        };
        done(joined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())))?;
    }
}

/// Longer and longer pauses, each of a length of its own, until patience ends.
pub(super) struct Pauses {
    until: Instant,
    next: Duration,
}

impl Pauses {
    /// Waits; false if it is of no use any more.
    pub(super) async fn pause(&mut self) -> bool {
        let part = RandomState::new().hash_one(Instant::now()) % 1000;
        let pause = self.next.mul_f64(0.5 + part as f64 / 1000.0);
        if Instant::now() + pause > self.until {
            return false;
        }
        self.next = (self.next * 2).min(LONGEST_PAUSE);
        tokio::time::sleep(pause).await;
        true
    }
}
