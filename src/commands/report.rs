//! What an apply tells at its end: on stdout, in `--report`, in `--failed`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use tempfile::NamedTempFile;

use super::Console;
use super::console::PageFormat;
use crate::apply::Outcome;
use crate::cli::{ApplyArgs, ApplyFormat};
use crate::config::Config;
use crate::document::{self, PlanDocument, ReportDocument, diagnostics};
use crate::error::{Error, Exit};
use crate::manifest::Loaded;
use crate::model::RunId;
use crate::plan::Plan;
use crate::render;
use crate::view;

/// How an apply ended.
pub(super) struct Told {
    /// Which run it was.
    pub(super) run: RunId,
    pub(super) exit: Exit,
    /// What became of the plan, if anything was carried out.
    pub(super) outcome: Option<Outcome>,
    /// The plan that is left, if one could be made.
    pub(super) after: Option<Plan>,
    /// The ledger, unless its path is absolute.
    pub(super) ledger: Option<String>,
    /// With a saved plan: what it and this run's plan ask for, stale rooms included.
    pub(super) wanted: Option<Plan>,
}

impl Told {
    /// Nothing was carried out.
    pub(super) fn nothing(exit: Exit, config: &Config, ledger: Option<String>) -> Self {
        Self {
            run: config.run.clone(),
            exit,
            outcome: None,
            after: None,
            ledger,
            wanted: None,
        }
    }

    fn print(
        &self,
        plan: &Plan,
        loaded: &Loaded,
        format: ApplyFormat,
        console: &mut Console,
    ) -> Result<(), Error> {
        let outcome = self.outcome.as_ref().filter(|it| !it.rooms.is_empty());
        let page = || match outcome {
            Some(outcome) => view::outcome(plan, outcome, self.after.as_ref()),
            None => view::not_applied(plan, loaded),
        };
        match format {
            ApplyFormat::Text => self.print_text(plan, console),
            ApplyFormat::Json => console.document(&self.document(plan, loaded)),
            ApplyFormat::Markdown => console.page(&page(), PageFormat::Markdown),
            ApplyFormat::Github => console.page(&page(), PageFormat::Github),
        }
    }

    fn print_text(&self, plan: &Plan, console: &mut Console) -> Result<(), Error> {
        let written = self
            .outcome
            .as_ref()
            .filter(|outcome| !outcome.rooms.is_empty());
        let table =
            written.map(|outcome| format!("\n{}", render::outcome(outcome, console.out_paint)));
        let mut text = table.unwrap_or_default();
        if self.outcome.is_none() && self.exit == Exit::Partial {
            let conflicts = render::Count(plan.conflicts.len(), "conflict");
            console.error(&format!("nothing was applied: {conflicts}"));
        }
        if let Some(after) = &self.after {
            text.push_str(&format!("now:  {}\n", view::verdict(after)));
        }
        console.print(&text)
    }

    /// Tells everything: on stdout first, so that a file that cannot be written loses nothing, then in the files asked for, be
    /// stdout written or not.
    pub(super) fn tell(
        &self,
        plan: &Plan,
        loaded: &Loaded,
        args: &ApplyArgs,
        console: &mut Console,
    ) -> Result<(), Error> {
        let printed = self.print(plan, loaded, args.format, console);
        let printed = printed.map_err(|error| self.untold(&error));
        let written = self.write_files(plan, loaded, args);
        if let (Err(_), Err(error)) = (&printed, &written) {
            console.error(&error.chain());
        }
        printed.and(written)
    }

    /// What stands where nothing can be printed: who reads it has to know whether anything was sent.
    fn untold(&self, error: &Error) -> Error {
        let chain = error.chain();
        let tried = |outcome: &&Outcome| outcome.rooms.iter().any(|room| room.requests > 0);
        let Some(outcome) = self.outcome.as_ref().filter(tried) else {
            let message = format!("nothing was applied, and telling so failed: {chain}");
            return Error::message(error.exit, message);
        };
        let ended = render::briefly(outcome);
        let message = format!("apply ended with {ended}; it could not be told: {chain}");
        let error = Error::message(error.exit, message);
        let hints = view::hints(outcome).into_iter();
        let hints = hints.chain(["`roomform plan` says what is left"]);
        hints.fold(error, Error::hint)
    }

    /// Writes the files that were asked for, each replaced as a whole.
    fn write_files(&self, plan: &Plan, loaded: &Loaded, args: &ApplyArgs) -> Result<(), Error> {
        if let Some(path) = &args.report {
            replace(path, &document::text(&self.document(plan, loaded))?)?;
        }
        if let Some(path) = &args.failed {
            let nothing = Outcome::default();
            let outcome = self.outcome.as_ref().unwrap_or(&nothing);
            let plan = self.wanted.as_ref().unwrap_or(plan);
            let text = render::failed(plan, outcome, loaded).map_err(anyhow::Error::from)?;
            replace(path, &text)?;
        }
        Ok(())
    }

    fn document(&self, plan: &Plan, loaded: &Loaded) -> ReportDocument {
        let warnings = diagnostics(&loaded.diagnostics, &loaded.sources);
        let plan = PlanDocument::new(plan, self.ledger.clone(), self.exit, warnings);
        let converged = self.after.as_ref().map(|after| !after.is_pending());
        ReportDocument::new(plan, self.outcome.as_ref(), converged, self.exit, &self.run)
    }
}

/// Puts a text in a file's place, so that nobody ever reads half of it. What is no regular file (a device, a pipe) is written
/// to as it is.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let written = match fs::metadata(path) {
        Ok(there) if !there.is_file() => OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes())),
        there => fs::canonicalize(path)
            .or_else(|_| Ok(path.to_owned()))
            .and_then(|real| {
                let mut file = beside(&real)?;
                file.write_all(text.as_bytes())?;
                let permissions = there
                    .map(|there| there.permissions())
                    .or_else(|_| readable());
                file.as_file().set_permissions(permissions?)?;
                file.as_file().sync_all()?;
                file.persist(&real).map(drop).map_err(|error| error.error)
            }),
    };
    written
        .with_context(|| format!("`{}` cannot be written", path.display()))
        .map_err(Error::from)
}

/// Makes sure, before anything is sent, that a file can be written at the end.
pub(super) fn check_writable(path: &Path) -> Result<(), Error> {
    let checked = match fs::metadata(path) {
        // Whoever reads from a pipe takes its closing for the end: it is opened once.
        Ok(there) if is_pipe(&there) => return Ok(()),
        Ok(there) if !there.is_file() => OpenOptions::new().write(true).open(path).map(drop),
        _ => beside(path).map(drop),
    };
    checked
        .with_context(|| format!("`{}` cannot be written", path.display()))
        .map_err(Error::from)
}

fn is_pipe(there: &fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        there.file_type().is_fifo()
    }
    #[cfg(not(unix))]
    {
        let _ = there;
        false
    }
}

/// A temporary file in a file's directory.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let directory = path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty());
    NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))
}

/// The permissions of a file that anybody may read: it holds no secret, and is often another user's to upload.
fn readable() -> io::Result<fs::Permissions> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        Ok(fs::Permissions::from_mode(0o644))
    }
    #[cfg(not(unix))]
    tempfile::tempfile()?
        .metadata()
        .map(|metadata| metadata.permissions())
}
