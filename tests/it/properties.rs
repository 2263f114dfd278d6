//! For any manifest and any server state: after plan and apply, the next plan is empty, and order never matters.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::support::runtime;
use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::test_runner::{Config, TestRunner};
use roomform::apply::{Control, Interrupt, Job, Limiter, Outcome, Patience, apply};
use roomform::imbachat::{
    Dice, Endpoint, Http, Network, ReadAuth, ReadRooms, Reader, WriteAuth, Writer,
};
use roomform::ledger::{Journal, LedgerFile, read};
use roomform::manifest::{Loaded, Options, load, load_text};
use roomform::model::{Observed, RunId, Target, WidgetId, nfc};
use roomform::plan::{Allow, Plan, PlanOptions, RowFilter, plan};
use roomform::render::{self, Paint};
use roomform::sandbox::{self, Room, Sandbox};
use tempfile::TempDir;

/// There are only a few pipes, so that manifests and server states often have rooms in common.
const PIPES: [&str; 7] = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "Алгебра",
    "room.with dots",
    "zeta-7",
];
const TITLES: [&str; 6] = [
    "Platform",
    "Platform team",
    "Алгебра 7б",
    "Cafe\u{301}",
    "Caf\u{e9}",
    "a \"quoted\" \\ title: #1 🦀",
];
const USERS: [u64; 6] = [1, 2, 3, 17, 42, 9_000_000_000];

#[derive(Debug, Clone)]
struct Wish {
    pipe: &'static str,
    title: &'static str,
    kind: u8,
    public: bool,
    members: Vec<u64>,
    exclude: Vec<u64>,
    on_create: bool,
    ignore: Vec<&'static str>,
    welcome: bool,
}

impl Wish {
    /// Sender of the welcome: the member with the lowest id.
    fn host(&self) -> Option<u64> {
        let inside = self.members.iter().copied();
        let inside = inside.filter(|user| !self.exclude.contains(user));
        inside.min().filter(|_| self.welcome)
    }
}

fn wish(pipe: &'static str) -> impl Strategy<Value = Wish> {
    (
        prop::sample::select(TITLES.to_vec()),
        prop::sample::select(vec![0_u8, 1, 3]),
        any::<bool>(),
        subsequence(USERS.to_vec(), 0..=USERS.len()),
        subsequence(USERS.to_vec(), 0..=2),
        any::<bool>(),
        subsequence(vec!["title", "type", "public"], 0..=3),
        any::<bool>(),
    )
        .prop_map(
            move |(title, kind, public, members, exclude, on_create, ignore, welcome)| Wish {
                pipe,
                title,
                kind,
                public,
                members,
                exclude,
                on_create,
                ignore: if on_create { ignore } else { Vec::new() },
                welcome,
            },
        )
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    subsequence(PIPES.to_vec(), 1..=PIPES.len())
        .prop_flat_map(|pipes| pipes.into_iter().map(wish).collect::<Vec<_>>())
}

/// A room that was created or changed without roomform.
fn stranger() -> impl Strategy<Value = Room> {
    (
        prop::sample::select(PIPES.to_vec()),
        prop::sample::select(TITLES.to_vec()),
        0..4_u8,
        any::<bool>(),
    )
        .prop_map(|(pipe, name, kind, is_public)| Room {
            pipe: pipe.to_owned(),
            name: name.to_owned(),
            kind,
            is_public,
            members: BTreeSet::from([99]),
            ..Room::default()
        })
}

/// The manifest as text. Strings are quoted as in JSON, which is also valid YAML.
fn text(wishes: &[Wish]) -> String {
    let quote = |text: &str| serde_json::to_string(text).unwrap();
    let mut lines = vec!["version: 1".to_owned(), "rooms:".to_owned()];
    for wish in wishes {
        let kind = ["dialog", "conference", "", "support"][wish.kind as usize];
        let policy = if wish.on_create {
            "on_create"
        } else {
            "ensure"
        };
        lines.push(format!(
            "  - pipe: {}\n    title: {}",
            quote(wish.pipe),
            quote(wish.title)
        ));
        lines.push(format!(
            "    type: {kind}\n    public: {}\n    members_policy: {policy}",
            wish.public
        ));
        lines.push(format!(
            "    members: {:?}\n    exclude: {:?}",
            wish.members, wish.exclude
        ));
        lines.push(format!("    ignore: {:?}", wish.ignore));
        if let Some(host) = wish.host() {
            lines.push(format!(
                "    welcome: {{from: {host}, text: \"{{{{ pipe }}}}: {{{{ title }}}}\"}}"
            ));
        }
    }
    lines.join("\n") + "\n"
}

