//! The credentials in the headers of a request: a widget's secret key, or a JWT signed with it.
//!
//! The main type is [`Auth`]. The login for `imba_rooms` is in the form, so it is not handled here.
//!
//! Choices where the documentation is silent: In a token, `exp` is required, and must be in the
//! future. `user_id` may be any integer. Other claims are ignored.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::Sha256;

/// The secret key of every widget, as in the documentation.
const SECRET_KEY: &str = "secret_key";
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
        token_user(self.jwt.as_ref()?, SECRET_KEY, now)
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

/// Returns the user in a token, if the token is signed with this key and has not expired.
fn token_user(token: &str, key: &str, now: u64) -> Option<u64> {
    let (signed, signature) = token.trim().rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let head: Value = serde_json::from_slice(&decoded(head)?).ok()?;
    let claims: Value = serde_json::from_slice(&decoded(claims)?).ok()?;
    let signed = decoded(signature)? == hmac(key.as_bytes(), signed.as_bytes())?;
    let lasting = claims.get("exp")?.as_u64()? > now;
    let user = claims.get("user_id")?.as_u64()?;
    (head.get("alg")? == "HS256" && signed && lasting).then_some(user)
}

/// Decodes URL-safe Base64 without padding.
fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn hmac(key: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    Some(mac.chain_update(text).finalize().into_bytes().to_vec())
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

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn signatures_are_those_of_rfc_4231() {
        let second = hmac(b"Jefe", b"what do ya want for nothing?").unwrap_or_default();
        assert_eq!(
            hex(&second),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let sixth = hmac(
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
        )
        .unwrap_or_default();
        assert_eq!(
            hex(&sixth),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn only_a_token_signed_with_the_key_that_lasts_and_names_a_user_is_good() {
        let good = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsInVzZXJfaWQiOjF9.re5IXI3tOhBns9P4hcCY7qHoaMEb9ODtYQShIlZspPI";
        let at = |now| token_user(good, "secret_key", now);
        assert_eq!(at(1_700_000_000), Some(1));
        assert_eq!(at(4_102_444_799), Some(1));
        assert!(at(4_102_444_800).is_none() && token_user(good, "another", 0).is_none());
        let bad = [
            "",
            "a.b",
            "a.b.c",
            "a..c",
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDB9.QKOjZZZtyCQNWBVtqqiWTH_v5FzfL6XRmTMF3to2x44",
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjoxfQ.VWEPoFGPKV8q5vcQefQy28zhVeLUZmjSj5SGoD1VQJI",
            "eyJhbGciOiJub25lIn0.eyJleHAiOjQxMDI0NDQ4MDAsInVzZXJfaWQiOjF9.F_6h9s_SQDoo1yfEHAxwsjAixC8eUeJh2OE83Y2uQ6Q",
            good.get(..good.len() - 1).unwrap_or_default(),
            &format!("{good}.x"),
            &format!("{good}="),
        ];
        for token in bad {
            assert_eq!(token_user(token, "secret_key", 0), None, "{token}");
        }
    }
}
