//! What an apply tells at its end: on stdout, in `--report`, in `--failed`.

use std::io::Write;
use std::path::Path;

use anyhow::Context;

use super::Console;
use super::target::Planned;
use crate::apply::Outcome;
use crate::cli::{ApplyArgs, Format};
use crate::error::{Error, Exit};
use crate::plan::Plan;
use crate::render;
use crate::render::json::{self, PlanDocument, ReportDocument, diagnostics};

/// How an apply ended.
pub(super) struct Told {
    pub(super) exit: Exit,
    /// What became of the plan, if anything was carried out.
    pub(super) outcome: Option<Outcome>,
    /// The plan that is left, if one could be made.
    pub(super) after: Option<Plan>,
}

impl Told {
    pub(super) fn print(&self, planned: &Planned, console: &mut Console) -> Result<(), Error> {
        if console.format == Format::Json {
            return console.document(&self.document(planned));
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

    fn document(&self, planned: &Planned) -> ReportDocument {
        let warnings = diagnostics(&planned.loaded.diagnostics, &planned.loaded.sources);
        let plan = PlanDocument::new(&planned.plan, self.exit, warnings);
        let converged = self.after.as_ref().map(|after| !after.is_pending());
        ReportDocument::new(plan, self.outcome.as_ref(), converged, self.exit)
    }
}

/// Writes the files that were asked for, each replaced as a whole.
pub(super) fn write_files(planned: &Planned, told: &Told, args: &ApplyArgs) -> Result<(), Error> {
    if let Some(path) = &args.report {
        replace(path, &json::text(&told.document(planned))?)?;
    }
    if let Some(path) = &args.failed {
        let nothing = Outcome::default();
        let outcome = told.outcome.as_ref().unwrap_or(&nothing);
        let text = render::failed(&planned.plan, outcome).map_err(anyhow::Error::from)?;
        replace(path, &text)?;
    }
    Ok(())
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
