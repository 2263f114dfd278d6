//! A row of a file, found again by its place: what a list of what failed gives back to whoever mends it.

use csv::StringRecord;

use super::load::Loaded;
use crate::model::Place;

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
}
