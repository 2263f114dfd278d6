//! Parses request bodies to named values as PHP does: `multipart/form-data` and
//! `application/x-www-form-urlencoded`.
//!
//! The main function is [`fields`]. It does not interpret the names (see [`super::php`]). It drops
//! uploaded files, as `$_POST` does. Bytes that are not UTF-8 become replacement characters.

/// PHP's `post_max_size`, in bytes. A script sees no fields of a longer body.
pub(super) const POST_MAX_SIZE: usize = 8 * 1024 * 1024;

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
