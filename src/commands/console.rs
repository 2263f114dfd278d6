//! Where output goes: stdout for what was asked for, stderr for everything else.

use std::io::{self, Write};

use serde::Serialize;

use crate::cli::Format;
use crate::error::{Error, Exit};
use crate::manifest::Loaded;
use crate::render::json::{self, ErrorDocument};
use crate::render::{Paint, diagnostics, escape};

/// The two streams and how to write to them.
pub struct Console {
    /// What was asked for.
    pub out: Box<dyn Write>,
    /// Status, warnings, errors.
    pub err: Box<dyn Write>,
    /// Colour of the first.
    pub out_paint: Paint,
    /// Colour of the second.
    pub err_paint: Paint,
    /// Text, or one JSON document.
    pub format: Format,
    /// Whether status is left out.
    pub quiet: bool,
    /// Whether somebody is there to be asked.
    pub interactive: bool,
}

impl Console {
    /// Prints what was asked for. A reader that went away is no failure.
    pub(super) fn print(&mut self, text: &str) -> Result<(), Error> {
        match self
            .out
            .write_all(text.as_bytes())
            .and_then(|()| self.out.flush())
        {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Prints the one JSON document.
    pub(super) fn document(&mut self, document: &impl Serialize) -> Result<(), Error> {
        let text = json::text(document)?;
        self.print(&text)
    }

    /// Says what is going on, unless that is not wanted.
    pub(super) fn status(&mut self, text: &str) {
        if !self.quiet && self.format == Format::Text {
            self.say(text);
        }
    }

    /// A warning, with its own word.
    pub(super) fn warn(&mut self, text: &str) {
        if !self.quiet {
            self.say(&format!("warning: {}", escape::terminal(text)));
        }
    }

    /// Draws the mistakes of a manifest. The exit if it cannot be used.
    pub(super) fn mistakes(&mut self, loaded: &Loaded) -> Result<Option<Exit>, Error> {
        let valid = loaded.is_valid();
        match self.format {
            Format::Json if !valid => self.document(&ErrorDocument::invalid(loaded))?,
            Format::Text if !valid || !self.quiet => {
                let drawn = diagnostics::draw(&loaded.diagnostics, &loaded.sources, self.err_paint);
                self.say(drawn.trim_end());
            }
            Format::Json | Format::Text => {}
        }
        Ok((!valid).then_some(Exit::Invalid))
    }

    /// Tells a failure, and gives back how the run ends.
    pub fn fail(&mut self, error: &Error) -> Exit {
        let told = match self.format {
            Format::Json => self.document(&ErrorDocument::new(error)).is_ok(),
            Format::Text => false,
        };
        if !told {
            self.say(&format!("error: {}", escape::terminal(&error.chain())));
            for hint in &error.hints {
                self.say(&format!("  hint: {}", escape::terminal(hint)));
            }
        }
        error.exit
    }

    /// A line to stderr. Where even that is gone there is nobody left to tell.
    fn say(&mut self, text: &str) {
        if !text.is_empty() {
            drop(writeln!(self.err, "{text}"));
        }
    }
}
