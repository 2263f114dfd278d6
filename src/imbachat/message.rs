//! send_msg: the one call that can never be sent again once the server may have acted on it.
//!
//! Main types: [`Message`], and [`Sender`], which says something and can do nothing else.

use std::future::Future;
use std::pin::pin;

use secrecy::{ExposeSecret, SecretString};
use tracing::{debug, field, info};

use super::failure::{Call, Delivery, Failure};
use super::form::Form;
use super::http::{Http, Who};
use super::read::basic;
use super::retry::{Dice, Verdict, verdict};
use super::wire;
use super::write::Writer;
use crate::model::{MessageId, RoomId, UserId, WidgetId};

/// A message of one user into one room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// The room.
    pub room: RoomId,
    /// Who says it.
    pub from: UserId,
    /// What; not empty.
    pub text: &'a str,
}

/// Something that messages can be sent through.
pub trait SendMessages: Send + Sync {
    /// Sends a message once. The message's id, if the server's answer names one.
    fn send(
        &self,
        message: &Message<'_>,
    ) -> impl Future<Output = Result<Option<MessageId>, Failure>> + Send;

    /// Sends a message, and again as the retry table has it: only where the server cannot have acted on the try before. Once
    /// `halt` is done, what is under way is finished, and no other try begun.
    ///
    /// # Errors
    /// The last try's [`Failure`]; [`Delivery::InDoubt`] if nobody knows whether the message is there.
    fn deliver(
        &self,
        message: &Message<'_>,
        dice: &Dice,
        halt: impl Future<Output = ()> + Send,
    ) -> impl Future<Output = Result<Option<MessageId>, Failure>> + Send {
        async move {
            let mut halt = pin!(halt);
            let mut attempt = 1;
            loop {
                let failure = match self.send(message).await {
                    Ok(id) => return Ok(id),
                    Err(failure) => failure,
                };
                let verdict = verdict(Call::Message, &failure, attempt);
                let cause = failure.cause.map(field::debug);
                info!(attempt, cause, ?verdict, "the message was not confirmed");
                let Verdict::Again(wait) = verdict else {
                    return Err(failure);
                };
                tokio::select! {
                    biased;
                    () = &mut halt => return Err(failure),
                    () = wait.out(dice) => {}
                }
                attempt += 1;
            }
        }
    }
}

/// The client that says something in rooms, and cannot change them.
#[derive(Debug, Clone)]
pub struct Sender {
    http: Http,
    widget: WidgetId,
    key: SecretString,
    password: Option<SecretString>,
}

impl Sender {
    /// A sender to one widget. The page's text requires the password of a user of the site, its sample has none: it goes along
    /// where there is one.
    pub fn new(
        http: Http,
        widget: WidgetId,
        key: SecretString,
        password: Option<SecretString>,
    ) -> Self {
        let http = match basic(&http, widget, &key) {
            Some(encoded) => http.hiding(encoded),
            None => http,
        };
        Self {
            http,
            widget,
            key,
            password,
        }
    }

    /// The page's text calls `imba_id` required too, its sample has none.
    fn form(&self, message: &Message<'_>) -> Form {
        let Message { room, from, text } = message;
        let mut form = Form::new().text("imba_id", self.widget);
        if let Some(password) = &self.password {
            form = form.text("password", password.expose_secret());
        }
        form.text("user_id", from)
            .text("room_id", room)
            .text("message", text)
    }
}

impl SendMessages for Sender {
    async fn send(&self, message: &Message<'_>) -> Result<Option<MessageId>, Failure> {
        let Message { room, from, text } = message;
        debug!(%room, %from, text_length = text.chars().count(), "message");
        // What people say to each other is no matter for logs, even if the server says it again.
        let http = (self.http.clone()).hiding(SecretString::from(message.text));
        let request = http
            .post(&format!("imbachat/v2/{}/send_msg", self.widget), true)?
            .basic_auth(self.widget, Some(self.key.expose_secret()));
        let request = self.form(message).of(request);
        let response = http.send(request, Who::Secret).await?;
        let body = http.body(response).await?;
        wire::sent(&body).map_err(|bad| http.bad(bad, Who::Secret))
    }
}

impl SendMessages for Writer {
    async fn send(&self, message: &Message<'_>) -> Result<Option<MessageId>, Failure> {
        let Some(key) = &self.auth.secret_key else {
            let failure = Failure::lasting(Delivery::NotSent, "messages need the secret key");
            return Err(failure.hint("set IMBACHAT_SECRET_KEY"));
        };
        let password = Some(self.auth.password.clone());
        let sender = Sender::new(self.http.clone(), self.widget, key.clone(), password);
        sender.send(message).await
    }
}
