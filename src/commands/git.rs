//! The files of a git revision, read with `git cat-file --batch`. Nothing is checked out, fetched
//! or written.
//!
//! Main type: [`GitFiles`]. It uses no shell. Names from a repository or a command line are never
//! passed as arguments: revisions and object ids go to git's stdin.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::path::{Component, MAIN_SEPARATOR, Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;

use crate::error::{Result, bail, error};
use crate::manifest::files::{Files, Kind};

/// Maximum number of links followed to one file.
const MOST_LINKS: usize = 40;
/// Maximum length of a path or a link target, in bytes: the usual limit of operating systems.
const LONGEST_PATH: usize = 4096;
/// Maximum size of one directory, in bytes.
const LARGEST_DIRECTORY: u64 = 64 << 20;
/// Maximum number of names and bytes that are read in total. A few objects can form an endless
/// tree.
const MOST_NAMES: usize = 100_000;
const MOST_BYTES: u64 = 1 << 30;

/// The files of one revision. Real paths start with `/`, which is the top of the repository.
pub struct GitFiles {
    /// The revision as the user wrote it.
    revision: String,
    /// The current directory, relative to the top of the work tree.
    prefix: PathBuf,
    /// The object id of the top directory.
    top: String,
    git: RefCell<CatFile>,
    /// Maps a path to its real path, with every link resolved. `None` means that the real path is
    /// outside the repository.
    resolved: RefCell<HashMap<PathBuf, Option<PathBuf>>>,
    /// The directories read so far, by real path.
    directories: RefCell<HashMap<PathBuf, Rc<Directory>>>,
    names: Cell<usize>,
    bytes: Cell<u64>,
}

type Directory = HashMap<OsString, Entry>;

/// What an entry of a directory refers to. Objects are identified by their hexadecimal ids.
#[derive(Clone)]
enum Entry {
    File(String),
    Directory(String),
    Link(String),
    /// A commit of another repository.
    Submodule,
}

