//! Warns of pipes and titles that look the same, but differ in case, Unicode normal form or
//! look-alike letters. The warning shows the code points.

use std::collections::{HashMap, HashSet};

use crate::model::{difference, looks};
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems, clip};

/// Warns of different texts that look alike, at the place of the later text.
pub(super) fn warn(mut texts: Vec<(&str, At)>, code: Code, hint: &str, problems: &Problems) {
    texts.sort_by_key(|(_, at)| *at);
    let mut known: HashSet<&str> = HashSet::new();
    let mut seen: HashMap<String, (&str, At)> = HashMap::new();
    for (text, at) in texts {
        if !known.insert(text) {
            continue;
        }
        let shape = looks(text);
        let Some((other, first)) = seen.get(&shape) else {
            seen.insert(shape, (text, at));
            continue;
        };
        let (shown, like) = (clip(text), clip(other));
        let points = difference(text, other);
        let message = format!("`{shown}` looks like `{like}`: {points}");
        let diagnostic = Diagnostic::at(code, at, message).related(*first, "the other one");
        problems.push(diagnostic.hint(hint));
    }
}
