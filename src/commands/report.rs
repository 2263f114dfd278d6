//! What an apply tells at its end: on stdout, in `--report`, in `--failed`.

use std::io::Write;
use std::path::Path;

use anyhow::Context;

use super::Console;
use crate::apply::Outcome;
use crate::cli::{ApplyArgs, Format};
use crate::error::{Error, Exit};
use crate::plan::Plan;
use crate::render;
use crate::render::json::{self, DiagnosticDocument, PlanDocument, ReportDocument};

/// How an apply ended.
pub(super) struct Told {
    pub(super) exit: Exit,
    /// What became of the plan, if anything was carried out.
    pub(super) outcome: Option<Outcome>,
    /// The plan that is left, if one could be made.
    pub(super) after: Option<Plan>,
}

impl Told {
    /// Nothing was carried out.
    pub(super) fn nothing(exit: Exit) -> Self {
        Self {
            exit,
            outcome: None,
            after: None,
        }
    }

    pub(super) fn print(
        &self,
        plan: &Plan,
        warnings: Vec<DiagnosticDocument>,
        console: &mut Console,
    ) -> Result<(), Error> {
        if console.format == Format::Json {
            return console.document(&self.document(plan, warnings));
        }
        let written = self
            .outcome
            .as_ref()
            .filter(|outcome| !outcome.rooms.is_empty());
        let table =
            written.map(|outcome| format!("\n{}", render::outcome(outcome, console.out_paint)));
        let mut text = table.unwrap_or_default();
        if let Some(after) = &self.after {
            text.push_str(&format!("now:  {}\n", render::verdict(after)));
        }
        console.print(&text)
    }

    /// Writes the files that were asked for, each replaced as a whole.
    pub(super) fn write_files(
        &self,
        plan: &Plan,
        warnings: Vec<DiagnosticDocument>,
        args: &ApplyArgs,
    ) -> Result<(), Error> {
        if let Some(path) = &args.report {
            replace(path, &json::text(&self.document(plan, warnings))?)?;
        }
        if let Some(path) = &args.failed {
            let nothing = Outcome::default();
            let outcome = self.outcome.as_ref().unwrap_or(&nothing);
            let text = render::failed(plan, outcome).map_err(anyhow::Error::from)?;
            replace(path, &text)?;
        }
        Ok(())
    }

    fn document(&self, plan: &Plan, warnings: Vec<DiagnosticDocument>) -> ReportDocument {
        let plan = PlanDocument::new(plan, self.exit, warnings);
        let converged = self.after.as_ref().map(|after| !after.is_pending());
        ReportDocument::new(plan, self.outcome.as_ref(), converged, self.exit)
    }
}

/// Puts a text in a file's place, so that nobody ever reads half of it.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let directory = path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let written = tempfile::NamedTempFile::new_in(directory).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)
    });
    written
        .map(drop)
        .with_context(|| format!("`{}` cannot be written", path.display()))
        .map_err(Error::from)
}
