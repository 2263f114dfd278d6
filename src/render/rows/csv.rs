//! Rows as CSV.

use std::io::{self, Write};

use super::{Columns, shown};
use crate::model::{Cell, Row};
use crate::render::escape;

/// Writes the columns as comma-separated values with a header.
///
/// # Errors
/// If they cannot be written.
pub fn csv(columns: &Columns, rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    let names = columns.named();
    if names.is_empty() {
        return Ok(());
    }
    table.write_record(names.iter().map(|name| escape::csv(name)))?;
    for row in rows {
        let cells = shown(row, columns).into_iter();
        table.write_record(cells.map(|(_, cell)| match cell {
            None | Some(Cell::Nothing) => String::new(),
            Some(Cell::Truth(truth)) => truth.to_string(),
            Some(Cell::Number(number)) => number.clone(),
            Some(Cell::Text(text) | Cell::Nested(text)) => escape::csv(text),
        }))?;
    }
    table.flush()
}
