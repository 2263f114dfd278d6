//! A runner for the GitHub workflow. It runs each `run:` step in a shell. For the few actions
//! that the workflow uses, it imitates only their effect on files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use serde_yaml::Value;

use super::runner::{Runner, copy_all};

const WORKFLOW: &str = ".github/workflows/roomform.yaml";

/// The result of a job.
#[derive(Debug)]
pub struct Job {
    /// Whether all steps succeeded.
    pub ok: bool,
    /// The exit code of the last step that failed.
    pub code: i32,
    /// The output of all steps.
    pub log: String,
    /// `$GITHUB_STEP_SUMMARY`.
    pub summary: String,
    /// All variables that any step could see.
    pub seen: String,
    /// The id of the run.
    pub run: u64,
}

/// What starts a run.
#[derive(Debug, Clone)]
pub struct Event {
    pub name: &'static str,
    pub commit: String,
    /// Further values for expressions.
    pub values: Vec<(&'static str, String)>,
}

impl Event {
    pub fn push(commit: &str) -> Self {
        Self {
            name: "push",
            commit: commit.to_owned(),
            values: vec![("github.ref_name", "main".to_owned())],
        }
    }

    pub fn schedule() -> Self {
        Self {
            name: "schedule",
            ..Self::push("main")
        }
    }

    /// A person starts a task on the default branch.
    pub fn manual(task: &str) -> Self {
        let mut event = Self::push("main");
        event.name = "workflow_dispatch";
        event.with("inputs.task", task)
    }

    pub fn pull_request(number: u64, head: &str) -> Self {
        let event = Self {
            name: "pull_request",
            commit: head.to_owned(),
            values: vec![("github.ref_name", format!("{number}/merge"))],
        };
        event
            .with("github.event.pull_request.number", &number.to_string())
            .with("github.base_ref", "main")
            .with(
                "github.event.pull_request.head.repo.full_name",
                "school/rooms",
            )
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.values.retain(|(other, _)| *other != name);
        self.values.push((name, value.to_owned()));
        self
    }
}

/// Runs one job of the workflow, and adds the run to the server's list.
pub fn run(runner: &mut Runner, job: &str, event: &Event) -> Job {
    let place = runner.check_out("origin", &event.commit);
    let run: u64 = place.trim_start_matches("run-").parse().unwrap();
    let document: Value =
        serde_yaml::from_str(&runner.read(&format!("{place}/{WORKFLOW}"))).unwrap();
    let mut context = runner.context.clone();
    for (name, value) in [
        ("github.event_name", event.name),
        ("github.sha", &event.commit),
        ("github.run_id", &run.to_string()),
        ("github.run_attempt", "1"),
        ("github.token", "job-token"),
        ("github.repository", "school/rooms"),
        ("github.event.repository.default_branch", "main"),
    ] {
        context.insert(name.to_owned(), value.to_owned());
    }
    let values = event.values.iter();
    context.extend(values.map(|(name, value)| ((*name).to_owned(), value.clone())));
    let started = runner.now();
    let mut steps = Steps {
        runner,
        document: &document,
        place,
        context,
        to_cache: Vec::new(),
        job: Job {
            ok: true,
            code: 0,
            log: String::new(),
            summary: String::new(),
            seen: String::new(),
            run,
        },
    };
    let job = &document["jobs"][job];
    let due = job["if"].as_str().unwrap();
    if !steps.holds(due) {
        steps.job.log = "skipped".to_owned();
        return steps.job;
    }
    for (name, value) in steps.variables(&document["env"]) {
        steps.context.insert(format!("env.{name}"), value);
    }
    for step in job["steps"].as_sequence().unwrap() {
        steps.step(step);
    }
    let mut finished = steps.job;
    if finished.ok {
        for (from, to) in steps.to_cache {
            copy_all(&from, &to);
        }
    }
    let summary = runner.path(&format!("run-{run}-summary"));
    finished.summary = fs::read_to_string(summary).unwrap_or_default();
    let get = |name: &str| steps.context.get(name).cloned();
    let head = get("github.event.pull_request.head.repo.full_name");
    runner.add(
        "runs",
        json!({
            "id": run,
            "event": event.name,
            "head_sha": event.commit,
            "head_branch": get("github.ref_name"),
            "head_repository": {"full_name": head.unwrap_or("school/rooms".to_owned())},
            "conclusion": if finished.ok { "success" } else { "failure" },
            "created_at": started,
        }),
    );
    finished
}

struct Steps<'a> {
    runner: &'a Runner,
    document: &'a Value,
    place: String,
    context: BTreeMap<String, String>,
    /// Paths to save in caches at the end of the job, each with the path of its saved copy.
    to_cache: Vec<(PathBuf, PathBuf)>,
    job: Job,
}

