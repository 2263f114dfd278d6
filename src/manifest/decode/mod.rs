//! Nodes -> one file's [`RawManifest`]: which keys there are, and what each takes.

use std::collections::BTreeMap;

mod bulk;
mod room;
mod roster;

use self::room::{KINDS, POLICIES, room};
use super::fields::{Decoder, Keys, written};
use super::raw::{RawDefaults, RawFile, RawLimits, RawManifest, Spanned, Version};
use super::yaml::{Item, Node, Value};
use crate::model::FileId;
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems};
use crate::tables::source::Lines;

/// The list that may be long, and is therefore read one element at a time.
pub(super) const STREAMED: &str = "rooms";

const TOP: Keys = Keys::new(
    "the manifest",
    &[
        "version", "widget", "scope", "defaults", "people", "groups", STREAMED, "generate",
        "limits",
    ],
);
const DEFAULTS: Keys = Keys::new("`defaults`", &["type", "public", "members_policy"]);
const LIMITS: Keys = Keys::new(
    "`limits`",
    &["create", "update", "add_members", "messages", "publish"],
);

/// Puts one file together out of its items.
#[derive(Debug)]
pub(super) struct FileDecoder<'a> {
    decoder: Decoder<'a>,
    file: FileId,
    seen: BTreeMap<String, At>,
    raw: RawManifest,
}

impl<'a> FileDecoder<'a> {
    pub(super) fn new(file: FileId, lines: Lines<'a>, problems: &'a mut Problems) -> Self {
        Self {
            decoder: Decoder::new(lines, problems),
            file,
            seen: BTreeMap::new(),
            raw: RawManifest::default(),
        }
    }

    pub(super) fn take(&mut self, item: Item) {
        match item {
            Item::Entry(key, value) => self.entry(&key, &value),
            Item::List(key) => {
                self.first_time(&key, STREAMED);
            }
            Item::Element(node) => self.element(&node),
            Item::Root(node) => {
                self.seen.insert("version".to_owned(), node.at);
                if !matches!(node.value(), Value::Scalar { text, plain: true } if text.is_empty()) {
                    self.decoder.wrong_type(&node, "a manifest", "a mapping");
                } else {
                    self.decoder.note(empty_file(node.at));
                }
            }
        }
    }

    /// The file, once all items came, and the files beside it that it names. `complete` is false if reading broke off.
    pub(super) fn finish(mut self, complete: bool) -> (RawManifest, Vec<RawFile>) {
        let at = At {
            file: self.file,
            offset: 0,
        };
        if complete && self.seen.is_empty() {
            self.decoder.note(empty_file(at));
        } else if complete && !self.seen.contains_key("version") {
            let diagnostic = Diagnostic::at(Code::MissingKey, at, "the manifest has no `version`");
            self.decoder
                .note(diagnostic.hint("start the file with `version: 1`"));
        }
        (self.raw, self.decoder.files)
    }

    fn first_time(&mut self, key: &Node, name: &str) -> bool {
        let first = self.seen.get(name).copied();
        match first {
            Some(first) => self.decoder.duplicate_key(name, key.at, first),
            None => drop(self.seen.insert(name.to_owned(), key.at)),
        }
        first.is_none()
    }

    fn entry(&mut self, key: &Node, value: &Node) {
        let Value::Scalar { text: name, .. } = key.value() else {
            self.decoder.unknown_key(key, "", TOP);
            return;
        };
        if !self.first_time(key, name) {
            return;
        }
        let decoder = &mut self.decoder;
        match name.as_ref() {
            "version" => self.raw.version = version(decoder, value),
            "widget" => self.raw.widget = decoder.id(value, "`widget`"),
            "scope" => {
                let globs = decoder
                    .list(value, "`scope`")
                    .iter()
                    .filter_map(|node| decoder.text(node, "a glob"))
                    .collect();
                self.raw.scope = Some(Spanned {
                    value: globs,
                    at: value.at,
                });
            }
            "defaults" => self.raw.defaults = defaults(decoder, value, self.file),
            "people" => match roster::named(value) {
                Some(_) => self.raw.directory = roster::directory(decoder, value),
                None => self.raw.people = room::people(decoder, value),
            },
            "groups" => self.raw.groups = room::groups(decoder, value),
            "generate" => {
                let items = decoder.list(value, "`generate`").iter();
                let rooms = items.filter_map(|node| bulk::generate(decoder, node));
                self.raw.generate = rooms.collect();
            }
            STREAMED => decoder
                .list(value, "`rooms`")
                .iter()
                .for_each(|node| self.element(node)),
            "limits" => self.raw.limits = limits(decoder, value),
            _ => drop(decoder.unknown_key(key, name, TOP)),
        }
    }

    fn element(&mut self, node: &Node) {
        let room = room(&mut self.decoder, node);
        self.raw.rooms.extend(room);
    }
}

fn empty_file(at: At) -> Diagnostic {
    Diagnostic::at(Code::Empty, at, "the file is empty")
        .hint("a manifest starts with `version: 1` and lists `rooms`")
}

fn version(decoder: &mut Decoder<'_>, node: &Node) -> Version {
    match node.value() {
        Value::Scalar { text, plain: true } if text == "1" => {}
        Value::Scalar { text, plain } => {
            let message = format!(
                "this roomform reads manifests of version 1, not {}",
                written(text, *plain)
            );
            decoder.note(
                Diagnostic::at(Code::BadValue, node.at, message)
                    .hint("write `version: 1`, or update roomform"),
            );
        }
        _ => decoder.wrong_type(node, "`version`", "1"),
    }
    Version
}

fn defaults(decoder: &mut Decoder<'_>, node: &Node, file: FileId) -> Option<RawDefaults> {
    let fields = decoder.fields(node, DEFAULTS)?;
    let (kind, policy) = (fields.get("type"), fields.get("members_policy"));
    let public = fields.get("public");
    Some(RawDefaults {
        file: Some(file),
        kind: kind.and_then(|node| decoder.choice(node, "`type`", &KINDS)),
        public: public.and_then(|node| decoder.boolean(node, "`public`")),
        members_policy: policy.and_then(|node| decoder.choice(node, "`members_policy`", &POLICIES)),
    })
}

fn limits(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawLimits> {
    let fields = decoder.fields(node, LIMITS)?;
    let mut limit = |name: &str| decoder.limit(fields.get(name)?, &format!("`{name}`"));
    Some(RawLimits {
        at: Some(node.at),
        create: limit("create"),
        update: limit("update"),
        add_members: limit("add_members"),
        messages: limit("messages"),
        publish: limit("publish"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::fields::MOST_KEYS;
    use super::*;

    #[test]
    fn schema_and_decoder_have_the_same_keys() {
        let schema = super::super::raw::schema();
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
            ("/definitions/RawDefaults", DEFAULTS),
            ("/definitions/RawLimits", LIMITS),
            ("/definitions/Roster", roster::ROSTER),
            ("/definitions/Directory", roster::DIRECTORY),
            ("/definitions/Enrol", bulk::ENROL),
            ("/definitions/Via", bulk::VIA),
            ("/definitions/Generate", bulk::GENERATE),
            ("/definitions/TemplateRoom", bulk::TEMPLATE_ROOM),
        ] {
            let mut sorted: Vec<&str> = known.all().collect();
            sorted.sort_unstable();
            assert!(sorted.len() <= MOST_KEYS, "{pointer}");
            assert_eq!(keys(&format!("{pointer}/properties")), sorted, "{pointer}");
        }
    }
}