impl GitFiles {
    /// Opens the tree of a revision in the repository of the current directory. Errors show
    /// `asked`, which is the whole command-line argument.
    ///
    /// # Errors
    /// Git is not installed, there is no repository, or the revision does not exist.
    pub fn open(asked: &str, revision: &str) -> Result<Self> {
        let unreadable =
            |reason: &dyn Display| error!(Failed: "`{asked}` cannot be read through git: {reason}");
        let output = git()
            .args(["rev-parse", "--is-shallow-repository", "--show-prefix"])
            .output()
            .map_err(|error| {
                error!(Failed: "`{asked}` needs git, which cannot be started: {error}";
                    "install git, or name two files or directories")
            })?;
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr);
            let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
            if reason.contains("not a git repository") {
                bail!(Failed: "`{asked}` is not a file, and the current directory is not in a git repository";
                    "run roomform in a git repository, or give the path of a file or a directory");
            }
            return Err(unreadable(&reason));
        }
        let mut lines = output.stdout.splitn(2, |byte| *byte == b'\n');
        let shallow = lines.next() == Some(b"true");
        let prefix = lines.next().unwrap_or_default();
        let prefix = prefix.strip_suffix(b"\n").unwrap_or(prefix);
        let mut git = CatFile::start().map_err(|error| unreadable(&error))?;
        let top = git.read(&format!("{revision}^{{tree}}"), LARGEST_DIRECTORY);
        let top = top.map_err(|error| unreadable(&error))?;
        let Object::Found { id, .. } = top else {
            if shallow {
                bail!(Failed: "git has no revision `{revision}`";
                    "this clone is shallow: fetch the full history with git fetch --unshallow, or set fetch-depth: 0 in CI");
            }
            bail!(Failed: "git has no revision `{revision}`";
                "fetch the revision first; `git log -1 REVISION` shows whether git has it");
        };
        Ok(Self {
            revision: revision.to_owned(),
            prefix: os_string(prefix).into(),
            top: id,
            git: RefCell::new(git),
            resolved: RefCell::default(),
            directories: RefCell::default(),
            names: Cell::new(0),
            bytes: Cell::new(0),
        })
    }

    /// Resolves the path in `REVISION:PATH`: relative to the top of the repository or, if it starts with `./` or `../`, to the
    /// current directory.
    ///
    /// # Errors
    /// The path is not in the revision.
    pub fn root(&self, path: &str) -> Result<PathBuf> {
        let revision = &self.revision;
        let is_from_here = matches!(path.split('/').next(), Some("." | ".."));
        let here = self.prefix.join(path);
        let root = if is_from_here { &here } else { Path::new(path) };
        let found = match path.strip_prefix('/') {
            Some(_) => Err(io::ErrorKind::NotFound.into()),
            None => self.kind(root),
        };
        match found {
            Ok(_) => Ok(root.to_owned()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                bail!(Invalid: "`{revision}:{path}` cannot be read: {error}")
            }
            Err(_) if !path.starts_with('/') && self.kind(&here).is_ok() => {
                bail!(Invalid: "`{path}` is not in `{revision}`";
                    format!("write `{revision}:./{path}`: without `./`, the path is relative to the top of the repository, not to this directory"))
            }
            Err(_) => bail!(Invalid: "`{path}` is not in `{revision}`";
                "write the path from the top of the repository, as in origin/main:rooms/, or from this directory, as in origin/main:./rooms/";
                "if the manifest is new, compare it with /dev/null"),
        }
    }

    /// Resolves a path relative to the top. The result is cached, because a directory is
    /// resolved again for each of its files.
    fn resolve(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        if path.as_os_str().len() > LONGEST_PATH {
            return Err(io::Error::other("the path is too long"));
        }
        if let Some(resolved) = self.resolved.borrow().get(path) {
            return Ok(resolved.clone());
        }
        let resolved = match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => match self.resolve(parent)? {
                Some(directory) => self.walk(directory, vec![name.to_owned()])?,
                None => None,
            },
            _ => self.walk(PathBuf::from("/"), reversed_parts(path))?,
        };
        let mut all = self.resolved.borrow_mut();
        all.insert(path.to_owned(), resolved.clone());
        Ok(resolved)
    }

    /// Resolves names one by one, starting at a real path. The next name is the last element of
    /// `rest`.
    fn walk(&self, mut real: PathBuf, mut rest: Vec<OsString>) -> io::Result<Option<PathBuf>> {
        let mut links = 0;
        while let Some(name) = rest.pop() {
            if name == ".." {
                if !real.pop() {
                    return Ok(None);
                }
                continue;
            }
            real.push(name);
            let Entry::Link(id) = self.entry(&real)? else {
                continue;
            };
            real.pop();
            links += 1;
            if links > MOST_LINKS {
                return Err(io::Error::other("too many symbolic links"));
            }
            let target = self.object(&id, LONGEST_PATH as u64)?;
            let target = target
                .ok_or_else(|| io::Error::other("a symbolic link whose target is not a path"))?;
            let target = PathBuf::from(os_string(&target));
            if target.has_root() || target.is_absolute() {
                return Ok(None);
            }
            rest.extend(reversed_parts(&target));
        }
        Ok(Some(real))
    }

    fn entry(&self, real: &Path) -> io::Result<Entry> {
        let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else {
            return Ok(Entry::Directory(self.top.clone()));
        };
        let entry = self.directory(parent)?.get(name).cloned();
        entry.ok_or(io::ErrorKind::NotFound.into())
    }

    fn directory(&self, real: &Path) -> io::Result<Rc<Directory>> {
        if let Some(directory) = self.directories.borrow().get(real) {
            return Ok(Rc::clone(directory));
        }
        let id = match self.entry(real)? {
            Entry::Directory(id) => id,
            Entry::Submodule => return Err(submodule()),
            Entry::File(_) | Entry::Link(_) => return Err(io::ErrorKind::NotADirectory.into()),
        };
        let tree = self.object(&id, LARGEST_DIRECTORY)?;
        let tree = tree.ok_or_else(|| io::Error::other("a directory that is too large"))?;
        let directory = parse_tree(&tree, id.len() / 2)
            .ok_or_else(|| io::Error::other("a directory that git stores in an invalid form"))?;
        let directory = Rc::new(directory);
        let mut all = self.directories.borrow_mut();
        all.insert(real.to_owned(), Rc::clone(&directory));
        Ok(directory)
    }

    /// Returns the content of an object; `None` if it exceeds the limit.
    fn object(&self, id: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
        match self.git.borrow_mut().read(id, limit)? {
            Object::Found { content, .. } => Ok(Some(content)),
            Object::TooLarge => Ok(None),
            Object::Missing => Err(io::Error::other(
                "this clone does not have the file's content; fetch it first",
            )),
        }
    }

    fn real_path_inside(&self, path: &Path) -> io::Result<PathBuf> {
        self.resolve(path)?
            .ok_or_else(|| io::Error::other("a symbolic link that leads outside the repository"))
    }
}

impl Files for GitFiles {
    fn kind(&self, path: &Path) -> io::Result<Kind> {
        Ok(match self.resolve(path)? {
            Some(real) if matches!(self.entry(&real)?, Entry::File(_)) => Kind::File,
            // An unreadable entry counts as a directory, so that listing it reports an error.
            _ => Kind::Directory,
        })
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        let names = self.directory(&self.real_path_inside(directory)?)?;
        self.names.set(self.names.get() + names.len());
        if self.names.get() > MOST_NAMES {
            let message = format!("the directories have more than {MOST_NAMES} entries in total");
            return Err(io::Error::other(message));
        }
        Ok(names.keys().map(|name| directory.join(name)).collect())
    }

    fn real_path(&self, path: &Path) -> io::Result<PathBuf> {
        // For a path that leads out of the repository, return a relative path. Real paths are
        // absolute, so a relative path is never below one of them.
        let outside = || Path::new("outside").join(path.file_name().unwrap_or_default());
        Ok(self.resolve(path)?.unwrap_or_else(outside))
    }

