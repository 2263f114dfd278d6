//! Documents about manifests, failures and sent messages.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Document;
use crate::error::{Error, Exit};
use crate::manifest::Loaded;
use crate::manifest::diagnostic::{Diagnostic, LineColumn, Sources};
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
