//! Ledgers of odd forms: a byte order mark, no header, a mode that lets others write.

#[cfg(unix)]
use std::fs;

use crate::support::{Scene, Shows, manifest};

fn small() -> Scene {
    let scene = Scene::new().manifest(manifest(
        ["pipe: team-a, title: A, members: [3]".to_owned()],
    ));
    let scene = scene.sandbox();
    scene.run("apply --yes --ledger l.jsonl").ok();
    scene
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_do_no_harm() {
    let scene = small();
    let text = scene.read("l.jsonl");
    let header = text.lines().next().unwrap();
    for text in [
        format!("\u{feff}{text}"),
        format!("\u{feff}{}", text.replace('\n', "\r\n")),
        format!("\u{feff}\n{text}"),
        // Two copies, one after the other.
        format!("{text}\u{feff}{text}"),
    ] {
        scene.write("l.jsonl", &text);
        let plan = scene.run("plan --detailed-exitcode --ledger l.jsonl");
        plan.exits(0);
        assert_eq!(plan.err, "");
        scene
            .run("ledger show --ledger l.jsonl")
            .ok()
            .shows("1 room");
        scene.run("ledger compact --ledger l.jsonl").ok();
        scene.read("l.jsonl").lacks("\u{feff}");
    }
    // Even if the file is a byte order mark and a header without a line break, the next entry gets
    // its own line.
    scene.write("l.jsonl", format!("\u{feff}{header}"));
    scene.run("apply --yes --ledger l.jsonl").ok();
    scene
        .run("plan --detailed-exitcode --ledger l.jsonl")
        .exits(0);
}

#[test]
fn a_file_without_a_header_is_refused_and_kept() {
    let scene = small();
    let text = scene.read("l.jsonl");
    let (_, entries) = text.split_once('\n').unwrap();
    for text in [entries, "my notes\n", "\u{feff}my notes\n", "\u{0}\u{0}\n"] {
        scene.write("l.jsonl", text);
        for verb in [
            "plan",
            "apply --yes",
            "ledger show",
            "ledger compact",
            "ledger forget team-a",
        ] {
            let ran = scene.run(format!("{verb} --ledger l.jsonl"));
            ran.exits(1);
            ran.err
                .shows("ledger `l.jsonl`: the file does not start with a ledger's header")
                .shows("hint: restore the first line of the file from a copy");
            assert_eq!(scene.read("l.jsonl"), text);
        }
    }
    assert_eq!(scene.writes(), 1);
}

#[cfg(unix)]
#[test]
fn a_ledger_that_others_can_change_causes_a_warning_and_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = small();
    let path = scene.path("l.jsonl");
    for (mode, warns) in [(0o666, true), (0o602, true), (0o660, false), (0o644, false)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        for verb in ["plan", "apply --yes", "ledger show", "ledger compact"] {
            let ran = scene.run(format!("{verb} --ledger l.jsonl"));
            ran.exits(0);
            let warning = format!("every user of this machine can change it (mode {mode:04o})");
            assert_eq!(ran.err.contains(&warning), warns, "{verb}: {}", ran.err);
            let now = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(now & 0o777, mode, "{verb}");
        }
    }
}
