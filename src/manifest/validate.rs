//! Checks single values: pipes, titles, dialogs and globs. Every check runs, even after an error.
//! Also warns of texts that look alike.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use globset::Glob;

use super::raw::Spanned;
use crate::model::{DesiredRoom, RoomKind, difference, is_hidden, looks};
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems, clip};
use crate::tables::number::is_digits;

/// Maximum length of a pipe, in bytes: a typical size of a database column.
pub const LONGEST_PIPE: usize = 255;
/// Maximum length of a title, in bytes.
const LONGEST_TITLE: usize = 4096;
/// The server may silently cut titles with more characters than this.
const SAFE_TITLE: usize = 255;
/// Prefixes that the realtime layer reserves (`api: fact 10`). Each contains `_`, and [`odd_pipe`]
/// relies on that.
const RESERVED: &str =
    "bin_ big_ push_ comet_ sys_ self_ trust_ video_ audio_ private_ web_ user_status_ track_";

pub(super) fn room(room: &DesiredRoom, pipe_at: At, title_at: At, problems: &Problems) {
    let (pipe, title) = (room.pipe.as_str(), room.state.title.as_str());
    problems.extend(bad_pipe(pipe, pipe_at).or_else(|| odd_pipe(pipe, pipe_at)));
    problems.extend(bad_title(title, title_at).or_else(|| odd_title(title, title_at)));
    if room.state.kind == RoomKind::Dialog && room.members.len() > 2 {
        let message = format!("a dialog with {} members", room.members.len());
        let hint = "use `type: conference`: a dialog is between two users";
        problems.note(Code::TooManyInDialog, pipe_at, message, hint);
    }
}

/// Returns the error if a text is not a valid pipe.
pub(super) fn bad_pipe(pipe: &str, at: At) -> Option<Diagnostic> {
    let (reason, hint) = match pipe {
        "" => (
            "a pipe cannot be empty",
            "write a pipe; otherwise the server would invent one, and create a room on each run",
        ),
        _ if pipe.len() > LONGEST_PIPE => (
            "a pipe has at most 255 bytes",
            "shorten it; the server would cut it silently",
        ),
        _ if pipe.contains(char::is_control) => (
            "a pipe cannot have control characters",
            "write it as plain text",
        ),
        _ if pipe.trim() != pipe => (
            "a pipe cannot start or end with white space",
            "remove the spaces",
        ),
        _ => return None,
    };
    Some(Diagnostic::at(Code::BadPipe, at, reason).hint(hint))
}

/// Returns a warning if a valid pipe is unusual.
fn odd_pipe(pipe: &str, at: At) -> Option<Diagnostic> {
    let plain = pipe
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    let reserved = match pipe.contains('_') && !is_of_vendor(pipe) {
        true => RESERVED.split(' ').find(|prefix| pipe.starts_with(prefix)),
        false => None,
    };
    let what = match reserved {
        Some(prefix) => {
            format!("starts with `{prefix}`, which is reserved by the realtime layer")
        }
        None if !plain || !(3..=64).contains(&pipe.len()) => {
            "should be 3 to 64 characters long, and use only A-Z, a-z, 0-9, _ and -".to_owned()
        }
        None => return None,
    };
    let message = format!("`{}` {what}", clip(pipe));
    let hint =
        "consider another pipe: the realtime layer may not accept this one as a channel name";
    Some(Diagnostic::at(Code::UnusualPipe, at, message).hint(hint))
}

/// Whether the pipe looks like a group's pipe from the vendor's WordPress plugin (`api: fact 13`).
fn is_of_vendor(pipe: &str) -> bool {
    let group = pipe.split_once('_');
    group.is_some_and(|(status, id)| {
        ["public", "private", "hidden"].contains(&status) && is_digits(id)
    })
}

/// Returns the error if a text is not a valid title.
pub(super) fn bad_title(title: &str, at: At) -> Option<Diagnostic> {
    let (reason, hint) = match title {
        _ if title.trim().is_empty() => (
            "a title cannot be empty",
            "write a title; otherwise the server would call the room \"new room\"",
        ),
        _ if title.len() > LONGEST_TITLE => (
            "a title has at most 4096 bytes",
            "shorten it; the server cuts long titles silently",
        ),
        _ if title.contains(char::is_control) => (
            "a title cannot have control characters",
            "write it on one line",
        ),
        _ => return None,
    };
    Some(Diagnostic::at(Code::BadTitle, at, reason).hint(hint))
}

