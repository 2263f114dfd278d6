//! The complete state of a simulated world, under one lock, and its log.
//!
//! Main types: [`World`], [`State`], and [`Run`], which describes one process as seen from
//! outside.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use roomform::apply::Interrupt;
use roomform::imbachat::Delivery;
use roomform::ledger::{Fact, Stamp};
use roomform::model::{Field, LiveRoom, PendingField, Pipe, RoomId, Time};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::disk::Disk;
use super::fault::Fault;
use super::rng::Rng;
use super::server::{Manners, Server};
use super::types::{Fate, Planted, Said, Write, time_text, timestamp};
use super::weather::Weather;
use super::wishes::Wishes;

/// What the server answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    None,
    Good(RoomId),
    Bad(Delivery),
}

/// A call that arrived.
#[derive(Debug)]
pub struct Request {
    pub write: Arc<Write>,
    pub answer: Answer,
    /// Whether the answer carried an error although it was successful.
    pub errors: bool,
}

/// A message that arrived.
#[derive(Debug)]
pub struct Spoken {
    pub said: Arc<Said>,
    /// The pipe of its room in the last list.
    pub pipe: Option<Pipe>,
    pub answer: Answer,
}

#[derive(Debug)]
pub struct Run {
    /// Its run id in the ledger.
    pub name: String,
    /// When it started.
    pub begun: u64,
    pub wishes: Arc<Wishes>,
    pub requests: Vec<Request>,
    /// Messages that arrived.
    pub said: Vec<Spoken>,
    /// Number of list calls.
    pub lists: usize,
    /// The last complete list.
    pub shown: Vec<LiveRoom>,
    /// Pipes whose welcome, according to the ledger, was still to be sent when the process made its plan.
    pub promised: BTreeSet<Pipe>,
    /// Fields that its plan sends again.
    pub pending: BTreeMap<(Pipe, Field), PendingField>,
    /// Number of requests at the time of the last list.
    seen_at: usize,
    /// Facts whose append finished.
    pub appended: Vec<Fact>,
    pub ledger_failed: bool,
    pub interrupted: bool,
    /// The server rejected the credentials.
    pub denied: bool,
    /// Members of rooms without a record are assumed to be present.
    pub assumes: bool,
    pub dead: bool,
    pub died: Arc<Notify>,
    interrupt: watch::Sender<Interrupt>,
    events: u64,
    /// The events at which the process is interrupted, stopped, and dies.
    pub plan: Fate,
    written: u64,
    /// How many milliseconds its clock is ahead; negative if it is behind.
    ahead: i64,
    /// The earliest time for the process's next stamp. It is later than the times of all
    /// entries that the process knows.
    earliest: i64,
}

impl Run {
    /// Records a list that arrived.
    pub fn saw(&mut self, rows: Vec<LiveRoom>) {
        self.shown = rows;
        self.seen_at = self.requests.len();
    }

    /// The calls sent since the last list.
    pub fn since_list(&self) -> impl Iterator<Item = (&Arc<Write>, Answer)> {
        let requests = self.requests[self.seen_at..].iter();
        requests.map(|request| (&request.write, request.answer))
    }

    /// The channel for interrupts.
    pub fn interrupts(&self) -> watch::Receiver<Interrupt> {
        self.interrupt.subscribe()
    }
}

#[derive(Debug)]
pub struct State {
    pub rng: Rng,
    /// Decides which successful answers carry an error. Separate from `rng`, so that worlds without such errors stay the same.
    pub errors: Rng,
    /// Decides how wrong clocks are.
    pub clocks: Rng,
    pub weather: Weather,
    pub server: Server,
    pub disk: Disk,
    pub runs: Vec<Run>,
    pub planted: Option<Planted>,
    /// Pipes whose room a run may recreate, or whose record was forgotten.
    pub unprotected: BTreeSet<Pipe>,
    /// Failed checks.
    pub broken: Vec<String>,
    pub log: Option<Vec<String>>,
    /// How often each event happened.
    pub tally: BTreeMap<&'static str, u64>,
    start: Instant,
}

#[derive(Debug)]
pub struct World(Mutex<State>);

impl World {
    pub fn new(
        rng: Rng,
        errors: Rng,
        clocks: Rng,
        manners: Manners,
        logged: bool,
        planted: Option<Planted>,
    ) -> Self {
        Self(Mutex::new(State {
            rng,
            errors,
            clocks,
            weather: Weather::default(),
            server: Server::new(manners),
            disk: Disk::new(),
            runs: Vec::new(),
            planted,
            unprotected: BTreeSet::new(),
            broken: Vec::new(),
            log: logged.then(Vec::new),
            tally: BTreeMap::new(),
            start: Instant::now(),
        }))
    }

