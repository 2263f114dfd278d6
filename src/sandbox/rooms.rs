//! `imba_rooms`: creates a room, or updates an existing one and adds members.
//!
//! It cannot remove a member, rename a pipe or delete a room, because the API has no call for
//! these.
//!
//! Choices where the documentation is silent: A new room without `room_type` is a dialog. A new
//! room without `room_is_public` is closed. An update without these fields leaves them unchanged.
//! An invalid type or visibility counts as absent. A title or pipe longer than 255 characters is
//! truncated, like a MySQL `varchar`. Pipes are compared byte by byte. `room_id` takes precedence
//! over a pipe that is sent with it. Adding an unknown site user as a member creates the user,
//! unless the quirk `drop_unknown_users` is on.

use std::collections::BTreeSet;

use super::answers::Answer;
use super::auth::SITE_USER;
use super::calls::complaints;
use super::php::{Form, number};
use super::records::Room;
use super::server_state::{UNTITLED, World};

/// The maximum length of a title or pipe, in characters.
const LONGEST: usize = 255;

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
