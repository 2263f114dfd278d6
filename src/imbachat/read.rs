//! The reading half: list the rooms of a widget.

use std::collections::BTreeSet;
use std::future::Future;

use jiff::Timestamp;
use reqwest::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use tracing::{field, info};

use super::failure::{Call, Delivery, Failure};
use super::form::Form;
use super::http::{Http, Who};
use super::list_stream::{ListStream, RowError};
use super::raw_envelope;
use super::retry::{Dice, Verdict, verdict};
use super::token::mint;
use super::trace::RequestTrace;
use super::wire::{self, Bad};
use crate::model::{LiveRoom, UserId, WidgetId};

/// Who reads.
#[derive(Debug, Clone)]
pub enum ReadAuth {
    /// Basic: the widget's number and its secret key.
    Secret(SecretString),
    /// The `JWT` header.
    Jwt(SecretString),
    /// The `JWT` header too, with a token made anew for each request: a run may take longer than one lasts.
    Minted {
        /// The widget's secret key.
        key: SecretString,
        /// The user of the site it is made for.
        user: UserId,
    },
}

/// Something whose rooms can be listed.
pub trait ReadRooms: Send + Sync {
    /// Hands over every room of the widget, deleted ones the server shows included, in the server's order.
    ///
    /// An error may come after some rooms did; then none of them are to be used.
    fn list(
        &self,
        take: &mut (dyn FnMut(LiveRoom) + Send),
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Whether the list may lack rooms that exist: with a JWT it may show only one user's.
    fn is_partial(&self) -> bool {
        false
    }

    /// The list as a whole, after as many tries as the retry table gives. `collect` starts anew on each try.
    fn collect<T: Send>(
        &self,
        dice: &Dice,
        collect: impl Fn() -> T + Send + Sync,
        take: impl Fn(&mut T, LiveRoom) + Send + Sync,
    ) -> impl Future<Output = Result<T, Failure>> + Send {
        async move {
            let mut attempt = 1;
            loop {
                let mut collected = collect();
                let failure = match self.list(&mut |room| take(&mut collected, room)).await {
                    Ok(()) => return Ok(collected),
                    Err(failure) => failure,
                };
                wait_after(failure, attempt, dice).await?;
                attempt += 1;
            }
        }
    }
}

/// Waits as the retry table has it after the `attempt`th try to read a list; gives the failure back if there is to be no other.
pub(super) async fn wait_after(failure: Failure, attempt: u32, dice: &Dice) -> Result<(), Failure> {
    let verdict = verdict(Call::List, &failure, attempt);
    info!(
        attempt,
        cause = failure.cause.map(field::debug),
        ?verdict,
        "the list was not read"
    );
    match verdict {
        Verdict::Again(wait) => wait.out(dice).await,
        Verdict::InDoubt | Verdict::Final => return Err(failure),
    }
    Ok(())
}

/// The client that reads, and cannot write.
#[derive(Debug, Clone)]
pub struct Reader {
    http: Http,
    pub(super) widget: WidgetId,
    pub(super) auth: ReadAuth,
}

impl Reader {
    /// A reader of one widget.
    pub fn new(http: Http, widget: WidgetId, auth: ReadAuth) -> Self {
        let encoded = match &auth {
            ReadAuth::Secret(key) | ReadAuth::Minted { key, .. } => basic(&http, widget, key),
            ReadAuth::Jwt(_) => None,
        };
        let http = match encoded {
            Some(encoded) => http.hiding(encoded),
            None => http,
        };
        Self { http, widget, auth }
    }
}

impl ReadRooms for Reader {
    async fn list(&self, take: &mut (dyn FnMut(LiveRoom) + Send)) -> Result<(), Failure> {
        self.read_rooms(&mut |row| {
            take(wire::row(row)?);
            Ok(())
        })
        .await
        .map(drop)
    }

    fn is_partial(&self) -> bool {
        !matches!(self.auth, ReadAuth::Secret(_))
    }
}

impl Reader {
    /// The ids that the widget's users have on the site; users without one are passed over. As many tries as the retry table gives.
    ///
    /// # Errors
    /// [`Failure`]; also with only a JWT, which get_users does not take (`api: get_users`).
    pub async fn users(&self, dice: &Dice) -> Result<BTreeSet<UserId>, Failure> {
        let auth = self.user_auth()?;
        let mut attempt = 1;
        loop {
            let mut users = BTreeSet::new();
            let mut take = |row: &[u8]| {
                users.extend(wire::user(row)?);
                Ok(())
            };
            let (path, form) = self.usual("get_users");
            let failure = match self
                .elements(&path, form, &auth, ListStream::default(), &mut take)
                .await
            {
                Ok(_) => return Ok(users),
                Err(failure) => failure,
            };
            wait_after(failure, attempt, dice).await?;
            attempt += 1;
        }
    }

