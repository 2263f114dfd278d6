//! Unreadable lists: `plan` and `apply` fail the same way, with exit code 1, before anything is written.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use roomform::sandbox::Quirks;

use super::{BASIC, EMPTY_LIST, JWT, LOGIN, MANIFEST, PASSWORD, SECRET_KEY};
use super::{redacted_output, scene_at, writes};
use crate::support::{Canned, Scene, Shows, answer, json};

/// The common output of `plan` and `apply --yes` in this directory. Neither may leave files.
#[track_caller]
fn both(scene: &Scene, args: &[&str], hosts: &[(&str, &str)]) -> String {
    let before = scene.files();
    let with = |verb: &[&str]| scene.run([verb, args].concat());
    let (planned, applied) = std::thread::scope(|scope| {
        let planned = scope.spawn(|| with(&["plan"]));
        let applied = with(&["apply", "--yes"]);
        (planned.join().unwrap(), applied)
    });
    assert_eq!(planned, applied);
    assert_eq!(scene.files(), before, "a run that fails leaves no trace");
    redacted_output(&planned, hosts)
}

/// Like [`both`], against this server, which must get no write.
#[track_caller]
fn against(server: &Canned) -> String {
    let text = both(
        &scene_at(&server.url()),
        &[],
        &[(&server.url(), "http://api")],
    );
    assert!(server.served() >= 2 && writes(server).is_empty());
    text
}

fn answered(status: &str, body: &str) -> String {
    against(&Canned::answer(status, "", body))
}

// rejected requests

/// The output of `plan` and `apply --yes` for a sandbox that rejects these credentials. Neither
/// command may change the sandbox.
#[track_caller]
fn shut_out(quirks: Quirks, vars: &[(&str, &str)]) -> String {
    let scene = vars.iter().fold(
        Scene::new().manifest(MANIFEST).sandbox_with_quirks(quirks),
        |scene, (name, value)| scene.env(name, value),
    );
    let text = both(&scene, &[], &[]);
    assert!(scene.rooms().is_empty());
    assert_eq!(
        (scene.stats().get_rooms, scene.writes()),
        (2, 0),
        "asked once by each"
    );
    text
}

