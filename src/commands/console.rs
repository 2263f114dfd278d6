//! Where output goes: stdout for what was asked for, stderr for everything else.

use std::io::{self, Write};

use anyhow::Context;
use serde::Serialize;

use super::log::{Log, Stderr};
use super::page;
use crate::cli::{Cli, ColorWhen, ErrorFormat, LogFormat};
use crate::document::{self, ErrorDocument};
use crate::error::{Error, Exit};
use crate::manifest::Loaded;
use crate::manifest::diagnostic::{Diagnostic, Sources};
use crate::model::{RunId, Target};
use crate::render::markdown::{self, Fit};
use crate::render::{self, Paint, Progress, diagnostics, escape, github, html};
use crate::view::{self, View};

/// The process's streams, as `main` found them.
pub struct Streams {
    /// stdout.
    pub out: Box<dyn Write>,
    /// stderr.
    pub err: Box<dyn Write + Send>,
    /// Whether stdout takes colour, unless the command line says otherwise.
    pub out_colour: bool,
    /// How many columns the terminal that stdout is has.
    pub out_columns: Option<u16>,
    /// Whether stderr does.
    pub err_colour: bool,
    /// Whether stderr is a terminal.
    pub err_terminal: bool,
    /// Whether somebody is there to be asked.
    pub interactive: bool,
}

/// The streams and how to write to them.
pub(super) struct Console {
    out: Box<dyn Write>,
    err: Stderr,
    /// Colour of stdout.
    pub(super) out_paint: Paint,
    /// The columns of the terminal that stdout is.
    pub(super) out_columns: Option<u16>,
    err_paint: Paint,
    /// How errors are reported.
    errors: ErrorFormat,
    /// What a page must fit.
    pub(super) fit: Fit,
    /// What is run, for a page that says why it came to nothing.
    verb: String,
    /// What it is run on, as soon as that is known, for the same page.
    pub(super) target: Option<Target>,
    quiet: bool,
    verbose: u8,
    err_terminal: bool,
    /// Whether somebody is there to be asked.
    pub(super) interactive: bool,
}

/// How a view is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageFormat {
    Text,
    Markdown,
    Github,
    Html,
}

impl Console {
    pub(super) fn new(
        streams: Streams,
        cli: &Cli,
        errors: ErrorFormat,
        verb: &str,
        run: RunId,
    ) -> Self {
        let flags = &cli.output;
        let paint = |by_default: bool| match flags.color {
            ColorWhen::Always => Paint::Colour,
            ColorWhen::Auto if by_default => Paint::Colour,
            ColorWhen::Auto | ColorWhen::Never => Paint::Plain,
        };
        let (out_paint, err_paint) = match flags.log_format {
            LogFormat::Text => (paint(streams.out_colour), paint(streams.err_colour)),
            LogFormat::Json => (paint(streams.out_colour), Paint::Plain),
        };
        Self {
            out_paint,
            err_paint,
            quiet: flags.quiet,
            fit: page::fit(cli.verb.page()),
            verb: verb.to_owned(),
            verbose: flags.verbose,
            ..Self::plain(streams, errors, flags.log_format, run)
        }
    }

    /// A console without colour, for failures before the command line is understood.
    pub(super) fn plain(
        streams: Streams,
        errors: ErrorFormat,
        log_format: LogFormat,
        run: RunId,
    ) -> Self {
        let Streams {
            out,
            err,
            out_columns,
            err_terminal,
            interactive,
            ..
        } = streams;
        Self {
            out,
            err: Stderr::new(err, log_format, run),
            out_paint: Paint::Plain,
            out_columns,
            err_paint: Paint::Plain,
            errors,
            fit: Fit::default(),
            verb: "run".to_owned(),
            target: None,
            quiet: false,
            verbose: 0,
            err_terminal,
            interactive,
        }
    }

    /// Prints what was asked for. A reader that went away is no failure.
    pub(super) fn print(&mut self, text: &str) -> Result<(), Error> {
        let written = self.out.write_all(text.as_bytes());
        printed(written.and_then(|()| self.out.flush()))
    }

    /// Prints a view.
    pub(super) fn page(&mut self, view: &View<'_>, format: PageFormat) -> Result<(), Error> {
        let page = match format {
            PageFormat::Text => render::write(view, self.out_paint),
            PageFormat::Markdown => markdown::write(view, self.fit),
            PageFormat::Github => github::write(view),
            PageFormat::Html => html::write(view).map_err(anyhow::Error::from_boxed)?,
        };
        self.print(&page)
    }

    /// Prints what was asked for as it is made. A reader that went away is no failure.
    pub(super) fn stream(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        let (to, failed) = (&mut self.out, false);
        let mut out = io::BufWriter::with_capacity(1 << 16, Sink { to, failed });
        let written = write(&mut out).and_then(|()| out.flush());
        match written {
            // What is printed is read from somewhere too.
            Err(error) if !out.get_ref().failed => Err(error.into()),
            written => printed(written),
        }
    }

    /// Prints the one JSON document.
    pub(super) fn document(&mut self, document: &impl Serialize) -> Result<(), Error> {
        let text = document::text(document)?;
        self.print(&text)
    }

