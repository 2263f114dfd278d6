//! stderr, line by line: what the console says to people, and under `-v` what the stages tell.
//!
//! Main types: [`Stderr`], which everybody writes through, and [`Log`], which takes the stages' events. No text of the
//! libraries' own gets in: only events of this crate are taken, and those hold no secret.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::cli::LogFormat;
use crate::model::RunId;
use crate::render::log::{self, Entry};

/// What comes first in the target of this crate's events.
const OURS: &str = concat!(env!("CARGO_CRATE_NAME"), "::");

/// stderr.
#[derive(Clone)]
pub(super) struct Stderr {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
    format: LogFormat,
    run: RunId,
}

impl Stderr {
    pub(super) fn new(out: Box<dyn Write + Send>, format: LogFormat, run: RunId) -> Self {
        let out = Arc::new(Mutex::new(out));
        Self { out, format, run }
    }

    /// A text for people, harmless already, after a word that tells how bad it is, where there is one.
    pub(super) fn say(&self, level: &'static str, word: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.format {
            LogFormat::Text => self.write(&format!("{word}{text}")),
            LogFormat::Json => {
                let entry = Entry {
                    level,
                    stage: "commands",
                    message: text,
                    fields: &[],
                };
                self.entry(&entry, true);
            }
        }
    }

    /// Whether people read it as it is.
    pub(super) fn is_text(&self) -> bool {
        self.format == LogFormat::Text
    }

    /// An entry of the log; in plain words for whoever asked for none.
    fn entry(&self, entry: &Entry<'_>, plain: bool) {
        let line = match self.format {
            LogFormat::Text if plain => log::plain(entry),
            LogFormat::Text => log::text(entry),
            LogFormat::Json => {
                let time = format!("{:.3}", jiff::Timestamp::now());
                log::object(&time, self.run.as_str(), entry)
            }
        };
        self.write(&line);
    }

    /// A text without a line break after it.
    pub(super) fn write_raw(&self, text: &str) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }

    /// Where even stderr is gone there is nobody left to tell.
    fn write(&self, line: &str) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        drop(writeln!(out, "{line}"));
    }
}

/// Takes the events of the stages.
pub(super) struct Log {
    err: Stderr,
    most: LevelFilter,
}

impl Log {
    /// The log for so many `-v`. For none it has only what nobody should have to ask for, and nothing where all is to be quiet.
    pub(super) fn new(err: Stderr, verbose: u8, quiet: bool) -> Option<Self> {
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
        let stage = metadata.target().split("::").nth(1).unwrap_or_default();
        let entry = Entry {
            level: word(*metadata.level()),
            stage,
            message: &fields.message,
            fields: &fields.others,
        };
        self.err.entry(&entry, self.most == LevelFilter::WARN);
    }

    // There are no spans: nothing here is nested.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        _ => "debug",
    }
}

/// An event's values.
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
