//! HTTP messages as text.

use std::io::Read;
use std::net::TcpStream;

/// A complete answer that closes the connection.
pub fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A 200 answer with a JSON body.
pub fn json(body: &str) -> Vec<u8> {
    answer("200 OK", "Content-Type: application/json\r\n", body)
}

/// Reads a request with its body. Returns an empty string if the request is incomplete, for
/// example because the client was killed.
pub fn read_request(stream: &mut TcpStream) -> String {
    let (mut bytes, mut piece) = (Vec::new(), [0; 16_384]);
    loop {
        if let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
            let length =
                header(&text, "content-length").map_or(0, |length| length.parse().unwrap());
            if bytes.len() >= head + 4 + length {
                return String::from_utf8_lossy(&bytes).into_owned();
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return String::new(),
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

pub fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let head = request.split("\r\n\r\n").next().unwrap_or_default();
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The fields of a multipart form, in order.
pub fn form(request: &str) -> Vec<(&str, &str)> {
    let parts = request
        .split("Content-Disposition: form-data; name=\"")
        .skip(1);
    parts
        .map(|part| {
            let (name, rest) = part.split_once('"').unwrap();
            let (_, value) = rest.split_once("\r\n\r\n").unwrap();
            (name, value.split_once("\r\n--").unwrap().0)
        })
        .collect()
}
