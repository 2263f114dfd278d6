//! What can be looked at from outside: who answers, by which clock, and whether it lets us in.

use jiff::Timestamp;

use super::super::session::{connect, dice, read_auth};
use super::super::target::ResolvedTarget;
use super::local::failed;
use crate::config::Config;
use crate::error::Error;
use crate::imbachat::{Cause, Failure, Http, ListSurvey, Reachability, ReadAuth, Reader, expiry};
use crate::model::{Step, UserId};
use crate::render::Count;
use crate::sandbox::Sandbox;

/// Seconds by which two clocks may differ.
const AGREED: i64 = 60;
/// Seconds a token should still have.
const ENOUGH: i64 = 600;
/// What the API's pages show in a row, and around the rows.
const ROW: [&str; 12] = [
    "admin_id",
    "created_at",
    "deleted_at",
    "id",
    "imba_id",
    "is_public",
    "name",
    "pipe",
    "status",
    "tab",
    "type",
    "updated_at",
];
const ENVELOPE: [&str; 4] = ["code", "data", "message", "success"];

/// An outside that was looked at.
#[derive(Default)]
pub(super) struct Outside {
    pub(super) http: Option<Http>,
    pub(super) sandbox: Option<Sandbox>,
    pub(super) reader: Option<Reader>,
    pub(super) survey: Option<ListSurvey>,
}

/// Looks at the server of a site, step by step.
pub(super) async fn look(
    config: &Config,
    site: Option<&ResolvedTarget>,
    steps: &mut Vec<Step>,
) -> Outside {
    let mut outside = Outside::default();
    let mut knock = None;
    if let Some(site) = site {
        match connect(config, site).await {
            Ok((http, sandbox)) => {
                knock = Some(http.knock(site.target.widget).await);
                outside.http = Some(http);
                outside.sandbox = sandbox;
            }
            Err(error) => steps.push(failed("connection", &error)),
        }
    }
    let started = site.is_none() || outside.http.is_some();
    if started {
        steps.push(connection(knock.as_ref()));
    }
    steps.push(tls(site, knock.as_ref()));
    steps.push(clock(knock.as_ref()));
    let auth = read_auth(config);
    let answers = matches!(&knock, Some(Ok(knock)) if knock.redirected.is_none());
    let mut list = None;
    if let (true, Some(site), Some(http), Ok(auth)) = (answers, site, &outside.http, &auth) {
        let reader = Reader::new(http.clone(), site.target.widget, auth.clone());
        list = Some(reader.survey(&dice()).await);
        outside.reader = Some(reader);
    }
    let unread = (config.credentials).troubled(&["IMBACHAT_SECRET_KEY", "IMBACHAT_JWT"]);
    steps.push(match &auth {
        Err(_) if unread => Step::skipped("credentials", "needs `settings`"),
        auth => {
            let open = matches!(&knock, Some(Ok(knock)) if knock.open);
            credentials(auth, list.as_ref(), open)
        }
    });
    let read = list.as_ref().is_some_and(Result::is_ok);
    steps.push(token(config, auth.as_ref().ok(), read));
    steps.push(self::answers(list.as_ref()));
    outside.survey = list.and_then(Result::ok);
    outside
}

fn connection(knock: Option<&Result<Reachability, Failure>>) -> Step {
    const NAME: &str = "connection";
    match knock {
        None => Step::skipped(NAME, "needs `address`"),
        Some(Err(failure)) if failure.cause == Some(Cause::Tls) => {
            Step::ok(NAME, "somebody answers; see `tls`")
        }
        Some(Err(failure)) => failure_of(NAME, failure),
        Some(Ok(knock)) => match &knock.redirected {
            Some(failure) => failure_of(NAME, failure),
            None if knock.open => {
                let message = "a call without credentials gets the list: whoever asks may read it";
                let remedy = "check --api-url; if it is right, tell whoever runs that server";
                Step::warning(NAME, message, remedy)
            }
            None => Step::ok(
                NAME,
                format!("HTTP {} to a call without credentials", knock.status),
            ),
        },
    }
}

fn failure_of(name: &'static str, failure: &Failure) -> Step {
    Step::failed(name, &failure.message, failure.hint.clone())
}

fn tls(site: Option<&ResolvedTarget>, knock: Option<&Result<Reachability, Failure>>) -> Step {
    const NAME: &str = "tls";
    let Some(site) = site else {
        return Step::skipped(NAME, "needs `address`");
    };
    if !site.target.origin.starts_with("https:") {
        return Step::skipped(NAME, "plain http, which is not encrypted");
    }
    match knock {
        Some(Ok(_)) => Step::ok(NAME, "the server is who its certificate says"),
        Some(Err(failure)) if failure.cause == Some(Cause::Tls) => failure_of(NAME, failure),
        _ => Step::skipped(NAME, "needs `connection`"),
    }
}

fn clock(knock: Option<&Result<Reachability, Failure>>) -> Step {
    const NAME: &str = "clock";
    let knock = match knock {
        Some(Ok(knock)) => knock,
        Some(Err(failure)) if failure.cause == Some(Cause::Tls) => {
            return Step::skipped(NAME, "needs `tls`");
        }
        _ => return Step::skipped(NAME, "needs `connection`"),
    };
    let Some(date) = knock.date else {
        return Step::skipped(NAME, "the server does not say what time it is");
    };
    let ahead = Timestamp::now().as_second() - date.as_second();
    if ahead.abs() <= AGREED {
        return Step::ok(NAME, "agrees with the server's to a minute");
    }
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    let message = format!(
        "this machine's clock is {} {side} the server's",
        about(ahead)
    );
    let remedy =
        "set it by NTP: tokens made here expire by it, and entries of ledgers are ordered by it";
    Step::warning(NAME, message, remedy)
}

