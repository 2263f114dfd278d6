//! Opens all files with rows that a manifest uses, before any name is looked up in these files.
//!
//! Main types: [`Tables`], and [`UseCache`]. A path is relative to the manifest's file. It must stay
//! inside the root directory even after links are resolved.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, Hash, RandomState};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::boundary::is_inside;
use super::diagnostic::{At, Code, Mistake, Problems, Sources, clip};
use super::encoding::decode;
use super::files::{Files, RealPaths, without_dots};
use super::header::{Header, OpenedFile, UnusableCells, XLSX};
use super::input::{FileUse, RawFile, SheetName};
use super::table::{Table, TableUse};
use super::workbook::read_sheet;
use super::wrong_file::{JSON, WrongFile, find_conflict, is_json, is_zip, wrong_bytes, wrong_text};
use crate::model::{Date, FileId};

/// Maximum size of a file, in bytes. A roster with two million rows has a tenth of this size.
const LARGEST: u64 = 1 << 30;
/// Maximum number of cached values, so that thousands of different uses do not fill the memory.
const MOST_CACHED: usize = 64;

/// The opened files by use.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    tables: BTreeMap<FileUse, Table>,
    /// All files with rows, with their paths relative to the manifest's root.
    pub(crate) files: BTreeMap<FileId, Arc<str>>,
    /// The uses of optional files that are missing.
    absent: BTreeMap<FileUse, RawFile>,
    /// The day for which dates are evaluated.
    pub(crate) today: Date,
    hasher: RandomState,
}

/// The directory of a manifest's file, and the root that its paths must stay in.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// The directory that paths are relative to.
    pub(crate) directory: PathBuf,
    /// The root directory of the manifest, if known.
    pub(crate) root: Option<PathBuf>,
}

/// The real path of a file, and its encoding and sheet in the manifest.
type FileKey = (PathBuf, Option<String>, Option<SheetName>);

pub(crate) struct Opener<'a> {
    files: &'a dyn Files,
    /// The directory that file names in the ledger are relative to.
    base: PathBuf,
    /// Cached, because many rooms may name the same file.
    real_paths: RealPaths<'a>,
    /// The files that were opened; `None` for a file that could not be read.
    opened: BTreeMap<FileKey, Option<Arc<OpenedFile>>>,
    /// The headers by a hash of the file, the given delimiter, and the columns that make several
    /// rows of a record; `None` for an unusable header.
    headers: HashMap<u64, Option<Arc<Header>>>,
    sources: &'a mut Sources,
    problems: &'a Problems,
    tables: Tables,
}

impl Tables {
    /// Returns the table for a use of a file; `None` if it could not be opened. Errors in rows go
    /// to `problems`.
    pub(crate) fn get<'t>(&'t self, raw: &FileUse, problems: &'t Problems) -> Option<TableUse<'t>> {
        Some(TableUse {
            table: self.tables.get(raw)?,
            problems,
            today: self.today,
        })
    }

    /// Returns the file of this use if the file is optional and missing.
    pub(crate) fn find_absent(&self, raw: &FileUse) -> Option<&RawFile> {
        self.absent.get(raw)
    }

    pub(crate) fn content(&self, file: &FileUse) -> impl Hash {
        self.tables.get(file).map(Table::content)
    }

    pub(crate) fn hash(&self, content: impl Hash) -> u64 {
        self.hasher.hash_one(content)
    }

    /// Returns every opened file, once for each place that names it.
    pub(crate) fn opened(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }
}

/// Caches what is computed for each use of a file, by a hash of everything that the result depends
/// on. Equal uses share one result.
#[derive(Debug)]
pub(crate) struct UseCache<T>(RefCell<HashMap<u64, Rc<T>>>);

impl<T> UseCache<T> {
    pub(crate) fn get(&self, key: u64) -> Option<Rc<T>> {
        self.0.borrow().get(&key).cloned()
    }

