//! What the rows of a page open to, as data in the page: fields, and members by where they come from.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use crate::model::{Desired, DesiredRoom, FileId, UserId};
use crate::plan::{Action, ByHand, Change};
use crate::render::escape::terminal;
use crate::view::{Detail as Subject, value};

/// Members of one place: the file by its number, the line, and the users.
type Group = (u32, u32, Vec<Id>);

/// A number of somebody else's, written as a text: a browser rounds numbers from 2^53 on.
#[derive(Debug, Clone, Copy)]
struct Id(u64);

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// All details of a page.
#[derive(Debug, Serialize)]
pub(super) struct Details<'a> {
    #[serde(skip)]
    desired: &'a Desired,
    /// Whether two manifests are compared: then rooms have no ids.
    #[serde(skip)]
    compares: bool,
    files: Vec<String>,
    /// The numbers of those files that have rows.
    rosters: Vec<u32>,
    items: Vec<Detail>,
}

/// What one row opens to.
#[derive(Debug, Default, Serialize)]
struct Detail {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<[String; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<Vec<Group>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<Vec<Group>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rest: Option<Vec<[u64; 3]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<Vec<Id>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    released: Option<Vec<Id>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    welcome: Option<(Id, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<Id>,
}

impl<'a> Details<'a> {
    pub(super) fn new(desired: &'a Desired, compares: bool) -> Self {
        Self {
            desired,
            compares,
            files: desired.files.iter().map(|file| terminal(file)).collect(),
            rosters: desired.rosters.keys().map(|file| file.0).collect(),
            items: Vec::new(),
        }
    }

    /// Adds what a line opens to, and returns its number.
    pub(super) fn push(&mut self, subject: &Subject<'_>) -> Option<usize> {
        let detail = match subject {
            Subject::None => return None,
            Subject::Change(change) => self.change(change),
            Subject::ByHand(room) => by_hand(room),
        };
        self.items.push(detail);
        Some(self.items.len() - 1)
    }

    fn change(&self, change: &Change) -> Detail {
        let fields = change.fields().iter().map(|field| {
            let value = |it| super::plain(&value(it));
            [
                field.field.name().to_owned(),
                value(&field.before),
                value(&field.after),
            ]
        });
        let fields = fields.filter(|[name, ..]| name != "title").collect();
        let room = self.desired.rooms.get(&change.pipe);
        let sent: BTreeSet<UserId> = change.members.sent().collect();
        let welcome = change
            .welcome
            .as_ref()
            .map(|it| (Id(it.from.0), terminal(&it.text)));
        Detail {
            fields,
            new: self.groups(room, &change.members.new),
            again: self.groups(room, &change.members.unverified),
            rest: room.and_then(|room| self.rest(room, &sent)),
            welcome,
            room: match change.action {
                Action::Update { id, .. } if !self.compares => Some(Id(id.0)),
                Action::Update { .. } | Action::Create => None,
            },
            ..Detail::default()
        }
    }

    /// Users by the place that put them there; those nobody knows a place of stand at none.
    fn groups(&self, room: Option<&DesiredRoom>, users: &[UserId]) -> Option<Vec<Group>> {
        let mut groups: BTreeMap<(u32, u32), Vec<Id>> = BTreeMap::new();
        for user in users {
            let declared = room.and_then(|room| room.member(*user));
            let place = declared.map(|member| member.place);
            let place = place.or(room.map(|room| room.place));
            let key = place.map_or((0, 0), |place| (place.file.0, place.line));
            groups.entry(key).or_default().push(Id(user.0));
        }
        let groups = groups.into_iter();
        let groups: Vec<Group> = groups
            .map(|((file, line), users)| (file, line, users))
            .collect();
        (!groups.is_empty()).then_some(groups)
    }

    /// How many declared members nothing is sent for, by place; a roster counts as one place.
    fn rest(&self, room: &DesiredRoom, sent: &BTreeSet<UserId>) -> Option<Vec<[u64; 3]>> {
        let mut counts: BTreeMap<(FileId, u32), u64> = BTreeMap::new();
        for member in room
            .members
            .iter()
            .filter(|member| !sent.contains(&member.user))
        {
            let place = member.place;
            let line = if self.desired.rosters.contains_key(&place.file) {
                0
            } else {
                place.line
            };
            *counts.entry((place.file, line)).or_default() += 1;
        }
        let counts = counts
            .into_iter()
            .map(|((file, line), count)| [u64::from(file.0), u64::from(line), count]);
        let counts: Vec<[u64; 3]> = counts.collect();
        (!counts.is_empty()).then_some(counts)
    }
}

/// Members of a room that are no longer in the manifest.
fn by_hand(room: &ByHand) -> Detail {
    let ids = |users: &[UserId]| {
        (!users.is_empty()).then(|| users.iter().map(|user| Id(user.0)).collect())
    };
    Detail {
        left: ids(&room.left),
        released: ids(&room.released),
        ..Detail::default()
    }
}
