//! The PHP snippets of the API's pages: each runs in the real php with its curl extension, unchanged except for host and
//! credentials, and sends, receives and does the same as the curl command beside it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};

use roomform::sandbox::{Room, Sandbox};

use crate::pages::{
    MESSAGES_PAGE, ROOMS_PAGE, aimed, all_printed, assert_all_called, assert_like_printed, command,
    curl, pages_sandbox, printed, room, with_credentials, without_space,
};
use crate::support::{Canned, Running, Scene, Shows, form};

/// Reports all errors except deprecations such as `curl_close`: E_ALL without E_DEPRECATED.
const ERROR_REPORTING: [&str; 4] = ["-d", "error_reporting=24575", "-d", "display_errors=stderr"];

fn php() -> Command {
    let mut php = Command::new("php");
    php.args(ERROR_REPORTING).env_clear().env("no_proxy", "*");
    php.env("PATH", std::env::var_os("PATH").unwrap());
    php
}

/// Fails with a clear message if php is missing: no test is skipped.
fn assert_installed() {
    let probe = php()
        .args(["-r", "exit(extension_loaded('curl') ? 0 : 9);"])
        .output();
    assert!(
        probe.is_ok_and(|probe| probe.status.success()),
        "the PHP snippets of the API's pages are run by php with its curl extension: install both (Debian: php-cli, php-curl)"
    );
}

/// Runs a snippet. Returns the HTTP status, which the snippet does not print, and the output.
fn run_blocking(snippet: &str) -> (u16, String) {
    assert_installed();
    let script =
        format!("<?php\n{snippet}\necho \"\\n\", curl_getinfo($curl, CURLINFO_RESPONSE_CODE);");
    let mut php = php();
    php.stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = Running::start(&mut php);
    let mut input = child.stdin.take().unwrap();
    input.write_all(script.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), body.to_owned())
}

async fn run(sandbox: &Sandbox, snippet: &str) -> (u16, String) {
    let snippet = aimed(snippet, &sandbox.base_url());
    let ran = tokio::task::spawn_blocking(move || run_blocking(&snippet));
    ran.await.unwrap()
}

#[test]
fn every_command_has_a_snippet_beside_it() {
    for printed in all_printed() {
        printed.php.shows("curl_exec($curl)");
    }
    for page in [ROOMS_PAGE, MESSAGES_PAGE] {
        assert_eq!(
            printed(page).len(),
            page.matches("curl_init()").count(),
            "none is overlooked"
        );
    }
}

/// For each call, the server receives the same path, credentials and form from php as from
/// curl.
#[test]
fn each_snippet_sends_the_same_as_its_curl_command() {
    assert_installed();
    for printed in all_printed() {
        let server = Canned::answer("200 OK", "", "{}");
        curl(&format!("{} -s", aimed(&printed.command, &server.url())));
        assert_eq!(
            run_blocking(&aimed(&printed.php, &server.url())),
            (200, "{}".to_owned())
        );
        let requests = server.requests();
        let [curl, php] = &requests[..] else {
            panic!("two requests, not {}", requests.len())
        };
        let line = |request: &str| request.lines().next().unwrap().to_owned();
        let basic = |request: &str| {
            let mut lines = request.lines();
            lines
                .find(|line| line.starts_with("Authorization: "))
                .map(str::to_owned)
        };
        assert_eq!(line(php), line(curl));
        assert_eq!(basic(php), basic(curl), "{}", printed.command);
        assert_eq!(basic(php).is_some(), !line(php).contains("/v1/"));
        assert_eq!(form(php), form(curl));
        assert!(form(php).len() >= 2, "{php}");
    }
}

