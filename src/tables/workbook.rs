//! Reads a sheet of an Excel workbook as CSV: line 7 of the text is row 7 of the sheet, so that
//! lines in messages match the sheet.
//!
//! Main entry: [`read_sheet`].

use std::io::Cursor;

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, Style, Xlsx};
use memchr::memmem::find_iter;

use super::diagnostic::clip;
use super::encoding::NoText;
use super::header::UnusableCell;
use super::input::SheetName;

/// Maximum size of the unpacked workbook, and of the text of a sheet: a small archive can unpack to any size.
const LARGEST: usize = 256 << 20;
/// 2^53: workbooks store smaller whole numbers exactly.
const FIRST_INEXACT: f64 = 9_007_199_254_740_992.0;
/// Number of rows and columns that a sheet can have.
const MOST_ROWS: u32 = 1 << 20;
const MOST_COLUMNS: usize = 1 << 14;
/// Maximum number of sheets listed in a message.
const MOST_SHOWN: usize = 20;

/// The text of a sheet.
#[derive(Debug, Default)]
struct SheetText {
    text: String,
    unusable: Vec<UnusableCell>,
    /// The number of rows in the text.
    rows: u32,
}

/// Reads the wanted sheet, or the first one. Also returns the cells that cannot be used.
pub(crate) fn read_sheet(
    bytes: &[u8],
    wanted: Option<&SheetName>,
) -> Result<(String, Vec<UnusableCell>), NoText> {
    if unpacked_size(bytes) > LARGEST as u64 {
        return Err(too_large());
    }
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(damaged)?;
    let sheets = book.sheets_metadata().iter();
    let sheets = sheets.filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let sheets: Vec<&str> = sheets.map(|sheet| sheet.name.as_str()).collect();
    let key = |name: &str| name.trim().to_lowercase();
    let found = match wanted {
        None => sheets.first(),
        Some(SheetName::Number(number)) => {
            let index = usize::try_from(*number - 1).unwrap_or(usize::MAX);
            sheets.get(index)
        }
        Some(SheetName::Name(name)) => sheets.iter().find(|sheet| key(sheet) == key(name)),
    };
    let found = found.ok_or_else(|| unknown_sheet(wanted, &sheets))?;
    let name = found.to_string();
    let (sheet, has_empty) = read_cells(&mut book, &name)?;
    // Only a cell that looks empty can be a formula without a value.
    if has_empty {
        check_formulas(&mut book, &name)?;
    }
    Ok((sheet.text, sheet.unusable))
}

type Book<'b> = Xlsx<Cursor<&'b [u8]>>;

/// Reads all cells; also returns whether there are cells without a value.
fn read_cells(book: &mut Book<'_>, name: &str) -> Result<(SheetText, bool), NoText> {
    let mut cells = book.worksheet_cells_reader(name).map_err(damaged)?;
    let zeros: Vec<Option<usize>> = cells.styles().iter().map(count_zeros).collect();
    let (mut sheet, mut row) = (SheetText::default(), Vec::<(usize, String)>::new());
    let (mut columns, mut at, mut has_empty) = (0, 0, false);
    while let Some((cell, style)) = cells.next_cell_with_style_id().map_err(damaged)? {
        let (line, column) = cell.get_position();
        let column = column as usize;
        if line != at {
            sheet.push_row(at, &mut row, &mut columns)?;
        }
        let is_after = row.last().is_none_or(|(last, _)| column > *last);
        if line < at || !is_after || line >= MOST_ROWS || column >= MOST_COLUMNS {
            return Err(damaged("a cell is out of place"));
        }
        at = line;
        let mut refuse = |why, hint| {
            sheet.unusable.push(UnusableCell {
                row: line + 1,
                column,
                why,
                hint,
            });
        };
        let text = match cell.get_value() {
            DataRef::Float(number) if is_inexact(*number) => {
                // A rounded number could name another user or course.
                refuse(
                    "a workbook stores only 15 digits of a number",
                    "format the column as text, and enter the number again",
                );
                format!("{number:E}")
            }
            DataRef::Float(number) if number.fract() == 0.0 => {
                let zeros = zeros.get(style).copied().unwrap_or(Some(0));
                if zeros.is_none() {
                    refuse(
                        "the format of this cell adds text to its number",
                        "format the column as text, and enter the values as they are shown",
                    );
                }
                format!(
                    "{:0zeros$}",
                    *number as i64,
                    zeros = zeros.unwrap_or_default()
                )
            }
            DataRef::Float(number) => number.to_string(),
            DataRef::Int(number) => number.to_string(),
            DataRef::DateTime(date) => format_date(date),
            DataRef::Bool(value) => value.to_string().to_uppercase(),
            DataRef::SharedString(text) => (*text).to_owned(),
            DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
                text.clone()
            }
            DataRef::Error(error) => {
                refuse(
                    "the formula of this cell failed",
                    "correct the formula, or enter the value",
                );
                error.to_string()
            }
            DataRef::Empty => {
                has_empty = true;
                continue;
            }
        };
        if !text.trim().is_empty() {
            row.push((column, text));
        }
    }
    sheet.push_row(at, &mut row, &mut columns)?;
    Ok((sheet, has_empty))
}

