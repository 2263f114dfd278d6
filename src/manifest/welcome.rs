//! Resolves the welcome of each room: looks up the sender, and renders the text with the room's
//! fields.
//!
//! Main type: [`Welcomes`]. A template is compiled once, for any number of rooms.

use std::collections::{BTreeMap, BTreeSet};

use super::groups::Directory;
use super::people::Person;
use super::raw::{RawMember, RawRoom, RawWelcome, Spanned};
use super::template::{Template, Value};
use crate::model::{DesiredRoom, UserId, Welcome};
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems, clip};
use crate::tables::nearest::nearest;

/// The room fields that a welcome may use.
pub(super) const FIELDS: [&str; 5] = ["pipe", "title", "type", "public", "members"];
/// Maximum length of a welcome, in bytes.
const LONGEST: usize = 8 << 10;

/// The compiled welcome texts by place. An invalid text is reported, and stored as `None`.
#[derive(Debug, Default)]
pub(super) struct Welcomes {
    templates: BTreeMap<At, Option<Template>>,
    /// Senders that were already reported because they are not members of a room.
    strangers: BTreeSet<At>,
}

impl Welcomes {
    /// Resolves the welcome of a room. Errors are reported.
    pub(super) fn resolve(
        &mut self,
        written: &RawRoom,
        room: &DesiredRoom,
        directory: &Directory<'_>,
    ) -> Option<Welcome> {
        let (raw, problems) = (written.welcome.as_ref()?, directory.problems);
        let from = sender(&raw.from, directory);
        let text = self.fill_in(raw, room, written, problems);
        let welcome = Welcome {
            from: from?,
            text: text?,
        };
        if !room.has_member(welcome.from) && self.strangers.insert(raw.from.at) {
            let message = "the sender of the welcome is not a member of the room";
            let hint = "add the sender to `members`; the server may refuse the message otherwise";
            problems.note(Code::SenderNotMember, raw.from.at, message, hint);
        }
        Some(welcome)
    }

    fn fill_in(
        &mut self,
        raw: &RawWelcome,
        room: &DesiredRoom,
        written: &RawRoom,
        problems: &Problems,
    ) -> Option<String> {
        let template = self
            .templates
            .entry(raw.text.at)
            .or_insert_with(|| compile(raw, problems))
            .as_ref()
            .filter(|_| !written.broken)?;
        let value = |name: &str| match name {
            "pipe" => Some(room.pipe.as_str().into()),
            "title" => Some(room.state.title.as_str().into()),
            "type" => Some(room.state.kind.to_string().into()),
            "public" => Some(room.state.public.into()),
            "members" => Some(room.members.len().into()),
            _ => raw.cells.get(name).map(Value::from),
        };
        let mistake = match template.render(value) {
            Ok(text) => match why_bad(text.trim()) {
                None => return Some(text.trim().to_owned()),
                Some((message, hint)) => {
                    Diagnostic::at(Code::BadWelcome, written.at, message).hint(hint)
                }
            },
            Err(error) => {
                let what = "the welcome cannot be rendered for this room";
                error.to_diagnostic(Code::BadTemplate, written.at, what)
            }
        };
        problems.push(mistake.related(raw.text.at, "the text"));
        None
    }
}

fn compile(raw: &RawWelcome, problems: &Problems) -> Option<Template> {
    let what = "the text of this welcome cannot be read";
    let template = Template::compile(&raw.text, what, problems)?;
    let known = |name: &&String| FIELDS.contains(&name.as_str()) || raw.cells.contains_key(*name);
    let mut is_usable = true;
    for name in template.names().iter().filter(|name| !known(name)) {
        is_usable = false;
        let shown = clip(name);
        let message = format!("the welcome names `{shown}`, which is not a field of a room");
        let hint = match nearest(name, FIELDS.into_iter()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the fields are {}", FIELDS.join(", ")),
        };
        problems.note(Code::BadTemplate, raw.text.at, message, hint);
    }
    is_usable.then_some(template)
}

/// Returns the user who sends a welcome.
fn sender(written: &Spanned<RawMember>, directory: &Directory<'_>) -> Option<UserId> {
    let bad = |message: &str, hint: &str| {
        Diagnostic::at(Code::BadWelcome, written.at, message).hint(hint)
    };
    let mistake = match &written.value {
        RawMember::Id(id) => return Some(UserId(*id)),
        RawMember::Person(name) => match directory.people.get(name) {
            Some(Person::User(user, ..)) => return Some(user),
            Some(Person::LeftOut(..)) => bad(
                "the sender of the welcome is left out of the directory of people",
                "choose a user that the `where` of `people` selects",
            ),
            Some(Person::WithoutId(number)) => directory.people.mistake(number)?,
            None if directory.people.is_incomplete => return None,
            None => {
                directory.unknown_person(name, written.at);
                return None;
            }
        },
        RawMember::Ids(_)
        | RawMember::Group(_)
        | RawMember::Roster(_)
        | RawMember::Shared(_)
        | RawMember::Dated(..) => bad(
            "a welcome needs one user as its sender, not a group",
            "write an id, or a name from `people`",
        ),
    };
    directory.problems.push(mistake);
    None
}

/// Returns the message and the hint if a text is not a valid welcome.
fn why_bad(text: &str) -> Option<(&'static str, &'static str)> {
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    match text {
        "" => Some((
            "the text of the welcome is empty",
            "write a text, or remove `welcome`",
        )),
        _ if text.len() > LONGEST => Some(("a welcome has at most 8192 bytes", "shorten it")),
        _ if text.contains(odd) => Some((
            "a welcome cannot have control characters",
            "write it as plain text",
        )),
        _ => None,
    }
}
