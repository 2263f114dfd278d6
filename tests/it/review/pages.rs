//! Pages: a plan, a failed plan, a check, the result of an apply; and formats and sizes that a command does not support.

use insta::assert_snapshot;

use super::rendered::Rendered;
use super::{AFTER, BEFORE, changed};
use crate::support::{Scene, Shows, ignoring_updates};

const MARKDOWN: [&str; 3] = ["--sandbox", "--format", "markdown"];

#[test]
fn a_plan_has_figures_first_and_dangerous_changes_next() {
    let scene = changed(BEFORE, AFTER);
    let ran = scene.run([&["plan"], &MARKDOWN[..]].concat());
    assert_eq!((ran.code, ran.err.as_str()), (5, ""));
    assert_snapshot!(ran.out, @"
    <!-- roomform:plan target=sandbox:/627 -->

    ## Plan for widget 627 on the sandbox

    **2 to create (1 public), 2 to update (1 becomes public), 1 gains members, 4 members to add; 0 unchanged, 1 unmanaged**

    7 requests: 1 to list, 5 to write, 1 to verify.

    ### Refused: 1

    - `lounge` would become public; allow it with --allow-publish PIPE or in `limits.publish`

    ### Needs attention: 2

    - **becomes public:** `lounge` `Lounge`: closed → public, 0 known members inside (`rooms.yaml:5`)
    - **new and public:** `news` `News`: create conference, public, no members (`rooms.yaml:7`)

    ### Manual steps: 1

    The API cannot remove members or rooms.

    - `team-platform` `Platform team`: remove `104` from room `4`

    ### Create: 1

    <details open><summary>Rooms</summary>

    - `course-rust-101` `Rust 101 · autumn`: create conference, closed, 2 members `4, 101` (`rooms.yaml:3`)

    </details>

    ### Update: 1

    <details open><summary>Rooms</summary>

    - `team-platform`: title `Platform` → `Platform team`, add 1 member `17`, 3 known (`rooms.yaml:4`)

    </details>

    ### Members: 1

    <details open><summary>Rooms</summary>

    - `help` `Help`: add 1 member `5`, 1 known (`rooms.yaml:6`)

    </details>

    Known: confirmed by the server in an earlier run; the API does not list members.
    ");
    let read = Rendered::new(&ran.out);
    assert!(
        read.code.contains(&"Rust 101 · autumn".to_owned()),
        "{read:#?}"
    );
}

#[test]
fn a_site_without_html_gets_a_page_without_html() {
    let scene = changed(BEFORE, AFTER);
    let args = ["--fit", "bitbucket", "--allow-publish", "lounge"];
    let page = scene.run([&["plan"], &MARKDOWN[..], &args].concat()).ok();
    assert!(!page.contains(['<', '&']), "{page}");
    assert_snapshot!(page, @"
    [//]: # (roomform:plan target=sandbox:/627)

    ## Plan for widget 627 on the sandbox

    **2 to create (1 public), 2 to update (1 becomes public), 1 gains members, 4 members to add; 0 unchanged, 1 unmanaged**

    7 requests: 1 to list, 5 to write, 1 to verify.

    ### Needs attention: 2

    - **becomes public:** `lounge` `Lounge`: closed → public, 0 known members inside, allowed by --allow-publish (`rooms.yaml:5`)
    - **new and public:** `news` `News`: create conference, public, no members (`rooms.yaml:7`)

    ### Manual steps: 1

    The API cannot remove members or rooms.

    - `team-platform` `Platform team`: remove `104` from room `4`

    ### Create: 1

    - `course-rust-101` `Rust 101 · autumn`: create conference, closed, 2 members `4, 101` (`rooms.yaml:3`)

    ### Update: 1

    - `team-platform`: title `Platform` → `Platform team`, add 1 member `17`, 3 known (`rooms.yaml:4`)

    ### Members: 1

    - `help` `Help`: add 1 member `5`, 1 known (`rooms.yaml:6`)

    Known: confirmed by the server in an earlier run; the API does not list members.
    ");
    let with = scene.run([&["plan", "--allow-publish", "lounge"], &MARKDOWN[..]].concat());
    let (plain, html) = (Rendered::new(&page), Rendered::new(&with.ok()));
    assert_eq!(plain.code, html.code);
    assert_eq!(plain.headings, html.headings);
}

#[test]
fn an_empty_plan_is_a_page() {
    let scene = changed(BEFORE, BEFORE);
    assert_snapshot!(scene.run([&["plan"], &MARKDOWN[..]].concat()).ok(), @"
    <!-- roomform:plan target=sandbox:/627 -->

    ## Plan for widget 627 on the sandbox

    **nothing to do; 3 unchanged, 1 unmanaged**

    1 request: 1 to list.
    ");
}

#[test]
fn an_invalid_manifest_says_why_there_is_no_plan() {
    let text = "version: 1\nrooms:\n  - {pipe: 0123, titel: Team}\n  - {pipe: a/b, title: B}\n";
    let scene = Scene::new().manifest(text);
    let ran = scene.run([&["plan"], &MARKDOWN[..]].concat());
    ran.exits(3);
    assert_snapshot!(ran.out, @r#"
    <!-- roomform:plan target=sandbox:/627 -->

    ## No plan: the manifest is invalid

    **invalid: 2 errors, 1 warning**

    ### Errors: 2

    - `rooms.yaml:3:12` E008 needs-quotes: `pipe` must be text, but YAML reads `0123` as a number. *quote it: "0123"*
    - `rooms.yaml:3:18` E009 unknown-key: unknown key `titel` in a room. *did you mean `title`?*

    ### Warnings: 1

    - `rooms.yaml:4:12` W101 unusual-pipe: `a/b` should be 3 to 64 characters long, and use only A-Z, a-z, 0-9, _ and -. *consider another pipe: the realtime layer may not accept this one as a channel name*
    "#);
    Rendered::new(&ran.out);
    // The page goes to a comment, the diagnostics to the log.
    ran.err.shows("error[E008 needs-quotes]");
    let check = scene.run("check --format markdown");
    check.exits(3);
    let body = |page: &str| page.split_once("\n\n**").unwrap().1.to_owned();
    assert_eq!(body(&check.out), body(&ran.out));
}

#[test]
fn a_failure_is_a_page_that_says_why_there_is_no_plan() {
    let scene = Scene::new()
        .manifest(BEFORE)
        .env("IMBACHAT_WIDGET", "627")
        .env("IMBACHAT_API_URL", "http://127.0.0.1:9");
    let ran = scene.run("plan --format markdown");
    ran.exits(1);
    assert_snapshot!(ran.out, @"
    <!-- roomform:plan target=http://127.0.0.1:9/627 -->

    ## No plan: failed

    no credentials for reading: IMBACHAT_SECRET_KEY (or IMBACHAT_JWT) not set

    ### What to do: 2

    - `set them in the environment, or name files with ..._FILE`
    - or try --sandbox, which needs no credentials
    ");
    ran.err.begins("error: no credentials");
}

#[test]
fn a_valid_manifest_is_a_page() {
    let ran = Scene::new().manifest(AFTER).run("check --format markdown");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_snapshot!(ran.out, @"
    <!-- roomform:check -->

    ## The manifest is valid

    **valid: 5 rooms, 8 memberships**
    ");
}

#[test]
fn a_diff_is_a_page() {
    let scene = Scene::new().manifest(AFTER);
    let limits = "limits: {create: 1}\n";
    scene.write("before.yaml", format!("{BEFORE}{limits}"));
    scene.write(
        "after.yaml",
        format!("{AFTER}{limits}").replace("create: 1", "create: 2"),
    );
    let args = ["before.yaml", "after.yaml", "--format", "markdown"];
    let ran = scene.run([&["diff"], &args[..]].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_snapshot!(ran.out, @"
    <!-- roomform:diff -->

    ## `before.yaml` → `after.yaml`

    **2 to create (1 public), 2 to update (1 becomes public), 1 gains members, 4 members to add; 0 unchanged**

    People: 4 people join 3 rooms; 1 to remove from 1 room (manual).

    ### Would be refused: 1

    A plan of the second manifest would be refused unless allowed.

    - `lounge` would become public; allow it with --allow-publish PIPE or in `limits.publish`

    ### Guards: 1

    - limits.create: 1 → 2

    ### Needs attention: 2

    - **becomes public:** `lounge` `Lounge`: closed → public, 0 declared members inside (`after.yaml:5`)
    - **new and public:** `news` `News`: create conference, public, no members (`after.yaml:7`)

    ### Manual steps: 1

    The API cannot remove members or rooms.

    - `team-platform` `Platform team`: remove `104`

    ### Create: 1

    <details open><summary>Rooms</summary>

    - `course-rust-101` `Rust 101 · autumn`: create conference, closed, 2 members `4, 101` (`after.yaml:3`)

    </details>

    ### Update: 1

    <details open><summary>Rooms</summary>

    - `team-platform`: title `Platform` → `Platform team`, add 1 member `17`, 3 as before (`after.yaml:4`)

    </details>

    ### Members: 1

    <details open><summary>Rooms</summary>

    - `help` `Help`: add 1 member `5`, 1 as before (`after.yaml:6`)

    </details>

    Two manifests were compared; no server was read.
    ");
    Rendered::new(&ran.out);
    let plain = scene.run([&["diff"], &args[..], &["--fit", "bitbucket"]].concat());
    assert_eq!(
        Rendered::new(&plain.out).headings,
        Rendered::new(&ran.out).headings
    );
    // Two invalid manifests give one page.
    for file in ["before.yaml", "after.yaml"] {
        scene.write(file, "version: 1\nrooms: [{pipe: team-a}]\n");
    }
    let ran = scene.run([&["diff"], &args[..]].concat());
    ran.exits(3);
    assert_snapshot!(ran.out, @"
    <!-- roomform:diff -->

    ## No diff: the manifest is invalid

    **invalid: 2 errors**

    ### Errors: 2

    - `before.yaml:2:9` E011 missing-key: the room `team-a` has no `title`. *add `title`: the title that people see*
    - `after.yaml:2:9` E011 missing-key: the room `team-a` has no `title`. *add `title`: the title that people see*
    ");
}

#[test]
fn the_result_of_an_apply_is_a_page() {
    let scene = changed(BEFORE, AFTER);
    let apply = |args: &[&str]| scene.run([&["apply"], &MARKDOWN[..], args].concat());
    let asked = apply(&[]);
    asked.exits(5);
    asked.shows("## No apply: refused");
    let refused = apply(&["--yes"]);
    refused.exits(5);
    let start = "<!-- roomform:apply target=sandbox:/627 -->\n\n## Nothing was applied to";
    refused.begins(start);
    refused.shows("### Refused: 1\n");
    assert_snapshot!(apply(&["--yes", "--allow-publish", "lounge", "-q", "--parallelism", "1"]).ok(), @"
    <!-- roomform:apply target=sandbox:/627 -->

    ## Applied to widget 627 on the sandbox

    **5 verified; 4 members confirmed; requests: 5 to write, 1 to verify**

    Now: nothing to do; 5 unchanged, 1 unmanaged; 1 open step in 1 room, the oldest since today.

    ### Manual steps: 1

    The API cannot remove members or rooms.

    - `team-platform` `Platform team`: remove `104` from room `4`

    ### As planned: 5

    <details open><summary>Rooms</summary>

    - `course-rust-101`: created as room `5`, 2 members confirmed
    - `help`: updated, 1 member confirmed
    - `lounge`: updated
    - `news`: created as room `6`
    - `team-platform`: updated, 1 member confirmed

    </details>
    ");
    let nothing = apply(&["--yes"]).ok();
    nothing.shows("**nothing to do; 5 unchanged, 1 unmanaged; 1 open step in 1 room, the oldest since today**");
}

#[test]
fn failed_rooms_of_an_apply_come_first() {
    let scene = Scene::new()
        .manifest(BEFORE)
        .sandbox_with(ignoring_updates())
        .applied();
    scene.declare(AFTER);
    let page = |args: &[&str], code| {
        let ran =
            scene.run([args, &["--allow-publish", "lounge", "--format", "markdown"]].concat());
        ran.exits(code);
        let headings = Rendered::new(&ran.out).headings;
        headings.into_iter().skip(1).collect::<Vec<_>>()
    };
    scene
        .run("plan --out plan.json --allow-publish lounge")
        .ok();
    let help = scene.room("help").id;
    assert!(scene.world(|world| world.delete_room(627, help, 1)));
    scene.age_ledgers(120);
    assert_eq!(
        page(&["apply", "plan.json", "--yes"], 5),
        ["Not done: 5", "Conflicts: 1", "Manual steps: 1"]
    );
    assert_eq!(
        page(&["apply", "--yes", "--verify-timeout", "100ms"], 4),
        [
            "Not as sent: 2",
            "Conflicts: 1",
            "Manual steps: 1",
            "As planned: 2"
        ]
    );
    scene.age_ledgers(120);
    assert_eq!(
        page(&["plan"], 0),
        [
            "Needs attention: visibility ignored by the server: 1",
            "Conflicts: 1",
            "Ignored by the server: 1",
            "Manual steps still open: 1"
        ]
    );
}

#[test]
fn an_unsupported_format_or_size_is_a_usage_error() {
    let scene = Scene::new().manifest(BEFORE);
    let cases: [(&[&str], &str); 6] = [
        (
            &["plan", "--format", "sarif"],
            "invalid value 'sarif' for '--format <FORMAT>'\n  [possible values: text, json, markdown, html, github]",
        ),
        (
            &["export", "--format", "github"],
            "`export` has no flag `--format`",
        ),
        (
            &["ledger", "show", "--format", "markdown"],
            "invalid value 'markdown' for '--format <FORMAT>'",
        ),
        (
            &["plan", "--fit", "gitlab"],
            "--fit and --max-bytes are for --format markdown",
        ),
        (
            &["check", "--max-bytes", "5000"],
            "--fit and --max-bytes are for --format markdown",
        ),
        (
            &["plan", "--format=markdown", "--max-bytes", "4095"],
            "use at least 4096 bytes",
        ),
    ];
    for (args, expected) in cases {
        let ran = scene.run(args);
        assert_eq!(ran.code, 64, "{args:?} {ran:#?}");
        assert!(ran.all().contains(expected), "{args:?} {ran:#?}");
    }
}
