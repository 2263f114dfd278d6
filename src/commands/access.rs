//! Credentials as types: each states what a run may do on a widget, and is built from the config.

use secrecy::SecretString;

use crate::config::Config;
use crate::error::{Error, Exit, Result};
use crate::imbachat::{Http, ReadAuth, Sender, WriteAuth, Writer};
use crate::model::{UserId, WidgetId};
use crate::plan::Plan;
use crate::render::Count;

const SECRET_KEY: &str = "IMBACHAT_SECRET_KEY";
const KEY_ONLY: &str = "set the widget's secret key: a JWT can only read";

/// Credentials for writing to a widget's rooms. Only `apply` and `doctor --write-probe` request them: no other verb can create a
/// [`Writer`].
pub struct WriteAccess(WriteAuth);

impl WriteAccess {
    /// Called before anything is read, so that a run without credentials fails at once.
    pub fn new(config: &Config) -> Result<Self> {
        let credentials = &config.credentials;
        let missing_names = match (&credentials.login, &credentials.password) {
            (Some(login), Some(password)) => {
                return Ok(Self(WriteAuth {
                    login: login.clone(),
                    password: password.clone(),
                    secret_key: credentials.secret_key.clone(),
                }));
            }
            (None, None) => "IMBACHAT_LOGIN and IMBACHAT_PASSWORD",
            (None, Some(_)) => "IMBACHAT_LOGIN",
            (Some(_), None) => "IMBACHAT_PASSWORD",
        };
        Err(missing(missing_names, "writing"))
    }

    pub fn writer(self, http: Http, widget: WidgetId) -> Writer {
        Writer::new(http, widget, self.0)
    }

    /// Refuses a plan with messages if there is no secret key. A run that reads with a JWT may not have one.
    pub fn check(&self, plan: &Plan) -> Result<()> {
        let messages = plan.summary.messages;
        if messages == 0 || self.0.secret_key.is_some() || !plan.refusals.is_empty() {
            return Ok(());
        }
        let message = format!(
            "no credentials for messages: IMBACHAT_SECRET_KEY not set, and the plan has {} to send; nothing was applied",
            Count(messages, "message")
        );
        Err(Error::message(Exit::Failed, message)
            .hint(KEY_ONLY)
            .hint("or remove `welcome` from the manifest"))
    }
}

/// Credentials for sending messages, which cannot change a room. Only `send` requests them.
pub struct SendAccess {
    key: SecretString,
    password: Option<SecretString>,
}

impl SendAccess {
    /// Called before anything is read.
    pub fn new(config: &Config) -> Result<Self> {
        let credentials = &config.credentials;
        let key = credentials.secret_key.clone();
        let key = key.ok_or_else(|| missing(SECRET_KEY, "messages").hint(KEY_ONLY))?;
        let password = credentials.password.clone();
        Ok(Self { key, password })
    }

    pub fn sender(self, http: Http, widget: WidgetId) -> Sender {
        Sender::new(http, widget, self.key, self.password)
    }
}

/// Credentials for reading: the secret key, tokens signed with it (`--read-as`), or a JWT.
pub fn read_auth(config: &Config) -> Result<ReadAuth> {
    let user = config.server.reader.read_as.map(UserId);
    let (key, token) = (&config.credentials.secret_key, &config.credentials.jwt);
    match (key.clone(), user, token.clone()) {
        (Some(key), Some(user), _) => Ok(ReadAuth::Minted { key, user }),
        (Some(key), None, _) => Ok(ReadAuth::Secret(key)),
        (None, Some(_), _) => Err(missing(SECRET_KEY, "signing a JWT (--read-as)")),
        (None, None, Some(token)) => Ok(ReadAuth::Jwt(token)),
        (None, None, None) => Err(missing("IMBACHAT_SECRET_KEY (or IMBACHAT_JWT)", "reading")),
    }
}

fn missing(names: &str, what_for: &str) -> Error {
    let message = format!("no credentials for {what_for}: {names} not set");
    Error::message(Exit::Failed, message)
        .hint("set them in the environment, or name files with ..._FILE")
        .hint("or try --sandbox, which needs no credentials")
}
