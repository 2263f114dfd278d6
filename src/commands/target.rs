//! What a run works on: settings and manifest -> a reader, a ledger, and, only where a run may write, a writer.

use std::path::PathBuf;

use secrecy::SecretString;

use super::Console;
use crate::cli::Common;
use crate::error::{Error, Exit};
use crate::imbachat::{Endpoint, Failure, Http, ReadAuth, ReadRooms, Reader, WriteAuth, Writer};
use crate::ledger::{LedgerError, read};
use crate::manifest::{Loaded, Options, load};
use crate::model::{Observed, Recorded, Target, WidgetId};
use crate::plan::{Allow, Interest, Plan, Selection, Switches, plan};
use crate::sandbox::{Config, Sandbox, SandboxError, start};
use crate::settings::Settings;

/// The sandbox's own credentials and its usual widget.
const SANDBOX_SECRET: &str = "secret_key";
const SANDBOX_USER: &str = "admin";
const SANDBOX_WIDGET: u64 = 627;

/// An open connection to one widget. It reads; [`Connection::writer`] makes the type that writes.
pub(super) struct Connection {
    pub(super) target: Target,
    pub(super) reader: Reader,
    pub(super) ledger: PathBuf,
    http: Http,
    write_auth: Option<WriteAuth>,
    sandbox: Option<Sandbox>,
}

/// Everything a plan is made of, and the plan.
pub(super) struct Planned {
    pub(super) loaded: Loaded,
    pub(super) connection: Connection,
    pub(super) switches: Switches,
    pub(super) plan: Plan,
}

/// Reads manifest, ledger and list, and makes the plan. `None` if the manifest is invalid, which was told already.
pub(super) async fn planned(
    settings: &Settings,
    console: &mut Console,
    writes: bool,
) -> Result<Option<Planned>, Error> {
    let switches = switches(&settings.common)?;
    let loaded = load(
        &settings.manifest(),
        Options {
            allow_empty: settings.common.allow_empty,
        },
    );
    if console.mistakes(&loaded)?.is_some() {
        return Ok(None);
    }
    let connection = Connection::open(settings, loaded.desired.widget, writes).await?;
    let recorded = connection.recorded(console)?;
    let interest = Interest::new(&loaded.desired);
    let observed = connection
        .reader
        .collect(Observed::default, |observed, row| {
            interest.take(observed, row)
        })
        .await?;
    let plan = plan(
        &connection.target,
        &loaded.desired,
        &observed,
        &recorded,
        &switches,
    );
    Ok(Some(Planned {
        loaded,
        connection,
        switches,
        plan,
    }))
}

/// `--only`, the allowances and the rest, as the plan takes them.
pub(super) fn switches(common: &Common) -> Result<Switches, Error> {
    let only = Selection::new(&common.only).map_err(|error| {
        Error::message(Exit::Usage, format!("--only: {error}"))
            .hint("write it as --only 'course-*'")
    })?;
    let allow = Allow {
        publish: common.allow_publish,
        recreate: common.allow_recreate,
        beyond_limits: common.ignore_limits,
    };
    Ok(Switches {
        only,
        allow,
        resend: common.resend,
        assume_members: common.assume_members,
    })
}

impl Connection {
    /// Opens the target, after making sure that it is the one the manifest is for.
    pub(super) async fn open(
        settings: &Settings,
        declared: Option<WidgetId>,
        writes: bool,
    ) -> Result<Self, Error> {
        match &settings.common.sandbox {
            Some(state) => Self::sandbox(settings, state.clone(), declared).await,
            None => Self::server(settings, declared, writes),
        }
    }

    fn server(
        settings: &Settings,
        declared: Option<WidgetId>,
        writes: bool,
    ) -> Result<Self, Error> {
        let credentials = &settings.credentials;
        let given = settings.common.widget.or(credentials.widget).map(WidgetId);
        let widget = right_widget(declared, given)?.ok_or_else(no_widget)?;
        let read_auth = match (&credentials.secret_key, &credentials.jwt) {
            (Some(key), _) => ReadAuth::Secret(key.clone()),
            (None, Some(token)) => ReadAuth::Jwt(token.clone()),
            (None, None) => {
                return Err(missing(
                    &["IMBACHAT_SECRET_KEY (or IMBACHAT_JWT)"],
                    "reading",
                ));
            }
        };
        let write_auth = match (&credentials.login, &credentials.password) {
            (Some(login), Some(password)) => Some(WriteAuth {
                login: login.clone(),
                password: password.clone(),
            }),
            (None, None) if writes => {
                return Err(missing(&["IMBACHAT_LOGIN", "IMBACHAT_PASSWORD"], "writing"));
            }
            (None, _) if writes => return Err(missing(&["IMBACHAT_LOGIN"], "writing")),
            (_, None) if writes => return Err(missing(&["IMBACHAT_PASSWORD"], "writing")),
            _ => None,
        };
        let endpoint = Endpoint::new(settings.api_url(), settings.common.allow_insecure_http)?;
        let target = Target {
            origin: endpoint.origin(),
            widget,
        };
        let file = settings
            .ledger_home()
            .join(format!("{}-{widget}.jsonl", endpoint.host_label()));
        Self::new(
            settings, target, endpoint, file, read_auth, write_auth, None,
        )
    }

