//! The file of users of a preset, beside people of the manifest's own: it says which users are active.
//!
//! Main entry: [`People::leave_out`].

use std::collections::{BTreeMap, HashSet};

use super::super::raw::RawDirectory;
use super::{People, Person};
use crate::model::UserId;
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems, Sources, clip};
use crate::tables::open::{Tables, empty};
use crate::tables::table::Table;

impl People {
    /// Leaves out the people whom a preset's file of users leaves out. A user who has a row that counts stays.
    pub(in super::super) fn leave_out(
        &mut self,
        users: &RawDirectory,
        own: &RawDirectory,
        tables: &Tables,
        sources: &Sources,
        problems: &mut Problems,
    ) {
        if tables.is_absent(&users.file) {
            // A file of users under another name has the status of its users itself.
            let own_file = tables.get(&own.file);
            if own_file.is_some_and(|table| !has_status(table, users)) {
                problems.push(no_status(users, own));
            }
            return;
        }
        let Some(table) = tables.get(&users.file) else {
            return;
        };
        // A person may be named by a column that only one of the two files is looked up by.
        let own_names = own.name.iter().filter(|name| table.has_column(&name.value));
        let names: Vec<_> = users.name.iter().chain(own_names).cloned().collect();
        let names = table.all_columns(&names, problems);
        let filters = table.filters(&users.filter, problems);
        let (Some(names), Some(filters)) = (names, filters) else {
            return;
        };
        let (mut left_out, mut active) = (BTreeMap::new(), HashSet::new());
        let mut rows = 0;
        table.rows(sources, &[], problems, |row, problems| {
            rows += 1;
            let counts = row.counts(&filters, sources, problems);
            let cells = names.iter().map(|column| row.cell(column));
            for name in cells.filter(|name| !name.is_empty()) {
                if counts {
                    active.insert(name.to_owned());
                } else {
                    left_out.insert(name.to_owned(), row.at());
                }
            }
        });
        if rows == 0 {
            problems.push(empty(&users.file, sources, table));
        }
        left_out.retain(|name, _| !active.contains(name));
        self.leave_out_names(left_out, &active);
    }

    /// Leaves out some names, and all other names of their users, unless one of these is active.
    fn leave_out_names(&mut self, left_out: BTreeMap<String, At>, active: &HashSet<String>) {
        let user_of = |name: &String| match self.names.get(name) {
            Some(Person::User(user, _)) => Some(*user),
            _ => None,
        };
        let active: HashSet<UserId> = active.iter().filter_map(user_of).collect();
        let ids = left_out
            .iter()
            .filter_map(|(name, at)| Some((user_of(name)?, *at)));
        let ids: BTreeMap<UserId, At> = ids.filter(|(user, _)| !active.contains(user)).collect();
        for person in self.names.values_mut() {
            if let Person::User(user, _) = *person
                && let Some(at) = ids.get(&user)
            {
                *person = Person::LeftOut(Some(user), *at);
            }
        }
        for (name, at) in left_out {
            let person = self.names.get(&name).copied();
            if !matches!(person, Some(Person::LeftOut(..))) {
                let user = match person {
                    Some(Person::User(user, _)) => Some(user),
                    _ => None,
                };
                self.names.insert(name, Person::LeftOut(user, at));
            }
        }
    }
}

/// Whether a file has a column that the preset judges users by.
fn has_status(table: &Table, users: &RawDirectory) -> bool {
    let mut columns = users.filter.iter().map(|filter| &filter.column.value);
    columns.any(|column| table.has_column(column))
}

/// The mistake of a preset without its file of users, where nothing else says who is active.
fn no_status(users: &RawDirectory, own: &RawDirectory) -> Diagnostic {
    let missing = clip(&users.file.path.value);
    let message = format!("there is no file `{missing}`, which has the status of the users");
    let diagnostic = Diagnostic::at(Code::Unreadable, own.file.path.at, message);
    let own = clip(&own.file.path.value);
    diagnostic.hint(format!(
        "add `{missing}`, add its status column to `{own}`, or say `status: any`"
    ))
}
