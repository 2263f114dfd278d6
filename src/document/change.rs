//! One room's change as a document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{FieldValue, RoomKind, RoomState, UserId, Welcome};
use crate::plan::{Action, Change, ChangedBy, FieldChange, Members};

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ChangeDocument {
    pipe: String,
    file: String,
    /// From 1.
    line: u32,
    /// `create`, `update`, `add_members` or `welcome`.
    action: &'static str,
    /// The live room's id; absent for a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<u64>,
    /// Whether it opens a room to everyone.
    dangerous: bool,
    /// Whether the room is made anew although it was deleted or has vanished.
    recreate: bool,
    /// The fields that change.
    fields: Vec<FieldDocument>,
    /// What is sent.
    send: StateDocument,
    members: MembersDocument,
    /// The message sent once the members are in.
    #[serde(skip_serializing_if = "Option::is_none")]
    welcome: Option<WelcomeDocument>,
    /// A fingerprint of what the list showed of the room; `apply` refuses the room if it has changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    live_digest: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct FieldDocument {
    /// `title`, `type` or `public`.
    field: &'static str,
    before: ValueDocument,
    after: ValueDocument,
    /// Who changed it since the last write on record, as far as the ledger tells: `outside` (somebody else), `manifest`.
    changed: Vec<&'static str>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum ValueDocument {
    Text(String),
    Bool(bool),
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct StateDocument {
    title: String,
    r#type: String,
    public: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MembersDocument {
    /// Not on record.
    new: Vec<u64>,
    /// Nothing is on record of the room: sent again.
    unverified: Vec<u64>,
    /// How many are on record as added.
    recorded: usize,
}

impl ChangeDocument {
    /// The same of a room nobody has seen, whose id is made up.
    pub(super) fn without_id(self) -> Self {
        Self {
            room_id: None,
            live_digest: None,
            ..self
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct WelcomeDocument {
    /// The user who says it.
    from: u64,
    text: String,
}

pub(super) fn change(change: &Change) -> ChangeDocument {
    let Change {
        pipe,
        file,
        line,
        action,
        send,
        kept: _,
        members,
        welcome: said,
        recreate,
        digest,
    } = change;
    let Members {
        new,
        unverified,
        recorded,
    } = members;
    let (verb, room_id) = match action {
        Action::Create => ("create", None),
        Action::Update { id, .. } if change.is_welcome_only() => ("welcome", Some(id.0)),
        Action::Update { id, fields } if fields.is_empty() => ("add_members", Some(id.0)),
        Action::Update { id, .. } => ("update", Some(id.0)),
    };
    ChangeDocument {
        pipe: pipe.to_string(),
        file: file.to_string(),
        line: *line,
        action: verb,
        room_id,
        dangerous: change.publishes() || change.creates_public(),
        fields: change.fields().iter().map(field).collect(),
        recreate: *recreate,
        send: state(send),
        members: MembersDocument {
            new: users(new),
            unverified: users(unverified),
            recorded: *recorded,
        },
        welcome: said.as_ref().map(welcome),
        live_digest: Some(digest.to_string()),
    }
}

pub(super) fn welcome(Welcome { from, text }: &Welcome) -> WelcomeDocument {
    WelcomeDocument {
        from: from.0,
        text: text.clone(),
    }
}

fn field(change: &FieldChange) -> FieldDocument {
    let FieldChange {
        field,
        before,
        after,
        changed: ChangedBy { outside, manifest },
    } = change;
    let who = [(*outside, "outside"), (*manifest, "manifest")];
    FieldDocument {
        field: field.name(),
        before: value(before),
        after: value(after),
        changed: who
            .into_iter()
            .filter(|(changed, _)| *changed)
            .map(|(_, who)| who)
            .collect(),
    }
}

fn state(state: &RoomState) -> StateDocument {
    let RoomState {
        title,
        kind,
        public,
    } = state;
    StateDocument {
        title: title.clone(),
        r#type: kind.to_string(),
        public: *public,
    }
}

/// The state of a room in a saved plan.
pub(super) fn read_state(document: StateDocument) -> Result<RoomState, String> {
    Ok(RoomState {
        title: document.title,
        kind: kind(&document.r#type)?,
        public: document.public,
    })
}

fn kind(word: &str) -> Result<RoomKind, String> {
    let named = [RoomKind::Dialog, RoomKind::Conference, RoomKind::Support]
        .into_iter()
        .find(|kind| kind.to_string() == word);
    let number = || word.strip_prefix("type ")?.parse().ok();
    named
        .or_else(|| number().map(RoomKind::from_number))
        .ok_or_else(|| format!("`{word}` is not a room type"))
}

pub(super) fn value(value: &FieldValue) -> ValueDocument {
    match value {
        FieldValue::Text(text) => ValueDocument::Text(text.clone()),
        FieldValue::Kind(kind) => ValueDocument::Text(kind.to_string()),
        FieldValue::Public(public) => ValueDocument::Bool(*public),
    }
}

pub(super) fn users(users: &[UserId]) -> Vec<u64> {
    users.iter().map(|user| user.0).collect()
}
