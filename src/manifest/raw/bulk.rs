//! What a manifest says of the files beside it: rosters, directories of people, rooms made in bulk.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::super::presets::names as preset_names;
use super::{RawFile, RawFilter, RawOn, RawRoom, RawVia, Spanned};
use crate::tables::diagnostic::At;

/// How the cells of a user column are to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// As ids of the site.
    Id,
    /// As names from `people`.
    Name,
}

/// A file of users: a roster.
#[derive(Debug, Clone)]
pub struct RawRoster {
    /// The file.
    pub file: RawFile,
    /// The columns with users; none written means `user`, or the only column.
    pub user: Vec<Spanned<String>>,
    /// Ids or names; if absent, a number is an id and anything else a name.
    pub by: Option<By>,
    /// Which rows count.
    pub filter: Vec<RawFilter>,
    /// Names that hold for this roster only.
    pub people: Option<Box<RawDirectory>>,
    /// The file of users of a preset, where `people` is the manifest's own: it still says which users are active.
    pub preset_users: Option<Box<RawDirectory>>,
}

/// A file of people: names and the ids of the site.
#[derive(Debug, Clone)]
pub struct RawDirectory {
    /// The file.
    pub file: RawFile,
    /// The columns that name a person; each is enough.
    pub name: Vec<Spanned<String>>,
    /// The column with the id.
    pub id: Spanned<String>,
    /// Who counts. The others are known, and left out wherever they are named.
    pub filter: Vec<RawFilter>,
}

/// A roster joined to the rows that rooms are made of.
#[derive(Debug, Clone)]
pub struct RawEnrol {
    /// The roster.
    pub roster: RawRoster,
    /// The roster's columns, and those of the rooms' rows.
    pub on: RawOn,
    /// Where empty cells of `on` are looked up.
    pub via: Option<RawVia>,
}

/// Rooms in bulk: one for each row of a file.
#[derive(Debug, Clone)]
pub struct RawGenerate {
    /// Where it starts.
    pub at: At,
    /// The rows.
    pub each: RawFile,
    /// Only the first row of each value of this column.
    pub distinct: Option<Spanned<String>>,
    /// Which rows count.
    pub filter: Vec<RawFilter>,
    /// The room; its texts are templates.
    pub room: RawRoom,
    /// Rosters joined to it.
    pub enrol: Vec<RawEnrol>,
}

/// The properties of a file with rows.
fn file_properties() -> serde_json::Value {
    serde_json::json!({
        "delimiter": {"description": "The character between cells: \",\", \";\", \"|\" or \"tab\"; found out if absent.", "enum": [",", ";", "|", "tab", "\t"]},
        "encoding": text("The file's encoding if it is not UTF-8, as in windows-1251 or utf-16."),
        "allow_empty": {"description": "Whether a file that gives nothing is meant.", "type": "boolean"},
        "numbered": {
            "description": "Columns that stand there with numbers (course1, course2, …); each number is a row of its own.",
            "type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}
        },
        "optional": {
            "description": "Columns that the file may lack; their cells are then empty.",
            "type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}
        }
    })
}

/// A mapping with a file's properties, some more, and nothing else.
fn object(description: &str, required: &[&str], own: serde_json::Value) -> Schema {
    let (mut properties, own) = (file_properties(), own);
    if let (Some(properties), serde_json::Value::Object(own)) = (properties.as_object_mut(), own) {
        properties.extend(own);
    }
    json_schema!({
        "description": description, "type": "object", "properties": properties, "required": required, "additionalProperties": false
    })
}

macro_rules! schema_of {
    ($($name:ident $title:literal $make:expr),+ $(,)?) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> { $title.into() }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                ($make)(generator)
            }
        }
    )+};
}

const COLUMNS: &str = r##"{"anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}]}"##;
const WHERE: &str = r##"{
    "type": "object",
    "additionalProperties": {"anyOf": [{"type": ["string", "integer", "boolean"]}, {"type": "array", "items": {"type": ["string", "integer", "boolean"]}}]}
}"##;
const ON: &str = r##"{"type": "object", "minProperties": 1, "additionalProperties": {"type": "string", "minLength": 1}}"##;

/// What an entry has to say that no preset says for it.
const WHOLE: &str = r##"{
    "required": ["each", "room"],
    "properties": {
        "from": false, "roles": false, "status": false, "id": false,
        "each": {"anyOf": [{"type": "string"}, {"type": "object", "required": ["roster"]}]},
        "room": {"required": ["pipe", "title"], "properties": {"enrol": {
            "if": {"type": "array"}, "then": {"items": {"$ref": "#/definitions/WholeEnrol"}}, "else": {"$ref": "#/definitions/WholeEnrol"}
        }}}
    }
}"##;
const WHOLE_ENROL: &str = r##"{
    "required": ["roster", "on"],
    "properties": {"via": {"required": ["roster", "on"]}, "people": {"required": ["roster", "name", "id"]}}
}"##;

/// A part of a schema that is written down above, with what an editor shows of it.
fn part(text: &str, description: &str) -> serde_json::Value {
    let mut part: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    put(&mut part, "description", description.into());
    part
}

