//! Writes the exports of an invented school beside `rooms.yaml`: 400 courses and 9,000 enrolments, the same on every machine.
//!
//! It needs only a Rust compiler: `rustc generate.rs`, then `./generate [--term 2] [--mistakes]`. People have numbers instead of names.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

/// Forms 5 to 9, four classes each.
const FORMS: std::ops::RangeInclusive<u32> = 5..=9;
const LETTERS: [char; 4] = ['А', 'Б', 'В', 'Г'];
const SUBJECTS: [&str; 20] = [
    "Алгебра",
    "Геометрия",
    "Русский язык",
    "Литература",
    "История",
    "Обществознание",
    "География",
    "Биология",
    "Физика",
    "Химия",
    "Информатика",
    "Английский язык",
    "Немецкий язык",
    "Музыка",
    "Изобразительное искусство",
    "Технология",
    "Физкультура",
    "Астрономия",
    "Черчение",
    "Шахматы",
];
const TEACHERS: usize = 40;

/// A file name and its content.
pub type File = (&'static str, String);

/// Pseudo-random numbers that are the same on every machine (a linear congruential generator).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// The four files of a term.
pub fn files(term: u32, mistakes: bool) -> Vec<File> {
    let classes: Vec<String> = FORMS
        .flat_map(|form| LETTERS.map(|letter| format!("{form}{letter}")))
        .collect();
    let mut courses = vec!["id;subject;class;term;status;teacher".to_owned()];
    let mut people = vec!["number;who;id".to_owned()];
    let mut enrollments = vec!["course,student,since,status".to_owned()];
    let mut chance = Chance(20_260_901 + u64::from(term));

    people.push("З-001;Завуч 001;3001".to_owned());
    people.extend(
        (1..=TEACHERS)
            .map(|teacher| format!("Т-{teacher:03};Учитель {teacher:03};{}", 2000 + teacher)),
    );
    let mut student = 0;
    for (class_index, class) in classes.iter().enumerate() {
        // The classes alternate between 22 and 23 students: 450 students in 20 classes, and
        // 9,000 enrolments in 400 courses.
        let first = student + 1;
        student += 22 + class_index % 2;
        people.extend(
            (first..=student)
                .map(|number| format!("У-{number:04};Ученик {number:04};{}", 10_000 + number)),
        );
        for (subject_index, subject) in SUBJECTS.iter().enumerate() {
            let id = 1000 + class_index * SUBJECTS.len() + subject_index;
            let teacher = 1 + chance.below(TEACHERS);
            courses.push(format!(
                "{id};{subject};{class};2026-{term};active;Т-{teacher:03}"
            ));
            let day = 1 + chance.below(28);
            let month = if term == 1 { "2026-09" } else { "2027-01" };
            enrollments.extend(
                (first..=student)
                    .map(|number| format!("{id},У-{number:04},{month}-{day:02},active")),
            );
            if chance.below(8) == 0 {
                let left = first + chance.below(student - first);
                enrollments.push(format!("{id},У-{left:04},{month}-01,left"));
            }
        }
    }
    courses.push(format!("1900;Кружок;7Б;2026-{term};closed;Т-001"));
    let mut office = vec!["# кто есть в каждой комнате".to_owned(), "З-001".to_owned()];
    if mistakes {
        plant(&mut courses, &mut people, &mut enrollments, &mut office);
    }
    // Imitate real exports: one file has a byte order mark and CRLF, and not all files have the
    // same delimiter.
    vec![
        (
            "courses.csv",
            format!("\u{feff}{}\r\n", courses.join("\r\n")),
        ),
        ("people.csv", format!("{}\n", people.join("\n"))),
        ("enrollments.csv", format!("{}\n", enrollments.join("\n"))),
        ("office.txt", format!("{}\n", office.join("\n"))),
    ]
}

/// Twelve realistic mistakes.
fn plant(
    courses: &mut Vec<String>,
    people: &mut Vec<String>,
    enrollments: &mut [String],
    office: &mut Vec<String>,
) {
    // Office: an id with leading zeros, which a spreadsheet keeps if the cell is text.
    office.push("03002".to_owned());
    // People: one number for two people; an id that contains a letter.
    people.insert(60, "У-0007;Ученик 0451;10451".to_owned());
    people[301] = people[301].replace(";10", ";1О");
    // Courses: a duplicate, a missing subject, a delimiter inside a title, an unknown teacher.
    courses.insert(120, courses[40].replacen("1039", "1901", 1));
    courses[200] = blank(&courses[200], 1);
    courses[250] = courses[250].replacen(';', ";Спецкурс; ", 1);
    courses[333] = format!(
        "{}Т-041",
        &courses[333][..courses[333].len() - "Т-000".len()]
    );
    // Enrolments: a letter instead of a digit, an empty student, an unknown course, an empty course, a missing cell.
    enrollments[1234] = enrollments[1234].replacen("У-0", "У-O", 1);
    enrollments[3456] = blank_of(&enrollments[3456], 1, ',');
    enrollments[4567] = format!("9{}", &enrollments[4567]);
    enrollments[5678] = blank_of(&enrollments[5678], 0, ',');
    enrollments[6789] = enrollments[6789].trim_end_matches(",active").to_owned();
}

fn blank(row: &str, cell: usize) -> String {
    blank_of(row, cell, ';')
}

fn blank_of(row: &str, cell: usize, delimiter: char) -> String {
    let cells = row.split(delimiter).enumerate();
    let cells: Vec<&str> = cells
        .map(|(index, text)| if index == cell { "" } else { text })
        .collect();
    cells.join(&delimiter.to_string())
}

/// Writes the files into the current directory, which must contain the manifest.
pub fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let term = if words.windows(2).any(|pair| pair == ["--term", "2"]) {
        2
    } else {
        1
    };
    let known = |word: &&str| matches!(*word, "--term" | "1" | "2" | "--mistakes");
    if !words.iter().all(known) || !Path::new("rooms.yaml").exists() {
        eprintln!("usage: generate [--term 1|2] [--mistakes], in the directory of rooms.yaml");
        return ExitCode::from(64);
    }
    for (name, text) in files(term, words.contains(&"--mistakes")) {
        if let Err(error) = fs::write(name, text) {
            eprintln!("{name}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
