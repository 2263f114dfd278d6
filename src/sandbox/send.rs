//! `send_msg`: sends a message from a user of the external site to a room.
//!
//! It does not check whether the user is a member of the room, and it sends duplicates again.
//!
//! Choices where the documentation is silent or unclear: The documentation's text requires
//! `imba_id` and `password`, but its sample does not send them. The sandbox ignores them,
//! unless the quirk `strict_messages` is on. If the widget does not know the user or the room,
//! the answer is a 404.

use super::answers::Answer;
use super::calls::complaints;
use super::fault_injection::splitmix64;
use super::php::Form;
use super::records::{Entry, Message};
use super::server_state::World;

const REQUIRED: [&str; 3] = ["user_id", "room_id", "message"];
/// The fields that the quirk `strict_messages` requires.
const STRICT: [&str; 5] = ["imba_id", "password", "user_id", "room_id", "message"];

impl World {
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
            remote_user_id: author.remote,
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
