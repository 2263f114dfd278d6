//! Sentences as data: fixed words, and between them untrusted values that each writer escapes.

use std::borrow::Cow;

use super::grammar::{Count, few};
use super::title_diff::apart;
use crate::model::{Pipe, RoomId};

/// Maximum number of room ids that one line lists, if several rooms have the same pipe.
const NAMED_IDS: usize = 8;

/// A sentence as a list of parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text<'a>(pub Vec<Span<'a>>);

/// A part of a sentence. Its kind decides how writers escape it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span<'a> {
    /// Words from roomform itself.
    Words(Cow<'static, str>),
    /// A pipe, a glob, a file name or an address.
    Name(Cow<'a, str>),
    /// The title of a room, or the text of a message.
    Title(Cow<'a, str>),
    /// The ids of rooms, or users with their names.
    Ids(String),
    /// Users with their names. They follow a count.
    Members(String),
    /// A sentence that has its values in back-ticks.
    Message(Cow<'a, str>),
    /// A text from the server.
    Said(Cow<'a, str>),
}

/// Creates a sentence from fixed words, with a value in place of each `{}`.
macro_rules! text {
    ($words:literal $(, $value:expr)* $(,)?) => {
        $crate::view::Text::fill($words, [$($value.into()),*])
    };
}
pub(super) use text;

impl<'a> Text<'a> {
    /// Creates a sentence from fixed words, with a value in place of each `{}`.
    pub(super) fn fill<const N: usize>(words: &'static str, values: [Self; N]) -> Self {
        debug_assert_eq!(words.matches("{}").count(), N, "{words}");
        let mut words = words.split("{}");
        let mut text = Self::from(words.next().unwrap_or_default());
        for (value, words) in values.into_iter().zip(words) {
            text.push(value);
            text.push(words);
        }
        text
    }

    pub fn push(&mut self, part: impl Into<Self>) {
        self.0.extend(part.into().0);
    }

    /// Joins texts with a separator.
    pub fn join(parts: impl IntoIterator<Item = Self>, separator: &'static str) -> Self {
        let mut text = Self::default();
        for part in parts {
            if !text.0.is_empty() {
                text.push(separator);
            }
            text.push(part);
        }
        text
    }

    /// Formats each part of the sentence with `span`, and joins the results.
    pub fn write(&self, span: impl Fn(&Span<'a>) -> String) -> String {
        self.0.iter().map(span).collect()
    }

    /// Returns the sentence with names in back-ticks and titles in quotes. It is not safe to print.
    pub fn quoted(&self) -> String {
        self.write(|span| match span {
            Span::Name(name) => format!("`{name}`"),
            Span::Title(title) => format!("\"{title}\""),
            span => span.raw().to_owned(),
        })
    }

    /// Returns the unescaped sentence. It is not safe to print.
    pub fn raw(&self) -> String {
        self.write(|span| span.raw().to_owned())
    }
}

impl Span<'_> {
    /// Creates a part from words of roomform itself, including figures.
    pub fn words(text: String) -> Self {
        Self::Words(Cow::Owned(text))
    }

    /// Returns the unescaped text. It is not safe to print.
    pub fn raw(&self) -> &str {
        match self {
            Self::Words(text) => text,
            Self::Name(text) | Self::Title(text) | Self::Message(text) | Self::Said(text) => text,
            Self::Ids(text) | Self::Members(text) => text,
        }
    }
}

impl<'a> From<Span<'a>> for Text<'a> {
    fn from(span: Span<'a>) -> Self {
        Self(vec![span])
    }
}

impl From<&'static str> for Text<'_> {
    fn from(words: &'static str) -> Self {
        let span = (!words.is_empty()).then_some(Span::Words(Cow::Borrowed(words)));
        Self(span.into_iter().collect())
    }
}

impl<'a> From<&'a Pipe> for Text<'a> {
    fn from(pipe: &'a Pipe) -> Self {
        Span::Name(pipe.as_str().into()).into()
    }
}

/// Converts values that need no escaping: numbers and ids.
macro_rules! from_values {
    ($($value:ty => $span:path, $write:expr;)+) => {$(
        impl From<$value> for Text<'_> {
            fn from(value: $value) -> Self {
                $span($write(value).into()).into()
            }
        }
    )+};
}
from_values! {
    Count<'_> => Span::Words, |count: Count<'_>| count.to_string();
    usize => Span::Words, |count: usize| count.to_string();
    RoomId => Span::Ids, |room: RoomId| room.to_string();
    &[RoomId] => Span::Ids, |rooms: &[RoomId]| few(rooms.iter(), NAMED_IDS);
}

/// Returns the old and the new title. Long titles are cut to the part that differs.
pub(super) fn titles<'a>(before: &str, after: &str) -> [Text<'a>; 2] {
    apart(before, after).map(|title| Span::Title(title.into()).into())
}

/// Lists the first `most` names, then says how many more there are.
pub(super) fn names<'a>(names: impl ExactSizeIterator<Item = &'a str>, most: usize) -> Text<'a> {
    let more = names.len().saturating_sub(most);
    let names = names.take(most).map(|name| Span::Name(name.into()).into());
    let mut text = Text::join(names, ", ");
    if more > 0 {
        text.push(text!(" … {} more", more));
    }
    text
}
