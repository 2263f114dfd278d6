//! Counts members on a simulated server, where every number is known, and compares the results
//! with these numbers.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use roomform::manifest::{Options, load_text};
use roomform::model::{
    CountGap, CountMeaning, CountResult, LiveRoom, MemberCounts, Pipe, Recorded, RecordedRoom,
    Release, RoomCount, RoomId, RoomKind, RoomState, Size, Time, UserId,
};
use roomform::plan::{
    Countable, Counting, IMPOSSIBLE, Inputs, NextSizes, RoomFilter, RowFilter, countable,
};

use crate::support::manifest;

/// What the ledger knows about a room, and what happened to the room outside roomform.
#[derive(Debug, Clone)]
struct Case {
    members: u64,
    /// Members that left the manifest and are not removed yet.
    released: u64,
    is_recorded: bool,
    is_created: bool,
    is_public: bool,
    removed: u64,
    joined: u64,
}

impl Case {
    fn known(&self) -> u64 {
        match self.is_recorded {
            true => self.members + self.released,
            false => self.members,
        }
    }

    /// The users inside, without the writing user.
    fn inside(&self) -> u64 {
        (self.known() + self.joined).saturating_sub(self.removed)
    }
}

/// A server, and how much may be asked of it.
#[derive(Debug, Clone)]
struct World {
    rooms: Vec<Case>,
    /// The sizes of rooms that are not declared.
    others: Vec<u64>,
    meaning: CountMeaning,
    /// Whether the writing user is a member of the rooms that it created.
    offset: u64,
    /// The maximum number of requests.
    budget: usize,
    /// Changes during the count: after how many requests, which room, and its new number of users.
    changes: Vec<(usize, usize, u64)>,
}

fn case() -> impl Strategy<Value = Case> {
    let outside = prop_oneof![
        6 => Just((0, 0)),
        2 => Just((1, 0)),
        1 => Just((0, 1)),
        1 => Just((1, 1)),
        1 => (0..9_u64, 0..3_u64),
        1 => Just((0, 200)),
        1 => Just((100, 0)),
    ];
    let size = prop_oneof![1..5_u64, 1..60_u64];
    let flags = any::<[bool; 3]>();
    (size, 0..3_u64, flags, outside).prop_map(|(members, released, flags, (removed, joined))| {
        let [is_recorded, is_created, is_public] = flags;
        Case {
            members,
            released,
            is_recorded: is_recorded || is_created,
            is_created,
            is_public,
            removed,
            joined,
        }
    })
}

fn world(
    budget: impl Strategy<Value = usize>,
    changes: std::ops::Range<usize>,
) -> impl Strategy<Value = World> {
    let meaning = prop_oneof![
        4 => Just(CountMeaning::Exact),
        4 => Just(CountMeaning::AtLeast),
        1 => Just(CountMeaning::Ignored),
    ];
    let change = (0..40_usize, 0..20_usize, 0..62_u64);
    (
        prop::collection::vec(case(), 1..20),
        prop::collection::vec(0..62_u64, 0..4),
        meaning,
        0..2_u64,
        budget,
        prop::collection::vec(change, changes),
    )
        .prop_map(|(rooms, others, meaning, offset, budget, changes)| World {
            rooms,
            others,
            meaning,
            offset,
            budget,
            changes,
        })
}

/// A fault in the code that asks for sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Planted {
    /// Does not ask for a size that no room has.
    NoImpossibleSize,
    /// Does not ask for the first size again.
    NoSecondLook,
    /// Treats a size that was not asked for like a size that no room has.
    EmptyInsteadOfUnknown,
}

/// A finished count: the sizes asked for, the users in each room at every change, and the rooms that had the first size at the start
/// and at the end.
struct Counted {
    counts: MemberCounts,
    asked: Vec<u64>,
    history: Vec<Vec<u64>>,
    looks: Vec<BTreeSet<u64>>,
}

impl World {
    fn counting(&self) -> Counting {
        let pipe = |index: usize| format!("room-{index:02}");
        let declared = self.rooms.iter().enumerate().map(|(index, room)| {
            let members: Vec<String> = (1..=room.members).map(|user| user.to_string()).collect();
            let (pipe, members) = (pipe(index), members.join(", "));
            format!("pipe: {pipe}, title: T, members: [{members}]")
        });
        let desired = load_text("rooms.yaml", &manifest(declared), Options::default()).desired;
        let rows = self.rooms.iter().enumerate().map(|(index, room)| LiveRoom {
            id: RoomId(index as u64),
            pipe: Pipe::new(pipe(index)),
            state: RoomState::new("T", RoomKind::Conference, room.is_public),
            deleted: false,
            updated_at: None,
        });
        let observed = RowFilter::new(&desired).observed(rows);
        let mut recorded = Recorded::default();
        for (index, room) in self.rooms.iter().enumerate() {
            let release = || Release {
                since: Time::default(),
                run: "run".into(),
            };
            let known = RecordedRoom {
                members: (1..=room.members).map(UserId).collect(),
                released: (0..room.released)
                    .map(|user| (UserId(1_000 + user), release()))
                    .collect(),
                created: room.is_created,
                ..RecordedRoom::default()
            };
            if room.is_recorded {
                recorded.rooms.insert(RoomId(index as u64), known);
            }
        }
        let inputs = Inputs {
            desired: &desired,
            observed: &observed,
            recorded: &recorded,
        };
        Counting::new(countable(inputs, &RoomFilter::default()))
    }

