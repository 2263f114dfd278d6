//! Single values out of nodes: every mistake is noted where it stands, and reading goes on.
//!
//! Main type: [`Decoder`]. It knows types and spelling, not what a manifest is made of.

use super::diagnostic::{At, Code, Diagnostic};
use super::raw::{PositiveId, Spanned};
use super::scalar::{Reading, reading};
use super::yaml::{Node, Value};
use crate::model::Limit;

/// Longer texts are cut in messages.
const SHOWN: usize = 60;
/// The largest id: what a signed 64-bit column holds.
const LARGEST_ID: u64 = i64::MAX as u64;

/// Notes mistakes while values are read.
#[derive(Debug)]
pub(super) struct Decoder<'a> {
    pub(super) problems: &'a mut Vec<Diagnostic>,
}

/// The known keys of a mapping, and those of the language that come in a later version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys<const N: usize> {
    pub(super) owner: &'static str,
    pub(super) known: [&'static str; N],
    pub(super) later: &'static [&'static str],
}

impl Decoder<'_> {
    pub(super) fn note(&mut self, diagnostic: Diagnostic) {
        self.problems.push(diagnostic);
    }

    /// The values of the known keys; unknown, repeated and not-yet keys are noted.
    pub(super) fn fields<'n, const N: usize>(
        &mut self,
        node: &'n Node,
        keys: &Keys<N>,
    ) -> Option<[Option<&'n Node>; N]> {
        let Value::Map(pairs) = node.value() else {
            self.wrong_type(node, keys.owner, "a mapping");
            return None;
        };
        let mut found: [Option<(&Node, &Node)>; N] = [None; N];
        for (key, value) in pairs {
            let name = match key.value() {
                Value::Scalar { text, .. } => text.as_str(),
                _ => "",
            };
            match keys.known.iter().position(|known| *known == name) {
                Some(index) => match found[index] {
                    None => found[index] = Some((key, value)),
                    Some((first, _)) => self.duplicate_key(name, key.at, first.at),
                },
                None => self.unknown_key(key, name, keys),
            }
        }
        Some(found.map(|pair| pair.map(|(_, value)| value)))
    }

    pub(super) fn unknown_key<const N: usize>(&mut self, key: &Node, name: &str, keys: &Keys<N>) {
        if keys.later.contains(&name) {
            return self.not_yet(key.at, name);
        }
        let shown = if name.is_empty() {
            key.noun().to_owned()
        } else {
            format!("`{}`", clip(name))
        };
        let diagnostic = Diagnostic::at(
            Code::UnknownKey,
            key.at,
            format!("unknown key {shown} in {}", keys.owner),
        );
        let hint = match nearest(name, keys.known.iter().chain(keys.later).copied()) {
            Some(known) => format!("did you mean `{known}`?"),
            None if name == "<<" => {
                "merge keys are not part of the manifest; use `defaults` or a group".to_owned()
            }
            None => format!("known keys: {}", keys.known.join(", ")),
        };
        self.note(diagnostic.hint(hint));
    }

    pub(super) fn not_yet(&mut self, at: At, name: &str) {
        self.note(
            Diagnostic::at(Code::NotYet, at, format!("`{name}` is not supported by this version of roomform"))
                .hint("it is a key of the manifest language, planned for a later version; take it out for now"),
        );
    }

    pub(super) fn duplicate_key(&mut self, name: &str, at: At, first: At) {
        let message = format!("the key `{}` stands twice", clip(name));
        let diagnostic =
            Diagnostic::at(Code::DuplicateKey, at, message).related(first, "first here");
        self.note(diagnostic.hint("keep one of the two; roomform never picks one silently"));
    }

    pub(super) fn wrong_type(&mut self, node: &Node, what: &str, wanted: &str) {
        let message = format!("{what} must be {wanted}, not {}", node.noun());
        self.note(Diagnostic::at(Code::WrongType, node.at, message));
    }

    /// Text that every YAML reader takes as text.
    pub(super) fn text(&mut self, node: &Node, what: &str) -> Option<Spanned<String>> {
        let Value::Scalar { text, plain } = node.value() else {
            self.wrong_type(node, what, "text");
            return None;
        };
        match reading(text) {
            read if *plain && read != Reading::Text => {
                let word = if text.is_empty() {
                    "nothing".to_owned()
                } else {
                    format!("`{}`", clip(text))
                };
                let message = format!(
                    "{what} must be text, but YAML reads {word} as {}",
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
            _ => Some(Spanned {
                value: text.clone(),
                at: node.at,
            }),
        }
    }

    /// `true` or `false`, unquoted.
    pub(super) fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        match node.value() {
            Value::Scalar { text, plain: true }
                if matches!(text.as_str(), "true" | "True" | "TRUE") =>
            {
                Some(true)
            }
            Value::Scalar { text, plain: true }
                if matches!(text.as_str(), "false" | "False" | "FALSE") =>
            {
                Some(false)
            }
            Value::Scalar { text, .. } => {
                let message = format!("{what} must be true or false, not `{}`", clip(text));
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

    /// A whole number above zero, written plainly: no sign, no leading zero, no `1_000`.
    pub(super) fn id(&mut self, node: &Node, what: &str) -> Option<Spanned<PositiveId>> {
        let Value::Scalar { text, plain } = node.value() else {
            self.wrong_type(node, what, "a number");
            return None;
        };
        match whole_number(text).filter(|number| *plain && (1..=LARGEST_ID).contains(number)) {
            Some(number) => Some(Spanned {
                value: PositiveId(number),
                at: node.at,
            }),
            None => {
                let message = format!(
                    "{what} must be a whole number above zero, not `{}`",
                    clip(text)
                );
                let hint = match (plain, whole_number(text)) {
                    (false, Some(_)) => "write it without quotes",
                    _ if text.starts_with('0') => {
                        "write it without leading zeros: other YAML readers take them for octal"
                    }
                    _ => "write the digits only",
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
        let Value::Scalar { text, .. } = node.value() else {
            self.wrong_type(node, what, "a word");
            return None;
        };
        let found = choices
            .iter()
            .find(|(name, _)| name == text)
            .map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = choices
                .iter()
                .map(|(name, _)| *name)
                .filter(|name| !name.starts_with(char::is_numeric))
                .collect();
            let message = format!("{what} cannot be `{}`", clip(text));
            let hint = match nearest(text, names.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("it is one of: {}", names.join(", ")),
            };
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
    pub(super) fn list<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
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
        node: &'n Node,
        what: &str,
    ) -> Vec<(Spanned<String>, &'n Node)> {
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

/// Digits without sign or leading zero.
fn whole_number(text: &str) -> Option<u64> {
    let plain =
        text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
    plain.then(|| text.parse().ok()).flatten()
}

/// Hundredths of a percent out of `12.5%`.
fn share(text: &str) -> Option<u64> {
    let (whole, part) = text
        .strip_suffix('%')
        .map(|number| number.split_once('.').unwrap_or((number, "0")))?;
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    (digits(whole, 9) && digits(part, 2)).then_some(())?;
    let hundredths: u64 = format!("{part:0<2}").parse().ok()?;
    Some(whole.parse::<u64>().ok()? * 100 + hundredths)
}

/// The nearest of some names, if one is near enough to be meant.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if name.is_empty() || name.len() > SHOWN {
        return None;
    }
    let lower = name.to_lowercase();
    known
        .map(|other| {
            (
                strsim::damerau_levenshtein(&lower, &other.to_lowercase()),
                other,
            )
        })
        .filter(|(distance, other)| *distance <= 1 + other.len().min(name.len()) / 4)
        .min()
        .map(|(_, other)| other)
}

/// A text short enough for a message.
pub(super) fn clip(text: &str) -> String {
    if text.chars().nth(SHOWN).is_none() {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}
