//! The values that a format defines for its columns. They are added to an entry's conditions, so
//! that any other value is an error.
//!
//! Main type: [`Vocabulary`].

use std::collections::{BTreeMap, BTreeSet};

use super::super::raw::{RawFile, RawFilter, RawGenerate};
use crate::tables::diagnostic::At;
use crate::tables::header::column_key;
use crate::tables::input::KnownWords;

const ROLE_HINT: &str =
    "fix the cell, add the role to `roles`, or select rows with `where` and `roles: any`";
const STATUS_HINT: &str = "fix the cell, or select rows with `where` and `status: any`";

/// The values that a format defines for its columns.
pub(in super::super) struct Vocabulary {
    /// The place of `format` in the manifest. All nodes of the preset have this place.
    pub(super) at: At,
    /// Values by part of the entry (such as `enrol`) and column.
    pub(super) cells: BTreeMap<(String, String), Vec<String>>,
    /// The columns with roles, each with its part of the entry.
    pub(super) role_columns: BTreeSet<(String, String)>,
}

impl Vocabulary {
    /// Adds the format's values to the entry's conditions, and marks files that may be absent.
    pub(in super::super) fn teach(&self, raw: &mut RawGenerate, files: &mut [RawFile]) {
        self.teach_part("each", &raw.each, &mut raw.filter, false, files);
        for enrol in &mut raw.enrol {
            let roster = &mut enrol.roster;
            self.teach_part("enrol", &roster.file, &mut roster.filter, false, files);
            if let Some(people) = &mut roster.people {
                self.teach_part("people", &people.file, &mut people.filter, false, files);
            }
            if let Some(users) = &mut roster.preset_users {
                // This file may be absent if the manifest's own file has the status column.
                self.teach_part("people", &users.file, &mut users.filter, true, files);
            }
            for (part, via) in [("via", &mut enrol.via), ("moved", &mut enrol.moved)] {
                if let Some(via) = via {
                    // An export may have no file of sections or cross-listings.
                    let may_lack = via.file.path.at == self.at;
                    self.teach_part(part, &via.file, &mut via.filter, may_lack, files);
                }
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
            let key = (part.to_owned(), column_key(&filter.column.value));
            filter.any_case = filter.column.at == self.at;
            // An unknown role is an error even in a condition that the manifest adds.
            let is_role = self.role_columns.contains(&key);
            if filter.any_case || is_role {
                let words = self.cells.get(&key).cloned();
                let hint = if is_role { ROLE_HINT } else { STATUS_HINT };
                filter.known = words.map(|words| KnownWords { words, hint });
            }
        }
        if let Some(file) = files.get_mut(file.number) {
            file.may_lack = may_lack;
            file.format = Some(self.at);
        }
    }
}
