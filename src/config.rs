//! Combines flags and environment into [`Config`]. Only this file reads the environment and credentials.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};

use crate::cli::{LedgerArgs, LedgerVerb, ServerFlags, SharedFlags, Verb};
use crate::error::{Error, Exit, Result, bail, error};
use crate::model::{Date, Redactor, RunId, StoreKind, Time};

/// The public address of the API.
const API_URL: &str = "https://api.imbachat.com";
/// The variables of proxies and trusted certificates.
const NETWORK: &str = "SSL_CERT_FILE SSL_CERT_DIR
    HTTPS_PROXY https_proxy HTTP_PROXY http_proxy ALL_PROXY all_proxy NO_PROXY no_proxy";
/// Maximum size of a file that holds one credential.
const LARGEST_FILE: u64 = 64 << 10;

/// What a run reads and writes, and its credentials.
#[derive(Debug)]
pub struct Config {
    pub files: Vec<PathBuf>,
    pub server: ServerFlags,
    pub credentials: Credentials,
    pub run: RunId,
    pub today: Date,
    pub hide_names: bool,
}

/// Values from the environment, or from the files that it names. `Debug` shows no secrets.
#[derive(Debug, Default)]
pub struct Credentials {
    pub api_url: Option<String>,
    pub widget: Option<u64>,
    /// Used for reading and for messages.
    pub secret_key: Option<SecretString>,
    /// Used for reading if there is no secret key.
    pub jwt: Option<SecretString>,
    /// Used for writing, with the password.
    pub login: Option<SecretString>,
    pub password: Option<SecretString>,
    /// The variables that are set for proxies and trusted certificates.
    pub network: Vec<(&'static str, SecretString)>,
    /// The variables found, in lookup order.
    pub found: Vec<Found>,
    /// Invalid variables. Only `doctor` continues if there are any.
    pub problems: Vec<Problem>,
}

/// A variable that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The name of the variable, without `_FILE`.
    pub name: &'static str,
    /// Whether the value is in a file that `…_FILE` names.
    pub in_file: bool,
}

/// An invalid variable.
#[derive(Debug)]
pub struct Problem {
    /// The name of the variable, without `_FILE`.
    pub name: &'static str,
    /// The reason why the variable is invalid. It does not contain the value.
    pub error: Error,
}

impl Config {
    /// Combines flags and environment. With `--sandbox`, the environment is not read, because the
    /// sandbox has fixed credentials.
    ///
    /// # Errors
    /// A variable is invalid. The error names it and does not show its value.
    pub fn new(verb: &Verb, flags: SharedFlags, run: RunId) -> Result<Self> {
        let server = flags.server;
        let needs = match verb {
            _ if server.target.sandbox.is_some() => None,
            Verb::Apply(_) | Verb::Send(_) => Some(Needs::Writing),
            Verb::Plan(_)
            | Verb::Export(_)
            | Verb::Get(_)
            | Verb::Ledger(LedgerArgs {
                verb: LedgerVerb::Adopt(_),
                ..
            }) => Some(Needs::Reading),
            Verb::Ledger(_) | Verb::Todo(_) | Verb::Explain(_) => Some(Needs::Place),
            Verb::Doctor(args) if args.write_probe.is_some() => Some(Needs::Writing),
            Verb::Doctor(_) => Some(Needs::Presence),
            _ => None,
        };
        let mut credentials = match needs {
            Some(needs) => Credentials::from_environment(needs),
            None if server.target.sandbox.is_some() => Credentials::of_sandbox(),
            None => Credentials::default(),
        };
        if !matches!(verb, Verb::Doctor(_)) && !credentials.problems.is_empty() {
            return Err(credentials.problems.remove(0).error);
        }
        let utc_date = || Time(jiff::Timestamp::now().as_millisecond()).day();
        Ok(Self {
            files: flags.files.file,
            server,
            credentials,
            run,
            today: flags.day.today.map_or_else(utc_date, Date),
            hide_names: flags.names.no_names,
        })
    }

    pub fn manifest(&self) -> Vec<PathBuf> {
        let is_directory = !Path::new("rooms.yaml").exists() && Path::new("rooms").is_dir();
        match self.files.as_slice() {
            [] if is_directory => vec!["rooms".into()],
            [] => vec!["rooms.yaml".into()],
            files => files.to_vec(),
        }
    }

    /// Returns the path of the sandbox's state, if the run uses the sandbox.
    pub fn sandbox(&self) -> Option<&Path> {
        self.server.target.sandbox.as_deref()
    }

