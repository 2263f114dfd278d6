//! `init` and its CI files: their steps are run against a sandbox, with fake servers of GitHub and GitLab.

mod action;
mod attacks;
mod github;
mod gitlab;
mod life;
mod runner;
mod runs_again;
mod site;

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use serde_yaml::Value;

use crate::support::{Ran, Scene, Shows};

/// The generated files, each with the flags it is generated with.
const EXAMPLES: [(&str, &str); 6] = [
    ("github-cache/roomform.yaml", "github"),
    ("github-branch/roomform.yaml", "github --ledger branch"),
    ("github-bucket/roomform.yaml", "github --ledger bucket"),
    ("gitlab-cache/roomform.yml", "gitlab --ledger cache"),
    ("gitlab-branch/roomform.yml", "gitlab --ledger branch"),
    ("gitlab-bucket/roomform.yml", "gitlab --ledger bucket"),
];

fn example(name: &str) -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci");
    fs::read_to_string(directory.join(name)).unwrap()
}

/// The parsed examples for GitHub or GitLab.
fn examples(ci: &str) -> impl Iterator<Item = (&'static str, Value)> {
    let names = EXAMPLES.into_iter().map(|(name, _)| name);
    let names = names.filter(move |name| name.starts_with(ci));
    names.map(|name| (name, serde_yaml::from_str(&example(name)).unwrap()))
}

