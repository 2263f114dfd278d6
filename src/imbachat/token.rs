//! Tokens that give access for reading. Signs tokens with the secret key as the vendor's
//! plugins do (`api: fact 12`), and finds out when a token expires.
//!
//! If the user supplies a token, its content is used only to warn that the token expires.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::model::UserId;

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
/// The lifetime of a token in seconds. Each request gets a new token.
const LIFE: i64 = 3_600;

/// Returns the text with which every token from this module starts.
pub fn token_start() -> String {
    URL_SAFE_NO_PAD.encode(HEADER) + "."
}

/// Creates a token for a user. It expires an hour after `now`.
pub(super) fn mint(key: &SecretString, user: UserId, now: Timestamp) -> SecretString {
    let expires = now.as_second() + LIFE;
    let claims = format!(r#"{{"exp":{expires},"user_id":{user}}}"#);
    let signed = token_start() + &URL_SAFE_NO_PAD.encode(claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
    SecretString::from(format!("{signed}.{signature}"))
}

/// Returns when a token expires; `None` if it contains no standard expiry time.
pub fn expiry(token: &SecretString) -> Option<Timestamp> {
    let claims = token.expose_secret().trim().split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let exp = claims.get("exp")?;
    let seconds = exp
        .as_i64()
        .or_else(|| exp.as_f64().map(|exp| exp as i64))?;
    Timestamp::from_second(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_one_that_others_make() -> Result<(), Box<dyn std::error::Error>> {
        // This token was computed with Python's `hmac` module.
        let made = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3MDAwMDM2MDAsInVzZXJfaWQiOjd9.tPKZL9AlGgt3y86ixuoEMGds32M3eB9LjIPlVZirvBA";
        let now = Timestamp::from_second(1_700_000_000)?;
        let token = mint(&SecretString::from("secret_key"), UserId(7), now);
        assert_eq!(token.expose_secret(), made);
        assert_eq!(expiry(&token), Some(Timestamp::from_second(1_700_003_600)?));
        Ok(())
    }

    #[test]
    fn a_token_that_does_not_say_when_it_expires_is_none_the_worse() {
        // The payloads are `{"exp":1e3}`, `{"exp":"soon"}`, `{"exp":1e300}`, `{}`, and a text that
        // is not JSON.
        let when = |token: &str| expiry(&SecretString::from(token)).map(|time| time.as_second());
        assert_eq!(when("h.eyJleHAiOjFlM30.s"), Some(1000));
        for token in [
            "h.eyJleHAiOiJzb29uIn0.s",
            "h.eyJleHAiOjFlMzAwfQ.s",
            "h.e30.s",
            "h.x.s",
            "h",
            "",
        ] {
            assert_eq!(when(token), None, "{token}");
        }
    }
}
