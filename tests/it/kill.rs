//! `kill -9` in the middle of an apply, at points chosen by a seed: after one more run everything is as declared, without duplicates.
//!
//! Points are conditions (number of writes the server saw, bytes in the ledger), never times. Each test run tries
//! a few; `ROOMFORM_KILLS=50` tries 50, and `--nocapture` prints what happened.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Child;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use roomform::sandbox::Config;
use serde_json::Value;

use crate::support::{Scene, until};

const ROOMS: u64 = 300;
/// Calls that write the whole manifest: every fiftieth room has more members than fit into one call.
const WRITES: u64 = ROOMS + ROOMS / 50;
/// Rooms with a welcome message: every third.
const WELCOMES: u64 = ROOMS / 3;
/// Approximate size of the complete ledger in bytes.
const BYTES: u64 = 165_000;
/// Maximum number of calls in flight.
const UNDER_WAY: u64 = 8;
/// Number of points in an ordinary test run.
const FEW: u64 = 6;

/// A number below `bound`, derived from the seed.
fn below(seed: &mut u64, bound: u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % bound
}

fn members(room: u64) -> BTreeSet<u64> {
    let count = if room.is_multiple_of(50) {
        230
    } else {
        3 + room % 4
    };
    (0..count).map(|member| room * 1000 + member).collect()
}

fn title(room: u64) -> String {
    format!("Курс {room} · 7б")
}

fn is_welcomed(room: u64) -> bool {
    room.is_multiple_of(3)
}

fn manifest() -> String {
    let mut text = "version: 1\nwidget: 627\nrooms:\n".to_owned();
    for room in 1..=ROOMS {
        let (title, members) = (title(room), members(room));
        let public = room % 7 == 0;
        // The second run still owes these rooms their welcome.
        let policy = if room % 4 < 2 { "on_create" } else { "ensure" };
        let welcome = match members.first().filter(|_| is_welcomed(room)) {
            Some(from) => {
                format!(", welcome: {{from: {from}, text: \"Welcome to {{{{ title }}}}\"}}")
            }
            None => String::new(),
        };
        let members = format!("{members:?}").replace(['{', '}'], "");
        writeln!(
            text,
            "  - {{pipe: course-{room:03}, title: \"{title}\", public: {public}, members_policy: {policy}, members: [{members}]{welcome}}}"
        )
        .unwrap();
    }
    text
}

/// Where the process is killed.
#[derive(Debug, Clone, Copy)]
enum Point {
    /// After this many write calls.
    Writes(u64),
    /// After this many bytes of ledger.
    Bytes(u64),
    /// While the list is read to verify the apply.
    Verify,
    /// After this many messages.
    Said(u64),
}

impl Point {
    fn thrown(seed: &mut u64) -> Self {
        match below(seed, 25) {
            0 => Self::Verify,
            20.. => Self::Said(1 + below(seed, WELCOMES)),
            1..=11 => Self::Writes(below(seed, WRITES + 1)),
            _ => Self::Bytes(below(seed, BYTES)),
        }
    }

    fn wait(self, scene: &Scene, child: &mut Child) {
        until("the point, or the end of the run", || {
            let stats = scene.stats();
            let there = match self {
                Self::Writes(count) => stats.imba_rooms >= count && stats.get_rooms > 0,
                Self::Bytes(size) => {
                    let ledger = std::fs::metadata(scene.path("l.jsonl"));
                    ledger.is_ok_and(|ledger| ledger.len() >= size)
                }
                Self::Said(count) => stats.send_msg >= count,
                Self::Verify => stats.imba_rooms >= WRITES && stats.get_rooms > 1,
            };
            there || child.try_wait().unwrap().is_some()
        });
    }
}

/// What happened at one point.
struct Met {
    point: Point,
    losing: bool,
    /// Calls that the server saw before the process died.
    writes: u64,
    rooms: usize,
    /// Live rooms that the ledger did not know.
    unrecorded: usize,
    torn: bool,
    /// Write calls of the second run.
    again: u64,
    /// Answers lost in both runs.
    lost: u64,
    /// Uncertain welcomes at the end, and how many of them arrived.
    doubtful: u64,
    arrived: u64,
}

