//! The manifest: text in, [`Desired`](crate::model::Desired) and every mistake out.
//!
//! Main entry: [`load()`]. The stages in order: `load` (files, read through [`files`]), `yaml` (nodes), `fields` and `decode` (as written,
//! [`raw`]), `tables` (the files with rows beside it), `people`, `groups`, `roster`, `generate` (names, lists, rooms in bulk),
//! `resolve` (all of it together), `validate` (named checks). It never talks to a server and never decides what to do about one.

mod boundary;
mod column;
mod complaint;
mod decode;
pub mod diagnostic;
mod encoding;
mod enrol;
mod explain;
mod export;
mod fields;
mod file_map;
pub mod files;
mod generate;
mod groups;
mod header;
mod layout;
mod load;
mod look_alike;
mod mould;
mod nearest;
mod node;
mod number;
mod origin;
mod parts;
mod people;
mod presets;
mod quotes;
pub mod raw;
mod read_log;
mod resolve;
mod roster;
mod row;
mod scalar;
mod source;
mod table;
mod tables;
mod template;
mod validate;
mod welcome;
mod yaml;

pub use boundary::leads_out;
pub use explain::{Explained, Membership, Subject, Way};
pub use export::{Entry, Unlike, append, by_prefix, by_type, entries, page, read_back};
pub use file_map::FileMap;
pub use load::{Loaded, Options, explain, load, load_from, load_text};
pub use read_log::FileNote;
pub use template::verbatim;
