//! One seed: creates a world, injects faults, stops them, and expects everything to converge.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use roomform::ledger::{Fact, PipeFact, Stamp, bytes, compact, parse};
use roomform::model::{Field, FieldSet, Pipe, RoomId};

use super::disk::Disk;
use super::fault::Fault;
use super::process::{End, run, target};
use super::record::Account;
use super::rng::Rng;
use super::server::Manners;
use super::types::{Planted, Start, time_text, timestamp};
use super::verdict;
use super::weather::{MOST_AHEAD, Weather};
use super::wishes::{self, Wishes};
use super::world::{State, World};

/// Rounds after which the last plan must be empty.
const ROUNDS: usize = 4;

/// The result of a seed: failed checks, and the log if one was kept.
#[derive(Debug)]
pub struct Verdict {
    pub broken: Vec<String>,
    pub log: Vec<String>,
    pub tally: BTreeMap<&'static str, u64>,
}

/// Runs a seed from beginning to end, in virtual time.
pub fn play(seed: u64, logged: bool, planted: Option<Planted>) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let world = runtime.block_on(unfold(seed, logged, planted));
    drop(runtime);
    world.with(|state| Verdict {
        broken: std::mem::take(&mut state.broken),
        log: state.log.take().unwrap_or_default(),
        tally: std::mem::take(&mut state.tally),
    })
}

async fn unfold(seed: u64, logged: bool, planted: Option<Planted>) -> Arc<World> {
    let mut rng = Rng::new(seed);
    let mut clocks = Rng::new(seed ^ 0xc10c_c10c);
    let clock = if clocks.chance(300) { MOST_AHEAD } else { 0 };
    let manners = Manners {
        upserts: rng.chance(600),
        folds_case: rng.chance(100),
        shows_deleted: rng.chance(500),
        writes_to_deleted: rng.chance(200),
        strays: rng.chance(100),
        stubborn_from_birth: rng.chance(300),
        touches: rng.chance(500),
        // Up to eight hours ahead or behind.
        ahead: if clock == 0 {
            0
        } else {
            clocks.below(57_600_000) as i64 - 28_800_000
        },
    };
    let mut wishes = Arc::new(Wishes::new(&mut rng));
    let mut errors = Rng::new(seed ^ 0x0e44_0e44);
    let carries = if errors.chance(250) {
        1 + errors.below(300)
    } else {
        0
    };
    let world = Arc::new(World::new(rng, errors, clocks, manners, logged, planted));
    let (steps, calm) = world.with(|state| {
        furnish(state, &wishes);
        state.weather = Weather::new(&mut state.rng);
        state.weather.errors = carries;
        state.weather.clock = clock;
        if clock > 0 && state.clocks.chance(500) {
            // Many creates that the server executes long after their sender has given up.
            (state.weather.fails, state.weather.faults) = (300, vec![Fault::TimeOut]);
            (state.weather.lag, state.weather.late) = (0, 29_000);
        }
        let weather = state.weather.clone();
        state.say(|| format!("{manners:?} {weather:?}"));
        let mut calm = Start::calm(&mut state.rng);
        // If the server treats two pipes as one, runs that recreate rooms would never finish.
        calm.flags.recreate &= !manners.folds_case;
        (1 + state.rng.below(4), calm)
    });
    for _ in 0..steps {
        step(&world, &mut wishes).await;
    }
    settle(&world, &wishes, calm).await;
    world
}

/// Creates the rooms that exist before the first run, and chooses the fields that the server
/// never changes.
fn furnish(state: &mut State, wishes: &Wishes) {
    let (rng, server) = (&mut state.rng, &mut state.server);
    for (pipe, wish) in &wishes.rooms {
        if rng.chance(300) {
            let as_wished = rng.chance(500);
            let other = wishes::state(rng);
            let state = if as_wished { wish.state.clone() } else { other };
            server.insert(pipe.clone(), state);
        }
    }
    for number in 0..rng.below(4) {
        let state = wishes::state(rng);
        server.insert(Pipe::new(format!("x1{number}")), state);
    }
    if rng.chance(300) {
        for _ in 0..3 {
            let mut fields = FieldSet::default();
            fields.insert(*rng.pick(&Field::ALL));
            server.stubborn.insert(wishes::pipe(rng), fields);
        }
    }
    server.keep_list();
}

