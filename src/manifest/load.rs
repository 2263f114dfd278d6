//! Reads all files of a manifest, and combines them into one [`Loaded`].

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::decode::decode_file;
use super::explain::{Explained, Tracer};
use super::raw::{RawFile, RawManifest};
use super::resolve;
use crate::model::{Date, Desired, UserNames};
use crate::tables::boundary::{is_inside, leads_out};
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems, Severity, Sources};
use crate::tables::encoding::decode_utf_8;
use crate::tables::files::{Disk, FileMap, Files, Kind, RealPaths, directory_of, read_at_most};
use crate::tables::open::{Home, Opener, Tables};
use crate::tables::row_use::RowCounts;
use crate::tables::wrong_file::{find_conflict, wrong_text};

/// Maximum size of a manifest file, in bytes. It limits memory, time and byte offsets.
const LARGEST_FILE: u64 = 64 << 20;

/// Options for reading a manifest.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Whether a manifest without rooms is valid.
    pub allow_empty: bool,
    /// The day for which dates are evaluated. Set it if the manifest has dates; the default is 0000-01-01.
    pub today: Date,
    /// Whether to discard the names of users, so that output shows only ids.
    pub hide_names: bool,
}

/// A manifest that was read, with its diagnostics.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The declared rooms. Use them only if [`Loaded::is_valid`] returns true.
    pub desired: Desired,
    /// All errors and warnings, sorted by place.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that the diagnostics refer to.
    pub sources: Sources,
    /// Real paths of the manifest files; `<stdin>` for stdin.
    pub manifest_files: BTreeSet<PathBuf>,
    /// Real paths of the files with rows, such as rosters.
    pub roster_files: BTreeSet<PathBuf>,
    pub(super) tables: Tables,
}

impl Loaded {
    /// Whether there are no errors; warnings are allowed.
    pub fn is_valid(&self) -> bool {
        self.diagnostics
            .iter()
            .all(|diagnostic| diagnostic.severity() != Severity::Error)
    }

    /// Describes each use of a file with rows, in the order of the manifest. If equal uses
    /// share one read, only the first is described.
    pub fn notes(&self) -> Vec<FileNote> {
        let notes = self.tables.opened().filter_map(|table| {
            let delimiter = table.header.delimiter;
            let delimiter = delimiter.filter(|_| !table.file.is_sheet());
            Some(FileNote {
                file: table.file.source.name.clone(),
                at: table.raw.path.at,
                encoding: table.file.encoding,
                delimiter: delimiter.map(char::from),
                rows: table.counts.get()?,
                columns: match table.header.delimiter {
                    Some(_) => table.header.columns.clone(),
                    None => Vec::new(),
                },
            })
        });
        let mut notes: Vec<_> = notes.collect();
        notes.sort_by_key(|note| note.at);
        notes
    }
}

/// How a file with rows was read for one of its uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNote {
    /// The file's path as the user would write it.
    pub file: Arc<str>,
    /// The place in the manifest that uses the file.
    pub at: At,
    /// The name of the encoding, such as `UTF-8` or `windows-1251`.
    pub encoding: &'static str,
    /// The delimiter; `None` for a workbook, and if the file has one value per line.
    pub delimiter: Option<char>,
    /// The number of rows for each way in which rows were used.
    pub rows: RowCounts,
    /// The columns in the header; none if the file has one value per line.
    pub columns: Vec<String>,
}

/// Reads files and directories as one manifest. In a directory, it reads every `*.yaml` and
/// `*.yml` file, sorted by path. The path `-` is stdin.
pub fn load(roots: &[PathBuf], options: Options) -> Loaded {
    Loader::new(&Disk, options).read_named(roots).resolve(None)
}

/// Works like [`load`], but reads from any [`Files`].
pub fn load_from(files: &dyn Files, roots: &[PathBuf], options: Options) -> Loaded {
    let mut loader = Loader::new(files, options);
    roots.iter().for_each(|root| loader.read_root(root));
    loader.resolve(None)
}

