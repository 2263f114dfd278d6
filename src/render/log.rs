//! Formats a log entry as text for people, or as a JSON object.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::escape::{self, terminal};

/// A log entry: an action or a decision.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The level: `error`, `warn`, `info` or `debug`.
    pub level: &'static str,
    /// The module that wrote the entry.
    pub stage: &'a str,
    /// The message without its values.
    pub message: &'a str,
    /// The values, in printed order.
    pub fields: &'a [(&'static str, Value)],
}

/// Formats an entry for people, such as `info: apply: sent again  pipe=team-a attempt=2`. The
/// result has no line break.
pub fn format_text(entry: &Entry<'_>) -> String {
    add_fields(format!("{}: {}: ", entry.level, entry.stage), entry)
}

/// Appends the message and the values to a line.
fn add_fields(mut line: String, entry: &Entry<'_>) -> String {
    line.push_str(&terminal(entry.message));
    for (index, (name, value)) in entry.fields.iter().enumerate() {
        let gap = if index == 0 { "  " } else { " " };
        let _ = write!(line, "{gap}{name}={}", quote_value(value));
    }
    line
}

/// Formats an entry as it is printed without `-v`. The result has no line break.
pub fn format_briefly(entry: &Entry<'_>) -> String {
    let mut fields = entry.fields.iter();
    let seconds = fields.find_map(|(name, value)| (*name == "seconds").then_some(value));
    match (entry.message, seconds) {
        ("the server asked to wait", Some(seconds)) => {
            let seconds = quote_value(seconds);
            format!("waiting {seconds} s, as the server requested")
        }
        _ => add_fields("warning: ".to_owned(), entry),
    }
}

/// Formats an entry as JSON. The result has no line break.
pub fn format_json(time: &str, run: &str, entry: &Entry<'_>) -> String {
    let (level, stage, message) = (entry.level, entry.stage, entry.message);
    let mut object =
        json!({ "time": time, "run": run, "level": level, "stage": stage, "message": message });
    if let (Some(object), [_, ..]) = (object.as_object_mut(), entry.fields) {
        let fields = entry.fields.iter().cloned();
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        object.insert("fields".to_owned(), fields.collect::<Map<_, _>>().into());
    }
    escape::json(&object.to_string())
}

/// Formats a value so that it cannot be mistaken for two values or for another field.
fn quote_value(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() || text.contains([' ', '"', '=']) => {
            terminal(&value.to_string())
        }
        Value::String(text) => terminal(text),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a failing index fails the test")]
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
        insta::assert_snapshot!(format_text(&entry), @r#"info: apply: sent again  pipe="a b\u001b[2J\n\u{202e}\u{e0001}\"=x" attempt=2 empty="" plain=team-a"#);
        let line = format_json("2026-01-01T00:00:00.000Z", "0f", &entry);
        insta::assert_snapshot!(line, @r#"{"fields":{"attempt":2,"empty":"","pipe":"a b\u001b[2J\n\u202e\udb40\udc01\"=x","plain":"team-a"},"level":"info","message":"sent again","run":"0f","stage":"apply","time":"2026-01-01T00:00:00.000Z"}"#);
        let read: Value = serde_json::from_str(&line).unwrap_or_default();
        assert_eq!(read["fields"]["pipe"], hostile);
    }
}
