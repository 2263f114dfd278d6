//! The life of a pull request: checked, planned, merged, applied, and watched.

use roomform::sandbox::Room;
use serde_json::json;

use super::github::{Event, run};
use super::gitlab;
use super::site::{STORES, Site, room};
use crate::support::{Scene, Shows, live_room};

const ROOMS: &str = "rooms/rooms.yaml";

#[test]
fn a_pull_request_is_checked_planned_merged_applied_and_watched() {
    for store in STORES {
        let mut site = Site::with_directory("github", store);
        let head = site.branch("more", &room("team-tools"));
        let opened = Event::pull_request(12, &head);

        let job = run(&mut site.runner, "check", &opened);
        assert!(job.ok, "{store}: {job:#?}");
        job.summary.shows("team-tools");
        // Plan twice: there is one comment, which is edited in place.
        for _ in 0..2 {
            let job = run(&mut site.runner, "plan", &opened);
            assert!(job.ok, "{store}: {job:#?}");
            let comments = site.runner.comments(12);
            assert_eq!(comments, [job.summary], "{store}");
            comments[0].shows("2 to create");
            job.seen.lacks("IMBACHAT_PASSWORD");
        }
        assert_eq!(site.scene.writes(), 0);

        let merged = site.merge(12, "more", &head);
        let job = run(&mut site.runner, "apply", &Event::push(&merged));
        assert!(job.ok, "{store}: {job:#?}");
        assert_eq!(site.pipes(), ["team-platform", "team-tools"], "{store}");
        let comments = site.runner.comments(12);
        assert_eq!(comments.len(), 2, "{store}");
        comments[1].shows("team-tools");
        let reports = format!("store/artifacts/{}/roomform-reports/plans", job.run);
        let plans = std::fs::read_dir(site.runner.path(&reports)).unwrap();
        assert_eq!(plans.count(), 1, "{store}");

        // The ledger outlived the runner: nothing is left to do, and no member is unknown.
        let job = run(&mut site.runner, "drift", &Event::schedule());
        assert!(job.ok, "{store}: {job:#?}");
        job.summary.shows("nothing to do");
        assert_eq!(site.runner.list("issues").len(), 0);
    }
}

#[test]
fn a_ledger_that_is_committed_before_the_first_push_is_used() {
    for store in ["cache", "branch"] {
        let mut site = Site::with_directory("github", store);
        site.scene.insert(Room {
            members: [3, 4].into(),
            ..live_room("team-platform", "Platform team")
        });
        let variables = site.scene.vars().into_iter();
        let variables: String = variables
            .map(|(name, value)| format!("{name}='{value}' "))
            .collect();
        let ledger = ".roomform/api.imbachat.com-627.jsonl";
        let adopt = format!("{variables} roomform ledger adopt --roster --yes --ledger {ledger}");
        site.runner
            .shell("work", &adopt)
            .shows("2 memberships of 1 room");
        let pushed = site.commit("adopted");
        let job = run(&mut site.runner, "apply", &Event::push(&pushed));
        assert!(job.ok, "{store}: {job:#?}");
        let job = run(&mut site.runner, "drift", &Event::schedule());
        assert!(job.ok, "{store}: {job:#?}");
        assert_eq!(site.scene.writes(), 0);
    }
}

/// Without a reviewed plan nothing is applied, until a person starts the workflow.
#[test]
fn changes_without_a_plan_are_listed_and_wait_for_a_manual_start() {
    let mut site = Site::with_directory("github", "cache");
    let direct = site.commit("direct");
    let job = run(&mut site.runner, "apply", &Event::push(&direct));
    assert_eq!((job.ok, job.code), (false, 2), "{job:#?}");
    job.log.shows("not everything is applied");
    job.summary.shows("team-platform");
    assert_eq!(site.scene.writes(), 0);
    let elsewhere = Event::manual("apply").with("github.ref_name", "other");
    assert_eq!(run(&mut site.runner, "apply", &elsewhere).log, "skipped");

    let job = run(&mut site.runner, "apply", &Event::manual("apply"));
    assert!(job.ok, "{job:#?}");
    assert_eq!(site.pipes(), ["team-platform"]);
    let job = run(&mut site.runner, "apply", &Event::push(&direct));
    assert!(job.ok, "{job:#?}");

    // A run that cannot plan fails with the exit code of roomform.
    site.runner.context.remove("secrets.IMBACHAT_SECRET_KEY");
    let job = run(&mut site.runner, "apply", &Event::push(&direct));
    assert_eq!((job.ok, job.code), (false, 1), "{job:#?}");
}

