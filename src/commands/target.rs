//! What a run works on: config and manifest -> a reader, a ledger, and, only where a run may write, a writer.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use secrecy::SecretString;
use tracing::info;

use super::files::has_manifest;
use super::selection::check_selection;
use super::site::Site;
use super::{Console, decisions};
use crate::config::Config;
use crate::error::{Error, Exit};
use crate::imbachat::{
    Dice, Endpoint, Failure, Http, ReadAuth, ReadRooms, Reader, Sender, WriteAuth, Writer,
};
use crate::ledger::{LedgerBackend, LedgerError, Remembered};
use crate::manifest::{Loaded, Options, load};
use crate::model::{Observed, Recorded, Target, UserId, WidgetId};
use crate::plan::{Interest, Plan, Switches, plan};
use crate::render;
use crate::sandbox::{self, Sandbox, SandboxError, start};

/// The sandbox's own credentials.
const SANDBOX_SECRET: &str = "secret_key";
const SANDBOX_USER: &str = "admin";
const KEY_ONLY: &str = "send_msg takes the widget's secret key, a JWT is only for reading";

/// The right to write to a widget. Only `apply` and `doctor --write-probe` ask for it; without one nothing here can make a [`Writer`].
pub(super) struct WriteAccess(WriteAuth);

/// The right to say something in a widget's rooms, and to do nothing else to them. Only `send` asks for it.
pub(super) struct SendAccess {
    key: SecretString,
    password: Option<SecretString>,
}

/// An open connection to one widget. It reads.
pub(super) struct Connection {
    pub(super) target: Target,
    pub(super) reader: Reader,
    pub(super) ledger: LedgerBackend,
    http: Http,
    pub(super) sandbox: Option<Sandbox>,
}

/// A server that calls can be made to, whoever makes them.
pub(super) struct Reached {
    pub(super) http: Http,
    /// The sandbox, where it is that.
    pub(super) sandbox: Option<Sandbox>,
}

/// Everything a plan is made of, and the plan.
pub(super) struct Planned {
    pub(super) loaded: Loaded,
    pub(super) connection: Connection,
    pub(super) switches: Switches,
    pub(super) plan: Plan,
    /// The list and the ledger it was made from.
    pub(super) made_of: (Observed, Recorded),
}

/// Reads the manifest and tells its mistakes. `None` if it is invalid.
pub(super) fn manifest(
    config: &Config,
    options: Options,
    console: &mut Console,
) -> Result<Option<Loaded>, Error> {
    let loaded = load(&config.manifest(), options);
    if config.reads_file_not_directory() && has_manifest(Path::new("rooms")) {
        console.warn(
            "`rooms.yaml` is read and the directory `rooms` is not: -f names either, or both",
        );
    }
    // Whether it is the right one is said later; a page about the manifest only has to be found by it.
    let site = Site::new(config, loaded.desired.widget);
    console.target = site.ok().map(|site| site.target);
    let (files, rooms) = (loaded.sources.names().len(), loaded.desired.rooms.len());
    info!(
        files,
        rooms,
        members = loaded.desired.memberships(),
        "manifest read"
    );
    decisions::files(&loaded);
    let invalid = console.mistakes(&loaded)?.is_some();
    Ok((!invalid).then_some(loaded))
}

/// Reads ledger and list, and makes the plan.
pub(super) async fn planned(
    loaded: Loaded,
    connection: Connection,
    switches: Switches,
    console: &mut Console,
) -> Result<Planned, Error> {
    check_selection(&switches.only, loaded.desired.rooms.keys(), "declared room")?;
    let Remembered {
        recorded, found, ..
    } = connection.remembered(console).await?;
    let observed = observed(&connection, &Interest::new(&loaded.desired)).await?;
    let plan = plan(
        &connection.target,
        &loaded.desired,
        &observed,
        &recorded,
        &switches,
    );
    decisions::tell(&plan);
    if plan.summary.unverified.members > 0 && !found {
        let path = &connection.ledger;
        console.warn(&format!(
            "there is no ledger at `{path}`: nothing is on record of existing rooms; --assume-members sends nothing for them"
        ));
    }
    Ok(Planned {
        loaded,
        connection,
        switches,
        plan,
        made_of: (observed, recorded),
    })
}