/// Reads a manifest and explains a room or a user. `asked` is the pipe of a declared room, or a
/// user's id or name. The explanation is `None` if `asked` is unknown or the manifest is invalid.
pub fn explain(roots: &[PathBuf], options: Options, asked: &str) -> (Loaded, Option<Explained>) {
    let mut tracer = Tracer::new(asked);
    let loaded = Loader::new(&Disk, options)
        .read_named(roots)
        .resolve(Some(&mut tracer));
    let explained = loaded.is_valid();
    let explained = explained.then(|| tracer.finish(&loaded.desired, options.hide_names));
    (loaded, explained.flatten())
}

/// Reads a text as a complete manifest, as if it were a file with this name.
pub fn load_text(name: &str, text: &str, options: Options) -> Loaded {
    let no_files = FileMap::default();
    let mut loader = Loader::new(&no_files, options);
    loader.read_text(name, text.as_bytes().to_vec(), PathBuf::new());
    loader.resolve(None)
}

struct Loader<'a> {
    files: &'a dyn Files,
    options: Options,
    sources: Sources,
    manifests: Vec<RawManifest>,
    problems: Problems,
    known: BTreeSet<PathBuf>,
    real_paths: RealPaths<'a>,
    /// The real path of the directory that is being read.
    root: Option<PathBuf>,
    /// For each manifest file, its directory and the files with rows that it names.
    rosters: Vec<(Home, Vec<RawFile>)>,
}

impl<'a> Loader<'a> {
    fn new(files: &'a dyn Files, options: Options) -> Self {
        Self {
            files,
            options,
            sources: Sources::default(),
            manifests: Vec::new(),
            problems: Problems::default(),
            known: BTreeSet::new(),
            real_paths: RealPaths::new(files),
            root: None,
            rosters: Vec::new(),
        }
    }

    /// Reads the paths that a user named. `-` is stdin. Files that a manifest on stdin names
    /// are relative to the current directory.
    fn read_named(mut self, roots: &[PathBuf]) -> Self {
        for root in roots {
            match root == Path::new("-") {
                true => self.read_stdin(),
                false => self.read_root(root),
            }
        }
        self
    }

    fn read_stdin(&mut self) {
        let path = Path::new("<stdin>");
        if self.known.insert(path.to_owned()) {
            self.root = self.real_paths.find(directory_of(path)).ok();
            self.read_bytes(path, read_at_most(io::stdin(), LARGEST_FILE));
        }
    }

    fn read_root(&mut self, root: &Path) {
        let kind = self.files.kind(root);
        let directory = match kind {
            Ok(Kind::Directory) => root,
            _ => directory_of(root),
        };
        self.root = self.real_paths.find(directory).ok();
        match kind {
            Ok(_) if leads_out(self.files, root) => self.note(
                Code::Outside,
                root,
                "a symbolic link that leads outside its directory or git work tree",
                "copy the file into the directory, or name the file itself with -f",
            ),
            Err(error) => self.unreadable(root, &error),
            Ok(Kind::Directory) => self.read_directory(root),
            Ok(Kind::File | Kind::Other) => self.read_file(root),
        }
    }

    fn read_directory(&mut self, root: &Path) {
        let mut found = Vec::new();
        match self.real_paths.find(root) {
            Ok(real) => self.walk(root, &real, &real, &mut found),
            Err(error) => self.unreadable(root, &error),
        }
        found.sort();
        if found.is_empty() && self.problems.is_empty() {
            let message = "the directory has no *.yaml or *.yml file";
            let hint = "name the directory of your manifest, or a file";
            self.note(Code::Unreadable, root, message, hint);
        }
        for path in found {
            self.read_file(&path);
        }
    }

