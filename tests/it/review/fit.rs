//! Five thousand changes, with every size limit: pages never exceed the limit, dangerous
//! changes come first and are cut last, and every count is exact.

use std::collections::BTreeSet;
use std::path::PathBuf;

use proptest::prelude::*;
use roomform::manifest::{FileMap, Loaded, Options, load_from};
use roomform::model::{LiveRoom, Observed, Recorded, RecordedRoom, Release, RoomId, Time, UserId};
use roomform::plan::{Plan, PlanOptions, plan};
use roomform::render::markdown::{Dialect, Fit};
use roomform::view;

use roomform::sandbox;

use super::markdown_page;
use super::rendered::Rendered;
use crate::support::{Scene, Shows, target};

/// For each site, the value to pass to the program, and the size limit in the unit of that
/// site.
const SITES: [(&str, usize); 5] = [
    ("github-comment", 65_536),
    ("github-summary", 1 << 20),
    ("gitlab", 1_000_000),
    ("azure", 150_000),
    ("bitbucket", 32_768),
];

fn read(files: Vec<(PathBuf, String)>) -> Loaded {
    let names: Vec<PathBuf> = files.iter().map(|(name, _)| name.clone()).collect();
    let map = FileMap::new(
        files
            .iter()
            .map(|(name, text)| (name.as_path(), text.as_bytes())),
    );
    let loaded = load_from(&map, &names, Options::default());
    assert!(loaded.is_valid(), "{:?}", loaded.diagnostics);
    loaded
}

/// A widget that matches a manifest, and its ledger.
fn applied(loaded: &Loaded) -> (Observed, Recorded) {
    let (mut observed, mut recorded) = (Observed::default(), Recorded::default());
    for (id, room) in (1..).map(RoomId).zip(loaded.desired.rooms.values()) {
        let row = LiveRoom {
            updated_at: None,
            id,
            pipe: room.pipe.clone(),
            state: room.state.clone(),
            deleted: false,
        };
        observed.take(row, true, true);
        let members = room.members.iter().copied().collect();
        let known = RecordedRoom {
            members,
            ..RecordedRoom::default()
        };
        recorded.rooms.insert(id, known);
        recorded.ids.insert(room.pipe.clone(), id);
    }
    (observed, recorded)
}

/// Returns the YAML of the room with this number.
type Room = fn(usize) -> String;

/// `count` rooms in files of 400.
fn files(count: usize, room: Room) -> Vec<(PathBuf, String)> {
    let numbers: Vec<usize> = (0..count).collect();
    let file = |(index, numbers): (usize, &[usize])| {
        let rooms: String = numbers.iter().map(|n| room(*n)).collect();
        let name = format!("rooms/классы-{index:02}.yaml");
        (name.into(), format!("version: 1\nrooms:\n{rooms}"))
    };
    numbers.chunks(400).enumerate().map(file).collect()
}

/// The plan for a widget with the rooms of `before` and a manifest with those of `after`.
fn planned(count: usize, before: Room, after: Room) -> (Plan, Loaded) {
    let (observed, recorded) = applied(&read(files(count, before)));
    let loaded = read(files(count, after));
    let switches = PlanOptions::default();
    let plan = plan(&target(), &loaded.desired, &observed, &recorded, &switches);
    (plan, loaded)
}

fn title(n: usize) -> String {
    format!("Алгебра {n} 🎓 · осень 👩‍🏫")
}

/// The sections of a page: heading, total, number shown, number of list items.
fn sections(page: &str) -> Vec<(String, usize, usize, usize)> {
    let parts = page.split("\n### ").skip(1);
    let section = |part: &str| {
        let heading = part.lines().next().unwrap();
        let (name, counts) = heading.split_once(": ").unwrap();
        let numbers: Vec<usize> = counts
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .collect();
        let items = part.lines().filter(|line| line.starts_with("- ")).count();
        let shown = numbers.get(1).copied().unwrap_or(numbers[0]);
        (name.to_owned(), numbers[0], shown, items)
    };
    parts.map(section).collect()
}

