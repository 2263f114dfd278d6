//! The oracle for fields that were sent and that the list does not show: ignored by the server, or pending.

use roomform::model::{Field, FieldValue, LiveRoom, Pipe};
use roomform::plan::ShownField;

use super::record::{Known, Pending};
use super::truth::Truth;

/// Checks that the last confirmed write sent the value, that a fresh list after this write
/// showed another value, and that the current list does not show the sent value either.
pub fn ignored(truth: &Truth<'_>, line: &ShownField, wrong: &mut Vec<String>) {
    let ShownField {
        pipe,
        room,
        field,
        sent,
        shown,
    } = line;
    let live = truth.live(pipe);
    let wish = truth.wishes.rooms.get(pipe);
    let ([row], Some(wish)) = (live.as_slice(), wish) else {
        return wrong.push(format!("{pipe}: ignored, and not there: {line:?}"));
    };
    let known = truth.known(row);
    let recorded = is_recorded(known, *field, sent, shown);
    let pending = pending(truth, row, *field);
    let proved = pending.is_some_and(|pending| {
        is_proved(truth, pending) && pending.sent == *sent && pending.shown == *shown
    });
    let reported = *room == row.id && (recorded || proved);
    let holds = reported
        && wish.state.value(*field) == *sent
        && row.state.value(*field) == *shown
        && !wish.ignore.contains(*field)
        && !truth.flags.resend_ignored;
    if !holds {
        let last = &known.sent;
        wrong.push(format!("{pipe}: not ignored: {line:?}, last sent {last:?}"));
    }
}

/// Whether the ledger says that the server ignored the value `sent`, and the last write sent
/// either `sent` or `shown`.
fn is_recorded(known: &Known, field: Field, sent: &FieldValue, shown: &FieldValue) -> bool {
    let last = known.sent.as_ref().map(|state| state.value(field));
    let is_last = last.is_none_or(|last| last == *sent || last == *shown);
    is_last && known.shown.get(&field) == Some(&(sent.clone(), shown.clone()))
}

/// The record of a pending field, if no later write sent another value, and the list shows the room unchanged since then.
fn pending<'a>(truth: &'a Truth<'_>, row: &LiveRoom, field: Field) -> Option<&'a Pending> {
    let known = truth.known(row);
    let pending = known.pending.get(&field)?;
    let last = known.sent.as_ref().map(|sent| sent.value(field));
    let is_last = last.is_none_or(|last| last == pending.sent);
    let is_same = pending.shown == row.state.value(field) && pending.updated_at == row.updated_at;
    (is_last && is_same).then_some(pending)
}

/// Whether the list is so new that it must show the write of a pending field. Call this only if
/// the room has not changed since the field was recorded as pending.
fn is_proved(truth: &Truth<'_>, pending: &Pending) -> bool {
    truth.read_at.0 - pending.since.0 >= 3_600_000 && pending.updated_at.is_some()
}

/// Whether a field was sent before, and is sent again because the list may lag.
pub fn is_pending(truth: &Truth<'_>, pipe: &Pipe, field: Field) -> bool {
    let (live, wish) = (truth.live(pipe), truth.wishes.rooms.get(pipe));
    let ([row], Some(wish)) = (live.as_slice(), wish) else {
        return false;
    };
    let (wanted, shown) = (wish.state.value(field), row.state.value(field));
    let differs = shown != wanted && !wish.ignore.contains(field);
    let pending = pending(truth, row, field);
    let pending = pending.filter(|pending| pending.sent == wanted && !is_proved(truth, pending));
    let is_ignored = is_recorded(truth.known(row), field, &wanted, &shown);
    truth.flags.choose(pipe) && differs && pending.is_some() && !is_ignored
}
