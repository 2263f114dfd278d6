//! Checks the server: whether it answers, its certificate and clock, and whether it accepts the credentials.

use jiff::Timestamp;

use super::{Finding, Report, quoted};
use crate::imbachat::{
    Cause, Dice, ENVELOPE, Failure, Http, ListSurvey, Reachability, ReadAuth, Reader, expiry,
};
use crate::model::{Count, Listing, Target};

/// Maximum difference between the clocks, in seconds.
const CLOCK_TOLERANCE: i64 = 60;
/// Minimum remaining lifetime of a token, in seconds.
const TOKEN_LIFE: i64 = 600;

/// Adds the checks of a server. If its list could be read, returns the list and the reader.
///
/// `http` and `auth` are the client and the credentials for reading. If one of them is missing,
/// its `Err` has the finding that says why. For the client, `Err` also has the name of the
/// check.
pub async fn check_server(
    report: &mut Report,
    target: Option<&Target>,
    http: Result<&Http, (&str, Finding)>,
    auth: Result<ReadAuth, Finding>,
    is_jwt_set: bool,
    dice: &Dice,
) -> Option<(Reader, ListSurvey)> {
    let mut knock = None;
    let mut list = None;
    let mut reader = None;
    if let (Some(target), Ok(http)) = (target, &http) {
        let knocked = http.knock(target.widget).await;
        let answers = matches!(&knocked, Ok(knock) if knock.redirected.is_none());
        if let (true, Ok(auth)) = (answers, &auth) {
            let new = Reader::new((*http).clone(), target.widget, auth.clone());
            list = Some(new.survey(dice).await);
            reader = Some(new);
        }
        knock = Some(knocked);
    }
    let (connection, tls) = match (http, &knock) {
        (Err(("tls", finding)), _) => (Finding::skipped("needs `tls`"), finding),
        (Err((_, finding)), _) => (finding, tls(target, None)),
        (Ok(_), None) => (Finding::skipped("needs `address`"), tls(target, None)),
        (Ok(http), Some(knock)) => (connection(knock, &http.route()), tls(target, Some(knock))),
    };
    report.add("connection", connection);
    report.add("tls", tls);
    report.add("clock", clock(knock.as_ref()));
    let is_open = matches!(&knock, Some(Ok(knock)) if knock.open);
    report.add("credentials", credentials(&auth, list.as_ref(), is_open));
    let is_read = matches!(list, Some(Ok(_)));
    report.add("token", token(auth.ok().as_ref(), is_jwt_set, is_read));
    report.add("answers", answers(list.as_ref()));
    Some((reader?, list?.ok()?))
}

fn connection(knock: &Result<Reachability, Failure>, route: &str) -> Finding {
    let knock = match knock {
        Err(failure) if failure.cause == Some(Cause::Tls) => {
            return Finding::ok("the server answers; see `tls`");
        }
        Err(failure) => return failure.into(),
        Ok(knock) => knock,
    };
    if let Some(failure) = &knock.redirected {
        return failure.into();
    }
    if knock.open {
        let message = "a call without credentials gets the list: anyone can read it";
        let remedy = "check --api-url; if it is right, tell the server's operator";
        return Finding::warning(message, remedy);
    }
    let status = knock.status;
    Finding::ok(format!(
        "the server answers HTTP {status} to a call without credentials{route}"
    ))
}

fn tls(target: Option<&Target>, knock: Option<&Result<Reachability, Failure>>) -> Finding {
    match (target, knock) {
        (None, _) => Finding::skipped("needs `address`"),
        (Some(target), _) if !target.origin.starts_with("https:") => {
            Finding::skipped("plain http, which is not encrypted")
        }
        (_, Some(Ok(_))) => Finding::ok("the certificate is valid for this server"),
        (_, Some(Err(failure))) if failure.cause == Some(Cause::Tls) => failure.into(),
        _ => Finding::skipped("needs `connection`"),
    }
}

fn clock(knock: Option<&Result<Reachability, Failure>>) -> Finding {
    let date = match knock {
        Some(Ok(knock)) => knock.date,
        Some(Err(failure)) if failure.cause == Some(Cause::Tls) => {
            return Finding::skipped("needs `tls`");
        }
        _ => return Finding::skipped("needs `connection`"),
    };
    let Some(date) = date else {
        return Finding::skipped("the server's answer has no date");
    };
    let ahead = Timestamp::now().as_second() - date.as_second();
    if ahead.abs() <= CLOCK_TOLERANCE {
        return Finding::ok("this machine's clock is within a minute of the server's");
    }
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    let ahead = duration(ahead);
    Finding::warning(
        format!("this machine's clock is {ahead} {side} the server's"),
        "set it with NTP: tokens and ledger entries depend on it",
    )
}

