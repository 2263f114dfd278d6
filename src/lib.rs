//! **roomform** is Terraform for chat rooms: a YAML manifest says which rooms an ImbaChat widget should have, a *plan* shows
//! what that changes, and an *apply* makes it so, again and again, without duplicates or surprises.
//!
//! Four nouns, one direction: **desired** (the manifest) and **observed** (the server, and the ledger of what was confirmed)
//! make a **plan**; a plan applied makes an **outcome**. Each stage takes the earlier nouns by reference and returns the next:
//!
//! | module | from | to |
//! |---|---|---|
//! | [`manifest`] | files | [`model::Desired`] and every mistake, with its place |
//! | [`imbachat`] | HTTP answers | [`model::Observed`]; the reading and the writing half are two types |
//! | [`ledger`] | a journal file | [`model::Recorded`] |
//! | [`plan`](mod@plan) | all three | [`plan::Plan`]; pure |
//! | [`apply`](mod@apply) | a plan | [`apply::Outcome`] |
//! | [`render`] | any of them | text for people, JSON for machines |
//!
//! [`commands`] wires them; [`settings`] is the only reader of the environment; [`sandbox`] imitates the server and shares no code
//! with the client. Who may use whom is a table in `ARCHITECTURE.md`, and a test.
//!
//! A plan needs no server:
//!
//! ```
//! use roomform::manifest::{Options, load_text};
//! use roomform::model::{Observed, Recorded, Target, WidgetId};
//! use roomform::plan::{Switches, plan};
//!
//! let text = "version: 1\nrooms:\n  - {pipe: team-platform, title: Platform team, members: [3, 4]}\n";
//! let loaded = load_text("rooms.yaml", text, Options::default());
//! assert!(loaded.is_valid());
//!
//! let target = Target { origin: "https://api.imbachat.com".to_owned(), widget: WidgetId(627) };
//! let (observed, recorded) = (Observed::default(), Recorded::default());
//! let plan = plan(&target, &loaded.desired, &observed, &recorded, &Switches::default());
//! assert_eq!((plan.summary.create, plan.summary.members), (1, 2));
//! ```

pub mod apply;
pub mod cli;
pub mod commands;
pub mod error;
pub mod imbachat;
pub mod ledger;
pub mod manifest;
pub mod model;
pub mod plan;
pub mod render;
pub mod sandbox;
pub mod settings;
