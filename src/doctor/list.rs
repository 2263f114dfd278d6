//! Checks the list of rooms: their number and types, and the rooms that a plan refuses.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Known, Report, quoted};
use crate::imbachat::ReadRooms;
use crate::model::{Count, Desired, LiveRoom, Pipe, Recorded, RoomId, RoomKind, difference, looks};

/// Adds the checks of the list. If there is no list, the checks are skipped.
pub fn check_list(report: &mut Report, known: Option<&Known<'_>>) {
    let Some(known) = known else {
        let names = ["rooms", "count", "duplicates", "deleted", "look-alikes"];
        for name in names.into_iter().chain(["on-record"]) {
            report.add(name, Finding::skipped("needs `answers`"));
        }
        return;
    };
    let (rooms, is_partial) = (known.rooms, known.reader.is_partial());
    let live: Vec<&LiveRoom> = rooms.iter().filter(|room| !room.deleted).collect();
    report.add("rooms", kinds(&live, is_partial));
    report.add("count", count(rooms.len()));
    report.add("duplicates", duplicates(&live));
    report.add("deleted", deleted(rooms, &live, &known.loaded.desired));
    report.add("look-alikes", look_alikes(&live));
    let on_record = match known.recorded {
        Some(recorded) => on_record(&live, recorded, is_partial),
        None => Finding::skipped("needs `ledger`"),
    };
    report.add("on-record", on_record);
}

fn kinds(live: &[&LiveRoom], is_partial: bool) -> Finding {
    if live.is_empty() && !is_partial {
        let message = "the list is empty, but every widget has at least a support room";
        let remedy = "check IMBACHAT_WIDGET: is it the right widget?";
        return Finding::warning(message, remedy);
    }
    let mut kinds: BTreeMap<_, usize> = BTreeMap::new();
    for room in live {
        *kinds.entry(room.state.kind).or_default() += 1;
    }
    let kinds = kinds.iter().map(|(kind, count)| match kind {
        RoomKind::Dialog | RoomKind::Conference => Count(*count, &kind.to_string()).to_string(),
        RoomKind::Support => format!("{count} support"),
        RoomKind::Other(number) => format!("{count} of type {number}"),
    });
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    let public = live.iter().filter(|room| room.state.public).count();
    let found = match live.len() {
        0 => "no room".to_owned(),
        rooms => format!("{}: {kinds}; {public} public", Count(rooms, "room")),
    };
    if !is_partial {
        return Finding::ok(found);
    }
    Finding::warning(
        format!("{found}; a JWT may show only one user's rooms"),
        "use the secret key for reading: with a JWT, a declared room that is not in the list is a conflict, and roomform does not create it",
    )
}

fn count(rows: usize) -> Finding {
    if !is_round(rows) {
        return Finding::ok(
            "the number of rows is not round, so the list was probably not truncated",
        );
    }
    let rows = Count(rows, "row");
    Finding::warning(
        format!("exactly {rows}: the server may have truncated the list"),
        "compare the number of rows with the number of rooms in ImbaChat; if ImbaChat has more rooms, roomform treats those that are not in the list as missing",
    )
}

/// Whether `rows` is a round number, at which a server may have truncated the list: 50, 100,
/// 200, 250, 500, 1000, …
fn is_round(rows: usize) -> bool {
    let mut unit = 10;
    while unit * 10 <= rows {
        unit *= 10;
    }
    rows >= 50 && [1, 2, 5, 10].iter().any(|times| rows == unit * times)
        || rows == unit / 10 * 25 && rows >= 250
}

