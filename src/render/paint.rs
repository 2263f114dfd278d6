//! Colour on a terminal. Whether to use colour is decided once: a [`Paint`] either styles text
//! or leaves it unchanged. No information is given by colour alone.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

/// The styles, named by their meaning.
pub(super) struct Styles;

impl Styles {
    pub(super) const ADD: Style = AnsiColor::Green.on_default();
    pub(super) const REMOVE: Style = AnsiColor::Red.on_default();
    pub(super) const CHANGE: Style = AnsiColor::Yellow.on_default();
    /// The style of text that needs attention.
    pub(super) const DANGER: Style = AnsiColor::Red.on_default().bold();
    pub(super) const QUIET: Style = Style::new().dimmed();
    /// The style of a heading.
    pub(super) const STRONG: Style = Style::new().bold();
    /// The styles of the words that a change deletes or inserts.
    pub(super) const DELETED: Style = AnsiColor::Red.on_default().strikethrough();
    pub(super) const INSERTED: Style = AnsiColor::Green.on_default().bold();
}

/// Whether to style text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// Text is styled with ANSI colours.
    Colour,
    /// Text is not styled.
    Plain,
}

impl Paint {
    pub(super) fn style(self, style: Style, text: impl Display) -> String {
        match self {
            Self::Plain => text.to_string(),
            Self::Colour => format!("{style}{text}{style:#}"),
        }
    }
}
