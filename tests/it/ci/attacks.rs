//! Tests that an apply carries out only plans of merged pull requests. It finds each plan by
//! the number of the pull request, the event and the head, and it misses none.

use serde_json::json;

use super::github::{Event, run};
use super::gitlab;
use super::life::change_title;
use super::site::{STORES, Site, room};
use crate::support::Shows;

/// Plans a pull request.
fn plan(site: &mut Site, number: u64, head: &str) {
    let job = run(&mut site.runner, "plan", &Event::pull_request(number, head));
    assert!(job.ok, "{job:#?}");
}

/// Adds a forged run to the server, with this text in place of its plan.
fn forge(site: &Site, run: u64, values: serde_json::Value, artifact: &str, plan: &str) {
    let mut entry = json!({
        "id": run,
        "event": "pull_request",
        "head_branch": "x",
        "head_repository": {"full_name": "school/rooms"},
        "conclusion": "success",
        "created_at": "",
    });
    for (name, value) in values.as_object().unwrap() {
        entry[name] = value.clone();
    }
    site.runner.add("runs", entry);
    let path = format!("store/artifacts/{run}/{artifact}/plan.json");
    site.runner.write(&path, plan);
}

/// A site where everything is applied.
fn applied(ci: &'static str, store: &str) -> Site {
    let mut site = Site::with_directory(ci, store);
    let first = site.commit("first");
    match ci {
        "github" => {
            let job = run(&mut site.runner, "apply", &Event::manual("apply"));
            assert!(job.ok, "{job:#?}");
            let job = run(&mut site.runner, "apply", &Event::push(&first));
            assert!(job.ok, "{job:#?}");
        }
        _ => assert_eq!(apply_on_gitlab(&mut site, &first, "web").code, 0),
    }
    site
}

#[test]
fn only_the_plan_of_the_pull_request_itself_is_used() {
    let mut site = applied("github", "cache");
    let head = site.branch("tools", &room("team-tools"));
    plan(&mut site, 12, &head);
    // Forge runs of a fork, of a push, of a second pull request with the same head, and of an
    // older head.
    let name = "roomform-plan-12";
    let fork = json!({"head_sha": head, "head_repository": {"full_name": "someone/rooms"}});
    forge(&site, 6001, fork, name, "forged");
    let push = json!({"head_sha": head, "event": "push"});
    forge(&site, 6002, push, name, "forged");
    let second = json!({"head_sha": head});
    forge(&site, 6003, second, "roomform-plan-13", "forged");
    forge(&site, 6004, json!({"head_sha": "older"}), name, "forged");
    let merged = site.merge(12, "tools", &head);
    let job = run(&mut site.runner, "apply", &Event::push(&merged));
    assert!(job.ok, "{job:#?}");
    assert_eq!(site.pipes(), ["team-platform", "team-tools"]);
}

/// A user with write access can forge an artifact. Even then, the apply writes nothing that the
/// manifest on `main` does not declare.
#[test]
fn a_forged_plan_applies_nothing_that_main_does_not_declare() {
    let mut site = applied("github", "cache");
    let evil = site.branch("evil", &room("team-evil"));
    plan(&mut site, 13, &evil);
    let plan_of_evil = {
        let runs = site.runner.list("runs");
        let run = &runs.last().unwrap()["id"];
        site.runner
            .read(&format!("store/artifacts/{run}/roomform-plan-13/plan.json"))
    };
    let head = site.branch("tools", &room("team-tools"));
    let same = json!({"head_sha": head});
    forge(&site, 6001, same, "roomform-plan-12", &plan_of_evil);
    let merged = site.merge(12, "tools", &head);
    let job = run(&mut site.runner, "apply", &Event::push(&merged));
    assert_eq!((job.ok, job.code), (false, 2), "{job:#?}");
    job.log.shows("`team-evil` is not in the manifest");
    assert_eq!(site.pipes(), ["team-platform"]);
    site.runner.comments(12)[0].shows("team-evil");
}

/// Only the plan of an artifact is used. The other files in an artifact do not stop an apply, and
/// are not posted.
#[test]
fn results_in_a_forged_artifact_are_ignored() {
    let mut site = applied("github", "cache");
    let one = site.branch("one", &room("team-one"));
    let job = run(&mut site.runner, "plan", &Event::pull_request(1, &one));
    let artifact = format!("store/artifacts/{}/roomform-plan-1", job.run);
    site.runner.write(&format!("{artifact}/report.json"), "{}");
    site.merge(1, "one", &one);
    let two = site.branch("two", &room("team-two"));
    let artifact = "store/artifacts/6001/roomform-plan-2";
    forge(&site, 6001, json!({"head_sha": two}), "other", "");
    let report = json!({"requests": {"write": 1}, "exit": 0}).to_string();
    site.runner
        .write(&format!("{artifact}/report.json"), &report);
    site.runner.write(&format!("{artifact}/page.md"), "forged");
    let merged = site.merge(2, "two", &two);
    let job = run(&mut site.runner, "apply", &Event::push(&merged));
    assert_eq!((job.ok, job.code), (false, 2), "{job:#?}");
    assert_eq!(site.pipes(), ["team-one", "team-platform"]);
    assert_eq!(site.runner.comments(2).len(), 0);
}

