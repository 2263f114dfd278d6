//! Decides who changed a field: the manifest, or someone outside.
//!
//! It reports only what the ledger proves. If the last write was never verified or nothing is on record, it reports nothing.

use super::change::ChangedBy;
use crate::model::{Field, FieldValue, Pipe, RecordedRoom};

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
        // The server may have applied the sent value late.
        outside: then.is_some_and(|then| then != live) && sent != *live,
        // If the live value was kept, the sent value is not what the manifest wanted.
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

    /// A record after a title was sent. `seen`: the title shown on verification, if verified. `ignored`: an earlier ignored write.
    fn record(sent: &str, seen: Option<&str>, ignored: Option<(&str, &str)>) -> RecordedRoom {
        let state = RoomState::new(sent, RoomKind::Conference, false);
        let other = |seen: &str| (seen != sent).then(|| (Field::Title, title(seen)));
        // Ignored fields keep their live value in later writes.
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
