//! Tokens for reading: given, or made from the secret key with `--jwt-user`.

use insta::assert_snapshot;
use roomform::imbachat::expiry;
use roomform::sandbox::Config;
use secrecy::SecretString;

use crate::support::{Api, Canned, Dir};

const MANIFEST: &str = "version: 1\nrooms:\n  - {pipe: team-a, title: Team A, members: [3, 4]}\n";
const EMPTY_LIST: &str = r#"{"success":"true","data":[],"code":200}"#;
/// Signed with the sandbox's key; over since 2023.
const EXPIRED: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3MDAwMDAwMDAsInVzZXJfaWQiOjF9.dw2hV-pAQRIIa7b8zeF4EVqP1exhKJG_bd_C8SmYyik";

fn at(url: &str, key: &str) -> Dir {
    Dir::with(MANIFEST)
        .env("IMBACHAT_API_URL", url)
        .env("IMBACHAT_WIDGET", "627")
        .env("IMBACHAT_SECRET_KEY", key)
}

fn header(request: &str, name: &str) -> Option<String> {
    request.lines().find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then(|| value.to_owned())
    })
}

#[test]
fn every_reading_verb_reads_with_a_token_that_the_sandbox_accepts() {
    let api = Api::start(Config::default());
    let dir = Dir::with(MANIFEST).envs(&api.env());
    let user = ["--jwt-user", "7"];
    let read = |args: &[&str]| dir.run(&[args, &user].concat()).ok();
    assert_eq!(read(&["plan"]), dir.run(&["plan"]).ok());
    read(&["apply", "--yes"]);
    assert_eq!(read(&["export"]), dir.run(&["export"]).ok());
    read(&["plan", "--detailed-exitcode"]);
    // Users are listed with the key only, and it is at hand.
    let users = dir.run(&[&["get", "users"], &user[..]].concat());
    assert_eq!(users.code, 0, "{users:?}");
    assert_eq!(
        users.err.lines().next(),
        Some("warning: users are listed to the secret key only: --jwt-user is not used")
    );
    read(&["plan", "--check-users"]);
    assert_eq!(api.room("team-a").members, [3, 4].into());
    dir.run(&["plan", "--sandbox", "--jwt-user", "7"]).ok();
}

#[test]
fn the_key_stays_at_home_and_the_token_lasts_an_hour() {
    let server = Canned::answer("200 OK", "", EMPTY_LIST);
    at(&server.url(), "secret_key")
        .env("IMBACHAT_JWT", EXPIRED)
        .run(&["plan", "--jwt-user", "7"])
        .ok();
    let request = server.requests().remove(0);
    assert_eq!(header(&request, "authorization"), None);
    let token = header(&request, "jwt").unwrap();
    assert!(
        token.starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."),
        "{token}"
    );
    let left = expiry(&SecretString::from(token)).unwrap().as_second()
        - jiff::Timestamp::now().as_second();
    assert!((3_500..=3_600).contains(&left), "{left}");
}

#[test]
fn what_is_said_when_it_is_refused_and_when_there_is_no_key() {
    let api = Api::start(Config::default());
    let url = api.env().swap_remove(0).1;
    let said = |dir: Dir, args: &[&str]| {
        let ran = dir.run(&[&["plan"], args].concat());
        format!("exit {}\n{}", ran.code, ran.all())
    };
    assert_snapshot!(said(at(&url, "another key"), &["--jwt-user", "7"]), @"
    exit 1
    error: the server does not accept the JWT made from the widget's secret key (HTTP 401): the widget's number or its secret key is wrong
      hint: check --jwt-user, IMBACHAT_WIDGET and IMBACHAT_SECRET_KEY, and this machine's clock; without --jwt-user the key itself is sent
    ");
    let unsigned = at(&url, "").env("IMBACHAT_JWT", EXPIRED);
    assert_snapshot!(said(unsigned, &["--jwt-user", "7"]), @"
    exit 1
    error: no credentials for signing a JWT (--jwt-user): IMBACHAT_SECRET_KEY not set
      hint: set them in the environment, or name files with ..._FILE; they are never flags
      hint: --sandbox works without any
    ");
    assert_snapshot!(said(at(&url, "").env("IMBACHAT_JWT", EXPIRED), &[]), @"
    exit 1
    error: the server does not accept the JWT (HTTP 401): the widget's number or its secret key is wrong
      hint: check IMBACHAT_JWT: it may have expired, or be signed with another widget's key
    ");
    assert_eq!(dir_code(&url, "0"), 64);
}

fn dir_code(url: &str, user: &str) -> i32 {
    at(url, "key").run(&["plan", "--jwt-user", user]).code
}

#[test]
fn a_server_that_repeats_the_token_does_not_get_it_out() {
    let echo = |status: &'static str| {
        Canned::by(move |request| {
            let token = header(request, "jwt").unwrap_or_default();
            let body = format!(r#"{{"code":403,"error":"no right for {token}!"}}"#);
            format!("HTTP/1.1 {status}\r\nX-Token: {token}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
        })
    };
    for status in ["403 Forbidden", "200 OK"] {
        let server = echo(status);
        let ran = at(&server.url(), "secret_key").run(&["plan", "-vv", "--jwt-user", "7"]);
        assert_eq!(ran.code, 1, "{ran:#?}");
        let token = header(&server.requests()[0], "jwt").unwrap();
        assert!(!ran.all().contains(&token), "{ran:#?}");
        assert!(ran.err.contains("no right for ***!"), "{ran:#?}");
        assert!(ran.err.contains("JWT made from the secret key"), "{ran:#?}");
    }
}
