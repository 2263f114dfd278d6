//! Writes the recorded state of a ledger, its history, and what an adoption would record, as text.

use std::fmt::Write;

use super::column::{measure_pipes, pad};
use super::escape::{quoted, terminal};
use super::sentence;
use crate::model::{
    Field, HistoryEntry, Pipe, Recorded, RoomId, Sending, Target, UserId, UserNames,
};
use crate::plan::{Adopted, Adoption};
use crate::view::grammar::{rooms_and_memberships, users};
use crate::view::{Count, values};

/// Returns the recorded state of a ledger with this number of entries. The text ends with a line
/// break.
pub fn ledger(target: &Target, entries: usize, recorded: &Recorded, names: &UserNames) -> String {
    let lines = Count(entries, "line");
    let rooms = Count(recorded.ids.len(), "room");
    let mut text = format!("{target}: {lines}, {rooms} recorded\n");
    for (pipe, id) in &recorded.ids {
        let left = match recorded.left.contains_key(pipe) {
            true => ", no longer in the manifest",
            false => "",
        };
        let pipe = terminal(pipe.as_str());
        let _ = writeln!(text, "\n  {pipe}  room {id}{left}");
        room(&mut text, recorded, *id, names);
    }
    for (pipe, owed) in &recorded.owed {
        let members = (!owed.members.is_empty())
            .then(|| terminal(&users(owed.members.iter().as_slice(), names)));
        let welcome = owed.welcome.then(|| "its welcome".to_owned());
        let owed: Vec<String> = members.into_iter().chain(welcome).collect();
        let (pipe, owed) = (terminal(pipe.as_str()), owed.join(", and "));
        let _ = writeln!(text, "\n  {pipe}  still to send after its create: {owed}");
    }
    for (pipe, open) in &recorded.open {
        let pipe = terminal(pipe.as_str());
        for open in open {
            let (since, run) = (open.since, terminal(&open.run));
            let _ = writeln!(
                text,
                "\n  {pipe}  the create by run {run} has been uncertain since {since}"
            );
        }
    }
    for (source, given) in &recorded.rosters {
        let (source, given) = (terminal(source), rooms_and_memberships(*given));
        let _ = writeln!(text, "\n  {source}  had a total of {given}");
    }
    let mut rooms = recorded.rooms.values();
    let adopted = match rooms.any(|room| !room.adopted.is_empty()) {
        true => "; adopted: declared as present, never confirmed",
        false => "",
    };
    let known = "confirmed by the server, or adopted; the API does not list members";
    let _ = writeln!(text, "\nknown: {known}{adopted}");
    text
}

/// Returns the entries of a ledger as text, one per line. The text ends with a line break.
pub fn history(partial: bool, entries: &[HistoryEntry], names: &UserNames) -> String {
    let mut text = String::new();
    let width = measure_pipes(entries.iter().filter_map(|entry| entry.pipe.as_ref()));
    for entry in entries {
        let pipe = entry.pipe.as_ref().map_or("", |pipe| pipe.as_str());
        let pipe = pad(&terminal(pipe), width);
        let room = entry.room.map(|room| format!("room {room}"));
        let members = (!entry.members.is_empty()).then(|| terminal(&users(&entry.members, names)));
        let count = entry.count;
        let count = count.map(|count| Count(count as usize, "member").to_string());
        let what: Vec<String> = [room, members.or(count)].into_iter().flatten().collect();
        let what = what.join(": ");
        let source = entry.source.as_deref().map(terminal);
        let source = source.map(|source| format!("  ({source})"));
        let source = source.unwrap_or_default();
        let [time, run] = [&entry.time, &entry.run].map(|it| terminal(it));
        let action = describe_action(entry.action);
        let line = format!("{time}  {run}  {action:<17}  {pipe}  {what}{source}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if partial {
        text.push_str("partial: the ledger was compacted or merged, so entries may be missing\n");
    }
    text
}

/// Returns plain words for the name of an action in the JSON output.
fn describe_action(action: &str) -> &str {
    match action {
        "intent" => "create started",
        "not_created" => "not created",
        "released" => "left the manifest",
        "done" => "removed manually",
        "shown" => "value ignored",
        "seen" => "list read",
        "roster" => "rows counted",
        "declared" => "manifest changed",
        action => action,
    }
}

fn room(text: &mut String, recorded: &Recorded, id: RoomId, names: &UserNames) {
    let Some(room) = recorded.rooms.get(&id) else {
        return;
    };
    if let Some(sent) = &room.sent {
        let (title, kind) = (quoted(&sent.title), sent.kind);
        let public = sent.value(Field::Public);
        let _ = writeln!(text, "    sent      {title}, {kind}, {public}");
    }
    let released: Vec<UserId> = room.released.keys().copied().collect();
    let lists = [
        ("members", room.members.iter().as_slice()),
        ("adopted", room.adopted.iter().as_slice()),
        ("released", &released),
    ];
    for (label, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        let (count, users) = (list.len(), terminal(&users(list, names)));
        let _ = writeln!(text, "    {label:<9} {count}: {users}");
    }
    match room.welcome {
        Some(Sending::Confirmed) => text.push_str("    welcome   confirmed\n"),
        Some(Sending::Uncertain) => {
            text.push_str("    welcome   uncertain: it may have been sent, so it is not resent\n")
        }
        None => {}
    }
    let ignored = room.shown.iter();
    let ignored = ignored.map(|(field, it)| ("ignored", field, &it.sent, &it.shown));
    let pending = room.pending.iter();
    let pending = pending.map(|(field, it)| ("pending", field, &it.sent, &it.shown));
    for (label, field, sent, shown) in ignored.chain(pending) {
        let [sent, shown] = values(sent, shown).map(|text| sentence(&text));
        let field = field.name();
        let _ = writeln!(
            text,
            "    {label:<9} {field} sent as {sent}, shown as {shown}"
        );
    }
}

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
