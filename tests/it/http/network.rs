//! Proxies, trusted certificates and compressed answers.

use std::io::Write as _;
use std::net::TcpListener;

use flate2::Compression;
use flate2::write::GzEncoder;
use insta::assert_snapshot;

use super::{EMPTY_LIST, redacted_output, scene_at};
use crate::support::{Canned, Scene, Shows, header, json};

/// A server that no one can reach, so that only a proxy can answer.
const SERVER: &str = "https://chat.invalid";

fn behind(name: &str, proxy: &str, server: &str) -> Scene {
    scene_at(server).env(name, proxy)
}

/// The output of `get rooms`, without the proxy's password and port.
#[track_caller]
fn get_rooms(scene: &Scene, proxy: &Canned) -> String {
    let url = proxy.url();
    let text = redacted_output(&scene.run("get rooms"), &[(&url, "http://proxy")]);
    text.lacks("hunter2").lacks("bWU6aHVudGVyMg").to_owned()
}

/// The proxy's address with a user and a password.
fn with_user(proxy: &Canned) -> String {
    proxy.url().replace("http://", "http://me:hunter2@")
}

#[test]
fn a_rejected_proxy_password_is_reported() {
    let status = "407 Proxy Authentication Required";
    let proxy = Canned::answer(status, "", "");
    let tunnel = behind("HTTPS_PROXY", &with_user(&proxy), SERVER);
    assert_snapshot!(get_rooms(&tunnel, &proxy), @"
    exit 1
    error: the proxy http://proxy (HTTPS_PROXY) does not accept the user and the password (HTTP 407)
      hint: check them in HTTPS_PROXY
    ");
    assert_eq!(proxy.served(), 1);
    let request = &proxy.requests()[0];
    request.begins("CONNECT chat.invalid:443 ");
    assert_eq!(
        header(request, "proxy-authorization"),
        Some("Basic bWU6aHVudGVyMg==")
    );

    // Without a tunnel the proxy sees the request, and may repeat the password.
    let proxy = Canned::answer(status, "", r#"{"error":"hunter2 bWU6aHVudGVyMg=="}"#);
    let plain = behind("http_proxy", &with_user(&proxy), "http://chat.invalid");
    let plain = plain.run("get rooms --allow-insecure-http");
    let plain = redacted_output(&plain, &[(&proxy.url(), "http://proxy")]);
    assert_snapshot!(plain, @"
    exit 1
    error: the proxy http://proxy (http_proxy) does not accept the user and the password (HTTP 407)
      hint: check them in http_proxy
    ");
    plain.lacks("hunter2").lacks("bWU6");

    let without_user = behind("HTTPS_PROXY", &proxy.url(), SERVER);
    assert_snapshot!(get_rooms(&without_user, &proxy), @"
    exit 1
    error: the proxy http://proxy (HTTPS_PROXY) asks for a user and a password (HTTP 407)
      hint: write http://user:password@host:port in HTTPS_PROXY
    ");
}

/// The proxy accepts connections and never answers.
#[test]
fn a_silent_proxy_is_named() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    for (name, server) in [
        ("HTTPS_PROXY", SERVER),
        ("HTTP_PROXY", "http://chat.invalid"),
    ] {
        let ran =
            behind(name, &address, server).run("get rooms --allow-insecure-http --timeout 100ms");
        ran.exits(1);
        ran.err.shows(format!("the proxy {address} ({name})"));
    }
}

#[test]
fn a_proxy_password_is_hidden_if_the_proxy_repeats_it() {
    // Base64 of `me:hunt@er2`.
    let body = r#"{"error":"no right for hunt@er2, hunt%40er2, Basic bWU6aHVudEBlcjI="}"#;
    let proxy = Canned::answer("403 Forbidden", "", body);
    let address = proxy.url().replace("http://", "http://me:hunt%40er2@");
    let scene = behind("HTTP_PROXY", &address, "http://chat.invalid");
    let text = redacted_output(&scene.run("get rooms --allow-insecure-http -vv"), &[]);
    text.shows("no right for ***, ***, Basic ");
    text.lacks("hunt").lacks("HVudEBlcj");
    let request = &proxy.requests()[0];
    assert_eq!(
        header(request, "proxy-authorization"),
        Some("Basic bWU6aHVudEBlcjI=")
    );
}

#[test]
fn a_proxy_that_refuses_the_server_is_reported() {
    let proxy = Canned::answer("403 Forbidden", "", "");
    let scene = behind("ALL_PROXY", &proxy.url(), SERVER);
    assert_snapshot!(get_rooms(&scene, &proxy), @"
    exit 1
    error: the proxy http://proxy (ALL_PROXY) does not connect to https://chat.invalid
      hint: ask the proxy's operator to allow it, or add the server's host to NO_PROXY
    ");
}

#[test]
fn an_unreachable_proxy_is_named_without_its_password() {
    // Binding reserves the port, and nothing listens on it.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = taken.local_addr().unwrap();
    let scene = behind(
        "https_proxy",
        &format!("http://me:hunter2@{address}"),
        SERVER,
    );
    let text = redacted_output(&scene.run("get rooms"), &[]);
    text.begins(format!(
        "exit 1\nerror: no connection to the proxy http://{address} (https_proxy): "
    ));
    text.ends("\n  hint: check https_proxy, or add the server's host to NO_PROXY\n");
    text.lacks("hunter2").lacks("tunnel error");
    let doctor = redacted_output(&scene.run("doctor"), &[]);
    doctor.shows(format!(
        "https_proxy in the environment: http://{address}\n"
    ));
    doctor.shows(format!(
        "no connection to the proxy http://{address} (https_proxy)"
    ));
    doctor.lacks("hunter2");
}

#[test]
fn an_invalid_proxy_variable_is_an_error() {
    for (name, value) in [
        ("HTTPS_PROXY", "ht!tp:/not a url"),
        ("https_proxy", "http://"),
        ("ALL_PROXY", "socks5://127.0.0.1:1080"),
        ("all_proxy", "ftp://hunter2@proxy"),
        ("HTTPS_PROXY", "http://proxy:99999"),
        ("HTTPS_PROXY", "http://proxy/hunter2"),
    ] {
        let ran = behind(name, value, SERVER).run("get rooms");
        assert_eq!(
            redacted_output(&ran, &[]),
            format!(
                "exit 1\nerror: {name} is not the address of an HTTP proxy\n  hint: write {name} as http://host:port\n"
            )
        );
    }
    let insecure = behind("HTTP_PROXY", "x y", "http://chat.invalid");
    let ran = insecure.run("get rooms --allow-insecure-http");
    ran.err
        .shows("HTTP_PROXY is not the address of an HTTP proxy");
    // A proxy variable that is not used may be invalid.
    let proxy = Canned::answer("403 Forbidden", "", "");
    let scene = behind("HTTPS_PROXY", &proxy.url(), SERVER).env("ALL_PROXY", "socks5://x");
    get_rooms(&scene, &proxy).shows("does not connect to https://chat.invalid");
}

#[test]
fn no_proxy_excludes_hosts() {
    let proxy = Canned::answer("403 Forbidden", "", "");
    let run = |name: &str, list: &str| {
        let scene = behind("HTTPS_PROXY", &proxy.url(), SERVER).env(name, list);
        get_rooms(&scene, &proxy)
    };
    for list in ["chat.invalid", "invalid", "x, .invalid", "*.invalid", "*"] {
        run("NO_PROXY", list).shows("no connection to https://chat.invalid: ");
    }
    for list in ["", "hat.invalid", "10.0.0.0/8,::1", ".chat.invalid.example"] {
        run("no_proxy", list).shows("does not connect to https://chat.invalid");
    }
    assert_snapshot!(run("NO_PROXY", "localhost,https://chat.invalid"), @"
    exit 1
    error: NO_PROXY: `https://chat.invalid` is neither a host nor an address nor a network
      hint: write hosts, addresses or networks (10.0.0.0/8), separated by commas
    ");
    for list in [
        "chat.invalid:443",
        "10.0.0.0/x",
        "*chat",
        "[::1]",
        "chat invalid",
    ] {
        run("no_proxy", list).begins("exit 1\nerror: no_proxy: `");
    }
}

#[test]
fn doctor_names_the_proxy_in_use() {
    let proxy = Canned::answer("401 No", "", "{}");
    let scene = behind("HTTP_PROXY", &with_user(&proxy), "http://chat.invalid");
    let ran = scene.run("doctor --allow-insecure-http");
    let text = redacted_output(&ran, &[(&proxy.url(), "http://proxy")]);
    text.shows("HTTP_PROXY in the environment: http://proxy\n");
    text.shows(
        "the server answers HTTP 401 to a call without credentials through the proxy http://proxy (HTTP_PROXY)\n",
    );
    text.lacks("hunter2");
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// A server whose answers are compressed.
fn compressed(status: &str, body: Vec<u8>) -> Canned {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    Canned::raw([head.as_bytes(), &body].concat())
}

#[test]
fn a_compressed_list_is_read() {
    let server = compressed("200 OK", gzip(EMPTY_LIST.as_bytes()));
    let plain = Canned::raw(json(EMPTY_LIST));
    let plan = |server: &Canned| {
        let ran = scene_at(&server.url()).run("plan");
        redacted_output(&ran, &[(&server.url(), "http://api")])
    };
    assert_eq!(plan(&server), plan(&plain));
    assert_eq!(
        header(&server.requests()[0], "accept-encoding"),
        Some("gzip")
    );
}

#[test]
fn a_small_answer_that_unpacks_to_a_large_one_exceeds_a_limit() {
    let spaces = |mebibytes: usize| gzip(&vec![b' '; mebibytes << 20]);
    let run = |args: &str, status: &str, body: Vec<u8>| {
        redacted_output(&scene_at(&compressed(status, body).url()).run(args), &[])
    };
    run("get messages", "200 OK", spaces(65)).shows("answer is larger than 64 MiB");
    run("plan", "200 OK", spaces(2)).shows("not counting its rows, is larger than 1 MiB");
    run("plan", "403 No", spaces(1)).shows("(HTTP 403): the server's answer is larger than 64 KiB");
}

#[test]
fn an_answer_that_cannot_be_decompressed_is_an_error() {
    let run = |body: Vec<u8>| {
        let server = compressed("200 OK", body);
        redacted_output(&scene_at(&server.url()).run("plan"), &[])
    };
    let mut half = gzip(EMPTY_LIST.as_bytes());
    half.truncate(20);
    assert_snapshot!(run(half), @"
    exit 1
    error: the connection was lost: error decoding response body: request or response body error: unexpected end of file
      hint: check --api-url, the network and the proxy settings
    ");
    assert_snapshot!(run(b"no gzip, but text".to_vec()), @"
    exit 1
    error: the server's answer cannot be decompressed: error decoding response body: request or response body error: Invalid gzip header
      hint: check --api-url, the network and the proxy settings
    ");
}