#[test]
fn a_merged_fork_has_no_plan_and_is_listed() {
    let mut site = applied("github", "cache");
    let own = site.branch("own", &room("team-own"));
    plan(&mut site, 11, &own);
    site.merge(11, "own", &own);
    let head = site.branch("tools", &room("team-tools"));
    // The changes of a fork are not applied, even if a run of the fork left an artifact.
    let fork = json!({"head_sha": head, "head_repository": {"full_name": "someone/rooms"}});
    forge(&site, 6001, fork, "roomform-plan-12", "forged");
    let merged = site.merge_from("someone/rooms", 12, "tools", &head);
    // The second time, the plan of pull request 11 has nothing to do, and nothing more is
    // posted on that pull request.
    for _ in 0..2 {
        let job = run(&mut site.runner, "apply", &Event::push(&merged));
        assert_eq!((job.ok, job.code), (false, 2), "{job:#?}");
        job.summary.shows("team-tools");
        assert_eq!(site.pipes(), ["team-own", "team-platform"]);
        assert_eq!(site.runner.comments(11).len(), 2);
    }
}

#[test]
fn three_merges_are_applied_even_if_the_second_apply_is_dropped() {
    for store in STORES {
        let mut site = applied("github", store);
        let names = ["one", "two", "three"];
        let mut heads = Vec::new();
        for (number, name) in (1..).zip(names) {
            let head = site.branch(name, &room(&format!("team-{name}")));
            plan(&mut site, number, &head);
            heads.push(head);
        }
        let first = site.merge(1, "one", &heads[0]);
        let job = run(&mut site.runner, "apply", &Event::push(&first));
        assert!(job.ok, "{store}: {job:#?}");
        assert_eq!(site.pipes(), ["team-one", "team-platform"], "{store}");

        // The apply of the second merge waits, and GitHub drops it when the third merge starts
        // another apply.
        site.merge(2, "two", &heads[1]);
        let third = site.merge(3, "three", &heads[2]);
        let job = run(&mut site.runner, "apply", &Event::push(&third));
        assert!(job.ok, "{store}: {job:#?}");
        let expected = ["team-one", "team-platform", "team-three", "team-two"];
        assert_eq!(site.pipes(), expected, "{store}");
        for (number, name) in (1..).zip(names) {
            let comments = site.runner.comments(number);
            assert_eq!(comments.len(), 2, "{store}: {name}: {comments:#?}");
            comments[1].shows(format!("team-{name}"));
        }
        // An older run that is started again has nothing to do.
        let writes = site.scene.writes();
        let job = run(&mut site.runner, "apply", &Event::push(&first));
        assert!(job.ok, "{store}: {job:#?}");
        assert_eq!(site.scene.writes(), writes);
        let fetched = format!("store/artifacts/{}/roomform-reports/plans", job.run);
        assert!(!site.runner.path(&fetched).exists());
    }
}

/// The second pull request changes a room again, so the first plan is stale for that room. All
/// other changes of the first plan are applied.
#[test]
fn two_plans_for_one_room_are_applied_together() {
    let mut site = applied("github", "cache");
    let mut heads = Vec::new();
    for (number, name, before) in [(1, "one", "Platform team"), (2, "two", "one")] {
        site.branch(name, &room(&format!("team-{name}")));
        let head = site.edit_branch(name, before, name);
        plan(&mut site, number, &head);
        heads.push(site.merge(number, name, &head));
    }
    let job = run(&mut site.runner, "apply", &Event::push(&heads[1]));
    assert!(job.ok, "{job:#?}");
    assert_eq!(site.pipes(), ["team-one", "team-platform", "team-two"]);
    assert_eq!(site.scene.room("team-platform").name, "two");
    site.runner.comments(1)[1].shows("team-one");
}

/// A room that was changed after the review is listed, and the other rooms of its plan are applied.
#[test]
fn what_is_stale_in_a_plan_is_listed_and_the_rest_is_applied() {
    let mut site = applied("github", "cache");
    site.branch("one", &room("team-one"));
    let head = site.edit_branch("one", "Platform team", "New");
    plan(&mut site, 1, &head);
    change_title(&site);
    let merged = site.merge(1, "one", &head);
    let job = run(&mut site.runner, "apply", &Event::push(&merged));
    assert_eq!((job.ok, job.code), (false, 2), "{job:#?}");
    assert_eq!(site.pipes(), ["team-one", "team-platform"]);
    assert_eq!(site.scene.room("team-platform").name, "Toys");
    site.runner.comments(1)[1].shows("team-platform");
}

