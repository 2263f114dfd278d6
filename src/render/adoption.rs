//! Writes what an adoption would record, as text.

use std::fmt::Write;

use super::column::{measure_pipes, pad};
use super::escape::terminal;
use crate::model::{Pipe, Target, UserNames};
use crate::plan::{Adopted, Adoption};
use crate::view::Count;
use crate::view::names::users;

/// Returns the rooms, the members of each room, and an explanation. The text ends with a line
/// break.
pub fn adoption(target: &Target, adoption: &Adoption, names: &UserNames) -> String {
    let Adoption {
        rooms,
        absent,
        not_listed,
        several,
        to_send,
    } = adoption;
    let mut text = String::new();
    let width = measure_pipes(rooms.iter().map(|it| &it.pipe).chain(several));
    let column = |pipe: &Pipe| pad(&terminal(pipe.as_str()), width);
    for Adopted {
        pipe,
        room,
        members,
    } in rooms
    {
        let members = match members.as_slice() {
            [] => "the room itself".to_owned(),
            new => format!(
                "{} ({})",
                Count(new.len(), "member"),
                terminal(&users(new, names))
            ),
        };
        let _ = writeln!(text, "  {} room {room}: {members}", column(pipe));
    }
    for pipe in several {
        let why = "more than one live room has this pipe";
        let _ = writeln!(text, "  {} left out: {why}", column(pipe));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let absent = match absent {
        0 => String::new(),
        absent => format!(
            "; {} to create with `apply`",
            Count(*absent, "declared room")
        ),
    };
    let members = Count(adoption.members(), "membership");
    let found = match rooms.len() {
        0 => "nothing new to record".to_owned(),
        rooms => format!("{members} of {} to record as present", Count(rooms, "room")),
    };
    let _ = writeln!(text, "adopt: {found}{absent}");
    if *to_send > 0 {
        let to_send = Count(*to_send, "membership");
        let why = "each is declared again, new in a room that roomform wrote to, or not yet sent after a create";
        let _ = writeln!(text, "       {to_send} left for `apply` to send: {why}");
    }
    if *not_listed > 0 {
        let rooms = Count(*not_listed, "declared room");
        let why = "a JWT may show only one user's rooms; read with the secret key";
        let _ = writeln!(text, "       {rooms} not listed: {why}");
    }
    let _ = writeln!(text, "       target: {target}");
    text.push_str("       nothing is sent to the server, and it confirms nothing: `apply` will not add a recorded user who is not in the room\n");
    text
}
