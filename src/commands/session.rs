//! What a run works on: manifest, server, credentials and ledger, opened once.
//!
//! Main type: [`Session`]. It reads; to write or to send takes a right of its own: [`WriteAccess`], [`SendAccess`].

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use secrecy::SecretString;
use tokio::time::{Instant, interval_at};
use tracing::info;

use super::files::has_manifest;
use super::selection::check_selection;
use super::target::ResolvedTarget;
use super::{Console, interrupt, verbose};
use crate::apply::{Control, Job, Limiter, Outcome, apply};
use crate::cli::PaceFlags;
use crate::config::Config;
use crate::document::{PlanDocument, diagnostics};
use crate::error::{Error, Exit};
use crate::imbachat::{
    Dice, Endpoint, Failure, Http, ReadAuth, ReadRooms, Reader, Sender, WriteAuth, Writer,
};
use crate::ledger::{Journal, LedgerBackend, LedgerError, Remembered};
use crate::manifest::{Loaded, Options, load};
use crate::model::{Observed, Recorded, RunId, Target, UserId, WidgetId};
use crate::plan::{Plan, PlanOptions, RowFilter, plan};
use crate::render::{Count, EVERY};
use crate::sandbox::{self, Sandbox, SandboxError, start};

const KEY_ONLY: &str = "send_msg takes the widget's secret key, a JWT is only for reading";

/// An open connection to one widget, and its ledger.
pub(super) struct Session {
    pub(super) target: Target,
    pub(super) ledger: LedgerBackend,
    pub(super) reader: Reader,
    http: Http,
    sandbox: Option<Sandbox>,
    pub(super) run: RunId,
}

/// A plan, and the list and the ledger that it was computed from.
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) observed: Observed,
    pub(super) recorded: Recorded,
}

impl Session {
    pub(super) async fn open(config: &Config, resolved: ResolvedTarget) -> Result<Self, Error> {
        let auth = read_auth(config)?;
        let (http, sandbox) = connect(config, &resolved).await?;
        let ResolvedTarget { target, ledger, .. } = resolved;
        let by = match &auth {
            ReadAuth::Secret(_) => "secret key",
            ReadAuth::Jwt(_) => "JWT",
            ReadAuth::Minted { .. } => "JWT made from the secret key",
        };
        info!(origin = target.origin, widget = target.widget.0, read_by = by, ledger = %ledger, "target");
        Ok(Self {
            reader: Reader::new(http.clone(), target.widget, auth),
            target,
            ledger,
            http,
            sandbox,
            run: config.run.clone(),
        })
    }

    /// Reads ledger and list, and computes the plan.
    pub(super) async fn plan(
        &self,
        loaded: &Loaded,
        switches: &PlanOptions,
        console: &mut Console,
    ) -> Result<Planned, Error> {
        let desired = &loaded.desired;
        check_selection(&switches.only, desired.rooms.keys(), "declared room")?;
        let Remembered {
            recorded, found, ..
        } = self.read_ledger(console).await?;
        let observed = self.observe(&RowFilter::new(desired)).await?;
        let plan = plan(&self.target, desired, &observed, &recorded, switches);
        verbose::log_plan(&plan);
        if plan.summary.unverified.members > 0 && !found {
            console.warn(&format!(
                "there is no ledger at `{}`: nothing is on record of existing rooms; --assume-members sends nothing for them",
                self.ledger
            ));
        }
        Ok(Planned {
            plan,
            observed,
            recorded,
        })
    }

    /// Carries out a plan; `None` if there is nothing to do. The ledger is opened for writing before the first call.
    pub(super) async fn apply(
        &self,
        plan: &Plan,
        filter: RowFilter<'_>,
        access: WriteAccess,
        pace: &PaceFlags,
        console: &mut Console,
    ) -> Result<Option<Outcome>, Error> {
        if plan.is_empty() && !plan.is_to_be_noted() {
            return Ok(None);
        }
        let job = Job {
            plan,
            filter,
            reader: &self.reader,
            writer: Arc::new(access.writer(self.http.clone(), self.target.widget)),
            ledger: Arc::new(self.open_ledger().await?),
            control: Arc::new(Control::new(
                Limiter::new(pace.parallelism.get(), pace.rate),
                dice(),
                pace.fail_fast,
                interrupt::channel()?,
            )),
        };
        let progress = RefCell::new(console.progress(plan.changes.len()));
        let outcome = {
            let mut work = pin!(apply(job, |event| progress.borrow_mut().event(&event)));
            let mut ticks = interval_at(Instant::now() + EVERY, EVERY);
            loop {
                tokio::select! {
                    outcome = &mut work => break outcome,
                    _ = ticks.tick() => progress.borrow_mut().tick(),
                }
            }
        };
        progress.into_inner().finish();
        Ok(Some(outcome))
    }

