//! Decodes rooms and their members.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::super::fields::{Decoder, Fields, Keys};
use super::super::raw::{Names, RawMember, RawRoom, RawSettings, RawWelcome, Spanned};
use super::super::scalar::{Reading, reading};
use super::super::yaml::{Node, Value};
use super::rows::{self, date};
use crate::model::{Field, FieldSet, Member, MembersPolicy, Place, Presence, RoomKind, UserId};
use crate::tables::diagnostic::{Code, clip};

pub(super) const ROOM: Keys = Keys::new(
    "a room",
    &[
        "pipe",
        "title",
        "type",
        "public",
        "members",
        "exclude",
        "members_policy",
        "ignore",
        "welcome",
    ],
);
pub(super) const WELCOME: Keys = Keys::new("`welcome`", &["from", "text"]);
pub(super) const DATED: Keys = Keys::new("a member with dates", &["user", "from", "until"]);
pub(in super::super) const KINDS: [(&str, RoomKind); 6] = [
    ("dialog", RoomKind::Dialog),
    ("conference", RoomKind::Conference),
    ("support", RoomKind::Support),
    ("0", RoomKind::Dialog),
    ("1", RoomKind::Conference),
    ("3", RoomKind::Support),
];
pub(super) const POLICIES: [(&str, MembersPolicy); 2] = [
    ("ensure", MembersPolicy::Ensure),
    ("on_create", MembersPolicy::OnCreate),
];

