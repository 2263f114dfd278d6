//! Which changes need attention: those that open a room to everyone or create one again.

use crate::plan::Change;

/// Why a change needs attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Risk {
    /// A closed room becomes public.
    Publishes,
    /// A new room is public.
    NewAndPublic,
    /// A deleted or vanished room is created again, and public.
    RecreatedAndPublic,
    /// A deleted or vanished room is created again: people who were in the old one are not in it.
    Recreated,
}

impl Risk {
    /// Why a change needs attention, if it does.
    pub fn of(change: &Change) -> Option<Self> {
        match change {
            _ if change.publishes() => Some(Self::Publishes),
            _ if change.creates_public() && change.recreate => Some(Self::RecreatedAndPublic),
            _ if change.creates_public() => Some(Self::NewAndPublic),
            _ if change.recreate => Some(Self::Recreated),
            _ => None,
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Publishes => "becomes public",
            Self::NewAndPublic => "new and public",
            Self::RecreatedAndPublic => "recreated and public",
            Self::Recreated => "recreated",
        }
    }
}
