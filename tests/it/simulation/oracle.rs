//! The oracle: it knows the manifest, the list as it was sent, the ledger, and the server itself, and checks every line of a
//! plan against them.

use std::collections::BTreeSet;

use roomform::model::{Field, LiveRoom, Pipe, RoomState, UserId};
use roomform::plan::{Change, ConflictKind, Members, Note, Plan};

use super::truth::{Truth, check};
use super::wishes::Wish;
use super::{drift, figures};

/// The lines of the plan that are false, and those that are missing.
pub fn lies(truth: &Truth<'_>, plan: &Plan) -> Vec<String> {
    let mut lies = figures::lies(truth, plan);
    for (pipe, wish) in &truth.wishes.rooms {
        let change = plan.changes.iter().find(|change| change.pipe == *pipe);
        let conflicts = plan.conflicts.iter().filter(|line| line.pipe == *pipe);
        let kinds: Vec<&ConflictKind> = conflicts.map(|conflict| &conflict.kind).collect();
        let mut wrong = Vec::new();
        if !truth.flags.choose(pipe) {
            check(
                &mut wrong,
                change.is_none() && kinds.is_empty(),
                "left out, and there",
            );
        } else if let [kind] = kinds.as_slice() {
            check(&mut wrong, change.is_none(), "in conflict, and changed");
            conflict(truth, pipe, kind, &mut wrong);
        } else {
            check(&mut wrong, kinds.is_empty(), "more than one conflict");
            match change {
                Some(change) => line(truth, wish, change, plan, &mut wrong),
                None => unchanged(truth, pipe, wish, plan, &mut wrong),
            }
        }
        lies.extend(
            wrong
                .into_iter()
                .map(|text| format!("{pipe}: {text}: {change:?} {kinds:?}")),
        );
    }
    lies
}

fn conflict(truth: &Truth<'_>, pipe: &Pipe, kind: &ConflictKind, wrong: &mut Vec<String>) {
    let ids = |deleted: bool| -> BTreeSet<_> {
        let rows = truth.shown.iter();
        rows.filter(|row| row.pipe == *pipe && row.deleted == deleted)
            .map(|row| row.id)
            .collect()
    };
    let (live, deleted) = (ids(false), ids(true));
    let recorded = truth.account.ids.get(pipe);
    match kind {
        ConflictKind::Several(named) => {
            let named: BTreeSet<_> = named.iter().copied().collect();
            check(wrong, named == live && live.len() > 1, "not several");
        }
        ConflictKind::Deleted(named) => {
            let named: BTreeSet<_> = named.iter().copied().collect();
            let holds = live.is_empty() && named == deleted && !deleted.is_empty();
            check(wrong, holds && !truth.flags.recreate, "not deleted");
            check(
                wrong,
                recorded.is_none_or(|id| deleted.contains(id)),
                "vanished, not deleted",
            );
        }
        ConflictKind::Vanished(id) => {
            let gone = live.is_empty() && !deleted.contains(id) && !truth.flags.recreate;
            check(wrong, gone && recorded == Some(id), "not vanished");
        }
        ConflictKind::NotListed(_) => wrong.push("the list is complete".to_owned()),
    }
}

fn line(truth: &Truth<'_>, wish: &Wish, change: &Change, plan: &Plan, wrong: &mut Vec<String>) {
    let (pipe, live) = (&change.pipe, truth.live(&change.pipe));
    let index = truth.wishes.rooms.keys().position(|other| other == pipe);
    let file = if index.is_some_and(|index| index % 2 == 1) {
        "b.yaml"
    } else {
        "a.yaml"
    };
    let place = change.file.as_ref() == file && index == Some(change.line as usize - 1);
    check(wrong, place, "it is declared elsewhere");
    match (change.room_id, live.as_slice()) {
        (None, []) => {
            check(wrong, change.welcome == wish.welcome, "another welcome");
            let left = truth.shown.iter().any(|row| row.pipe == *pipe);
            let known = left || truth.account.ids.contains_key(pipe);
            check(
                wrong,
                truth.flags.recreate || !known,
                "it is created, and was deleted",
            );
            check(wrong, change.recreate == known, "recreated, or not");
            check(wrong, change.send == wish.state, "another state is sent");
            let recorded = truth.account.ids.get(pipe).copied();
            check(
                wrong,
                change.replaces == recorded,
                "it replaces another room",
            );
            let since = truth.account.open(pipe).first().map(|claim| claim.since);
            check(
                wrong,
                change.uncertain_since == since,
                "uncertain since another time",
            );
            let Members {
                new,
                unknown,
                known: count,
                adopted,
            } = &change.members;
            check(
                wrong,
                new.iter().eq(&wish.members),
                "not the declared members",
            );
            check(
                wrong,
                unknown.is_empty() && *count == 0 && *adopted == 0,
                "a new room has no record",
            );
        }
        (Some(id), [row]) if row.id == id && !change.recreate => {
            fields(truth, row, wish, change, plan, wrong);
            members(truth, row, wish, change, wrong);
            let owed = truth.welcome(pipe, wish, row);
            check(wrong, change.welcome == owed, "another welcome is owed");
        }
        _ => check(wrong, false, "the list showed otherwise"),
    }
}

