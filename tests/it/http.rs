//! The HTTP client: the requests it sends, how it handles bad answers, and what it never does.

mod bounds;
mod connections;
mod http2;
mod network;
mod reading;
mod wire;
mod writing;

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Canned, Ran, Scene, json};

const MANIFEST: &str = "\
version: 1
rooms:
  - {pipe: team-a, title: Team A, members: [3, 4]}
";

/// Credentials that occur nowhere else, so that any leak is noticed.
const SECRET_KEY: &str = "key-Zx81";
const LOGIN: &str = "login-Qw27";
const PASSWORD: &str = "pass-Lm53";
const JWT: &str = "head.Uv94.sign";
/// Base64 of `627:key-Zx81`.
const BASIC: &str = "NjI3OmtleS1aeDgx";

const EMPTY_LIST: &str = r#"{"success":"true","data":[],"code":200}"#;
const LISTED: &str = r#"{"success":"true","data":[{"id":7,"pipe":"team-a","name":"Team A","type":1,"is_public":0,"deleted_at":null}],"code":200}"#;
const WRITTEN: &str =
    r#"{"code":200,"message":"Success","data":[{"success":true,"roomId":7,"room_id":7}]}"#;

/// A directory with the manifest and all credentials for this address.
fn scene_at(url: &str) -> Scene {
    scene_with(MANIFEST, url)
}

fn scene_with(manifest: &str, url: &str) -> Scene {
    Scene::new()
        .manifest(manifest)
        .at(url)
        .env("IMBACHAT_WIDGET", "627")
        .env("IMBACHAT_SECRET_KEY", SECRET_KEY)
        .env("IMBACHAT_LOGIN", LOGIN)
        .env("IMBACHAT_PASSWORD", PASSWORD)
}

/// The output of a run, which must not contain a credential. `hosts` maps addresses to placeholders.
#[track_caller]
fn redacted_output(ran: &Ran, hosts: &[(&str, &str)]) -> String {
    for secret in [SECRET_KEY, LOGIN, PASSWORD, JWT, BASIC] {
        assert!(!ran.all().contains(secret), "{secret}: {ran:#?}");
    }
    let text = format!("exit {}\n{}", ran.code, ran.all());
    hosts
        .iter()
        .fold(text, |text, (host, name)| text.replace(host, name))
}

fn is_write(request: &str) -> bool {
    request.starts_with("POST /imbachat/v1/widget/imba_rooms ")
}

/// The requests that write.
fn writes(server: &Canned) -> Vec<String> {
    server
        .requests()
        .into_iter()
        .filter(|request| is_write(request))
        .collect()
}

/// A server that returns the list `before` until the first write, and the list `after` from
/// then on. `written` returns the answer to a write; its argument is the number of earlier
/// writes.
fn server(
    before: &'static str,
    after: &'static str,
    written: impl Fn(usize) -> Vec<u8> + Send + 'static,
) -> Canned {
    let count = AtomicUsize::new(0);
    Canned::by(move |request| {
        if is_write(request) {
            return written(count.fetch_add(1, Ordering::SeqCst));
        }
        let any = count.load(Ordering::SeqCst) > 0;
        json(if any { after } else { before })
    })
}
