//! **roomform** is Terraform for chat rooms: a YAML manifest says which rooms an ImbaChat widget should have, a *plan* shows
//! what that changes, and an *apply* makes it so, again and again, without duplicates or surprises.
//!
//! Data flows in one direction: what the manifest **desires**, what the server's list shows
//! (**observed**) and what the ledger **recorded** make a **plan**; applying it makes an
//! **outcome**. Each stage takes the earlier values by reference and returns the next:
//!
//! | entry | from | to |
//! |---|---|---|
//! | [`check`], [`check_text`] | files, or a text | [`Loaded`] with its [`Desired`], or [`Invalid`] with every mistake |
//! | [`rooms_of`], or any [`ReadRooms`] | an answer of get_rooms, or a server | [`LiveRoom`]s; [`RowFilter`] makes [`Observed`] of them |
//! | [`ledger::read`], or [`ledger::fold`] | a journal | [`Recorded`]: what was confirmed, never who is in a room |
//! | [`plan`](fn@plan) | all three | [`Plan`]; pure: no file, no network, no clock |
//! | [`apply`](fn@apply) | a [`Job`]: a plan, and the objects that read, write and record | [`Outcome`], and [`Event`]s on the way |
//! | [`render`] | any of them | text for people, pages, JSON for machines |
//!
//! The crate root has what other programs need; the modules have the rest. No function panics on any input: a failure is an error, an
//! entry in a list of diagnostics, or a room's status. Untrusted text (titles, pipes, a server's messages) is returned unchanged,
//! except by [`render`]; [`render::escape`] has one function for each output.
//!
//! # A plan without a server
//!
//! ```
//! use roomform::model::{Target, WidgetId};
//! use roomform::{RowFilter, Options, Recorded, PlanOptions, check_text, plan, rooms_of};
//!
//! let text = "version: 1\nrooms:\n  - {pipe: team, title: Platform team, members: [3, 4]}\n  - {pipe: lounge, title: Lounge}\n";
//! let desired = check_text("rooms.yaml", text, Options::default())?.desired;
//!
//! let answer = br#"{"success":true,"data":[{"id":7,"pipe":"lounge","name":"Lounge","type":1,"is_public":0,"deleted_at":null}]}"#;
//! let observed = RowFilter::new(&desired).observed(rooms_of(answer)?);
//!
//! let target = Target { origin: "https://api.imbachat.com".to_owned(), widget: WidgetId(627) };
//! let plan = plan(&target, &desired, &observed, &Recorded::default(), &PlanOptions::default());
//! assert_eq!((plan.summary.create, plan.summary.members, plan.summary.unchanged), (1, 2, 1));
//!
//! let mistakes = check_text("rooms.yaml", "version: 1\nrooms:\n  - {pipe: 0123}\n", Options::default()).unwrap_err();
//! assert_eq!(mistakes.problems().len(), 2); // the pipe is a number, and there is no title
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `examples/offline_plan.rs` does the same with files.
//!
//! # An apply with your own transport
//!
//! [`apply`](fn@apply) uses four traits: [`ReadRooms`] lists rooms, [`WriteRooms`] sends a call once, [`SendMessages`] sends a message
//! once, [`Record`] records facts. roomform's own implementations are [`imbachat::Reader`], [`imbachat::Writer`] and
//! [`ledger::Journal`]; `examples/custom_reporter.rs` implements all four traits in memory and shows its own progress. An
//! implementation must guarantee two things. First, a [`Failure`] states correctly how far a call got ([`Delivery`]), because a create
//! is sent again only if the server cannot have acted on the earlier attempt. Second, a fact is stored safely when [`Record::append`]
//! returns. `apply` must run in a tokio runtime with its timer enabled.
//!
//! [`sandbox`] simulates the server, for tests and rehearsals.

#![cfg_attr(not(test), warn(clippy::panic, clippy::unreachable))]

pub mod apply;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod commands;
#[doc(hidden)]
pub mod config;
mod doctor;
pub mod document;
#[doc(hidden)]
pub mod error;
pub mod imbachat;
pub mod ledger;
mod library;
pub mod manifest;
pub mod model;
pub mod plan;
pub mod render;
pub mod sandbox;
mod tables;
#[doc(hidden)]
pub mod view;

pub use apply::{
    Control, Event, Interrupt, Job, Limiter, Outcome, Patience, RoomOutcome, Status, apply,
};
pub use imbachat::{
    Delivery, Dice, Failure, Message, ReadRooms, RoomWrite, SendMessages, WriteRooms, Written,
    rooms_of,
};
pub use ledger::{Claim, Claimed, Fact, PipeFact, Record, RoomFact};
pub use library::{Invalid, check, check_text};
pub use manifest::{Loaded, Options};
pub use model::{Desired, LiveRoom, Observed, Recorded};
pub use plan::{Plan, PlanOptions, RowFilter, plan};
