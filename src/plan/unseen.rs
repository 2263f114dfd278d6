//! Finds out why a field differs, as far as the ledger shows: the server ignored what was sent, the
//! list lags, or someone changed the field.

use super::change::ChangedBy;
use super::filter::{Inputs, RoomFilter};
use super::findings::ShownField;
use crate::model::{
    DesiredRoom, Field, FieldValue, LiveRoom, PendingField, Pipe, RecordedRoom, Time,
};

/// A list that is read this many milliseconds after a write is sure to show the write.
const LAG_AT_MOST: i64 = 60 * 60 * 1000;

/// A field that was sent and that the list does not show.
pub(super) enum Unseen<'a> {
    /// The ledger says that the server ignored the field. It is reported, but not sent again.
    Ignored(ShownField),
    /// The server ignored the field, but the ledger does not say so yet. The list still shows the
    /// room unchanged long after the value was sent.
    NowIgnored(ShownField),
    /// The list may lag, so the field is sent again.
    Pending(&'a PendingField),
}

/// Returns how the ledger explains a field that differs: the server ignored what was sent, or
/// the list may lag. Returns `None` for drift, because the list then shows a new value.
pub(super) fn unseen<'a>(
    room: &DesiredRoom,
    live: &LiveRoom,
    record: &'a RecordedRoom,
    field: Field,
    read_at: Option<Time>,
) -> Option<Unseen<'a>> {
    let ignored = |sent: &FieldValue, shown: &FieldValue| ShownField {
        pipe: live.pipe.clone(),
        room: live.id,
        field,
        sent: sent.clone(),
        shown: shown.clone(),
    };
    let is_same = |sent: &FieldValue, shown: &FieldValue| {
        *sent == room.state.value(field) && *shown == live.state.value(field)
    };
    // If another value was sent after the server ignored the field, the difference is new.
    let last = || record.sent.as_ref().map(|sent| sent.value(field));
    if let Some(was) = record.shown.get(&field)
        && is_same(&was.sent, &was.shown)
        && last().is_none_or(|last| last == was.sent || last == was.shown)
    {
        return Some(Unseen::Ignored(ignored(&was.sent, &was.shown)));
    }
    let was = record.pending.get(&field)?;
    let is_last = last().is_none_or(|last| last == was.sent);
    if !is_last || !is_same(&was.sent, &was.shown) || was.updated_at != live.updated_at {
        return None;
    }
    let is_late = read_at.is_some_and(|read_at| read_at.0 - was.since.0 >= LAG_AT_MOST);
    Some(match is_late && was.updated_at.is_some() {
        true => Unseen::NowIgnored(ignored(&was.sent, &was.shown)),
        false => Unseen::Pending(was),
    })
}

/// Returns the time until which to wait for declared rooms that are confirmed but not listed;
/// `None` if there is nothing to wait for. The list may lag by `lag` milliseconds.
pub fn wait_for_confirmed(inputs: Inputs<'_>, only: &RoomFilter, lag: i64) -> Option<Time> {
    let (observed, recorded) = (inputs.observed, inputs.recorded);
    let now = observed.read_at.filter(|_| !observed.is_partial)?;
    let declared = inputs.desired.rooms.keys();
    let chosen =
        declared.filter(|pipe| only.contains(pipe) && observed.rows(pipe).next().is_none());
    let confirmed = chosen.filter_map(|pipe| {
        let id = recorded.ids.get(pipe)?;
        recorded.rooms.get(id)?.confirmed_at
    });
    let until = confirmed.map(|confirmed| Time(confirmed.0.saturating_add(lag)));
    until.filter(|until| *until > now).max()
}

