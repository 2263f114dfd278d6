//! The content of an output, complete but without markup: plans, manifest diffs, outcomes,
//! checks and open steps.
//!
//! Main entries: [`plan()`], [`manifest_diff()`], [`outcome()`], [`check()`], [`invalid()`],
//! [`todo()`]. The writers in `render` only lay out a [`View`] and escape the spans of each
//! [`Text`].

mod change;
mod diagnostics;
mod figures;
mod findings;
pub mod grammar;
mod manifest_diff;
mod manual_steps;
mod outcome;
mod plan;
mod section;
pub mod text;
pub mod title_diff;

pub use change::{
    drift_remark, known_members, members_inside, permit, uncertain_remark, value, values,
};
pub use diagnostics::{check, failed, invalid, tally};
pub use figures::{count_figures, verdict};
pub use findings::{flag_that_lifts, limit_words, percent, refusal, would_be_refused};
pub use grammar::{Count, few};
pub use manifest_diff::manifest_diff;
pub use manual_steps::{reason, todo};
pub use outcome::{RoomResult, ended, failure, hints, outcome, remarks, result, stops};
pub use plan::{not_applied, plan};
use section::danger;
pub use section::{Detail, Level, Line, Place, Section, SectionKind, Title, risk};
pub use text::{Span, Text};

use std::collections::BTreeMap;

use crate::model::{Desired, MessageId, Pipe, RoomId, Target, UserId, UserNames, named_enum};
use crate::plan::Change;

/// Maximum number of members or rooms that one line names.
pub const NAMED: usize = 12;

/// The content of a page of output.
#[derive(Debug, Clone)]
pub struct View<'a> {
    /// The command of the run, such as `plan`.
    pub verb: &'a str,
    /// The target of the run, if it is known.
    pub target: Option<&'a Target>,
    pub heading: Text<'a>,
    pub state: State,
    /// The most important numbers of the page, in one line.
    pub verdict: String,
    /// More facts, shown below the verdict. They have no full stops, for example
    /// `8 requests: 1 to list, …`
    pub facts: Vec<String>,
    /// All sections that are not empty, the most dangerous first.
    pub sections: BTreeMap<SectionKind, Section<'a>>,
    /// The explanations of the terms on the page.
    pub legend: Vec<&'static str>,
    /// Where to find complete lists, if a list on the page is cut.
    pub cut: Option<String>,
    /// The words for members who are already in a room.
    pub known: Known,
    pub names: UserNames,
    /// The manifest, from which a writer learns where each member is declared.
    pub desired: Option<&'a Desired>,
}

/// The words for members who are already in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The word after a count, as in `3 known`.
    pub word: &'static str,
    /// The noun, such as `known member`.
    pub member: &'static str,
}

impl Known {
    const RECORDED: Self = Self {
        word: "known",
        member: "known member",
    };
    const DECLARED: Self = Self {
        word: "as before",
        member: "declared member",
    };
}

/// A message that the server confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent<'a> {
    pub target: &'a Target,
    pub room: RoomId,
    /// The room's pipe, if the user named the room by its pipe.
    pub pipe: Option<&'a Pipe>,
    pub from: UserId,
    pub text: &'a str,
    /// The id of the message, if the server returned one.
    pub id: Option<MessageId>,
}

/// The state of a plan or a comparison, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Refused,
    Overdue,
    Compared,
    Pending,
    StepsOpen,
    Done,
}

named_enum! {
    /// What a section is about, which decides its colour.
    pub enum Tone {
        Danger = "danger",
        Warn = "warn",
        Add = "add",
        Change = "change",
        Join = "join",
        Hand = "hand",
        Plain = "plain",
    }
}

impl<'a> View<'a> {
    /// Creates a view without lines.
    fn new(verb: &'a str, target: Option<&'a Target>, heading: Text<'a>, verdict: String) -> Self {
        Self {
            verb,
            target,
            heading,
            state: State::Done,
            verdict,
            facts: Vec::new(),
            sections: BTreeMap::new(),
            legend: Vec::new(),
            cut: None,
            known: Known::RECORDED,
            names: UserNames::default(),
            desired: None,
        }
    }

    fn add(&mut self, kind: SectionKind, lines: impl IntoIterator<Item = Line<'a>>) {
        for line in lines {
            self.section(kind).lines.push(line);
        }
    }

    fn add_changes(&mut self, changes: &'a [Change]) {
        for change in changes {
            let kind = SectionKind::for_change(change);
            self.section(kind).changes.push(change);
        }
        let risky = self.sections.get_mut(&SectionKind::NeedsAttention);
        if let Some(section) = risky {
            section.changes.sort_by_key(|change| danger(change));
        }
    }

    fn section(&mut self, kind: SectionKind) -> &mut Section<'a> {
        self.sections.entry(kind).or_insert_with(|| Section {
            kind,
            lines: Vec::new(),
            changes: Vec::new(),
        })
    }

    /// Returns the lines of a section. The lines of changes are created one at a time, because a
    /// plan may have many changes.
    pub fn lines<'s>(&'s self, section: &'s Section<'a>) -> impl Iterator<Item = Line<'a>> + 's {
        let changes = section.changes.iter();
        let changes = changes.map(|change| change::line(change, self.known, &self.names));
        section.lines.iter().cloned().chain(changes)
    }
}