/// What the page says it leaves out: number, total, kind.
fn left_out(page: &str) -> Vec<(usize, usize, String)> {
    let Some((_, rest)) = page.split_once("Not shown: ") else {
        return Vec::new();
    };
    let list = rest.split('.').next().unwrap();
    let part = |part: &str| {
        let words: Vec<&str> = part.splitn(4, ' ').collect();
        assert_eq!(words[1], "of");
        let number = |word: &str| word.parse().unwrap();
        (number(words[0]), number(words[2]), words[3].to_owned())
    };
    list.split(", ").map(part).collect()
}

/// Checks that a page is not too long in any unit, and that each section's count of items is right.
#[track_caller]
fn fits(page: &str, limit: usize) {
    let lengths = [
        page.len(),
        page.chars().count(),
        page.encode_utf16().count(),
    ];
    assert!(
        lengths.iter().all(|length| *length < limit),
        "{lengths:?} of {limit}"
    );
    Rendered::new(page);
    for (name, _, said, items) in sections(page) {
        assert_eq!(said, items, "{name}");
    }
}

/// Does the checks of [`fits`], and compares every count with the complete page, `whole`.
#[track_caller]
fn checked(page: &str, limit: usize, whole: &str) {
    fits(page, limit + 1);
    let (all, shown) = (sections(whole), sections(page));
    for (name, count, ..) in &shown {
        let (_, there, ..) = all.iter().find(|(known, ..)| known == name).unwrap();
        assert_eq!(count, there, "{name}");
    }
    let items = |sections: &[(String, usize, usize, usize)]| -> usize {
        sections.iter().map(|(_, _, _, items)| items).sum()
    };
    let missing: usize = left_out(page).iter().map(|(count, ..)| count).sum();
    let listed = shown.iter().filter(|(_, _, shown, _)| *shown == 0);
    let listed: usize = listed.map(|(_, count, ..)| count).sum();
    assert_eq!(items(&all), items(&shown) + missing + listed);
    let counts: BTreeSet<usize> = all.iter().map(|(_, count, ..)| *count).collect();
    let said: BTreeSet<usize> = left_out(page).iter().map(|(_, of, _)| *of).collect();
    assert!(said.is_subset(&counts), "{said:?} {counts:?}");
    // Every item is also on the complete page.
    let lines: BTreeSet<&str> = whole.lines().collect();
    let strange = page
        .lines()
        .find(|line| line.starts_with("- ") && !lines.contains(line));
    assert_eq!(strange, None);
}

/// The dangerous lines.
fn dangerous(page: &str) -> Vec<&str> {
    let names = [
        "Refused",
        "Needs attention",
        "Conflicts",
        "Manual steps",
        "Look-alikes",
    ];
    let parts = page.split("\n### ").skip(1);
    let parts = parts.filter(|part| names.iter().any(|name| part.starts_with(name)));
    parts
        .flat_map(|part| part.lines().filter(|line| line.starts_with("- ")))
        .collect()
}

/// A widget, its ledger and a manifest with differences of every kind: 5,000 changes.
fn widget() -> Scene {
    let scene = Scene::new().sandbox();
    // Of every 101 rooms, one loses a member.
    let leaving = |n: usize, members: &str| {
        format!(
            "- {{pipe: room-{n:05}, title: \"{}\", members: [{members}]}}\n",
            title(n)
        )
    };
    let of = |kind: usize| (0..5_050).filter(move |n| n % 101 == kind);
    let rooms: String = of(100).map(|n| leaving(n, "3, 4")).collect();
    scene.write("rooms/00.yaml", format!("version: 1\nrooms:\n{rooms}"));
    scene.run("apply --yes --ledger l.jsonl").ok();
    // Of the other 100 rooms, one becomes public, one is duplicated, ten have an old title,
    // thirty are not recorded, and 58 are new.
    for n in (0..5_050).filter(|n| n % 101 < 42) {
        let old = if (2..12).contains(&(n % 101)) {
            " старое"
        } else {
            ""
        };
        let room = || sandbox::Room {
            pipe: format!("room-{n:05}"),
            name: title(n) + old,
            kind: 1,
            ..sandbox::Room::default()
        };
        scene.insert(room());
        if n % 101 == 1 {
            scene.insert(room());
        }
    }
    for (name, text) in files(5_050, |n| {
        let public = matches!(n % 101, 0 | 99);
        let title = title(n);
        format!("- {{pipe: room-{n:05}, title: \"{title}\", public: {public}, members: [3]}}\n")
    }) {
        scene.write(name.to_str().unwrap(), text);
    }
    scene.write(
        "rooms/00.yaml",
        "version: 1\nrooms: []\nlimits: {create: 100}\n",
    );
    scene
}