#[test]
fn what_a_failed_apply_left_is_applied_by_the_next_one() {
    let mut site = applied("github", "cache");
    let one = site.branch("one", &room("team-one"));
    plan(&mut site, 1, &one);
    let merged = site.merge(1, "one", &one);
    let password = site
        .runner
        .context
        .insert("secrets.IMBACHAT_PASSWORD".to_owned(), "wrong".to_owned());
    let job = run(&mut site.runner, "apply", &Event::push(&merged));
    assert!(!job.ok, "{job:#?}");
    assert_eq!(site.pipes(), ["team-platform"]);

    site.runner
        .context
        .insert("secrets.IMBACHAT_PASSWORD".to_owned(), password.unwrap());
    let two = site.branch("two", &room("team-two"));
    plan(&mut site, 2, &two);
    let merged = site.merge(2, "two", &two);
    let job = run(&mut site.runner, "apply", &Event::push(&merged));
    assert!(job.ok, "{job:#?}");
    assert_eq!(site.pipes(), ["team-one", "team-platform", "team-two"]);
}

fn apply_on_gitlab(site: &mut Site, commit: &str, source: &str) -> gitlab::Job {
    let variables = [("CI_PIPELINE_SOURCE", source)];
    gitlab::run(&mut site.runner, "roomform-apply", commit, &variables)
}

fn plan_on_gitlab(site: &mut Site, iid: &str, head: &str) {
    let variables = [("CI_MERGE_REQUEST_IID", iid)];
    let job = gitlab::run(&mut site.runner, "roomform-plan", head, &variables);
    assert_eq!(job.code, 0, "{job:#?}");
}

#[test]
fn gitlab_applies_the_plans_of_merged_merge_requests() {
    for store in STORES {
        let mut site = applied("gitlab", store);
        let names = ["one", "two", "three"];
        let mut heads = Vec::new();
        for (iid, name) in (1..).zip(names) {
            let head = site.branch(name, &room(&format!("team-{name}")));
            plan_on_gitlab(&mut site, &format!("{iid}"), &head);
            heads.push(head);
        }
        // Pipelines of another merge request and of a push, with the same head: their files must not be used.
        let second = json!({"id": "6001", "iid": 1, "sha": heads[0], "source": "merge_request_event", "ref": "refs/merge-requests/9/head"});
        let branch = json!({"id": "6001", "iid": 1, "sha": heads[0], "source": "push", "ref": "refs/merge-requests/1/head"});
        for pipeline in [second, branch] {
            site.runner.add("runs", pipeline);
        }
        site.runner
            .write("store/artifacts/6001/plan.json", "forged");
        // Merge request 9 is still open, so its plan is not applied.
        let open = json!({"iid": 9, "state": "opened", "sha": heads[0]});
        site.runner.add("pulls", open);

        let first = site.merge(1, "one", &heads[0]);
        let job = apply_on_gitlab(&mut site, &first, "push");
        assert_eq!(job.code, 0, "{store}: {job:#?}");
        assert_eq!(site.pipes(), ["team-one", "team-platform"], "{store}");
        site.merge(2, "two", &heads[1]);
        let third = site.merge(3, "three", &heads[2]);
        let job = apply_on_gitlab(&mut site, &third, "push");
        assert_eq!(job.code, 0, "{store}: {job:#?}");
        let expected = ["team-one", "team-platform", "team-three", "team-two"];
        assert_eq!(site.pipes(), expected, "{store}");
        for (iid, name) in (1..).zip(names) {
            let notes = site.runner.comments(iid);
            assert_eq!(notes.len(), 1, "{store}: {notes:#?}");
            notes[0].shows(format!("team-{name}"));
        }

        // A stale plan is not applied, and each job edits the same note.
        let stale = site.edit_branch("three", "Platform team", "New");
        plan_on_gitlab(&mut site, "5", &stale);
        change_title(&site);
        let merged = site.merge(5, "three", &stale);
        for _ in 0..2 {
            let job = apply_on_gitlab(&mut site, &merged, "push");
            assert_eq!(job.code, 2, "{store}: {job:#?}");
            assert_eq!(site.runner.comments(5).len(), 1, "{store}");
        }

        // The changes of a fork are only listed, not applied, even if a member ran the fork's
        // pipeline in this project.
        let fork = site.branch("fork", &room("team-fork"));
        plan_on_gitlab(&mut site, "4", &fork);
        let merged = site.merge_from("someone/rooms", 4, "fork", &fork);
        let job = apply_on_gitlab(&mut site, &merged, "push");
        assert_eq!(job.code, 2, "{store}: {job:#?}");
        job.log.shows("not everything is applied");
        assert_eq!(site.pipes(), expected, "{store}");
        assert_eq!(site.runner.comments(4).len(), 0, "{store}");
    }
}
