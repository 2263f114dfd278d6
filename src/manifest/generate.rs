//! Generates rooms: renders a template for each row of a file, and adds members from joined
//! rosters.
//!
//! Main entry: [`generate_rooms`]. Generated rooms are resolved and validated like all others.

use std::collections::{HashMap, HashSet};

use super::groups::Directory;
use super::raw::{RawEnrol, RawGenerate, RawRoom};
use super::room_template::RoomTemplate;
use super::roster::SkipReason;
use crate::model::{MemberList, Presence};
use crate::tables::column::optional;
use crate::tables::join::{Join, Via, via_content};
use crate::tables::open::UseCache;
use crate::tables::row::Column;
use crate::tables::row_use::RowUse;
use crate::tables::table::TableUse;

/// Maximum number of joins that wait for more entries, so that thousands of different joins do not
/// fill the memory.
const MOST_OPEN: usize = 64;

/// The joins of the entries so far. Entries that join the same rows in the same way share a join.
#[derive(Default)]
pub(super) struct Joins<'a> {
    joins: Vec<Join<'a>>,
    /// The index of each join, by a hash of everything that it depends on.
    known: HashMap<u64, usize>,
    vias: UseCache<Via>,
}

impl<'a> Joins<'a> {
    /// Returns the index of a join. Reads the roster if the join is new. Returns `None` after an
    /// error, which is reported.
    fn open(
        &mut self,
        raw: &RawEnrol,
        each: TableUse<'a>,
        directory: &Directory<'a>,
    ) -> Option<usize> {
        let (tables, roster) = (directory.tables, &raw.roster);
        let via = [&raw.via, &raw.moved];
        let via = via.map(|via| via.as_ref().map(|via| via_content(via, tables)));
        let content = (each.columns(), directory.content(roster));
        let key = tables.hash((content, &raw.on, via));
        if let Some(index) = self.known.get(&key) {
            return Some(*index);
        }
        let on = (&raw.on, raw.via.as_ref(), raw.moved.as_ref());
        let mut join = Join::new(on, &roster.file, each, tables, &self.vias)?;
        directory.read_roster(roster, |row, users| {
            join.add(row, users).unwrap_or_else(|mistake| {
                directory.problems.push(*mistake);
                RowUse::Invalid
            })
        })?;
        let index = self.joins.len();
        // Each use of an empty roster reports it.
        if !join.is_empty() || directory.allows_empty(roster) {
            self.known.insert(key, index);
        }
        self.joins.push(join);
        Some(index)
    }

    pub(super) fn finish(&mut self, directory: &Directory<'_>) {
        self.known.clear();
        let joins = self.joins.drain(..);
        for place in joins.flat_map(|join| join.finish(directory.asked)) {
            directory.skip(directory.asked, place, SkipReason::Where);
        }
    }
}

/// Renders a room for each row, except the rows that a condition leaves out. Calls `declare`
/// with the room, its members from joined rosters, and its dates.
pub(super) fn generate_rooms<'a>(
    raw: &RawGenerate,
    directory: &Directory<'a>,
    shared: &mut Joins<'a>,
    mut declare: impl FnMut(RawRoom, MemberList, Presence),
) {
    let Some(table) = directory.table(&raw.each) else {
        return;
    };
    let distinct = optional(raw.distinct.as_ref(), |name| table.column(name));
    let selection = table.selection();
    let template = RoomTemplate::new(raw, table, directory);
    if shared.joins.len() >= MOST_OPEN {
        shared.finish(directory);
    }
    let joins = raw.enrol.iter();
    let joins = joins.filter_map(|enrol| shared.open(enrol, table, directory));
    let (joins, mut seen) = (joins.collect::<Vec<_>>(), HashSet::new());
    let (Some(distinct), Some(mut selection), Some(template)) = (distinct, selection, template)
    else {
        return;
    };
    selection.may_skip = true;
    let visited = table.rows(&selection, |row, presence| {
        let row_use = RowUse::of(presence);
        // A row outside its dates must not hide a later row with the same `distinct` value.
        let is_new = |column: &Column| seen.insert((row_use, row.cell(column).to_owned()));
        let is_room = presence.is_some() && distinct.as_ref().is_none_or(is_new);
        let mut members = MemberList::default();
        for index in &joins {
            let join = shared.joins.get_mut(*index);
            let joined = join.and_then(|join| join.members_of(row, row_use));
            if let Some(joined) = joined.filter(|_| is_room) {
                directory.add(joined, &mut members);
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
}
