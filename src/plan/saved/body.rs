//! A plan -> the lines of its file, and back.

use super::lines::{
    Body, ByHandLine, ChangeLine, ConflictLine, ConflictWord, FieldLine, GuardLine, IgnoredLine,
    Odd, StateLine,
};
use crate::model::{
    Field, FieldValue, Pipe, RoomId, RoomKind, RoomState, Target, UserId, WidgetId,
};
use crate::plan::change::{
    Action, ByHand, Change, Conflict, ConflictKind, FieldChange, IgnoredField, Members, Plan,
    Refusal,
};
use crate::plan::digest::Digest;
use crate::plan::limits::LimitKind;

fn ids(users: &[UserId]) -> Vec<u64> {
    users.iter().map(|user| user.0).collect()
}

fn users(ids: Vec<u64>) -> Vec<UserId> {
    ids.into_iter().map(UserId).collect()
}

fn names(rooms: &[Pipe]) -> Vec<String> {
    rooms.iter().map(ToString::to_string).collect()
}

fn pipes(names: Vec<String>) -> Vec<Pipe> {
    names.into_iter().map(Pipe::new).collect()
}

impl From<&Plan> for Body {
    fn from(plan: &Plan) -> Self {
        // Notes and what left the manifest are for whoever reviews the plan, not for whoever applies it.
        let Plan {
            target,
            changes,
            conflicts,
            by_hand,
            undeclared: _,
            ignored,
            notes: _,
            guards,
            refusals: _,
            summary,
        } = plan;
        Self {
            origin: target.origin.clone(),
            widget: target.widget.0,
            changes: changes.iter().map(ChangeLine::from).collect(),
            conflicts: conflicts.iter().map(ConflictLine::from).collect(),
            by_hand: by_hand.iter().map(ByHandLine::from).collect(),
            ignored: ignored.iter().map(IgnoredLine::from).collect(),
            guards: guards.iter().map(GuardLine::from).collect(),
            unchanged: summary.unchanged,
            unmanaged: summary.unmanaged,
            declared: summary.declared,
        }
    }
}

impl TryFrom<Body> for Plan {
    type Error = Odd;

    fn try_from(body: Body) -> Result<Self, Odd> {
        let mut plan = Self::empty(&Target {
            origin: body.origin,
            widget: WidgetId(body.widget),
        });
        for line in body.changes {
            plan.push(line.try_into()?);
        }
        plan.conflicts = body
            .conflicts
            .into_iter()
            .map(TryInto::try_into)
            .collect::<Result<_, _>>()?;
        plan.by_hand = body.by_hand.into_iter().map(Into::into).collect();
        plan.ignored = body.ignored.into_iter().map(Into::into).collect();
        plan.guards = body
            .guards
            .into_iter()
            .map(TryInto::try_into)
            .collect::<Result<_, _>>()?;
        plan.refusals.clone_from(&plan.guards);
        plan.summary.unchanged = body.unchanged;
        plan.summary.unmanaged = body.unmanaged;
        plan.summary.declared = body.declared;
        Ok(plan)
    }
}

impl From<&Change> for ChangeLine {
    fn from(change: &Change) -> Self {
        let Change {
            pipe,
            file,
            line,
            action,
            send,
            members,
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
            fields: change
                .fields()
                .iter()
                .map(
                    |FieldChange {
                         field,
                         before,
                         after,
                     }| field_line(*field, before, after),
                )
                .collect(),
            send: StateLine {
                title: title.clone(),
                r#type: kind.number(),
                public: *public,
            },
            new: ids(new),
            unverified: ids(unverified),
            recorded: *recorded,
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
            members: Members {
                new: users(line.new),
                unverified: users(line.unverified),
                recorded: line.recorded,
            },
            recreate: line.recreate,
            digest: Digest::from_hex(&line.digest).ok_or(Odd)?,
        })
    }
}

