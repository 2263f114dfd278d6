//! The environment of a test: a directory, variables, and a sandbox if the test needs one.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use roomform::sandbox::{Config, Quirks, Room, Stats, World};
use tempfile::TempDir;

use super::{Api, Running};

/// A temporary directory, and the environment of the program.
pub struct Scene {
    dir: TempDir,
    env: Vec<(String, String)>,
    api: Option<Arc<Api>>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Arguments: a list, or a line that is split at spaces.
pub trait Args {
    fn args(&self) -> Vec<&str>;
}

impl<T: Args + ?Sized> Args for &T {
    fn args(&self) -> Vec<&str> {
        (*self).args()
    }
}

impl Args for str {
    fn args(&self) -> Vec<&str> {
        self.split_whitespace().collect()
    }
}

impl Args for String {
    fn args(&self) -> Vec<&str> {
        self.as_str().args()
    }
}

impl Args for [&str] {
    fn args(&self) -> Vec<&str> {
        self.to_vec()
    }
}

impl<const N: usize> Args for [&str; N] {
    fn args(&self) -> Vec<&str> {
        self.to_vec()
    }
}

impl Args for Vec<&str> {
    fn args(&self) -> Vec<&str> {
        self.clone()
    }
}

/// The text of a published schema.
pub fn committed_schema(name: &str) -> String {
    let path = format!("{}/schema/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(path).unwrap()
}

/// The validator of a published schema.
pub fn validator(name: &str) -> jsonschema::Validator {
    jsonschema::validator_for(&serde_json::from_str(&committed_schema(name)).unwrap()).unwrap()
}

/// A conference, as stored in the sandbox.
pub fn live_room(pipe: &str, name: &str) -> Room {
    Room {
        pipe: pipe.to_owned(),
        name: name.to_owned(),
        kind: 1,
        ..Room::default()
    }
}

impl Scene {
    /// An empty directory, an empty environment, no server.
    pub fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
            env: Vec::new(),
            api: None,
        }
    }

    /// Writes the manifest, `rooms.yaml`.
    pub fn manifest(self, text: impl AsRef<[u8]>) -> Self {
        self.file("rooms.yaml", text)
    }

    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.write(name, content);
        self
    }

    /// Sets a variable for all later runs.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn envs(self, vars: &[(String, String)]) -> Self {
        vars.iter()
            .fold(self, |scene, (name, value)| scene.env(name, value))
    }

    /// Sets the address of the API, for example to a proxy in front of the sandbox.
    pub fn at(self, url: &str) -> Self {
        self.env("IMBACHAT_API_URL", url)
    }

    /// Adds a live room directly, without a request.
    pub fn live(self, room: Room) -> Self {
        self.insert(room);
        self
    }

    /// Starts a sandbox, with all credentials.
    pub fn sandbox(self) -> Self {
        self.sandbox_with(Config::default())
    }

    pub fn sandbox_with(self, config: Config) -> Self {
        self.with_api(&Arc::new(Api::start(config)))
    }

    pub fn sandbox_with_quirks(self, quirks: Quirks) -> Self {
        self.sandbox_with(Config {
            quirks,
            ..Config::default()
        })
    }

    /// Uses the sandbox of another scene.
    pub fn beside(self, other: &Scene) -> Self {
        self.with_api(other.api.as_ref().unwrap())
    }

    fn with_api(self, api: &Arc<Api>) -> Self {
        let mut scene = self.envs(&api.env());
        scene.api = Some(Arc::clone(api));
        scene
    }

    /// Applies the manifest to a sandbox, one room at a time, so that each room gets the same id in every run.
    #[track_caller]
    pub fn applied(self) -> Self {
        let scene = if self.api.is_some() {
            self
        } else {
            self.sandbox()
        };
        scene.after("apply --yes --parallelism 1")
    }

    /// Runs the program, which must succeed, as part of the setup.
    #[track_caller]
    pub fn after(self, args: impl Args) -> Self {
        self.run(args).ok();
        self
    }
}

impl Scene {
    fn api(&self) -> &Api {
        self.api.as_ref().unwrap()
    }

    /// The environment variables with the sandbox's address and credentials.
    pub fn vars(&self) -> Vec<(String, String)> {
        self.api().env()
    }

    pub fn url(&self) -> String {
        self.api().url()
    }

