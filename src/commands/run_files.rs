//! The files of a run: no output may replace an input, another output, or a file of another kind.
//!
//! Main type: [`RunFiles`], checked before anything is sent or written.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::site::Site;
use crate::cli::{ApplyArgs, PlanArgs};
use crate::config::Config;
use crate::error::{Error, Exit};
use crate::ledger::LedgerBackend;
use crate::manifest::Loaded;
use crate::model::WidgetId;

/// Bytes read to recognize a file.
const HEAD: u64 = 4096;

/// What a run reads and writes: first what the flags say, then the rest.
#[derive(Debug, Clone, Default)]
pub(super) struct RunFiles {
    files: Vec<RunFile>,
}

#[derive(Debug, Clone)]
struct RunFile {
    /// What it is in an error: a flag, or a noun with its article.
    name: &'static str,
    path: PathBuf,
    /// The same with links resolved.
    real: PathBuf,
    is_written: bool,
}

/// What an output file holds.
#[derive(Debug, Clone, Copy)]
enum OutputKind {
    Plan,
    Report,
    Failed,
}

impl RunFiles {
    /// One more file that is read.
    pub(super) fn reads(self, name: &'static str, path: &Path) -> Self {
        self.with(name, path, false)
    }

    /// One more file that is written, whether it is read too or not.
    pub(super) fn writes(self, name: &'static str, path: &Path) -> Self {
        self.with(name, path, true)
    }

    fn with(mut self, name: &'static str, path: &Path, is_written: bool) -> Self {
        self.files.push(RunFile {
            name,
            path: path.to_owned(),
            real: resolve(path),
            is_written,
        });
        self
    }

    /// The files that a manifest and its rosters were read from.
    pub(super) fn manifest(self, loaded: &Loaded) -> Self {
        self.reads_real("the manifest", &loaded.manifest_files)
            .reads_real("a roster", &loaded.roster_files)
    }

    fn reads_real(mut self, name: &'static str, paths: &BTreeSet<PathBuf>) -> Self {
        self.files.extend(paths.iter().map(|path| RunFile {
            name,
            path: path.clone(),
            real: path.clone(),
            is_written: false,
        }));
        self
    }

    /// A ledger, unless it is in a bucket.
    pub(super) fn ledger(self, ledger: &LedgerBackend) -> Self {
        match ledger.path() {
            Some(path) => self.writes("the ledger", path),
            None => self,
        }
    }

    /// The state of the sandbox.
    pub(super) fn sandbox(self, config: &Config) -> Self {
        match config.sandbox() {
            Some(state) => self.writes("the sandbox's state", state),
            None => self,
        }
    }

    /// The ledger and the sandbox of the run. Errors in the target are reported when it is opened.
    pub(super) fn target(self, config: &Config, declared: Option<WidgetId>) -> Self {
        let files = self.sandbox(config);
        match Site::new(config, declared) {
            Ok(site) => files.ledger(&site.ledger),
            Err(_) => files,
        }
    }

    /// What `plan` writes.
    pub(super) fn plan_outputs(self, args: &PlanArgs) -> Self {
        match &args.out {
            Some(path) => self.writes("--out", path),
            None => self,
        }
    }

    /// What `apply` writes, and the plan it reads.
    pub(super) fn apply_files(self, args: &ApplyArgs) -> Self {
        let files = match &args.plan {
            Some(path) => self.reads("the plan", path),
            None => self,
        };
        let outputs = [("--report", &args.report), ("--failed", &args.failed)];
        outputs
            .into_iter()
            .fold(files, |files, (name, path)| match path {
                Some(path) => files.writes(name, path),
                None => files,
            })
    }

    /// Refuses a written file that the run uses for something else as well.
    pub(super) fn check(&self) -> Result<(), Error> {
        let all = || self.files.iter().enumerate();
        for (number, output) in all() {
            let path = output.real.as_path();
            if !output.is_written || loses_nothing(path) {
                continue;
            }
            let inode = linked_inode(path);
            let is_same =
                |other: &Path| other == path || (inode.is_some() && linked_inode(other) == inode);
            let other = all().find(|(other, file)| *other != number && is_same(&file.real));
            if let Some((_, other)) = other {
                let (name, shown) = (output.name, output.path.display());
                let message = format!("{name} and {} are the same file: `{shown}`", other.name);
                return Err(Error::message(Exit::Usage, message)
                    .hint("name another file; nothing was sent or written"));
            }
        }
        Ok(())
    }
}

/// Refuses to replace files that `plan` did not write.
pub(super) fn check_plan_kinds(args: &PlanArgs) -> Result<(), Error> {
    match &args.out {
        Some(path) if !args.force => check_kind("--out", path, OutputKind::Plan),
        _ => Ok(()),
    }
}

/// Refuses to replace files that `apply` did not write.
pub(super) fn check_apply_kinds(args: &ApplyArgs) -> Result<(), Error> {
    let outputs = [
        ("--report", &args.report, OutputKind::Report),
        ("--failed", &args.failed, OutputKind::Failed),
    ];
    for (name, path, kind) in outputs {
        if let (Some(path), false) = (path, args.force) {
            check_kind(name, path, kind)?;
        }
    }
    Ok(())
}

fn check_kind(name: &str, path: &Path, kind: OutputKind) -> Result<(), Error> {
    if loses_nothing(path) {
        return Ok(());
    }
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read.with_context(|| format!("`{}` cannot be read", path.display()))?,
    };
    if head.is_empty() || kind.is_of(&head) {
        return Ok(());
    }
    let (shown, noun) = (path.display(), kind.noun());
    let message = format!("{name}: `{shown}` exists and is not {noun}");
    Err(Error::message(Exit::Usage, message)
        .hint("name another file, or replace it with --force; nothing was sent or written"))
}

impl OutputKind {
    fn noun(self) -> &'static str {
        match self {
            Self::Plan => "a plan",
            Self::Report => "a report",
            Self::Failed => "a list of failed members",
        }
    }

    /// Whether a file that starts like this is of the kind, without reading all of a large one.
    fn is_of(self, head: &[u8]) -> bool {
        let head: String = String::from_utf8_lossy(head).split_whitespace().collect();
        let is_document =
            |kind: &str| head.starts_with(&format!(r#"{{"format":1,"kind":"{kind}""#));
        match self {
            Self::Plan => is_document("plan"),
            Self::Report => is_document("report"),
            Self::Failed => head.starts_with("pipe,user,error,source,line"),
        }
    }
}

/// Whether the path is a device or a pipe; writing there replaces nothing.
fn loses_nothing(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| !there.is_file())
}

/// A path with its links resolved; for a new file, where it will be.
fn resolve(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    if let Ok(target) = fs::read_link(path) {
        return path
            .parent()
            .map_or(target.clone(), |parent| parent.join(target));
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (absolute.parent(), absolute.file_name()) {
        (Some(parent), Some(name)) => resolve(parent).join(name),
        _ => absolute,
    }
}

/// The inode of a file with several hard links.
fn linked_inode(path: &Path) -> Option<(u64, u64)> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let there = fs::metadata(path).ok()?;
        (there.nlink() > 1).then(|| (there.dev(), there.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}
