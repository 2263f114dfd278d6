//! The client that reads: it lists a widget's rooms, users and messages.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use jiff::Timestamp;
use reqwest::header::HeaderValue;
use reqwest::{RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::answer::number;
use super::http::{Form, Http, JWT, MINTED_JWT, date};
use super::list_stream::ListStream;
use super::raw_rows::{self, Shapes};
use super::retry::{Call, Cause, Dice, Failure, sleep, with_retries};
use super::token::{mint, token_start};
use super::wire::{self, BadAnswer};
use crate::model::{Cell, Listing, LiveRoom, Row, UserId, WidgetId};

/// Maximum size of a list in bytes.
const LARGEST_LIST: usize = 256 << 20;
/// Maximum size in bytes of a list of unknown shape, which is read as a whole.
const LARGEST_OF_ANY_SHAPE: usize = 64 << 20;
/// Maximum number of different keys that a survey counts.
const MOST_KEYS: usize = 1000;

/// Credentials for reading.
#[derive(Debug, Clone)]
pub enum ReadAuth {
    /// Basic authentication with the widget's number and its secret key.
    Secret(SecretString),
    /// The `JWT` header with the token that the user supplied.
    Jwt(SecretString),
    /// The `JWT` header with a new token for each request, because a token may expire during a run.
    Minted {
        /// The widget's secret key.
        key: SecretString,
        /// The site user whose id is in the token.
        user: UserId,
    },
}

/// A client that lists rooms.
pub trait ReadRooms {
    /// Passes every room of the widget to `take`, in the server's order. Includes deleted rooms if
    /// the server shows them.
    ///
    /// If this fails after some rooms, the caller must discard those rooms.
    fn list(&self, take: &mut dyn FnMut(LiveRoom)) -> impl Future<Output = Result<(), Failure>>;

    /// Returns whether the list may be incomplete. With a JWT, the server may show only one user's
    /// rooms.
    fn is_partial(&self) -> bool {
        false
    }

    /// Reads the whole list, with retries. Each attempt starts with a new value from `collect`.
    fn collect<T>(
        &self,
        dice: &Dice,
        collect: impl Fn() -> T,
        take: impl Fn(&mut T, LiveRoom),
    ) -> impl Future<Output = Result<T, Failure>> {
        async move {
            let read = || async {
                let mut collected = collect();
                self.list(&mut |room| take(&mut collected, room)).await?;
                Ok(collected)
            };
            with_retries(Call::List, dice, sleep, read).await
        }
    }
}

/// The client that can read but not write.
#[derive(Debug, Clone)]
pub struct Reader {
    http: Http,
    widget: WidgetId,
    auth: ReadAuth,
}

/// A list and the filters for its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Which list to read.
    pub listing: Listing,
    /// A path below the API's address, used instead of the default path. `{imba_id}` in the path
    /// is replaced by the widget's number.
    pub path: Option<String>,
    /// The filters, each with its name in the API and its value.
    pub filters: Vec<(&'static str, String)>,
}

impl Query {
    /// Creates a query for the whole list, without filters.
    pub(super) fn all(listing: Listing) -> Self {
        Self {
            listing,
            path: None,
            filters: Vec::new(),
        }
    }

    fn path(&self, widget: WidgetId) -> String {
        let usual = || format!("imbachat/v2/{{imba_id}}/get_{}", self.listing.name());
        let path = self.path.clone().unwrap_or_else(usual);
        let path = path.trim_start_matches('/');
        path.replace("{imba_id}", &widget.to_string())
    }

    /// Builds the request without credentials. The form contains the widget's number, as in
    /// every documented sample.
    fn request(&self, http: &Http, widget: WidgetId) -> Result<RequestBuilder, Failure> {
        let mut form = Form::default().text("imba_id", widget);
        for (name, value) in &self.filters {
            form = form.text(name, value);
        }
        http.post(&self.path(widget), form)
    }

    /// Adds a hint if the server does not know the path, and the path was set by the user or is not
    /// documented.
    fn explain(&self, failure: Failure) -> Failure {
        let missed = matches!(failure.cause, Some(Cause::Status(404 | 405)));
        match (&self.path, self.listing) {
            (Some(_), _) if missed => failure.hint("check --endpoint, and --api-url"),
            (None, Listing::Messages) if missed => failure.hint(
                "set the path with --endpoint: the path of this call is not documented, so roomform guessed it",
            ),
            _ => failure,
        }
    }
}

/// A function that receives each row of a list as JSON text.
pub(super) type Take<'t> = &'t mut dyn FnMut(&[u8]) -> Result<(), BadAnswer>;

impl Reader {
    /// Creates a client that reads one widget.
    pub fn new(mut http: Http, widget: WidgetId, auth: ReadAuth) -> Self {
        if let ReadAuth::Minted { .. } = auth {
            http.redactor.hide_tokens(&token_start());
        }
        Self { http, widget, auth }
    }

    /// Reads the site ids of the widget's users, or only of the banned ones, with retries. Omits
    /// users without a site id.
    ///
    /// # Errors
    /// Returns a [`Failure`] if the list cannot be read, or if there is only a JWT, because
    /// get_users does not accept a JWT (`api: get_users`).
    pub async fn users(&self, only_banned: bool, dice: &Dice) -> Result<BTreeSet<UserId>, Failure> {
        let take = |users: &mut BTreeSet<UserId>, row: Row| {
            if let Some(Cell::Text(text)) = row.get("remote_user_id") {
                // Compare the id as text, because `007` is not user 7.
                let id = text.parse().ok().filter(|id: &u64| id.to_string() == *text);
                users.extend(id.filter(|id| *id > 0).map(UserId));
            }
        };
        let mut query = Query::all(Listing::Users);
        if only_banned {
            query.filters.push(("banned", "1".to_owned()));
        }
        self.query(&query, dice, BTreeSet::new, take).await
    }

    /// Reads the whole list of rooms and the keys in its rows and envelope, with retries.
    ///
    /// # Errors
    /// Returns a [`Failure`] if the list cannot be read.
    pub async fn survey(&self, dice: &Dice) -> Result<ListSurvey, Failure> {
        let documented = Listing::Rooms.documented_fields();
        let take = |survey: &mut ListSurvey, row: &[u8]| {
            survey.rooms.push(wire::row(row)?);
            let fields: BTreeMap<String, Value> = wire::parse(row)?;
            let widget = fields.get("imba_id").and_then(wire::integer);
            let widget = widget.and_then(|widget| u64::try_from(widget).ok());
            survey.foreign += usize::from(widget.is_some_and(|widget| widget != self.widget.0));
            for key in fields.keys() {
                let name = self.name_field(key, &documented);
                *survey.row_keys.entry(name).or_default() += 1;
            }
            match survey.row_keys.len() > MOST_KEYS {
                true => Err(BadAnswer::TooLarge(format!(
                    "the rows of the server's list have more than {MOST_KEYS} different keys"
                ))),
                false => Ok(()),
            }
        };
        let query = Query::all(Listing::Rooms);
        let (mut survey, envelope) = self.rows(&query, dice, ListSurvey::default, take).await?;
        let keys = envelope.as_object().into_iter().flat_map(Map::keys);
        survey.envelope_keys = keys.map(|key| self.name_field(key, &ENVELOPE)).collect();
        Ok(survey)
    }

    /// Returns the name of a field for display. An undocumented name is redacted, and shortened so
    /// that it cannot contain a token.
    fn name_field(&self, key: &str, documented: &[&str]) -> String {
        match documented.contains(&key) {
            true => key.to_owned(),
            false => self.http.redact(key).chars().take(64).collect(),
        }
    }

    /// Reads the rows that match a query, in the server's order, with retries. Each attempt
    /// starts with a new value from `collect`, because an attempt may fail after some rows.
    ///
    /// # Errors
    /// Returns a [`Failure`] if the list cannot be read, or if the query is for users and there
    /// is no secret key.
    pub async fn query<T>(
        &self,
        query: &Query,
        dice: &Dice,
        collect: impl Fn() -> T,
        take: impl Fn(&mut T, Row),
    ) -> Result<T, Failure> {
        let take = |(collected, shapes): &mut (T, Shapes), text: &[u8]| {
            take(collected, raw_rows::row(query.listing, text, shapes)?);
            Ok(())
        };
        let collect = || (collect(), Shapes::default());
        let ((collected, _), _) = self.rows(query, dice, collect, take).await?;
        Ok(collected)
    }

    /// Collects the rows of a list, with retries. Returns them with the envelope.
    async fn rows<T>(
        &self,
        query: &Query,
        dice: &Dice,
        collect: impl Fn() -> T,
        take: impl Fn(&mut T, &[u8]) -> Result<(), BadAnswer>,
    ) -> Result<(T, Value), Failure> {
        let read = || async {
            let mut collected = collect();
            let take = &mut |row: &[u8]| take(&mut collected, row);
            let envelope = self.rows_once(query, take).await;
            let envelope = envelope.map_err(|failure| query.explain(failure))?;
            Ok((collected, envelope))
        };
        with_retries(Call::List, dice, sleep, read).await
    }

    /// Makes one call and passes each row to `take`. Returns the envelope, or null for messages,
    /// whose shape is not documented.
    pub(super) async fn rows_once(&self, query: &Query, take: Take<'_>) -> Result<Value, Failure> {
        let mut http = self.http.clone();
        let request = query.request(&http, self.widget)?;
        let is_users = query.listing == Listing::Users;
        let request = match &self.auth {
            ReadAuth::Minted { key, user } if !is_users => {
                http.credentials = MINTED_JWT;
                let token = mint(key, *user, Timestamp::now());
                request.header("JWT", secret_header(&token)?)
            }
            // Listing users needs the secret key; a token is not enough (`api: get_users`).
            ReadAuth::Secret(key) | ReadAuth::Minted { key, .. } => {
                request.basic_auth(self.widget, Some(key.expose_secret()))
            }
            ReadAuth::Jwt(_) if is_users => {
                let message = "listing users needs the widget's secret key; a JWT is not enough";
                return Err(Failure::not_sent(message).hint("set IMBACHAT_SECRET_KEY"));
            }
            ReadAuth::Jwt(token) => {
                http.credentials = JWT;
                request.header("JWT", secret_header(token)?)
            }
        };
        let response = http.send(request).await?;
        if query.listing != Listing::Messages {
            return http.list(response, take).await;
        }
        let time = http.list_time();
        let body = http.body(response, LARGEST_OF_ANY_SHAPE, time).await?;
        let taken = raw_rows::take_messages(&body, take);
        taken.map_err(|bad| http.reject(bad))?;
        Ok(Value::Null)
    }
}

impl ReadRooms for Reader {
    async fn list(&self, take: &mut dyn FnMut(LiveRoom)) -> Result<(), Failure> {
        let query = Query::all(Listing::Rooms);
        let take = &mut |row: &[u8]| {
            take(wire::row(row)?);
            Ok(())
        };
        self.rows_once(&query, take).await.map(drop)
    }

    fn is_partial(&self) -> bool {
        !matches!(self.auth, ReadAuth::Secret(_))
    }
}

fn secret_header(token: &SecretString) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(token.expose_secret()).map_err(|_| {
        let message = "the JWT has characters that are not allowed in a header";
        Failure::not_sent(message).hint("check IMBACHAT_JWT")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// What the server answered to a call without credentials.
#[derive(Debug, Clone)]
pub struct Reachability {
    /// The HTTP status of the answer.
    pub status: u16,
    /// The server's time, from the `Date` header.
    pub date: Option<Timestamp>,
    /// If the answer is a redirect, the failure that every call would get.
    pub redirected: Option<Failure>,
    /// Whether the server returned the list without credentials. If it did, the success of a
    /// later call proves nothing about the credentials.
    pub open: bool,
}

/// The documented fields of the envelope of get_rooms.
pub const ENVELOPE: [&str; 4] = ["code", "data", "message", "success"];

/// The rooms of a list, and the keys that the list contains.
#[derive(Debug, Clone, Default)]
pub struct ListSurvey {
    /// The rooms in the server's order, including deleted ones.
    pub rooms: Vec<LiveRoom>,
    /// For each key, the number of rows that have it.
    pub row_keys: BTreeMap<String, usize>,
    /// The keys of the envelope around the rows.
    pub envelope_keys: Vec<String>,
    /// The number of rows that belong to another widget.
    pub foreign: usize,
}

impl Http {
    /// Calls get_rooms once without credentials. Any answer proves that the server is reachable.
    ///
    /// # Errors
    /// Returns a [`Failure`] if there is no answer.
    pub async fn knock(&self, widget: WidgetId) -> Result<Reachability, Failure> {
        let request = Query::all(Listing::Rooms).request(self, widget)?;
        let response = self.answer(request.timeout(self.timeout)).await?;
        let status = response.status();
        let date = date(response.headers());
        let redirected = status.is_redirection().then(|| self.redirected(&response));
        let ignore = &mut |_: &[u8]| Ok(());
        let open = status.is_success() && self.list(response, ignore).await.is_ok();
        Ok(Reachability {
            status: status.as_u16(),
            date,
            redirected,
            open,
        })
    }

    /// Reads a list answer, passes each element to `take` as it arrives, and returns the envelope.
    async fn list(&self, response: Response, take: Take<'_>) -> Result<Value, Failure> {
        let bad = |bad| self.reject(bad);
        let (number, mut list) = (number(&response), ListStream::default());
        let feed = |piece: &[u8]| list.feed(piece, &mut *take);
        let time = self.list_time();
        self.pieces(response, LARGEST_LIST, time, feed).await?;
        let count = list.count();
        let envelope = list.finish().map_err(bad)?;
        self.log_body(number, Some(count), &envelope);
        wire::envelope(&envelope).map_err(bad)
    }
}
