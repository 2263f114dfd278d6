//! Rooms in bulk: a row and a template -> a room as if somebody had written it, with the members that joined files give it.
//!
//! Main entry: [`each`]. The rooms are looked up and checked like all others, elsewhere.

use std::collections::HashSet;

use super::diagnostic::Problems;
use super::enrol::Enrolled;
use super::groups::Directory;
use super::mould::Mould;
use super::raw::{RawGenerate, RawRoom};
use super::tables::empty;
use crate::model::Member;

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
    let mould = Mould::new(raw, table, rosters.sources, problems);
    let enrolled: Vec<Option<Enrolled>> = raw
        .enrol
        .iter()
        .map(|enrol| Enrolled::new(enrol, table, directory, problems))
        .collect();
    let found = (
        columns,
        distinct.map_or(Some(None), |found| found.map(Some)),
    );
    let ((Some(columns), Some(distinct)), Some(filters), Some(mould)) = (found, filters, mould)
    else {
        return;
    };
    let mut enrolled: Vec<Enrolled> = enrolled.into_iter().flatten().collect();
    let (mut rows, mut seen) = (0_usize, HashSet::new());
    table.rows(rosters.sources, &columns, problems, |row, problems| {
        let counts = row.counts(&filters, rosters.sources, problems)
            && distinct
                .as_ref()
                .is_none_or(|column| seen.insert(row.cell(column).to_owned()));
        let mut members = Vec::new();
        for enrolled in &mut enrolled {
            let joined = enrolled.of(row);
            if counts {
                directory.add(joined, &mut members);
            }
        }
        if !counts {
            return;
        }
        rows += 1;
        if let Some(room) = mould.fill(row, problems) {
            take(room, members, problems);
        }
    });
    if rows == 0 && !raw.each.allow_empty {
        problems.push(empty(&raw.each, rosters.sources, table));
    }
    for enrolled in enrolled {
        enrolled.unjoined(table, rosters.sources, problems);
    }
}
