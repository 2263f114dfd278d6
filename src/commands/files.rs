//! Writes the files of a run. Each file is replaced atomically. No output may replace an input or
//! another output; without `--force`, it may not replace a file of another kind either.
//!
//! Main types: [`RunFiles`], checked before anything is sent or written, and [`PlannedFile`].

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use tempfile::{Builder, NamedTempFile};

use super::target::ResolvedTarget;
use super::{Console, interrupt};
use crate::config::Config;
use crate::error::{Result, bail, error};
use crate::manifest::Loaded;
use crate::render::Count;
use crate::tables::files::resolve;

pub struct PlannedFile {
    pub path: PathBuf,
    pub text: String,
    /// Whether an existing file with different content may be replaced.
    pub replaces: bool,
    /// The message to print after the file is written.
    pub message: String,
}

impl PlannedFile {
    /// Whether the file already has this content.
    pub fn is_done(&self) -> bool {
        !is_device_or_pipe(&self.path)
            && fs::read(&self.path).is_ok_and(|old| old == self.text.as_bytes())
    }
}

/// Writes the files and creates their directories. If one file cannot be written, writes none.
pub fn write_all(files: &[PlannedFile], console: &mut Console) -> Result<()> {
    for directory in files.iter().filter_map(|file| file.path.parent()) {
        fs::create_dir_all(directory)
            .with_context(|| format!("`{}` cannot be created", directory.display()))?;
    }
    for file in files {
        check_writable(&file.path)?;
    }
    for file in files {
        replace(&file.path, &file.text, NewFile::Shared)?;
        console.print(&file.message)?;
    }
    Ok(())
}

/// Whether the path is a device or a pipe, where no content can be lost.
fn is_device_or_pipe(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// Refuses to write any of the files if one of them cannot be written, or if one of them would
/// replace an existing file that has different content. `instead` is an additional hint for the
/// second case.
pub fn refuse_conflicting_paths(files: &[PlannedFile], instead: Option<&str>) -> Result<()> {
    let (mut others, mut stuck) = (BTreeSet::new(), BTreeSet::new());
    for PlannedFile { path, replaces, .. } in files {
        let shown = format!("`{}`", path.display());
        let above = path.ancestors().skip(1);
        let blocked = above.filter(|directory| exists(directory) && !directory.is_dir());
        if let Some(file) = blocked.last() {
            let file = file.display();
            stuck.insert(format!("`{file}`, which is a file, not a directory"));
        } else if path.is_dir() {
            stuck.insert(format!("{shown}, which is a directory, not a file"));
        } else if !replaces && exists(path) && !is_device_or_pipe(path) {
            others.insert(shown);
        }
    }
    if !stuck.is_empty() {
        bail!(Refused: "in the way: {}", Vec::from_iter(stuck).join("; ");
            "move what is in the way, or choose another directory; nothing was written");
    }
    if others.is_empty() {
        return Ok(());
    }
    let count = Count(others.len(), "file");
    let others = Vec::from_iter(others).join(", ");
    Err(
        error!(Refused: "{count} with other content would be overwritten: {others}";
            "move them away, or use --force to replace them; nothing was written")
        .hints(instead),
    )
}

/// Whether the path is in use, even by a broken link. An unreadable entry counts as in use.
fn exists(path: &Path) -> bool {
    match path.symlink_metadata() {
        Ok(_) => true,
        // If a parent is a file, this path does not exist. The check of its parents finds that
        // file.
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

/// Whether the path is a file, or a directory with a manifest file in it or below it.
pub fn has_manifest(path: &Path) -> bool {
    let Ok(entries) = fs::read_dir(path) else {
        return path.symlink_metadata().is_ok();
    };
    entries.flatten().any(|entry| {
        let path = entry.path();
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let yaml = path.extension();
        let yaml = yaml.is_some_and(|it| it == "yaml" || it == "yml");
        let directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        !hidden && (yaml || (directory && has_manifest(&path)))
    })
}

/// Who may read and write a new file, as far as the umask allows. An existing file keeps its mode.
#[derive(Debug, Clone, Copy)]
pub enum NewFile {
    /// Everyone, because the file is meant to be shared.
    Shared,
    /// Only its owner, because people are named in the file.
    Private,
}

pub fn replace(path: &Path, text: &str, new: NewFile) -> Result<()> {
    replace_with(path, new, |out| out.write_all(text.as_bytes()))
}

/// Writes a JSON document to a private file.
pub fn save_document(path: &Path, document: &impl Serialize, console: &Console) -> Result<()> {
    replace_with(path, NewFile::Private, |out| {
        console.write_document(document, out)
    })
}

/// Replaces a file atomically. Writes directly to a device or a pipe.
fn replace_with(
    path: &Path,
    new: NewFile,
    write: impl Fn(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let replace_atomically = || {
        interrupt::finish(Some(interrupt::WRITING));
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut file = temporary_file_beside(&real, new)?;
        write(&mut file)?;
        if let Ok(old) = fs::metadata(path) {
            file.as_file().set_permissions(old.permissions())?;
        }
        file.as_file().sync_all()?;
        file.persist(&real).map(drop).map_err(|error| error.error)
    };
    let written = if path.exists() && !path.is_file() {
        let file = OpenOptions::new().write(true).open(path);
        file.and_then(|mut file| write(&mut file))
    } else {
        replace_atomically()
    };
    Ok(written.with_context(|| format!("`{}` cannot be written", path.display()))?)
}

/// Checks, before anything is sent, that a file can be written when the run ends.
fn check_writable(path: &Path) -> Result<()> {
    // Do not open a pipe only to check it. Its reader would take the closing of the pipe for
    // the end of the data.
    if is_device_or_pipe(path) {
        return Ok(());
    }
    let checked = if path.is_dir() {
        OpenOptions::new().write(true).open(path).map(drop)
    } else {
        temporary_file_beside(path, NewFile::Private).map(drop)
    };
    Ok(checked.with_context(|| format!("`{}` cannot be written", path.display()))?)
}

fn temporary_file_beside(path: &Path, new: NewFile) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    // A temporary file is private unless its permissions are set.
    #[cfg(unix)]
    if let NewFile::Shared = new {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    #[cfg(not(unix))]
    let _ = new;
    builder.tempfile_in(path.parent().unwrap_or(path))
}

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
            if matches!(output.used, Use::Read) || is_device_or_pipe(path) {
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
