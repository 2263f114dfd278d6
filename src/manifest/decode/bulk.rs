//! Decodes `generate`: the file whose rows become rooms, the room template, and the joined rosters.

use super::super::fields::{Decoder, FILE, Fields, Keys};
use super::super::presets::{self, is_same_key};
use super::super::raw::{
    RawEnrol, RawFile, RawFromRow, RawGenerate, RawOn, RawRoom, RawVia, Spanned,
};
use super::super::yaml::{Node, Value};
use super::room;
use super::rows::{self, columns, file, filters};
use crate::tables::diagnostic::{Code, clip};

pub(super) const GENERATE: Keys = Keys {
    of_each: FILE,
    ..Keys::new(
        "an entry of `generate`",
        &[
            "each", "where", "room", "format", "from", "roles", "status", "id",
        ],
    )
};
pub(super) const EACH: Keys = Keys::of_file("`each`", &["roster", "distinct"]);
pub(super) const TEMPLATE_ROOM: Keys = Keys {
    more: &["enrol"],
    ..room::ROOM
};
pub(super) const ENROL: Keys = Keys::of_file(
    "`enrol`",
    &[
        "roster", "on", "via", "moved", "user", "by", "where", "people", "show",
    ],
);
pub(super) const VIA: Keys = Keys::of_file("`via`", &["roster", "on", "where"]);
pub(super) const MOVED: Keys = Keys::of_file("`moved`", &["roster", "on", "to", "where"]);

const MATCHING: &str = "the columns that must match, as in {course_id: course_id}";
const REPLACED: &str = "the columns that are replaced, as in {course_id: xlist_course_id}";

/// Decodes one entry of `generate`. An entry with `format` is first merged with its preset.
pub(super) fn generate(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawGenerate> {
    let fields = decoder.fields(node, GENERATE)?;
    let Some(format) = fields.get("format") else {
        presets::note_without_format(decoder, &fields);
        return complete_entry(decoder, &fields);
    };
    let presets::Filled {
        entry,
        vocabulary,
        users,
    } = presets::fill_preset(decoder, format, &fields)?;
    let fields = decoder.fields(&entry, GENERATE)?;
    let mut raw = complete_entry(decoder, &fields)?;
    let users = users.and_then(|users| rows::directory(decoder, &users));
    if let [enrol] = raw.enrol.as_mut_slice() {
        enrol.roster.preset_users = users.map(Box::new);
    }
    vocabulary.teach(&mut raw, &mut decoder.files);
    Some(raw)
}

fn complete_entry(decoder: &mut Decoder<'_>, fields: &Fields<'_>) -> Option<RawGenerate> {
    let what = "the file with a row for each room";
    fields.require(decoder, "each", what);
    fields.require(decoder, "room", "the template of the room");
    let each = fields.get("each").map(|node| each(decoder, node));
    let filter = filters(decoder, fields);
    let room = fields.get("room");
    let room = room.and_then(|node| template_room(decoder, node));
    let ((each, distinct), (room, from_row, enrol)) = (each??, room?);
    Some(RawGenerate {
        each,
        distinct,
        filter,
        room,
        from_row,
        enrol,
    })
}

/// Decodes `each`: a file name, or a mapping with more options.
fn each(decoder: &mut Decoder<'_>, node: &Node) -> Option<(RawFile, Option<Spanned<String>>)> {
    let mapping;
    let node = match node.word() {
        Some(_) => {
            let roster = Node::from_text(node.at, "roster".to_owned());
            mapping = Node::made(node.at, Value::Map(vec![(roster, node.clone())]));
            &mapping
        }
        None => node,
    };
    let fields = decoder.fields(node, EACH)?;
    let distinct = fields.decode_text(decoder, "distinct");
    Some((file(decoder, &fields)?, distinct))
}

fn template_room(
    decoder: &mut Decoder<'_>,
    node: &Node,
) -> Option<(RawRoom, RawFromRow, Vec<RawEnrol>)> {
    let fields = decoder.fields(node, TEMPLATE_ROOM)?;
    let text = |key: &str| {
        let node = fields.get(key)?;
        let value = node
            .word()
            .filter(|text| text.contains("{{") || text.contains("{%"))?;
        let (value, at) = (value.to_owned(), node.at);
        Some(Spanned { value, at })
    };
    let (kind, public) = (text("type"), text("public"));
    let settings = room::settings(decoder, &fields, |key| text(key).is_some());
    let room = room::from_fields(decoder, &fields, settings);
    let nodes = fields.get("enrol").map(Node::items).unwrap_or_default();
    let enrol = nodes.iter().filter_map(|node| enrol(decoder, node));
    Some((room, RawFromRow { kind, public }, enrol.collect()))
}

fn enrol(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawEnrol> {
    let fields = decoder.fields(node, ENROL)?;
    let on = pairs(decoder, &fields, "on", MATCHING);
    let via = fields.get("via").and_then(|node| {
        let fields = decoder.fields(node, VIA)?;
        between(decoder, &fields, RawOn::new())
    });
    let moved = fields.get("moved").and_then(|node| {
        let fields = decoder.fields(node, MOVED)?;
        let to = pairs(decoder, &fields, "to", REPLACED)?;
        check_replaced(decoder, &to, on.as_deref().unwrap_or_default());
        between(decoder, &fields, to)
    });
    Some(RawEnrol {
        roster: rows::from_fields(decoder, &fields)?,
        on: on?,
        via,
        moved,
    })
}

/// Decodes `via` or `moved`: a file that links the rows of a roster to the rows of rooms.
fn between(decoder: &mut Decoder<'_>, fields: &Fields<'_>, to: RawOn) -> Option<RawVia> {
    let on = pairs(decoder, fields, "on", MATCHING);
    let filter = filters(decoder, fields);
    Some(RawVia {
        file: file(decoder, fields)?,
        on: on?,
        to,
        filter,
    })
}

/// Reports columns in `to` that are not in the roster's `on`: replacing them has no effect.
fn check_replaced(
    decoder: &mut Decoder<'_>,
    to: &[(Spanned<String>, Spanned<String>)],
    on: &[(Spanned<String>, Spanned<String>)],
) {
    for (column, _) in to {
        let is_same = |(other, _): &(Spanned<String>, _)| is_same_key(&other.value, &column.value);
        if !on.iter().any(is_same) {
            let message = format!("`{}` is not in `on` of the roster", clip(&column.value));
            let hint = "name the column that joins the roster to the rooms";
            decoder.note(Code::BadValue, column.at, message, hint);
        }
    }
}

/// Decodes a mapping from column to column. An empty mapping is an error.
fn pairs(decoder: &mut Decoder<'_>, fields: &Fields<'_>, key: &str, what: &str) -> Option<RawOn> {
    fields.require(decoder, key, what);
    let node = fields.get(key)?;
    let names = columns(decoder, node, &format!("`{key}`"));
    if matches!(node.value(), Value::Map(pairs) if pairs.is_empty()) {
        let hint = format!("name {what}");
        let message = format!("`{key}` names no columns");
        decoder.note(Code::BadValue, node.at, message, hint);
    }
    let pairs = names.into_iter().map(|(own, value)| {
        let what = format_args!("a column in `{key}`");
        Some((own, decoder.decode_text(value, what)?))
    });
    let pairs: Option<RawOn> = pairs.collect();
    pairs.filter(|pairs| !pairs.is_empty())
}