    /// Collects the manifest's files, except hidden ones. Links must not lead out of the root.
    /// Otherwise, an error message for a pull request could quote files of the CI runner.
    fn walk(&mut self, directory: &Path, real: &Path, root: &Path, found: &mut Vec<PathBuf>) {
        let entries = match self.files.list(directory) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(directory, &error),
        };
        for path in entries {
            let name = path.file_name().unwrap_or_default();
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let extension = path.extension();
            let yaml = extension.is_some_and(|it| it == "yaml" || it == "yml");
            let target = self.real_paths.find(&path);
            match target.and_then(|target| Ok((self.files.kind(&path)?, target))) {
                Err(error) if yaml => self.unreadable(&path, &error),
                Ok((kind, target))
                    if (yaml || kind == Kind::Directory) && !is_inside(&target, root) =>
                {
                    let message = "a symbolic link that leads outside the manifest's directory";
                    let hint = "copy the file into the directory, or name it with -f";
                    self.note(Code::Outside, &path, message, hint);
                }
                Ok((Kind::Directory, target)) if target == real.join(name) => {
                    self.walk(&path, &target, root, found);
                }
                Ok((Kind::File, _)) if yaml => found.push(path),
                _ => {}
            }
        }
    }

    fn read_file(&mut self, path: &Path) {
        if let Ok(real) = self.real_paths.find(path)
            && !self.known.insert(real)
        {
            return;
        }
        self.read_bytes(path, self.files.read(path, LARGEST_FILE));
    }

    fn read_bytes(&mut self, path: &Path, read: io::Result<Option<Vec<u8>>>) {
        match read {
            Ok(Some(bytes)) => {
                let directory = directory_of(path).to_owned();
                self.read_text(&self.files.display(path), bytes, directory);
            }
            Ok(None) => {
                let message = format!("the file is larger than {} MiB", LARGEST_FILE >> 20);
                self.note(Code::TooLarge, path, message, "split it into several files");
            }
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn read_text(&mut self, name: &str, bytes: Vec<u8>, directory: PathBuf) {
        let text = match decode_utf_8(bytes) {
            Ok(text) => text,
            Err(why) => {
                let diagnostic = Diagnostic::path(Code::NotUtf8, name, why.message);
                return self
                    .problems
                    .push(diagnostic.hint("save the file as UTF-8"));
            }
        };
        if let Some((what, hint)) = wrong_text(&text) {
            let diagnostic = Diagnostic::path(Code::WrongFile, name, format!("this is {what}"));
            return self.problems.push(diagnostic.hint(hint));
        }
        let file = self.sources.add(name, text);
        if let Some(source) = self.sources.file(file) {
            if let Some(mistake) = find_conflict(file, source) {
                return self.problems.push(mistake);
            }
            let (raw, rosters) = decode_file(source, file, self.options.today, &self.problems);
            self.manifests.push(raw);
            if !rosters.is_empty() {
                let root = self.root.clone();
                self.rosters.push((Home { directory, root }, rosters));
            }
        }
    }

    fn note(&mut self, code: Code, path: &Path, message: impl Into<String>, hint: &str) {
        let diagnostic = Diagnostic::path(code, self.files.display(path), message);
        self.problems.push(diagnostic.hint(hint));
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        let message = match error.kind() {
            ErrorKind::NotFound => "no such file or directory".to_owned(),
            _ => format!("cannot be read: {error}"),
        };
        let hint = "create a manifest with `roomform init`, or from the live rooms with `roomform export`; or name another file or directory with -f";
        self.note(Code::Unreadable, path, message, hint);
    }

    fn resolve(self, tracer: Option<&mut Tracer>) -> Loaded {
        let (mut sources, problems) = (self.sources, self.problems);
        let today = self.options.today;
        let opener = Opener::new(self.files, self.real_paths, today, &mut sources, &problems);
        let (tables, roster_files) = opener.open_all(self.rosters);
        let mut desired = resolve::resolve(self.manifests, &tables, &sources, tracer, &problems);
        if self.options.hide_names {
            desired.names = UserNames::default();
        }
        if desired.rooms.is_empty() && problems.is_empty() && !self.options.allow_empty {
            let path = sources.names().first().map(ToString::to_string);
            let message = "the manifest declares no rooms";
            let diagnostic = Diagnostic::path(Code::Empty, path.unwrap_or_default(), message);
            problems.push(diagnostic.hint("add rooms under `rooms`, or pass --allow-empty"));
        }
        Loaded {
            desired,
            diagnostics: problems.sorted(&sources),
            sources,
            manifest_files: self.known,
            roster_files,
            tables,
        }
    }
}