/// The rooms of the list that a run is about.
pub(super) async fn observed(
    connection: &Connection,
    interest: &Interest<'_>,
) -> Result<Observed, Error> {
    let take = |observed: &mut Observed, row| interest.take(observed, row);
    let reader = &connection.reader;
    let nothing_yet = || interest.nothing_yet();
    let mut observed = reader.collect(&dice(), nothing_yet, take).await?;
    observed.is_partial = reader.is_partial();
    Ok(observed)
}

/// The server of a site; a sandbox is started.
pub(super) async fn reached(config: &Config, site: &Site) -> Result<Reached, Error> {
    let (endpoint, sandbox) = match &site.endpoint {
        Some(endpoint) => (endpoint.clone(), None),
        None => {
            let sandbox = start(sandbox::Config {
                state: config.server.target.sandbox.clone(),
                ..sandbox::Config::default()
            })
            .await?;
            (Endpoint::new(&sandbox.base_url(), false)?, Some(sandbox))
        }
    };
    let (timeout, secrets) = (
        config.server.connection.timeout,
        config.credentials.secrets(),
    );
    let http = Http::new(endpoint, timeout, secrets)?.of_run(&config.run);
    Ok(Reached { http, sandbox })
}

impl Connection {
    /// Opens the target, after making sure that it is the one the manifest is for.
    pub(super) async fn open(config: &Config, declared: Option<WidgetId>) -> Result<Self, Error> {
        let site = Site::new(config, declared)?;
        let auth = read_auth(config)?;
        let Reached { http, sandbox } = reached(config, &site).await?;
        let Site { target, ledger, .. } = site;
        let by = match &auth {
            ReadAuth::Secret(_) => "secret key",
            ReadAuth::Jwt(_) => "JWT",
            ReadAuth::Minted { .. } => "JWT made from the secret key",
        };
        info!(origin = target.origin, widget = target.widget.0, read_by = by, ledger = %ledger, "target");
        let reader = Reader::new(http.clone(), target.widget, auth);
        Ok(Self {
            target,
            reader,
            ledger,
            http,
            sandbox,
        })
    }

    /// The type that writes.
    pub(super) fn writer(&self, access: WriteAccess) -> Writer {
        access.writer(self.http.clone(), self.target.widget)
    }

    /// The type that says something.
    pub(super) fn sender(&self, access: SendAccess) -> Sender {
        let SendAccess { key, password } = access;
        Sender::new(self.http.clone(), self.target.widget, key, password)
    }

    /// What the ledger knows.
    pub(super) async fn remembered(&self, console: &mut Console) -> Result<Remembered, Error> {
        let remembered = self.ledger.remember(&self.target).await?;
        for warning in &remembered.warnings {
            console.warn(warning);
        }
        Ok(remembered)
    }

    /// Ends the sandbox, if there is one.
    pub(super) async fn close(self) -> Result<(), Error> {
        match self.sandbox {
            Some(sandbox) => Ok(sandbox.stop().await?),
            None => Ok(()),
        }
    }
}

impl WriteAccess {
    /// The writing credentials; asked for before anything is read, so that a run that cannot write ends at once.
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        if config.sandbox().is_some() {
            let user = || SecretString::from(SANDBOX_USER);
            return Ok(Self(WriteAuth {
                login: user(),
                password: user(),
                secret_key: Some(SecretString::from(SANDBOX_SECRET)),
            }));
        }
        let credentials = &config.credentials;
        match (&credentials.login, &credentials.password) {
            (Some(login), Some(password)) => Ok(Self(WriteAuth {
                login: login.clone(),
                password: password.clone(),
                secret_key: credentials.secret_key.clone(),
            })),
            (None, None) => Err(missing(&["IMBACHAT_LOGIN", "IMBACHAT_PASSWORD"], "writing")),
            (None, Some(_)) => Err(missing(&["IMBACHAT_LOGIN"], "writing")),
            (Some(_), None) => Err(missing(&["IMBACHAT_PASSWORD"], "writing")),
        }
    }

    /// The type that writes.
    pub(super) fn writer(self, http: Http, widget: WidgetId) -> Writer {
        Writer::new(http, widget, self.0)
    }

    /// Makes sure that it is enough for a plan. Messages take the secret key, which a run that reads by a JWT may not have.
    pub(super) fn check(&self, plan: &Plan) -> Result<(), Error> {
        let messages = plan.summary.messages;
        if messages == 0 || self.0.secret_key.is_some() {
            return Ok(());
        }
        let message = format!(
            "no credentials for messages: IMBACHAT_SECRET_KEY not set, and the plan has {} to send; nothing was applied",
            render::Count(messages, "message")
        );
        Err(Error::message(Exit::Failed, message)
            .hint(KEY_ONLY)
            .hint("or take `welcome` out of the manifest"))
    }
}

