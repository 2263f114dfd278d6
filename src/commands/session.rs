//! The resources of a run: manifest, server, credentials and ledger, each set up once.
//!
//! Main type: [`Session`]. It can only read from the server. A writer also needs the credentials
//! that `apply` and `doctor --write-probe` ask for; a sender needs the secret key.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tracing::info;

use super::files::{RunFiles, has_manifest};
use super::log::{log_files, log_plan};
use super::members::CountLimits;
use super::options::{check_filter, load_options};
use super::target::{ResolvedTarget, find_target, read_auth};
use super::{Console, interrupt};
use crate::apply::{Backoff, Patience};
use crate::config::Config;
use crate::error::{Error, Exit, Result, bail};
use crate::imbachat::{Dice, Endpoint, Failure, Http, Network, ReadAuth, ReadRooms, Reader};
use crate::ledger::{Journal, LedgerError, Snapshot};
use crate::manifest::{Loaded, load};
use crate::model::{MOST_ROWS, Observed, Recorded, RunId, Time};
use crate::plan::{
    Approved, Counting, Inputs, PlanOptions, RoomFilter, RowFilter, SavedPlan, countable, plan,
    select, wait_for_confirmed,
};
use crate::sandbox::{self, Sandbox, SandboxError, start};

/// An open connection to one widget, and its ledger.
pub struct Session {
    pub resolved: ResolvedTarget,
    pub reader: Reader,
    pub http: Http,
    /// How long to wait for a request, and for the list to show a write.
    pub patience: Patience,
    /// What a count of members may cost; `None` if they are not counted.
    pub count: Option<CountLimits>,
    pub sandbox: Option<Sandbox>,
    pub console: Console,
    pub run: RunId,
}

impl Session {
    pub async fn open(
        config: &Config,
        resolved: ResolvedTarget,
        console: &Console,
    ) -> Result<Self> {
        let auth = read_auth(config)?;
        let (http, sandbox) = connect(config, &resolved).await?;
        let ResolvedTarget { target, ledger, .. } = &resolved;
        let by = match &auth {
            ReadAuth::Secret(_) => "secret key",
            ReadAuth::Jwt(_) => "JWT",
            ReadAuth::Minted { .. } => "JWT signed with the secret key",
        };
        info!(origin = target.origin, widget = target.widget.0, read_by = by, ledger = %ledger, "target");
        Ok(Self {
            reader: Reader::new(http.clone(), target.widget, auth),
            resolved,
            http,
            patience: Patience {
                timeout: config.server.connection.timeout,
                ..Patience::default()
            },
            count: None,
            sandbox,
            console: console.clone(),
            run: config.run.clone(),
        })
    }

    /// Reads the ledger and the list, and computes the plan. Returns the whole plan or, with a
    /// saved plan, only the part that it approves.
    pub async fn plan(
        &self,
        loaded: &Loaded,
        saved: Option<SavedPlan>,
        options: &PlanOptions,
    ) -> Result<Approved> {
        let desired = &loaded.desired;
        let snapshot = self.resolved.read_ledger(&self.console).await?;
        let (found, recorded) = (snapshot.found, &snapshot.into_recorded());
        let observing = self.observe_confirmed(loaded, recorded, &options.only);
        let mut observed = observing.await?;
        if let Some(limits) = self.count {
            let inputs = Inputs::new(desired, &observed, recorded);
            self.console.status("counting members");
            let counting = Counting::new(countable(inputs, &options.only));
            observed.counts = Some(limits.count(&self.reader, counting).await);
        }
        let observed = &observed;
        let plan = plan(&self.resolved.target, desired, observed, recorded, options);
        log_plan(&plan);
        if plan.summary.unknown.members > 0 && !found {
            self.console.warn(&format!(
                "there is no ledger at `{}`, so the members of existing rooms are unknown; use --assume-members to treat them as present",
                self.resolved.ledger
            ));
        }
        let inputs = Inputs::new(desired, observed, recorded);
        Ok(match saved {
            Some(saved) => select(saved, &plan, inputs, &options.allow),
            None => Approved::whole(plan),
        })
    }

