//! Sections and their lines.

use std::borrow::Cow;

use super::text::{text, titles};
use super::{Risk, Span, Text, Tone};
use crate::model::Pipe;
use crate::plan::{Action, ByHand, Change};

/// What the lines of a section have in common. The order is the one of a page: most dangerous first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionKind {
    Errors,
    Stopped,
    NotDone,
    Remedies,
    NotAsSent,
    Refused,
    WouldBeRefused,
    Guards,
    NeedsAttention,
    Conflicts,
    ByHand,
    LookAlikes,
    Differences,
    Ignored,
    Notes,
    Warnings,
    Create,
    Update,
    Members,
    AsPlanned,
}

/// How loud a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Error,
    Warning,
    Notice,
    /// Not worth an annotation.
    Silent,
}

impl SectionKind {
    /// The heading, and what lines are after a number: `12 to create`.
    fn names(self) -> [&'static str; 2] {
        match self {
            Self::Errors => ["Errors", "errors"],
            Self::Stopped => ["Stopped", "reasons"],
            Self::NotDone => ["Not done", "not done"],
            Self::Remedies => ["What to do", "remedies"],
            Self::NotAsSent => ["Not as sent", "not as sent"],
            Self::Refused => ["Refused", "refusals"],
            Self::WouldBeRefused => ["Would be refused", "guards"],
            Self::Guards => ["Guards", "guards changed"],
            Self::NeedsAttention => ["Needs attention", "that need attention"],
            Self::Conflicts => ["Conflicts", "conflicts"],
            Self::ByHand => ["Manual steps", "manual steps"],
            Self::LookAlikes => ["Look-alikes", "look-alikes"],
            Self::Differences => ["Also differs", "other differences"],
            Self::Ignored => ["Ignored by the server", "fields ignored by the server"],
            Self::Notes => ["Notes", "notes"],
            Self::Warnings => ["Warnings", "warnings"],
            Self::Create => ["Create", "to create"],
            Self::Update => ["Update", "to update"],
            Self::Members => ["Members", "to get members or a welcome only"],
            Self::AsPlanned => ["As planned", "as planned"],
        }
    }

    pub fn name(self) -> &'static str {
        let [name, _] = self.names();
        name
    }

    pub fn noun(self) -> &'static str {
        let [_, noun] = self.names();
        noun
    }

    /// What applies to all lines, without a full stop.
    pub fn remark(self) -> &'static str {
        match self {
            Self::WouldBeRefused => {
                "a plan of the second manifest would be refused, unless allowed"
            }
            Self::Conflicts => "nothing is written to these rooms",
            Self::ByHand => "the API cannot remove members or rooms",
            Self::LookAlikes => "people cannot tell these apart",
            Self::Ignored => "sent again only with --resend",
            _ => "",
        }
    }

    /// Whether its lines are the last to be left out of a page.
    pub fn is_pinned(self) -> bool {
        self.level() == Level::Error
            || self == Self::Remedies
            || (self.level() == Level::Warning && self != Self::Warnings)
    }

    pub fn tone(self) -> Tone {
        match self {
            Self::Errors | Self::Stopped | Self::NotDone | Self::Refused => Tone::Danger,
            Self::WouldBeRefused | Self::Guards | Self::NeedsAttention => Tone::Danger,
            Self::NotAsSent | Self::Conflicts | Self::LookAlikes => Tone::Warn,
            Self::Ignored | Self::Warnings => Tone::Warn,
            Self::Remedies | Self::ByHand => Tone::Hand,
            Self::Differences | Self::Notes => Tone::Plain,
            Self::Create | Self::AsPlanned => Tone::Add,
            Self::Update => Tone::Change,
            Self::Members => Tone::Join,
        }
    }

    pub fn level(self) -> Level {
        match self {
            Self::Errors | Self::Stopped | Self::NotDone | Self::Refused => Level::Error,
            Self::WouldBeRefused | Self::Guards | Self::NeedsAttention => Level::Warning,
            Self::NotAsSent | Self::Conflicts | Self::LookAlikes => Level::Warning,
            Self::ByHand | Self::Warnings => Level::Warning,
            Self::Differences | Self::Ignored | Self::Notes => Level::Notice,
            Self::Create | Self::Update | Self::Members => Level::Notice,
            Self::Remedies | Self::AsPlanned => Level::Silent,
        }
    }

    /// The section of a change.
    pub fn of(change: &Change) -> Self {
        match &change.action {
            _ if Risk::of(change).is_some() => Self::NeedsAttention,
            Action::Create => Self::Create,
            Action::Update { fields, .. } if fields.is_empty() => Self::Members,
            Action::Update { .. } => Self::Update,
        }
    }
}

