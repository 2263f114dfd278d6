//! Routes calls: maps paths to endpoints, and checks access.
//!
//! The main type is [`Endpoint`]. The work is done in [`super::writes`] and [`super::lists`]; this
//! module does not use sockets.

use std::time::Duration;

use super::answers::Answer;
use super::auth::Auth;
use super::php::Form;
use super::server_state::World;

/// A call of the API, with the widget from its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    ImbaRooms,
    GetRooms(u64),
    GetUsers(u64),
    GetMessages(u64),
    SendMsg(u64),
}

impl Endpoint {
    /// Returns the call for a path. The path of `get_messages` is a guess, because it is not
    /// published.
    pub(super) fn at(path: &str) -> Option<Self> {
        let path = path.strip_prefix("/imbachat/")?;
        if path == "v1/widget/imba_rooms" {
            return Some(Self::ImbaRooms);
        }
        let (widget, call) = path.strip_prefix("v2/")?.split_once('/')?;
        let widget = widget.parse().ok()?;
        match call {
            "get_rooms" => Some(Self::GetRooms(widget)),
            "get_users" => Some(Self::GetUsers(widget)),
            "get_messages" => Some(Self::GetMessages(widget)),
            "send_msg" => Some(Self::SendMsg(widget)),
            _ => None,
        }
    }

    /// Whether these credentials allow the call. A token is enough to list rooms and messages.
    /// `imba_rooms` is always allowed here, because its credentials are in the form.
    fn admits(self, auth: &Auth, now: u64) -> bool {
        match self {
            Self::ImbaRooms => true,
            Self::GetRooms(widget) | Self::GetMessages(widget) => {
                auth.is_widget(widget) || auth.token_user(now).is_some()
            }
            Self::GetUsers(widget) | Self::SendMsg(widget) => auth.is_widget(widget),
        }
    }
}

impl World {
    /// Handles a call. Takes the path, the credentials from the headers, the fields in body order,
    /// and the time in seconds since the epoch. Applies PHP's rules for names and limits to the
    /// fields.
    ///
    /// A path other than the five calls gives a 404.
    pub fn call(
        &mut self,
        endpoint: &str,
        auth: &Auth,
        fields: &[(String, String)],
        now_epoch_secs: u64,
    ) -> Answer {
        match Endpoint::at(endpoint) {
            Some(endpoint) => {
                let now = Duration::from_secs(now_epoch_secs);
                self.call_endpoint(endpoint, auth, fields, now)
            }
            None => Answer::not_found("Not found"),
        }
    }

    pub(super) fn call_endpoint(
        &mut self,
        endpoint: Endpoint,
        auth: &Auth,
        fields: &[(String, String)],
        now: Duration,
    ) -> Answer {
        self.now = now;
        let answer = if endpoint.admits(auth, now.as_secs()) {
            self.answer(endpoint, auth, &Form::from_fields(fields))
        } else {
            Answer::error(401, "the widget's number or its secret key is wrong")
        };
        if self.quirks.errors_with_200 {
            return answer.with_status_200();
        }
        answer
    }

    fn answer(&mut self, endpoint: Endpoint, auth: &Auth, form: &Form) -> Answer {
        match endpoint {
            Endpoint::ImbaRooms => self.imba_rooms(form),
            Endpoint::GetRooms(widget) => {
                let narrowed = self.quirks.jwt_lists_own && !auth.is_widget(widget);
                let user = auth.token_user(self.now.as_secs());
                self.get_rooms(widget, user.filter(|_| narrowed), form)
            }
            Endpoint::GetUsers(widget) => self.get_users(widget, form),
            Endpoint::GetMessages(widget) => self.get_messages(widget, form),
            Endpoint::SendMsg(widget) => self.send_msg(widget, form),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_distinguished() {
        let calls = [
            ("/imbachat/v1/widget/imba_rooms", Some(Endpoint::ImbaRooms)),
            ("/imbachat/v2/627/get_rooms", Some(Endpoint::GetRooms(627))),
            ("/imbachat/v2/627/get_users", Some(Endpoint::GetUsers(627))),
            (
                "/imbachat/v2/627/get_messages",
                Some(Endpoint::GetMessages(627)),
            ),
            ("/imbachat/v2/627/send_msg", Some(Endpoint::SendMsg(627))),
            ("/imbachat/v2/imba_id/get_rooms", None),
            ("/imbachat/v2/627/get_rooms/", None),
            ("/imbachat/v2/627", None),
            ("/", None),
        ];
        for (path, endpoint) in calls {
            assert_eq!(Endpoint::at(path), endpoint, "{path}");
        }
    }
}
