//! Where output goes: results to stdout, everything else to stderr. No output shows a secret.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use serde::Serialize;

use super::log::{Log, Stderr};
use super::options::page_limits;
use crate::cli::{
    ColorWhen, DocumentFormat, LogFormat, OutputFlags, PageFlags, PlanFormat, ReportFormat,
};
use crate::document;
use crate::error::{Error, Exit, Result};
use crate::manifest::Loaded;
use crate::manifest::diagnostic::{Diagnostic, Sources};
use crate::model::{Redactor, RunId, Target};
use crate::render::{self, Paint, Progress, diagnostics, escape, github, html, markdown};
use crate::view::{self, View};

/// The process's streams, as `main` found them.
#[derive(Clone)]
pub struct Streams {
    pub out: Arc<Mutex<dyn Write + Send>>,
    pub err: Arc<Mutex<dyn Write + Send>>,
    /// Whether stdout supports colour. The flag `--color` overrides this.
    pub out_colour: bool,
    /// The terminal width, if stdout is a terminal.
    pub out_columns: Option<u16>,
    /// Whether stderr supports colour. The flag `--color` overrides this.
    pub err_colour: bool,
    /// Whether stderr is a terminal.
    pub err_terminal: bool,
    /// Whether stdin and stderr are terminals, so that a user can answer a question.
    pub interactive: bool,
}

/// The output streams, and how a run writes to them.
#[derive(Clone)]
pub struct Console {
    pub streams: Streams,
    /// Whether at least the beginning of a result is on stdout.
    has_printed: Arc<AtomicBool>,
    err: Stderr,
    pub out_paint: Paint,
    pub err_paint: Paint,
    errors: ReportFormat,
    /// The limits of a Markdown page.
    fit: markdown::Fit,
    /// The name of the verb, for a page about a failure.
    verb: String,
    pub target: Option<Target>,
    quiet: bool,
    verbose: u8,
}

impl Console {
    pub fn new(
        streams: Streams,
        flags: &OutputFlags,
        page: PageFlags,
        errors: ReportFormat,
        verb: &str,
        run: RunId,
    ) -> Self {
        let paint = |by_default: bool| match flags.color {
            ColorWhen::Always => Paint::Colour,
            ColorWhen::Auto if by_default => Paint::Colour,
            ColorWhen::Auto | ColorWhen::Never => Paint::Plain,
        };
        Self {
            err: Stderr {
                out: Arc::clone(&streams.err),
                format: flags.log_format,
                run,
                secrets: Arc::default(),
            },
            out_paint: paint(streams.out_colour),
            err_paint: match flags.log_format {
                LogFormat::Text => paint(streams.err_colour),
                LogFormat::Json => Paint::Plain,
            },
            errors,
            fit: page_limits(page),
            verb: verb.to_owned(),
            target: None,
            quiet: flags.quiet,
            verbose: flags.verbose,
            has_printed: Arc::default(),
            streams,
        }
    }

    /// Sets the secrets that no output may show.
    pub fn hide(&self, secrets: Redactor) {
        // `set` fails only if it is called twice, and a run calls `hide` once. Without secrets,
        // the output is not searched for them.
        if !secrets.is_empty() {
            drop(self.err.secrets.set(secrets));
        }
    }

    /// Returns the text with its secrets replaced.
    pub fn redact(&self, text: &str) -> String {
        let clean = self.err.secrets.get().map(|secrets| secrets.redact(text));
        clean.unwrap_or_else(|| text.to_owned())
    }

    /// Prints the result of a run.
    pub fn print(&mut self, text: &str) -> Result<()> {
        self.print_stream(|out| out.write_all(text.as_bytes()))
    }