impl SheetText {
    /// Moves a row's cells into the text, after blank lines for the rows above it that have no
    /// cells. The first row is the header. Shorter rows are filled up with empty cells, because
    /// workbooks do not store empty cells.
    fn push_row(
        &mut self,
        at: u32,
        row: &mut Vec<(usize, String)>,
        columns: &mut usize,
    ) -> Result<(), NoText> {
        let Some((last, _)) = row.last() else {
            return Ok(());
        };
        if *columns == 0 {
            *columns = last + 1;
        }
        self.text += &"\n".repeat((at - self.rows) as usize);
        let mut written = 0;
        for (column, cell) in row.drain(..) {
            self.text += &",".repeat(column - written);
            self.push_cell(&cell);
            written = column;
        }
        self.text += &",".repeat(columns.saturating_sub(written + 1));
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
}

/// Reports a formula that was never calculated: programs that write workbooks may store no values.
fn check_formulas(book: &mut Book<'_>, name: &str) -> Result<(), NoText> {
    let mut cells = book.worksheet_cells_reader(name).map_err(damaged)?;
    while let Some(cell) = cells.next_cell_with_formula_metadata().map_err(damaged)? {
        if cell.formula.is_some() && cell.value == DataRef::Empty {
            let row = cell.pos.0 + 1;
            let message = format!("a formula in row {row} has no stored value");
            let hint = "open the workbook in a spreadsheet program, and save it again";
            return Err(NoText::new(message, hint));
        }
    }
    Ok(())
}

/// Whether a workbook may have changed the last digits of a whole number.
fn is_inexact(number: f64) -> bool {
    number.fract() == 0.0 && number.abs() >= FIRST_INEXACT
}

/// Returns the number of digits that a format such as `00000` always shows, and 0 for other formats;
/// `None` if the format adds letters, digits or dashes, as in `"K-"0000` or `000-000`.
fn count_zeros(style: &Style) -> Option<usize> {
    let code = style.number_format.as_ref();
    let code = code.map_or("", |format| format.format_code.as_str());
    let code = code.split(';').next().unwrap_or_default();
    // Remove the language, as in `[$-419]00000`.
    let code = code.rsplit(']').next().unwrap_or_default();
    let mut quoted = code.split('"').skip(1).step_by(2);
    let mut escaped = code.split('\\').skip(1);
    if quoted.any(|text| text.contains(char::is_alphanumeric))
        || escaped.any(|rest| rest.starts_with(char::is_alphanumeric))
        || code.replace(['"', '\\'], "").contains("0-0")
    {
        return None;
    }
    match code.bytes().all(|byte| byte == b'0') {
        true => Some(code.len()),
        false => Some(0),
    }
}

/// Formats a date or a time, in the forms of ISO 8601.
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

/// Adds up the sizes in the archive's directory. The library that unpacks it enforces them.
fn unpacked_size(bytes: &[u8]) -> u64 {
    let sizes = find_iter(bytes, b"PK\x01\x02").map(|entry| {
        let size = bytes.get(entry + 24..entry + 28);
        let size = size.and_then(|size| size.try_into().ok());
        u64::from(size.map_or(0, u32::from_le_bytes))
    });
    sizes.sum()
}

fn unknown_sheet(wanted: Option<&SheetName>, sheets: &[&str]) -> NoText {
    let shown = sheets.iter().take(MOST_SHOWN).map(|sheet| clip(sheet));
    let shown: Vec<String> = shown.collect();
    let message = match wanted {
        Some(SheetName::Name(name)) => format!("the workbook has no sheet `{}`", clip(name)),
        Some(SheetName::Number(number)) => format!("the workbook has no sheet {number}"),
        None => "the workbook has no sheet with rows".to_owned(),
    };
    NoText::new(message, format!("its sheets are {}", shown.join(", ")))
}

fn too_large() -> NoText {
    let message = format!("the workbook unpacks to more than {} MiB", LARGEST >> 20);
    NoText::new(message, "split it, or export the sheet as CSV")
}

fn damaged(error: impl ToString) -> NoText {
    let message = format!("the workbook cannot be read: {}", error.to_string());
    let hint = "open it in a spreadsheet program, and save it again as .xlsx";
    NoText::new(message, hint)
}
