//! The ledger: entries in any order and repeated, the commands, concurrent runs, and disk errors.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::future::{Future, poll_fn};
use std::path::Path;
use std::process::{Command, Stdio};
use std::task::Poll;
use std::time::Duration;

use insta::assert_snapshot;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use proptest::test_runner::Config as Trials;
use roomform::ledger::{
    Claimed, Entries, Fact, Journal, LedgerFile, PipeFact, Record, RoomFact, Stage, Stamp, bytes,
    compact, fold, parse, read,
};
use roomform::model::{
    Field, FieldSet, FieldValue, Pipe, Recorded, RoomId, RoomKind, RoomState, RunId, Sending, Time,
    UserId,
};
use roomform::sandbox::Config;
use serde_json::Value;

use crate::support::{
    Args, Ran, Running, Scene, Shows, claim, claim_create, ignoring_updates, manifest, open_claims,
    record_create, runtime, target, until,
};

// merging entries

fn users() -> impl Strategy<Value = Vec<UserId>> {
    subsequence(vec![1, 2, 3, 4], 0..=4).prop_map(|users| users.into_iter().map(UserId).collect())
}

fn title() -> impl Strategy<Value = String> {
    select(vec!["A", "B", "C"]).prop_map(str::to_owned)
}

fn state() -> impl Strategy<Value = RoomState> {
    (title(), any::<bool>()).prop_map(|(title, public)| RoomState {
        title,
        kind: RoomKind::Conference,
        public,
    })
}

fn value(field: Field) -> BoxedStrategy<FieldValue> {
    match field {
        Field::Title => title().prop_map(FieldValue::Text).boxed(),
        Field::Kind => select(vec![0, 1, 7])
            .prop_map(|number| FieldValue::Kind(RoomKind::from_number(number)))
            .boxed(),
        Field::Public => any::<bool>().prop_map(FieldValue::Public).boxed(),
    }
}

fn kept() -> impl Strategy<Value = FieldSet> {
    any::<[bool; 3]>().prop_map(|kept| {
        let fields = Field::ALL.into_iter().zip(kept);
        fields
            .filter(|(_, kept)| *kept)
            .map(|(field, _)| field)
            .collect()
    })
}

fn of_run() -> impl Strategy<Value = Option<String>> {
    select(vec![None, Some("a"), Some("b")]).prop_map(|run| run.map(str::to_owned))
}

fn updated_at() -> impl Strategy<Value = Option<Box<str>>> {
    select(vec![None, Some("2026-01-01 00:00:00")]).prop_map(|at| at.map(Into::into))
}

fn since() -> impl Strategy<Value = Option<Time>> {
    select(vec![None, Some(Time(1_767_225_600_123))])
}

/// A fact about one of three pipes. Each pipe has two rooms, because its room was recreated.
fn fact() -> impl Strategy<Value = Fact> {
    let room = (0..3_u64, 0..2_u64)
        .prop_map(|(pipe, room)| (Pipe::new(format!("pipe-{pipe}")), RoomId(pipe * 10 + room)));
    room.prop_flat_map(|(pipe, room)| {
        let [one, two, three, four, five, six, seven, eight, nine, ten] =
            std::array::from_fn(|_| pipe.clone());
        prop_oneof![
            2 => (users(), any::<bool>()).prop_map(move |(members, welcome)| {
                Fact::Pipe(one.clone(), PipeFact::Intent { members, welcome })
            }),
            3 => select(vec![Stage::Intended, Stage::Confirmed, Stage::Failed]).prop_map(move |stage| {
                Fact::Room(five.clone(), room, RoomFact::Message { from: UserId(9), stage })
            }),
            4 => (users(), state(), kept(), any::<bool>()).prop_map(move |(members, sent, kept, created)| {
                Fact::Room(two.clone(), room, RoomFact::Confirmed { members, sent, kept, created, source: None })
            }),
            2 => users().prop_map(move |members| {
                Fact::Room(seven.clone(), room, RoomFact::Adopted(members))
            }),
            2 => (users(), any::<bool>()).prop_map(move |(members, taken_out)| {
                Fact::Room(three.clone(), room, RoomFact::Released { members, taken_out })
            }),
            2 => select(Field::ALL.to_vec())
                .prop_flat_map(|field| (Just(field), value(field), value(field)))
                .prop_map(move |(field, sent, shown)| {
                    Fact::Room(four.clone(), room, RoomFact::Shown { field, sent, shown })
                }),
            2 => of_run().prop_map(move |of_run| Fact::Pipe(eight.clone(), PipeFact::NotCreated(of_run))),
            2 => select(Field::ALL.to_vec())
                .prop_flat_map(|field| (Just(field), value(field), value(field), updated_at(), since()))
                .prop_map(move |(field, sent, shown, updated_at, since)| {
                    Fact::Room(nine.clone(), room, RoomFact::Pending { field, sent, shown, updated_at, since })
                }),
            3 => Just(Fact::Room(pipe.clone(), room, RoomFact::Seen)),
            2 => (0..3_u64).prop_map(move |count| Fact::Room(ten.clone(), room, RoomFact::Counted { count, offset: count.checked_sub(1) })),
            2 => any::<bool>().prop_map(move |declared| Fact::Pipe(six.clone(), PipeFact::Declared(declared))),
            2 => (select(vec!["a.csv", "b.csv"]), 0..3_u64).prop_map(|(source, given)| {
                Fact::Roster { source: source.to_owned(), given }
            }),
            1 => Just(Fact::Pipe(pipe, PipeFact::Forgotten)),
        ]
    })
}

/// Entries with only a few different times and runs, so that their stamps often collide.
fn entries() -> impl Strategy<Value = Entries> {
    let stamp = (0..6, select(vec!["a", "b"]), 1..4_u64).prop_map(|(time, run, sequence)| Stamp {
        time: format!("2026-01-01T00:00:0{time}.000Z").into(),
        run: run.into(),
        sequence,
    });
    prop::collection::btree_map(stamp, fact(), 0..25)
}

