//! `kill -9` in the middle of an apply, at points chosen by a seed: after one more run everything is as declared, without
//! duplicates. The same test also runs on a server that allows duplicates (its list lags, and its pipes are not unique), and with
//! two runs at once.
//!
//! Points are conditions (number of writes the server saw, bytes in the ledger), never times. Each test run tries a few;
//! `ROOMFORM_KILLS=50` tries 50, with a list that lags longer, and `--nocapture` prints what happened.

mod courses;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use courses::{ROOMS, assert_as_declared, assert_once, manifest, recorded, welcomed};
use roomform::sandbox::{Config, Quirks};
use serde_json::Value;

use crate::support::{Running, Scene, until};

/// The number of calls that are needed to write the whole manifest. Every fiftieth room needs a
/// second call, because its members do not fit into one.
const WRITES: u64 = ROOMS + ROOMS / 50;
/// The number of rooms with a welcome: every third one.
const WELCOMES: u64 = ROOMS / 3;
/// Approximate size of the complete ledger in bytes.
const BYTES: u64 = 165_000;
/// Maximum number of calls in flight.
const UNDER_WAY: u64 = 8;

/// The server and the runs of a test.
#[derive(Debug, Clone, Copy)]
struct Trial {
    /// How long the list lags. If it does, the server also allows several rooms with one pipe.
    lag: Duration,
    /// The flags of each run: short timeouts, because the next run waits until no call of a killed run can still be in flight.
    flags: &'static str,
    /// Number of runs that start at once, on one ledger.
    runs: usize,
}

impl Trial {
    const PROMPT: Self = Self {
        lag: Duration::ZERO,
        flags: "--timeout 2s --verify-timeout 1s",
        runs: 1,
    };

    fn lagging(runs: usize) -> Self {
        let (lag, flags) = match asked_points() {
            None => (1000, "--timeout 2s --verify-timeout 3s"),
            Some(_) => (1500, "--timeout 4s --verify-timeout 5s"),
        };
        let lag = Duration::from_millis(lag);
        Self { lag, flags, runs }
    }

    fn apply(self, more: &str) -> String {
        format!("apply --yes --ledger l.jsonl {} {more}", self.flags)
    }

    fn server(self, seed: &mut u64, losing: bool) -> Config {
        Config {
            latency: Duration::from_millis(below(seed, 4)),
            lost_answer_rate: if losing { 0.05 } else { 0.0 },
            seed: *seed,
            quirks: Quirks {
                lag_time: self.lag,
                duplicate_pipes: !self.lag.is_zero(),
                ..Quirks::default()
            },
            ..Config::default()
        }
    }
}

