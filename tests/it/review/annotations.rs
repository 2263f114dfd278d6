//! GitHub annotations: on the right lines, dangerous changes first, no more than GitHub shows.

use insta::assert_snapshot;

use super::{AFTER, BEFORE, changed};
use crate::support::{Scene, Shows};

#[test]
fn a_plan_annotates_the_lines_of_the_manifest() {
    let scene = changed(BEFORE, AFTER);
    let ran = scene.run("plan --sandbox --format github");
    assert_eq!((ran.code, ran.err.as_str()), (5, ""));
    assert_snapshot!(ran.out, @"
    ::error title=refused::`lounge` would become public; allow it with --allow-publish PIPE or in `limits.publish`
    ::warning file=rooms.yaml,line=5,title=becomes public::`lounge` `Lounge`: closed → public, 0 known members inside
    ::warning file=rooms.yaml,line=7,title=new and public::`news` `News`: create conference, public, no members
    ::warning title=manual steps::`team-platform` `Platform team`: remove `104` from room `4`
    ::notice file=rooms.yaml,line=3,title=create::`course-rust-101` `Rust 101 · autumn`: create conference, closed, 2 members `4, 101`
    ::notice file=rooms.yaml,line=4,title=update::`team-platform`: title `Platform` → `Platform team`, add 1 member `17`, 3 known
    ::notice file=rooms.yaml,line=6,title=members::`help` `Help`: add 1 member `5`, 1 known
    ::notice title=roomform plan::2 to create (1 public), 2 to update (1 becomes public), 1 gains members, 4 members to add; 0 unchanged, 1 unmanaged
    ");
}

#[test]
fn errors_have_line_and_column() {
    let text = "version: 1\nrooms:\n  - {pipe: 0123, titel: Team}\n  - {pipe: a/b, title: B}\n";
    let scene = Scene::new();
    scene.write("rooms/50%, new:.yaml", text);
    let ran = scene.run("check --format github");
    assert_eq!((ran.code, ran.err.as_str()), (3, ""));
    assert_snapshot!(ran.out, @r#"
    ::error file=rooms/50%25%2C new%3A.yaml,line=3,col=12,title=E008 needs-quotes::`pipe` must be text, but YAML reads `0123` as a number%0Aquote it: "0123"
    ::error file=rooms/50%25%2C new%3A.yaml,line=3,col=18,title=E009 unknown-key::unknown key `titel` in a room%0Adid you mean `title`?
    ::warning file=rooms/50%25%2C new%3A.yaml,line=4,col=12,title=W101 unusual-pipe::`a/b` should be 3 to 64 characters long, and use only A-Z, a-z, 0-9, _ and -%0Aconsider another pipe: the realtime layer may not accept this one as a channel name
    ::notice title=roomform check::invalid: 2 errors, 1 warning
    "#);
    let plan = scene.run("plan --sandbox --format github");
    assert_eq!(
        (plan.code, plan.out),
        (3, ran.out.replace("roomform check", "roomform plan"))
    );
}

#[test]
fn a_failure_and_a_missing_file_are_reported_too() {
    let scene = Scene::new();
    assert_snapshot!(scene.run("plan --format github").out, @"
    ::error file=rooms.yaml,line=1,title=E001 unreadable::rooms.yaml: no such file or directory%0Acreate a manifest with `roomform init`, or from the live rooms with `roomform export`; or name another file or directory with -f
    ::notice title=roomform plan::invalid: 1 error
    ");
    scene.declare(BEFORE);
    let ran = scene.run("plan --format github");
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    assert_snapshot!(ran.out, @"::error title=roomform plan%3A failed::no widget: IMBACHAT_WIDGET is not set%0Aset it to the widget's number (imba_id), use --widget, or add `widget:` to the manifest; or try --sandbox, which needs no widget");
    assert_snapshot!(scene.run("plan --format github --fit azure").out, @"::error title=roomform plan%3A usage::--fit and --max-bytes are for --format markdown%0Aadd --format markdown, or leave them out");
}

#[test]
fn at_most_ten_annotations_of_a_kind_are_printed() {
    let room = |n: u32| {
        let public = n.is_multiple_of(3);
        format!("  - {{pipe: room-{n:03}, title: Room {n}, public: {public}}}\n")
    };
    let rooms: String = (0..90).map(room).collect();
    let scene = Scene::new().manifest(format!("version: 1\nrooms:\n{rooms}"));
    let out = scene.run("plan --sandbox --format github").ok();
    let count = |kind: &str| out.lines().filter(|line| line.starts_with(kind)).count();
    assert_eq!(
        (count("::warning "), count("::notice "), count("::")),
        (10, 10, 20)
    );
    assert_eq!(
        out.lines().last().unwrap(),
        "::notice title=roomform plan::90 to create (30 public); 0 unchanged, 1 unmanaged%0A\
         not shown here: 20 warnings, 51 notices"
    );
}

#[test]
fn an_apply_annotates_failed_rooms() {
    let scene = changed(BEFORE, AFTER);
    let args = ["apply", "--sandbox", "--format", "github", "--yes", "-q"];
    let refused = scene.run(args);
    refused.exits(5);
    refused.begins("::error title=refused::`lounge` would");
    assert_snapshot!(scene.run([&args[..], &["--allow-publish", "lounge"]].concat()).ok(), @"
    ::warning title=manual steps::`team-platform` `Platform team`: remove `104` from room `4`
    ::notice title=roomform apply::5 verified; 4 members confirmed; requests: 5 to write, 1 to verify
    ");
}

#[test]
fn a_diff_annotates_the_lines_of_the_second_manifest() {
    let scene = Scene::new();
    scene.write("before.yaml", BEFORE);
    scene.write("after.yaml", AFTER);
    let ran = scene.run("diff before.yaml after.yaml --format github");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_snapshot!(ran.out, @"
    ::warning title=would be refused::`lounge` would become public; allow it with --allow-publish PIPE or in `limits.publish`
    ::warning file=after.yaml,line=5,title=becomes public::`lounge` `Lounge`: closed → public, 0 declared members inside
    ::warning file=after.yaml,line=7,title=new and public::`news` `News`: create conference, public, no members
    ::warning title=manual steps::`team-platform` `Platform team`: remove `104`
    ::notice file=after.yaml,line=3,title=create::`course-rust-101` `Rust 101 · autumn`: create conference, closed, 2 members `4, 101`
    ::notice file=after.yaml,line=4,title=update::`team-platform`: title `Platform` → `Platform team`, add 1 member `17`, 3 as before
    ::notice file=after.yaml,line=6,title=members::`help` `Help`: add 1 member `5`, 1 as before
    ::notice title=roomform diff::2 to create (1 public), 2 to update (1 becomes public), 1 gains members, 4 members to add; 0 unchanged
    ");
}

/// Of the rooms that become public, the one with the most people inside comes first, before 40
/// new public rooms, in every format and within every limit.
#[test]
fn lines_that_need_attention_are_sorted_by_danger() {
    let rooms = "  - {pipe: team, title: Team, members: [1]}\n  - {pipe: lounge, title: Lounge, members: [1, 2, 3]}\n";
    let manifest = format!("version: 1\nlimits: {{publish: [team, lounge]}}\nrooms:\n{rooms}");
    let scene = Scene::new()
        .manifest(&manifest)
        .after("apply --sandbox --yes");
    let public = rooms.replace(", members", ", public: true, members");
    let new = |n| format!("  - {{pipe: class-{n}, title: Class, public: true, members: [1, 2]}}\n");
    let new: String = (0..40).map(new).collect();
    scene.declare(manifest.replace(rooms, &format!("{new}{public}")));
    for args in [
        "--format text",
        "--format html",
        "--format markdown --max-bytes 4096",
        "--format github",
    ] {
        let plan = scene.run(format!("plan --sandbox {args}")).ok();
        // Only the lists of sections and the guards come before the first line that needs
        // attention.
        let (_, lines) = plan.split_once("3 known members inside").unwrap();
        lines.shows("1 known member inside").shows("class-1");
        let (_, lines) = lines.split_once("1 known member inside").unwrap();
        lines.shows("class-0").shows("class-1");
    }
}
