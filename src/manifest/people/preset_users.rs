//! Combines a preset's users file with the manifest's own people: the users file says who is active.
//!
//! Main entry: [`People::leave_out`].

use std::collections::{BTreeMap, HashSet};

use super::super::raw::RawDirectory;
use super::{People, Person};
use crate::model::UserId;
use crate::tables::diagnostic::{At, Code, Problems, clip};
use crate::tables::open::Tables;
use crate::tables::row_use::RowUse;

impl People {
    /// Leaves out the people whose rows in a preset's users file are all inactive.
    pub(in super::super) fn leave_out(
        &mut self,
        users: &RawDirectory,
        own: &RawDirectory,
        tables: &Tables,
        problems: &Problems,
    ) {
        if let Some(missing) = tables.find_absent(&users.file) {
            // If there is no users file, the manifest's own file of people must have the status
            // column.
            let mut status = missing.filters.iter().map(|filter| &filter.column.value);
            if let Some(table) = tables.get(&own.file, problems)
                && !status.any(|column| table.has_column(column))
            {
                let [missing, own_file] = [missing, &table.raw].map(|it| clip(&it.path.value));
                let message = format!(
                    "the file `{missing}` does not exist, so the status of the users is unknown"
                );
                let hint = format!(
                    "add `{missing}`, add a status column to `{own_file}`, or write `status: any`"
                );
                let at = table.raw.path.at;
                problems.note(Code::Unreadable, at, message, hint);
            }
            return;
        }
        let Some(table) = tables.get(&users.file, problems) else {
            return;
        };
        // The two files may name people by different columns. So also use the name columns of
        // the manifest's own file, if the users file has them.
        let own_names = own.name.iter().filter(|name| table.has_column(&name.value));
        let names: Vec<_> = users.name.iter().chain(own_names).cloned().collect();
        let names = table.all_columns(&names);
        let selection = table.selection();
        let (Some(names), Some(selection)) = (names, selection) else {
            return;
        };
        let (mut left_out, mut active) = (BTreeMap::new(), HashSet::new());
        let visited = table.rows(&selection, |row, presence| {
            let row_use = RowUse::of(presence);
            let is_active = row_use == RowUse::Used;
            let cells = names.iter().map(|column| row.cell(column));
            for name in cells.filter(|name| !name.is_empty()) {
                if is_active {
                    active.insert(name.to_owned());
                } else {
                    left_out.insert(name.to_owned(), row.at());
                }
            }
            row_use
        });
        table.check_empty(visited.rows);
        left_out.retain(|name, _| !active.contains(name));
        self.leave_out_names(left_out, &active);
    }

    /// Leaves out these names, and all other names of the same users. Keeps users with an active
    /// name.
    fn leave_out_names(&mut self, left_out: BTreeMap<String, At>, active: &HashSet<String>) {
        let user_of = |name: &String| match self.names.get(name) {
            Some(Person::User(user, ..)) => Some(*user),
            _ => None,
        };
        let active: HashSet<UserId> = active.iter().filter_map(user_of).collect();
        let ids = left_out
            .iter()
            .filter_map(|(name, at)| Some((user_of(name)?, *at)));
        let ids: BTreeMap<UserId, At> = ids.filter(|(user, _)| !active.contains(user)).collect();
        for person in self.names.values_mut() {
            if let Person::User(user, ..) = *person
                && let Some(at) = ids.get(&user)
            {
                *person = Person::LeftOut(Some(user), *at);
            }
        }
        for (name, at) in left_out {
            let user = match self.names.get(&name) {
                Some(Person::LeftOut(..)) => continue,
                Some(Person::User(user, ..)) => Some(*user),
                Some(Person::WithoutId(_)) | None => None,
            };
            self.names.insert(name, Person::LeftOut(user, at));
        }
    }
}
