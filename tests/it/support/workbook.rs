//! Writes Excel workbooks: an archive without compression, with only the parts that a reader needs.

use std::fmt::Write;

use flate2::Crc;

/// A cell, with its value as the workbook stores it.
#[derive(Clone, Copy)]
pub enum Cell<'a> {
    Text(&'a str),
    Number(&'a str),
    /// A number, and one of the [`FORMATS`].
    Formatted(&'a str, &'a str),
    /// A date, given as its serial number.
    Day(&'a str),
    /// A date with a time, given as a serial number.
    Time(&'a str),
    Truth(bool),
    /// A formula's text, and its stored value if it was ever calculated.
    Formula(&'a str, Option<&'a str>),
    Failed(&'a str),
    Nothing,
}

/// Number formats that programs or people define.
const FORMATS: [&str; 11] = [
    "00000",
    "[$-419]00000_)",
    "\"K-\"0000",
    "\\K0000",
    "000\"-\"000",
    "000\\ 000",
    "0%",
    "#,##0",
    "d-mmm",
    "mmm\\-yy",
    "[$-411]ggge\"y\"m\"m\"d\"d\"",
];

/// A sheet. Its first cell may be anywhere; rows and columns count from 1.
pub struct Sheet {
    name: String,
    is_hidden: bool,
    rows: String,
    merged: String,
}

impl Sheet {
    pub fn new(name: &str, (row, column): (usize, usize), rows: &[&[Cell<'_>]]) -> Self {
        let mut text = String::new();
        for (index, cells) in rows.iter().enumerate() {
            let line = row + index;
            // Every second row is hidden. Readers must treat hidden rows like visible rows.
            let hidden = line % 2;
            write!(text, "<row r=\"{line}\" hidden=\"{hidden}\">").unwrap();
            for (index, cell) in cells.iter().enumerate() {
                let letter = char::from(b'A' + (column - 1 + index) as u8);
                text.push_str(&cell_xml(&format!("{letter}{line}"), *cell));
            }
            text.push_str("</row>");
        }
        Self {
            name: name.to_owned(),
            is_hidden: false,
            rows: text,
            merged: String::new(),
        }
    }

    /// A sheet with the cells of a CSV text, which must not contain quotes.
    pub fn from_csv(name: &str, text: &str) -> Self {
        let lines = text.lines().map(|line| line.split(',').map(Cell::Text));
        let rows: Vec<Vec<Cell<'_>>> = lines.map(Iterator::collect).collect();
        let rows: Vec<&[Cell<'_>]> = rows.iter().map(Vec::as_slice).collect();
        Self::new(name, (1, 1), &rows)
    }

    pub fn hidden(mut self) -> Self {
        self.is_hidden = true;
        self
    }

    /// Merges the cells of an area, such as `A2:A9`.
    pub fn merge(mut self, area: &str) -> Self {
        write!(self.merged, "<mergeCell ref=\"{area}\"/>").unwrap();
        self
    }

    /// A sheet with these rows as XML.
    pub fn raw(name: &str, rows: &str) -> Self {
        Self {
            name: name.to_owned(),
            is_hidden: false,
            rows: rows.to_owned(),
            merged: String::new(),
        }
    }
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('"', "&quot;")
}

fn cell_xml(place: &str, cell: Cell<'_>) -> String {
    match cell {
        Cell::Text(text) => {
            let text = escape(text);
            format!(
                "<c r=\"{place}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{text}</t></is></c>"
            )
        }
        Cell::Number(value) => format!("<c r=\"{place}\"><v>{value}</v></c>"),
        Cell::Formatted(value, format) => {
            let style = FORMATS.iter().position(|known| *known == format).unwrap() + 3;
            format!("<c r=\"{place}\" s=\"{style}\"><v>{value}</v></c>")
        }
        Cell::Day(value) => format!("<c r=\"{place}\" s=\"1\"><v>{value}</v></c>"),
        Cell::Time(value) => format!("<c r=\"{place}\" s=\"2\"><v>{value}</v></c>"),
        Cell::Truth(value) => format!("<c r=\"{place}\" t=\"b\"><v>{}</v></c>", u8::from(value)),
        Cell::Formula(formula, Some(value)) => {
            let (formula, value) = (escape(formula), escape(value));
            format!("<c r=\"{place}\" t=\"str\"><f>{formula}</f><v>{value}</v></c>")
        }
        Cell::Formula(formula, None) => format!("<c r=\"{place}\"><f>{}</f></c>", escape(formula)),
        Cell::Failed(error) => format!("<c r=\"{place}\" t=\"e\"><v>{error}</v></c>"),
        Cell::Nothing => String::new(),
    }
}

pub fn workbook(sheets: &[Sheet]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let (mut names, mut targets, mut parts) = (String::new(), String::new(), Vec::new());
    for (number, sheet) in (1..).zip(sheets) {
        let (name, state) = (
            escape(&sheet.name),
            if sheet.is_hidden { "hidden" } else { "visible" },
        );
        write!(
            names,
            "<sheet name=\"{name}\" sheetId=\"{number}\" state=\"{state}\" r:id=\"rId{number}\"/>"
        )
        .unwrap();
        write!(targets, "<Relationship Id=\"rId{number}\" Type=\"{RELATIONS}/worksheet\" Target=\"worksheets/sheet{number}.xml\"/>").unwrap();
        let (rows, merged) = (&sheet.rows, &sheet.merged);
        let xml = format!(
            "<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData><mergeCells>{merged}</mergeCells></worksheet>"
        );
        parts.push((format!("xl/worksheets/sheet{number}.xml"), xml));
    }
    let styles = targets.clone()
        + &format!(
            "<Relationship Id=\"styles\" Type=\"{RELATIONS}/styles\" Target=\"styles.xml\"/>"
        );
    let (mut formats, mut used) = (String::new(), String::new());
    for (number, code) in (164..).zip(FORMATS) {
        let code = escape(code);
        write!(
            formats,
            "<numFmt numFmtId=\"{number}\" formatCode=\"{code}\"/>"
        )
        .unwrap();
        write!(used, "<xf numFmtId=\"{number}\"/>").unwrap();
    }
    let (count, all) = (FORMATS.len(), FORMATS.len() + 3);
    parts.extend([
        ("[Content_Types].xml".to_owned(), "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>".to_owned()),
        ("_rels/.rels".to_owned(), format!("<Relationships xmlns=\"{PACKAGE}\"><Relationship Id=\"book\" Type=\"{RELATIONS}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>")),
        ("xl/workbook.xml".to_owned(), format!("<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONS}\"><sheets>{names}</sheets></workbook>")),
        ("xl/_rels/workbook.xml.rels".to_owned(), format!("<Relationships xmlns=\"{PACKAGE}\">{styles}</Relationships>")),
        ("xl/styles.xml".to_owned(), format!("<styleSheet xmlns=\"{MAIN}\"><numFmts count=\"{count}\">{formats}</numFmts><cellXfs count=\"{all}\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"22\"/>{used}</cellXfs></styleSheet>")),
    ]);
    let parts: Vec<(&str, &[u8])> = parts
        .iter()
        .map(|(name, xml)| (name.as_str(), xml.as_bytes()))
        .collect();
    zip(&parts)
}

/// The bytes of an archive with these files.
pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let mut crc = Crc::new();
        crc.update(content);
        let (size, offset) = (content.len() as u32, bytes.len() as u32);
        // Version, flags, method, time, date.
        let mut header = [20_u16, 0, 0, 0, 33].map(u16::to_le_bytes).concat();
        header.extend([crc.sum(), size, size].map(u32::to_le_bytes).concat());
        header.extend([name.len() as u16, 0].map(u16::to_le_bytes).concat());
        bytes.extend([b"PK\x03\x04", header.as_slice(), name.as_bytes(), content].concat());
        // Comment, disk and attributes are empty.
        let rest = [vec![0; 10], offset.to_le_bytes().to_vec()].concat();
        directory.extend(
            [
                b"PK\x01\x02\x14\0",
                header.as_slice(),
                &rest,
                name.as_bytes(),
            ]
            .concat(),
        );
    }
    let count = files.len() as u16;
    let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
    end.extend([count, count].map(u16::to_le_bytes).concat());
    end.extend(
        [directory.len() as u32, bytes.len() as u32]
            .map(u32::to_le_bytes)
            .concat(),
    );
    end.extend([0, 0]);
    [bytes, directory, end].concat()
}
