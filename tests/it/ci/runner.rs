//! A runner of workflows: every `run:` step in a shell, the few actions that are used as what they do to files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_yaml::Value;
use tempfile::TempDir;

/// A repository on a server, what belongs to it there, and a place where jobs run.
pub struct Runner {
    home: TempDir,
    /// What expressions stand for, beside the outputs of steps.
    pub context: BTreeMap<String, String>,
    runs: usize,
}

/// How a job ended.
#[derive(Debug)]
pub struct Job {
    /// Whether no step failed.
    pub ok: bool,
    /// The exit code of the last step that failed.
    pub code: i32,
    /// Everything the steps printed.
    pub log: String,
    /// `$GITHUB_STEP_SUMMARY`.
    pub summary: String,
    /// Every variable that any step could see.
    pub seen: String,
}

impl Runner {
    pub fn new() -> Self {
        let runner = Self {
            home: TempDir::new().unwrap(),
            context: BTreeMap::new(),
            runs: 0,
        };
        for directory in [
            "bin",
            "store/comments",
            "store/pulls",
            "store/runs",
            "store/artifacts",
            "store/cache",
        ] {
            fs::create_dir_all(runner.path(directory)).unwrap();
        }
        for (name, text) in [
            ("gh", include_str!("gh.sh")),
            ("aws", include_str!("aws.sh")),
        ] {
            runner.program(name, text);
        }
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_roomform"), runner.path("bin/roomform"))
            .unwrap();
        runner.shell(".", "git init --quiet --bare --initial-branch main origin.git && git clone --quiet origin.git work");
        runner
    }

    fn program(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path("bin").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, directory: &str) -> Command {
        let mut command = Command::new("bash");
        let path = format!(
            "{}:{}",
            self.path("bin").display(),
            std::env::var("PATH").unwrap()
        );
        command
            .current_dir(self.path(directory))
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.home.path());
        for (name, value) in [
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
        ] {
            command.env(name, value);
        }
        for who in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{who}_NAME"), "maintainer")
                .env(format!("GIT_{who}_EMAIL"), "maintainer@example.org");
        }
        command
    }

    /// What a person does in the clone, or elsewhere; what it prints.
    #[track_caller]
    pub fn shell(&self, directory: &str, script: &str) -> String {
        let output = self
            .command(directory)
            .args(["-euo", "pipefail", "-c", script])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{script}\n{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        text.trim().to_owned()
    }

    /// Runs the only job of a workflow on a commit, for an event.
    pub fn run(&mut self, workflow: &str, commit: &str, event: &[(&str, &str)]) -> Job {
        self.runs += 1;
        let run = format!("{}", 7000 + self.runs);
        let place = format!("run-{run}");
        self.shell(
            ".",
            &format!(
                "git clone --quiet origin.git {place} && git -C {place} checkout --quiet {commit}"
            ),
        );
        let text = self.read(&format!("{place}/.github/workflows/{workflow}"));
        let document: Value = serde_yaml::from_str(&text).unwrap();
        let (_, job) = document["jobs"]
            .as_mapping()
            .unwrap()
            .iter()
            .next()
            .unwrap();
        let mut context = self.context.clone();
        context.insert("github.run_id".to_owned(), run.clone());
        context.insert("github.run_attempt".to_owned(), "1".to_owned());
        context.insert("github.token".to_owned(), "job-token".to_owned());
        context.extend(
            event
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let mut steps = Steps {
            runner: self,
            place,
            run,
            context,
            job: Job {
                ok: true,
                code: 0,
                log: String::new(),
                summary: String::new(),
                seen: String::new(),
            },
        };
        if job["if"]
            .as_str()
            .is_some_and(|condition| !steps.holds(condition))
        {
            steps.job.log = "skipped".to_owned();
            return steps.job;
        }
        steps.variables(&document["env"]);
        for step in job["steps"].as_sequence().unwrap() {
            steps.step(&document, step);
        }
        let summary = self.path(&format!("{}-summary", steps.place));
        steps.job.summary = fs::read_to_string(summary).unwrap_or_default();
        steps.job
    }
}

struct Steps<'a> {
    runner: &'a Runner,
    place: String,
    run: String,
    context: BTreeMap<String, String>,
    job: Job,
}

