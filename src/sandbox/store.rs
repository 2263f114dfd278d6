//! The world that all connections share, and its state file.
//!
//! The file has a line with a format number, then a line for each room, user and message, so that
//! it is easy to read and diff. Later changes follow, one per line, so that saving one room does
//! not rewrite all others.
//!
//! The main type is [`Store`]. Saves are grouped: the first caller saves the newest state for all
//! callers that wait. A save appends changes. When many changes were appended (see [`SMALL`]), and
//! at shutdown, the file is replaced atomically. The file is not locked. If a second process writes
//! it, the next save reports an error. A change that could not be saved stays in memory and is part
//! of the next save.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde::Deserialize;
use tempfile::NamedTempFile;
use tokio::sync::Mutex as AsyncMutex;

use super::SandboxError;
use super::records::{Counters, Entry, Message, Room, User};
use super::server_state::{Quirks, World};

/// The format version that is written, and the only one that can be read.
const FORMAT: u64 = 1;
/// Appended changes of up to this number of bytes never cause the file to be replaced, even if
/// they are larger than the state.
const SMALL: u64 = 16 << 20;

/// A handle to the world. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Store {
    world: Arc<Mutex<World>>,
    /// The state file; `None` if the state is in memory only.
    file: Option<Arc<AsyncMutex<StateFile>>>,
}

#[derive(Debug)]
struct StateFile {
    path: PathBuf,
    /// The revision of the world in the file.
    saved: u64,
    /// The file's metadata when this process last read or wrote it; `None` if it did not exist.
    seen: Option<Look>,
    /// The number of bytes of changes appended since the last replacement.
    appended: u64,
    /// Whether appending is unsafe: the last line is partial, or a save failed and its changes
    /// are no longer queued.
    must_be_replaced: bool,
}

/// The time and the length of a file, which show whether it was changed.
type Look = (SystemTime, u64);

impl Store {
    /// Reads the state file if it exists. Creates its directory, and checks that the directory is
    /// writable.
    pub(super) fn open(path: Option<&Path>, quirks: Quirks) -> Result<Self, SandboxError> {
        let (file, mut world) = match path.map(StateFile::open).transpose()? {
            Some((file, world)) => (Some(Arc::new(AsyncMutex::new(file))), world),
            None => (None, World::default()),
        };
        world.quirks = quirks;
        let world = Arc::new(Mutex::new(world));
        Ok(Self { world, file })
    }

    /// Locks the world and runs `work` on it.
    pub(super) fn with_world<R>(&self, work: impl FnOnce(&mut World) -> R) -> R {
        work(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until this revision, or a later one, is on disk. With `whole`, the file is replaced if
    /// changes were appended.
    pub(super) async fn save(&self, revision: u64, whole: bool) -> Result<(), SandboxError> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let mut file = Arc::clone(file).lock_owned().await;
        if file.saved >= revision && !(whole && file.appended > 0) {
            return Ok(());
        }
        let path = file.path.clone();
        let store = self.clone();
        // move the lock into the task, so that no later save overtakes this one if the caller gives
        // up
        let saving = tokio::task::spawn_blocking(move || {
            let whole = whole || file.is_due();
            let (text, newest) = store.with_world(|world| {
                let changes = world.unsaved.replace(Vec::new()).unwrap_or_default();
                let text = match whole {
                    true => serialize(world),
                    false => serialize_changes(world.counters, &changes),
                };
                (text, world.revision)
            });
            let text = text.map_err(|error| cannot("write", &file.path)(error.into()))?;
            file.write(&text, whole, newest)
        });
        let saved = saving.await.map_err(io::Error::other);
        saved.map_err(cannot("write", &path))?
    }

    pub(super) async fn flush(&self) -> Result<(), SandboxError> {
        let newest = self.with_world(|world| world.revision);
        self.save(newest, true).await
    }
}

impl StateFile {
    fn open(path: &Path) -> Result<(Self, World), SandboxError> {
        let path = path.to_owned();
        let (unreadable, unwritable) = (cannot("read", &path), cannot("write", &path));
        fs::create_dir_all(directory(&path)).map_err(unwritable)?;
        NamedTempFile::new_in(directory(&path)).map_err(unwritable)?;
        let seen = look(&path).map_err(unreadable)?;
        let (world, is_torn) = match seen {
            Some(_) => {
                let text = fs::read(&path).map_err(unreadable)?;
                parse(&path, &text)?
            }
            None => (World::for_saving(), false),
        };
        let file = Self {
            path,
            saved: 0,
            seen,
            appended: 0,
            must_be_replaced: is_torn,
        };
        Ok((file, world))
    }

    /// Whether the next save replaces the file. It does so if changes cannot be appended, or if
    /// the appended changes are larger than the state.
    fn is_due(&self) -> bool {
        let length = self.seen.map_or(0, |(_, length)| length);
        let is_large = self.appended > SMALL.max(length.saturating_sub(self.appended));
        self.must_be_replaced || is_large || !self.path.exists()
    }

