//! Files that are not tables: the error says what each one is, and what to do.

use crate::support::workbook::zip;
use crate::support::{Ran, Scene, Shows};
use insta::assert_snapshot;

/// Checks a manifest with one room whose members are in this file.
fn check(name: &str, content: impl AsRef<[u8]>) -> Ran {
    let scene = Scene::new().manifest(format!(
        "version: 1\nrooms: [{{pipe: first-room, title: First, members: [{{roster: {name}}}]}}]\n"
    ));
    scene.write(name, content);
    scene.run("check")
}

/// The message and the hint of the only error.
fn only_error(name: &str, content: impl AsRef<[u8]>) -> String {
    let ran = check(name, content);
    ran.exits(3);
    ran.err.ends("invalid: 1 error\n");
    let lines = ran.err.lines().map(str::trim_start);
    let lines = lines.filter(|line| line.starts_with("error") || line.contains("help: "));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn documents_of_other_programs_are_named() {
    let old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0";
    let name: Vec<u8> = "EncryptedPackage"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let errors = [
        only_error("class.xls", old),
        only_error("class.xlsx", [old.as_slice(), &name].concat()),
        only_error(
            "class.ods",
            zip(&[(
                "mimetype",
                b"application/vnd.oasis.opendocument.spreadsheet",
            )]),
        ),
        only_error("class.numbers", zip(&[("Index/Document.iwa", b"")])),
        only_error("class.xlsb", zip(&[("xl/workbook.bin", b"")])),
        only_error("class.docx", zip(&[("word/document.xml", b"")])),
        only_error("class.pdf", "%PDF-1.7\n\0"),
        only_error("class.gz", b"\x1f\x8b\x08\0"),
        only_error("class.csv", "\n<!DOCTYPE html>\n<title>Sign in</title>\n"),
        only_error("class.csv", "\u{feff}<HTML>"),
        only_error("class.xls", "<TABLE>\n<tr><td>user</td></tr></TABLE>"),
        only_error(
            "class.xls",
            "<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><body><table>",
        ),
        only_error(
            "class.csv",
            "<html><form><table><tr><td><input name=password>",
        ),
        only_error("~$class.xlsx", "\u{5}admin \0 \0 \0"),
        only_error("class.xml", "<?xml version=\"1.0\"?><Workbook/>"),
        only_error("class.csv", "[\n  {\"user\": 7}\n]"),
        only_error("class.txt", "{\"users\": [7]}"),
        only_error(
            "class.csv",
            "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n",
        ),
    ];
    assert_snapshot!(errors.concat(), @"
    error[E033 wrong-file]: `class.xls` is an old Excel workbook (.xls)
    = help: open it in a spreadsheet program, and save it as .xlsx or CSV
    error[E033 wrong-file]: `class.xlsx` is a workbook with a password
    = help: save it without one
    error[E033 wrong-file]: `class.ods` is an OpenDocument file (.ods)
    = help: open it in a spreadsheet program, and save it as .xlsx or CSV
    error[E033 wrong-file]: `class.numbers` is an Apple Numbers document (.numbers)
    = help: export it from Numbers as Excel or CSV
    error[E033 wrong-file]: `class.xlsb` is a binary Excel workbook (.xlsb)
    = help: open it in a spreadsheet program, and save it as .xlsx or CSV
    error[E033 wrong-file]: `class.docx` is a zip archive
    = help: unpack it, and give the path of the file inside
    error[E033 wrong-file]: `class.pdf` is a PDF document
    = help: export the data as .xlsx or CSV
    error[E033 wrong-file]: `class.gz` is a compressed file
    = help: unpack it, and give the path of the file inside
    error[E033 wrong-file]: `class.csv` is a web page, such as a sign-in page
    = help: sign in, and download the file again
    error[E033 wrong-file]: `class.csv` is a web page, such as a sign-in page
    = help: sign in, and download the file again
    error[E033 wrong-file]: `class.xls` is a table saved as a web page (HTML)
    = help: open it in a spreadsheet program, and save it as .xlsx or CSV
    error[E033 wrong-file]: `class.xls` is a table saved as a web page (HTML)
    = help: open it in a spreadsheet program, and save it as .xlsx or CSV
    error[E033 wrong-file]: `class.csv` is a web page, such as a sign-in page
    = help: sign in, and download the file again
    error[E033 wrong-file]: `~$class.xlsx` is a lock file of a spreadsheet program
    = help: give the path of the workbook itself, without `~$`
    error[E033 wrong-file]: `class.xml` is an XML document
    = help: export the data as .xlsx or CSV
    error[E033 wrong-file]: `class.csv` is a JSON document
    = help: export the data as .xlsx or CSV
    error[E033 wrong-file]: `class.txt` is a JSON document
    = help: export the data as .xlsx or CSV
    error[E033 wrong-file]: `class.csv` is a Git LFS pointer: the file itself is not here
    = help: run `git lfs pull`; to read a git revision, check it out with `git worktree add`, and give the path of the new directory
    ");
}

#[test]
fn merge_conflicts_are_reported_at_their_first_line() {
    let ran = check(
        "class.csv",
        "user\n7\n<<<<<<< HEAD\n8\n=======\n9\n>>>>>>> other\n",
    );
    ran.exits(3);
    assert_snapshot!(ran.err, @"
    error[E033 wrong-file]: class.csv:3: a merge conflict starts here
     --> class.csv:3:1
      |
    3 | <<<<<<< HEAD
      | ^^^^^^^^^^^^
      |
      = help: resolve it, and remove the lines that start with <<<<<<<, ======= and >>>>>>>

    the manifest is invalid: 1 error
    ");

    let scene =
        Scene::new().manifest("version: 1\n<<<<<<< HEAD\nrooms: []\n=======\n>>>>>>> other\n");
    scene
        .run("check")
        .err
        .shows("rooms.yaml:2: a merge conflict starts here");
    // A conflict marker inside a cell is not a merge conflict.
    assert_eq!(
        check("class.csv", "user,note\n7,see <<<<<<< HEAD\n8,\n").code,
        0
    );
}

#[test]
fn a_manifest_can_be_json_but_not_a_web_page_or_a_pointer() {
    let scene = Scene::new()
        .manifest("{\"version\": 1, \"rooms\": [{\"pipe\": \"team-a\", \"title\": \"A\"}]}");
    scene.run("check").exits(0);
    scene.declare("<!doctype html>");
    scene
        .run("check")
        .err
        .shows("rooms.yaml: this is a web page, such as a sign-in page");
    scene.declare("version https://git-lfs.github.com/spec/v1\n");
    scene
        .run("check")
        .err
        .shows("rooms.yaml: this is a Git LFS pointer");
}

#[test]
fn a_title_above_the_header_is_recognized() {
    let errors = [
        only_error("class.csv", "Class 7B\n\nuser;name\n7;one\n8;two\n"),
        only_error("class.csv", "Class 7B,,\n,,\nuser,name,role\n7,one,\n"),
        only_error(
            "class.csv",
            "\nSchool\n\n\"user\",\"name, in full\"\n7,one\n",
        ),
    ];
    assert_snapshot!(errors.concat(), @"
    error[E024 empty-roster]: class.csv:1: this looks like a title; the header seems to be in line 3
    = help: remove the lines above the header, or quote cells that contain a delimiter
    error[E024 empty-roster]: class.csv:1: this looks like a title; the header seems to be in line 3
    = help: remove the lines above the header, or quote cells that contain a delimiter
    error[E024 empty-roster]: class.csv:2: this looks like a title; the header seems to be in line 4
    = help: remove the lines above the header, or quote cells that contain a delimiter
    ");
    // The first file has one column. The second has ids in two columns under a header with one
    // column.
    assert_eq!(check("class.csv", "user\n\n7\n8\n").code, 0);
    check("class.csv", "user\n7,8\n")
        .err
        .shows("class.csv:2: the row has 2 cells, but the header has 1");
}

#[test]
fn a_title_with_a_delimiter_is_recognized_by_the_missing_column() {
    let scene = Scene::new().manifest(
        "version: 1\nrooms: [{pipe: first-room, title: First, members: [{roster: class.csv, user: Login}]}]\n",
    );
    scene.write("class.csv", "Class 7B, autumn\n\nid, login\n7,8\n");
    let ran = scene.run("check");
    ran.err.shows("`class.csv` has no column `Login`");
    ran.err.shows(
        "help: line 3 has this column, so it seems to be the header; remove the lines above it\n",
    );
}

#[test]
fn a_text_file_has_no_sheets() {
    let scene = Scene::new().manifest(
        "version: 1\nrooms: [{pipe: first-room, title: First, members: [{roster: a.csv, sheet: One}]}]\n",
    );
    scene.write("a.csv", "user\n7\n");
    let output = scene.run("check").err;
    output.shows("error[E034 bad-workbook]: `sheet` is for workbooks, and `a.csv` is text");
}
