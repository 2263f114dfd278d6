//! The JSON form of the reasons why a user is in a room.

use serde_json::{Value, json};

use super::Document;
use crate::error::Exit;
use crate::manifest::{Explained, SkipReason, Subject, Way};
use crate::model::{Desired, ListedRoom, Place};

/// Builds the output of `explain --format json`. It is about a room (`pipe`), or about a user
/// (`user`, `names`).
pub fn explained(explained: &Explained, listed: &[ListedRoom], desired: &Desired) -> Document {
    let (pipe, user, names) = match &explained.subject {
        Subject::Room(pipe) => (Some(pipe.to_string()), None, &[][..]),
        Subject::User(user, names) => (None, user.map(|user| user.0), names.as_slice()),
    };
    let place = |place: Place| json!({"file": &*desired.file_name(place), "line": place.line});
    // `groups` starts with the outermost group. `enrol` is true if a joined roster supplied the
    // user.
    let way = |way: &Way| {
        let file = desired.file_name(way.place);
        json!({"file": &*file, "line": way.place.line, "groups": way.groups, "enrol": way.joined})
    };
    let ways = |ways: &[Way]| ways.iter().map(way).collect::<Value>();
    let memberships = explained.memberships.iter().map(|it| {
        json!({
            "pipe": it.pipe.as_str(),
            "user": it.user.0,
            "name": desired.names.get(&it.user),
            "member": it.excluded.is_empty(),
            "ways": ways(&it.ways),
            "excluded_by": ways(&it.excluded),
        })
    });
    let skipped = explained.skipped.iter().map(|(at, reason)| {
        let (reason, row) = match reason {
            SkipReason::Where => ("where", None),
            SkipReason::Dates => ("dates", None),
            SkipReason::People(row) => ("people", Some(place(*row))),
        };
        json!({"place": place(*at), "reason": reason, "row": row})
    });
    let in_ledger = listed.iter().map(|it| {
        let state = match it.is_open_step {
            true => "to_remove",
            false => "known",
        };
        json!({"user": it.user.0, "pipe": it.pipe.as_str(), "room_id": it.room.0, "state": state, "since": it.since})
    });
    let body = json!({
        "pipe": pipe,
        "user": user,
        "names": names,
        "left_out": explained.left_out.map(place),
        "memberships": memberships.collect::<Value>(),
        "skipped": skipped.collect::<Value>(),
        "in_ledger": in_ledger.collect::<Value>(),
    });
    Document::new("explain", Exit::Done, None, body)
}
