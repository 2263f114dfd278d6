//! Test support: a directory, runs of the program in a clean environment, and servers that stop when the test ends.

use std::time::{Duration, Instant};

use roomform::ledger::{
    Claim, Claimed, Fact, Journal, LedgerError, PipeFact, Record, RoomFact, Stage,
};
use roomform::model::{Pipe, RoomId, Target, UserId, WidgetId};

mod api;
mod canned;
mod messages;
mod page;
mod proxy;
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

/// Waits for a condition.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !condition() {
        assert!(Instant::now() < deadline, "timed out waiting for {what}");
        std::thread::park_timeout(Duration::from_micros(500));
    }
}
