//! Rows for machines: JSON and YAML with the same document, and CSV.

use std::io::{self, Write};

use super::{Columns, known, shown};
use crate::model::{Cell, Listing, Row};
use crate::render::escape;
use crate::render::json::FORMAT;

/// Writes `{"format":1,"kind":"rooms","exit":0,"rows":[…]}`, a line a row.
///
/// # Errors
/// If rows cannot be read, or written.
pub fn json(
    listing: Listing,
    columns: &Columns,
    rows: impl Iterator<Item = io::Result<Row>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let kind = listing.name();
    write!(
        out,
        "{{\"format\":{FORMAT},\"kind\":\"{kind}\",\"exit\":0,\"rows\":["
    )?;
    for (number, row) in rows.enumerate() {
        out.write_all(if number == 0 { b"\n{" } else { b",\n{" })?;
        for (number, (name, cell)) in shown(&row?, columns).into_iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(
                out,
                "{comma}{}:{}",
                quoted(name),
                value(cell, quoted, escape::json)
            )?;
        }
        out.write_all(b"}")?;
    }
    out.write_all(b"\n]}\n")
}

/// Writes the same document as YAML.
///
/// # Errors
/// If rows cannot be read, or written.
pub fn yaml(
    listing: Listing,
    columns: &Columns,
    rows: impl Iterator<Item = io::Result<Row>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let kind = listing.name();
    write!(out, "format: {FORMAT}\nkind: {kind}\nexit: 0\nrows:")?;
    let mut rows = rows.peekable();
    out.write_all(if rows.peek().is_none() {
        b" []\n"
    } else {
        b"\n"
    })?;
    for row in rows {
        let row = row?;
        let fields = shown(&row, columns);
        if fields.is_empty() {
            out.write_all(b"  - {}\n")?;
        }
        for (number, (name, cell)) in fields.into_iter().enumerate() {
            let dash = if number == 0 { "-" } else { " " };
            let value = value(cell, escape::yaml, escape::json_in_yaml);
            let name = match known(listing).contains(&name) {
                true => name.to_owned(),
                false => escape::yaml(name),
            };
            writeln!(out, "  {dash} {name}: {value}")?;
        }
    }
    Ok(())
}

/// A cell as JSON, which is YAML too but for its texts; what is made of a text, and of a list or an object, is harmless.
fn value(
    cell: Option<&Cell>,
    text: impl Fn(&str) -> String,
    nested: impl Fn(&str) -> String,
) -> String {
    match cell {
        None | Some(Cell::Nothing) => "null".to_owned(),
        Some(Cell::Truth(truth)) => truth.to_string(),
        Some(Cell::Number(number)) => number.clone(),
        Some(Cell::Text(said)) => text(said),
        Some(Cell::Nested(json)) => nested(json),
    }
}

/// A text of JSON.
fn quoted(text: &str) -> String {
    escape::json(&serde_json::Value::from(text).to_string())
}

/// Writes the columns as comma-separated values with a header.
///
/// # Errors
/// If rows cannot be read, or written.
pub fn csv(
    columns: &Columns,
    rows: impl Iterator<Item = io::Result<Row>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    let names = columns.named();
    if names.is_empty() {
        return Ok(());
    }
    table.write_record(names.iter().map(|name| escape::csv(name)))?;
    for row in rows {
        let row = row?;
        let cells = shown(&row, columns).into_iter();
        table.write_record(cells.map(|(_, cell)| match cell {
            None | Some(Cell::Nothing) => String::new(),
            Some(Cell::Truth(truth)) => truth.to_string(),
            Some(Cell::Number(number)) => number.clone(),
            Some(Cell::Text(text) | Cell::Nested(text)) => escape::csv(text),
        }))?;
    }
    table.flush()
}
