//! What a format says its columns hold: an entry's own conditions are told, so that a word nobody knows is a mistake.
//!
//! Main type: [`Vocabulary`].

use std::collections::BTreeMap;

use super::super::raw::{RawFile, RawFilter, RawGenerate};
use super::catalog::ROLE;
use crate::tables::diagnostic::At;

/// What a format says its columns hold.
pub(in super::super) struct Vocabulary {
    /// Where the manifest names the format: there stands all that is the preset's own.
    pub(super) at: At,
    /// By the part of the entry and the column.
    pub(super) cells: BTreeMap<(String, String), Vec<String>>,
}

impl Vocabulary {
    /// Tells an entry's conditions what else there may be, and its files what the preset wants of them.
    pub(in super::super) fn teach(&self, raw: &mut RawGenerate, files: &mut [RawFile]) {
        self.conditions("each", &mut raw.filter);
        let mut mine = vec![raw.each.number];
        for enrol in &mut raw.enrol {
            self.conditions("enrol", &mut enrol.roster.filter);
            mine.push(enrol.roster.file.number);
            if let Some(people) = &mut enrol.roster.people {
                self.conditions("people", &mut people.filter);
                mine.push(people.file.number);
            }
            if let Some(users) = &mut enrol.roster.preset_users {
                self.conditions("people", &mut users.filter);
                mine.push(users.file.number);
                // Another file of users has its own status, or it is an error.
                users.file.may_lack = true;
                if let Some(file) = files.get_mut(users.file.number) {
                    file.may_lack = true;
                }
            }
            if let Some(via) = &mut enrol.via {
                self.conditions("via", &mut via.filter);
                mine.push(via.file.number);
                // Whoever exports no sections has none that an enrolment could name.
                via.file.may_lack = via.file.path.at == self.at;
                if let Some(file) = files.get_mut(via.file.number) {
                    file.may_lack = via.file.may_lack;
                }
            }
        }
        for number in mine {
            if let Some(file) = files.get_mut(number) {
                file.format = Some(self.at);
            }
        }
    }

    fn conditions(&self, part: &str, filters: &mut [RawFilter]) {
        for filter in filters {
            let key = (part.to_owned(), filter.column.value.trim().to_lowercase());
            filter.any_case = filter.column.at == self.at;
            // A role that nothing names is a mistake in a condition of the manifest's own too.
            if filter.any_case || key.1 == ROLE {
                filter.known = self.cells.get(&key).cloned();
            }
        }
    }
}
