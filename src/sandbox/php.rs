//! Turns a request body into the content of PHP's `$_POST`: [`fields`] parses the body
//! (`multipart/form-data` or `application/x-www-form-urlencoded`), and [`Form`] applies PHP's rules
//! for the names of variables.
//!
//! Uploaded files are dropped, as in `$_POST`. Bytes that are not UTF-8 become replacement
//! characters. Arrays do not preserve the order of their keys, because nothing in the API depends
//! on it.

use std::collections::BTreeMap;

/// PHP's `post_max_size`, in bytes. A script sees no fields of a longer body.
pub(super) const POST_MAX_SIZE: usize = 8 * 1024 * 1024;
/// PHP's `max_input_vars`. Any further variables are dropped silently (api: fact 2).
const MAX_INPUT_VARS: usize = 1_000;
/// PHP's `max_input_nesting_level`. Variables that are nested deeper are dropped.
const MAX_NESTING: usize = 64;

/// What a PHP script sees of a request body.
#[derive(Debug, Default)]
pub(super) struct Form(Array);

#[derive(Debug)]
enum Variable {
    Text(String),
    Array(Array),
}

#[derive(Debug, Default)]
struct Array {
    items: BTreeMap<Key, Variable>,
    /// The key of the next value that `[]` appends.
    next: i64,
}

/// A key of a PHP array. A whole number in decimal digits is an integer; anything else is text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Index(i64),
    Name(String),
}

impl Form {
    /// Stores fields in body order, up to `max_input_vars`.
    pub(super) fn from_fields(fields: &[(String, String)]) -> Self {
        let mut variables = Array::default();
        for (name, value) in fields.iter().take(MAX_INPUT_VARS) {
            if let Some(path) = path(name) {
                variables.register(&path, value);
            }
        }
        Self(variables)
    }

    /// Returns the text of a scalar variable; `None` if the variable is absent, empty or an array.
    ///
    /// An empty text counts as absent: the documentation sends `room_pipe=` and expects a generated
    /// pipe.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.0.items.get(&Key::of(name))? {
            Variable::Text(text) if !text.is_empty() => Some(text),
            Variable::Text(_) | Variable::Array(_) => None,
        }
    }

    /// Returns a scalar variable as a number, such as an id.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.text(name).and_then(number)
    }

    /// Returns the texts in an array variable, by key; none if the variable is absent or a scalar.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        let items = match self.0.items.get(&Key::of(name)) {
            Some(Variable::Array(array)) => Some(array.items.values()),
            Some(Variable::Text(_)) | None => None,
        };
        items.into_iter().flatten().filter_map(|value| match value {
            Variable::Text(text) => Some(text.as_str()),
            Variable::Array(_) => None,
        })
    }
}

/// Parses a number, such as an id.
pub(super) fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

impl Array {
    fn register(&mut self, path: &[Option<Key>], value: &str) {
        let Some((step, rest)) = path.split_first() else {
            return;
        };
        let key = step.clone().unwrap_or(Key::Index(self.next));
        if let Key::Index(index) = key {
            self.next = self.next.max(index.saturating_add(1));
        }
        if rest.is_empty() {
            self.items.insert(key, Variable::Text(value.to_owned()));
            return;
        }
        let empty = || Variable::Array(Self::default());
        let inner = self.items.entry(key).or_insert_with(empty);
        if let Variable::Text(_) = inner {
            *inner = empty();
        }
        if let Variable::Array(array) = inner {
            array.register(rest, value);
        }
    }
}

impl Key {
    fn of(text: &str) -> Self {
        match text.parse::<i64>() {
            Ok(index) if index.to_string() == text => Self::Index(index),
            _ => Self::Name(text.to_owned()),
        }
    }
}