/// Both values of a field. They are always of the field's own type: one function makes them, from one field.
fn field_line(field: Field, before: &FieldValue, after: &FieldValue) -> FieldLine {
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

impl From<FieldLine> for FieldChange {
    fn from(line: FieldLine) -> Self {
        let kind = |number| FieldValue::Kind(RoomKind::from_number(number));
        let (field, before, after) = match line {
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
        };
        Self {
            field,
            before,
            after,
        }
    }
}

impl From<&ByHand> for ByHandLine {
    fn from(
        ByHand {
            pipe,
            id,
            left,
            released,
        }: &ByHand,
    ) -> Self {
        Self {
            pipe: pipe.to_string(),
            room_id: id.0,
            left: ids(left),
            released: ids(released),
        }
    }
}

impl From<ByHandLine> for ByHand {
    fn from(line: ByHandLine) -> Self {
        let (pipe, id) = (Pipe::new(line.pipe), RoomId(line.room_id));
        Self {
            pipe,
            id,
            left: users(line.left),
            released: users(line.released),
        }
    }
}

impl From<&IgnoredField> for IgnoredLine {
    fn from(
        IgnoredField {
            pipe,
            field,
            sent,
            shown,
        }: &IgnoredField,
    ) -> Self {
        Self {
            pipe: pipe.to_string(),
            values: field_line(*field, sent, shown),
        }
    }
}

impl From<IgnoredLine> for IgnoredField {
    fn from(line: IgnoredLine) -> Self {
        let FieldChange {
            field,
            before,
            after,
        } = line.values.into();
        Self {
            pipe: Pipe::new(line.pipe),
            field,
            sent: before,
            shown: after,
        }
    }
}

impl From<&Conflict> for ConflictLine {
    fn from(
        Conflict {
            pipe,
            file,
            line,
            kind,
        }: &Conflict,
    ) -> Self {
        let numbers = |ids: &[RoomId]| ids.iter().map(|id| id.0).collect();
        let (kind, room_ids) = match kind {
            ConflictKind::Several(ids) => (ConflictWord::Several, numbers(ids)),
            ConflictKind::Deleted(ids) => (ConflictWord::Deleted, numbers(ids)),
            ConflictKind::Vanished(id) => (ConflictWord::Vanished, vec![id.0]),
        };
        Self {
            pipe: pipe.to_string(),
            file: file.to_string(),
            line: *line,
            kind,
            room_ids,
        }
    }
}

impl TryFrom<ConflictLine> for Conflict {
    type Error = Odd;

    fn try_from(line: ConflictLine) -> Result<Self, Odd> {
        let ids: Vec<RoomId> = line.room_ids.into_iter().map(RoomId).collect();
        let kind = match line.kind {
            ConflictWord::Several => ConflictKind::Several(ids),
            ConflictWord::Deleted => ConflictKind::Deleted(ids),
            ConflictWord::Vanished => ConflictKind::Vanished(*ids.first().ok_or(Odd)?),
        };
        Ok(Self {
            pipe: Pipe::new(line.pipe),
            file: line.file.into(),
            line: line.line,
            kind,
        })
    }
}

impl From<&Refusal> for GuardLine {
    fn from(guard: &Refusal) -> Self {
        match guard {
            Refusal::Limit {
                kind,
                count,
                allowed,
                share,
                rooms,
            } => {
                let (key, rooms) = (kind.key().to_owned(), names(rooms));
                Self::Limit {
                    key,
                    count: *count,
                    allowed: *allowed,
                    share: *share,
                    rooms,
                }
            }
            Refusal::Recreate { count, rooms } => Self::Recreate {
                count: *count,
                rooms: names(rooms),
            },
            Refusal::MassChange {
                created,
                left,
                known,
            } => Self::MassChange {
                created: *created,
                left: *left,
                known: *known,
            },
        }
    }
}

impl TryFrom<GuardLine> for Refusal {
    type Error = Odd;

    fn try_from(line: GuardLine) -> Result<Self, Odd> {
        Ok(match line {
            GuardLine::Limit {
                key,
                count,
                allowed,
                share,
                rooms,
            } => {
                let kind = LimitKind::ALL
                    .into_iter()
                    .find(|kind| kind.key() == key)
                    .ok_or(Odd)?;
                Self::Limit {
                    kind,
                    count,
                    allowed,
                    share,
                    rooms: pipes(rooms),
                }
            }
            GuardLine::Recreate { count, rooms } => Self::Recreate {
                count,
                rooms: pipes(rooms),
            },
            GuardLine::MassChange {
                created,
                left,
                known,
            } => Self::MassChange {
                created,
                left,
                known,
            },
        })
    }
}
