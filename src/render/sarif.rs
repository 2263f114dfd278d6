//! Writes diagnostics as SARIF 2.1.0, for code scanning. Columns count characters, and file names
//! are relative to the root of the repository.

use serde_json::{Value, json};

use super::escape::{sarif, uri};
use super::sheet::{name_sheet, path_of};
use crate::manifest::Loaded;
use crate::manifest::diagnostic::{At, Code, Diagnostic, LineColumn, Sources};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The name that code scanning uses for the root of the repository.
const ROOT: &str = "%SRCROOT%";

/// Returns the result of `check` as a SARIF log. The log lists every diagnostic code as a rule,
/// so that a log without findings closes the findings of earlier logs.
pub fn check(loaded: &Loaded) -> Value {
    let rules = Code::ALL.iter().map(|code| {
        json!({
            "id": code.id(),
            "name": code.name(),
            "shortDescription": message(code.meaning()),
            "defaultConfiguration": { "level": code.severity().name() },
        })
    });
    let results = loaded.diagnostics.iter();
    let results = results.map(|it| result(it, &loaded.sources));
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "roomform",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": rules.collect::<Vec<_>>(),
                },
            },
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn result(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let Diagnostic {
        code,
        message: words,
        at,
        path,
        related,
        hint,
    } = diagnostic;
    let hint = hint.as_ref().map(|hint| format!(". {hint}"));
    let whole_file = path.as_deref().map(|path| physical(path, None));
    let location = at.map(|at| located(at, sources)).or(whole_file);
    let words = format!("{words}{}", hint.unwrap_or_default());
    let name = at.map(|at| sources.name_and_position(at).0);
    let words = name_sheet(name.unwrap_or_default(), words);
    let mut result = json!({
        "ruleId": code.id(),
        "ruleIndex": Code::ALL.iter().position(|it| it == code),
        "level": code.severity().name(),
        "message": message(&words),
    });
    if let Some(location) = location {
        put(&mut result, "locations", json!([location]));
    }
    if let Some((at, label)) = related {
        let mut location = located(*at, sources);
        put(&mut location, "message", message(label));
        put(&mut result, "relatedLocations", json!([location]));
    }
    result
}

fn put(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

fn message(text: &str) -> Value {
    json!({ "text": sarif(text) })
}

fn located(at: At, sources: &Sources) -> Value {
    let (name, place) = sources.name_and_position(at);
    physical(name, Some(place))
}

fn physical(path: &str, place: Option<LineColumn>) -> Value {
    let path = path_of(path.strip_prefix("./").unwrap_or(path));
    let artifact = if path.starts_with('/') {
        json!({ "uri": format!("file://{}", uri(path)) })
    } else {
        json!({ "uri": uri(path), "uriBaseId": ROOT })
    };
    let mut location = json!({ "artifactLocation": artifact });
    if let Some(LineColumn { line, column }) = place {
        let region = json!({ "startLine": line, "startColumn": column });
        put(&mut location, "region", region);
    }
    json!({ "physicalLocation": location })
}
