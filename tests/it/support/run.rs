//! A directory of its own and runs of the program in it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A temporary directory, and the environment in which the program runs there.
pub struct Dir {
    dir: TempDir,
    env: Vec<(String, String)>,
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// stdout.
    pub out: String,
    /// stderr.
    pub err: String,
}

impl Dir {
    /// An empty directory; nothing of the environment but what is given later.
    pub fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
            env: Vec::new(),
        }
    }

    /// A directory with one manifest, `rooms.yaml`.
    pub fn with(manifest: &str) -> Self {
        let dir = Self::new();
        dir.write("rooms.yaml", manifest);
        dir
    }

    /// Sets a variable for all later runs.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets several.
    pub fn envs(self, vars: &[(String, String)]) -> Self {
        vars.iter()
            .fold(self, |dir, (name, value)| dir.env(name, value))
    }

    /// A path in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file, and the directories above it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// A file's text.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Every file below the directory with its bytes, to see that nothing changed.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        collect(self.dir.path(), &mut found);
        found.sort();
        found
    }

    /// The program, ready to be started here.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_roomform"));
        command
            .args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .stdin(Stdio::null());
        command.envs(
            self.env
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        command
    }

    /// Runs the program here, with stdin closed and no terminal.
    pub fn run(&self, args: &[&str]) -> Ran {
        let output = self.command(args).output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a copy of the program as a user whom file permissions bind, even if root runs the tests.
    #[cfg(unix)]
    pub fn run_unprivileged(&self, args: &[&str]) -> Ran {
        use std::os::unix::fs::{MetadataExt, chown};
        use std::os::unix::process::CommandExt;
        const NOBODY: u32 = 65_534;
        let plain = self.command(args);
        let copy = self.path("roomform");
        fs::copy(plain.get_program(), &copy).unwrap();
        let mut command = Command::new(copy);
        command
            .args(plain.get_args())
            .current_dir(self.dir.path())
            .env_clear()
            .stdin(Stdio::null());
        for (name, value) in plain.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        let owner = fs::metadata(self.dir.path()).unwrap().uid();
        if owner == 0 {
            own(self.dir.path(), NOBODY);
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.output().unwrap();
        if owner == 0 {
            own(self.dir.path(), 0);
        }
        fn own(path: &Path, user: u32) {
            chown(path, Some(user), Some(user)).unwrap();
            if path.is_dir() {
                let entries = fs::read_dir(path).unwrap();
                entries.for_each(|entry| own(&entry.unwrap().path(), user));
            }
        }
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The same with something on stdin.
    pub fn run_with_input(&self, args: &[&str], input: &str) -> Ran {
        let mut command = self.command(args);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// What a text must and must not contain.
pub trait Shows {
    fn shows(&self, words: impl AsRef<str>) -> &Self;
    fn lacks(&self, words: impl AsRef<str>) -> &Self;
}

impl Shows for str {
    #[track_caller]
    fn shows(&self, words: impl AsRef<str>) -> &Self {
        let words = words.as_ref();
        assert!(self.contains(words), "no {words:?} in:\n{self}");
        self
    }

    #[track_caller]
    fn lacks(&self, words: impl AsRef<str>) -> &Self {
        let words = words.as_ref();
        assert!(!self.contains(words), "{words:?} in:\n{self}");
        self
    }
}

impl Ran {
    /// Checks the exit code.
    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Checks that stdout contains these words.
    #[track_caller]
    pub fn shows(&self, words: impl AsRef<str>) -> &Self {
        assert!(self.out.contains(words.as_ref()), "{self:#?}");
        self
    }

    /// Checks that stdout does not contain these words.
    #[track_caller]
    pub fn lacks(&self, words: impl AsRef<str>) -> &Self {
        assert!(!self.out.contains(words.as_ref()), "{self:#?}");
        self
    }

    /// stdout of a run that must have succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:#?}");
        self.out
    }

    /// The JSON document on stdout, whatever the exit code.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Both streams, to search for what must not be there.
    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

fn collect(directory: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
}
