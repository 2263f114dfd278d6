//! The client that writes. It calls imba_rooms to create rooms, update rooms and add members,
//! and it calls send_msg to send messages. It also parses the answers: what they confirm, and
//! which errors a successful answer contains.
//!
//! Main types: [`Writer`], and [`Sender`], which only sends messages. A message is not retried
//! once the server may have acted on it.

use std::collections::BTreeSet;
use std::future::Future;

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tracing::debug;

use super::answer::LARGEST_ANSWER;
use super::http::{Form, Http, SITE_USER};
use super::retry::Failure;
use super::wire::{
    BadAnswer, ERRORS, NO_REASON, WARNINGS, collect, complaint_of, denies_success, good, has_error,
    integer, is_nothing, is_object, parse, reasons, shape, truth,
};
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
        let request = http.post("imbachat/v1/widget/imba_rooms", form)?;
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
        let mut http = self.http.clone();
        http.redactor.hide(text);
        // The documentation says that `imba_id` is required, but its sample omits it.
        let mut form = Form::default().text("imba_id", self.widget);
        if let Some(password) = &self.password {
            form = form.text("password", password.expose_secret());
        }
        let form = form
            .text("user_id", from)
            .text("room_id", room)
            .text("message", text);
        let request = http
            .post(&format!("imbachat/v2/{}/send_msg", self.widget), form)?
            .timeout(http.timeout)
            .basic_auth(self.widget, Some(self.key.expose_secret()));
        let response = http.send(request).await?;
        let body = http.body(response, LARGEST_ANSWER, http.timeout).await?;
        sent(&body).map_err(|bad| http.reject(bad))
    }
}

impl SendMessages for Writer {
    async fn send(&self, message: &Message<'_>) -> Result<Option<MessageId>, Failure> {
        match &self.sender {
            Some(sender) => sender.send(message).await,
            None => {
                Err(Failure::not_sent("messages need the secret key")
                    .hint("set IMBACHAT_SECRET_KEY"))
            }
        }
    }
}

/// Maximum number of errors that are reported for one answer.
const MOST_ERRORS: usize = 20;

/// What the answer to a successful write contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The room that the server wrote.
    pub room: RoomId,
    /// The errors and warnings in the answer. If there are any, no member is confirmed.
    pub errors: Vec<String>,
}

/// Creates the result of a write without errors.
impl From<RoomId> for Written {
    fn from(room: RoomId) -> Self {
        let errors = Vec::new();
        Self { room, errors }
    }
}

/// Parses the answer to a write. `accepted` is true if the HTTP status is 202.
pub(super) fn written(text: &[u8], accepted: bool) -> Result<Written, BadAnswer> {
    let answer: Value = parse(text)?;
    is_object(&answer)?;
    let code = answer.get("code").and_then(integer);
    let accepted = accepted || code == Some(202);
    if denies_success(&answer) || code.is_some_and(|code| !matches!(code, 200 | 202)) {
        return Err(complaint_of(&answer));
    }
    let elements: Vec<&Value> = match answer.get("data") {
        Some(Value::Array(rows)) => rows.iter().collect(),
        Some(Value::Object(rows)) if rows.contains_key("0") => {
            let first = rows.get("0").into_iter();
            let others = rows.iter().filter(|(key, _)| *key != "0");
            first.chain(others.map(|(_, row)| row)).collect()
        }
        Some(row @ Value::Object(_)) => vec![row],
        _ => Vec::new(),
    };
    match first_room(&elements) {
        Ok(room) => Ok(Written {
            room,
            errors: carried_errors(&answer, &elements, accepted),
        }),
        // An answer with an error and no room is a failure, not a success with errors.
        Err(BadAnswer::Shape(_)) if has_error(&answer) => Err(complaint_of(&answer)),
        Err(bad) => Err(bad),
    }
}

