//! Writes stderr line by line: the console's messages and, under `-v`, the events of the stages.
//! The modules `plan` and `manifest` do not log, so their decisions are logged here.
//!
//! Main types: [`Stderr`], which writes every line, and [`Log`], which writes the events. Events of
//! libraries are ignored, because only this crate's events are known to hold no secrets.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber, enabled, info};

use crate::cli::LogFormat;
use crate::manifest::Loaded;
use crate::model::{Redactor, RunId};
use crate::plan::Plan;
use crate::render::log::{self, Entry};
use crate::view::grammar::counts;

/// The prefix of this crate's event targets.
const OURS: &str = concat!(env!("CARGO_CRATE_NAME"), "::");
const MANIFEST: &str = concat!(env!("CARGO_CRATE_NAME"), "::manifest");
const PLAN: &str = concat!(env!("CARGO_CRATE_NAME"), "::plan");

#[derive(Clone)]
pub struct Stderr {
    pub out: Arc<Mutex<dyn Write + Send>>,
    pub format: LogFormat,
    pub run: RunId,
    /// The secrets that no line may show, once they are known.
    pub secrets: Arc<OnceLock<Redactor>>,
}

impl Stderr {
    /// Writes an escaped text for people. The label, if there is one, is written before it.
    pub fn say(&self, level: &'static str, label: &str, text: &str) {
        let entry = Entry {
            level,
            stage: "commands",
            message: text,
            fields: &[],
        };
        match self.format {
            _ if text.is_empty() => {}
            LogFormat::Text => self.write(&format!("{label}{text}\n")),
            LogFormat::Json => self.write(&self.object(&entry)),
        }
    }

    fn object(&self, entry: &Entry<'_>) -> String {
        let time = format!("{:.3}", jiff::Timestamp::now());
        log::format_json(&time, self.run.as_str(), entry) + "\n"
    }

    /// Ignores errors, because there is nowhere left to report them.
    pub fn write(&self, text: &str) {
        let clean = self.secrets.get().map(|secrets| secrets.redact(text));
        let text = clean.as_deref().unwrap_or(text);
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }
}

/// Writes the events of the stages.
pub struct Log {
    err: Stderr,
    most: LevelFilter,
}

impl Log {
    /// Creates the log. `verbose` is the number of `-v` flags. Without `-v`, the log has only
    /// the events that every user must see. With `--quiet` and without `-v`, there is no log.
    pub fn new(err: Stderr, verbose: u8, quiet: bool) -> Option<Self> {
        let most = match verbose {
            0 if quiet => return None,
            0 => LevelFilter::WARN,
            1 => LevelFilter::INFO,
            _ => LevelFilter::DEBUG,
        };
        Some(Self { err, most })
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        !metadata.is_span() && *metadata.level() <= self.most && metadata.target().starts_with(OURS)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.most)
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        let entry = Entry {
            level: match *metadata.level() {
                Level::ERROR => "error",
                Level::WARN => "warn",
                Level::INFO => "info",
                _ => "debug",
            },
            stage: metadata.target().split("::").nth(1).unwrap_or_default(),
            message: &fields.message,
            fields: &fields.others,
        };
        self.err.write(&match self.err.format {
            LogFormat::Json => self.err.object(&entry),
            LogFormat::Text if self.most == LevelFilter::WARN => log::format_briefly(&entry) + "\n",
            LogFormat::Text => log::format_text(&entry) + "\n",
        });
    }

    // This crate has no spans.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, Value)>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        match value {
            Value::String(text) if field.name() == "message" => self.message = text,
            value => self.others.push((field.name(), value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

/// Logs the figures, and each room to write. Titles are not logged.
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
/// columns may be wrong, so the log shows them; they are not secret. If several uses of a
/// file have the same columns, it shows them only once, because there may be many.
pub fn log_files(loaded: &Loaded) {
    if !enabled!(Level::INFO) {
        return;
    }
    let mut shown = BTreeSet::new();
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
        let columns = note.columns.join(",");
        let is_new = shown.insert((Arc::clone(&note.file), columns.clone()));
        let columns = is_new.then_some(columns);
        info!(
            target: MANIFEST,
            file = &*note.file,
            by = format!("{manifest}:{}", place.line),
            encoding = note.encoding,
            delimiter,
            rows,
            columns,
            "rows read"
        );
    }
}
