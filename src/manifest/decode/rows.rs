//! Decodes references to files with rows: rosters and directories of people.

use super::super::fields::{Decoder, Fields, Keys};
use super::super::presets::is_same_key;
use super::super::raw::{By, Names, RawDirectory, RawFile, RawFilter, RawRoster};
use super::super::scalar::{Reading, reading};
use super::super::yaml::{Node, Value};
use crate::tables::number::is_digits;

/// The keys that say how to read a file with rows.
pub(super) const FILE: &[&str] = &[
    "delimiter",
    "encoding",
    "allow_empty",
    "numbered",
    "optional",
];
pub(super) const ROSTER: Keys = Keys {
    more: FILE,
    ..Keys::new("a roster", &["roster", "user", "by", "where", "people"])
};
pub(super) const DIRECTORY: Keys = Keys {
    more: FILE,
    ..Keys::new("a directory of people", &["roster", "name", "id", "where"])
};
pub(super) const WAYS: [(&str, By); 2] = [("id", By::Id), ("name", By::Name)];
pub(super) const DELIMITERS: [(&str, u8); 5] = [
    (",", b','),
    (";", b';'),
    ("|", b'|'),
    ("tab", b'\t'),
    ("\t", b'\t'),
];

/// Whether `people` is a file. A person may be called `roster`; the value is then an id.
pub(super) fn is_directory(node: &Node) -> bool {
    let Value::Map(pairs) = node.value() else {
        return false;
    };
    let is_id = |node: &Node| {
        node.word()
            .is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit()))
    };
    pairs
        .iter()
        .any(|(key, value)| key.word() == Some("roster") && !is_id(value))
}

/// Decodes a roster in a member list.
pub(super) fn roster(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawRoster> {
    let fields = decoder.fields(node, ROSTER)?;
    from_fields(decoder, &fields)
}

pub(super) fn from_fields(decoder: &mut Decoder<'_>, fields: &Fields<'_>) -> Option<RawRoster> {
    let people = fields.get("people");
    let people = people.and_then(|node| directory(decoder, node));
    let user = fields.decode_texts(decoder, "user");
    let filter = filters(decoder, fields);
    let by = fields.choice(decoder, "by", &WAYS);
    Some(RawRoster {
        file: file(decoder, fields)?,
        user,
        by,
        filter,
        people: people.map(Box::new),
        preset_users: None,
    })
}

pub(super) fn directory(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawDirectory> {
    let fields = decoder.fields(node, DIRECTORY)?;
    fields.require(decoder, "name", "a column");
    fields.require(decoder, "id", "a column");
    let name = fields.decode_texts(decoder, "name");
    let id = fields.decode_text(decoder, "id");
    let filter = filters(decoder, &fields);
    let file = file(decoder, &fields)?;
    fields.get("name")?;
    Some(RawDirectory {
        file,
        name,
        id: id?,
        filter,
    })
}

/// Decodes a file with rows, and records it so that it is opened before anything is looked up in it.
pub(super) fn file(decoder: &mut Decoder<'_>, fields: &Fields<'_>) -> Option<RawFile> {
    fields.require(decoder, "roster", "the path of a file");
    let path = fields.decode_text(decoder, "roster");
    let delimiter = fields.choice(decoder, "delimiter", &DELIMITERS);
    let encoding = fields.decode_text(decoder, "encoding");
    let allow_empty = fields.boolean(decoder, "allow_empty");
    let numbered = fields.decode_texts(decoder, "numbered");
    let optional = fields.decode_texts(decoder, "optional");
    let file = RawFile {
        path: path?,
        delimiter,
        encoding,
        allow_empty: allow_empty.unwrap_or_default(),
        numbered,
        optional,
        number: decoder.files.len(),
        may_lack: false,
        format: None,
    };
    decoder.files.push(file.clone());
    Some(file)
}

/// Decodes `where`: columns and the allowed values of their cells.
pub(super) fn filters(decoder: &mut Decoder<'_>, fields: &Fields<'_>) -> Vec<RawFilter> {
    let Some(node) = fields.get("where") else {
        return Vec::new();
    };
    let filters = columns(decoder, node, "`where`").into_iter();
    let filters = filters.map(|(column, value)| {
        let values = value.items().iter().filter_map(|node| cell(decoder, node));
        RawFilter {
            column,
            values: values.collect(),
            known: None,
            any_case: false,
        }
    });
    filters.collect()
}

/// Decodes a mapping by column. Columns that are duplicated, in any case, are reported.
pub(super) fn columns<'n>(
    decoder: &mut Decoder<'_>,
    node: &'n Node<'n>,
    what: &str,
) -> Names<&'n Node<'n>> {
    let columns = decoder.names(node, what);
    for (index, (name, _)) in columns.iter().enumerate() {
        let mut before = columns.iter().take(index);
        if let Some((first, _)) = before.find(|(other, _)| is_same_key(&other.value, &name.value)) {
            decoder.duplicate_key(&name.value, name.at, first.at);
        }
    }
    columns
}

/// Decodes an allowed value of a cell. An unquoted word is allowed if a file would contain it as written.
fn cell(decoder: &mut Decoder<'_>, node: &Node) -> Option<String> {
    let Value::Scalar { text, plain } = node.value() else {
        decoder.wrong_type(node, "a cell in `where`", "text");
        return None;
    };
    let itself = match reading(text) {
        Reading::Text => true,
        Reading::Number => is_digits(text) && (text == "0" || !text.starts_with('0')),
        Reading::Bool => matches!(&**text, "true" | "false"),
        Reading::Null | Reading::Date => false,
    };
    if *plain && !itself {
        let hint = format!("quote it: \"{text}\"");
        decoder.needs_quotes(node.at, "a cell in `where`", text, hint);
        return None;
    }
    Some(text.trim().to_owned())
}
