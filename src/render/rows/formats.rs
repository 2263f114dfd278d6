//! Rows for machines: JSON and CSV.

use std::io::{self, Write};

use super::{Columns, shown};
use crate::document::FORMAT;
use crate::model::{Cell, Listing, Row};
use crate::render::escape;

/// Writes `{"format":1,"kind":"rooms","exit":0,"rows":[…]}`, a line a row.
///
/// # Errors
/// If they cannot be written.
pub fn json(
    listing: Listing,
    columns: &Columns,
    rows: &[Row],
    out: &mut dyn Write,
) -> io::Result<()> {
    let kind = listing.name();
    write!(
        out,
        "{{\"format\":{FORMAT},\"kind\":\"{kind}\",\"exit\":0,\"rows\":["
    )?;
    for (number, row) in rows.iter().enumerate() {
        out.write_all(if number == 0 { b"\n{" } else { b",\n{" })?;
        for (number, (name, cell)) in shown(row, columns).into_iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(out, "{comma}{}:{}", quoted(name), value(cell))?;
        }
        out.write_all(b"}")?;
    }
    out.write_all(b"\n]}\n")
}

/// A cell as JSON.
fn value(cell: Option<&Cell>) -> String {
    match cell {
        None | Some(Cell::Nothing) => "null".to_owned(),
        Some(Cell::Truth(truth)) => truth.to_string(),
        Some(Cell::Number(number)) => number.clone(),
        Some(Cell::Text(text)) => quoted(text),
        Some(Cell::Nested(json)) => escape::json(json),
    }
}

/// A text of JSON.
fn quoted(text: &str) -> String {
    escape::json(&serde_json::Value::from(text).to_string())
}

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