/// Two or three ledgers that share some entries.
fn parts() -> impl Strategy<Value = (Entries, Vec<Entries>)> {
    let masks = prop::collection::vec(any::<u32>(), 3);
    (entries(), masks).prop_map(|(all, masks)| {
        let mut parts: Vec<Entries> = masks
            .iter()
            .map(|mask| {
                let chosen = all.iter().enumerate();
                let chosen = chosen.filter(|(index, _)| mask >> (index % 32) & 1 == 1);
                chosen
                    .map(|(_, (stamp, fact))| (stamp.clone(), fact.clone()))
                    .collect()
            })
            .collect();
        // Each entry is in at least one of the ledgers.
        let missing = all
            .iter()
            .filter(|(stamp, _)| !parts.iter().any(|part| part.contains_key(stamp)));
        let missing: Entries = missing
            .map(|(stamp, fact)| (stamp.clone(), fact.clone()))
            .collect();
        parts[0].extend(missing);
        (all, parts)
    })
}

fn union<'a>(parts: impl IntoIterator<Item = &'a Entries>) -> Entries {
    let parts = parts.into_iter().flatten();
    parts
        .map(|(stamp, fact)| (stamp.clone(), fact.clone()))
        .collect()
}

fn recorded(text: &[u8]) -> Recorded {
    parse(Path::new("l.jsonl"), text, &target())
        .unwrap()
        .into_recorded()
}

proptest! {
    #![proptest_config(Trials { cases: 1_000, failure_persistence: None, ..Trials::default() })]

    #[test]
    fn order_and_repetition_of_lines_do_not_matter(
        entries in entries(),
        order in prop::collection::vec(any::<Index>(), 0..60),
    ) {
        let text = String::from_utf8(bytes(&target(), &entries).unwrap()).unwrap();
        prop_assert_eq!(&parse(Path::new("l"), text.as_bytes(), &target()).unwrap().entries, &entries);
        let lines: Vec<&str> = text.lines().collect();
        let mut shuffled: Vec<&str> = order.iter().map(|index| *index.get(&lines)).collect();
        shuffled.extend(lines.iter().rev());
        shuffled.insert(0, lines[0]);
        let shuffled = shuffled.join("\n") + "\n";
        prop_assert_eq!(recorded(shuffled.as_bytes()), fold(&entries));
        // Reading the same entries from a file gives the same result.
        let scene = Scene::new();
        for text in [text.clone(), shuffled, text + "{\"run\":\"a\",\"se"] {
            let path = scene.write("l.jsonl", text);
            let snapshot = read(&path, &target()).unwrap();
            prop_assert!(snapshot.found);
            prop_assert_eq!(snapshot.into_recorded(), fold(&entries));
        }
    }

    #[test]
    fn ledgers_merge_in_any_order(all_parts in parts()) {
        let (all, parts) = all_parts;
        let [a, b, c] = [&parts[0], &parts[1], &parts[2]];
        prop_assert_eq!(&union([a, b, c]), &all);
        prop_assert_eq!(fold(&union([a, b])), fold(&union([b, a])));
        prop_assert_eq!(union([&union([a, b]), c]), union([a, &union([b, c])]));
        prop_assert_eq!(&union([&all, a, &all]), &all);
        let texts: Vec<Vec<u8>> = [c, a, b, a].iter().map(|part| bytes(&target(), part).unwrap()).collect();
        prop_assert_eq!(recorded(&texts.concat()), fold(&all));
    }

    #[test]
    fn compacting_commutes_with_merging(all_parts in parts()) {
        let (all, parts) = all_parts;
        let [a, b, c] = [&parts[0], &parts[1], &parts[2]];
        let (ab, small) = (union([a, b]), compact(union([a, b])));
        prop_assert!(small.len() <= ab.len());
        prop_assert_eq!(fold(&small), fold(&ab));
        prop_assert_eq!(&compact(small.clone()), &small, "and once is enough");
        let each = union([&compact(a.clone()), &compact(b.clone())]);
        prop_assert_eq!(fold(&each), fold(&ab));
        prop_assert_eq!(&compact(each.clone()), &small);
        // Entries that are added later may have older or newer stamps.
        prop_assert_eq!(fold(&union([&small, c])), fold(&all));
        prop_assert_eq!(fold(&union([&each, &compact(c.clone())])), fold(&all));
        prop_assert_eq!(compact(union([&small, c])), compact(all));
    }
}

