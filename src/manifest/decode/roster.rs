//! Rosters and directories of people as written: which file, which columns, which rows.

use super::super::fields::{Decoder, Keys, written};
use super::super::raw::{By, RawDirectory, RawFile, RawFilter, RawRoster, Spanned};
use super::super::scalar::{Reading, reading};
use super::super::yaml::{Node, Value};
use crate::tables::diagnostic::{Code, Diagnostic};

pub(in super::super) const ROSTER: Keys<10> = Keys {
    owner: "a roster",
    known: [
        "roster",
        "user",
        "by",
        "where",
        "people",
        "delimiter",
        "encoding",
        "allow_empty",
        "numbered",
        "optional",
    ],
};
pub(in super::super) const DIRECTORY: Keys<9> = Keys {
    owner: "a directory of people",
    known: [
        "roster",
        "name",
        "id",
        "where",
        "delimiter",
        "encoding",
        "allow_empty",
        "numbered",
        "optional",
    ],
};

const WAYS: [(&str, By); 2] = [("id", By::Id), ("name", By::Name)];
const DELIMITERS: [(&str, u8); 5] = [
    (",", b','),
    (";", b';'),
    ("|", b'|'),
    ("tab", b'\t'),
    ("\t", b'\t'),
];

/// The values of the keys that say which file it is and how it is read.
pub(super) type FileNodes<'n> = [Option<&'n Node<'n>>; 6];

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
    let [
        path,
        user,
        by,
        filter,
        people,
        delimiter,
        encoding,
        allow_empty,
        numbered,
        optional,
    ] = decoder.fields(node, &ROSTER)?;
    let file = [path, delimiter, encoding, allow_empty, numbered, optional];
    of_fields(decoder, node, "a roster", file, [user, by, filter, people])
}

/// A roster out of the values of its keys.
pub(super) fn of_fields(
    decoder: &mut Decoder<'_>,
    node: &Node,
    owner: &str,
    file: FileNodes<'_>,
    [user, by, filter, people]: [Option<&Node>; 4],
) -> Option<RawRoster> {
    let user = user.map(|node| columns(decoder, node, "`user`"));
    let by = by.and_then(|node| decoder.choice(node, "`by`", &WAYS));
    let filter = filter.map(|node| filters(decoder, node));
    let people = people.and_then(|node| directory(decoder, node));
    Some(RawRoster {
        file: self::file(decoder, node, owner, file)?,
        user: user.unwrap_or_default(),
        by,
        filter: filter.unwrap_or_default(),
        people: people.map(Box::new),
        preset_users: None,
    })
}

/// A directory of people.
pub(super) fn directory(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawDirectory> {
    let [
        path,
        name,
        id,
        filter,
        delimiter,
        encoding,
        allow_empty,
        numbered,
        optional,
    ] = decoder.fields(node, &DIRECTORY)?;
    for (key, value) in [("name", name), ("id", id)] {
        if value.is_none() && !decoder.meant.contains(&key) {
            missing(decoder, node, "a directory of people", key, "a column");
        }
    }
    let name = name.map(|node| columns(decoder, node, "`name`"));
    let id = id.and_then(|node| decoder.text(node, "`id`"));
    let filter = filter.map(|node| filters(decoder, node));
    let nodes = [path, delimiter, encoding, allow_empty, numbered, optional];
    let file = file(decoder, node, "a directory of people", nodes)?;
    Some(RawDirectory {
        file,
        name: name?,
        id: id?,
        filter: filter.unwrap_or_default(),
    })
}

/// A file with rows; it is noted, so that it is opened before anything is looked up in it.
pub(super) fn file(
    decoder: &mut Decoder<'_>,
    node: &Node,
    owner: &str,
    [path, delimiter, encoding, allow_empty, numbered, optional]: FileNodes<'_>,
) -> Option<RawFile> {
    if path.is_none() && !decoder.meant.contains(&"roster") {
        missing(decoder, node, owner, "roster", "the path of a file");
    }
    let path = path.and_then(|node| decoder.text(node, "`roster`"));
    let delimiter = delimiter.and_then(|node| decoder.choice(node, "`delimiter`", &DELIMITERS));
    let encoding = encoding.and_then(|node| decoder.text(node, "`encoding`"));
    let allow_empty = allow_empty.and_then(|node| decoder.boolean(node, "`allow_empty`"));
    let numbered = numbered.map(|node| columns(decoder, node, "`numbered`"));
    let optional = optional.map(|node| columns(decoder, node, "`optional`"));
    let file = RawFile {
        path: path?,
        delimiter,
        encoding,
        allow_empty: allow_empty.unwrap_or_default(),
        numbered: numbered.unwrap_or_default(),
        optional: optional.unwrap_or_default(),
        number: decoder.files.len(),
        may_lack: false,
        format: None,
    };
    decoder.files.push(file.clone());
    Some(file)
}

pub(super) fn missing(decoder: &mut Decoder<'_>, node: &Node, owner: &str, key: &str, what: &str) {
    let message = format!("{owner} has no `{key}`");
    let diagnostic = Diagnostic::at(Code::MissingKey, node.at, message);
    decoder.note(diagnostic.hint(format!("give it a `{key}`: {what}")));
}

/// One column, or a list of them.
pub(super) fn columns(decoder: &mut Decoder<'_>, node: &Node, what: &str) -> Vec<Spanned<String>> {
    let nodes = match node.value() {
        Value::Seq(nodes) => nodes.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let columns = nodes.iter().filter_map(|node| decoder.text(node, what));
    columns.collect()
}

/// `where`: columns, and the texts their cells may be.
pub(super) fn filters(decoder: &mut Decoder<'_>, node: &Node) -> Vec<RawFilter> {
    let names = decoder.names(node, "`where`");
    once(decoder, &names);
    let filters = names.into_iter().map(|(column, value)| {
        let nodes = match value.value() {
            Value::Seq(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(value),
        };
        let values = nodes.iter().filter_map(|node| cell(decoder, node));
        let values = values.collect();
        RawFilter {
            column,
            values,
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
    let whole =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
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