    fn write(&mut self, text: &[u8], whole: bool, revision: u64) -> Result<(), SandboxError> {
        let path = self.path.clone();
        let unwritable = cannot("write", &path);
        self.must_be_replaced = true;
        let now = look(&self.path).map_err(unwritable)?;
        if now.is_some() && now != self.seen {
            return Err(SandboxError::Contended {
                path: self.path.clone(),
            });
        }
        let written = match whole {
            true => write_atomically(&self.path, text),
            false => append(&self.path, text),
        };
        self.seen = look(&self.path).map_err(unwritable)?;
        written.map_err(unwritable)?;
        self.must_be_replaced = false;
        self.appended = match whole {
            true => 0,
            false => self.appended + text.len() as u64,
        };
        self.saved = revision;
        Ok(())
    }
}

/// Creates the error for a failed action on the state file.
fn cannot(action: &'static str, path: &Path) -> impl Fn(io::Error) -> SandboxError + Copy {
    move |source| SandboxError::File {
        action,
        path: path.to_owned(),
        source,
    }
}

fn look(path: &Path) -> io::Result<Option<Look>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some((metadata.modified()?, metadata.len()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn append(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().append(true).open(path)?;
    file.write_all(text)?;
    file.sync_data()
}

/// Writes the file so that it has either its old text or all of the new text, even after a power
/// failure. The file keeps its mode, and a link to it stays a link.
fn write_atomically(path: &Path, text: &[u8]) -> io::Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut file = NamedTempFile::new_in(directory(path))?;
    file.write_all(text)?;
    if let Ok(old) = fs::metadata(path) {
        file.as_file().set_permissions(old.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    #[cfg(unix)]
    fs::File::open(directory(path))?.sync_all()?;
    Ok(())
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[derive(Deserialize)]
struct Header {
    format: u64,
}

#[derive(Deserialize)]
struct Saved {
    counters: Counters,
    rooms: Vec<Room>,
    users: Vec<User>,
    messages: Vec<Message>,
}

fn serialize(world: &World) -> serde_json::Result<Vec<u8>> {
    let widgets = || world.widgets.values();
    let rooms = widgets().flat_map(|it| it.rooms.values().cloned());
    let users = widgets().flat_map(|it| it.users.values().cloned());
    let messages = widgets().flat_map(|it| it.messages.iter().cloned());
    let entries = rooms.map(Entry::Room).chain(users.map(Entry::User));
    let entries: Vec<Entry> = entries.chain(messages.map(Entry::Message)).collect();
    // The lists in the head stay empty, because each record has a line of its own below. Only
    // older states have records in the lists.
    let counters = serde_json::to_string(&world.counters)?;
    let head = format!(
        "{{\"format\":{FORMAT},\"counters\":{counters},\"rooms\":[],\"users\":[],\"messages\":[]}}\n"
    );
    let lines = serialize_changes(world.counters, &entries)?;
    Ok([head.into_bytes(), lines].concat())
}

/// Serializes the changes since the last save.
fn serialize_changes(counters: Counters, changes: &[Entry]) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    for change in [&Entry::Counters(counters)].into_iter().chain(changes) {
        serde_json::to_writer(&mut text, change)?;
        text.push(b'\n');
    }
    Ok(text)
}

/// Parses a state and the changes after it. Also returns whether the last line is partial. A partial
/// line is dropped, because its call was never answered. The path is only for errors.
fn parse(path: &Path, text: &[u8]) -> Result<(World, bool), SandboxError> {
    let path = || path.to_owned();
    let damaged = |source| SandboxError::Damaged {
        path: path(),
        source,
    };
    let (Header { format }, _) = first(text).map_err(damaged)?;
    if format != FORMAT {
        return Err(SandboxError::Format {
            path: path(),
            format,
        });
    }
    let (saved, end) = first::<Saved>(text).map_err(damaged)?;
    let mut world = World::for_saving();
    let entries = [Entry::Counters(saved.counters)].into_iter();
    entries
        .chain(saved.rooms.into_iter().map(Entry::Room))
        .chain(saved.users.into_iter().map(Entry::User))
        .chain(saved.messages.into_iter().map(Entry::Message))
        .for_each(|entry| world.load(entry));
    let changes = text.get(end..).unwrap_or_default();
    let mut is_torn = false;
    for line in changes.split_inclusive(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            continue;
        }
        is_torn = !line.ends_with(b"\n");
        match serde_json::from_slice(line) {
            Ok(_) if is_torn => {}
            Ok(change) => world.load(change),
            Err(error) if is_torn && error.is_eof() => {}
            Err(error) => return Err(damaged(error)),
        }
    }
    Ok((world, is_torn))
}

/// Returns the first JSON document in a text, and the offset of its end.
fn first<'de, T: Deserialize<'de>>(text: &'de [u8]) -> serde_json::Result<(T, usize)> {
    let mut documents = serde_json::Deserializer::from_slice(text).into_iter();
    let first = documents.next();
    let first = first.unwrap_or_else(|| serde_json::from_slice(text))?;
    Ok((first, documents.byte_offset()))
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
