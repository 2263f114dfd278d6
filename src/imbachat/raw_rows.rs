//! The lists as they are, for people and scripts to look at: get_rooms, get_users and get_messages with their filters.
//!
//! Main type: [`Query`]. Rows keep the server's fields in the server's order; `raw_value` decodes each value.

use super::failure::{Cause, Failure};
use super::form::Form;
use super::list_stream::ListStream;
use super::raw_value::{Fields, Kind, cell, is_secret};
use super::read::{Reader, wait_after};
use super::retry::Dice;
use super::wire::{self, Bad};
use crate::model::{Listing, Row};

/// What in a path stands for the widget's number.
const WIDGET: &str = "{imba_id}";
/// A row with more fields is none.
const MOST_FIELDS: usize = 1000;

/// One list and what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Which list.
    pub listing: Listing,
    /// Another path than the usual one, below the API's address; `{imba_id}` in it is the widget's number.
    pub path: Option<String>,
    /// Filters by their names in the API, with what they are to be.
    pub filters: Vec<(&'static str, String)>,
}

impl Query {
    fn path(&self, reader: &Reader) -> String {
        let usual = || format!("imbachat/v2/{WIDGET}/get_{}", self.listing.name());
        let path = self.path.clone().unwrap_or_else(usual);
        path.trim_start_matches('/')
            .replace(WIDGET, &reader.widget().to_string())
    }

    /// The widget is a filter too, and the documented one that every sample sends.
    fn form(&self, reader: &Reader) -> Form {
        let form = Form::new().text("imba_id", reader.widget());
        self.filters
            .iter()
            .fold(form, |form, (name, value)| form.text(*name, value))
    }
}

impl Reader {
    /// The rows the server sends for a query, in its order, after as many tries as the retry table gives. `collect` starts
    /// anew on each try: an error may come after some rows did.
    ///
    /// # Errors
    /// [`Failure`]; of users also if there is no secret key, without which they are not listed.
    pub async fn query<T: Send>(
        &self,
        query: &Query,
        dice: &Dice,
        collect: impl Fn() -> T,
        take: impl Fn(&mut T, Row) + Sync,
    ) -> Result<T, Failure> {
        let auth = match query.listing {
            Listing::Users => self.user_auth()?,
            Listing::Rooms | Listing::Messages => self.auth.clone(),
        };
        let path = query.path(self);
        let mut attempt = 1;
        loop {
            let mut collected = collect();
            let mut take = |text: &[u8]| {
                take(&mut collected, row(query.listing, text)?);
                Ok(())
            };
            let form = query.form(self);
            let rows = match query.listing {
                Listing::Messages => ListStream::of_any_shape(),
                Listing::Rooms | Listing::Users => ListStream::default(),
            };
            match self.elements(&path, form, &auth, rows, &mut take).await {
                Ok(_) => return Ok(collected),
                Err(failure) => wait_after(query.told(failure), attempt, dice).await?,
            }
            attempt += 1;
        }
    }
}

impl Query {
    /// A path that was only guessed may be wrong.
    fn told(&self, failure: Failure) -> Failure {
        let guessed = self.listing == Listing::Messages && self.path.is_none();
        let missed = matches!(failure.cause, Some(Cause::Status(404 | 405)));
        if missed && self.path.is_some() {
            failure.hint("check --endpoint, and --api-url")
        } else if guessed && missed {
            failure.hint("the path of messages is not published, this one is a guess: name it with --endpoint")
        } else {
            failure
        }
    }
}

/// One element of a list.
///
/// # Errors
/// If it is no JSON object, or no row.
fn row(listing: Listing, text: &[u8]) -> Result<Row, Bad> {
    let Fields(fields) = wire::parse(text)?;
    if fields.len() > MOST_FIELDS {
        let text = format!("an element of the list has more than {MOST_FIELDS} fields");
        return Err(Bad::Shape(text));
    }
    let mut row = Row::default();
    for (name, value) in fields.into_iter().filter(|(name, _)| !is_secret(name)) {
        let cell = cell(&value, Kind::of(listing, &name))?;
        match row.fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = cell,
            None => row.fields.push((name, cell)),
        }
    }
    Ok(row)
}
