//! send_msg: the one call that can never be sent again once the server may have acted on it.

use std::future::Future;

use reqwest::multipart::Form;
use secrecy::{ExposeSecret, SecretString};
use tracing::debug;

use super::failure::{Delivery, Failure};
use super::http::Who;
use super::wire;
use super::write::Writer;
use crate::model::{RoomId, UserId};

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
    /// Sends a message once.
    fn send(&self, message: &Message<'_>) -> impl Future<Output = Result<(), Failure>> + Send;
}

impl SendMessages for Writer {
    async fn send(&self, message: &Message<'_>) -> Result<(), Failure> {
        let Some(key) = &self.auth.secret_key else {
            let failure = Failure::lasting(Delivery::NotSent, "messages need the secret key");
            return Err(failure.hint("set IMBACHAT_SECRET_KEY"));
        };
        let Message { room, from, text } = message;
        debug!(%room, %from, text_length = text.chars().count(), "message");
        // What people say to each other is no matter for logs, even if the server says it again.
        let http = (self.http.clone()).hiding(SecretString::from(message.text));
        let request = http
            .post(&format!("imbachat/v2/{}/send_msg", self.widget), true)?
            .basic_auth(self.widget, Some(key.expose_secret()))
            .multipart(self.message_form(message));
        let response = http.send(request, Who::Secret).await?;
        let body = http.body(response).await?;
        wire::sent(&body).map_err(|bad| http.bad(bad, Who::Secret))
    }
}

impl Writer {
    /// The page's text calls `imba_id` and the site user's password required, its sample has neither: both are sent.
    fn message_form(&self, message: &Message<'_>) -> Form {
        let Message { room, from, text } = message;
        Form::new()
            .text("imba_id", self.widget.to_string())
            .text("password", self.auth.password.expose_secret().to_owned())
            .text("user_id", from.to_string())
            .text("room_id", room.to_string())
            .text("message", (*text).to_owned())
    }
}
