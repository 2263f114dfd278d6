//! The JSON form of the change to one room.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{FieldValue, Pipe, RoomId, RoomKind, RoomState, UserId, Welcome};
use crate::plan::{
    Change, ChangedBy, Digest, FieldChange, Members, Publish, PublishPermit, SavedChange,
};

define_documents! {
    #[derive(Deserialize)]
    pub(super) struct ChangeDocument(
        change @ Change {
            pipe, file, line, room_id, fields, send, kept: _, members, welcome, recreate, publish,
            replaces: _, updated_at: _, uncertain_since, digest,
        }: &Change
    ) {
        pipe: String = pipe.to_string(),
        file: String = file.to_string(),
        /// The line number, counted from 1.
        line: u32 = *line,
        /// `create`, `update`, `add_members` or `welcome`.
        action: Cow<'static, str> = name_action(change).into(),
        /// The id of the live room; absent for a new room.
        room_id: Option<u64> =? room_id.map(|id| id.0),
        /// Whether the change makes a room public.
        dangerous: bool = change.publishes() || change.creates_public(),
        /// Whether the change recreates a room that was deleted or is missing.
        recreate: bool = *recreate,
        /// Details if a closed room becomes public; otherwise absent.
        publish: Option<PublishDocument> =? publish.as_ref().map(PublishDocument::new),
        /// When (UTC) a run was about to create the room. The run recorded no result, so it is
        /// uncertain whether the room was created.
        uncertain_since: Option<String> =? uncertain_since.map(|since| since.to_string()),
        /// The fields that the change sets to another value.
        fields: Vec<FieldDocument> = fields.iter().map(FieldDocument::new).collect(),
        /// The values to send.
        send: StateDocument = StateDocument::new(send),
        members: MembersDocument = MembersDocument::new(members),
        /// The message to send after the members are added.
        welcome: Option<WelcomeDocument> =? welcome.as_ref().map(WelcomeDocument::new),
        /// A digest of the room in the list. `apply` skips the room if it changed after the plan
        /// was saved.
        live_digest: Option<String> =? Some(digest.to_string()),
    }

    #[derive(Deserialize)]
    struct FieldDocument(change: &FieldChange) {
        /// `title`, `type` or `public`.
        field: Cow<'static, str> = change.field.name().into(),
        before: ValueDocument = value(&change.before),
        after: ValueDocument = value(&change.after),
        /// Where the field was changed since the last recorded write, as far as the ledger
        /// shows: `outside` (not by a run in this ledger), `manifest`, or both.
        changed: Vec<Cow<'static, str>> = name_changers(change.changed),
    }

    #[derive(Deserialize)]
    struct StateDocument(state: &RoomState) {
        title: String = state.title.clone(),
        r#type: String = state.kind.to_string(),
        public: bool = state.public,
    }

    #[derive(Deserialize)]
    struct PublishDocument(Publish { inside, to_remove, permit }: &Publish) {
        /// The number of members on record who may be in the room; absent if the ledger has no
        /// record of it.
        known_members_inside: Option<usize> =? *inside,
        /// The number of known members in the room who are to be removed; absent if there are
        /// none.
        known_members_to_remove: Option<usize> =? (*to_remove > 0).then_some(*to_remove),
        /// What allows the change: `limits.publish` or `--allow-publish`. Absent if nothing does.
        allowed_by: Option<Cow<'static, str>> =? permit.as_ref().map(|permit| match permit {
            PublishPermit::Flag => "--allow-publish".into(),
            PublishPermit::Limit { .. } => "limits.publish".into(),
        }),
        /// The pipe or glob in `limits.publish` that allows the change.
        entry: Option<String> =? match permit {
            Some(PublishPermit::Limit { entry, .. }) => Some(entry.clone()),
            _ => None,
        },
        /// In a manifest diff, whether only the second manifest allows the change.
        added: Option<bool> =? match permit {
            Some(PublishPermit::Limit { is_added: true, .. }) => Some(true),
            _ => None,
        },
    }

    #[derive(Deserialize)]
    struct MembersDocument(members: &Members) {
        /// The members to add who are not on record.
        new: Vec<u64> = users(&members.new),
        /// The members to send again, because the ledger has no record of the room.
        unknown: Vec<u64> = users(&members.unknown),
        /// The number of members on record: confirmed by the server, or adopted.
        known: usize = members.known,
        /// How many of the known members were adopted and never confirmed by the server.
        #[serde(default)]
        adopted: usize = members.adopted,
    }

    #[derive(Deserialize)]
    pub(super) struct WelcomeDocument(welcome: &Welcome) {
        /// The id of the user who sends the message.
        from: u64 = welcome.from.0,
        text: String = welcome.text.clone(),
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum ValueDocument {
    Text(String),
    Bool(bool),
}

fn name_action(change: &Change) -> &'static str {
    match change {
        _ if change.is_create() => "create",
        _ if change.is_welcome_only() => "welcome",
        _ if change.fields.is_empty() => "add_members",
        _ => "update",
    }
}

fn name_changers(ChangedBy { outside, manifest }: ChangedBy) -> Vec<Cow<'static, str>> {
    let names = [outside.then_some("outside"), manifest.then_some("manifest")];
    names.into_iter().flatten().map(Cow::from).collect()
}

impl ChangeDocument {
    /// Removes the room id and the digest, because a manifest diff has no live rooms.
    pub(super) fn without_id(self) -> Self {
        Self {
            room_id: None,
            live_digest: None,
            ..self
        }
    }

    /// Converts the document to what a saved plan approves for the room.
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