fn duplicates(live: &[&LiveRoom]) -> Finding {
    let mut pipes: BTreeMap<&Pipe, Vec<String>> = BTreeMap::new();
    for room in live.iter().filter(|room| !room.pipe.as_str().is_empty()) {
        pipes
            .entry(&room.pipe)
            .or_default()
            .push(room.id.to_string());
    }
    let pipes = pipes.iter().filter(|(_, rooms)| rooms.len() > 1);
    let cases: Vec<String> = pipes
        .map(|(pipe, rooms)| format!("{}: rooms {}", quoted(pipe.as_str()), rooms.join(", ")))
        .collect();
    let have = if cases.len() == 1 { "has" } else { "have" };
    let pipes = Count(cases.len(), "pipe");
    let message = format!("{pipes} {have} more than one live room");
    let remedy = "in ImbaChat, delete all but one room of each such pipe; until then, the pipe is a conflict, and nothing is written to its rooms";
    Finding::cases(cases, "no pipe has two live rooms", message, remedy)
}

fn deleted(rooms: &[LiveRoom], live: &[&LiveRoom], desired: &Desired) -> Finding {
    let deleted: Vec<&LiveRoom> = rooms.iter().filter(|room| room.deleted).collect();
    let live: BTreeSet<&Pipe> = live.iter().map(|room| &room.pipe).collect();
    let pipes = deleted.iter().map(|room| &room.pipe);
    let cases: BTreeSet<String> = pipes
        .filter(|pipe| desired.rooms.contains_key(*pipe) && !live.contains(pipe))
        .map(|pipe| quoted(pipe.as_str()))
        .collect();
    let found = match deleted.len() {
        0 => "the list shows no deleted rooms".to_owned(),
        count => format!("the list shows {}", Count(count, "deleted room")),
    };
    let have = if cases.len() == 1 { "has" } else { "have" };
    let pipes = Count(cases.len(), "declared pipe");
    let message = format!("{found}; {pipes} {have} only deleted rooms");
    let remedy =
        "remove each such pipe from the manifest, or recreate its room with --allow-recreate";
    Finding::cases(cases.into_iter().collect(), &found, message, remedy)
}

fn look_alikes(live: &[&LiveRoom]) -> Finding {
    let pipes: BTreeSet<&str> = live.iter().map(|room| room.pipe.as_str()).collect();
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut cases = Vec::new();
    for pipe in pipes.into_iter().filter(|pipe| !pipe.is_empty()) {
        let other = *seen.entry(looks(pipe)).or_insert(pipe);
        if other != pipe {
            let (shown, like) = (quoted(pipe), quoted(other));
            let points = difference(pipe, other);
            cases.push(format!("{shown} looks like {like}: {points}"));
        }
    }
    let look = if cases.len() == 1 { "looks" } else { "look" };
    let message = format!("{} {look} like another", Count(cases.len(), "pipe"));
    let remedy = "check that each pipe is intended: people cannot tell such pipes apart, and the server may confuse them";
    Finding::cases(cases, "no two pipes look alike", message, remedy)
}

fn on_record(live: &[&LiveRoom], recorded: &Recorded, is_partial: bool) -> Finding {
    let live: BTreeSet<RoomId> = live.iter().map(|room| room.id).collect();
    let lost = recorded.ids.iter().filter(|(_, id)| !live.contains(*id));
    let cases: Vec<String> = lost
        .map(|(pipe, id)| format!("{}: room {id}", quoted(pipe.as_str())))
        .collect();
    let rooms = Count(cases.len(), "room");
    let message = format!("{rooms} recorded, but not in the list");
    let remedy = if is_partial {
        "read with the secret key: a JWT may show only one user's rooms"
    } else {
        "check in ImbaChat whether a missing room was deleted, or the list is truncated; recreate a deleted room with --allow-recreate, or forget it with `ledger forget`"
    };
    Finding::cases(cases, "the list has every recorded room", message, remedy)
}

#[cfg(test)]
mod tests {
    use super::is_round;

    #[test]
    fn round_numbers_are_those_at_which_servers_stop() {
        for rows in [
            50, 100, 200, 250, 500, 1_000, 2_000, 2_500, 5_000, 10_000, 100_000,
        ] {
            assert!(is_round(rows), "{rows}");
        }
        for rows in [
            0, 1, 5, 10, 20, 25, 49, 51, 99, 101, 150, 300, 999, 1_100, 3_000, 12_500,
        ] {
            assert!(!is_round(rows), "{rows}");
        }
    }
}
