//! Rosters and directories of people as written: which file, which columns, which rows.

use super::super::fields::{Decoder, Fields, Keys, written};
use super::super::raw::{By, RawDirectory, RawFile, RawFilter, RawRoster, Spanned};
use super::super::scalar::{Reading, reading};
use super::super::yaml::{Node, Value};
use crate::tables::diagnostic::{Code, Diagnostic};
use crate::tables::number::is_digits;

/// How a file with rows is read.
pub(super) const FILE: &[&str] = &[
    "delimiter",
    "encoding",
    "allow_empty",
    "numbered",
    "optional",
];
pub(super) const ROSTER: Keys = Keys {
    owner: "a roster",
    own: &["roster", "user", "by", "where", "people"],
    more: FILE,
};
pub(super) const DIRECTORY: Keys = Keys {
    owner: "a directory of people",
    own: &["roster", "name", "id", "where"],
    more: FILE,
};

const WAYS: [(&str, By); 2] = [("id", By::Id), ("name", By::Name)];
const DELIMITERS: [(&str, u8); 5] = [
    (",", b','),
    (";", b';'),
    ("|", b'|'),
    ("tab", b'\t'),
    ("\t", b'\t'),
];

/// The `roster` key of a mapping, unless it names a person of that name.
pub(super) fn named<'n, 't>(node: &'n Node<'t>) -> Option<&'n (Node<'t>, Node<'t>)> {
    let Value::Map(pairs) = node.value() else {
        return None;
    };
    pairs.iter().find(|(key, value)| {
        let named = matches!(key.value(), Value::Scalar { text, .. } if text == "roster");
        named && !matches!(value.value(), Value::Scalar { text, .. } if text.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// A roster among members.
pub(super) fn roster(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawRoster> {
    let fields = decoder.fields(node, ROSTER)?;
    from_fields(decoder, &fields)
}

pub(super) fn from_fields(decoder: &mut Decoder<'_>, fields: &Fields<'_>) -> Option<RawRoster> {
    let user = columns(decoder, fields, "user");
    let by = fields.get("by");
    let by = by.and_then(|node| decoder.choice(node, "`by`", &WAYS));
    let filter = filters(decoder, fields);
    let people = fields.get("people");
    let people = people.and_then(|node| directory(decoder, node));
    Some(RawRoster {
        file: file(decoder, fields)?,
        user,
        by,
        filter,
        people: people.map(Box::new),
        preset_users: None,
    })
}

/// A directory of people.
pub(super) fn directory(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawDirectory> {
    let fields = decoder.fields(node, DIRECTORY)?;
    fields.require(decoder, fields.owner, "name", "a column");
    fields.require(decoder, fields.owner, "id", "a column");
    let name = columns(decoder, &fields, "name");
    let id = fields.get("id").and_then(|node| decoder.text(node, "`id`"));
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

/// A file with rows; it is noted, so that it is opened before anything is looked up in it.
pub(super) fn file(decoder: &mut Decoder<'_>, fields: &Fields<'_>) -> Option<RawFile> {
    fields.require(decoder, fields.owner, "roster", "the path of a file");
    let path = fields.get("roster");
    let path = path.and_then(|node| decoder.text(node, "`roster`"));
    let delimiter = fields.get("delimiter");
    let delimiter = delimiter.and_then(|node| decoder.choice(node, "`delimiter`", &DELIMITERS));
    let encoding = fields.get("encoding");
    let encoding = encoding.and_then(|node| decoder.text(node, "`encoding`"));
    let allow_empty = fields.get("allow_empty");
    let allow_empty = allow_empty.and_then(|node| decoder.boolean(node, "`allow_empty`"));
    let numbered = columns(decoder, fields, "numbered");
    let optional = columns(decoder, fields, "optional");
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

/// The columns under a key: one, or a list of them.
fn columns(decoder: &mut Decoder<'_>, fields: &Fields<'_>, key: &str) -> Vec<Spanned<String>> {
    let nodes = fields.get(key).map(Node::items).unwrap_or_default();
    let what = format!("`{key}`");
    let columns = nodes.iter().filter_map(|node| decoder.text(node, &what));
    columns.collect()
}

/// `where`: columns, and the texts their cells may be.
pub(super) fn filters(decoder: &mut Decoder<'_>, fields: &Fields<'_>) -> Vec<RawFilter> {
    let Some(node) = fields.get("where") else {
        return Vec::new();
    };
    let names = decoder.names(node, "`where`");
    once(decoder, &names);
    let filters = names.into_iter().map(|(column, value)| {
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

/// Notes columns that are named more than once, in whatever case.
pub(super) fn once(decoder: &mut Decoder<'_>, names: &[(Spanned<String>, &Node)]) {
    for (index, (name, _)) in names.iter().enumerate() {
        let same = |(other, _): &&(Spanned<String>, &Node)| {
            other.value.trim().to_lowercase() == name.value.trim().to_lowercase()
        };
        if let Some((first, _)) = names.iter().take(index).find(same) {
            decoder.duplicate_key(&name.value, name.at, first.at);
        }
    }
}

/// What a cell may be: a text, or an unquoted word that stands for itself in a file too.
fn cell(decoder: &mut Decoder<'_>, node: &Node) -> Option<String> {
    let Value::Scalar { text, plain } = node.value() else {
        decoder.wrong_type(node, "a cell in `where`", "text");
        return None;
    };
    let whole = is_digits(text) && (text == "0" || !text.starts_with('0'));
    let itself = match reading(text) {
        Reading::Text => true,
        Reading::Number => whole,
        Reading::Bool => matches!(&**text, "true" | "false"),
        Reading::Null | Reading::Date => false,
    };
    if !*plain || itself {
        return Some(text.trim().to_owned());
    }
    let message = format!(
        "a cell in `where` must be text, but YAML reads {} as {}",
        written(text, true),
        reading(text).noun()
    );
    let diagnostic = Diagnostic::at(Code::NeedsQuotes, node.at, message);
    decoder.note(diagnostic.hint(format!("quote it: \"{text}\"")));
    None
}