    fn work_tree(&self, _: &Path) -> Option<PathBuf> {
        Some(PathBuf::from("/"))
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let id = match self.entry(&self.real_path_inside(path)?)? {
            Entry::File(id) => id,
            Entry::Submodule => return Err(submodule()),
            Entry::Directory(_) | Entry::Link(_) => return Err(io::ErrorKind::IsADirectory.into()),
        };
        let left = MOST_BYTES.saturating_sub(self.bytes.get());
        let content = self.object(&id, limit.min(left))?;
        if content.is_none() && left < limit {
            let message = format!(
                "the files are larger than {} GiB in total",
                MOST_BYTES >> 30
            );
            return Err(io::Error::other(message));
        }
        let size = content.as_ref().map_or(0, Vec::len) as u64;
        self.bytes.set(self.bytes.get() + size);
        Ok(content)
    }

    fn display(&self, path: &Path) -> String {
        let path = path.to_string_lossy().replace(MAIN_SEPARATOR, "/");
        let path = path.strip_prefix("./").unwrap_or(&path);
        format!("{}:{path}", self.revision)
    }
}

/// Returns the names of a path in reverse order.
fn reversed_parts(path: &Path) -> Vec<OsString> {
    let names = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    });
    names.collect()
}

/// Parses a tree object: repeated `<mode> <name>\0<id>`. Returns `None` if the object is damaged or
/// a name could lead out of its directory.
fn parse_tree(mut bytes: &[u8], id_length: usize) -> Option<Directory> {
    let mut entries = Directory::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|byte| *byte == b' ')?;
        let end = bytes.iter().position(|byte| *byte == 0)?;
        let (mode, name) = (bytes.get(..space)?, bytes.get(space + 1..end)?);
        let id = bytes.get(end + 1..end + 1 + id_length)?;
        let is_separator = |byte: &u8| *byte == b'/' || char::from(*byte) == MAIN_SEPARATOR;
        if matches!(name, b"" | b"." | b"..") || name.iter().any(is_separator) {
            return None;
        }
        let id = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let entry = match mode {
            b"40000" | b"040000" => Entry::Directory(id),
            b"120000" => Entry::Link(id),
            b"160000" => Entry::Submodule,
            _ => Entry::File(id),
        };
        entries.insert(os_string(name), entry);
        bytes = bytes.get(end + 1 + id_length..)?;
    }
    Some(entries)
}

/// Converts a name, which git stores as bytes.
fn os_string(bytes: &[u8]) -> OsString {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        std::ffi::OsStr::from_bytes(bytes).to_owned()
    }
    #[cfg(not(unix))]
    String::from_utf8_lossy(bytes).into_owned().into()
}

fn submodule() -> io::Error {
    io::Error::other("a submodule: its files are in another repository")
}

/// Reads the objects of the repository of the current directory.
struct CatFile {
    /// The process ends when its input is closed.
    _child: Child,
    input: PipeWriter,
    output: BufReader<PipeReader>,
}

enum Object {
    Found {
        id: String,
        content: Vec<u8>,
    },
    TooLarge,
    /// The object does not exist, or the name is invalid.
    Missing,
}

impl CatFile {
    fn start() -> io::Result<Self> {
        let ((stdin, input), (output, stdout)) = (io::pipe()?, io::pipe()?);
        let mut git = git();
        git.args(["cat-file", "--batch"]).stderr(Stdio::null());
        Ok(Self {
            _child: git.stdin(stdin).stdout(stdout).spawn()?,
            input,
            output: BufReader::new(output),
        })
    }

    /// Reads the object with this id, or the object that an expression such as `HEAD~1^{tree}`
    /// names.
    fn read(&mut self, name: &str, limit: u64) -> io::Result<Object> {
        let failed = || io::Error::other("git exited too early; `git fsck` may show why");
        if name.contains('\n') {
            return Ok(Object::Missing);
        }
        let mut head = String::new();
        writeln!(self.input, "{name}")?;
        self.output.read_line(&mut head)?;
        let head = head.trim_end();
        if head.ends_with(" missing") || head.ends_with(" ambiguous") {
            return Ok(Object::Missing);
        }
        let mut words = head.split(' ');
        let (id, size) = (words.next().unwrap_or_default(), words.nth(1));
        let size: u64 = size.and_then(|size| size.parse().ok()).ok_or_else(failed)?;
        // A line break follows the content.
        let mut output = self.output.by_ref().take(size + 1);
        if size > limit {
            // Skip the content, so that it is not read as the next answer.
            io::copy(&mut output, &mut io::sink())?;
            return Ok(Object::TooLarge);
        }
        let mut content = Vec::new();
        output.read_to_end(&mut content)?;
        if content.pop() != Some(b'\n') || content.len() as u64 != size {
            return Err(failed());
        }
        let id = id.to_owned();
        Ok(Object::Found { id, content })
    }
}

/// Runs `git` without locks, prompts or fetches, and with messages in English.
fn git() -> Command {
    let mut git = Command::new("git");
    git.stdin(Stdio::null())
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("LC_ALL", "C");
    git
}
