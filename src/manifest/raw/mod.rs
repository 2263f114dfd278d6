//! The manifest as it is written: names not yet looked up, defaults not yet applied. The JSON Schema comes from here.
//!
//! Main type: [`RawManifest`], one file of a manifest. Doc comments of the fields are what an editor shows on hover.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

mod bulk;

pub use bulk::{By, RawDirectory, RawEnrol, RawGenerate, RawRoster};

use crate::model::{Field, FileId, Limit, Member, MembersPolicy, RoomKind};
use crate::tables::diagnostic::At;
pub use crate::tables::input::{RawFile, RawFilter, RawOn, RawVia};
pub use crate::tables::source::Spanned;

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

/// A mapping from names to values, in the order of the file.
#[derive(Debug, Clone)]
pub struct Names<T>(pub Vec<(Spanned<String>, T)>);

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: JsonSchema> JsonSchema for Names<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("NamesOf{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({"type": "object", "additionalProperties": value, "propertyNames": {"minLength": 1, "pattern": "^[^@]"}})
    }
}

/// The rooms a team wants an ImbaChat widget to have.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(title = "roomform manifest", deny_unknown_fields)]
pub struct RawManifest {
    /// The version of the manifest language: 1.
    pub version: Version,
    /// The widget (`imba_id`) this manifest is for; a run against another widget is refused.
    pub widget: Option<Spanned<PositiveId>>,
    /// Globs of the live rooms that are yours; only used to count the unmanaged ones.
    pub scope: Option<Spanned<Vec<Spanned<String>>>>,
    /// What a room of this file is unless it says otherwise.
    pub defaults: Option<RawDefaults>,
    /// Names for the user ids of your site, or a file of them.
    #[schemars(default, with = "RawPeople")]
    pub people: Names<Spanned<PositiveId>>,
    /// The same out of a file.
    #[schemars(skip)]
    pub directory: Option<RawDirectory>,
    /// Named lists of members; a group may contain `@other-groups`.
    #[schemars(default)]
    pub groups: Names<Vec<Spanned<RawMember>>>,
    /// The rooms.
    #[schemars(default)]
    pub rooms: Vec<RawRoom>,
    /// Rooms in bulk: one for each row of a file.
    #[schemars(default)]
    pub generate: Vec<RawGenerate>,
    /// Guards: a plan over one of them is refused.
    pub limits: Option<RawLimits>,
}

/// The version of the language; only 1 exists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Version;

impl JsonSchema for Version {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"const": 1})
    }
}

/// A number above zero, as ids are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositiveId(pub u64);

impl PositiveId {
    /// Stands for an id that is written wrongly; the mistake is noted.
    pub const STAND_IN: Self = Self(0);
}

impl JsonSchema for PositiveId {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "PositiveId".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 1, "maximum": i64::MAX})
    }
}

/// What a room is unless it says otherwise.
#[derive(Debug, Clone, Copy, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RawDefaults {
    /// The file these hold for.
    #[schemars(skip)]
    pub file: Option<FileId>,
    /// dialog, conference or support; conference if absent.
    #[schemars(rename = "type", with = "Option<RawKind>")]
    pub kind: Option<RoomKind>,
    /// Whether anyone may enter; false if absent.
    pub public: Option<bool>,
    /// When members are sent; ensure if absent.
    #[schemars(with = "Option<RawPolicy>")]
    pub members_policy: Option<MembersPolicy>,
}

/// One room as written.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RawRoom {
    /// Where the room starts.
    #[schemars(skip)]
    pub at: At,
    /// Whether pipe or title are only stand-ins: the mistake is noted, and the rest of the room is still looked at.
    #[schemars(skip)]
    pub broken: bool,
    /// The room's identity; never changes.
    #[schemars(with = "PipeText")]
    pub pipe: Spanned<String>,
    /// What people see.
    #[schemars(with = "TitleText")]
    pub title: Spanned<String>,
    /// dialog, conference or support (0, 1 and 3 are taken too).
    #[schemars(rename = "type", with = "Option<RawKind>")]
    pub kind: Option<RoomKind>,
    /// Whether anyone may enter.
    pub public: Option<bool>,
    /// User ids, names from `people`, and `@groups`.
    #[schemars(default)]
    pub members: Vec<Spanned<RawMember>>,
    /// Ids, names and groups never to be added, whatever a group says.
    #[schemars(default)]
    pub exclude: Vec<Spanned<RawMember>>,
    /// ensure: send who is missing from the record; on_create: only when the room is created.
    #[schemars(with = "Option<RawPolicy>")]
    pub members_policy: Option<MembersPolicy>,
    /// Fields set on creation and never updated.
    #[schemars(default, with = "Vec<RawField>")]
    pub ignore: Vec<Spanned<Field>>,
    /// What is said in the room, once, after it was created and its members are in; never in one that was there before.
    pub welcome: Option<Box<RawWelcome>>,
}

