//! Infers the number of members from lists that are filtered by size.
//!
//! Main type: [`Evidence`].

use std::collections::{BTreeMap, HashMap};

use crate::model::{CountGap, CountMeaning, CountResult, Pipe, RoomId, Size};

/// A size that no room has. If a server returns rooms for this size, it ignores the filter.
pub const IMPOSSIBLE: u64 = 1_000_000_000;

/// If no answer near a room's expected size lists the room, the search continues up to this
/// distance from the expected size.
const SEARCHED: u64 = 50;

/// A room to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Countable {
    /// The pipe of the room.
    pub pipe: Pipe,
    /// The id of the room.
    pub room: RoomId,
    /// The number of members that the room should have; above 0.
    pub expected: u64,
    /// Whether the ledger has a record of the room.
    pub is_recorded: bool,
    /// Whether roomform created the room. If so, the writing user may be a member.
    pub is_created: bool,
    /// 1 if the last count on record included the writing user as a member, otherwise 0.
    pub last_offset: Option<u64>,
    /// Number of members whose removal is an open manual step.
    pub open_removals: u64,
    /// Whether the room is public, so that anyone may join it.
    pub is_public: bool,
}

/// The rooms to count, and the answers so far.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) rooms: Vec<Countable>,
    /// For each size, the number of rows in the answer, or why there is no answer.
    pub(super) rows: BTreeMap<u64, Result<usize, CountGap>>,
    /// For each room, the sizes whose answers list it, sorted.
    pub(super) sizes: HashMap<RoomId, Vec<u64>>,
    /// Whether the second answer for the first size equals the first answer, or why there is no
    /// second answer.
    pub(super) is_stable: Option<Result<bool, CountGap>>,
    /// The offset ([`MemberCounts::offset`](crate::model::MemberCounts::offset)) of an earlier
    /// count.
    pub(super) offset: Option<u64>,
}

/// Returns a size and its neighbours, except 0, which PHP treats as no filter.
pub(super) fn near(size: u64) -> impl Iterator<Item = u64> {
    let sizes = [size, size + 1, size.saturating_sub(1)];
    sizes.into_iter().filter(|size| *size > 0)
}

/// What the answers prove.
pub(super) struct Evidence<'a> {
    answers: &'a Answers,
    /// The sizes that have an answer, sorted.
    answered: Vec<u64>,
    pub(super) meaning: CountMeaning,
    /// See [`MemberCounts::offset`](crate::model::MemberCounts::offset).
    pub(super) offset: Option<u64>,
}

impl<'a> Evidence<'a> {
    pub(super) fn new(answers: &'a Answers) -> Self {
        let answered = answers.rows.range(..IMPOSSIBLE);
        let answered = answered.filter_map(|(size, rows)| rows.is_ok().then_some(*size));
        let mut evidence = Self {
            answers,
            answered: answered.collect(),
            meaning: CountMeaning::Unclear,
            offset: None,
        };
        evidence.meaning = evidence.find_meaning();
        evidence.offset = evidence.find_offset();
        evidence
    }

    /// Returns the sizes whose answers list a room, and whether these are the smallest sizes that
    /// have an answer.
    fn found(&self, room: &Countable) -> (&'a [u64], bool) {
        let sizes = self.answers.sizes.get(&room.room);
        let sizes = sizes.map_or(&[][..], Vec::as_slice);
        (sizes, self.answered.starts_with(sizes))
    }

    fn find_meaning(&self) -> CountMeaning {
        let is_ignored = matches!(self.answers.rows.get(&IMPOSSIBLE), Some(Ok(1..)));
        let (mut exact, mut at_least) = (0, 0);
        for room in &self.answers.rooms {
            let (sizes, are_smallest) = self.found(room);
            exact += usize::from(sizes.len() == 1 && !are_smallest);
            at_least += usize::from(sizes.len() > 1 && are_smallest);
        }
        match (exact, at_least) {
            _ if is_ignored => CountMeaning::Ignored,
            _ if matches!(self.answers.is_stable, Some(Ok(false) | Err(_))) => {
                CountMeaning::Unclear
            }
            (0, 0) => CountMeaning::Either,
            // Tolerate some contradictions, because a few rooms may change while they are counted.
            (exact, at_least) if exact > 10 * at_least => CountMeaning::Exact,
            (exact, at_least) if at_least > 10 * exact => CountMeaning::AtLeast,
            _ => CountMeaning::Unclear,
        }
    }

    /// Returns the offset that fits most of the rooms that roomform created. Each room votes
    /// for the offset that fits now, and for its offset on record. In a tie, the offset on
    /// record wins, because the offset that fits now is wrong if every room has lost a member.
    /// Returns `None` if the votes do not decide.
    fn find_offset(&self) -> Option<u64> {
        let (mut now, mut before) = (0_i64, 0_i64);
        let vote = |offset| if offset == 1 { 1 } else { -1 };
        for room in self.answers.rooms.iter().filter(|room| room.is_created) {
            let size = self.size(room).ok().flatten();
            let offset = size.and_then(|size| size.least.checked_sub(room.expected));
            now += offset.filter(|offset| *offset < 2).map_or(0, vote);
            before += room.last_offset.map_or(0, vote);
        }
        let found = match (now + before, before) {
            (1.., _) | (0, 1..) => Some(1),
            (..0, _) | (0, ..0) => Some(0),
            (0, 0) => None,
        };
        self.answers.offset.or(found)
    }

