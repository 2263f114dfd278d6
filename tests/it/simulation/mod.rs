//! Seeded simulation: plan, apply and ledger against a faulty server and disk, in virtual time.
//!
//! A seed determines everything, so a failing one can be replayed: `ROOMFORM_SEED=n cargo test --test it simulation` prints its
//! log. `ROOMFORM_SEEDS` sets how many seeds run, or which: `20000`, `5000..6000`.

mod arrival;
mod client;
mod disk;
mod drift;
mod fault;
mod figures;
mod ledger;
mod oracle;
mod process;
mod protocol;
mod record;
mod report;
mod rng;
mod schedule;
mod server;
mod tally;
mod truth;
mod types;
mod unseen;
mod verdict;
mod weather;
mod wishes;
mod world;

use std::io::Write as _;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use schedule::play;
use tally::Tally;
use types::Planted;

/// Number of seeds to run unless the environment sets another.
const SEEDS: u64 = 1_000;
/// Number of failing seeds after which the test stops.
const ENOUGH: usize = 5;

#[test]
fn every_plan_is_true_and_every_seed_converges() {
    if let Some(seed) = number("ROOMFORM_SEED") {
        let verdict = play(seed, true, None);
        let log = verdict.log.join("\n");
        std::io::stderr().write_all(log.as_bytes()).unwrap();
        assert_eq!(verdict.broken, Vec::<String>::new(), "seed {seed}");
        return;
    }
    let seeds = seeds();
    let next = AtomicU64::new(seeds.start);
    let failed: Mutex<Vec<(u64, String)>> = Mutex::default();
    let tally: Mutex<Tally> = Mutex::default();
    let start = Instant::now();
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || failed.lock().unwrap().len() >= ENOUGH {
                        break;
                    }
                    if let Some(why) = wrong(seed, &tally) {
                        failed.lock().unwrap().push((seed, why));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    let texts: Vec<String> = failed
        .iter()
        .map(|(seed, why)| {
            format!("{why}\nreplay: ROOMFORM_SEED={seed} cargo test --test it simulation\n")
        })
        .collect();
    assert!(failed.is_empty(), "\n{}", texts.join("\n"));
    let (tally, count) = (tally.into_inner().unwrap(), seeds.end - seeds.start);
    if std::env::var_os("ROOMFORM_SEEDS").is_some() {
        let seconds = start.elapsed().as_secs_f64();
        let text = format!("{count} seeds in {seconds:.1} s: {tally:?}\n");
        std::io::stderr().write_all(text.as_bytes()).unwrap();
    }
    if count >= SEEDS {
        assert_eq!(
            tally::missing(&tally),
            Vec::<&str>::new(),
            "it never happened"
        );
    }
}

#[test]
fn a_seed_always_gives_the_same_world() {
    for seed in 0..20 {
        let logs = [play(seed, true, None), play(seed, true, None)].map(|verdict| verdict.log);
        let [first, second] = &logs;
        let differs = first.iter().zip(second).find(|(one, other)| one != other);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
}

/// Proves that the simulation finds the kinds of faults it exists for.
#[test]
fn planted_faults_are_found() {
    for (planted, text) in [
        (Planted::Impatience, "we made"),
        (Planted::HastyVerdict, "the server did not ignore it"),
        (Planted::SharedClaims, "we made"),
        (Planted::OldClaims, "still under way"),
        (Planted::UnpromisedWelcome, "no create promised it"),
    ] {
        let is_found = |seed: &u64| {
            let broken = play(*seed, false, Some(planted)).broken;
            broken.iter().any(|broken| broken.contains(text))
        };
        assert!((0..SEEDS).any(|seed| is_found(&seed)), "{planted:?}");
    }
}

/// Why a seed fails, if it does.
fn wrong(seed: u64, tally: &Mutex<Tally>) -> Option<String> {
    let first = |broken: Vec<String>| (!broken.is_empty()).then(|| broken.join("\n"));
    match catch_unwind(AssertUnwindSafe(|| play(seed, false, None))) {
        Ok(verdict) => {
            let mut tally = tally.lock().unwrap();
            for (what, count) in verdict.tally {
                *tally.entry(what).or_default() += count;
            }
            first(verdict.broken)
        }
        Err(_) => Some(format!("seed {seed} panics")),
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn seeds() -> Range<u64> {
    let text = std::env::var("ROOMFORM_SEEDS").unwrap_or_default();
    let range = text.split_once("..").and_then(|(start, end)| {
        let (start, end) = (start.parse().ok()?, end.parse().ok()?);
        Some(start..end)
    });
    range.unwrap_or(0..text.parse().unwrap_or(SEEDS))
}
