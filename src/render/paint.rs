//! Colour as a choice made once: a [`Paint`] either styles or leaves text as it is. Nothing is told by colour alone.

use std::fmt::Display;

use anstyle::{AnsiColor, Effects, Style};

/// What a text means; the colour follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Something comes into being.
    Add,
    /// Something goes.
    Remove,
    /// Something changes.
    Change,
    /// Somebody should look twice.
    Danger,
    /// Said by the way.
    Quiet,
    /// A heading.
    Strong,
    /// Words that went.
    Gone,
    /// Words that came.
    Came,
}

/// Whether text is styled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// With ANSI colours.
    Colour,
    /// Without.
    Plain,
}

impl Paint {
    /// The text in its tone.
    pub(super) fn tone(self, tone: Tone, text: impl Display) -> String {
        let style = match tone {
            _ if self == Self::Plain => return text.to_string(),
            Tone::Add => AnsiColor::Green.on_default(),
            Tone::Remove => AnsiColor::Red.on_default(),
            Tone::Change => AnsiColor::Yellow.on_default(),
            Tone::Danger => AnsiColor::Red.on_default() | Effects::BOLD,
            Tone::Quiet => Style::new().dimmed(),
            Tone::Strong => Style::new().bold(),
            Tone::Gone => AnsiColor::Red.on_default() | Effects::STRIKETHROUGH,
            Tone::Came => AnsiColor::Green.on_default() | Effects::BOLD,
        };
        format!("{style}{text}{style:#}")
    }
}
