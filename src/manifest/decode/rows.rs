//! Decodes references to files with rows: rosters and directories of people.

use std::fmt::Display;

use super::super::fields::{Decoder, Fields, Keys, written};
use super::super::raw::{By, FileUse, Names, RawDirectory, RawFile, RawFilter, RawRoster, Spanned};
use super::super::scalar::{Reading, reading};
use super::super::yaml::{Node, Value};
use crate::model::Date;
use crate::tables::column::optional;
use crate::tables::condition::Condition;
use crate::tables::diagnostic::Code;
use crate::tables::header::is_same_key;
use crate::tables::input::SheetName;
use crate::tables::number::is_digits;
use crate::tables::row::DATE_HINT;

pub(super) const ROSTER: Keys = Keys::of_file("a roster", "roster user by where people show");
pub(super) const DIRECTORY: Keys =
    Keys::of_file("a directory of people", "roster name id where show");
const SPLIT: Keys = Keys::new("`user`", "column split");
const FIRST: Keys = Keys::new("`user`", "first");
const EXPAND: Keys = Keys::new("`expand`", "column split");
const CONDITION: Keys = Keys::new(
    "a condition in `where`",
    "not has split present before after",
);
pub(super) const WAYS: [(&str, By); 2] = [("id", By::Id), ("name", By::Name)];
pub(super) const DELIMITERS: [(&str, u8); 5] = [
    (",", b','),
    (";", b';'),
    ("|", b'|'),
    ("tab", b'\t'),
    ("\t", b'\t'),
];

/// Whether `people` describes a file: it has a key `roster`, and the value of that key is not
/// an id. With an id as its value, `roster` is the name of a person.
pub(super) fn is_directory(node: &Node) -> bool {
    node.get("roster").is_some_and(|roster| {
        let word = roster.word();
        word.is_none_or(|word| word.bytes().any(|byte| !byte.is_ascii_digit()))
    })
}

/// Decodes a roster. `part` names the part of the entry that describes the roster.
pub(super) fn roster(fields: &Fields, part: &'static str) -> Option<RawRoster> {
    let people = fields.get("people");
    let people = optional(people, |node| directory(fields.decoder, node));
    let (user, takes_first, split) = users(fields);
    let by = fields.choice("by", &WAYS);
    Some(RawRoster {
        file: file(fields, part, filters(fields))?,
        user,
        takes_first,
        split,
        by,
        people: people?.map(Box::new),
        preset_users: None,
    })
}

/// Decodes `user`. Returns the columns with users, whether only the first non-empty cell of a
/// row is used, and the separator between the users in a cell.
fn users(fields: &Fields) -> (Vec<Spanned<String>>, bool, Option<String>) {
    let node = fields.get("user");
    let Some(node) = node.filter(|node| matches!(node.value(), Value::Map(_))) else {
        return (fields.texts("user"), false, None);
    };
    if node.get("first").is_some() {
        let fields = fields.decoder.fields(node, FIRST);
        let columns = fields.map(|fields| fields.texts("first"));
        return (columns.unwrap_or_default(), true, None);
    }
    let (columns, split) = column_with_list(fields.decoder, node, SPLIT);
    (columns, false, split)
}

/// Decodes columns whose cells have several values, and the separator between the values.
fn column_with_list(
    decoder: &Decoder,
    node: &Node,
    keys: Keys,
) -> (Vec<Spanned<String>>, Option<String>) {
    let Some(fields) = decoder.fields(node, keys) else {
        return (Vec::new(), None);
    };
    fields.require("column", "the column with several values in a cell");
    let split = separator(&fields);
    (fields.texts("column"), split)
}

/// Decodes `expand`: a column and the separator between the values in its cells. Each value becomes
/// a row.
fn expand(fields: &Fields) -> Option<(Spanned<String>, String)> {
    let node = fields.get("expand")?;
    let (columns, split) = column_with_list(fields.decoder, node, EXPAND);
    if columns.len() > 1 || fields.get("numbered").is_some() {
        let message = "`expand` takes one column, and cannot be combined with `numbered`";
        let hint = "name one column in `expand`, or remove `expand` or `numbered`";
        fields
            .decoder
            .refuse::<()>(Code::BadValue, node.at, message, hint);
    }
    columns.into_iter().next().zip(split)
}

pub(super) fn directory(decoder: &Decoder, node: &Node) -> Option<RawDirectory> {
    let fields = decoder.fields(node, DIRECTORY)?;
    let has_name = fields.require("name", "a column");
    let name = fields.texts("name");
    let id = fields.required_text("id", "a column");
    let file = file(&fields, "people", filters(&fields))?;
    has_name?;
    Some(RawDirectory {
        file,
        name,
        id: id?,
    })
}

/// Decodes a file with rows, and adds it to the files to open.
pub(super) fn file(
    fields: &Fields,
    part: &'static str,
    filters: Vec<RawFilter>,
) -> Option<FileUse> {
    let decoder = fields.decoder;
    let path = fields.required_text("roster", "the path of a file");
    let [from, until] = ["from", "until"].map(|key| date_column(fields, key));
    if let Some(node) = fields.get("days").filter(|_| fields.get("from").is_none()) {
        let hint = "add `from`: the column with the first day";
        let message = "`days` needs `from`, the day from which it counts";
        decoder.refuse::<()>(Code::MissingKey, node.at, message, hint);
    }
    let number = decoder.files.borrow().len();
    let file = RawFile {
        part,
        delimiter: fields.choice("delimiter", &DELIMITERS),
        encoding: fields.text("encoding"),
        sheet: fields.get("sheet").and_then(|node| sheet(decoder, node)),
        allow_empty: fields.boolean("allow_empty").unwrap_or_default(),
        numbered: fields.texts("numbered"),
        expand: expand(fields),
        optional: fields.texts("optional"),
        from,
        until,
        days: fields.text("days"),
        show: fields.texts("show"),
        filters,
        number,
        may_lack: false,
        format: None,
        path: path?,
    };
    let file_use = file.file_use();
    decoder.files.borrow_mut().push(file);
    Some(file_use)
}

