//! Diagnostics as data: a stable code, a place, a message, and a hint. `render` displays them.
//!
//! Main type: [`Diagnostic`]. [`Sources`] has the texts that places refer to.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use super::nearest::NearestSearch;
pub use super::source::{At, LineColumn, Source, Sources};
use crate::model::{FileId, named_enum};

named_enum! {
    /// The severity: only errors make a manifest invalid.
    pub enum Severity {
        /// The manifest cannot be used.
        Error = "error",
        /// The manifest is valid, but a person should check it.
        Warning = "warning",
    }
}

macro_rules! codes {
    (retired: [$($retired:literal),*], $($variant:ident $code:literal $name:literal $doc:literal),+ $(,)?) => {
        /// The stable code of a diagnostic. The meaning of a code never changes, but its messages
        /// may.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $doc] $variant),+ }

        impl Code {
            /// All codes that are in use.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
            /// Retired codes, which are never used again.
            pub const RETIRED: &[&str] = &[$($retired),*];
            /// Returns the code as text, such as `E012`.
            pub fn id(self) -> &'static str { match self { $(Self::$variant => $code),+ } }
            /// Returns the name of the code, such as `duplicate-pipe`.
            pub fn name(self) -> &'static str { match self { $(Self::$variant => $name),+ } }
            /// Returns a short description of what the code means.
            pub fn meaning(self) -> &'static str { match self { $(Self::$variant => $doc),+ } }
            /// Returns the severity. It is also the first letter of the code.
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
    UnknownKey "E009" "unknown-key" "A key that is not part of the manifest language.",
    DuplicateKey "E010" "duplicate-key" "A key is duplicated in one mapping.",
    MissingKey "E011" "missing-key" "A required key is absent.",
    DuplicatePipe "E012" "duplicate-pipe" "Two rooms have the same pipe.",
    BadPipe "E013" "bad-pipe" "An invalid pipe.",
    BadTitle "E014" "bad-title" "A title that is empty, too long, or has control characters.",
    BadValue "E015" "bad-value" "A value that is not allowed for its key.",
    UnknownPerson "E016" "unknown-person" "A member name that is not in `people`.",
    UnknownGroup "E017" "unknown-group" "A group that is not in `groups`.",
    GroupCycle "E018" "group-cycle" "Groups that contain each other.",
    DuplicateName "E019" "duplicate-name" "A person or a group that is defined twice.",
    ConflictingFiles "E020" "conflicting-files" "Files of one manifest contradict each other.",
    Empty "E022" "empty-manifest" "The manifest declares no rooms.",
    Outside "E023" "outside-root" "A path that leads outside the manifest's directory.",
    EmptyRoster "E024" "empty-roster" "A file of users or rooms without a usable header or without a matching row.",
    RaggedRow "E025" "ragged-row" "A row with fewer cells than the header, or with extra cells that are not empty.",
    UnknownColumn "E026" "unknown-column" "A column that is not in the file.",
    DuplicateColumn "E027" "duplicate-column" "A column that is used but duplicated in the header.",
    BadCell "E028" "bad-cell" "A cell with an invalid value for its column.",
    BadTemplate "E029" "bad-template" "A template that cannot be parsed or rendered.",
    MoreRows "E030" "more-rows" "More rows with errors than are shown.",
    BadWelcome "E031" "bad-welcome" "A welcome that has no sender, is empty, is too long, or has control characters.",
    BadQuote "E032" "bad-quote" "A quoted cell that is never closed, or that spans lines and has text after its closing quote.",
    WrongFile "E033" "wrong-file" "A file that is neither a table nor a manifest: a document of another program, a web page, a Git LFS pointer, or a merge conflict.",
    BadWorkbook "E034" "bad-workbook" "An Excel workbook that cannot be read, or a sheet that is missing, empty or hidden.",
    UnusualPipe "W101" "unusual-pipe" "A pipe that the realtime layer might reject.",
    LookAlike "W102" "look-alike" "Two pipes that people cannot tell apart.",
    TooManyInDialog "W103" "too-many-in-dialog" "A dialog with more than two members.",
    OddTitle "W104" "odd-title" "A title that may be cut or trimmed, or that contains invisible characters.",
    Unjoined "W105" "unjoined-rows" "Rows of a joined file that do not match the row of any room.",
    MoreWarnings "W106" "more-warnings" "More rows with warnings than are shown.",
    LookAlikeTitle "W107" "look-alike-title" "Two different titles that people cannot tell apart.",
    SenderNotMember "W108" "sender-not-member" "A welcome whose sender is not a member of the room.",
    UnknownUser "W109" "unknown-user" "A member whose id the widget does not know (--check-users).",
    PublishesAny "W110" "publishes-any-room" "An entry of `limits.publish` that lets every room become public.",
    ListInCell "W111" "list-in-cell" "A cell that has several values, but that `where` compares as one value.",
    BannedUser "W112" "banned-user" "A member whom the widget has banned (--check-users).",
    SharedId "W113" "shared-id" "Two rows of `people` that give one user id different names.",
}

/// A diagnostic that is ready to be displayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code of the problem.
    pub code: Code,
    /// What is wrong, with names in back-ticks.
    pub message: String,
    /// The place of the problem; `None` if it has none, for example if a file is unreadable.
    pub at: Option<At>,
    /// The file or path, if the diagnostic has no place.
    pub path: Option<String>,
    /// A related place, with a label.
    pub related: Option<(At, String)>,
    /// What the user can do.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// Creates a diagnostic at a place.
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

    /// Creates a diagnostic for a whole file or path. An empty path counts as no path.
    pub fn path(code: Code, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            at: None,
            path: Some(path.into()).filter(|path| !path.is_empty()),
            ..Self::at(code, At::NOWHERE, message)
        }
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a related place.
    #[must_use]
    pub fn related(mut self, at: At, label: impl Into<String>) -> Self {
        self.related = Some((at, label.into()));
        self
    }

    /// Returns the severity of the code.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// What is wrong with a text or a file, and what the user can do. The caller adds the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl Mistake {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        let (message, hint) = (message.into(), hint.into());
        Self { message, hint }
    }

    /// Creates the diagnostic. Its message starts with `what`.
    pub(crate) fn to_diagnostic(&self, code: Code, at: At, what: &str) -> Diagnostic {
        let message = format!("{what}: {}", self.message);
        Diagnostic::at(code, at, message).hint(self.hint.as_str())
    }
}

