//! The files of a run. No output may replace an input, another output, or a file of another kind.
//!
//! Main type: [`RunFiles`], checked before anything is sent or written.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::files::{check_writable, takes_all};
use super::target::ResolvedTarget;
use crate::config::Config;
use crate::error::{Result, bail};
use crate::manifest::Loaded;

/// Number of bytes that are read to detect the kind of a file.
const HEAD: u64 = 4096;

/// The files that a run reads and writes. The files named by flags come first.
#[derive(Debug, Clone, Default)]
pub struct RunFiles(Vec<RunFile>);

#[derive(Debug, Clone)]
struct RunFile {
    /// The name used in errors: a flag, or a noun with its article.
    name: &'static str,
    path: PathBuf,
    /// The path with links resolved.
    real: PathBuf,
    used: Use,
}

#[derive(Debug, Clone, Copy)]
enum Use {
    Read,
    /// The run writes the file, and may also read it.
    Written,
    /// The run writes the file, but does not replace a file of another kind.
    Replaced(OutputKind),
}

/// The kind of file that an output flag writes. It is detected by how the file starts, ignoring
/// spaces.
#[derive(Debug, Clone, Copy)]
pub struct OutputKind {
    noun: &'static str,
    starts: &'static [&'static str],
}

impl OutputKind {
    pub const PLAN: Self = Self::new("a plan", &[r#"{"format":1,"kind":"plan""#]);
    /// A report file has an error instead of a report if the run was interrupted early.
    pub const REPORT: Self = Self::new(
        "a report",
        &[
            r#"{"format":1,"kind":"report""#,
            r#"{"format":1,"kind":"error""#,
        ],
    );
    pub const FAILED: Self =
        Self::new("a list of failed members", &["pipe,user,error,source,line"]);

    const fn new(noun: &'static str, starts: &'static [&'static str]) -> Self {
        Self { noun, starts }
    }
}

impl RunFiles {
    pub fn reads(self, name: &'static str, path: Option<&Path>) -> Self {
        self.with(name, path, Use::Read)
    }

    pub fn writes(self, name: &'static str, path: Option<&Path>) -> Self {
        self.with(name, path, Use::Written)
    }

    fn with(mut self, name: &'static str, path: Option<&Path>, used: Use) -> Self {
        self.0.extend(path.map(|path| RunFile {
            name,
            path: path.to_owned(),
            real: resolve(path),
            used,
        }));
        self
    }

    /// Adds the file of an output flag. Without `force`, an existing file must be of the same kind.
    pub fn output(
        self,
        name: &'static str,
        path: Option<&Path>,
        kind: OutputKind,
        force: bool,
    ) -> Self {
        match force {
            true => self.writes(name, path),
            false => self.with(name, path, Use::Replaced(kind)),
        }
    }

    /// Adds the files of the manifest and its rosters.
    pub fn manifest(self, loaded: &Loaded) -> Self {
        let (manifest, rosters) = (loaded.manifest_files.iter(), loaded.roster_files.iter());
        let files = manifest.fold(self, |files, path| files.reads("the manifest", Some(path)));
        rosters.fold(files, |files, path| files.reads("a roster", Some(path)))
    }

    /// Adds the sandbox's state and the ledger.
    pub fn target(self, config: &Config, resolved: &ResolvedTarget) -> Self {
        self.writes("the sandbox's state", config.sandbox())
            .writes("the ledger", resolved.ledger.path())
    }

    /// Checks that every output can be written when the run ends.
    pub fn check_writable(&self) -> Result<()> {
        let mut outputs = self.0.iter().filter(|file| !matches!(file.used, Use::Read));
        outputs.try_for_each(|file| check_writable(&file.path))
    }

    /// Refuses an output that the run also uses for something else, or that has content of another kind.
    pub fn check(&self) -> Result<()> {
        let all = || self.0.iter().enumerate();
        for (number, output) in all() {
            let path = output.real.as_path();
            if matches!(output.used, Use::Read) || takes_all(path) {
                continue;
            }
            let inode = linked_inode(path);
            let is_same =
                |other: &Path| other == path || (inode.is_some() && linked_inode(other) == inode);
            let mut others = all().filter(|(other, _)| *other != number);
            if let Some((_, other)) = others.find(|(_, file)| is_same(&file.real)) {
                let (name, shown) = (output.name, output.path.display());
                bail!(Usage: "{name} and {} are the same file: `{shown}`", other.name;
                    "name another file; nothing was sent or written");
            }
        }
        self.0.iter().try_for_each(RunFile::check_kind)
    }
}

impl RunFile {
    fn check_kind(&self) -> Result<()> {
        let (name, shown) = (self.name, self.path.display());
        let kind = match self.used {
            Use::Replaced(kind) if self.path.is_file() => kind,
            _ => return Ok(()),
        };
        let mut head = Vec::new();
        File::open(&self.path)
            .and_then(|file| file.take(HEAD).read_to_end(&mut head))
            .with_context(|| format!("`{shown}` cannot be read"))?;
        let start: String = String::from_utf8_lossy(&head).split_whitespace().collect();
        if head.is_empty() || kind.starts.iter().any(|it| start.starts_with(it)) {
            return Ok(());
        }
        bail!(Usage: "{name}: `{shown}` exists and is not {}", kind.noun;
            "choose another file, or use --force to replace the existing one; nothing was sent or written")
    }
}

/// Returns a path with its links resolved. A new file resolves to its future path.
fn resolve(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    if let Ok(target) = fs::read_link(path) {
        return path.parent().unwrap_or(path).join(target);
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (absolute.parent(), absolute.file_name()) {
        (Some(parent), Some(name)) => resolve(parent).join(name),
        _ => absolute,
    }
}

/// Returns the inode of a file that has several hard links.
fn linked_inode(path: &Path) -> Option<(u64, u64)> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let metadata = fs::metadata(path).ok()?;
        (metadata.nlink() > 1).then(|| (metadata.dev(), metadata.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}