    /// Reads or changes the server's state directly, without a request.
    pub fn world<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        self.api().world(work)
    }

    /// The live rooms of widget 627, without the room that every widget has.
    pub fn rooms(&self) -> Vec<Room> {
        self.api().rooms()
    }

    #[track_caller]
    pub fn room(&self, pipe: &str) -> Room {
        self.api().room(pipe)
    }

    /// Adds a room directly, without a request, and returns its id.
    pub fn insert(&self, room: Room) -> u64 {
        self.world(|world| world.insert_room(627, room, 0))
    }

    /// Deletes a room directly, without a request, and returns the room's id. Also makes the
    /// ledgers two hours older, as if the last run was two hours before the deletion.
    #[track_caller]
    pub fn delete(&self, pipe: &str) -> u64 {
        let id = self.room(pipe).id;
        self.world(|world| world.delete_room(627, id, 9));
        self.age_ledgers(120);
        id
    }

    /// The calls so far.
    pub fn stats(&self) -> Stats {
        self.api().stats()
    }

    /// The number of write calls so far.
    pub fn writes(&self) -> u64 {
        self.stats().writes()
    }
}

/// Methods that use the directory or run the program.
impl Scene {
    /// Replaces a text in the manifest, wherever it occurs.
    #[track_caller]
    pub fn edit(&self, from: &str, to: &str) -> &Self {
        let text = self.read("rooms.yaml");
        text.shows(from);
        self.write("rooms.yaml", text.replace(from, to));
        self
    }

    /// Checks a document against the published schema, which must match the one the program prints.
    #[track_caller]
    pub fn fits_schema(&self, name: &str, document: &serde_json::Value) {
        let errors: Vec<String> = validator(name)
            .iter_errors(document)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{document:#}");
        assert!(
            committed_schema(name) == self.run(["schema", name]).ok(),
            "update schema/{name}.schema.json: roomform schema {name}"
        );
    }

    /// Replaces the manifest.
    pub fn declare(&self, text: impl AsRef<[u8]>) -> &Self {
        self.write("rooms.yaml", text);
        self
    }

    pub fn plan(&self) -> Ran {
        self.run("plan")
    }

    /// Runs `apply --yes`.
    pub fn apply(&self) -> Ran {
        self.run("apply --yes")
    }

    /// Runs `apply --yes` with a short time for verification, for a server whose list does not
    /// show what was sent.
    pub fn apply_without_patience(&self) -> Ran {
        self.run("apply --yes --verify-timeout 100ms")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file and creates its parent directories.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The text of the default ledger.
    pub fn ledger(&self) -> String {
        let mut files = self.files();
        files.retain(|(path, _)| path.extension().is_some_and(|end| end == "jsonl"));
        assert_eq!(files.len(), 1, "{files:?}");
        String::from_utf8(files.remove(0).1).unwrap()
    }

    /// Makes all ledger entries older. If a write is more than an hour old and the list does
    /// not show it, roomform no longer assumes that the list is late.
    pub fn age_ledgers(&self, minutes: i64) {
        let files = self.files().into_iter();
        let ledgers = files.filter(|(path, _)| path.extension().is_some_and(|it| it == "jsonl"));
        for (path, text) in ledgers {
            let text = String::from_utf8(text).unwrap();
            let older = |time: &str| {
                let time = time.parse::<jiff::Timestamp>().ok()?;
                let earlier = time - jiff::SignedDuration::from_mins(minutes);
                Some(format!("{earlier:.3}"))
            };
            let parts = text.split('"');
            let aged = parts.map(|part| older(part).unwrap_or(part.to_owned()));
            fs::write(path, aged.collect::<Vec<_>>().join("\"")).unwrap();
        }
    }

    /// All files below the directory with their content, to check that nothing changed.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        collect(self.dir.path(), &mut found);
        found.sort();
        found
    }

    pub fn command(&self, args: impl Args) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_roomform")), args)
    }

