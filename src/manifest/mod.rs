//! The manifest: text in, [`Desired`](crate::model::Desired) and every mistake out.
//!
//! Main entry: [`load()`]. The stages in order: `load` (files), `yaml` (nodes), `fields` and `decode` (as written, [`raw`]),
//! `resolve` (names, groups, defaults), `validate` (named checks). It never talks to a server and never decides what to do about one.

mod complaint;
mod decode;
pub mod diagnostic;
mod export;
mod fields;
mod groups;
mod load;
pub mod raw;
mod resolve;
mod scalar;
#[expect(dead_code, reason = "generated rooms and welcomes are its first users")]
mod template;
pub mod tree;
mod validate;
mod yaml;

pub use export::export;
pub use load::{Loaded, Options, load, load_from, load_text};
