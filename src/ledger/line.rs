//! One line of the ledger's file: its header or an entry, as JSON.

use serde::{Deserialize, Serialize};

use super::entry::{Fact, Stamp};
use super::word::{FieldWord, StageWord};
use crate::model::{
    Field, FieldValue, Pipe, RoomId, RoomKind, RoomState, Target, UserId, WidgetId,
};

/// The version of the file's format that is written, and the newest that is read.
pub(super) const VERSION: u32 = 1;

/// The key that makes a line a header.
pub(super) const HEADER_KEY: &[u8] = b"roomform_ledger";

/// The first line of a file: whose ledger it is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) roomform_ledger: u32,
    pub(super) origin: String,
    pub(super) widget: u64,
}

impl Header {
    pub(super) fn of(target: &Target) -> Self {
        Self {
            roomform_ledger: VERSION,
            origin: target.origin.clone(),
            widget: target.widget.0,
        }
    }

    pub(super) fn target(&self) -> Target {
        Target {
            origin: self.origin.clone(),
            widget: WidgetId(self.widget),
        }
    }
}

/// One entry as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) run: String,
    pub(super) seq: u64,
    pub(super) time: String,
    #[serde(flatten)]
    pub(super) fact: FactLine,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum FactLine {
    Intent {
        pipe: String,
        members: Vec<u64>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        welcome: bool,
    },
    Confirmed {
        pipe: String,
        room_id: u64,
        members: Vec<u64>,
        title: String,
        r#type: i64,
        public: bool,
        /// Fields that went as they stood there.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        kept: Vec<FieldWord>,
    },
    Adopted {
        pipe: String,
        room_id: u64,
        members: Vec<u64>,
    },
    Released {
        pipe: String,
        room_id: u64,
        members: Vec<u64>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        taken_out: bool,
    },
    Shown {
        pipe: String,
        room_id: u64,
        #[serde(flatten)]
        values: Values,
    },
    Message {
        pipe: String,
        room_id: u64,
        from: u64,
        stage: StageWord,
    },
    Seen {
        pipe: String,
        room_id: u64,
    },
    Declared {
        pipe: String,
        declared: bool,
    },
    Roster {
        source: String,
        given: u64,
    },
    Forgotten {
        pipe: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "field", rename_all = "snake_case")]
pub(super) enum Values {
    Title { sent: String, shown: String },
    Type { sent: i64, shown: i64 },
    Public { sent: bool, shown: bool },
}

fn ids(users: &[UserId]) -> Vec<u64> {
    users.iter().map(|user| user.0).collect()
}

fn users(ids: Vec<u64>) -> Vec<UserId> {
    ids.into_iter().map(UserId).collect()
}

impl Line {
    pub(super) fn new(stamp: Stamp, fact: &Fact) -> Self {
        let Stamp {
            time,
            run,
            sequence: seq,
        } = stamp;
        Self {
            run,
            seq,
            time,
            fact: FactLine::from(fact),
        }
    }

    pub(super) fn into_parts(self) -> (Stamp, Fact) {
        let Self {
            run,
            seq,
            time,
            fact,
        } = self;
        (
            Stamp {
                time,
                run,
                sequence: seq,
            },
            fact.into(),
        )
    }
}

