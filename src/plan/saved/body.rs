//! A plan -> the lines of its file, and back.

use super::change::{field_line, field_values};
use super::lines::{
    Body, ByHandLine, ChangeLine, ConflictLine, ConflictWord, GuardLine, IgnoredLine, Odd,
    StandingLine,
};
use crate::model::{Pipe, RoomId, Target, UserId, WidgetId};
use crate::plan::change::Plan;
use crate::plan::limits::LimitKind;
use crate::plan::remarks::{ByHand, Conflict, ConflictKind, IgnoredField, Refusal};
use crate::plan::standing::Standing;

pub(super) fn ids(users: &[UserId]) -> Vec<u64> {
    users.iter().map(|user| user.0).collect()
}

pub(super) fn users(ids: Vec<u64>) -> Vec<UserId> {
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
            standing,
            guards,
            refusals: _,
            summary,
            compared: _,
        } = plan;
        Self {
            ledger: None,
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
            standing: standing.into(),
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
        plan.standing = body.standing.into();
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

impl From<&Standing> for StandingLine {
    fn from(Standing { left, back, given }: &Standing) -> Self {
        let given = given.iter();
        Self {
            left: names(left),
            back: names(back),
            given: given
                .map(|(source, given)| (source.to_string(), *given))
                .collect(),
        }
    }
}

impl From<StandingLine> for Standing {
    fn from(line: StandingLine) -> Self {
        let given = line.given.into_iter();
        Self {
            left: pipes(line.left),
            back: pipes(line.back),
            given: given
                .map(|(source, given)| (source.into(), given))
                .collect(),
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
        let (field, sent, shown) = field_values(line.values);
        Self {
            pipe: Pipe::new(line.pipe),
            field,
            sent,
            shown,
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
            Refusal::Shrunk {
                source,
                now,
                before,
            } => Self::Shrunk {
                source: source.to_string(),
                now: *now,
                before: *before,
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
            GuardLine::Shrunk {
                source,
                now,
                before,
            } => Self::Shrunk {
                source: source.into(),
                now,
                before,
            },
        })
    }
}
