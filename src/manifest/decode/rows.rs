//! Files with rows as written: rosters, directories of people, and the template of rooms in bulk.

use super::super::fields::{Decoder, Fields, Keys};
use super::super::presets;
use super::super::raw::{
    By, Names, RawDirectory, RawEnrol, RawFile, RawFilter, RawGenerate, RawOn, RawRoom, RawRoster,
    RawVia, Spanned,
};
use super::super::scalar::{Reading, reading};
use super::super::yaml::{Node, Value};
use super::room;
use crate::tables::diagnostic::Code;
use crate::tables::number::is_digits;

/// How a file with rows is read.
const FILE: &[&str] = &[
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
pub(super) const GENERATE: Keys = Keys::new(
    "an entry of `generate`",
    &[
        "each", "where", "room", "format", "from", "roles", "status", "id",
    ],
);
const EACH: Keys = Keys {
    owner: "`each`",
    own: &["roster", "distinct"],
    more: FILE,
};
pub(super) const TEMPLATE_ROOM: Keys = Keys {
    owner: room::ROOM.owner,
    own: room::ROOM.own,
    more: &["enrol"],
};
pub(super) const ENROL: Keys = Keys {
    owner: "`enrol`",
    own: &["roster", "on", "via", "user", "by", "where", "people"],
    more: FILE,
};
pub(super) const VIA: Keys = Keys {
    owner: "`via`",
    own: &["roster", "on", "where"],
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

/// Whether `people` is a file of them. A person may be called `roster`, and then has an id.
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

/// A roster among members.
pub(super) fn roster(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawRoster> {
    let fields = decoder.fields(node, ROSTER)?;
    roster_from_fields(decoder, &fields)
}

fn roster_from_fields(decoder: &mut Decoder<'_>, fields: &Fields<'_>) -> Option<RawRoster> {
    let people = fields.get("people");
    let people = people.and_then(|node| directory(decoder, node));
    let (user, filter) = (fields.texts(decoder, "user"), filters(decoder, fields));
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
    fields.require(decoder, fields.owner, "name", "a column");
    fields.require(decoder, fields.owner, "id", "a column");
    let (name, id) = (fields.texts(decoder, "name"), fields.text(decoder, "id"));
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
fn file(decoder: &mut Decoder<'_>, fields: &Fields<'_>) -> Option<RawFile> {
    fields.require(decoder, fields.owner, "roster", "the path of a file");
    let path = fields.text(decoder, "roster");
    let delimiter = fields.choice(decoder, "delimiter", &DELIMITERS);
    let encoding = fields.text(decoder, "encoding");
    let allow_empty = fields.boolean(decoder, "allow_empty");
    let (numbered, optional) = (
        fields.texts(decoder, "numbered"),
        fields.texts(decoder, "optional"),
    );
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

/// `where`: columns, and the texts their cells may be.
fn filters(decoder: &mut Decoder<'_>, fields: &Fields<'_>) -> Vec<RawFilter> {
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

/// A mapping from columns. Columns that are named more than once, in whatever case, are noted.
fn columns<'n>(decoder: &mut Decoder<'_>, node: &'n Node<'n>, what: &str) -> Names<&'n Node<'n>> {
    let columns = decoder.names(node, what);
    for (index, (name, _)) in columns.iter().enumerate() {
        let mut before = columns.iter().take(index);
        if let Some((first, _)) =
            before.find(|(other, _)| presets::is_same_key(&other.value, &name.value))
        {
            decoder.duplicate_key(&name.value, name.at, first.at);
        }
    }
    columns
}

/// A text that a cell may be. An unquoted word that a file would have too needs no quotes.
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

/// One entry of `generate`: complete, or merged into a preset.
pub(super) fn generate(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawGenerate> {
    let fields = decoder.fields(node, GENERATE)?;
    let own = presets::OWN_KEYS.map(|key| fields.get(key));
    let Some(format) = fields.get("format") else {
        for (key, node) in presets::OWN_KEYS.into_iter().zip(own) {
            if let Some(node) = node {
                decoder.problems.push(presets::without_format(key, node));
            }
        }
        return complete_entry(decoder, &fields);
    };
    let over = ["each", "where", "room"].map(|key| (key, fields.get(key)));
    let presets::Filled {
        entry,
        vocabulary,
        users,
    } = presets::filled(decoder, format, own, over)?;
    let fields = decoder.fields(&entry, GENERATE)?;
    let mut raw = complete_entry(decoder, &fields)?;
    let users = users.and_then(|users| directory(decoder, &users));
    if let [enrol] = raw.enrol.as_mut_slice() {
        enrol.roster.preset_users = users.map(Box::new);
    }
    vocabulary.teach(&mut raw, &mut decoder.files);
    Some(raw)
}

fn complete_entry(decoder: &mut Decoder<'_>, fields: &Fields<'_>) -> Option<RawGenerate> {
    let what = "the file with a row for each room";
    fields.require(decoder, fields.owner, "each", what);
    fields.require(decoder, fields.owner, "room", "what a room is made of");
    let each = fields.get("each").map(|node| each(decoder, node));
    let filter = filters(decoder, fields);
    let room = fields.get("room");
    let room = room.and_then(|node| template_room(decoder, node));
    let ((each, distinct), (room, enrol)) = (each??, room?);
    Some(RawGenerate {
        each,
        distinct,
        filter,
        room,
        enrol,
    })
}

/// A file's name, or a mapping that says more.
fn each(decoder: &mut Decoder<'_>, node: &Node) -> Option<(RawFile, Option<Spanned<String>>)> {
    let mapping;
    let node = match node.word() {
        Some(_) => {
            let roster = Node::text(node.at, "roster".to_owned());
            mapping = Node::made(node.at, Value::Map(vec![(roster, node.clone())]));
            &mapping
        }
        None => node,
    };
    let fields = decoder.fields(node, EACH)?;
    let distinct = fields.text(decoder, "distinct");
    Some((file(decoder, &fields)?, distinct))
}

fn template_room(decoder: &mut Decoder<'_>, node: &Node) -> Option<(RawRoom, Vec<RawEnrol>)> {
    let fields = decoder.fields(node, TEMPLATE_ROOM)?;
    let room = room::from_fields(decoder, &fields);
    let nodes = fields.get("enrol").map(Node::items).unwrap_or_default();
    let enrol = nodes.iter().filter_map(|node| enrol(decoder, node));
    Some((room, enrol.collect()))
}

fn enrol(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawEnrol> {
    let fields = decoder.fields(node, ENROL)?;
    let on = on(decoder, &fields);
    let via = fields.get("via").and_then(|node| via(decoder, node));
    Some(RawEnrol {
        roster: roster_from_fields(decoder, &fields)?,
        on: on?,
        via,
    })
}

fn via(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawVia> {
    let fields = decoder.fields(node, VIA)?;
    let (on, filter) = (on(decoder, &fields), filters(decoder, &fields));
    Some(RawVia {
        file: file(decoder, &fields)?,
        on: on?,
        filter,
    })
}

/// The columns that have to be equal; one pair at least.
fn on(decoder: &mut Decoder<'_>, fields: &Fields<'_>) -> Option<RawOn> {
    let what = "the columns that are equal, as in {course_id: course_id}";
    fields.require(decoder, fields.owner, "on", what);
    let node = fields.get("on")?;
    let names = columns(decoder, node, "`on`");
    if matches!(node.value(), Value::Map(pairs) if pairs.is_empty()) {
        let hint = "name the columns that are equal, as in {course_id: course_id}";
        decoder.note(Code::BadValue, node.at, "`on` joins nothing", hint);
    }
    let pairs = names
        .into_iter()
        .map(|(own, value)| Some((own, decoder.text(value, "a column in `on`")?)));
    let pairs: Option<RawOn> = pairs.collect();
    pairs.filter(|pairs| !pairs.is_empty())
}
