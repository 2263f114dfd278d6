//! Who changed a field: the plan's claim, checked against the ledger and against what really happened.

use roomform::model::{Field, LiveRoom, Pipe};
use roomform::plan::{ChangedBy, FieldChange};

use super::truth::{Truth, check};

/// Whether the plan says correctly who changed a field.
pub fn line(
    truth: &Truth<'_>,
    row: &LiveRoom,
    pipe: &Pipe,
    named: &FieldChange,
    wrong: &mut Vec<String>,
) {
    let ChangedBy { outside, manifest } = named.changed;
    let (known, field) = (truth.known(row), named.field);
    // If the server treats two pipes as one, the last write to this room may have been meant
    // for the other pipe.
    let meant = |_: &&_| known.wrote.as_ref().is_some_and(|(_, meant)| meant == pipe);
    let sent = known.sent.as_ref().filter(meant);
    let sent = sent.map(|sent| sent.value(field));
    let saw = known.saw.as_ref().filter(meant);
    let saw = saw.map(|saw| saw.value(field));
    let proved = saw.is_some_and(|saw| saw != named.before) && sent != Some(named.before.clone());
    check(wrong, outside == proved, "changed outside, or not");
    if outside && truth.punctual {
        let really = changed_since(truth, row, field);
        check(wrong, really, "no one changed it since that write");
    }
    if manifest {
        check(
            wrong,
            sent.is_some_and(|sent| sent != named.after),
            "the manifest wanted it",
        );
        let really = wants_another(truth, row, pipe, field);
        check(wrong, really, "the manifest did not change");
    }
}

/// Whether a field changed after the last write by the last recorded writer.
fn changed_since(truth: &Truth<'_>, row: &LiveRoom, field: Field) -> bool {
    let (Some(room), Some((writer, _))) =
        (truth.server.rooms.get(&row.id), &truth.known(row).wrote)
    else {
        return false;
    };
    let last = room
        .writes
        .iter()
        .rposition(|write| write.run.as_ref() == Some(writer));
    let since = last.map(|last| &room.writes[last + 1..]);
    let mut since = since.unwrap_or_default().iter();
    since.any(|write| write.changed.contains(field))
}

/// Whether the last recorded writer sent another value than is declared now, or did not send the
/// field.
fn wants_another(truth: &Truth<'_>, row: &LiveRoom, pipe: &Pipe, field: Field) -> bool {
    let writer = truth.known(row).wrote.as_ref();
    let then = writer.and_then(|(run, _)| truth.wanted.get(run.as_str())?.rooms.get(pipe));
    let now = truth.wishes.rooms.get(pipe);
    then.zip(now).is_some_and(|(then, now)| {
        then.ignore.contains(field) || then.state.value(field) != now.state.value(field)
    })
}
