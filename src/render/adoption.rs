//! What an adoption would record, as text.

use std::fmt::Write;

use super::escape::terminal;
use crate::model::Target;
use crate::plan::{Adopted, Adoption};
use crate::view::Count;
use crate::view::grammar::few;

/// Maximum number of members named in one line.
const NAMED: usize = 12;

/// The minimum and maximum width of the pipe column, in characters. A longer pipe shifts the rest of its line.
const COLUMN: usize = 20;
const WIDEST_COLUMN: usize = 40;

/// The rooms, the members of each, and an explanation. Ends with a line break.
pub fn adoption(target: &Target, adoption: &Adoption) -> String {
    let Adoption {
        rooms,
        absent,
        not_listed,
        several,
        to_send,
    } = adoption;
    let mut text = String::new();
    let pipes = rooms.iter().map(|it| &it.pipe).chain(several);
    let wide = pipes.map(|pipe| terminal(pipe.as_str()).chars().count());
    let column = wide.max().unwrap_or(0).clamp(COLUMN, WIDEST_COLUMN);
    for Adopted {
        pipe,
        room,
        members,
    } in rooms
    {
        let pipe = terminal(pipe.as_str());
        let members = match members.as_slice() {
            [] => "the room itself".to_owned(),
            users => format!("{} ({})", Count(users.len(), "member"), few(users, NAMED)),
        };
        let _ = writeln!(text, "  {pipe:<column$} room {room}: {members}");
    }
    for pipe in several {
        let pipe = terminal(pipe.as_str());
        let why = "more than one live room has this pipe";
        let _ = writeln!(text, "  {pipe:<column$} left out: {why}");
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let absent = match absent {
        0 => String::new(),
        absent => {
            let rooms = Count(*absent, "declared room");
            format!("; {rooms} to create with `apply`")
        }
    };
    let members = Count(adoption.members(), "membership");
    let _ = match rooms.len() {
        0 => writeln!(text, "adopt: nothing new to record{absent}"),
        rooms => {
            let rooms = Count(rooms, "room");
            writeln!(
                text,
                "adopt: {members} of {rooms} to record as present{absent}"
            )
        }
    };
    if *to_send > 0 {
        let to_send = Count(*to_send, "membership");
        let why =
            "pending since a create, back in the manifest, or new in a room that roomform wrote to";
        let _ = writeln!(text, "       {to_send} left for `apply` to send: {why}");
    }
    if *not_listed > 0 {
        let rooms = Count(*not_listed, "declared room");
        let why = "a JWT may show only one user's rooms; read with the secret key";
        let _ = writeln!(text, "       {rooms} not listed: {why}");
    }
    let _ = writeln!(text, "       target: {target}");
    text.push_str("       nothing is sent, and the server confirms nothing: a user who is not in the room will not be added\n");
    text
}
