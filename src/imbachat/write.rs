//! The writing half: imba_rooms, the one call that creates, updates and adds.

use std::future::Future;

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use tracing::debug;

use super::failure::Failure;
use super::form::Form;
use super::http::{Http, Who};
use super::read::basic;
use super::wire::form_fields;
use super::write_answer::{Written, written};
use crate::model::{Pipe, RoomId, RoomState, UserId, WidgetId};

/// The fields beside the members.
const SCALARS: usize = 8;

/// Who writes: a user of the site the widget is on.
#[derive(Debug, Clone)]
pub struct WriteAuth {
    /// Their login.
    pub login: SecretString,
    /// Their password.
    pub password: SecretString,
    /// The widget's secret key, which messages are sent with; without it rooms can be written to, and nothing be said.
    pub secret_key: Option<SecretString>,
}

/// One call: what it says of a room, and the members of this call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomWrite<'a> {
    /// The room; `None` creates it, or finds it by its pipe.
    pub room: Option<RoomId>,
    /// The room's pipe, always sent.
    pub pipe: &'a Pipe,
    /// Title, type and publicity, always sent: an omitted title is reset (`api: fact 1`).
    pub state: &'a RoomState,
    /// Members to add, few enough for one call.
    pub members: &'a [UserId],
}

/// Something that rooms can be written to.
pub trait WriteRooms: Send + Sync {
    /// Sends one call once.
    fn write(&self, write: &RoomWrite<'_>)
    -> impl Future<Output = Result<Written, Failure>> + Send;
}

/// The client that writes.
#[derive(Debug, Clone)]
pub struct Writer {
    pub(super) http: Http,
    pub(super) widget: WidgetId,
    pub(super) auth: WriteAuth,
}

impl Writer {
    /// A writer to one widget.
    pub fn new(http: Http, widget: WidgetId, auth: WriteAuth) -> Self {
        let encoded = auth.secret_key.as_ref();
        let encoded = encoded.and_then(|key| basic(&http, widget, key));
        let http = match encoded {
            Some(encoded) => http.hiding(encoded),
            None => http,
        };
        Self { http, widget, auth }
    }

    /// Scalars first: past PHP's limit of form variables the rest is dropped without a word (`api: fact 2`).
    fn form(&self, write: &RoomWrite<'_>) -> Form {
        let RoomWrite {
            room,
            pipe,
            state,
            members,
        } = write;
        let mut form = Form::with_room_for(SCALARS + members.len())
            .text("imba_id", self.widget)
            .text("login", self.auth.login.expose_secret())
            .text("password", self.auth.password.expose_secret());
        if let Some(room) = room {
            form = form.text("room_id", room);
        }
        form = form.text("room_pipe", pipe);
        for (name, value) in form_fields(state) {
            form = form.text(name, value);
        }
        for (index, user) in members.iter().enumerate() {
            form = form.text(format_args!("users_ids[{index}]"), user);
        }
        form
    }
}

impl WriteRooms for Writer {
    async fn write(&self, write: &RoomWrite<'_>) -> Result<Written, Failure> {
        let RoomWrite {
            room,
            pipe,
            state,
            members,
        } = write;
        debug!(
            room = room.map(|room| room.0),
            %pipe,
            title_length = state.title.chars().count(),
            kind = %state.kind,
            public = state.public,
            members = members.len(),
            "write"
        );
        let request = self.http.post("imbachat/v1/widget/imba_rooms", true)?;
        let request = self.form(write).of(request);
        let response = self.http.send(request, Who::SiteUser).await?;
        let accepted = response.status() == StatusCode::ACCEPTED;
        let body = self.http.body(response).await?;
        let Written { room, errors } =
            written(&body, accepted).map_err(|bad| self.http.bad(bad, Who::SiteUser))?;
        let errors = errors.iter().map(|error| self.http.clean(error)).collect();
        Ok(Written { room, errors })
    }
}
