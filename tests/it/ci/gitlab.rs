//! A runner for the GitLab pipeline: runs the scripts of a job in a shell, and keeps its caches between jobs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;
use serde_yaml::Value;

use super::runner::{Runner, copy_all};

/// The result of a job and its output.
#[derive(Debug)]
pub struct Job {
    pub code: i32,
    pub log: String,
}

/// Runs one job of the pipeline on a commit. The server records the pipelines of merge requests
/// and the deployments.
pub fn run(runner: &mut Runner, job: &str, commit: &str, variables: &[(&str, &str)]) -> Job {
    // GitLab fetches only a few commits.
    let place = runner.check_out(&format!("--depth 1 origin {commit}"), "FETCH_HEAD");
    let pipeline = place.trim_start_matches("run-").to_owned();
    let read = |file: &str| -> Value {
        serde_yaml::from_str(&runner.read(&format!("{place}/{file}"))).unwrap()
    };
    let included = read(".gitlab-ci.yml")["include"][0]["local"].clone();
    let document = read(included.as_str().unwrap());
    let project = runner.path(&place);
    let started = runner.now();
    let is_merge_request = matches!(job, "roomform-check" | "roomform-plan");
    let mut known = BTreeMap::new();
    let mut set = |name: &str, value: &str| known.insert(name.to_owned(), value.to_owned());
    // Protected variables exist on the default branch only.
    let is_hidden = |name: &str| {
        let is_protected = ["ROOMFORM_TOKEN", "IMBACHAT_LOGIN", "IMBACHAT_PASSWORD"];
        is_merge_request && is_protected.contains(&name)
    };
    for (name, value) in &runner.context {
        if !is_hidden(name) {
            set(name, value);
        }
    }
    for (name, value) in [
        ("CI_PROJECT_DIR", project.to_str().unwrap()),
        ("CI_COMMIT_SHA", commit),
        ("CI_API_V4_URL", "https://gitlab.example/api/v4"),
        ("CI_PROJECT_ID", "1"),
        ("CI_DEFAULT_BRANCH", "main"),
        ("CI_SERVER_URL", "https://gitlab.example:8443/git"),
        ("CI_PROJECT_PATH", "school/rooms"),
        ("CI_PIPELINE_SOURCE", "push"),
    ] {
        set(name, value);
    }
    for (name, value) in document["variables"].as_mapping().unwrap() {
        let value = value.as_str().or_else(|| value["value"].as_str()).unwrap();
        let widget = runner.context.get("IMBACHAT_WIDGET");
        let value = value.replace("$IMBACHAT_WIDGET", widget.map_or("", String::as_str));
        set(name.as_str().unwrap(), &value);
    }
    // Pushes to the server go to the test repository.
    let base = runner.shell("origin.git", &format!("git merge-base main {commit}"));
    let origin_url = format!("file://{}", runner.path("origin.git").display());
    let origin = format!("url.{}.insteadOf", runner.path("origin.git").display());
    for (name, value) in [
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", &origin),
        (
            "GIT_CONFIG_VALUE_0",
            "https://roomform:t@gitlab.example:8443/git/school/rooms.git",
        ),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base),
        ("CI_MERGE_REQUEST_PROJECT_URL", &origin_url),
    ]
    .iter()
    .chain(variables)
    {
        set(name, value);
    }
    let part = |key: &str| match &document[job][key] {
        Value::Null => document[".roomform"][key].clone(),
        own => own.clone(),
    };
    let caches = part("cache");
    let caches = caches.as_sequence().unwrap().iter();
    let new_cache = |cache| Cache::new(runner, cache, &known, is_merge_request);
    let caches: Vec<Cache> = caches.map(new_cache).collect();
    for cache in &caches {
        cache.pull(&project);
    }
    let script = [lines(&part("before_script")), lines(&part("script"))].concat();
    let (code, mut log) = shell(runner, &place, &script, &known);
    let after = lines(&part("after_script"));
    if !after.is_empty() {
        log += &shell(runner, &place, &after, &known).1;
    }
    for cache in &caches {
        cache.push(&project, code == 0);
    }
    if job == "roomform-plan" {
        let kept = runner.path("store/artifacts").join(&pipeline);
        copy_all(&project.join("plan.json"), &kept.join("plan.json"));
        let iid = known.get("CI_MERGE_REQUEST_IID").unwrap();
        runner.add(
            "runs",
            json!({
                "id": pipeline,
                "iid": iid.parse::<u64>().unwrap(),
                "sha": commit,
                "ref": format!("refs/merge-requests/{iid}/head"),
                "source": "merge_request_event",
            }),
        );
    }
    if job == "roomform-apply" && code == 0 {
        runner.add("deployments", json!({"created_at": started}));
    }
    Job { code, log }
}

fn lines(script: &Value) -> String {
    let lines = script.as_sequence().into_iter().flatten();
    lines
        .map(|line| line.as_str().unwrap().to_owned() + "\n")
        .collect()
}

fn shell(
    runner: &Runner,
    place: &str,
    script: &str,
    variables: &BTreeMap<String, String>,
) -> (i32, String) {
    let mut command = runner.job_command(place);
    command.arg(script).envs(variables);
    let ran = command.output().unwrap();
    let log = [ran.stdout, ran.stderr].concat();
    (
        ran.status.code().unwrap(),
        String::from_utf8_lossy(&log).into_owned(),
    )
}

/// One entry of a job's `cache`.
struct Cache {
    kept: PathBuf,
    paths: Vec<String>,
    policy: String,
    always: bool,
}

impl Cache {
    /// Protected branches have caches of their own.
    fn new(
        runner: &Runner,
        entry: &Value,
        variables: &BTreeMap<String, String>,
        is_unprotected: bool,
    ) -> Self {
        let key = entry["key"].as_str().unwrap();
        let key = variables.iter().fold(key.to_owned(), |key, (name, value)| {
            key.replace(&format!("${name}"), value)
        });
        assert!(!key.contains('$') && !key.contains('/'), "{key}");
        let key = format!("{key}-{is_unprotected}");
        let paths = entry["paths"].as_sequence().unwrap().iter();
        Self {
            kept: runner.path("store/cache").join(key),
            paths: paths
                .map(|path| path.as_str().unwrap().to_owned())
                .collect(),
            policy: entry["policy"].as_str().unwrap_or("pull-push").to_owned(),
            always: entry["when"].as_str() == Some("always"),
        }
    }

    fn pull(&self, project: &Path) {
        for path in &self.paths {
            copy_all(&self.kept.join(path), &project.join(path));
        }
    }

    fn push(&self, project: &Path, ok: bool) {
        if self.policy == "pull-push" && (ok || self.always) {
            for path in &self.paths {
                copy_all(&project.join(path), &self.kept.join(path));
            }
        }
    }
}