/// 776 rooms with an open manual step from an earlier run (five of them also need a new step),
/// and 897 new rooms (two of them are public).
fn after_a_term() -> (Plan, Loaded) {
    let room: Room = |n| {
        let public = n >= 1_671;
        format!("- {{pipe: room-{n:04}, title: \"Room {n}\", public: {public}, members: [3]}}\n")
    };
    let (observed, mut recorded) = applied(&read(files(776, room)));
    for (index, known) in recorded.rooms.values_mut().enumerate() {
        let release = Release {
            since: Time(0),
            run: "0123456789abcdef".into(),
        };
        known.released.insert(UserId(4), release);
        if index < 5 {
            known.members.extend([UserId(5)]);
        }
    }
    let loaded = read(files(1_673, room));
    let options = PlanOptions::default();
    let plan = plan(&target(), &loaded.desired, &observed, &recorded, &options);
    (plan, loaded)
}

#[test]
fn open_steps_of_earlier_runs_leave_room_for_new_changes() {
    let (plan, loaded) = after_a_term();
    let view = view::plan(&plan, &loaded);
    let write = |bytes| {
        let fit = Fit {
            bytes,
            dialect: Dialect::Html,
        };
        markdown_page(&view, fit)
    };
    let (whole, page) = (write(None), write(Some(65_536)));
    let count = |page: &str| -> Vec<(String, usize, usize)> {
        let sections = sections(page).into_iter();
        sections
            .map(|(name, all, shown, _)| (name, all, shown))
            .collect()
    };
    let section = |name: &str, all, shown| (name.to_owned(), all, shown);
    assert_eq!(
        count(&whole),
        [
            section("Needs attention", 2, 2),
            section("Manual steps", 5, 5),
            section("Create", 895, 895),
            section("Manual steps still open", 776, 776),
        ]
    );
    whole.shows("<details><summary>Rooms</summary>\n\n- [ ] `room-0000`");
    checked(&page, 65_536, &whole);
    let creates = count(&page)[2].2;
    assert!(creates > 450, "{creates}");
    assert_eq!(
        count(&page),
        [
            section("Needs attention", 2, 2),
            section("Manual steps", 5, 5),
            section("Create", 895, creates),
            section("Manual steps still open", 776, 0),
        ]
    );
    page.shows(format!(
        "Not shown: {} of 895 under “Create”. All 7 dangerous lines are shown.",
        895 - creates
    ));
    // With enough space for all changes, only the open steps are omitted, and the page does not
    // say that it was cut.
    let page = write(Some(whole.len() - 1));
    checked(&page, whole.len() - 1, &whole);
    page.lacks("Cut").lacks("Not shown").shows(
        "### Manual steps still open: 776, 0 of them shown\n\n`roomform todo` lists them.\n",
    );
    page.shows("; 776 open steps in 776 rooms, the oldest since today");
    // `todo` itself lists as many as fit.
    let todo = view::todo(&plan.target, &plan.manual_steps, &[], &plan.names);
    let fit = Fit {
        bytes: Some(65_536),
        dialect: Dialect::Html,
    };
    let page = markdown_page(&todo, fit);
    fits(&page, 65_537);
    assert!(sections(&page)[0].2 > 250, "{page}");
}

