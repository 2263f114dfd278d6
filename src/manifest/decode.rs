//! Nodes -> one file's [`RawManifest`]: which keys there are, and what each takes.

use std::collections::BTreeMap;

use super::diagnostic::{At, Code, Diagnostic, Problems};
use super::fields::{Decoder, Keys, clip, written};
use super::raw::{
    Names, PositiveId, RawDefaults, RawLimits, RawManifest, RawMember, RawRoom, Spanned, Version,
};
use super::scalar::{Reading, reading};
use super::yaml::{Item, Node, Value};
use crate::model::{Field, FileId, MembersPolicy, RoomKind};

/// The list that may be long, and is therefore read one element at a time.
pub(super) const STREAMED: &str = "rooms";

pub(super) const TOP: Keys<8> = Keys {
    owner: "the manifest",
    known: [
        "version", "widget", "scope", "defaults", "people", "groups", STREAMED, "limits",
    ],
    later: &["generate"],
};
pub(super) const ROOM: Keys<8> = Keys {
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
    ],
    later: &["welcome", "enrol"],
};
pub(super) const DEFAULTS: Keys<3> = Keys {
    owner: "`defaults`",
    known: ["type", "public", "members_policy"],
    later: &[],
};
pub(super) const LIMITS: Keys<5> = Keys {
    owner: "`limits`",
    known: ["create", "update", "add_members", "messages", "publish"],
    later: &[],
};

const KINDS: [(&str, RoomKind); 6] = [
    ("dialog", RoomKind::Dialog),
    ("conference", RoomKind::Conference),
    ("support", RoomKind::Support),
    ("0", RoomKind::Dialog),
    ("1", RoomKind::Conference),
    ("3", RoomKind::Support),
];
const POLICIES: [(&str, MembersPolicy); 2] = [
    ("ensure", MembersPolicy::Ensure),
    ("on_create", MembersPolicy::OnCreate),
];

/// Puts one file together out of its items.
#[derive(Debug)]
pub(super) struct FileDecoder<'a> {
    decoder: Decoder<'a>,
    file: FileId,
    seen: BTreeMap<String, At>,
    raw: RawManifest,
}