/// Returns the room in the first element, if that element reports success. The element may also
/// contain an error.
fn first_room(elements: &[&Value]) -> Result<RoomId, BadAnswer> {
    let first = elements
        .first()
        .ok_or_else(|| shape("the answer names no room"))?;
    let failed = first.get("error").is_some_and(|error| !is_nothing(error));
    let succeeded = first.get("success").and_then(truth);
    if succeeded == Some(false) || (failed && succeeded != Some(true)) {
        let text = reasons(first).unwrap_or_else(|| NO_REASON.to_owned());
        return Err(BadAnswer::Complaint { code: None, text });
    }
    if succeeded.is_none() {
        return Err(shape("the answer does not say whether the call succeeded"));
    }
    rooms(first)
        .next()
        .ok_or_else(|| shape("the answer has no numeric room_id"))
}

fn rooms(element: &Value) -> impl Iterator<Item = RoomId> {
    ["room_id", "roomId"]
        .iter()
        .filter_map(|key| integer(element.get(key)?))
        .filter_map(|id| u64::try_from(id).ok().filter(|id| *id > 0))
        .map(RoomId)
}

/// Returns the errors and warnings in an answer that succeeded as a whole.
fn carried_errors(answer: &Value, elements: &[&Value], accepted: bool) -> Vec<String> {
    let mut errors = Vec::new();
    if accepted {
        errors.push("the call was accepted but not confirmed (202)".to_owned());
    }
    let parts = std::iter::once(answer).chain(elements.iter().copied());
    for (index, part) in parts.clone().enumerate() {
        let before = errors.len();
        let keys = ERRORS.iter().chain(&WARNINGS);
        let values = keys.filter_map(|key| part.get(key));
        let code = part.get("code").and_then(integer);
        let failed = denies_success(part)
            || code.is_some_and(|code| !matches!(code, 200 | 202))
            || (index > 0 && part.get("success").and_then(truth) != Some(true));
        let mut is_bad = failed;
        for value in values.filter(|value| !is_nothing(value)) {
            is_bad = true;
            collect(value, &mut errors);
        }
        // An element may be a text instead of an object.
        let message = part.is_string().then_some(part).or(part.get("message"));
        if failed && let Some(message) = message {
            collect(message, &mut errors);
        }
        if is_bad && errors.len() == before {
            errors.push(NO_REASON.to_owned());
        }
    }
    let named: BTreeSet<RoomId> = parts.flat_map(rooms).collect();
    if named.len() > 1 {
        let named: Vec<String> = named.iter().map(ToString::to_string).collect();
        errors.push(format!(
            "the answer names more than one room: {}",
            named.join(", ")
        ));
    }
    let mut seen = BTreeSet::new();
    errors.retain(|error| seen.insert(error.clone()));
    if let more @ 1.. = errors.len().saturating_sub(MOST_ERRORS) {
        errors.truncate(MOST_ERRORS);
        errors.push(format!("and {more} more errors"));
    }
    errors
}

/// Returns the message id from a successful answer of send_msg. The answer may lack the id,
/// because roomform needs the id only to show it to the user.
pub(super) fn sent(text: &[u8]) -> Result<Option<MessageId>, BadAnswer> {
    let answer: Value = parse(text)?;
    let success = answer.get("success").and_then(truth);
    if success == Some(true) && has_error(&answer) {
        // The message may have been sent. If this answer were treated as a refusal, the next
        // run would send the message again.
        let words = reasons(&answer).unwrap_or_else(|| NO_REASON.to_owned());
        return Err(BadAnswer::Shape(format!(
            "it reports success and an error: {words}"
        )));
    }
    good(&answer)?;
    if answer.get("success").is_none() {
        return Err(shape("the answer does not say whether the call succeeded"));
    }
    let id = answer.get("message").and_then(|message| message.get("id"));
    let id = id.and_then(integer).and_then(|id| u64::try_from(id).ok());
    Ok(id.filter(|id| *id > 0).map(MessageId))
}
