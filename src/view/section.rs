//! The sections of a view, and their lines.

use std::borrow::Cow;
use std::cmp::Reverse;

use super::text::{text, titles};
use super::{Span, Text, Tone};
use crate::model::{Pipe, UserId};
use crate::plan::{Change, OpenStep};

/// The kind of a section. The variants are in the order of the page, the most dangerous first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SectionKind {
    Errors,
    Stopped,
    NotDone,
    Remedies,
    NotAsSent,
    Refused,
    Overdue,
    WouldBeRefused,
    Guards,
    NeedsAttention,
    IgnoredVisibility,
    Conflicts,
    FewerMembers,
    ManualSteps,
    LookAlikes,
    Differences,
    Ignored,
    Notes,
    Warnings,
    Create,
    Update,
    Members,
    OpenSteps,
    LeftRooms,
    AsPlanned,
}

/// The severity of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Error,
    Warning,
    Notice,
    /// A line that needs no annotation.
    Silent,
}

impl SectionKind {
    /// Returns the heading of the section, the tone and the severity.
    fn row(self) -> (&'static str, Tone, Level) {
        use Level::{Error, Notice, Silent, Warning};
        use Tone::{Add, Change, Danger, Hand, Join, Plain, Warn};
        match self {
            Self::Errors => ("Errors", Danger, Error),
            Self::Stopped => ("Stopped", Danger, Error),
            Self::NotDone => ("Not done", Danger, Error),
            Self::Remedies => ("What to do", Hand, Silent),
            Self::NotAsSent => ("Not as sent", Warn, Warning),
            Self::Refused => ("Refused", Danger, Error),
            Self::Overdue => ("Overdue", Danger, Error),
            Self::WouldBeRefused => ("Would be refused", Danger, Warning),
            Self::Guards => ("Guards", Danger, Warning),
            Self::NeedsAttention => ("Needs attention", Danger, Warning),
            Self::IgnoredVisibility => {
                let name = "Needs attention: visibility ignored by the server";
                (name, Danger, Warning)
            }
            Self::Conflicts => ("Conflicts", Warn, Warning),
            Self::FewerMembers => ("Fewer members than known", Warn, Warning),
            Self::ManualSteps => ("Manual steps", Hand, Warning),
            Self::LookAlikes => ("Look-alikes", Warn, Warning),
            Self::Differences => ("Also differs", Plain, Notice),
            Self::Ignored => ("Ignored by the server", Warn, Notice),
            Self::Notes => ("Notes", Plain, Notice),
            Self::Warnings => ("Warnings", Warn, Warning),
            Self::Create => ("Create", Add, Notice),
            Self::Update => ("Update", Change, Notice),
            Self::Members => ("Members", Join, Notice),
            Self::OpenSteps => ("Manual steps still open", Hand, Silent),
            Self::LeftRooms => ("Rooms that left the manifest", Hand, Silent),
            Self::AsPlanned => ("As planned", Add, Silent),
        }
    }

    pub fn name(self) -> &'static str {
        self.row().0
    }

    pub fn tone(self) -> Tone {
        self.row().1
    }

    pub fn level(self) -> Level {
        self.row().2
    }

    /// Returns the sign before each line.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Refused | Self::WouldBeRefused => "✗",
            Self::Conflicts | Self::FewerMembers => "?",
            Self::ManualSteps | Self::OpenSteps | Self::LeftRooms => "−",
            Self::Create => "+",
            Self::Update | Self::Members => "~",
            _ if self.needs_attention() => "!",
            _ => "i",
        }
    }

    /// Returns the list marker in Markdown. Open steps get a box to tick.
    pub fn bullet(self) -> &'static str {
        match self {
            _ if self.is_open() => "- [ ]",
            _ => "-",
        }
    }

    /// Returns a remark about all lines of the section, without a full stop.
    pub fn remark(self) -> Option<&'static str> {
        Some(match self {
            Self::WouldBeRefused => "a plan of the second manifest would be refused unless allowed",
            Self::Conflicts => "nothing is written to these rooms",
            Self::FewerMembers => {
                "to find users whom the widget does not know, run `plan --check-users`; to add all declared members again, including people whom you removed, run `roomform ledger forget PIPE`, then `apply`"
            }
            Self::ManualSteps => "the API cannot remove members or rooms",
            Self::OpenSteps => {
                "remove these members in ImbaChat, then run `roomform todo done PIPE`"
            }
            Self::LeftRooms => {
                "delete or keep each room in ImbaChat, then run `roomform ledger forget PIPE`; for many rooms, use a glob: `roomform ledger forget 'term-1-*'`"
            }
            Self::LookAlikes => "people cannot tell these apart",
            Self::Ignored | Self::IgnoredVisibility => "sent again only with --resend-ignored",
            _ => return None,
        })
    }

    /// Returns whether the lines of the section are the last to be omitted from a page.
    pub fn is_pinned(self) -> bool {
        self.level() == Level::Error
            || self == Self::Remedies
            || (self.level() == Level::Warning && self != Self::Warnings)
    }

    /// Whether its lines are steps of earlier runs, which `roomform todo` lists.
    pub fn is_open(self) -> bool {
        matches!(self, Self::OpenSteps | Self::LeftRooms)
    }

    /// Returns whether the lines of the section are shown before all others, and again before the
    /// confirmation prompt.
    pub fn needs_attention(self) -> bool {
        matches!(
            self,
            Self::Overdue
                | Self::WouldBeRefused
                | Self::Guards
                | Self::NeedsAttention
                | Self::IgnoredVisibility
                | Self::Conflicts
        )
    }

    pub fn for_change(change: &Change) -> Self {
        match risk(change) {
            Some(_) => Self::NeedsAttention,
            None if change.is_create() => Self::Create,
            None if change.fields.is_empty() => Self::Members,
            None => Self::Update,
        }
    }
}

