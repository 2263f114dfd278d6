//! The manifest: parses text into [`Desired`](crate::model::Desired) and reports every error.
//!
//! Main entry: [`load()`]. These modules work in order: `load` reads files through [`files`].
//! `yaml` parses nodes. `fields` and `decode` make `raw` values of them. `tables` reads files with
//! rows. `people`, `groups`, `roster` and `generate` look up names and generate rooms. `resolve`
//! combines everything. `validate` checks single values. No module here contacts a server or plans
//! changes.

mod decode;
mod explain;
mod export;
mod fields;
mod generate;
mod groups;
mod load;
mod people;
mod presets;
mod provenance;
mod raw;
mod resolve;
mod room_template;
mod roster;
mod scalar;
mod template;
mod validate;
mod welcome;
mod yaml;
mod yaml_hints;

pub use crate::tables::boundary::leads_out;
pub use crate::tables::files::FileMap;
pub use crate::tables::{diagnostic, files};
pub use explain::{Explained, Membership, Subject, Way};
pub use export::{Entry, Unlike, append, by_prefix, by_type, entries, page, quote_yaml, read_back};
pub use load::{FileNote, Loaded, Options, explain, load, load_from, load_text};
pub use provenance::UserIssue;
pub use roster::SkipReason;
pub use template::verbatim;
pub use validate::LONGEST_PIPE;

/// Returns the JSON Schema of a manifest. A test compares its keys with those of `decode`.
pub fn schema() -> serde_json::Value {
    let text = include_str!("../../schema/manifest.schema.json");
    serde_json::from_str(text).unwrap_or_default()
}