    /// The plan that is left after the writes, from the list that was read to verify them. `None` if it cannot be computed.
    pub(super) async fn plan_again(
        &self,
        loaded: &Loaded,
        switches: &PlanOptions,
        outcome: &Outcome,
        console: &mut Console,
    ) -> Option<Plan> {
        let observed = outcome.observed.as_ref()?;
        // A sandbox lists what it could not save, and the next one will not have it. `close` reports that.
        if let Some(sandbox) = &self.sandbox
            && sandbox.flush().await.is_err()
        {
            return None;
        }
        match self.ledger.remember(&self.target).await {
            Ok(remembered) => Some(plan(
                &self.target,
                &loaded.desired,
                observed,
                &remembered.recorded.beside_an_older_list(),
                switches,
            )),
            Err(error) => {
                console.warn(&error.to_string());
                None
            }
        }
    }

    /// The rows of the list that a manifest is about.
    pub(super) async fn observe(&self, filter: &RowFilter<'_>) -> Result<Observed, Error> {
        let take = |observed: &mut Observed, row| filter.take(observed, row);
        let nothing_yet = || filter.empty_list();
        let mut observed = self.reader.collect(&dice(), nothing_yet, take).await?;
        observed.is_partial = self.reader.is_partial();
        Ok(observed)
    }

    /// Reads the ledger and prints its warnings.
    pub(super) async fn read_ledger(&self, console: &mut Console) -> Result<Remembered, Error> {
        let remembered = self.ledger.remember(&self.target).await?;
        for warning in &remembered.warnings {
            console.warn(warning);
        }
        Ok(remembered)
    }

    /// Opens the ledger for writing.
    pub(super) async fn open_ledger(&self) -> Result<Journal, Error> {
        Ok(self.ledger.open(&self.target, &self.run).await?)
    }

    pub(super) fn plan_document(&self, plan: &Plan, loaded: &Loaded, exit: Exit) -> PlanDocument {
        let warnings = diagnostics(&loaded.diagnostics, &loaded.sources);
        PlanDocument::new(plan, self.ledger.portable(), exit, warnings)
    }

    pub(super) fn sender(&self, access: SendAccess) -> Sender {
        let SendAccess { key, password } = access;
        Sender::new(self.http.clone(), self.target.widget, key, password)
    }

    /// Stops the sandbox, if there is one.
    pub(super) async fn close(self) -> Result<(), Error> {
        match self.sandbox {
            Some(sandbox) => Ok(sandbox.stop().await?),
            None => Ok(()),
        }
    }
}

/// A client for the target's server; a sandbox is started first.
pub(super) async fn connect(
    config: &Config,
    resolved: &ResolvedTarget,
) -> Result<(Http, Option<Sandbox>), Error> {
    let (endpoint, sandbox, secrets) = match &resolved.endpoint {
        Some(endpoint) => (endpoint.clone(), None, config.credentials.secrets()),
        None => {
            let sandbox = start(sandbox::Config {
                state: config.server.target.sandbox.clone(),
                ..sandbox::Config::default()
            })
            .await?;
            let endpoint = Endpoint::new(&sandbox.base_url(), false)?;
            (endpoint, Some(sandbox), Vec::new())
        }
    };
    let http = Http::new(endpoint, config.server.connection.timeout, secrets)?;
    Ok((http.of_run(&config.run), sandbox))
}

