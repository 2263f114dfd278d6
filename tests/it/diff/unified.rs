//! `--unified`: the resolved rooms line by line.

use std::process::Command;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use proptest::prelude::*;
use roomform::manifest::{Options, load_text};
use roomform::model::Desired;
use roomform::plan::{PlanOptions, RoomFilter, Side, compare};
use roomform::render::{self, Paint};

use super::diff;
use crate::support::{Ran, Scene, Shows};

const BASE: &str = "\
version: 1
people: {head: 3}
rooms:
  - {pipe: team-a, title: Team A, members: [head, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]}
  - {pipe: team-b, title: Team B, type: support, exclude: [21]}
  - {pipe: old, title: Old room, members: [3]}
  - {pipe: rest, title: The rest}
";

fn unified(base: &str, head: &str, args: &[&str]) -> Ran {
    diff(base, head, &[&["--unified"], args].concat())
}

#[test]
fn hunks_look_like_diff_u() {
    let head = "\
version: 1
limits: {create: 5, update: '12.5%'}
rooms:
  - {pipe: new, title: New room}
  - {pipe: rest, title: The rest}
  - {pipe: team-b, title: Team B, type: support, public: true, members: [4], members_policy: on_create, ignore: [title]}
  - {pipe: team-a, title: Team A, members: [3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15]}
";
    let ran = unified(BASE, head, &[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_snapshot!(ran.out, @r#"
    --- a/base.yaml
    +++ b/head.yaml
    @@ -1,11 +1,12 @@
     version: 1
    +limits:
    +  create: 5
    +  update: "12.5%"
     rooms:
    +  - pipe: "new"
    +    title: "New room"
    +    type: conference
    +    public: false
    -  - pipe: "old"
    -    title: "Old room"
    -    type: conference
    -    public: false
    -    members:
    -      - 3
       - pipe: "rest"
         title: "The rest"
         type: conference
    @@ -20,16 +21,19 @@ - pipe: "team-a"
           - 5
           - 6
           - 7
    -      - 8
           - 9
           - 10
           - 11
           - 12
           - 13
           - 14
    +      - 15
       - pipe: "team-b"
         title: "Team B"
         type: support
    -    public: false
    -    exclude:
    -      - 21
    +    public: true
    +    members_policy: on_create
    +    ignore:
    +      - title
    +    members:
    +      - 4
    "#);
    unified(BASE, head, &["--detailed-exitcode"]).exits(2);
    let only = unified(BASE, head, &["--only", "team-b"]).ok();
    only.shows("+    public: true").lacks("New room");
}

#[test]
fn equal_manifests_print_nothing() {
    let head = BASE.replace("head", "chef").replace("\n  - ", "\n\n  - ");
    let ran = unified(BASE, &head, &["--detailed-exitcode"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
}

#[test]
fn a_title_in_another_normal_form_is_rendered_as_written_and_is_not_a_difference() {
    let (composed, decomposed) = (
        BASE.replace("Team A", "é"),
        BASE.replace("Team A", "e\u{301}"),
    );
    let rendered = Scene::new().manifest(&decomposed).run("render").ok();
    rendered.shows("e\u{301}");
    let ran = unified(&composed, &decomposed, &["--detailed-exitcode"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
}

#[test]
fn unified_needs_the_text_format() {
    unified(BASE, BASE, &["--format", "json"]).exits(64);
}

#[test]
fn names_are_escaped_and_colour_adds_no_information() {
    let head = BASE.replace("Team A", "Team \u{202e}\u{200b}A \\\" ##[error]x");
    let head = head
        .replace("title: Team \u{202e}", "title: \"Team \u{202e}")
        .replace("##[error]x", "##[error]x\"");
    let ran = unified(BASE, &head, &["--color", "always"]);
    let plain = unified(BASE, &head, &[]).ok();
    assert_snapshot!(plain, @r#"
    --- a/base.yaml
    +++ b/head.yaml
    @@ -11,7 +11,7 @@ - pipe: "rest"
         type: conference
         public: false
       - pipe: "team-a"
    -    title: "Team A"
    +    title: "Team \U0000202e\U0000200bA \" #\U00000023[error]x"
         type: conference
         public: false
         members:
    "#);
    let styled = ran.out.replace("\u{1b}[", "");
    assert_ne!(styled, ran.out);
    let stripped: String = ran
        .out
        .split('\u{1b}')
        .enumerate()
        .map(|(index, part)| {
            if index == 0 {
                part
            } else {
                part.split_once('m').unwrap().1
            }
        })
        .collect();
    assert_eq!(stripped, plain);
}

/// A whole manifest in the format of `--unified`: the added lines and the context lines of a
/// diff from `/dev/null`.
fn view(scene: &Scene, name: &str) -> String {
    let whole = scene.run(["diff", "--unified", "/dev/null", name]).ok();
    let lines = whole.lines().skip(2).filter(|line| !line.starts_with("@@"));
    lines.map(|line| format!("{}\n", &line[1..])).collect()
}

#[test]
fn the_output_is_a_patch_between_two_manifests() {
    let scene = Scene::new();
    let head = BASE
        .replace("head, 4", "head, 17")
        .replace("Team B", "Team \\\"B\\\"")
        .replace(
            "title: Team \\\"B\\\"",
            "title: \"Team \\\"B\\\" \\U0001f600 ж\"",
        )
        .replace("pipe: old", "pipe: new");
    scene.write("base.yaml", BASE);
    scene.write("head.yaml", head);
    for name in ["base", "head"] {
        let text = view(&scene, &format!("{name}.yaml"));
        scene.write(&format!("{name}-view.yaml"), text);
        let (manifest, view) = (format!("{name}.yaml"), format!("{name}-view.yaml"));
        scene
            .run(["diff", "--detailed-exitcode", &manifest, &view])
            .ok();
    }
    let patch = scene.run("diff --unified base.yaml head.yaml").ok();
    let patch = patch
        .replace("--- a/base.yaml", "--- a/base-view.yaml")
        .replace("+++ b/head.yaml", "+++ b/base-view.yaml");
    scene.write("patch", patch);
    let applied = Command::new("git")
        .args(["apply", "patch"])
        .current_dir(scene.path(""))
        .env("GIT_CEILING_DIRECTORIES", scene.path("").parent().unwrap())
        .output()
        .unwrap();
    assert!(
        applied.status.success(),
        "{}",
        String::from_utf8_lossy(&applied.stderr)
    );
    assert_eq!(scene.read("base-view.yaml"), scene.read("head-view.yaml"));
}

fn desired(text: &str) -> Desired {
    let options = Options {
        allow_empty: true,
        ..Options::default()
    };
    let loaded = load_text("rooms.yaml", text, options);
    assert!(loaded.is_valid(), "{text}\n{:?}", loaded.diagnostics);
    loaded.desired
}

fn side(desired: &Desired) -> Side<'_> {
    Side {
        name: "rooms.yaml",
        desired,
    }
}

/// Small random manifests. They often have rooms in common, and may differ in any field.
fn manifests() -> impl Strategy<Value = String> {
    let list = |most| prop::collection::vec(1..4_u8, 0..most);
    let room = (
        list(3),
        list(2),
        prop::sample::select(vec!["A", "B"]),
        prop::sample::select(vec![
            "",
            ", type: support",
            ", public: true",
            ", ignore: [title]",
            ", members_policy: on_create",
        ]),
    );
    let head = prop::sample::select(vec![
        "",
        "widget: 1\n",
        "scope: [a, b]\n",
        "limits: {publish: [team-a]}\n",
        "limits: {create: '5%'}\n",
    ]);
    (prop::collection::btree_map("[a-c]", room, 0..3), head).prop_map(|(rooms, head)| {
        let rooms: String = rooms
            .into_iter()
            .map(|(pipe, (members, exclude, title, more))| {
                format!("  - {{pipe: room-{pipe}, title: {title}, members: {members:?}, exclude: {exclude:?}{more}}}\n")
            })
            .collect();
        let none = if rooms.is_empty() { " []" } else { "" };
        format!("version: 1\n{head}rooms:{none}\n{rooms}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn only_different_rooms_have_changed_lines(base in manifests(), head in manifests()) {
        let (base, head) = (desired(&base), desired(&head));
        let lines = render::unified(side(&base), side(&head), &RoomFilter::default(), Paint::Plain);
        let diff = compare(side(&base), side(&head), &PlanOptions::default());
        prop_assert_eq!(lines.is_empty(), !diff.differs(), "{}\n{:?}", lines, diff);
    }
}

#[test]
fn every_second_of_two_thousand_rooms_changes() {
    let rooms = |title: &str, shift: usize| -> String {
        let room = |n: usize| {
            let changed = if n.is_multiple_of(2) { shift } else { 0 };
            let members: Vec<usize> = (n..n + 30).map(|user| 1 + user + changed * 7).collect();
            format!("  - {{pipe: room-{n:05}, title: {title} {changed}, members: {members:?}}}\n")
        };
        let rooms: String = (0..2_000).map(room).collect();
        format!("version: 1\nrooms:\n{rooms}")
    };
    let (base, head) = (desired(&rooms("Room", 0)), desired(&rooms("Room", 1)));
    let before = Instant::now();
    let lines = render::unified(
        side(&base),
        side(&head),
        &RoomFilter::default(),
        Paint::Plain,
    );
    let diff = compare(side(&base), side(&head), &PlanOptions::default());
    let took = before.elapsed();
    // Two hunks per room: the title with the first members, and the last member.
    assert_eq!(lines.matches("\n@@").count(), 2_000);
    assert_eq!(
        (diff.plan.summary.update, diff.plan.manual_steps.len()),
        (1_000, 1_000)
    );
    assert!(
        took < Duration::from_secs(20),
        "{took:?} without optimisation"
    );
}
