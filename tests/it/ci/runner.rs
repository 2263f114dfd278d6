//! A workflow runner: runs each `run:` step in a shell, and imitates what the few actions in use do to files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_yaml::Value;
use tempfile::TempDir;

/// A repository on a server, its server-side data, and a directory where jobs run.
pub struct Runner {
    home: TempDir,
    /// Values for expressions, except step outputs.
    pub context: BTreeMap<String, String>,
    runs: usize,
}

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
            "desk",
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
            ("cargo", include_str!("cargo.sh")),
            ("curl", include_str!("curl.sh")),
            ("jq", "#!/bin/sh\ncat\n"),
        ] {
            runner.program(name, text);
        }
        // Developers have the program; a job has to install it.
        let desk = runner.path("desk/roomform");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_roomform"), desk).unwrap();
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
        let path = std::env::var("PATH").unwrap();
        let others = path
            .split(':')
            .filter(|directory| !Path::new(directory).join("roomform").exists());
        let others: Vec<&str> = others.collect();
        let path = format!("{}:{}", self.path("bin").display(), others.join(":"));
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

    /// Runs a developer's script in the clone or another directory, and returns its output.
    #[track_caller]
    pub fn shell(&self, directory: &str, script: &str) -> String {
        let script = format!("PATH=\"{}:$PATH\"\n{script}", self.path("desk").display());
        let output = self
            .command(directory)
            .args(["-euo", "pipefail", "-c", &script])
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

    /// Clones onto an empty machine and returns the name of the directory.
    pub fn check_out(&mut self, commit: &str) -> String {
        self.runs += 1;
        let place = format!("run-{}", 7000 + self.runs);
        self.shell(
            ".",
            &format!(
                "mkdir {place}-home && git clone --quiet origin.git {place} && git -C {place} checkout --quiet {commit}"
            ),
        );
        place
    }

    /// A job's shell, with its own home directory and without the program.
    pub fn job_command(&self, place: &str) -> Command {
        let mut command = self.command(place);
        command
            .env("CI", "true")
            .env("HOME", self.path(&format!("{place}-home")))
            .env("STORE", self.path("store"))
            .env("ROOMFORM_PROGRAM", env!("CARGO_BIN_EXE_roomform"));
        command
    }

    /// Returns the lines that a job's programs wrote to this file of the store since the last call.
    pub fn noted(&self, name: &str) -> Vec<String> {
        let path = self.path("store").join(name);
        let text = fs::read_to_string(&path).unwrap_or_default();
        drop(fs::remove_file(&path));
        text.lines().map(str::to_owned).collect()
    }

    /// Runs the only job of a workflow on a commit, for an event.
    pub fn run(&mut self, workflow: &str, commit: &str, event: &[(&str, &str)]) -> Job {
        let place = self.check_out(commit);
        let run = place.trim_start_matches("run-").to_owned();
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
            programs: Vec::new(),
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
        for (name, value) in steps.variables(&document["env"]) {
            steps.context.insert(format!("env.{name}"), value);
        }
        for step in job["steps"].as_sequence().unwrap() {
            steps.step(&document, step);
        }
        for (from, to) in std::mem::take(&mut steps.programs) {
            if steps.job.ok {
                copy_all(&from, &to);
            }
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
    /// Paths to save in caches at the end of the job, each with the path of its saved copy.
    programs: Vec<(PathBuf, PathBuf)>,
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
        let mut command = self.runner.job_command(&self.place);
        // As on GitHub's runners, which have cargo.
        let script = format!("PATH=\"$HOME/.cargo/bin:$PATH\"\n{script}");
        command.args(["-e", "-c", &script]);
        command.env("GITHUB_ACTIONS", "true");
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

    fn action(&mut self, action: &str, with: &Value) {
        if action == "actions/cache" {
            let path = self.filled(with["path"].as_str().unwrap());
            let home = self.runner.path(&format!("{}-home", self.place));
            let path = home.join(path.strip_prefix("~/").unwrap());
            let key = self.filled(with["key"].as_str().unwrap());
            let kept = self.runner.path("store/cache").join(key);
            match kept.exists() {
                true => copy_all(&kept, &path),
                // A cache that was found is never saved again.
                false => self.programs.push((path, kept)),
            }
            return;
        }
        let text = |key: &str| self.filled(with[key].as_str().unwrap());
        let here = |name: &str| self.runner.path(&self.place).join(name);
        match action {
            // The clone already exists.
            "actions/checkout" => {}
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
                    copy_all(newest, &here(&text("path")));
                }
            }
            "actions/cache/save" => {
                let kept = self.runner.path("store/cache").join(text("key"));
                copy_all(&here(&text("path")), &kept);
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

    /// Expands the expressions in a text. An unset secret or variable is empty, as on GitHub; any other name must exist.
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

    /// Evaluates `a == 'b' || c == d`.
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

/// Copies a file or directory, if it exists.
pub fn copy_all(from: &Path, to: &Path) {
    if from.is_file() {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    } else if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            copy_all(&path, &to.join(path.file_name().unwrap()));
        }
    }
}