    /// Returns the number of users in a room; `None` if no answer lists the room. Returns an error
    /// if the answers do not show the number.
    fn size(&self, room: &Countable) -> Result<Option<Size>, CountGap> {
        let (sizes, are_smallest) = self.found(room);
        match (self.meaning, sizes) {
            (CountMeaning::Ignored, _) => Err(CountGap::Ignored),
            (CountMeaning::Unclear, _) => Err(match self.answers.is_stable {
                Some(Err(gap)) => gap,
                _ => CountGap::Unclear,
            }),
            (_, []) => Ok(None),
            (CountMeaning::Exact, [size]) => Ok(Some(Size::new(*size, Some(*size)))),
            (CountMeaning::AtLeast | CountMeaning::Either, [.., size]) if are_smallest => {
                let above = self.answered.get(sizes.len());
                Ok(Some(Size::new(*size, above.map(|above| above - 1))))
            }
            _ => Err(CountGap::Changed),
        }
    }

    /// If the writing user counts as a member, returns one more size to request for each room whose
    /// size is still unclear.
    pub(super) fn sizes_above(&self) -> Vec<u64> {
        let is_open = |size: Option<Size>, above: u64| match size {
            None => true,
            Some(size) => size.least + 1 == above && size.exact().is_none(),
        };
        let rooms = self.answers.rooms.iter();
        let rooms = rooms.filter(|room| room.is_created && self.offset == Some(1));
        let sizes = rooms.filter_map(|room| {
            let (size, above) = (self.size(room).ok()?, room.expected + 2);
            is_open(size, above).then_some(above)
        });
        sizes.collect()
    }

    /// Returns more sizes to request, nearest first, for recorded rooms that no answer lists.
    /// Several members may have left such a room, or joined it if it is public.
    pub(super) fn sizes_around(&self) -> Vec<u64> {
        let rooms = self.answers.rooms.iter();
        let is_lost = |room: &&Countable| room.is_recorded && self.found(room).0.is_empty();
        let lost = rooms.filter(|room| self.meaning == CountMeaning::Exact && is_lost(room));
        let lost: Vec<&Countable> = lost.collect();
        let sizes = (1..=SEARCHED).flat_map(|distance| {
            lost.iter().flat_map(move |room| {
                let above = room.is_public.then_some(room.expected + distance);
                let below = room.expected.checked_sub(distance);
                below.into_iter().chain(above)
            })
        });
        sizes.filter(|size| *size > 0).collect()
    }

    pub(super) fn result(&self, room: &Countable) -> CountResult {
        use CountResult::{Fewer, More, Unknown};
        if !room.is_created {
            return self.result_with(room, 0);
        }
        if let Some(offset) = self.offset {
            return self.result_with(room, offset);
        }
        let either = |without: Size, with: Size| Size::new(with.least, without.most);
        match (self.result_with(room, 0), self.result_with(room, 1)) {
            (Fewer(without), Fewer(with)) => Fewer(either(without, with)),
            (More(without), More(with)) => More(either(without, with)),
            (Unknown(gap), _) => Unknown(gap),
            _ => Unknown(CountGap::Writer),
        }
    }

    /// Returns the result for a room. `offset` is 1 if the writing user counts as a member,
    /// otherwise 0.
    fn result_with(&self, room: &Countable, offset: u64) -> CountResult {
        let wanted = room.expected + offset;
        let members = |users: u64| users.saturating_sub(offset);
        let in_members = |size: Size| Size::new(members(size.least), size.most.map(members));
        let size = match self.size(room) {
            Ok(Some(size)) => size,
            Ok(None) => match self.gap(wanted) {
                Some(gap) => return CountResult::Unknown(gap),
                // No answer lists any room, so nothing shows that the filter works.
                None if self.answers.sizes.is_empty() => {
                    return CountResult::Unknown(CountGap::NoneFound);
                }
                None => return self.outside(wanted, in_members),
            },
            Err(gap) => return CountResult::Unknown(gap),
        };
        match size {
            size if size.exact() == Some(wanted) => CountResult::Equal,
            size if size.least > wanted => CountResult::More(in_members(size)),
            size if size.most.is_some_and(|most| most < wanted) => {
                CountResult::Fewer(in_members(size))
            }
            _ => CountResult::Unknown(self.gap(wanted).unwrap_or(CountGap::Budget)),
        }
    }

    /// Returns why one of the sizes near `wanted` has no answer; `None` if all these sizes have
    /// an answer.
    fn gap(&self, wanted: u64) -> Option<CountGap> {
        let answers = &self.answers.rows;
        let failure = || answers.values().find_map(|it| it.err());
        near(wanted).find_map(|size| match answers.get(&size) {
            Some(answer) => answer.err(),
            None => failure().or(Some(CountGap::Budget)),
        })
    }

    /// Returns the result for a room that no answer lists.
    fn outside(&self, wanted: u64, in_members: impl Fn(Size) -> Size) -> CountResult {
        let is_answered = |size: &u64| self.answered.binary_search(size).is_ok();
        let least = (1..=wanted).rev().take_while(is_answered).last();
        let least = least.unwrap_or(wanted);
        let most = (wanted + 1..).take_while(is_answered).last();
        if self.meaning == CountMeaning::AtLeast {
            let most = self.answered.first().map(|size| size - 1);
            return CountResult::Fewer(in_members(Size { least: 0, most }));
        }
        CountResult::Outside(in_members(Size { least, most }))
    }
}
