//! Runs an apply after planning: asks, writes, plans again, and reports the result on stdout, in
//! `--report` and in `--failed`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::pin::pin;

use tokio::time::{Instant, interval_at};

use super::files::{NewFile, replace, save_document};
use super::members::check_users;
use super::prompt::consent;
use super::session::Session;
use super::{Console, interrupt};
use crate::apply::{
    Control, Halt, Job, Limiter, Outcome, RoomOutcome, Status, apply, facts_of_counts,
};
use crate::cli::{ApplyArgs, ReportFormat};
use crate::document::{PlanDocument, ReportDocument, diagnostics};
use crate::error::{Error, Exit, Result, error};
use crate::imbachat::{Dice, WriteAuth, Writer};
use crate::ledger::{Fact, Record};
use crate::manifest::Loaded;
use crate::manifest::diagnostic::Diagnostic;
use crate::model::Pipe;
use crate::plan::{Approved, Inputs, Plan, PlanOptions, RowFilter, SkipReason, countable, plan};
use crate::render::{self, Count, EVERY, github};
use crate::view;

pub struct ApplyRun<'a> {
    pub session: &'a Session,
    pub args: &'a ApplyArgs,
    pub options: &'a PlanOptions,
    pub loaded: &'a Loaded,
    pub approved: &'a Approved,
    pub exit: Exit,
    /// `None` if nothing was applied.
    pub outcome: Option<Outcome>,
    /// The changes that remain after the apply, if they could be computed.
    pub after: Option<Plan>,
    /// For rooms with too few members: warnings about members whom the widget does not know.
    pub unknown: Vec<Diagnostic>,
}

