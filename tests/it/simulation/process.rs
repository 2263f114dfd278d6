//! One process, as the command line would run it: ledger, list, plan, apply; the oracle checks each step.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use roomform::apply::{Backoff, Control, Job, Limiter, Outcome, Patience, RoomOutcome, apply};
use roomform::imbachat::{Dice, ReadRooms};
use roomform::ledger::fold;
use roomform::model::{Observed, Pipe, Recorded, Target, Time, WidgetId};
use roomform::plan::{
    Allow, Inputs, Note, Plan, PlanOptions, RoomFilter, RowFilter, plan, wait_for_confirmed,
};
use roomform::render::{self, Paint};

use super::client::Client;
use super::ledger::Ledger;
use super::oracle;
use super::record::{Account, Known};
use super::report;
use super::tally;
use super::truth::Truth;
use super::types::{Flags, Planted, Start};
use super::weather::VERIFY_TIMEOUT;
use super::wishes::Wishes;
use super::world::World;

/// How a process ended.
#[derive(Debug)]
pub enum End {
    Died,
    /// The list could not be read.
    Blind,
    Refused,
    /// There was nothing to do.
    Idle(Box<Plan>),
    /// It applied, with this many writes.
    Applied(usize),
}

impl Flags {
    fn switches(self, wishes: &Wishes) -> PlanOptions {
        let globs: Vec<String> = self.only.into_iter().map(ToOwned::to_owned).collect();
        PlanOptions {
            only: RoomFilter::new(&globs).unwrap(),
            allow: Allow {
                publish: match self.publish {
                    true => wishes.rooms.keys().cloned().collect(),
                    false => BTreeSet::new(),
                },
                recreate: self.recreate,
                beyond_limits: self.beyond_limits,
            },
            resend_ignored: self.resend_ignored,
            assume_members: self.assume_members,
        }
    }
}

/// The target of all processes.
pub fn target() -> Target {
    Target {
        origin: "https://api.imbachat.com".to_owned(),
        widget: WidgetId(627),
    }
}

/// Runs a process until it ends or dies.
pub async fn run(world: &Arc<World>, wishes: &Arc<Wishes>, start: Start) -> End {
    let (run, died) = world.with(|state| {
        let run = state.begin(wishes, start.fate);
        state.runs[run].assumes = start.flags.assume_members;
        state.say(|| format!("run {run}: starts: {start:?}"));
        (run, Arc::clone(&state.runs[run].died))
    });
    let end = tokio::select! {
        biased;
        () = died.notified() => End::Died,
        end = live(world, wishes, start, run) => end,
    };
    world.with(|state| {
        state.say(|| match &end {
            End::Idle(_) => format!("run {run}: nothing to do"),
            end => format!("run {run}: {end:?}"),
        });
    });
    end
}

