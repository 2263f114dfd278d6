//! Flags and environment -> [`Config`]. The only reader of the environment, and the only place where credentials come in.

mod store;

pub use store::StoreVariables;

use std::path::{Path, PathBuf};

use anyhow::Context;
use secrecy::SecretString;

use crate::cli::{LedgerArgs, LedgerVerb, ServerFlags, Verb};
use crate::error::{Error, Exit};
use crate::model::RunId;

/// The public address of the API.
const API_URL: &str = "https://api.imbachat.com";

/// What a run reads and writes, and with which credentials.
#[derive(Debug)]
pub struct Config {
    pub files: Vec<PathBuf>,
    pub server: ServerFlags,
    pub credentials: Credentials,
    pub run: RunId,
}

/// What came from the environment, or from the files it names. `Debug` shows no secret.
#[derive(Debug, Default)]
pub struct Credentials {
    /// The API's address.
    pub api_url: Option<String>,
    /// The widget's number.
    pub widget: Option<u64>,
    /// The widget's secret key, for reading.
    pub secret_key: Option<SecretString>,
    /// A token, for reading instead.
    pub jwt: Option<SecretString>,
    /// A site user's login, for writing.
    pub login: Option<SecretString>,
    /// And password.
    pub password: Option<SecretString>,
    /// Which variables were found, in the order they were looked for.
    pub found: Vec<Found>,
    /// Which cannot be used, and why. Only a `doctor` goes on with any.
    pub problems: Vec<Problem>,
}

/// A variable that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its name, without `_FILE`.
    pub name: &'static str,
    /// Whether its value is in a file that `…_FILE` names.
    pub in_file: bool,
}

/// A variable that cannot be used.
#[derive(Debug)]
pub struct Problem {
    /// Its name, without `_FILE`.
    pub name: &'static str,
    /// Why, without its value.
    pub error: Error,
}

impl Config {
    /// Combines flags and environment. With `--sandbox` the environment is not read: the sandbox has fixed credentials.
    ///
    /// # Errors
    /// A variable that cannot be used, by name, without its value.
    pub fn new(verb: &Verb, run: RunId) -> Result<Self, Error> {
        let (files, server) = verb.inputs();
        let needs = match verb {
            _ if server.target.sandbox.is_some() => None,
            Verb::Apply(_) | Verb::Send(_) => Some(Needs::Writing),
            Verb::Plan(_) | Verb::Export(_) | Verb::Get(_) => Some(Needs::Reading),
            Verb::Ledger(LedgerArgs {
                verb: LedgerVerb::Adopt(_),
                ..
            }) => Some(Needs::Reading),
            Verb::Ledger(_) => Some(Needs::Place),
            Verb::Doctor(args) if args.write_probe.is_some() => Some(Needs::Writing),
            Verb::Doctor(_) => Some(Needs::Presence),
            _ => None,
        };
        let doctor = matches!(verb, Verb::Doctor(_));
        let mut credentials = match needs {
            Some(needs) => Credentials::from_environment(needs),
            None if server.target.sandbox.is_some() => Credentials::of_sandbox(),
            None => Credentials::default(),
        };
        if !doctor && !credentials.problems.is_empty() {
            return Err(credentials.problems.remove(0).error);
        }
        Ok(Self {
            files: files.file,
            server,
            credentials,
            run,
        })
    }

    /// The manifest's files and directories.
    pub fn manifest(&self) -> Vec<PathBuf> {
        match self.files.as_slice() {
            [] if !Path::new("rooms.yaml").exists() && Path::new("rooms").is_dir() => {
                vec!["rooms".into()]
            }
            [] => vec!["rooms.yaml".into()],
            files => files.to_vec(),
        }
    }

    /// Whether `rooms.yaml` is read by default, and a directory `rooms` is ignored.
    pub fn reads_file_not_directory(&self) -> bool {
        let by_default = self.files.is_empty();
        by_default && Path::new("rooms.yaml").exists() && Path::new("rooms").is_dir()
    }

    /// The directory of the default ledger: that of the first named file, else the current one.
    pub fn ledger_directory(&self) -> PathBuf {
        let home = self.files.first().map(|path| {
            if path.is_dir() {
                path.as_path()
            } else {
                path.parent().unwrap_or(path)
            }
        });
        home.unwrap_or(Path::new("")).join(".roomform")
    }

    /// The state of the sandbox, if the run uses it.
    pub fn sandbox(&self) -> Option<&Path> {
        self.server.target.sandbox.as_deref()
    }

