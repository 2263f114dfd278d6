//! A directory as git keeps it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::MAIN_SEPARATOR;

use super::os_text;

/// A directory's names.
pub(super) type Listing = HashMap<OsString, Node>;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) mode: Mode,
    /// The object, in hexadecimal digits.
    pub(super) id: String,
}

/// What git knows of a file's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// A regular file, whoever may run it.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A commit of another repository.
    Submodule,
}

/// A tree object: `<mode> <name>\0<id>`, again and again. `None` if it is damaged, or has names that would lead elsewhere.
pub(super) fn listing(mut bytes: &[u8], id_length: usize) -> Option<Listing> {
    let mut listing = Listing::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|byte| *byte == b' ')?;
        let end = bytes.iter().position(|byte| *byte == 0)?;
        let (mode, name) = (bytes.get(..space)?, bytes.get(space + 1..end)?);
        let id = bytes.get(end + 1..end + 1 + id_length)?;
        let separator = |byte: &u8| *byte == b'/' || char::from(*byte) == MAIN_SEPARATOR;
        if matches!(name, b"" | b"." | b"..") || name.iter().any(separator) {
            return None;
        }
        let mode = match mode {
            b"40000" | b"040000" => Mode::Directory,
            b"120000" => Mode::Link,
            b"160000" => Mode::Submodule,
            _ => Mode::File,
        };
        let id = id.iter().map(|byte| format!("{byte:02x}")).collect();
        listing.insert(os_text(name), Node { mode, id });
        bytes = bytes.get(end + 1 + id_length..)?;
    }
    Some(listing)
}
