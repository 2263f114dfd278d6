//! Documents about manifests and failures.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::Document;
use crate::error::{Error, Exit};
use crate::manifest::Loaded;
use crate::manifest::diagnostic::{Diagnostic, Sources};

/// One diagnostic of a manifest.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DiagnosticDocument {
    /// For example `E012`.
    code: &'static str,
    /// For example `duplicate-pipe`.
    name: &'static str,
    /// `error` or `warning`.
    severity: &'static str,
    /// What is wrong.
    message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// The file or path.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// From 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    /// In characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    /// A second, related position.
    #[serde(skip_serializing_if = "Option::is_none")]
    related: Option<PlaceDocument>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct PlaceDocument {
    file: String,
    /// From 1.
    line: u32,
    /// In characters, from 1.
    column: u32,
    /// How it is related.
    label: String,
}

/// Converts diagnostics into documents.
pub fn diagnostics(diagnostics: &[Diagnostic], sources: &Sources) -> Vec<DiagnosticDocument> {
    let documents = diagnostics.iter().map(|it| document(it, sources));
    documents.collect()
}

fn document(diagnostic: &Diagnostic, sources: &Sources) -> DiagnosticDocument {
    let Diagnostic {
        code,
        message,
        at,
        path,
        related,
        hint,
    } = diagnostic;
    let (file, place) = at.map(|at| sources.name_and_position(at)).unzip();
    DiagnosticDocument {
        code: code.id(),
        name: code.name(),
        severity: code.severity().name(),
        message: message.clone(),
        hint: hint.clone(),
        file: file.or(path.as_deref()).map(str::to_owned),
        line: place.map(|place| place.line),
        column: place.map(|place| place.column),
        related: related.as_ref().map(|(at, label)| {
            let (file, place) = sources.name_and_position(*at);
            PlaceDocument {
                file: file.to_owned(),
                line: place.line,
                column: place.column,
                label: label.clone(),
            }
        }),
    }
}

/// The result of `check`.
pub fn check(loaded: &Loaded, exit: Exit) -> Document {
    // Each use of a file with rows. The delimiter is null for one value per line. `read` is the sum
    // of the counts.
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

/// Why a run failed, with the diagnostics of invalid manifests.
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
