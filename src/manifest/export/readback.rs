//! Verifies that an export reads back as intended: new rooms as exported, everything else unchanged.

use thiserror::Error;

use crate::model::{Desired, DesiredRoom, Member, MembersPolicy, UserId};

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
        let found = after.rooms.get(pipe);
        // Ignore the members policy: the file's defaults may set it, but an export does not.
        let alike =
            found.is_some_and(|found| compared_content(found).0 == compared_content(room).0);
        if !alike {
            return Err(Unlike::New(pipe.as_str().to_owned()));
        }
    }
    let Some(before) = before else {
        return Ok(());
    };
    for (pipe, room) in &before.rooms {
        let found = after.rooms.get(pipe);
        if found.is_none_or(|found| compared_content(found) != compared_content(room)) {
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

/// Returns the content of a room and its members policy. Places in the file are left out, because
/// line numbers may differ.
fn compared_content(room: &DesiredRoom) -> (impl PartialEq + '_, MembersPolicy) {
    let DesiredRoom {
        pipe,
        state,
        members,
        ending: _,
        exclude,
        policy,
        ignore,
        welcome,
        place: _,
    } = room;
    let users: Vec<UserId> = members
        .iter()
        .map(|Member { user, place: _ }| *user)
        .collect();
    ((pipe, state, users, exclude, ignore, welcome), *policy)
}