impl Steps<'_> {
    fn step(&mut self, step: &Value) {
        let due = match step["if"].as_str() {
            None => self.job.ok,
            Some("always()") => true,
            Some(condition) => self.job.ok && self.holds(condition),
        };
        if !due {
            return;
        }
        match step["uses"].as_str() {
            Some(action) => self.action(action.split('@').next().unwrap(), &step["with"]),
            None => self.script(step),
        }
    }

    /// The path of a file of the job. The file is next to the job's directory.
    fn beside(&self, what: &str) -> PathBuf {
        self.runner.path(&format!("{}-{what}", self.place))
    }

    fn script(&mut self, step: &Value) {
        let script = step["run"].as_str().unwrap();
        assert!(
            !script.contains("${{"),
            "an expression in a script is an injection: {script}"
        );
        fs::write(self.beside("output"), "").unwrap();
        let path = fs::read_to_string(self.beside("path")).unwrap_or_default();
        let path: String = path.lines().map(|line| format!("{line}:")).collect();
        let mut command = self.runner.job_command(&self.place);
        command.arg(format!("PATH=\"{path}$PATH\"\n{script}"));
        for (name, what) in [
            ("GITHUB_STEP_SUMMARY", "summary"),
            ("GITHUB_OUTPUT", "output"),
            ("GITHUB_PATH", "path"),
        ] {
            command.env(name, self.beside(what));
        }
        command.env("GITHUB_ACTIONS", "true");
        command.env("RUNNER_TEMP", self.beside("temp"));
        for (name, value) in [
            ("GITHUB_REPOSITORY", "github.repository"),
            ("GITHUB_REF_NAME", "github.ref_name"),
            ("GITHUB_BASE_REF", "github.base_ref"),
        ] {
            command.env(name, self.value(value));
        }
        for (name, value) in [
            self.variables(&self.document["env"]),
            self.variables(&step["env"]),
        ]
        .concat()
        {
            self.job.seen.push_str(&format!("{name}={value}\n"));
            command.env(name, value);
        }
        let ran = command.output().unwrap();
        for bytes in [&ran.stdout, &ran.stderr] {
            self.job.log.push_str(&String::from_utf8_lossy(bytes));
        }
        if !ran.status.success() {
            self.job.ok = false;
            self.job.code = ran.status.code().unwrap();
        }
        if let Some(id) = step["id"].as_str() {
            for line in fs::read_to_string(self.beside("output")).unwrap().lines() {
                let (name, value) = line.split_once('=').unwrap();
                self.context
                    .insert(format!("steps.{id}.outputs.{name}"), value.to_owned());
            }
        }
    }

    fn action(&mut self, action: &str, with: &Value) {
        if let Some(directory) = action.strip_prefix("./") {
            let text = self
                .runner
                .read(&format!("{}/{directory}/action.yaml", self.place));
            let action: Value = serde_yaml::from_str(&text).unwrap();
            for step in action["runs"]["steps"].as_sequence().unwrap() {
                self.step(step);
            }
            return;
        }
        let text = |key: &str| self.filled(with[key].as_str().unwrap());
        let here = |name: &str| match name.strip_prefix("~/") {
            Some(name) => self.beside("home").join(name),
            None => self.runner.path(&self.place).join(name),
        };
        let cache = self.runner.path("store/cache");
        match action {
            // The clone already exists.
            "actions/checkout" if with["ref"].is_null() => {}
            "actions/checkout" => {
                let script = format!(
                    "git -C {} checkout --quiet origin/{}",
                    self.place,
                    text("ref")
                );
                self.runner.shell(".", &script);
            }
            "actions/cache" => {
                let (path, kept) = (here(&text("path")), cache.join(text("key")));
                match kept.exists() {
                    true => copy_all(&kept, &path),
                    // A cache that was found is never saved again.
                    false => self.to_cache.push((path, kept)),
                }
            }
            "actions/cache/restore" => {
                let entries = fs::read_dir(cache).unwrap();
                let mut kept: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
                let prefix = text("restore-keys");
                let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
                kept.retain(|path| name(path).starts_with(&prefix));
                kept.sort();
                if let Some(newest) = kept.last() {
                    copy_all(newest, &here(&text("path")));
                }
            }
            "actions/cache/save" => copy_all(&here(&text("path")), &cache.join(text("key"))),
            "actions/upload-artifact" => {
                let run = self.value("github.run_id");
                let kept = self.runner.path("store/artifacts").join(run);
                for name in text("path").lines() {
                    let found = here(name).exists();
                    assert!(found || text("if-no-files-found") == "ignore", "{name}");
                    // The real action refuses these characters, because Windows does.
                    let find = format!("[ ! -e {name} ] || find {name} -name '*[\":<>|*?]*'");
                    let refused = self.runner.shell(&self.place, &find);
                    if !refused.is_empty() {
                        self.job.log += &format!("not valid in an artifact: {refused}\n");
                        (self.job.ok, self.job.code) = (false, 1);
                        return;
                    }
                    copy_all(&here(name), &kept.join(text("name")).join(name));
                }
            }
            other => panic!("{other}: what does it do?"),
        }
    }

    fn variables(&self, env: &Value) -> Vec<(String, String)> {
        let pairs = env.as_mapping().into_iter().flatten();
        pairs
            .map(|(name, value)| {
                let value = self.filled(value.as_str().unwrap());
                (name.as_str().unwrap().to_owned(), value)
            })
            .collect()
    }

    /// Expands the expressions in a text.
    fn filled(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let (expression, after) = after.split_once("}}").unwrap();
            filled.push_str(before);
            filled.push_str(&self.value(expression.trim()));
            rest = after;
        }
        filled + rest
    }

    /// Returns the value of a name. Some names may be unset: their value is empty, as on
    /// GitHub. All other names must exist.
    fn value(&self, name: &str) -> String {
        let may_lack = [
            "secrets.",
            "vars.",
            "steps.",
            "inputs.",
            "github.base_ref",
            "github.event.",
        ];
        match self.context.get(name) {
            Some(value) => value.clone(),
            None if may_lack.iter().any(|prefix| name.starts_with(prefix)) => String::new(),
            None => panic!("nothing is known of `{name}`"),
        }
    }

    /// Evaluates `a == 'b' && c != d || e == f`.
    fn holds(&self, condition: &str) -> bool {
        let value = |text: &str| {
            let text = text.trim();
            match text.strip_prefix('\'') {
                Some(text) => text.trim_end_matches('\'').to_owned(),
                None => self.value(text),
            }
        };
        let is_true = |part: &str| match part.split_once("!=") {
            Some((left, right)) => value(left) != value(right),
            None => {
                let (left, right) = part.split_once("==").unwrap();
                value(left) == value(right)
            }
        };
        condition
            .split("||")
            .any(|part| part.split("&&").all(is_true))
    }
}
