//! The ledger in a bucket: the commands, eight concurrent writers, lost answers, and unusable stores.

mod kubernetes;
mod lost;
mod s3;
mod verbs;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use roomform::ledger::{
    Address, Claimed, Entries, Fact, Journal, LedgerBackend, Name, NameError, PipeFact, Record,
    RoomFact, Stage, Stamp, StoreOptions, bytes,
};
use roomform::model::{Pipe, RoomId, RunId, UserId};
use roomform::sandbox::Config;
use secrecy::SecretString;
use tokio::task::JoinSet;

use crate::support::{
    Running, Scene, Shows, claim, claim_create, manifest, open_claims, record_create, runtime,
    target, until,
};
pub use s3::{Call, Fault, S3, SECRET};

pub const LEDGER: &str = "s3://bucket/rooms/ledger.jsonl";
const WRITERS: u64 = 8;

/// A client that shares nothing with other clients except the bucket.
fn place(s3: &S3) -> LedgerBackend {
    let names = [
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
    ];
    let env: BTreeMap<String, String> = s3.env().into_iter().collect();
    let variables = names.map(|name| (name, SecretString::from(env[name].as_str())));
    let options = |_: &Address| {
        Ok::<_, NameError>(StoreOptions {
            variables: variables.into(),
            hidden: Vec::new(),
            timeout: Duration::from_secs(20),
        })
    };
    LedgerBackend::new(Name::parse(LEDGER.as_ref()).unwrap(), options).unwrap()
}

fn run<T>(work: impl Future<Output = T>) -> T {
    drop(rustls::crypto::ring::default_provider().install_default());
    runtime().block_on(work)
}

/// Random faults from a seed. Each request fails with a probability of `6 / of`.
fn storm(seed: u64, of: u64) -> impl FnMut(&Call<'_>) -> Option<Fault> + Send + 'static {
    let mut state = seed;
    move |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        match (state >> 33) % of {
            0 => Some(Fault::LostBefore),
            1 | 2 => Some(Fault::LostAfter),
            3 => Some(Fault::Late(1 + (state >> 50) as u32 % 40)),
            4 => Some(Fault::Answer("503 Slow Down", "<Code>SlowDown</Code>")),
            5 => Some(Fault::Answer("500 Internal Server Error", "")),
            _ => None,
        }
    }
}

fn declared(pipe: String) -> Fact {
    Fact::Pipe(Pipe::new(pipe), PipeFact::Declared(false))
}

/// One writer that has several appends pending at a time, like a run that writes several rooms
/// at once.
async fn writer(place: LedgerBackend, number: u64) {
    let run = RunId::new(number);
    let ledger = std::sync::Arc::new(place.open(&target(), &run).await.unwrap());
    let mut waiting = JoinSet::new();
    for fact in 0..30 {
        if waiting.len() == 4 {
            waiting.join_next().await.unwrap().unwrap();
        }
        let ledger = std::sync::Arc::clone(&ledger);
        waiting.spawn(async move {
            let facts = (0..2).map(|half| declared(format!("{number}-{fact}-{half}")));
            ledger.append(facts.collect()).await.unwrap();
        });
    }
    while let Some(done) = waiting.join_next().await {
        done.unwrap();
    }
}

