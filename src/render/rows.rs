//! Writes the rows of the server's lists, and selects their columns for each format. A table for
//! people fits the terminal: each column is as wide as its widest cell, or narrower if the
//! table would be too wide.

use std::io::{self, Write};

use jiff::Timestamp;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::column::pad;
use super::csv::{CsvReader, io_error};
use super::escape::{self, brief};
use super::paint::{Paint, Styles};
use crate::model::{Cell, Listing, RoomKind, Row};

/// The number of spaces between two columns.
const GAP: u16 = 2;
/// The minimum width of a column that is narrowed. Columns that identify a row are never narrowed.
const NARROWEST: u16 = 5;

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

    /// Writes the rows as a table that fits the screen. If no table fits, writes each field on a line
    /// of its own.
    ///
    /// # Errors
    /// Returns an error if the output cannot be written.
    pub fn table(&self, screen: Option<u16>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let (columns, rows) = (self.columns, self.rows);
        if columns.is_empty() {
            return Ok(());
        }
        let header: Vec<String> = columns.iter().map(|name| brief(name)).collect();
        let cells = |row| {
            let cells = self.cells(row).into_iter();
            cells.map(|(name, cell)| show_cell(self.listing, name, cell))
        };
        let mut widths: Vec<u16> = header.iter().map(|name| measure(name)).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(cells(row)) {
                *width = (*width).max(measure(&cell));
            }
        }
        if let Some(screen) = screen {
            match fit(&widths, columns, screen) {
                Some(fitting) => widths = fitting,
                None => {
                    return blocks(&header, columns, screen, paint, rows.iter().map(cells), out);
                }
            }
        }
        let header = draw_line(header, &widths);
        writeln!(out, "{}", paint.style(Styles::STRONG, header))?;
        let mut rows = rows.iter();
        rows.try_for_each(|row| writeln!(out, "{}", draw_line(cells(row), &widths)))
    }
}

/// Returns whether other commands and lists refer to a row by this field. A shortened value of
/// such a field would be useless.
fn is_identity(name: &str) -> bool {
    name == "pipe" || name == "id" || name.ends_with("_id")
}

fn measure(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// Returns the column widths that fit the screen; `None` if none do. Narrows the widest columns,
/// but not those that identify a row.
fn fit(widths: &[u16], names: &[String], screen: u16) -> Option<Vec<u16>> {
    let mut widths = widths.to_vec();
    let screen = u32::from(screen);
    let gaps = u32::from(GAP) * (widths.len() as u32).saturating_sub(1);
    let least = names.iter().zip(&widths);
    let least: Vec<u16> = least
        .map(|(name, width)| match is_identity(name) {
            true => *width,
            false => *width.min(&NARROWEST),
        })
        .collect();
    if least.iter().copied().map(u32::from).sum::<u32>() + gaps > screen {
        return None;
    }
    loop {
        let all: u32 = widths.iter().copied().map(u32::from).sum();
        let wider = widths.iter_mut().zip(&least);
        let wider = wider.filter(|(width, least)| **width > **least);
        match wider.map(|(width, _)| width).max() {
            Some(widest) if all + gaps > screen => *widest -= 1,
            _ => return Some(widths),
        }
    }
}

/// Writes each field on a line of its own. A field that identifies a row may be longer than the
/// screen: a terminal wraps it, and copies it as one line.
fn blocks<C: Iterator<Item = String>>(
    header: &[String],
    names: &[String],
    screen: u16,
    paint: Paint,
    rows: impl Iterator<Item = C>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let widest = header.iter().map(|name| measure(name)).max();
    let most = screen.saturating_sub(GAP) / 2;
    let label = widest.unwrap_or_default().min(most).max(1);
    let rest = screen.saturating_sub(label + GAP).max(1);
    for (number, cells) in rows.enumerate() {
        let heading = format!("row {}", number + 1);
        let gap = if number == 0 { "" } else { "\n" };
        writeln!(out, "{gap}{}", paint.style(Styles::STRONG, heading))?;
        for ((header, name), text) in header.iter().zip(names).zip(cells) {
            let least = if is_identity(name) { measure(&text) } else { 0 };
            let widths = [label, least.max(rest)];
            writeln!(out, "{}", draw_line([header.clone(), text], &widths))?;
        }
    }
    Ok(())
}

/// Formats a line of cells, with each cell cut to the width of its column.
fn draw_line(cells: impl IntoIterator<Item = String>, widths: &[u16]) -> String {
    let cells = cells.into_iter().zip(widths);
    let cells = cells.map(|(cell, width)| pad(&cut(&cell, *width), usize::from(width + GAP)));
    cells.collect::<String>().trim_end().to_owned()
}

/// Cuts a text to a width, and puts `…` in place of the rest.
fn cut(text: &str, width: u16) -> String {
    if measure(text) <= width {
        return text.to_owned();
    }
    let mut left = usize::from(width);
    let fits = text.chars().take_while(|c| {
        left = left.saturating_sub(c.width().unwrap_or_default());
        left > 0
    });
    fits.chain(['…']).collect()
}

fn show_cell(listing: Listing, name: &str, cell: Option<&Cell>) -> String {
    let number = match cell {
        Some(Cell::Number(text) | Cell::Text(text)) => text.parse::<i64>().ok(),
        _ => None,
    };
    match (listing, name, number) {
        (Listing::Rooms, "type", Some(number)) => RoomKind::from_number(number).to_string(),
        (Listing::Rooms, "is_public", Some(0)) => "closed".to_owned(),
        (Listing::Rooms, "is_public", Some(1)) => "public".to_owned(),
        (Listing::Messages, "time", Some(seconds)) => format_time(seconds),
        _ => match cell {
            None | Some(Cell::Nothing) => "-".to_owned(),
            Some(Cell::Truth(truth)) => truth.to_string(),
            Some(Cell::Number(number)) => brief(number),
            Some(Cell::Text(text) | Cell::Nested(text)) => brief(text),
        },
    }
}

/// Formats a time in seconds as UTC, in the format of the API's own dates.
fn format_time(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds);
    time.map_or_else(
        |_| seconds.to_string(),
        |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}