    pub(crate) fn keep(&self, key: u64, value: T) -> Rc<T> {
        let (mut kept, value) = (self.0.borrow_mut(), Rc::new(value));
        if kept.len() >= MOST_CACHED {
            kept.clear();
        }
        kept.insert(key, Rc::clone(&value));
        value
    }
}

impl<T> Default for UseCache<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<'a> Opener<'a> {
    pub(crate) fn new(
        files: &'a dyn Files,
        real_paths: RealPaths<'a>,
        today: Date,
        sources: &'a mut Sources,
        problems: &'a Problems,
    ) -> Self {
        Self {
            files,
            base: PathBuf::new(),
            real_paths,
            opened: BTreeMap::new(),
            headers: HashMap::new(),
            sources,
            problems,
            tables: Tables {
                today,
                ..Tables::default()
            },
        }
    }

    /// Opens the files that each manifest file names. Also returns the real paths of all files.
    pub(crate) fn open_all(
        mut self,
        named: Vec<(Home, Vec<RawFile>)>,
    ) -> (Tables, BTreeSet<PathBuf>) {
        let roots = named.iter().filter_map(|(home, _)| home.root.clone());
        let base = roots.reduce(|base, root| common_directory(&base, &root));
        self.base = base.unwrap_or_default();
        for (home, files) in named {
            files.into_iter().for_each(|raw| self.open(raw, &home));
        }
        let files = self.opened.into_keys().map(|(file, ..)| file);
        (self.tables, files.collect())
    }

    fn open(&mut self, raw: RawFile, home: &Home) {
        let path = home.directory.join(&raw.path.value);
        let real = match self.real_paths.find(&path) {
            Ok(real) => real,
            Err(error) if raw.may_lack && error.kind() == ErrorKind::NotFound => {
                return drop(self.tables.absent.insert(raw.file_use(), raw));
            }
            Err(error) => return self.note_unreadable(&raw, &error),
        };
        let root = home.root.as_ref();
        if root.is_none_or(|root| !is_inside(&real, root)) {
            let (shown, problems) = (clip(&raw.path.value), self.problems);
            let message = format!("`{shown}` is outside the manifest's directory");
            let hint = "copy the file into that directory: a manifest may read only files in its own directory and below";
            return problems.note(Code::Outside, raw.path.at, message, hint);
        }
        let encoding = raw.encoding.as_ref().map(|name| name.value.clone());
        let sheet = raw.sheet.as_ref().map(|sheet| sheet.value.clone());
        let key = (real, encoding, sheet);
        let known = self.opened.get(&key).cloned();
        let read = known.unwrap_or_else(|| {
            let read = self.read(&raw, &path, &key.0).map(Arc::new);
            self.opened.insert(key.clone(), read.clone());
            read
        });
        let Some(file) = read else {
            return;
        };
        if !self.tables.files.contains_key(&file.id) {
            let name = self.find_name(&path, &key.0);
            let name = match &key.2 {
                // Each sheet counts as a separate file.
                Some(sheet) => format!("{name}#{sheet}").into(),
                None => name,
            };
            self.tables.files.insert(file.id, name);
        }
        self.problems.rows_of(file.id);
        let form = (file.id, raw.delimiter, &raw.numbered, &raw.expand);
        let header = self.headers.entry(self.tables.hash(form));
        let header = header.or_insert_with(|| {
            let delimiter = raw.delimiter.or(file.is_sheet().then_some(b','));
            Header::read(&file, delimiter, raw.path.at, self.problems).map(Arc::new)
        });
        if let Some(header) = header.clone() {
            let (key, counts) = (raw.file_use(), Cell::default());
            let table = Table {
                file,
                header,
                raw,
                counts,
            };
            self.tables.tables.insert(key, table);
        }
    }

    /// Returns the path of a file relative to the manifest's root. The last component is not
    /// resolved, so that a link keeps its name when it is changed to point to a newer export.
    fn find_name(&mut self, path: &Path, real: &Path) -> Arc<str> {
        let parts = path.parent().zip(path.file_name());
        let named = parts.and_then(|(directory, name)| {
            let directory = self.real_paths.find(directory).ok()?;
            Some(directory.strip_prefix(&self.base).ok()?.join(name))
        });
        let real = || real.strip_prefix(&self.base).unwrap_or(real).to_owned();
        self.files.display(&named.unwrap_or_else(real)).into()
    }

