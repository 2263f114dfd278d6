//! Everything a simulated world is made of, under one lock, and the log of what happened in it.
//!
//! Main types: [`World`], [`State`], and [`Run`]: one process, as seen from outside.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use roomform::imbachat::{Delivery, Failure};
use roomform::ledger::{Fact, Stamp};
use roomform::model::{LiveRoom, Pipe, RoomId};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::disk::Disk;
use super::fault::Fault;
use super::rng::Rng;
use super::server::{Call, Manners, Said, Server, Write};
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
    /// Whether a good answer carried an error.
    pub errors: bool,
}

/// A message that arrived.
#[derive(Debug)]
pub struct Spoken {
    pub said: Arc<Said>,
    /// The pipe under which the last list showed its room.
    pub pipe: Option<Pipe>,
    pub answer: Answer,
}

/// One process.
#[derive(Debug)]
pub struct Run {
    /// Its name in the ledger.
    pub name: String,
    pub wishes: Arc<Wishes>,
    pub requests: Vec<Request>,
    /// Messages that arrived.
    pub said: Vec<Spoken>,
    /// Calls to list.
    pub lists: usize,
    /// The last list that arrived whole.
    pub shown: Vec<LiveRoom>,
    /// Pipes whose welcome was owed as far as the ledger told when it made its plan.
    pub promised: BTreeSet<Pipe>,
    /// How many requests there had been then.
    seen_at: usize,
    /// Facts whose append came back.
    pub appended: Vec<Fact>,
    pub ledger_failed: bool,
    pub interrupted: bool,
    /// The server did not accept who it is.
    pub denied: bool,
    /// Members of rooms without a record are taken for present.
    pub assumes: bool,
    pub dead: bool,
    pub died: Arc<Notify>,
    interrupt: watch::Sender<bool>,
    events: u64,
    /// The events at which it is interrupted and at which it dies.
    pub plan: Fate,
    written: u64,
}

/// What is to befall a process, by the number of its event.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fate {
    pub interrupt: Option<u64>,
    pub death: Option<u64>,
}

impl Run {
    /// A list came.
    pub fn saw(&mut self, rows: Vec<LiveRoom>) {
        self.shown = rows;
        self.seen_at = self.requests.len();
    }

    /// What was sent since the last list.
    pub fn since_list(&self) -> impl Iterator<Item = (&Arc<Write>, Answer)> {
        let requests = self.requests[self.seen_at..].iter();
        requests.map(|request| (&request.write, request.answer))
    }

    /// The channel that turns true on an interrupt.
    pub fn interrupts(&self) -> watch::Receiver<bool> {
        self.interrupt.subscribe()
    }
}

/// Everything.
#[derive(Debug)]
pub struct State {
    pub rng: Rng,
    /// Decides which good answers carry an error. Apart from the other, so that worlds without them stay as they were.
    pub errors: Rng,
    pub weather: Weather,
    pub server: Server,
    pub disk: Disk,
    pub runs: Vec<Run>,
    /// What does not hold.
    pub broken: Vec<String>,
    pub log: Option<Vec<String>>,
    /// How often what happened.
    pub tally: BTreeMap<&'static str, u64>,
    start: Instant,
}

/// A world.
#[derive(Debug)]
pub struct World(Mutex<State>);

impl World {
    /// An empty world.
    pub fn new(rng: Rng, errors: Rng, manners: Manners, logged: bool) -> Self {
        Self(Mutex::new(State {
            rng,
            errors,
            weather: Weather::default(),
            server: Server::new(manners),
            disk: Disk::default(),
            runs: Vec::new(),
            broken: Vec::new(),
            log: logged.then(Vec::new),
            tally: BTreeMap::new(),
            start: Instant::now(),
        }))
    }

    /// Looks at the world, or changes it.
    pub fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A point at which a process may be interrupted or die. A dead one never gets past it.
    pub async fn event(&self, run: usize, what: &str) {
        if self.with(|state| state.event(run, what)) {
            std::future::pending().await
        }
    }
}

