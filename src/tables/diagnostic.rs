//! Mistakes as data: a stable code, a place, the words, and a remedy. `render` draws them.
//!
//! Main type: [`Diagnostic`]. [`Sources`] keeps the texts that the places point into.

use std::collections::{BTreeMap, HashSet};

use super::nearest::NearestSearch;
pub use super::source::{At, LineColumn, Source, Sources};
use crate::model::FileId;

/// How bad it is: only errors make a manifest invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The manifest cannot be used.
    Error,
    /// It can, but a person should check it.
    Warning,
}

impl Severity {
    /// The severity in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

macro_rules! codes {
    (retired: [$($retired:literal),*], $($variant:ident $code:literal $name:literal $doc:literal),+ $(,)?) => {
        /// The stable codes. A code is never given another meaning; its texts may change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $doc] $variant),+ }

        impl Code {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
            /// Codes of mistakes that are gone: they are never used again.
            pub const RETIRED: &[&str] = &[$($retired),*];
            /// `E012`.
            pub fn id(self) -> &'static str { match self { $(Self::$variant => $code),+ } }
            /// `duplicate-pipe`.
            pub fn name(self) -> &'static str { match self { $(Self::$variant => $name),+ } }
            /// What the code means, in a sentence.
            pub fn meaning(self) -> &'static str { match self { $(Self::$variant => $doc),+ } }
            /// Whether it makes the manifest invalid: the code's letter says so.
            pub fn severity(self) -> Severity {
                if self.id().starts_with('W') { Severity::Warning } else { Severity::Error }
            }
        }
    };
}

codes! {
    retired: ["E021"],
    Unreadable "E001" "unreadable" "A file or directory of the manifest is missing or cannot be read.",
    NotUtf8 "E002" "not-utf8" "A file is not valid UTF-8.",
    Syntax "E003" "syntax" "The text is not YAML.",
    TooDeep "E004" "too-deep" "The nesting is deeper than any manifest needs.",
    AliasBomb "E005" "alias-bomb" "The YAML aliases expand to more than any manifest needs.",
    TooLarge "E006" "too-large" "A file or a text is too large.",
    WrongType "E007" "wrong-type" "A value has the wrong type for its key.",
    NeedsQuotes "E008" "needs-quotes" "Text that YAML reads as a number, bool, null or date.",
    UnknownKey "E009" "unknown-key" "A key that the manifest language does not have.",
    DuplicateKey "E010" "duplicate-key" "A key is duplicated in one mapping.",
    MissingKey "E011" "missing-key" "A required key is absent.",
    DuplicatePipe "E012" "duplicate-pipe" "Two rooms have the same pipe.",
    BadPipe "E013" "bad-pipe" "A pipe that cannot be an identity.",
    BadTitle "E014" "bad-title" "A title that is empty, too long, or has control characters.",
    BadValue "E015" "bad-value" "A value that its key does not allow.",
    UnknownPerson "E016" "unknown-person" "A member's name that `people` does not have.",
    UnknownGroup "E017" "unknown-group" "A group that `groups` does not have.",
    GroupCycle "E018" "group-cycle" "Groups that contain each other.",
    DuplicateName "E019" "duplicate-name" "A person or a group that is defined twice.",
    ConflictingFiles "E020" "conflicting-files" "Files of one manifest contradict each other.",
    Empty "E022" "empty-manifest" "The manifest declares no rooms.",
    Outside "E023" "outside-root" "A path that leads outside the manifest's directory.",
    EmptyRoster "E024" "empty-roster" "A file of users or rooms without any matching row.",
    RaggedRow "E025" "ragged-row" "A row with more or fewer cells than its header.",
    UnknownColumn "E026" "unknown-column" "A column that a file does not have.",
    DuplicateColumn "E027" "duplicate-column" "A column that is used and occurs more than once in its header.",
    BadCell "E028" "bad-cell" "A cell with an invalid value for its column.",
    BadTemplate "E029" "bad-template" "A template that cannot be read or filled in.",
    MoreRows "E030" "more-rows" "More rows with errors than are shown.",
    BadWelcome "E031" "bad-welcome" "A welcome without a sender, or one that is empty, too long, or has control characters.",
    BadQuote "E032" "bad-quote" "A quoted cell that is never closed, or that spans lines and has text after its closing quote.",
    UnusualPipe "W101" "unusual-pipe" "A pipe that the realtime layer may not accept.",
    LookAlike "W102" "look-alike" "Two pipes that people cannot tell apart.",
    TooManyInDialog "W103" "too-many-in-dialog" "A dialog with more than two members.",
    OddTitle "W104" "odd-title" "A title that may be cut or trimmed, or that hides characters.",
    Unjoined "W105" "unjoined-rows" "Rows of a joined file that match no room's row.",
    MoreWarnings "W106" "more-warnings" "More rows with warnings than are shown.",
    LookAlikeTitle "W107" "look-alike-title" "Two different titles that people cannot tell apart.",
    SenderNotMember "W108" "sender-not-member" "A welcome whose sender is not a member of the room.",
    UnknownUser "W109" "unknown-user" "A member whose id the widget does not know (--check-users).",
}

/// One mistake, complete but for its drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of mistake.
    pub code: Code,
    /// What is wrong, naming the thing in back-ticks.
    pub message: String,
    /// Where; none for a file that could not be read.
    pub at: Option<At>,
    /// The file or path at fault, where there is no place in it.
    pub path: Option<String>,
    /// A second place that belongs to it, with what it is.
    pub related: Option<(At, String)>,
    /// What to do.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A mistake at a place.
    pub fn at(code: Code, at: At, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            at: Some(at),
            path: None,
            related: None,
            hint: None,
        }
    }

    /// A mistake of a whole file or path.
    pub fn path(code: Code, path: impl Into<String>, message: impl Into<String>) -> Self {
        let nowhere = At {
            file: FileId(0),
            offset: 0,
        };
        Self {
            at: None,
            path: Some(path.into()),
            ..Self::at(code, nowhere, message)
        }
    }

    /// The same with a remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a second place.
    #[must_use]
    pub fn related(mut self, at: At, label: impl Into<String>) -> Self {
        self.related = Some((at, label.into()));
        self
    }

    /// Whether it makes the manifest invalid.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// Characters of a text in a message.
