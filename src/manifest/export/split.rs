//! Names the files of a split export. A room always goes into the same file. Every file name is valid on all systems; pipes with the
//! same file name share a file.

use super::Entry;
use crate::manifest::template::slug;
use crate::model::RoomKind;
use crate::tables::number::is_digits;

/// The name of the file for pipes without a usable prefix.
const OTHER: &str = "other";
/// Maximum length of a file name, in bytes.
const LONGEST: usize = 60;
/// Device names that Windows reserves, with any extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Returns the file name, without extension, for the prefix of a pipe: the text before the first
/// `-` or `_`. All pipes that the server generated share one file, because each has its own prefix.
pub fn by_prefix(entry: &Entry) -> String {
    let pipe = entry.pipe.as_str();
    let prefix = match pipe.split_once(['-', '_']) {
        Some((prefix, _)) if !is_made_up(pipe) => prefix,
        _ => return OTHER.to_owned(),
    };
    // A slug is ASCII, so it can be cut at any byte.
    let mut name = slug(prefix);
    name.truncate(LONGEST);
    let name = name.trim_matches('-');
    let port = ["com", "lpt"].iter().any(|port| {
        let number = name.strip_prefix(port);
        number.is_some_and(|number| number.len() == 1 && is_digits(number))
    });
    match name {
        "" => OTHER.to_owned(),
        name if port || DEVICES.contains(&name) => format!("{name}-rooms"),
        name => name.to_owned(),
    }
}

/// Whether the server probably generated the pipe: PHP's `uniqid()`, `_`, and the time in seconds
/// (api: fact 10).
fn is_made_up(pipe: &str) -> bool {
    pipe.split_once('_').is_some_and(|(id, time)| {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        id.len() == 13 && id.bytes().all(is_hex) && time.len() >= 10 && is_digits(time)
    })
}

/// Returns the file name, without extension, for the type of a room.
pub fn by_type(entry: &Entry) -> String {
    match entry.kind {
        RoomKind::Other(number) => format!("type-{number}"),
        kind => kind.to_string(),
    }
}
