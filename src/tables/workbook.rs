//! Reads a sheet of an Excel workbook as CSV. Line 7 of the text is row 7 of the sheet, so that
//! line numbers in messages match the sheet.
//!
//! Main entry: [`read_sheet`].

use std::io::Cursor;

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Style, Xlsx};
use memchr::memmem::find_iter;

use super::diagnostic::{Mistake, clip};
use super::header::{UnusableCell, UnusableCells};
use super::input::SheetName;

/// Maximum size of the unpacked workbook, and of the text of a sheet, in bytes. A small archive
/// could unpack to any size.
const LARGEST: usize = 256 << 20;
/// 10^15. In larger numbers, spreadsheets replace the digits after the 15th with zeros.
const FIRST_ROUNDED: f64 = 1e15;
/// The number of rows and columns that a sheet can have.
const MOST_ROWS: u32 = 1 << 20;
const MOST_COLUMNS: usize = 1 << 14;
/// Maximum number of sheets that a message lists.
const MOST_SHOWN: usize = 20;
/// Maximum number of merged cells that are remembered.
const MOST_MERGED: usize = 100_000;

/// Why a cell cannot be used, and what to do.
type Reason = (&'static str, &'static str);

const ROUNDED: Reason = (
    "a spreadsheet keeps only 15 digits of a number",
    "format the column as text, and enter the number again",
);
const ADDS_TEXT: Reason = (
    "the format of this cell adds text to its number",
    "format the column as text, and enter the values as they are shown",
);
const HIDES_PART: Reason = (
    "this cell has a date, but shows only a part of it",
    "for dates, use a format with day, month and year; for other values, format the column as text, and enter the values again",
);
const FAILED: Reason = (
    "the formula of this cell failed",
    "correct the formula, or enter the value",
);
const NOT_CALCULATED: Reason = (
    "the formula of this cell was never calculated",
    "open the workbook in a spreadsheet program, and save it again",
);
const MERGED: Reason = (
    "this cell is merged with others, and only the first of them has a value",
    "split the merged cells, and fill in each of them",
);

#[derive(Debug, Default)]
struct SheetText {
    text: String,
    unusable: UnusableCells,
    /// The number of rows in the text.
    rows: u32,
    /// The row of the header, counted from 0, and the number of columns in the header.
    header: u32,
    columns: usize,
    /// Whether there are cells without a value.
    has_empty: bool,
}

/// Reads the wanted sheet, or the first one. Returns its name, its text, and the cells that cannot be used.
pub(crate) fn read_sheet(
    bytes: &[u8],
    wanted: Option<&SheetName>,
) -> Result<(String, String, UnusableCells), Mistake> {
    if unpacked_size(bytes) > LARGEST as u64 {
        return Err(too_large());
    }
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(damaged)?;
    let sheets = book.sheets_metadata().iter();
    let sheets = sheets.filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let sheets = sheets.collect::<Vec<_>>();
    let key = |name: &str| name.trim().to_lowercase();
    let found = match wanted {
        None => sheets.first(),
        Some(SheetName::Number(number)) => {
            let index = usize::try_from(*number - 1).unwrap_or(usize::MAX);
            sheets.get(index)
        }
        Some(SheetName::Name(name)) => sheets.iter().find(|sheet| key(&sheet.name) == key(name)),
    };
    let names = sheets.iter().take(MOST_SHOWN);
    let names = names.map(|sheet| format!("\"{}\"", clip(&sheet.name)));
    let names = names.collect::<Vec<_>>().join(", ");
    let wrong_sheet = |message| Mistake::new(message, format!("select one with `sheet`: {names}"));
    let found = found.ok_or_else(|| {
        wrong_sheet(match wanted {
            Some(SheetName::Name(name)) => format!("the workbook has no sheet `{}`", clip(name)),
            Some(SheetName::Number(number)) => format!("the workbook has no sheet number {number}"),
            None => "the workbook has no sheet with rows".to_owned(),
        })
    })?;
    let name = found.name.clone();
    let shown = clip(&name);
    if wanted.is_none() && found.visible != SheetVisible::Visible {
        return Err(wrong_sheet(format!(
            "the first sheet, `{shown}`, is hidden"
        )));
    }
    let mut sheet = read_cells(&mut book, &name)?;
    if sheet.columns == 0 {
        return Err(wrong_sheet(format!("the sheet `{shown}` is empty")));
    }
    // Only a cell that looks empty can have a formula without a stored value.
    if sheet.has_empty {
        sheet.check_formulas(&mut book, &name)?;
    }
    sheet.check_merged(&mut book, &name)?;
    Ok((name, sheet.text, sheet.unusable))
}

