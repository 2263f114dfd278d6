//! Applies PHP's rules for form variables: turns the names and values in a body into the
//! content of `$_POST`.
//!
//! The main type is [`Form`]. It does not parse bodies (see [`super::body`]), and it does not
//! know which variables the API uses. Arrays do not preserve the order of their keys, because
//! nothing in the API depends on it.

use std::collections::BTreeMap;

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
}