impl SendAccess {
    /// The credentials of messages; asked for before anything is read.
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        if config.sandbox().is_some() {
            return Ok(Self {
                key: SecretString::from(SANDBOX_SECRET),
                password: Some(SecretString::from(SANDBOX_USER)),
            });
        }
        let credentials = &config.credentials;
        match &credentials.secret_key {
            Some(key) => Ok(Self {
                key: key.clone(),
                password: credentials.password.clone(),
            }),
            None => Err(missing(&["IMBACHAT_SECRET_KEY"], "messages").hint(KEY_ONLY)),
        }
    }
}

/// Dice no two runs share.
pub(super) fn dice() -> Dice {
    Dice::new(RandomState::new().hash_one(std::process::id()))
}

/// Who reads; on the sandbox with its own key.
pub(super) fn read_auth(config: &Config) -> Result<ReadAuth, Error> {
    if config.sandbox().is_some() {
        return Ok(keyed(config, SecretString::from(SANDBOX_SECRET)));
    }
    match (&config.credentials.secret_key, &config.credentials.jwt) {
        (Some(key), _) => Ok(keyed(config, key.clone())),
        (None, _) if config.server.reader.jwt_user.is_some() => Err(missing(
            &["IMBACHAT_SECRET_KEY"],
            "signing a JWT (--jwt-user)",
        )),
        (None, Some(token)) => Ok(ReadAuth::Jwt(token.clone())),
        (None, None) => Err(missing(
            &["IMBACHAT_SECRET_KEY (or IMBACHAT_JWT)"],
            "reading",
        )),
    }
}

/// Makes sure, before anything is read, that users may be listed: unlike rooms, not with a JWT.
pub(super) fn may_list_users(config: &Config) -> Result<(), Error> {
    let credentials = &config.credentials;
    if credentials.secret_key.is_some() || credentials.jwt.is_none() {
        return Ok(());
    }
    let message = "--check-users needs the widget's secret key: get_users takes no JWT";
    Err(Error::message(Exit::Failed, message)
        .hint("set IMBACHAT_SECRET_KEY, or leave --check-users out"))
}

/// How a secret key reads: itself, or by tokens made from it.
fn keyed(config: &Config, key: SecretString) -> ReadAuth {
    match config.server.reader.jwt_user.map(UserId) {
        Some(user) => ReadAuth::Minted { key, user },
        None => ReadAuth::Secret(key),
    }
}

fn missing(names: &[&str], what_for: &str) -> Error {
    let message = format!(
        "no credentials for {what_for}: {} not set",
        names.join(" and ")
    );
    Error::message(Exit::Failed, message)
        .hint("set them in the environment, or name files with ..._FILE; they are never flags")
        .hint("--sandbox works without any")
}

fn failed(failure: impl Into<anyhow::Error>, hint: Option<String>) -> Error {
    let error = Error::new(Exit::Failed, failure);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let hint = failure.hint.clone();
        failed(failure, hint)
    }
}

impl From<LedgerError> for Error {
    fn from(failure: LedgerError) -> Self {
        let hint = failure.hint().to_owned();
        failed(failure, Some(hint))
    }
}

impl From<SandboxError> for Error {
    fn from(failure: SandboxError) -> Self {
        let hint = failure.hint().map(ToOwned::to_owned);
        failed(failure, hint)
    }
}
