//! `--shard`: a run split across several machines.

use std::num::NonZeroU32;

use insta::assert_snapshot;
use roomform::model::Pipe;
use roomform::plan::Shard;

use crate::support::{Running, Scene, Shows, manifest};

const SHARDS: u32 = 8;

fn rooms(prefix: &str, count: u32) -> impl Iterator<Item = String> {
    (1..=count).map(move |room| {
        format!("pipe: {prefix}-{room}, title: \"Курс {room}\", members: [{room}, 100]")
    })
}

fn courses(prefix: &str, count: u32) -> String {
    manifest(rooms(prefix, count))
}

fn part(pipe: &str) -> u32 {
    let pipe = Pipe::new(pipe);
    let count = NonZeroU32::new(SHARDS).unwrap();
    let mut parts = (0..SHARDS).filter(|index| Shard::new(*index, count).contains(&pipe));
    let part = parts.next().unwrap();
    assert_eq!(parts.next(), None, "{pipe:?} is in two parts");
    part
}

#[test]
fn a_pipe_is_always_in_the_same_part() {
    // python3: int.from_bytes(hashlib.sha256(pipe.encode()).digest()[:8], "big") % 8
    let known = [
        ("course-1", 1),
        ("course-2", 5),
        ("Курс 7б", 3),
        ("public_12", 3),
    ];
    for (pipe, index) in known {
        assert_eq!(part(pipe), index, "{pipe}");
    }
}

#[test]
fn parts_have_about_the_same_size() {
    for name in ["course-", "2026-autumn-7b-", "Класс 7б, предмет "] {
        let mut sizes = [0_u32; SHARDS as usize];
        for room in 0..8_000 {
            sizes[part(&format!("{name}{room}")) as usize] += 1;
        }
        // The average is 1,000. The odds that a uniform hash deviates further than this are one in
        // many millions.
        assert!(
            sizes.iter().all(|size| (820..=1180).contains(size)),
            "{name}: {sizes:?}"
        );
    }
}

fn begin(scene: &Scene, shard: u32) -> Running {
    let shard = format!("{shard}/{SHARDS}");
    let args = ["apply", "--yes", "--ledger", "l.jsonl", "--shard", &shard];
    scene.spawn(args)
}

#[test]
fn eight_machines_with_one_ledger_create_each_room_once() {
    const ROOMS: u32 = 160;
    let scene = Scene::new().manifest(courses("course", ROOMS)).sandbox();
    let children: Vec<Running> = (0..SHARDS).map(|shard| begin(&scene, shard)).collect();
    for mut child in children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    let live = scene.rooms();
    assert_eq!(live.len(), ROOMS as usize);
    for room in 1..=ROOMS {
        let live = scene.room(&format!("course-{room}"));
        assert_eq!(live.name, format!("Курс {room}"));
        assert_eq!(live.members, [u64::from(room), 100].into());
    }
    assert_eq!(scene.writes(), u64::from(ROOMS), "a request twice");

    let args = "apply --yes --ledger l.jsonl";
    let ran = scene.run(args);
    assert_eq!((ran.code, scene.writes()), (0, u64::from(ROOMS)));
    ran.shows("160 unchanged");
    let shown = scene.run("ledger show --format json --ledger l.jsonl");
    assert_eq!(shown.json()["rooms"].as_array().unwrap().len(), 160);
}

