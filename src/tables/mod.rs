//! Finds, decodes and reads files with rows. Every cell has a place (file and offset) for
//! diagnostics. This module does not know about rooms.
//!
//! Main types: [`open::Tables`] and [`table::Table`]. [`diagnostic`] and [`files`] are also
//! used for the manifest's own files.

pub(crate) mod boundary;
pub(crate) mod column;
pub(crate) mod condition;
pub mod diagnostic;
pub(crate) mod dialect;
pub(crate) mod encoding;
pub mod files;
pub(crate) mod header;
pub(crate) mod index;
pub(crate) mod input;
pub(crate) mod join;
pub(crate) mod nearest;
pub(crate) mod number;
pub(crate) mod open;
pub(crate) mod row;
pub(crate) mod row_use;
pub(crate) mod rows;
pub(crate) mod source;
pub(crate) mod table;
#[cfg_attr(not(feature = "xlsx"), path = "no_workbook.rs")]
pub(crate) mod workbook;
pub(crate) mod wrong_file;