/// Returns why a change needs attention: it makes a room public, or recreates a room without its
/// former members.
pub fn risk(change: &Change) -> Option<&'static str> {
    match (change.publishes(), change.creates_public(), change.recreate) {
        (true, _, _) => Some("becomes public"),
        (_, true, true) => Some("recreated and public"),
        (_, true, false) => Some("new and public"),
        (_, false, true) => Some("recreated"),
        (false, false, false) => None,
    }
}

/// The order of changes that need attention: most dangerous first.
pub(super) fn danger(change: &Change) -> impl Ord + use<> {
    let inside = change.publish.as_ref();
    let inside = inside.map(|publish| publish.inside.unwrap_or(usize::MAX));
    Reverse((inside, change.recreate, change.creates_public()))
}

/// A section. It has either changes or other lines.
#[derive(Debug, Clone)]
pub struct Section<'a> {
    pub kind: SectionKind,
    pub lines: Vec<Line<'a>>,
    pub changes: Vec<&'a Change>,
}

impl Section<'_> {
    pub fn count(&self) -> usize {
        self.lines.len() + self.changes.len()
    }
}

#[derive(Debug, Clone, Default)]
pub struct Line<'a> {
    /// The risk of a change, the code of a diagnostic, or a room's status.
    pub label: Option<Cow<'static, str>>,
    pub pipe: Option<&'a Pipe>,
    pub title: Option<Title<'a>>,
    pub text: Text<'a>,
    pub place: Option<Place<'a>>,
    /// What the user can do about the problem.
    pub hint: Option<&'a str>,
    pub detail: Detail<'a>,
}

/// The title of the room that a change is about.
#[derive(Debug, Clone)]
pub enum Title<'a> {
    Same(&'a str),
    /// The title before and after the change, and a remark if someone else changed it.
    Changed(&'a str, &'a str, &'static str),
}

/// The position of a declaration in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place<'a> {
    pub file: &'a str,
    /// The line number, counted from 1; `None` if the whole file is meant.
    pub line: Option<u32>,
    pub column: Option<u32>,
}

/// What the details of a line are about.
#[derive(Debug, Clone, Copy, Default)]
pub enum Detail<'a> {
    #[default]
    None,
    Change(&'a Change),
    Removed(&'a [UserId]),
    OpenSteps(&'a [OpenStep]),
}

impl<'a> Place<'a> {
    pub(super) fn new(file: &'a str, line: u32) -> Self {
        Self {
            file,
            line: Some(line),
            ..Self::default()
        }
    }

    /// Formats the position, for example `rooms.yaml:3:12`. It is not safe to print.
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

    pub(super) fn for_room(pipe: &'a Pipe, text: Text<'a>) -> Self {
        Self {
            pipe: Some(pipe),
            ..Self::new(text)
        }
    }

    /// Returns whether the line is about the manifest, and not about a room or a run.
    pub fn is_diagnostic(&self) -> bool {
        self.pipe.is_none() && self.label.is_some()
    }

    /// Joins the pipe, the title and the text into a sentence.
    pub fn sentence(&self) -> Text<'a> {
        let Some(pipe) = self.pipe else {
            return self.text.clone();
        };
        let (head, title) = match &self.title {
            Some(Title::Same(title)) => (text!("{} {}", pipe, Span::Title((*title).into())), None),
            Some(Title::Changed(before, after, drift)) => {
                let [before, after] = titles(before, after);
                let title = text!("title {} → {}{}", before, after, *drift);
                (pipe.into(), Some(title))
            }
            None => (pipe.into(), None),
        };
        let text = (!self.text.0.is_empty()).then(|| self.text.clone());
        let words = Text::join(title.into_iter().chain(text), ", ");
        text!("{}: {}", head, words)
    }
}
