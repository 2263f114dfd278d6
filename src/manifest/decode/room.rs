//! Decodes rooms and their members.

use std::collections::BTreeMap;

use super::super::fields::{Decoder, Fields, Keys};
use super::super::raw::{Names, RawMember, RawRoom, RawSettings, RawWelcome, Spanned};
use super::super::scalar::{Reading, reading};
use super::super::yaml::{Node, Value};
use super::rows::{self, date};
use crate::model::{Field, FieldSet, Member, MembersPolicy, Place, Presence, RoomKind, UserId};
use crate::tables::diagnostic::{Code, clip};

pub(super) const ROOM: Keys = Keys::new(
    "a room",
    "pipe title type public members exclude members_policy ignore welcome",
);
pub(super) const WELCOME: Keys = Keys::new("`welcome`", "from text");
pub(super) const DATED: Keys = Keys::new("a member with dates", "user from until");
pub(in super::super) const KINDS: [(&str, RoomKind); 6] = [
    ("dialog", RoomKind::Dialog),
    ("conference", RoomKind::Conference),
    ("support", RoomKind::Support),
    ("0", RoomKind::Dialog),
    ("1", RoomKind::Conference),
    ("3", RoomKind::Support),
];

/// Decodes a room under `rooms`.
pub(super) fn room(decoder: &Decoder, node: &Node) -> Option<RawRoom> {
    let fields = decoder.fields(node, ROOM)?;
    Some(from_fields(&fields, settings(&fields, |_| false)))
}

pub(super) fn from_fields(fields: &Fields, settings: RawSettings) -> RawRoom {
    let (decoder, at) = (fields.decoder, fields.node.at);
    let pipe = fields.required_text("pipe", "the room's identity, which never changes");
    let title = fields.required_text("title", "the title that people see");
    let stand_in = || Spanned::new(String::new(), at);
    let welcome = fields.get("welcome");
    RawRoom {
        at,
        broken: pipe.is_none() || title.is_none(),
        pipe: pipe.unwrap_or_else(stand_in),
        title: title.unwrap_or_else(stand_in),
        settings,
        members: members(decoder, fields.list("members")),
        exclude: members(decoder, fields.list("exclude")),
        ignore: ignored(fields),
        welcome: welcome.and_then(|node| self::welcome(decoder, node)),
    }
}

/// Decodes the settings of a room. Skips a key if `is_from_row` is true for it, because its
/// value is then a template.
pub(super) fn settings(fields: &Fields, is_from_row: impl Fn(&str) -> bool) -> RawSettings {
    let kind = (!is_from_row("type")).then(|| fields.choice("type", &KINDS));
    let public = (!is_from_row("public")).then(|| fields.boolean("public"));
    let policies = MembersPolicy::ALL.map(|policy| (policy.name(), policy));
    RawSettings {
        kind: kind.flatten(),
        public: public.flatten(),
        members_policy: fields.choice("members_policy", &policies),
    }
}

fn welcome(decoder: &Decoder, node: &Node) -> Option<Box<RawWelcome>> {
    let fields = decoder.fields(node, WELCOME)?;
    let from = fields.require("from", "the sender");
    let from = from.and_then(|node| single(decoder, node, "`from`"));
    let text = fields.required_text("text", "the message");
    Some(Box::new(RawWelcome {
        from: from?,
        text: text?,
        cells: BTreeMap::new(),
    }))
}

fn ignored(fields: &Fields) -> FieldSet {
    let choices = Field::ALL.map(|field| (field.name(), field));
    let what = "a field in `ignore`";
    let ignored = fields.list("ignore").iter();
    let ignored = ignored.filter_map(|node| fields.decoder.choice(node, what, &choices));
    ignored.collect()
}

