//! Verifies that an export reads back as intended: new rooms as exported, everything else unchanged.

use thiserror::Error;

use crate::model::{Desired, DesiredRoom, FileId, Member, Place};

/// How the manifest that is read back differs from the intended one.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Unlike {
    /// A new room would not be read as it was exported.
    #[error("the new room `{0}` would not be read correctly")]
    New(String),
    /// A room that was already declared would be read differently.
    #[error("the room `{0}` would be read differently")]
    Old(String),
    /// Another room would be declared too, for example because a file has changed meanwhile.
    #[error("the room `{0}` would also be declared")]
    Extra(String),
    /// The widget, the scope or the limits would be read differently.
    #[error("`widget`, `scope` or `limits` would be read differently")]
    Rest,
}

/// Checks that `after` declares the rooms of `added`, and that nothing else differs from `before`.
///
/// # Errors
/// Returns the first difference.
pub fn read_back(after: &Desired, added: &Desired, before: Option<&Desired>) -> Result<(), Unlike> {
    for (pipe, room) in &added.rooms {
        // Ignore the members policy: the file's defaults may set it, but an export does not.
        let found = after.rooms.get(pipe).map(|found| DesiredRoom {
            policy: room.policy,
            ..without_places(found)
        });
        if found != Some(without_places(room)) {
            return Err(Unlike::New(pipe.as_str().to_owned()));
        }
    }
    let Some(before) = before else {
        return Ok(());
    };
    for (pipe, room) in &before.rooms {
        if after.rooms.get(pipe).map(without_places) != Some(without_places(room)) {
            return Err(Unlike::Old(pipe.as_str().to_owned()));
        }
    }
    let known = |pipe| before.rooms.contains_key(pipe) || added.rooms.contains_key(pipe);
    if let Some(pipe) = after.rooms.keys().find(|pipe| !known(*pipe)) {
        return Err(Unlike::Extra(pipe.as_str().to_owned()));
    }
    let widget = before.widget.is_none() || before.widget == after.widget;
    if !widget || before.scope != after.scope || before.limits != after.limits {
        return Err(Unlike::Rest);
    }
    Ok(())
}

/// Returns a room without its places, because line numbers may differ.
fn without_places(room: &DesiredRoom) -> DesiredRoom {
    let (file, line) = (FileId(0), 0);
    let place = Place { file, line };
    let members = room.members.iter().map(|it| Member { place, ..*it });
    DesiredRoom {
        members: members.collect(),
        ending: 0,
        place,
        ..room.clone()
    }
}
