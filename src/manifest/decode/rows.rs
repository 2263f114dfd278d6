//! Decodes references to files with rows: rosters and directories of people.

use std::fmt::Display;

use super::super::fields::{Decoder, Fields, Keys, written};
use super::super::presets::is_same_key;
use super::super::raw::{By, Names, RawDirectory, RawFile, RawFilter, RawRoster, Spanned};
use super::super::scalar::{Reading, reading};
use super::super::yaml::{Node, Value};
use crate::model::Date;
use crate::tables::condition::Condition;
use crate::tables::diagnostic::Code;
use crate::tables::input::SheetName;
use crate::tables::number::is_digits;

pub(super) const ROSTER: Keys = Keys::of_file(
    "a roster",
    &["roster", "user", "by", "where", "people", "show"],
);
pub(super) const DIRECTORY: Keys = Keys::of_file(
    "a directory of people",
    &["roster", "name", "id", "where", "show"],
);
const SPLIT: Keys = Keys::new("`user`", &["column", "split"]);
const FIRST: Keys = Keys::new("`user`", &["first"]);
const EXPAND: Keys = Keys::new("`expand`", &["column", "split"]);
const CONDITION: Keys = Keys::new(
    "a condition in `where`",
    &["not", "has", "split", "present", "before", "after"],
);
pub(super) const WAYS: [(&str, By); 2] = [("id", By::Id), ("name", By::Name)];
pub(super) const DELIMITERS: [(&str, u8); 5] = [
    (",", b','),
    (";", b';'),
    ("|", b'|'),
    ("tab", b'\t'),
    ("\t", b'\t'),
];

/// Whether `people` describes a file. A key `roster` with an id is a person of that name.
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
    let node = fields.get("people");
    let people = node.and_then(|node| directory(decoder, node));
    let has_people = node.is_none() || people.is_some();
    let (user, takes_first, split) = users(decoder, fields);
    let filter = filters(decoder, fields);
    let by = fields.choice(decoder, "by", &WAYS);
    Some(RawRoster {
        file: file(decoder, fields).filter(|_| has_people)?,
        user,
        takes_first,
        split,
        by,
        filter,
        people: people.map(Box::new),
        preset_users: None,
    })
}

/// Decodes `user`. Returns the columns with users, whether only the first column that is not empty
/// counts, and the separator between the users in a cell.
fn users(
    decoder: &mut Decoder<'_>,
    fields: &Fields<'_>,
) -> (Vec<Spanned<String>>, bool, Option<String>) {
    let node = fields.get("user");
    let Some((node, Value::Map(pairs))) = node.map(|node| (node, node.value())) else {
        return (fields.decode_texts(decoder, "user"), false, None);
    };
    if pairs.iter().any(|(key, _)| key.word() == Some("first")) {
        let fields = decoder.fields(node, FIRST);
        let columns = fields.map(|fields| fields.decode_texts(decoder, "first"));
        return (columns.unwrap_or_default(), true, None);
    }
    let (columns, split) = column_with_list(decoder, node, SPLIT);
    (columns, false, split)
}

/// Decodes columns whose cells have several values, and the separator between the values.
fn column_with_list(
    decoder: &mut Decoder<'_>,
    node: &Node,
    keys: Keys,
) -> (Vec<Spanned<String>>, Option<String>) {
    let Some(fields) = decoder.fields(node, keys) else {
        return (Vec::new(), None);
    };
    fields.require(
        decoder,
        "column",
        "the column with several values in a cell",
    );
    fields.require(decoder, "split", "the text between the values of a cell");
    let split = fields.get("split");
    let split = split.and_then(|node| delimiter_of_list(decoder, node));
    (fields.decode_texts(decoder, "column"), split)
}

