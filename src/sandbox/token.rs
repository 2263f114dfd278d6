//! Tokens: JWTs signed with HS256 and the widget's secret key.
//!
//! Choices where the documentation is silent: `exp` is required, and must be in the future.
//! `user_id` may be any integer. Other claims are ignored.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::Sha256;

/// Returns the user in a token, if the token is signed with this key and has not expired.
pub(super) fn user(token: &str, key: &str, now: u64) -> Option<u64> {
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
        let at = |now| user(good, "secret_key", now);
        assert_eq!(at(1_700_000_000), Some(1));
        assert_eq!(at(4_102_444_799), Some(1));
        assert!(at(4_102_444_800).is_none() && user(good, "another", 0).is_none());
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
            assert_eq!(user(token, "secret_key", 0), None, "{token}");
        }
    }
}
