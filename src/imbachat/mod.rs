//! The client of the ImbaChat server API. Only this module knows the HTTP calls, their forms
//! and their answers.
//!
//! Main types: [`Reader`], [`Writer`] and [`Sender`]. They are separate types, so that a run
//! that must not write never holds a client that can write. The client does not decide what to
//! send; it reports how a call ended ([`Failure`]).

mod answer;
mod http;
mod list_stream;
mod network;
mod raw_rows;
mod read;
mod retry;
mod sizes;
mod token;
mod transport_error;
mod wire;
mod write;

pub use http::Http;
pub use list_stream::{ListStream, rooms_of};
pub use network::{Endpoint, Network, show_variable};
pub use read::{ENVELOPE, ListSurvey, Query, Reachability, ReadAuth, ReadRooms, Reader};
pub use retry::{Call, Cause, Delivery, Dice, Failure, Verdict, Wait, verdict, with_retries};
pub use sizes::CountBudget;
pub use token::{expiry, token_start};
pub use wire::BadAnswer;
pub use write::{Message, RoomWrite, SendMessages, Sender, WriteAuth, WriteRooms, Writer, Written};
