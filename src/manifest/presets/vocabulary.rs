//! What a format says its columns hold: it is added to an entry's conditions, so that an unknown word is a mistake.
//!
//! Main type: [`Vocabulary`].

use std::collections::BTreeMap;

use super::super::raw::{RawFile, RawFilter, RawGenerate};
use super::catalog::ROLE;
use crate::tables::diagnostic::At;

/// What a format says its columns hold.
pub(in super::super) struct Vocabulary {
    /// Where the manifest names the format: the place of everything that is the preset's own.
    pub(super) at: At,
    /// By the part of the entry and the column.
    pub(super) cells: BTreeMap<(String, String), Vec<String>>,
}

impl Vocabulary {
    /// Adds what the format knows to an entry's conditions, and what the preset needs to the files that it names.
    pub(in super::super) fn teach(&self, raw: &mut RawGenerate, files: &mut [RawFile]) {
        self.teach_part("each", &raw.each, &mut raw.filter, false, files);
        for enrol in &mut raw.enrol {
            let roster = &mut enrol.roster;
            self.teach_part("enrol", &roster.file, &mut roster.filter, false, files);
            if let Some(people) = &mut roster.people {
                self.teach_part("people", &people.file, &mut people.filter, false, files);
            }
            if let Some(users) = &mut roster.preset_users {
                // Another file of users has its own status, or it is an error.
                self.teach_part("people", &users.file, &mut users.filter, true, files);
            }
            if let Some(via) = &mut enrol.via {
                // An export without sections has none that an enrolment could name.
                let may_lack = via.file.path.at == self.at;
                self.teach_part("via", &via.file, &mut via.filter, may_lack, files);
            }
        }
    }

    fn teach_part(
        &self,
        part: &str,
        file: &RawFile,
        filters: &mut [RawFilter],
        may_lack: bool,
        files: &mut [RawFile],
    ) {
        for filter in filters {
            let key = (part.to_owned(), filter.column.value.trim().to_lowercase());
            filter.any_case = filter.column.at == self.at;
            // A role that nothing names is a mistake in a condition of the manifest's own too.
            if filter.any_case || key.1 == ROLE {
                filter.known = self.cells.get(&key).cloned();
            }
        }
        if let Some(file) = files.get_mut(file.number) {
            file.may_lack = may_lack;
            file.format = Some(self.at);
        }
    }
}
