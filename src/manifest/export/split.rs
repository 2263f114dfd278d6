//! The names of the files an export is split into. The same room always goes into the same file, and whatever a pipe is called,
//! the name is one that every system takes: pipes whose names come out alike share a file.

use super::Entry;
use crate::manifest::template::slug;
use crate::model::RoomKind;

/// The file of pipes without a prefix, or with one that no name can be made of.
const OTHER: &str = "other";
/// Bytes of a name.
const LONGEST: usize = 60;
/// Names that are devices on Windows, whatever ending they have.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The name, without its ending, of the file for the prefix of a pipe: what stands before the first `-` or `_`.
pub fn by_prefix(entry: &Entry) -> String {
    let Some((prefix, _)) = entry.pipe.as_str().split_once(['-', '_']) else {
        return OTHER.to_owned();
    };
    // Hyphens and ASCII letters and digits are all that is left of it.
    let mut name = slug(prefix);
    name.truncate(LONGEST);
    let name = name.trim_matches('-');
    let port = ["com", "lpt"].iter().any(|port| {
        name.strip_prefix(port)
            .is_some_and(|number| number.len() == 1 && number.chars().all(|c| c.is_ascii_digit()))
    });
    match name {
        "" => OTHER.to_owned(),
        name if port || DEVICES.contains(&name) => format!("{name}-rooms"),
        name => name.to_owned(),
    }
}

/// The name, without its ending, of the file for the type of a room.
pub fn by_type(entry: &Entry) -> String {
    match entry.kind {
        RoomKind::Other(number) => format!("type-{number}"),
        kind => kind.to_string(),
    }
}
