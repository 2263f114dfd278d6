//! The names of the files an export is split into. The same room always goes into the same file, and whatever a pipe is called,
//! the name is one that every system takes: pipes whose names come out alike share a file.

use super::Entry;
use crate::manifest::template::slug;
use crate::model::RoomKind;
use crate::tables::number::is_digits;

/// The file of pipes without a prefix, or with one that no name can be made of.
const OTHER: &str = "other";
/// Bytes of a name.
const LONGEST: usize = 60;
/// Names that are devices on Windows, whatever ending they have.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The name, without its ending, of the file for the prefix of a pipe: the text before the first `-` or `_`.
/// A pipe that the server generated has none: each would be a file of its own.
pub fn by_prefix(entry: &Entry) -> String {
    let pipe = entry.pipe.as_str();
    let prefix = match pipe.split_once(['-', '_']) {
        Some((prefix, _)) if !is_made_up(pipe) => prefix,
        _ => return OTHER.to_owned(),
    };
    // Hyphens and ASCII letters and digits are all that is left of it.
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

/// Whether it is as the server makes pipes up: PHP's `uniqid()`, and the time in seconds (api: fact 10).
fn is_made_up(pipe: &str) -> bool {
    pipe.split_once('_').is_some_and(|(id, time)| {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        id.len() == 13 && id.bytes().all(is_hex) && time.len() >= 10 && is_digits(time)
    })
}

/// The name, without its ending, of the file for the type of a room.
pub fn by_type(entry: &Entry) -> String {
    match entry.kind {
        RoomKind::Other(number) => format!("type-{number}"),
        kind => kind.to_string(),
    }
}
