//! The client that writes. It calls imba_rooms to create rooms, update rooms and add members,
//! and it calls send_msg to send messages.
//!
//! Main types: [`Writer`], and [`Sender`], which only sends messages. A message is not retried
//! once the server may have acted on it.

use std::fmt::{Display, Write as _};
use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use tracing::debug;

use super::answer::LARGEST_ANSWER;
use super::failure::{Call, Delivery, Failure};
use super::http::{Http, SITE_USER};
use super::retry::{Dice, with_retries};
use super::write_answer::{Written, sent, written};
use crate::model::{MessageId, Pipe, RoomId, RoomState, UserId, WidgetId};

/// The credentials for writing. They belong to a user of the site that has the widget.
#[derive(Debug, Clone)]
pub struct WriteAuth {
    /// The login name of the user.
    pub login: SecretString,
    /// The password of the user.
    pub password: SecretString,
    /// The widget's secret key, which is needed for messages. Without it, only rooms can be
    /// written.
    pub secret_key: Option<SecretString>,
}

/// The content of one write: a room's state, and the members to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomWrite<'a> {
    /// The room to write to. If it is `None`, the server finds the room by its pipe, or creates it.
    pub room: Option<RoomId>,
    /// The room's pipe. Every write sends it.
    pub pipe: &'a Pipe,
    /// The title, type and visibility. Every write sends them, because the server resets an omitted
    /// title (`api: fact 1`).
    pub state: &'a RoomState,
    /// The members to add. Their number is within the limit for one call.
    pub members: &'a [UserId],
}

/// A client that writes rooms.
pub trait WriteRooms {
    /// Sends a write once, without retries.
    fn write(&self, write: &RoomWrite<'_>) -> impl Future<Output = Result<Written, Failure>>;
}

/// A message that a user sends to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// The room's id.
    pub room: RoomId,
    /// The user who sends the message.
    pub from: UserId,
    /// The text, which is not empty.
    pub text: &'a str,
}

/// A client that sends messages.
pub trait SendMessages {
    /// Sends a message once, without retries. Returns the message's id, if the answer contains one.
    fn send(
        &self,
        message: &Message<'_>,
    ) -> impl Future<Output = Result<Option<MessageId>, Failure>>;

    /// Sends a message. Retries after a failure only if the server cannot have acted on the
    /// message. When `halt` completes, no further attempt starts.
    ///
    /// # Errors
    /// Returns the [`Failure`] of the last attempt. It is [`Delivery::Uncertain`] if the
    /// message may have been sent.
    fn deliver(
        &self,
        message: &Message<'_>,
        dice: &Dice,
        halt: impl Future<Output = ()>,
    ) -> impl Future<Output = Result<Option<MessageId>, Failure>> {
        with_retries(Call::Message, dice, halt, || self.send(message))
    }
}

/// The client that writes rooms and sends messages.
#[derive(Debug, Clone)]
pub struct Writer {
    http: Http,
    widget: WidgetId,
    auth: WriteAuth,
    /// The client for messages; `None` without a secret key.
    sender: Option<Sender>,
}

/// The client that sends messages and cannot change rooms.
#[derive(Debug, Clone)]
pub struct Sender {
    http: Http,
    widget: WidgetId,
    key: SecretString,
    password: Option<SecretString>,
}

impl Writer {
    /// Creates a client that writes to one widget.
    pub fn new(mut http: Http, widget: WidgetId, auth: WriteAuth) -> Self {
        let sender = auth.secret_key.clone().map(|key| {
            let password = Some(auth.password.clone());
            Sender::new(http.clone(), widget, key, password)
        });
        http.credentials = SITE_USER;
        Self {
            http,
            widget,
            auth,
            sender,
        }
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
        // Members come last, because PHP silently drops variables beyond its limit (`api: fact 2`).
        let mut form = Form::default()
            .text("imba_id", self.widget)
            .text("login", self.auth.login.expose_secret())
            .text("password", self.auth.password.expose_secret());
        if let Some(room) = room {
            form = form.text("room_id", room);
        }
        form = form
            .text("room_pipe", pipe)
            .text("room_title", &state.title)
            .text("room_type", state.kind.number())
            .text("room_is_public", u8::from(state.public));
        for (index, user) in members.iter().enumerate() {
            form = form.text(format_args!("users_ids[{index}]"), user);
        }
        let http = &self.http;
        let request = form.attach_to(http.post("imbachat/v1/widget/imba_rooms")?);
        let response = http.send(request.timeout(http.timeout)).await?;
        let accepted = response.status() == StatusCode::ACCEPTED;
        let body = http.body(response, LARGEST_ANSWER, http.timeout).await?;
        let mut written = written(&body, accepted).map_err(|bad| http.reject(bad))?;
        for error in &mut written.errors {
            *error = http.redact(error);
        }
        Ok(written)
    }
}