#[test]
fn drift_opens_one_issue_and_closes_it() {
    let mut site = Site::with_directory("github", "cache");
    let elsewhere = Event::manual("drift").with("github.ref_name", "other");
    assert_eq!(run(&mut site.runner, "drift", &elsewhere).log, "skipped");
    let drift = |site: &mut Site| run(&mut site.runner, "drift", &Event::schedule());
    run(&mut site.runner, "apply", &Event::manual("apply"));
    // An issue with the same title, but opened by a person, is not touched.
    let title = "The widget differs from the manifest";
    let theirs = json!({"number": 1, "state": "open", "title": title, "user": {"type": "User"}});
    site.runner.add("issues", theirs.clone());

    change_title(&site);
    for _ in 0..2 {
        let job = drift(&mut site);
        assert_eq!((job.ok, job.code), (false, 2), "{job:#?}");
        let issues = site.runner.list("issues");
        assert_eq!((issues.len(), &issues[0]), (2, &theirs));
        assert_eq!(issues[1]["title"], title);
        issues[1]["body"].as_str().unwrap().shows("team-platform");
        job.seen.lacks("IMBACHAT_PASSWORD");
    }
    let job = run(&mut site.runner, "apply", &Event::manual("apply"));
    assert!(job.ok, "{job:#?}");
    let job = drift(&mut site);
    assert!(job.ok, "{job:#?}");
    let issues = site.runner.list("issues");
    assert_eq!((issues.len(), &issues[1]["state"]), (2, &json!("closed")));
}

#[test]
fn drift_on_gitlab_opens_one_issue_and_closes_it() {
    let mut site = Site::with_directory("gitlab", "branch");
    let job = |site: &mut Site, job: &str, source: &str| {
        let variables = [("CI_PIPELINE_SOURCE", source)];
        gitlab::run(&mut site.runner, job, "main", &variables).code
    };
    assert_eq!(job(&mut site, "roomform-apply", "web"), 0);
    change_title(&site);
    for _ in 0..2 {
        assert_eq!(job(&mut site, "roomform-drift", "schedule"), 2);
        let issues = site.runner.list("issues");
        assert_eq!((issues.len(), &issues[0]["state"]), (1, &json!("opened")));
        let body = issues[0]["description"].as_str().unwrap();
        body.shows("team-platform");
    }
    assert_eq!(job(&mut site, "roomform-apply", "web"), 0);
    assert_eq!(job(&mut site, "roomform-drift", "schedule"), 0);
    let issues = site.runner.list("issues");
    assert_eq!((issues.len(), &issues[0]["state"]), (1, &json!("closed")));
}

/// The job does not run on the result of the merge, so the tip of `main` would show the changes
/// of others as removed.
#[test]
fn gitlab_compares_a_merge_request_with_its_base() {
    let mut site = Site::with_directory("gitlab", "cache");
    let head = site.branch("one", &room("team-one"));
    let other = site.branch("two", &room("team-two"));
    site.merge(2, "two", &other);
    site.runner.shell(".", "git init --quiet --bare fork.git");
    let path = |name: &str| site.runner.path(name).display().to_string();
    let (origin, fork) = (path("origin.git"), path("fork.git"));
    let rewrite = format!("url.{fork}.insteadOf");
    // In a fork, `origin` lacks the base.
    let in_a_fork = [
        ("GIT_CONFIG_KEY_0", &*rewrite),
        ("GIT_CONFIG_VALUE_0", &*origin),
    ];
    for variables in [&[][..], &in_a_fork] {
        let job = gitlab::run(&mut site.runner, "roomform-check", &head, variables);
        assert_eq!(job.code, 0, "{job:#?}");
        job.log.shows("team-one").lacks("team-two");
    }
}

/// GitLab ignores the exit code of `after_script`.
#[test]
fn a_gitlab_job_that_cannot_save_its_ledger_fails() {
    let mut site = Site::with_directory("gitlab", "branch");
    let apply = |site: &mut Site| {
        let manual = [("CI_PIPELINE_SOURCE", "web")];
        gitlab::run(&mut site.runner, "roomform-apply", "main", &manual)
    };
    let hook = "origin.git/hooks/pre-receive";
    site.runner.program(hook, "#!/bin/sh\nexit 1\n");
    let job = apply(&mut site);
    assert_eq!(job.code, 1, "{job:#?}");
    assert_eq!(site.pipes(), ["team-platform"]);
    std::fs::remove_file(site.runner.path(hook)).unwrap();
    assert_eq!(apply(&mut site).code, 0);
    // The script saved the ledger, and `after_script` did not save it again.
    let log = site
        .runner
        .shell("origin.git", "git log --format=%s roomform-ledger");
    assert_eq!(log, "Record an apply");
}

#[test]
fn a_gitlab_apply_stops_at_the_first_command_that_fails() {
    for store in STORES {
        let mut site = Site::with_directory("gitlab", store);
        site.runner
            .write("work/manual", "a file where the job needs a directory");
        site.commit("manual");
        let manual = [("CI_PIPELINE_SOURCE", "web")];
        let job = gitlab::run(&mut site.runner, "roomform-apply", "main", &manual);
        assert_eq!(job.code, 1, "{store}: {job:#?}");
        job.log.shows("mkdir: ").lacks("page.md");
        assert_eq!(site.scene.writes(), 0, "{store}");
    }
}