type Book<'b> = Xlsx<Cursor<&'b [u8]>>;

fn read_cells(book: &mut Book<'_>, name: &str) -> Result<SheetText, Mistake> {
    let mut cells = book.worksheet_cells_reader(name).map_err(damaged)?;
    let formats: Vec<Format> = cells.styles().iter().map(Format::of).collect();
    let (mut sheet, mut row) = (SheetText::default(), Vec::<(usize, String)>::new());
    let mut at = 0;
    while let Some((cell, style)) = cells.next_cell_with_style_id().map_err(damaged)? {
        let (line, column) = cell.get_position();
        let column = column as usize;
        if line != at {
            sheet.push_row(at, &mut row)?;
        }
        let is_after = row.last().is_none_or(|(last, _)| column > *last);
        if line < at || !is_after || line >= MOST_ROWS || column >= MOST_COLUMNS {
            return Err(damaged("a cell is out of place"));
        }
        at = line;
        let format = formats.get(style).copied().unwrap_or_default();
        let (text, reason) = match cell.get_value() {
            // A rounded number could name another user or course.
            DataRef::Float(number) if number.fract() == 0.0 && number.abs() >= FIRST_ROUNDED => {
                (format!("{number:E}"), Some(ROUNDED))
            }
            DataRef::Float(number) if number.fract() == 0.0 => {
                let text = format!("{:0zeros$}", *number as i64, zeros = format.zeros);
                (text, format.adds_text.then_some(ADDS_TEXT))
            }
            DataRef::Float(number) => (number.to_string(), None),
            DataRef::Int(number) => (number.to_string(), None),
            DataRef::DateTime(date) => (format_date(date), format.hides_part.then_some(HIDES_PART)),
            DataRef::Bool(value) => (value.to_string().to_uppercase(), None),
            DataRef::SharedString(text) => ((*text).to_owned(), None),
            DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
                (text.clone(), None)
            }
            DataRef::Error(error) => (error.to_string(), Some(FAILED)),
            DataRef::Empty => {
                sheet.has_empty = true;
                continue;
            }
        };
        if let Some(reason) = reason {
            sheet.refuse(line, column, reason);
        }
        if !text.trim().is_empty() {
            row.push((column, text));
        }
    }
    sheet.push_row(at, &mut row)?;
    Ok(sheet)
}

impl SheetText {
    /// Moves the cells of a row to the end of the text. Workbooks do not store empty cells, so
    /// this function also adds a blank line for each missing row above, and empty cells at the
    /// end of the row. The first row is the header.
    fn push_row(&mut self, at: u32, row: &mut Vec<(usize, String)>) -> Result<(), Mistake> {
        let Some((last, _)) = row.last() else {
            return Ok(());
        };
        if self.columns == 0 {
            (self.header, self.columns) = (at, last + 1);
        }
        self.text += &"\n".repeat((at - self.rows) as usize);
        let mut written = 0;
        for (column, cell) in row.drain(..) {
            self.text += &",".repeat(column - written);
            self.push_cell(&cell);
            written = column;
        }
        self.text += &",".repeat(self.columns.saturating_sub(written + 1));
        self.text.push('\n');
        self.rows = at + 1;
        match self.text.len() > LARGEST {
            true => Err(too_large()),
            false => Ok(()),
        }
    }

    /// Writes a cell. A line break becomes a space, so that each row is one line.
    fn push_cell(&mut self, cell: &str) {
        let cell = cell.replace("\r\n", " ").replace(['\n', '\r'], " ");
        match cell.contains([',', '"']) {
            true => self.text += &format!("\"{}\"", cell.replace('"', "\"\"")),
            false => self.text += &cell,
        }
    }

    /// Remembers a cell that cannot be used. Its row is counted from 0.
    fn refuse(&mut self, row: u32, column: usize, (why, hint): Reason) {
        let row = row + 1;
        let cells = self.unusable.entry(column).or_default();
        cells.push(UnusableCell { row, why, hint });
    }

    /// Refuses formulas that were never calculated. Programs that write workbooks may store a
    /// formula without its value.
    fn check_formulas(&mut self, book: &mut Book<'_>, name: &str) -> Result<(), Mistake> {
        let mut cells = book.worksheet_cells_reader(name).map_err(damaged)?;
        while let Some(cell) = cells.next_cell_with_formula_metadata().map_err(damaged)? {
            if cell.formula.is_some() && cell.value == DataRef::Empty {
                self.refuse(cell.pos.0, cell.pos.1 as usize, NOT_CALCULATED);
            }
        }
        Ok(())
    }

