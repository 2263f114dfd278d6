//! The panel that a row of an HTML page shows when it is opened: the fields, the members by source,
//! and the welcome. A panel is a single text, because many elements would make the browser slow.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::model::{Field, Pipe, Place, UserId};
use crate::plan::Change;
use crate::render::escape::terminal;
use crate::view::names::user;
use crate::view::{Detail, NAMED, State, View, value};

#[derive(Default)]
pub(super) struct Panel {
    /// The ids of the users in the panel, for the search.
    pub(super) users: String,
    /// The lines of the panel, such as `Members to add (rooms.yaml:7): tutor (5), 17`. The template
    /// escapes them.
    pub(super) lines: String,
}

impl Panel {
    pub(super) fn new(view: &View<'_>, detail: &Detail<'_>) -> Option<Self> {
        let mut panel = Self::default();
        let (name, users) = match detail {
            Detail::None => return None,
            Detail::Change(change) => {
                panel.add_change(view, change);
                return Some(panel);
            }
            Detail::Removed(users) => ("Remove", users.to_vec()),
            Detail::OpenSteps(steps) => {
                let users = steps.iter().map(|step| step.user);
                ("Removed earlier", users.collect::<Vec<UserId>>())
            }
        };
        panel.add_users(view, name, None, &users);
        // The row itself names the first users, so a short list needs no panel.
        if users.len() <= NAMED {
            panel.lines.clear();
        }
        Some(panel)
    }

    fn add_change(&mut self, view: &View<'_>, change: &Change) {
        let fields = change.fields.iter();
        for field in fields.filter(|field| field.field != Field::Title) {
            let [before, after] = [&field.before, &field.after].map(|it| super::plain(&value(it)));
            let _ = writeln!(self.lines, "{}: {before} → {after}", field.field.name());
        }
        let pipe = Some(&change.pipe);
        self.add_users(view, "Members to add", pipe, &change.members.new);
        self.add_users(view, "Sent again", pipe, &change.members.unknown);
        if let Some(welcome) = &change.welcome {
            let from = terminal(&user(welcome.from, &view.names));
            let _ = writeln!(
                self.lines,
                "Welcome from {from}: {}",
                terminal(&welcome.text)
            );
            let _ = write!(self.users, "{} ", welcome.from);
        }
        // A manifest diff has no live rooms. Its room ids are made up, so do not show them.
        if let Some(id) = change.room_id.filter(|_| view.state != State::Compared) {
            let _ = writeln!(self.lines, "Room: {id}");
        }
    }

    /// Adds users, grouped by the place that adds them to the room. Users without a place get
    /// the place of the room. A roster is one group, and its users are shown with their row
    /// numbers.
    fn add_users(&mut self, view: &View<'_>, name: &str, pipe: Option<&Pipe>, users: &[UserId]) {
        let desired = view.desired;
        let room = pipe.and_then(|pipe| desired?.rooms.get(pipe));
        let mut groups: BTreeMap<Option<Place>, Vec<String>> = BTreeMap::new();
        for id in users {
            let _ = write!(self.users, "{id} ");
            let mut shown = terminal(&user(*id, &view.names));
            let place = room.map(|room| room.member(*id).map_or(room.place, |it| it.place));
            let place = place.map(|place| match desired {
                Some(desired) if desired.rosters.contains_key(&place.file) => {
                    let _ = write!(shown, " row {}", place.line);
                    Place { line: 0, ..place }
                }
                _ => place,
            });
            groups.entry(place).or_default().push(shown);
        }
        for (place, users) in groups {
            let place = desired.zip(place).map(|(desired, place)| {
                let file = terminal(&desired.file_name(place));
                match place.line {
                    0 => format!(" ({file})"),
                    line => format!(" ({file}:{line})"),
                }
            });
            let (place, users) = (place.unwrap_or_default(), users.join(", "));
            let _ = writeln!(self.lines, "{name}{place}: {users}");
        }
    }
}
