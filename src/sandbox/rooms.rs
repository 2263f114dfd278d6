//! `imba_rooms`: a room is made, or one that exists is changed and given members.
//!
//! The main type is [`Wanted`], what a form asks for. Nothing here can remove a member, rename a pipe or delete a
//! room, as the API has no call for these.
//!
//! Choices where the pages say nothing: a room without `room_type` is a dialog and without `room_is_public` closed,
//! and an update without them leaves them be; a title or pipe longer than 255 characters is cut, as a MySQL `varchar`
//! does; pipes are compared byte by byte; a `room_id` names the room even when a pipe is sent too, which is then not
//! used; a site user unknown so far becomes known by being made a member; type and publicity that are no such numbers
//! count as absent.

use std::collections::BTreeSet;

use super::answers::Answer;
use super::auth::SITE_USER;
use super::calls::{complaints, number};
use super::php::Form;
use super::state::{Room, stamp};
use super::world::World;

/// The title of a room for which none was sent.
const UNTITLED: &str = "new room";
/// The longest title or pipe that is kept whole, in characters.
const LONGEST: usize = 255;

/// What a form asks for; `None` where it says nothing.
struct Wanted {
    title: Option<String>,
    kind: Option<u8>,
    is_public: Option<bool>,
    members: BTreeSet<u64>,
}

/// The room a form means.
enum Target {
    Existing(u64),
    New(Option<String>),
    Unknown,
}

impl Wanted {
    /// `room_is_public` has to be spelt just so: with a space at its end it is another name to PHP (api: fact 3).
    fn from_form(form: &Form) -> Self {
        Self {
            title: form.text("room_title").map(cut),
            kind: form
                .text("room_type")
                .and_then(|text| text.trim().parse().ok()),
            is_public: form
                .text("room_is_public")
                .and_then(number)
                .map(|flag| flag != 0),
            members: form.texts("users_ids").filter_map(number).collect(),
        }
    }
}

impl World {
    pub(super) fn imba_rooms(&mut self, form: &Form, now: u64) -> Answer {
        let complaints = complaints(form, &["imba_id", "login", "password"], &["imba_id"]);
        let Some(widget) = form
            .text("imba_id")
            .and_then(number)
            .filter(|_| complaints.is_empty())
        else {
            return Answer::invalid(&complaints);
        };
        if form.text("login").zip(form.text("password")) != Some(SITE_USER) {
            return Answer::error(401, "no user of the site has that login and password");
        }
        self.touch(widget, now);
        let wanted = Wanted::from_form(form);
        match self.target(widget, form) {
            Target::Unknown => Answer::not_found("Room not found"),
            Target::Existing(id) => self.update_room(widget, id, wanted, now),
            Target::New(pipe) => self.create_room(widget, pipe, wanted, now),
        }
    }

    /// A deleted room is not found by its id nor by its pipe.
    fn target(&self, widget: u64, form: &Form) -> Target {
        let rooms = self.state().widgets.get(&widget);
        if let Some(id) = form.text("room_id") {
            let room = number(id).and_then(|id| rooms?.live_room(id));
            return room.map_or(Target::Unknown, |room| Target::Existing(room.id));
        }
        let pipe = form.text("room_pipe").map(cut);
        let room = pipe.as_ref().and_then(|pipe| rooms?.room_by_pipe(pipe));
        room.map_or(Target::New(pipe), |room| Target::Existing(room.id))
    }

    fn create_room(
        &mut self,
        widget: u64,
        pipe: Option<String>,
        wanted: Wanted,
        now: u64,
    ) -> Answer {
        self.know_members(widget, &wanted.members, now);
        let state = self.state_mut();
        let admin_id = state.owner(widget, now);
        let room = Room {
            id: state.next_room_id(),
            widget,
            pipe: pipe.unwrap_or_else(|| state.generated_pipe(now)),
            name: wanted.title.unwrap_or_else(|| UNTITLED.to_owned()),
            admin_id,
            kind: wanted.kind.unwrap_or(0),
            is_public: wanted.is_public.unwrap_or(false),
            created_at: stamp(now),
            updated_at: stamp(now),
            deleted_at: None,
            members: wanted.members,
        };
        let id = room.id;
        self.write_room(None, room);
        Answer::room_created(id)
    }

    fn update_room(&mut self, widget: u64, id: u64, wanted: Wanted, now: u64) -> Answer {
        self.know_members(widget, &wanted.members, now);
        let quirks = *self.quirks();
        let Some(before) = self.state_mut().widget_mut(widget).rooms.get(&id).cloned() else {
            return Answer::not_found("Room not found");
        };
        let mut room = before.clone();
        room.members.extend(&wanted.members);
        if !quirks.ignore_updates {
            let reset = quirks.reset_title.then(|| UNTITLED.to_owned());
            room.name = wanted.title.or(reset).unwrap_or(room.name);
            room.kind = wanted.kind.unwrap_or(room.kind);
            room.is_public = wanted.is_public.unwrap_or(room.is_public);
        }
        if (&room.name, room.kind, room.is_public) != (&before.name, before.kind, before.is_public)
        {
            room.updated_at = stamp(now);
        }
        self.write_room(Some(&before), room);
        Answer::room_updated(id)
    }

    /// A row with the text `NULL` for a login, as the page's sample of `get_users` has, is a user known by id alone.
    fn know_members(&mut self, widget: u64, members: &BTreeSet<u64>, now: u64) {
        for &member in members {
            self.state_mut().add_user(widget, member, None, false, now);
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}
