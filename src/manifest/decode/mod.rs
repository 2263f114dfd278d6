//! Decodes the YAML nodes of one file into a [`RawManifest`]. Reports unknown keys and wrong types.
//!
//! Main entry: [`decode_file`].

use std::cell::RefCell;

mod bulk;
mod room;
mod rows;

use super::fields::{Decoder, Fields, Keys, written};
use super::raw::{RawFile, RawLimits, RawManifest, RawRoom, Spanned};
use super::yaml::{self, Node, Value};
use crate::model::{Date, FileId, Limits};
use crate::tables::diagnostic::{At, Code, Problems, Source};
pub(super) use room::KINDS;

/// The top-level list that is read one element at a time, because it may be long.
const STREAMED: &str = "rooms";

const TOP: Keys = Keys::new(
    "the manifest",
    "version widget scope defaults people groups rooms generate limits",
);
const DEFAULTS: Keys = Keys::new("`defaults`", "type public members_policy");
const LIMITS: Keys = Keys::new("`limits`", "create update add_members messages publish");

/// Decodes a manifest file. Also returns the files with rows, such as rosters, that the
/// manifest names.
pub(super) fn decode_file(
    source: &Source,
    file: FileId,
    today: Date,
    problems: &Problems,
) -> (RawManifest, Vec<RawFile>) {
    let decoder = Decoder {
        source,
        problems,
        today,
        files: RefCell::default(),
    };
    let (mut pairs, mut rooms) = (Vec::new(), Vec::new());
    let end = yaml::read(&source.text, file, STREAMED, &mut |key, node| match key {
        Some(key) => pairs.push((key, node)),
        None => rooms.extend(room::room(&decoder, &node)),
    });
    let (is_empty, at) = (pairs.is_empty(), At::new(file, 0));
    let root = Node::made(at, Value::Map(pairs));
    let fields = decoder.fields(&root, TOP);
    match (end, &fields) {
        (Err(mistake), _) => problems.push(*mistake),
        (Ok(()), _) if is_empty => {
            let hint = "start with `version: 1`, and list `rooms`";
            problems.note(Code::Empty, at, "the file is empty", hint);
        }
        (Ok(()), Some(fields)) => {
            fields.require("version", "the format of this file, as in `version: 1`");
        }
        (Ok(()), None) => {}
    }
    let raw = fields.map(|fields| manifest(&fields, rooms));
    let mut files = decoder.files.into_inner();
    // Rooms are decoded first, wherever they are.
    files.sort_by_key(|file| file.path.at);
    (raw.unwrap_or_default(), files)
}

/// Decodes a manifest. `rooms` are the rooms that were read one at a time.
fn manifest(fields: &Fields, mut rooms: Vec<RawRoom>) -> RawManifest {
    let decoder = fields.decoder;
    if let Some(node) = fields.get("version") {
        check_version(decoder, node);
    }
    let listed = fields.list(STREAMED).iter();
    rooms.extend(listed.filter_map(|node| room::room(decoder, node)));
    let file = fields.get("people").filter(|node| rows::is_directory(node));
    let directory = file.and_then(|node| rows::directory(decoder, node));
    // A value that is not a mapping, and a file of people with a mistake, are already reported.
    let is_unread = |key| match fields.get(key).map(Node::value) {
        Some(Value::Map(_)) => file.is_some() && directory.is_none() && key == "people",
        given => given.is_some(),
    };
    let unread = ["people", "groups"]
        .into_iter()
        .filter(|key| is_unread(key));
    let defaults = fields.get("defaults");
    let defaults = defaults.and_then(|node| decoder.fields(node, DEFAULTS));
    let defaults = defaults.map(|fields| room::settings(&fields, |_| false));
    let generate = fields.list("generate").iter();
    let generate = generate.filter_map(|node| bulk::generate(decoder, node));
    RawManifest {
        widget: fields
            .get("widget")
            .and_then(|node| decoder.id(node, "`widget`")),
        scope: fields.get("scope").map(|node| scope(decoder, node)),
        defaults: defaults.unwrap_or_default(),
        people: file.map_or_else(|| room::people(fields), |_| Vec::new()),
        unread: unread.chain(fields.unread.iter().copied()).collect(),
        directory,
        groups: room::groups(fields),
        rooms,
        generate: generate.collect(),
        limits: fields.get("limits").and_then(|node| limits(decoder, node)),
    }
}

fn scope(decoder: &Decoder, node: &Node) -> Spanned<Vec<Spanned<String>>> {
    let globs = decoder.list(node, "`scope`").iter();
    let globs = globs.filter_map(|node| decoder.text(node, "a glob"));
    Spanned::new(globs.collect(), node.at)
}

fn check_version(decoder: &Decoder, node: &Node) {
    let Value::Scalar { text, plain } = node.value() else {
        decoder.wrong_type::<()>(node, "`version`", "1");
        return;
    };
    if text != "1" || !plain {
        let found = written(text, *plain);
        let message = format!("this version of roomform reads manifests of version 1, not {found}");
        let hint = "write `version: 1`, or update roomform";
        decoder.refuse::<()>(Code::BadValue, node.at, message, hint);
    }
}

