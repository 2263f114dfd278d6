//! Single values out of nodes: every mistake is noted where it stands, and reading goes on.
//!
//! Main type: [`Decoder`]. It knows types and spelling, not what a manifest is made of.

use super::raw::{PositiveId, RawFile, Spanned};
use super::scalar::{Reading, reading};
use super::yaml::{Node, Value};
use crate::model::Limit;
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems, clip};
use crate::tables::nearest::nearest;
use crate::tables::number::{is_digits, share, whole_number};
use crate::tables::source::Lines;

/// The largest id: what a signed 64-bit column holds.
const LARGEST_ID: u64 = i64::MAX as u64;

/// Notes mistakes while values are read.
#[derive(Debug)]
pub(super) struct Decoder<'a> {
    pub(super) problems: &'a mut Problems,
    /// The files with rows that were named so far.
    pub(super) files: Vec<RawFile>,
    /// The lines of the file.
    pub(super) lines: Lines<'a>,
}

/// The most keys that a mapping may have.
pub(super) const MOST_KEYS: usize = 12;

/// The keys that a mapping may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    pub(super) owner: &'static str,
    pub(super) own: &'static [&'static str],
    /// Further keys, such as those of a file with rows.
    pub(super) more: &'static [&'static str],
}

impl Keys {
    pub(super) const fn new(owner: &'static str, own: &'static [&'static str]) -> Self {
        let more = &[];
        Self { owner, own, more }
    }

    pub(super) fn all(self) -> impl Iterator<Item = &'static str> {
        self.own.iter().chain(self.more).copied()
    }
}

/// The values of a mapping by their keys.
pub(super) struct Fields<'n> {
    pub(super) owner: &'static str,
    pub(super) at: At,
    pairs: &'n [(Node<'n>, Node<'n>)],
    /// Known keys that unknown ones resemble: they are misspelt, not missing.
    misspelt: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    pub(super) fn get(&self, key: &str) -> Option<&'n Node<'n>> {
        let mut pairs = self.pairs.iter();
        let pair = pairs.find(|(other, _)| other.word() == Some(key));
        pair.map(|(_, value)| value)
    }

    /// Notes a key that is missing; `owner` has it, and `what` is its value.
    pub(super) fn require(&self, decoder: &mut Decoder<'_>, owner: &str, key: &str, what: &str) {
        if self.get(key).is_none() && !self.misspelt.contains(&key) {
            let message = format!("{owner} has no `{key}`");
            let diagnostic = Diagnostic::at(Code::MissingKey, self.at, message);
            decoder.note(diagnostic.hint(format!("give it a `{key}`: {what}")));
        }
    }
}

impl<'a> Decoder<'a> {
    pub(super) fn new(lines: Lines<'a>, problems: &'a mut Problems) -> Self {
        Self {
            lines,
            problems,
            files: Vec::new(),
        }
    }

    pub(super) fn note(&mut self, diagnostic: Diagnostic) {
        self.problems.push(diagnostic);
    }

    /// The values of the known keys; unknown and repeated keys are noted.
    pub(super) fn fields<'n>(&mut self, node: &'n Node<'n>, keys: Keys) -> Option<Fields<'n>> {
        let Value::Map(pairs) = node.value() else {
            self.wrong_type(node, keys.owner, "a mapping");
            return None;
        };
        let (mut misspelt, mut seen) = (Vec::new(), [None; MOST_KEYS]);
        for (key, _) in pairs {
            let name = key.word().unwrap_or_default();
            let known = keys.all().position(|known| known == name);
            match known.and_then(|place| seen.get_mut(place)) {
                None => misspelt.extend(self.unknown_key(key, name, keys)),
                Some(Some(first)) => self.duplicate_key(name, key.at, *first),
                Some(first) => *first = Some(key.at),
            }
        }
        Some(Fields {
            owner: keys.owner,
            at: node.at,
            pairs,
            misspelt,
        })
    }

