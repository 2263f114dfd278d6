//! The manifests of a simulated world: created at random, edited at random, and passed to the product as [`Desired`].

use std::collections::{BTreeMap, BTreeSet};

use roomform::model::{
    Desired, DesiredRoom, Field, FieldSet, FileId, Limit, Limits, MembersPolicy, Pipe, Place,
    RoomKind, RoomState, UserId, Welcome,
};

use super::rng::Rng;

const TITLES: [&str; 7] = [
    "Platform",
    "Platform team",
    "Алгебра 7б",
    "Cafe\u{301}",
    "Caf\u{e9}",
    "new room",
    "a \"quoted\" title 🦀",
];
const KINDS: [RoomKind; 3] = [RoomKind::Dialog, RoomKind::Conference, RoomKind::Support];

/// The ledger's name for the roster that supplies every second room and its members.
pub const ROSTER: &str = "b.csv";

/// A declared room, before exclusions.
#[derive(Debug, Clone)]
pub struct Wish {
    pub state: RoomState,
    named: BTreeSet<UserId>,
    excluded: BTreeSet<UserId>,
    /// Declared members, without the excluded.
    pub members: BTreeSet<UserId>,
    pub policy: MembersPolicy,
    pub ignore: FieldSet,
    pub welcome: Option<Welcome>,
}

#[derive(Debug, Clone, Default)]
pub struct Wishes {
    pub rooms: BTreeMap<Pipe, Wish>,
    pub scope: Option<&'static str>,
    pub limits: Limits,
}

pub fn state(rng: &mut Rng) -> RoomState {
    RoomState {
        title: (*rng.pick(&TITLES)).to_owned(),
        kind: *rng.pick(&KINDS),
        public: rng.chance(300),
    }
}

pub fn pipe(rng: &mut Rng) -> Pipe {
    // Pipes that differ only in case are different, whatever the server does.
    let letter = if rng.chance(60) { 'P' } else { 'p' };
    Pipe::new(format!("{letter}{:02}", rng.below(26)))
}

/// Random users, sometimes more than fit into one call or two calls.
fn users(rng: &mut Rng) -> BTreeSet<UserId> {
    let (first, count) = match rng.below(40) {
        0 => (1, rng.below(451)),
        1 => (1, 195 + rng.below(12)),
        2..=5 => (1, 0),
        _ => (rng.below(40), rng.below(9)),
    };
    (first..first + count).map(UserId).collect()
}

fn welcome(rng: &mut Rng) -> Option<Welcome> {
    let from = UserId(1 + rng.below(3));
    let texts = ["Welcome", "Добро пожаловать в комнату", "two\nlines"];
    let text = (*rng.pick(&texts)).to_owned();
    rng.chance(500).then_some(Welcome { from, text })
}

fn wish(rng: &mut Rng) -> Wish {
    let policy = if rng.chance(300) {
        MembersPolicy::OnCreate
    } else {
        MembersPolicy::Ensure
    };
    let mut ignore = FieldSet::default();
    if rng.chance(200) {
        ignore.insert(*rng.pick(&Field::ALL));
    }
    let named = users(rng);
    let excluded = named
        .iter()
        .copied()
        .filter(|user| user.0 % 17 == 0)
        .collect();
    let mut wish = Wish {
        state: state(rng),
        named,
        excluded,
        members: BTreeSet::new(),
        policy,
        ignore,
        welcome: welcome(rng),
    };
    wish.exclude();
    wish
}

impl Wish {
    fn exclude(&mut self) {
        self.members = self.named.difference(&self.excluded).copied().collect();
    }
}

impl Wishes {
    /// A random manifest.
    pub fn new(rng: &mut Rng) -> Self {
        let mut wishes = Self {
            scope: rng.chance(200).then_some("x1*"),
            ..Self::default()
        };
        for _ in 0..6 + rng.below(10) {
            wishes.rooms.insert(pipe(rng), wish(rng));
        }
        let limit = |rng: &mut Rng| {
            let limits = [Limit::Count(1), Limit::Count(5), Limit::Share(3_000)];
            rng.chance(120).then(|| *rng.pick(&limits))
        };
        wishes.limits = Limits {
            create: limit(rng),
            update: limit(rng),
            add_members: limit(rng),
            messages: limit(rng),
            publish: Vec::new(),
        };
        while rng.chance(300) {
            let pipes: Vec<&Pipe> = wishes.rooms.keys().collect();
            let entry = match rng.chance(300) {
                true => "p1*".to_owned(),
                false => rng.pick(&pipes).to_string(),
            };
            wishes.limits.publish.push(entry);
        }
        wishes
    }

