//! Every job runs three times: without caches, with them, and after an upgrade.

use super::github::{self, Event};
use super::gitlab;
use super::site::{STORES, Site, VERSION};
use crate::support::Shows;

/// For each store: the name of the manifest in the CI file, and the path of the manifest.
const MANIFESTS: [(&str, &str); 3] = [
    ("rooms", "rooms/rooms.yaml"),
    ("school/chat/", "school/chat/all.yaml"),
    ("school/all.yaml", "school/all.yaml"),
];
const NEXT: &str = "1.3.0";

/// Runs the jobs of three rounds. `jobs` returns what was logged.
fn three_rounds(ci: &'static str, mut jobs: impl FnMut(&mut Site, &str, &str) -> String) {
    for (store, manifest) in STORES.iter().zip(MANIFESTS) {
        let what = format!("{ci}, {store}, {manifest:?}");
        let mut site = Site::new(ci, store, manifest);
        let mut commit = site.commit("first");
        let mut writes = 0;
        for (round, version, downloads) in [(1, VERSION, 1), (2, VERSION, 0), (3, NEXT, 1)] {
            if version == NEXT {
                commit = site.upgrade(VERSION, NEXT);
            }
            let log = jobs(&mut site, &commit, &what);
            let downloaded = site.runner.noted("downloaded").len();
            // GitLab keeps the caches of protected branches apart.
            let caches = if ci == "gitlab" { 2 } else { 1 };
            assert_eq!(downloaded, downloads * caches, "{what}: {round}");
            let ran = site.runner.noted("ran");
            assert!(ran.iter().all(|ran| ran == version), "{what}: {ran:?}");
            if round > 1 {
                log.shows("nothing to do");
                assert_eq!(site.scene.writes(), writes, "{what}: {round}");
            }
            writes = site.scene.writes();
        }
        assert_eq!((writes, site.scene.rooms().len()), (1, 1), "{what}");
    }
}

#[test]
fn every_github_job_runs_three_times() {
    three_rounds("github", |site, commit, what| {
        let opened = Event::pull_request(12, commit);
        let done = Event::manual("done").with("inputs.pipe", "team-platform");
        let mut log = String::new();
        for (job, event, code) in [
            ("check", &opened, 0),
            ("plan", &opened, 0),
            ("apply", &Event::manual("apply"), 0),
            ("apply", &Event::push(commit), 0),
            // There is no manual step.
            ("apply", &done, 64),
            ("drift", &Event::schedule(), 0),
        ] {
            let ran = github::run(&mut site.runner, job, event);
            assert_eq!(ran.code, code, "{what}: {ran:#?}");
            assert_ne!(ran.log, "skipped", "{what}: {job}");
            log = ran.summary;
        }
        log
    });
}

#[test]
fn every_gitlab_job_runs_three_times() {
    three_rounds("gitlab", |site, commit, what| {
        let merge_request: &[(&str, &str)] = &[("CI_MERGE_REQUEST_IID", "12")];
        let manual: &[(&str, &str)] = &[("CI_PIPELINE_SOURCE", "web"), ("TASK", "apply")];
        let done = &[
            ("CI_PIPELINE_SOURCE", "web"),
            ("TASK", "done"),
            ("PIPE", "team-platform"),
        ];
        let mut log = String::new();
        for (job, variables, code) in [
            ("roomform-check", merge_request, 0),
            ("roomform-plan", merge_request, 0),
            ("roomform-apply", manual, 0),
            ("roomform-apply", &[], 0),
            ("roomform-apply", done, 64),
            ("roomform-drift", &[("CI_PIPELINE_SOURCE", "schedule")], 0),
        ] {
            let ran = gitlab::run(&mut site.runner, job, commit, variables);
            assert_eq!(ran.code, code, "{what}: {job}: {ran:#?}");
            log = ran.log;
        }
        log
    });
}

#[test]
fn a_release_with_another_sum_is_not_installed() {
    let mut site = Site::with_directory("github", "cache");
    let right = site.runner.path(&format!(
        "store/releases/roomform-{VERSION}-x86_64-unknown-linux-gnu.tar.gz"
    ));
    let aside = right.with_extension("aside");
    std::fs::copy(&right, &aside).unwrap();
    std::fs::write(&right, "forged").unwrap();
    let job = github::run(&mut site.runner, "drift", &Event::schedule());
    assert_eq!((job.ok, job.code), (false, 1), "{job:#?}");
    job.log.shows("does not have the sum ROOMFORM_SHA256");
    assert_eq!(site.runner.noted("ran").len(), 0);
    // A forged cache is not used either.
    std::fs::rename(&aside, &right).unwrap();
    let sum = site.runner.sum(VERSION);
    let cache = format!("store/cache/roomform-{VERSION}-{sum}");
    site.runner.write(&cache, "forged");
    let job = github::run(&mut site.runner, "apply", &Event::manual("apply"));
    assert!(job.ok, "{job:#?}");
}

#[test]
fn without_a_pin_every_job_says_what_to_fill_in() {
    let mut site = Site::with_directory("github", "cache");
    site.runner.shell(
        "work",
        "roomform init --force --ci github && git checkout --quiet -- .gitignore",
    );
    site.commit("unpinned");
    let job = github::run(&mut site.runner, "drift", &Event::schedule());
    assert!(!job.ok, "{job:#?}");
    let file = "set it in .github/workflows/roomform.yaml to the sum of";
    job.log.shows("ROOMFORM_SHA256: ").shows(file);
    assert_eq!(site.runner.noted("downloaded").len(), 0);
}
