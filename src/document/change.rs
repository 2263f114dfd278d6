//! A room's change as a document.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{FieldValue, Pipe, RoomId, RoomKind, RoomState, UserId, Welcome};
use crate::plan::{Change, ChangedBy, Digest, FieldChange, Publish, PublishPermit, SavedChange};

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct ChangeDocument {
    pipe: String,
    file: String,
    /// From 1.
    line: u32,
    /// `create`, `update`, `add_members` or `welcome`.
    action: Cow<'static, str>,
    /// The live room's id; absent for a new room.
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<u64>,
    /// Whether the change makes a room public.
    dangerous: bool,
    /// Whether a deleted or vanished room is recreated.
    recreate: bool,
    /// Present if a closed room becomes public.
    #[serde(skip_serializing_if = "Option::is_none")]
    publish: Option<PublishDocument>,
    /// Since when the create is uncertain: a run sent it, or was about to, and did not record the result. In UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    uncertain_since: Option<String>,
    /// The fields that change.
    fields: Vec<FieldDocument>,
    /// The state that is sent.
    send: StateDocument,
    members: MembersDocument,
    /// The message sent after the members are added.
    #[serde(skip_serializing_if = "Option::is_none")]
    welcome: Option<WelcomeDocument>,
    /// A digest of the listed room. `apply` skips the room if it has changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    live_digest: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct FieldDocument {
    /// `title`, `type` or `public`.
    field: Cow<'static, str>,
    before: ValueDocument,
    after: ValueDocument,
    /// Who changed it since the last recorded write, as far as the ledger shows: `outside` (someone else), `manifest`.
    changed: Vec<Cow<'static, str>>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum ValueDocument {
    Text(String),
    Bool(bool),
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct StateDocument {
    title: String,
    r#type: String,
    public: bool,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct PublishDocument {
    /// The number of members on record who may be in the room; absent if the room has no record.
    #[serde(skip_serializing_if = "Option::is_none")]
    known_members_inside: Option<usize>,
    /// `limits.publish`, `--allow-publish`, or absent if nothing allows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_by: Option<Cow<'static, str>>,
    /// The pipe or glob in `limits.publish` that allows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
    /// In a manifest diff: whether only the second manifest allows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    added: Option<bool>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct MembersDocument {
    /// Members to add: the record does not have them.
    new: Vec<u64>,
    /// Members of a room without a record. They are sent again.
    unknown: Vec<u64>,
    /// The number of members on record: confirmed by the server, or adopted.
    known: usize,
    /// How many of these were adopted and never confirmed.
    #[serde(default)]
    adopted: usize,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct WelcomeDocument {
    /// The id of the sending user.
    from: u64,
    text: String,
}

impl ChangeDocument {
    pub(super) fn new(change: &Change) -> Self {
        let Change {
            pipe,
            file,
            line,
            room_id,
            fields,
            send,
            kept: _,
            members,
            welcome,
            recreate,
            publish,
            replaces: _,
            updated_at: _,
            uncertain_since,
            digest,
        } = change;
        let action = match change {
            _ if change.is_create() => "create",
            _ if change.is_welcome_only() => "welcome",
            _ if fields.is_empty() => "add_members",
            _ => "update",
        };
        Self {
            pipe: pipe.to_string(),
            file: file.to_string(),
            line: *line,
            action: action.into(),
            room_id: room_id.map(|id| id.0),
            dangerous: change.publishes() || change.creates_public(),
            fields: fields.iter().map(field).collect(),
            recreate: *recreate,
            publish: publish.as_ref().map(self::publish),
            uncertain_since: uncertain_since.map(|since| since.to_string()),
            send: StateDocument {
                title: send.title.clone(),
                r#type: send.kind.to_string(),
                public: send.public,
            },
            members: MembersDocument {
                new: users(&members.new),
                unknown: users(&members.unknown),
                known: members.known,
                adopted: members.adopted,
            },
            welcome: welcome.as_ref().map(self::welcome),
            live_digest: Some(digest.to_string()),
        }
    }

    /// The same change without an id, for a manifest diff, whose ids are made up.
    pub(super) fn without_id(self) -> Self {
        Self {
            room_id: None,
            live_digest: None,
            ..self
        }
    }

    /// What a saved plan approves for the room.
    pub(super) fn read(self) -> Result<SavedChange, String> {
        let digest = self.live_digest.ok_or("missing field `live_digest`")?;
        let MembersDocument { new, unknown, .. } = self.members;
        Ok(SavedChange {
            pipe: Pipe::new(self.pipe),
            id: self.room_id.map(RoomId),
            recreate: self.recreate,
            digest: Digest::from_hex(&digest)
                .ok_or_else(|| format!("`{digest}` is not a digest"))?,
            send: RoomState {
                title: self.send.title,
                kind: kind(&self.send.r#type)?,
                public: self.send.public,
            },
            members: new.into_iter().chain(unknown).map(UserId).collect(),
            welcome: self.welcome.map(|WelcomeDocument { from, text }| Welcome {
                from: UserId(from),
                text,
            }),
        })
    }
}

fn kind(word: &str) -> Result<RoomKind, String> {
    let mut named = [RoomKind::Dialog, RoomKind::Conference, RoomKind::Support].into_iter();
    let number = || word.strip_prefix("type ")?.parse().ok();
    named
        .find(|kind| kind.to_string() == word)
        .or_else(|| number().map(RoomKind::from_number))
        .ok_or_else(|| format!("`{word}` is not a room type"))
}

fn publish(publish: &Publish) -> PublishDocument {
    let (allowed_by, entry, added) = match &publish.permit {
        None => (None, None, None),
        Some(PublishPermit::Flag) => (Some("--allow-publish"), None, None),
        Some(PublishPermit::Limit { entry, is_added }) => {
            let added = is_added.then_some(true);
            (Some("limits.publish"), Some(entry.clone()), added)
        }
    };
    PublishDocument {
        known_members_inside: publish.inside,
        allowed_by: allowed_by.map(Cow::from),
        entry,
        added,
    }
}

pub(super) fn welcome(welcome: &Welcome) -> WelcomeDocument {
    WelcomeDocument {
        from: welcome.from.0,
        text: welcome.text.clone(),
    }
}

fn field(change: &FieldChange) -> FieldDocument {
    let ChangedBy { outside, manifest } = change.changed;
    let changed = [outside.then_some("outside"), manifest.then_some("manifest")];
    FieldDocument {
        field: change.field.name().into(),
        before: value(&change.before),
        after: value(&change.after),
        changed: changed.into_iter().flatten().map(Cow::from).collect(),
    }
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
