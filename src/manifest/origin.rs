//! A row of a file, found again by its place: what a list of what failed gives back to whoever mends it.

use std::collections::{BTreeMap, BTreeSet};

use csv::StringRecord;

use super::diagnostic::{At, Code, Diagnostic};
use super::load::Loaded;
use crate::model::{Place, UserId};

/// Unknown users that are told in full; the others are counted.
const TOLD: usize = 50;

impl Loaded {
    /// The cells of a row of a roster, each with the name of its column; `None` if the place is no row of one.
    pub fn row(&self, place: Place) -> Option<Vec<(&str, String)>> {
        let table = self.tables.of(place.file)?;
        let source = self.sources.file(place.file)?;
        let text = source.text.get(source.line_start(place.line)?..)?;
        let mut record = StringRecord::new();
        let found = table.record(text, &mut record);
        let columns = table.columns.iter().map(String::as_str);
        let cells = columns.zip(record.iter().map(|cell| cell.trim().to_owned()));
        found.then(|| cells.collect())
    }

    /// A warning for each declared member that is not among the users a widget knows, at the first place that names them.
    pub fn unknown_users(&self, known: &BTreeSet<UserId>) -> Vec<Diagnostic> {
        let mut first: BTreeMap<UserId, Place> = BTreeMap::new();
        let members = self.desired.rooms.values().flat_map(|room| &room.members);
        for member in members.filter(|member| !known.contains(&member.user)) {
            let place = first.entry(member.user).or_insert(member.place);
            *place = member.place.min(*place);
        }
        let mut unknown: Vec<(Place, UserId)> = first
            .into_iter()
            .map(|(user, place)| (place, user))
            .collect();
        unknown.sort();
        let hint = "they may appear only after their first visit; else look for a typing mistake";
        let warning = |(place, user): &(Place, UserId)| {
            let source = self.sources.file(place.file)?;
            let offset = u32::try_from(source.line_start(place.line)?).ok()?;
            let message = format!(
                "{}:{}: the widget does not know user {user}",
                source.name, place.line
            );
            let at = At {
                file: place.file,
                offset,
            };
            Some(Diagnostic::at(Code::UnknownUser, at, message).hint(hint))
        };
        let mut warnings: Vec<Diagnostic> = unknown.iter().take(TOLD).filter_map(warning).collect();
        if let Some(more @ 1..) = unknown.len().checked_sub(TOLD) {
            let message = format!("{more} more users are not known to the widget");
            warnings.push(Diagnostic::path(Code::UnknownUser, "", message).hint(hint));
        }
        warnings
    }
}
