//! The files with rows that a manifest names: opened once each, before anything is looked up in them.
//!
//! Main type: [`Tables`]. Paths are relative to the manifest's file and stay inside its root directory, links resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::boundary::is_inside;
use super::diagnostic::{Code, Diagnostic, Problems, Sources, clip};
use super::encoding::decode;
use super::files::{Files, without_dots};
use super::header::Header;
use super::input::RawFile;
use super::table::Table;

use crate::model::FileId;

/// A larger file is no roster: two million rows have a tenth of it.
const LARGEST: u64 = 1 << 30;

/// The opened files, by the manifest that names them and their number there.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    tables: BTreeMap<(FileId, usize), Table>,
    files: BTreeMap<FileId, Arc<str>>,
    encodings: BTreeMap<FileId, &'static str>,
    /// Files that may be absent, and are.
    absent: BTreeSet<(FileId, usize)>,
}

/// Where a manifest's file lies, and how far up its paths may lead.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// The directory that paths are relative to.
    pub(crate) directory: PathBuf,
    /// The manifest's root; none if it cannot be told.
    pub(crate) root: Option<PathBuf>,
}

/// Opens files.
pub(crate) struct Opener<'a> {
    files: &'a dyn Files,
    /// The directory that the files' names in the ledger are relative to.
    base: PathBuf,
    /// Texts by the file's one name and its encoding; none for those that could not be read, which was said.
    texts: BTreeMap<(PathBuf, Option<String>), Option<FileId>>,
    /// Headers by file and given delimiter; none for those that cannot be used, which was said.
    headers: BTreeMap<(FileId, Option<u8>), Option<Header>>,
    tables: Tables,
}

impl Tables {
    /// The table of a file; none if it could not be opened.
    pub(crate) fn get(&self, raw: &RawFile) -> Option<&Table> {
        self.tables.get(&(raw.path.at.file, raw.number))
    }

    /// Whether a file that may be absent is.
    pub(crate) fn is_absent(&self, raw: &RawFile) -> bool {
        self.absent.contains(&(raw.path.at.file, raw.number))
    }

    /// A table of this file.
    pub(crate) fn of(&self, file: FileId) -> Option<&Table> {
        self.tables.values().find(|table| table.file == file)
    }

    /// Every opened file, once for each place that names it.
    pub(crate) fn opened(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    /// The name of the encoding a file was read in.
    pub(crate) fn encoding(&self, file: FileId) -> &'static str {
        self.encodings.get(&file).copied().unwrap_or_default()
    }

    /// Every file that has rows, by its name below the manifest's root.
    pub(crate) fn files(&self) -> &BTreeMap<FileId, Arc<str>> {
        &self.files
    }
}