impl Steps<'_> {
    fn step(&mut self, document: &Value, step: &Value) {
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
            None => self.script(document, step),
        }
    }

    fn script(&mut self, document: &Value, step: &Value) {
        let script = step["run"].as_str().unwrap();
        assert!(
            !script.contains("${{"),
            "an expression in a script is an injection: {script}"
        );
        let (summary, output) = (
            self.runner.path(&format!("{}-summary", self.place)),
            self.runner.path(&format!("{}-output", self.place)),
        );
        fs::write(&output, "").unwrap();
        let mut command = self.runner.command(&self.place);
        command.args(["-e", "-c", script]);
        command
            .env("CI", "true")
            .env("GITHUB_ACTIONS", "true")
            .env("STORE", self.runner.path("store"));
        command
            .env("GITHUB_STEP_SUMMARY", &summary)
            .env("GITHUB_OUTPUT", &output)
            .env("GITHUB_REPOSITORY", "school/rooms");
        command
            .env("GITHUB_SHA", &self.context["github.sha"])
            .env("GITHUB_RUN_ID", &self.run);
        command.env(
            "GITHUB_BASE_REF",
            self.context
                .get("github.base_ref")
                .map(String::as_str)
                .unwrap_or_default(),
        );
        for (name, value) in [
            self.variables(&document["env"]),
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
            for line in fs::read_to_string(&output).unwrap().lines() {
                let (name, value) = line.split_once('=').unwrap();
                self.context
                    .insert(format!("steps.{id}.outputs.{name}"), value.to_owned());
            }
        }
    }

    fn action(&self, action: &str, with: &Value) {
        let text = |key: &str| self.filled(with[key].as_str().unwrap());
        let here = |name: &str| self.runner.path(&self.place).join(name);
        match action {
            // The clone is there, and the program was built.
            "actions/checkout" | "actions/cache" => {}
            "actions/cache/restore" => {
                let mut kept: Vec<PathBuf> = fs::read_dir(self.runner.path("store/cache"))
                    .unwrap()
                    .map(|entry| entry.unwrap().path())
                    .collect();
                kept.retain(|path| {
                    path.file_name()
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .starts_with(&text("restore-keys"))
                });
                kept.sort();
                if let Some(newest) = kept.last() {
                    copy(newest, &here(&text("path")));
                }
            }
            "actions/cache/save" => {
                if here(&text("path")).exists() {
                    copy(
                        &here(&text("path")),
                        &self.runner.path("store/cache").join(text("key")),
                    );
                }
            }
            "actions/upload-artifact" => {
                let kept = self
                    .runner
                    .path("store/artifacts")
                    .join(&self.run)
                    .join(text("name"));
                fs::create_dir_all(&kept).unwrap();
                for name in text("path").lines() {
                    if here(name).exists() {
                        fs::copy(here(name), kept.join(name)).unwrap();
                    } else {
                        assert_eq!(text("if-no-files-found"), "ignore", "{name}");
                    }
                }
            }
            other => panic!("{other}: what does it do?"),
        }
    }

    fn variables(&self, env: &Value) -> Vec<(String, String)> {
        let pairs = env.as_mapping().into_iter().flatten();
        pairs
            .map(|(name, value)| {
                (
                    name.as_str().unwrap().to_owned(),
                    self.filled(value.as_str().unwrap()),
                )
            })
            .collect()
    }

    /// A text with its expressions filled in. A secret or variable that is not set is empty, as there; any other name has to be known.
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

    fn value(&self, name: &str) -> String {
        let may_lack = ["secrets.", "vars.", "steps."]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        match self.context.get(name) {
            Some(value) => value.clone(),
            None if may_lack => String::new(),
            None => panic!("nothing is known of `{name}`"),
        }
    }

    /// `a == 'b' || c == d`
    fn holds(&self, condition: &str) -> bool {
        condition.split("||").any(|part| {
            let (left, right) = part.split_once("==").unwrap();
            let right = right.trim();
            let wanted = right.strip_prefix('\'').map_or_else(
                || self.value(right),
                |text| text.trim_end_matches('\'').to_owned(),
            );
            self.value(left.trim()) == wanted
        })
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}
