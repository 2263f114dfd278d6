//! A line of the log: text for people, or one JSON object.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::escape::{json, terminal};

/// Something that was done or decided.
#[derive(Debug)]
pub struct Entry<'a> {
    /// `error`, `warn`, `info` or `debug`.
    pub level: &'static str,
    /// The part of the program that tells it.
    pub stage: &'a str,
    /// What.
    pub message: &'a str,
    /// With which values, in this order.
    pub fields: &'a [(&'static str, Value)],
}

/// The entry for people, without a line break: `info: apply: sent again  pipe=team-a attempt=2`.
pub fn text(entry: &Entry<'_>) -> String {
    let Entry {
        level,
        stage,
        message,
        fields,
    } = entry;
    let mut line = format!("{level}: {stage}: {}", terminal(message));
    for (index, (name, value)) in fields.iter().enumerate() {
        let gap = if index == 0 { "  " } else { " " };
        let _ = write!(line, "{gap}{name}={}", word(value));
    }
    line
}

/// The entry in words, for whoever asked for no log; without a line break.
pub fn plain(entry: &Entry<'_>) -> String {
    let mut fields = entry.fields.iter();
    let seconds = fields.find_map(|(name, value)| (*name == "seconds").then_some(value));
    match (entry.message, seconds) {
        ("the server asked to wait", Some(seconds)) => {
            format!("waiting {} s: the server asked for it", word(seconds))
        }
        _ => text(entry),
    }
}

/// The entry as JSON, without a line break.
pub fn object(time: &str, run: &str, entry: &Entry<'_>) -> String {
    let Entry {
        level,
        stage,
        message,
        fields,
    } = entry;
    let mut object = Map::new();
    let mut put = |name: &str, text: &str| object.insert(name.to_owned(), text.into());
    put("time", time);
    put("run", run);
    put("level", level);
    put("stage", stage);
    put("message", message);
    if !fields.is_empty() {
        let fields = fields.iter().cloned();
        let fields: Map<String, Value> = fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        object.insert("fields".to_owned(), fields.into());
    }
    json(&Value::Object(object).to_string())
}

/// A value that cannot be taken for two, or for another field.
fn word(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let plain = !text.is_empty() && !text.contains([' ', '"', '=']);
            if plain {
                terminal(text)
            } else {
                terminal(&Value::from(text.as_str()).to_string())
            }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
#[expect(
    clippy::indexing_slicing,
    reason = "a test that indexes what is not there fails where it stands"
)]
mod tests {
    use super::*;

    #[test]
    fn one_line_whatever_the_values_are() {
        let hostile = "a b\u{1b}[2J\n\u{202e}\u{e0001}\"=x";
        let fields = [
            ("pipe", Value::from(hostile)),
            ("attempt", Value::from(2)),
            ("empty", Value::from("")),
            ("plain", Value::from("team-a")),
        ];
        let entry = Entry {
            level: "info",
            stage: "apply",
            message: "sent again",
            fields: &fields,
        };
        insta::assert_snapshot!(text(&entry), @r#"info: apply: sent again  pipe="a b\u001b[2J\n\u{202e}\u{e0001}\"=x" attempt=2 empty="" plain=team-a"#);
        let line = object("2026-01-01T00:00:00.000Z", "0f", &entry);
        insta::assert_snapshot!(line, @r#"{"fields":{"attempt":2,"empty":"","pipe":"a b\u001b[2J\n\u202e\udb40\udc01\"=x","plain":"team-a"},"level":"info","message":"sent again","run":"0f","stage":"apply","time":"2026-01-01T00:00:00.000Z"}"#);
        let read: Value = serde_json::from_str(&line).unwrap_or_default();
        assert_eq!(read["fields"]["pipe"], hostile);
    }
}
