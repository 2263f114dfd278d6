//! Suggests the most similar known name for an unknown name, with a limit on the work.
//!
//! Main entries: [`nearest`] for a short list of words, [`NearestSearch`] for all names of a file.

/// Maximum length of an unknown name, in bytes. Longer names get no suggestion.
const LONGEST: usize = 60;
/// The limit on the work of all searches together. It is enough to compare 800,000 names of eight
/// letters, or to skip four million names.
const MOST_WORK: usize = 60_000_000;
/// The work of skipping a name.
const PASSED_OVER: usize = 15;

/// Searches that share one limit on their work. A wrong file can have thousands of unknown names,
/// and each search reads all known names.
#[derive(Debug)]
pub(crate) struct NearestSearch {
    left: usize,
}

impl Default for NearestSearch {
    fn default() -> Self {
        Self { left: MOST_WORK }
    }
}

impl NearestSearch {
    /// Returns the most similar known name, if any is similar enough. Returns `None` once the limit
    /// is reached.
    pub(crate) fn find<'n>(
        &mut self,
        name: &str,
        known: impl Iterator<Item = &'n str>,
        may_be_meant: impl Fn(&str) -> bool,
    ) -> Option<&'n str> {
        if name.is_empty() || name.len() > LONGEST {
            return None;
        }
        let lower = name.to_lowercase();
        let length = lower.chars().count();
        let mut best = None;
        for other in known {
            self.spend(PASSED_OVER)?;
            // Skip names that are too long to be similar. A letter has at most four bytes, so
            // such a name has more than twice as many letters as the unknown name.
            if other.len() > 8 * LONGEST || !may_be_meant(other) {
                continue;
            }
            let other_length = other.chars().count();
            let most = (length.min(other_length) / 3).max(1);
            if length.abs_diff(other_length) > most {
                continue;
            }
            self.spend(length * other_length)?;
            let distance = strsim::osa_distance(&lower, &other.to_lowercase());
            if distance <= most && best.is_none_or(|best| (distance, other) < best) {
                best = Some((distance, other));
            }
        }
        best.map(|(_, other)| other)
    }

    /// Subtracts work from the limit. Returns `None` if too little is left.
    fn spend(&mut self, work: usize) -> Option<()> {
        let left = self.left.checked_sub(work);
        self.left = left.unwrap_or_default();
        left.map(|_| ())
    }
}

/// Returns the most similar word, if any is similar enough.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    NearestSearch::default().find(name, known, |_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_stop_at_the_limit_of_work() {
        let names: Vec<String> = (0..20_000).map(|n| format!("pupil{n:05}")).collect();
        let known = || names.iter().map(String::as_str);
        let mut search = NearestSearch::default();
        let mut passed_over = 0;
        let only = |name: &str| name == "pupil00007";
        while search.find("pupil0000x", known(), only) == Some("pupil00007") {
            passed_over += 1;
        }
        assert!((190..=200).contains(&passed_over), "{passed_over}");
        let mut search = NearestSearch::default();
        let mut compared = 0;
        while search.find("pupil0000x", known(), |_| true) == Some("pupil00000") {
            compared += 1;
        }
        assert!((20..=30).contains(&compared), "{compared}");
    }
}