fn loaded(wishes: &[Wish]) -> Loaded {
    let loaded = load_text("rooms.yaml", &text(wishes), Options::default());
    assert!(loaded.is_valid(), "{:#?}", loaded.diagnostics);
    loaded
}

/// One widget of one sandbox, with its own ledger.
struct World<'a> {
    sandbox: &'a Sandbox,
    target: Target,
    reader: Reader,
    writer: Writer,
    ledger: TempDir,
}

impl<'a> World<'a> {
    fn new(sandbox: &'a Sandbox, widget: u64) -> Self {
        let endpoint = Endpoint::new(&sandbox.base_url(), false).unwrap();
        let target = Target {
            origin: endpoint.origin(),
            widget: WidgetId(widget),
        };
        let http = Http::new(
            endpoint,
            Duration::from_secs(30),
            Vec::new(),
            &Network::default(),
            &RunId::new(1),
        )
        .unwrap();
        let reader = Reader::new(
            http.clone(),
            target.widget,
            ReadAuth::Secret("secret_key".into()),
        );
        let auth = WriteAuth {
            login: "admin".into(),
            password: "admin".into(),
            secret_key: Some("secret_key".into()),
        };
        let writer = Writer::new(http, target.widget, auth);
        Self {
            sandbox,
            target,
            reader,
            writer,
            ledger: TempDir::new().unwrap(),
        }
    }

    fn ledger(&self) -> std::path::PathBuf {
        self.ledger.path().join("ledger.jsonl")
    }

    async fn plan(&self, loaded: &Loaded) -> Plan {
        let filter = RowFilter::new(&loaded.desired);
        let observed = self
            .reader
            .collect(&Dice::new(1), Observed::default, |observed, row| {
                filter.take(observed, row)
            })
            .await
            .unwrap();
        let recorded = read(&self.ledger(), &self.target).unwrap().into_recorded();
        let allow = Allow {
            publish: loaded.desired.rooms.keys().cloned().collect(),
            beyond_limits: true,
            ..Allow::default()
        };
        plan(
            &self.target,
            &loaded.desired,
            &observed,
            &recorded,
            &PlanOptions {
                allow,
                ..PlanOptions::default()
            },
        )
    }

    async fn apply(&self, loaded: &Loaded, plan: &Plan) -> Outcome {
        let job = Job {
            plan,
            filter: RowFilter::new(&loaded.desired),
            reader: &self.reader,
            writer: &self.writer,
            ledger: &Journal::open(
                &LedgerFile::new(self.ledger()),
                &self.target,
                &RunId::new(1),
            )
            .unwrap(),
            control: Control::new(
                Limiter::new(4, None),
                Dice::new(1),
                false,
                Patience::default(),
                tokio::sync::watch::channel(Interrupt::None).1,
            ),
        };
        apply(job, |_| {}).await
    }

    fn live(&self) -> BTreeMap<String, Vec<Room>> {
        let mut live: BTreeMap<String, Vec<Room>> = BTreeMap::new();
        for room in self
            .sandbox
            .with_world(|world| world.rooms(self.target.widget.0))
        {
            live.entry(room.pipe.clone()).or_default().push(room);
        }
        live
    }
}