    /// Refuses merged cells below the header.
    fn check_merged(&mut self, book: &mut Book<'_>, name: &str) -> Result<(), Mistake> {
        let (header, rows, columns) = (self.header, self.rows, self.columns);
        let areas = book.merge_cells_by_sheet_name(name).map_err(damaged)?;
        let areas = areas.iter();
        let areas = areas.filter(|area| area.end.0 > header && area.start.0 < rows);
        let cells = areas.flat_map(|area| {
            let columns = area.start.1 as usize..columns.min(area.end.1 as usize + 1);
            columns.map(|column| (area.start.0, column))
        });
        for (row, column) in cells.take(MOST_MERGED) {
            self.refuse(row, column, MERGED);
        }
        Ok(())
    }
}

/// What a number format does to the value that it shows.
#[derive(Debug, Clone, Copy, Default)]
struct Format {
    /// The number of digits that a format such as `00000` always shows; 0 for other formats.
    zeros: usize,
    /// Whether it adds text to a number, as in `"K-"0000`, `000-000` or `0%`.
    adds_text: bool,
    /// Whether it shows only a part of a date, as `d-mmm` does. A spreadsheet converts a text
    /// such as `3-4` to a date, and shows the date in this format.
    hides_part: bool,
}

impl Format {
    fn of(style: &Style) -> Self {
        let code = style.number_format.as_ref();
        let code = code.map_or("", |format| format.format_code.as_str());
        let code = code.split(';').next().unwrap_or_default();
        // Remove the language, as in `[$-419]00000`.
        let code = code.rsplit(']').next().unwrap_or_default();
        let mut quoted = code.split('"').skip(1).step_by(2);
        let mut escaped = code.split('\\').skip(1);
        let bare = code.replace(['"', '\\'], "");
        let mut inside = bare.as_bytes().windows(3);
        let plain: String = code.split('"').step_by(2).collect();
        let has = |letters: &[char]| plain.to_ascii_lowercase().contains(letters);
        // Years are also written `e` (Japan) and `b` (Thailand).
        let (has_day, has_year) = (has(&['d']), has(&['y', 'e', 'b']));
        // Remove the `_)` of a format such as `00000_)`. It adds a space as wide as `)`.
        let digits = code.split('_').next().unwrap_or_default();
        Self {
            zeros: match digits.bytes().all(|byte| byte == b'0') {
                true => digits.len(),
                false => 0,
            },
            adds_text: quoted.any(|text| text.contains(char::is_alphanumeric))
                || escaped.any(|rest| rest.starts_with(char::is_alphanumeric))
                || inside.any(|signs| matches!(signs, [b'0', b'-' | b' ' | b'/', b'0']))
                || bare.contains('%'),
            hides_part: has_day != has_year,
        }
    }
}

/// Formats a date, a time or both as in ISO 8601.
fn format_date(date: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
    let is_time = date.is_duration() || date.as_f64() < 1.0;
    let days = if is_time { date.as_f64() as u64 } else { 0 };
    let hour = days * 24 + u64::from(hour);
    let time = format!("{hour:02}:{minute:02}:{second:02}");
    let date = format!("{year:04}-{month:02}-{day:02}");
    match time.as_str() {
        _ if is_time => time,
        "00:00:00" => date,
        _ => format!("{date}T{time}"),
    }
}

/// Adds up the unpacked sizes that the archive's directory states. The files cannot be larger,
/// because the library enforces the stated sizes when it unpacks.
fn unpacked_size(bytes: &[u8]) -> u64 {
    let sizes = find_iter(bytes, b"PK\x01\x02").map(|entry| {
        let size = bytes.get(entry + 24..entry + 28);
        let size = size.and_then(|size| size.try_into().ok());
        u64::from(size.map_or(0, u32::from_le_bytes))
    });
    sizes.sum()
}

fn too_large() -> Mistake {
    let message = format!("the workbook unpacks to more than {} MiB", LARGEST >> 20);
    Mistake::new(message, "split it, or export the sheet as CSV")
}

fn damaged(error: impl ToString) -> Mistake {
    let message = format!("the workbook cannot be read: {}", error.to_string());
    let hint = "open it in a spreadsheet program, and save it again as .xlsx";
    Mistake::new(message, hint)
}
