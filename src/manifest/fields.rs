//! Decodes single values from nodes. Reports errors with their places, and continues after errors.
//!
//! Main type: [`Decoder`]. It knows types and spelling, but not the structure of a manifest.

use std::cell::RefCell;
use std::fmt::Display;

use super::raw::{Names, RawFile, Spanned};
use super::scalar::{Reading, reading};
use super::yaml::{MAPPING_HINT, Node, Value};
use crate::model::{Date, Limit};
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems, Source, clip};
use crate::tables::nearest::nearest;
use crate::tables::number::{LARGEST_ID, TOO_LARGE, is_digits, positive_id, share, whole_number};
use crate::tables::row::DATE_HINT;

#[derive(Debug)]
pub(super) struct Decoder<'a> {
    pub(super) problems: &'a Problems,
    /// The files with rows, such as rosters, that were named so far.
    pub(super) files: RefCell<Vec<RawFile>>,
    pub(super) source: &'a Source,
    /// The day for which dates are evaluated.
    pub(super) today: Date,
}

/// Maximum number of keys that any mapping allows.
pub(super) const MOST_KEYS: usize = 20;

/// The keys that say how to read a file with rows.
pub(super) const FILE: &str =
    "delimiter encoding sheet allow_empty numbered expand optional from until days";

/// The keys that a mapping may have, separated by spaces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    pub(super) owner: &'static str,
    pub(super) own: &'static str,
    /// Additional keys, such as those of a file with rows.
    pub(super) more: &'static str,
    /// Keys that are valid only in `each`. If one is used elsewhere, the hint of the error says
    /// so.
    pub(super) of_each: &'static str,
}

impl Keys {
    pub(super) const fn new(owner: &'static str, own: &'static str) -> Self {
        let (more, of_each) = ("", "");
        Self {
            owner,
            own,
            more,
            of_each,
        }
    }

    /// Creates the keys of a mapping that describes a file: `own`, and those in [`FILE`].
    pub(super) const fn of_file(owner: &'static str, own: &'static str) -> Self {
        Self {
            more: FILE,
            ..Self::new(owner, own)
        }
    }

    pub(super) fn all(self) -> impl Iterator<Item = &'static str> {
        let keys = self.own.split_ascii_whitespace();
        keys.chain(self.more.split_ascii_whitespace())
    }
}

/// A mapping with known keys.
pub(super) struct Fields<'n, 'a> {
    pub(super) decoder: &'n Decoder<'a>,
    pub(super) node: &'n Node<'n>,
    owner: &'static str,
    /// Keys that the user probably misspelt, or duplicated. They are not reported as missing too.
    pub(super) unread: Vec<&'static str>,
}

impl<'n> Fields<'n, '_> {
    pub(super) fn get(&self, key: &str) -> Option<&'n Node<'n>> {
        self.node.get(key)
    }

    /// Returns the value of a key, or reports the key if it is missing. `what` describes the value
    /// that the user should add.
    pub(super) fn require(&self, key: &str, what: &str) -> Option<&'n Node<'n>> {
        let value = self.get(key);
        if value.is_none() && !self.unread.contains(&key) {
            let owner = match self.get("pipe").and_then(Node::word) {
                Some(pipe) => format!("the room `{}`", clip(pipe)),
                None => self.owner.to_owned(),
            };
            let message = format!("{owner} has no `{key}`");
            let (at, hint) = (self.node.at, format!("add `{key}`: {what}"));
            self.decoder
                .refuse::<()>(Code::MissingKey, at, message, hint);
        }
        value
    }

    pub(super) fn text(&self, key: &str) -> Option<Spanned<String>> {
        self.decoder.text(self.get(key)?, format_args!("`{key}`"))
    }

    pub(super) fn required_text(&self, key: &str, what: &str) -> Option<Spanned<String>> {
        self.require(key, what)?;
        self.text(key)
    }

    /// Decodes a list of texts, or a single text.
    pub(super) fn texts(&self, key: &str) -> Vec<Spanned<String>> {
        let nodes = self.get(key).map(Node::items).unwrap_or_default().iter();
        let texts = nodes.filter_map(|node| self.decoder.text(node, format_args!("`{key}`")));
        texts.collect()
    }

    /// Returns the elements of a list; none if the key is missing.
    pub(super) fn list(&self, key: &str) -> &'n [Node<'n>] {
        let list = |node| self.decoder.list(node, format_args!("`{key}`"));
        self.get(key).map(list).unwrap_or_default()
    }

    /// Returns the entries of a mapping whose keys are names; none if the key is missing.
    pub(super) fn names(&self, key: &str) -> Names<&'n Node<'n>> {
        let names = |node| self.decoder.names(node, &format!("`{key}`"));
        self.get(key).map(names).unwrap_or_default()
    }

    /// Decodes an unquoted `true` or `false`.
    pub(super) fn boolean(&self, key: &str) -> Option<bool> {
        let node = self.get(key)?;
        let Value::Scalar { text, plain } = node.value() else {
            let what = format_args!("`{key}`");
            return self.decoder.wrong_type(node, what, "true or false");
        };
        match (&**text, plain) {
            ("true" | "True" | "TRUE", true) => return Some(true),
            ("false" | "False" | "FALSE", true) => return Some(false),
            _ => {}
        }
        let found = written(text, *plain);
        let message = format!("`{key}` must be true or false, not {found}");
        let hint = "write true or false, without quotes";
        self.decoder.refuse(Code::WrongType, node.at, message, hint)
    }

    pub(super) fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let (node, what) = (self.get(key)?, format_args!("`{key}`"));
        self.decoder.choice(node, what, choices)
    }
}