#[test]
fn after_any_apply_the_next_plan_is_empty() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = runtime();
    let sandbox = runtime
        .block_on(sandbox::start(sandbox::Config::default()))
        .unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 120,
        failure_persistence: None,
        ..Config::default()
    });
    let widgets = std::cell::Cell::new(1000);
    let strangers = || prop::collection::vec(stranger(), 0..4);
    let cases = (wishes(), strangers(), strangers(), wishes());
    let result = runner.run(&cases, |(first, before, between, second)| {
        widgets.set(widgets.get() + 1);
        let world = World::new(&sandbox, widgets.get());
        runtime.block_on(converge(&world, &first, &before, &between, &second));
        Ok(())
    });
    runtime.block_on(sandbox.stop()).unwrap();
    result.unwrap();
}

/// Other people create rooms, one manifest is applied, other people change rooms, and another manifest is
/// applied.
async fn converge(
    world: &World<'_>,
    first: &[Wish],
    before: &[Room],
    between: &[Room],
    second: &[Wish],
) {
    let mut seen = BTreeSet::new();
    for room in before.iter().filter(|room| seen.insert(room.pipe.clone())) {
        world
            .sandbox
            .with_world(|server| server.insert_room(world.target.widget.0, room.clone(), 1));
    }
    settle(world, first).await;
    for change in between {
        let Some(room) = world
            .live()
            .remove(&change.pipe)
            .and_then(|mut rooms| rooms.pop())
        else {
            continue;
        };
        let fields = [
            ("imba_id", world.target.widget.to_string()),
            ("login", "admin".to_owned()),
            ("password", "admin".to_owned()),
            ("room_id", room.id.to_string()),
            ("room_title", change.name.clone()),
            ("room_type", change.kind.to_string()),
            ("room_is_public", u8::from(change.is_public).to_string()),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        let path = "/imbachat/v1/widget/imba_rooms";
        let answer = world
            .sandbox
            .with_world(|server| server.call(path, &sandbox::Auth::none(), &fields, 2));
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    settle(world, second).await;
}

async fn settle(world: &World<'_>, wishes: &[Wish]) {
    let loaded = loaded(wishes);
    let existing = world.live();
    let planned = world.plan(&loaded).await;
    assert_eq!(
        (planned.conflicts.len(), planned.refusals.len()),
        (0, 0),
        "{planned:#?}"
    );
    let calls = || {
        let stats = world.sandbox.stats();
        (stats.imba_rooms, stats.send_msg)
    };
    let (writes, sends) = calls();
    let outcome = world.apply(&loaded, &planned).await;
    assert!(outcome.is_complete(), "{outcome:#?}");
    let made = (calls().0 - writes, calls().1 - sends);
    let summary = &planned.summary;
    let counted = (summary.writes as u64, summary.messages as u64);
    assert_eq!(made, counted, "the plan's own count of its calls");
    let new = |wish: &&Wish| wish.host().is_some() && !existing.contains_key(wish.pipe);
    assert_eq!(wishes.iter().filter(new).count(), summary.messages);
    let after = world.plan(&loaded).await;
    assert!(
        !after.is_pending(),
        "{}",
        render::plan(&after, Paint::Plain)
    );
    assert_eq!(after.summary.unchanged, wishes.len());
    let live = world.live();
    let said = world
        .sandbox
        .with_world(|server| server.messages(world.target.widget.0));
    for wish in wishes.iter().filter(new) {
        let said = said
            .iter()
            .filter(|said| said.room_id == live[wish.pipe][0].id);
        let said: Vec<(u64, &str)> = said
            .map(|said| (said.remote_user_id, said.text.as_str()))
            .collect();
        let text = format!("{}: {}", wish.pipe, wish.title);
        assert_eq!(said, [(wish.host().unwrap_or_default(), text.as_str())]);
    }
    for wish in wishes {
        agrees(wish, &live[wish.pipe], existing.get(wish.pipe));
    }
}

/// Checks that the server has exactly what the wish declares.
fn agrees(wish: &Wish, live: &[Room], before: Option<&Vec<Room>>) {
    assert_eq!(live.len(), 1, "{live:?}");
    let (room, before) = (&live[0], before.and_then(|rooms| rooms.first()));
    let kept = |field: &str| before.filter(|_| wish.ignore.contains(&field));
    assert_eq!(
        nfc(&room.name),
        nfc(kept("title").map_or(wish.title, |before| &before.name))
    );
    assert_eq!(
        room.kind,
        kept("type").map_or(wish.kind, |before| before.kind)
    );
    assert_eq!(
        room.is_public,
        kept("public").map_or(wish.public, |before| before.is_public)
    );
    let wanted: BTreeSet<u64> = wish
        .members
        .iter()
        .copied()
        .filter(|user| !wish.exclude.contains(user))
        .collect();
    if before.is_none() || !wish.on_create {
        assert!(wanted.is_subset(&room.members), "{wish:?} {room:?}");
    }
    let was_there = before
        .map(|before| before.members.clone())
        .unwrap_or_default();
    let came: BTreeSet<u64> = room.members.difference(&was_there).copied().collect();
    assert!(came.is_subset(&wanted), "{wish:?} {room:?}");
}

#[test]
fn the_plan_does_not_depend_on_the_order_of_files_rooms_or_members() {
    let mut runner = TestRunner::new(Config {
        cases: 60,
        failure_persistence: None,
        ..Config::default()
    });
    let shuffled = wishes().prop_flat_map(|wishes| {
        let mixed = Just(wishes.clone()).prop_shuffle();
        (
            Just(wishes),
            mixed,
            0..8_usize,
            prop::collection::vec(stranger(), 0..4),
        )
    });
    let result = runner.run(&shuffled, |(wishes, mut mixed, cut, strangers)| {
        for wish in &mut mixed {
            wish.members.reverse();
            wish.exclude.reverse();
            wish.ignore.reverse();
            let again = wish.members.first().copied();
            wish.members.extend(again);
        }
        let (a, b) = mixed.split_at(cut.min(mixed.len()));
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join("b.yaml"), text(a)).unwrap();
        std::fs::write(
            dir.path().join("a.yml"),
            text(b).replace(
                "rooms:\n",
                if b.is_empty() {
                    "rooms: []\n"
                } else {
                    "rooms:\n"
                },
            ),
        )
        .unwrap();
        if a.is_empty() {
            std::fs::write(dir.path().join("b.yaml"), "version: 1\n").unwrap();
        }
        let many = load(&[dir.path().to_owned()], Options::default());
        assert!(many.is_valid(), "{:#?}", many.diagnostics);
        let one = offline(&loaded(&wishes), &strangers);
        assert_eq!(
            one,
            offline(&loaded(&wishes), &strangers),
            "equal input, equal bytes"
        );
        assert_eq!(
            without_places(&one),
            without_places(&offline(&many, &strangers))
        );
        Ok(())
    });
    result.unwrap();
}

/// The plan, as text, against a server that lists these rooms.
fn offline(loaded: &Loaded, strangers: &[Room]) -> String {
    let filter = RowFilter::new(&loaded.desired);
    let mut observed = Observed::default();
    let mut seen = BTreeSet::new();
    for (id, room) in strangers
        .iter()
        .enumerate()
        .filter(|(_, room)| seen.insert(room.pipe.clone()))
    {
        let state = roomform::model::RoomState {
            title: room.name.clone(),
            kind: roomform::model::RoomKind::from_number(room.kind.into()),
            public: room.is_public,
        };
        let (id, pipe) = (
            roomform::model::RoomId(id as u64 + 1),
            roomform::model::Pipe::new(room.pipe.as_str()),
        );
        filter.take(
            &mut observed,
            roomform::model::LiveRoom {
                updated_at: None,
                id,
                pipe,
                state,
                deleted: false,
            },
        );
    }
    let target = Target {
        origin: "https://api.imbachat.com".to_owned(),
        widget: WidgetId(627),
    };
    let plan = plan(
        &target,
        &loaded.desired,
        &observed,
        &Default::default(),
        &PlanOptions::default(),
    );
    render::plan(&plan, Paint::Plain)
}

fn without_places(plan: &str) -> String {
    plan.lines()
        .filter(|line| !line.starts_with("  # "))
        .collect::<Vec<_>>()
        .join("\n")
}
