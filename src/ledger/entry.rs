//! One line of the ledger: an immutable fact with a unique id, and its JSON form.

use serde::{Deserialize, Serialize};

use crate::model::{
    Field, FieldValue, Pipe, RoomId, RoomKind, RoomState, Target, UserId, WidgetId,
};

/// The version of the file's format that is written, and the newest that is read.
pub(super) const VERSION: u32 = 1;

/// Something worth remembering. Facts are only ever added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A create is about to be sent; these members are owed to the room whatever becomes of the answer.
    Intent {
        /// The room to be.
        pipe: Pipe,
        /// Members owed.
        members: Vec<UserId>,
    },
    /// The server said yes to a write.
    Confirmed {
        /// The room.
        pipe: Pipe,
        /// Its id.
        room: RoomId,
        /// Members of this call.
        members: Vec<UserId>,
        /// What was sent with it.
        sent: RoomState,
    },
    /// Members left the manifest; from here on they are a matter for people. If they come back they are sent again.
    Released {
        /// The room.
        pipe: Pipe,
        /// Its id.
        room: RoomId,
        /// Who left.
        members: Vec<UserId>,
    },
    /// After a write the list shows another value than was sent.
    Shown {
        /// The room.
        pipe: Pipe,
        /// Its id.
        room: RoomId,
        /// The field.
        field: Field,
        /// What was sent, normalised.
        sent: FieldValue,
        /// What the list shows, normalised.
        shown: FieldValue,
    },
    /// Somebody had all entries of a pipe forgotten.
    Forgotten {
        /// The room.
        pipe: Pipe,
    },
}

impl Fact {
    /// The room it is about.
    pub fn pipe(&self) -> &Pipe {
        match self {
            Self::Intent { pipe, .. }
            | Self::Confirmed { pipe, .. }
            | Self::Released { pipe, .. }
            | Self::Shown { pipe, .. }
            | Self::Forgotten { pipe } => pipe,
        }
    }
}

/// The order of entries, and their identity: two files merge by union of stamps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// UTC, RFC 3339 with milliseconds, so that text order is time order.
    pub time: String,
    /// The run that wrote it.
    pub run: String,
    /// Its number in that run, from 1.
    pub sequence: u64,
}

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
    run: String,
    seq: u64,
    time: String,
    #[serde(flatten)]
    fact: FactLine,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum FactLine {
    Intent {
        pipe: String,
        members: Vec<u64>,
    },
    Confirmed {
        pipe: String,
        room_id: u64,
        members: Vec<u64>,
        title: String,
        r#type: i64,
        public: bool,
    },
    Released {
        pipe: String,
        room_id: u64,
        members: Vec<u64>,
    },
    Shown {
        pipe: String,
        room_id: u64,
        #[serde(flatten)]
        values: Values,
    },
    Forgotten {
        pipe: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "field", rename_all = "snake_case")]
enum Values {
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
            Fact::Intent { pipe, members } => Self::Intent {
                pipe: pipe.to_string(),
                members: ids(members),
            },
            Fact::Confirmed {
                pipe,
                room,
                members,
                sent,
            } => Self::Confirmed {
                pipe: pipe.to_string(),
                room_id: room.0,
                members: ids(members),
                title: sent.title.clone(),
                r#type: sent.kind.number(),
                public: sent.public,
            },
            Fact::Released {
                pipe,
                room,
                members,
            } => Self::Released {
                pipe: pipe.to_string(),
                room_id: room.0,
                members: ids(members),
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
            Fact::Forgotten { pipe } => Self::Forgotten {
                pipe: pipe.to_string(),
            },
        }
    }
}

impl From<FactLine> for Fact {
    fn from(line: FactLine) -> Self {
        match line {
            FactLine::Intent { pipe, members } => Self::Intent {
                pipe: Pipe::new(pipe),
                members: users(members),
            },
            FactLine::Confirmed {
                pipe,
                room_id,
                members,
                title,
                r#type,
                public,
            } => Self::Confirmed {
                pipe: Pipe::new(pipe),
                room: RoomId(room_id),
                members: users(members),
                sent: RoomState {
                    title,
                    kind: RoomKind::from_number(r#type),
                    public,
                },
            },
            FactLine::Released {
                pipe,
                room_id,
                members,
            } => Self::Released {
                pipe: Pipe::new(pipe),
                room: RoomId(room_id),
                members: users(members),
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
