//! The floor (lower bound) of a whole process: reads files once with the bare library and keeps
//! nothing. `floor yaml|json|csv FILE...`; `benches/whole.sh` compares the program with it.
//!
//! `floor make DIRECTORY ROOMS` writes the inputs of the script: manifests, the list, the server's state, the ledger.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool for the benches"
)]

#[expect(dead_code, reason = "shared with the other benches")]
mod inputs;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    // `cargo bench` adds its own flag.
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["yaml", file] => yaml(file),
        ["json", files @ ..] => files.iter().map(|file| json(file)).sum(),
        ["csv", file] => csv(file),
        ["make", directory, rooms] => make(Path::new(directory), rooms),
        // Plain `cargo bench` passes no task.
        _ => Ok(0),
    };
    match done {
        Ok(count) => {
            println!("{count}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn yaml(file: &str) -> Result<usize, Box<dyn Error>> {
    let text = fs::read_to_string(file)?;
    let mut events = 0;
    for event in granit_parser::Parser::new_from_str(&text) {
        event.map_err(|error| error.to_string())?;
        events += 1;
    }
    Ok(events)
}

/// One JSON value, or one per line.
fn json(file: &str) -> Result<usize, Box<dyn Error>> {
    let bytes = fs::read(file)?;
    let values = serde_json::Deserializer::from_slice(&bytes).into_iter::<serde::de::IgnoredAny>();
    let mut count = 0;
    for value in values {
        value?;
        count += 1;
    }
    Ok(count)
}

fn csv(file: &str) -> Result<usize, Box<dyn Error>> {
    let mut reader = csv::Reader::from_path(file)?;
    let (mut record, mut rows) = (csv::ByteRecord::new(), 0);
    while reader.read_byte_record(&mut record)? {
        rows += 1;
    }
    Ok(rows)
}

/// `yaml/`: one file; `edited/`: 1 % of the titles changed; `json/`: as JSON; `many/`: in 100 files; `csv/`: from a roster.
/// `state.json`: a server that has the rooms; `list.json`: its list; `ledger.jsonl`: the ledger of the apply that created them.
fn make(directory: &Path, rooms: &str) -> Result<usize, Box<dyn Error>> {
    let rooms: u64 = rooms.parse()?;
    for name in ["yaml", "edited", "json", "many", "csv"] {
        fs::create_dir_all(directory.join(name))?;
    }
    let text = inputs::manifest(rooms, None);
    fs::write(directory.join("yaml/rooms.yaml"), &text)?;
    let edited = inputs::manifest(rooms, Some(100));
    fs::write(directory.join("edited/rooms.yaml"), edited)?;
    fs::write(directory.join("json/rooms.yaml"), inputs::json(rooms))?;
    let (head, lines) = text.split_at(text.find("  - ").unwrap_or_default());
    let lines: Vec<&str> = lines.lines().collect();
    for (index, lines) in lines.chunks(lines.len().div_ceil(100)).enumerate() {
        let file = format!("many/rooms-{index:03}.yaml");
        let part = format!("{head}{}\n", lines.join("\n"));
        fs::write(directory.join(file), part)?;
    }
    let generate = "version: 1\ngenerate:\n  - each: courses.csv\n    room:\n      pipe: \"course-{{ id }}\"\n      title: \"Курс {{ id }} · осень\"\n      enrol: {roster: enrollments.csv, on: {course_id: id}, user: user_id}\n";
    fs::write(directory.join("csv/rooms.yaml"), generate)?;
    let ids: Vec<String> = (1..=rooms).map(|room| room.to_string()).collect();
    let courses = format!("id\n{}\n", ids.join("\n"));
    fs::write(directory.join("csv/courses.csv"), courses)?;
    fs::write(directory.join("csv/enrollments.csv"), inputs::roster(rooms))?;
    fs::write(directory.join("list.json"), inputs::list(rooms))?;
    fs::write(directory.join("state.json"), inputs::state(rooms))?;
    fs::write(directory.join("ledger.jsonl"), inputs::ledger(rooms)?)?;
    Ok(usize::try_from(rooms)?)
}