#[test]
fn eight_writers_lose_nothing_despite_lost_answers_and_concurrent_merges() {
    for seed in 0..3 {
        let s3 = S3::with(storm(seed, 24));
        run(async {
            let mut writers = JoinSet::new();
            for number in 0..WRITERS {
                writers.spawn(writer(place(&s3), number));
            }
            let (one, two, target) = (place(&s3), place(&s3), target());
            let merging = async {
                loop {
                    one.rewrite(&target, |entries| entries).await.unwrap();
                    two.rewrite(&target, roomform::ledger::compact)
                        .await
                        .unwrap();
                    if writers.is_empty() {
                        break;
                    }
                    while let Some(done) = writers.try_join_next() {
                        done.unwrap();
                    }
                }
            };
            merging.await;
            s3.settle();
            let read = place(&s3).read(&target).await.unwrap();
            let mut seen = BTreeSet::new();
            for fact in read.entries.values() {
                assert!(
                    seen.insert(fact.pipe().unwrap().to_string()),
                    "{fact:?} twice"
                );
            }
            assert_eq!(seen.len() as u64, WRITERS * 30 * 2, "seed {seed}");
            for (stamp, fact) in &read.entries {
                let number = fact.pipe().unwrap().as_str().split('-').next().unwrap();
                assert_eq!(&*stamp.run, RunId::new(number.parse().unwrap()).as_str());
            }
        });
        let met: BTreeSet<u16> = s3
            .asked()
            .into_iter()
            .map(|(_, _, status)| status)
            .collect();
        assert!(
            met.is_superset(&BTreeSet::from([0, 200, 204, 404, 412, 500, 503])),
            "{met:?}"
        );
    }
}

/// All writers claim the same messages at once. Returns for each room which writers got the
/// claim.
async fn claims(ledgers: &[std::sync::Arc<Journal>], rooms: u64) -> Vec<(RoomId, Vec<usize>)> {
    let mut asked = JoinSet::new();
    for room in (0..rooms).map(RoomId) {
        for (index, ledger) in ledgers.iter().enumerate() {
            let ledger = std::sync::Arc::clone(ledger);
            asked.spawn(async move {
                let pipe = Pipe::new(format!("room-{room}"));
                let ours = claim(&ledger, &pipe, room).await.unwrap();
                (room, index, ours)
            });
        }
    }
    let mut given: BTreeMap<RoomId, Vec<usize>> = BTreeMap::new();
    while let Some(answer) = asked.join_next().await {
        let (room, index, ours) = answer.unwrap();
        let of = given.entry(room).or_default();
        of.extend(ours.then_some(index));
    }
    given.into_iter().collect()
}

#[test]
fn only_one_of_eight_runs_sends_a_message_until_it_certainly_failed() {
    const ROOMS: u64 = 12;
    for seed in 0..3 {
        let s3 = S3::with(storm(100 + seed, 24));
        run(async {
            let mut ledgers = Vec::new();
            for number in 0..WRITERS {
                let ledger = place(&s3).open(&target(), &RunId::new(number)).await;
                ledgers.push(std::sync::Arc::new(ledger.unwrap()));
            }
            let given = claims(&ledgers, ROOMS).await;
            for (room, winners) in &given {
                assert_eq!(winners.len(), 1, "seed {seed}, room {room}");
                if room.0 % 3 == 0 {
                    let failed = Fact::Room(
                        Pipe::new(format!("room-{room}")),
                        *room,
                        RoomFact::Message {
                            from: UserId(3),
                            stage: Stage::Failed,
                        },
                    );
                    ledgers[winners[0]].append(vec![failed]).await.unwrap();
                }
            }
            // Check an old client and a new one, after the merge and after the claims have expired.
            s3.pass(48);
            place(&s3)
                .rewrite(&target(), |entries| entries)
                .await
                .unwrap();
            for number in 0..2 {
                let ledger = place(&s3).open(&target(), &RunId::new(100 + number)).await;
                ledgers.push(std::sync::Arc::new(ledger.unwrap()));
            }
            for (room, winners) in claims(&ledgers, ROOMS).await {
                let again = usize::from(room.0 % 3 == 0);
                assert_eq!(winners.len(), again, "seed {seed}, room {room}");
            }
        });
    }
}

/// As with a file: another machine, whose clock is ahead, created the old room while this run had
/// the ledger open.
#[test]
fn a_claim_comes_after_entries_of_a_fast_clock() {
    let s3 = S3::start();
    let (pipe, old) = (Pipe::new("pipe-1"), RoomId(10));
    run(async {
        let open = async |number| {
            place(&s3)
                .open(&target(), &RunId::new(number))
                .await
                .unwrap()
        };
        let (first, second) = (open(1).await, open(2).await);
        record_create(&second, &pipe, old).await;
        for key in s3.keys() {
            let text = s3.text(&key).unwrap();
            s3.put(&key, &text.replace("\"time\":\"2", "\"time\":\"3"));
        }
        let answer = claim_create(&first, &pipe, Some(old)).await;
        assert_eq!(answer, Claimed::Ours);
        let read = place(&s3).read(&target()).await.unwrap();
        let open = open_claims(&read.into_recorded(), &pipe);
        assert_eq!(open, [RunId::new(1).as_str()]);
    });
}

