//! Rooms, and the people and groups that stand in them.

use std::collections::BTreeMap;

use super::super::fields::{Decoder, Fields, Keys};
use super::super::raw::{Names, PositiveId, RawMember, RawRoom, RawWelcome, Spanned};
use super::super::scalar::{Reading, reading};
use super::super::yaml::{Node, Value};
use super::roster;
use crate::model::{Field, Member, MembersPolicy, Place, RoomKind, UserId};
use crate::tables::diagnostic::clip;

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
const WELCOME: Keys = Keys::new("`welcome`", &["from", "text"]);
pub(super) const KINDS: [(&str, RoomKind); 6] = [
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

/// A room as it stands under `rooms`.
pub(super) fn room(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawRoom> {
    let fields = decoder.fields(node, ROOM)?;
    Some(from_fields(decoder, &fields))
}

pub(super) fn from_fields(decoder: &mut Decoder<'_>, fields: &Fields<'_>) -> RawRoom {
    let pipe = fields.get("pipe");
    let owner = match pipe.map(Node::value) {
        Some(Value::Scalar { text, .. }) => format!("the room `{}`", clip(text)),
        _ => "a room".to_owned(),
    };
    fields.require(decoder, &owner, "pipe", "its own name, which never changes");
    fields.require(decoder, &owner, "title", "what people see");
    let pipe = pipe.and_then(|node| decoder.text(node, "`pipe`"));
    let title = fields.get("title");
    let title = title.and_then(|node| decoder.text(node, "`title`"));
    let kind = fields.get("type");
    let public = fields.get("public");
    let policy = fields.get("members_policy");
    let welcome = fields.get("welcome");
    let stand_in = || Spanned {
        value: String::new(),
        at: fields.at,
    };
    RawRoom {
        at: fields.at,
        broken: pipe.is_none() || title.is_none(),
        pipe: pipe.unwrap_or_else(stand_in),
        title: title.unwrap_or_else(stand_in),
        kind: kind.and_then(|node| decoder.choice(node, "`type`", &KINDS)),
        public: public.and_then(|node| decoder.boolean(node, "`public`")),
        members: member_list(decoder, fields.get("members"), "`members`"),
        exclude: member_list(decoder, fields.get("exclude"), "`exclude`"),
        members_policy: policy.and_then(|node| decoder.choice(node, "`members_policy`", &POLICIES)),
        ignore: fields
            .get("ignore")
            .map(|node| ignored(decoder, node))
            .unwrap_or_default(),
        welcome: welcome
            .and_then(|node| self::welcome(decoder, node))
            .map(Box::new),
    }
}

fn member_list(
    decoder: &mut Decoder<'_>,
    node: Option<&Node>,
    what: &str,
) -> Vec<Spanned<RawMember>> {
    let list = node.map(|node| members(decoder, node, what));
    list.unwrap_or_default()
}

fn welcome(decoder: &mut Decoder<'_>, node: &Node) -> Option<RawWelcome> {
    let fields = decoder.fields(node, WELCOME)?;
    fields.require(decoder, fields.owner, "from", "who says it");
    fields.require(decoder, fields.owner, "text", "what is said");
    let from = fields.get("from").and_then(|node| match node.value() {
        Value::Scalar { .. } => scalar(decoder, node, "`from`", "`from`"),
        _ => {
            decoder.wrong_type(node, "`from`", "an id or a name");
            None
        }
    });
    let text = fields
        .get("text")
        .and_then(|node| decoder.text(node, "`text`"));
    Some(RawWelcome {
        from: from?,
        text: text?,
        cells: BTreeMap::new(),
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

pub(super) fn members(
    decoder: &mut Decoder<'_>,
    node: &Node,
    what: &str,
) -> Vec<Spanned<RawMember>> {
    let nodes = decoder.list(node, what);
    let (mut list, mut ids, mut at) = (Vec::new(), Vec::new(), node.at);
    let close = |list: &mut Vec<_>, ids: &mut Vec<Member>, at| {
        if !ids.is_empty() {
            let value = RawMember::Ids(std::mem::take(ids).into_boxed_slice());
            list.push(Spanned { value, at });
        }
    };
    for (index, node) in nodes.iter().enumerate() {
        match Decoder::plain_id(node) {
            Some(id) => {
                if ids.is_empty() {
                    (ids, at) = (Vec::with_capacity(nodes.len() - index), node.at);
                }
                let line = decoder.lines.of(node.at.offset);
                let place = Place {
                    file: node.at.file,
                    line,
                };
                ids.push(Member {
                    user: UserId(id),
                    place,
                });
            }
            None => {
                close(&mut list, &mut ids, at);
                list.extend(member(decoder, node));
            }
        }
    }
    close(&mut list, &mut ids, at);
    list
}

fn member(decoder: &mut Decoder<'_>, node: &Node) -> Option<Spanned<RawMember>> {
    if matches!(node.value(), Value::Map(_)) {
        let roster = roster::roster(decoder, node)?;
        return Some(Spanned {
            value: RawMember::Roster(Box::new(roster)),
            at: node.at,
        });
    }
    if !matches!(node.value(), Value::Scalar { .. }) {
        decoder.wrong_type(node, "a member", "an id, a name, a \"@group\" or a roster");
        return None;
    }
    scalar(decoder, node, "a member's id", "a member")
}

/// A user or a group by one word.
fn scalar(
    decoder: &mut Decoder<'_>,
    node: &Node,
    id: &str,
    what: &str,
) -> Option<Spanned<RawMember>> {
    let value = match node.value() {
        Value::Scalar { text, plain: true } if reading(text) == Reading::Number => {
            RawMember::Id(decoder.id(node, id)?.value.0)
        }
        _ => {
            let text = decoder.text(node, what)?.value;
            match text.strip_prefix('@') {
                Some(group) => RawMember::Group(group.to_owned()),
                None => RawMember::Person(text),
            }
        }
    };
    Some(Spanned { value, at: node.at })
}

pub(super) fn people(decoder: &mut Decoder<'_>, node: &Node) -> Names<Spanned<PositiveId>> {
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

pub(super) fn groups(decoder: &mut Decoder<'_>, node: &Node) -> Names<Vec<Spanned<RawMember>>> {
    let names = decoder.names(node, "`groups`");
    let lists = names.into_iter().map(|(name, value)| {
        let what = format!("the group `{}`", clip(&name.value));
        let list = members(decoder, value, &what);
        (name, list)
    });
    Names(lists.collect())
}
