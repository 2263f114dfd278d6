//! Decodes the YAML nodes of one file into a [`RawManifest`]. Reports unknown keys and wrong types.
//!
//! Main entry: [`decode_file`].

use std::cell::RefCell;
use std::collections::BTreeMap;

mod bulk;
mod room;
mod rows;

use super::fields::{Decoder, Keys, written};
use super::raw::{RawFile, RawLimits, RawManifest, Spanned};
use super::yaml::{self, Item, Node, Value};
use crate::model::{Date, FileId, Limits};
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems, Source};
pub(super) use room::KINDS;

/// The top-level list that is read one element at a time, because it may be long.
const STREAMED: &str = "rooms";

const TOP: Keys = Keys::new(
    "the manifest",
    "version widget scope defaults people groups rooms generate limits",
);
const DEFAULTS: Keys = Keys::new("`defaults`", "type public members_policy");
const LIMITS: Keys = Keys::new("`limits`", "create update add_members messages publish");

/// Decodes a manifest file. Also returns the files with rows that it names.
pub(super) fn decode_file(
    source: &Source,
    file: FileId,
    today: Date,
    problems: &Problems,
) -> (RawManifest, Vec<RawFile>) {
    let mut decoder = FileDecoder {
        decoder: Decoder {
            lines: source.lines().into(),
            problems,
            today,
            files: RefCell::default(),
        },
        seen: BTreeMap::new(),
        raw: RawManifest::default(),
    };
    let end = yaml::read(&source.text, file, STREAMED, &mut |item| match item {
        Item::Entry(key, value) => decoder.entry(&key, &value),
        Item::List(key) => {
            decoder.register_key(&key, STREAMED);
        }
        Item::Element(node) => decoder.room(&node),
        Item::Root(node) => decoder.root(&node),
    });
    let FileDecoder { decoder, seen, raw } = decoder;
    let at = At { file, offset: 0 };
    match end {
        Err(mistake) => decoder.problems.push(*mistake),
        Ok(()) if seen.is_empty() => decoder.problems.push(empty_file(at)),
        Ok(()) if !seen.contains_key("version") => {
            let message = "the manifest has no `version`";
            let hint = "start the file with `version: 1`";
            decoder.problems.note(Code::MissingKey, at, message, hint);
        }
        Ok(()) => {}
    }
    (raw, decoder.files.into_inner())
}

struct FileDecoder<'a> {
    decoder: Decoder<'a>,
    /// The top-level keys that were read so far.
    seen: BTreeMap<String, At>,
    raw: RawManifest,
}

impl FileDecoder<'_> {
    /// Reports a document that is not a mapping.
    fn root(&mut self, node: &Node) {
        self.seen.insert("version".to_owned(), node.at);
        if matches!(node.value(), Value::Scalar { text, plain: true } if text.is_empty()) {
            self.decoder.problems.push(empty_file(node.at));
        } else {
            self.decoder
                .wrong_type::<()>(node, "a manifest", "a mapping");
        }
    }

    /// Registers a top-level key, or reports a duplicate. Returns whether the key is new.
    fn register_key(&mut self, key: &Node, name: &str) -> bool {
        let first = self.seen.get(name).copied();
        match first {
            Some(first) => self.decoder.duplicate_key(name, key.at, first),
            None => drop(self.seen.insert(name.to_owned(), key.at)),
        }
        first.is_none()
    }

    fn entry(&mut self, key: &Node, value: &Node) {
        let Some(name) = key.word() else {
            self.decoder.unknown_key(key, "", TOP);
            return;
        };
        if !self.register_key(key, name) {
            self.raw.unread.insert(name.to_owned());
            return;
        }
        let (decoder, raw) = (&self.decoder, &mut self.raw);
        match name {
            "version" => check_version(decoder, value),
            "widget" => raw.widget = decoder.id(value, "`widget`"),
            "scope" => {
                let globs = decoder.list(value, "`scope`").iter();
                let globs = globs.filter_map(|node| decoder.text(node, "a glob"));
                raw.scope = Some(Spanned::new(globs.collect(), value.at));
            }
            "defaults" => {
                let fields = decoder.fields(value, DEFAULTS);
                let settings = fields.map(|fields| room::settings(&fields, |_| false));
                raw.defaults = settings.unwrap_or_default();
            }
            "people" if rows::is_directory(value) => {
                raw.directory = rows::directory(decoder, value);
                let unread = raw.directory.is_none().then(|| name.to_owned());
                raw.unread.extend(unread);
            }
            "people" | "groups" if !matches!(value.value(), Value::Map(_)) => {
                decoder.wrong_type::<()>(value, format_args!("`{name}`"), "a mapping");
                raw.unread.insert(name.to_owned());
            }
            "people" => raw.people = room::people(decoder, value),
            "groups" => raw.groups = room::groups(decoder, value),
            "generate" => {
                let items = decoder.list(value, "`generate`").iter();
                let rooms = items.filter_map(|node| bulk::generate(decoder, node));
                raw.generate = rooms.collect();
            }
            STREAMED => {
                let rooms = decoder.list(value, "`rooms`").iter();
                rooms.for_each(|node| self.room(node));
            }
            "limits" => raw.limits = limits(decoder, value),
            _ => {
                let near = decoder.unknown_key(key, name, TOP);
                raw.unread.extend(near.map(str::to_owned));
            }
        }
    }

    fn room(&mut self, node: &Node) {
        self.raw.rooms.extend(room::room(&self.decoder, node));
    }
}

fn empty_file(at: At) -> Diagnostic {
    Diagnostic::at(Code::Empty, at, "the file is empty")
        .hint("start with `version: 1`, and list `rooms`")
}

fn check_version(decoder: &Decoder, node: &Node) {
    let Value::Scalar { text, plain } = node.value() else {
        return decoder
            .wrong_type(node, "`version`", "1")
            .unwrap_or_default();
    };
    if text != "1" || !plain {
        let found = written(text, *plain);
        let message = format!("this version of roomform reads manifests of version 1, not {found}");
        let hint = "write `version: 1`, or update roomform";
        decoder
            .problems
            .note(Code::BadValue, node.at, message, hint);
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
        let message =
            format!("`publish` must be a list of the rooms that may become public, not {found}");
        let hint = "write pipes or globs, as in [lounge, \"club-*\"], or [] for none";
        decoder
            .problems
            .note(Code::WrongType, node.at, message, hint);
        return Vec::new();
    };
    let entries = entries.iter();
    let entries = entries.filter_map(|entry| decoder.text(entry, "a pipe in `publish`"));
    entries.collect()
}

#[cfg(test)]
mod tests {
    use super::super::fields::MOST_KEYS;
    use super::room::{KINDS, POLICIES};
    use super::*;
    use crate::model::Field;

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
        for (pointer, known) in [
            ("RawDefaults/properties/type", names(&KINDS)),
            ("RawDefaults/properties/members_policy", names(&POLICIES)),
            ("RawRoom/properties/type", names(&KINDS)),
            ("RawRoom/properties/members_policy", names(&POLICIES)),
            ("RawRoom/properties/ignore/items", fields.clone()),
            ("TemplateRoom/properties/type/anyOf/0", names(&KINDS)),
            ("TemplateRoom/properties/members_policy", names(&POLICIES)),
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
