//! The state file: it is written before the answer, and it is read back completely. A file that
//! is not a state file is never overwritten.

use std::path::Path;

use roomform::sandbox::{Config, SandboxError, User, start};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{NOW, creation, exchange, pipes};
use crate::support::Shows;

fn with_state(path: &Path) -> Config {
    Config {
        state: Some(path.to_owned()),
        ..Config::default()
    }
}

#[tokio::test]
async fn a_write_is_saved_before_it_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/er/state.json");
    let sandbox = start(with_state(&path)).await.unwrap();
    let requests: Vec<_> = (0..20).map(|n| creation(&format!("p{n}"))).collect();
    let mut pending = tokio::task::JoinSet::new();
    let addr = sandbox.addr();
    for request in requests {
        pending.spawn(async move {
            let mut stream = TcpStream::connect(addr).await.unwrap();
            stream.write_all(&request).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        });
    }
    for answer in pending.join_all().await {
        answer.begins("HTTP/1.1 200");
    }

    // If the process were killed at this point, it would leave this file.
    let copy = dir.path().join("copy.json");
    std::fs::copy(&path, &copy).unwrap();
    sandbox.stop().await.unwrap();
    let again = start(with_state(&copy)).await.unwrap();
    assert_eq!(pipes(&again).len(), 20);
    let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file stays");
    again.stop().await.unwrap();
}

#[tokio::test]
async fn the_state_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    let sandbox = start(with_state(&path)).await.unwrap();
    exchange(&sandbox, &creation("one")).await.unwrap();
    sandbox.with_world(|world| {
        world.insert_user(
            7,
            User {
                remote_user_id: 5,
                ..User::default()
            },
            NOW,
        )
    });
    let before = sandbox.with_world(|world| (world.rooms(7), world.users(7)));
    sandbox.stop().await.unwrap();

    let sandbox = start(with_state(&path)).await.unwrap();
    assert_eq!(
        sandbox.with_world(|world| (world.rooms(7), world.users(7))),
        before
    );
    exchange(&sandbox, &creation("two")).await.unwrap();
    exchange(&sandbox, &creation("one")).await.unwrap();
    assert_eq!(pipes(&sandbox), ["one", "two"]);
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_not_a_state_file_is_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    let damaged = (
        "is damaged",
        "restore the file from a copy, or move it away",
    );
    let newer = (
        "has format 2, which this version does not know",
        "or move the file away",
    );
    for (text, (message, hint)) in [
        ("{\"format\":1,\"rooms\":[", damaged),
        ("", damaged),
        ("{\"format\":2}", newer),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = start(with_state(&path)).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the sandbox state `{}` {message}", path.display())
        );
        error.hint().unwrap().shows(hint);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

#[tokio::test]
async fn a_write_that_cannot_be_saved_gets_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    let sandbox = start(with_state(&path)).await.unwrap();
    exchange(&sandbox, &creation("one")).await.unwrap();
    std::fs::write(&path, "someone else's").unwrap();
    let (head, body) = exchange(&sandbox, &creation("two")).await.unwrap();
    head.begins("HTTP/1.1 500");
    body.shows("was changed by another process");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "someone else's");
    assert!(matches!(
        sandbox.stop().await,
        Err(SandboxError::Contended { .. })
    ));
}

/// If each save wrote the whole state, creating 10,000 rooms would write gigabytes.
#[tokio::test]
async fn a_write_appends_its_changes_and_a_stop_saves_one_state() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    let sandbox = start(with_state(&path)).await.unwrap();
    let mut lengths = Vec::new();
    for room in 0..100 {
        exchange(&sandbox, &creation(&format!("p{room}")))
            .await
            .unwrap();
        lengths.push(std::fs::metadata(&path).unwrap().len());
    }
    let growth: Vec<u64> = lengths.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        growth.iter().all(|bytes| (100..1_000).contains(bytes)),
        "{growth:?}"
    );
    let journal = std::fs::read_to_string(&path).unwrap();
    sandbox.stop().await.unwrap();
    let state = std::fs::read_to_string(&path).unwrap();
    // Each save begins with the counters.
    let saves = |text: &str| text.matches("\n{\"counters\":").count();
    assert_eq!((saves(&state), saves(&journal)), (1, 100));

    // A process that is killed while it writes leaves a torn line. Every answered call is in the file, and the next
    // write saves a complete state.
    std::fs::write(&path, format!("{journal}{{\"room\":{{\"id\":")).unwrap();
    let sandbox = start(with_state(&path)).await.unwrap();
    assert_eq!(pipes(&sandbox).len(), 100);
    exchange(&sandbox, &creation("one more")).await.unwrap();
    let again = std::fs::read_to_string(&path).unwrap();
    assert_eq!(saves(&again), 1);
    sandbox.stop().await.unwrap();
}
