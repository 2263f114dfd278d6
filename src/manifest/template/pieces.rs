//! Texts with nothing but names to fill in, as nearly all are: no work for the library.
//!
//! Main type: [`Pieces`].

use super::Filling;
use super::filters::LONGEST;

/// A text cut at its names.
#[derive(Debug)]
pub(super) struct Pieces {
    /// Each name, and the text before it.
    names: Vec<(String, String)>,
    /// What is behind the last.
    rest: String,
}

impl Pieces {
    /// The pieces; none if there is more to the text.
    pub(super) fn of(text: &str, names: &[String]) -> Option<Self> {
        // Far below what the library gives up at.
        const MOST: usize = 100;
        let has_more = text.contains("{%") || text.contains("{#") || text.ends_with(['\n', '\r']);
        let mut inside = text.split("{{");
        let (mut before, mut pieces) = (inside.next().filter(|_| !has_more)?, Vec::new());
        for inside in inside {
            let (name, rest) = inside.split_once("}}")?;
            let name = name.trim_matches(' ');
            names.iter().find(|known| *known == name)?;
            pieces.push((before.to_owned(), name.to_owned()));
            before = rest;
        }
        (pieces.len() <= MOST).then(|| Self {
            names: pieces,
            rest: before.to_owned(),
        })
    }

    /// The text, where texts stand for all names and it does not become too long.
    pub(super) fn fill<'v>(&self, value: impl Fn(&str) -> Option<Filling<'v>>) -> Option<String> {
        let mut filled = String::new();
        for (before, name) in &self.names {
            let Some(Filling::Text(text)) = value(name) else {
                return None;
            };
            filled.push_str(before);
            filled.push_str(text);
        }
        filled.push_str(&self.rest);
        (filled.len() <= LONGEST).then_some(filled)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;
    use proptest::test_runner::Config as Trials;

    use super::*;
    use crate::manifest::template::Template;

    proptest! {
        #![proptest_config(Trials { cases: 2_000, failure_persistence: None, ..Trials::default() })]

        #[test]
        fn names_alone_are_filled_in_as_the_library_does(
            parts in prop::collection::vec(select(vec![
                "{{ a }}", "{{a}}", "{{  b }}", "{{ none }}", "{{ a | upper }}", "{{- a }}", "{{ a -}}", "{{ 'a' }}", "{{ true }}",
                "{{ flag }}", "{{ a.b }}", "{% if a %}", "{% endif %}", "{#", "#}", "{", "}", "}}", "%}", " ", "\n", "\r", "x", "é",
            ]), 0..6),
        ) {
            let text = parts.concat();
            let value = |name: &str| match name {
                "a" => Some(Filling::Text("A {{ b }}")),
                "b" => Some(Filling::Text("")),
                "flag" => Some(Filling::Flag(true)),
                _ => None,
            };
            if let Ok(template) = Template::new(&text) {
                prop_assert_eq!(template.render(value), template.rendered(value), "{:?}", text);
                let bare = !text.contains(['%', '#', '|', '-', '\'', '.', '\n', '\r']);
                let known = !["none", "true", "flag"].iter().any(|name| text.contains(name));
                if bare && known && text.contains("{{") {
                    prop_assert!(template.pieces.is_some(), "{:?}", text);
                }
            }
        }
    }
}
