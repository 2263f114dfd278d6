//! One change -> its line in the file, and back.

use super::body::{ids, users};
use super::lines::{ChangeLine, ChangedLine, FieldLine, FieldWord, Odd, StateLine, WelcomeLine};
use crate::model::{Field, FieldValue, Pipe, RoomId, RoomKind, RoomState, UserId, Welcome};
use crate::plan::change::{Action, Change, Changed, FieldChange, Members};
use crate::plan::digest::Digest;

impl From<&Change> for ChangeLine {
    fn from(change: &Change) -> Self {
        let Change {
            pipe,
            file,
            line,
            action,
            send,
            kept,
            members,
            welcome,
            recreate,
            digest,
        } = change;
        let Members {
            new,
            unverified,
            recorded,
        } = members;
        let RoomState {
            title,
            kind,
            public,
        } = send;
        let room_id = match action {
            Action::Create => None,
            Action::Update { id, .. } => Some(id.0),
        };
        Self {
            pipe: pipe.to_string(),
            file: file.to_string(),
            line: *line,
            room_id,
            digest: digest.to_string(),
            recreate: *recreate,
            fields: change.fields().iter().map(ChangedLine::from).collect(),
            send: StateLine {
                title: title.clone(),
                r#type: kind.number(),
                public: *public,
            },
            kept: kept.iter().map(FieldWord::from).collect(),
            new: ids(new),
            unverified: ids(unverified),
            recorded: *recorded,
            welcome: welcome.as_ref().map(|Welcome { from, text }| WelcomeLine {
                from: from.0,
                text: text.clone(),
            }),
        }
    }
}

impl TryFrom<ChangeLine> for Change {
    type Error = Odd;

    fn try_from(line: ChangeLine) -> Result<Self, Odd> {
        let fields = line.fields.into_iter().map(FieldChange::from).collect();
        let StateLine {
            title,
            r#type,
            public,
        } = line.send;
        Ok(Self {
            pipe: Pipe::new(line.pipe),
            file: line.file.into(),
            line: line.line,
            action: line.room_id.map_or(Action::Create, |id| Action::Update {
                id: RoomId(id),
                fields,
            }),
            send: RoomState {
                title,
                kind: RoomKind::from_number(r#type),
                public,
            },
            kept: line.kept.into_iter().map(Field::from).collect(),
            members: Members {
                new: users(line.new),
                unverified: users(line.unverified),
                recorded: line.recorded,
            },
            welcome: line.welcome.map(|WelcomeLine { from, text }| Welcome {
                from: UserId(from),
                text,
            }),
            recreate: line.recreate,
            digest: Digest::from_hex(&line.digest).ok_or(Odd)?,
        })
    }
}

impl From<&FieldChange> for ChangedLine {
    fn from(change: &FieldChange) -> Self {
        let FieldChange {
            field,
            before,
            after,
            changed: Changed { outside, manifest },
        } = change;
        Self {
            values: field_line(*field, before, after),
            outside: *outside,
            manifest: *manifest,
        }
    }
}

impl From<ChangedLine> for FieldChange {
    fn from(line: ChangedLine) -> Self {
        let ChangedLine {
            values,
            outside,
            manifest,
        } = line;
        let (field, before, after) = field_values(values);
        Self {
            field,
            before,
            after,
            changed: Changed { outside, manifest },
        }
    }
}

/// Both values of a field. They are always of the field's own type: one function makes them, from one field.
pub(super) fn field_line(field: Field, before: &FieldValue, after: &FieldValue) -> FieldLine {
    let title = |value: &FieldValue| {
        if let FieldValue::Title(title) = value {
            title.clone()
        } else {
            String::new()
        }
    };
    let number = |value: &FieldValue| {
        if let FieldValue::Kind(kind) = value {
            kind.number()
        } else {
            0
        }
    };
    let public = |value: &FieldValue| *value == FieldValue::Public(true);
    match field {
        Field::Title => FieldLine::Title {
            before: title(before),
            after: title(after),
        },
        Field::Kind => FieldLine::Type {
            before: number(before),
            after: number(after),
        },
        Field::Public => FieldLine::Public {
            before: public(before),
            after: public(after),
        },
    }
}

/// A field and both its values.
pub(super) fn field_values(line: FieldLine) -> (Field, FieldValue, FieldValue) {
    let kind = |number| FieldValue::Kind(RoomKind::from_number(number));
    match line {
        FieldLine::Title { before, after } => (
            Field::Title,
            FieldValue::Title(before),
            FieldValue::Title(after),
        ),
        FieldLine::Type { before, after } => (Field::Kind, kind(before), kind(after)),
        FieldLine::Public { before, after } => (
            Field::Public,
            FieldValue::Public(before),
            FieldValue::Public(after),
        ),
    }
}
