//! `init` and its CI files: the pull request workflow, run by a test runner against a sandbox.

mod gitlab;
mod runner;

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use serde_yaml::Value;

use crate::support::{Scene, Shows};
use runner::Runner;

const STORES: [&str; 3] = ["cache", "branch", "bucket"];

/// The files of a directory below `examples/ci`.
fn example(name: &str) -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/ci")
        .join(name);
    let mut files: Vec<(String, String)> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                fs::read_to_string(path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
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
    scene.declare("version: 1\n");
    let before = scene.files();
    let refused = scene.run("init --ci github");
    assert_eq!((refused.code, refused.out.as_str()), (5, ""));
    assert_snapshot!(refused.err, @r"
    error: 1 file with other content would be overwritten: `./rooms.yaml`
      hint: move them away, or replace them with --force; nothing was written
    ");
    assert_eq!(scene.files(), before);
    scene.run("init --force").ok();
    assert_eq!(scene.run("check").ok(), "valid: 1 room, 2 memberships\n");
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
      hint: move it away, or choose another directory; nothing was written
    ");
    // A dangling link is also an existing file.
    #[cfg(unix)]
    {
        let scene = Scene::new();
        std::os::unix::fs::symlink("nowhere", scene.path("rooms.yaml")).unwrap();
        scene.run("init").exits(5);
        assert!(!scene.path("schema").exists());
    }
}

#[test]
fn the_examples_are_what_init_writes() {
    for ci in ["github", "gitlab"] {
        for store in STORES {
            let scene = Scene::new();
            scene
                .run(["init", "--ci", ci, "--ledger", store, "sub"])
                .ok();
            for (name, text) in example(&format!("{ci}-{store}")) {
                let path = if ci == "github" {
                    format!("sub/.github/workflows/{name}")
                } else {
                    format!("sub/.{name}")
                };
                assert_eq!(
                    scene.read(&path),
                    text,
                    "write it again: roomform init --ci {ci} --ledger {store}"
                );
            }
        }
    }
    let wrong = Scene::new().run(["init", "--ci", "github", "--source", "https://a b"]);
    wrong.exits(64);
}

/// Basics of secure workflows: no expressions in scripts, pinned actions, minimal permissions, one apply at a time.
#[test]
fn the_workflows_are_careful() {
    for store in STORES {
        let files = example(&format!("github-{store}"));
        assert_eq!(files.len(), 4);
        for (name, text) in files {
            let document: Value = serde_yaml::from_str(&text).unwrap();
            assert!(
                document["permissions"].as_mapping().unwrap().is_empty(),
                "{name}"
            );
            let (_, job) = document["jobs"]
                .as_mapping()
                .unwrap()
                .iter()
                .next()
                .unwrap();
            let writes = job["permissions"]
                .as_mapping()
                .unwrap()
                .iter()
                .filter(|(_, value)| value.as_str() == Some("write"));
            let writes: Vec<&str> = writes.map(|(key, _)| key.as_str().unwrap()).collect();
            let expected: &[&str] = match name.as_str() {
                "roomform-plan.yaml" => &["pull-requests"],
                "roomform-apply.yaml" if store == "branch" => &["contents"],
                _ => &[],
            };
            assert_eq!(writes, expected, "{name}");
            for step in job["steps"].as_sequence().unwrap() {
                let run = step["run"].as_str().unwrap_or_default();
                assert!(!run.contains("${{"), "{name}: {run}");
                if let Some(action) = step["uses"].as_str() {
                    let (_, pin) = action.split_once('@').unwrap();
                    assert!(
                        pin.len() == 40 && pin.bytes().all(|byte| byte.is_ascii_hexdigit()),
                        "{name}: {action}"
                    );
                }
            }
            let single = matches!(name.as_str(), "roomform-apply.yaml" | "roomform-drift.yaml");
            if single {
                assert_eq!(
                    document["concurrency"]["group"].as_str(),
                    Some("roomform"),
                    "{name}"
                );
                assert_eq!(
                    document["concurrency"]["cancel-in-progress"].as_bool(),
                    Some(false),
                    "{name}"
                );
            }
            assert_eq!(
                name == "roomform-check.yaml",
                !text.contains("secrets."),
                "{name}: only the check has no secrets"
            );
        }
    }
}

#[test]
fn the_gitlab_pipeline_has_the_same_jobs() {
    for store in STORES {
        let (_, text) = example(&format!("gitlab-{store}")).remove(0);
        let document: Value = serde_yaml::from_str(&text).unwrap();
        for job in [
            "roomform-check",
            "roomform-plan",
            "roomform-apply",
            "roomform-drift",
        ] {
            assert!(
                document[job]["script"]
                    .as_sequence()
                    .unwrap()
                    .iter()
                    .all(Value::is_string),
                "{store}: {job}"
            );
            assert!(document[job]["rules"].is_sequence(), "{store}: {job}");
        }
        for job in ["roomform-apply", "roomform-drift"] {
            assert_eq!(
                document[job]["resource_group"].as_str(),
                Some("roomform"),
                "{store}: {job}"
            );
        }
        let check = serde_yaml::to_string(&document["roomform-check"]).unwrap();
        check.lacks("TOKEN").lacks("IMBACHAT");
    }
}

/// Without a reviewed plan, two jobs of the GitLab pipeline say why they failed and exit with roomform's exit code.
#[test]
fn the_gitlab_pipeline_tells_why_it_failed_and_keeps_the_status() {
    const OPEN: &str = "version: 1\nrooms: [{pipe: team-a, title: A, public: true}]\n";
    let (_, text) = example("gitlab-cache").remove(0);
    let document: Value = serde_yaml::from_str(&text).unwrap();
    let scene = Scene::new().manifest(OPEN).sandbox();
    // The server has no merge request.
    let path = std::env::var("PATH").unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_roomform")).parent().unwrap();
    let job = |name: &str, broken: bool| {
        let lines = document[name]["script"].as_sequence().unwrap().iter();
        let lines: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
        let script = format!(
            "curl() {{ echo '[]'; }}\njq() {{ cat >/dev/null; }}\n{}",
            lines.join("\n")
        );
        let mut command = std::process::Command::new("bash");
        command.args(["-eo", "pipefail", "-c", &script]);
        command.current_dir(scene.path("")).env_clear();
        command.envs(scene.vars());
        if broken {
            command.env_remove("IMBACHAT_SECRET_KEY");
        }
        command.env("PATH", format!("{}:{path}", program.display()));
        for (name, value) in [
            ("MANIFEST", "rooms.yaml"),
            ("ROOMFORM_TOKEN", "t"),
            ("CI_API_V4_URL", "http://none"),
            ("CI_PROJECT_ID", "1"),
            ("CI_COMMIT_SHA", "abc"),
        ] {
            command.env(name, value);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let last = said.lines().last().unwrap_or_default().to_owned();
        (output.status.code().unwrap(), last)
    };
    let (apply, drift) = ("roomform-apply", "roomform-drift");
    let none = "there is no reviewed plan for this commit, and ";
    let expected = |why: &str| format!("{none}{why}");
    let differs = expected("the widget differs from the manifest");
    assert_eq!(job(apply, false), (2, differs));
    assert_eq!(job(drift, false).0, 2);
    scene.apply().ok();
    assert_eq!((job(apply, false).0, job(drift, false).0), (0, 0));
    let no_plan = expected("no plan could be made");
    assert_eq!(job(apply, true), (1, no_plan.clone()));

    // The room was closed outside: an apply would refuse to open it.
    scene.declare(OPEN.replace("true", "false"));
    scene.apply().ok();
    scene.declare(OPEN);
    let refused = expected("the changes are refused");
    assert_eq!(job(apply, false), (5, refused));
    let (code, last) = job(drift, false);
    assert!(code == 5 && !last.contains(none), "{last}");

    scene.declare("version: 1\nrooms: [{titel: A}]\n");
    assert_eq!(job(apply, false), (3, no_plan));
    assert_eq!(scene.writes(), 2);
}

/// A repository with the files of `init`, connected to a sandbox.
fn repository(store: &str, scene: &Scene) -> Runner {
    let mut runner = Runner::new();
    for (name, value) in scene.vars() {
        let kind = if name.ends_with("WIDGET") || name.ends_with("URL") {
            "vars"
        } else {
            "secrets"
        };
        runner.context.insert(format!("{kind}.{name}"), value);
    }
    for (name, value) in [
        ("github.repository", "school/rooms"),
        ("vars.ROOMFORM_LEDGER_BUCKET", "s3://rooms/ledger"),
        ("secrets.AWS_ACCESS_KEY_ID", "key"),
        ("secrets.AWS_SECRET_ACCESS_KEY", "secret"),
    ] {
        runner.context.insert(name.to_owned(), value.to_owned());
    }
    init(&runner, "github", store);
    runner
}

fn init(runner: &Runner, ci: &str, store: &str) {
    runner.shell(
        "work",
        &format!(
            "roomform init --ci {ci} --ledger {store} --source https://git.example/roomform.git"
        ),
    );
    commit(runner, "start");
}

/// Commits everything in the clone to `main` and returns the commit.
fn commit(runner: &Runner, message: &str) -> String {
    runner.shell("work", &format!("git add --all && git commit --quiet --allow-empty --message {message} && git push --quiet origin main && git rev-parse HEAD"))
}

/// Possible locations of a manifest: `MANIFEST`, and the file in it.
const MANIFESTS: [(&str, &str); 4] = [
    ("rooms.yaml", "rooms.yaml"),
    ("rooms", "rooms/rooms.yaml"),
    ("school/", "school/all.yaml"),
    ("school/all.yaml", "school/all.yaml"),
];

/// Moves the manifest, and updates its path in the CI files.
fn move_manifest(runner: &Runner, files: &str, (named, file): (&str, &str)) -> String {
    if file != "rooms.yaml" {
        let directory = file.split('/').next().unwrap();
        runner.shell(
            "work",
            &format!("mkdir {directory} && git mv rooms.yaml {file}"),
        );
        let edit = format!("s|MANIFEST: rooms.yaml|MANIFEST: {named}|");
        runner.shell(
            "work",
            &format!("sed -i.old '{edit}' {files} && rm $(find . -name '*.old')"),
        );
    }
    commit(runner, "moved")
}

/// Changes the program's revision in the CI files.
fn change_revision(runner: &Runner, files: &str) -> String {
    let edit = "s|ROOMFORM_REV: .*|ROOMFORM_REV: \"next\"|";
    runner.shell(
        "work",
        &format!("sed -i.old '{edit}' {files} && rm $(find . -name '*.old')"),
    );
    commit(runner, "revision")
}

/// Creates a branch with one more room and returns its commit.
fn branch(runner: &Runner, name: &str, room: &str) -> String {
    runner.shell("work", &format!("git checkout --quiet -B {name} main"));
    let manifest = runner
        .read("work/rooms.yaml")
        .replace("\nlimits:", &format!("  - {room}\n\nlimits:"));
    runner.write("work/rooms.yaml", &manifest);
    runner.shell("work", &format!("git commit --quiet --all --message {name} && git push --quiet --force origin {name} && git rev-parse HEAD"))
}

/// The event of a pull request.
fn pull_request(head: &str, repository: &str) -> Vec<(&'static str, String)> {
    vec![
        ("github.event_name", "pull_request".to_owned()),
        ("github.sha", head.to_owned()),
        ("github.base_ref", "main".to_owned()),
        ("github.event.pull_request.number", "12".to_owned()),
        (
            "github.event.pull_request.head.repo.full_name",
            repository.to_owned(),
        ),
    ]
}

fn borrowed<'e>(event: &'e [(&'static str, String)]) -> Vec<(&'e str, &'e str)> {
    event
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

/// Merges a branch and returns the merge commit, which the server links to the pull request.
fn merge(runner: &Runner, name: &str, head: &str) -> String {
    let merged = runner.shell("work", &format!("git checkout --quiet main && git merge --quiet --no-ff {name} -m merge && git push --quiet origin main && git rev-parse HEAD"));
    runner.write(&format!("store/pulls/{merged}"), head);
    merged
}

fn pushed(sha: &str) -> [(&str, &str); 3] {
    [
        ("github.event_name", "push"),
        ("github.ref", "refs/heads/main"),
        ("github.sha", sha),
    ]
}

#[test]
fn a_pull_request_is_checked_planned_merged_applied_and_watched() {
    for store in STORES {
        let scene = Scene::new().sandbox();
        let mut runner = repository(store, &scene);
        let head = branch(
            &runner,
            "more",
            "{pipe: team-tools, title: \"Tools\", members: [7]}",
        );

        // Plan twice: there is one comment, which is edited in place.
        for round in 1..=2 {
            let job = runner.run(
                "roomform-plan.yaml",
                &head,
                &borrowed(&pull_request(&head, "school/rooms")),
            );
            assert!(job.ok, "{store}: {job:#?}");
            let comments = runner.shell(".", "ls store/comments");
            assert_eq!(comments, "100", "{store}: round {round}");
            let comment = runner.read("store/comments/100");
            assert!(
                comment.contains("2 to create") && comment == job.summary,
                "{store}: {comment}"
            );
            // A plan job has no write credentials.
            job.seen.lacks("IMBACHAT_PASSWORD");
            runner.write(&format!("store/runs/{head}"), &format!("{}", 7000 + round));
        }
        assert_eq!(scene.writes(), 0);

        let merged = merge(&runner, "more", &head);
        let job = runner.run("roomform-apply.yaml", &merged, &pushed(&merged));
        assert!(job.ok, "{store}: {job:#?}");
        assert_eq!(scene.rooms().len(), 2, "{store}");
        let report = runner.shell(".", "cat store/artifacts/7003/roomform-report/report.json");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&report).unwrap()["exit"],
            0
        );

        // The ledger survived the runner: no member is unknown, and there is nothing to do.
        let nightly = [
            ("github.event_name", "schedule"),
            ("github.sha", merged.as_str()),
        ];
        let job = runner.run("roomform-drift.yaml", "main", &nightly);
        assert!(
            job.ok && job.summary.contains("nothing to do"),
            "{store}: {job:#?}"
        );
        let other = Scene::new()
            .manifest("version: 1\nrooms: [{pipe: team-tools, title: Toys}]\n")
            .beside(&scene);
        other.run("apply --yes").ok();
        let job = runner.run("roomform-drift.yaml", "main", &nightly);
        assert_eq!((job.ok, job.code), (false, 2), "{store}: {job:#?}");

        // A push without a reviewed plan applies nothing, and reports whether there is something to do.
        let direct = runner.shell("work", "git commit --quiet --allow-empty --message direct && git push --quiet origin main && git rev-parse HEAD");
        let writes = scene.writes();
        let job = runner.run("roomform-apply.yaml", &direct, &pushed(&direct));
        assert_eq!(
            (job.ok, job.code, scene.writes()),
            (false, 2, writes),
            "{store}: {job:#?}"
        );
        job.log.shows("there is no reviewed plan for this push");
        let manual_steps = [
            ("github.event_name", "workflow_dispatch"),
            ("github.ref", "refs/heads/main"),
            ("github.sha", direct.as_str()),
        ];
        let job = runner.run("roomform-apply.yaml", &direct, &manual_steps);
        assert!(job.ok, "{store}: {job:#?}");
        assert_eq!(scene.room("team-tools").name, "Tools");
        let job = runner.run("roomform-apply.yaml", &direct, &pushed(&direct));
        assert!(job.ok, "{store}: {job:#?}");
    }
}

#[test]
fn a_fork_is_checked_and_compared_without_a_secret() {
    let scene = Scene::new().sandbox();
    let mut runner = repository("cache", &scene);
    let head = branch(
        &runner,
        "fork",
        "{pipe: team-fork, title: \"Fork\", public: true}",
    );
    let event = pull_request(&head, "someone/rooms");
    let job = runner.run("roomform-check.yaml", &head, &borrowed(&event));
    assert!(job.ok, "{job:#?}");
    job.summary.shows("team-fork");
    job.seen.lacks("IMBACHAT");
    let job = runner.run("roomform-plan.yaml", &head, &borrowed(&event));
    assert_eq!(job.log, "skipped");

    let broken = branch(&runner, "broken", "{pipe: team-broken, titel: \"Broken\"}");
    let job = runner.run(
        "roomform-check.yaml",
        &broken,
        &borrowed(&pull_request(&broken, "someone/rooms")),
    );
    assert!(
        !job.ok && job.log.contains("::error file=rooms.yaml,line="),
        "{job:#?}"
    );
    assert_eq!(scene.writes(), 0);
}

#[test]
fn a_plan_that_is_refused_is_still_reported() {
    let scene = Scene::new().sandbox();
    let mut runner = repository("cache", &scene);
    let sha = runner.shell("work", "git rev-parse HEAD");
    let manual_steps = [
        ("github.event_name", "workflow_dispatch"),
        ("github.ref", "refs/heads/main"),
        ("github.sha", sha.as_str()),
    ];
    assert!(runner.run("roomform-apply.yaml", "main", &manual_steps).ok);
    runner.shell("work", "git checkout --quiet -B open main");
    let manifest = runner.read("work/rooms.yaml").replace(
        "    members: [\"@staff\"]",
        "    members: [\"@staff\"]\n    public: true",
    );
    runner.write("work/rooms.yaml", &manifest);
    let head = runner.shell("work", "git commit --quiet --all --message open && git push --quiet origin open && git rev-parse HEAD");
    let job = runner.run(
        "roomform-plan.yaml",
        &head,
        &borrowed(&pull_request(&head, "school/rooms")),
    );
    assert_eq!((job.ok, job.code), (false, 5), "{job:#?}");
    let comment = runner.read("store/comments/100");
    assert!(
        comment.contains("refused") || comment.contains("Refused"),
        "{comment}"
    );

    // The nightly job reports the opened room as drift, with exit code 5, because an apply would refuse to publish it. A push cannot
    // undo the change and says why.
    let merged = merge(&runner, "open", "");
    let nightly = [
        ("github.event_name", "schedule"),
        ("github.sha", merged.as_str()),
    ];
    let job = runner.run("roomform-drift.yaml", "main", &nightly);
    assert_eq!((job.ok, job.code), (false, 5), "{job:#?}");
    job.summary.shows("would become public");
    let job = runner.run("roomform-apply.yaml", &merged, &pushed(&merged));
    assert_eq!((job.ok, job.code), (false, 5), "{job:#?}");
    let expected = "and the changes are refused; read the summary";
    job.log.shows(expected);
    runner.context.remove("secrets.IMBACHAT_SECRET_KEY");
    let job = runner.run("roomform-apply.yaml", &merged, &pushed(&merged));
    assert_eq!((job.ok, job.code), (false, 1), "{job:#?}");
    job.log.shows("no plan could be made");
}

/// In the second and third run, the caches provide the program and the ledger.
#[test]
fn workflows_that_run_again_find_program_and_ledger() {
    const FILES: &str = ".github/workflows/*.yaml";
    const REV: &str = concat!("v", env!("CARGO_PKG_VERSION"));
    for (store, manifest) in STORES
        .into_iter()
        .flat_map(|store| MANIFESTS.map(|it| (store, it)))
    {
        if store != "cache" && manifest.0 != "rooms" {
            continue;
        }
        let what = format!("{store}, {manifest:?}");
        let scene = Scene::new().sandbox();
        let mut runner = repository(store, &scene);
        let sha = move_manifest(&runner, FILES, manifest);
        let manual_steps = |sha| {
            [
                ("github.event_name", "workflow_dispatch"),
                ("github.ref", "refs/heads/main"),
                ("github.sha", sha),
            ]
        };
        let job = runner.run("roomform-apply.yaml", &sha, &manual_steps(&sha));
        assert!(job.ok, "{what}: {job:#?}");
        assert_eq!(runner.noted("installed"), [REV], "{what}");
        let writes = scene.writes();

        for workflow in ["roomform-apply.yaml", "roomform-drift.yaml"] {
            let job = runner.run(workflow, &sha, &manual_steps(&sha));
            assert!(
                job.ok && job.summary.contains("nothing to do"),
                "{what}: {job:#?}"
            );
        }
        assert_eq!(scene.writes(), writes, "{what}");
        assert_eq!(runner.noted("installed"), [""; 0], "{what}");
        assert!(runner.noted("ran").iter().all(|rev| rev == REV), "{what}");

        let sha = change_revision(&runner, FILES);
        let job = runner.run("roomform-drift.yaml", &sha, &manual_steps(&sha));
        assert!(
            job.ok && job.summary.contains("nothing to do"),
            "{what}: {job:#?}"
        );
        assert_eq!(runner.noted("installed"), ["next"], "{what}");
        assert!(
            runner.noted("ran").iter().all(|rev| rev == "next"),
            "{what}"
        );
    }
}

/// The same pipeline on GitLab: a plan, its apply, and the jobs after it.
#[test]
fn a_pipeline_that_runs_again_finds_program_and_ledger() {
    const REV: &str = concat!("v", env!("CARGO_PKG_VERSION"));
    for (store, manifest) in STORES
        .into_iter()
        .flat_map(|store| MANIFESTS.map(|it| (store, it)))
    {
        if store != "cache" && manifest.0 != "rooms" {
            continue;
        }
        let what = format!("{store}, {manifest:?}");
        let scene = Scene::new().sandbox();
        let mut runner = Runner::new();
        init(&runner, "gitlab", store);
        let sha = move_manifest(&runner, ".gitlab-ci.yml", manifest);
        let mut variables = scene.vars();
        for (name, value) in [
            ("ROOMFORM_LEDGER_BUCKET", "s3://rooms/ledger"),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ] {
            variables.push((name.to_owned(), value.to_owned()));
        }
        let run = |runner: &mut Runner, job: &str, sha: &str| {
            let variables = variables.iter();
            let variables = variables.map(|(name, value)| (name.as_str(), value.as_str()));
            let variables: Vec<(&str, &str)> = variables.collect();
            let job = gitlab::run(runner, job, sha, &variables);
            assert_eq!(job.code, 0, "{what}: {job:#?}");
            job
        };
        run(&mut runner, "roomform-plan", &sha);
        assert_eq!(runner.noted("installed"), [REV], "{what}");
        runner.write("store/merged", "12");
        run(&mut runner, "roomform-apply", &sha);
        let writes = scene.writes();
        assert_eq!(writes, 1, "{what}");

        // There is no plan for the next commit, and nothing to do.
        runner.shell(".", "rm store/merged");
        for job in ["roomform-apply", "roomform-drift"] {
            let job = run(&mut runner, job, &sha);
            assert!(job.log.contains("nothing to do"), "{what}: {job:#?}");
        }
        assert_eq!(scene.writes(), writes, "{what}");
        assert_eq!(runner.noted("installed"), [""; 0], "{what}");
        assert!(runner.noted("ran").iter().all(|rev| rev == REV), "{what}");

        let sha = change_revision(&runner, ".gitlab-ci.yml");
        let job = run(&mut runner, "roomform-drift", &sha);
        assert!(job.log.contains("nothing to do"), "{what}: {job:#?}");
        assert_eq!(runner.noted("installed"), ["next"], "{what}");
        assert!(
            runner.noted("ran").iter().all(|rev| rev == "next"),
            "{what}"
        );
    }
}