/// Checks that the values before and after are true, that every difference is listed, and that ignored fields are sent as
/// declared.
fn fields(
    truth: &Truth<'_>,
    row: &LiveRoom,
    wish: &Wish,
    change: &Change,
    plan: &Plan,
    wrong: &mut Vec<String>,
) {
    let mut send: RoomState = wish.state.clone();
    for field in Field::ALL {
        let (before, after) = (row.state.value(field), wish.state.value(field));
        let named = change.fields.iter().find(|line| line.field == field);
        if let Some(named) = named {
            let differs = before != after && !wish.ignore.contains(field);
            let holds = named.before == before && named.after == after && differs;
            check(wrong, holds, "before and after are not so");
            let sent = truth.known(row).sent.as_ref();
            let was_sent = sent.is_some_and(|sent| sent.value(field) == after);
            check(wrong, named.was_sent == was_sent, "sent before, or not");
            drift::line(truth, row, &change.pipe, named, wrong);
        } else {
            send.copy_field(field, &row.state);
            let kept = before == after || wish.ignore.contains(field);
            let settled = kept || ignored(plan, &change.pipe, field);
            check(wrong, settled, "a difference is not named");
        }
    }
    check(
        wrong,
        change.send == send,
        "another state is sent than is shown",
    );
    let publishes = change.fields.iter().any(|line| line.field == Field::Public)
        && !row.state.public
        && wish.state.public;
    check(
        wrong,
        change.publishes() == publishes,
        "publishing is not reported, or reported wrongly",
    );
    let news = !change.fields.is_empty() || change.members.count() > 0 || change.welcome.is_some();
    check(wrong, news, "nothing changes");
    check(
        wrong,
        truth.server.rooms.contains_key(&row.id),
        "there never was such a room",
    );
}

fn members(
    truth: &Truth<'_>,
    row: &LiveRoom,
    wish: &Wish,
    change: &Change,
    wrong: &mut Vec<String>,
) {
    let known = truth.known(row);
    let Members {
        new,
        unknown,
        known: count,
        adopted,
    } = &change.members;
    let on: BTreeSet<UserId> = wish.members.intersection(&known.on).copied().collect();
    check(wrong, *count == on.len(), "another number is on record");
    check(wrong, *adopted == 0, "nothing is adopted here");
    let room = truth.server.rooms.get(&row.id);
    let added = room.is_some_and(|room| on.is_subset(&room.members));
    check(wrong, added, "one on record was never added");
    let sent: Vec<UserId> = change.members.sent().collect();
    let distinct: BTreeSet<UserId> = sent.iter().copied().collect();
    check(wrong, sent.len() == distinct.len(), "someone is sent twice");
    let missing = if truth.assumes(&change.pipe, row) {
        BTreeSet::new()
    } else {
        truth.missing(&change.pipe, wish, known)
    };
    check(
        wrong,
        distinct == missing,
        "not those that are missing are sent",
    );
    let anything = truth.account.rooms.contains_key(&row.id);
    check(
        wrong,
        unknown.is_empty() || !anything,
        "unknown, with a record",
    );
    let reason = anything || truth.account.owes(&change.pipe);
    check(
        wrong,
        new.is_empty() || reason,
        "new, with nothing on record",
    );
}

/// Checks that a declared room that the plan does not mention is up to date.
fn unchanged(truth: &Truth<'_>, pipe: &Pipe, wish: &Wish, plan: &Plan, wrong: &mut Vec<String>) {
    let live = truth.live(pipe);
    let [row] = live.as_slice() else {
        return check(wrong, false, "not one live room, and not a word");
    };
    for field in Field::ALL {
        let equal = row.state.value(field) == wish.state.value(field);
        let settled = equal || wish.ignore.contains(field) || ignored(plan, pipe, field);
        check(wrong, settled, "unchanged, and different");
    }
    let missing = truth.missing(pipe, wish, truth.known(row));
    let settled = missing.is_empty() || truth.assumes(pipe, row);
    check(wrong, settled, "unchanged, and members are missing");
    let owed = truth.welcome(pipe, wish, row);
    check(wrong, owed.is_none(), "unchanged, and a welcome is owed");
    let assumes = plan
        .notes
        .iter()
        .any(|note| matches!(note, Note::Assumed(_)));
    check(
        wrong,
        missing.is_empty() || assumes,
        "members are silently assumed present",
    );
}

fn ignored(plan: &Plan, pipe: &Pipe, field: Field) -> bool {
    let mut lines = plan.ignored.iter();
    lines.any(|line| line.pipe == *pipe && line.field == field)
}
