//! The calls that write. `imba_rooms` creates a room, or updates an existing one and adds members.
//! `send_msg` sends a message from a user of the external site to a room.
//!
//! The API has no calls to remove a member, rename a pipe or delete a room.
//! `send_msg` does not check whether the user is a member of the room, and it sends duplicates
//! again.
//!
//! Choices where the documentation is silent: A new room without `room_type` is a dialog. A new
//! room without `room_is_public` is closed. An update without these fields leaves them unchanged.
//! An invalid type or visibility counts as absent. A title or pipe longer than 255 characters is
//! truncated, like a MySQL `varchar`. Pipes are compared byte by byte. `room_id` takes precedence
//! over a pipe that is sent with it. Adding an unknown site user as a member creates the user,
//! unless the quirk `drop_unknown_users` is on. The documentation's text requires `imba_id` and
//! `password` for `send_msg`, but its sample does not send them. The sandbox ignores them, unless
//! the quirk `strict_messages` is on. If the widget does not know the user or the room of a
//! message, the answer is a 404.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::Answer;
use super::auth::SITE_USER;
use super::fault_injection::splitmix64;
use super::php::{Form, number};
use super::records::{Entry, Message, Room};
use super::server_state::{UNTITLED, World};

/// The maximum length of a title or pipe, in characters.
const LONGEST: usize = 255;
/// The fields that `send_msg` requires.
const REQUIRED: [&str; 3] = ["user_id", "room_id", "message"];
/// The fields that `send_msg` requires with the quirk `strict_messages`.
const STRICT: [&str; 5] = ["imba_id", "password", "user_id", "room_id", "message"];

impl World {
    /// Handles a call of `imba_rooms`. Deleted rooms are treated as absent.
    pub(super) fn imba_rooms(&mut self, form: &Form) -> Answer {
        let complaints = complaints(form, &["imba_id", "login", "password"], &["imba_id"]);
        let widget = form.number("imba_id");
        let Some(widget) = widget.filter(|_| complaints.is_empty()) else {
            return Answer::invalid(&complaints);
        };
        if form.text("login").zip(form.text("password")) != Some(SITE_USER) {
            return Answer::error(401, "no user of the site has that login and password");
        }
        let duplicates = self.quirks.duplicate_pipes;
        let contents = self.touch(widget);
        let pipe = form.text("room_pipe").map(cut);
        let known = match (form.text("room_id"), &pipe) {
            (Some(id), _) => match number(id).and_then(|id| contents.live_room(id)) {
                Some(room) => Some(room.clone()),
                None => return Answer::not_found("Room not found"),
            },
            (None, Some(pipe)) if !duplicates => contents.room_by_pipe(pipe).cloned(),
            (None, _) => None,
        };
        let mut members: BTreeSet<u64> = form.texts("users_ids").filter_map(number).collect();
        if self.quirks.drop_unknown_users {
            let known = &self.widget_mut(widget).users;
            members.retain(|member| known.contains_key(member));
        }
        for &member in &members {
            self.add_user(widget, member, None, false);
        }
        if let Some(room) = known {
            return self.update_room(room, members, form);
        }
        let id = self.next_room_id();
        let room = self.new_room(widget, id, pipe);
        self.write_room(with_fields(form, Room { members, ..room }));
        Answer::room_created(id)
    }

    fn update_room(&mut self, before: Room, members: BTreeSet<u64>, form: &Form) -> Answer {
        let id = before.id;
        let mut room = before.clone();
        if !self.quirks.ignore_updates {
            if !self.quirks.keep_title {
                room.name = UNTITLED.to_owned();
            }
            room = with_fields(form, room);
        }
        if room != before {
            room.updated_at = self.stamp();
        }
        room.members.extend(members);
        self.write_room(room);
        Answer::room_updated(id)
    }

    pub(super) fn send_msg(&mut self, widget: u64, form: &Form) -> Answer {
        let required = match self.quirks.strict_messages {
            true => &STRICT[..],
            false => &REQUIRED,
        };
        let complaints = complaints(form, required, &["user_id", "room_id"]);
        if !complaints.is_empty() {
            return Answer::invalid(&complaints);
        }
        let now = self.now.as_secs();
        let contents = self.touch(widget);
        let user = form.number("user_id");
        let user = user.and_then(|id| contents.users.get(&id));
        let Some(author) = user.cloned() else {
            return Answer::not_found("User not found");
        };
        let room = form.number("room_id");
        let room = room.and_then(|id| contents.live_room(id));
        let Some(room) = room.map(|room| room.id) else {
            return Answer::not_found("Room not found");
        };
        let id = self.counters.message + 1;
        let message = Message {
            id,
            widget,
            room_id: room,
            remote_user_id: author.remote_user_id,
            text: form.text("message").unwrap_or_default().to_owned(),
            time: now,
            // The end looks random, but depends only on the id.
            uuid: format!("{room}-{now}-{:06x}", splitmix64(id) >> 40),
        };
        let answer = Answer::message_sent(&message, &author);
        self.add(Entry::Message(message));
        answer
    }
}

/// Applies the fields in the form to the room. The name `room_is_public` must be spelt exactly:
/// if it has a trailing space, PHP sees another name (api: fact 3).
fn with_fields(form: &Form, room: Room) -> Room {
    let kind = form.text("room_type").map(str::trim);
    let flag = form.number("room_is_public");
    Room {
        name: form.text("room_title").map_or(room.name, cut),
        kind: kind.and_then(|it| it.parse().ok()).unwrap_or(room.kind),
        is_public: flag.map_or(room.is_public, |flag| flag != 0),
        ..room
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// Returns validation errors by field, for missing required fields and invalid numbers.
fn complaints<'a>(
    form: &Form,
    required: &[&'a str],
    numbers: &[&'a str],
) -> BTreeMap<&'a str, String> {
    let words = |field: &str| field.replace('_', " ");
    let missing = required
        .iter()
        .filter(|field| form.text(field).is_none())
        .map(|field| (*field, format!("The {} field is required.", words(field))));
    let malformed = numbers
        .iter()
        .filter(|field| form.text(field).is_some() && form.number(field).is_none())
        .map(|field| (*field, format!("The {} must be an integer.", words(field))));
    missing.chain(malformed).collect()
}
