//! Credentials: what a run may do on a widget, as the config allows it.

use secrecy::SecretString;

use crate::config::{Config, Credentials};
use crate::error::{Error, Result, bail, error};
use crate::imbachat::{ReadAuth, WriteAuth};
use crate::model::UserId;
use crate::plan::Plan;
use crate::render::Count;

const SECRET_KEY: &str = "IMBACHAT_SECRET_KEY";
const KEY_ONLY: &str = "set the widget's secret key: a JWT can only read";

/// Credentials for writing to a widget's rooms, required before anything is read, so that a run without them fails at once. Only
/// `apply` and `doctor --write-probe` request them: no other verb can create a writer.
pub fn write_auth(config: &Config) -> Result<WriteAuth> {
    let Credentials {
        login,
        password,
        secret_key,
        ..
    } = &config.credentials;
    let missing_names = match (login.clone(), password.clone()) {
        (Some(login), Some(password)) => {
            let secret_key = secret_key.clone();
            return Ok(WriteAuth {
                login,
                password,
                secret_key,
            });
        }
        (None, None) => "IMBACHAT_LOGIN and IMBACHAT_PASSWORD",
        (None, Some(_)) => "IMBACHAT_LOGIN",
        (Some(_), None) => "IMBACHAT_PASSWORD",
    };
    Err(missing(missing_names, "writing"))
}

/// Refuses a plan with messages if there is no secret key. A run that reads with a JWT may not have one.
pub fn check_can_send(auth: &WriteAuth, plan: &Plan) -> Result<()> {
    let messages = plan.summary.messages;
    if messages == 0 || auth.secret_key.is_some() || !plan.refusals.is_empty() {
        return Ok(());
    }
    let messages = Count(messages, "message");
    bail!(Failed: "no credentials for messages: IMBACHAT_SECRET_KEY not set, and the plan has {messages} to send; nothing was applied";
        KEY_ONLY; "or remove `welcome` from the manifest")
}

/// The key for sending messages, required before anything is read. Only `send` requests it.
pub fn send_key(config: &Config) -> Result<SecretString> {
    let key = config.credentials.secret_key.clone();
    key.ok_or_else(|| missing(SECRET_KEY, "messages").hint(KEY_ONLY))
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
    error!(Failed: "no credentials for {what_for}: {names} not set";
        "set them in the environment, or name files with ..._FILE";
        "or try --sandbox, which needs no credentials")
}