impl ApplyRun<'_> {
    /// Asks before the plan is applied. Returns an exit code if it will not be applied. A plan file
    /// counts as approval, so the user is not asked again.
    pub async fn confirm(&self, console: &Console) -> Option<Exit> {
        let (plan, args) = (&self.approved.plan, self.args);
        if !plan.refusals.is_empty() {
            return Some(Exit::Refused);
        }
        if self.approved.stale() > 0 && !args.apply_fresh {
            console.error("nothing was applied: the plan is stale; make a new plan, or use --apply-fresh to apply only the rooms that have not changed");
            return Some(Exit::Refused);
        }
        if args.plan.is_some() || args.yes || plan.is_empty() {
            return None;
        }
        if console.streams.interactive {
            let view = view::plan(plan, self.loaded);
            console.prompt(&render::attention(&view, console.err_paint));
        }
        let question = format!("Apply this plan to {}?", plan.target);
        match consent(&question, "applied", console).await {
            Ok(true) => None,
            Ok(false) => Some(Exit::Done),
            // Return normally, so that the run can still write its report.
            Err(error) => {
                console.error(&error.chain());
                Some(error.exit)
            }
        }
    }

    /// Applies the approved plan, shows progress, and computes the remaining plan. The ledger is opened for writing before the first
    /// call.
    pub async fn write(&mut self, auth: WriteAuth) -> Result<()> {
        let (session, plan, args) = (self.session, &self.approved.plan, self.args);
        if plan.is_empty() && !plan.has_anything_to_record() {
            self.exit = exit_of(plan, None);
            return Ok(());
        }
        let ledger = session.resolved.open_ledger(&session.run).await?;
        let job = Job {
            plan,
            filter: RowFilter::new(&self.loaded.desired),
            reader: &session.reader,
            writer: &Writer::new(session.http.clone(), session.resolved.target.widget, auth),
            ledger: &ledger,
            control: Control::new(
                Limiter::new(args.run.parallelism.get(), args.pace.rate),
                Dice::random(),
                args.pace.fail_fast,
                session.patience,
                interrupt::report(),
            ),
        };
        let progress = RefCell::new(session.console.progress(plan.changes.len()));
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
        self.after = self.plan_again(&mut outcome).await;
        let mut recorded = Ok(());
        if let Some(after) = &self.after {
            let counted: Vec<Fact> = facts_of_counts(&after.baseline.counted).collect();
            if !counted.is_empty() {
                match interrupt::unless_interrupted(ledger.append(counted)).await {
                    None => outcome.halt = Some(Halt::Interrupted),
                    Some(appended) => recorded = appended,
                }
            }
            self.unknown = self.find_unknown(&mut outcome).await;
        }
        self.exit = exit_of(plan, Some(&outcome));
        // The report is written even if the counts cannot be recorded.
        if let Err(error) = recorded {
            session.console.error(&Error::from(error).chain());
            if self.exit == Exit::Done {
                self.exit = Exit::Partial;
            }
        }
        self.outcome = Some(outcome);
        Ok(())
    }

    /// Computes the remaining plan from the list that was read to verify the writes. Also counts
    /// the members if the run counts them. Returns `None` if the plan cannot be computed.
    async fn plan_again(&self, outcome: &mut Outcome) -> Option<Plan> {
        let session = self.session;
        // If the verification was interrupted, the list may lag, so it does not show what remains.
        let is_whole = outcome.halt != Some(Halt::Interrupted);
        let mut observed = outcome.observed.take().filter(|_| is_whole)?;
        // The sandbox also lists rooms that it failed to save, which the next run will not see.
        // `close` reports that failure.
        if let Some(sandbox) = &session.sandbox
            && sandbox.flush().await.is_err()
        {
            return None;
        }
        let snapshot = session.resolved.ledger.read(&session.resolved.target).await;
        let snapshot = snapshot.inspect_err(|error| match error.is_lost() {
            true => {
                outcome.halt.get_or_insert(Halt::Ledger {
                    reason: format!("{error}; {}", error.hint()),
                    is_lost: true,
                });
            }
            false => session.console.warn(&error.to_string()),
        });
        let recorded = snapshot.ok()?.into_recorded().without_later_observations();
        let (desired, options) = (&self.loaded.desired, self.options);
        if let Some(limits) = session.count.filter(|_| outcome.halt.is_none()) {
            let inputs = Inputs::new(desired, &observed, &recorded);
            session.console.status("counting members");
            let all = countable(inputs, &options.only);
            let counts = limits.count_again(&session.reader, all, outcome, session.patience.verify);
            match interrupt::unless_interrupted(counts).await {
                None => outcome.halt = Some(Halt::Interrupted),
                Some(counts) => {
                    outcome.note_counts(&counts);
                    observed.counts = Some(counts);
                }
            }
        }
        Some(plan(
            &session.resolved.target,
            desired,
            &observed,
            &recorded,
            options,
        ))
    }

    /// For each room with too few members, warns about its declared members whom the widget
    /// does not know.
    async fn find_unknown(&self, outcome: &mut Outcome) -> Vec<Diagnostic> {
        let (session, loaded) = (self.session, self.loaded);
        let short = outcome.rooms.iter().filter(|room| room.short.is_some());
        let short: BTreeSet<&Pipe> = short.map(|room| &room.pipe).collect();
        if short.is_empty() {
            return Vec::new();
        }
        let checked = check_users(&session.reader, loaded, |pipe| short.contains(pipe));
        match interrupt::unless_interrupted(checked).await {
            None => {
                outcome.halt = Some(Halt::Interrupted);
                Vec::new()
            }
            Some(Ok(unknown)) => {
                session.console.report_warnings(&unknown, &loaded.sources);
                unknown
            }
            Some(Err(error)) => {
                let reason = error.chain();
                let message = format!("cannot read the widget's users: {reason}");
                session.console.warn(&message);
                Vec::new()
            }
        }
    }

    /// Adds the rooms of the saved plan that were skipped, unless guards refused the plan.
    pub fn add_skipped(&mut self) {
        let approved = self.approved;
        if !approved.plan.refusals.is_empty() {
            return;
        }
        if approved.stale() > 0 && self.exit == Exit::Done {
            self.exit = Exit::Partial;
        }
        let rooms = approved.plan.changes.iter().map(RoomOutcome::begun);
        let outcome = self.outcome.get_or_insert_with(|| Outcome {
            rooms: rooms.collect(),
            ..Outcome::default()
        });
        outcome.rooms.extend(approved.skipped.iter().map(|room| {
            let status = match &room.reason {
                SkipReason::UpToDate => Status::UpToDate,
                SkipReason::Undeclared => Status::Undeclared,
                SkipReason::Stale(reason) => Status::Stale(reason.clone()),
            };
            RoomOutcome {
                status,
                ..RoomOutcome::not_begun(&room.pipe, room.id)
            }
        }));
        outcome.rooms.sort_by(|a, b| a.pipe.cmp(&b.pipe));
    }

    /// Writes stdout first, so that no output is lost if a file cannot be written. Then writes
    /// the files, even if stdout failed.
    pub fn report(&self, console: &mut Console) -> Result<()> {
        let printed = self.print(console);
        let printed = printed.map_err(|error| self.not_printed(&error));
        let written = self.write_files(console);
        if let (Err(_), Err(error)) = (&printed, &written) {
            console.error(&error.chain());
        }
        printed.and(written)
    }

    fn print(&self, console: &mut Console) -> Result<()> {
        let plan = &self.approved.plan;
        let view = || match self.written() {
            Some(outcome) => view::outcome(plan, outcome, self.after.as_ref()),
            None => view::not_applied(plan, self.loaded),
        };
        match self.args.format {
            ReportFormat::Text => self.print_text(console),
            ReportFormat::Json => console.print_document(&self.document()),
            ReportFormat::Markdown => console.print_markdown(&view()),
            ReportFormat::Github => console.print(&github::write(&view())),
        }
    }

    fn written(&self) -> Option<&Outcome> {
        let outcome = self.outcome.as_ref();
        outcome.filter(|outcome| !outcome.rooms.is_empty())
    }

    fn print_text(&self, console: &mut Console) -> Result<()> {
        let mut text = String::new();
        if let Some(outcome) = self.written() {
            text = format!("\n{}", render::outcome(outcome, console.out_paint));
        }
        if self.outcome.is_none() && self.exit == Exit::Partial {
            let conflicts = Count(self.approved.plan.conflicts.len(), "conflict");
            console.error(&format!("nothing was applied: {conflicts}"));
        }
        if let Some(after) = &self.after {
            text.push_str(&render::remaining(after, console.out_paint));
        }
        console.print(&text)
    }

    /// Returns the error for an unwritable stdout. It says whether anything was sent.
    fn not_printed(&self, error: &Error) -> Error {
        let chain = error.chain();
        let sent = |outcome: &&Outcome| outcome.rooms.iter().any(|room| room.requests > 0);
        let Some(outcome) = self.outcome.as_ref().filter(sent) else {
            return error!(Failed: "nothing was applied, and the result could not be printed: {chain}");
        };
        let ended = render::briefly(outcome);
        error!(Failed: "apply ended with {ended}; the result could not be printed: {chain}")
            .hints(view::hints(outcome))
            .hint("run `roomform plan` to see the remaining changes")
    }

    fn write_files(&self, console: &Console) -> Result<()> {
        if let Some(path) = &self.args.report {
            save_document(path, &self.document(), console)?;
        }
        if let Some(path) = &self.args.failed {
            let nothing = Outcome::default();
            let outcome = self.outcome.as_ref().unwrap_or(&nothing);
            let plan = self.plan_with_stale();
            let text = render::failed(&plan, outcome, self.loaded).map_err(anyhow::Error::from)?;
            replace(path, &console.redact(&text), NewFile::Private)?;
        }
        Ok(())
    }

    /// Returns the plan to report: the approved changes, and the new plan's changes to stale rooms.
    fn plan_with_stale(&self) -> Plan {
        let Approved { plan, skipped, .. } = self.approved;
        let stale = skipped.iter().filter_map(|room| room.change.as_ref());
        let mut changes: Vec<_> = plan.changes.iter().chain(stale).cloned().collect();
        changes.sort_by(|a, b| a.pipe.cmp(&b.pipe));
        plan.with_changes(changes)
    }

    fn document(&self) -> ReportDocument<'_> {
        let sources = &self.loaded.sources;
        let mut warnings = diagnostics(&self.loaded.diagnostics, sources);
        warnings.extend(diagnostics(&self.unknown, sources));
        let (plan, ledger) = (&self.approved.plan, self.session.resolved.ledger.portable());
        let plan = PlanDocument::new(plan, ledger, self.exit, warnings);
        let nothing = Outcome::default();
        let outcome = self.outcome.as_ref().unwrap_or(&nothing);
        let (after, run) = (self.after.as_ref(), &self.session.run);
        ReportDocument::new(plan, outcome, after, self.exit, run)
    }
}

fn exit_of(plan: &Plan, outcome: Option<&Outcome>) -> Exit {
    let halt = outcome.and_then(|outcome| outcome.halt.as_ref());
    let complete = plan.conflicts.is_empty() && outcome.is_none_or(Outcome::is_complete);
    match halt {
        Some(Halt::Interrupted) => Exit::Interrupted,
        Some(Halt::Ledger { is_lost: false, .. }) if !outcome.is_some_and(Outcome::has_written) => {
            Exit::Failed
        }
        _ if complete => Exit::Done,
        _ => Exit::Partial,
    }
}