    /// Reads the list, and returns the rooms that matter to the manifest. Waits for rooms that were
    /// confirmed so recently that the list may not show them yet.
    async fn observe_confirmed(
        &self,
        loaded: &Loaded,
        recorded: &Recorded,
        only: &RoomFilter,
    ) -> Result<Observed> {
        let desired = &loaded.desired;
        let lag = i64::try_from(self.patience.verify.as_millis()).unwrap_or(i64::MAX);
        let mut backoff = Backoff::default();
        // Limit the wait, because the clock of the machine that confirmed a room may be ahead
        // of this machine's clock.
        let deadline = Instant::now() + self.patience.verify;
        let mut is_reported = false;
        loop {
            let observed = self.observe(&RowFilter::new(desired)).await?;
            let inputs = Inputs::new(desired, &observed, recorded);
            let until = wait_for_confirmed(inputs, only, lag);
            let left = until.map(|until| (until.0 - now().0).clamp(0, lag).unsigned_abs());
            let until = left.map(|left| Instant::now() + Duration::from_millis(left));
            let wait = until.and_then(|until| backoff.next_wait(until.min(deadline)));
            let Some(wait) = wait else {
                return Ok(observed);
            };
            if !std::mem::replace(&mut is_reported, true) {
                let waiting = "waiting for the list to show rooms that were just written";
                self.console.status(waiting);
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Reads the list, and returns the rooms that matter to the manifest.
    pub async fn observe(&self, filter: &RowFilter<'_>) -> Result<Observed> {
        let take = |observed: &mut Observed, row| filter.take(observed, row);
        let nothing_yet = || filter.empty_list();
        let read_at = now();
        let mut observed = self
            .reader
            .collect(&Dice::random(), nothing_yet, take)
            .await?;
        observed.is_partial = self.reader.is_partial();
        observed.read_at = Some(read_at);
        match observed.crowded {
            None => Ok(observed),
            Some(pipe) => bail!(Failed: "more than {MOST_ROWS} live rooms have the pipe `{pipe}`";
                "delete all but one of them in ImbaChat"),
        }
    }

    /// Stops the sandbox, if it is running.
    pub async fn close(self) -> Result<()> {
        match self.sandbox {
            Some(sandbox) => Ok(sandbox.stop().await?),
            None => Ok(()),
        }
    }
}

impl ResolvedTarget {
    /// Reads the ledger and prints its warnings.
    pub async fn read_ledger(&self, console: &Console) -> Result<Snapshot> {
        let snapshot = self.ledger.read(&self.target).await?;
        console.warn_all(&snapshot.warnings);
        Ok(snapshot)
    }

    /// Opens the ledger for writing. From here on, a signal lets the run finish.
    pub async fn open_ledger(&self, run: &RunId) -> Result<Journal> {
        interrupt::finish(Some(interrupt::WRITING));
        Ok(self.ledger.open(&self.target, run).await?)
    }
}

/// Creates a client for the target's server. Starts the sandbox first if the run uses it.
pub async fn connect(
    config: &Config,
    resolved: &ResolvedTarget,
) -> Result<(Http, Option<Sandbox>)> {
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
    let network = Network(config.credentials.network.clone());
    let timeout = config.server.connection.timeout;
    let http = Http::new(endpoint, timeout, secrets, &network, &config.run)?;
    Ok((http, sandbox))
}

/// Warns of a manifest in the directory `rooms` if `rooms.yaml` is used instead.
pub fn warn_of_ignored_directory(config: &Config, console: &mut Console) {
    let directory = Path::new("rooms");
    let is_ignored = config.files.is_empty() && config.manifest() != [directory];
    if is_ignored && directory.is_dir() && has_manifest(directory) {
        console.warn(
            "using `rooms.yaml` and ignoring the directory `rooms`: name one or both with -f",
        );
    }
}

/// Loads the manifest and prints its diagnostics. Fails if the manifest is invalid, or if the
/// filter selects no room.
pub fn load_manifest(
    config: &Config,
    allow_empty: bool,
    only: &RoomFilter,
    console: &mut Console,
) -> Result<Loaded> {
    let loaded = load(&config.manifest(), load_options(config, allow_empty));
    warn_of_ignored_directory(config, console);
    // A page about an invalid manifest names the target, if there is one. A missing target is
    // reported later, by the verbs that need one.
    console.target = find_target(config, loaded.desired.widget).ok();
    info!(
        files = loaded.sources.names().len(),
        rooms = loaded.desired.rooms.len(),
        members = loaded.desired.memberships(),
        "manifest read"
    );
    log_files(&loaded);
    console.report_diagnostics(&[&loaded])?;
    check_filter(only, loaded.desired.rooms.keys(), "declared room")?;
    Ok(loaded)
}

/// Loads the manifest, and finds its target. Refuses an output file that is also an input.
pub fn load_run(
    config: &Config,
    allow_empty: bool,
    only: &RoomFilter,
    files: RunFiles,
    console: &mut Console,
) -> Result<(Loaded, ResolvedTarget)> {
    let loaded = load_manifest(config, allow_empty, only, console)?;
    let resolved = ResolvedTarget::new(config, loaded.desired.widget)?;
    files.manifest(&loaded).target(config, &resolved).check()?;
    Ok((loaded, resolved))
}

fn now() -> Time {
    Time(Timestamp::now().as_millisecond())
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
        let exit = match failure.is_lost() {
            true => Exit::Partial,
            false => Exit::Failed,
        };
        Self::new(exit, failure).hint(hint)
    }
}

impl From<SandboxError> for Error {
    fn from(failure: SandboxError) -> Self {
        let hint = failure.hint();
        Self::new(Exit::Failed, failure).hints(hint)
    }
}