/// A message for the members of a new room.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(rename = "Welcome", deny_unknown_fields)]
pub struct RawWelcome {
    /// Who says it: a user id, or a name from `people`.
    #[schemars(with = "RawSender")]
    pub from: Spanned<RawMember>,
    /// What is said: a template over the room's own pipe, title, type, public and (number of) members.
    #[schemars(with = "SaidText")]
    pub text: Spanned<String>,
    /// The cells of the room's row that the text names.
    #[schemars(skip)]
    pub cells: BTreeMap<String, String>,
}

/// A member as written: an id, a name, a group, or a file of users.
#[derive(Debug, Clone)]
pub enum RawMember {
    /// A user id.
    Id(u64),
    /// User ids that stand one after another, each with its own place: most lists are nothing else, and there are millions.
    Ids(Box<[Member]>),
    /// A name from `people`.
    Person(String),
    /// `@group`, without the sign.
    Group(String),
    /// A roster.
    Roster(Box<RawRoster>),
}

impl JsonSchema for RawMember {
    fn schema_name() -> Cow<'static, str> {
        "Member".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let roster = generator.subschema_for::<RawRoster>();
        json_schema!({
            "description": "A user id, a name from `people`, \"@group\", or a roster.",
            "anyOf": [{"type": "integer", "minimum": 1, "maximum": i64::MAX}, {"type": "string", "minLength": 1}, roster]
        })
    }
}

/// Guards; each is a number or a percentage.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RawLimits {
    /// Where the block starts.
    #[schemars(skip)]
    pub at: Option<At>,
    /// Rooms created; a percentage is of the declared rooms.
    #[schemars(with = "Option<RawLimit>")]
    pub create: Option<Limit>,
    /// Rooms whose title, type or publicity changes; a percentage is of the declared rooms.
    #[schemars(with = "Option<RawLimit>")]
    pub update: Option<Limit>,
    /// Members sent; a percentage is of the declared memberships.
    #[schemars(with = "Option<RawLimit>")]
    pub add_members: Option<Limit>,
    /// Messages sent; a percentage is of the declared rooms.
    #[schemars(with = "Option<RawLimit>")]
    pub messages: Option<Limit>,
    /// Closed rooms that become public; 0 if absent.
    #[schemars(with = "Option<RawLimit>")]
    pub publish: Option<Limit>,
}

/// Only a schema: names and ids, or a file of them.
pub struct RawPeople;

impl JsonSchema for RawPeople {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "People".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let names = Names::<Spanned<PositiveId>>::json_schema(generator);
        let directory = bulk::whole_directory(generator);
        json_schema!({"anyOf": [names, directory]})
    }
}

macro_rules! schema_only {
    ($($name:ident $schema:tt),+ $(,)?) => {$(
        /// Only a schema: the decoder has its own, kinder words for what is wrong.
        pub struct $name;
        impl JsonSchema for $name {
            fn inline_schema() -> bool { true }
            fn schema_name() -> Cow<'static, str> { stringify!($name).into() }
            fn json_schema(_: &mut SchemaGenerator) -> Schema { json_schema!($schema) }
        }
    )+};
}

schema_only! {
    RawKind {"enum": ["dialog", "conference", "support", 0, 1, 3]},
    RawPolicy {"enum": ["ensure", "on_create"]},
    RawField {"enum": ["title", "type", "public"]},
    RawSender {"anyOf": [{"type": "integer", "minimum": 1, "maximum": i64::MAX}, {"type": "string", "minLength": 1, "pattern": "^[^@]"}]},
    SaidText {"type": "string", "minLength": 1},
    RawLimit {"anyOf": [
        {"type": "integer", "minimum": 0, "maximum": i64::MAX},
        {"type": "string", "pattern": "^[0-9]{1,9}([.][0-9]{1,2})?%$"}
    ]},
    PipeText {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^\\s\\p{Cc}]([^\\p{Cc}]*[^\\s\\p{Cc}])?$"},
    TitleText {"type": "string", "minLength": 1, "maxLength": 4096, "pattern": "^[^\\p{Cc}]*[^\\s\\p{Cc}][^\\p{Cc}]*$"},
}

/// The JSON Schema of a manifest, as committed in `schema/manifest.schema.json`.
pub fn schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft07();
    settings
        .into_generator()
        .into_root_schema_for::<RawManifest>()
        .to_value()
}
