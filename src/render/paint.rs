//! Colour, decided once: a [`Paint`] either styles text or leaves it unchanged. Colour is never the only signal.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

/// Styles by meaning.
pub(super) struct Styles;

impl Styles {
    pub(super) const ADD: Style = AnsiColor::Green.on_default();
    pub(super) const REMOVE: Style = AnsiColor::Red.on_default();
    pub(super) const CHANGE: Style = AnsiColor::Yellow.on_default();
    /// For what needs attention.
    pub(super) const DANGER: Style = AnsiColor::Red.on_default().bold();
    pub(super) const QUIET: Style = Style::new().dimmed();
    /// A heading.
    pub(super) const STRONG: Style = Style::new().bold();
    /// Words that a change deletes or inserts.
    pub(super) const DELETED: Style = AnsiColor::Red.on_default().strikethrough();
    pub(super) const INSERTED: Style = AnsiColor::Green.on_default().bold();
}

/// Whether text is styled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// With ANSI colours.
    Colour,
    /// Without colours.
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