    pub fn named_ledger(&self) -> Option<&Path> {
        self.server.ledger.ledger.as_deref()
    }

    /// Returns the API's address: from the flag, else from the environment, else the default.
    pub fn api_url(&self) -> &str {
        let given = self.server.target.api_url.as_ref();
        let given = given.or(self.credentials.api_url.as_ref());
        given.map_or(API_URL, String::as_str)
    }
}

/// What a verb reads from the environment. Each level includes the previous ones. A dry run never holds credentials for writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Needs {
    /// The widget and its address.
    Place,
    Reading,
    /// Also whether credentials for writing are set, but not their values.
    Presence,
    /// Credentials for writing.
    Writing,
}

impl Credentials {
    /// Whether any of these variables is invalid.
    pub fn troubled(&self, names: &[&str]) -> bool {
        let mut problems = self.problems.iter();
        problems.any(|problem| names.contains(&problem.name))
    }

    /// Returns a redactor that hides the secrets in all output, in every encoding. It does not
    /// hide the login, because users and titles may have the same name. It does not hide short
    /// secrets, because ordinary words may contain them. The login and short secrets are hidden
    /// only in errors.
    pub fn redactor(&self) -> Redactor {
        let secrets = [&self.secret_key, &self.jwt, &self.password].into_iter();
        let secrets = secrets.flatten().map(ExposeSecret::expose_secret);
        Redactor::new(secrets.filter(|secret| secret.len() >= 6))
    }

    /// All values that must never be shown.
    pub fn secrets(&self) -> Vec<SecretString> {
        let all = [&self.secret_key, &self.jwt, &self.login, &self.password];
        all.into_iter().flatten().cloned().collect()
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
        let mut find = |name, least: Needs| {
            let is_secret = NETWORK.split_whitespace().all(|it| it != name);
            let value = (needs >= least).then(|| find_variable(name, is_secret, &mut found))?;
            value.unwrap_or_else(|error| {
                problems.push(Problem { name, error });
                None
            })
        };
        let widget = find("IMBACHAT_WIDGET", Needs::Place);
        let api_url = find("IMBACHAT_API_URL", Needs::Place);
        let secret_key = find("IMBACHAT_SECRET_KEY", Needs::Reading).map(SecretString::from);
        let jwt = find("IMBACHAT_JWT", Needs::Reading).map(SecretString::from);
        let [login, password] = ["IMBACHAT_LOGIN", "IMBACHAT_PASSWORD"].map(|name| {
            let value = find(name, Needs::Presence).filter(|_| needs == Needs::Writing);
            value.map(SecretString::from)
        });
        let network = NETWORK.split_whitespace().filter_map(|name| {
            let value = find(name, Needs::Place)?;
            Some((name, SecretString::from(value)))
        });
        let network = network.collect();
        let number = widget.map(|text| text.parse::<u64>());
        if let Some(Err(_)) = number {
            let name = "IMBACHAT_WIDGET";
            let error = error!(Failed: "{name} is not a number";
                "set it to the widget's number (imba_id)");
            problems.insert(0, Problem { name, error });
        }
        Self {
            api_url,
            widget: number.and_then(Result::ok),
            secret_key,
            jwt,
            login,
            password,
            network,
            found,
            problems,
        }
    }
}