/// A number below `bound`, derived from the seed.
fn below(seed: &mut u64, bound: u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % bound
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

    fn wait(self, scene: &Scene, child: &mut Running) {
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
    /// `None` if no run was killed.
    point: Option<Point>,
    losing: bool,
    /// Calls that the server saw before the last run.
    writes: u64,
    rooms: usize,
    /// Live rooms that the ledger did not know.
    unrecorded: usize,
    torn: bool,
    /// Write calls of the last run.
    again: u64,
    /// Answers lost in all runs.
    lost: u64,
    /// Uncertain welcomes at the end, and how many of them arrived.
    doubtful: u64,
    arrived: u64,
}

/// Runs an apply, or several at once, kills one of them, applies again, and checks everything.
fn kill(trial: Trial, seed: u64) -> Met {
    let mut dice = seed;
    let point = Point::thrown(&mut dice);
    let losing = below(&mut dice, 2) == 0;
    // Several runs can also disturb each other if none is killed.
    let killed = trial.runs == 1 || below(&mut dice, 3) > 0;
    let scene = Scene::new().manifest(manifest());
    let scene = scene.sandbox_with(trial.server(&mut dice, losing));
    let context =
        format!("{trial:?}, seed {seed}, {point:?}, killed: {killed}, lost answers: {losing}");
    let mut runs: Vec<Running> = (0..trial.runs)
        .map(|_| scene.spawn(trial.apply("")))
        .collect();
    point.wait(&scene, &mut runs[0]);
    if killed {
        let mut run = runs.remove(0);
        run.kill().unwrap();
        run.wait().unwrap();
    }
    for mut run in runs {
        let code = run.wait().unwrap().code();
        assert!(matches!(code, Some(0 | 4)), "{context}: {code:?}");
    }

    // No room is duplicated, and the ledger is readable and correct.
    assert_once(&scene, &context);
    let (writes, rooms) = (scene.writes(), scene.rooms().len());
    let (known, torn) = recorded(&scene, &context);
    assert!(known <= rooms, "{context}");

    let ran = scene.run(trial.apply("--report r.json"));
    assert!([0, 4].contains(&ran.code), "{context}: {ran:#?}");
    assert_as_declared(&scene, &context);
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
    assert_eq!(
        recorded(&scene, &context),
        (ROOMS as usize, false),
        "{context}"
    );

    let before = (scene.writes(), scene.files());
    let ran = scene.run(trial.apply(""));
    assert_eq!(ran.code, 0, "{context}: {ran:#?}");
    assert_eq!(before, (scene.writes(), scene.files()), "{context}");
    let (doubtful, arrived) = welcomed(&scene, &context);
    Met {
        point: killed.then_some(point),
        losing,
        writes,
        rooms,
        unrecorded: rooms - known,
        torn,
        again,
        lost: scene.stats().lost,
        doubtful,
        arrived,
    }
}

/// Tries points, several in parallel, and returns what happened at each.
fn try_points(trial: Trial, few: u64) -> Vec<(u64, Met)> {
    let points = asked_points().unwrap_or(few);
    let (next, met) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= points {
                        return;
                    }
                    let one = kill(trial, seed);
                    met.lock().unwrap().push((seed, one));
                }
            });
        }
    });
    let mut met = met.into_inner().unwrap();
    assert_eq!(met.len() as u64, points);
    met.sort_by_key(|(seed, _)| *seed);
    print_figures(trial, &met);
    met
}

/// The number of points that `ROOMFORM_KILLS` sets.
fn asked_points() -> Option<u64> {
    std::env::var("ROOMFORM_KILLS").ok()?.parse().ok()
}

#[expect(clippy::print_stdout, reason = "the figures are asked for")]
fn print_figures(trial: Trial, met: &[(u64, Met)]) {
    println!("{trial:?}");
    for (seed, one) in met {
        println!(
            "seed {seed:2}, {:?}: {} calls seen, {} rooms ({} unrecorded), {} calls again, {} answers lost, {} welcomes uncertain ({} arrived)",
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
    println!(
        "{} points: {} with rooms the ledger did not know yet ({} rooms), {} torn ledgers, {} answers lost; {} rooms stood before the last run, {} calls wrote the rest; {} of {} welcomes uncertain, {} of these arrived; duplicates 0, differences 0, writes on the run after 0",
        met.len(),
        sum(met, |one| u64::from(one.unrecorded > 0)),
        sum(met, |one| one.unrecorded as u64),
        sum(met, |one| u64::from(one.torn)),
        sum(met, |one| one.lost),
        sum(met, |one| one.rooms as u64),
        sum(met, |one| one.again),
        sum(met, |one| one.doubtful),
        WELCOMES * met.len() as u64,
        sum(met, |one| one.arrived),
    );
}

fn sum(met: &[(u64, Met)], figure: impl Fn(&Met) -> u64) -> u64 {
    met.iter().map(|(_, one)| figure(one)).sum()
}

#[test]
fn after_a_kill_at_any_point_one_more_run_converges() {
    let met = try_points(Trial::PROMPT, 6);
    assert!(sum(&met, |one| one.rooms as u64) > 0 && sum(&met, |one| one.again) > 0);
    assert!(met.iter().any(|(_, one)| one.losing && one.lost > 0));
}

#[test]
fn after_a_kill_with_a_lagging_list_no_room_is_duplicated() {
    let met = try_points(Trial::lagging(1), 3);
    assert!(sum(&met, |one| one.rooms as u64) > 0 && sum(&met, |one| one.again) > 0);
}

#[test]
fn two_runs_at_once_duplicate_no_room() {
    let met = try_points(Trial::lagging(2), 3);
    assert!(met.iter().any(|(_, one)| one.point.is_some()));
    assert!(met.iter().any(|(_, one)| one.point.is_none()));
}