const LONGEST_SHOWN: usize = 60;
/// How many errors are kept. A wrong file of some megabytes can have millions.
const MOST_ERRORS: usize = 10_000;
/// Mistakes in the rows of one file that are kept in full; the others are counted by their kind.
const MOST_ROWS: usize = 50;

/// Collects mistakes: every warning, and errors up to a limit.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    noted: Vec<Diagnostic>,
    errors: usize,
    rows: BTreeMap<FileId, RowProblems>,
    search: NearestSearch,
}

/// Mistakes in the rows of one file. A row may be read for many rooms; its mistake is one.
#[derive(Debug, Default)]
struct RowProblems {
    seen: HashSet<(u32, Code, String)>,
    kept: BTreeMap<Severity, usize>,
    /// Those that were only counted.
    more: BTreeMap<Code, usize>,
}

impl RowProblems {
    /// Whether a mistake is to be kept in full.
    fn keeps(&mut self, diagnostic: &Diagnostic) -> bool {
        let offset = diagnostic.at.map_or(0, |at| at.offset);
        let key = (offset, diagnostic.code, diagnostic.message.clone());
        if !self.seen.insert(key) {
            return false;
        }
        let kept = self.kept.entry(diagnostic.severity()).or_default();
        if *kept < MOST_ROWS {
            *kept += 1;
            return true;
        }
        *self.more.entry(diagnostic.code).or_default() += 1;
        false
    }
}

impl Problems {
    /// Declares that a file has rows, of which very many may be wrong.
    pub(crate) fn rows_of(&mut self, file: FileId) {
        self.rows.entry(file).or_default();
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if self.keeps(&diagnostic) {
            self.noted.push(diagnostic);
        }
    }

    /// Adds a mistake with a hint that takes a search, which is made only if the mistake is kept.
    pub(crate) fn push_with_hint(
        &mut self,
        diagnostic: Diagnostic,
        hint: impl FnOnce(&mut NearestSearch) -> String,
    ) {
        if self.keeps(&diagnostic) {
            let hint = hint(&mut self.search);
            self.noted.push(diagnostic.hint(hint));
        }
    }

    /// Counts a mistake; whether it is to be kept in full.
    fn keeps(&mut self, diagnostic: &Diagnostic) -> bool {
        let rows = diagnostic.at.and_then(|at| self.rows.get_mut(&at.file));
        if rows.is_some_and(|rows| !rows.keeps(diagnostic)) {
            return false;
        }
        let is_error = diagnostic.severity() == Severity::Error;
        self.errors += usize::from(is_error);
        !is_error || self.errors <= MOST_ERRORS
    }

    pub(crate) fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        diagnostics
            .into_iter()
            .for_each(|diagnostic| self.push(diagnostic));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.noted.is_empty()
    }

    /// All of them, sorted by place (those without one first), each once. Those beyond a limit are counted in one line.
    pub(crate) fn sorted(self, sources: &Sources) -> Vec<Diagnostic> {
        let mut sorted = self.noted;
        if let Some(more @ 1..) = self.errors.checked_sub(MOST_ERRORS) {
            let message =
                format!("{more} more errors beyond the {MOST_ERRORS} that roomform keeps");
            let beyond = Diagnostic::path(Code::TooLarge, "", message);
            sorted.push(beyond.hint("fix these first, then run `check` again"));
        }
        sorted.sort_by(|a, b| {
            (a.at, &a.path, a.code, &a.message).cmp(&(b.at, &b.path, b.code, &b.message))
        });
        sorted.dedup();
        for (file, rows) in self.rows.iter().filter(|(_, rows)| !rows.more.is_empty()) {
            // `400 bad-cell, 12 ragged-row`
            let kinds = rows.more.iter();
            let kinds = kinds.map(|(code, count)| format!("{count} {}", code.name()));
            let kinds = kinds.collect::<Vec<_>>().join(", ");
            let mut severities = rows.more.keys().map(|code| code.severity());
            let code = match severities.any(|severity| severity == Severity::Error) {
                true => Code::MoreRows,
                false => Code::MoreWarnings,
            };
            let name = sources.file(*file).map(|file| file.name.to_string());
            let message = format!("more than are shown here: {kinds}");
            let more = Diagnostic::path(code, name.unwrap_or_default(), message);
            let is_in_file = |other: &Diagnostic| other.at.is_some_and(|at| at.file == *file);
            let after = sorted.iter().rposition(is_in_file);
            sorted.insert(
                after.map_or(0, |last| last + 1),
                more.hint("fix these first, then run `check` again"),
            );
        }
        sorted
    }
}

/// A text short enough for a message.
pub(crate) fn clip(text: &str) -> String {
    if text.chars().nth(LONGEST_SHOWN).is_none() {
        return text.to_owned();
    }
    text.chars().take(LONGEST_SHOWN).chain(['…']).collect()
}