    /// Reads a file, or one sheet of a workbook. Errors are reported.
    fn read(&mut self, raw: &RawFile, path: &Path, real: &Path) -> Option<OpenedFile> {
        let (problems, at, shown) = (self.problems, raw.path.at, clip(&raw.path.value));
        let name = self.files.display(&without_dots(path));
        let read = self.files.read(real, LARGEST);
        let read = read.map_err(|error| self.note_unreadable(raw, &error));
        let Some(bytes) = read.ok()? else {
            let message = format!("`{shown}` is larger than {} GiB", LARGEST >> 30);
            return problems.refuse(Code::TooLarge, at, message, "split it into several files");
        };
        let wrong = |(what, hint): WrongFile| {
            let message = format!("`{}` is {what}", clip(&name));
            problems.refuse(Code::WrongFile, at, message, hint)
        };
        if let Some(what) = wrong_bytes(&name, &bytes) {
            return wrong(what);
        }
        let note = |code, named: Option<At>, why: Mistake| {
            let what = format!("`{shown}`");
            problems.push(why.to_diagnostic(code, named.unwrap_or(at), &what));
        };
        let sheet = raw.sheet.as_ref();
        let at_sheet = sheet.map(|sheet| sheet.at);
        let (name, text, encoding, unusable) = if is_zip(&bytes) {
            let read = if raw.encoding.is_some() || raw.delimiter.is_some() {
                let message = "`encoding` and `delimiter` are only for text files, and this file is a workbook";
                Err(Mistake::new(message, "remove them"))
            } else {
                read_sheet(&bytes, sheet.map(|sheet| &sheet.value))
            };
            let read = read.map_err(|why| note(Code::BadWorkbook, at_sheet, why));
            let (sheet, text, unusable) = read.ok()?;
            (format!("{name}#{sheet}"), text, XLSX, unusable)
        } else {
            if let Some(at) = at_sheet {
                let message = format!("`sheet` is for workbooks, and `{shown}` is text");
                let hint = "remove `sheet`, or give the path of a workbook";
                return problems.refuse(Code::BadWorkbook, at, message, hint);
            }
            let label = raw.encoding.as_ref();
            let decoded = decode(bytes, label.map(|label| label.value.as_str()));
            let at = label.map(|label| label.at);
            let decoded = decoded.map_err(|why| note(Code::NotUtf8, at, why));
            let (text, encoding) = decoded.ok()?;
            let json = || is_json(&text).then_some(JSON);
            if let Some(what) = wrong_text(&text).or_else(json) {
                return wrong(what);
            }
            (name, text, encoding, UnusableCells::new())
        };
        let id = self.sources.add(name, text);
        let source = self.sources.file(id)?.clone();
        let conflict = find_conflict(id, &source).map(|mistake| problems.push(mistake));
        conflict.is_none().then(|| OpenedFile {
            id,
            name: clip(&source.name),
            source,
            encoding,
            unusable,
        })
    }

    fn note_unreadable(&self, raw: &RawFile, error: &io::Error) {
        let shown = clip(&raw.path.value);
        let message = match error.kind() {
            ErrorKind::NotFound => format!("there is no file `{shown}`"),
            _ => format!("`{shown}` cannot be read: {error}"),
        };
        let hint = "check the path; it is relative to the directory of the manifest file in which it is written";
        self.problems
            .note(Code::Unreadable, raw.path.at, message, hint);
    }
}

/// Returns the deepest directory that contains both paths.
fn common_directory(one: &Path, other: &Path) -> PathBuf {
    let parts = one.components().zip(other.components());
    parts
        .take_while(|(one, other)| one == other)
        .map(|(part, _)| part)
        .collect()
}
