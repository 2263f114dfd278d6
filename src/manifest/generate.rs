//! Generates rooms: renders a template for each row of a file, and adds members from joined
//! rosters.
//!
//! Main entry: [`generate_rooms`]. Generated rooms are resolved and validated like all others.

use std::collections::HashSet;

use super::groups::Directory;
use super::raw::{RawEnrol, RawGenerate, RawRoom};
use super::room_template::RoomTemplate;
use super::roster::SkipReason;
use crate::model::{Member, MemberList, Presence};
use crate::tables::column::optional;
use crate::tables::join::Join;
use crate::tables::row::Column;
use crate::tables::row_use::RowUse;
use crate::tables::table::TableUse;

/// Renders the room of each row that no condition leaves out. Calls `declare` with the room, its
/// members from joined rosters, and its dates.
pub(super) fn generate_rooms(
    raw: &RawGenerate,
    directory: &Directory<'_>,
    mut declare: impl FnMut(RawRoom, MemberList, Presence),
) {
    let Some(table) = directory.table(&raw.each) else {
        return;
    };
    let distinct = optional(raw.distinct.as_ref(), |name| table.column(name));
    let selection = table.selection();
    let template = RoomTemplate::new(raw, table, directory);
    let joins = raw.enrol.iter();
    let joins = joins.filter_map(|enrol| join(enrol, table, directory));
    let (mut joins, mut seen) = (joins.collect::<Vec<_>>(), HashSet::new());
    let (Some(distinct), Some(mut selection), Some(template)) = (distinct, selection, template)
    else {
        return;
    };
    selection.may_skip = directory.asked.is_none();
    let visited = table.rows(&selection, |row, presence| {
        let row_use = RowUse::of(presence);
        // A row outside its dates must not hide a later row with the same `distinct` value.
        let is_new = |column: &Column| seen.insert((row_use, row.cell(column).to_owned()));
        let is_room = presence.is_some() && distinct.as_ref().is_none_or(is_new);
        let mut members = MemberList::default();
        for join in &mut joins {
            let Some(joined) = join.members_of(row, row_use) else {
                continue;
            };
            if is_room {
                directory.add(joined, &mut members);
            } else if presence.is_none() {
                let skip =
                    |it: Member| directory.skip(Some(it.user), row.to_place(), SkipReason::Where);
                joined.today().for_each(skip);
            }
        }
        let Some(presence) = presence.filter(|_| is_room) else {
            return row_use.min(RowUse::Repeated);
        };
        match template.fill(row) {
            Some(room) => declare(room, members, presence),
            None => return RowUse::Invalid,
        }
        row_use
    });
    table.check_empty(visited.matching);
    for join in joins {
        join.finish(&table);
    }
}

/// Joins a roster to the rows of rooms. Returns `None` after an error, which is reported.
fn join<'a>(raw: &RawEnrol, each: TableUse<'a>, directory: &Directory<'a>) -> Option<Join<'a>> {
    let on = (&raw.on, raw.via.as_ref(), raw.moved.as_ref());
    let mut join = Join::new(on, &raw.roster.file, each, directory.tables)?;
    directory.read_roster(&raw.roster, |row, users| {
        join.add(row, users).unwrap_or_else(|mistake| {
            directory.problems.push(*mistake);
            RowUse::Invalid
        })
    });
    Some(join)
}