    /// The entry of `limits.publish` that matches a pipe: the pipe itself if it is listed,
    /// otherwise a glob.
    pub fn publish_entry(&self, pipe: &Pipe) -> Option<&str> {
        let lists = |entry: &&str| match entry.strip_suffix('*') {
            Some(prefix) => pipe.as_str().starts_with(prefix),
            None => *entry == pipe.as_str(),
        };
        let entries = self.limits.publish.iter().map(String::as_str);
        entries
            .filter(lists)
            .min_by_key(|entry| entry.ends_with('*'))
    }

    /// Edits the manifest at random.
    pub fn edit(&mut self, rng: &mut Rng) {
        if rng.chance(40) {
            let rooms = std::mem::take(&mut self.rooms).into_iter();
            let moved = |pipe: Pipe| Pipe::new(format!("q{}", &pipe.as_str()[1..]));
            self.rooms = rooms.map(|(pipe, wish)| (moved(pipe), wish)).collect();
        }
        for _ in 0..=rng.below(6) {
            let pipes: Vec<Pipe> = self.rooms.keys().cloned().collect();
            let Some(pipe) = rng.choose(&pipes) else {
                return;
            };
            if rng.chance(100) {
                self.move_room(rng, &pipe);
            } else if let Some(wish) = self.rooms.get_mut(&pipe) {
                edit(rng, wish);
            }
        }
    }

    /// Adds or removes a room, or changes its pipe.
    fn move_room(&mut self, rng: &mut Rng, pipe: &Pipe) {
        let other = self::pipe(rng);
        match rng.below(3) {
            0 => drop(self.rooms.remove(pipe)),
            1 => {
                let wish = wish(rng);
                self.rooms.entry(other).or_insert(wish);
            }
            _ => {
                if let Some(wish) = self.rooms.remove(pipe) {
                    self.rooms.entry(other).or_insert(wish);
                }
            }
        }
    }

    /// The number of rooms and memberships from the roster.
    pub fn given(&self) -> u64 {
        let from_it = self.rooms.values().skip(1).step_by(2);
        from_it.map(|wish| 1 + wish.members.len() as u64).sum()
    }

    /// The manifest as the product resolves it: each room's members are sorted, without
    /// duplicates and without excluded users.
    pub fn desired(&self) -> Desired {
        let rooms = self.rooms.iter().enumerate().map(|(index, (pipe, wish))| {
            let place = Place {
                file: FileId(index as u32 % 2),
                line: index as u32 + 1,
            };
            let room = DesiredRoom {
                pipe: pipe.clone(),
                state: wish.state.clone(),
                members: wish.members.iter().copied().collect(),
                member_places: wish.members.iter().map(|_| place).collect(),
                ending: 0,
                exclude: wish.excluded.clone(),
                policy: wish.policy,
                ignore: wish.ignore,
                welcome: wish.welcome.clone(),
                place,
            };
            (pipe.clone(), room)
        });
        Desired {
            widget: None,
            scope: self.scope.into_iter().map(ToOwned::to_owned).collect(),
            limits: self.limits.clone(),
            rooms: rooms.collect(),
            rosters: [(FileId(1), ROSTER.into())].into(),
            files: ["a.yaml".into(), "b.yaml".into()].into(),
            ..Desired::default()
        }
    }
}

fn edit(rng: &mut Rng, wish: &mut Wish) {
    match rng.below(10) {
        0..=2 => wish.state = state(rng),
        3 => wish.named = users(rng),
        4 => wish.named.extend(users(rng)),
        5 => wish.named.retain(|user| user.0 % 3 != 0),
        6 => {
            let one = wish.named.iter().next().copied();
            wish.excluded.extend(one);
        }
        7 => wish.excluded.clear(),
        8 => wish.welcome = welcome(rng),
        _ => {
            wish.policy = match wish.policy {
                MembersPolicy::Ensure => MembersPolicy::OnCreate,
                MembersPolicy::OnCreate => MembersPolicy::Ensure,
            }
        }
    }
    wish.exclude();
}