    fn command_of(&self, program: &Path, args: impl Args) -> Command {
        let mut command = Command::new(program);
        command
            .args(args.args())
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

    /// A shell in this directory, with the program on its path.
    pub fn bash(&self, script: &str) -> Command {
        let mut bash = self.command_of(Path::new("/bin/bash"), ["-c", script]);
        let program = Path::new(env!("CARGO_BIN_EXE_roomform")).parent().unwrap();
        bash.env("PATH", format!("{}:/usr/bin:/bin", program.display()));
        bash
    }

    /// Runs the program in this directory, with stdin closed and without a terminal.
    pub fn run(&self, args: impl Args) -> Ran {
        self.command(args).output().unwrap().into()
    }

    /// Starts the program in this directory, with pipes for its output.
    pub fn start(&self, args: impl Args) -> Running {
        let mut command = self.command(args);
        Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Starts the program in this directory and drops its output.
    pub fn spawn(&self, args: impl Args) -> Running {
        let mut command = self.command(args);
        Running::start(command.stdout(Stdio::null()).stderr(Stdio::null()))
    }

    /// Runs a copy of the program as a user without root's file access, even if root runs the tests.
    #[cfg(unix)]
    pub fn run_unprivileged(&self, args: impl Args) -> Ran {
        use std::os::unix::fs::{MetadataExt, chown};
        use std::os::unix::process::CommandExt;
        const UNPRIVILEGED: u32 = 65_534;
        let copy = self.path("roomform");
        // A separate process writes the copy. If this process wrote it, one of its children
        // could inherit the file while it is open for writing, and the copy could not start
        // ("text file busy").
        let mut cp = Command::new("cp");
        let copied = cp.arg(env!("CARGO_BIN_EXE_roomform")).arg(&copy).status();
        assert!(copied.unwrap().success());
        let mut command = self.command_of(&copy, args);
        let owner = fs::metadata(self.dir.path()).unwrap().uid();
        if owner == 0 {
            own(self.dir.path(), UNPRIVILEGED);
            command.uid(UNPRIVILEGED).gid(UNPRIVILEGED);
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
        output.into()
    }

    pub fn run_with_input(&self, args: impl Args, input: &str) -> Ran {
        let mut command = self.command(args);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = Running::start(piped.stderr(Stdio::piped()));
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap().into()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Checks what a text contains.
pub trait Shows {
    fn shows(&self, part: impl AsRef<str>) -> &Self;
    fn lacks(&self, part: impl AsRef<str>) -> &Self;
    fn begins(&self, part: impl AsRef<str>) -> &Self;
    fn ends(&self, part: impl AsRef<str>) -> &Self;
}

impl Shows for str {
    #[track_caller]
    fn shows(&self, part: impl AsRef<str>) -> &Self {
        let part = part.as_ref();
        assert!(self.contains(part), "no {part:?} in:\n{self}");
        self
    }

    #[track_caller]
    fn lacks(&self, part: impl AsRef<str>) -> &Self {
        let part = part.as_ref();
        assert!(!self.contains(part), "{part:?} in:\n{self}");
        self
    }

    #[track_caller]
    fn begins(&self, part: impl AsRef<str>) -> &Self {
        let part = part.as_ref();
        assert!(
            self.starts_with(part),
            "no {part:?} at the start of:\n{self}"
        );
        self
    }

    #[track_caller]
    fn ends(&self, part: impl AsRef<str>) -> &Self {
        let part = part.as_ref();
        assert!(self.ends_with(part), "no {part:?} at the end of:\n{self}");
        self
    }
}

/// A manifest with these rooms. Each is given as the content of a YAML mapping on one line.
pub fn manifest(rooms: impl IntoIterator<Item = String>) -> String {
    let rooms = rooms.into_iter().map(|room| format!("  - {{{room}}}\n"));
    format!(
        "version: 1\nwidget: 627\nrooms:\n{}",
        rooms.collect::<String>()
    )
}

impl Ran {
    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Checks that stdout contains this text.
    #[track_caller]
    pub fn shows(&self, part: impl AsRef<str>) -> &Self {
        let part = part.as_ref();
        assert!(
            self.out.contains(part),
            "no {part:?} in stdout of {self:#?}"
        );
        self
    }

    /// Checks how stdout begins.
    #[track_caller]
    pub fn begins(&self, part: impl AsRef<str>) -> &Self {
        let part = part.as_ref();
        assert!(
            self.out.starts_with(part),
            "no {part:?} at the start of stdout of {self:#?}"
        );
        self
    }

    /// Checks how stdout ends.
    #[track_caller]
    pub fn ends(&self, part: impl AsRef<str>) -> &Self {
        let part = part.as_ref();
        assert!(
            self.out.ends_with(part),
            "no {part:?} at the end of stdout of {self:#?}"
        );
        self
    }

    /// Checks that stdout does not contain this text.
    #[track_caller]
    pub fn lacks(&self, part: impl AsRef<str>) -> &Self {
        let part = part.as_ref();
        assert!(!self.out.contains(part), "{part:?} in stdout of {self:#?}");
        self
    }

    /// The stdout of a run, which must succeed.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:#?}");
        self.out
    }

    /// The JSON document on stdout, for any exit code.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Both streams, to check for text that must not appear.
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
