//! What a plan decides, told under `-v`: the plan itself is pure and tells nothing.

use tracing::{Level, enabled, info};

use crate::plan::{Action, Change, Plan};

/// Whose decisions these are.
const PLAN: &str = concat!(env!("CARGO_CRATE_NAME"), "::plan");

/// Tells each room there is something to say of, and the figures. Titles are for the plan, not for a log.
pub(super) fn tell(plan: &Plan) {
    if !enabled!(Level::INFO) {
        return;
    }
    plan.changes.iter().for_each(change);
    for conflict in &plan.conflicts {
        info!(target: PLAN, pipe = %conflict.pipe, kind = ?conflict.kind, "conflict");
    }
    for field in &plan.ignored {
        info!(target: PLAN, pipe = %field.pipe, field = field.field.name(), "not sent again: the server ignored it");
    }
    for room in &plan.by_hand {
        let (left, released) = (room.left.len(), room.released.len());
        info!(target: PLAN, pipe = %room.pipe, left, released, "members left to people");
    }
    let summary = &plan.summary;
    info!(
        target: PLAN,
        writes = summary.writes,
        messages = summary.messages,
        unchanged = summary.unchanged,
        unmanaged = summary.unmanaged,
        undeclared = plan.undeclared.len(),
        guards = plan.guards.len(),
        refusals = plan.refusals.len(),
        "plan made"
    );
}

fn change(change: &Change) {
    let (action, room) = match &change.action {
        Action::Create => ("create", None),
        Action::Update { id, .. } => ("update", Some(id.0)),
    };
    let fields: Vec<&str> = change.fields().iter().map(|it| it.field.name()).collect();
    let members = &change.members;
    info!(
        target: PLAN,
        pipe = %change.pipe,
        action,
        room,
        fields = fields.join(","),
        new = members.new.len(),
        unverified = members.unverified.len(),
        recorded = members.recorded,
        welcome = change.welcome.is_some(),
        recreate = change.recreate,
        "to write"
    );
}