    /// Prints the result of a run while it is produced. A closed pipe is not a failure.
    pub fn print_stream(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        let mut out = self
            .streams
            .out
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.has_printed.store(true, Ordering::Relaxed);
        let out = io::BufWriter::with_capacity(1 << 16, &mut *out);
        let mut out = Redacted::new(out, self.err.secrets.get());
        match write(&mut out).and_then(|()| out.finish()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written.context("cannot write to stdout")?),
        }
    }

    /// Prints a view in the given format. For JSON, prints the document instead.
    pub fn print_view<'a, D: Serialize>(
        &mut self,
        format: PlanFormat,
        view: impl FnOnce() -> View<'a>,
        document: impl FnOnce() -> D,
    ) -> Result<()> {
        let page = match format {
            PlanFormat::Text => {
                let paint = self.out_paint;
                return self.print_stream(|out| render::write(&view(), paint, out));
            }
            PlanFormat::Json => return self.print_document(&document()),
            PlanFormat::Markdown => return self.print_markdown(&view()),
            PlanFormat::Html => return self.print_stream(|out| html::write(&view(), out)),
            PlanFormat::Github => github::write(&view()),
        };
        self.print(&page)
    }

    pub fn print_markdown(&mut self, view: &View<'_>) -> Result<()> {
        let fit = self.fit;
        self.print_stream(|out| markdown::write(view, fit, out))
    }

    /// Prints the text. For JSON, prints the document instead.
    pub fn print_as<D: Serialize>(
        &mut self,
        format: DocumentFormat,
        text: impl FnOnce(Paint) -> String,
        document: impl FnOnce() -> D,
    ) -> Result<()> {
        match format {
            DocumentFormat::Text => self.print(&text(self.out_paint)),
            DocumentFormat::Json => self.print_document(&document()),
        }
    }

    pub fn print_document(&mut self, document: &impl Serialize) -> Result<()> {
        self.print_stream(|out| render::write_json(document, out))
    }

    /// Writes a JSON document without the secrets.
    pub fn write_document(&self, document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
        let mut out = Redacted::new(out, self.err.secrets.get());
        render::write_json(document, &mut out)?;
        out.finish()
    }

    /// Reports progress, unless `--quiet` is set.
    pub fn status(&self, text: &str) {
        if !self.quiet && self.errors != ReportFormat::Json {
            self.err.say("info", "", text);
        }
    }

    /// Prints a question, or the line break after its answer. Ignores the log format, because
    /// questions are asked only on a terminal, where a person reads them.
    pub fn prompt(&self, text: &str) {
        self.err.write(text);
    }

    pub fn log(&self) -> Option<Log> {
        Log::new(self.err.clone(), self.verbose, self.quiet)
    }

    pub fn progress(&self, rooms: usize) -> Progress {
        // A progress bar and log lines would overwrite each other.
        let bar =
            self.streams.err_terminal && self.verbose == 0 && self.err.format == LogFormat::Text;
        if self.quiet {
            return Progress::nothing();
        }
        if bar {
            return Progress::bar(rooms);
        }
        let err = self.err.clone();
        Progress::lines(rooms, move |line| err.say("info", "", line))
    }

    pub fn warn_all(&self, texts: &[String]) {
        texts.iter().for_each(|text| self.warn(text));
    }

    pub fn warn(&self, text: &str) {
        if !self.quiet {
            self.err.say("warn", "warning: ", &escape::terminal(text));
        }
    }

    /// Reports an error that does not end the run.
    pub fn error(&self, text: &str) {
        self.err.say("error", "error: ", &escape::terminal(text));
    }

    /// Reports the diagnostics of all invalid manifests. If all manifests are valid, reports
    /// the diagnostics of the last manifest.
    ///
    /// # Errors
    /// Returns an error if a manifest is invalid. The error is already reported.
    pub fn report_diagnostics(&mut self, manifests: &[&Loaded]) -> Result<()> {
        let mut invalid = manifests.to_vec();
        invalid.retain(|loaded| !loaded.is_valid());
        if let Some(last) = manifests.last().filter(|_| invalid.is_empty()) {
            self.report_warnings(&last.diagnostics, &last.sources);
            return Ok(());
        }
        for loaded in &invalid {
            self.draw_diagnostics("error", &loaded.diagnostics, &loaded.sources);
        }
        let mut error = Error::message(Exit::Invalid, "the manifest is invalid");
        let (verb, target) = (self.verb.clone(), self.target.clone());
        let view = || view::invalid(&invalid, &verb, target.as_ref());
        match self.errors {
            ReportFormat::Text => {}
            ReportFormat::Json => self.print_document(&document::failure(&error, &invalid))?,
            ReportFormat::Markdown => self.print_markdown(&view())?,
            ReportFormat::Github => self.print(&github::write(&view()))?,
        }
        error.is_reported = true;
        Err(error)
    }

    /// Draws warnings on stderr, unless `--quiet` is set.
    pub fn report_warnings(&self, warnings: &[Diagnostic], sources: &Sources) {
        if !self.quiet {
            self.draw_diagnostics("warn", warnings, sources);
        }
    }

    /// Draws diagnostics on stderr, unless stdout has them as JSON or annotations.
    pub fn draw_diagnostics(
        &self,
        level: &'static str,
        diagnostics: &[Diagnostic],
        sources: &Sources,
    ) {
        if matches!(self.errors, ReportFormat::Text | ReportFormat::Markdown) {
            let drawn = diagnostics::draw(diagnostics, sources, self.err_paint);
            self.err.say(level, "", drawn.trim_end());
        }
    }

    /// Reports a failure, and returns the exit code.
    pub fn fail(&mut self, error: &Error) -> Exit {
        if error.is_reported {
            return error.exit;
        }
        let text = self.failure(error);
        let is_printed = !text.is_empty() && self.print(&text).is_ok();
        self.explain(error, is_printed)
    }

    /// Reports a failure and ends the process while the run goes on in another thread. Prints no document if the run has printed one.
    pub fn exit(&mut self, error: &Error) -> ! {
        let text = self.redact(&self.failure(error));
        let streams = self.streams.clone();
        // The lock is held until the process ends, so that the run prints nothing after the
        // failure. If the run is printing right now, it holds the lock, and the failure is not
        // printed on stdout.
        let mut out = streams.out.try_lock();
        let is_printed = match &mut out {
            Ok(out) if !text.is_empty() && !self.has_printed.load(Ordering::Relaxed) => {
                out.write_all(text.as_bytes()).is_ok()
            }
            _ => false,
        };
        let exit = self.explain(error, is_printed);
        std::process::exit(i32::from(exit.code()))
    }

    /// Returns what stdout shows for a failure, which is nothing if the format is text.
    fn failure(&self, error: &Error) -> String {
        let target = self.target.as_ref();
        match self.errors {
            ReportFormat::Text => String::new(),
            ReportFormat::Json => render::json(&document::failure(error, &[])).unwrap_or_default(),
            ReportFormat::Github => github::failure(error, &self.verb),
            ReportFormat::Markdown => {
                markdown::failure(error, &self.verb, target, self.fit).unwrap_or_default()
            }
        }
    }

    /// Reports a failure on stderr, unless stdout has it as a document or annotations, and returns the exit code.
    fn explain(&mut self, error: &Error, is_printed: bool) -> Exit {
        // The log of a CI job does not contain the Markdown page, so stderr also reports
        // the failure.
        if !is_printed || self.errors == ReportFormat::Markdown {
            self.error(&error.chain());
            for hint in &error.hints {
                let hint = escape::terminal(hint);
                self.err.say("error", "  ", &format!("hint: {hint}"));
            }
        }
        error.exit
    }
}

