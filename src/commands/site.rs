//! Which widget a run is for, where it lives, and where its ledger lies: config alone, nothing is opened.

use std::path::Path;

use crate::config::{Config, StoreVariables};
use crate::error::{Error, Exit};
use crate::imbachat::Endpoint;
use crate::ledger::{Address, LedgerBackend, Name, NameError, StoreOptions};
use crate::manifest::{Options, load};
use crate::model::{Target, WidgetId};
use crate::tables::boundary::links_out;
use crate::tables::files::Disk;

/// The widget a sandbox is taken for unless somebody says which.
const SANDBOX_WIDGET: u64 = 627;

/// Where a run works.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) target: Target,
    pub(super) ledger: LedgerBackend,
    /// The API's address; none for the built-in sandbox.
    pub(super) endpoint: Option<Endpoint>,
}

impl Site {
    /// The site of a run, after making sure that it is the one the manifest is for.
    pub(super) fn new(config: &Config, declared: Option<WidgetId>) -> Result<Self, Error> {
        let given = config.server.target.widget.or(config.credentials.widget);
        let given = given.map(WidgetId);
        let widget = right_widget(declared, given)?;
        let mut site = match config.sandbox() {
            Some(state) => {
                let widget = widget.unwrap_or(WidgetId(SANDBOX_WIDGET));
                let stem = state.file_stem().unwrap_or_default().to_string_lossy();
                let ledger = state.with_file_name(format!("{stem}-{widget}.jsonl"));
                let target = Target {
                    origin: "sandbox:".to_owned(),
                    widget,
                };
                Self {
                    target,
                    ledger: LedgerBackend::File(ledger),
                    endpoint: None,
                }
            }
            None => {
                let widget = widget.ok_or_else(no_widget)?;
                let insecure = config.server.connection.allow_insecure_http;
                let endpoint = Endpoint::new(config.api_url(), insecure)?;
                let ledger = config
                    .ledger_home()
                    .join(format!("{}-{widget}.jsonl", endpoint.host_label()));
                let target = Target {
                    origin: endpoint.origin(),
                    widget,
                };
                Self {
                    target,
                    ledger: LedgerBackend::File(ledger),
                    endpoint: Some(endpoint),
                }
            }
        };
        if let Some(ledger) = config.named_ledger() {
            site.ledger = place(ledger, config)?;
        }
        let state = config.sandbox();
        for path in site.ledger.path().into_iter().chain(state) {
            refuse_link_out(path)?;
        }
        Ok(site)
    }

    /// The site of a ledger: one that is named and there says itself whose it is; else that of the manifest, if there is one.
    pub(super) async fn of_ledger(config: &Config) -> Result<Self, Error> {
        if let Some(named) = config.named_ledger() {
            let ledger = place(named, config)?;
            if let Some(target) = ledger.target().await? {
                return Ok(Self {
                    target,
                    ledger,
                    endpoint: None,
                });
            }
        }
        let loaded = load(&config.manifest(), Options::default());
        Self::new(config, loaded.desired.widget)
    }
}

/// The ledger with this name: a path, or an object's address. Only for a bucket's the environment is asked how to reach it.
pub(super) fn place(name: &Path, config: &Config) -> Result<LedgerBackend, Error> {
    LedgerBackend::new(Name::parse(name)?, |address: &Address| {
        let StoreVariables { values, hidden, .. } = StoreVariables::from_environment(address.kind)?;
        Ok(StoreOptions {
            variables: values,
            hidden,
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

/// Refuses a file to write that a link puts outside of the work tree: a pull request can commit links. An absolute path is the
/// operator's own.
fn refuse_link_out(path: &Path) -> Result<(), Error> {
    if path.is_absolute() || !links_out(&Disk, path) {
        return Ok(());
    }
    let message = format!(
        "`{}` is, or lies behind, a symbolic link that leads out of the work tree or nowhere",
        path.display()
    );
    Err(Error::message(Exit::Refused, message)
        .hint("remove the link, or name the file with an absolute path"))
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
        "set it to the widget's number (imba_id), or use --widget; verbs that read the manifest take its `widget:` too",
    )
}
