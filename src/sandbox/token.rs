//! Tokens: three parts, signed with HS256 and the widget's secret key, by code of its own.
//!
//! Choices where the pages say nothing: `exp` must be there and not be over, `user_id` must be an integer, and any will do; no
//! other claim is looked at.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256 works on blocks of so many bytes.
const BLOCK: usize = 64;

/// The user that a token names, if it was signed with this key and has not expired.
pub(super) fn user(token: &str, key: &str, now: u64) -> Option<u64> {
    let (signed, signature) = token.trim().rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let head: Value = serde_json::from_slice(&decoded(head)?).ok()?;
    let claims: Value = serde_json::from_slice(&decoded(claims)?).ok()?;
    let signed = decoded(signature)? == hmac(key.as_bytes(), signed.as_bytes());
    let lasting = claims.get("exp")?.as_u64()? > now;
    let user = claims.get("user_id")?.as_u64()?;
    (head.get("alg")? == "HS256" && signed && lasting).then_some(user)
}

/// Base64 as URLs have it, without padding.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let foreign = text.contains(['+', '/', '=']);
    (!foreign).then(|| base64_decoded(&text.replace('-', "+").replace('_', "/")))?
}

/// RFC 2104.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; BLOCK];
    let short = match key.len() {
        0..=BLOCK => key.to_vec(),
        _ => Sha256::digest(key).to_vec(),
    };
    for (to, from) in block.iter_mut().zip(short) {
        *to = from;
    }
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text);
    let outer = Sha256::new().chain_update(padded(0x5c));
    outer.chain_update(inner.finalize()).finalize().to_vec()
}

/// Standard base64, with or without padding; `None` for anything else.
pub(super) fn base64_decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut buffer, mut bits) = (0_u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        buffer = (buffer << 6 | u32::from(sextet(digit)?)) & 0xff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(buffer >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

fn sextet(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn signatures_are_those_of_rfc_4231() {
        let second = hmac(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(
            hex(&second),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let sixth = hmac(
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
        );
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