    /// Says what is going on, unless that is not wanted.
    pub(super) fn status(&mut self, text: &str) {
        if !self.quiet && self.errors != ErrorFormat::Json {
            self.err.say("info", "", text);
        }
    }

    /// Shows a question, or ends its line. It is shown in every log format: there is a terminal to ask on.
    pub(super) fn prompt(&self, text: &str) {
        self.err.write_raw(text);
    }

    /// What the stages tell, if somebody wants to know.
    pub(super) fn log(&self) -> Option<Log> {
        Log::new(self.err.clone(), self.verbose, self.quiet)
    }

    /// Shows how far an apply of so many rooms is.
    pub(super) fn progress(&self, rooms: usize) -> Progress {
        // A bar and lines of a log would run into each other.
        let bar = self.err_terminal && self.verbose == 0 && self.err.is_text();
        if self.quiet {
            return Progress::nothing();
        }
        if bar {
            return Progress::bar(rooms);
        }
        let err = self.err.clone();
        Progress::lines(rooms, move |line| err.say("info", "", line))
    }

    /// A warning, with its own word.
    pub(super) fn warn(&mut self, text: &str) {
        if !self.quiet {
            self.err.say("warn", "warning: ", &escape::terminal(text));
        }
    }

    /// An error that the run goes on after, to report what there is to report.
    pub(super) fn error(&mut self, text: &str) {
        self.err.say("error", "error: ", &escape::terminal(text));
    }

    /// Tells the mistakes of a manifest. The exit if it cannot be used.
    pub(super) fn mistakes(&mut self, loaded: &Loaded) -> Result<Option<Exit>, Error> {
        self.draw(loaded);
        if loaded.is_valid() {
            return Ok(None);
        }
        self.document_invalid(&[loaded])?;
        Ok(Some(Exit::Invalid))
    }

    /// Tells the mistakes of two manifests, and what the second is only warned of. Whether one cannot be used.
    pub(super) fn invalid(&mut self, base: &Loaded, head: &Loaded) -> Result<bool, Error> {
        if base.is_valid() {
            return Ok(self.mistakes(head)?.is_some());
        }
        let mut both = vec![base, head];
        both.retain(|loaded| !loaded.is_valid());
        both.iter().for_each(|loaded| self.draw(loaded));
        self.document_invalid(&both)?;
        Ok(true)
    }

    /// Draws warnings that came up after the manifest's own, where those are drawn too.
    pub(super) fn warnings(&mut self, warnings: &[Diagnostic], sources: &Sources) {
        if self.draws() && !self.quiet {
            let drawn = diagnostics::draw(warnings, sources, self.err_paint);
            self.err.say("warn", "", drawn.trim_end());
        }
    }

    /// Whether diagnostics are drawn on stderr: only where stdout does not report them to readers of the log.
    fn draws(&self) -> bool {
        matches!(self.errors, ErrorFormat::Text | ErrorFormat::Markdown)
    }

    /// Draws mistakes on stderr, where stdout does not tell them to whoever reads the log.
    fn draw(&mut self, loaded: &Loaded) {
        if self.draws() && !(self.quiet && loaded.is_valid()) {
            let drawn = diagnostics::draw(&loaded.diagnostics, &loaded.sources, self.err_paint);
            let level = if loaded.is_valid() { "warn" } else { "error" };
            self.err.say(level, "", drawn.trim_end());
        }
    }

    /// Tells on stdout that manifests are invalid, in the formats in which it tells everything.
    fn document_invalid(&mut self, loaded: &[&Loaded]) -> Result<(), Error> {
        let format = match self.errors {
            ErrorFormat::Text => return Ok(()),
            ErrorFormat::Json => return self.document(&ErrorDocument::invalid(loaded)),
            ErrorFormat::Markdown => PageFormat::Markdown,
            ErrorFormat::Github => PageFormat::Github,
        };
        let (verb, target) = (self.verb.clone(), self.target.clone());
        self.page(&view::invalid(loaded, &verb, target.as_ref()), format)
    }

    /// Tells a failure, and gives back how the run ends. A page that is kept somewhere leaves the log empty: there it is told too.
    pub(super) fn fail(&mut self, error: &Error) -> Exit {
        let told = match self.errors {
            ErrorFormat::Text => false,
            ErrorFormat::Json => self.document(&ErrorDocument::new(error)).is_ok(),
            ErrorFormat::Github => self.print(&github::failure(error, &self.verb)).is_ok(),
            ErrorFormat::Markdown => {
                let target = self.target.as_ref();
                let page = markdown::failure(error, &self.verb, target, self.fit);
                // What cannot be printed is told below all the same.
                drop(self.print(&page));
                false
            }
        };
        if !told {
            self.error(&error.chain());
            for hint in &error.hints {
                let hint = escape::terminal(hint);
                self.err.say("error", "  ", &format!("hint: {hint}"));
            }
        }
        error.exit
    }
}

/// A writer that knows whether it was it that failed.
struct Sink<W> {
    to: W,
    failed: bool,
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes);
        self.failed |= written.is_err();
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.to.flush();
        self.failed |= flushed.is_err();
        flushed
    }
}

/// A reader that went away is no failure.
fn printed(written: io::Result<()>) -> Result<(), Error> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written.context("stdout cannot be written")?),
    }
}