#[test]
fn claims_are_removed_only_when_no_run_can_still_create_them() {
    let s3 = S3::start();
    let object = "rooms/ledger.jsonl.d/claims/7-0.jsonl";
    run(async {
        let ledger = place(&s3).open(&target(), &RunId::new(1)).await.unwrap();
        assert!(claim(&ledger, &Pipe::new("a"), RoomId(7)).await.unwrap());
        for (hours, there) in [(0, true), (23, true), (1, false)] {
            s3.pass(hours);
            place(&s3)
                .rewrite(&target(), |entries| entries)
                .await
                .unwrap();
            assert_eq!(s3.text(object).is_some(), there, "after {hours} hours more");
            let read = place(&s3).read(&target()).await.unwrap();
            assert_eq!(read.entries.len(), 2);
        }
    });
}

/// If the claim were removed, two runs could claim the same create: one that has read the old
/// claim, and one that has not.
#[test]
fn the_claim_of_a_failed_create_is_kept() {
    let s3 = S3::start();
    run(async {
        let ledger = place(&s3).open(&target(), &RunId::new(1)).await.unwrap();
        let pipe = Pipe::new("a");
        assert_eq!(claim_create(&ledger, &pipe, None).await, Claimed::Ours);
        let failed = Fact::Pipe(pipe, PipeFact::NotCreated(None));
        ledger.append(vec![failed]).await.unwrap();
        s3.pass(25);
        let merged = place(&s3).rewrite(&target(), |entries| entries).await;
        merged.unwrap();
        assert!(s3.keys().iter().any(|key| key.contains("/create-")));
    });
}

#[test]
fn a_store_that_ignores_conditions_is_refused_before_anything_is_sent_or_removed() {
    let s3 = S3::with(|_| Some(Fault::Unconditional));
    run(async {
        let ledger = place(&s3).open(&target(), &RunId::new(1)).await.unwrap();
        ledger.append(vec![declared("a".to_owned())]).await.unwrap();
        let claimed = claim(&ledger, &Pipe::new("a"), RoomId(7)).await;
        let error = claimed.unwrap_err().to_string();
        error.shows("the store ignores If-Match and If-None-Match");
        let merged = place(&s3).rewrite(&target(), |entries| entries).await;
        let error = merged.unwrap_err().to_string();
        error.shows("cannot be replaced safely");
    });
    let pieces = s3.keys();
    assert!(
        pieces.iter().any(|key| key.ends_with("-00000001.jsonl")),
        "{pieces:?}"
    );
}

#[test]
fn many_pieces_are_merged_by_the_next_run_that_writes() {
    let s3 = S3::start();
    for number in 0..300 {
        let stamp = Stamp {
            time: "2026-01-01T00:00:00.000Z".into(),
            run: "0123456789abcdef".into(),
            sequence: number,
        };
        let entries = Entries::from([(stamp, declared(format!("room-{number}")))]);
        let text = String::from_utf8(bytes(&target(), &entries).unwrap()).unwrap();
        let key = format!("rooms/ledger.jsonl.d/0123456789abcdef-{number:08}.jsonl");
        s3.put(&key, &text);
    }
    run(async {
        let ledger = place(&s3).open(&target(), &RunId::new(1)).await.unwrap();
        assert_eq!(s3.keys(), ["rooms/ledger.jsonl"]);
        ledger
            .append(vec![declared("more".to_owned())])
            .await
            .unwrap();
        assert_eq!(s3.keys().len(), 2);
        let read = place(&s3).read(&target()).await.unwrap();
        assert_eq!(read.entries.len(), 301);
        // Later entries get later times, even if the clocks of the machines disagree.
        assert!(&*read.entries.keys().last().unwrap().time > "2026-01-01T00:00:00.000Z");
    });
}

