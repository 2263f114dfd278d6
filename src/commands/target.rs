//! Determines the widget of a run, its address, its ledger and its credentials. Uses only the
//! config, and opens nothing.

use std::path::{Component, Path, PathBuf};

use secrecy::SecretString;

use crate::config::{Config, StoreVariables};
use crate::error::{Error, Exit, Result, bail, error};
use crate::imbachat::{Endpoint, Network, ReadAuth, WriteAuth};
use crate::ledger::{Address, LedgerBackend, LedgerFile, Name, NameError, StoreOptions};
use crate::model::{Target, UserId, WidgetId};
use crate::plan::Plan;
use crate::render::Count;
use crate::tables::boundary::links_out;
use crate::tables::files::{Disk, Files, resolve};

/// The default widget of the sandbox, which serves any widget.
const SANDBOX_WIDGET: WidgetId = WidgetId(627);

#[derive(Debug)]
pub struct ResolvedTarget {
    pub target: Target,
    pub ledger: LedgerBackend,
    /// The API's address; `None` for the built-in sandbox, and for a ledger that records its target.
    pub endpoint: Option<Endpoint>,
}

/// Returns the target, as set by flags and environment, and the API's address. Refuses a
/// manifest that declares another widget.
fn locate(config: &Config, declared: Option<WidgetId>) -> Result<(Target, Option<Endpoint>)> {
    let server = &config.server;
    let given = server.target.widget.or(config.credentials.widget);
    let given = given.map(WidgetId);
    if let (Some(declared), Some(given)) = (declared, given)
        && declared != given
    {
        bail!(Refused: "wrong target: the manifest is for widget {declared}, this run is for widget {given}";
            "check --widget, IMBACHAT_WIDGET and the manifest's `widget`");
    }
    let widget = given.or(declared);
    if config.sandbox().is_some() {
        let (origin, widget) = ("sandbox:".to_owned(), widget.unwrap_or(SANDBOX_WIDGET));
        return Ok((Target { origin, widget }, None));
    }
    let Some(widget) = widget else {
        bail!(Failed: "no widget: IMBACHAT_WIDGET is not set";
            "set it to the widget's number (imba_id), use --widget, or add `widget:` to the manifest";
            "or try --sandbox, which needs no widget");
    };
    let endpoint = Endpoint::new(config.api_url(), server.connection.allow_insecure_http)?;
    let origin = endpoint.origin();
    Ok((Target { origin, widget }, Some(endpoint)))
}

/// Returns the path of the default ledger, which is used if no flag names a ledger.
fn default_ledger(
    config: &Config,
    widget: WidgetId,
    endpoint: Option<&Endpoint>,
) -> Result<PathBuf> {
    if let Some(state) = config.sandbox() {
        let stem = state.file_stem().unwrap_or_default().to_string_lossy();
        return Ok(state.with_file_name(format!("{stem}-{widget}.jsonl")));
    }
    let host = endpoint.map(Endpoint::host_label).unwrap_or_default();
    let name = Path::new(".roomform").join(format!("{host}-{widget}.jsonl"));
    let manifest = config.manifest().swap_remove(0);
    let directory = match manifest.parent() {
        Some(parent) if !manifest.is_dir() => parent,
        _ => &manifest,
    };
    let older = directory.join(&name);
    // A link out of the work tree is refused later, when the ledger is opened.
    if directory.is_relative() && links_out(&Disk, directory) {
        return Ok(older);
    }
    let real = resolve(&Path::new(".").join(directory));
    let current = resolve(Path::new("."));
    let is_top = Disk.work_tree(&real).is_some_and(|top| top == real);
    let root = match real.parent() {
        Some(parent) if real.ends_with("rooms") && !is_top => parent,
        _ => &real,
    };
    let ledger = match manifest.is_absolute() && !root.starts_with(&current) {
        true => root.join(name),
        false => relative(root, &current).join(name),
    };
    if root == real || !older.exists() {
        return Ok(ledger);
    }
    let (shown, old) = (ledger.display(), older.display());
    if ledger.exists() {
        let hint = format!(
            "merge them with `roomform ledger merge --ledger {shown} {old}`, then remove `{old}`"
        );
        bail!(Refused: "there are two ledgers: `{shown}`, and `{old}` from an older version"; hint);
    }
    tracing::warn!("the ledger `{old}` is where an older version put it; move it to `{shown}`");
    Ok(older)
}

/// Returns the relative path from one directory to another. Both paths must be real.
pub(super) fn relative(to: &Path, from: &Path) -> PathBuf {
    let pairs = to.components().zip(from.components());
    let common = pairs.take_while(|(a, b)| a == b).count();
    let up = from.components().skip(common).map(|_| Component::ParentDir);
    up.chain(to.components().skip(common)).collect()
}

/// Returns the target, as set by flags and environment. Refuses a manifest that declares
/// another widget.
pub fn find_target(config: &Config, declared: Option<WidgetId>) -> Result<Target> {
    Ok(locate(config, declared)?.0)
}