/// Decodes `expand`: a column and the separator between the values in its cells. Each value becomes
/// a row.
fn expand(decoder: &mut Decoder<'_>, fields: &Fields<'_>) -> Option<(Spanned<String>, String)> {
    let node = fields.get("expand")?;
    let (columns, split) = column_with_list(decoder, node, EXPAND);
    if columns.len() > 1 || fields.get("numbered").is_some() {
        let message = "`expand` takes one column, and cannot be combined with `numbered`";
        let hint = "name one column in `expand`, or remove `expand` or `numbered`";
        decoder.note(Code::BadValue, node.at, message, hint);
    }
    columns.into_iter().next().zip(split)
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

/// Decodes a file with rows, and adds it to the files to open.
pub(super) fn file(decoder: &mut Decoder<'_>, fields: &Fields<'_>) -> Option<RawFile> {
    fields.require(decoder, "roster", "the path of a file");
    let path = fields.decode_text(decoder, "roster");
    let delimiter = fields.choice(decoder, "delimiter", &DELIMITERS);
    let encoding = fields.decode_text(decoder, "encoding");
    let sheet = fields.get("sheet").and_then(|node| sheet(decoder, node));
    let allow_empty = fields.boolean(decoder, "allow_empty");
    let numbered = fields.decode_texts(decoder, "numbered");
    let expand = expand(decoder, fields);
    let optional = fields.decode_texts(decoder, "optional");
    let [from, until] = ["from", "until"].map(|key| date_column(decoder, fields, key));
    let days = fields.decode_text(decoder, "days");
    if let Some(node) = fields.get("days").filter(|_| fields.get("from").is_none()) {
        let hint = "add `from`: the column with the first day";
        let message = "`days` counts from the day in `from`";
        decoder.note(Code::MissingKey, node.at, message, hint);
    }
    let show = fields.decode_texts(decoder, "show");
    let file = RawFile {
        path: path?,
        delimiter,
        encoding,
        sheet,
        allow_empty: allow_empty.unwrap_or_default(),
        numbered,
        expand,
        optional,
        from,
        until,
        days,
        show,
        number: decoder.files.len(),
        may_lack: false,
        format: None,
    };
    decoder.files.push(file.clone());
    Some(file)
}

/// Decodes a sheet: a number is its position in the workbook, and a text is its name.
fn sheet(decoder: &mut Decoder<'_>, node: &Node) -> Option<Spanned<SheetName>> {
    let value = match Decoder::plain_id(node) {
        Some(number) => SheetName::Number(number),
        None if matches!(node.value(), Value::Scalar { text, plain: true } if text == "0") => {
            let message = "sheets are numbered from 1";
            let hint = "write 1 for the first sheet, or a name in quotes";
            decoder.note(Code::BadValue, node.at, message, hint);
            return None;
        }
        None => SheetName::Name(decoder.decode_text(node, "`sheet`")?.value),
    };
    Some(Spanned { value, at: node.at })
}

/// Decodes `from` or `until`: the column with the first or the last day on which a row applies.
fn date_column(
    decoder: &mut Decoder<'_>,
    fields: &Fields<'_>,
    key: &str,
) -> Option<Spanned<String>> {
    let node = fields.get(key)?;
    if node.word().and_then(Date::parse).is_none() {
        return fields.decode_text(decoder, key);
    }
    let message = format!("`{key}` names a column with dates, not a day");
    let hint = "write the name of the column; for one user with dates, write {user: tutor, until: 2026-09-01}";
    decoder.note(Code::BadValue, node.at, message, hint);
    None
}

/// Decodes `where`: columns and the conditions on their cells.
pub(super) fn filters(decoder: &mut Decoder<'_>, fields: &Fields<'_>) -> Vec<RawFilter> {
    let Some(node) = fields.get("where") else {
        return Vec::new();
    };
    let mut filters = Vec::new();
    for (column, node) in columns(decoder, node, "`where`") {
        let conditions = match node.value() {
            Value::Map(_) => operators(decoder, node),
            _ => vec![Condition::OneOf(cells(decoder, node))],
        };
        filters.extend(conditions.into_iter().map(|condition| RawFilter {
            column: column.clone(),
            condition,
            known: None,
            any_case: false,
        }));
    }
    filters
}

/// Decodes the operators of one condition. A cell must meet all of them.
fn operators(decoder: &mut Decoder<'_>, node: &Node) -> Vec<Condition> {
    let mut conditions = Vec::new();
    let Some(fields) = decoder.fields(node, CONDITION) else {
        return conditions;
    };
    let (has, split) = (fields.get("has"), fields.get("split"));
    if has.is_some() || split.is_some() {
        fields.require(decoder, "has", "the value that the cell must contain");
        fields.require(decoder, "split", "the text between the values of a cell");
        let split = split.and_then(|node| delimiter_of_list(decoder, node));
        let has = has.map(|node| cells(decoder, node));
        conditions.extend(
            has.zip(split)
                .map(|(has, split)| Condition::Has(has, split)),
        );
    }
    if let Some(node) = fields.get("not") {
        conditions.push(Condition::Not(cells(decoder, node)));
    }
    let present = fields.boolean(decoder, "present");
    conditions.extend(present.map(Condition::Present));
    let mut bound = |key| {
        let node = fields.get(key)?;
        match node.word() {
            Some("today") => Some(decoder.today),
            _ => date(decoder, node, format_args!("`{key}`")),
        }
    };
    conditions.extend(bound("before").map(Condition::Before));
    conditions.extend(bound("after").map(Condition::After));
    if matches!(node.value(), Value::Map(pairs) if pairs.is_empty()) {
        decoder.wrong_type(
            node,
            "a condition in `where`",
            "text, a list or an operator",
        );
    }
    conditions
}

/// Decodes `split`: the separator between the values in a cell.
fn delimiter_of_list(decoder: &mut Decoder<'_>, node: &Node) -> Option<String> {
    let split = decoder.decode_text(node, "`split`")?.value;
    if split.is_empty() {
        let hint = "write the text between the values, such as \"|\"";
        decoder.note(Code::BadValue, node.at, "`split` is empty", hint);
        return None;
    }
    Some(split)
}

/// Decodes a date, quoted or not.
pub(super) fn date(decoder: &mut Decoder<'_>, node: &Node, what: impl Display) -> Option<Date> {
    let Value::Scalar { text, plain } = node.value() else {
        decoder.wrong_type(node, what, "a date");
        return None;
    };
    let date = Date::parse(text);
    if date.is_none() {
        let message = format!("{what} must be a date, not {}", written(text, *plain));
        let hint = "write it in the form 2026-09-01";
        decoder.note(Code::BadValue, node.at, message, hint);
    }
    date
}

fn cells(decoder: &mut Decoder<'_>, node: &Node) -> Vec<String> {
    let nodes = node.items().iter();
    nodes.filter_map(|node| cell(decoder, node)).collect()
}

/// Decodes a mapping whose keys are columns. Reports duplicate columns, including names that differ
/// only in case.
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

/// Decodes a cell value in `where`. An unquoted number or bool is allowed only in the form that a
/// file would have, such as `7` or `true`.
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
