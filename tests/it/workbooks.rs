//! Rosters in Excel workbooks: what each kind of cell becomes, and the places of errors.

use crate::support::workbook::{Cell, Sheet, workbook, zip};
use crate::support::{Ran, Scene, Shows};
use insta::assert_snapshot;

use Cell::{Day, Failed, Formatted, Formula, Nothing, Number, Text, Time, Truth};

/// A manifest with one room, whose members are in this roster.
fn room(roster: &str) -> Scene {
    Scene::new().manifest(format!(
        "version: 1\nrooms: [{{pipe: first-room, title: First, members: [{{{roster}}}]}}]\n"
    ))
}

/// Checks a room whose members are in this workbook. `keys` are the other keys of the roster.
fn check(book: &[u8], keys: &str) -> Ran {
    let scene = room(&format!("roster: book.xlsx{keys}"));
    scene.write("book.xlsx", book);
    scene.run("check")
}

/// The text that a cell becomes in a title.
#[track_caller]
fn text_of(cell: Cell<'_>) -> String {
    let scene = Scene::new().manifest(
        "version: 1\ngenerate:\n  - each: book.xlsx\n    room: {pipe: first-room, title: \"<{{ value }}>\"}\n",
    );
    let rows: [&[Cell<'_>]; 2] = [&[Text("value"), Text("key")], &[cell, Text("x")]];
    scene.write("book.xlsx", workbook(&[Sheet::new("One", (1, 1), &rows)]));
    let rooms: serde_json::Value = serde_json::from_str(&scene.run("render").ok()).unwrap();
    let title = rooms["rooms"][0]["title"].as_str().unwrap();
    title.trim_matches(['<', '>']).to_owned()
}

#[test]
fn each_kind_of_cell_becomes_text() {
    for (cell, expected) in [
        (Text("Анна, \"A\""), "Анна, \"A\""),
        (Text("  one\r\ntwo\n"), "one two"),
        (Text("00123"), "00123"),
        (Text("007"), "007"),
        (Number("12"), "12"),
        (Number("12.0"), "12"),
        (Number("1.2E+3"), "1200"),
        (Number("-3"), "-3"),
        (Number("12.5"), "12.5"),
        (Number("999999999999999"), "999999999999999"),
        (Formatted("123", "00000"), "00123"),
        (Formatted("123456", "00000"), "123456"),
        (Formatted("1.5", "00000"), "1.5"),
        (Formatted("123", "[$-419]00000_)"), "00123"),
        (Formatted("10058", "#,##0"), "10058"),
        (Day("46266"), "2026-09-01"),
        (Time("46266.5"), "2026-09-01T12:00:00"),
        (Time("0.25"), "06:00:00"),
        (
            Formatted("46266", "[$-411]ggge\"y\"m\"m\"d\"d\""),
            "2026-09-01",
        ),
        (Truth(true), "TRUE"),
        (Formula("\"a\"&\"b\"", Some("ab")), "ab"),
        (Formula("A1", Some("")), ""),
        (Nothing, ""),
    ] {
        assert_eq!(text_of(cell), expected);
    }
}

#[test]
fn errors_name_the_cell_in_the_sheet() {
    let rows: [&[Cell<'_>]; 5] = [
        &[Text("User_ID"), Text("name")],
        &[Number("7"), Text("one")],
        &[],
        &[Text("8x"), Nothing],
        &[Number("9"), Text("two"), Text("three")],
    ];
    let scene = room("roster: book.xlsx, user: user_id");
    let sheet = Sheet::new("One", (5, 3), &rows);
    scene.write("book.xlsx", workbook(&[sheet]));
    let ran = scene.run("check");
    ran.exits(3);
    assert_snapshot!(ran.err, @"
    error[E016 unknown-person]: book.xlsx#One:8:User_ID: `8x` is not in `people`
     --> book.xlsx#One:8:3
      |
    8 | ,,8x,
      |   ^^
      |
      = help: add the name to `people`, or write a whole number above zero

    error[E025 ragged-row]: book.xlsx#One:9: the row has 5 cells, but the header has 4
     --> book.xlsx#One:9:1
      |
    9 | ,,9,two,three
      | ^
      |
      = help: give each extra column a name in the header, or clear the cells beside the table

    the manifest is invalid: 2 errors
    ");
}

#[test]
fn a_sheet_is_selected_by_name_or_number() {
    let sheets = |name| Sheet::new(name, (1, 1), &[&[Text("user")], &[Text(name)]]);
    let book = workbook(&[sheets("11"), sheets("12").hidden(), sheets("2026")]);
    for (sheet, expected) in [
        ("", "11"),
        (", sheet: 2", "12"),
        (", sheet: \" 12\"", "12"),
        (", sheet: \"2026\"", "2026"),
    ] {
        let scene = room(&format!("roster: book.xlsx{sheet}"));
        scene.write("book.xlsx", &book);
        let rows = scene.run("render --format csv").ok();
        rows.ends(format!(",{expected}\n"));
    }
    let scene = room("roster: book.xlsx, sheet: 2026");
    scene.write("book.xlsx", &book);
    let ran = scene.run("check");
    ran.exits(3);
    assert_snapshot!(ran.err, @r#"
    error[E034 bad-workbook]: `book.xlsx`: the workbook has no sheet number 2026
     --> rooms.yaml:2:79
      |
    2 | rooms: [{pipe: first-room, title: First, members: [{roster: book.xlsx, sheet: 2026}]}]
      |                                                                               ^^^^
      |
      = help: select one with `sheet`: "11", "12", "2026"

    the manifest is invalid: 1 error
    "#);
    scene.edit("2026", "Класс");
    scene
        .run("check")
        .err
        .shows("`book.xlsx`: the workbook has no sheet `Класс`");
}

/// Each sheet has its own count. If one sheet shrinks, the other sheet does not hide the loss.
#[test]
fn each_sheet_is_a_separate_source() {
    let scene = Scene::new().sandbox().manifest(
        "version: 1\nrooms: [{pipe: first-room, title: First, members: [{roster: book.xlsx, sheet: a}, {roster: book.xlsx, sheet: b}]}]\n",
    );
    let sheet = |name, users: &[&'static str]| {
        let rows: Vec<[Cell<'_>; 1]> = ["user"]
            .iter()
            .chain(users)
            .map(|user| [Text(user)])
            .collect();
        let rows: Vec<&[Cell<'_>]> = rows.iter().map(<[_; 1]>::as_slice).collect();
        Sheet::new(name, (1, 1), &rows)
    };
    let many = ["11", "12", "13", "14", "15"];
    scene.write(
        "book.xlsx",
        workbook(&[sheet("a", &["1", "2", "3"]), sheet("b", &many)]),
    );
    scene.apply().exits(0);
    scene.write(
        "book.xlsx",
        workbook(&[sheet("a", &["1"]), sheet("b", &many)]),
    );
    let ran = scene.plan();
    ran.exits(5);
    ran.out.shows("`book.xlsx#a`");
}

#[test]
fn a_number_that_a_workbook_cannot_store_is_an_error_if_its_column_is_used() {
    let rows: [&[Cell<'_>]; 3] = [
        &[Text("user"), Text("card")],
        &[Number("7"), Number("1234567890123450")],
        &[Number("8"), Number("-12345678901234567890")],
    ];
    let book = workbook(&[Sheet::new("One", (1, 1), &rows)]);
    let scene = room("roster: book.xlsx, user: user");
    scene.write("book.xlsx", &book);
    scene.run("check").exits(0);
    scene.edit("user: user", "user: Card");
    let ran = scene.run("check");
    ran.exits(3);
    assert_snapshot!(ran.err, @"
    error[E028 bad-cell]: book.xlsx#One:2:card: a spreadsheet keeps only 15 digits of a number
     --> book.xlsx#One:2:3
      |
    2 | 7,1.23456789012345E15
      |   ^^^^^^^^^^^^^^^^^^^
      |
      = help: format the column as text, and enter the number again

    error[E028 bad-cell]: book.xlsx#One:3:card: a spreadsheet keeps only 15 digits of a number
     --> book.xlsx#One:3:3
      |
    3 | 8,-1.2345678901234567E19
      |   ^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: format the column as text, and enter the number again

    the manifest is invalid: 2 errors
    ");
}

#[test]
fn a_cell_that_cannot_be_read_as_shown_is_an_error_if_its_column_is_used() {
    let failed = (
        "the formula of this cell failed",
        "correct the formula, or enter the value",
    );
    let not_calculated = (
        "the formula of this cell was never calculated",
        "open the workbook in a spreadsheet program, and save it again",
    );
    let adds_text = (
        "the format of this cell adds text to its number",
        "format the column as text, and enter the values as they are shown",
    );
    // Such a cell results, for example, from typing `3-4`: the spreadsheet program stores this
    // text as a date.
    let hides_part = (
        "this cell has a date, but shows only a part of it",
        "for dates, use a format with day, month and year; for other values, format the column as text, and enter the values again",
    );
    for (cell, (message, hint)) in [
        (Failed("#N/A"), failed),
        (Formula("3+4", None), not_calculated),
        (Formatted("19", "\"K-\"0000"), adds_text),
        (Formatted("19", "\\K0000"), adds_text),
        (Formatted("19", "000\"-\"000"), adds_text),
        (Formatted("19", "000\\ 000"), adds_text),
        (Formatted("19", "0%"), adds_text),
        (Formatted("46115", "d-mmm"), hides_part),
        (Formatted("46115", "mmm\\-yy"), hides_part),
    ] {
        let rows: [&[Cell<'_>]; 2] = [&[Text("user"), Text("card")], &[Number("7"), cell]];
        let book = workbook(&[Sheet::new("One", (1, 1), &rows)]);
        check(&book, ", user: user").exits(0);
        // Such a cell is also an error in a condition, because otherwise the row would be
        // left out.
        for used in ["user: card", "user: user, where: {card: active}"] {
            let ran = check(&book, &format!(", {used}"));
            ran.exits(3);
            ran.err
                .shows(format!(
                    "error[E028 bad-cell]: book.xlsx#One:2:card: {message}"
                ))
                .shows(format!("help: {hint}"));
        }
    }
}

#[test]
fn merged_cells_are_an_error_if_their_column_is_used() {
    let rows: [&[Cell<'_>]; 4] = [
        &[Text("A list of users")],
        &[Text("user"), Text("class"), Text("note")],
        &[Number("7"), Text("7b"), Text("one")],
        &[Number("8"), Nothing, Nothing],
    ];
    let sheet = || Sheet::new("One", (1, 1), &rows[1..]).merge("C2:D3");
    let of_class = ", user: user, where: {class: 7b}";
    check(&workbook(&[sheet()]), of_class).exits(0);
    let ran = check(&workbook(&[sheet().merge("B2:B3")]), of_class);
    ran.exits(3);
    assert_snapshot!(ran.err, @"
    error[E028 bad-cell]: book.xlsx#One:2:class: this cell is merged with others, and only the first of them has a value
     --> book.xlsx#One:2:3
      |
    2 | 7,7b,one
      |   ^^
      |
      = help: split the merged cells, and fill in each of them

    the manifest is invalid: 1 error
    ");
    // Merged areas in the header or below the last row contain no users, so they are allowed.
    let sheet = sheet().merge("A1:B1").merge("A5:B9");
    check(&workbook(&[sheet]), of_class).exits(0);
    let title = Sheet::new("One", (1, 1), &rows).merge("A1:C1");
    let ran = check(&workbook(&[title]), ", user: user");
    ran.err
        .shows("the header seems to be in line 2")
        .shows("help: remove the rows above the header\n");
}

#[test]
fn a_sheet_that_is_hidden_or_empty_must_be_named() {
    let sheet = |name| Sheet::from_csv(name, "user\n7");
    for (first, message) in [
        (sheet("Old").hidden(), "the first sheet, `Old`, is hidden"),
        (Sheet::new("Old", (1, 1), &[]), "the sheet `Old` is empty"),
    ] {
        let book = workbook(&[first, sheet("2026")]);
        let ran = check(&book, "");
        ran.exits(3);
        ran.err
            .shows(format!(
                "error[E034 bad-workbook]: `book.xlsx`: {message}\n"
            ))
            .shows("help: select one with `sheet`: \"Old\", \"2026\"\n");
        check(&book, ", sheet: \"2026\"").exits(0);
    }
    check(&workbook(&[sheet("Old").hidden()]), ", sheet: Old").exits(0);
}

#[test]
fn sheets_are_numbered_from_1() {
    let ran = check(
        &workbook(&[Sheet::from_csv("One", "user\n7")]),
        ", sheet: 0",
    );
    ran.err
        .shows("error[E015 bad-value]: sheets are numbered from 1\n")
        .shows("help: write 1 for the first sheet, or a name in quotes\n");
}

#[test]
fn hints_for_a_workbook_do_not_name_delimiters() {
    for (text, hint) in [
        ("7\n8", "add a row with the names of the columns"),
        (
            "user\n7,late",
            "give each extra column a name in the header, or clear the cells beside the table",
        ),
    ] {
        let ran = check(&workbook(&[Sheet::from_csv("One", text)]), "");
        ran.err
            .shows(format!("help: {hint}\n"))
            .ends("invalid: 1 error\n");
    }
}

#[test]
fn keys_for_text_do_not_apply_to_a_workbook() {
    let book = workbook(&[Sheet::from_csv("One", "user\n7")]);
    for roster in ["encoding: utf-16", "delimiter: \";\""] {
        let ran = check(&book, &format!(", {roster}"));
        ran.err
            .shows("`encoding` and `delimiter` are only for text files");
    }
}

#[test]
fn hostile_and_damaged_workbooks_are_refused() {
    let refuses = |book: &[u8], expected: &str| {
        let ran = check(book, "");
        ran.exits(3);
        ran.err.shows(expected).ends("invalid: 1 error\n");
    };
    let cell = |place: &str| format!("<c r=\"{place}\"><v>7</v></c>");
    let rows = |cells: &[&str]| {
        let cells = cells
            .iter()
            .map(|place| format!("<row>{}</row>", cell(place)));
        workbook(&[Sheet::raw("One", &cells.collect::<String>())])
    };
    refuses(
        &rows(&["A2", "A1"]),
        "the workbook cannot be read: a cell is out of place",
    );
    for place in [
        "A4294967295",
        "A99999999999999999999",
        "XFE2",
        "ZZZZZZ2",
        "ZZZZZZZZZZZZ2",
    ] {
        refuses(&rows(&["A1", place]), "the workbook cannot be read");
    }
    // The sheet has few cells, but as CSV it would have hundreds of megabytes of delimiters.
    let wide: Vec<String> = (1..20_000).map(|row| format!("XFD{row}")).collect();
    let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
    refuses(&rows(&wide), "the workbook unpacks to more than 256 MiB");
    let good = rows(&["A1"]);
    for length in [good.len() / 2, good.len() - 30] {
        refuses(
            &good[..length],
            "`book.xlsx` is an incomplete .xlsx file or zip archive",
        );
    }
    refuses(
        &zip(&[("xl/workbook.xml", b"<workbook")]),
        "the workbook cannot be read",
    );
    // The archive's directory announces 4 GiB.
    let mut bomb = good.clone();
    let entry = bomb
        .windows(4)
        .position(|bytes| bytes == b"PK\x01\x02")
        .unwrap();
    bomb[entry + 24..entry + 28].fill(0xff);
    refuses(&bomb, "the workbook unpacks to more than 256 MiB");
}

/// Tools that show annotations open the file, and cannot open `book.xlsx#One`.
#[test]
fn annotations_name_the_path_of_the_workbook() {
    let scene = Scene::new().manifest(
        "version: 1\ngenerate:\n  - {each: book.xlsx, room: {pipe: \"class-{{ id }}\", title: \"{{ name }}\", members: [\"{{ head }}\"]}}\n",
    );
    let rows: [&[Cell<'_>]; 3] = [
        &[Text("id"), Text("name"), Text("head")],
        &[Text("a"), Text("A"), Number("7")],
        &[Text("a"), Text("B"), Number("0")],
    ];
    scene.write("book.xlsx", workbook(&[Sheet::new("One", (1, 1), &rows)]));
    assert_snapshot!(scene.run("check --format github").out, @"
    ::error file=book.xlsx,line=3,title=E012 duplicate-pipe::two rows produce the pipe `class-a` (first here: `book.xlsx#One:2:1`)%0Aremove one of the rows, use `distinct`, or build the pipe from a column that differs
    ::error file=book.xlsx,line=3,title=E028 bad-cell::book.xlsx#One:3:head: a member becomes `0` in this row (the template: `rooms.yaml:3:85`)%0Ause a whole number above zero, without leading zeros; {%25 if column %25}{{ column }}{%25 endif %25} adds no one if the cell is empty
    ::notice title=roomform check::invalid: 2 errors
    ");
    let sarif = scene.run("check --format sarif").json();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "book.xlsx", "{result:#}");
        result["message"]["text"]
            .as_str()
            .unwrap()
            .shows("book.xlsx#One");
    }
    let logged = scene.run("check -v").err;
    logged.shows("file=book.xlsx#One by=rooms.yaml:3 encoding=XLSX rows=");
}