impl ResolvedTarget {
    /// Finds the target and its ledger. The ledger is the one that a flag names, or the default.
    pub fn new(config: &Config, declared: Option<WidgetId>) -> Result<Self> {
        let (target, endpoint) = locate(config, declared)?;
        let ledger = match config.named_ledger() {
            Some(name) => named_ledger(name, config)?,
            None => {
                let path = default_ledger(config, target.widget, endpoint.as_ref())?;
                LedgerBackend::File(LedgerFile::new(path))
            }
        };
        for path in ledger.path().into_iter().chain(config.sandbox()) {
            refuse_link_out(path)?;
        }
        Ok(Self {
            target,
            ledger,
            endpoint,
        })
    }

    /// Returns the target of a ledger. An existing ledger that `--ledger` names records its target.
    /// Otherwise, the manifest and the config define the target.
    pub async fn for_ledger(
        config: &Config,
        declared: impl FnOnce() -> Option<WidgetId>,
    ) -> Result<Self> {
        if let Some(name) = config.named_ledger() {
            let ledger = named_ledger(name, config)?;
            ledger.path().map_or(Ok(()), refuse_link_out)?;
            if let Some(target) = ledger.target().await? {
                return Ok(Self {
                    target,
                    ledger,
                    endpoint: None,
                });
            }
        }
        Self::new(config, declared())
    }
}

/// Returns the ledger with this name. The environment is read only for a ledger in a bucket.
pub fn named_ledger(name: &Path, config: &Config) -> Result<LedgerBackend> {
    LedgerBackend::new(Name::parse(name)?, |address: &Address| {
        let found = StoreVariables::from_environment(address.kind)?;
        Network(found.network).check()?;
        Ok(StoreOptions {
            variables: found.values,
            hidden: found.hidden,
            timeout: config.server.connection.timeout,
        })
    })
}

impl From<NameError> for Error {
    fn from(failure: NameError) -> Self {
        let hint = failure.hint();
        Self::new(Exit::Usage, failure).hint(hint)
    }
}

/// Refuses to write to a file that a link places outside the work tree, because a pull request can commit links. An absolute path is
/// the operator's own choice.
fn refuse_link_out(path: &Path) -> Result<()> {
    if path.is_absolute() || !links_out(&Disk, path) {
        return Ok(());
    }
    let path = path.display();
    bail!(Refused: "`{path}` is, or goes through, a symbolic link that is broken or leads outside the work tree";
        "remove the link, or name the file with an absolute path")
}

const SECRET_KEY: &str = "IMBACHAT_SECRET_KEY";
const KEY_ONLY: &str = "set the widget's secret key: a JWT can only read";

/// Returns the credentials for writing to a widget's rooms. They are required before anything is
/// read, so that a run without them fails at once. Only `apply` and `doctor --write-probe` request
/// them: no other verb can create a writer.
pub fn write_auth(config: &Config) -> Result<WriteAuth> {
    let credentials = &config.credentials;
    let missing_names = match (&credentials.login, &credentials.password) {
        (Some(login), Some(password)) => {
            return Ok(WriteAuth {
                login: login.clone(),
                password: password.clone(),
                secret_key: credentials.secret_key.clone(),
            });
        }
        (None, None) => "IMBACHAT_LOGIN and IMBACHAT_PASSWORD",
        (None, Some(_)) => "IMBACHAT_LOGIN",
        (Some(_), None) => "IMBACHAT_PASSWORD",
    };
    Err(missing(missing_names, "writing"))
}

/// Refuses a plan with messages if there is no secret key. A run that reads with a JWT may lack
/// this key.
pub fn check_can_send(auth: &WriteAuth, plan: &Plan) -> Result<()> {
    let messages = plan.summary.messages;
    if messages == 0 || auth.secret_key.is_some() || !plan.refusals.is_empty() {
        return Ok(());
    }
    let messages = Count(messages, "message");
    bail!(Failed: "no credentials for messages: IMBACHAT_SECRET_KEY not set, and the plan has {messages} to send; nothing was applied";
        KEY_ONLY; "or remove `welcome` from the manifest")
}

/// Returns the key for sending messages. It is required before anything is read. Only `send`
/// requests it.
pub fn send_key(config: &Config) -> Result<SecretString> {
    let key = config.credentials.secret_key.clone();
    key.ok_or_else(|| missing(SECRET_KEY, "messages").hint(KEY_ONLY))
}

/// Returns the credentials for reading: the secret key, tokens signed with it (`--read-as`), or a
/// JWT.
pub fn read_auth(config: &Config) -> Result<ReadAuth> {
    let user = config.server.reader.read_as.map(UserId);
    let (key, token) = (&config.credentials.secret_key, &config.credentials.jwt);
    match (key.clone(), user, token.clone()) {
        (Some(key), Some(user), _) => Ok(ReadAuth::Minted { key, user }),
        (Some(key), None, _) => Ok(ReadAuth::Secret(key)),
        (None, Some(_), _) => Err(missing(SECRET_KEY, "signing a JWT (--read-as)")),
        (None, None, Some(token)) => Ok(ReadAuth::Jwt(token)),
        (None, None, None) => Err(missing("IMBACHAT_SECRET_KEY (or IMBACHAT_JWT)", "reading")),
    }
}

fn missing(names: &str, what_for: &str) -> Error {
    error!(Failed: "no credentials for {what_for}: {names} not set";
        "set them in the environment, or name files with ..._FILE";
        "or try --sandbox, which needs no credentials")
}
