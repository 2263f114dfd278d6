//! Generates rooms: turns each row and a template into a room, with the members from joined rosters.
//!
//! Main entry: [`generate_rooms`]. Generated rooms are resolved and validated elsewhere, like all others.

use std::collections::HashSet;

use super::groups::Directory;
use super::raw::{RawEnrol, RawGenerate, RawRoom};
use super::room_template::RoomTemplate;
use super::roster::read_roster;
use crate::model::Member;
use crate::tables::diagnostic::Problems;
use crate::tables::join::Join;
use crate::tables::row::Column;
use crate::tables::table::Table;

/// Calls `declare` with the room of each row that is used, and its members from joined rosters.
pub(super) fn generate_rooms(
    raw: &RawGenerate,
    directory: &Directory<'_>,
    problems: &mut Problems,
    mut declare: impl FnMut(RawRoom, Vec<Member>, &mut Problems),
) {
    let Some(table) = directory.tables.get(&raw.each) else {
        return;
    };
    let columns = table.all_columns(&raw.each.numbered, problems);
    let distinct = match &raw.distinct {
        Some(name) => table.column(name, problems).map(Some),
        None => Some(None),
    };
    let filters = table.filters(&raw.filter, problems);
    let template = RoomTemplate::new(raw, table, problems);
    let joins = raw.enrol.iter();
    let joins: Vec<_> = joins
        .filter_map(|enrol| join(enrol, table, directory, problems))
        .collect();
    let (Some(columns), Some(distinct), Some(filters), Some(template)) =
        (columns, distinct, filters, template)
    else {
        return;
    };
    let (mut joins, mut rows, mut seen) = (joins, 0, HashSet::new());
    table.rows(&columns, problems, |row, problems| {
        let is_new = |column: &Column| seen.insert(row.cell(column).to_owned());
        let is_used = row.check_filters(&filters, problems) && distinct.as_ref().is_none_or(is_new);
        let mut members = Vec::new();
        for join in &mut joins {
            let joined = join.members_of(row);
            if is_used {
                directory.add(joined, &mut members);
            }
        }
        if !is_used {
            return;
        }
        rows += 1;
        if let Some(room) = template.fill(row, problems) {
            declare(room, members, problems);
        }
    });
    table.check_empty(rows, &raw.each, problems);
    for join in joins {
        join.warn_unjoined(table, problems);
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
    let on = (&raw.on, raw.via.as_ref());
    let mut join = Join::new(on, &roster.file, each, tables, problems)?;
    let people = &directory.people;
    read_roster(roster, tables, people, problems, |row, users, problems| {
        let added = join.add(row, users);
        problems.extend(added.err().map(|mistake| *mistake));
    });
    Some(join)
}
