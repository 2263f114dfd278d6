//! A revision's files, looked up directory by directory as they are asked for.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::{Component, MAIN_SEPARATOR, Path, PathBuf};
use std::rc::Rc;

use super::listing::{Listing, Mode, Node, listing};
use super::objects::{Found, Objects};
use super::{Repository, os_text, unknown};
use crate::error::{Error, Exit};
use crate::manifest::files::{Files, Kind};

/// Links followed on the way to one file.
const MOST_LINKS: usize = 40;
/// Bytes of a link's target, and of a path: as much as systems take.
const LONGEST_PATH: u64 = 4096;
/// Bytes of one directory.
const LARGEST_DIRECTORY: u64 = 64 << 20;
/// Names looked at in all, and bytes read: a few objects can make a tree without end.
const MOST_NAMES: usize = 100_000;
const MOST_BYTES: u64 = 1 << 30;

/// The files of one revision. Its real paths start with `/`, the top of the repository.
pub(in crate::commands) struct GitFiles {
    objects: Objects,
    /// As its user wrote it.
    revision: String,
    repository: Repository,
    top: Rc<Spot>,
    parents: RefCell<HashMap<PathBuf, Resolved>>,
    listings: RefCell<HashMap<String, Rc<Listing>>>,
    names: Cell<usize>,
    bytes: Cell<u64>,
}

/// Something in the revision, under its one name.
struct Spot {
    real: PathBuf,
    node: Node,
    above: Option<Rc<Spot>>,
}

/// Where a path leads.
#[derive(Clone)]
enum Resolved {
    Inside(Rc<Spot>),
    /// Out of the repository.
    Outside,
}

impl GitFiles {
    /// The tree of a revision of the repository around the current directory; `asked` is the whole argument.
    ///
    /// # Errors
    /// No git, no repository, no such revision.
    pub(in crate::commands) fn open(asked: &str, revision: &str) -> Result<Self, Error> {
        let repository = Repository::here(asked)?;
        let objects = Objects::default();
        let top = objects
            .read(&format!("{revision}^{{tree}}"), LARGEST_DIRECTORY)
            .map_err(|error| {
                Error::message(
                    Exit::Failed,
                    format!("`{asked}` cannot be read through git: {error}"),
                )
            })?;
        let Found::Object(id, ..) = top else {
            return Err(unknown(revision, repository.shallow));
        };
        Ok(Self {
            objects,
            revision: revision.to_owned(),
            repository,
            top: Rc::new(Spot {
                real: PathBuf::from("/"),
                node: Node {
                    mode: Mode::Directory,
                    id,
                },
                above: None,
            }),
            parents: RefCell::default(),
            listings: RefCell::default(),
            names: Cell::new(0),
            bytes: Cell::new(0),
        })
    }

    /// A path as written after the colon: from the top of the repository or, with `./` and `../`, from the current directory.
    ///
    /// # Errors
    /// If it is not in the revision.
    pub(in crate::commands) fn root(&self, path: &str) -> Result<PathBuf, Error> {
        let from_here = ["./", "../"].iter().any(|start| path.starts_with(start));
        let below = |path: &str| self.repository.prefix.join(path);
        let root = match path {
            "." | ".." => below(path),
            path if from_here => below(path),
            path => PathBuf::from(path),
        };
        let found = if path.starts_with('/') {
            Err(io::ErrorKind::NotFound.into())
        } else {
            self.kind(&root)
        };
        let revision = &self.revision;
        match found {
            Ok(_) => Ok(root),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let message = format!("`{path}` is not in `{revision}`");
                let error = Error::message(Exit::Invalid, message);
                let here = !from_here && !path.starts_with('/') && self.kind(&below(path)).is_ok();
                Err(if here {
                    error.hint(format!(
                        "from this directory it is `{revision}:./{path}`; without `./` it starts at the top of the repository"
                    ))
                } else {
                    error
                        .hint("a path starts at the top of the repository, as in origin/main:rooms/; with `./`, here")
                        .hint("if the manifest is new, compare it with /dev/null")
                })
            }
            Err(error) => {
                let message = format!("`{revision}:{path}` cannot be read: {error}");
                Err(Error::message(Exit::Invalid, message))
            }
        }
    }

    /// Follows a path from the top, with every link in it.
    fn follow(&self, path: &Path) -> io::Result<Resolved> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return self.walk(&self.top, parts(path));
        };
        match self.parent(parent)? {
            Resolved::Inside(parent) => self.walk(&parent, vec![name.to_owned()]),
            Resolved::Outside => Ok(Resolved::Outside),
        }
    }

    /// Where a directory's path leads. It is remembered: everything in it is looked at in its turn.
    fn parent(&self, path: &Path) -> io::Result<Resolved> {
        if let Some(resolved) = self.parents.borrow().get(path) {
            return Ok(resolved.clone());
        }
        let resolved = self.follow(path)?;
        let mut parents = self.parents.borrow_mut();
        parents.insert(path.to_owned(), resolved.clone());
        Ok(resolved)
    }

    /// Goes on from a directory, by names of which the last one is the first.
    fn walk(&self, from: &Rc<Spot>, mut rest: Vec<OsString>) -> io::Result<Resolved> {
        let mut here = Rc::clone(from);
        let mut links = 0;
        while let Some(part) = rest.pop() {
            if part == ".." {
                let Some(above) = &here.above else {
                    return Ok(Resolved::Outside);
                };
                here = Rc::clone(above);
                continue;
            }
            let listing = self.listing(&here.node)?;
            let node = listing.get(&part).ok_or(io::ErrorKind::NotFound)?;
            if node.mode != Mode::Link {
                here = Rc::new(Spot {
                    real: here.real.join(part),
                    node: node.clone(),
                    above: Some(here),
                });
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return Err(io::Error::other("too many symbolic links"));
            }
            let target = PathBuf::from(os_text(&self.link(node)?));
            if target.has_root() || target.is_absolute() {
                return Ok(Resolved::Outside);
            }
            rest.extend(parts(&target));
        }
        Ok(Resolved::Inside(here))
    }

    fn link(&self, node: &Node) -> io::Result<Vec<u8>> {
        match self.objects.read(&node.id, LONGEST_PATH)? {
            Found::Object(_, _, bytes) => Ok(bytes),
            Found::TooLarge => Err(io::Error::other("a symbolic link that is no path")),
            Found::Missing => Err(lacking()),
        }
    }

    fn listing(&self, node: &Node) -> io::Result<Rc<Listing>> {
        match node.mode {
            Mode::Directory => {}
            Mode::Submodule => return Err(submodule()),
            Mode::File | Mode::Link => return Err(io::ErrorKind::NotADirectory.into()),
        }
        if let Some(listing) = self.listings.borrow().get(&node.id) {
            return Ok(Rc::clone(listing));
        }
        let listing = match self.objects.read(&node.id, LARGEST_DIRECTORY)? {
            Found::Object(_, kind, bytes) if kind == "tree" => {
                listing(&bytes, node.id.len() / 2).ok_or_else(damaged)?
            }
            Found::Object(..) => return Err(damaged()),
            Found::TooLarge => return Err(io::Error::other("a directory that is too large")),
            Found::Missing => return Err(lacking()),
        };
        let listing = Rc::new(listing);
        let id = node.id.clone();
        self.listings.borrow_mut().insert(id, Rc::clone(&listing));
        Ok(listing)
    }
}