/// Two readers exist: one keeps the entries of a file, the other only their result. Both report the same errors.
#[test]
fn every_reader_reports_the_same_errors() {
    let scene = Scene::new();
    let header = r#"{"roomform_ledger":1,"origin":"https://chat.example","widget":627}"#;
    let line = |time: u32, kind: &str| {
        let pipe = r#""pipe":"pipe-1","room_id":5,"members":[3]"#;
        format!(
            r#"{{"run":"a","seq":1,"time":"2026-01-01T00:00:0{time}.000Z","kind":"{kind}",{pipe}}}"#
        )
    };
    let [first, second, fourth] = [1, 2, 4].map(|time| line(time, "adopted"));
    let (forgotten, foreign) = (line(3, "forgotten"), header.replace("627", "628"));
    let newer = header.replace(":1,", ":99,");
    let cases = [
        (vec![], Ok(0)),
        (vec![header], Ok(0)),
        (vec![header, &first, &second], Ok(1)),
        (vec![header, &second, &first, header], Ok(1)),
        (vec![header, &first, &first], Ok(1)),
        (vec![header, &first, &forgotten], Ok(0)),
        (vec![header, &forgotten, &first], Ok(0)),
        (vec![header, &first, &forgotten, &second], Ok(0)),
        (vec![header, &first, &forgotten, &fourth], Ok(1)),
        (
            vec![&first],
            Err("the file does not start with a ledger's header"),
        ),
        (vec![header, "{}", &first], Err("line 2: not an entry")),
        (
            vec![header, &second, &first, "{}"],
            Err("line 4: not an entry"),
        ),
        (
            vec![header, &forgotten, &second, "{}"],
            Err("line 4: not an entry"),
        ),
        (vec![header, &first, &foreign], Err("belongs to widget 628")),
        (vec![header, &first, &newer], Err("has format 99")),
    ];
    for (lines, expected) in cases {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let path = scene.write("l.jsonl", &text);
        match (read(&path, &target()), expected) {
            (Ok(snapshot), Ok(rooms)) => {
                assert!(snapshot.found, "{text}");
                assert_eq!(snapshot.into_recorded().ids.len(), rooms, "{text}");
            }
            (Err(error), Err(expected)) => {
                assert!(error.to_string().contains(expected), "{text}{error}");
            }
            (got, _) => panic!("{text}{got:?}"),
        }
    }
    let nowhere = read(&scene.path("none.jsonl"), &target()).unwrap();
    assert!(!nowhere.found && nowhere.into_recorded().is_empty());
}

// concurrent appends

/// Lines are written in batches. If a caller is cancelled, its lines are still written, and the
/// other callers still get their results.
#[test]
fn a_cancelled_append_loses_no_lines_or_results() {
    const CALLERS: usize = 20;
    let scene = Scene::new();
    let journal = journal(&scene, 1);
    let lines = || {
        fs::read_to_string(scene.path("l.jsonl"))
            .unwrap()
            .lines()
            .count()
    };
    let seen = |number: usize| {
        Fact::Room(
            Pipe::new(format!("pipe-{number}")),
            RoomId(number as u64),
            RoomFact::Seen,
        )
    };
    for round in 1..=10 {
        runtime().block_on(async {
            let appends = (0..CALLERS).map(|number| journal.append(vec![seen(number)]));
            let mut appends: Vec<_> = appends.map(Box::pin).collect();
            // Every append is queued, and none is polled again.
            poll_fn(|context| {
                for append in &mut appends {
                    let _waits = append.as_mut().poll(context);
                }
                Poll::Ready(())
            })
            .await;
            if round % 2 == 0 {
                until("all lines are written", || lines() > round * CALLERS);
            }
            let mut awaited = 0;
            for (number, append) in appends.into_iter().enumerate() {
                if number % 4 == 3 {
                    append.await.unwrap();
                    awaited += 1;
                }
            }
            assert_eq!(awaited, CALLERS / 4);
        });
    }
    drop(journal);
    assert_eq!(lines(), 1 + 10 * CALLERS, "those of callers that left too");
}

// claims on a message

fn journal(scene: &Scene, run: u64) -> Journal {
    let file = LedgerFile::new(scene.path("l.jsonl"));
    Journal::open(&file, &target(), &RunId::new(run)).unwrap()
}

#[tokio::test]
async fn a_message_is_claimed_only_once() {
    let scene = Scene::new();
    let (first, second) = (journal(&scene, 1), journal(&scene, 2));
    let (pipe, room) = (Pipe::new("pipe-1"), RoomId(10));
    let message = |stage| {
        Fact::Room(
            pipe.clone(),
            room,
            RoomFact::Message {
                from: UserId(3),
                stage,
            },
        )
    };
    let file = LedgerFile::new(scene.path("l.jsonl"));
    let compacted = || file.rewrite(&target(), compact).map(drop);
    assert!(claim(&first, &pipe, room).await.unwrap());
    assert!(!claim(&second, &pipe, room).await.unwrap());
    assert!(!claim(&first, &pipe, room).await.unwrap(), "not even again");
    assert!(
        claim(&second, &pipe, RoomId(11)).await.unwrap(),
        "another room"
    );
    compacted().unwrap();
    assert!(!claim(&second, &pipe, room).await.unwrap());
    // A message that was certainly not sent may be sent.
    first.append(vec![message(Stage::Failed)]).await.unwrap();
    assert!(claim(&second, &pipe, room).await.unwrap());
    assert!(!claim(&first, &pipe, room).await.unwrap());
    second
        .append(vec![message(Stage::Confirmed)])
        .await
        .unwrap();
    // A later failure in another run changes nothing: one run has sent the message.
    first.append(vec![message(Stage::Failed)]).await.unwrap();
    compacted().unwrap();
    assert!(!claim(&first, &pipe, room).await.unwrap());
    let snapshot = read(&scene.path("l.jsonl"), &target()).unwrap();
    let known = &snapshot.into_recorded().rooms[&room];
    assert_eq!(known.welcome, Some(Sending::Confirmed));
    first
        .append(vec![Fact::Pipe(pipe.clone(), PipeFact::Forgotten)])
        .await
        .unwrap();
    assert!(claim(&first, &pipe, room).await.unwrap());
}

// claims on a create

/// Another machine, whose clock is ahead, confirms the old room while this run has the ledger
/// open. The claim to replace the room comes after that entry, so it stays open.
#[tokio::test]
async fn a_claim_comes_after_entries_of_a_fast_clock() {
    let scene = Scene::new();
    let first = journal(&scene, 1);
    let (pipe, old) = (Pipe::new("pipe-1"), RoomId(10));
    let other = LedgerFile::new(scene.path("other.jsonl"));
    let second = Journal::open(&other, &target(), &RunId::new(2)).unwrap();
    record_create(&second, &pipe, old).await;
    let text = scene.read("other.jsonl");
    let (_, entries) = text.split_once('\n').unwrap();
    let ahead = entries.replace("\"time\":\"2", "\"time\":\"3");
    scene.write("l.jsonl", scene.read("l.jsonl") + &ahead);

    let answer = claim_create(&first, &pipe, Some(old)).await;
    assert_eq!(answer, Claimed::Ours);
    let snapshot = read(&scene.path("l.jsonl"), &target()).unwrap();
    let open = open_claims(&snapshot.into_recorded(), &pipe);
    assert_eq!(open, [RunId::new(1).as_str()]);
}