#[test]
fn the_plan_says_which_part_it_is() {
    let scene = Scene::new().manifest(courses("course", 4));
    let of = |shard: &str| scene.run(["plan", "--sandbox", "--shard", shard]);
    assert_snapshot!(of("1/2").ok(), @r#"
      # rooms.yaml:4
      + course-1             create  conference, closed, 2 members
          title   "Курс 1"
          members 1, 100
      # rooms.yaml:5
      + course-2             create  conference, closed, 2 members
          title   "Курс 2"
          members 2, 100
      # rooms.yaml:7
      + course-4             create  conference, closed, 2 members
          title   "Курс 4"
          members 4, 100

      notes
        --shard 1/2 leaves 1 declared room to the other shards; guards check all shards together

    plan: 3 to create, 6 members to add; 0 unchanged, 1 unmanaged
          5 requests: 1 to list, 3 to write, 1 to verify
          target: widget 627 on the sandbox
    "#);
    let json = scene.run("plan --sandbox --shard 1/2 --format json");
    let json = json.json();
    assert_eq!(json["notes"][0]["shard"], "1/2", "{json}");
    // A part may have no rooms. A run on such a part has nothing to do.
    let all = (0..40).map(|index| of(&format!("{index}/40")));
    let empty = all.filter(|ran| ran.code == 0 && ran.out.contains("nothing to do"));
    assert!(empty.count() >= 36);
    // A single part covers everything.
    of("0/1").ok().lacks("--shard");
}

#[test]
fn an_invalid_part_is_a_usage_error() {
    let scene = Scene::new().manifest(courses("course", 4));
    for (shard, why) in [
        ("8/8", "shards are numbered from 0: the last one is 7/8"),
        ("0/0", "write it as 0/8"),
        ("-1/2", "write it as 0/8"),
        ("3", "write it as 0/8"),
        ("a/b", "write it as 0/8"),
    ] {
        let ran = scene.run(["plan", "--sandbox", &format!("--shard={shard}")]);
        ran.exits(64);
        ran.err.shows(why);
    }
}

#[test]
fn guards_apply_to_all_parts_together() {
    let scene = Scene::new().manifest(courses("autumn", 16)).applied();
    let writes = scene.writes();
    let refused = |scene: &Scene, words: &str| {
        for shard in 0..SHARDS {
            let ran = scene.run(["apply", "--yes", "--shard", &format!("{shard}/{SHARDS}")]);
            assert_eq!((ran.code, scene.writes()), (5, writes), "{ran:?}");
            ran.shows(words);
        }
    };
    scene.declare(courses("spring", 16));
    refused(
        &scene,
        "16 of 16 rooms left the manifest since the last apply while 16 would be created",
    );
    let limited = manifest(rooms("autumn", 16).chain(rooms("new", 6))) + "limits: {create: 5}\n";
    scene.declare(limited);
    refused(&scene, "limits.create");
}

/// A run on one part must record nothing about the other parts.
#[test]
fn a_flag_lifts_a_guard_for_its_own_part_only() {
    let rooms: Vec<u32> = (1..=16).collect();
    let term = |prefix: &str| {
        manifest(rooms.iter().map(|room| {
            format!("pipe: {prefix}-{room}, title: T, members: [{{roster: class.csv, user: user, allow_empty: true}}]")
        }))
    };
    let class = |users: u32| {
        let users = (1..=users).map(|user| format!("{user}\n"));
        format!("user\n{}", users.collect::<String>())
    };
    let scene = Scene::new().manifest(term("autumn")).sandbox();
    scene.write("class.csv", class(20));
    scene.apply().ok();
    let part = |index: u32| format!("{index}/4");
    let apply = |index: u32, more: &[&str]| {
        let part = part(index);
        scene.run([&["apply", "--yes", "--shard", &part], more].concat())
    };
    let refused = |parts: &[u32], words: &str| {
        for index in parts {
            let ran = apply(*index, &[]);
            assert_eq!(ran.code, 5, "{index}: {ran:?}");
            ran.shows(words);
        }
    };
    let whole = |code: i32| {
        scene.apply().exits(code);
    };
    let words = "is the file complete?";
    for given in [8, 3] {
        scene.write("class.csv", class(given));
        refused(&[0, 1, 2, 3], words);
        apply(0, &["--ignore-limits"]).ok();
        refused(&[1, 2, 3], words);
        apply(0, &[]).ok();
        whole(5);
        for index in [1, 2] {
            apply(index, &["--ignore-limits"]).ok();
        }
        refused(&[3], words);
        apply(3, &["--ignore-limits"]).ok();
        for index in 0..4 {
            apply(index, &[]).ok();
        }
        whole(0);
        // A change that was allowed once does not raise the limits of later runs.
        scene.write("class.csv", class(20));
        apply(2, &[]).ok();
        scene.write("class.csv", class(8));
        refused(&[0, 1, 2, 3], words);
        scene.write("class.csv", class(20));
        whole(0);
    }
    // A file that is now empty, and rooms with other names.
    scene.write("class.csv", "user\n");
    refused(&[0, 1], words);
    apply(0, &["--ignore-limits"]).ok();
    refused(&[1], words);
    apply(0, &[]).ok();
    scene.write("class.csv", class(20));
    whole(0);
    scene.declare(term("spring"));
    let words = "left the manifest since the last apply";
    refused(&[0, 1, 2, 3], words);
    apply(0, &["--ignore-limits"]).ok();
    refused(&[1, 2, 3], words);
    for index in 1..4 {
        apply(index, &["--ignore-limits"]).ok();
    }
    whole(0);
}

#[test]
fn a_saved_plan_is_not_divided() {
    let scene = Scene::new().manifest(courses("course", 4));
    scene.run("plan --sandbox -o p.plan --shard 0/2").ok();
    let ran = scene.run("apply p.plan --sandbox --shard 0/2");
    ran.exits(64);
    let hint = "with --shard, make one plan for each shard";
    ran.err.shows(hint);
    // The plan file contains only the part for which it was made.
    let ran = scene.run("apply p.plan --sandbox");
    ran.exits(0);
    let other = scene.run("plan --sandbox --shard 1/2");
    let own = scene.run("plan --sandbox --shard 0/2");
    own.shows("nothing to do");
    other.shows("to create");
}
