//! `doctor`: its output for all kinds of servers and settings.

mod cases;
mod machine;
mod probe;
mod tls;

use std::net::TcpListener;

use crate::support::{Canned, Ran, Scene, Shows, answer};

const MANIFEST: &str = "\
version: 1
rooms:
  - {pipe: team-a, title: Team A, members: [3, 4]}
";

/// One row of a list of rooms, in the format of the API's pages.
fn row(id: usize, pipe: &str) -> String {
    format!(
        r#"{{"id":{id},"pipe":"{pipe}","name":"N","admin_id":1,"type":1,"tab":0,"is_public":0,"created_at":"2020-12-19 20:42:07","updated_at":"2020-12-19 20:42:07","deleted_at":null,"status":0,"imba_id":627}}"#
    )
}

fn list(rows: &[String]) -> String {
    format!(
        r#"{{"success":"true","data":[{}],"code":200}}"#,
        rows.join(",")
    )
}

/// A server that returns the list to a request with any credentials, and 401 to one without.
fn guarded(headers: &str, body: &str) -> Canned {
    let headers = format!(
        "{headers}Content-Type: application/json
"
    );
    let list = answer("200 OK", &headers, body);
    let denied = answer("401 No", &headers, "{}");
    Canned::by(move |request| {
        let head = request.to_lowercase();
        let shown = head.contains("\r\nauthorization: ") || head.contains("\r\njwt: ");
        if shown { list.clone() } else { denied.clone() }
    })
}

/// A directory with a manifest and read credentials for this address.
fn at(url: &str) -> Scene {
    Scene::new()
        .manifest(MANIFEST)
        .at(url)
        .env("IMBACHAT_WIDGET", "627")
        .env("IMBACHAT_SECRET_KEY", "secret_key")
}

/// Exit code and output, with the port replaced. The run changes no files and prints no secret.
#[track_caller]
fn doctor_output(scene: &Scene, url: &str, args: &[&str]) -> String {
    let before = scene.files();
    let ran: Ran = scene.run([&["doctor"], args].concat());
    assert_eq!(scene.files(), before, "it writes nothing");
    let all = ran.all();
    all.lacks("secret_key").lacks("NjI3On");
    let port = url.rsplit(':').next().unwrap();
    format!("exit {}\n{all}", ran.code).replace(port, "PORT")
}

/// The part of the output that is about these steps.
fn steps(text: &str, names: &[&str]) -> String {
    let mut output = String::new();
    let mut wanted = false;
    for line in text.lines() {
        if !line.starts_with(' ') {
            wanted = names
                .iter()
                .any(|name| line.split_whitespace().nth(1) == Some(name));
        }
        if wanted {
            output.push_str(line);
            output.push('\n');
        }
    }
    output
}