/// Returns the keys in a field name, outermost first. The key of `[]` is `None`. Returns `None` if
/// PHP drops the variable.
fn path(name: &str) -> Option<Vec<Option<Key>>> {
    let name = name.split('\0').next().unwrap_or_default();
    let name = name.trim_start_matches(' ');
    let (stem, brackets) = match name.find('[') {
        Some(at) => name.split_at(at),
        None => (name, ""),
    };
    if stem.is_empty() {
        return None;
    }
    let stem = stem.replace([' ', '.'], "_");
    if !brackets.is_empty() && !brackets.contains(']') {
        // an unclosed `[` becomes `_`; the text after it does not change
        let rest = brackets.strip_prefix('[').unwrap_or_default();
        return Some(vec![Some(Key::of(&format!("{stem}_{rest}")))]);
    }
    let mut path = vec![Some(Key::of(&stem))];
    path.extend(indexes(brackets));
    (path.len() <= MAX_NESTING + 1).then_some(path)
}

/// Returns the keys in `[a][][b]`, up to the first character outside brackets.
fn indexes(mut text: &str) -> Vec<Option<Key>> {
    let mut keys = Vec::new();
    while let Some((index, rest)) = text
        .strip_prefix('[')
        .and_then(|inner| inner.split_once(']'))
    {
        let blank = index.len() <= 1 && index.trim().is_empty();
        keys.push((!blank).then(|| Key::of(index)));
        text = rest;
    }
    keys
}

/// Returns the fields of a body in order; none if the content type is not a form.
pub(super) fn fields(content_type: &str, body: &[u8]) -> Vec<(String, String)> {
    let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let kind = kind.trim();
    if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return form_urlencoded::parse(body).into_owned().collect();
    }
    if kind.eq_ignore_ascii_case("multipart/form-data") {
        let boundary = parameter(parameters, "boundary").filter(|it| !it.is_empty());
        return boundary.map_or_else(Vec::new, |boundary| multipart(body, &boundary));
    }
    Vec::new()
}

/// Returns the fields between the delimiter lines. If the body is truncated, returns the fields
/// that arrived.
fn multipart(body: &[u8], boundary: &str) -> Vec<(String, String)> {
    let body = format!("\n{}", String::from_utf8_lossy(body));
    let delimiter = format!("\n--{boundary}");
    let parts = body.split(&delimiter).skip(1);
    let fields = parts.filter_map(|part| {
        let part = part.strip_prefix('\r').unwrap_or(part);
        let part = part.strip_prefix('\n')?;
        let ends = ["\r\n\r\n", "\n\n"];
        let split = ends.iter().find_map(|end| part.split_once(end));
        let (headers, value) = split.unwrap_or((part, ""));
        let value = value.strip_suffix('\r').unwrap_or(value);
        Some((field_name(headers)?, value.to_owned()))
    });
    fields.collect()
}

/// Returns the field name of a part; `None` for an uploaded file or a part without a name.
fn field_name(headers: &str) -> Option<String> {
    let disposition = headers.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim()
            .eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    })?;
    let (_, parameters) = disposition.split_once(';')?;
    if parameter(parameters, "filename").is_some() {
        return None;
    }
    parameter(parameters, "name")
}

/// Returns the value of a key in a list such as `key=value; key="value"`.
fn parameter(mut text: &str, wanted: &str) -> Option<String> {
    while let Some((key, rest)) = text.split_once('=') {
        let (value, rest) = parameter_value(rest.trim_start());
        if key
            .trim_matches([';', ' ', '\t'])
            .eq_ignore_ascii_case(wanted)
        {
            return Some(value);
        }
        text = rest;
    }
    None
}

fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        return (value.trim_end().to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return (value, characters.as_str()),
            '\\' => value.extend(characters.next()),
            _ => value.push(character),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Form::from_fields(&fields)
    }

    #[test]
    fn a_space_or_dot_in_a_name_becomes_an_underscore() {
        let form = form(&[("room_is_public ", "1"), ("  a.b c", "2")]);
        assert_eq!(form.text("room_is_public"), None);
        assert_eq!(form.text("room_is_public_"), Some("1"));
        assert_eq!(form.text("a_b_c"), Some("2"));
    }

    #[test]
    fn the_last_of_two_values_wins_and_empty_is_absent() {
        let form = form(&[("a", "1"), ("a", "2"), ("b", "")]);
        assert_eq!(form.text("a"), Some("2"));
        assert_eq!(form.text("b"), None);
    }

    #[test]
    fn array_keys_are_numbered_appended_or_named() {
        let form = form(&[("u[3]", "a"), ("u[]", "b"), ("u[x]", "c"), ("u[3]", "d")]);
        assert_eq!(form.texts("u").collect::<Vec<_>>(), ["d", "b", "c"]);
        assert_eq!(form.text("u"), None);
    }

    #[test]
    fn nested_arrays_are_apart_from_their_parents_texts() {
        let form = form(&[("u[a][b]", "1"), ("u[c]", "2"), ("u[d]tail", "3")]);
        assert_eq!(form.texts("u").collect::<Vec<_>>(), ["2", "3"]);
    }

    #[test]
    fn an_array_replaces_a_scalar_of_the_same_name() {
        let form = form(&[("u", "1"), ("u[]", "2")]);
        assert_eq!(form.texts("u").collect::<Vec<_>>(), ["2"]);
    }

    #[test]
    fn an_unclosed_bracket_becomes_an_underscore() {
        let form = form(&[("a[b", "1"), ("[c]", "2"), ("d[e][f", "3")]);
        assert_eq!(form.text("a_b"), Some("1"));
        assert_eq!(form.texts("d").collect::<Vec<_>>(), ["3"]);
        assert_eq!(form.0.items.len(), 2);
    }

    #[test]
    fn nesting_beyond_the_limit_drops_the_variable() {
        let deep = format!("a{}", "[]".repeat(MAX_NESTING + 1));
        assert_eq!(path(&deep), None);
        assert!(path(deep.get(..deep.len() - 2).unwrap_or_default()).is_some());
    }

    #[test]
    fn variables_after_the_thousandth_are_dropped() {
        let mut fields: Vec<_> = (0..1_500)
            .map(|n| (format!("u[{n}]"), n.to_string()))
            .collect();
        fields.push(("late".to_owned(), "1".to_owned()));
        let form = Form::from_fields(&fields);
        assert_eq!(form.texts("u").count(), MAX_INPUT_VARS);
        assert_eq!(form.text("late"), None);
    }

    fn pairs(fields: &[(String, String)]) -> Vec<(&str, &str)> {
        fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    #[test]
    fn multipart_gives_values_as_sent() {
        let body = "preamble\r\n--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\ntwo\r\n\
            --X\r\ncontent-disposition: form-data; name=b\r\nContent-Type: text/plain\r\n\r\n\r\n--X--\r\n";
        let fields = fields("multipart/form-data; boundary=X", body.as_bytes());
        assert_eq!(pairs(&fields), [("a", "one\r\ntwo"), ("b", "")]);
    }

    #[test]
    fn files_and_nameless_parts_are_left_out() {
        let body = "--X\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\n\r\n1\r\n\
            --X\r\nContent-Disposition: form-data\r\n\r\n2\r\n--X--\r\n";
        assert!(fields("multipart/form-data; boundary=\"X\"", body.as_bytes()).is_empty());
    }

    #[test]
    fn a_body_cut_short_keeps_what_arrived() {
        let body = b"--X\r\nContent-Disposition: form-data; name=\"a \\\"q\\\"\"\r\n\r\nhal";
        let fields = fields("multipart/form-data; charset=utf-8; boundary=X", body);
        assert_eq!(pairs(&fields), [("a \"q\"", "hal")]);
    }

    #[test]
    fn urlencoded_escapes_are_decoded() {
        let body = b"a%5B0%5D=3&title=one+%D0%A2&&bare&odd=%zz%4";
        let fields = fields("application/x-www-form-urlencoded; charset=UTF-8", body);
        let expected = [
            ("a[0]", "3"),
            ("title", "one Т"),
            ("bare", ""),
            ("odd", "%zz%4"),
        ];
        assert_eq!(pairs(&fields), expected);
    }

    #[test]
    fn other_content_types_hold_no_fields() {
        assert!(fields("application/json", b"{\"a\":1}").is_empty());
        assert!(fields("multipart/form-data", b"--X\r\n").is_empty());
    }
}