fn limits(decoder: &Decoder, node: &Node) -> Option<Spanned<RawLimits>> {
    let fields = decoder.fields(node, LIMITS)?;
    let limit = |key: &str| decoder.limit(fields.get(key)?, format_args!("`{key}`"));
    let counted = Limits {
        create: limit("create"),
        update: limit("update"),
        add_members: limit("add_members"),
        messages: limit("messages"),
        publish: Vec::new(),
    };
    let publish = fields.get("publish");
    let publish = publish.map_or_else(Vec::new, |node| publish_list(decoder, node));
    Some(Spanned::new(RawLimits { counted, publish }, node.at))
}

fn publish_list(decoder: &Decoder, node: &Node) -> Vec<Spanned<String>> {
    let Value::Seq(entries) = node.value() else {
        let found = match node.value() {
            Value::Scalar { text, plain } => written(text, *plain),
            _ => node.noun().to_owned(),
        };
        let message = format!(
            "`publish` is {found}, but it must be a list of the rooms that may become public"
        );
        let hint = "write pipes or globs, as in [lounge, \"club-*\"], or [] for none";
        decoder.refuse::<()>(Code::WrongType, node.at, message, hint);
        return Vec::new();
    };
    let entries = entries.iter();
    let entries = entries.filter_map(|entry| decoder.text(entry, "a pipe in `publish`"));
    entries.collect()
}

#[cfg(test)]
mod tests {
    use super::super::fields::MOST_KEYS;
    use super::room::KINDS;
    use super::*;
    use crate::model::{Field, MembersPolicy};

    #[test]
    fn schema_and_decoder_have_the_same_keys() {
        let schema = super::super::schema();
        let keys = |pointer: &str| -> Vec<String> {
            let mut keys: Vec<String> = schema
                .pointer(pointer)
                .and_then(|map| map.as_object())
                .into_iter()
                .flatten()
                .map(|(key, _)| key.clone())
                .collect();
            keys.sort();
            keys
        };
        for (pointer, known) in [
            ("", TOP),
            ("/definitions/RawRoom", room::ROOM),
            ("/definitions/Welcome", room::WELCOME),
            ("/definitions/RawDefaults", DEFAULTS),
            ("/definitions/RawLimits", LIMITS),
            ("/definitions/DatedMember", room::DATED),
            ("/definitions/Roster", rows::ROSTER),
            ("/definitions/Directory", rows::DIRECTORY),
            ("/definitions/Enrol", bulk::ENROL),
            ("/definitions/Via", bulk::VIA),
            ("/definitions/Moved", bulk::MOVED),
            ("/definitions/Generate", bulk::GENERATE),
            ("/definitions/Generate/properties/each/anyOf/1", bulk::EACH),
            ("/definitions/TemplateRoom", bulk::TEMPLATE_ROOM),
        ] {
            let mut sorted: Vec<&str> = known.all().collect();
            sorted.sort_unstable();
            assert!(sorted.len() <= MOST_KEYS, "{pointer}");
            assert_eq!(keys(&format!("{pointer}/properties")), sorted, "{pointer}");
        }
    }

    #[test]
    fn schema_and_decoder_have_the_same_words() {
        let schema = super::super::schema();
        let words = |pointer: &str| -> Vec<String> {
            let list = schema.pointer(pointer).and_then(|list| list.as_array());
            let words = list.into_iter().flatten().filter(|word| !word.is_null());
            let text = |word: &serde_json::Value| word.as_str().map(str::to_owned);
            words
                .map(|word| text(word).unwrap_or_else(|| word.to_string()))
                .collect()
        };
        fn names<T>(choices: &[(&'static str, T)]) -> Vec<&'static str> {
            choices.iter().map(|(name, _)| *name).collect()
        }
        let fields = Field::ALL.map(|field| field.name()).to_vec();
        let policies = MembersPolicy::ALL.map(|policy| policy.name()).to_vec();
        for (pointer, known) in [
            ("RawDefaults/properties/type", names(&KINDS)),
            ("RawDefaults/properties/members_policy", policies.clone()),
            ("RawRoom/properties/type", names(&KINDS)),
            ("RawRoom/properties/members_policy", policies.clone()),
            ("RawRoom/properties/ignore/items", fields.clone()),
            ("TemplateRoom/properties/type/anyOf/0", names(&KINDS)),
            ("TemplateRoom/properties/members_policy", policies),
            ("TemplateRoom/properties/ignore/items", fields),
            ("Roster/properties/by", names(&rows::WAYS)),
            ("Roster/properties/delimiter", names(&rows::DELIMITERS)),
            ("Enrol/properties/by", names(&rows::WAYS)),
            ("Enrol/properties/delimiter", names(&rows::DELIMITERS)),
            ("Directory/properties/delimiter", names(&rows::DELIMITERS)),
            ("Via/properties/delimiter", names(&rows::DELIMITERS)),
            ("Moved/properties/delimiter", names(&rows::DELIMITERS)),
            (
                "Generate/properties/format",
                super::super::presets::names().to_vec(),
            ),
        ] {
            let pointer = format!("/definitions/{pointer}/enum");
            assert_eq!(words(&pointer), known, "{pointer}");
        }
    }
}