/// A change outside of the manifest.
pub fn change_title(site: &Site) {
    let other = "version: 1\nrooms: [{pipe: team-platform, title: Toys}]\n";
    let other = Scene::new().manifest(other).beside(&site.scene);
    other.run("apply --yes").ok();
}

#[test]
fn a_manual_start_marks_manual_steps_as_done() {
    for store in STORES {
        let mut site = Site::with_directory("github", store);
        run(&mut site.runner, "apply", &Event::manual("apply"));
        let manifest = site.runner.read(&format!("work/{ROOMS}"));
        let fewer = manifest.replace("staff: [head, tutor]", "staff: [head]");
        site.runner.write(&format!("work/{ROOMS}"), &fewer);
        site.commit("fewer");
        let job = run(&mut site.runner, "apply", &Event::manual("apply"));
        assert!(job.ok, "{store}: {job:#?}");

        let done = Event::manual("done")
            .with("inputs.pipe", "team-platform")
            .with("inputs.users", "4");
        let job = run(&mut site.runner, "apply", &done);
        assert!(job.ok, "{store}: {job:#?}");
        job.log.shows("1 member of 1 room marked as removed");
        let job = run(&mut site.runner, "apply", &done);
        assert_eq!((job.ok, job.code), (false, 64), "{store}: {job:#?}");
        // What a person enters is never read as a flag or as a pattern of files.
        let done = Event::manual("done").with("inputs.pipe", "--force");
        let job = run(&mut site.runner, "apply", &done);
        job.log.shows("`--force`");
    }
}

#[test]
fn a_fork_is_checked_and_compared_without_a_secret() {
    let mut site = Site::with_directory("github", "cache");
    let head = site.branch("fork", &room("team-fork"));
    let fork = "github.event.pull_request.head.repo.full_name";
    let opened = Event::pull_request(12, &head).with(fork, "someone/rooms");
    let job = run(&mut site.runner, "check", &opened);
    assert!(job.ok, "{job:#?}");
    job.summary.shows("team-fork");
    job.seen.lacks("SECRET").lacks("PASSWORD").lacks("LOGIN");
    for job in ["plan", "apply", "drift"] {
        let job = run(&mut site.runner, job, &opened);
        assert_eq!(job.log, "skipped");
    }
    // Nor is a pull request into another branch planned.
    let other = Event::pull_request(13, &head).with("github.base_ref", "next");
    assert_eq!(run(&mut site.runner, "plan", &other).log, "skipped");

    let broken = site.branch("broken", "  - {pipe: team-broken, titel: Broken}\n");
    let job = run(&mut site.runner, "check", &Event::pull_request(14, &broken));
    assert!(!job.ok, "{job:#?}");
    job.log.shows("::error file=rooms/broken.yaml,line=");
    assert_eq!(site.scene.writes(), 0);
}

#[test]
fn a_plan_that_is_refused_is_still_reported() {
    let mut site = Site::with_directory("github", "cache");
    run(&mut site.runner, "apply", &Event::manual("apply"));
    let manifest = site.runner.read(&format!("work/{ROOMS}"));
    site.runner.shell("work", "git checkout --quiet -B open");
    let public = manifest.replace(
        "    members: [\"@staff\"]",
        "    members: [\"@staff\"]\n    public: true",
    );
    site.runner.write(&format!("work/{ROOMS}"), &public);
    let head = site.runner.shell("work", "git commit --quiet --all --message open && git push --quiet origin open && git rev-parse HEAD && git checkout --quiet main");
    let job = run(&mut site.runner, "plan", &Event::pull_request(12, &head));
    assert_eq!((job.ok, job.code), (false, 5), "{job:#?}");
    site.runner.comments(12)[0].shows("would become public");

    // The apply also refuses this change, and says so on the pull request. The nightly job
    // reports what is not applied.
    let writes = site.scene.writes();
    let merged = site.merge(12, "open", &head);
    let job = run(&mut site.runner, "apply", &Event::push(&merged));
    assert_eq!((job.ok, job.code), (false, 5), "{job:#?}");
    assert_eq!(site.scene.writes(), writes);
    site.runner.comments(12)[1].shows("would become public");
    // Another push edits this comment.
    run(&mut site.runner, "apply", &Event::push(&merged));
    assert_eq!(site.runner.comments(12).len(), 2);
    let job = run(&mut site.runner, "drift", &Event::schedule());
    assert_eq!((job.ok, job.code), (false, 5), "{job:#?}");
    assert_eq!(site.runner.list("issues").len(), 1);
}
