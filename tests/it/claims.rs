//! Tests, in virtual time, what happens to the claim of a create while the server keeps the run
//! waiting.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use roomform::apply::Halt;
use roomform::imbachat::Written;
use roomform::ledger::{Claim, Claimed, Entries, LedgerError, Stamp, fold};
use roomform::model::{
    FieldSet, MessageId, Pipe, RoomId, RoomKind, RoomState, Target, Time, WidgetId,
};
use roomform::{
    Control, Delivery, Dice, Fact, Failure, Interrupt, Job, Limiter, LiveRoom, Message, Observed,
    Options, Outcome, Patience, PipeFact, PlanOptions, ReadRooms, Record, Recorded, RoomFact,
    RoomWrite, RowFilter, SendMessages, Status, WriteRooms, apply, check_text, plan,
};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::support::runtime;

const MANIFEST: &str =
    "version: 1\nrooms: [{pipe: team-a, title: Team A, welcome: {from: 3, text: Hello}}]\n";

/// A server that makes the first calls wait and retry, and a ledger that another run may use meanwhile.
struct World {
    start: Instant,
    /// How long each of the first calls has to wait.
    waits: Mutex<Vec<Duration>>,
    /// What another run records while the first call waits.
    meanwhile: Mutex<Vec<Fact>>,
    /// Interrupts the run when it takes over a create.
    interrupt: Option<watch::Sender<Interrupt>>,
    rooms: Mutex<Vec<LiveRoom>>,
    creates: Mutex<Vec<Duration>>,
    messages: AtomicUsize,
    entries: Mutex<Entries>,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap()
}

impl World {
    fn add(&self, run: &str, facts: Vec<Fact>) {
        let mut entries = held(&self.entries);
        for fact in facts {
            let stamp = Stamp {
                time: self.timestamp().into(),
                run: run.into(),
                sequence: entries.len() as u64 + 1,
            };
            entries.insert(stamp, fact);
        }
    }

    fn milliseconds(&self) -> i64 {
        self.start.elapsed().as_millis() as i64
    }

    fn timestamp(&self) -> String {
        let now = jiff::Timestamp::from_millisecond(self.milliseconds());
        format!("{:.3}", now.unwrap())
    }

    fn intents(&self) -> usize {
        let entries = held(&self.entries);
        let own = entries.iter().filter(|(stamp, _)| &*stamp.run == "own");
        own.filter(|(_, fact)| matches!(fact, Fact::Pipe(_, PipeFact::Intent { .. })))
            .count()
    }
}

impl Record for World {
    async fn append(&self, facts: Vec<Fact>) -> Result<(), LedgerError> {
        self.add("own", facts);
        Ok(())
    }

    async fn claim(&self, claim: Claim, intent: Fact) -> Result<Claimed, LedgerError> {
        let claimed = claim.decide("own", &held(&self.entries), Time(self.milliseconds()));
        if claimed == Claimed::Ours {
            if let (Some(interrupt), Some(_)) = (&self.interrupt, claim.ended()) {
                interrupt.send_replace(Interrupt::Finish);
            }
            self.add("own", claim.ended().into_iter().chain([intent]).collect());
        }
        Ok(claimed)
    }
}

impl ReadRooms for World {
    async fn list(&self, take: &mut dyn FnMut(LiveRoom)) -> Result<(), Failure> {
        held(&self.rooms).iter().cloned().for_each(take);
        Ok(())
    }
}

impl WriteRooms for World {
    async fn write(&self, write: &RoomWrite<'_>) -> Result<Written, Failure> {
        if write.room.is_none() {
            held(&self.creates).push(self.start.elapsed());
        }
        if let Some(wait) = held(&self.waits).pop() {
            self.add("another", std::mem::take(&mut held(&self.meanwhile)));
            return Err(Failure {
                retry_after: Some(wait),
                ..Failure::passing(Delivery::Later, "later")
            });
        }
        held(&self.rooms).push(room());
        held(&self.rooms).dedup();
        Ok(room().id.into())
    }
}

impl SendMessages for World {
    async fn send(&self, _: &Message<'_>) -> Result<Option<MessageId>, Failure> {
        self.messages.fetch_add(1, Ordering::Relaxed);
        Ok(None)
    }
}

/// The intent of a run whose manifest has no welcome.
fn intent() -> Fact {
    Fact::Pipe(
        Pipe::new("team-a"),
        PipeFact::Intent {
            members: Vec::new(),
            welcome: false,
        },
    )
}

fn confirmed() -> Fact {
    Fact::Room(
        Pipe::new("team-a"),
        RoomId(7),
        RoomFact::Confirmed {
            members: Vec::new(),
            sent: room().state,
            kept: FieldSet::default(),
            created: true,
            source: None,
        },
    )
}

/// The room that another run created.
fn room() -> LiveRoom {
    LiveRoom {
        id: RoomId(7),
        pipe: Pipe::new("team-a"),
        state: RoomState::new("Team A", RoomKind::Conference, false),
        deleted: false,
        updated_at: None,
    }
}