/// Number of bytes that are searched for secrets at a time.
const PIECE: usize = 1 << 16;

/// Writes bytes to `out` without the secrets. The caller must call [`Redacted::finish`] at the end.
struct Redacted<'a, W> {
    out: W,
    /// `None` if the run has no secrets.
    redactor: Option<&'a Redactor>,
    /// Bytes that are not written yet: a secret may begin in them and end in later bytes.
    pending: Vec<u8>,
    /// The length of `pending` after the last search.
    kept: usize,
}

impl<'a, W: Write> Redacted<'a, W> {
    fn new(out: W, redactor: Option<&'a Redactor>) -> Self {
        Self {
            out,
            redactor,
            pending: Vec::new(),
            kept: 0,
        }
    }

    /// Writes the bytes that are still pending, and flushes `out`.
    fn finish(mut self) -> io::Result<()> {
        self.pass_on(true)?;
        self.out.flush()
    }

    fn pass_on(&mut self, is_last: bool) -> io::Result<()> {
        if let Some(redactor) = self.redactor {
            let mut clean = Vec::with_capacity(self.pending.len());
            let used = redactor.redact_bytes(&self.pending, is_last, &mut clean);
            self.pending.drain(..used);
            self.kept = self.pending.len();
            self.out.write_all(&clean)?;
        }
        Ok(())
    }
}

impl<W: Write> Write for Redacted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.redactor.is_none() {
            return self.out.write(bytes);
        }
        self.pending.extend_from_slice(bytes);
        if self.pending.len() > self.kept + PIECE {
            self.pass_on(false)?;
        }
        Ok(bytes.len())
    }

    /// Flushes `out`, but does not write the pending bytes, because a secret may begin in them
    /// and end in later bytes.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
