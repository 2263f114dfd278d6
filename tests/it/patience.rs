//! A server that asks the client to try again later: the user sees how long the program waits,
//! and why.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Canned, Scene, answer};

/// A server that asks for a delay of one second before its first answer, then answers with `body`.
fn busy(body: &'static str) -> (Canned, Scene) {
    let asked = AtomicUsize::new(0);
    let server = Canned::by(move |request| {
        // doctor's first call has no credentials and is not retried.
        let knock = !request.to_lowercase().contains("authorization:");
        let busy = !knock && asked.fetch_add(1, Ordering::SeqCst) == 0;
        let (status, body) = match busy {
            true => ("429 Too Many Requests\r\nRetry-After: 1", ""),
            false => ("200 OK", body),
        };
        answer(status, "", body)
    });
    let scene = Scene::new()
        .at(&server.url())
        .env("IMBACHAT_WIDGET", "627")
        .env("IMBACHAT_SECRET_KEY", "key-Zx81");
    (server, scene)
}

const LIST: &str = r#"{"success":"true","data":[],"code":200}"#;
const SENT: &str = r#"{"success":true,"message":{"id":4543}}"#;
const WAITING: &str = "waiting 1 s, as the server requested\n";

#[test]
fn a_wait_that_the_server_asks_for_is_reported() {
    let (_server, scene) = busy(LIST);
    assert_eq!(scene.run("get rooms").err, format!("{WAITING}0 rooms\n"));
    let (_server, scene) = busy(LIST);
    let doctor = scene.run("doctor --format json");
    assert_eq!(doctor.err, WAITING, "{doctor:?}");
    assert_eq!(doctor.json()["kind"], "doctor");
    let (_server, scene) = busy(SENT);
    let send = "send --user 3 --room-id 613 hello";
    assert_eq!(scene.run(send).err, WAITING);
}

#[test]
fn a_wait_is_logged_in_the_requested_format() {
    let (_server, scene) = busy(LIST);
    assert_eq!(scene.run("get rooms -q").err, "", "quietly");
    let (_server, scene) = busy(LIST);
    let json = scene.run("get rooms --log-format json").err;
    let line: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(line["level"], "warn");
    assert_eq!(line["message"], "the server asked to wait");
    assert_eq!(line["fields"]["seconds"], 1);
    let (_server, scene) = busy(LIST);
    let log = scene.run("get rooms -v").err;
    assert_eq!(
        log.matches("warn: imbachat: the server asked to wait  seconds=1")
            .count(),
        1,
        "{log}"
    );
    assert!(!log.contains("waiting"), "once: {log}");
}
