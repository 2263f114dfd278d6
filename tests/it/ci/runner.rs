//! A repository on a server, with the server's data, and directories where jobs run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

pub struct Runner {
    home: TempDir,
    /// Values for expressions and variables, except what one job adds.
    pub context: BTreeMap<String, String>,
    jobs: usize,
    clock: usize,
}

impl Runner {
    pub fn new() -> Self {
        let runner = Self {
            home: TempDir::new().unwrap(),
            context: BTreeMap::new(),
            jobs: 0,
            clock: 0,
        };
        for directory in [
            "bin",
            "desk",
            "store/artifacts",
            "store/cache",
            "store/releases",
        ] {
            fs::create_dir_all(runner.path(directory)).unwrap();
        }
        for list in ["runs", "pulls", "issues", "comments", "deployments"] {
            runner.write(&format!("store/{list}.json"), "[]");
        }
        for (name, text) in [
            ("gh", include_str!("gh.sh")),
            ("curl", include_str!("curl.sh")),
            ("apt-get", "#!/bin/sh\n"),
        ] {
            runner.program(&format!("bin/{name}"), text);
        }
        // Developers have the program; a job has to install it.
        let desk = runner.path("desk/roomform");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_roomform"), desk).unwrap();
        runner.shell(".", "git init --quiet --bare --initial-branch main origin.git && git clone --quiet origin.git work");
        runner
    }

    pub fn program(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Publishes a release and returns its SHA-256 sum. The program in the release writes its
    /// version to a file in the store, then runs the real program.
    pub fn release(&self, version: &str) -> String {
        let name = format!("roomform-{version}-x86_64-unknown-linux-gnu");
        fs::create_dir(self.path(&name)).unwrap();
        let note = format!("echo {version} >> \"$STORE/ran\"");
        let program = env!("CARGO_BIN_EXE_roomform");
        let text = format!("#!/bin/sh\n{note}\nexec {program} \"$@\"\n");
        self.program(&format!("{name}/roomform"), &text);
        self.shell(
            ".",
            &format!("tar -czf store/releases/{name}.tar.gz {name}"),
        );
        self.sum(version)
    }

    /// The sum of a release.
    pub fn sum(&self, version: &str) -> String {
        let name = format!("roomform-{version}-x86_64-unknown-linux-gnu.tar.gz");
        let sum = self.shell("store/releases", &format!("sha256sum {name}"));
        sum.split(' ').next().unwrap().to_owned()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// One of the server's lists.
    pub fn list(&self, name: &str) -> Vec<Value> {
        serde_json::from_str(&self.read(&format!("store/{name}.json"))).unwrap()
    }

    /// Adds to one of the server's lists.
    pub fn add(&self, name: &str, item: Value) {
        let mut list = self.list(name);
        list.push(item);
        let text = Value::from(list).to_string();
        self.write(&format!("store/{name}.json"), &text);
    }

    /// The bodies of the comments on a pull request.
    pub fn comments(&self, number: u64) -> Vec<String> {
        let comments = self.list("comments").into_iter();
        comments
            .filter(|comment| comment["issue"] == json!(number))
            .map(|comment| comment["body"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The time, which moves on with each call.
    pub fn now(&mut self) -> String {
        self.clock += 1;
        format!(
            "2026-11-30T10:{:02}:{:02}Z",
            self.clock / 60,
            self.clock % 60
        )
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

    /// Fetches from the repository onto an empty machine, checks out a commit and returns the name of the directory.
    pub fn check_out(&mut self, fetch: &str, commit: &str) -> String {
        self.jobs += 1;
        let place = format!("run-{}", 7000 + self.jobs);
        self.shell(
            ".",
            &format!("mkdir {place}-home && git init --quiet {place}"),
        );
        let origin = self.path("origin.git");
        let origin = origin.display();
        let check_out = format!(
            "git remote add origin {origin} && git fetch --quiet {fetch} && git checkout --quiet {commit}"
        );
        self.shell(&place, &check_out);
        place
    }

    /// A job's shell, with its own home directory and without the program.
    pub fn job_command(&self, place: &str) -> Command {
        let mut command = self.command(place);
        command
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c"])
            .env("CI", "true")
            .env("HOME", self.path(&format!("{place}-home")))
            .env("STORE", self.path("store"));
        command
    }

    /// Returns the lines that a job's programs wrote to this file of the store since the last call.
    pub fn noted(&self, name: &str) -> Vec<String> {
        let path = self.path("store").join(name);
        let text = fs::read_to_string(&path).unwrap_or_default();
        drop(fs::remove_file(&path));
        text.lines().map(str::to_owned).collect()
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
