//! Writes rows for people: a table that fits the terminal. Each column is as wide as its widest
//! cell, unless it is narrowed to fit.

use std::io::{self, Write};

use jiff::Timestamp;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Rows;
use crate::model::{Cell, Listing, RoomKind};
use crate::render::Paint;
use crate::render::column::pad;
use crate::render::escape::brief;
use crate::render::paint::Styles;

/// The number of spaces between two columns.
const GAP: u16 = 2;
/// The minimum width of a column that is narrowed. Columns that identify a row are never narrowed.
const NARROWEST: u16 = 5;

/// Returns whether other commands and lists refer to a row by this field. A shortened value of
/// such a field would be useless.
fn is_identity(name: &str) -> bool {
    name == "pipe" || name == "id" || name.ends_with("_id")
}

impl Rows<'_> {
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
