//! Which changes somebody should look at twice: those that open a room to everyone, and those that make one anew.

use crate::plan::{Change, Note};

/// Why a change is dangerous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Danger {
    /// A closed room becomes public.
    Publishes,
    /// A new room is public.
    NewAndPublic,
    /// A room that was deleted, or has vanished, is made anew: whoever was in the old one is not in it.
    MadeAnew,
}

impl Danger {
    /// Why a change is dangerous, if it is.
    pub(super) fn of(change: &Change) -> Option<Self> {
        match change {
            _ if change.publishes() => Some(Self::Publishes),
            _ if change.creates_public() => Some(Self::NewAndPublic),
            _ if change.recreate => Some(Self::MadeAnew),
            _ => None,
        }
    }

    /// In words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Publishes => "becomes public",
            Self::NewAndPublic => "new and public",
            Self::MadeAnew => "made anew",
        }
    }
}

/// Whether a note is one that a person has to act on.
pub(super) fn is_to_act_on(note: &Note) -> bool {
    match note {
        Note::WelcomeInDoubt { .. } => true,
        Note::MadeAnew { .. } | Note::Renamed { .. } | Note::Assumed(_) | Note::LeftOut(_) => false,
    }
}
