//! Diagnostics, and the documents without a schema: checks, failures, sent messages, ledgers and
//! explanations.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::change::users;
use super::{Documents, Header, TargetDocument, names};
use crate::error::{Error, Exit};
use crate::manifest::diagnostic::{Diagnostic, LineColumn, Sources};
use crate::manifest::{Explained, Loaded, SkipReason, Subject, Way};
use crate::model::{
    Desired, Field, HistoryEntry, ListedRoom, Pipe, Place, Recorded, RecordedRoom, RoomId, Sending,
    Target, UserNames,
};
use crate::view::Sent;

define_documents! {
    /// One diagnostic of a manifest.
    pub struct DiagnosticDocument(
        Diagnostic { code, message, at, path, related, hint }: &Diagnostic,
        sources: &Sources
    ) {
        /// The code, such as `E012`.
        code: &'static str = code.id(),
        /// The name of the code, such as `duplicate-pipe`.
        name: &'static str = code.name(),
        /// `error` or `warning`.
        severity: &'static str = code.severity().name(),
        /// What is wrong.
        message: String = message.clone(),
        /// What the user can do about the problem.
        hint: Option<String> =? hint.clone(),
        /// The file with the problem.
        file: Option<String> =? {
            let file = at.map(|at| sources.name_and_position(at).0);
            file.or(path.as_deref()).map(str::to_owned)
        },
        /// The line number, counted from 1.
        line: Option<u32> =? at.map(|at| sources.locate(at).line),
        /// The column in characters, counted from 1.
        column: Option<u32> =? at.map(|at| sources.locate(at).column),
        /// A second position that is related to the problem.
        related: Option<PlaceDocument> =? related
            .as_ref()
            .map(|(at, label)| PlaceDocument::new(sources.name_and_position(*at), label)),
    }

    struct PlaceDocument((file, place): (&str, LineColumn), label: &str) {
        file: String = file.to_owned(),
        /// The line number, counted from 1.
        line: u32 = place.line,
        /// The column in characters, counted from 1.
        column: u32 = place.column,
        /// How the second position is related to the problem.
        label: String = label.to_owned(),
    }
}

/// A document without a schema. It starts with the same fields as every other document.
#[derive(Debug, Serialize)]
pub struct Document<B = Value> {
    #[serde(flatten)]
    header: Header,
    #[serde(flatten)]
    target: Option<TargetDocument>,
    #[serde(flatten)]
    body: B,
}

impl<B> Document<B> {
    fn new(kind: &'static str, exit: Exit, target: Option<&Target>, body: B) -> Self {
        Self {
            header: Header::new(kind, exit),
            target: target.map(TargetDocument::new),
            body,
        }
    }
}

/// Converts diagnostics into documents.
pub fn diagnostics(diagnostics: &[Diagnostic], sources: &Sources) -> Vec<DiagnosticDocument> {
    let documents = diagnostics
        .iter()
        .map(|it| DiagnosticDocument::new(it, sources));
    documents.collect()
}

/// Builds the document for the result of `check`.
pub fn check(loaded: &Loaded, exit: Exit) -> Document {
    // A file with rows has one entry for each use. The delimiter is null for a workbook, and if
    // each line has one value. `read` is the sum of the other row counts.
    let files = loaded.notes().into_iter().map(|note| {
        let (manifest, place) = loaded.sources.name_and_position(note.at);
        let rows = note.rows.named().chain([("read", note.rows.read())]);
        json!({
            "file": &*note.file,
            "used_by": format!("{manifest}:{}", place.line),
            "encoding": note.encoding,
            "delimiter": note.delimiter,
            "columns": note.columns,
            "rows": rows.collect::<BTreeMap<_, _>>(),
        })
    });
    let body = json!({
        "valid": loaded.is_valid(),
        "rooms": loaded.desired.rooms.len(),
        "memberships": loaded.desired.memberships(),
        "files": files.collect::<Value>(),
        "diagnostics": diagnostics(&loaded.diagnostics, &loaded.sources),
    });
    Document::new("check", exit, None, body)
}

/// Builds the document for a failed run, with the diagnostics of all invalid manifests.
pub fn failure(error: &Error, invalid: &[&Loaded]) -> Document {
    let invalid = invalid.iter();
    let diagnostics = invalid.flat_map(|it| diagnostics(&it.diagnostics, &it.sources));
    let body = json!({
        "reason": error.exit.name(),
        "message": error.chain(),
        "hints": error.hints,
        "diagnostics": diagnostics.collect::<Vec<_>>(),
    });
    Document::new("error", error.exit, None, body)
}

/// Builds the document for a sent message. The message id is null if the server returned none, and
/// the pipe is null if the user gave a room id.
pub fn sent(sent: &Sent<'_>) -> Document {
    let body = json!({
        "room_id": sent.room.0,
        "pipe": sent.pipe.map(ToString::to_string),
        "user_id": sent.from.0,
        "message_id": sent.id.map(|id| id.0),
        "message": sent.text,
    });
    Document::new("sent", Exit::Done, Some(sent.target), body)
}

#[derive(Debug, Serialize)]
struct HistoryBody<E> {
    entries: E,
    names: BTreeMap<u64, String>,
    /// Whether the ledger was compacted or merged, so that entries may be missing.
    partial: bool,
}

