//! Serves the calls over HTTP, with faults and delays.
//!
//! The main type is [`Server`]. The rules of the API are in [`super::calls`]; PHP's rules are in
//! [`super::php`] and [`super::body`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;

use super::Stats;
use super::answers::Answer;
use super::auth::Auth;
use super::body::{POST_MAX_SIZE, fields};
use super::calls::Endpoint;
use super::connection::{Connection, REQUEST_TIME};
use super::fault_injection::{Fate, Faults};
use super::store::Store;

/// The state that all connections share.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) store: Store,
    pub(super) latency: Duration,
    pub(super) faults: Mutex<Faults>,
    pub(super) stats: Mutex<Stats>,
    /// The number of connections opened so far.
    pub(super) opened: Arc<AtomicU64>,
}

impl Server {
    pub(super) fn stats(&self) -> Stats {
        let calls = *self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        Stats {
            connections: self.opened.load(Ordering::Relaxed),
            ..calls
        }
    }

    /// Decides what happens to a request, and counts it.
    fn draw_fate(&self, endpoint: Endpoint) -> Fate {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let fate = faults.decide(Instant::now());
        let mut stats = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = match endpoint {
            Endpoint::ImbaRooms => &mut stats.imba_rooms,
            Endpoint::GetRooms(_) => &mut stats.get_rooms,
            Endpoint::GetUsers(_) => &mut stats.get_users,
            Endpoint::GetMessages(_) => &mut stats.get_messages,
            Endpoint::SendMsg(_) => &mut stats.send_msg,
        };
        *calls += 1;
        match fate {
            Fate::Answered => {}
            Fate::Failed => stats.failed += 1,
            Fate::Lost => stats.lost += 1,
            Fate::Refused { .. } => stats.refused += 1,
        }
        fate
    }

    /// Handles the call, and waits until its changes are saved.
    async fn work(&self, endpoint: Endpoint, headers: &HeaderMap, body: &[u8]) -> Answer {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let auth = Auth::from_headers(text("authorization"), text("jwt"));
        let fields = fields(text("content-type").unwrap_or_default(), body);
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let (answer, changed) = self.store.with_world(|world| {
            let before = world.revision;
            let answer = world.call_endpoint(endpoint, &auth, &fields, now);
            let after = world.revision;
            (answer, (after > before).then_some(after))
        });
        let saved = match changed {
            Some(revision) => self.store.save(revision, false).await,
            None => Ok(()),
        };
        match saved {
            Ok(()) => answer,
            Err(error) => Answer::message(500, &error.to_string()),
        }
    }
}

pub(super) fn router(server: Arc<Server>) -> Router {
    Router::new().fallback(handle).with_state(server)
}

async fn handle(
    State(server): State<Arc<Server>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let _handling = connection.begin_request();
    let (head, body) = request.into_parts();
    let Some(endpoint) = Endpoint::at(head.uri.path()) else {
        return response(Answer::not_found("Not found"));
    };
    if head.method != Method::POST {
        return wrong_method(&head.method);
    }
    let body = match tokio::time::timeout(REQUEST_TIME, read(body)).await {
        Ok(Some(body)) => body,
        Ok(None) => return response(Answer::message(400, "The body is incomplete.")),
        Err(_) => return response(Answer::message(408, "The body did not arrive in time.")),
    };
    let fate = server.draw_fate(endpoint);
    let answer = match fate {
        Fate::Refused { .. } => Answer::message(429, "Too Many Attempts."),
        Fate::Failed => Answer::message(500, "Server Error"),
        Fate::Answered | Fate::Lost => server.work(endpoint, &head.headers, &body).await,
    };
    if !server.latency.is_zero() {
        tokio::time::sleep(server.latency).await;
    }
    match fate {
        Fate::Lost => connection.cut(),
        Fate::Refused { retry_after } => {
            return (
                [(header::RETRY_AFTER, retry_after.to_string())],
                response(answer),
            )
                .into_response();
        }
        Fate::Answered | Fate::Failed => {}
    }
    response(answer)
}

/// Reads the whole body. Returns an empty body if it exceeds PHP's limit, and `None` if it is
/// incomplete.
async fn read(body: Body) -> Option<Vec<u8>> {
    let mut parts = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(part) = parts.next().await {
        let data = part.ok()?;
        length += data.len();
        if length <= POST_MAX_SIZE {
            bytes.extend_from_slice(&data);
        } else {
            bytes = Vec::new();
        }
    }
    Some(bytes)
}

fn response(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        answer.body,
    )
        .into_response()
}

/// Returns Laravel's error for an unsupported HTTP method.
fn wrong_method(method: &Method) -> Response {
    let text =
        format!("The {method} method is not supported for this route. Supported methods: POST.");
    (
        [(header::ALLOW, "POST")],
        response(Answer::message(405, &text)),
    )
        .into_response()
}