impl Sender {
    /// Creates a client that sends messages to one widget. The password is optional: the
    /// documentation says that a site user's password is required, but its sample has none.
    pub fn new(
        http: Http,
        widget: WidgetId,
        key: SecretString,
        password: Option<SecretString>,
    ) -> Self {
        Self {
            http,
            widget,
            key,
            password,
        }
    }
}

impl SendMessages for Sender {
    async fn send(&self, message: &Message<'_>) -> Result<Option<MessageId>, Failure> {
        let Message { room, from, text } = message;
        debug!(%room, %from, text_length = text.chars().count(), "message");
        // Messages are private, so keep the text out of logs even if the server echoes it.
        let http = self.http.clone().hiding(SecretString::from(*text));
        let request = http
            .post(&format!("imbachat/v2/{}/send_msg", self.widget))?
            .timeout(http.timeout)
            .basic_auth(self.widget, Some(self.key.expose_secret()));
        // The documentation says that `imba_id` is required, but its sample omits it.
        let mut form = Form::default().text("imba_id", self.widget);
        if let Some(password) = &self.password {
            form = form.text("password", password.expose_secret());
        }
        let form = form
            .text("user_id", from)
            .text("room_id", room)
            .text("message", text);
        let response = http.send(form.attach_to(request)).await?;
        let body = http.body(response, LARGEST_ANSWER, http.timeout).await?;
        sent(&body).map_err(|bad| http.reject(bad))
    }
}

impl SendMessages for Writer {
    async fn send(&self, message: &Message<'_>) -> Result<Option<MessageId>, Failure> {
        match &self.sender {
            Some(sender) => sender.send(message).await,
            None => {
                let failure = Failure::lasting(Delivery::NotSent, "messages need the secret key");
                Err(failure.hint("set IMBACHAT_SECRET_KEY"))
            }
        }
    }
}

/// The boundary between the fields of a form. It is random in each process, so that no title
/// contains it.
static BOUNDARY: LazyLock<String> = LazyLock::new(|| {
    let dice = RandomState::new();
    format!("{:016x}{:016x}", dice.hash_one(1), dice.hash_one(2))
});

/// The fields of a call, in the order in which they are sent.
#[derive(Debug, Default)]
pub(super) struct Form {
    body: String,
}

impl Form {
    /// Adds a field. Its name needs no escaping, because it is never user text.
    #[must_use]
    pub(super) fn text(mut self, name: impl Display, value: impl Display) -> Self {
        let boundary = &*BOUNDARY;
        // Writing to a `String` cannot fail.
        let _infallible = write!(
            self.body,
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        self
    }

    /// Sets the form as the body of the request.
    pub(super) fn attach_to(self, request: RequestBuilder) -> RequestBuilder {
        let (mut body, boundary) = (self.body, &*BOUNDARY);
        body.push_str("--");
        body.push_str(boundary);
        body.push_str("--\r\n");
        let kind = format!("multipart/form-data; boundary={boundary}");
        request.header(CONTENT_TYPE, kind).body(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_sent_unchanged() {
        let form = Form::default().text("a", "one\r\n--two\"").text("b", "");
        let body = form.body.replace(&*BOUNDARY, "X");
        let field = |name, value| {
            format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        assert_eq!(body, field("a", "one\r\n--two\"") + &field("b", ""));
    }
}
