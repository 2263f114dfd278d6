//! The widget of a run, its address and its ledger. Uses only the config, and opens nothing.

use std::path::{Path, PathBuf};

use crate::config::{Config, StoreVariables};
use crate::error::{Error, Exit, Result, bail};
use crate::imbachat::{Endpoint, Network};
use crate::ledger::{Address, LedgerBackend, LedgerFile, Name, NameError, StoreOptions};
use crate::model::{Target, WidgetId};
use crate::tables::boundary::links_out;
use crate::tables::files::Disk;

/// The sandbox serves any widget. This is the default.
const SANDBOX_WIDGET: WidgetId = WidgetId(627);

#[derive(Debug)]
pub struct ResolvedTarget {
    pub target: Target,
    pub ledger: LedgerBackend,
    /// The API's address; `None` for the built-in sandbox, and for a ledger that records its target.
    pub endpoint: Option<Endpoint>,
}

/// The target that flags and environment set, the API's address, and the default path of the ledger. Refuses a manifest that declares
/// another widget.
fn locate(
    config: &Config,
    declared: Option<WidgetId>,
) -> Result<(Target, Option<Endpoint>, PathBuf)> {
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
    if let Some(state) = config.sandbox() {
        let (origin, widget) = ("sandbox:".to_owned(), widget.unwrap_or(SANDBOX_WIDGET));
        let stem = state.file_stem().unwrap_or_default().to_string_lossy();
        let ledger = state.with_file_name(format!("{stem}-{widget}.jsonl"));
        return Ok((Target { origin, widget }, None, ledger));
    }
    let Some(widget) = widget else {
        bail!(Failed: "no widget: IMBACHAT_WIDGET is not set";
            "set it to the widget's number (imba_id), use --widget, or add `widget:` to the manifest";
            "or try --sandbox, which needs no widget");
    };
    let endpoint = Endpoint::new(config.api_url(), server.connection.allow_insecure_http)?;
    let ledger = format!("{}-{widget}.jsonl", endpoint.host_label());
    let ledger = config.ledger_directory().join(ledger);
    let origin = endpoint.origin();
    Ok((Target { origin, widget }, Some(endpoint), ledger))
}

/// The target set by flags and environment. Refuses a manifest that declares another widget.
pub fn find_target(config: &Config, declared: Option<WidgetId>) -> Result<Target> {
    Ok(locate(config, declared)?.0)
}

impl ResolvedTarget {
    /// The target, and the ledger that a flag or the target names.
    pub fn new(config: &Config, declared: Option<WidgetId>) -> Result<Self> {
        let (target, endpoint, default_ledger) = locate(config, declared)?;
        let ledger = match config.named_ledger() {
            Some(name) => named_ledger(name, config)?,
            None => LedgerBackend::File(LedgerFile::new(default_ledger)),
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

    /// The target of a ledger. An existing ledger named by `--ledger` records its target; otherwise the manifest and config define it.
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

/// The ledger with this name. The environment is read only for a ledger in a bucket.
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