    fn finds(&self, wanted: u64, users: u64) -> bool {
        match self.meaning {
            CountMeaning::Exact => users == wanted,
            CountMeaning::AtLeast => users >= wanted,
            _ => true,
        }
    }

    fn count(&self, planted: Option<Planted>) -> Counted {
        let mut counting = self.counting();
        let now = self.rooms.iter().map(|room| {
            let writer = if room.is_created { self.offset } else { 0 };
            room.inside() + writer
        });
        let mut now: Vec<u64> = now.collect();
        let (mut asked, mut history) = (Vec::new(), vec![now.clone()]);
        let mut looks = Vec::new();
        loop {
            let next = counting.next_sizes();
            let is_first = matches!(next, NextSizes::First(_));
            let (sizes, is_again) = match next {
                NextSizes::Ask(sizes) => (sizes, false),
                NextSizes::First(size) => (vec![size], false),
                NextSizes::Again(size) => (vec![size], true),
                NextSizes::Done => break,
            };
            for size in sizes {
                // One request is reserved to ask for the first size again.
                let is_extra = !(is_first || is_again || size == IMPOSSIBLE);
                if asked.len() + usize::from(is_extra) >= self.budget {
                    let answer = match planted {
                        Some(Planted::EmptyInsteadOfUnknown) => Some((0, Vec::new())),
                        _ => None,
                    };
                    counting.record(size, Ok(answer));
                    continue;
                }
                for (at, room, users) in &self.changes {
                    if *at == asked.len() && *room < now.len() {
                        now[*room] = *users;
                        history.push(now.clone());
                    }
                }
                asked.push(size);
                if is_first || is_again {
                    let ids = (0_u64..).zip(&now);
                    let found = ids.filter(|(_, users)| self.finds(size, **users));
                    looks.push(found.map(|(id, _)| id).collect());
                }
                let users = match (planted, is_again) {
                    (Some(Planted::NoSecondLook), true) => &history[0],
                    _ => &now,
                };
                let ids = users.iter().enumerate();
                let found = ids.filter(|(_, users)| self.finds(size, **users));
                let found: Vec<RoomId> = found.map(|(id, _)| RoomId(id as u64)).collect();
                let others = self.others.iter().filter(|users| self.finds(size, **users));
                let rows = match planted {
                    Some(Planted::NoImpossibleSize) if size == IMPOSSIBLE => 0,
                    _ => found.len() + others.count(),
                };
                counting.record(size, Ok(Some((rows, found))));
            }
        }
        let counts = counting.finish(asked.len() as u64, 0);
        Counted {
            counts,
            asked,
            history,
            looks,
        }
    }
}

/// Whether a statement is true for a room with this many users, if `offset` of them are not members.
fn is_true(room: &RoomCount, users: u64, offset: u64) -> bool {
    let members = users.saturating_sub(offset);
    let is_within =
        |least: u64, most: Option<u64>| members >= least && most.is_none_or(|most| members <= most);
    match room.result {
        CountResult::Equal => users == room.expected + offset,
        CountResult::Fewer(size) => members < room.expected && is_within(size.least, size.most),
        CountResult::More(size) => members > room.expected && is_within(size.least, size.most),
        CountResult::Outside(size) => users == 0 || !is_within(size.least, size.most),
        CountResult::Unknown(_) => true,
    }
}

