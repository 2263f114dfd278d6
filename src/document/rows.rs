//! The rows that `get` lists, one a line.

use std::io::{self, Write};

use super::FORMAT;
use crate::model::{Cell, Listing, Row};
use crate::render::escape;
use crate::render::rows::{Columns, shown};

/// Writes `{"format":1,"kind":"rooms","exit":0,"rows":[…]}`, a line a row.
///
/// # Errors
/// If they cannot be written.
pub fn rows(
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