/// Loads the manifest and prints its diagnostics. `None` if it is invalid.
pub(super) fn load_manifest(
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
    // A page about an invalid manifest names the target too. An unknown target is reported by the verbs that need one.
    let resolved = ResolvedTarget::new(config, loaded.desired.widget);
    console.target = resolved.ok().map(|resolved| resolved.target);
    info!(
        files = loaded.sources.names().len(),
        rooms = loaded.desired.rooms.len(),
        members = loaded.desired.memberships(),
        "manifest read"
    );
    verbose::log_files(&loaded);
    let valid = console.diagnostics(&[&loaded])?;
    Ok(valid.then_some(loaded))
}

/// Credentials for writing to a widget's rooms. Only `apply` and `doctor --write-probe` ask for them: no other verb can make a
/// [`Writer`].
pub(super) struct WriteAccess(WriteAuth);

impl WriteAccess {
    /// Asked for before anything is read, so that a run without credentials ends at once.
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let credentials = &config.credentials;
        let missing_names: &[&str] = match (&credentials.login, &credentials.password) {
            (Some(login), Some(password)) => {
                return Ok(Self(WriteAuth {
                    login: login.clone(),
                    password: password.clone(),
                    secret_key: credentials.secret_key.clone(),
                }));
            }
            (None, None) => &["IMBACHAT_LOGIN", "IMBACHAT_PASSWORD"],
            (None, Some(_)) => &["IMBACHAT_LOGIN"],
            (Some(_), None) => &["IMBACHAT_PASSWORD"],
        };
        Err(missing(missing_names, "writing"))
    }

    pub(super) fn writer(self, http: Http, widget: WidgetId) -> Writer {
        Writer::new(http, widget, self.0)
    }

    /// Refuses a plan with messages without the secret key, which a run that reads with a JWT may not have.
    pub(super) fn check(&self, plan: &Plan) -> Result<(), Error> {
        let messages = plan.summary.messages;
        if messages == 0 || self.0.secret_key.is_some() {
            return Ok(());
        }
        let message = format!(
            "no credentials for messages: IMBACHAT_SECRET_KEY not set, and the plan has {} to send; nothing was applied",
            Count(messages, "message")
        );
        Err(Error::message(Exit::Failed, message)
            .hint(KEY_ONLY)
            .hint("or take `welcome` out of the manifest"))
    }
}

/// Credentials for sending messages, which cannot change a room. Only `send` asks for them.
pub(super) struct SendAccess {
    key: SecretString,
    password: Option<SecretString>,
}

impl SendAccess {
    /// Asked for before anything is read.
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let credentials = &config.credentials;
        let key = credentials.secret_key.clone();
        let key =
            key.ok_or_else(|| missing(&["IMBACHAT_SECRET_KEY"], "messages").hint(KEY_ONLY))?;
        let password = credentials.password.clone();
        Ok(Self { key, password })
    }
}

/// Credentials for reading: the secret key, tokens signed with it (`--jwt-user`), or a JWT.
pub(super) fn read_auth(config: &Config) -> Result<ReadAuth, Error> {
    let user = config.server.reader.jwt_user.map(UserId);
    match (&config.credentials.secret_key, &config.credentials.jwt) {
        (Some(key), _) => Ok(match user {
            Some(user) => ReadAuth::Minted {
                key: key.clone(),
                user,
            },
            None => ReadAuth::Secret(key.clone()),
        }),
        (None, _) if user.is_some() => Err(missing(
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

fn missing(names: &[&str], what_for: &str) -> Error {
    let message = format!(
        "no credentials for {what_for}: {} not set",
        names.join(" and ")
    );
    Error::message(Exit::Failed, message)
        .hint("set them in the environment, or name files with ..._FILE; they are never flags")
        .hint("--sandbox works without any")
}

/// Seeds waits differently in each run.
pub(super) fn dice() -> Dice {
    Dice::new(RandomState::new().hash_one(std::process::id()))
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let hint = failure.hint.clone();
        Self::new(Exit::Failed, failure).hints(hint)
    }
}

impl From<LedgerError> for Error {
    fn from(failure: LedgerError) -> Self {
        let hint = failure.hint();
        Self::new(Exit::Failed, failure).hint(hint)
    }
}

impl From<SandboxError> for Error {
    fn from(failure: SandboxError) -> Self {
        let hint = failure.hint();
        Self::new(Exit::Failed, failure).hints(hint)
    }
}
