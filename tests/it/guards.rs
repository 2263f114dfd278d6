//! Guards against plans that are larger than intended, and warnings about unlikely ones.

use insta::assert_snapshot;

use crate::support::{Scene, Shows, manifest};

fn rooms(term: &str, numbers: &[u32]) -> Vec<String> {
    let room = |room: &u32| {
        format!("pipe: {term}-{room}, title: \"Course {room}\", members: [{room}, 100]")
    };
    numbers.iter().map(room).collect()
}

fn term(term: &str, numbers: &[u32]) -> String {
    manifest(rooms(term, numbers))
}

fn applied(numbers: &[u32]) -> Scene {
    Scene::new().manifest(term("autumn", numbers)).applied()
}

#[test]
fn a_changed_prefix_is_refused() {
    let scene = applied(&[1, 2, 3, 4]);
    let writes = scene.writes();
    scene.declare(term("spring", &[1, 2, 3, 4]));
    let ran = scene.apply();
    assert_eq!((ran.code, scene.writes()), (5, writes), "{ran:?}");
    assert_snapshot!(ran.out.lines().last().unwrap_or_default(), @"refused: 4 of 4 rooms left the manifest since the last apply while 4 would be created: was a prefix changed? if a new term replaces the old one, allow the change once with --ignore-limits");
    let json = scene.run("plan --format json").json();
    assert_eq!(json["refusals"][0]["limit"], "mass_change");
    scene.run("apply --yes --ignore-limits").exits(0);
    assert_eq!(scene.rooms().len(), 8);
}

#[test]
fn replacing_half_of_the_rooms_is_allowed_and_all_of_one_is_not() {
    let scene = applied(&[1, 2, 3, 4]);
    let half = manifest([rooms("autumn", &[1, 2]), rooms("spring", &[3, 4])].concat());
    scene.declare(half);
    scene.plan().exits(0);
    scene.declare(term("autumn", &[1, 2, 3, 4, 5, 6, 7, 8, 9]));
    // Many new rooms are not a mass change if no room left the manifest.
    scene.plan().exits(0);
    let scene = applied(&[1]);
    scene.declare(term("spring", &[1]));
    // The guard applies to any number of rooms, even to a single one.
    scene.plan().exits(5);
}

/// After several terms, most recorded rooms left the manifest long ago. They do not count as part of the current
/// change.
#[test]
fn rooms_that_left_in_an_earlier_term_do_not_count() {
    let scene = applied(&[1, 2, 3, 4, 5]);
    scene.declare(term("spring", &[1, 2, 3, 4]));
    scene.plan().exits(5);
    scene.run("apply --yes --ignore-limits").ok();
    // There are many new rooms, but no room left the manifest.
    scene.declare(term("spring", &[1, 2, 3, 4, 5, 6, 7, 8, 9]));
    scene.apply().ok();
    // Replacing half of a term is not a mass change; replacing all of it is. Earlier terms do not matter.
    let half = [
        rooms("spring", &[1, 2, 3, 4, 5]),
        rooms("winter", &[6, 7, 8, 9]),
    ]
    .concat();
    scene.declare(manifest(half));
    scene.plan().exits(0);
    scene.declare(term("winter", &[1, 2, 3, 4, 5, 6, 7, 8, 9]));
    let ran = scene.plan();
    ran.exits(5);
    ran.shows("9 of 9 rooms left the manifest since");
    assert_eq!(scene.rooms().len(), 14);
}

/// When a room leaves the manifest or comes back, the next apply records this once.
#[test]
fn rooms_that_come_back_count_again() {
    let scene = applied(&[1, 2, 3, 4]);
    let writes = scene.writes();
    let lines = || scene.ledger().lines().count();
    let before = lines();
    for (rooms, written) in [
        (&[1][..], 3),
        (&[1], 3),
        (&[1, 2, 3, 4], 6),
        (&[1, 2, 3, 4], 6),
    ] {
        scene.declare(term("autumn", rooms));
        scene.apply().ok();
        assert_eq!((scene.writes(), lines() - before), (writes, written));
    }
    scene.declare(term("autumn", &[1]));
    scene.apply().ok();
    let shown = scene.run("ledger show").ok();
    assert_eq!(
        shown.matches(", no longer in the manifest").count(),
        3,
        "{shown}"
    );
    scene.declare(term("spring", &[1]));
    // The last apply had one room, and that room has left the manifest.
    scene.plan().exits(5);
    scene.declare(term("autumn", &[1, 2, 3, 4]));
    scene.apply().ok();
    scene.declare(term("spring", &[1, 2, 3]));
    let ran = scene.plan();
    ran.shows("4 of 4 rooms left");
}

#[test]
fn many_likely_renames_are_one_line() {
    let numbers = [1, 2, 3, 4, 5];
    let scene = applied(&numbers);
    scene.declare(term("spring", &numbers));
    let plan = scene.plan();
    let lines = plan
        .out
        .lines()
        .filter(|line| line.contains("likely rename"));
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines[0]
        .begins("    5 likely renames: `spring-1` has the title of `autumn-1`, ")
        .shows(" … 2 more; ");
}

#[test]
fn a_likely_rename_is_recognized_by_title_or_members() {
    let scene = applied(&[1, 2, 3, 4]);
    let rest = term("autumn", &[1, 2, 3]);
    scene.declare(format!(
        "{rest}  - {{pipe: course-four, title: Course 4, members: [7]}}\n"
    ));
    let out = scene.plan().ok();
    assert_snapshot!(out.lines().skip_while(|line| !line.contains("  notes")).nth(1).unwrap_or_default(), @"    1 likely rename: `course-four` has the title of `autumn-4`; a pipe is an identity, so new rooms are created and the old ones stay as they are");
    scene.declare(format!(
        "{rest}  - {{pipe: course-four, title: Other, members: [4, 100, 7]}}\n"
    ));
    let out = scene.plan().ok();
    out.shows("1 likely rename: `course-four` has most members of `autumn-4`");
    // Two new rooms look like the one that left, so neither is named.
    scene.declare(format!(
        "{rest}  - {{pipe: course-four, title: Other, members: [4, 100, 7]}}\n  - {{pipe: course-five, title: Fifth, members: [4, 100]}}\n"
    ));
    scene.plan().ok().lacks("likely rename");
    scene.declare(format!(
        "{rest}  - {{pipe: course-four, title: Other, members: [7, 8, 100]}}\n"
    ));
    scene.plan().ok().lacks("likely rename");
}
