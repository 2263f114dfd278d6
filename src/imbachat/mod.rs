//! The ImbaChat server API: the only place that knows the HTTP calls, their forms and their answers.
//!
//! Main types: [`Reader`], [`Writer`] and [`Sender`], types of their own so that a dry run never holds one that can write. It never decides
//! what to send; it says what became of it ([`Failure`]).

mod answer;
mod cause;
mod cell;
mod endpoint;
mod failure;
mod form;
mod http;
mod message;
mod query;
mod read;
mod retry;
mod rows;
mod shape;
mod survey;
mod token;
mod told;
mod wire;
mod write;
mod write_answer;

pub use answer::{NoList, rooms_of};
pub use endpoint::Endpoint;
pub use failure::{Call, Cause, Delivery, Failure};
pub use http::Http;
pub use message::{Message, SendMessages, Sender};
pub use query::Query;
pub use read::{ReadAuth, ReadRooms, Reader};
pub use retry::{Dice, Verdict, Wait, verdict};
pub use rows::{RowError, Rows};
pub use survey::{Knock, Survey};
pub use token::expiry;
pub use write::{RoomWrite, WriteAuth, WriteRooms, Writer};
pub use write_answer::Written;