// several machines

fn courses(rooms: u64) -> String {
    manifest((1..=rooms).map(|room| {
        format!("pipe: course-{room}, title: \"Курс {room}\", members: [{room}, 1000], welcome: {{from: 1000, text: Hello}}")
    }))
}

/// Flags that shorten the wait for creates that a killed run had claimed.
const SHORT_WAIT: [&str; 4] = ["--timeout", "5s", "--verify-timeout", "2s"];

fn begin(scene: &Scene, shard: u64, wait: &[&str]) -> Running {
    let shard = format!("{shard}/{WRITERS}");
    let args = ["apply", "--yes", "--ledger", LEDGER, "--shard", &shard];
    scene.spawn([&args, wait].concat())
}

fn assert_content(scene: &Scene, rooms: u64) {
    assert_eq!(scene.rooms().len() as u64, rooms);
    let messages = scene.world(|world| world.messages(627));
    for room in 1..=rooms {
        let live = scene.room(&format!("course-{room}"));
        assert_eq!(live.members, [room, 1000].into(), "course-{room}");
        let said = messages
            .iter()
            .filter(|said| said.room_id == live.id)
            .count();
        assert!(said <= 1, "course-{room} was welcomed {said} times");
    }
}

#[test]
fn eight_machines_create_each_room_and_send_each_welcome_once() {
    const ROOMS: u64 = 80;
    let s3 = S3::with(storm(7, 60));
    let scene = Scene::new()
        .manifest(courses(ROOMS))
        .sandbox()
        .envs(&s3.env());
    let children: Vec<Running> = (0..WRITERS)
        .map(|shard| begin(&scene, shard, &[]))
        .collect();
    for mut child in children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    assert_content(&scene, ROOMS);
    let stats = scene.stats();
    assert_eq!(
        (stats.imba_rooms, stats.send_msg),
        (ROOMS, ROOMS),
        "a request twice"
    );
    let ran = scene.run(["apply", "--yes", "--ledger", LEDGER]);
    assert_eq!((ran.code, scene.writes()), (0, 2 * ROOMS));
    ran.shows("80 unchanged");
    let shown = scene.run(["ledger", "show", "--format", "json", "--ledger", LEDGER]);
    assert_eq!(shown.json()["rooms"].as_array().unwrap().len(), 80);
}

#[test]
fn the_next_run_continues_after_machines_were_killed() {
    const ROOMS: u64 = 80;
    let s3 = S3::with(storm(8, 60));
    let scene = Scene::new()
        .manifest(courses(ROOMS))
        .sandbox_with(Config {
            latency: Duration::from_millis(5),
            ..Config::default()
        })
        .envs(&s3.env());
    let mut children: Vec<Running> = (0..WRITERS)
        .map(|shard| begin(&scene, shard, &SHORT_WAIT))
        .collect();
    for (index, seen) in [(0, 20), (3, 50), (5, 80), (6, 110)] {
        until("some more writes", || {
            scene.writes() >= seen || children[index].try_wait().unwrap().is_some()
        });
        drop(children[index].kill());
    }
    for (index, mut child) in children.into_iter().enumerate() {
        let code = child.wait().unwrap().code();
        assert!(
            code == Some(0) || [0, 3, 5, 6].contains(&index),
            "{index}: {code:?}"
        );
    }
    let children: Vec<Running> = (0..WRITERS)
        .map(|shard| begin(&scene, shard, &SHORT_WAIT))
        .collect();
    for mut child in children {
        // A message that may have been sent is not sent again; it is reported as uncertain.
        assert!(matches!(child.wait().unwrap().code(), Some(0 | 4)));
    }
    assert_content(&scene, ROOMS);
    let plan = scene.run(["plan", "--ledger", LEDGER]);
    plan.shows("80 unchanged");
}