/// Returns a warning if a valid title is unusual.
fn odd_title(title: &str, at: At) -> Option<Diagnostic> {
    let (reason, hint) = match title {
        _ if title.trim() != title => (
            "the title starts or ends with white space",
            "remove the white space; the server may trim it and show another title",
        ),
        _ if title.len() > SAFE_TITLE && title.chars().nth(SAFE_TITLE).is_some() => (
            "the title has more than 255 characters",
            "shorten it; the server may cut it silently",
        ),
        _ if hides(title) => (
            "the title has invisible or direction-changing characters",
            "remove them: people cannot see them",
        ),
        _ => return None,
    };
    Some(Diagnostic::at(Code::OddTitle, at, reason).hint(hint))
}

/// Whether a text has invisible characters. Joiners are allowed after characters that are not
/// ASCII, because Persian words and composed emoji contain joiners.
fn hides(text: &str) -> bool {
    let mut before = ' ';
    text.chars().any(|c| {
        let joins = matches!(c, '\u{200c}' | '\u{200d}') && !before.is_ascii();
        before = c;
        is_hidden(c) && !joins
    })
}

/// Checks the entries of `limits.publish`. An entry that is the pipe of a declared room need
/// not be a valid glob.
pub(super) fn publish(
    entries: &[Spanned<String>],
    is_declared: impl Fn(&str) -> bool,
    problems: &Problems,
) {
    globs(entries, is_declared, problems);
    let is_any = |entry: &&Spanned<String>| entry.value.chars().all(|c| c == '*');
    for entry in entries.iter().filter(is_any) {
        let message = format!("`{}` lets every room become public", clip(&entry.value));
        let diagnostic = Diagnostic::at(Code::PublishesAny, entry.at, message);
        problems.push(diagnostic.hint("list the pipes, or a glob such as \"club-*\""));
    }
}

/// Checks a list of globs. Entries that `is_exempt` accepts need not be valid globs.
pub(super) fn globs(
    globs: &[Spanned<String>],
    is_exempt: impl Fn(&str) -> bool,
    problems: &Problems,
) {
    let mut seen = HashSet::new();
    for glob in globs {
        let Spanned { value, at } = glob;
        let shown = clip(value);
        // Check the length first: a long glob can have alternatives that are nested so deeply
        // that the library overflows its stack.
        let (message, hint) = if value.len() > LONGEST_PIPE {
            let message = "a glob has at most 255 bytes".to_owned();
            (message, "shorten it: a pipe has at most 255 bytes")
        } else if let Err(error) = Glob::new(value)
            && !is_exempt(value)
        {
            let message = format!("`{shown}` is not a glob: {}", error.kind());
            (message, "write it as \"course-*\"")
        } else if !seen.insert(value) {
            (format!("`{shown}` is listed twice"), "keep one of the two")
        } else {
            continue;
        };
        problems.note(Code::BadValue, *at, message, hint);
    }
}

/// Warns of different texts that look alike: they differ only in case, in Unicode normal form, or
/// in similar letters. The warning is at the place of the later text, and shows the code points.
pub(super) fn warn_of_look_alikes(
    mut texts: Vec<(&str, At)>,
    code: Code,
    hint: &str,
    problems: &Problems,
) {
    texts.sort_by_key(|(_, at)| *at);
    let (hasher, mut seen) = (RandomState::new(), HashMap::with_capacity(texts.len()));
    let mut reported: HashSet<&str> = HashSet::new();
    for (text, at) in texts {
        let shape = looks(text);
        // Keep only the hash of the shape, because the shapes need as much memory as the texts.
        let key = hasher.hash_one(&shape);
        let (other, first): &mut (&str, At) = seen.entry(key).or_insert((text, at));
        if *other == text || looks(other) != shape || !reported.insert(text) {
            continue;
        }
        let (shown, like) = (clip(text), clip(other));
        let points = difference(text, other);
        let message = format!("`{shown}` looks like `{like}`: {points}");
        let diagnostic = Diagnostic::at(code, at, message).related(*first, "the other one");
        problems.push(diagnostic.hint(hint));
    }
}
