//! With `-v`, logs the decisions of the modules `plan` and `manifest`, which write no log
//! themselves.

use tracing::{Level, enabled, info};

use crate::manifest::Loaded;
use crate::plan::Plan;
use crate::view::grammar::counts;

const MANIFEST: &str = concat!(env!("CARGO_CRATE_NAME"), "::manifest");
const PLAN: &str = concat!(env!("CARGO_CRATE_NAME"), "::plan");

/// Logs the figures, and each room with something to report. Titles are not logged.
pub fn log_plan(plan: &Plan) {
    if !enabled!(Level::INFO) {
        return;
    }
    for change in &plan.changes {
        let action = if change.is_create() {
            "create"
        } else {
            "update"
        };
        let room = change.room_id.map(|room| room.0);
        let fields: Vec<&str> = change.fields.iter().map(|it| it.field.name()).collect();
        let (members, fields) = (&change.members, fields.join(","));
        info!(
            target: PLAN,
            pipe = %change.pipe,
            action,
            room,
            fields,
            new = members.new.len(),
            unknown = members.unknown.len(),
            known = members.known,
            welcome = change.welcome.is_some(),
            recreate = change.recreate,
            "to write"
        );
    }
    for conflict in &plan.conflicts {
        info!(target: PLAN, pipe = %conflict.pipe, kind = ?conflict.kind, "conflict");
    }
    for field in &plan.ignored {
        info!(target: PLAN, pipe = %field.pipe, field = field.field.name(), "the field is not sent again, because the server ignored it");
    }
    for room in &plan.manual_steps {
        let (left, released) = (room.newly_removed.len(), room.previously_removed.len());
        info!(target: PLAN, pipe = %room.pipe, left, released, "members to remove manually");
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
        "plan computed"
    );
}

/// Logs how each file with rows was read, and what happened to its rows. The detected encoding and
/// columns may be wrong, so the log shows them. They are not secret.
pub fn log_files(loaded: &Loaded) {
    if !enabled!(Level::INFO) {
        return;
    }
    for note in loaded.notes() {
        let delimiter = match note.delimiter {
            None if note.columns.is_empty() => Some("none: one value per line".to_owned()),
            None => None,
            Some('\t') => Some("tab".to_owned()),
            Some(delimiter) => Some(delimiter.to_string()),
        };
        let (manifest, place) = loaded.sources.name_and_position(note.at);
        let rows = format!(
            "{} read: {}",
            note.rows.read(),
            counts(note.rows.named().map(|(name, count)| (count, name)))
        );
        info!(
            target: MANIFEST,
            file = &*note.file,
            by = format!("{manifest}:{}", place.line),
            encoding = note.encoding,
            delimiter,
            rows,
            columns = note.columns.join(","),
            "rows read"
        );
    }
}