/// Kills one apply, runs it again, and checks everything.
fn kill(seed: u64) -> Met {
    let mut dice = seed;
    let point = Point::thrown(&mut dice);
    let losing = below(&mut dice, 2) == 0;
    let scene = Scene::new().manifest(manifest()).sandbox_with(Config {
        latency: Duration::from_millis(below(&mut dice, 4)),
        lost_answer_rate: if losing { 0.05 } else { 0.0 },
        seed,
        ..Config::default()
    });
    let mut child = scene.spawn("apply --yes --ledger l.jsonl");
    point.wait(&scene, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    let context = format!("seed {seed}, {point:?}, lost answers: {losing}");

    // No room is duplicated, and the ledger is readable and correct.
    assert_once(&scene, &context);
    let (writes, rooms) = (scene.writes(), scene.rooms().len());
    let (known, torn) = recorded(&scene, &context);
    assert!(known <= rooms, "{context}");

    let ran = scene.run("apply --yes --ledger l.jsonl --report r.json");
    assert!([0, 4].contains(&ran.code), "{context}: {ran:#?}");
    assert_once(&scene, &context);
    let live = scene.rooms();
    assert_eq!(live.len() as u64, ROOMS, "{context}");
    for room in 1..=ROOMS {
        let live = scene.room(&format!("course-{room:03}"));
        assert_eq!(
            (live.name, live.kind, live.is_public, live.members),
            (title(room), 1, room % 7 == 0, members(room)),
            "{context}"
        );
    }
    let report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
    let rooms_reported = report["rooms"].as_array().unwrap();
    let doubts = rooms_reported
        .iter()
        .filter(|room| room["status"] != "verified");
    let doubts: Vec<&Value> = doubts.collect();
    let words = |room: &&Value| room["reason"].as_str().unwrap().contains("welcome");
    let only_welcomes = doubts
        .iter()
        .all(|room| room["status"] == "uncertain" && words(room));
    assert!(
        only_welcomes && (losing || doubts.is_empty()),
        "{context}: {doubts:#?}"
    );
    let exit = if doubts.is_empty() { 0 } else { 4 };
    assert_eq!(
        (ran.code, &report["exit"]),
        (exit, &exit.into()),
        "{context}"
    );
    let counted: u64 = rooms_reported
        .iter()
        .map(|room| room["requests"].as_u64().unwrap())
        .sum();
    // The server may have read calls of the killed process after the test counted them.
    let again = scene.writes() - writes;
    assert!(
        (counted..=counted + UNDER_WAY).contains(&again),
        "{context}: {counted} counted, {again} seen"
    );
    assert_eq!(recorded(&scene, &context), (live.len(), false), "{context}");

    let before = (scene.writes(), scene.files());
    let ran = scene.run("apply --yes --ledger l.jsonl");
    assert_eq!(ran.code, 0, "{context}: {ran:#?}");
    assert_eq!(before, (scene.writes(), scene.files()), "{context}");
    let (doubtful, arrived) = welcomed(&scene, &context);
    let unrecorded = rooms - known;
    let lost = scene.stats().lost;
    Met {
        point,
        losing,
        writes,
        rooms,
        unrecorded,
        torn,
        again,
        lost,
        doubtful,
        arrived,
    }
}

/// Checks that each welcome was sent once, or is uncertain and was sent at most once.
/// Returns how many are uncertain, and how many of these arrived.
#[track_caller]
fn welcomed(scene: &Scene, context: &str) -> (u64, u64) {
    let document = scene
        .run("ledger show --format json --ledger l.jsonl")
        .json();
    let messages = scene.world(|world| world.messages(627));
    let (mut doubtful, mut arrived) = (0, 0);
    for room in 1..=ROOMS {
        let pipe = format!("course-{room:03}");
        let live = scene.room(&pipe);
        let said = messages.iter().filter(|said| said.room_id == live.id);
        let texts: Vec<&str> = said.map(|said| said.text.as_str()).collect();
        let text = format!("Welcome to {}", title(room));
        let mut known = document["rooms"].as_array().unwrap().iter();
        let known = known.find(|known| known["pipe"] == pipe.as_str()).unwrap();
        match known["welcome"].as_str() {
            Some("confirmed") => assert_eq!(texts, [text.as_str()], "{context}: {pipe}"),
            Some("uncertain") => {
                doubtful += 1;
                arrived += texts.len() as u64;
                assert!(texts.len() <= 1, "{context}: {pipe}: {texts:?}");
            }
            _ => assert!(
                texts.is_empty() && !is_welcomed(room),
                "{context}: {pipe}: {texts:?}"
            ),
        }
    }
    (doubtful, arrived)
}

#[track_caller]
fn assert_once(scene: &Scene, context: &str) {
    let pipes: Vec<String> = scene.rooms().into_iter().map(|room| room.pipe).collect();
    let unique: BTreeSet<&String> = pipes.iter().collect();
    assert_eq!(unique.len(), pipes.len(), "{context}: a room twice");
}

/// Checks the ledger's rooms against the server; returns how many there are, and whether the last line is torn.
#[track_caller]
fn recorded(scene: &Scene, context: &str) -> (usize, bool) {
    let ran = scene.run("ledger show --format json --ledger l.jsonl");
    assert_eq!(ran.code, 0, "{context}: {ran:#?}");
    let document = ran.json();
    let rooms = document["rooms"].as_array().unwrap();
    for room in rooms {
        let live = scene.room(room["pipe"].as_str().unwrap());
        assert_eq!(room["room_id"], live.id, "{context}");
        let known = room["members"].as_array().unwrap().iter();
        assert!(
            known
                .map(|user| user.as_u64().unwrap())
                .all(|user| live.members.contains(&user)),
            "{context}"
        );
    }
    (rooms.len(), ran.err.contains("cut short"))
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are asked for")]
fn killed_anywhere_one_more_run_is_enough() {
    let points = std::env::var("ROOMFORM_KILLS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(FEW);
    let (next, met) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= points {
                        return;
                    }
                    let one = kill(seed);
                    met.lock().unwrap().push((seed, one));
                }
            });
        }
    });
    let mut met = met.into_inner().unwrap();
    met.sort_by_key(|(seed, _)| *seed);
    for (seed, one) in &met {
        println!(
            "seed {seed:2}, {:?}: {} calls seen, {} rooms of which {} unrecorded, {} calls again, {} answers lost, {} welcomes uncertain of which {} arrived",
            one.point,
            one.writes,
            one.rooms,
            one.unrecorded,
            one.again,
            one.lost,
            one.doubtful,
            one.arrived
        );
    }
    let sum = |figure: fn(&Met) -> u64| met.iter().map(|(_, one)| figure(one)).sum::<u64>();
    println!(
        "{} kills: {} with rooms the ledger did not know yet ({} rooms), {} torn ledgers, {} answers lost; {} rooms stood when killed, {} calls wrote the rest; {} of {} welcomes uncertain, {} of these arrived; duplicates 0, differences 0, writes on the run after 0",
        met.len(),
        sum(|one| u64::from(one.unrecorded > 0)),
        sum(|one| one.unrecorded as u64),
        sum(|one| u64::from(one.torn)),
        sum(|one| one.lost),
        sum(|one| one.rooms as u64),
        sum(|one| one.again),
        sum(|one| one.doubtful),
        WELCOMES * met.len() as u64,
        sum(|one| one.arrived),
    );
    assert_eq!(met.len() as u64, points);
    assert!(sum(|one| one.rooms as u64) > 0 && sum(|one| one.again) > 0);
    assert!(met.iter().any(|(_, one)| one.losing && one.lost > 0));
}