#[test]
fn ledgers_without_welcomes_are_read() {
    let text = r#"{"roomform_ledger":1,"origin":"https://chat.example","widget":627}
{"run":"a","seq":1,"time":"2026-01-01T00:00:00.000Z","kind":"intent","pipe":"pipe-1","members":[3]}
"#;
    let recorded = recorded(text.as_bytes());
    let owed = &recorded.owed["pipe-1"];
    assert_eq!((owed.members.len(), owed.welcome), (1, false));
    assert!(!recorded.owes_welcome(&Pipe::new("pipe-1"), RoomId(1)));
}

// through the command line

fn course(number: u64) -> String {
    let members: Vec<u64> = (0..5).map(|member| number * 10 + member).collect();
    format!("pipe: course-{number:02}, title: Course {number}, members: {members:?}")
}

fn courses(count: u64) -> String {
    manifest((1..=count).map(course))
}

const LEDGER: [&str; 2] = ["--ledger", "l.jsonl"];

fn run(scene: &Scene, args: impl Args) -> Ran {
    scene.run([&args.args()[..], &LEDGER].concat())
}

/// Checks that the rooms have exactly the declared members, each once.
#[track_caller]
fn assert_content(scene: &Scene, rooms: u64) {
    let live = scene.rooms();
    let pipes: BTreeSet<String> = live.iter().map(|room| room.pipe.clone()).collect();
    assert_eq!((live.len(), pipes.len()), (rooms as usize, rooms as usize));
    for number in 1..=rooms {
        let live = scene.room(&format!("course-{number:02}"));
        let members: BTreeSet<u64> = (0..5).map(|member| number * 10 + member).collect();
        assert_eq!(
            (live.name, live.members),
            (format!("Course {number}"), members)
        );
    }
}

/// Checks that nothing is left to send or to record.
#[track_caller]
fn assert_converged(scene: &Scene) {
    let (writes, ledger) = (scene.writes(), scene.read("l.jsonl"));
    run(scene, "apply --yes").ok();
    assert_eq!((scene.writes(), scene.read("l.jsonl")), (writes, ledger));
}