    /// The ledger that `--ledger` names.
    pub fn named_ledger(&self) -> Option<&Path> {
        self.server.ledger.as_deref()
    }

    /// The API's address: flag, else environment, else the public one.
    pub fn api_url(&self) -> &str {
        self.server
            .target
            .api_url
            .as_deref()
            .or(self.credentials.api_url.as_deref())
            .unwrap_or(API_URL)
    }
}

/// What a verb looks for in the environment; a dry run never holds what it could write with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Needs {
    /// Where the widget is.
    Place,
    /// And what it takes to read it.
    Reading,
    /// And whether it could be written to.
    Presence,
    /// And to write to it.
    Writing,
}

impl Credentials {
    /// Whether one of these is set to something that cannot be used.
    pub fn troubled(&self, names: &[&str]) -> bool {
        let mut problems = self.problems.iter();
        problems.any(|problem| names.contains(&problem.name))
    }

    /// Everything that must never be shown.
    pub fn secrets(&self) -> Vec<SecretString> {
        [&self.secret_key, &self.jwt, &self.login, &self.password]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    fn of_sandbox() -> Self {
        let user = || Some(SecretString::from("admin"));
        Self {
            secret_key: Some(SecretString::from("secret_key")),
            login: user(),
            password: user(),
            ..Self::default()
        }
    }

    fn from_environment(needs: Needs) -> Self {
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        let mut plain = |name| match take(name, &mut found) {
            Ok(value) => value,
            Err(error) => {
                problems.push(Problem { name, error });
                None
            }
        };
        let widget = plain("IMBACHAT_WIDGET");
        let api_url = plain("IMBACHAT_API_URL");
        let mut secret = |least: Needs, name| {
            let value = (needs >= least).then(|| plain(name)).flatten();
            value.map(SecretString::from)
        };
        let (secret_key, jwt) = (
            secret(Needs::Reading, "IMBACHAT_SECRET_KEY"),
            secret(Needs::Reading, "IMBACHAT_JWT"),
        );
        let writing = ["IMBACHAT_LOGIN", "IMBACHAT_PASSWORD"];
        let [login, password] = writing.map(|name| {
            // Who only looks whether they are there does not keep them.
            secret(Needs::Presence, name).filter(|_| needs == Needs::Writing)
        });
        let number = widget.as_ref().map(|text| text.parse::<u64>());
        if let Some(Err(_)) = number {
            let name = "IMBACHAT_WIDGET";
            let error = Error::message(Exit::Failed, format!("{name} is not a number"))
                .hint("set it to the widget's number (imba_id)");
            problems.insert(0, Problem { name, error });
        }
        Self {
            api_url,
            widget: number.and_then(Result::ok),
            secret_key,
            jwt,
            login,
            password,
            found,
            problems,
        }
    }
}

/// The value of a variable, wherever it is, with a note of where.
fn take(name: &'static str, found: &mut Vec<Found>) -> Result<Option<String>, Error> {
    let value = variable(name)?;
    Ok(value.map(|(value, in_file)| {
        tracing::info!(name, in_file, "variable found");
        found.push(Found { name, in_file });
        value
    }))
}

/// A variable, or the content of the file that `<name>_FILE` names, and whether it is that. Empty counts as not set: that is
/// what CI passes where a secret is withheld.
fn variable(name: &str) -> Result<Option<(String, bool)>, Error> {
    let direct = read(name)?;
    let file_name = format!("{name}_FILE");
    let Some(path) = read(&file_name)? else {
        return Ok(direct.map(|value| (value, false)));
    };
    if direct.is_some() {
        let message = format!("both {name} and {file_name} are set");
        return Err(Error::message(Exit::Failed, message).hint("unset one of them"));
    }
    // The value is not shown: it may be the secret itself, put under the wrong name.
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the file that {file_name} names cannot be read"))
        .map_err(|error| {
            let hint = format!("set {file_name} to the path of a file, not to its content");
            Error::new(Exit::Failed, error).hint(hint)
        })?;
    let text = text.trim_end_matches(['\r', '\n']).to_owned();
    if text.is_empty() {
        let message = format!("the file that {file_name} names is empty");
        let hint = format!("put the value into it, or unset {file_name}");
        return Err(Error::message(Exit::Failed, message).hint(hint));
    }
    Ok(Some((text, true)))
}

fn read(name: &str) -> Result<Option<String>, Error> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Error::message(
            Exit::Failed,
            format!("{name} is not valid UTF-8"),
        )),
    }
}