/// Formats seconds roughly, in the largest unit that fits.
fn duration(seconds: i64) -> String {
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
    auth: &Result<ReadAuth, Finding>,
    list: Option<&Result<ListSurvey, Failure>>,
    is_open: bool,
) -> Finding {
    match (auth, list) {
        (Err(finding), _) => finding.clone(),
        (_, None) => Finding::skipped("needs `connection` and `tls`"),
        (_, Some(Ok(_))) if is_open => {
            Finding::skipped("the server requires no credentials; see `connection`")
        }
        (_, Some(Err(failure))) if lacks_access(failure) => failure.into(),
        (_, Some(Err(_))) => Finding::skipped(
            "the answer does not show whether the credentials are valid; see `answers`",
        ),
        (Ok(ReadAuth::Secret(_)), _) => Finding::ok("the server accepts the widget's secret key"),
        (Ok(ReadAuth::Jwt(_)), _) => Finding::ok("the server accepts the JWT"),
        (Ok(ReadAuth::Minted { user, .. }), _) => {
            let jwt = "a JWT signed with the secret key";
            Finding::ok(format!("for user {user}, the server accepts {jwt}"))
        }
    }
}

fn lacks_access(failure: &Failure) -> bool {
    failure.is_denied() || matches!(failure.cause, Some(Cause::Status(403) | Cause::Body(403)))
}

fn token(auth: Option<&ReadAuth>, is_jwt_set: bool, is_read: bool) -> Finding {
    let token = match auth {
        Some(ReadAuth::Minted { .. }) => {
            return Finding::ok("a new JWT is signed for each request, and is valid for an hour");
        }
        Some(ReadAuth::Jwt(token)) => token,
        _ if is_jwt_set => {
            return Finding::skipped("IMBACHAT_JWT is set, but the secret key is used");
        }
        _ => return Finding::skipped("no JWT is used"),
    };
    let Some(expires) = expiry(token) else {
        return Finding::ok("the JWT has no expiry time");
    };
    let left = expires.as_second() - Timestamp::now().as_second();
    let about = duration(left);
    let remedy = "put a new JWT into IMBACHAT_JWT, or use the secret key with --read-as";
    if left >= TOKEN_LIFE {
        Finding::ok(format!("expires in {about}"))
    } else if left > 0 {
        Finding::warning(format!("expires in {about}"), remedy)
    } else if is_read {
        let message = format!(
            "by this machine's clock, the JWT expired {about} ago, but the server still accepts it"
        );
        Finding::warning(message, remedy)
    } else {
        Finding::failed(format!("expired {about} ago"), remedy)
    }
}

fn answers(list: Option<&Result<ListSurvey, Failure>>) -> Finding {
    let survey = match list {
        None => return Finding::skipped("needs `connection` and `credentials`"),
        Some(Err(failure)) if lacks_access(failure) => {
            return Finding::skipped("needs `credentials`");
        }
        Some(Err(failure)) => return failure.into(),
        Some(Ok(survey)) => survey,
    };
    let (total, documented) = (survey.rooms.len(), Listing::Rooms.documented_fields());
    let mut cases = Vec::new();
    for (key, count) in &survey.row_keys {
        if !documented.contains(&key.as_str()) {
            let rows = Count(*count, "row");
            cases.push(format!("unknown field {} in {rows}", quoted(key)));
        }
    }
    for key in &survey.envelope_keys {
        if !ENVELOPE.contains(&key.as_str()) {
            cases.push(format!("unknown field {} outside the rows", quoted(key)));
        }
    }
    for key in documented {
        let missing = total - survey.row_keys.get(key).copied().unwrap_or_default();
        if missing > 0 {
            cases.push(format!("no field `{key}` in {}", Count(missing, "row")));
        }
    }
    if survey.foreign > 0 {
        let rows = Count(survey.foreign, "row");
        cases.push(format!("{rows} of another widget"));
    }
    let rows = Count(total, "row");
    let ok = format!("{rows}; the answer is exactly as documented");
    let message = format!("{rows}; the answer is not exactly as documented");
    let remedy = "no action is needed if plans look right, but please report the difference";
    Finding::cases(cases, &ok, message, remedy)
}