/// Determines who changed a field: the server shows `live`, and the manifest wants `wanted`.
pub(super) fn changed(
    pipe: &Pipe,
    field: Field,
    live: &FieldValue,
    wanted: &FieldValue,
    record: &RecordedRoom,
) -> ChangedBy {
    let sent = record.sent.as_ref();
    let sent = sent.filter(|_| record.pipe.as_ref() == Some(pipe));
    let Some(sent) = sent.map(|sent| sent.value(field)) else {
        return ChangedBy::default();
    };
    let then = record.seen.as_ref();
    let then = then.map(|otherwise| otherwise.get(&field).unwrap_or(&sent));
    ChangedBy {
        // If the list now shows the sent value, the server may have applied that value late.
        outside: then.is_some_and(|then| then != live) && sent != *live,
        // If the write kept the live value, the sent value is not what the manifest wanted.
        manifest: *wanted != sent && !record.kept.contains(field),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FieldSet, RoomKind, RoomState, Shown};

    fn title(text: &str) -> FieldValue {
        FieldValue::Text(text.to_owned())
    }

    /// Returns a record after a title was sent. `seen` is the title shown on verification, if the
    /// run verified. `ignored` is an earlier ignored write: the titles sent and shown.
    fn record(sent: &str, seen: Option<&str>, ignored: Option<(&str, &str)>) -> RecordedRoom {
        let state = RoomState::new(sent, RoomKind::Conference, false);
        let other = |seen: &str| (seen != sent).then(|| (Field::Title, title(seen)));
        // In later writes, ignored fields keep their live value.
        let mut kept = FieldSet::default();
        if ignored.is_some_and(|(_, shown)| shown == sent) {
            kept.insert(Field::Title);
        }
        let ignored = ignored.map(|(sent, shown)| Shown {
            sent: title(sent),
            shown: title(shown),
        });
        RecordedRoom {
            sent: Some(state),
            kept,
            pipe: Some(Pipe::new("a")),
            seen: seen.map(|seen| other(seen).into_iter().collect()),
            shown: ignored.map(|it| (Field::Title, it)).into_iter().collect(),
            ..RecordedRoom::default()
        }
    }

    #[test]
    fn who_changed_what() {
        let (a, old) = (Some("A"), Some("old"));
        let ignored = Some(("A", "old"));
        let cases = [
            ("the manifest", record("A", a, None), "A", "B", "manifest"),
            ("another user", record("A", a, None), "X", "A", "outside"),
            ("both", record("A", a, None), "X", "B", "outside manifest"),
            ("not listed", record("A", None, None), "X", "A", ""),
            (
                "the same, both",
                record("A", None, None),
                "X",
                "B",
                "manifest",
            ),
            ("no record", RecordedRoom::default(), "X", "A", ""),
            ("ignored", record("A", old, ignored), "old", "A", ""),
            (
                "then another user",
                record("A", old, ignored),
                "X",
                "A",
                "outside",
            ),
            (
                "then the manifest",
                record("A", old, ignored),
                "old",
                "B",
                "manifest",
            ),
            ("took late", record("A", old, ignored), "A", "B", "manifest"),
            (
                "sent as it is",
                record("old", old, ignored),
                "X",
                "A",
                "outside",
            ),
            (
                "the same, or both",
                record("old", old, ignored),
                "X",
                "B",
                "outside",
            ),
            (
                "long ago",
                record("C", Some("C"), ignored),
                "old",
                "C",
                "outside",
            ),
        ];
        for (what, record, live, wanted, expected) in cases {
            let ChangedBy { outside, manifest } = changed(
                &Pipe::new("a"),
                Field::Title,
                &title(live),
                &title(wanted),
                &record,
            );
            let words = [(outside, "outside"), (manifest, "manifest")];
            let words = words.iter().filter(|it| it.0).map(|it| it.1);
            let words: Vec<&str> = words.collect();
            assert_eq!(words.join(" "), expected, "{what}");
            let (other, live) = (Pipe::new("A"), title(live));
            let unsaid = changed(&other, Field::Title, &live, &title(wanted), &record);
            assert_eq!(unsaid, ChangedBy::default(), "{what}, of another room");
        }
    }
}