fn text(description: &str) -> serde_json::Value {
    serde_json::json!({"description": description, "type": "string", "minLength": 1})
}

/// Puts a value into an object.
fn put(object: &mut serde_json::Value, key: &str, value: serde_json::Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

/// A directory of people of which no preset says a part.
pub(super) fn whole_directory(generator: &mut SchemaGenerator) -> serde_json::Value {
    let directory = generator.subschema_for::<RawDirectory>();
    serde_json::json!({"allOf": [directory], "required": ["roster", "name", "id"]})
}

/// The properties of a roster.
fn roster_properties(generator: &mut SchemaGenerator) -> serde_json::Value {
    serde_json::json!({
        "roster": text("The file, relative to this one: CSV with a header, or .txt with one user a line."),
        "user": part(COLUMNS, "The column, or columns, with users; `user` if absent."),
        "by": {"description": "What the cells are: ids, or names from `people`; if absent, numbers are ids.", "enum": ["id", "name"]},
        "where": part(WHERE, "Only rows whose cells are these."),
        "people": whole_directory(generator)
    })
}

schema_of! {
    RawRoster "Roster" |generator: &mut SchemaGenerator| {
        let own = roster_properties(generator);
        object("Users from a file.", &["roster"], own)
    },
    RawDirectory "Directory" |_: &mut SchemaGenerator| object("Names and ids from a file.", &[], serde_json::json!({
        "roster": text("The file, relative to this one."),
        "name": part(COLUMNS, "The column, or columns, that name a person."),
        "id": text("The column with the site's user id."),
        "where": part(WHERE, "Only people whose cells are these; the others are left out wherever they are named.")
    })),
    RawVia "Via" |_: &mut SchemaGenerator| object("Where empty cells of `on` are looked up.", &[], serde_json::json!({
        "roster": text("The file, relative to this one."),
        "on": part(ON, "This file's column: the roster's column."),
        "where": part(WHERE, "Only rows whose cells are these.")
    })),
    RawEnrol "Enrol" |generator: &mut SchemaGenerator| {
        let mut own = roster_properties(generator);
        put(&mut own, "on", part(ON, "The roster's column: the column of the rooms' file that it is equal to."));
        put(&mut own, "via", generator.subschema_for::<RawVia>().to_value());
        put(&mut own, "people", generator.subschema_for::<RawDirectory>().to_value());
        object("A roster joined to the rooms' rows.", &[], own)
    },
    RawGenerate "Generate" |generator: &mut SchemaGenerator| {
        let each = object("A file and how to read it.", &[], serde_json::json!({
            "roster": text("The file, relative to this one."),
            "distinct": text("Only the first row of each value of this column.")
        }));
        generator.subschema_for::<WholeEnrol>();
        json_schema!({
            "description": "Rooms in bulk: one for each row of a file, or of what a school system exported.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "each": {"description": "The file with a row for each room.", "anyOf": [{"type": "string", "minLength": 1}, each]},
                "where": part(WHERE, "Only rows whose cells are these."),
                "room": generator.subschema_for::<TemplateRoom>(),
                "format": {"description": "What the files are: a preset of columns, joins and conditions; what stands beside it goes over it.", "enum": preset_names()},
                "from": text("With `format`: the directory of the files, or the file where there is one only."),
                "roles": part(COLUMNS, "With `format`: the roles whose people are members, or any."),
                "status": {"description": "With `format`: active rows only, or any.", "enum": ["active", "any"]},
                "id": text("With `format`: the column with the site's user id.")
            },
            "if": {"required": ["format"]},
            "else": part(WHOLE, "Without a format everything is written out.")
        })
    },
}

/// Only a schema: what a joined roster has to say that no preset says for it.
pub struct WholeEnrol;

impl JsonSchema for WholeEnrol {
    fn schema_name() -> Cow<'static, str> {
        "WholeEnrol".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let whole = part(WHOLE_ENROL, "What has to be said without a format.");
        Schema::try_from(whole).unwrap_or_default()
    }
}

/// Only a schema: a room whose texts are templates, with rosters joined to it.
pub struct TemplateRoom;

impl JsonSchema for TemplateRoom {
    fn schema_name() -> Cow<'static, str> {
        "TemplateRoom".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut room = RawRoom::json_schema(generator).to_value();
        let enrol = generator.subschema_for::<RawEnrol>().to_value();
        let description = "The room of a row; `{{ column }}` stands for a cell.";
        put(&mut room, "description", description.into());
        if let Some(properties) = room.get_mut("properties") {
            for key in ["pipe", "title"] {
                let template = text("A template: `{{ column | slug }}`.");
                put(properties, key, template);
            }
            put(
                properties,
                "enrol",
                serde_json::json!({
                    "description": "Rosters joined to the row by columns.", "anyOf": [enrol, {"type": "array", "items": enrol}]
                }),
            );
        }
        if let Some(room) = room.as_object_mut() {
            // A preset has a pipe and a title already.
            room.remove("required");
        }
        Schema::try_from(room).unwrap_or_default()
    }
}