/// Checks the statement about each room. A room that changed during the count must have had the stated size at some point.
fn check(world: &World, planted: Option<Planted>) -> Result<(), TestCaseError> {
    let Counted {
        counts,
        asked,
        history,
        looks,
    } = world.count(planted);
    let is_static = history.len() == 1;
    for (index, (room, case)) in counts.rooms.iter().zip(&world.rooms).enumerate() {
        prop_assert_eq!(room.expected, case.known());
        // If the count made no assumption about the offset, its statements must be true for the
        // server's real offset.
        let offset = counts.offset.unwrap_or(world.offset);
        let offset = if case.is_created { offset } else { 0 };
        let users: BTreeSet<u64> = history.iter().map(|now| now[index]).collect();
        let (min, max) = (*users.first().unwrap(), *users.last().unwrap());
        let wanted = room.expected + offset;
        let is_possible = match room.result {
            _ if min == max => is_true(room, min, offset),
            CountResult::Equal => min <= wanted && wanted <= max,
            CountResult::Fewer(_) => min < wanted,
            CountResult::More(_) => max > wanted,
            CountResult::Outside(_) | CountResult::Unknown(_) => true,
        };
        prop_assert!(is_possible, "{room:?} with {users:?} users, {counts:?}");
    }
    // Only the first size is asked for twice, and every size is near a known one.
    let mut times: BTreeMap<u64, usize> = BTreeMap::new();
    asked
        .iter()
        .for_each(|size| *times.entry(*size).or_default() += 1);
    prop_assert!(times.values().filter(|times| **times > 1).count() <= 1);
    let near = |size: &u64| {
        let mut known = world.rooms.iter().map(Case::known);
        *size == IMPOSSIBLE
            || known.any(|known| (known.saturating_sub(50).max(1)..=known + 50).contains(size))
    };
    prop_assert!(times.keys().all(near), "{asked:?}");
    prop_assert!(asked.len() <= world.budget, "{asked:?}");
    let created = world.rooms.iter().filter(|room| room.is_created).count();
    prop_assert!(created > 0 || counts.offset.is_none());
    if let [first, again] = looks.as_slice()
        && first != again
    {
        prop_assert_eq!(counts.meaning, CountMeaning::Unclear);
    }
    if !is_static {
        return Ok(());
    }
    let meanings: &[CountMeaning] = match world.meaning {
        CountMeaning::Ignored => &[CountMeaning::Ignored],
        CountMeaning::Exact => &[CountMeaning::Exact, CountMeaning::Either],
        _ => &[CountMeaning::AtLeast, CountMeaning::Either],
    };
    let is_unclear = |room: &RoomCount| room.result == CountResult::Unknown(CountGap::Unclear);
    prop_assert!(!counts.rooms.iter().any(is_unclear), "{counts:?}");
    if world.budget > 2 {
        prop_assert!(meanings.contains(&counts.meaning), "{:?}", counts.meaning);
    }
    if world.budget < 1_000 || world.meaning == CountMeaning::Ignored {
        return Ok(());
    }
    let is_any_near = world.rooms.iter().any(|room| {
        let offset = if room.is_created { world.offset } else { 0 };
        (room.inside() + offset).abs_diff(room.known()) < 2
    });
    for room in &counts.rooms {
        match room.result {
            CountResult::Unknown(CountGap::NoneFound) => prop_assert!(!is_any_near),
            CountResult::Unknown(CountGap::Writer) => prop_assert_eq!(counts.offset, None),
            result => prop_assert!(!matches!(result, CountResult::Unknown(_)), "{counts:?}"),
        }
    }
    let rooms = world.rooms.iter().filter(|room| room.is_created);
    let fitting = rooms.filter(|room| room.inside() == room.known()).count();
    if fitting * 2 > created && counts.meaning == world.meaning {
        prop_assert_eq!(counts.offset, Some(world.offset));
    }
    Ok(())
}

fn all(cases: u32, planted: Option<Planted>) -> Vec<String> {
    let config = || Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let endless = || Just(10_000_usize);
    let worlds = [
        world(endless(), 0..1).boxed(),
        world(0..30_usize, 0..1).boxed(),
        world(endless(), 1..4).boxed(),
        world(0..40_usize, 1..4).boxed(),
    ];
    let failures = worlds.iter().filter_map(|worlds| {
        let rng = proptest::test_runner::TestRng::deterministic_rng(config().rng_algorithm);
        let mut runner = TestRunner::new_with_rng(config(), rng);
        let result = runner.run(worlds, |world| check(&world, planted));
        result.err().map(|error| error.to_string())
    });
    failures.collect()
}

#[test]
fn every_statement_about_members_is_true() {
    let cases = std::env::var("ROOMFORM_CASES").ok();
    let cases = cases.and_then(|cases| cases.parse().ok()).unwrap_or(300);
    assert_eq!(all(cases, None), Vec::<String>::new());
}

