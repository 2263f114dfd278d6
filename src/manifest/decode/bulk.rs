//! Rooms in bulk as written: the file with their rows, the template of a room, and the rosters joined to it.

use super::super::fields::{Decoder, Keys};
use super::super::presets;
use super::super::raw::{RawEnrol, RawFile, RawGenerate, RawOn, RawVia, Spanned};
use super::super::yaml::{Node, Value};
use super::room;
use super::roster::{self, filters, missing, once};
use crate::tables::diagnostic::{Code, Diagnostic};

pub(in super::super) const GENERATE: Keys<8> = Keys {
    owner: "an entry of `generate`",
    known: [
        "each", "where", "room", "format", "from", "roles", "status", "id",
    ],
};
const EACH: Keys<7> = Keys {
    owner: "`each`",
    known: [
        "roster",
        "delimiter",
        "encoding",
        "allow_empty",
        "numbered",
        "optional",
        "distinct",
    ],
};
pub(in super::super) const TEMPLATE_ROOM: Keys<10> = Keys {
    owner: "a room",
    known: [
        "pipe",
        "title",
        "type",
        "public",
        "members",
        "exclude",
        "members_policy",
        "ignore",
        "welcome",
        "enrol",
    ],
};
pub(in super::super) const ENROL: Keys<12> = Keys {
    owner: "`enrol`",
    known: [
        "roster",
        "on",
        "via",
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
pub(in super::super) const VIA: Keys<8> = Keys {
    owner: "`via`",
    known: [
        "roster",
        "on",
        "where",
        "delimiter",
        "encoding",
        "allow_empty",
        "numbered",
        "optional",
    ],
};

/// One entry of `generate`: written out, or what a preset makes of it.
pub(super) fn generate(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawGenerate> {
    let [each, filter, room, format, own @ ..] = decoder.fields(node, &GENERATE)?;
    let Some(format) = format else {
        for (key, node) in presets::OWN_KEYS.into_iter().zip(own) {
            if let Some(node) = node {
                decoder.note(presets::without_format(key, node));
            }
        }
        return written_out(decoder, node, [each, filter, room]);
    };
    let over = [("each", each), ("where", filter), ("room", room)];
    let filled = presets::filled(decoder, format, own, over)?;
    let presets::Filled {
        entry,
        vocabulary,
        users,
    } = filled;
    let [each, filter, room, ..] = decoder.fields(&entry, &GENERATE)?;
    let mut raw = written_out(decoder, node, [each, filter, room])?;
    let users = users.and_then(|users| roster::directory(decoder, &users));
    if let [enrol] = raw.enrol.as_mut_slice() {
        enrol.roster.preset_users = users.map(Box::new);
    }
    vocabulary.teach(&mut raw, &mut decoder.files);
    Some(raw)
}

fn written_out(
    decoder: &mut Decoder<'_>,
    node: &Node,
    [each, filter, room]: [Option<&Node>; 3],
) -> Option<RawGenerate> {
    for (key, value, what) in [
        ("each", each, "the file with a row for each room"),
        ("room", room, "what a room is made of"),
    ] {
        if value.is_none() && !decoder.meant.contains(&key) {
            missing(decoder, node, GENERATE.owner, key, what);
        }
    }
    let each = each.map(|node| self::each(decoder, node));
    let filter = filter.map(|node| filters(decoder, node));
    let room = room.and_then(|node| template_room(decoder, node));
    let ((each, distinct), (room, enrol)) = (each??, room?);
    Some(RawGenerate {
        at: node.at,
        each,
        distinct,
        filter: filter.unwrap_or_default(),
        room,
        enrol,
    })
}

/// A file's name, or a mapping that says more.
fn each(decoder: &mut Decoder<'_>, node: &Node) -> Option<(RawFile, Option<Spanned<String>>)> {
    if let Value::Scalar { .. } = node.value() {
        let file = roster::file(
            decoder,
            node,
            EACH.owner,
            [Some(node), None, None, None, None, None],
        );
        return Some((file?, None));
    }
    let [
        path,
        delimiter,
        encoding,
        allow_empty,
        numbered,
        optional,
        distinct,
    ] = decoder.fields(node, &EACH)?;
    let distinct = distinct.and_then(|node| decoder.text(node, "`distinct`"));
    let nodes = [path, delimiter, encoding, allow_empty, numbered, optional];
    Some((roster::file(decoder, node, EACH.owner, nodes)?, distinct))
}

fn template_room(
    decoder: &mut Decoder<'_>,
    node: &Node,
) -> Option<(super::super::raw::RawRoom, Vec<RawEnrol>)> {
    let [room @ .., enrol] = decoder.fields(node, &TEMPLATE_ROOM)?;
    let room = room::of_fields(decoder, node, room);
    let nodes = match enrol.map(|node| (node, node.value())) {
        None => &[],
        Some((_, Value::Seq(nodes))) => nodes.as_slice(),
        Some((node, _)) => std::slice::from_ref(node),
    };
    let enrol = nodes.iter().filter_map(|node| self::enrol(decoder, node));
    let enrol = enrol.collect();
    Some((room, enrol))
}

fn enrol(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawEnrol> {
    let [
        path,
        on_node,
        via,
        user,
        by,
        filter,
        people,
        delimiter,
        encoding,
        allow_empty,
        numbered,
        optional,
    ] = decoder.fields(node, &ENROL)?;
    let on = on(decoder, node, on_node, ENROL.owner);
    let via = via.and_then(|node| self::via(decoder, node));
    let file = [path, delimiter, encoding, allow_empty, numbered, optional];
    let own = [user, by, filter, people];
    Some(RawEnrol {
        roster: roster::of_fields(decoder, node, ENROL.owner, file, own)?,
        on: on?,
        via,
    })
}

fn via(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawVia> {
    let [
        path,
        on_node,
        filter,
        delimiter,
        encoding,
        allow_empty,
        numbered,
        optional,
    ] = decoder.fields(node, &VIA)?;
    let on = on(decoder, node, on_node, VIA.owner);
    let filter = filter.map(|node| filters(decoder, node));
    let nodes = [path, delimiter, encoding, allow_empty, numbered, optional];
    Some(RawVia {
        file: roster::file(decoder, node, VIA.owner, nodes)?,
        on: on?,
        filter: filter.unwrap_or_default(),
    })
}

/// The columns that have to be equal; one pair at least.
fn on(
    decoder: &mut Decoder<'_>,
    owner_node: &Node,
    node: Option<&Node>,
    owner: &str,
) -> Option<RawOn> {
    let Some(node) = node else {
        if !decoder.meant.contains(&"on") {
            missing(
                decoder,
                owner_node,
                owner,
                "on",
                "the columns that are equal, as in {course_id: course_id}",
            );
        }
        return None;
    };
    let names = decoder.names(node, "`on`");
    once(decoder, &names);
    if matches!(node.value(), Value::Map(pairs) if pairs.is_empty()) {
        let diagnostic = Diagnostic::at(Code::BadValue, node.at, "`on` joins nothing");
        decoder
            .note(diagnostic.hint("name the columns that are equal, as in {course_id: course_id}"));
    }
    let pairs = names
        .into_iter()
        .map(|(own, value)| Some((own, decoder.text(value, "a column in `on`")?)));
    let pairs: Option<RawOn> = pairs.collect();
    pairs.filter(|pairs| !pairs.is_empty())
}