impl From<&Fact> for FactLine {
    fn from(fact: &Fact) -> Self {
        match fact {
            Fact::Intent {
                pipe,
                members,
                welcome,
            } => Self::Intent {
                pipe: pipe.to_string(),
                members: ids(members),
                welcome: *welcome,
            },
            Fact::Confirmed {
                pipe,
                room,
                members,
                sent,
                kept,
            } => Self::Confirmed {
                pipe: pipe.to_string(),
                room_id: room.0,
                members: ids(members),
                title: sent.title.clone(),
                r#type: sent.kind.number(),
                public: sent.public,
                kept: kept.iter().map(FieldWord::from).collect(),
            },
            Fact::Adopted {
                pipe,
                room,
                members,
            } => Self::Adopted {
                pipe: pipe.to_string(),
                room_id: room.0,
                members: ids(members),
            },
            Fact::Released {
                pipe,
                room,
                members,
                taken_out,
            } => Self::Released {
                pipe: pipe.to_string(),
                room_id: room.0,
                members: ids(members),
                taken_out: *taken_out,
            },
            Fact::Shown {
                pipe,
                room,
                field,
                sent,
                shown,
            } => Self::Shown {
                pipe: pipe.to_string(),
                room_id: room.0,
                values: values(*field, sent, shown),
            },
            Fact::Message {
                pipe,
                room,
                from,
                stage,
            } => Self::Message {
                pipe: pipe.to_string(),
                room_id: room.0,
                from: from.0,
                stage: (*stage).into(),
            },
            Fact::Seen { pipe, room } => Self::Seen {
                pipe: pipe.to_string(),
                room_id: room.0,
            },
            Fact::Declared { pipe, declared } => Self::Declared {
                pipe: pipe.to_string(),
                declared: *declared,
            },
            Fact::Roster { source, given } => Self::Roster {
                source: source.clone(),
                given: *given,
            },
            Fact::Forgotten { pipe } => Self::Forgotten {
                pipe: pipe.to_string(),
            },
        }
    }
}

impl From<FactLine> for Fact {
    fn from(line: FactLine) -> Self {
        match line {
            FactLine::Intent {
                pipe,
                members,
                welcome,
            } => Self::Intent {
                pipe: Pipe::new(pipe),
                members: users(members),
                welcome,
            },
            FactLine::Confirmed {
                pipe,
                room_id,
                members,
                title,
                r#type,
                public,
                kept,
            } => Self::Confirmed {
                pipe: Pipe::new(pipe),
                room: RoomId(room_id),
                members: users(members),
                sent: RoomState {
                    title,
                    kind: RoomKind::from_number(r#type),
                    public,
                },
                kept: kept.into_iter().map(Field::from).collect(),
            },
            FactLine::Adopted {
                pipe,
                room_id,
                members,
            } => Self::Adopted {
                pipe: Pipe::new(pipe),
                room: RoomId(room_id),
                members: users(members),
            },
            FactLine::Released {
                pipe,
                room_id,
                members,
                taken_out,
            } => Self::Released {
                pipe: Pipe::new(pipe),
                room: RoomId(room_id),
                members: users(members),
                taken_out,
            },
            FactLine::Shown {
                pipe,
                room_id,
                values,
            } => {
                let (field, sent, shown) = match values {
                    Values::Title { sent, shown } => (
                        Field::Title,
                        FieldValue::Title(sent),
                        FieldValue::Title(shown),
                    ),
                    Values::Type { sent, shown } => {
                        let kind = |number| FieldValue::Kind(RoomKind::from_number(number));
                        (Field::Kind, kind(sent), kind(shown))
                    }
                    Values::Public { sent, shown } => (
                        Field::Public,
                        FieldValue::Public(sent),
                        FieldValue::Public(shown),
                    ),
                };
                Self::Shown {
                    pipe: Pipe::new(pipe),
                    room: RoomId(room_id),
                    field,
                    sent,
                    shown,
                }
            }
            FactLine::Message {
                pipe,
                room_id,
                from,
                stage,
            } => Self::Message {
                pipe: Pipe::new(pipe),
                room: RoomId(room_id),
                from: UserId(from),
                stage: stage.into(),
            },
            FactLine::Seen { pipe, room_id } => Self::Seen {
                pipe: Pipe::new(pipe),
                room: RoomId(room_id),
            },
            FactLine::Declared { pipe, declared } => Self::Declared {
                pipe: Pipe::new(pipe),
                declared,
            },
            FactLine::Roster { source, given } => Self::Roster { source, given },
            FactLine::Forgotten { pipe } => Self::Forgotten {
                pipe: Pipe::new(pipe),
            },
        }
    }
}

/// Both values in JSON. They are always of the field's own type: one function makes them, from one field.
fn values(field: Field, sent: &FieldValue, shown: &FieldValue) -> Values {
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
    match field {
        Field::Title => Values::Title {
            sent: title(sent),
            shown: title(shown),
        },
        Field::Kind => Values::Type {
            sent: number(sent),
            shown: number(shown),
        },
        Field::Public => Values::Public {
            sent: *sent == FieldValue::Public(true),
            shown: *shown == FieldValue::Public(true),
        },
    }
}