/// Counts rooms that roomform created and counted before. Each room had four known members, and
/// `removed` is the number of members that each room has lost.
fn counted_before(last_offset: Option<u64>, now: u64, removed: &[u64]) -> MemberCounts {
    let rooms = (0_u64..).zip(removed).map(|(id, _)| Countable {
        pipe: Pipe::new(format!("room-{id}")),
        room: RoomId(id),
        expected: 4,
        is_recorded: true,
        is_created: true,
        last_offset,
        open_removals: 0,
        is_public: false,
    });
    let mut counting = Counting::new(rooms.collect());
    loop {
        let sizes = match counting.next_sizes() {
            NextSizes::Ask(sizes) => sizes,
            NextSizes::First(size) | NextSizes::Again(size) => vec![size],
            NextSizes::Done => return counting.finish(0, 0),
        };
        for size in sizes {
            let users = (0_u64..).zip(removed).map(|(id, it)| (id, 4 + now - it));
            let found = users.filter(|(_, users)| *users == size);
            let found: Vec<RoomId> = found.map(|(id, _)| RoomId(id)).collect();
            counting.record(size, Ok(Some((found.len(), found))));
        }
    }
}

#[test]
fn the_writing_user_counts_as_in_earlier_counts_unless_many_rooms_disagree() {
    let unclear = CountResult::Unknown(CountGap::Writer);
    let fewer = |least, most| {
        CountResult::Fewer(Size {
            least,
            most: Some(most),
        })
    };
    let results = |last_offset, now, removed: &[u64]| -> Vec<CountResult> {
        let rooms = counted_before(last_offset, now, removed).rooms.into_iter();
        rooms.map(|room| room.result).collect()
    };
    for now in [0, 1] {
        let known = Some(now);
        assert_eq!(results(known, now, &[1]), [fewer(3, 3)]);
        assert_eq!(results(known, now, &[1, 1, 1]), [fewer(3, 3); 3]);
        assert_eq!(results(None, now, &[0, 0, 1])[2], fewer(3, 3));
        // Even if the counts of all recorded rooms differ from the expected counts, roomform
        // assumes that the server still counts in the same way as before.
        let other = Some(1 - now);
        assert_ne!(results(other, now, &[0, 0])[0], CountResult::Equal);
    }
    let rooms = results(None, 1, &[0, 1, 3]);
    assert_eq!(rooms, [unclear, unclear, fewer(1, 2)]);
}

#[test]
fn if_no_answer_names_a_room_nothing_is_counted() {
    let nothing = CountResult::Unknown(CountGap::NoneFound);
    for removed in [&[4][..], &[4, 4], &[4, 4, 4]] {
        let rooms = counted_before(Some(0), 0, removed).rooms;
        assert!(rooms.iter().all(|room| room.result == nothing), "{rooms:?}");
    }
    // An empty room gets a different result if another room is not empty.
    let rooms = counted_before(Some(0), 0, &[0, 4]).rooms;
    assert!(matches!(rooms[1].result, CountResult::Outside(_)));
}

/// Proves that the checks can fail.
#[test]
fn planted_faults_are_found() {
    for planted in [
        Planted::NoImpossibleSize,
        Planted::NoSecondLook,
        Planted::EmptyInsteadOfUnknown,
    ] {
        assert_ne!(all(300, Some(planted)), Vec::<String>::new(), "{planted:?}");
    }
}

/// The results for a widget in which one room has one member less than known, one room has one
/// more, and one room has as many as known.
fn small(meaning: CountMeaning) -> Vec<CountResult> {
    let room = |removed, joined| Case {
        members: 5,
        released: 1,
        is_recorded: true,
        is_created: true,
        is_public: false,
        removed,
        joined,
    };
    let world = World {
        rooms: vec![
            room(1, 0),
            room(0, 1),
            room(3, 0),
            room(0, 0),
            room(0, 0),
            room(0, 0),
            room(0, 0),
        ],
        others: vec![0, 9],
        meaning,
        offset: 1,
        budget: 100,
        changes: Vec::new(),
    };
    let rooms = world.count(None).counts.rooms.into_iter();
    rooms.map(|room| room.result).collect()
}

#[test]
fn statements_depend_on_the_meaning_of_the_filter() {
    let size = |least, most| Size { least, most };
    let equal = [CountResult::Equal; 4];
    let [removed, lost] = [5, 3].map(|size| {
        CountResult::Fewer(Size {
            least: size,
            most: Some(size),
        })
    });
    let joined = CountResult::More(size(7, Some(7)));
    assert_eq!(
        small(CountMeaning::Exact),
        [&[removed, joined, lost][..], &equal].concat()
    );
    let joined = CountResult::More(size(7, None));
    let lost = CountResult::Fewer(size(0, Some(3)));
    assert_eq!(
        small(CountMeaning::AtLeast),
        [&[removed, joined, lost][..], &equal].concat()
    );
    let ignored = CountResult::Unknown(CountGap::Ignored);
    assert_eq!(small(CountMeaning::Ignored), [ignored; 7]);
}