#[test]
fn a_wrong_secret_key_is_reported() {
    let wrong = [("IMBACHAT_SECRET_KEY", SECRET_KEY)];
    assert_snapshot!(shut_out(Quirks::default(), &wrong), @"
    exit 1
    error: the server does not accept the widget's secret key (HTTP 401): the widget's number or its secret key is wrong
      hint: check IMBACHAT_WIDGET and IMBACHAT_SECRET_KEY: both are shown in the widget's settings
    ");
}

#[test]
fn a_wrong_secret_key_refused_with_http_200_is_reported() {
    let quirks = Quirks {
        errors_with_200: true,
        ..Quirks::default()
    };
    assert_snapshot!(shut_out(quirks, &[("IMBACHAT_SECRET_KEY", SECRET_KEY)]), @"
    exit 1
    error: the server does not accept the widget's secret key (code 401 with HTTP 200): the widget's number or its secret key is wrong
      hint: check IMBACHAT_WIDGET and IMBACHAT_SECRET_KEY: both are shown in the widget's settings
    ");
}

#[test]
fn an_invalid_token_is_reported() {
    let token = [("IMBACHAT_SECRET_KEY", ""), ("IMBACHAT_JWT", "Uv94")];
    let text = shut_out(Quirks::default(), &token);
    text.lacks("Uv94");
    assert_snapshot!(text, @"
    exit 1
    error: the server does not accept the JWT (HTTP 401): the widget's number or its secret key is wrong
      hint: check IMBACHAT_JWT: it may have expired, or be signed with another widget's key
    ");
}

#[test]
fn a_refused_call_is_reported() {
    let body = r#"{"message":"The given data was invalid.","errors":{"imba_id":["The imba id field is required."]}}"#;
    assert_snapshot!(answered("422 Unprocessable Entity", body), @"
    exit 1
    error: the server rejects the request (HTTP 422): The imba id field is required; The given data was invalid
    ");
    assert_snapshot!(answered("404 Not Found", r#"{"code":404,"message":"no widget"}"#), @"
    exit 1
    error: the server does not know this address (HTTP 404): no widget
      hint: check --api-url
    ");
    assert_snapshot!(answered("418 I'm a teapot", ""), @"
    exit 1
    error: the server rejects the call (HTTP 418)
    ");
}

#[test]
fn errors_with_http_200_are_reported() {
    assert_snapshot!(answered("200 OK", r#"{"code":401,"error":"bad key"}"#), @"
    exit 1
    error: the server does not accept the widget's secret key (code 401 with HTTP 200): bad key
      hint: check IMBACHAT_WIDGET and IMBACHAT_SECRET_KEY: both are shown in the widget's settings
    ");
    assert_snapshot!(answered("200 OK", r#"{"code":422,"error":"imba_id is required"}"#), @"
    exit 1
    error: the server rejects the request (code 422 with HTTP 200): imba_id is required
    ");
    assert_snapshot!(answered("200 OK", r#"{"errors":["no such widget","or no right"]}"#), @"
    exit 1
    error: the server rejects the call (an error with HTTP 200): no such widget; or no right
    ");
    assert_snapshot!(answered("200 OK", r#"{"errorMsg":"try the other door"}"#), @"
    exit 1
    error: the server rejects the call (an error with HTTP 200): try the other door
    ");
    assert_snapshot!(answered("200 OK", r#"{"success":"false","data":[]}"#), @"
    exit 1
    error: the server rejects the call (an error with HTTP 200): the server gave no reason
    ");
}

// invalid answers

#[test]
fn an_html_page_is_reported() {
    let page = "<html><body>Bad Gateway</body></html>";
    assert_snapshot!(answered("502 Bad Gateway", page), @"
    exit 1
    error: the server failed (HTTP 502)
    ");
    let login = r#"<!doctype html><script>let state = {"data":[1]}</script>"#;
    assert_snapshot!(answered("200 OK", login), @"
    exit 1
    error: the server's answer cannot be used: the answer is HTML, not JSON
      hint: check --api-url; a proxy or a login page may have answered instead of the API
    ");
}

#[test]
fn an_empty_answer_is_reported() {
    assert_snapshot!(answered("200 OK", ""), @"
    exit 1
    error: the server's answer cannot be used: the answer is empty
      hint: check --api-url; a proxy or a login page may have answered instead of the API
    ");
}

#[test]
fn an_answer_without_a_list_is_reported() {
    assert_snapshot!(answered("200 OK", "[]"), @"
    exit 1
    error: the server's answer cannot be used: the answer is JSON, but not an object
      hint: check --api-url; a proxy or a login page may have answered instead of the API
    ");
    assert_snapshot!(answered("200 OK", r#"{"success":"true","code":200}"#), @"
    exit 1
    error: the server's answer cannot be used: the answer has no list under `data`
      hint: check --api-url; a proxy or a login page may have answered instead of the API
    ");
}

#[test]
fn a_truncated_list_is_reported() {
    let (cut, _) = EMPTY_LIST.split_at(EMPTY_LIST.len() - 12);
    assert_snapshot!(answered("200 OK", cut), @"
    exit 1
    error: the server's answer cannot be used: the answer is cut off before its end
      hint: check --api-url; a proxy or a login page may have answered instead of the API
    ");
    let promised = String::from_utf8(json(EMPTY_LIST)).unwrap();
    let server = Canned::raw(&promised[..promised.len() - 12]);
    assert_snapshot!(against(&server), @"
    exit 1
    error: the connection was lost: error decoding response body: request or response body error: error reading a body from connection: end of file before message length reached
      hint: check --api-url, the network and the proxy settings
    ");
    assert_eq!(server.served(), 8, "four tries of each");
}

#[test]
fn a_connection_closed_without_an_answer_is_reported() {
    assert_snapshot!(against(&Canned::raw("")), @"
    exit 1
    error: the connection was lost: error sending request: client error (SendRequest): connection closed before message completed
      hint: check --api-url, the network and the proxy settings
    ");
}

#[test]
fn a_server_that_never_answers_is_reported() {
    // The operating system accepts the connection, but no program reads from it.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let text = both(
        &scene_at(&url),
        &["--timeout", "200ms"],
        &[(&url, "http://api")],
    );
    assert_snapshot!(text, @"
    exit 1
    error: no answer within 0.2 s: error sending request: operation timed out
      hint: check --api-url, the network and the proxy settings, or raise --timeout
    ");
}

// connection failures

#[test]
fn a_refused_connection_is_reported() {
    // Binding reserves the port, and nothing listens on it.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let url = format!("http://{}", taken.local_addr().unwrap());
    let text = both(&scene_at(&url), &[], &[(&url, "http://api")]);
    let start = "exit 1\nerror: no connection to http://api: ";
    text.begins(start);
    text.ends("\n  hint: check --api-url, the network and the proxy settings\n");
}

#[test]
fn an_unknown_host_is_reported() {
    let text = both(&scene_at("https://something.invalid"), &[], &[]);
    let start = "exit 1\nerror: no connection to https://something.invalid: ";
    text.begins(start).shows("dns error");
}

#[test]
fn credentials_are_not_sent_to_an_insecure_address() {
    assert_snapshot!(both(&scene_at("http://192.0.2.1"), &[], &[]), @"
    exit 1
    error: invalid API address: plain http would send the credentials unencrypted
      hint: use https, or pass --allow-insecure-http to send them anyway
    ");
    let with_user = scene_at(&format!("https://{LOGIN}:{PASSWORD}@host.invalid"));
    assert_snapshot!(both(&with_user, &[], &[]), @"
    exit 1
    error: invalid API address: it has a user, a password, a query or a fragment
      hint: remove these parts; credentials are read from the environment
    ");
    let with_query = scene_at(&format!("https://host.invalid?key={SECRET_KEY}"));
    assert_snapshot!(both(&with_query, &[], &[]), @"
    exit 1
    error: invalid API address: it has a user, a password, a query or a fragment
      hint: remove these parts; credentials are read from the environment
    ");
    assert_snapshot!(both(&scene_at(SECRET_KEY), &[], &[]), @"
    exit 1
    error: invalid API address: relative URL without a base
      hint: write it as https://host
    ");
    assert_snapshot!(both(&scene_at("ftp://host.invalid"), &[], &[]), @"
    exit 1
    error: invalid API address: it is neither https nor http
      hint: write it as https://host
    ");
}

#[test]
fn the_address_flag_overrides_the_environment() {
    let server = Canned::raw(json(EMPTY_LIST));
    let scene = scene_at("http://192.0.2.1");
    scene.run(["plan", "--api-url", &server.url()]).ok();
    assert_eq!(server.served(), 1);
}

// redirects

#[test]
fn a_redirect_is_never_followed() {
    let elsewhere = Canned::raw(json(EMPTY_LIST));
    let location = format!("Location: {}/login?token=Uv94#Uv94\r\n", elsewhere.url());
    for status in [301, 302, 303, 307, 308] {
        let server = Canned::answer(&format!("{status} Moved"), &location, "");
        let text = against(&server).replace(&elsewhere.url(), "http://elsewhere");
        assert_eq!(
            text,
            format!(
                "exit 1\n\
                 error: the server redirects to `http://elsewhere/login` (HTTP {status}); nothing was sent there\n  \
                 hint: if you trust that address, give its origin with --api-url\n"
            )
        );
        assert_eq!(server.served(), 2, "no use in trying again");
    }
    assert_eq!(elsewhere.served(), 0);
}

// server messages

#[test]
fn secrets_are_hidden_if_the_server_repeats_them() {
    let repeated = |secret: &str| format!(r#"{{"code":403,"error":"no right for {secret}!"}}"#);
    let refused = "exit 1\nerror: the server does not accept the widget's secret key (HTTP 403): no right for";
    // `627:` is not secret, so its Base64 is shown.
    for (secret, shown) in [(SECRET_KEY, "***!"), (BASIC, "NjI3Om***!")] {
        let text = answered("403 Forbidden", &repeated(secret));
        text.begins(format!("{refused} {shown}\n"));
    }
    let server = Canned::answer("403 Forbidden", "", &repeated(JWT));
    let scene = scene_at(&server.url())
        .env("IMBACHAT_SECRET_KEY", "")
        .env("IMBACHAT_JWT", JWT);
    let text = both(&scene, &[], &[]);
    text.shows("does not accept the JWT (HTTP 403): no right for ***!");
    let location = format!("Location: /{SECRET_KEY}/\r\n");
    let text = against(&Canned::answer("302 Found", &location, ""));
    assert!(text.contains("redirects to `/***/`"), "{text}");
}

#[test]
fn a_secret_at_the_cut_of_a_long_text_is_hidden() {
    for before in 290..=300 {
        let long = format!("{}{SECRET_KEY}{}", "x".repeat(before), "y".repeat(50));
        let body = format!(r#"{{"code":403,"error":"{long}"}}"#);
        let server = Canned::answer("403 Forbidden", "", &body);
        let ran = scene_at(&server.url()).run("plan");
        ran.exits(1);
        let (start, _) = SECRET_KEY.split_at(4);
        ran.err.shows("xxx").lacks(start);
    }
}

#[test]
fn text_of_the_server_cannot_control_the_terminal() {
    let body = r#"{"code":403,"error":"\u001b[2J\u001b]0;title\u0007\u202eevil\u200b\u009b31m\nerror: fake"}"#;
    let text = answered("403 Forbidden", body);
    assert_snapshot!(text, @r"
    exit 1
    error: the server does not accept the widget's secret key (HTTP 403): \u{1b}[2J\u{1b}]0;title\u{7}\u{202e}evil\u{200b}\u{9b}31m\u{a}error: fake
      hint: check IMBACHAT_WIDGET and IMBACHAT_SECRET_KEY: both are shown in the widget's settings
    ");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
}

// retries

#[test]
fn a_list_is_requested_again_after_425() {
    let asked = std::sync::Mutex::new(Vec::new());
    let asked = std::sync::Arc::new(asked);
    let noted = std::sync::Arc::clone(&asked);
    let server = Canned::by(move |_| {
        let mut asked = noted.lock().unwrap();
        asked.push(Instant::now());
        match asked.len() {
            1 => answer(
                "429 Too Many Requests",
                "Retry-After: 1\r\n",
                r#"{"message":"Too Many Attempts."}"#,
            ),
            2 => answer("503 Service Unavailable", "Retry-After: 0\r\n", ""),
            _ => json(EMPTY_LIST),
        }
    });
    let out = scene_at(&server.url()).run("plan").ok();
    out.shows("plan: 1 to create, 2 members to add");
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 3);
    assert!(
        asked[1] - asked[0] >= Duration::from_secs(1),
        "not before the time the server named"
    );
}

#[test]
fn a_list_that_always_gets_425_fails() {
    let body = r#"{"message":"Too Many Attempts."}"#;
    let server = Canned::answer("429 Too Many Requests", "Retry-After: 0\r\n", body);
    assert_snapshot!(against(&server), @"
    exit 1
    error: the server asks roomform to slow down (HTTP 429): Too Many Attempts
      hint: lower --parallelism, or set --rate
    ");
    assert_eq!(server.served(), 20, "ten tries of each");
}
