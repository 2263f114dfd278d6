//! Looking at a server rather than working with it: whether it answers at all, and what its list is made of.
//!
//! Main types: [`Reachability`] and [`ListSurvey`]. Both only read; a knock carries no credentials.

use std::collections::BTreeMap;

use jiff::Timestamp;
use reqwest::Response;
use reqwest::header::DATE;

use super::failure::Failure;
use super::form::Form;
use super::http::Http;
use super::list_stream::{ListStream, RowError};
use super::read::{Reader, wait_after};
use super::retry::Dice;
use super::wire;
use crate::model::{LiveRoom, WidgetId};

/// What came back from a call without credentials.
#[derive(Debug, Clone)]
pub struct Reachability {
    /// The HTTP status.
    pub status: u16,
    /// The server's clock.
    pub date: Option<Timestamp>,
    /// If it only pointed elsewhere, the failure that this is to any call.
    pub redirected: Option<Failure>,
    /// Whether it was the list: then whoever asks gets it, and no credentials are proved good by it.
    pub open: bool,
}

/// A list, and what it is made of.
#[derive(Debug, Clone, Default)]
pub struct ListSurvey {
    /// The rooms, deleted ones included, in the server's order.
    pub rooms: Vec<LiveRoom>,
    /// In how many rows each key stands.
    pub row_keys: BTreeMap<String, usize>,
    /// The keys beside the rows.
    pub envelope_keys: Vec<String>,
    /// Rows of another widget.
    pub foreign: usize,
}

impl Http {
    /// Calls get_rooms without credentials, once: every answer tells that somebody is there.
    ///
    /// # Errors
    /// [`Failure`], if no answer came.
    pub async fn knock(&self, widget: WidgetId) -> Result<Reachability, Failure> {
        let request = self.post(&format!("imbachat/v2/{widget}/get_rooms"), true)?;
        let request = Form::new().text("imba_id", widget).of(request);
        let response = self.answer(request).await?;
        let date = response.headers().get(DATE);
        let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date.to_str().ok()?).ok());
        let status = response.status();
        let redirected = status.is_redirection().then(|| self.redirected(&response));
        Ok(Reachability {
            status: status.as_u16(),
            date: date.map(|date| date.timestamp()),
            redirected,
            open: status.is_success() && is_list(response).await,
        })
    }
}

/// Whether a whole answer is a good list. One that breaks off tells nothing.
async fn is_list(mut response: Response) -> bool {
    let mut rows = ListStream::default();
    while let Ok(piece) = response.chunk().await {
        let Some(piece) = piece else {
            let envelope = rows.finish();
            return envelope.is_ok_and(|envelope| wire::envelope(&envelope).is_ok());
        };
        let fed = rows.feed(&piece, |_| Ok::<(), RowError>(()));
        if fed.is_err() {
            return false;
        }
    }
    false
}

impl Reader {
    /// The whole list with all that is in it. As many tries as the retry table gives.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn survey(&self, dice: &Dice) -> Result<ListSurvey, Failure> {
        let mut attempt = 1;
        loop {
            let mut survey = ListSurvey::default();
            let failure = match self.survey_once(&mut survey).await {
                Ok(()) => return Ok(survey),
                Err(failure) => failure,
            };
            wait_after(failure, attempt, dice).await?;
            attempt += 1;
        }
    }

    async fn survey_once(&self, survey: &mut ListSurvey) -> Result<(), Failure> {
        let widget = self.widget();
        let envelope = self
            .read_rooms(&mut |row| {
                survey.rooms.push(wire::row(row)?);
                let keys = wire::keys(row)?;
                for key in keys.names {
                    *survey.row_keys.entry(key).or_default() += 1;
                }
                let foreign = keys.widget.is_some_and(|of| of != widget.0);
                survey.foreign += usize::from(foreign);
                Ok(())
            })
            .await?;
        // It was good, so it can be read.
        survey.envelope_keys = wire::keys(&envelope).map_or(Vec::new(), |keys| keys.names);
        Ok(())
    }
}
