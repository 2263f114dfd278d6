//! The manifest: text in, [`Desired`](crate::model::Desired) and every mistake out.
//!
//! Main entry: [`load()`]. The stages in order: `load` (files, out of a [`tree`]), `yaml` (nodes), `fields` and `decode` (as written,
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
mod files;
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
mod overlay;
mod parts;
mod people;
mod presets;
mod quotes;
pub mod raw;
mod resolve;
mod roster;
mod row;
mod scalar;
mod source;
mod table;
mod tables;
mod template;
pub mod tree;
mod validate;
mod welcome;
mod yaml;

pub use boundary::leads_out;
pub use explain::{Explained, Membership, Subject, Way, explain};
pub use export::{Entry, Unlike, append, by_prefix, by_type, entries, page, read_back};
pub use files::FileNote;
pub use load::{Loaded, Options, load, load_from, load_text};
pub use overlay::Overlay;
pub use template::verbatim;
