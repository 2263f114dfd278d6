//! Pipes and titles that differ, but not for people: by case, normal form, or letters that look alike; with the code points.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::diagnostic::{At, Code, Diagnostic, Problems};
use super::fields::clip;
use crate::model::{difference, looks};

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
    let texts = suspects(texts.collect());
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

/// The texts that may look like another, in their order: nearly always there are none, and no shape is kept.
fn suspects(texts: Vec<(&str, At)>) -> impl Iterator<Item = (&str, At)> {
    let hash = RandomState::default();
    let marks: Vec<u64> = texts.iter().map(|it| hash.hash_one(looks(it.0))).collect();
    let mut sorted = marks.clone();
    sorted.sort_unstable();
    let pairs = sorted.iter().zip(sorted.iter().skip(1));
    let repeated = pairs.filter(|(one, next)| one == next);
    let repeated: HashSet<u64> = repeated.map(|(one, _)| *one).collect();
    let texts = texts.into_iter().zip(marks);
    let found = texts.filter(move |(_, mark)| repeated.contains(mark));
    found.map(|(text, _)| text)
}
