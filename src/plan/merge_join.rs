//! Operations on sorted sequences in a single pass, without a search per element.

/// Returns the elements that are not in the other sequence. Both are sorted and without duplicates.
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