/// Time passes, and one or two processes run.
async fn step(world: &Arc<World>, wishes: &mut Arc<Wishes>) {
    let before = Arc::clone(wishes);
    let idle = world.with(|state| {
        let most = *state.rng.pick(&[1, 20, 7_200]);
        state.rng.below(1_000 * most)
    });
    tokio::time::sleep(Duration::from_millis(idle)).await;
    let (first, second) = world.with(|state| {
        if state.rng.chance(500) {
            Arc::make_mut(wishes).edit(&mut state.rng);
            state.say(|| format!("the manifest is edited: {:?}", wishes.rooms));
        }
        pass(state);
        let first = Start::rough(&mut state.rng);
        let is_alone = !state.rng.chance(250);
        let is_alone = is_alone && (state.weather.clock == 0 || state.clocks.chance(500));
        let second = (!is_alone).then(|| Start::rough(&mut state.rng));
        (first, second)
    });
    match second {
        None => drop(run(world, wishes, first).await),
        Some(second) => {
            let old = world.with(|state| state.rng.chance(500));
            let theirs = if old { &before } else { &*wishes };
            let delay = world.with(|state| state.rng.below(4_000));
            let later = async {
                tokio::time::sleep(Duration::from_millis(delay)).await;
                run(world, theirs, second).await
            };
            tokio::join!(run(world, wishes, first), later);
        }
    }
    // The runtime drops the calls of a dead process a little later.
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
}

/// Changes to the ledger and the server between runs.
fn pass(state: &mut State) {
    state.catch_up();
    if state.rng.chance(500) {
        state.disk.full = false;
    }
    while state.rng.chance(300) && state.weather.others > 0 {
        let text = state.server.meddle(&mut state.rng);
        state.say(|| format!("someone else: {text}"));
    }
    match state.rng.below(25) {
        0 => {
            state.disk.lose(|_| true);
            state.count("a lost ledger");
            state.say(|| "the ledger is lost".to_owned());
        }
        1 => {
            let keep = state.rng.below(state.disk.entries.len() as u64 + 1) as usize;
            let first = state.disk.entries.keys().nth(keep).cloned();
            state
                .disk
                .lose(|stamp| first.as_ref().is_some_and(|first| stamp >= first));
            state.say(|| format!("the ledger is restored from a backup, {keep} lines"));
        }
        2..=4 => {
            let before = Account::of(&state.disk.entries);
            state.disk.entries = compact(std::mem::take(&mut state.disk.entries));
            state.count("a compaction");
            state.say(|| "the ledger is compacted".to_owned());
            if !before.agrees(&Account::of(&state.disk.entries)) {
                state.fail("the compacted ledger says something else".to_owned());
            }
        }
        5 => forget(state),
        6 => reopen(state),
        _ => {}
    }
}

/// Writes the ledger to its file format and reads it back.
fn reopen(state: &mut State) {
    let target = target();
    let read = bytes(&target, &state.disk.entries)
        .ok()
        .and_then(|text| parse(Path::new("ledger"), text.as_slice(), &target).ok());
    if read.is_none_or(|read| read.entries != state.disk.entries) {
        state.fail("the ledger's file says something else".to_owned());
    }
}

/// Runs `ledger forget` on a room.
fn forget(state: &mut State) {
    let pipe = wishes::pipe(&mut state.rng);
    state.count("a forgotten room");
    state.say(|| format!("{pipe} is forgotten"));
    let now = timestamp(state.elapsed()).as_millisecond();
    let stamp = Stamp {
        time: time_text(now.max(state.after_entries())).into(),
        run: "forget".into(),
        sequence: 1,
    };
    let entries = state.disk.entries.values();
    let known = entries.filter(|fact| fact.pipe() == Some(&pipe));
    let known: Vec<RoomId> = known.filter_map(Disk::message).collect();
    state.unprotected.insert(pipe.clone());
    state.disk.unsure.extend(known);
    state
        .disk
        .entries
        .insert(stamp, Fact::Pipe(pipe, PipeFact::Forgotten));
}

/// All faults are over: after a few rounds, nothing is left to do.
async fn settle(world: &Arc<World>, wishes: &Arc<Wishes>, calm: Start) {
    world.with(|state| {
        let now = state.elapsed();
        let late = state.server.late.iter_mut();
        late.for_each(|late| late.due = now);
        state.catch_up();
        state.weather = Weather {
            latency: 5,
            clock: state.weather.clock,
            ..Weather::default()
        };
        state.disk.full = false;
        state.say(|| "all trouble is over".to_owned());
    });
    for _ in 0..ROUNDS {
        // A list that is read an hour after a write shows whether the server ignored a field.
        tokio::time::sleep(Duration::from_secs(2 * 60 * 60)).await;
        let End::Idle(plan) = run(world, wishes, calm).await else {
            continue;
        };
        world.with(|state| verdict::check(state, wishes, &plan));
        let always = Start {
            always: true,
            ..calm
        };
        let end = run(world, wishes, always).await;
        if !matches!(end, End::Applied(0)) {
            world.with(|state| state.fail(format!("an empty plan was applied: {end:?}")));
        }
        return;
    }
    world.with(|state| {
        state.fail(format!(
            "{ROUNDS} rounds later there is still something to do"
        ))
    });
}