#[tokio::test]
async fn all_snippets_run_in_sequence() {
    let sandbox = pages_sandbox().await;
    for printed in all_printed() {
        let (status, body) = run(&sandbox, &with_credentials(&printed.php)).await;
        assert_eq!(status, 200, "{}: {body}", printed.php);
        // Answers to `/imba_rooms` are not compared here: for adding members, the first sample
        // answer on the page has the shape of an answer to a create.
        if printed.answers.len() == 1 && !printed.php.contains("/imba_rooms") {
            assert_like_printed(&body, &printed);
        }
    }
    assert_all_called(&sandbox);
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn snippets_create_and_fill_rooms_as_printed() {
    let sandbox = pages_sandbox().await;
    let make = command(ROOMS_PAGE, "/imba_rooms", 0);
    // The printed name of the field ends with a space.
    make.php.shows("'room_is_public ' => '1'");
    let (status, body) = run(&sandbox, &make.php).await;
    assert_eq!(
        (status, body),
        (200, without_space(&make.answers[0]).replace("613", "1538"))
    );
    let made = room(&sandbox, 209, 1538);
    let expected = Room {
        id: 1538,
        pipe: made.pipe.clone(),
        name: "Тестовая API группа 9".to_owned(),
        kind: 1,
        is_public: false,
        members: [3, 4].into(),
        deleted_at: None,
        ..made.clone()
    };
    assert_eq!(made, expected, "closed: PHP reads another name");

    let add = command(ROOMS_PAGE, "/imba_rooms", 1);
    let (status, body) = run(&sandbox, &add.php).await;
    assert_eq!((status, body), (200, without_space(&add.answers[1])));
    assert_eq!(room(&sandbox, 209, 613).members, [1, 9].into());

    let public = make.php.replace("'room_is_public '", "'room_is_public'");
    assert_eq!(run(&sandbox, &public).await.0, 200);
    assert!(room(&sandbox, 209, 1539).is_public);
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn snippets_filter_lists_and_store_messages() {
    let sandbox = pages_sandbox().await;
    for page in [ROOMS_PAGE, MESSAGES_PAGE] {
        for (path, key, value) in [
            ("/get_users", "login", "two"),
            ("/get_rooms", "pipe", "5fbcaf6a4ba35_1606201194"),
        ] {
            let printed = command(page, path, 0);
            let (status, body) = run(&sandbox, &with_credentials(&printed.php)).await;
            assert_eq!(status, 200);
            let answer = assert_like_printed(&body, &printed);
            let rows = answer["data"].as_array().unwrap();
            assert_eq!(rows.len(), 1, "{path}: {body}");
            assert_eq!(rows[0][key], value);
        }
    }
    let printed = command(MESSAGES_PAGE, "/send_msg", 0);
    let (_, body) = run(&sandbox, &with_credentials(&printed.php)).await;
    assert_eq!(
        assert_like_printed(&body, &printed)["message"]["message"],
        "api message"
    );
    let kept = sandbox.with_world(|world| world.messages(627));
    let kept: Vec<_> = kept
        .iter()
        .map(|it| (it.room_id, it.remote_user_id, it.text.as_str()))
        .collect();
    assert_eq!(kept, [(1536, 1, "api message")]);
    // The printed credentials are placeholders.
    assert_eq!(run(&sandbox, &printed.php).await.0, 401);
    sandbox.stop().await.unwrap();
}

/// Runs the same snippets against `roomform sandbox`, which exits with the number of requests it served.
#[cfg(unix)]
#[test]
fn snippets_run_against_sandbox_serve() {
    let scene = Scene::new();
    let mut serve = scene.command("sandbox serve --listen 127.0.0.1:0");
    let mut serve = Running::start(serve.stdout(Stdio::piped()));
    let mut said = BufReader::new(serve.stdout.take().unwrap());
    let mut first = String::new();
    said.read_line(&mut first).unwrap();
    let url = first.trim().strip_prefix("listening on ").unwrap();
    let mut statuses = Vec::new();
    for printed in all_printed() {
        // The rooms that the pages name do not exist: the server says so in JSON.
        let (status, body) = run_blocking(&aimed(&with_credentials(&printed.php), url));
        let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
        let call = printed.command.split('\'').nth(1).unwrap();
        let call = call.rsplit('/').next().unwrap().to_owned();
        statuses.push((call, status, answer["data"].is_array()));
    }
    let interrupt = format!("kill -INT {}", serve.id());
    let sent = Command::new("/bin/sh").args(["-c", &interrupt]).status();
    assert!(sent.unwrap().success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert!(serve.wait().unwrap().success());
    let good = |call: &str| (call.to_owned(), 200, true);
    let unknown = |call: &str| (call.to_owned(), 404, false);
    let expected = [
        good("imba_rooms"),
        unknown("imba_rooms"),
        good("get_users"),
        good("get_rooms"),
        unknown("send_msg"),
        good("get_users"),
        good("get_rooms"),
    ];
    assert_eq!(statuses, expected);
    let counted = "served 7 calls (3 of them writes) over 7 connections";
    rest.shows(counted);
}
