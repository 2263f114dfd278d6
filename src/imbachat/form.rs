//! Builds a `multipart/form-data` body in one buffer.
//!
//! Main type: [`Form`]. It does not know the API's fields.

use std::fmt::{Display, Write as _};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;

/// The boundary between fields. It is random in each process, so that no title can contain it.
static BOUNDARY: LazyLock<String> = LazyLock::new(|| {
    let dice = RandomState::new();
    format!("{:016x}{:016x}", dice.hash_one(1), dice.hash_one(2))
});

/// The fields of a call, in the order in which they are sent.
#[derive(Debug, Default)]
pub(super) struct Form {
    body: String,
}

impl Form {
    /// Creates an empty form.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds a field. Names are ours, so they need no escaping.
    #[must_use]
    pub(super) fn text(mut self, name: impl Display, value: impl Display) -> Self {
        let boundary = &*BOUNDARY;
        // Writing to a `String` does not fail.
        let _infallible = write!(
            self.body,
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        self
    }

    /// Sets the form as the body of a request.
    pub(super) fn attach_to(self, request: RequestBuilder) -> RequestBuilder {
        let (mut body, boundary) = (self.body, &*BOUNDARY);
        body.push_str("--");
        body.push_str(boundary);
        body.push_str("--\r\n");
        let kind = format!("multipart/form-data; boundary={boundary}");
        request.header(CONTENT_TYPE, kind).body(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_sent_unchanged() {
        let form = Form::new().text("a", "one\r\n--two\"").text("b", "");
        let body = form.body.replace(&*BOUNDARY, "X");
        let field = |name, value| {
            format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        assert_eq!(body, field("a", "one\r\n--two\"") + &field("b", ""));
    }
}