/// Decodes a sheet: a number is its position in the workbook, and a text is its name.
fn sheet(decoder: &Decoder, node: &Node) -> Option<Spanned<SheetName>> {
    let value = match Decoder::plain_id(node) {
        Some(number) => SheetName::Number(number),
        None if matches!(node.value(), Value::Scalar { text, plain: true } if text == "0") => {
            let hint = "write 1 for the first sheet, or a name in quotes";
            let message = "sheets are numbered from 1";
            return decoder.refuse(Code::BadValue, node.at, message, hint);
        }
        None => SheetName::Name(decoder.text(node, "`sheet`")?.value),
    };
    Some(Spanned::new(value, node.at))
}

/// Decodes `from` or `until`: the column with the first or the last day on which a row applies.
fn date_column(fields: &Fields, key: &str) -> Option<Spanned<String>> {
    let node = fields.get(key)?;
    if node.word().and_then(Date::parse).is_none() {
        return fields.text(key);
    }
    let message = format!("`{key}` must be the name of a column with dates, but it is a date");
    let hint = "write the name of the column; for one user with dates, write {user: tutor, until: 2026-09-01}";
    fields
        .decoder
        .refuse(Code::BadValue, node.at, message, hint)
}

/// Decodes `where`: columns and the conditions on their cells.
pub(super) fn filters(fields: &Fields) -> Vec<RawFilter> {
    let Some(node) = fields.get("where") else {
        return Vec::new();
    };
    let (decoder, mut filters) = (fields.decoder, Vec::new());
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
fn operators(decoder: &Decoder, node: &Node) -> Vec<Condition> {
    let mut conditions = Vec::new();
    let Some(fields) = decoder.fields(node, CONDITION) else {
        return conditions;
    };
    if fields.get("has").or(fields.get("split")).is_some() {
        let has = fields.require("has", "the value that the cell must contain");
        let has = has.map(|node| cells(decoder, node)).zip(separator(&fields));
        conditions.extend(has.map(|(has, split)| Condition::Has(has, split)));
    }
    if let Some(node) = fields.get("not") {
        conditions.push(Condition::Not(cells(decoder, node)));
    }
    conditions.extend(fields.boolean("present").map(Condition::Present));
    let bound = |key| {
        let node = fields.get(key)?;
        match node.word() {
            Some("today") => Some(decoder.today),
            _ => date(decoder, node, format_args!("`{key}`")),
        }
    };
    conditions.extend(bound("before").map(Condition::Before));
    conditions.extend(bound("after").map(Condition::After));
    if matches!(node.value(), Value::Map(pairs) if pairs.is_empty()) {
        let wanted = "text, a list or an operator";
        decoder.wrong_type::<()>(node, CONDITION.owner, wanted);
    }
    conditions
}

/// Decodes `split`: the separator between the values in a cell.
fn separator(fields: &Fields) -> Option<String> {
    let split = fields.required_text("split", "the text between the values of a cell")?;
    if split.value.is_empty() {
        let hint = "write the text between the values, such as \"|\"";
        let decoder = fields.decoder;
        return decoder.refuse(Code::BadValue, split.at, "`split` is empty", hint);
    }
    Some(split.value)
}

/// Decodes a date, quoted or not.
pub(super) fn date(decoder: &Decoder, node: &Node, what: impl Display) -> Option<Date> {
    let Value::Scalar { text, plain } = node.value() else {
        return decoder.wrong_type(node, what, "a date");
    };
    Date::parse(text).or_else(|| {
        let message = format!("{what} must be a date, not {}", written(text, *plain));
        decoder.refuse(Code::BadValue, node.at, message, DATE_HINT)
    })
}

fn cells(decoder: &Decoder, node: &Node) -> Vec<String> {
    let nodes = node.items().iter();
    nodes.filter_map(|node| cell(decoder, node)).collect()
}

/// Decodes a mapping whose keys are columns. Reports duplicate columns, including names that differ
/// only in case.
pub(super) fn columns<'n>(
    decoder: &Decoder,
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

/// Decodes a cell value in `where`. An unquoted number or bool must be spelled as it would be
/// in a cell of a file, such as `7` or `true`.
fn cell(decoder: &Decoder, node: &Node) -> Option<String> {
    let what = "a cell in `where`";
    let Value::Scalar { text, plain } = node.value() else {
        return decoder.wrong_type(node, what, "text");
    };
    let itself = match reading(text) {
        Reading::Text => true,
        Reading::Number => is_digits(text) && (text == "0" || !text.starts_with('0')),
        Reading::Bool => matches!(&**text, "true" | "false"),
        Reading::Null | Reading::Date => false,
    };
    if *plain && !itself {
        return decoder.needs_quotes(node.at, what, text, format!("quote it: \"{text}\""));
    }
    Some(text.trim().to_owned())
}
