//! Sorted things side by side, in one walk: no search for each of very many.

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
