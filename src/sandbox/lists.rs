//! `get_rooms`, `get_users` and `get_messages`: the rows of a widget, filtered.
//!
//! The main type is [`Filter`]. Lists have no pages, because the documentation mentions none.
//! The newest rows come first, as in the documentation's samples.
//!
//! Choices where the documentation is silent: A filter matches exactly. An invalid number
//! matches nothing. A date matches by prefix, so a day matches every time on that day. Only
//! rows of the widget in the path are listed, so the `imba_id` of another widget matches
//! nothing. For a room, `status` matches the role of any member, and `banned` means that a
//! member is banned. Some of the documentation's samples show rows that their own filters do
//! not match. The sandbox always applies the filters.

use std::collections::BTreeMap;

use super::answers::{Answer, message_row, room_row, user_row};
use super::php::Form;
use super::records::{Message, Room, User, stamp};
use super::server_state::{CountUsers, Quirks, Widget, World};

/// The filters in a form. A filter that is absent or empty matches all rows.
struct Filter<'a>(&'a Form);

impl Filter<'_> {
    fn number(&self, name: &str, actual: u64) -> bool {
        self.0.text(name).is_none() || self.0.number(name) == Some(actual)
    }

    fn text(&self, name: &str, actual: &str) -> bool {
        self.0.text(name).is_none_or(|wanted| wanted == actual)
    }

    /// Whether the role matches. The documented filters spell the role `admin` as `administrator`.
    fn role(&self, name: &str, actual: &str) -> bool {
        let wanted = self.0.text(name);
        self.text(name, actual) || (wanted == Some("administrator") && actual == "admin")
    }

    fn flag(&self, name: &str, actual: bool) -> bool {
        self.number(name, actual.into())
    }

    fn date(&self, name: &str, actual: Option<u64>) -> bool {
        let begins = |wanted: &str| actual.is_some_and(|epoch| stamp(epoch).starts_with(wanted));
        self.0.text(name).is_none_or(begins)
    }

    /// Whether the room has the wanted number of users. An administrator who is a member counts once.
    fn size(&self, room: &Room, has_admin: bool, quirks: Quirks) -> bool {
        let admin = usize::from(quirks.count_admin && !has_admin);
        let size = (room.members.len() + admin) as u64;
        match quirks.count_users {
            CountUsers::Exact => self.number("count_users", size),
            CountUsers::AtLeast => {
                let wanted = self.0.number("count_users");
                self.0.text("count_users").is_none() || wanted.is_some_and(|wanted| wanted <= size)
            }
            CountUsers::Ignored => true,
        }
    }

    fn room(
        &self,
        room: &Room,
        widget: &Widget,
        last_message: Option<u64>,
        quirks: Quirks,
    ) -> bool {
        let members = || room.members.iter().filter_map(|id| widget.users.get(id));
        self.number("room_type", room.kind.into())
            && self.number("imba_id", room.widget)
            && self.size(room, members().any(|user| user.id == room.admin_id), quirks)
            && self.date("last_message_date", last_message)
            && (self.0.text("status").is_none()
                || members().any(|user| self.role("status", user.role())))
            && (self.0.text("banned").is_none()
                || self.flag("banned", members().any(|user| user.banned)))
    }

    fn user(&self, user: &User, last_message: Option<u64>) -> bool {
        self.text("login", user.login.as_deref().unwrap_or("NULL"))
            && self.number("id", user.id)
            && self.number("imba_id", user.widget)
            && self.role("status", user.role())
            && self.date("last_message_date", last_message)
            && self.flag("banned", user.banned)
    }

    fn message(&self, message: &Message, author: &User, room: &Room) -> bool {
        self.date("date", Some(message.time))
            && self.number("id", message.id)
            && self.number("imba_id", message.widget)
            && self.number("room_type", room.kind.into())
            && self.text("user_name", &author.name())
            && self.role("user_role", author.role())
    }
}

impl World {
    /// Lists the rooms of the user whose id is `of`, or of all users if `of` is `None`.
    pub(super) fn get_rooms(&mut self, widget: u64, of: Option<u64>, form: &Form) -> Answer {
        self.touch(widget);
        let until = self.now.saturating_sub(self.quirks.lag_time);
        self.lag.list_called(widget, self.quirks.lag, until);
        let Some(contents) = self.widgets.get(&widget) else {
            return Answer::list(&[]);
        };
        let filter = Filter(form);
        let last = last_messages(contents, |message| message.room_id);
        let rows = contents
            .rooms
            .values()
            .rev()
            .filter_map(|room| self.shown(room))
            .filter(|room| of.is_none_or(|user| room.members.contains(&user)))
            .filter(|room| filter.room(room, contents, last.get(&room.id).copied(), self.quirks))
            .map(room_row);
        Answer::list(&rows.collect::<Vec<_>>())
    }

    pub(super) fn get_users(&mut self, widget: u64, form: &Form) -> Answer {
        let contents = &*self.touch(widget);
        let filter = Filter(form);
        let last = last_messages(contents, |message| message.remote_user_id);
        let mut users: Vec<_> = contents
            .users
            .values()
            .filter(|user| filter.user(user, last.get(&user.remote_user_id).copied()))
            .collect();
        users.sort_by_key(|user| std::cmp::Reverse(user.id));
        Answer::list(&users.into_iter().map(user_row).collect::<Vec<_>>())
    }

    pub(super) fn get_messages(&mut self, widget: u64, form: &Form) -> Answer {
        let contents = &*self.touch(widget);
        let filter = Filter(form);
        let rows = contents.messages.iter().rev().filter_map(|message| {
            let author = contents.users.get(&message.remote_user_id)?;
            let room = contents.rooms.get(&message.room_id)?;
            filter
                .message(message, author, room)
                .then(|| message_row(message, author))
        });
        Answer::list(&rows.collect::<Vec<_>>())
    }

    /// Returns the room as the caller sees it; `None` if the room is deleted or not yet visible.
    fn shown<'a>(&'a self, room: &'a Room) -> Option<&'a Room> {
        self.lag
            .view(room)
            .filter(|room| room.deleted_at.is_none() || self.quirks.show_deleted)
    }
}

/// Returns the time of the last message in each room or from each author, depending on `key`.
fn last_messages(widget: &Widget, key: impl Fn(&Message) -> u64) -> BTreeMap<u64, u64> {
    let mut last = BTreeMap::new();
    for message in &widget.messages {
        let time = last.entry(key(message)).or_insert(message.time);
        *time = message.time.max(*time);
    }
    last
}
