//! Rooms in bulk: a row and a template -> a room as if somebody had written it, with the members that joined files give it.
//!
//! Main entry: [`each`]. The rooms are looked up and checked like all others, elsewhere.

use std::collections::HashSet;

use super::groups::Directory;
use super::raw::{RawEnrol, RawGenerate, RawRoom};
use super::room_template::RoomTemplate;
use crate::model::Member;
use crate::tables::diagnostic::Problems;
use crate::tables::join::Join;
use crate::tables::open::empty;
use crate::tables::table::Table;

/// Calls `take` with the room of each row that counts, and the members that joined rosters give it.
pub(super) fn each(
    raw: &RawGenerate,
    directory: &Directory<'_>,
    problems: &mut Problems,
    mut take: impl FnMut(RawRoom, Vec<Member>, &mut Problems),
) {
    let rosters = directory.rosters();
    let Some(table) = rosters.tables.get(&raw.each) else {
        return;
    };
    let columns = table.all_columns(&raw.each.numbered, problems);
    let distinct = raw.distinct.as_ref();
    let distinct = distinct.map(|name| table.column(name, problems));
    let filters = table.filters(&raw.filter, problems);
    let template = RoomTemplate::new(raw, table, rosters.sources, problems);
    let joins: Vec<Option<Join>> = raw
        .enrol
        .iter()
        .map(|enrol| join(enrol, table, directory, problems))
        .collect();
    let found = (
        columns,
        distinct.map_or(Some(None), |found| found.map(Some)),
    );
    let ((Some(columns), Some(distinct)), Some(filters), Some(template)) =
        (found, filters, template)
    else {
        return;
    };
    let mut joins: Vec<Join> = joins.into_iter().flatten().collect();
    let (mut rows, mut seen) = (0_usize, HashSet::new());
    table.rows(rosters.sources, &columns, problems, |row, problems| {
        let counts = row.counts(&filters, rosters.sources, problems)
            && distinct
                .as_ref()
                .is_none_or(|column| seen.insert(row.cell(column).to_owned()));
        let mut members = Vec::new();
        for join in &mut joins {
            let joined = join.members_of(row);
            if counts {
                directory.add(joined, &mut members);
            }
        }
        if !counts {
            return;
        }
        rows += 1;
        if let Some(room) = template.fill(row, problems) {
            take(room, members, problems);
        }
    });
    if rows == 0 && !raw.each.allow_empty {
        problems.push(empty(&raw.each, rosters.sources, table));
    }
    for join in joins {
        join.warn_unjoined(table, rosters.sources, problems);
    }
}

/// A roster joined to the rows of rooms; `None` if it cannot be, which is noted.
fn join(
    raw: &RawEnrol,
    each: &Table,
    directory: &Directory<'_>,
    problems: &mut Problems,
) -> Option<Join> {
    let (rosters, roster) = (directory.rosters(), &raw.roster);
    let (tables, sources) = (rosters.tables, rosters.sources);
    let on = (&raw.on, raw.via.as_ref());
    let mut join = Join::new(on, &roster.file, each, tables, sources, problems)?;
    rosters.read(
        roster,
        directory.people(),
        problems,
        |row, users, problems| {
            let added = join.add(row, users, sources);
            problems.extend(added.err().map(|mistake| *mistake));
        },
    );
    Some(join)
}