impl Files for GitFiles {
    fn kind(&self, path: &Path) -> io::Result<Kind> {
        Ok(match self.follow(path)? {
            Resolved::Inside(spot) if spot.node.mode == Mode::File => Kind::File,
            // What cannot be looked into counts as a directory: then it is told, and not passed over.
            Resolved::Inside(_) | Resolved::Outside => Kind::Directory,
        })
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        if directory.as_os_str().len() as u64 > LONGEST_PATH {
            return Err(io::Error::other("the path is too long"));
        }
        let Resolved::Inside(spot) = self.follow(directory)? else {
            return Err(outside());
        };
        let listing = self.listing(&spot.node)?;
        self.names.set(self.names.get() + listing.len());
        if self.names.get() > MOST_NAMES {
            let message = format!("the directory holds more than {MOST_NAMES} names");
            return Err(io::Error::other(message));
        }
        Ok(listing.keys().map(|name| directory.join(name)).collect())
    }

    fn real_path(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(match self.follow(path)? {
            Resolved::Inside(spot) => spot.real.clone(),
            // Below no path that starts with `/`.
            Resolved::Outside => Path::new("outside").join(path.file_name().unwrap_or_default()),
        })
    }

    fn work_tree(&self, _: &Path) -> Option<PathBuf> {
        Some(PathBuf::from("/"))
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let Resolved::Inside(spot) = self.follow(path)? else {
            return Err(outside());
        };
        match spot.node.mode {
            Mode::File => {}
            Mode::Submodule => return Err(submodule()),
            Mode::Directory | Mode::Link => return Err(io::ErrorKind::IsADirectory.into()),
        }
        let left = MOST_BYTES.saturating_sub(self.bytes.get());
        match self.objects.read(&spot.node.id, limit.min(left))? {
            Found::Object(_, _, bytes) => {
                self.bytes.set(self.bytes.get() + bytes.len() as u64);
                Ok(Some(bytes))
            }
            Found::TooLarge if left < limit => {
                let message = format!("the files are larger than {} MiB in all", MOST_BYTES >> 20);
                Err(io::Error::other(message))
            }
            Found::TooLarge => Ok(None),
            Found::Missing => Err(lacking()),
        }
    }

    fn display(&self, path: &Path) -> String {
        let path = path.to_string_lossy().replace(MAIN_SEPARATOR, "/");
        let path = path.strip_prefix("./").unwrap_or(&path);
        format!("{}:{path}", self.revision)
    }
}

/// A path's names, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let names = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    });
    let mut parts: Vec<OsString> = names.collect();
    parts.reverse();
    parts
}

fn damaged() -> io::Error {
    io::Error::other("a directory that git would not have written")
}

fn outside() -> io::Error {
    io::Error::other("a symbolic link that leads out of the repository")
}

fn submodule() -> io::Error {
    io::Error::other("a submodule: its files are in another repository")
}

fn lacking() -> io::Error {
    io::Error::other("this clone does not have the file's content; fetch it first")
}
