//! The resources of a run: manifest, server, credentials and ledger, each opened once.
//!
//! Main type: [`Session`]. It can only read: writing requires a [`WriteAuth`], and sending messages
//! requires a key.

use std::cell::RefCell;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, interval_at};
use tracing::info;

use super::apply_report::{ApplyReport, exit_of};
use super::files::has_manifest;
use super::filter::{check_filter, load_options};
use super::members::CountLimits;
use super::run_files::RunFiles;
use super::target::{ResolvedTarget, find_target, read_auth};
use super::{Console, interrupt, verbose};
use crate::apply::{Backoff, Control, Halt, Job, Limiter, Patience, apply, facts_of_counts};
use crate::cli::ApplyArgs;
use crate::config::Config;
use crate::document::{PlanDocument, diagnostics};
use crate::error::{Error, Exit, Result, bail};
use crate::imbachat::{
    Dice, Endpoint, Failure, Http, Network, ReadAuth, ReadRooms, Reader, WriteAuth, Writer,
};
use crate::ledger::{Fact, Journal, LedgerBackend, LedgerError, Record, Snapshot};
use crate::manifest::{Loaded, load};
use crate::model::{MOST_ROWS, Observed, Recorded, RunId, Target, Time};
use crate::plan::{
    Approved, Counting, Inputs, Plan, PlanOptions, RoomFilter, RowFilter, SavedPlan, countable,
    plan, select, wait_for_confirmed,
};
use crate::render::EVERY;
use crate::sandbox::{self, Sandbox, SandboxError, start};

/// An open connection to one widget, and its ledger.
pub struct Session {
    pub target: Target,
    pub ledger: LedgerBackend,
    pub reader: Reader,
    pub http: Http,
    /// How long to wait for a request, and for the list to show a write.
    pub patience: Patience,
    /// What a count of members may cost; `None` if they are not counted.
    pub count: Option<CountLimits>,
    pub sandbox: Option<Sandbox>,
    pub console: Console,
    run: RunId,
}

