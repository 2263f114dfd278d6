//! The fields that rows have, in the order in which they were first seen.

use std::collections::HashMap;
use std::hash::Hash;

/// Fields, and whether any row has something there. Taking one more in does not look at those that are there already.
#[derive(Debug, Default)]
pub(super) struct Seen<K = String> {
    places: HashMap<K, usize>,
    fields: Vec<(K, bool)>,
}

impl<K: Hash + Eq + Clone> Seen<K> {
    /// A row has this field.
    pub(super) fn note(&mut self, name: &K, filled: bool) {
        let known = self.places.get(name);
        if let Some((_, known)) = known.and_then(|place| self.fields.get_mut(*place)) {
            *known |= filled;
        } else {
            self.places.insert(name.clone(), self.fields.len());
            self.fields.push((name.clone(), filled));
        }
    }

    /// All of them.
    pub(super) fn into_fields(self) -> Vec<(K, bool)> {
        self.fields
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local!(static COMPARED: Cell<usize> = const { Cell::new(0) });

    #[derive(Debug, Default, Clone, Eq)]
    struct Name(u32);

    impl Hash for Name {
        fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
            self.0.hash(state);
        }
    }

    impl PartialEq for Name {
        fn eq(&self, other: &Self) -> bool {
            COMPARED.set(COMPARED.get() + 1);
            self.0 == other.0
        }
    }

    #[test]
    fn a_field_more_is_not_compared_with_all_that_are_there() {
        const MANY: u32 = 20_000;
        let mut seen = Seen::default();
        for round in [false, true] {
            for name in 0..MANY {
                seen.note(&Name(name), round && name == 7);
            }
        }
        let compared = COMPARED.get();
        assert!(compared < 4 * MANY as usize, "{compared} for {MANY} names");
        let fields = seen.into_fields();
        assert_eq!(fields.len(), MANY as usize);
        assert_eq!(fields.iter().position(|(_, filled)| *filled), Some(7));
        assert!(
            fields.iter().map(|(name, _)| name.0).eq(0..MANY),
            "in order"
        );
    }
}
