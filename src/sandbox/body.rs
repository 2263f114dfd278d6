//! Request bodies as PHP reads them: `multipart/form-data` and `application/x-www-form-urlencoded` to named values.
//!
//! The main function is [`fields`]. It does not interpret names (that is [`super::php`]), and drops uploaded files as
//! `$_POST` does. Bytes that are not UTF-8 become replacement characters.

/// PHP's `post_max_size`: of a longer body a script sees nothing at all.
pub(super) const POST_MAX_SIZE: usize = 8 * 1024 * 1024;

/// The fields of a body in their order; none where the content type is not one of a form.
pub(super) fn fields(content_type: &str, body: &[u8]) -> Vec<(String, String)> {
    let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let kind = kind.trim();
    if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return urlencoded(body);
    }
    if kind.eq_ignore_ascii_case("multipart/form-data") {
        return boundary(parameters).map_or_else(Vec::new, |boundary| multipart(body, &boundary));
    }
    Vec::new()
}

fn urlencoded(body: &[u8]) -> Vec<(String, String)> {
    body.split(|&byte| byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut parts = pair.splitn(2, |&byte| byte == b'=');
            let mut part = || percent_decoded(parts.next().unwrap_or_default());
            (part(), part())
        })
        .collect()
}

fn percent_decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = match (first, tail) {
            (b'%', [high, low, after @ ..]) => hex(*high).zip(hex(*low)).zip(Some(after)),
            _ => None,
        };
        match escaped {
            Some(((high, low), after)) => {
                bytes.push(high << 4 | low);
                rest = after;
            }
            None => {
                bytes.push(if first == b'+' { b' ' } else { first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

/// The boundary in the parameters of a content type, without quotes.
fn boundary(parameters: &str) -> Option<String> {
    let value = parameter(parameters, "boundary")?;
    (!value.is_empty()).then_some(value)
}

fn multipart(body: &[u8], boundary: &str) -> Vec<(String, String)> {
    let delimiter = format!("--{boundary}").into_bytes();
    let mut fields = Vec::new();
    let mut rest = body;
    while let Some(part) = after_delimiter(rest, &delimiter) {
        let (headers, content) = split_headers(part);
        let end = content_end(content, &delimiter);
        let (value, after) = content.split_at_checked(end).unwrap_or((content, &[]));
        if let Some(name) = field_name(&headers) {
            let value = value.strip_suffix(b"\r").unwrap_or(value);
            fields.push((name, String::from_utf8_lossy(value).into_owned()));
        }
        rest = after;
    }
    fields
}

/// What follows the next line that is exactly the delimiter; the closing one, with two more hyphens, is not.
fn after_delimiter<'a>(mut text: &'a [u8], delimiter: &[u8]) -> Option<&'a [u8]> {
    while !text.is_empty() {
        let (line, rest) = split_line(text);
        if line == delimiter {
            return Some(rest);
        }
        text = rest;
    }
    None
}

fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = text.splitn(2, |&byte| byte == b'\n');
    let line = parts.next().unwrap_or_default();
    let rest = parts.next().unwrap_or_default();
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

fn split_headers(mut text: &[u8]) -> (Vec<String>, &[u8]) {
    let mut headers = Vec::new();
    while !text.is_empty() {
        let (line, rest) = split_line(text);
        text = rest;
        if line.is_empty() {
            break;
        }
        headers.push(String::from_utf8_lossy(line).into_owned());
    }
    (headers, text)
}

/// Where the content of a part ends: at the line end before the next delimiter, or with the body if it was cut short.
fn content_end(content: &[u8], delimiter: &[u8]) -> usize {
    let ends = content
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n');
    ends.map(|(at, _)| at)
        .find(|at| {
            let rest = content.get(at + 1..);
            rest.is_some_and(|rest| rest.starts_with(delimiter))
        })
        .unwrap_or(content.len())
}

/// The field a part belongs to; none for an uploaded file and for a part without a name.
fn field_name(headers: &[String]) -> Option<String> {
    let disposition = headers.iter().find_map(|line| {
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

/// The value of one `key=value` or `key="value"` among parameters separated by semicolons.
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