/// The output of `ledger history --format json`.
pub fn history(
    target: &Target,
    partial: bool,
    entries: &[HistoryEntry],
    known: &UserNames,
) -> impl Serialize {
    let members = entries.iter().flat_map(|entry| &entry.members);
    let body = HistoryBody {
        names: names(members.copied(), known),
        entries: Documents(entries, |entry: &HistoryEntry| {
            json!({
                "time": &*entry.time,
                "run": &*entry.run,
                "action": entry.action,
                "pipe": entry.pipe.as_ref().map(ToString::to_string),
                "room_id": entry.room.map(|room| room.0),
                "members": users(&entry.members),
                "count": entry.count,
                "source": entry.source,
            })
        }),
        partial,
    };
    Document::new("history", Exit::Done, Some(target), body)
}

#[derive(Debug, Serialize)]
struct LedgerBody<R> {
    entries: usize,
    names: BTreeMap<u64, String>,
    owed: Value,
    rooms: R,
    rosters: Value,
    uncertain: Value,
}

/// Builds the document for the recorded state of a ledger. `lines` is the number of its entries.
pub fn ledger(
    target: &Target,
    lines: usize,
    recorded: &Recorded,
    known: &UserNames,
) -> impl Serialize {
    let named = recorded.rooms.values();
    let named = named.flat_map(|room| room.members.iter().chain(room.released.keys()));
    let names = names(named.copied(), known);
    let rooms = recorded.ids.iter();
    let rooms = rooms.map(move |(pipe, id)| (recorded, pipe, *id));
    let owed = recorded.owed.iter().map(|(pipe, owed)| {
        let members = users(owed.members.iter().as_slice());
        json!({"pipe": pipe.as_str(), "members": members, "welcome": owed.welcome})
    });
    let open = recorded.open.iter();
    let open = open.flat_map(|(pipe, open)| open.iter().map(move |open| (pipe, open)));
    let uncertain = open.map(|(pipe, open)| {
        json!({"pipe": pipe.as_str(), "run": open.run, "since": open.since.to_string()})
    });
    let rosters = recorded.rosters.iter();
    let rosters = rosters.map(|(source, given)| json!({"source": source, "given": given}));
    let body = LedgerBody {
        entries: lines,
        names,
        owed: owed.collect(),
        rooms: Documents(rooms, describe_room),
        rosters: rosters.collect(),
        uncertain: uncertain.collect(),
    };
    Document::new("ledger", Exit::Done, Some(target), body)
}

fn describe_room((recorded, pipe, id): (&Recorded, &Pipe, RoomId)) -> Value {
    let empty = RecordedRoom::default();
    let room = recorded.rooms.get(&id).unwrap_or(&empty);
    let welcome = room.welcome.map(Sending::name);
    let fields = |fields: Vec<&Field>| fields.into_iter().map(|it| it.name()).collect::<Value>();
    json!({
        "pipe": pipe.as_str(),
        "room_id": id.0,
        "left": recorded.left.contains_key(pipe),
        "members": users(room.members.iter().as_slice()),
        "adopted": users(room.adopted.iter().as_slice()),
        "released": room.released.keys().map(|user| user.0).collect::<Value>(),
        "welcome": welcome,
        "ignored_fields": fields(room.shown.keys().collect()),
        "pending_fields": fields(room.pending.keys().collect()),
    })
}

/// Builds the output of `explain --format json`. It is about a room (`pipe`), or about a user
/// (`user`, `names`).
pub fn explained(explained: &Explained, listed: &[ListedRoom], desired: &Desired) -> Document {
    let (pipe, user, names) = match &explained.subject {
        Subject::Room(pipe) => (Some(pipe.to_string()), None, &[][..]),
        Subject::User(user, names) => (None, user.map(|user| user.0), names.as_slice()),
    };
    let place = |place: Place| json!({"file": &*desired.file_name(place), "line": place.line});
    // `groups` starts with the outermost group. `enrol` is true if a joined roster supplied the
    // user.
    let way = |way: &Way| {
        let file = desired.file_name(way.place);
        json!({"file": &*file, "line": way.place.line, "groups": way.groups, "enrol": way.joined})
    };
    let ways = |ways: &[Way]| ways.iter().map(way).collect::<Value>();
    let memberships = explained.memberships.iter().map(|it| {
        json!({
            "pipe": it.pipe.as_str(),
            "user": it.user.0,
            "name": desired.names.get(&it.user),
            "member": it.excluded.is_empty(),
            "ways": ways(&it.ways),
            "excluded_by": ways(&it.excluded),
        })
    });
    let skipped = explained.skipped.iter().map(|(at, reason)| {
        let (reason, row) = match reason {
            SkipReason::Where => ("where", None),
            SkipReason::Dates => ("dates", None),
            SkipReason::People(row) => ("people", Some(place(*row))),
        };
        json!({"place": place(*at), "reason": reason, "row": row})
    });
    let in_ledger = listed.iter().map(|it| {
        let state = match it.is_open_step {
            true => "to_remove",
            false => "known",
        };
        json!({"user": it.user.0, "pipe": it.pipe.as_str(), "room_id": it.room.0, "state": state, "since": it.since})
    });
    let body = json!({
        "pipe": pipe,
        "user": user,
        "names": names,
        "left_out": explained.left_out.map(place),
        "memberships": memberships.collect::<Value>(),
        "skipped": skipped.collect::<Value>(),
        "in_ledger": in_ledger.collect::<Value>(),
    });
    Document::new("explain", Exit::Done, None, body)
}