impl Session {
    pub async fn open(
        config: &Config,
        resolved: ResolvedTarget,
        console: &Console,
    ) -> Result<Self> {
        let auth = read_auth(config)?;
        let (http, sandbox) = connect(config, &resolved).await?;
        let ResolvedTarget { target, ledger, .. } = resolved;
        let by = match &auth {
            ReadAuth::Secret(_) => "secret key",
            ReadAuth::Jwt(_) => "JWT",
            ReadAuth::Minted { .. } => "JWT signed with the secret key",
        };
        info!(origin = target.origin, widget = target.widget.0, read_by = by, ledger = %ledger, "target");
        Ok(Self {
            reader: Reader::new(http.clone(), target.widget, auth),
            target,
            ledger,
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
        let snapshot = self.read_ledger().await?;
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
        let plan = plan(&self.target, desired, observed, recorded, options);
        verbose::log_plan(&plan);
        if plan.summary.unknown.members > 0 && !found {
            self.console.warn(&format!(
                "there is no ledger at `{}`, so the members of existing rooms are unknown; use --assume-members to treat them as present",
                self.ledger
            ));
        }
        let inputs = Inputs::new(desired, observed, recorded);
        Ok(match saved {
            Some(saved) => select(saved, &plan, inputs, &options.allow),
            None => Approved::whole(plan),
        })
    }

    /// Returns the report of an apply that has not started.
    pub fn report<'a>(&self, approved: &'a Approved, loaded: &'a Loaded) -> ApplyReport<'a> {
        ApplyReport {
            approved,
            loaded,
            run: self.run.clone(),
            ledger: self.ledger.portable(),
            exit: Exit::Done,
            outcome: None,
            after: None,
            unknown: Vec::new(),
        }
    }

    /// Applies the approved plan, shows progress, and computes the remaining plan. The ledger is opened for writing before the first
    /// call.
    pub async fn apply(
        &self,
        report: &mut ApplyReport<'_>,
        options: &PlanOptions,
        auth: WriteAuth,
        args: &ApplyArgs,
    ) -> Result<()> {
        let (plan, loaded) = (&report.approved.plan, report.loaded);
        if plan.is_empty() && !plan.has_anything_to_record() {
            report.exit = exit_of(plan, None);
            return Ok(());
        }
        let ledger = self.open_ledger().await?;
        let job = Job {
            plan,
            filter: RowFilter::new(&loaded.desired),
            reader: &self.reader,
            writer: &Writer::new(self.http.clone(), self.target.widget, auth),
            ledger: &ledger,
            control: Control::new(
                Limiter::new(args.run.parallelism.get(), args.pace.rate),
                Dice::random(),
                args.pace.fail_fast,
                self.patience,
                interrupt::report(),
            ),
        };
        let progress = RefCell::new(self.console.progress(plan.changes.len()));
        let mut outcome = {
            let mut work = pin!(apply(job, |event| progress.borrow_mut().event(&event)));
            let mut ticks = interval_at(Instant::now() + EVERY, EVERY);
            let (mut stopped, mut is_stopped) = (interrupt::report(), false);
            loop {
                tokio::select! {
                    biased;
                    () = interrupt::first(&mut stopped), if !is_stopped => {
                        is_stopped = true;
                        progress.borrow().say("interrupted: finishing requests in flight; press Ctrl-C again to stop at once");
                    }
                    outcome = &mut work => break outcome,
                    _ = ticks.tick() => progress.borrow_mut().tick(),
                }
            }
        };
        progress.into_inner().finish();
        report.after = self.plan_again(loaded, options, &mut outcome).await;
        let mut recorded = Ok(());
        if let Some(after) = &report.after {
            let counted: Vec<Fact> = facts_of_counts(&after.baseline.counted).collect();
            if !counted.is_empty() {
                match interrupt::unless_interrupted(ledger.append(counted)).await {
                    None => outcome.halt = Some(Halt::Interrupted),
                    Some(appended) => recorded = appended,
                }
            }
            report.unknown = self.find_unknown(loaded, &mut outcome).await;
        }
        report.exit = exit_of(plan, Some(&outcome));
        // The report is written even if the counts cannot be recorded.
        if let Err(error) = recorded {
            self.console.error(&Error::from(error).chain());
            if report.exit == Exit::Done {
                report.exit = Exit::Partial;
            }
        }
        report.outcome = Some(outcome);
        Ok(())
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

    /// Reads the ledger and prints its warnings.
    pub async fn read_ledger(&self) -> Result<Snapshot> {
        let snapshot = self.ledger.read(&self.target).await?;
        self.console.warn_all(&snapshot.warnings);
        Ok(snapshot)
    }

    pub async fn open_ledger(&self) -> Result<Journal> {
        open_ledger(&self.ledger, &self.target, &self.run).await
    }

    pub fn plan_document<'a>(
        &self,
        plan: &'a Plan,
        loaded: &Loaded,
        exit: Exit,
    ) -> PlanDocument<'a> {
        let warnings = diagnostics(&loaded.diagnostics, &loaded.sources);
        PlanDocument::new(plan, self.ledger.portable(), exit, warnings)
    }

    /// Stops the sandbox, if it is running.
    pub async fn close(self) -> Result<()> {
        match self.sandbox {
            Some(sandbox) => Ok(sandbox.stop().await?),
            None => Ok(()),
        }
    }
}

/// Opens a ledger for writing. From here on, a signal lets the run finish.
pub async fn open_ledger(ledger: &LedgerBackend, target: &Target, run: &RunId) -> Result<Journal> {
    interrupt::finish(Some(interrupt::WRITING));
    Ok(ledger.open(target, run).await?)
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
    let http = Http::new(endpoint, timeout, secrets, &network)?;
    Ok((http.with_run(&config.run), sandbox))
}

/// Warns of a manifest in the directory `rooms` if `rooms.yaml` is used instead.
pub fn warn_of_ignored_directory(config: &Config, console: &mut Console) {
    if config.reads_file_not_directory() && has_manifest(Path::new("rooms")) {
        console.warn(
            "using `rooms.yaml` and ignoring the directory `rooms`: name one or both with -f",
        );
    }
}

/// Loads the manifest and prints its diagnostics. Returns `None` if it is invalid. A filter that
/// selects no room is an error.
pub fn load_manifest(
    config: &Config,
    allow_empty: bool,
    only: &RoomFilter,
    console: &mut Console,
) -> Result<Option<Loaded>> {
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
    verbose::log_files(&loaded);
    if !console.report_diagnostics(&[&loaded])? {
        return Ok(None);
    }
    check_filter(only, loaded.desired.rooms.keys(), "declared room")?;
    Ok(Some(loaded))
}

/// Loads the manifest, and finds its target. Returns `None` if the manifest is invalid. Refuses an
/// output file that is also an input.
pub fn load_run(
    config: &Config,
    allow_empty: bool,
    only: &RoomFilter,
    files: RunFiles,
    console: &mut Console,
) -> Result<Option<(Loaded, ResolvedTarget)>> {
    let Some(loaded) = load_manifest(config, allow_empty, only, console)? else {
        return Ok(None);
    };
    let resolved = ResolvedTarget::new(config, loaded.desired.widget)?;
    files.manifest(&loaded).target(config, &resolved).check()?;
    Ok(Some((loaded, resolved)))
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