    async fn sandbox(
        settings: &Settings,
        state: PathBuf,
        declared: Option<WidgetId>,
    ) -> Result<Self, Error> {
        let widget = right_widget(declared, settings.common.widget.map(WidgetId))?
            .unwrap_or(WidgetId(SANDBOX_WIDGET));
        let stem = state
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let file = state.with_file_name(format!("{stem}-{widget}.jsonl"));
        let sandbox = start(Config {
            state: Some(state),
            ..Config::default()
        })
        .await?;
        let endpoint = Endpoint::new(&sandbox.base_url(), false)?;
        let target = Target {
            origin: "sandbox:".to_owned(),
            widget,
        };
        let user = || SecretString::from(SANDBOX_USER);
        let write_auth = Some(WriteAuth {
            login: user(),
            password: user(),
        });
        let read_auth = ReadAuth::Secret(SecretString::from(SANDBOX_SECRET));
        Self::new(
            settings,
            target,
            endpoint,
            file,
            read_auth,
            write_auth,
            Some(sandbox),
        )
    }

    fn new(
        settings: &Settings,
        target: Target,
        endpoint: Endpoint,
        ledger: PathBuf,
        read_auth: ReadAuth,
        write_auth: Option<WriteAuth>,
        sandbox: Option<Sandbox>,
    ) -> Result<Self, Error> {
        let (ReadAuth::Secret(read_secret) | ReadAuth::Jwt(read_secret)) = &read_auth;
        let mut secrets = vec![read_secret.clone()];
        if let Some(WriteAuth { login, password }) = &write_auth {
            secrets.extend([login.clone(), password.clone()]);
        }
        let http = Http::new(endpoint, settings.common.timeout, secrets)?;
        let reader = Reader::new(http.clone(), target.widget, read_auth);
        let ledger = settings.common.ledger.clone().unwrap_or(ledger);
        Ok(Self {
            target,
            reader,
            ledger,
            http,
            write_auth,
            sandbox,
        })
    }

    /// The writer; only opened with `writes` does a connection have one.
    pub(super) fn writer(&self) -> Result<Writer, Error> {
        let auth = self
            .write_auth
            .clone()
            .ok_or_else(|| missing(&["IMBACHAT_LOGIN", "IMBACHAT_PASSWORD"], "writing"))?;
        Ok(Writer::new(self.http.clone(), self.target.widget, auth))
    }

    /// What the ledger knows.
    pub(super) fn recorded(&self, console: &mut Console) -> Result<Recorded, Error> {
        let snapshot = read(&self.ledger, &self.target)?;
        for warning in &snapshot.warnings {
            console.warn(warning);
        }
        Ok(snapshot.recorded)
    }

    /// Ends the sandbox, if there is one.
    pub(super) async fn close(self) -> Result<(), Error> {
        match self.sandbox {
            Some(sandbox) => Ok(sandbox.stop().await?),
            None => Ok(()),
        }
    }
}

/// The widget of the run; refused if the manifest is for another one.
fn right_widget(
    declared: Option<WidgetId>,
    given: Option<WidgetId>,
) -> Result<Option<WidgetId>, Error> {
    match (declared, given) {
        (Some(declared), Some(given)) if declared != given => {
            let message = format!(
                "wrong target: the manifest is for widget {declared}, this run is for widget {given}"
            );
            Err(Error::message(Exit::Refused, message)
                .hint("check --widget, IMBACHAT_WIDGET and the manifest's `widget`"))
        }
        (declared, given) => Ok(given.or(declared)),
    }
}

fn no_widget() -> Error {
    Error::message(Exit::Failed, "no widget: IMBACHAT_WIDGET is not set").hint(
        "set it to the widget's number (imba_id), or use --widget or `widget:` in the manifest",
    )
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
