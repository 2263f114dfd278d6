//! Documents about manifests and failures.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Header;
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
#[derive(Debug, Serialize)]
pub struct CheckDocument {
    #[serde(flatten)]
    header: Header,
    /// Whether the manifest is valid.
    valid: bool,
    /// Number of declared rooms.
    rooms: usize,
    /// Number of declared memberships.
    memberships: usize,
    /// The files with rows, once for each place that uses one.
    files: Vec<FileDocument>,
    diagnostics: Vec<DiagnosticDocument>,
}

/// A use of a file with rows.
#[derive(Debug, Serialize)]
struct FileDocument {
    file: String,
    /// The place in the manifest that uses the file: `rooms.yaml:7`.
    used_by: String,
    encoding: &'static str,
    /// `null` for one value per line.
    delimiter: Option<char>,
    columns: Vec<String>,
    /// What became of the rows. `read` is the sum of the others.
    rows: BTreeMap<&'static str, usize>,
}

fn files(loaded: &Loaded) -> Vec<FileDocument> {
    let files = loaded.notes().into_iter().map(|note| {
        let (manifest, place) = loaded.sources.name_and_position(note.at);
        FileDocument {
            file: note.file.to_string(),
            used_by: format!("{manifest}:{}", place.line),
            encoding: note.encoding,
            delimiter: note.delimiter,
            columns: note.columns,
            rows: note
                .rows
                .named()
                .chain([("read", note.rows.read())])
                .collect(),
        }
    });
    files.collect()
}

impl CheckDocument {
    /// The document of a loaded manifest.
    pub fn new(loaded: &Loaded, exit: Exit) -> Self {
        Self {
            header: Header::new("check", exit),
            valid: loaded.is_valid(),
            rooms: loaded.desired.rooms.len(),
            memberships: loaded.desired.memberships(),
            files: files(loaded),
            diagnostics: diagnostics(&loaded.diagnostics, &loaded.sources),
        }
    }
}

/// Why a run failed.
#[derive(Debug, Serialize)]
pub struct ErrorDocument {
    #[serde(flatten)]
    header: Header,
    /// The name of the exit code.
    reason: &'static str,
    /// What happened.
    message: String,
    /// What to do.
    hints: Vec<String>,
    /// The diagnostics, if the manifest is invalid.
    diagnostics: Vec<DiagnosticDocument>,
}

impl ErrorDocument {
    /// Builds the document of a failure.
    pub fn new(error: &Error) -> Self {
        Self {
            header: Header::new("error", error.exit),
            reason: error.exit.name(),
            message: error.chain(),
            hints: error.hints.clone(),
            diagnostics: Vec::new(),
        }
    }

    /// The document of invalid manifests.
    pub fn invalid(manifests: &[&Loaded]) -> Self {
        let error = Error::message(Exit::Invalid, "the manifest is invalid");
        let each = manifests.iter();
        let each = each.flat_map(|loaded| diagnostics(&loaded.diagnostics, &loaded.sources));
        Self {
            diagnostics: each.collect(),
            ..Self::new(&error)
        }
    }
}
