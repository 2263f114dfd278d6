//! Mistakes in a manifest as SARIF 2.1.0, for code scanning.
//!
//! Main entry: [`check`]. Columns are counted in characters, and files are named from the root of the repository.

use serde::Serialize;

use super::escape::{sarif, uri};
use crate::manifest::Loaded;
use crate::manifest::diagnostic::{At, Code, Diagnostic, Severity, Sources};

/// The schema the log keeps to.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The root that relative paths start from, as code scanning calls it.
const ROOT: &str = "%SRCROOT%";

/// A log of one run.
#[derive(Debug, Serialize)]
pub struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    name: &'static str,
    short_description: Message,
    default_configuration: Configuration,
}

#[derive(Debug, Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Debug, Serialize)]
struct Message {
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: Artifact,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
}

/// What `check` found, as a log. Every code is a rule, whether it was found or not, so that a log without findings closes old ones.
pub fn check(loaded: &Loaded) -> Log {
    let rules = Code::ALL.iter().map(|code| Rule {
        id: code.id(),
        name: code.name(),
        short_description: message(code.meaning()),
        default_configuration: Configuration {
            level: level(code.severity()),
        },
    });
    let results = loaded.diagnostics.iter();
    let run = Run {
        tool: Tool {
            driver: Driver {
                name: "roomform",
                semantic_version: env!("CARGO_PKG_VERSION"),
                rules: rules.collect(),
            },
        },
        column_kind: "unicodeCodePoints",
        results: results.map(|it| finding(it, &loaded.sources)).collect(),
    };
    Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [run],
    }
}

fn finding(diagnostic: &Diagnostic, sources: &Sources) -> Finding {
    let Diagnostic {
        code,
        message: words,
        at,
        path,
        related,
        hint,
    } = diagnostic;
    let words = match hint {
        Some(hint) => format!("{words}. {hint}"),
        None => words.clone(),
    };
    let whole = path.as_deref().filter(|path| !path.is_empty());
    let location = match (at, whole) {
        (Some(at), _) => Some(place(*at, sources, None)),
        (None, Some(path)) => Some(located(path, None, None)),
        (None, None) => None,
    };
    let related = related.as_ref();
    Finding {
        rule_id: code.id(),
        rule_index: Code::ALL
            .iter()
            .position(|it| it == code)
            .unwrap_or_default(),
        level: level(diagnostic.severity()),
        message: message(&words),
        locations: location.into_iter().collect(),
        related_locations: related
            .map(|(at, label)| place(*at, sources, Some(label)))
            .into_iter()
            .collect(),
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn message(text: &str) -> Message {
    Message { text: sarif(text) }
}

fn place(at: At, sources: &Sources, label: Option<&str>) -> Location {
    let (name, place) = sources.told(at);
    let region = Region {
        start_line: place.line,
        start_column: place.column,
    };
    located(name, Some(region), label)
}

fn located(path: &str, region: Option<Region>, label: Option<&str>) -> Location {
    Location {
        physical_location: PhysicalLocation {
            artifact_location: artifact(path),
            region,
        },
        message: label.map(message),
    }
}

/// A path as a URI: relative to the repository's root, or a file of this machine.
fn artifact(path: &str) -> Artifact {
    let path = path.strip_prefix("./").unwrap_or(path);
    let encoded = uri(path);
    if path.starts_with('/') {
        Artifact {
            uri: format!("file://{encoded}"),
            uri_base_id: None,
        }
    } else {
        Artifact {
            uri: encoded,
            uri_base_id: Some(ROOT),
        }
    }
}
