//! Writes the rows of the server's lists, and selects their columns for each format.

mod table;

use std::io::{self, Write};

use super::csv::{CsvReader, io_error};
use super::escape;
use crate::model::{Cell, Listing, Row};

/// Returns the columns for CSV. `there` are the fields that occur in the rows. Rooms and users
/// always have all documented columns. Messages have only the fields that occur, with the
/// documented ones first.
pub fn csv_columns(listing: Listing, there: &[(String, bool)]) -> Vec<String> {
    let known = listing.documented_fields();
    let is_there = |name: &&str| there.iter().any(|(field, _)| field == name);
    let is_shown = |name: &&str| listing != Listing::Messages || is_there(name);
    let others = there.iter().map(|(name, _)| name.as_str());
    let others = others.filter(|name| listing == Listing::Messages && !known.contains(name));
    let columns = known.iter().copied().filter(is_shown).chain(others);
    columns.map(str::to_owned).collect()
}

/// Returns the columns for a table, which has less space than CSV.
pub fn table_columns(listing: Listing, there: &[(String, bool)]) -> Vec<String> {
    let usual = match listing {
        Listing::Rooms => "id pipe name type is_public updated_at deleted_at",
        Listing::Users => "id remote_user_id login status deleted_at",
        Listing::Messages => "id time room_id user_id message",
    };
    let shown = usual.split(' ').filter(|name| {
        let mut fields = there.iter().filter(|(field, _)| field == name);
        match listing {
            Listing::Messages => fields.next().is_some(),
            // Deleted rows are rare, so show `deleted_at` only if at least one row is deleted.
            _ => *name != "deleted_at" || fields.any(|(_, filled)| *filled),
        }
    });
    let shown: Vec<String> = shown.map(str::to_owned).collect();
    match shown.as_slice() {
        [] => there.iter().map(|(name, _)| name.clone()).collect(),
        _ => shown,
    }
}

/// Rows of a list, and the columns to write. If no column is named, JSON has all fields of a row.
pub struct Rows<'a> {
    /// The list that the rows are from.
    pub listing: Listing,
    /// The columns, in order.
    pub columns: &'a [String],
    /// The rows, in order.
    pub rows: &'a [Row],
}

impl Rows<'_> {
    fn cells<'r>(&'r self, row: &'r Row) -> Vec<(&'r str, Option<&'r Cell>)> {
        if self.columns.is_empty() {
            let all = row.fields();
            return all.map(|(name, cell)| (name, Some(cell))).collect();
        }
        let named = self.columns.iter();
        named.map(|name| (name.as_str(), row.get(name))).collect()
    }

    /// Writes the columns of the rows as CSV with a header.
    ///
    /// # Errors
    /// Returns an error if the output cannot be written.
    pub fn csv(&self, reader: CsvReader, out: &mut dyn Write) -> io::Result<()> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let mut table = reader.start(out)?;
        // The CSV may go to a terminal or a CI log, so escape text that could control them.
        let show = |text: &str| reader.cell(&escape::terminal(text)).into_owned();
        let header = self.columns.iter().map(|name| show(name));
        table.write_record(header).map_err(io_error)?;
        for row in self.rows {
            let cells = self.cells(row).into_iter();
            let cells = cells.map(|(_, cell)| match cell {
                None | Some(Cell::Nothing) => String::new(),
                Some(Cell::Truth(truth)) => truth.to_string(),
                Some(Cell::Number(number)) => number.clone(),
                Some(Cell::Text(text) | Cell::Nested(text)) => show(text),
            });
            table.write_record(cells).map_err(io_error)?;
        }
        table.flush()
    }

    /// Writes `{"format":1,"kind":"rooms","exit":0,"rows":[…]}`, with a line for each row.
    ///
    /// # Errors
    /// Returns an error if the output cannot be written.
    pub fn json(&self, format: u32, out: &mut dyn Write) -> io::Result<()> {
        let kind = self.listing.name();
        write!(out, "{{\"format\":{format},\"kind\":\"{kind}\",")?;
        write!(out, "\"exit\":0,\"rows\":[")?;
        let quoted = |text: &str| escape::json(&serde_json::Value::from(text).to_string());
        for (number, row) in self.rows.iter().enumerate() {
            out.write_all(if number == 0 { b"\n{" } else { b",\n{" })?;
            for (number, (name, cell)) in self.cells(row).into_iter().enumerate() {
                let comma = if number == 0 { "" } else { "," };
                let value = match cell {
                    None | Some(Cell::Nothing) => "null".to_owned(),
                    Some(Cell::Truth(truth)) => truth.to_string(),
                    Some(Cell::Number(number)) => number.clone(),
                    Some(Cell::Text(text)) => quoted(text),
                    Some(Cell::Nested(json)) => escape::json(json),
                };
                write!(out, "{comma}{}:{value}", quoted(name))?;
            }
            out.write_all(b"}")?;
        }
        out.write_all(b"\n]}\n")
    }
}
