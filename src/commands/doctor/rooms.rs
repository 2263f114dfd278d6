//! What the list itself says: how many rooms, of which kinds, and what will make a plan stumble.

use std::collections::{BTreeMap, BTreeSet};

use super::quoted;
use crate::imbachat::ListSurvey;
use crate::model::{Desired, LiveRoom, Pipe, Recorded, RoomId, RoomKind, Step, difference, looks};
use crate::render::Count;

/// Numbers of rows at which a server may have stopped: 50, 100, 200, 250, 500, 1000, …
fn is_round(rows: usize) -> bool {
    let mut unit = 10;
    while unit * 10 <= rows {
        unit *= 10;
    }
    rows >= 50 && [1, 2, 5, 10].iter().any(|times| rows == unit * times)
        || rows == unit / 10 * 25 && rows >= 250
}

/// The steps about the list; skipped if there is none.
pub(super) fn look(
    survey: Option<&ListSurvey>,
    desired: &Desired,
    recorded: Option<&Recorded>,
    is_partial: bool,
) -> Vec<Step> {
    let names = ["rooms", "count", "duplicates", "deleted", "look-alikes"];
    let Some(ListSurvey { rooms, .. }) = survey else {
        let skipped = names.into_iter().chain(["on-record"]);
        return skipped
            .map(|name| Step::skipped(name, "needs `answers`"))
            .collect();
    };
    let live: Vec<&LiveRoom> = rooms.iter().filter(|room| !room.deleted).collect();
    vec![
        kinds(&live, is_partial),
        count(rooms.len()),
        duplicates(&live),
        deleted(rooms, &live, desired),
        look_alikes(&live),
        on_record(&live, recorded, is_partial),
    ]
}

fn kinds(live: &[&LiveRoom], is_partial: bool) -> Step {
    const NAME: &str = "rooms";
    if live.is_empty() && !is_partial {
        let message = "the list is empty, and every widget has rooms nobody declared";
        return Step::warning(
            NAME,
            message,
            "check IMBACHAT_WIDGET: is it the right widget?",
        );
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
    let public = live.iter().filter(|room| room.state.public).count();
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    let found = match live.len() {
        0 => "no room".to_owned(),
        rooms => format!("{}: {kinds}; {public} public", Count(rooms, "room")),
    };
    if is_partial {
        let message = format!("{found}; a JWT may show only one user's rooms");
        let remedy = "read with the secret key: a declared room that is not listed is a conflict, and never created";
        return Step::warning(NAME, message, remedy);
    }
    Step::ok(NAME, found)
}

fn count(rows: usize) -> Step {
    const NAME: &str = "count";
    if !is_round(rows) {
        return Step::ok(NAME, "no round number at which a list may have been cut");
    }
    let message = format!(
        "exactly {}: the server may have cut the list there",
        Count(rows, "row")
    );
    let remedy = "compare with the number of rooms in ImbaChat; if there are more, rooms beyond the cut look as if they were not there";
    Step::warning(NAME, message, remedy)
}

fn duplicates(live: &[&LiveRoom]) -> Step {
    const NAME: &str = "duplicates";
    let mut pipes: BTreeMap<&Pipe, Vec<RoomId>> = BTreeMap::new();
    for room in live.iter().filter(|room| !room.pipe.as_str().is_empty()) {
        pipes.entry(&room.pipe).or_default().push(room.id);
    }
    pipes.retain(|_, rooms| rooms.len() > 1);
    if pipes.is_empty() {
        return Step::ok(NAME, "no pipe has two live rooms");
    }
    let told = pipes.iter().map(|(pipe, rooms)| {
        let rooms: Vec<String> = rooms.iter().map(ToString::to_string).collect();
        format!("{}: rooms {}", quoted(pipe.as_str()), rooms.join(", "))
    });
    let told: Vec<String> = told.collect();
    let some = if told.len() == 1 { "has" } else { "have" };
    let message = format!(
        "{} {some} more than one live room",
        Count(told.len(), "pipe")
    );
    let remedy = "delete all but one by hand in ImbaChat; until then each is a conflict, and nothing is written to it";
    Step::warning(NAME, message, remedy).with(told)
}

fn deleted(rooms: &[LiveRoom], live: &[&LiveRoom], desired: &Desired) -> Step {
    const NAME: &str = "deleted";
    let gone: Vec<&LiveRoom> = rooms.iter().filter(|room| room.deleted).collect();
    let there: BTreeSet<&Pipe> = live.iter().map(|room| &room.pipe).collect();
    let wanted = gone
        .iter()
        .filter(|room| desired.rooms.contains_key(&room.pipe) && !there.contains(&room.pipe));
    let wanted: BTreeSet<String> = wanted.map(|room| quoted(room.pipe.as_str())).collect();
    let found = match gone.len() {
        0 => "the list shows no deleted room".to_owned(),
        count => format!("the list shows {}", Count(count, "deleted room")),
    };
    if wanted.is_empty() {
        return Step::ok(NAME, found);
    }
    let verb = if wanted.len() == 1 { "has" } else { "have" };
    let pipes = Count(wanted.len(), "declared pipe");
    let message = format!("{found}; {pipes} {verb} no live room beside it");
    let remedy = "take them out of the manifest, or make them anew with --allow-recreate";
    Step::warning(NAME, message, remedy).with(wanted.into_iter().collect())
}

fn look_alikes(live: &[&LiveRoom]) -> Step {
    const NAME: &str = "look-alikes";
    let pipes: BTreeSet<&str> = live.iter().map(|room| room.pipe.as_str()).collect();
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut told = Vec::new();
    for pipe in pipes.into_iter().filter(|pipe| !pipe.is_empty()) {
        let Some(other) = seen.get(&looks(pipe)) else {
            seen.insert(looks(pipe), pipe);
            continue;
        };
        let points = difference(pipe, other);
        told.push(format!(
            "{} looks like {}: {points}",
            quoted(pipe),
            quoted(other)
        ));
    }
    if told.is_empty() {
        return Step::ok(NAME, "no two pipes look alike");
    }
    let verb = if told.len() == 1 { "looks" } else { "look" };
    let message = format!("{} {verb} like another", Count(told.len(), "pipe"));
    let remedy =
        "make sure that each is meant: people cannot tell them apart, and a server may not either";
    Step::warning(NAME, message, remedy).with(told)
}

fn on_record(live: &[&LiveRoom], recorded: Option<&Recorded>, is_partial: bool) -> Step {
    const NAME: &str = "on-record";
    let Some(recorded) = recorded else {
        return Step::skipped(NAME, "needs `ledger`");
    };
    let there: BTreeSet<RoomId> = live.iter().map(|room| room.id).collect();
    let lost = recorded.ids.iter().filter(|(_, id)| !there.contains(*id));
    let lost: Vec<String> = lost
        .map(|(pipe, id)| format!("{}: room {id}", quoted(pipe.as_str())))
        .collect();
    if lost.is_empty() {
        return Step::ok(NAME, "the list has every room on record");
    }
    let message = format!(
        "{} on record, and not in the list",
        Count(lost.len(), "room")
    );
    let remedy = match is_partial {
        true => "read with the secret key: a JWT may show only one user's rooms",
        false => {
            "somebody deleted them, or the list is cut; a plan calls them conflicts, --allow-recreate makes them anew, `ledger forget` forgets them"
        }
    };
    Step::warning(NAME, message, remedy).with(lost)
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
