//! The sandbox on a port: HTTP requests, faults, limits, settings.

use std::time::Duration;

use roomform::sandbox::{Config, SandboxError, start};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{WRITE, creation, exchange, exchange_with, pipes, post, request};
use crate::support::Shows;

#[tokio::test]
async fn only_the_five_calls_are_served_and_only_with_post() {
    let sandbox = start(Config::default()).await.unwrap();
    let cases = [
        ("GET /imbachat/v2/7/get_rooms", "405"),
        ("POST /imbachat/v2/7/get_members", "404"),
        ("GET /", "404"),
    ];
    for (line, status) in cases {
        let (head, body) = exchange(&sandbox, &request(line, "", "")).await.unwrap();
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status}")),
            "{line}: {head}"
        );
        head.shows("content-type: application/json").shows("date: ");
        assert!(serde_json::from_str::<Value>(&body).is_ok(), "{body}");
    }
    assert_eq!(sandbox.stats().calls(), 0);
    assert_eq!(sandbox.stats().connections, 3);
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn a_chunked_body_is_accepted() {
    let sandbox = start(Config::default()).await.unwrap();
    let form = "imba_id=7&login=admin&password=admin&room_pipe=chunked";
    let (one, two) = form.split_at(20);
    let head = format!(
        "POST {WRITE} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    );
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n\r\n";
    let chunks = format!(
        "{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n",
        one.len(),
        two.len()
    );
    let (head, _) = exchange(&sandbox, format!("{head}{kind}{chunks}").as_bytes())
        .await
        .unwrap();
    head.begins("HTTP/1.1 200");
    assert_eq!(pipes(&sandbox), ["chunked"]);
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn a_body_above_8_mb_counts_as_empty() {
    let sandbox = start(Config::default()).await.unwrap();
    let padding = "x".repeat(8 * 1024 * 1024);
    let form = format!("imba_id=7&login=admin&password=admin&room_title={padding}");
    let (head, body) = exchange(&sandbox, &post(WRITE, &form)).await.unwrap();
    head.begins("HTTP/1.1 422");
    body.shows("imba_id");
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn http_2_and_multipart_are_accepted() {
    // This fails if another test has already installed a provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sandbox = start(Config::default()).await.unwrap();
    let client = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let fields = [
        ("imba_id", "7"),
        ("login", "admin"),
        ("password", "admin"),
        ("room_pipe", "h2"),
    ];
    let part = |(name, value): &(_, _)| {
        format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let form: String = fields.iter().map(part).collect();
    let answer = client
        .post(format!("{}{WRITE}", sandbox.base_url()))
        .header("Content-Type", "multipart/form-data; boundary=X")
        .body(format!("{form}--X--\r\n"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (answer.version(), answer.status().as_u16()),
        (reqwest::Version::HTTP_2, 200)
    );
    assert_eq!(pipes(&sandbox), ["h2"]);
    drop(client);
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn failed_requests_are_not_executed_and_lost_ones_are() {
    let failing = start(Config {
        error_rate: 1.0,
        ..Config::default()
    })
    .await
    .unwrap();
    let (head, _) = exchange(&failing, &creation("p")).await.unwrap();
    head.begins("HTTP/1.1 500");
    assert!(pipes(&failing).is_empty());
    assert_eq!((failing.stats().failed, failing.stats().writes()), (1, 1));
    failing.stop().await.unwrap();

    let losing = start(Config {
        lost_answer_rate: 1.0,
        ..Config::default()
    })
    .await
    .unwrap();
    assert_eq!(exchange(&losing, &creation("p")).await, None);
    assert_eq!(pipes(&losing), ["p"]);
    assert_eq!((losing.stats().lost, losing.stats().writes()), (1, 1));
    losing.stop().await.unwrap();
}

#[tokio::test]
async fn above_the_rate_limit_the_answer_is_429_with_a_wait() {
    let sandbox = start(Config {
        rate_limit: Some(0.001),
        ..Config::default()
    })
    .await
    .unwrap();
    let list = post("/imbachat/v2/7/get_rooms", "");
    exchange(&sandbox, &list)
        .await
        .unwrap()
        .0
        .begins("HTTP/1.1 200");
    let (head, _) = exchange(&sandbox, &list).await.unwrap();
    head.begins("HTTP/1.1 429");
    let seconds = head
        .lines()
        .find_map(|line| line.strip_prefix("retry-after: "))
        .unwrap();
    assert!(
        (900..=1_000).contains(&seconds.parse::<u32>().unwrap()),
        "{seconds}"
    );
    assert_eq!(sandbox.stats().refused, 1);
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn delayed_requests_do_not_queue() {
    let sandbox = start(Config {
        latency: Duration::from_secs(3_600),
        ..Config::default()
    })
    .await
    .unwrap();
    let mut waiting = JoinSet::new();
    for _ in 0..5 {
        let (address, list) = (sandbox.addr(), post("/imbachat/v2/7/get_rooms", ""));
        waiting.spawn(async move { exchange_with(address, &list).await });
    }
    // A request is counted before its delay: all five are counted an hour before the first answer.
    let all_in = async {
        while sandbox.stats().get_rooms < 5 {
            tokio::task::yield_now().await;
        }
    };
    let patience = Duration::from_secs(60);
    tokio::time::timeout(patience, all_in).await.unwrap();
    assert!(waiting.try_join_next().is_none(), "none is answered yet");
    waiting.shutdown().await;
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn settings_out_of_range_are_refused() {
    for config in [
        Config {
            error_rate: 1.5,
            ..Config::default()
        },
        Config {
            lost_answer_rate: f64::NAN,
            ..Config::default()
        },
        Config {
            rate_limit: Some(0.0),
            ..Config::default()
        },
    ] {
        let error = start(config).await.unwrap_err();
        assert!(
            matches!(error, SandboxError::Setting { .. }) && error.hint().is_some(),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let sandbox = start(Config::default()).await.unwrap();
    let error = start(Config {
        listen: Some(sandbox.addr()),
        ..Config::default()
    })
    .await
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the sandbox cannot listen on `{}`", sandbox.addr())
    );
    sandbox.stop().await.unwrap();
}

/// The clock of this test is paused: when all tasks wait, it jumps to the next time limit.
#[tokio::test(start_paused = true)]
async fn an_incomplete_request_is_dropped_after_30_seconds() {
    let sandbox = start(Config::default()).await.unwrap();
    let body = String::from_utf8(creation("late")).unwrap();
    for part in ["", "POST /imbachat", &body[..body.len() - 1]] {
        let mut stream = TcpStream::connect(sandbox.addr()).await.unwrap();
        stream.write_all(part.as_bytes()).await.unwrap();
        let (began, mut answer) = (Instant::now(), String::new());
        stream.read_to_string(&mut answer).await.unwrap();
        let waited = began.elapsed().as_secs();
        assert!((29..=31).contains(&waited), "{part}: {waited} s");
        let is_answered = part.len() > 20;
        assert_eq!(answer.starts_with("HTTP/1.1 408"), is_answered, "{answer}");
    }
    assert_eq!(sandbox.stats().calls(), 0);
    sandbox.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn slow_answers_and_pauses_between_requests_are_allowed() {
    let sandbox = start(Config {
        latency: Duration::from_secs(3_600),
        ..Config::default()
    })
    .await
    .unwrap();
    let mut stream = TcpStream::connect(sandbox.addr()).await.unwrap();
    for _ in 0..3 {
        let list = String::from_utf8(post("/imbachat/v2/7/get_rooms", "")).unwrap();
        let list = list.replace("Connection: close\r\n", "");
        stream.write_all(list.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\"code\":200}") {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "{answer:?}");
        }
        tokio::time::sleep(Duration::from_secs(3_600)).await;
    }
    drop(stream);
    sandbox.stop().await.unwrap();
}