/// Decodes a room under `rooms`.
pub(super) fn room(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawRoom> {
    let fields = decoder.fields(node, ROOM)?;
    let settings = settings(decoder, &fields, |_| false);
    Some(from_fields(decoder, &fields, settings))
}

pub(super) fn from_fields(
    decoder: &mut Decoder<'_>,
    fields: &Fields<'_>,
    settings: RawSettings,
) -> RawRoom {
    let what = "the room's identity, which never changes";
    fields.require(decoder, "pipe", what);
    fields.require(decoder, "title", "the title that people see");
    let pipe = fields.decode_text(decoder, "pipe");
    let title = fields.decode_text(decoder, "title");
    let stand_in = || Spanned::new(String::new(), fields.at);
    let mut list = |key: &str| {
        let node = fields.get(key);
        let list = node.map(|node| members(decoder, node, format_args!("`{key}`")));
        list.unwrap_or_default()
    };
    let (members, exclude) = (list("members"), list("exclude"));
    let welcome = fields.get("welcome");
    RawRoom {
        at: fields.at,
        broken: pipe.is_none() || title.is_none(),
        pipe: pipe.unwrap_or_else(stand_in),
        title: title.unwrap_or_else(stand_in),
        settings,
        members,
        exclude,
        ignore: ignored(decoder, fields),
        welcome: welcome.and_then(|node| self::welcome(decoder, node)),
    }
}

/// Decodes the settings of a room. Skips keys for which `is_from_row` is true: they are templates.
pub(super) fn settings(
    decoder: &mut Decoder<'_>,
    fields: &Fields<'_>,
    is_from_row: impl Fn(&str) -> bool,
) -> RawSettings {
    let kind = (!is_from_row("type")).then(|| fields.choice(decoder, "type", &KINDS));
    let public = (!is_from_row("public")).then(|| fields.boolean(decoder, "public"));
    RawSettings {
        kind: kind.flatten(),
        public: public.flatten(),
        members_policy: fields.choice(decoder, "members_policy", &POLICIES),
    }
}

fn welcome(decoder: &mut Decoder<'_>, node: &Node) -> Option<Box<RawWelcome>> {
    let fields = decoder.fields(node, WELCOME)?;
    fields.require(decoder, "from", "the sender");
    fields.require(decoder, "text", "the message");
    let from = fields.get("from").and_then(|node| {
        if node.word().is_none() {
            decoder.wrong_type(node, "`from`", "an id or a name");
            return None;
        }
        scalar(decoder, node, "`from`", "`from`")
    });
    let text = fields.decode_text(decoder, "text");
    Some(Box::new(RawWelcome {
        from: from?,
        text: text?,
        cells: BTreeMap::new(),
    }))
}

fn ignored(decoder: &mut Decoder<'_>, fields: &Fields<'_>) -> FieldSet {
    let choices = Field::ALL.map(|field| (field.name(), field));
    let mut ignored = FieldSet::default();
    if let Some(node) = fields.get("ignore") {
        for node in decoder.list(node, "`ignore`") {
            if let Some(field) = decoder.choice(node, "a field in `ignore`", &choices) {
                ignored.insert(field);
            }
        }
    }
    ignored
}

fn members(decoder: &mut Decoder<'_>, node: &Node, what: impl Display) -> Vec<Spanned<RawMember>> {
    let nodes = decoder.list(node, what);
    let mut list: Vec<Spanned<RawMember>> = Vec::new();
    for node in nodes {
        let Some(id) = Decoder::plain_id(node) else {
            list.extend(member(decoder, node));
            continue;
        };
        let (file, line) = (node.at.file, decoder.lines.find(node.at.offset));
        let place = Place { file, line };
        let user = UserId(id);
        if let Some(RawMember::Ids(ids)) = list.last_mut().map(|last| &mut last.value) {
            ids.push(Member { user, place });
            continue;
        }
        let mut ids = Vec::with_capacity(if list.is_empty() { nodes.len() } else { 1 });
        ids.push(Member { user, place });
        let value = RawMember::Ids(ids);
        list.push(Spanned { value, at: node.at });
    }
    list
}

fn member(decoder: &mut Decoder<'_>, node: &Node) -> Option<Spanned<RawMember>> {
    match node.value() {
        Value::Scalar { .. } => scalar(decoder, node, "a member's id", "a member"),
        Value::Map(pairs) if is_dated(pairs) => dated(decoder, node),
        Value::Map(_) => {
            let value = RawMember::Roster(Box::new(rows::roster(decoder, node)?));
            Some(Spanned { value, at: node.at })
        }
        _ => {
            decoder.wrong_type(node, "a member", "an id, a name, a \"@group\" or a roster");
            None
        }
    }
}

/// Whether a mapping in a member list is a user with dates, not a roster.
fn is_dated(pairs: &[(Node, Node)]) -> bool {
    let has = |key| pairs.iter().any(|(other, _)| other.word() == Some(key));
    (has("from") || has("until")) && !has("roster")
}

/// Decodes a user with the first day, the last day, or both days of the membership.
fn dated(decoder: &mut Decoder<'_>, node: &Node) -> Option<Spanned<RawMember>> {
    let fields = decoder.fields(node, DATED)?;
    fields.require(decoder, "user", "an id, or a name from `people`");
    let user = fields.get("user")?;
    if user.word().is_none() {
        decoder.wrong_type(user, "`user`", "an id or a name");
        return None;
    }
    let member = scalar(decoder, user, "`user`", "`user`");
    let [from, until] = ["from", "until"].map(|key| {
        let node = fields.get(key)?;
        Some((node.at, date(decoder, node, format_args!("`{key}`"))?))
    });
    if let (Some((_, from)), Some((at, until))) = (from, until)
        && until < from
    {
        let message = format!("`until` is before `from`, {from}");
        let hint = "swap the two dates; both days belong to the membership";
        decoder.problems.note(Code::BadValue, at, message, hint);
    }
    let member = member?;
    if matches!(member.value, RawMember::Group(_)) {
        let message = "only a single user can have dates";
        let hint = "write an id or a name from `people`";
        decoder.note(Code::BadValue, member.at, message, hint);
        return None;
    }
    let [from, until] = [from, until].map(|bound| bound.map(|(_, date)| date));
    let presence = Presence::between(from, until, decoder.today);
    let value = RawMember::Dated(Box::new(member.value), presence);
    Some(Spanned::new(value, member.at))
}

/// Decodes a user or a group from a single word.
fn scalar(
    decoder: &mut Decoder<'_>,
    node: &Node,
    id: &str,
    what: &str,
) -> Option<Spanned<RawMember>> {
    let value = match node.value() {
        Value::Scalar { text, plain: true } if reading(text) == Reading::Number => {
            RawMember::Id(decoder.id(node, id)?.value)
        }
        _ => {
            let text = decoder.decode_text(node, what)?.value;
            match text.strip_prefix('@') {
                Some(group) => RawMember::Group(group.to_owned()),
                None => RawMember::Person(text),
            }
        }
    };
    Some(Spanned { value, at: node.at })
}

pub(super) fn people(decoder: &mut Decoder<'_>, node: &Node) -> Names<Spanned<u64>> {
    let names = decoder.names(node, "`people`");
    let ids = names.into_iter().map(|(name, node)| {
        let id = decoder.id(node, format_args!("the id of `{}`", clip(&name.value)));
        // Keep a name with an invalid id, so that lists with the name get no second error.
        (name, id.unwrap_or(Spanned::new(0, node.at)))
    });
    ids.collect()
}

pub(super) fn groups(decoder: &mut Decoder<'_>, node: &Node) -> Names<Vec<Spanned<RawMember>>> {
    let names = decoder.names(node, "`groups`");
    let lists = names.into_iter().map(|(name, node)| {
        let what = format!("the group `{}`", clip(&name.value));
        let list = members(decoder, node, what);
        (name, list)
    });
    lists.collect()
}
