//! A runner for the GitLab pipeline: runs the scripts of a job in a shell, and keeps its caches between jobs.

use std::fs;
use std::path::{Path, PathBuf};

use serde_yaml::Value;

use super::runner::{Runner, copy_all};

/// The result of a job and its output.
#[derive(Debug)]
pub struct Job {
    pub code: i32,
    pub log: String,
}

/// Runs one job of the pipeline on a commit.
pub fn run(runner: &mut Runner, job: &str, commit: &str, variables: &[(&str, &str)]) -> Job {
    let place = runner.check_out(commit);
    let text = runner.read(&format!("{place}/.gitlab-ci.yml"));
    let document: Value = serde_yaml::from_str(&text).unwrap();
    let project = runner.path(&place);
    let mut known = vec![
        ("CI_PROJECT_DIR".to_owned(), project.display().to_string()),
        ("CI_COMMIT_SHA".to_owned(), commit.to_owned()),
    ];
    for (name, value) in [
        ("CI_API_V4_URL", "https://gitlab.example/api/v4"),
        ("CI_PROJECT_ID", "1"),
        ("CI_PIPELINE_ID", "9"),
        ("CI_MERGE_REQUEST_IID", "12"),
        ("CI_SERVER_HOST", "gitlab.example"),
        ("CI_PROJECT_PATH", "school/rooms"),
        ("ROOMFORM_TOKEN", "t"),
    ] {
        known.push((name.to_owned(), value.to_owned()));
    }
    for (name, value) in document["variables"].as_mapping().unwrap() {
        let (name, value) = (name.as_str().unwrap(), value.as_str().unwrap());
        known.push((name.to_owned(), value.to_owned()));
    }
    let given = variables.iter();
    known.extend(given.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    // Pushes to the server go to the test repository.
    let server = "https://roomform:t@gitlab.example/school/rooms.git";
    let origin = runner.path("origin.git").display().to_string();
    for (name, value) in [
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", &format!("url.{origin}.insteadOf")),
        ("GIT_CONFIG_VALUE_0", server),
    ] {
        known.push((name.to_owned(), value.to_owned()));
    }
    let part = |key: &str| match &document[job][key] {
        Value::Null => document[".roomform"][key].clone(),
        own => own.clone(),
    };
    let caches = part("cache");
    let caches: Vec<Cache> = caches
        .as_sequence()
        .unwrap()
        .iter()
        .map(|cache| Cache::new(runner, cache, &known))
        .collect();
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
    if project.join("plan.json").exists() && job == "roomform-plan" {
        let kept = runner.path("store/artifacts/plan.json");
        fs::copy(project.join("plan.json"), kept).unwrap();
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
    variables: &[(String, String)],
) -> (i32, String) {
    let mut command = runner.job_command(place);
    command.args(["-eo", "pipefail", "-c", script]);
    command.envs(variables.iter().cloned());
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
    fn new(runner: &Runner, entry: &Value, variables: &[(String, String)]) -> Self {
        let key = entry["key"].as_str().unwrap();
        let key = variables.iter().fold(key.to_owned(), |key, (name, value)| {
            key.replace(&format!("${name}"), value)
        });
        assert!(!key.contains('$') && !key.contains('/'), "{key}");
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