impl State {
    /// A new process.
    pub fn begin(&mut self, wishes: &Arc<Wishes>, plan: Fate) -> usize {
        let (interrupt, _) = watch::channel(false);
        // Not in the order in which they start: real ones are random.
        let name = format!("{:04x}-{}", self.rng.below(0x1_0000), self.runs.len());
        self.runs.push(Run {
            name,
            wishes: Arc::clone(wishes),
            requests: Vec::new(),
            said: Vec::new(),
            lists: 0,
            shown: Vec::new(),
            promised: BTreeSet::new(),
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
        });
        self.runs.len() - 1
    }

    /// Something happens in a process. Whether it is dead.
    fn event(&mut self, run: usize, what: &str) -> bool {
        let process = &mut self.runs[run];
        process.events += 1;
        let dies = process.plan.death == Some(process.events);
        if dies {
            process.dead = true;
            process.died.notify_one();
        }
        if what == "send" && process.plan.interrupt == Some(process.events) {
            // The process has just looked whether to go on: for it the interrupt is one event away.
            process.plan.interrupt = Some(process.events + 1);
        }
        let interrupted = !process.dead && process.plan.interrupt == Some(process.events);
        if interrupted {
            process.interrupted = true;
            process.interrupt.send_replace(true);
        }
        let dead = process.dead;
        if dies || interrupted {
            let end = if dies { "dies" } else { "is interrupted" };
            self.count(end);
            self.say(|| format!("run {run}: {end} before `{what}`"));
        }
        dead
    }

    /// The time as the ledger has it: its order is that of the text.
    pub fn now(&self) -> String {
        format!("2026-01-01T{:012}Z", self.start.elapsed().as_millis())
    }

    /// A stamp of now.
    pub fn stamp(&mut self, run: usize) -> Stamp {
        let time = self.now();
        let process = &mut self.runs[run];
        process.written += 1;
        Stamp {
            time,
            run: process.name.clone(),
            sequence: process.written,
        }
    }

    /// What becomes of the next write.
    pub fn fault(&mut self) -> Option<Fault> {
        let fails = self.rng.chance(self.weather.fails);
        fails.then(|| self.rng.choose(&self.weather.faults))?
    }

    /// Others may act, and late calls may arrive.
    pub fn others(&mut self) {
        if self.rng.chance(self.weather.others) {
            let text = self.server.meddle(&mut self.rng);
            self.say(|| format!("somebody else: {text}"));
        }
        if !self.server.late.is_empty() && self.rng.chance(300) {
            self.arrive_late();
        }
    }

    /// The oldest call nobody waits for is carried out after all.
    pub fn arrive_late(&mut self) {
        match self.server.late.remove(0) {
            Call::Write(write) => {
                self.count("a late write");
                let done = self.server.commit(&write, false, None);
                self.say(|| format!("late: {} {:?}: {done:?}", write.pipe, write.room));
            }
            Call::Say(said) => {
                self.count("a late message");
                // Nobody waits for the answer.
                drop(self.said(&said));
            }
        }
    }

    /// Something is said in a room: once, unless the ledger that knew of it was lost in part.
    pub fn said(&mut self, said: &Said) -> Result<(), Failure> {
        let done = self.server.say(said);
        self.say(|| format!("said {said:?}: {done:?}"));
        let room = self.server.rooms.get(&said.room);
        let often = room.map_or(0, |room| room.said.len());
        if often > 1 && !self.disk.unsure.contains(&said.room) {
            self.fail(format!("room {}: {often} messages", said.room));
        }
        done
    }

    /// Something happened that a simulation should see now and then.
    pub fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    /// A line of the log. Only a replay keeps one.
    pub fn say(&mut self, text: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(format!(
                "{:>9} {}",
                self.start.elapsed().as_millis(),
                text()
            ));
        }
    }

    /// Something does not hold.
    pub fn fail(&mut self, text: String) {
        self.say(|| format!("!! {text}"));
        self.broken.push(text);
    }
}