#[test]
fn a_starter_is_valid_and_nothing_is_ever_overwritten() {
    let scene = Scene::new().file(".gitignore", "/target");
    assert_snapshot!(scene.run("init").ok(), @r"
    wrote ./rooms.yaml
    wrote ./schema/manifest.schema.json
    wrote ./.gitignore
    wrote ./.gitattributes
    ");
    assert_eq!(scene.read(".gitignore"), "/target\n.roomform/sandbox*\n");
    assert_eq!(scene.run("check").ok(), "valid: 1 room, 2 memberships\n");
    let schema = scene.run("schema manifest").ok();
    assert_eq!(scene.read("schema/manifest.schema.json"), schema);
    assert_eq!(scene.run("init").ok(), "everything exists already\n");
    scene.write("schema/manifest.schema.json", "{}");
    let before = scene.files();
    let refused = scene.run("init --ci github");
    assert_eq!((refused.code, refused.out.as_str()), (5, ""));
    assert_snapshot!(refused.err, @r"
    error: 1 file with other content would be overwritten: `./schema/manifest.schema.json`
      hint: move them away, or use --force to replace them; nothing was written
    ");
    assert_eq!(scene.files(), before);
    scene.run("init --force").ok();
    assert_eq!(scene.read("schema/manifest.schema.json"), schema);
}

#[test]
fn an_existing_manifest_is_kept_and_ci_uses_it() {
    let mine = "version: 1\nrooms: [{pipe: mine, title: A, members: [7]}]\n";
    for (file, manifest) in [("rooms.yaml", "rooms.yaml"), ("rooms/mine.yaml", "rooms")] {
        for (ci, path) in [
            ("github", ".github/workflows/roomform.yaml"),
            ("gitlab", ".gitlab/roomform.yml"),
        ] {
            for force in ["", " --force"] {
                let scene = Scene::new().file(file, mine);
                let ran = scene.run(format!("init --ci {ci}{force}"));
                ran.exits(0);
                ran.err.begins(format!("kept the manifest `{manifest}`\n"));
                assert_eq!(scene.read(file), mine);
                let set = format!("\n  MANIFEST: \"{manifest}\"\n");
                scene.read(path).shows(set);
                let checked = scene.run("check");
                let valid = "valid: 1 room, 1 membership\n";
                assert_eq!((checked.out.as_str(), checked.err.as_str()), (valid, ""));
            }
        }
    }
    // The directory `rooms` contains no manifest.
    let scene = Scene::new().file("rooms/roster.csv", "user\n3\n");
    scene.run("init").ok().begins("wrote ./rooms.yaml\n");
}

/// A file in place of a directory, or the reverse, is found before anything is written; `--force` does not help.
#[test]
fn what_does_not_fit_is_found_before_anything_is_written() {
    for (in_the_way, args) in [
        ("schema", &["init"][..]),
        (".github", &["init", "--ci", "github"]),
        ("sub", &["init", "sub"]),
        ("sub", &["init", "sub/below"]),
        ("rooms.yaml/inside", &["init"]),
        (".gitignore/inside", &["init"]),
    ] {
        for force in [&[][..], &["--force"]] {
            let scene = Scene::new();
            scene.write(in_the_way, "mine\n");
            let before = scene.files();
            let ran = scene.run([args, force].concat());
            let name = in_the_way.split('/').next().unwrap();
            let code = if name == ".gitignore" { 1 } else { 5 };
            assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{ran:#?}");
            ran.err.shows(format!("{name}`"));
            assert_eq!(scene.files(), before, "{in_the_way}");
            assert!(
                !scene.path("schema").is_dir(),
                "no directory is left behind"
            );
        }
    }
    let scene = Scene::new().file("schema", "");
    assert_snapshot!(scene.run("init").err, @r"
    error: in the way: `./schema`, which is a file, not a directory
      hint: move what is in the way, or choose another directory; nothing was written
    ");
    // A dangling link is refused like an existing file.
    #[cfg(unix)]
    {
        let scene = Scene::new();
        std::os::unix::fs::symlink("nowhere", scene.path(".gitlab-ci.yml")).unwrap();
        scene.run("init --ci gitlab").exits(5);
        assert!(!scene.path("schema").exists());
    }
}

/// CI systems read their files only at the top of the work tree.
#[test]
fn ci_files_are_at_the_top_of_the_work_tree() {
    for (directory, args, wrote) in [
        (".", "init chat/new --ci github", ".github/workflows/"),
        ("chat/new", "init --ci github", "../../.github/workflows/"),
        ("chat", "init new --ci github", "../.github/workflows/"),
        ("chat", "init ../chat/new --ci gitlab", "../.gitlab/"),
    ] {
        let scene = Scene::new().file(".git/config", "").file("chat/a", "");
        fs::create_dir_all(scene.path(directory)).unwrap();
        let mut command = scene.command(args);
        let ran: Ran = command
            .current_dir(scene.path(directory))
            .output()
            .unwrap()
            .into();
        ran.ok().shows(format!("wrote {wrote}roomform.y"));
        let written = scene.path(directory).join(wrote);
        let file = fs::read_dir(written).unwrap().next().unwrap().unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        text.shows("\n  MANIFEST: \"chat/new/rooms.yaml\"\n");
        assert!(scene.path("chat/new/rooms.yaml").is_file());
    }
}

#[test]
fn an_existing_pipeline_is_kept_and_must_include_the_jobs() {
    let mine = "build: {script: make}\n";
    let scene = Scene::new().file(".gitlab-ci.yml", mine);
    for flags in ["", " --force"] {
        let ran = scene.run(format!("init --ci gitlab{flags}"));
        ran.exits(0);
        ran.err
            .shows("for CI: add `include: [{local: .gitlab/roomform.yml}]` to .gitlab-ci.yml; set");
        assert_eq!(scene.read(".gitlab-ci.yml"), mine);
    }
    let scene = Scene::new();
    let ran = scene.run("init --ci gitlab");
    ran.err.lacks("include");
    let main: Value = serde_yaml::from_str(&scene.read(".gitlab-ci.yml")).unwrap();
    assert_eq!(main["include"][0]["local"], ".gitlab/roomform.yml");
    scene.run("init --ci gitlab").err.lacks("include");
}

#[test]
fn the_examples_are_what_init_writes() {
    for (name, flags) in EXAMPLES {
        let scene = Scene::new();
        scene.run(format!("init --ci {flags} sub").as_str()).ok();
        let file = if name.starts_with("github") {
            "sub/.github/workflows/roomform.yaml"
        } else {
            "sub/.gitlab/roomform.yml"
        };
        assert_eq!(
            scene.read(file),
            example(name),
            "write it again: roomform init --ci {flags}"
        );
    }
}

#[test]
fn a_pin_is_a_version_and_its_sum() {
    let sum = "0123456789abcdef".repeat(4);
    let scene = Scene::new();
    let pin = format!("1.2.3-rc.1@{}", sum.to_uppercase());
    scene.run(["init", "--ci", "gitlab", "--pin", &pin]).ok();
    let pinned = format!("ROOMFORM_VERSION: \"1.2.3-rc.1\"\n  ROOMFORM_SHA256: \"{sum}\"\n");
    scene.read(".gitlab/roomform.yml").shows(pinned);
    let short = &sum[1..];
    for wrong in [
        "1.2.3",
        "1.2.3@",
        &format!("1.2.3@{short}"),
        &format!("v1@{sum}"),
        &format!("1.2@{sum}"),
        &format!("1.2.3.4@{sum}"),
        &format!("1.2.@{sum}"),
        &format!("1.2.3-@{sum}"),
        &format!("1.2.3+b@{sum}"),
        &format!("1\"@{sum}"),
    ] {
        let ran = Scene::new().run(["init", "--ci", "github", "--pin", wrong]);
        ran.exits(64);
    }
    Scene::new().run(["init", "--pin", &pin]).exits(64);
}

/// Scripts contain no expressions, actions are pinned, and no job has permissions or secrets
/// that it does not need.
#[test]
fn the_workflows_are_careful() {
    for (name, document) in examples("github") {
        assert!(document["permissions"].as_mapping().unwrap().is_empty());
        for (job, part) in document["jobs"].as_mapping().unwrap() {
            let job = job.as_str().unwrap();
            let permissions = part["permissions"].as_mapping().unwrap().iter();
            let writes = permissions.filter(|(_, value)| value.as_str() == Some("write"));
            let writes: Vec<&str> = writes.map(|(key, _)| key.as_str().unwrap()).collect();
            let expected: &[&str] = match job {
                "plan" => &["pull-requests"],
                "apply" if name.contains("branch") => &["contents", "pull-requests"],
                "apply" => &["pull-requests"],
                "drift" => &["issues"],
                _ => &[],
            };
            assert_eq!(writes, expected, "{name}: {job}");
            let environment = part["environment"].as_str();
            let expected = match job {
                "check" => None,
                "apply" => Some("roomform-apply"),
                _ => Some("roomform-plan"),
            };
            assert_eq!(environment, expected, "{name}: {job}");
            let text = serde_yaml::to_string(part).unwrap();
            assert_eq!(text.contains("secrets."), job != "check", "{name}: {job}");
            assert_eq!(text.contains("PASSWORD"), job == "apply", "{name}: {job}");
            for step in part["steps"].as_sequence().unwrap() {
                let run = step["run"].as_str().unwrap_or_default();
                assert!(!run.contains("${{"), "{name}: {run}");
                names_its_ledger(run);
                if let Some(action) = step["uses"].as_str() {
                    let (_, pin) = action.split_once('@').unwrap();
                    assert!(
                        pin.len() == 40 && pin.bytes().all(|byte| byte.is_ascii_hexdigit()),
                        "{name}: {action}"
                    );
                }
            }
        }
        let apply = &document["jobs"]["apply"]["concurrency"];
        assert_eq!(apply["group"].as_str(), Some("roomform"));
        assert_eq!(apply["cancel-in-progress"].as_bool(), Some(false));
        assert_eq!(apply["queue"].as_str(), Some("max"));
        for event in ["pull_request", "push"] {
            let branches = document["on"][event]["branches"].as_sequence().unwrap();
            assert_eq!(branches, &["main", "master"], "{name}: {event}");
        }
    }
}

/// Every command that uses a ledger names it.
fn names_its_ledger(script: &str) {
    for verb in ["plan", "apply", "todo"] {
        for line in script.lines() {
            let command = line.trim_start().starts_with(&format!("roomform {verb}"));
            assert!(
                !command || line.contains("--ledger \"$ROOMFORM_LEDGER\""),
                "{line}"
            );
        }
    }
}

#[test]
fn the_gitlab_pipeline_is_careful() {
    for (name, document) in examples("gitlab") {
        // A top-level `workflow` would also apply to the other jobs of the project.
        assert!(document["workflow"].is_null(), "{name}");
        for job in [
            "roomform-check",
            "roomform-plan",
            "roomform-apply",
            "roomform-drift",
        ] {
            assert!(document[job]["rules"].is_sequence(), "{name}: {job}");
            let script = document[job]["script"].as_sequence().unwrap();
            for line in script {
                names_its_ledger(line.as_str().unwrap());
            }
            let text = serde_yaml::to_string(&document[job]).unwrap();
            // Pipelines of merge requests can read no API token, because the variable is protected.
            let is_protected = matches!(job, "roomform-apply" | "roomform-drift");
            assert_eq!(text.contains("TOKEN"), is_protected, "{name}: {job}");
            let environment = &document[job]["environment"];
            let deploys = environment.as_str() == Some("roomform-apply");
            assert_eq!(deploys, job == "roomform-apply", "{name}: {job}");
        }
        let apply = &document["roomform-apply"];
        assert_eq!(apply["resource_group"].as_str(), Some("roomform"));
        let image = document[".roomform"]["image"].as_str().unwrap();
        assert_eq!(image, "debian:trixie-20250908-slim", "{name}");
    }
}
