//! Executes calls on the server, including those that no one waits for, and checks that roomform creates only one room per pipe.

use roomform::imbachat::Failure;
use roomform::model::{Pipe, RoomId};

use super::server::Sender;
use super::types::{Call, Late, Said, Write};
use super::world::State;

impl State {
    /// Executes the late calls that are due by now.
    pub fn catch_up(&mut self) {
        let now = self.elapsed();
        while let Some(next) = self.server.late.iter().map(|late| late.due).min()
            && next <= now
        {
            self.server.time = next;
            self.arrive_late(next);
        }
        self.server.time = now;
    }

    /// Executes a call whose sender no longer waits.
    fn arrive_late(&mut self, due: u64) {
        let mut late = self.server.late.iter();
        let Some(index) = late.position(|late| late.due == due) else {
            return;
        };
        let Late { run, call, .. } = self.server.late.remove(index);
        match call {
            Call::Write(write) => {
                self.count("a late write");
                let done = self.commit_now(&write, false, Sender::GoneRun(&run));
                self.say(|| format!("late: {} {:?}: {done:?}", write.pipe, write.room));
            }
            Call::Say(said) => {
                self.count("a late message");
                // The sender no longer waits for the answer.
                drop(self.said(&said));
            }
        }
    }

    /// Executes a write now.
    pub fn commit(
        &mut self,
        write: &Write,
        moody: bool,
        sender: Sender<'_>,
    ) -> Result<RoomId, Failure> {
        self.catch_up();
        self.commit_now(write, moody, sender)
    }

    /// Executes a write. Of the live rooms of a pipe, at most one may have been created by
    /// roomform.
    fn commit_now(
        &mut self,
        write: &Write,
        moody: bool,
        sender: Sender<'_>,
    ) -> Result<RoomId, Failure> {
        let done = self.server.commit(write, moody, sender);
        let live = self.server.live(&write.pipe);
        let ours = |id: &&RoomId| self.server.rooms[id].made_by.is_some();
        let ours: Vec<&RoomId> = live.iter().filter(ours).collect();
        if ours.len() > 1 && write.room.is_none() && self.is_protected(&write.pipe) {
            self.fail(format!("{}: we made {ours:?}", write.pipe));
        }
        done
    }

    /// Whether roomform promises never to create two rooms with this pipe. It does if the
    /// ledger is complete, if lists and calls are delayed by less than the time that a run
    /// waits, and if the pipe's room was neither recreated nor forgotten.
    pub fn is_protected(&self, pipe: &Pipe) -> bool {
        self.disk.is_whole && self.weather.is_bounded() && !self.unprotected.contains(pipe)
    }

    /// Sends a message to a room. A room gets at most one message, unless ledger entries about
    /// the message were lost.
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
}