impl<'a> Decoder<'a> {
    /// Returns a mapping with known keys. Reports unknown and duplicate keys.
    pub(super) fn fields<'n>(&'n self, node: &'n Node<'n>, keys: Keys) -> Option<Fields<'n, 'a>> {
        let Value::Map(pairs) = node.value() else {
            return self.wrong_type(node, keys.owner, "a mapping");
        };
        let (mut unread, mut seen) = (Vec::new(), [None; MOST_KEYS]);
        for (key, _) in pairs {
            let name = key.word().unwrap_or_default();
            let mut known = keys.all().zip(&mut seen);
            match known.find(|(known, _)| *known == name) {
                None => unread.extend(self.unknown_key(key, name, keys)),
                Some((known, Some(first))) => {
                    self.duplicate_key(name, key.at, *first);
                    unread.push(known);
                }
                Some((_, first)) => *first = Some(key.at),
            }
        }
        Some(Fields {
            decoder: self,
            node,
            owner: keys.owner,
            unread,
        })
    }

    /// Reports an unknown key. Returns a similar known key, if any.
    fn unknown_key(&self, key: &Node, name: &str, keys: Keys) -> Option<&'static str> {
        let message = match key.value() {
            Value::Scalar { text, plain } => {
                format!("unknown key {} in {}", written(text, *plain), keys.owner)
            }
            _ => format!("a key of {} must be a word, not {}", keys.owner, key.noun()),
        };
        let near = nearest(name, keys.all());
        let mut of_each = keys.of_each.split_ascii_whitespace();
        let hint = match near {
            Some(known) => format!("did you mean `{known}`?"),
            None if name == "<<" => {
                "use `defaults` or a group; merge keys are not supported".to_owned()
            }
            None if of_each.any(|known| known == name) => {
                format!("write it in `each`, as in each: {{roster: FILE, {name}: …}}")
            }
            None => format!("known keys: {}", keys.all().collect::<Vec<_>>().join(", ")),
        };
        self.refuse::<()>(Code::UnknownKey, key.at, message, hint);
        near
    }

    pub(super) fn duplicate_key(&self, name: &str, at: At, first: At) {
        let message = format!("duplicate key `{}`", clip(name));
        let hint = "remove one of them; roomform never picks one silently";
        let diagnostic = Diagnostic::at(Code::DuplicateKey, at, message).hint(hint);
        self.problems.push(diagnostic.related(first, "first here"));
    }

    /// Reports an error. Always returns `None`, so that callers can return the result of this call.
    pub(super) fn refuse<T>(
        &self,
        code: Code,
        at: At,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Option<T> {
        self.problems.refuse(code, at, message, hint)
    }

    /// Reports a value of the wrong type. Always returns `None`, like [`refuse`](Self::refuse).
    pub(super) fn wrong_type<T>(&self, node: &Node, what: impl Display, wanted: &str) -> Option<T> {
        let message = format!("{what} must be {wanted}, not {}", node.noun());
        let hint = match wanted {
            "a mapping" => MAPPING_HINT.to_owned(),
            "text" => "write text; quote it if it starts with [ or {".to_owned(),
            "a list" => "write it as [a, b], or [] for none".to_owned(),
            "a date" => DATE_HINT.to_owned(),
            _ => format!("write {wanted}"),
        };
        self.refuse(Code::WrongType, node.at, message, hint)
    }

    /// Decodes text. Reports an unquoted word that some YAML readers do not read as text.
    pub(super) fn text(&self, node: &Node, what: impl Display) -> Option<Spanned<String>> {
        let Value::Scalar { text, plain } = node.value() else {
            return self.wrong_type(node, what, "text");
        };
        if *plain && reading(text) != Reading::Text {
            let hint = match &**text {
                "" => "write text".to_owned(),
                text => format!("quote it: \"{}\"", clip(text)),
            };
            return self.needs_quotes(node.at, what, text, hint);
        }
        Some(Spanned::new(text.to_string(), node.at))
    }

    /// Reports a word that must be quoted, so that all YAML readers read it as text.
    pub(super) fn needs_quotes<T>(
        &self,
        at: At,
        what: impl Display,
        word: &str,
        hint: String,
    ) -> Option<T> {
        let (word, noun) = (written(word, true), reading(word).noun());
        let message = format!("{what} must be text, but YAML reads {word} as {noun}");
        self.refuse(Code::NeedsQuotes, at, message, hint)
    }

    /// Decodes an id without reporting errors.
    pub(super) fn plain_id(node: &Node) -> Option<u64> {
        match node.value() {
            Value::Scalar { text, plain: true } => positive_id(text),
            _ => None,
        }
    }

    /// Decodes a positive whole number without sign, leading zero, or separators such as `1_000`.
    pub(super) fn id(&self, node: &Node, what: impl Display) -> Option<Spanned<u64>> {
        let Value::Scalar { text, plain } = node.value() else {
            return self.wrong_type(node, what, "a number");
        };
        if let Some(value) = Self::plain_id(node) {
            return Some(Spanned::new(value, node.at));
        }
        let found = written(text, *plain);
        let message = format!("{what} must be a whole number above zero, not {found}");
        let digits = is_digits(text);
        let hint = match text.trim_start_matches('0') {
            "" if digits => "write an id of at least 1",
            _ if !digits => "write only digits",
            _ if !plain => "write it without quotes",
            rest if rest.len() < text.len() => {
                "remove the leading zeros: other YAML readers read such numbers as octal"
            }
            _ => TOO_LARGE,
        };
        self.refuse(Code::WrongType, node.at, message, hint)
    }

    /// Decodes one of the words in `choices`.
    pub(super) fn choice<T: Copy>(
        &self,
        node: &Node,
        what: impl Display,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let starts_with_digit = |name: &str| name.starts_with(char::is_numeric);
        let names = choices.iter().map(|(name, _)| *name);
        let names = names.filter(|name| !starts_with_digit(name));
        let one_of = || format!("use one of: {}", Vec::from_iter(names.clone()).join(", "));
        let Value::Scalar { text, plain } = node.value() else {
            let message = format!("{what} must be a word, not {}", node.noun());
            return self.refuse(Code::WrongType, node.at, message, one_of());
        };
        let is_meant = |name: &str| name == text && (*plain || !starts_with_digit(name));
        let found = choices.iter().find(|(name, _)| is_meant(name));
        if found.is_none() {
            let message = format!("{what} cannot be {}", written(text, *plain));
            let near = nearest(text, names.clone());
            let hint = near.map_or_else(one_of, |name| format!("did you mean `{name}`?"));
            return self.refuse(Code::BadValue, node.at, message, hint);
        }
        found.map(|(_, value)| *value)
    }

    /// Decodes a limit, such as `50` or `"10%"`.
    pub(super) fn limit(&self, node: &Node, what: impl Display) -> Option<Limit> {
        if let Value::Scalar { text, plain } = node.value() {
            let count = whole_number(text).filter(|count| *plain && *count <= LARGEST_ID);
            let limit = count.map(Limit::Count);
            if let Some(limit) = limit.or_else(|| share(text).map(Limit::Share)) {
                return Some(limit);
            }
        }
        let message = format!("{what} must be a number or a percentage");
        let hint = "write it as 50 or \"10%\"";
        self.refuse(Code::BadValue, node.at, message, hint)
    }

    /// Returns the elements of a list. Reports a node that is not a list.
    pub(super) fn list<'n, 't>(&self, node: &'n Node<'t>, what: impl Display) -> &'n [Node<'t>] {
        match node.value() {
            Value::Seq(items) => items,
            _ => self.wrong_type(node, what, "a list").unwrap_or_default(),
        }
    }

    /// Returns the entries of a mapping whose keys are names chosen by the user.
    pub(super) fn names<'n>(&self, node: &'n Node<'n>, what: &str) -> Names<&'n Node<'n>> {
        let Value::Map(pairs) = node.value() else {
            return self.wrong_type(node, what, "a mapping").unwrap_or_default();
        };
        let mut names = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let Some(name) = self.text(key, format_args!("a name in {what}")) else {
                continue;
            };
            let text = name.value.as_str();
            if text.trim().is_empty() || text.starts_with('@') || text.contains(char::is_control) {
                let message = format!("`{}` cannot be a name in {what}", clip(text));
                let hint = "use a name that is not empty, does not start with @ and has no control characters";
                self.refuse::<()>(Code::BadValue, name.at, message, hint);
            } else {
                names.push((name, value));
            }
        }
        names
    }
}

/// Formats a scalar for a message, so that `"true"` and `true` look different.
pub(super) fn written(text: &str, plain: bool) -> String {
    match (text, plain) {
        ("", true) => "nothing".to_owned(),
        (_, true) => format!("`{}`", clip(text)),
        (_, false) => format!("`\"{}\"`", clip(text)),
    }
}
