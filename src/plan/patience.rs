//! Rooms that were confirmed so recently that the list may not show them yet.

use super::filter::RoomFilter;
use super::inputs::Inputs;
use crate::model::Time;

/// Returns the time until which to wait for declared rooms that are confirmed and missing from the list; `None` if there is no
/// such room. The list may lag by `lag` milliseconds.
pub fn wait_for_confirmed(inputs: Inputs<'_>, only: &RoomFilter, lag: i64) -> Option<Time> {
    let Inputs {
        desired,
        observed,
        recorded,
    } = inputs;
    let now = observed.read_at.filter(|_| !observed.is_partial)?;
    let chosen = desired
        .rooms
        .keys()
        .filter(|pipe| only.contains(pipe) && observed.rows(pipe).next().is_none());
    let confirmed = chosen.filter_map(|pipe| {
        let id = recorded.ids.get(pipe)?;
        recorded.rooms.get(id)?.confirmed_at
    });
    let until = confirmed.map(|confirmed| Time(confirmed.0.saturating_add(lag)));
    until.filter(|until| *until > now).max()
}