/// Lines of one kind. A section of changes has only `changes`, the others have only `lines`.
#[derive(Debug, Clone)]
pub struct Section<'a> {
    pub kind: SectionKind,
    pub lines: Vec<Line<'a>>,
    pub changes: Vec<&'a Change>,
}

impl<'a> Section<'a> {
    pub(super) fn new(kind: SectionKind, lines: impl IntoIterator<Item = Line<'a>>) -> Self {
        Self {
            kind,
            lines: lines.into_iter().collect(),
            changes: Vec::new(),
        }
    }

    /// The changes of one kind.
    pub(super) fn changes(kind: SectionKind, changes: &'a [Change]) -> Self {
        let of_kind = changes.iter().filter(|it| SectionKind::of(it) == kind);
        Self {
            kind,
            lines: Vec::new(),
            changes: of_kind.collect(),
        }
    }

    pub fn count(&self) -> usize {
        self.lines.len() + self.changes.len()
    }
}

/// One line.
#[derive(Debug, Clone, Default)]
pub struct Line<'a> {
    /// Which risk, code or status it is.
    pub label: Option<Cow<'static, str>>,
    pub pipe: Option<&'a Pipe>,
    pub title: Option<Title<'a>>,
    pub text: Text<'a>,
    pub place: Option<Place<'a>>,
    /// The remedy.
    pub hint: Option<&'a str>,
    pub detail: Detail<'a>,
}

/// The title of a room that changes.
#[derive(Debug, Clone)]
pub enum Title<'a> {
    Same(&'a str),
    Changed {
        before: &'a str,
        after: &'a str,
        drift: &'static str,
    },
}

/// Where something is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    pub file: &'a str,
    /// From 1; without it, the whole file.
    pub line: Option<u32>,
    pub column: Option<u32>,
}

/// What a line opens to.
#[derive(Debug, Clone, Copy, Default)]
pub enum Detail<'a> {
    #[default]
    None,
    Change(&'a Change),
    ByHand(&'a ByHand),
}

impl<'a> Place<'a> {
    pub(super) fn new(file: &'a str, line: u32) -> Self {
        Self {
            file,
            line: Some(line),
            column: None,
        }
    }

    /// `rooms.yaml:3:12`, not safe to print.
    pub fn raw(&self) -> String {
        let numbers = [self.line, self.column].into_iter().flatten();
        let numbers: String = numbers.map(|number| format!(":{number}")).collect();
        format!("{}{numbers}", self.file)
    }
}

impl<'a> Line<'a> {
    pub(super) fn new(text: Text<'a>) -> Self {
        Self {
            text,
            ..Self::default()
        }
    }

    /// A line about a room.
    pub(super) fn of(pipe: &'a Pipe, text: Text<'a>) -> Self {
        Self {
            pipe: Some(pipe),
            text,
            ..Self::default()
        }
    }

    /// Whether it is about the manifest and not about a room or a run.
    pub fn is_diagnostic(&self) -> bool {
        self.pipe.is_none() && self.label.is_some()
    }

    /// Pipe, title and text in one sentence.
    pub fn sentence(&self) -> Text<'a> {
        let Some(pipe) = self.pipe else {
            return self.text.clone();
        };
        let mut parts = Vec::new();
        let mut head = Text::from(pipe);
        match &self.title {
            Some(Title::Same(title)) => {
                head.push(text![" ", Span::Title((*title).into())]);
            }
            Some(Title::Changed {
                before,
                after,
                drift,
            }) => {
                let [before, after] = titles(before, after);
                parts.push(text!["title ", before, " → ", after, *drift]);
            }
            None => {}
        }
        if !self.text.0.is_empty() {
            parts.push(self.text.clone());
        }
        text![head, ": ", Text::join(parts, ", ")]
    }
}