impl<'a> FileDecoder<'a> {
    pub(super) fn new(file: FileId, problems: &'a mut Problems) -> Self {
        Self {
            decoder: Decoder {
                problems,
                meant: Vec::new(),
            },
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

    /// The file, once all items came. `complete` is false if reading broke off.
    pub(super) fn finish(mut self, complete: bool) -> RawManifest {
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
        self.raw
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
            return self.decoder.unknown_key(key, "", &TOP);
        };
        if !self.first_time(key, name) {
            return;
        }
        let decoder = &mut self.decoder;
        match name.as_str() {
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
            "people" => self.raw.people = people(decoder, value),
            "groups" => self.raw.groups = groups(decoder, value),
            STREAMED => decoder
                .list(value, "`rooms`")
                .iter()
                .for_each(|node| self.element(node)),
            "limits" => self.raw.limits = limits(decoder, value),
            _ => decoder.unknown_key(key, name, &TOP),
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
    let [kind, public, policy] = decoder.fields(node, &DEFAULTS)?;
    Some(RawDefaults {
        file: Some(file),
        kind: kind.and_then(|node| decoder.choice(node, "`type`", &KINDS)),
        public: public.and_then(|node| decoder.boolean(node, "`public`")),
        members_policy: policy.and_then(|node| decoder.choice(node, "`members_policy`", &POLICIES)),
    })
}

fn people(decoder: &mut Decoder<'_>, node: &Node) -> Names<Spanned<PositiveId>> {
    if let Some((key, _)) = roster(node) {
        decoder.not_yet(key.at, "roster");
        return Names::default();
    }
    let names = decoder.names(node, "`people`");
    let ids = names.into_iter().map(|(name, value)| {
        // A name whose id is wrong is known all the same: that its members cannot be added follows from one mistake.
        let stand_in = Spanned {
            value: PositiveId::STAND_IN,
            at: value.at,
        };
        let id = decoder.id(value, &format!("the id of `{}`", clip(&name.value)));
        (name, id.unwrap_or(stand_in))
    });
    Names(ids.collect())
}

fn groups(decoder: &mut Decoder<'_>, node: &Node) -> Names<Vec<Spanned<RawMember>>> {
    let names = decoder.names(node, "`groups`");
    let lists = names.into_iter().map(|(name, value)| {
        let what = format!("the group `{}`", clip(&name.value));
        let list = members(decoder, value, &what);
        (name, list)
    });
    Names(lists.collect())
}

fn limits(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawLimits> {
    let found = decoder.fields(node, &LIMITS)?;
    let [create, update, add_members, messages, publish] = std::array::from_fn(|index| {
        found[index].and_then(|node| decoder.limit(node, &format!("`{}`", LIMITS.known[index])))
    });
    Some(RawLimits {
        at: Some(node.at),
        create,
        update,
        add_members,
        messages,
        publish,
    })
}

fn room(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawRoom> {
    let [pipe, title, kind, public, list, exclude, policy, ignore] = decoder.fields(node, &ROOM)?;
    let named = match pipe.map(Node::value) {
        Some(Value::Scalar { text, .. }) => format!("the room `{}`", clip(text)),
        _ => "a room".to_owned(),
    };
    for (key, value, what) in [
        ("pipe", pipe, "its own name, which never changes"),
        ("title", title, "what people see"),
    ] {
        if value.is_none() && !decoder.meant.contains(&key) {
            let message = format!("{named} has no `{key}`");
            decoder.note(
                Diagnostic::at(Code::MissingKey, node.at, message)
                    .hint(format!("give it a `{key}`: {what}")),
            );
        }
    }
    let pipe = pipe.and_then(|node| decoder.text(node, "`pipe`"));
    let title = title.and_then(|node| decoder.text(node, "`title`"));
    let kind = kind.and_then(|node| decoder.choice(node, "`type`", &KINDS));
    let public = public.and_then(|node| decoder.boolean(node, "`public`"));
    let list = list
        .map(|node| members(decoder, node, "`members`"))
        .unwrap_or_default();
    let exclude = exclude
        .map(|node| members(decoder, node, "`exclude`"))
        .unwrap_or_default();
    let members_policy =
        policy.and_then(|node| decoder.choice(node, "`members_policy`", &POLICIES));
    let ignore = ignore
        .map(|node| ignored(decoder, node))
        .unwrap_or_default();
    let broken = pipe.is_none() || title.is_none();
    let stand_in = || Spanned {
        value: String::new(),
        at: node.at,
    };
    let (pipe, title) = (
        pipe.unwrap_or_else(stand_in),
        title.unwrap_or_else(stand_in),
    );
    Some(RawRoom {
        at: node.at,
        broken,
        pipe,
        title,
        kind,
        public,
        members: list,
        exclude,
        members_policy,
        ignore,
    })
}

fn ignored(decoder: &mut Decoder<'_>, node: &Node) -> Vec<Spanned<Field>> {
    let choices = Field::ALL.map(|field| (field.name(), field));
    let items = decoder.list(node, "`ignore`").iter();
    items
        .filter_map(|node| {
            Some(Spanned {
                value: decoder.choice(node, "a field in `ignore`", &choices)?,
                at: node.at,
            })
        })
        .collect()
}

fn members(decoder: &mut Decoder<'_>, node: &Node, what: &str) -> Vec<Spanned<RawMember>> {
    decoder
        .list(node, what)
        .iter()
        .filter_map(|node| member(decoder, node))
        .collect()
}

fn member(decoder: &mut Decoder<'_>, node: &Node) -> Option<Spanned<RawMember>> {
    if let Some((key, _)) = roster(node) {
        decoder.not_yet(key.at, "roster");
        return None;
    }
    let value = match node.value() {
        Value::Scalar { text, plain: true } if reading(text) == Reading::Number => {
            RawMember::Id(decoder.id(node, "a member's id")?.value.0)
        }
        Value::Scalar { .. } => {
            let text = decoder.text(node, "a member")?.value;
            match text.strip_prefix('@') {
                Some(group) => RawMember::Group(group.to_owned()),
                None => RawMember::Person(text),
            }
        }
        _ => {
            decoder.wrong_type(node, "a member", "an id, a name or a \"@group\"");
            return None;
        }
    };
    Some(Spanned { value, at: node.at })
}

/// The `roster` key of a mapping, unless it names a person of that name.
fn roster(node: &Node) -> Option<&(Node, Node)> {
    let Value::Map(pairs) = node.value() else {
        return None;
    };
    pairs.iter().find(|(key, value)| {
        let named = matches!(key.value(), Value::Scalar { text, .. } if text == "roster");
        named && !matches!(value.value(), Value::Scalar { text, .. } if text.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
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
        let sorted = |known: &[&str]| {
            let mut known: Vec<String> = known.iter().map(ToString::to_string).collect();
            known.sort();
            known
        };
        assert_eq!(keys("/properties"), sorted(&TOP.known));
        assert_eq!(keys("/definitions/RawRoom/properties"), sorted(&ROOM.known));
        assert_eq!(
            keys("/definitions/RawDefaults/properties"),
            sorted(&DEFAULTS.known)
        );
        assert_eq!(
            keys("/definitions/RawLimits/properties"),
            sorted(&LIMITS.known)
        );
    }
}
