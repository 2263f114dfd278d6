//! The credentials of a request.
//!
//! The main type is [`Auth`]. It has the credentials in the headers. Tokens are checked in
//! [`super::token`]. The login for `imba_rooms` is in the form, so it is not handled here.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;

use super::token;

/// The secret key of every widget, as in the documentation.
pub(super) const SECRET_KEY: &str = "secret_key";
/// Login and password of the site user, as in the documentation.
pub(super) const SITE_USER: (&str, &str) = ("admin", "admin");

/// The credentials in the headers of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Auth {
    /// User and password of an `Authorization: Basic` header.
    pub basic: Option<(String, String)>,
    /// The value of a `JWT` header.
    pub jwt: Option<String>,
}

impl Auth {
    /// Returns an `Auth` without credentials. `imba_rooms` needs none in the headers.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Returns Basic credentials. For a widget, the user is its number and the password is
    /// `secret_key`.
    #[must_use]
    pub fn basic(user: impl Into<String>, password: impl Into<String>) -> Self {
        let basic = Some((user.into(), password.into()));
        Self { basic, jwt: None }
    }

    /// Returns a token as credentials.
    #[must_use]
    pub fn jwt(token: impl Into<String>) -> Self {
        let jwt = Some(token.into());
        Self { basic: None, jwt }
    }

    /// Parses the headers `Authorization` and `JWT`.
    pub(super) fn from_headers(authorization: Option<&str>, jwt: Option<&str>) -> Self {
        let jwt = jwt.map(str::to_owned);
        let basic = authorization.and_then(basic_credentials);
        Self { basic, jwt }
    }

    pub(super) fn is_widget(&self, widget: u64) -> bool {
        self.basic
            .as_ref()
            .is_some_and(|(user, password)| *user == widget.to_string() && password == SECRET_KEY)
    }

    /// Returns the user of a token that is valid at this time (in seconds since the epoch).
    pub(super) fn token_user(&self, now: u64) -> Option<u64> {
        token::user(self.jwt.as_ref()?, SECRET_KEY, now)
    }
}

fn basic_credentials(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let encoded = encoded.trim().trim_end_matches('=');
    let decoded = BASE64_STANDARD_NO_PAD.decode(encoded).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_decoded() {
        let auth = Auth::from_headers(Some("Basic NjI3OnNlY3JldF9rZXk="), None);
        assert_eq!(auth, Auth::basic("627", "secret_key"));
        assert!(auth.is_widget(627));
        assert!(!auth.is_widget(209));
    }

    #[test]
    fn headers_of_another_form_carry_no_user() {
        for header in ["Bearer abc", "Basic", "Basic !!!!", "Basic bm9jb2xvbg=="] {
            assert_eq!(
                Auth::from_headers(Some(header), None),
                Auth::none(),
                "{header}"
            );
        }
    }
}