#[test]
fn show_lists_what_is_recorded() {
    let scene = Scene::new()
        .manifest(courses(2))
        .sandbox_with(ignoring_updates());
    let empty = run(&scene, "ledger show").ok();
    empty.shows("0 lines, 0 rooms recorded");
    // Apply one room at a time, because the order of the writes decides which ids the rooms get
    // and what the list proves about the title.
    run(&scene, "apply --yes --parallelism 1").ok();
    let changed = courses(2)
        .replace("Course 2", "Another")
        .replace("14]", "15]");
    scene.declare(changed);
    run(&scene, "apply --yes --parallelism 1 --verify-timeout 100ms").exits(4);
    scene.write("none.yaml", "");
    // On a slow machine, the run renews its claims, which adds lines to the ledger. So count
    // the lines.
    let lines = scene.read("l.jsonl").lines().count() - 1;
    let named = scene.path("l.jsonl");
    let origin = scene.url();
    let elsewhere = Scene::new();
    let shown = elsewhere
        .run(["ledger", "show", "--ledger", named.to_str().unwrap()])
        .ok();
    let shown = shown.replace(&format!(": {lines} lines"), ": N lines");
    assert_snapshot!(shown.replace(&origin, "http://sandbox"), @r#"
    widget 627 on http://sandbox: N lines, 2 rooms recorded

      course-01  room 2
        sent      "Course 1", conference, closed
        members   5: 10, 11, 12, 13, 15
        released  1: 14

      course-02  room 3
        sent      "Another", conference, closed
        members   5: 20, 21, 22, 23, 24
        pending   title sent as "Another", shown as "Course 2"

    known: confirmed by the server, or adopted; the API does not list members
    "#);
    let args = [
        "ledger",
        "show",
        "--format",
        "json",
        "--ledger",
        named.to_str().unwrap(),
    ];
    let document = elsewhere.run(args).json().to_string();
    let document = document.replace(&format!("\"entries\":{lines},"), "\"entries\":0,");
    assert_snapshot!(document.replace(&origin, "http://sandbox"), @r#"{"entries":0,"exit":0,"format":1,"kind":"ledger","names":{},"origin":"http://sandbox","owed":[],"rooms":[{"adopted":[],"ignored_fields":[],"left":false,"members":[10,11,12,13,15],"pending_fields":[],"pipe":"course-01","released":[14],"room_id":2,"welcome":null},{"adopted":[],"ignored_fields":[],"left":false,"members":[20,21,22,23,24],"pending_fields":["title"],"pipe":"course-02","released":[],"room_id":3,"welcome":null}],"rosters":[],"uncertain":[],"widget":627}"#);
}

#[test]
fn forget_accepts_globs_and_lists_the_rooms() {
    let odd = "  - {pipe: \"team-[a]\", title: A}\n  - {pipe: team-a, title: A}\n";
    let scene = Scene::new().manifest(courses(3) + odd).sandbox();
    run(&scene, "apply --yes").ok();
    let before = scene.read("l.jsonl");
    let ran = run(&scene, "ledger forget course-* group-*");
    assert_eq!((ran.code, scene.read("l.jsonl")), (1, before.clone()));
    ran.err.shows("the ledger has no record of `group-*`");
    let ran = run(&scene, "ledger forget course-[");
    assert_eq!((ran.code, scene.read("l.jsonl")), (64, before));
    // A recorded pipe is not treated as a glob.
    let ran = run(&scene, "ledger forget team-[a]");
    ran.err.begins("forgot 1 room\n");
    let ran = run(&scene, "ledger forget course-0[12] course-01 team-*");
    ran.exits(0);
    assert_snapshot!(ran.err, @r"
      course-02
      team-a
    forgot 3 rooms
    ");
    ran.shows("1 room recorded");
}

#[test]
fn forget_lists_the_open_steps_that_it_forgets() {
    let scene = Scene::new().manifest(courses(2)).sandbox();
    run(&scene, "apply --yes").ok();
    scene.edit("10, 11, ", "");
    run(&scene, "apply --yes").ok();
    let ran = run(&scene, "ledger forget course-0*");
    ran.exits(0);
    ran.err
        .shows("plans will no longer list these manual steps: remove 10, 11 from `course-01`")
        .lacks("`course-02`");
}

#[test]
fn forget_makes_members_unknown_and_rejects_unknown_rooms() {
    let scene = Scene::new().manifest(courses(3)).sandbox();
    run(&scene, "apply --yes").ok();
    let before = scene.read("l.jsonl");
    let ran = run(&scene, "ledger forget course-01 course-07 x");
    assert_eq!((ran.code, scene.read("l.jsonl")), (1, before));
    assert_snapshot!(ran.err, @r"
    error: the ledger has no record of `course-07`, `x`
      hint: run `roomform ledger show` to list the recorded rooms
    ");
    run(&scene, "ledger forget course-01").ok();
    let plan = run(&scene, "plan --detailed-exitcode");
    plan.exits(2);
    plan.shows("members unknown: 5 sent again");
    plan.shows("2 unchanged");
    // The room cannot be forgotten a second time.
    run(&scene, "ledger forget course-01").exits(1);
    run(&scene, "apply --yes").ok();
    assert_content(&scene, 3);
    assert_converged(&scene);
}

/// Follows docs/operations.md for a room that was deleted.
#[test]
fn a_room_that_left_the_manifest_can_be_forgotten() {
    include_str!("../../docs/operations.md").shows("roomform ledger forget PIPE");
    let scene = Scene::new().manifest(courses(2)).applied();
    scene
        .declare(courses(1))
        .plan()
        .shows("no longer declared: `course-02`");
    scene.run("ledger forget course-02").ok();
    scene.plan().ok().lacks("manual steps");
}

/// A machine whose clock is ahead wrote the ledger. Entries that are added afterwards still
/// take precedence.
#[test]
fn entries_from_a_fast_clock_do_not_override_later_ones() {
    let scene = Scene::new().manifest(courses(2)).sandbox();
    run(&scene, "apply --yes").ok();
    let ahead = scene
        .read("l.jsonl")
        .replace("\"time\":\"2", "\"time\":\"3");
    scene.write("l.jsonl", ahead);
    run(&scene, "ledger forget course-01").ok();
    let shown = run(&scene, "ledger show").ok();
    shown.lacks("course-01");
    run(&scene, "apply --yes").ok();
    let shown = run(&scene, "ledger show").ok();
    shown.shows("course-01");
    assert_converged(&scene);
}

#[test]
fn a_room_that_a_fast_clock_confirmed_is_not_waited_for_longer() {
    let scene = Scene::new().manifest(courses(1)).applied();
    scene.age_ledgers(-48 * 60);
    scene.delete("course-01");
    scene
        .run("apply --yes --verify-timeout 500ms")
        .exits(4)
        .shows("conflict");
}

/// If the server once ignored a field and later accepted it, the field is no longer shown as
/// ignored.
#[test]
fn a_field_that_was_accepted_later_is_not_called_ignored() {
    let scene = Scene::new()
        .manifest(courses(1))
        .sandbox_with(ignoring_updates());
    run(&scene, "apply --yes").ok();
    scene.declare(courses(1).replace("Course 1", "Wanted"));
    run(&scene, "apply --yes --verify-timeout 100ms").exits(4);
    scene.age_ledgers(120);
    let plan = run(&scene, "plan").ok();
    plan.shows("ignored");
    // A server with the same state, which accepts updates.
    let live = scene.room("course-01");
    let fixed = Scene::new().sandbox();
    fixed.insert(live.clone());
    let (old, new) = (scene.url(), fixed.url());
    scene.write("l.jsonl", scene.read("l.jsonl").replace(&old, &new));
    let scene = scene.beside(&fixed);
    run(&scene, "apply --yes --resend-ignored").ok();
    assert_eq!(fixed.room("course-01").name, "Wanted");
    let shown = run(&scene, "ledger show").ok();
    shown.lacks("ignored");
    // If someone renames the room back, that is an ordinary change.
    fixed.world(|world| {
        world.delete_room(627, live.id, 2);
        world.insert_room(627, live.clone(), 3)
    });
    let text = scene.read("l.jsonl");
    let again = fixed.room("course-01").id;
    scene.write(
        "l.jsonl",
        text.replace(
            &format!("\"room_id\":{},", live.id),
            &format!("\"room_id\":{again},"),
        ),
    );
    let plan = run(&scene, "plan --detailed-exitcode");
    assert!(
        plan.code == 2 && plan.out.contains("\"Course 1\" → \"Wanted\""),
        "{plan:#?}"
    );
}

#[test]
fn merge_accepts_any_order_and_refuses_other_targets() {
    let scene = Scene::new().manifest(courses(12)).sandbox();
    for (only, ledger) in [
        ("course-0*", "a.jsonl"),
        ("course-[01][13579]", "b.jsonl"),
        ("course-1*", "c.jsonl"),
    ] {
        scene
            .run(["apply", "--yes", "--only", only, "--ledger", ledger])
            .ok();
    }
    for (into, from) in [
        ("ab", vec!["a", "b", "c"]),
        ("ba", vec!["c", "b", "a", "b"]),
        ("self", vec!["b", "c", "self", "a"]),
    ] {
        let into = format!("{into}.jsonl");
        if into == "self.jsonl" {
            scene.write(&into, scene.read("a.jsonl"));
        }
        let from: Vec<String> = from
            .into_iter()
            .map(|name| format!("{name}.jsonl"))
            .collect();
        let mut args = vec!["ledger", "merge", "--ledger", &into];
        args.extend(from.iter().map(String::as_str));
        let output = scene.run(&args).ok();
        output.shows("12 rooms recorded");
        let once = scene.read(&into);
        scene.run(&args).ok();
        assert_eq!(scene.read(&into), once, "the same again changes nothing");
    }
    // The headers differ, because each header names the files that its ledger replaces.
    let entries = |name: &str| scene.read(name).split_once('\n').unwrap().1.to_owned();
    assert!(
        entries("ab.jsonl") == entries("ba.jsonl") && entries("ab.jsonl") == entries("self.jsonl")
    );
    let plan = scene.run("plan --detailed-exitcode --ledger ab.jsonl");
    plan.exits(0);

    let a = scene.read("a.jsonl");
    scene.write(
        "foreign.jsonl",
        a.replacen("\"widget\":627", "\"widget\":628", 1),
    );
    scene.write(
        "future.jsonl",
        a.replacen("\"roomform_ledger\":1", "\"roomform_ledger\":2", 1),
    );
    scene.write("damaged.jsonl", a.replacen("\"seq\":2", "\"seq\":-2", 1));
    scene.write("headless.jsonl", a.split_once('\n').unwrap().1);
    fs::create_dir(scene.path("directory.jsonl")).unwrap();
    let before = scene.files();
    let mut output = String::new();
    for bad in [
        "foreign",
        "future",
        "damaged",
        "headless",
        "missing",
        "directory",
    ] {
        let ran = scene.run([
            "ledger",
            "merge",
            "--ledger",
            "ab.jsonl",
            "c.jsonl",
            &format!("{bad}.jsonl"),
        ]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:#?}");
        output.push_str(&ran.err);
    }
    assert_eq!(scene.files(), before);
    let origin = scene.url();
    assert_snapshot!(output.replace(&origin, "http://sandbox"), @r#"
    error: ledger `foreign.jsonl` belongs to widget 628 on http://sandbox, not to widget 627 on http://sandbox
      hint: name the ledger of this target with --ledger, or check --api-url and --widget
    error: ledger `future.jsonl` has format 2, this roomform reads up to 1
      hint: update roomform
    error: ledger `damaged.jsonl`, line 3: not an entry: invalid value: integer `-2`, expected u64 at line 1 column 34
      hint: fix or remove that line; if you remove the whole ledger, the next apply sends all members again
    error: ledger `headless.jsonl`: the file does not start with a ledger's header
      hint: restore the first line of the file from a copy; if the file is not a ledger, move it away, or name another file with --ledger
    error: ledger `missing.jsonl`: no such file
    error: ledger `directory.jsonl`: cannot be read: it is not a regular file
      hint: name a regular file with --ledger
    "#);
}

#[test]
fn compact_shrinks_the_ledger_and_changes_no_plan() {
    let scene = Scene::new().manifest(courses(5)).sandbox();
    run(&scene, "apply --yes").ok();
    for title in ["One", "Two", "Three"] {
        scene.declare(
            courses(5)
                .replace("Course 1,", &format!("{title},"))
                .replace("20, 21", "21"),
        );
        run(&scene, "apply --yes").ok();
    }
    run(&scene, "ledger forget course-05").ok();
    scene.declare(courses(5));
    let whole = scene.read("l.jsonl");
    let looks = [
        &["plan"][..],
        &["plan", "--format", "json"],
        &["ledger", "show", "--format", "json"],
        &["export"],
    ];
    let see = || -> Vec<String> {
        let texts = looks.iter().map(|args| run(&scene, args).out);
        texts
            .map(|text| {
                text.lines()
                    .filter(|line| !line.contains("\"entries\""))
                    .collect()
            })
            .collect()
    };
    let before = see();
    let output = run(&scene, "ledger compact").ok();
    assert_snapshot!(output, @"l.jsonl: 23 → 13 entries, 4 rooms recorded");
    let small = scene.read("l.jsonl");
    assert!(small.len() < whole.len());
    assert_eq!(see(), before);
    run(&scene, "ledger compact").ok();
    assert_eq!(scene.read("l.jsonl"), small);
    // Merging the old ledger again gives the same ledger and the same plan.
    scene.write("old.jsonl", &whole);
    run(&scene, "ledger merge old.jsonl").ok();
    assert_eq!(see(), before);
    run(&scene, "apply --yes").exits(0);
    assert_content(&scene, 5);
}

/// A ledger that is a symbolic link stays a link, because the file that it points to may be
/// shared.
#[cfg(unix)]
#[test]
fn compact_follows_a_link_and_keeps_it() {
    let scene = Scene::new()
        .manifest(courses(2))
        .sandbox()
        .file("shared/l.jsonl", "");
    std::os::unix::fs::symlink("shared/l.jsonl", scene.path("l.jsonl")).unwrap();
    run(&scene, "apply --yes").ok();
    scene.declare(courses(2).replace("Course 1", "New"));
    run(&scene, "apply --yes").ok();
    run(&scene, "ledger compact").ok();
    assert!(scene.path("l.jsonl").is_symlink());
    assert_eq!(scene.read("shared/l.jsonl"), scene.read("l.jsonl"));
    assert_converged(&scene);
}

// concurrent runs

fn begin(scene: &Scene, args: impl Args) -> Running {
    scene.spawn([&args.args()[..], &LEDGER].concat())
}

#[test]
fn two_applies_at_once_on_one_ledger_lose_nothing() {
    for (one, two) in [
        ("course-0*", "course-[123]*"),
        ("course-[012]*", "course-[123]*"),
        ("*", "*"),
    ] {
        let scene = Scene::new().manifest(courses(39)).sandbox_with(Config {
            latency: Duration::from_millis(3),
            ..Config::default()
        });
        let runs = [("1.json", one), ("2.json", two)];
        let children = runs.map(|(report, only)| {
            begin(
                &scene,
                ["apply", "--yes", "--only", only, "--report", report],
            )
        });
        for mut child in children {
            assert_eq!(child.wait().unwrap().code(), Some(0));
        }
        assert_content(&scene, 39);
        let shown = run(&scene, "ledger show --format json").json();
        let known = shown["rooms"].as_array().unwrap();
        let members: usize = known
            .iter()
            .map(|room| room["members"].as_array().unwrap().len())
            .sum();
        assert_eq!((known.len(), members), (39, 39 * 5));
        // The lines of each run are in the file exactly once, in order.
        let text = scene.read("l.jsonl");
        let stamps = text.lines().skip(1).map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            (line["run"].to_string(), line["seq"].as_u64().unwrap())
        });
        let stamps: Vec<(String, u64)> = stamps.collect();
        let names: BTreeSet<&String> = stamps.iter().map(|(run, _)| run).collect();
        for name in names {
            let own: Vec<u64> = stamps
                .iter()
                .filter(|(run, _)| run == name)
                .map(|(_, seq)| *seq)
                .collect();
            // A run does not write a claim that another run holds, so some sequence numbers are
            // missing.
            assert!(own.is_sorted_by(|one, next| one < next), "{own:?}");
        }
        assert_converged(&scene);
    }
}

#[test]
fn a_ledger_compacted_merged_and_forgotten_from_while_an_apply_runs_loses_nothing() {
    let scene = Scene::new()
        .manifest(courses(60))
        .sandbox_with(Config {
            latency: Duration::from_millis(5),
            ..Config::default()
        })
        .after("apply --yes --only course-0* --ledger other.jsonl");
    let mut child = begin(&scene, "apply --yes --only course-[1-6]* --parallelism 4");
    for seen in [15, 25, 35, 45] {
        until("some more writes", || {
            scene.writes() >= seen || child.try_wait().unwrap().is_some()
        });
        run(&scene, "ledger compact").ok();
        run(&scene, "ledger merge other.jsonl").ok();
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_content(&scene, 60);
    assert_converged(&scene);
    run(&scene, "ledger compact").ok();
    assert_converged(&scene);
}

// disk errors

#[test]
fn every_command_works_with_a_torn_last_line() {
    let scene = Scene::new().manifest(courses(3)).sandbox();
    run(&scene, "apply --yes").ok();
    let whole = scene.read("l.jsonl");
    let last = whole.trim_end().rfind('\n').unwrap() + 1;
    for cut in [last, last + 1, last + 30, whole.len() - 1] {
        for verb in [
            "ledger show",
            "ledger compact",
            "ledger merge torn.jsonl",
            "ledger forget course-01",
            "plan",
            "apply --yes",
        ] {
            scene.write("l.jsonl", &whole[..cut]);
            scene.write("torn.jsonl", &whole[..cut]);
            let ran = run(&scene, verb);
            ran.exits(0);
            // A line that lacks only its newline is complete.
            let torn = cut > last && cut < whole.len() - 1;
            assert_eq!(
                ran.err.contains("the last line is incomplete"),
                torn,
                "{verb:?}: {ran:#?}"
            );
            run(&scene, "apply --yes").exits(0);
            assert_converged(&scene);
        }
    }
    // An incomplete header does no harm either.
    for cut in [0, 1, 20] {
        scene.write("l.jsonl", &whole[..cut]);
        run(&scene, "apply --yes").ok();
        scene.read("l.jsonl").begins("{\"roomform_ledger\":1,");
        assert_converged(&scene);
    }
    assert_content(&scene, 3);
}

#[cfg(target_os = "linux")]
#[test]
fn a_ledger_that_is_not_a_regular_file_is_refused_before_anything_is_sent() {
    let scene = Scene::new().manifest(courses(1)).sandbox();
    fs::create_dir(scene.path("directory")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(scene.path("fifo"))
            .status()
            .unwrap()
            .success()
    );
    let paths = [
        "directory",
        "fifo",
        "/dev/zero",
        "/dev/full",
        "/proc/none/l.jsonl",
        "/proc/self/l.jsonl",
        "rooms.yaml/l.jsonl",
    ];
    for path in paths {
        for verb in [
            &["apply", "--yes"][..],
            &["plan"],
            &["ledger", "show"],
            &["ledger", "compact"],
            &["ledger", "merge", "rooms.yaml"],
            &["ledger", "forget", "x"],
        ] {
            let reads =
                path.ends_with("/l.jsonl") && matches!(verb[..], ["plan"] | ["ledger", "show"]);
            let ran = scene.run([verb, &["--ledger", path]].concat());
            let code = if reads && !path.starts_with("rooms") {
                0
            } else {
                1
            };
            assert_eq!((ran.code, scene.writes()), (code, 0), "{path}: {ran:#?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn an_unwritable_ledger_is_refused_before_anything_is_sent() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new()
        .manifest(courses(3))
        .sandbox()
        .file("locked/l.jsonl", "");
    let allow = |path: &str, mode: u32| {
        fs::set_permissions(scene.path(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    allow("locked/l.jsonl", 0o400);
    allow("locked", 0o500);
    for path in ["locked/l.jsonl", "locked/new.jsonl", "locked/below/l.jsonl"] {
        let ran = scene.run_unprivileged(["apply", "--yes", "--ledger", path]);
        assert_eq!((ran.code, scene.writes()), (1, 0), "{ran:#?}");
        ran.err.shows("make the file and its directory writable");
    }
    allow("locked", 0o700);
}

/// Runs the program with a file size limit: writing fails in the middle, as on a full disk.
#[cfg(target_os = "linux")]
fn limited(scene: &Scene, args: impl Args) -> Ran {
    let plain = scene.command(args);
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", r#"trap "" XFSZ; ulimit -f 512; exec "$@""#, "sh"])
        .arg(plain.get_program())
        .args(plain.get_args())
        .current_dir(scene.path(""))
        .env_clear()
        .stdin(Stdio::null());
    for (name, value) in plain.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// The file size limit in bytes. It is measured, because shells count in blocks of different sizes.
#[cfg(target_os = "linux")]
fn limit(scene: &Scene) -> usize {
    let fill = r#"trap "" XFSZ; ulimit -f 512; head -c 10000000 /dev/zero > fill 2>/dev/null"#;
    let mut command = Command::new("/bin/sh");
    let filled = command
        .args(["-c", fill])
        .current_dir(scene.path(""))
        .status();
    assert!(!filled.unwrap().success(), "there is no limit");
    let size = fs::metadata(scene.path("fill")).unwrap().len();
    fs::remove_file(scene.path("fill")).unwrap();
    assert!(size < 10_000_000);
    size as usize
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_before_the_next_call_and_the_next_run_converges() {
    let mut met = BTreeSet::new();
    for (room, parallelism) in (0..2200)
        .step_by(100)
        .zip(["1", "8", "3"].into_iter().cycle())
    {
        let scene = Scene::new().manifest(courses(20)).sandbox();
        scene.write("l.jsonl", "\n".repeat(limit(&scene) - room));
        let args = [
            "apply",
            "--yes",
            "--parallelism",
            parallelism,
            "--ledger",
            "l.jsonl",
            "--report",
            "r.json",
        ];
        let ran = limited(&scene, args);
        let context = format!("{room} bytes, {parallelism} at once: {ran:#?}");
        let (writes, live) = (scene.writes(), scene.rooms());
        let text = scene.read("l.jsonl");
        let lines = text.lines().filter(|line| !line.is_empty()).skip(1);
        let lines: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let of = |kind: &str| -> BTreeSet<String> {
            let lines = lines.iter().filter(|line| line["kind"] == kind);
            lines
                .map(|line| line["pipe"].as_str().unwrap().to_owned())
                .collect()
        };
        let (intents, confirmed) = (of("intent"), of("confirmed"));
        // No call is made without its intent. The disk fails while calls are in flight, and no call follows.
        assert!(
            live.iter().all(|room| intents.contains(&room.pipe)),
            "{context}"
        );
        assert!(
            confirmed.len() as u64 <= writes && writes <= intents.len() as u64,
            "{context}"
        );
        let code = if writes == 0 { 1 } else { 4 };
        assert_eq!(ran.code, code, "{context}");
        met.insert((ran.code, confirmed.len() as u64 == writes));
        if scene.path("r.json").exists() {
            let report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
            assert_eq!(
                (&report["exit"], &report["stopped"]),
                (&code.into(), &"ledger".into()),
                "{context}"
            );
            assert_eq!(report["requests"]["write"], writes, "{context}");
            for room in report["rooms"].as_array().unwrap() {
                let pipe = room["pipe"].as_str().unwrap();
                let there = live.iter().any(|live| live.pipe == pipe);
                let expected = match room["status"].as_str().unwrap() {
                    "verified" => (true, 5, 1),
                    "unfinished" => (true, 0, 1),
                    "not_started" => (false, 0, 0),
                    other => panic!("{other}: {context}"),
                };
                let said = (
                    there,
                    room["members"].as_u64().unwrap(),
                    room["requests"].as_u64().unwrap(),
                );
                assert_eq!(said, expected, "{pipe}: {context}");
                assert_eq!(confirmed.contains(pipe), room["members"] == 5, "{context}");
            }
        } else {
            assert_eq!((writes, ran.code), (0, 1), "{context}");
        }
        let next = run(&scene, "apply --yes --timeout 1s --verify-timeout 200ms");
        assert_eq!(next.code, 0, "{next:#?}\nafter {context}");
        assert_content(&scene, 20);
        assert_converged(&scene);
    }
    let some = BTreeSet::from([(1, true), (4, false)]);
    assert!(
        met.is_superset(&some),
        "at the header or an intent, at a confirmation: {met:?}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_rewrite_on_a_full_disk_keeps_the_old_ledger() {
    let scene = Scene::new()
        .manifest(courses(9))
        .sandbox()
        .after("apply --yes --only course-0[1-4] --ledger other.jsonl");
    run(&scene, "apply --yes --only course-0[5-9]").ok();
    let mut text = scene.read("l.jsonl");
    let entry = text.lines().nth(1).unwrap().to_owned();
    let mut number = 1000;
    while text.len() < limit(&scene) - 200 {
        number += 1;
        let _ = writeln!(
            text,
            "{}",
            entry.replace("\"seq\":1,", &format!("\"seq\":{number},"))
        );
    }
    scene.write("l.jsonl", &text);
    let before = scene.files();
    for verb in [
        "ledger merge other.jsonl",
        "ledger forget course-05 course-06 course-07",
    ] {
        let ran = limited(&scene, format!("{verb} --ledger l.jsonl"));
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:#?}");
        ran.err.shows("File too large");
        assert_eq!(scene.files(), before);
    }
    // After compacting, the ledger is small enough.
    limited(&scene, [&["ledger", "compact"][..], &LEDGER].concat()).ok();
    limited(
        &scene,
        [&["ledger", "merge", "other.jsonl"][..], &LEDGER].concat(),
    )
    .ok();
    assert_converged(&scene);
}