/// The variables found for one kind of store. `Debug` shows no values.
#[derive(Debug, Default)]
pub struct StoreVariables {
    pub values: Vec<(&'static str, SecretString)>,
    /// Values that must never be shown.
    pub hidden: Vec<SecretString>,
    /// The variables found, in lookup order.
    pub found: Vec<Found>,
    /// The variables that are set for proxies and trusted certificates.
    pub network: Vec<(&'static str, SecretString)>,
}

/// The names of the variables of a kind of store. The first list has the secret variables,
/// which can also be set as `…_FILE`. The second list has the other variables. If a name in
/// these lists itself ends in `_FILE`, it is a variable that the provider defines.
type Names = (&'static str, &'static str);

const S3: Names = (
    "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SSE_CUSTOMER_KEY_BASE64",
    "AWS_REGION AWS_DEFAULT_REGION
     AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL_STS
     AWS_ALLOW_HTTP AWS_VIRTUAL_HOSTED_STYLE_REQUEST
     AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_WEB_IDENTITY_TOKEN_FILE
     AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI
     AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
     AWS_SERVER_SIDE_ENCRYPTION AWS_SSE_KMS_KEY_ID AWS_SSE_BUCKET_KEY_ENABLED AWS_REQUEST_PAYER",
);
const GOOGLE: Names = (
    "GOOGLE_SERVICE_ACCOUNT_KEY GOOGLE_BEARER_TOKEN",
    "GOOGLE_SERVICE_ACCOUNT GOOGLE_APPLICATION_CREDENTIALS
     GOOGLE_BASE_URL GOOGLE_ALLOW_HTTP GOOGLE_SKIP_SIGNATURE",
);
const AZURE: Names = (
    "AZURE_STORAGE_ACCOUNT_KEY AZURE_STORAGE_SAS_TOKEN AZURE_STORAGE_TOKEN AZURE_CLIENT_SECRET",
    "AZURE_STORAGE_ACCOUNT_NAME AZURE_CLIENT_ID AZURE_TENANT_ID AZURE_AUTHORITY_HOST
     AZURE_FEDERATED_TOKEN_FILE AZURE_MSI_ENDPOINT
     AZURE_STORAGE_ENDPOINT AZURE_STORAGE_USE_EMULATOR AZURE_ALLOW_HTTP",
);

impl StoreVariables {
    /// Reads the variables of a kind of store.
    ///
    /// # Errors
    /// A variable is invalid. The error names it and does not show its value.
    pub fn from_environment(kind: StoreKind) -> Result<Self> {
        let (secret, plain) = match kind {
            StoreKind::S3 => S3,
            StoreKind::Google => GOOGLE,
            StoreKind::Azure => AZURE,
        };
        let secret = secret.split_whitespace().map(|name| (name, true));
        let plain = plain.split_whitespace().map(|name| (name, false));
        let mut variables = Self::default();
        for (name, is_secret) in secret.chain(plain) {
            let value = find_variable(name, is_secret, &mut variables.found)?;
            let Some(value) = value.map(SecretString::from) else {
                continue;
            };
            if is_secret {
                variables.hidden.push(value.clone());
            }
            variables.values.push((name, value));
        }
        for name in NETWORK.split_whitespace() {
            let value = read_variable(name)?.map(SecretString::from);
            variables.network.extend(value.map(|value| (name, value)));
        }
        Ok(variables)
    }
}

/// Reads a variable or, for a secret, the file that `<name>_FILE` names.
fn find_variable(
    name: &'static str,
    is_secret: bool,
    found: &mut Vec<Found>,
) -> Result<Option<String>> {
    let direct = read_variable(name)?;
    let file_name = format!("{name}_FILE");
    let path = match is_secret {
        true => read_variable(&file_name)?,
        false => None,
    };
    let in_file = path.is_some();
    let value = match path {
        None => direct,
        Some(_) if direct.is_some() => {
            bail!(Failed: "both {name} and {file_name} are set"; "unset one of them");
        }
        Some(path) => Some(read_value_file(&file_name, &path)?),
    };
    if value.is_some() {
        tracing::info!(name, in_file, "variable found");
        found.push(Found { name, in_file });
    }
    Ok(value)
}

/// Reads a value from a file. Errors do not show the path, because a user may have set the variable
/// to the secret itself.
fn read_value_file(file_name: &str, path: &str) -> Result<String> {
    let text = read_small_file(Path::new(path))
        .with_context(|| format!("the file that the variable {file_name} points to cannot be read"))
        .map_err(|error| {
            let hint = format!("set {file_name} to the path of a file, not to its content");
            Error::new(Exit::Failed, error).hint(hint)
        })?;
    let text = trim(&text);
    if text.is_empty() {
        bail!(Failed: "the file that the variable {file_name} points to is empty";
            format!("put the value into it, or unset {file_name}"));
    }
    Ok(text.to_owned())
}

/// Reads a regular file of limited size. A read from a device or a pipe may never end.
fn read_small_file(path: &Path) -> io::Result<String> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    let mut file = File::open(path)?.take(LARGEST_FILE + 1);
    match file.read_to_string(&mut text)? as u64 {
        0..=LARGEST_FILE => Ok(text),
        _ => Err(io::Error::other("it is larger than 64 KiB")),
    }
}

/// Removes the white space and byte order marks that an editor or a shell adds around a value.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

/// Reads a variable. An empty variable counts as unset, because CI sets a withheld secret to an
/// empty value.
fn read_variable(name: &str) -> Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) => {
            let trimmed = trim(&value);
            if trimmed.len() < value.len() {
                tracing::warn!("{name} starts or ends with white space, which is ignored");
            }
            Ok(Some(trimmed.to_owned()).filter(|value| !value.is_empty()))
        }
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(error!(Failed: "{name} is not valid UTF-8")),
    }
}
