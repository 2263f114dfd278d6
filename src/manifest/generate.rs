//! Generates rooms: turns each row and a template into a room, with the members from joined rosters.
//!
//! Main entry: [`generate_rooms`]. Generated rooms are resolved and validated elsewhere, like all others.

use std::collections::HashSet;

use super::groups::Directory;
use super::raw::{RawEnrol, RawGenerate, RawRoom};
use super::room_template::RoomTemplate;
use super::roster::read_roster;
use crate::model::{MemberList, Presence};
use crate::tables::diagnostic::Problems;
use crate::tables::join::Join;
use crate::tables::row::{Column, Row};
use crate::tables::selection::RowUse;
use crate::tables::table::Table;

/// Calls `declare` with the room of each row that no condition leaves out, its members from joined rosters, and its dates.
pub(super) fn generate_rooms(
    raw: &RawGenerate,
    directory: &Directory<'_>,
    problems: &mut Problems,
    mut declare: impl FnMut(RawRoom, MemberList, Presence, &mut Problems),
) {
    let Some(table) = directory.tables.get(&raw.each) else {
        return;
    };
    let distinct = match &raw.distinct {
        Some(name) => table.column(name, problems).map(Some),
        None => Some(None),
    };
    let selection = table.selection(&raw.each, &raw.filter, problems);
    let template = RoomTemplate::new(raw, table, problems);
    let joins = raw.enrol.iter();
    let joins: Vec<_> = joins
        .filter_map(|enrol| join(enrol, table, directory, problems))
        .collect();
    let (Some(distinct), Some(selection), Some(template)) = (distinct, selection, template) else {
        return;
    };
    let (mut joins, mut seen) = (joins, HashSet::new());
    let visited = table.rows(&selection, problems, |row, presence, problems| {
        let row_use = RowUse::of(presence);
        // A row that is not declared today must not hide a later row with the same value.
        let is_new = |column: &Column| seen.insert((row_use, row.cell(column).to_owned()));
        let is_room = presence.is_some() && distinct.as_ref().is_none_or(is_new);
        let mut members = MemberList::default();
        for join in &mut joins {
            let joined = join.members_of(row, row_use);
            if let Some(joined) = joined.filter(|_| is_room) {
                directory.add(joined, &mut members);
            }
        }
        let Some(presence) = presence.filter(|_| is_room) else {
            return row_use.min(RowUse::Repeated);
        };
        match template.fill(row, problems) {
            Some(room) => declare(room, members, presence, problems),
            None => return RowUse::Invalid,
        }
        row_use
    });
    table.check_empty(visited.matching, &raw.each, problems);
    for join in joins {
        join.finish(table, problems);
    }
}

/// Joins a roster to the rows of rooms; `None` if it cannot be joined, which is reported.
fn join<'a>(
    raw: &RawEnrol,
    each: &Table,
    directory: &Directory<'a>,
    problems: &mut Problems,
) -> Option<Join<'a>> {
    let (tables, roster) = (directory.tables, &raw.roster);
    let on = (&raw.on, raw.via.as_ref(), raw.moved.as_ref());
    let mut join = Join::new(on, &roster.file, each, tables, problems)?;
    let (people, display) = (&directory.people, &directory.display);
    let visit = |row: &Row<'_>, users: &[_], problems: &mut Problems| {
        join.add(row, users).unwrap_or_else(|mistake| {
            problems.push(*mistake);
            RowUse::Invalid
        })
    };
    read_roster(roster, tables, people, display, problems, visit);
    Some(join)
}