/// A number of seconds as people say it.
fn about(seconds: i64) -> String {
    let seconds = usize::try_from(seconds.unsigned_abs()).unwrap_or(usize::MAX);
    let (count, noun) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("about {}", Count(count, noun))
}

fn credentials(
    auth: &Result<ReadAuth, Error>,
    list: Option<&Result<ListSurvey, Failure>>,
    open: bool,
) -> Step {
    const NAME: &str = "credentials";
    let auth = match auth {
        Ok(auth) => auth,
        Err(error) => return failed(NAME, error),
    };
    match list {
        None => Step::skipped(NAME, "needs `connection` and `tls`"),
        Some(Ok(_)) if open => Step::skipped(NAME, "the server asks for none; see `connection`"),
        Some(Ok(_)) => Step::ok(NAME, format!("the server accepts {}", words(auth))),
        Some(Err(failure)) if is_denied(failure) => failure_of(NAME, failure),
        Some(Err(_)) => Step::skipped(NAME, "the answer does not tell; see `answers`"),
    }
}

fn is_denied(failure: &Failure) -> bool {
    failure.denied || matches!(failure.cause, Some(Cause::Status(403) | Cause::Body(403)))
}

fn words(auth: &ReadAuth) -> String {
    match auth {
        ReadAuth::Secret(_) => "the widget's secret key".to_owned(),
        ReadAuth::Jwt(_) => "the JWT".to_owned(),
        ReadAuth::Minted {
            user: UserId(user), ..
        } => format!("a JWT made from the secret key for user {user}"),
    }
}

fn token(config: &Config, auth: Option<&ReadAuth>, read: bool) -> Step {
    const NAME: &str = "token";
    let given = match auth {
        Some(ReadAuth::Minted { .. }) => {
            return Step::ok(NAME, "made anew for each request; each lasts an hour");
        }
        Some(ReadAuth::Jwt(token)) => token,
        _ if config.credentials.jwt.is_some() => {
            return Step::skipped(
                NAME,
                "IMBACHAT_JWT is set, and the secret key goes before it",
            );
        }
        _ => return Step::skipped(NAME, "no JWT is used"),
    };
    let Some(expires) = expiry(given) else {
        return Step::ok(NAME, "it does not say when it expires");
    };
    let left = expires.as_second() - Timestamp::now().as_second();
    let remedy = "put a new one into IMBACHAT_JWT, or use the secret key with --jwt-user";
    match left {
        ..=0 if read => {
            let message = format!(
                "expired {} ago by this machine's clock, and accepted all the same",
                about(left)
            );
            Step::warning(NAME, message, remedy)
        }
        ..=0 => {
            let message = format!("expired {} ago", about(left));
            Step::failed(NAME, message, Some(remedy.to_owned()))
        }
        1..ENOUGH => Step::warning(NAME, format!("expires in {}", about(left)), remedy),
        _ => Step::ok(NAME, format!("expires in {}", about(left))),
    }
}

fn answers(list: Option<&Result<ListSurvey, Failure>>) -> Step {
    const NAME: &str = "answers";
    let survey = match list {
        None => return Step::skipped(NAME, "needs `connection` and `credentials`"),
        Some(Err(failure)) if is_denied(failure) => {
            return Step::skipped(NAME, "needs `credentials`");
        }
        Some(Err(failure)) => return failure_of(NAME, failure),
        Some(Ok(survey)) => survey,
    };
    let mut odd = Vec::new();
    let known = |keys: &[&str], key: &str| keys.contains(&key);
    let rows = survey.row_keys.iter().filter(|(key, _)| !known(&ROW, key));
    odd.extend(rows.map(|(key, count)| {
        format!(
            "unknown field {} in {}",
            super::quoted(key),
            Count(*count, "row")
        )
    }));
    let around = survey
        .envelope_keys
        .iter()
        .filter(|key| !known(&ENVELOPE, key));
    odd.extend(around.map(|key| format!("unknown field {} beside the rows", super::quoted(key))));
    let total = survey.rooms.len();
    let missing = ROW.iter().filter(|key| {
        survey
            .row_keys
            .get(**key)
            .is_none_or(|count| *count < total)
    });
    odd.extend(missing.filter(|_| total > 0).map(|key| {
        let count = total - survey.row_keys.get(*key).copied().unwrap_or_default();
        format!("no field `{key}` in {}", Count(count, "row"))
    }));
    if survey.foreign > 0 {
        odd.push(format!(
            "{} of another widget",
            Count(survey.foreign, "row")
        ));
    }
    let found = Count(total, "row");
    if odd.is_empty() {
        return Step::ok(NAME, format!("{found} of the shape the API's pages show"));
    }
    let message = format!("{found}, not all of the shape the API's pages show");
    let remedy = "nothing, if plans look right: what roomform needs is there; tell its authors";
    Step::warning(NAME, message, remedy).with(odd)
}
