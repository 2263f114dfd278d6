//! An apply with a custom server, ledger and progress display.
//!
//! `cargo run --example custom_reporter`. The server here is a list in memory. Yours may be a queue, a proxy or a test double.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};

use roomform::ledger::{Claim, Claimed, Entries, Fact, LedgerError, Record, Stamp, fold};
use roomform::model::{MessageId, RoomId, Target, Time, WidgetId};
use roomform::render::escape;
use roomform::{
    Control, Delivery, Desired, Dice, Event, Failure, Interrupt, Job, Limiter, LiveRoom, Message,
    Observed, Options, Patience, Plan, PlanOptions, ReadRooms, RoomWrite, RowFilter, SendMessages,
    WriteRooms, Written, apply, check_text, plan,
};
use tokio::sync::watch;

const MANIFEST: &str = "\
version: 1
rooms:
  - {pipe: course-rust, title: Rust, members: [4, 101, 102], welcome: {from: 4, text: 'Welcome to {{ title }}'}}
  - {pipe: lounge, title: The lounge}
  - {pipe: team-platform, title: Platform team, members: [3, 4]}
";

/// A server in memory.
#[derive(Default)]
struct Server {
    rooms: Mutex<Vec<LiveRoom>>,
    said: Mutex<Vec<String>>,
}

/// A ledger in memory. A real one must be on disk before `append` returns.
#[derive(Default)]
struct Memory(Mutex<Entries>);

/// Locks, even if another holder panicked.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ReadRooms for Server {
    async fn list(&self, take: &mut dyn FnMut(LiveRoom)) -> Result<(), Failure> {
        held(&self.rooms).iter().cloned().for_each(take);
        Ok(())
    }
}

impl WriteRooms for Server {
    /// A write without an id creates the room, unless a room with its pipe exists. Members are
    /// not stored, because the API does not list them.
    async fn write(&self, write: &RoomWrite<'_>) -> Result<Written, Failure> {
        let mut rooms = held(&self.rooms);
        let is_it = |room: &&mut LiveRoom| match write.room {
            Some(id) => room.id == id,
            None => room.pipe == *write.pipe,
        };
        if let Some(room) = rooms.iter_mut().find(is_it) {
            room.state = write.state.clone();
            return Ok(room.id.into());
        }
        if write.room.is_some() {
            // `Refused` promises that nothing was written.
            return Err(Failure::lasting(Delivery::Refused, "no such room"));
        }
        let id = RoomId(rooms.len() as u64 + 1);
        rooms.push(LiveRoom {
            id,
            pipe: write.pipe.clone(),
            state: write.state.clone(),
            deleted: false,
            updated_at: None,
        });
        Ok(id.into())
    }
}

impl SendMessages for Server {
    async fn send(&self, message: &Message<'_>) -> Result<Option<MessageId>, Failure> {
        let mut said = held(&self.said);
        said.push(message.text.to_owned());
        Ok(Some(MessageId(said.len() as u64)))
    }
}

impl Memory {
    fn add(&self, facts: Vec<Fact>) {
        let mut entries = held(&self.0);
        for fact in facts {
            let sequence = entries.len() as u64 + 1;
            let stamp = Stamp {
                // Only the order of the times matters here.
                time: format!("{sequence:020}").into(),
                run: "example".into(),
                sequence,
            };
            entries.insert(stamp, fact);
        }
    }
}

impl Record for Memory {
    async fn append(&self, facts: Vec<Fact>) -> Result<(), LedgerError> {
        self.add(facts);
        Ok(())
    }

    async fn claim(&self, claim: Claim, intent: Fact) -> Result<Claimed, LedgerError> {
        // No other run uses this ledger, so the age of a claim does not matter.
        let claimed = claim.decide("example", &held(&self.0), Time::default());
        if claimed == Claimed::Ours {
            self.add(claim.ended().into_iter().chain([intent]).collect());
        }
        Ok(claimed)
    }
}

fn main() -> ExitCode {
    match run(&mut io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

/// Applies the manifest to a server with one room, prints each step, and plans again.
pub fn run(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    runtime.block_on(applied(out))
}

async fn applied(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let desired = check_text("rooms.yaml", MANIFEST, Options::default())?.desired;
    let (server, memory) = (Server::default(), Memory::default());
    let old = desired
        .rooms
        .get("lounge")
        .ok_or("the manifest has no room `lounge`")?;
    let mut state = old.state.clone();
    state.title = "Lounge".to_owned();
    server
        .write(&RoomWrite {
            room: None,
            pipe: &old.pipe,
            state: &state,
            members: &[],
        })
        .await?;

    let before = planned(&desired, &server, &memory).await?;
    // Send `Interrupt::Finish` to interrupt the run.
    let (_interrupt, interrupted) = watch::channel(Interrupt::None);
    let job = Job {
        plan: &before,
        filter: RowFilter::new(&desired),
        reader: &server,
        writer: &server,
        ledger: &memory,
        control: Control::new(
            Limiter::new(1, None),
            Dice::new(7),
            false,
            Patience::default(),
            interrupted,
        ),
    };
    let (mut lines, mut welcoming) = (Vec::new(), false);
    let outcome = apply(job, |event| match event {
        Event::Settled(room) => {
            let done = if welcoming { "welcomed" } else { room.done() };
            lines.push(format!("{}: {done}", escape::terminal(room.pipe.as_str())));
        }
        Event::Resolving(rooms, _) => lines.push(format!("looking up {rooms} uncertain creates")),
        Event::Verifying => lines.push("verifying".to_owned()),
        Event::Welcoming(rooms) => {
            welcoming = true;
            lines.push(format!("welcoming {rooms}"));
        }
    })
    .await;
    for line in lines {
        writeln!(out, "{line}")?;
    }
    for room in &outcome.rooms {
        let (pipe, status) = (escape::terminal(room.pipe.as_str()), room.status.name());
        writeln!(out, "{pipe}: {status}, {} members", room.members)?;
    }
    for said in held(&server.said).iter() {
        writeln!(out, "said: {}", escape::terminal(said))?;
    }
    let after = planned(&desired, &server, &memory).await?;
    writeln!(out, "complete: {}", outcome.is_complete())?;
    writeln!(out, "left to do: {}", after.changes.len())?;
    Ok(())
}

async fn planned(desired: &Desired, server: &Server, memory: &Memory) -> Result<Plan, Failure> {
    let target = Target {
        origin: "memory:".to_owned(),
        widget: WidgetId(1),
    };
    let filter = RowFilter::new(desired);
    let take = |observed: &mut Observed, row| filter.take(observed, row);
    let observed = server
        .collect(&Dice::new(7), Observed::default, take)
        .await?;
    let recorded = fold(&held(&memory.0));
    Ok(plan(
        &target,
        desired,
        &observed,
        &recorded,
        &PlanOptions::default(),
    ))
}
