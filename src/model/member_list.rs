//! The members of a list, before membership dates are applied.
//!
//! Main type: [`MemberList`]. Nearly all members have no dates, and are stored apart from those
//! that have dates.

use std::collections::BTreeSet;

use super::{Member, Presence, UserId};

/// Members without dates, and members whose membership starts later, ends soon, or has ended.
#[derive(Debug, Clone, Default)]
pub struct MemberList {
    pub(crate) always: Vec<Member>,
    pub(crate) dated: Vec<(Member, Presence)>,
}

impl MemberList {
    pub(crate) fn push(&mut self, member: Member, presence: Presence) {
        match presence {
            Presence::ALWAYS => self.always.push(member),
            presence => self.dated.push((member, presence)),
        }
    }

    pub(crate) fn extend(&mut self, more: &Self) {
        self.always.extend_from_slice(&more.always);
        self.dated.extend_from_slice(&more.dated);
    }

    /// Limits every membership to the days on which the list itself is declared.
    pub(crate) fn restrict(&mut self, presence: Presence) {
        if presence == Presence::ALWAYS {
            return;
        }
        let dated = self.dated.iter_mut();
        dated.for_each(|(_, of_member)| *of_member = of_member.and(presence));
        let always = self.always.drain(..);
        self.dated.extend(always.map(|member| (member, presence)));
    }

    /// Returns the number of members, including duplicates.
    pub(crate) fn len(&self) -> usize {
        self.always.len() + self.dated.len()
    }

    /// Whether the sorted list has the user, with or without dates.
    pub(crate) fn contains(&self, user: UserId) -> bool {
        self.is_always(user) || self.dated.iter().any(|(member, _)| member.user == user)
    }

    /// Whether the sorted list has the user on all days.
    fn is_always(&self, user: UserId) -> bool {
        let found = self.always.binary_search_by_key(&user, |it| it.user);
        found.is_ok()
    }

    /// Sorts the members by user and merges duplicates. The first place is kept, and the member is
    /// declared whenever one of the duplicates is declared.
    pub(crate) fn order(&mut self) {
        order(&mut self.always);
        self.dated
            .sort_by_key(|(member, _)| (member.user, member.place));
        self.dated.dedup_by(|(next, more), (first, presence)| {
            let is_same = next.user == first.user;
            if is_same {
                *presence = presence.or(*more);
            }
            is_same
        });
    }

    /// Returns today's members in any order, including duplicates.
    pub(crate) fn today(&self) -> impl Iterator<Item = Member> {
        let dated = self.dated.iter().filter(|(_, presence)| presence.today);
        let dated = dated.map(|(member, _)| member);
        self.always.iter().chain(dated).copied()
    }

    /// Removes the users in `without` from a sorted list. Splits the list into today's members and
    /// members of other days. Also returns how many of today's memberships end soon.
    pub(crate) fn split(mut self, without: &BTreeSet<UserId>) -> (Vec<Member>, Vec<Member>, usize) {
        if !without.is_empty() {
            self.always.retain(|member| !without.contains(&member.user));
            self.dated
                .retain(|(member, _)| !without.contains(&member.user));
        }
        let (mut today, mut other_days, mut ending) = (Vec::new(), Vec::new(), 0);
        for (member, presence) in std::mem::take(&mut self.dated) {
            if self.is_always(member.user) {
                continue;
            }
            if presence.today {
                today.push(member);
                ending += usize::from(presence.ends_soon());
            } else {
                other_days.push(member);
            }
        }
        self.always.append(&mut today);
        order(&mut self.always);
        (self.always, other_days, ending)
    }
}

impl From<Vec<Member>> for MemberList {
    fn from(always: Vec<Member>) -> Self {
        Self {
            always,
            dated: Vec::new(),
        }
    }
}

/// Sorts members and removes duplicates. The first place of each member is kept.
fn order(members: &mut Vec<Member>) {
    if !members.is_sorted_by(|one, next| one.user < next.user) {
        members.sort_by_key(|member| (member.user, member.place));
        members.dedup_by_key(|member| member.user);
    }
}
