//! Sets of users that are built once and asked often.
//!
//! Main type: [`UserSet`].

use super::UserId;

/// Users, each once, in their order. Eight bytes each: a ledger knows millions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserSet(Vec<UserId>);

impl UserSet {
    /// Whether a user is in it.
    pub fn contains(&self, user: &UserId) -> bool {
        self.0.binary_search(user).is_ok()
    }

    /// Takes users out.
    pub fn remove_all(&mut self, users: &[UserId]) {
        if !self.is_empty() {
            let users = Self::from(users.to_vec());
            self.0.retain(|user| !users.contains(user));
        }
    }

    /// The users in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, UserId> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<UserId>> for UserSet {
    fn from(mut users: Vec<UserId>) -> Self {
        users.sort_unstable();
        users.dedup();
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
        self.0.extend(users);
        self.0.sort_unstable();
        self.0.dedup();
    }
}

impl<'a> IntoIterator for &'a UserSet {
    type Item = &'a UserId;
    type IntoIter = std::slice::Iter<'a, UserId>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