/// Applies the manifest, after `prepare` has changed the world.
fn applied(prepare: impl FnOnce(&mut World)) -> (World, Outcome) {
    let desired = check_text("rooms.yaml", MANIFEST, Options::default());
    let desired = desired.unwrap().desired;
    let target = Target {
        origin: "https://api.imbachat.com".to_owned(),
        widget: WidgetId(627),
    };
    let (observed, recorded) = (Observed::default(), Recorded::default());
    let options = PlanOptions::default();
    let plan = plan(&target, &desired, &observed, &recorded, &options);
    let (interrupt, interrupted) = watch::channel(Interrupt::None);
    runtime().block_on(async {
        tokio::time::pause();
        let mut world = World {
            start: Instant::now(),
            waits: Mutex::default(),
            meanwhile: Mutex::default(),
            interrupt: Some(interrupt),
            rooms: Mutex::default(),
            creates: Mutex::default(),
            messages: AtomicUsize::new(0),
            entries: Mutex::default(),
        };
        prepare(&mut world);
        let (pace, dice) = (Limiter::new(1, None), Dice::new(7));
        let control = Control::new(pace, dice, false, Patience::default(), interrupted);
        let job = Job {
            plan: &plan,
            filter: RowFilter::new(&desired),
            reader: &world,
            writer: &world,
            ledger: &world,
            control,
        };
        let outcome = apply(job, |_| {}).await;
        (world, outcome)
    })
}

#[test]
fn an_old_claim_is_renewed_before_the_create_is_sent() {
    let (world, outcome) = applied(|world| {
        world.waits = Mutex::new(vec![Duration::from_secs(20); 2]);
    });
    assert_eq!(outcome.rooms[0].status, Status::Verified);
    assert_eq!(held(&world.creates).len(), 3);
    assert_eq!(world.intents(), 3, "{:?}", held(&world.entries));
}

#[test]
fn a_create_is_not_sent_again_if_another_run_found_the_room() {
    let (world, outcome) = applied(|world| {
        world.waits = Mutex::new(vec![Duration::from_secs(7)]);
        world.meanwhile = Mutex::new(vec![confirmed()]);
        (world.rooms, world.interrupt) = (Mutex::new(vec![room()]), None);
    });
    assert_eq!(held(&world.creates).len(), 1);
    assert_eq!(outcome.rooms[0].status, Status::Verified);
    assert_eq!(outcome.rooms[0].id, Some(RoomId(7)));
}

#[test]
fn a_create_is_not_sent_again_if_another_run_took_over_the_claim() {
    let (world, outcome) = applied(|world| {
        world.waits = Mutex::new(vec![Duration::from_secs(40)]);
        let ended = Fact::Pipe(
            Pipe::new("team-a"),
            PipeFact::NotCreated(Some("own".to_owned())),
        );
        world.meanwhile = Mutex::new(vec![ended, intent()]);
        world.interrupt = None;
    });
    let sent = held(&world.creates).clone();
    assert_eq!(sent.len(), 2, "{sent:?}");
    // The other run died: its claim ends after 60 s, and then this run looks for the room for
    // another 30 s.
    assert!(sent[1] >= Duration::from_secs(90), "{sent:?}");
    assert_eq!(outcome.rooms[0].status, Status::Verified);
    assert!(outcome.rooms[0].was_uncertain);
    let entries = held(&world.entries);
    let ended = entries.values().any(|fact| {
        matches!(fact, Fact::Pipe(pipe, PipeFact::NotCreated(Some(run)))
            if run == "another" && *pipe == Pipe::new("team-a"))
    });
    assert!(ended, "{entries:?}");
}

#[test]
fn a_run_that_is_interrupted_after_taking_over_ends_its_claim() {
    let (world, outcome) = applied(|world| world.add("another", vec![intent()]));
    assert_eq!(*held(&world.creates), Vec::<Duration>::new());
    assert_eq!(outcome.halt, Some(Halt::Interrupted));
    let entries = held(&world.entries);
    assert!(fold(&entries).open.is_empty(), "{entries:?}");
}

/// Another run creates the room after this run has made its plan. It does so either before this
/// run claims the create, or later, before this run reads the list again.
#[test]
fn a_welcome_is_sent_only_if_the_intent_of_the_create_has_it() {
    let promise = || {
        Fact::Pipe(
            Pipe::new("team-a"),
            PipeFact::Intent {
                members: Vec::new(),
                welcome: true,
            },
        )
    };
    for (facts, messages) in [
        (vec![intent(), confirmed()], 0),
        (vec![intent()], 0),
        (vec![promise(), confirmed()], 1),
        (vec![promise()], 1),
    ] {
        let (world, outcome) = applied(|world| {
            world.rooms = Mutex::new(vec![room()]);
            world.interrupt = None;
            world.add("another", facts.clone());
        });
        assert_eq!(outcome.rooms[0].status, Status::Verified, "{facts:?}");
        assert!(outcome.rooms[0].was_uncertain, "{facts:?}");
        let sent = world.messages.load(Ordering::Relaxed);
        assert_eq!(
            (sent, outcome.rooms[0].messages),
            (messages, messages),
            "{facts:?}"
        );
    }
}
