//! Recognizes files that are not tables, so that the error can say what the file is and what to
//! do about it.
//!
//! Main entries: [`wrong_bytes`] and [`wrong_text`].

use memchr::memmem::{find, find_iter};

use super::diagnostic::{At, Code, Diagnostic, Source};
use crate::model::FileId;

/// What a file is, and what to do about it.
pub(crate) type WrongFile = (&'static str, &'static str);

const SAVE: &str = "open it in a spreadsheet program, and save it as .xlsx or CSV";
const EXPORT: &str = "export the data as .xlsx or CSV";
const UNPACK: &str = "unpack it, and give the path of the file inside";
const LOCK_FILE: WrongFile = (
    "a lock file of a spreadsheet program",
    "give the path of the workbook itself, without `~$`",
);
const CUT: WrongFile = (
    "an incomplete .xlsx file or zip archive",
    "copy or download it again",
);
const HTML_TABLE: WrongFile = ("a table saved as a web page (HTML)", SAVE);
const SIGN_IN: WrongFile = (
    "a web page, such as a sign-in page",
    "sign in, and download the file again",
);

/// Binary files that are recognized by their first bytes.
const BINARY: [(&[u8], WrongFile); 4] = [
    (b"%PDF-", ("a PDF document", EXPORT)),
    (b"\xd0\xcf\x11\xe0", ("an old Excel workbook (.xls)", SAVE)),
    (b"\x1f\x8b", ("a compressed file", UNPACK)),
    (b"\x89PNG", ("an image", EXPORT)),
];

/// Archives that are recognized by a text in them.
const ARCHIVES: [(&[u8], WrongFile); 3] = [
    (
        b"application/vnd.oasis.opendocument",
        ("an OpenDocument file (.ods)", SAVE),
    ),
    (
        b"Index/Document.iwa",
        (
            "an Apple Numbers document (.numbers)",
            "export it from Numbers as Excel or CSV",
        ),
    ),
    (
        b"xl/workbook.bin",
        ("a binary Excel workbook (.xlsb)", SAVE),
    ),
];

/// Text files that are recognized by their first characters. Case is ignored.
const TEXTS: [(&str, WrongFile); 6] = [
    (
        "version https://git-lfs.github.com/spec/",
        (
            "a Git LFS pointer: the file itself is not here",
            "run `git lfs pull`; to read a git revision, check it out with `git worktree add`, and give the path of the new directory",
        ),
    ),
    ("<!doctype html", SIGN_IN),
    ("<html", SIGN_IN),
    ("<head", SIGN_IN),
    ("<table", HTML_TABLE),
    ("<?xml", ("an XML document", EXPORT)),
];

/// Whether the bytes are a zip archive, as every .xlsx workbook is.
pub(crate) fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// Recognizes a file that is neither text nor an .xlsx workbook.
pub(crate) fn wrong_bytes(name: &str, bytes: &[u8]) -> Option<WrongFile> {
    let name = name.rsplit(['/', '\\']).next();
    if name.is_some_and(|name| name.starts_with("~$")) {
        return Some(LOCK_FILE);
    }
    if is_zip(bytes) {
        let is_in = |name: &&[u8]| find(bytes, name).is_some();
        // An archive ends with a directory of its files.
        if !is_in(&b"PK\x05\x06".as_slice()) {
            return Some(CUT);
        }
        let known = ARCHIVES.iter().find(|(name, _)| is_in(name));
        let other = (!is_in(&b"xl/".as_slice())).then_some(("a zip archive", UNPACK));
        return known.map(|(_, what)| *what).or(other);
    }
    let (_, what) = BINARY.iter().find(|(start, _)| bytes.starts_with(start))?;
    // A workbook with a password is wrapped in the old Excel format, which writes names in UTF-16.
    let has_password = find(bytes, b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e").is_some();
    Some(match has_password {
        true => ("a workbook with a password", "save it without one"),
        false => *what,
    })
}

/// Recognizes a text that is neither a table nor a manifest.
pub(crate) fn wrong_text(text: &str) -> Option<WrongFile> {
    let text = text.trim_start();
    let starts = |start: &&str| {
        let found = text.get(..start.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(start))
    };
    let (_, what) = TEXTS.iter().find(|(start, _)| starts(start))?;
    let is_in = |tag: &str| text.to_ascii_lowercase().contains(tag);
    // A form has fields, a table saved by another program has none.
    let is_table = *what == SIGN_IN && is_in("<table") && !is_in("<input");
    Some(if is_table { HTML_TABLE } else { *what })
}

/// Whether a text is a JSON document, which can be a manifest but not a table.
pub(crate) fn is_json(text: &str) -> bool {
    let mut signs = text.chars().filter(|c| !c.is_whitespace());
    matches!(
        (signs.next(), signs.next()),
        (Some('{'), Some('"' | '}')) | (Some('['), Some('{' | '[' | ']' | '"' | '0'..='9'))
    )
}

pub(crate) const JSON: WrongFile = ("a JSON document", EXPORT);

/// Returns an error for the first line that git wrote to mark a merge conflict.
pub(crate) fn find_conflict(file: FileId, source: &Source) -> Option<Diagnostic> {
    let bytes = source.text.as_bytes();
    let starts_line = |at: &usize| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        before.is_none_or(|byte| matches!(byte, b'\n' | b'\r'))
    };
    let at = At::new(file, find_iter(bytes, b"<<<<<<< ").find(starts_line)?);
    let (name, line) = (&source.name, source.line_at(at.offset));
    let message = format!("{name}:{line}: a merge conflict starts here");
    let hint = "resolve it, and remove the lines that start with <<<<<<<, ======= and >>>>>>>";
    Some(Diagnostic::at(Code::WrongFile, at, message).hint(hint))
}
