//! Decodes `generate`: the file whose rows become rooms, the room template, and the joined rosters.

use super::super::fields::{Decoder, FILE, Fields, Keys};
use super::super::presets;
use super::super::raw::{FileUse, RawEnrol, RawFilter, RawGenerate, RawOn, RawVia, Spanned};
use super::super::yaml::{Node, Value};
use super::room;
use super::rows::{columns, directory, file, filters, roster};
use crate::tables::diagnostic::{Code, clip};
use crate::tables::header::is_same_key;

pub(super) const GENERATE: Keys = Keys {
    of_each: FILE,
    ..Keys::new(
        "an entry of `generate`",
        "each where room format from roles status id",
    )
};
pub(super) const EACH: Keys = Keys::of_file("`each`", "roster distinct");
pub(super) const TEMPLATE_ROOM: Keys = Keys {
    more: "enrol",
    ..room::ROOM
};
pub(super) const ENROL: Keys =
    Keys::of_file("`enrol`", "roster on via moved user by where people show");
pub(super) const VIA: Keys = Keys::of_file("`via`", "roster on where");
pub(super) const MOVED: Keys = Keys::of_file("`moved`", "roster on to where");

const MATCHING: &str = "the columns that must match, as in {course_id: course_id}";
const REPLACED: &str = "the columns that are replaced, as in {course_id: xlist_course_id}";

/// Decodes one entry of `generate`. An entry with `format` is first merged with its preset.
pub(super) fn generate(decoder: &Decoder, node: &Node) -> Option<RawGenerate> {
    let fields = decoder.fields(node, GENERATE)?;
    let Some(format) = fields.get("format") else {
        presets::note_without_format(&fields);
        return complete_entry(&fields);
    };
    let filled = presets::fill_preset(format, &fields)?;
    let first = decoder.files.borrow().len();
    let mut raw = complete_entry(&decoder.fields(&filled.entry, GENERATE)?)?;
    let users = filled.users.and_then(|users| directory(decoder, &users));
    let mut files = decoder.files.borrow_mut();
    let files = files.iter_mut().skip(first);
    files.for_each(|file| filled.vocabulary.teach(file, users.as_ref()));
    if let [enrol] = raw.enrol.as_mut_slice() {
        enrol.roster.preset_users = users.map(Box::new);
    }
    Some(raw)
}

fn complete_entry(fields: &Fields) -> Option<RawGenerate> {
    let decoder = fields.decoder;
    let filters = filters(fields);
    let each = fields.require("each", "the file with a row for each room");
    let each = each.map(|node| self::each(decoder, node, filters));
    let template = fields.require("room", "the template of the room");
    let template = template.and_then(|node| decoder.fields(node, TEMPLATE_ROOM));
    let template = template?;
    let text = |key: &str| {
        let node = template.get(key)?;
        let value = node.word()?;
        let is_template = value.contains("{{") || value.contains("{%");
        is_template.then(|| Spanned::new(value.to_owned(), node.at))
    };
    let settings = room::settings(&template, |key| text(key).is_some());
    let room = room::from_fields(&template, settings);
    let joined = template.get("enrol").map(Node::items).unwrap_or_default();
    let enrol = joined.iter().filter_map(|node| enrol(decoder, node));
    let (enrol, (each, distinct)) = (enrol.collect(), each??);
    Some(RawGenerate {
        each,
        distinct,
        room,
        from_row: ["type", "public"].map(text),
        enrol,
    })
}

/// Decodes `each`: a file name, or a mapping with more options. `filters` are the conditions
/// for its rows, which are written in the entry and not in `each`.
fn each(
    decoder: &Decoder,
    node: &Node,
    filters: Vec<RawFilter>,
) -> Option<(FileUse, Option<Spanned<String>>)> {
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
    let distinct = fields.text("distinct");
    Some((file(&fields, "each", filters)?, distinct))
}

fn enrol(decoder: &Decoder, node: &Node) -> Option<RawEnrol> {
    let fields = decoder.fields(node, ENROL)?;
    let on = pairs(&fields, "on", MATCHING);
    let via = fields.get("via").and_then(|node| {
        let fields = decoder.fields(node, VIA)?;
        between(&fields, "via", RawOn::new())
    });
    let moved = fields.get("moved").and_then(|node| {
        let fields = decoder.fields(node, MOVED)?;
        let to = pairs(&fields, "to", REPLACED)?;
        check_replaced(decoder, &to, on.as_deref().unwrap_or_default());
        between(&fields, "moved", to)
    });
    Some(RawEnrol {
        roster: roster(&fields, "enrol")?,
        on: on?,
        via,
        moved,
    })
}

/// Decodes `via` or `moved`: a file that links the rows of a roster to the rows of rooms.
fn between(fields: &Fields, part: &'static str, to: RawOn) -> Option<RawVia> {
    let on = pairs(fields, "on", MATCHING);
    let file = file(fields, part, filters(fields))?;
    Some(RawVia { file, on: on?, to })
}

/// Reports columns in `to` that are not in the roster's `on`: replacing them has no effect.
fn check_replaced(
    decoder: &Decoder,
    to: &[(Spanned<String>, Spanned<String>)],
    on: &[(Spanned<String>, Spanned<String>)],
) {
    for (column, _) in to {
        let is_same = |(other, _): &(Spanned<String>, _)| is_same_key(&other.value, &column.value);
        if !on.iter().any(is_same) {
            let message = format!(
                "`to` has the column `{}`, which is not in `on` of the roster",
                clip(&column.value)
            );
            let hint = "remove it from `to`, or add it to `on` of the roster";
            decoder.refuse::<()>(Code::BadValue, column.at, message, hint);
        }
    }
}

/// Decodes a mapping from column to column. An empty mapping is an error.
fn pairs(fields: &Fields, key: &str, what: &str) -> Option<RawOn> {
    let (decoder, node) = (fields.decoder, fields.require(key, what)?);
    let names = columns(decoder, node, &format!("`{key}`"));
    if matches!(node.value(), Value::Map(pairs) if pairs.is_empty()) {
        let (message, hint) = (format!("`{key}` names no columns"), format!("name {what}"));
        return decoder.refuse(Code::BadValue, node.at, message, hint);
    }
    let pairs = names.into_iter().map(|(own, value)| {
        let what = format_args!("a column in `{key}`");
        Some((own, decoder.text(value, what)?))
    });
    let pairs: Option<RawOn> = pairs.collect();
    pairs.filter(|pairs| !pairs.is_empty())
}
