//! The expandable details of a page's rows, as data in the page: fields, and members grouped by source position.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::model::{Desired, DesiredRoom, Field, FileId, Place, UserId, UserNames};
use crate::plan::Change;
use crate::render::escape::terminal;
use crate::view::names::{self, named_users};
use crate::view::{Detail as Subject, value};

/// Members of one source position: the file's number, the line, and the users.
type Group = (u32, u32, Vec<String>);

/// All details of a page.
#[derive(Debug, Serialize)]
pub(super) struct Details<'a> {
    #[serde(skip)]
    desired: &'a Desired,
    #[serde(skip)]
    known: &'a UserNames,
    /// Whether two manifests are compared. In that case rooms have no ids.
    #[serde(skip)]
    compares: bool,
    files: Vec<String>,
    /// The numbers of the files that have rows.
    rosters: Vec<u32>,
    /// The users that have a name, as they are shown: `tutor (5)`.
    names: BTreeMap<String, String>,
    items: Vec<Detail>,
}

/// The details of one row. Ids are strings: browsers round numbers from 2^53 on.
#[derive(Debug, Default, Serialize)]
struct Detail {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<[String; 3]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    new: Vec<Group>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    again: Vec<Group>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rest: Vec<[u64; 3]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    newly_removed: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    previously_removed: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    welcome: Option<[String; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<String>,
}

impl<'a> Details<'a> {
    pub(super) fn new(desired: &'a Desired, known: &'a UserNames, compares: bool) -> Self {
        Self {
            known,
            names: BTreeMap::new(),
            desired,
            compares,
            files: desired.files.iter().map(|file| terminal(file)).collect(),
            rosters: desired.rosters.keys().map(|file| file.0).collect(),
            items: Vec::new(),
        }
    }

    /// Adds the details of a line, and returns their number.
    pub(super) fn push(&mut self, subject: &Subject<'_>) -> Option<usize> {
        let detail = match subject {
            Subject::None => return None,
            Subject::Change(change) => self.change(change),
            Subject::Removed(users) => Detail {
                newly_removed: users.iter().map(ToString::to_string).collect(),
                ..Detail::default()
            },
            Subject::OpenSteps(steps) => Detail {
                previously_removed: steps.iter().map(|step| step.user.to_string()).collect(),
                ..Detail::default()
            },
        };
        self.add_names(subject);
        self.items.push(detail);
        Some(self.items.len() - 1)
    }

    fn add_names(&mut self, subject: &Subject<'_>) {
        let users: Vec<UserId> = match subject {
            Subject::None => return,
            Subject::Change(change) => named_users(std::slice::from_ref(*change), &[]).collect(),
            Subject::Removed(users) => users.to_vec(),
            Subject::OpenSteps(steps) => steps.iter().map(|step| step.user).collect(),
        };
        for user in users
            .into_iter()
            .filter(|user| self.known.contains_key(user))
        {
            let shown = terminal(&names::user(user, self.known));
            self.names.insert(user.to_string(), shown);
        }
    }

    fn change(&self, change: &Change) -> Detail {
        let fields = change.fields().iter();
        let fields = fields.filter(|field| field.field != Field::Title);
        let fields = fields.map(|field| {
            let [before, after] = [&field.before, &field.after].map(|it| super::plain(&value(it)));
            [field.field.name().to_owned(), before, after]
        });
        let room = self.desired.rooms.get(&change.pipe);
        let sent: BTreeSet<UserId> = change.members.sent().collect();
        let welcome = change.welcome.as_ref();
        let room_id = change.room_id().filter(|_| !self.compares);
        Detail {
            fields: fields.collect(),
            new: groups(room, &change.members.new),
            again: groups(room, &change.members.unknown),
            rest: room.map(|room| self.rest(room, &sent)).unwrap_or_default(),
            welcome: welcome.map(|it| [it.from.to_string(), terminal(&it.text)]),
            room: room_id.map(|id| id.to_string()),
            ..Detail::default()
        }
    }

    /// The number of declared members that are not sent, by source position. A roster counts as one position.
    fn rest(&self, room: &DesiredRoom, sent: &BTreeSet<UserId>) -> Vec<[u64; 3]> {
        let mut counts: BTreeMap<(FileId, u32), u64> = BTreeMap::new();
        let members = room.members.iter();
        for member in members.filter(|member| !sent.contains(&member.user)) {
            let Place { file, line } = member.place;
            let line = match self.desired.rosters.contains_key(&file) {
                true => 0,
                false => line,
            };
            *counts.entry((file, line)).or_default() += 1;
        }
        let counts = counts.into_iter();
        let counts = counts.map(|((FileId(file), line), count)| [file.into(), line.into(), count]);
        counts.collect()
    }
}

/// Users grouped by the position that declares them, or else by the room's position; 0 if the room is not declared.
fn groups(room: Option<&DesiredRoom>, users: &[UserId]) -> Vec<Group> {
    let mut groups: BTreeMap<(u32, u32), Vec<String>> = BTreeMap::new();
    for user in users {
        let place = room.map(|room| room.member(*user).map_or(room.place, |member| member.place));
        let key = place.map_or((0, 0), |place| (place.file.0, place.line));
        groups.entry(key).or_default().push(user.to_string());
    }
    let groups = groups.into_iter();
    let groups = groups.map(|((file, line), users)| (file, line, users));
    groups.collect()
}