    /// Reads or changes the world.
    pub fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A point at which a process may be interrupted or die. A dead process does not continue.
    pub async fn event(&self, run: usize, what: &str) {
        if self.with(|state| state.event(run, what)) {
            std::future::pending().await
        }
    }
}

impl State {
    /// Starts a process.
    pub fn begin(&mut self, wishes: &Arc<Wishes>, plan: Fate) -> usize {
        let (interrupt, _) = watch::channel(Interrupt::None);
        // The names are not in start order, because real run ids are random.
        let name = format!("{:04x}-{}", self.rng.below(0x1_0000), self.runs.len());
        let begun = self.elapsed();
        let ahead = match self.weather.clock {
            0 => 0,
            most => self.clocks.below(2 * most) as i64 - most as i64,
        };
        if ahead != 0 {
            self.count("a wrong clock");
        }
        self.runs.push(Run {
            name,
            begun,
            wishes: Arc::clone(wishes),
            requests: Vec::new(),
            said: Vec::new(),
            lists: 0,
            shown: Vec::new(),
            promised: BTreeSet::new(),
            pending: BTreeMap::new(),
            seen_at: 0,
            appended: Vec::new(),
            ledger_failed: false,
            interrupted: false,
            denied: false,
            assumes: false,
            dead: false,
            died: Arc::default(),
            interrupt,
            events: 0,
            plan,
            written: 0,
            ahead,
            earliest: 0,
        });
        let run = self.runs.len() - 1;
        self.know_entries(run);
        run
    }

    /// Counts an event of a process; returns whether the process is dead.
    fn event(&mut self, run: usize, what: &str) -> bool {
        let process = &mut self.runs[run];
        process.events += 1;
        let dies = process.plan.death == Some(process.events);
        if dies {
            process.dead = true;
            process.died.notify_one();
        }
        if what == "send" && process.plan.interrupt == Some(process.events) {
            // The process has just checked for an interrupt, so it sees this one at the next event.
            process.plan.interrupt = Some(process.events + 1);
        }
        let interrupted = !process.dead && process.plan.interrupt == Some(process.events);
        if interrupted {
            process.interrupted = true;
            process.interrupt.send_replace(Interrupt::Finish);
        }
        let stopped = process.interrupted && process.plan.stop == Some(process.events);
        if stopped {
            process.interrupt.send_replace(Interrupt::Stop);
        }
        let dead = process.dead;
        if stopped {
            self.count("is stopped");
            self.say(|| format!("run {run}: is stopped before `{what}`"));
        }
        if dies || interrupted {
            let end = if dies { "dies" } else { "is interrupted" };
            self.count(end);
            self.say(|| format!("run {run}: {end} before `{what}`"));
        }
        dead
    }

    /// Milliseconds since the start.
    pub fn elapsed(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// The time by a process's clock.
    pub fn time(&self, run: usize) -> Time {
        Time(timestamp(self.elapsed()).as_millisecond() + self.runs[run].ahead)
    }

    /// The time after the last entry on disk.
    pub fn after_entries(&self) -> i64 {
        let last = self.disk.entries.keys().next_back();
        last.map_or(0, |stamp| {
            let time: Timestamp = stamp.time.parse().unwrap();
            time.as_millisecond() + 1
        })
    }

    /// Records that a process has read the ledger. From then on, its stamps come after all
    /// entries, as in the product.
    pub fn know_entries(&mut self, run: usize) {
        let after = self.after_entries();
        let earliest = &mut self.runs[run].earliest;
        *earliest = after.max(*earliest);
    }

    /// A stamp with the current time.
    pub fn stamp(&mut self, run: usize) -> Stamp {
        let now = self.time(run).0;
        let process = &mut self.runs[run];
        process.written += 1;
        let time = now.max(process.earliest);
        process.earliest = time + i64::from(time > now);
        Stamp {
            time: time_text(time).into(),
            run: process.name.as_str().into(),
            sequence: process.written,
        }
    }

    /// The fault of the next write.
    pub fn fault(&mut self) -> Option<Fault> {
        let fails = self.rng.chance(self.weather.fails);
        fails.then(|| self.rng.choose(&self.weather.faults))?
    }

    /// Someone else may change something on the server.
    pub fn others(&mut self) {
        if self.rng.chance(self.weather.others) {
            self.catch_up();
            let text = self.server.meddle(&mut self.rng);
            self.say(|| format!("someone else: {text}"));
        }
    }

    /// Counts an event that the simulation should reach.
    pub fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    /// Adds a line to the log, which only a replay keeps.
    pub fn say(&mut self, text: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(format!(
                "{:>9} {}",
                self.start.elapsed().as_millis(),
                text()
            ));
        }
    }

    /// Records a failed check.
    pub fn fail(&mut self, text: String) {
        self.say(|| format!("!! {text}"));
        self.broken.push(text);
    }
}
