//! The floor (lower bound) of a run: reads each file once with the parsing library alone, keeps
//! nothing, and prints the number of items.
//!
//! Usage: `floor [granit|saphyr|libyaml] FILE...`. The items are YAML events, JSON values, CSV
//! rows or workbook cells.

use std::error::Error;
use std::fs;
use std::io::Cursor;

use calamine::{Reader as _, Xlsx};

type Count = Result<usize, Box<dyn Error>>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    let parser = match files.first().map(String::as_str) {
        Some("granit" | "saphyr" | "libyaml") => files.remove(0),
        _ => "granit".to_owned(),
    };
    let mut count = 0;
    for file in &files {
        count += match file.rsplit_once('.').map(|(_, ending)| ending) {
            Some("yaml") => yaml(&parser, &fs::read_to_string(file)?),
            Some("json" | "jsonl") => json(&fs::read(file)?),
            Some("csv") => csv(file),
            Some("xlsx") => xlsx(fs::read(file)?),
            _ => Err(format!("{file}: not a format that the benches read").into()),
        }?;
    }
    println!("{count}");
    Ok(())
}

fn yaml(parser: &str, text: &str) -> Count {
    let mut count = 0;
    match parser {
        "saphyr" => {
            for event in saphyr_parser::Parser::new_from_str(text) {
                event?;
                count += 1;
            }
        }
        "libyaml" => {
            let mut parser = libyaml_safer::Parser::new();
            let mut bytes = text.as_bytes();
            parser.set_input_string(&mut bytes);
            for event in parser {
                event?;
                count += 1;
            }
        }
        _ => {
            for event in granit_parser::Parser::new_from_str(text) {
                event.map_err(|error| error.to_string())?;
                count += 1;
            }
        }
    }
    Ok(count)
}

/// Counts the JSON values of a file: a single value, or one per line.
fn json(bytes: &[u8]) -> Count {
    let values = serde_json::Deserializer::from_slice(bytes).into_iter::<serde::de::IgnoredAny>();
    let mut count = 0;
    for value in values {
        value?;
        count += 1;
    }
    Ok(count)
}

fn csv(file: &str) -> Count {
    let mut reader = csv::Reader::from_path(file)?;
    let (mut record, mut rows) = (csv::ByteRecord::new(), 0);
    while reader.read_byte_record(&mut record)? {
        rows += 1;
    }
    Ok(rows)
}

fn xlsx(bytes: Vec<u8>) -> Count {
    let mut book = Xlsx::new(Cursor::new(bytes))?;
    let mut count = 0;
    for sheet in book.sheet_names() {
        let mut cells = book.worksheet_cells_reader(&sheet)?;
        while cells.next_cell()?.is_some() {
            count += 1;
        }
    }
    Ok(count)
}
