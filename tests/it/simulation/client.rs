//! The connection to the server: delays, lost calls, lost answers, lists that are truncated, stale, or lack rows.
//!
//! Main type: [`Client`], one per process. It records what the server received from that process.

use std::sync::Arc;
use std::time::Duration;

use roomform::imbachat::{
    Delivery, Failure, Message, ReadRooms, RoomWrite, SendMessages, WriteRooms, Written,
};
use roomform::model::{LiveRoom, MessageId};

use super::fault::Fault;
use super::protocol;
use super::server::Sender;
use super::types::{Call, Late, Said, Write};
use super::world::{Answer, Request, Spoken, State, World};

#[derive(Debug)]
pub struct Client {
    pub world: Arc<World>,
    pub run: usize,
}

/// A call in flight. If its process dies or does not wait for the answer, the server may still execute it.
struct UnderWay<'a> {
    client: &'a Client,
    call: Call,
    number: usize,
    is_executed: bool,
    is_answered: bool,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.client.world.with(|state| {
            if !self.is_executed && state.rng.chance(500) {
                let due = state.elapsed() + state.rng.below(state.weather.late);
                let run = state.runs[self.client.run].name.clone();
                let call = self.call.clone();
                state.server.late.push(Late { due, run, call });
            }
        });
        if !self.is_answered {
            let failure = Failure::lasting(Delivery::Uncertain, "no one waited");
            self.client.answer(&self.call, self.number, &Err(failure));
        }
    }
}