    /// The widget that is read.
    pub(super) fn widget(&self) -> WidgetId {
        self.widget
    }

    /// Hands over every row of get_rooms as it arrives, and then what was around them.
    pub(super) async fn read_rooms(
        &self,
        take: &mut (dyn FnMut(&[u8]) -> Result<(), Bad> + Send),
    ) -> Result<Vec<u8>, Failure> {
        let (path, form) = self.usual("get_rooms");
        self.elements(&path, form, &self.auth, ListStream::default(), take)
            .await
    }

    /// What users are listed with: the secret key, and no token (`api: get_users`).
    pub(super) fn user_auth(&self) -> Result<ReadAuth, Failure> {
        match &self.auth {
            ReadAuth::Secret(key) | ReadAuth::Minted { key, .. } => {
                Ok(ReadAuth::Secret(key.clone()))
            }
            ReadAuth::Jwt(_) => {
                let message =
                    "users are listed with the widget's secret key only, and there is only a JWT";
                Err(Failure::lasting(Delivery::NotSent, message).hint("set IMBACHAT_SECRET_KEY"))
            }
        }
    }

    /// The path of a call and the one field every form has.
    fn usual(&self, call: &str) -> (String, Form) {
        let form = Form::new().text("imba_id", self.widget);
        (format!("imbachat/v2/{}/{call}", self.widget), form)
    }

    /// One list call: hands over every element as it arrives, and what an answer of any shape has elsewhere at its end; the rest
    /// of the answer comes back.
    pub(super) async fn elements(
        &self,
        path: &str,
        form: Form,
        auth: &ReadAuth,
        mut rows: ListStream,
        take: &mut (dyn FnMut(&[u8]) -> Result<(), Bad> + Send),
    ) -> Result<Vec<u8>, Failure> {
        let mut http = self.http.clone();
        let request = form.of(http.post(path, false)?);
        let (request, who) = match auth {
            ReadAuth::Secret(key) => (
                request.basic_auth(self.widget, Some(key.expose_secret())),
                Who::Secret,
            ),
            ReadAuth::Jwt(token) => (request.header("JWT", secret_header(token)?), Who::Jwt),
            ReadAuth::Minted { key, user } => {
                let token = mint(key, *user, Timestamp::now())?;
                let request = request.header("JWT", secret_header(&token)?);
                http = http.hiding(token);
                (request, Who::Minted)
            }
        };
        let mut response = http.send(request, who).await?;
        let told = RequestTrace::of(&response);
        while let Some(piece) = response.chunk().await.map_err(|error| http.broken(error))? {
            let fed = rows.feed(&piece, &mut *take);
            fed.map_err(|bad| http.bad(bad, who))?;
        }
        let (count, any_shape) = (rows.count(), rows.is_of_any_shape());
        let envelope = rows
            .finish()
            .map_err(Bad::from)
            .map_err(|bad| http.bad(bad, who))?;
        http.tell(told, Some(count), &envelope);
        let rest = if any_shape {
            raw_envelope::rest(&envelope, count)
        } else {
            wire::envelope(&envelope).map(|()| Vec::new())
        };
        let taken =
            rest.and_then(|rest| rest.iter().try_for_each(|row| take(row.get().as_bytes())));
        taken.map_err(|bad| http.bad(bad, who))?;
        Ok(envelope)
    }
}

/// The secret key as it goes over the wire: a server that repeats the header it got must not get it into an error.
pub(super) fn basic(http: &Http, widget: WidgetId, key: &SecretString) -> Option<SecretString> {
    let request = http.post("", false).ok()?;
    let request = request.basic_auth(widget, Some(key.expose_secret()));
    let request = request.build().ok()?;
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    header.strip_prefix("Basic ").map(SecretString::from)
}

fn secret_header(token: &SecretString) -> Result<reqwest::header::HeaderValue, Failure> {
    let mut value =
        reqwest::header::HeaderValue::from_str(token.expose_secret()).map_err(|_| {
            Failure::lasting(
                Delivery::NotSent,
                "the JWT has characters no header can carry",
            )
            .hint("check IMBACHAT_JWT")
        })?;
    value.set_sensitive(true);
    Ok(value)
}

impl From<RowError> for Bad {
    fn from(error: RowError) -> Self {
        Self::Shape(error.to_string())
    }
}
