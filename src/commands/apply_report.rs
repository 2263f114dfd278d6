//! What an apply reports when it ends: on stdout, in `--report` and in `--failed`.

use super::Console;
use super::files::{NewFile, replace};
use crate::apply::{Halt, Outcome};
use crate::cli::{ApplyArgs, ReportFormat};
use crate::document::{PlanDocument, ReportDocument, diagnostics};
use crate::error::{Error, Exit, Result, error};
use crate::manifest::Loaded;
use crate::manifest::diagnostic::Diagnostic;
use crate::model::RunId;
use crate::plan::{Approved, Plan};
use crate::render::{self, github, markdown};
use crate::view;

pub struct ApplyReport<'a> {
    pub approved: &'a Approved,
    pub loaded: &'a Loaded,
    pub run: RunId,
    /// The ledger's name; `None` if it is an absolute path.
    pub ledger: Option<String>,
    pub exit: Exit,
    /// `None` if nothing was applied.
    pub outcome: Option<Outcome>,
    /// The changes that remain after the apply, if they could be computed.
    pub after: Option<Plan>,
    /// For rooms with too few members: warnings about members whom the widget does not know.
    pub unknown: Vec<Diagnostic>,
}

impl ApplyReport<'_> {
    /// Writes stdout first, so that no output is lost if a file cannot be written. Then writes
    /// the files, even if stdout failed.
    pub fn write(&self, args: &ApplyArgs, console: &mut Console) -> Result<()> {
        let printed = self.print(args.format, console);
        let printed = printed.map_err(|error| self.not_printed(&error));
        let written = self.write_files(args, console);
        if let (Err(_), Err(error)) = (&printed, &written) {
            console.error(&error.chain());
        }
        printed.and(written)
    }

    fn print(&self, format: ReportFormat, console: &mut Console) -> Result<()> {
        let plan = &self.approved.plan;
        let view = || match self.written() {
            Some(outcome) => view::outcome(plan, outcome, self.after.as_ref()),
            None => view::not_applied(plan, self.loaded),
        };
        match format {
            ReportFormat::Text => self.print_text(console),
            ReportFormat::Json => console.print_document(&self.document()),
            ReportFormat::Markdown => console.print(&markdown::write(&view(), console.fit)),
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
            let conflicts = render::Count(self.approved.plan.conflicts.len(), "conflict");
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

    fn write_files(&self, args: &ApplyArgs, console: &Console) -> Result<()> {
        if let Some(path) = &args.report {
            console.save_document(path, &self.document())?;
        }
        if let Some(path) = &args.failed {
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
        let (plan, ledger) = (&self.approved.plan, self.ledger.clone());
        let plan = PlanDocument::new(plan, ledger, self.exit, warnings);
        let nothing = Outcome::default();
        let outcome = self.outcome.as_ref().unwrap_or(&nothing);
        ReportDocument::new(plan, outcome, self.after.as_ref(), self.exit, &self.run)
    }
}

pub fn exit_of(plan: &Plan, outcome: Option<&Outcome>) -> Exit {
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