    /// Notes an unknown key. Returns the known one that it resembles.
    pub(super) fn unknown_key(
        &mut self,
        key: &Node,
        name: &str,
        keys: Keys,
    ) -> Option<&'static str> {
        let message = match key.value() {
            Value::Scalar { text, plain } => {
                format!("unknown key {} in {}", written(text, *plain), keys.owner)
            }
            _ => format!("a key of {} must be a word, not {}", keys.owner, key.noun()),
        };
        let diagnostic = Diagnostic::at(Code::UnknownKey, key.at, message);
        let near = nearest(name, keys.all());
        let hint = match near {
            Some(known) => format!("did you mean `{known}`?"),
            None if name == "<<" => {
                "merge keys are not part of the manifest; use `defaults` or a group".to_owned()
            }
            None => {
                let known: Vec<&str> = keys.all().collect();
                format!("known keys: {}", known.join(", "))
            }
        };
        self.note(diagnostic.hint(hint));
        near
    }

    pub(super) fn duplicate_key(&mut self, name: &str, at: At, first: At) {
        let message = format!("the key `{}` stands twice", clip(name));
        let diagnostic =
            Diagnostic::at(Code::DuplicateKey, at, message).related(first, "first here");
        self.note(diagnostic.hint("keep one of the two; roomform never picks one silently"));
    }

    pub(super) fn wrong_type(&mut self, node: &Node, what: &str, wanted: &str) {
        let message = format!("{what} must be {wanted}, not {}", node.noun());
        let hint = match wanted {
            "a mapping" => "write it as `key: value`, one line for each key".to_owned(),
            "text" => "write a text; one that starts with [ or { needs quotes".to_owned(),
            _ => format!("write {wanted}"),
        };
        self.note(Diagnostic::at(Code::WrongType, node.at, message).hint(hint));
    }

    /// Text that every YAML reader takes as text.
    pub(super) fn text(&mut self, node: &Node, what: &str) -> Option<Spanned<String>> {
        let Value::Scalar { text, plain } = node.value() else {
            self.wrong_type(node, what, "text");
            return None;
        };
        let read = if *plain { reading(text) } else { Reading::Text };
        match read {
            Reading::Null | Reading::Bool | Reading::Number | Reading::Date => {
                let message = format!(
                    "{what} must be text, but YAML reads {} as {}",
                    written(text, true),
                    read.noun()
                );
                let hint = if text.is_empty() {
                    "write a text".to_owned()
                } else {
                    format!("quote it: \"{}\"", clip(text))
                };
                self.note(Diagnostic::at(Code::NeedsQuotes, node.at, message).hint(hint));
                None
            }
            Reading::Text => Some(Spanned {
                value: text.to_string(),
                at: node.at,
            }),
        }
    }

    /// `true` or `false`, unquoted.
    pub(super) fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        match node.value() {
            Value::Scalar { text, plain: true } if matches!(&**text, "true" | "True" | "TRUE") => {
                Some(true)
            }
            Value::Scalar { text, plain: true }
                if matches!(&**text, "false" | "False" | "FALSE") =>
            {
                Some(false)
            }
            Value::Scalar { text, plain } => {
                let message = format!(
                    "{what} must be true or false, not {}",
                    written(text, *plain)
                );
                self.note(
                    Diagnostic::at(Code::WrongType, node.at, message)
                        .hint("write true or false, without quotes"),
                );
                None
            }
            _ => {
                self.wrong_type(node, what, "true or false");
                None
            }
        }
    }

    /// What [`Decoder::id`] makes of a node that is one; what is none is nobody's mistake yet.
    pub(super) fn plain_id(node: &Node) -> Option<u64> {
        match node.value() {
            Value::Scalar { text, plain: true } => whole_number(text),
            _ => None,
        }
        .filter(|number| (1..=LARGEST_ID).contains(number))
    }

    /// A whole number above zero, written plainly: no sign, no leading zero, no `1_000`.
    pub(super) fn id(&mut self, node: &Node, what: &str) -> Option<Spanned<PositiveId>> {
        let Value::Scalar { text, plain } = node.value() else {
            self.wrong_type(node, what, "a number");
            return None;
        };
        match Self::plain_id(node) {
            Some(number) => Some(Spanned {
                value: PositiveId(number),
                at: node.at,
            }),
            None => {
                let message = format!(
                    "{what} must be a whole number above zero, not {}",
                    written(text, *plain)
                );
                let digits = is_digits(text);
                let hint = match text.trim_start_matches('0') {
                    "" if digits => "ids start at 1",
                    _ if !digits => "write the digits only",
                    _ if !plain => "write it without quotes",
                    rest if rest.len() < text.len() => {
                        "write it without leading zeros: other YAML readers take them for octal"
                    }
                    _ => "the largest id is 9223372036854775807",
                };
                self.note(Diagnostic::at(Code::WrongType, node.at, message).hint(hint));
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        node: &Node,
        what: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let names: Vec<&str> = choices
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| !name.starts_with(char::is_numeric))
            .collect();
        let one_of = || format!("it is one of: {}", names.join(", "));
        let Value::Scalar { text, plain } = node.value() else {
            let message = format!("{what} must be a word, not {}", node.noun());
            self.note(Diagnostic::at(Code::WrongType, node.at, message).hint(one_of()));
            return None;
        };
        let is_number = text.starts_with(char::is_numeric);
        let found = choices
            .iter()
            .find(|(name, _)| name == text && (*plain || !is_number))
            .map(|(_, value)| *value);
        if found.is_none() {
            let message = format!("{what} cannot be {}", written(text, *plain));
            let hint = nearest(text, names.iter().copied())
                .map_or_else(one_of, |name| format!("did you mean `{name}`?"));
            self.note(Diagnostic::at(Code::BadValue, node.at, message).hint(hint));
        }
        found
    }

    /// `50` or `"10%"`.
    pub(super) fn limit(&mut self, node: &Node, what: &str) -> Option<Limit> {
        let limit = match node.value() {
            Value::Scalar { text, plain: true }
                if whole_number(text).is_some_and(|number| number <= LARGEST_ID) =>
            {
                whole_number(text).map(Limit::Count)
            }
            Value::Scalar { text, .. } => share(text).map(Limit::Share),
            _ => None,
        };
        if limit.is_none() {
            let message = format!("{what} must be a number or a percentage");
            self.note(
                Diagnostic::at(Code::BadValue, node.at, message).hint("write it as 50 or \"10%\""),
            );
        }
        limit
    }

    /// The elements of a list.
    pub(super) fn list<'n, 't>(&mut self, node: &'n Node<'t>, what: &str) -> &'n [Node<'t>] {
        match node.value() {
            Value::Seq(items) => items,
            _ => {
                let message = format!("{what} must be a list, not {}", node.noun());
                self.note(
                    Diagnostic::at(Code::WrongType, node.at, message)
                        .hint("write it as [a, b], or [] for none"),
                );
                &[]
            }
        }
    }

    /// The names and values of a mapping with free keys.
    pub(super) fn names<'n>(
        &mut self,
        node: &'n Node<'n>,
        what: &str,
    ) -> Vec<(Spanned<String>, &'n Node<'n>)> {
        let Value::Map(pairs) = node.value() else {
            self.wrong_type(node, what, "a mapping");
            return Vec::new();
        };
        let mut names = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let Some(name) = self.text(key, &format!("a name in {what}")) else {
                continue;
            };
            if name.value.trim().is_empty()
                || name.value.starts_with('@')
                || name.value.contains(char::is_control)
            {
                let message = format!("`{}` cannot be a name in {what}", clip(&name.value));
                let hint =
                    "a name is not empty, does not start with @ and has no control characters";
                self.note(Diagnostic::at(Code::BadValue, name.at, message).hint(hint));
            } else {
                names.push((name, value));
            }
        }
        names
    }
}

/// A scalar in a message, so that `"true"` and `true` can be told apart.
pub(super) fn written(text: &str, plain: bool) -> String {
    match (text, plain) {
        ("", true) => "nothing".to_owned(),
        (_, true) => format!("`{}`", clip(text)),
        (_, false) => format!("`\"{}\"`", clip(text)),
    }
}
