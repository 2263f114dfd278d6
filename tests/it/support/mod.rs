//! Test support: a directory, runs of the program in a clean environment, and servers that stop when the test ends.

use std::time::{Duration, Instant};

use roomform::ledger::{
    Claim, Claimed, Fact, Journal, LedgerError, PipeFact, Record, RoomFact, Stage,
};
use roomform::model::{
    FieldSet, Pipe, Recorded, RoomId, RoomKind, RoomState, Target, UserId, WidgetId,
};

mod api;
mod canned;
mod messages;
mod page;
mod proxy;
mod running;
mod scene;
#[cfg_attr(
    not(feature = "xlsx"),
    expect(dead_code, reason = "only the files around a workbook are tested")
)]
pub mod workbook;

pub use api::{Api, ignoring_updates, runtime};
pub use canned::Canned;
pub use messages::{answer, form, header, json, read_request};
pub use page::{assert_fresh, blocks, follow};
pub use proxy::{Fault, Proxy, Seen};
pub use running::Running;
pub use scene::{Args, Ran, Scene, Shows, committed_schema, live_room, manifest, validator};

/// Widget 627 on a server that no test calls.
pub fn target() -> Target {
    Target {
        origin: "https://chat.example".to_owned(),
        widget: WidgetId(627),
    }
}

/// Claims the welcome that the create of a room promises. Returns whether the claim was
/// granted.
pub async fn claim(journal: &Journal, pipe: &Pipe, room: RoomId) -> Result<bool, LedgerError> {
    let promise = Fact::Pipe(
        pipe.clone(),
        PipeFact::Intent {
            members: Vec::new(),
            welcome: true,
        },
    );
    journal.append(vec![promise]).await?;
    let claim = Claim::Message {
        pipe: pipe.clone(),
        room,
    };
    let intent = Fact::Room(
        pipe.clone(),
        room,
        RoomFact::Message {
            from: UserId(3),
            stage: Stage::Intended,
        },
    );
    Ok(journal.claim(claim, intent).await? == Claimed::Ours)
}

/// Records the create of a room: its claim and its confirmation.
pub async fn record_create(journal: &Journal, pipe: &Pipe, room: RoomId) {
    assert_eq!(claim_create(journal, pipe, None).await, Claimed::Ours);
    let confirmed = RoomFact::Confirmed {
        members: vec![UserId(3)],
        sent: RoomState::new("Title", RoomKind::Conference, false),
        kept: FieldSet::default(),
        created: true,
        source: None,
    };
    let facts = vec![Fact::Room(pipe.clone(), room, confirmed)];
    journal.append(facts).await.unwrap();
}

/// Claims the create of a room, which may replace a recorded one.
pub async fn claim_create(journal: &Journal, pipe: &Pipe, replaces: Option<RoomId>) -> Claimed {
    let claim = Claim::Create {
        pipe: pipe.clone(),
        replaces,
        takes_over: None,
    };
    let intent = PipeFact::Intent {
        members: vec![UserId(3)],
        welcome: false,
    };
    let intent = Fact::Pipe(pipe.clone(), intent);
    journal.claim(claim, intent).await.unwrap()
}

/// The runs with an open claim to create a room.
pub fn open_claims(recorded: &Recorded, pipe: &Pipe) -> Vec<String> {
    let open = recorded.open.get(pipe).into_iter().flatten();
    open.map(|open| open.run.clone()).collect()
}

/// Waits for a condition.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !condition() {
        assert!(Instant::now() < deadline, "timed out waiting for {what}");
        std::thread::park_timeout(Duration::from_micros(500));
    }
}