impl<'a> Opener<'a> {
    /// One for files that manifests in these places name.
    pub(crate) fn new<'h>(files: &'a dyn Files, homes: impl Iterator<Item = &'h Home>) -> Self {
        let roots = homes.filter_map(|home| home.root.clone());
        Self {
            files,
            base: roots
                .reduce(|base, root| common(&base, &root))
                .unwrap_or_default(),
            texts: BTreeMap::new(),
            headers: BTreeMap::new(),
            tables: Tables::default(),
        }
    }

    /// What was opened, and from where, links resolved.
    pub(crate) fn finish(self) -> (Tables, BTreeSet<PathBuf>) {
        let files = self.texts.into_keys().map(|(file, _)| file);
        (self.tables, files.collect())
    }

    /// Opens a file that a manifest names.
    pub(crate) fn open(
        &mut self,
        raw: &RawFile,
        home: &Home,
        sources: &mut Sources,
        problems: &mut Problems,
    ) {
        let path = home.directory.join(&raw.path.value);
        let complaint = |code, message: String, hint: &str| {
            Diagnostic::at(code, raw.path.at, message).hint(hint)
        };
        let shown = clip(&raw.path.value);
        let real = match self.files.real_path(&path) {
            Ok(real) => real,
            Err(error) if raw.may_lack && error.kind() == ErrorKind::NotFound => {
                self.tables.absent.insert((raw.path.at.file, raw.number));
                return;
            }
            Err(error) => return problems.push(unreadable(raw, &error)),
        };
        if home
            .root
            .as_ref()
            .is_none_or(|root| !is_inside(&real, root))
        {
            let message = format!("`{shown}` lies outside of the manifest's directory");
            let hint = "copy the file in: what a manifest reads lies beside or below it";
            return problems.push(complaint(Code::Outside, message, hint));
        }
        let label = raw.encoding.as_ref().map(|label| label.value.clone());
        let key = (real, label);
        let file = match self.texts.get(&key) {
            Some(known) => *known,
            None => {
                let read = self.text(raw, &path, &key.0, sources, problems);
                self.texts.insert(key.clone(), read);
                read
            }
        };
        let Some(file) = file else {
            return;
        };
        let name = self.name(&path, &key.0);
        self.tables.files.entry(file).or_insert(name);
        problems.rows_of(file);
        let header = self.headers.entry((file, raw.delimiter));
        let header = header.or_insert_with(|| Header::read(file, raw, sources, problems));
        if let Some(header) = header {
            let table = Table::new(file, raw, header.clone(), sources);
            let use_of_file = (raw.path.at.file, raw.number);
            self.tables.tables.insert(use_of_file, table);
        }
    }

    /// A file's name below the manifest's root. A link keeps its own, so that one to the newest export is one source.
    fn name(&self, path: &Path, real: &Path) -> Arc<str> {
        let parts = path.parent().zip(path.file_name());
        let named = parts.and_then(|(directory, name)| {
            let directory = self.files.real_path(directory).ok()?;
            Some(directory.strip_prefix(&self.base).ok()?.join(name))
        });
        let real = || real.strip_prefix(&self.base).unwrap_or(real).to_owned();
        self.files.display(&named.unwrap_or_else(real)).into()
    }

    fn text(
        &mut self,
        raw: &RawFile,
        path: &Path,
        real: &Path,
        sources: &mut Sources,
        problems: &mut Problems,
    ) -> Option<FileId> {
        let bytes = match self.files.read(real, LARGEST) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                let message = format!(
                    "`{}` is larger than {} MiB",
                    clip(&raw.path.value),
                    LARGEST >> 20
                );
                problems.push(
                    Diagnostic::at(Code::TooLarge, raw.path.at, message)
                        .hint("split it into files"),
                );
                return None;
            }
            Err(error) => {
                problems.push(unreadable(raw, &error));
                return None;
            }
        };
        let label = raw.encoding.as_ref();
        match decode(bytes, label.map(|label| label.value.as_str())) {
            Ok((text, encoding)) => {
                let file = sources.add(self.files.display(&without_dots(path)), text);
                self.tables.encodings.insert(file, encoding);
                Some(file)
            }
            Err(why) => {
                let at = label.map_or(raw.path.at, |label| label.at);
                let message = format!("`{}`: {}", clip(&raw.path.value), why.message);
                problems.push(Diagnostic::at(Code::NotUtf8, at, message).hint(why.hint));
                None
            }
        }
    }
}

/// A file that gives nothing.
pub(crate) fn empty(raw: &RawFile, sources: &Sources, table: &Table) -> Diagnostic {
    let name = sources
        .file(table.file)
        .map(|file| file.name.clone())
        .unwrap_or_default();
    let message = format!("`{}` gives nothing: no row counts", clip(&name));
    Diagnostic::at(Code::EmptyRoster, raw.path.at, message)
        .hint("look at the file and at `where`; `allow_empty: true` says that nothing is meant")
}

fn unreadable(raw: &RawFile, error: &std::io::Error) -> Diagnostic {
    let shown = clip(&raw.path.value);
    let message = if error.kind() == ErrorKind::NotFound {
        format!("there is no file `{shown}`")
    } else {
        format!("`{shown}` cannot be read: {error}")
    };
    Diagnostic::at(Code::Unreadable, raw.path.at, message)
        .hint("paths are relative to the file they stand in")
}

/// The directory that both lie in.
fn common(one: &Path, other: &Path) -> PathBuf {
    let parts = one.components().zip(other.components());
    parts
        .take_while(|(one, other)| one == other)
        .map(|(part, _)| part)
        .collect()
}
