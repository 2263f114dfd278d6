//! Rosters in Excel workbooks: what each kind of cell becomes, and the places of errors.

use crate::support::workbook::{Cell, Sheet, workbook, zip};
use crate::support::{Scene, Shows};
use insta::assert_snapshot;

use Cell::{Day, Failed, Formula, Labelled, Nothing, Number, Padded, Text, Time, Truth};

/// A manifest with one room, whose members are in this roster.
fn room(roster: &str) -> Scene {
    Scene::new().manifest(format!(
        "version: 1\nrooms: [{{pipe: first-room, title: First, members: [{{{roster}}}]}}]\n"
    ))
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
        (Number("9007199254740991"), "9007199254740991"),
        (Padded("123"), "00123"),
        (Padded("123456"), "123456"),
        (Padded("1.5"), "1.5"),
        (Day("46266"), "2026-09-01"),
        (Time("46266.5"), "2026-09-01T12:00:00"),
        (Time("0.25"), "06:00:00"),
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
    error[E016 unknown-person]: book.xlsx:8:User_ID: `8x` is not in `people`
     --> book.xlsx:8:3
      |
    8 | ,,8x,
      |   ^^
      |
      = help: add them to `people`; an id is a whole number above zero

    error[E025 ragged-row]: book.xlsx:9: the row has 5 cells, the header 4
     --> book.xlsx:9:1
      |
    9 | ,,9,two,three
      | ^
      |
      = help: quote a cell that contains a delimiter, or remove the extra cells

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
    assert_snapshot!(ran.err, @"
    error[E034 bad-workbook]: `book.xlsx`: the workbook has no sheet 2026
     --> rooms.yaml:2:79
      |
    2 | rooms: [{pipe: first-room, title: First, members: [{roster: book.xlsx, sheet: 2026}]}]
      |                                                                               ^^^^
      |
      = help: its sheets are 11, 12, 2026

    the manifest is invalid: 1 error
    ");
    scene.edit("2026", "Класс");
    scene
        .run("check")
        .err
        .shows("`book.xlsx`: the workbook has no sheet `Класс`");
}

/// A count that shrinks in one sheet is not hidden by the other.
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
        &[Number("7"), Number("9007199254740993")],
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
    error[E028 bad-cell]: book.xlsx:2:card: a workbook stores only 15 digits of a number
     --> book.xlsx:2:3
      |
    2 | 7,9.007199254740992E15
      |   ^^^^^^^^^^^^^^^^^^^^
      |
      = help: format the column as text, and enter the number again

    error[E028 bad-cell]: book.xlsx:3:card: a workbook stores only 15 digits of a number
     --> book.xlsx:3:3
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
    let labelled = (
        "the format of this cell adds text to its number",
        "format the column as text, and enter the values as they are shown",
    );
    for (cell, (message, hint)) in [
        (Failed("#N/A"), failed),
        (Labelled("19", 0), labelled),
        (Labelled("19", 1), labelled),
        (Labelled("19", 2), labelled),
    ] {
        let rows: [&[Cell<'_>]; 2] = [&[Text("user"), Text("card")], &[Number("7"), cell]];
        let book = workbook(&[Sheet::new("One", (1, 1), &rows)]);
        let scene = room("roster: book.xlsx, user: user");
        scene.write("book.xlsx", &book);
        scene.run("check").exits(0);
        // In a condition too: the row would be left out.
        for used in ["user: card", "user: user, where: {card: active}"] {
            let scene = room(&format!("roster: book.xlsx, {used}"));
            scene.write("book.xlsx", &book);
            let ran = scene.run("check");
            ran.exits(3);
            ran.err
                .shows(format!("error[E028 bad-cell]: book.xlsx:2:card: {message}"))
                .shows(format!("help: {hint}"));
        }
    }
}

#[test]
fn a_formula_that_was_never_calculated_is_an_error() {
    let rows: [&[Cell<'_>]; 2] = [&[Text("user")], &[Formula("3+4", None)]];
    let scene = room("roster: book.xlsx");
    scene.write("book.xlsx", workbook(&[Sheet::new("One", (1, 1), &rows)]));
    scene
        .run("check")
        .err
        .shows("`book.xlsx`: a formula in row 2 has no stored value");
}

#[test]
fn keys_for_text_do_not_apply_to_a_workbook() {
    let book = workbook(&[Sheet::from_csv("One", "user\n7")]);
    for roster in ["encoding: utf-16", "delimiter: \";\""] {
        let scene = room(&format!("roster: book.xlsx, {roster}"));
        scene.write("book.xlsx", &book);
        scene
            .run("check")
            .err
            .shows("`encoding` and `delimiter` are for text");
    }
}

#[test]
fn hostile_and_damaged_workbooks_are_refused() {
    let check = |book: &[u8], expected: &str| {
        let scene = room("roster: book.xlsx");
        scene.write("book.xlsx", book);
        let ran = scene.run("check");
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
    check(
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
        check(&rows(&["A1", place]), "the workbook cannot be read");
    }
    // There are few cells, but as CSV they would be hundreds of megabytes of delimiters.
    let wide: Vec<String> = (1..20_000).map(|row| format!("XFD{row}")).collect();
    let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
    check(&rows(&wide), "the workbook unpacks to more than 256 MiB");
    let good = rows(&["A1"]);
    check(&good[..good.len() - 30], "the workbook cannot be read");
    check(
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
    check(&bomb, "the workbook unpacks to more than 256 MiB");
}
