//! Pipes and titles that differ, but not for people: by case, normal form, or letters that look alike; with the code points.

use std::collections::{HashMap, HashSet};

use crate::model::{difference, looks};
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems, clip};

/// Warns of pipes that look alike, in the order of their places.
pub(super) fn pipes<'a>(pipes: impl Iterator<Item = (&'a str, At)>, problems: &mut Problems) {
    let hint = "a server that folds case or letters would merge the two rooms";
    look_alikes(pipes, Code::LookAlike, hint, problems);
}

/// Warns of titles that look alike, and are not the same: two rooms may have one title.
pub(super) fn titles<'a>(titles: impl Iterator<Item = (&'a str, At)>, problems: &mut Problems) {
    let hint = "people cannot tell the two rooms apart; write both titles alike, or one otherwise";
    look_alikes(titles, Code::LookAlikeTitle, hint, problems);
}

fn look_alikes<'a>(
    texts: impl Iterator<Item = (&'a str, At)>,
    code: Code,
    hint: &str,
    problems: &mut Problems,
) {
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
