//! Sorted things side by side, in one walk: no search for each of very many.
//!
//! Main entries: [`without`] and [`Ahead`].

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::iter::Peekable;

/// Those of some things that are not among others; both are sorted, each once.
pub(super) fn without<T: Ord>(
    some: impl Iterator<Item = T>,
    others: impl Iterator<Item = T>,
) -> impl Iterator<Item = T> {
    let mut others = others.peekable();
    some.filter(move |one| {
        while others.next_if(|other| other < one).is_some() {}
        others.peek() != Some(one)
    })
}

/// The values of a map by keys that are asked for in their order.
pub(super) struct Ahead<'a, K, V> {
    entries: Peekable<std::collections::btree_map::Iter<'a, K, V>>,
}

impl<'a, K: Ord, V> Ahead<'a, K, V> {
    pub(super) fn new(map: &'a BTreeMap<K, V>) -> Self {
        Self {
            entries: map.iter().peekable(),
        }
    }

    /// The value of a key that is not before one that was asked for.
    pub(super) fn get(&mut self, wanted: &K) -> Option<&'a V> {
        loop {
            let (key, value) = self.entries.peek()?;
            match (*key).cmp(wanted) {
                Ordering::Less => drop(self.entries.next()),
                Ordering::Equal => return Some(value),
                Ordering::Greater => return None,
            }
        }
    }
}
