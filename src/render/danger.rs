//! What somebody should look at twice: changes that open a room to everyone or make one anew, and notes.

use crate::plan::{Action, Change, Note};

/// Why a change is dangerous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Danger {
    /// A closed room becomes public.
    Publishes,
    /// A new room is public.
    NewAndPublic,
    /// Both: a room that was deleted, or has vanished, is made anew, and public.
    AnewAndPublic,
    /// A room that was deleted, or has vanished, is made anew: whoever was in the old one is not in it.
    MadeAnew,
}

impl Danger {
    /// Why a change is dangerous, if it is.
    pub(super) fn of(change: &Change) -> Option<Self> {
        match change {
            _ if change.publishes() => Some(Self::Publishes),
            _ if change.creates_public() && change.recreate => Some(Self::AnewAndPublic),
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
            Self::AnewAndPublic => "made anew and public",
            Self::MadeAnew => "made anew",
        }
    }
}

/// What becomes of a room, as a reviewer sorts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Somebody should look twice, whatever else it is.
    Dangerous,
    /// It is made.
    Create,
    /// Its fields change.
    Update,
    /// It only gets members, or a welcome.
    Members,
}

impl Kind {
    /// Of which kind a change is.
    pub(super) fn of(change: &Change) -> Self {
        match &change.action {
            _ if Danger::of(change).is_some() => Self::Dangerous,
            Action::Create => Self::Create,
            Action::Update { fields, .. } if fields.is_empty() => Self::Members,
            Action::Update { .. } => Self::Update,
        }
    }
}

/// What a note asks of whoever reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Concern {
    /// Somebody has to do something.
    ByHand,
    /// Somebody has to look twice at two names.
    LookAlike,
    /// Nothing.
    ToKnow,
}

impl Concern {
    /// What a note asks.
    pub(super) fn of(note: &Note) -> Self {
        match note {
            Note::WelcomeInDoubt { .. } => Self::ByHand,
            Note::LooksLike { .. } => Self::LookAlike,
            Note::MadeAnew { .. }
            | Note::Renamed { .. }
            | Note::Assumed(_)
            | Note::Adopted(_)
            | Note::LeftOut(_)
            | Note::OtherShards { .. } => Self::ToKnow,
        }
    }

    /// In words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::ByHand => "by hand",
            Self::LookAlike => "look-alike",
            Self::ToKnow => "to know",
        }
    }
}