#[test]
fn five_thousand_changes_fit_every_site() {
    let scene = widget();
    let page = |args: &[&str]| {
        let plan = ["plan", "-q", "--ledger", "l.jsonl", "--format"];
        let ran = scene.run([&plan, args].concat());
        assert_eq!((ran.code, ran.err.as_str()), (5, ""), "{args:?}");
        ran
    };
    let summary = page(&["json"]).json()["summary"].clone();
    let figure = |name: &str| summary[name].as_u64().unwrap() as usize;
    assert_eq!(
        figure("create") + figure("update") + figure("resend_only"),
        4_950
    );
    let whole = page(&["markdown"]).out;
    let counts = |page: &str| -> Vec<(String, usize)> {
        let sections = sections(page).into_iter();
        sections.map(|(name, count, ..)| (name, count)).collect()
    };
    let named = |name: &str, count| (name.to_owned(), count);
    assert_eq!(
        counts(&whole),
        [
            named("Refused", 2),
            named("Needs attention", 100),
            named("Conflicts", 50),
            named("Manual steps", 50),
            named("Create", figure("create") - 50),
            named("Update", figure("update") - 50),
            named("Members", figure("resend_only")),
        ]
    );
    for (site, limit) in SITES {
        let page = page(&["markdown", "--fit", site]).out;
        if site == "bitbucket" {
            fits(&page, limit);
            assert_eq!(dangerous(&page).len(), dangerous(&whole).len());
            continue;
        }
        checked(&page, limit, &whole);
        assert_eq!(dangerous(&page), dangerous(&whole), "{site}");
        if whole.len() > limit {
            let dangerous = dangerous(&whole).len();
            assert!(
                page.contains(&format!(" All {dangerous} dangerous lines are shown.")),
                "{site}"
            );
            assert!(page.len() > limit * 9 / 10, "{site}: {} bytes", page.len());
            // Items of every kind are on the page.
            assert_eq!(sections(&page).len(), 7, "{site}");
        } else {
            assert_eq!(page, whole);
        }
    }
}

#[test]
fn a_page_with_only_dangerous_changes_says_that_it_is_cut() {
    let closed: Room = |n| format!("- {{pipe: room-{n}, title: \"{}\"}}\n", title(n));
    let public: Room = |n| {
        format!(
            "- {{pipe: room-{n}, title: \"{}\", public: true}}\n",
            title(n)
        )
    };
    let (plan, loaded) = planned(5_000, closed, public);
    let fit = |bytes| Fit {
        bytes,
        dialect: Dialect::Html,
    };
    let whole = markdown_page(&view::plan(&plan, &loaded), fit(None));
    for limit in [4096, 65_280] {
        let page = markdown_page(&view::plan(&plan, &loaded), fit(Some(limit)));
        checked(&page, limit, &whole);
        let missing = left_out(&page);
        assert_eq!((missing.len(), missing[0].1), (1, 5_000));
        let expected = format!(
            "**Not even the dangerous lines fit {limit} bytes: {} of 5001 are missing.** Read the whole plan",
            missing[0].0
        );
        page.shows(&expected);
        page.shows("### Refused: 1\n");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    /// At any size: the page fits, every count is right, and dangerous changes are cut last.
    #[test]
    fn every_page_size_is_kept(limit in 4_096_usize..60_000, plain in any::<bool>()) {
        let before: Room = |n| {
            let old = if n % 2 == 0 { " старое" } else { "" };
            format!("- {{pipe: room-{n}, title: \"{}{old}\", members: [3]}}\n", title(n))
        };
        let after: Room = |n| {
            let public = n % 9 == 0;
            let pipe = if n % 5 == 0 { "новая" } else { "room" };
            format!("- {{pipe: {pipe}-{n}, title: \"{}\", public: {public}, members: [3, 4]}}\n", title(n))
        };
        let (plan, loaded) = planned(300, before, after);
        let dialect = if plain { Dialect::Plain } else { Dialect::Html };
        let whole = markdown_page(&view::plan(&plan, &loaded), Fit { bytes: None, dialect });
        let page = markdown_page(&view::plan(&plan, &loaded), Fit { bytes: Some(limit), dialect });
        checked(&page, limit, &whole);
        let exact = Fit { bytes: Some(whole.len()), dialect };
        prop_assert_eq!(&markdown_page(&view::plan(&plan, &loaded), exact), &whole);
        let (all, shown) = (dangerous(&whole).len(), dangerous(&page).len());
        let others = sections(&page).iter().map(|(_, _, _, items)| items).sum::<usize>() - shown;
        prop_assert!(shown == all || others == 0);
    }
}