async fn live(world: &Arc<World>, wishes: &Arc<Wishes>, start: Start, run: usize) -> End {
    let (desired, switches) = (wishes.desired(), start.flags.switches(wishes));
    let client = Client {
        world: Arc::clone(world),
        run,
    };
    let seed = world.with(|state| state.rng.draw());
    let filter = RowFilter::new(&desired);
    let dice = Dice::new(seed);
    let patience = match world.with(|state| state.planted) {
        Some(Planted::Impatience) => Duration::ZERO,
        _ => VERIFY_TIMEOUT,
    };
    let (mut backoff, deadline) = (Backoff::default(), Instant::now() + patience);
    let (recorded, account) = on_disk(world);
    let observed = loop {
        let read_at = world.with(|state| state.time(run));
        let listed = client.collect(&dice, Observed::default, |observed, row| {
            filter.take(observed, row);
        });
        let Ok(mut observed) = listed.await else {
            return End::Blind;
        };
        observed.read_at = Some(read_at);
        let inputs = Inputs {
            desired: &desired,
            observed: &observed,
            recorded: &recorded,
        };
        let lag = patience.as_millis() as i64;
        let until = wait_for_confirmed(inputs, &switches.only, lag);
        let left = until.map(|until| until.0 - world.with(|state| state.time(run)).0);
        let left = left.map(|left| Duration::from_millis(left.max(0) as u64));
        let until = left.map(|left| (Instant::now() + left).min(deadline));
        let Some(wait) = until.and_then(|until| backoff.next_wait(until)) else {
            break observed;
        };
        world.with(|state| state.count("a wait for a confirmed room"));
        tokio::time::sleep(wait).await;
    };
    let read_at = observed.read_at.unwrap_or_default();
    let planned = plan(&target(), &desired, &observed, &recorded, &switches);
    judge(world, run, start.flags, &account, &planned, read_at);
    let again = planned.changes.iter().filter(|change| change.recreate);
    let again: Vec<Pipe> = again.map(|change| change.pipe.clone()).collect();
    world.with(|state| state.unprotected.extend(again));
    let pipes = account.claims.keys();
    let promised = pipes.filter(|pipe| account.promises_welcome(pipe));
    let pending = planned.notes.iter().filter_map(|note| match note {
        Note::Pending { pipe, field, was } => Some(((pipe.clone(), *field), was.clone())),
        _ => None,
    });
    world.with(|state| {
        state.runs[run].promised = promised.cloned().collect();
        state.runs[run].pending = pending.collect();
    });
    if !planned.refusals.is_empty() {
        return End::Refused;
    }
    if planned.is_empty() && !planned.has_anything_to_record() && !start.always {
        return End::Idle(Box::new(planned));
    }
    tokio::time::sleep(Duration::from_millis(start.thought)).await;
    let (interrupts, lists) = world.with(|state| {
        let run = &state.runs[run];
        (run.interrupts(), run.lists)
    });
    let patience = Patience {
        verify: patience,
        ..Patience::default()
    };
    let pace = Limiter::new(start.parallelism, start.rate);
    let (ledger, dice) = (Arc::clone(world), Dice::new(seed ^ 1));
    let job = Job {
        plan: &planned,
        filter: RowFilter::new(&desired),
        reader: &client,
        writer: &client,
        ledger: &Ledger { world: ledger, run },
        control: Control::new(pace, dice, start.fail_fast, patience, interrupts),
    };
    let outcome = apply(job, |_| {}).await;
    let writes = world.with(|state| {
        let process = &state.runs[run];
        let lies = report::lies(state, process, &planned, &outcome, lists);
        let writes = process.requests.len() + process.said.len();
        tally::outcome(&mut state.tally, &outcome);
        state.say(|| {
            // Leave out what differs between two simulations with the same seed: the observed rooms, which
            // have no order, and the times.
            let without_times = |room: RoomOutcome| RoomOutcome {
                sent_at: None,
                answered_at: None,
                ..room
            };
            let Outcome { rooms, .. } = outcome.clone();
            let shown = Outcome {
                observed: None,
                rooms: rooms.into_iter().map(without_times).collect(),
                ..outcome.clone()
            };
            format!("run {run}: ended: {shown:?}")
        });
        for lie in lies {
            state.fail(format!("run {run}: the outcome is not true: {lie}"));
        }
        writes
    });
    if let Some(observed) = &outcome.observed {
        // What `apply` reports at its end: the remaining plan.
        let (recorded, mut account) = on_disk(world);
        let recorded = recorded.without_later_observations();
        let after = plan(&target(), &desired, observed, &recorded, &switches);
        for known in account.rooms.values_mut() {
            known.saw = None;
        }
        let read_at = observed.read_at.unwrap_or_default();
        judge(world, run, start.flags, &account, &after, read_at);
    }
    End::Applied(writes)
}

/// The recorded state, as the product and as the simulation read it.
fn on_disk(world: &World) -> (Recorded, Account) {
    world.with(|state| (fold(&state.disk.entries), Account::of(&state.disk.entries)))
}

/// Checks a plan against the truth.
fn judge(world: &World, run: usize, flags: Flags, account: &Account, plan: &Plan, read_at: Time) {
    world.with(|state| {
        let process = &state.runs[run];
        let truth = Truth {
            wishes: &process.wishes,
            flags,
            shown: &process.shown,
            account,
            server: &state.server,
            wanted: state
                .runs
                .iter()
                .map(|run| (run.name.as_str(), &*run.wishes))
                .collect(),
            read_at,
            punctual: !state.tally.contains_key("a list that lags"),
            nothing: Known::default(),
        };
        let lies = oracle::lies(&truth, plan);
        tally::plan(&mut state.tally, plan);
        state.say(|| format!("run {run}: {}", render::plan(plan, Paint::Plain)));
        for lie in lies {
            state.fail(format!("run {run}: the plan is not true: {lie}"));
        }
    });
}
