//! The shape of an answer for `-vv`, without user text.

use serde_json::Value;

/// Maximum number of keys shown per object, and maximum length of each.
const KEYS: usize = 20;
const KEY: usize = 32;
/// Maximum size of an answer that is described.
const LARGEST: usize = 4 << 20;
/// Maximum depth of a shape.
const DEPTH: u32 = 4;

/// The shape of an answer: keys without secrets, numbers and booleans, but only the lengths of texts.
pub(super) fn shape(body: &[u8], redact: &dyn Fn(&str) -> String) -> String {
    if body.len() > LARGEST {
        return "large".to_owned();
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => value_shape(&value, DEPTH, redact),
        Err(_) if body.trim_ascii_start().starts_with(b"<") => "a page".to_owned(),
        Err(_) => "no JSON".to_owned(),
    }
}

fn value_shape(value: &Value, depth: u32, redact: &dyn Fn(&str) -> String) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) if matches!(text.as_str(), "" | "true" | "false" | "null" | "NULL") => {
            format!("\"{text}\"")
        }
        Value::String(text) => format!("text({})", text.chars().count()),
        Value::Array(_) | Value::Object(_) if depth == 0 => "…".to_owned(),
        Value::Array(items) => {
            let first = items.iter().take(1);
            let first = first.map(|item| value_shape(item, depth - 1, redact));
            format!("[{}]", join(first.collect(), ", ", items.len()))
        }
        Value::Object(map) => {
            let keys = map.iter().take(KEYS).map(|(key, value)| {
                let key: String = redact(key).chars().take(KEY).collect();
                format!("{key}:{}", value_shape(value, depth - 1, redact))
            });
            format!("{{{}}}", join(keys.collect(), " ", map.len()))
        }
    }
}

/// Joins the shown parts, and adds how many are not shown.
fn join(mut parts: Vec<String>, separator: &str, total: usize) -> String {
    if let more @ 1.. = total - parts.len() {
        parts.push(format!("{more} more"));
    }
    parts.join(separator)
}

#[cfg(test)]
mod tests {
    fn shape(body: &[u8]) -> String {
        super::shape(body, &|key| key.replace("hunter2", "***"))
    }

    #[test]
    fn a_shape_has_keys_and_numbers_but_no_text() {
        let body = br#"{"code":200,"success":"true","message":"Hello Ann","data":[{"room_id":7,"user":{"login":"ann","x":{"y":{"z":1}}}},{}]}"#;
        insta::assert_snapshot!(shape(body), @r#"{code:200 data:[{room_id:7 user:{login:text(3) x:…}}, 1 more] message:text(9) success:"true"}"#);
        // A key is redacted before it is cut.
        let key = format!("{}hunter2", "x".repeat(28));
        let body = format!("{{\"{key}\":1}}");
        assert_eq!(
            shape(body.as_bytes()),
            format!("{{{}***:1}}", "x".repeat(28))
        );
        assert_eq!(shape(b"<html>"), "a page");
        assert_eq!(shape(b"secret"), "no JSON");
        assert_eq!(shape(br#"["x",null,[[[[1]]]]]"#), "[text(1), 2 more]");
        assert_eq!(shape(b"[[[[[1,2]]]]]"), "[[[[…]]]]");
    }
}