async fn sleep(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

impl Client {
    /// Records a call and draws its fault; returns its number, its delay in milliseconds and the fault.
    fn arrive(&self, call: &Call) -> (usize, u64, Option<Fault>) {
        self.world.with(|state| {
            match call {
                Call::Write(write) => protocol::write(state, self.run, write),
                Call::Say(said) => protocol::say(state, self.run, said),
            }
            let fault = state.fault();
            state.count(match (call, fault) {
                (_, Some(fault)) => fault.name(),
                (Call::Write(_), None) => "a good write",
                (Call::Say(_), None) => "a good message",
            });
            let run = &mut state.runs[self.run];
            let answer = Answer::None;
            let number = match call {
                Call::Write(write) => {
                    let write = Arc::clone(write);
                    run.requests.push(Request {
                        write,
                        answer,
                        errors: false,
                    });
                    run.requests.len() - 1
                }
                Call::Say(said) => {
                    let row = run.shown.iter().find(|row| row.id == said.room);
                    let pipe = row.map(|row| row.pipe.clone());
                    let said = Arc::clone(said);
                    run.said.push(Spoken { said, pipe, answer });
                    run.said.len() - 1
                }
            };
            state.say(|| {
                let run = self.run;
                match call {
                    Call::Write(write) => {
                        let Write { room, pipe, .. } = &**write;
                        let count = write.members.len();
                        format!(
                            "run {run}: write {number}: {pipe} {room:?}, {count} members: {fault:?}"
                        )
                    }
                    Call::Say(said) => format!("run {run}: message {number}: {said:?}: {fault:?}"),
                }
            });
            state.others();
            let latency = state.weather.latency;
            (number, 1 + state.rng.below(latency), fault)
        })
    }

    fn commit(&self, call: &Call) -> Result<Written, Failure> {
        self.world.with(|state| match call {
            Call::Write(write) => {
                let moody = state.rng.chance(state.weather.moody);
                let creates = write.room.is_none();
                state.count(if creates { "a create" } else { "an update" });
                let name = state.runs[self.run].name.clone();
                let carries = state.errors.chance(state.weather.errors);
                let mut arrived = Write::clone(write);
                if carries {
                    state.count("a success with an error");
                    let kept = state.errors.below(arrived.members.len() as u64 + 1);
                    arrived.members.truncate(kept as usize);
                }
                let done = state.commit(&arrived, moody, Sender::Run(&name));
                state.say(|| {
                    let (run, moody) = (self.run, if moody { ", fields ignored" } else { "" });
                    format!("run {run}: commit {}: {done:?}{moody}", write.pipe)
                });
                let errors = carries.then(|| "someone is unknown".to_owned());
                done.map(|room| Written {
                    room,
                    errors: errors.into_iter().collect(),
                })
            }
            Call::Say(said) => state.said(said).map(|()| said.room.into()),
        })
    }

    fn answer(&self, call: &Call, number: usize, answer: &Result<Written, Failure>) {
        self.world.with(|state| {
            state.say(|| format!("run {}: answer {number}: {answer:?}", self.run));
            let reported = match answer {
                Ok(written) => Answer::Good(written.room),
                Err(failure) => Answer::Bad(failure.delivery),
            };
            let run = &mut state.runs[self.run];
            match call {
                Call::Write(_) => {
                    let errors = |written: &Written| !written.errors.is_empty();
                    let request = &mut run.requests[number];
                    request.answer = reported;
                    request.errors = answer.as_ref().is_ok_and(errors);
                }
                Call::Say(_) => run.said[number].answer = reported,
            }
            run.denied |= matches!(answer, Err(failure) if failure.is_denied());
        });
    }

    /// One call and its answer.
    async fn travel(&self, call: Call) -> Result<Written, Failure> {
        self.world.event(self.run, "send").await;
        let (number, delay, fault) = self.arrive(&call);
        let mut under_way = UnderWay {
            client: self,
            call: call.clone(),
            number,
            is_executed: false,
            is_answered: false,
        };
        sleep(delay).await;
        self.world.event(self.run, "commit").await;
        under_way.is_executed = true;
        let answer = match fault {
            Some(fault) if !fault.commits() => {
                sleep(fault.delay()).await;
                if fault == Fault::TimeOut {
                    // The server may still execute the call later.
                    under_way.is_executed = false;
                }
                Err(fault.failure())
            }
            _ => {
                let done = self.commit(&call);
                sleep(delay + fault.map_or(0, Fault::delay)).await;
                fault.map_or(done, |fault| Err(fault.failure()))
            }
        };
        self.world.event(self.run, "answer").await;
        self.answer(&call, number, &answer);
        under_way.is_answered = true;
        answer
    }
}

impl WriteRooms for Client {
    async fn write(&self, write: &RoomWrite<'_>) -> Result<Written, Failure> {
        let write = Write {
            room: write.room,
            pipe: write.pipe.clone(),
            state: write.state.clone(),
            members: write.members.to_vec(),
        };
        self.travel(Call::Write(Arc::new(write))).await
    }
}

impl SendMessages for Client {
    async fn send(&self, message: &Message<'_>) -> Result<Option<MessageId>, Failure> {
        let said = Said {
            room: message.room,
            from: message.from,
            text: message.text.to_owned(),
        };
        self.travel(Call::Say(Arc::new(said))).await.map(|_| None)
    }
}

impl ReadRooms for Client {
    async fn list(&self, take: &mut dyn FnMut(LiveRoom)) -> Result<(), Failure> {
        self.world.event(self.run, "list").await;
        let delay = self.world.with(|state| {
            state.runs[self.run].lists += 1;
            state.others();
            1 + state.rng.below(state.weather.latency)
        });
        sleep(delay).await;
        let (rows, failure) = self.world.with(|state| list(state, self.run));
        sleep(delay).await;
        self.world.event(self.run, "listed").await;
        rows.iter().cloned().for_each(take);
        match failure {
            Some(failure) => Err(failure),
            None => {
                self.world.with(|state| state.runs[self.run].saw(rows));
                Ok(())
            }
        }
    }
}

/// The part of the server's answer to get_rooms that arrives.
fn list(state: &mut State, run: usize) -> (Vec<LiveRoom>, Option<Failure>) {
    state.catch_up();
    let lag = state.weather.lag;
    let behind = match state.weather.steady {
        true => lag,
        false => state.rng.below(lag + 1),
    };
    let time = state.server.time.saturating_sub(behind);
    let mut rows = state.server.list_at(time);
    if rows != state.server.list() {
        state.count("a list that lags");
    }
    if state.rng.chance(state.weather.capped) {
        state.count("a list that is capped");
        rows.truncate(rows.len() / 2);
    }
    let failure = state.rng.chance(state.weather.list_fails).then(|| {
        let fault = *state.rng.pick(&Fault::ALL);
        let keep = state.rng.below(rows.len() as u64 + 1);
        rows.truncate(keep as usize);
        fault.failure()
    });
    if failure.is_some() {
        state.count("a list that fails");
    }
    state.say(|| {
        let shown = |row: &LiveRoom| {
            let LiveRoom {
                id,
                pipe,
                state,
                deleted,
                updated_at,
            } = row;
            let time = updated_at.as_deref().unwrap_or_default();
            let deleted = if *deleted { " deleted" } else { "" };
            format!(
                "{id} {pipe} {:?} {} {}{deleted} {time}",
                state.title, state.kind, state.public
            )
        };
        let text: Vec<String> = rows.iter().map(shown).collect();
        format!(
            "run {run}: list, {behind} ms behind, {failure:?}: {}",
            text.join("; ")
        )
    });
    (rows, failure)
}