fn members(decoder: &Decoder, nodes: &[Node]) -> Vec<Spanned<RawMember>> {
    let mut list: Vec<Spanned<RawMember>> = Vec::new();
    for node in nodes {
        let Some(id) = Decoder::plain_id(node) else {
            list.extend(member(decoder, node));
            continue;
        };
        let line = decoder.source.line_at(node.at.offset);
        let (file, user) = (node.at.file, UserId(id));
        let place = Place { file, line };
        if let Some(RawMember::Ids(ids)) = list.last_mut().map(|last| &mut last.value) {
            ids.push(Member { user, place });
            continue;
        }
        let mut ids = Vec::with_capacity(if list.is_empty() { nodes.len() } else { 1 });
        ids.push(Member { user, place });
        list.push(Spanned::new(RawMember::Ids(ids), node.at));
    }
    list
}

fn member(decoder: &Decoder, node: &Node) -> Option<Spanned<RawMember>> {
    let has = |key| node.get(key).is_some();
    match node.value() {
        Value::Scalar { .. } => scalar(decoder, node, "a member's id", "a member"),
        Value::Map(_) if (has("from") || has("until")) && !has("roster") => dated(decoder, node),
        Value::Map(_) => {
            let roster = rows::roster(&decoder.fields(node, rows::ROSTER)?, "roster")?;
            Some(Spanned::new(RawMember::Roster(Box::new(roster)), node.at))
        }
        _ => decoder.wrong_type(node, "a member", "an id, a name, a \"@group\" or a roster"),
    }
}

/// Decodes a user with the first day, the last day, or both days of the membership.
fn dated(decoder: &Decoder, node: &Node) -> Option<Spanned<RawMember>> {
    let fields = decoder.fields(node, DATED)?;
    let user = fields.require("user", "an id, or a name from `people`")?;
    let member = single(decoder, user, "`user`");
    let [from, until] = ["from", "until"].map(|key| {
        let node = fields.get(key)?;
        Some((node.at, date(decoder, node, format_args!("`{key}`"))?))
    });
    if let (Some((_, from)), Some((at, until))) = (from, until)
        && until < from
    {
        let message = format!("`until` is before `from`, {from}");
        let hint = "swap the two dates; the membership includes its first and its last day";
        decoder.refuse::<()>(Code::BadValue, at, message, hint);
    }
    let Spanned { value, at } = member?;
    if matches!(value, RawMember::Group(_)) {
        let message = "a group cannot have dates";
        let hint = "write an id or a name from `people`";
        return decoder.refuse(Code::BadValue, at, message, hint);
    }
    let [from, until] = [from, until].map(|bound| bound.map(|(_, date)| date));
    let presence = Presence::between(from, until, decoder.today);
    Some(Spanned::new(
        RawMember::Dated(Box::new(value), presence),
        at,
    ))
}

/// Decodes the user in the value of a key. The value must be a single word.
fn single(decoder: &Decoder, node: &Node, key: &str) -> Option<Spanned<RawMember>> {
    match node.word() {
        Some(_) => scalar(decoder, node, key, key),
        None => decoder.wrong_type(node, key, "an id or a name"),
    }
}

/// Decodes a user or a group from a single word.
fn scalar(decoder: &Decoder, node: &Node, id: &str, what: &str) -> Option<Spanned<RawMember>> {
    let value = match node.value() {
        Value::Scalar { text, plain: true } if reading(text) == Reading::Number => {
            RawMember::Id(decoder.id(node, id)?.value)
        }
        _ => {
            let text = decoder.text(node, what)?.value;
            match text.strip_prefix('@') {
                Some(group) => RawMember::Group(group.to_owned()),
                None => RawMember::Person(text),
            }
        }
    };
    Some(Spanned::new(value, node.at))
}

pub(super) fn people(fields: &Fields) -> Names<Spanned<u64>> {
    let ids = fields.names("people").into_iter().map(|(name, node)| {
        let id = fields
            .decoder
            .id(node, format_args!("the id of `{}`", clip(&name.value)));
        // Keep a name with an invalid id, so that lists with the name get no second error.
        (name, id.unwrap_or(Spanned::new(0, node.at)))
    });
    ids.collect()
}

pub(super) fn groups(fields: &Fields) -> Names<Vec<Spanned<RawMember>>> {
    let lists = fields.names("groups").into_iter().map(|(name, node)| {
        let what = format!("the group `{}`", clip(&name.value));
        (
            name,
            members(fields.decoder, fields.decoder.list(node, what)),
        )
    });
    lists.collect()
}
