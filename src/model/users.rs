//! Sets of users that are built once and searched often.
//!
//! Main type: [`UserSet`].

use super::UserId;

/// A sorted set of users. Each user takes eight bytes, because a ledger can hold millions of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserSet(Vec<UserId>);

impl UserSet {
    /// Whether the set contains the user.
    pub fn contains(&self, user: &UserId) -> bool {
        self.0.binary_search(user).is_ok()
    }

    /// Merges users into the set. An empty set takes ownership of the vector without copying it.
    pub fn merge(&mut self, users: Vec<UserId>) {
        if self.is_empty() {
            *self = users.into();
        } else {
            self.extend(users);
        }
    }

    /// Removes users from the set.
    pub fn remove_all(&mut self, users: &[UserId]) {
        // Usually one call sends all members of a room.
        if self.is_empty() || self.0 == users {
            return self.0.clear();
        }
        let users = Self::from(users.to_vec());
        if let (Some(first), Some(last)) = (users.0.first(), users.0.last()) {
            // Search only the range that can contain the users: a large room is sent in many
            // calls, and this function runs for each of these calls.
            let start = self.0.partition_point(|user| user < first);
            let end = self.0.partition_point(|user| user <= last);
            let between = self.0.get(start..end).unwrap_or_default().iter();
            let kept: Vec<UserId> = between.filter(|it| !users.contains(it)).copied().collect();
            self.0.splice(start..end, kept);
        }
    }

    /// Iterates over the users in order.
    pub fn iter(&self) -> std::slice::Iter<'_, UserId> {
        self.0.iter()
    }

    /// Returns the number of users.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<UserId>> for UserSet {
    fn from(mut users: Vec<UserId>) -> Self {
        if !users.is_sorted_by(|one, next| one < next) {
            users.sort_unstable();
            users.dedup();
        }
        Self(users)
    }
}

impl FromIterator<UserId> for UserSet {
    fn from_iter<T: IntoIterator<Item = UserId>>(users: T) -> Self {
        users.into_iter().collect::<Vec<_>>().into()
    }
}

impl Extend<UserId> for UserSet {
    fn extend<T: IntoIterator<Item = UserId>>(&mut self, users: T) {
        let (before, last) = (self.len(), self.0.last().copied());
        self.0.extend(users);
        let new = self.0.get(before..).unwrap_or_default();
        // The members of a large room are recorded call by call and mostly in order, so a sort
        // is rarely needed.
        if !last.iter().chain(new).is_sorted_by(|one, next| one < next) {
            // A stable sort is fast here, because it merges parts that are already sorted.
            self.0.sort();
            self.0.dedup();
        }
    }
}

impl<'a> IntoIterator for &'a UserSet {
    type Item = &'a UserId;
    type IntoIter = std::slice::Iter<'a, UserId>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use proptest::test_runner::Config as Trials;

    use super::*;

    fn some() -> impl Strategy<Value = Vec<UserId>> {
        prop::collection::vec((0_u64..40).prop_map(UserId), 0..12)
    }

    proptest! {
        #![proptest_config(Trials { cases: 1_000, failure_persistence: None, ..Trials::default() })]

        #[test]
        fn it_is_a_set(steps in prop::collection::vec((0..3, some()), 0..8)) {
            let (mut users, mut set) = (UserSet::default(), BTreeSet::new());
            for (step, more) in steps {
                match step {
                    0 => users.extend(more.iter().copied()),
                    1 => users.merge(more.clone()),
                    _ => users.remove_all(&more),
                }
                if step < 2 {
                    set.extend(more);
                } else {
                    set.retain(|user| !more.contains(user));
                }
                prop_assert!(users.iter().eq(&set), "{:?} {:?}", users, set);
                prop_assert!((0..40).map(UserId).all(|it| users.contains(&it) == set.contains(&it)));
            }
        }
    }

    #[test]
    fn a_very_large_room_is_put_together_call_by_call() {
        let all: Vec<UserId> = (1..=300_000).map(UserId).collect();
        let (mut there, mut owed) = (UserSet::default(), UserSet::from(all.clone()));
        for call in all.chunks(100) {
            there.extend(call.iter().copied());
            owed.remove_all(call);
        }
        assert_eq!((there.len(), owed.len()), (all.len(), 0));
    }
}