/// Maximum number of characters of a text that is quoted in a message.
const LONGEST_SHOWN: usize = 60;
/// Maximum number of errors that are kept. A wrong file of a few megabytes can have millions.
const MOST_ERRORS: usize = 10_000;
/// Maximum number of row diagnostics that are kept per file and severity. Further ones are only
/// counted, separately for each code.
const MOST_ROWS: usize = 50;

/// Collects the diagnostics of a manifest. Diagnostics above a limit are only counted.
#[derive(Debug, Default)]
pub(crate) struct Problems(RefCell<Noted>);

#[derive(Debug, Default)]
struct Noted {
    kept: Vec<Diagnostic>,
    /// The hash of every diagnostic, to detect repeats: a row or a list may be read for many
    /// rooms.
    seen: HashSet<u64>,
    hasher: RandomState,
    errors: usize,
    rows: BTreeMap<FileId, RowProblems>,
    search: NearestSearch,
}

/// Row diagnostics of one file.
#[derive(Debug, Default)]
struct RowProblems {
    kept: BTreeMap<Severity, usize>,
    /// The number of diagnostics that are not kept, by code.
    more: BTreeMap<Code, usize>,
}

impl RowProblems {
    /// Counts a diagnostic; returns whether to keep it in full.
    fn admit(&mut self, diagnostic: &Diagnostic) -> bool {
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
    /// Marks a file as one with rows, so that its row diagnostics are limited.
    pub(crate) fn rows_of(&self, file: FileId) {
        self.0.borrow_mut().rows.entry(file).or_default();
    }

    pub(crate) fn push(&self, diagnostic: Diagnostic) {
        let mut noted = self.0.borrow_mut();
        if noted.admit(&diagnostic) {
            noted.kept.push(diagnostic);
        }
    }

    /// Adds a diagnostic at a place.
    pub(crate) fn note(
        &self,
        code: Code,
        at: At,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(Diagnostic::at(code, at, message).hint(hint));
    }

    /// Adds an error at a place. Always returns `None`, so that a caller without a value can
    /// return the result of this call.
    pub(crate) fn refuse<T>(
        &self,
        code: Code,
        at: At,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Option<T> {
        self.note(code, at, message, hint);
        None
    }

    /// Adds a diagnostic with an expensive hint, which is computed only if the diagnostic is kept.
    pub(crate) fn push_with_hint(
        &self,
        diagnostic: Diagnostic,
        hint: impl FnOnce(&mut NearestSearch) -> String,
    ) {
        let mut noted = self.0.borrow_mut();
        if noted.admit(&diagnostic) {
            let hint = hint(&mut noted.search);
            noted.kept.push(diagnostic.hint(hint));
        }
    }

    pub(crate) fn extend(&self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        diagnostics
            .into_iter()
            .for_each(|diagnostic| self.push(diagnostic));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().kept.is_empty()
    }

    /// Returns the diagnostics that were kept, sorted by place; those without a place come
    /// first. If some were not kept, adds diagnostics that say how many.
    pub(crate) fn sorted(self, sources: &Sources) -> Vec<Diagnostic> {
        let noted = self.0.into_inner();
        let mut sorted = noted.kept;
        if let Some(more @ 1..) = noted.errors.checked_sub(MOST_ERRORS) {
            let message = format!(
                "roomform reports only the first {MOST_ERRORS} errors; it found {more} more"
            );
            let beyond = Diagnostic::path(Code::TooLarge, "", message);
            sorted.push(beyond.hint("fix the reported errors first, then run `check` again"));
        }
        sorted.sort_by(|a, b| {
            (a.at, &a.path, a.code, &a.message).cmp(&(b.at, &b.path, b.code, &b.message))
        });
        for (file, rows) in noted.rows.iter().filter(|(_, rows)| !rows.more.is_empty()) {
            // Write the counts in the form `400 bad-cell, 12 ragged-row`.
            let kinds = rows.more.iter();
            let kinds = kinds.map(|(code, count)| format!("{count} {}", code.name()));
            let kinds = kinds.collect::<Vec<_>>().join(", ");
            let mut severities = rows.more.keys().map(|code| code.severity());
            let code = match severities.any(|severity| severity == Severity::Error) {
                true => Code::MoreRows,
                false => Code::MoreWarnings,
            };
            let name = sources.file(*file).map(|file| file.name.to_string());
            let message = format!("not shown here: {kinds}");
            let more = Diagnostic::path(code, name.unwrap_or_default(), message);
            let is_in_file = |other: &Diagnostic| other.at.is_some_and(|at| at.file == *file);
            let after = sorted.iter().rposition(is_in_file);
            sorted.insert(
                after.map_or(0, |last| last + 1),
                more.hint("fix the listed rows first, then run `check` again"),
            );
        }
        sorted
    }
}

impl Noted {
    /// Counts a diagnostic unless it was counted before. Returns whether to keep it in full.
    fn admit(&mut self, diagnostic: &Diagnostic) -> bool {
        let Diagnostic {
            at,
            path,
            code,
            message,
            ..
        } = diagnostic;
        if !self
            .seen
            .insert(self.hasher.hash_one((at, path, code, message)))
        {
            return false;
        }
        let rows = diagnostic.at.and_then(|at| self.rows.get_mut(&at.file));
        if rows.is_some_and(|rows| !rows.admit(diagnostic)) {
            return false;
        }
        let is_error = diagnostic.severity() == Severity::Error;
        self.errors += usize::from(is_error);
        !is_error || self.errors <= MOST_ERRORS
    }
}

/// Shortens a text for a message.
pub(crate) fn clip(text: &str) -> String {
    if text.chars().nth(LONGEST_SHOWN).is_none() {
        return text.to_owned();
    }
    text.chars().take(LONGEST_SHOWN).chain(['…']).collect()
}
