//! Pins the allocations of a plan. The count does not depend on the load of the machine, so any regression shows.
//!
//! This is a separate binary, because the allocator counts everything in its process.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

#[path = "../benches/inputs/mod.rs"]
#[expect(dead_code, reason = "shared with the benches")]
mod inputs;

use std::alloc::System;
use std::path::Path;

use roomform::manifest::{FileMap, Options, load_from};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Maximum allocations and bytes per room of 30 members in each stage: a quarter above the values of November 2026.
const CHECK: (usize, usize) = (14, 4536);
const LIST: (usize, usize) = (5, 466);
const LEDGER: (usize, usize) = (11, 2866);
const PLAN: (usize, usize) = (0, 12);

/// The same for each row and each use of a file with rows.
const USES: (usize, usize) = (31, 8700);

/// A manifest with many rooms and `generate` entries that use the same two files, each with a part of the rows.
fn uses_of_one_file(uses: u64) -> FileMap {
    let courses = (0..uses).map(|n| format!("k{n},t{n}\n"));
    let enrol = (0..10 * uses).map(|n| format!("k{0},{1},Pupil,c{0}|all\n", n % uses, n + 1));
    let entries = (0..uses).map(|n| {
        let enrol = format!(
            "{{roster: enrol.csv, on: {{course: id}}, user: user, where: {{course: k{n}}}}}"
        );
        let room =
            format!("{{pipe: \"course-{{{{ id }}}}\", title: T, members: [1], enrol: {enrol}}}");
        format!("  - {{each: courses.csv, where: {{term: t{n}}}, room: {room}}}\n")
    });
    let rooms = (0..uses).map(|n| {
        let roster = "roster: enrol.csv, user: user";
        let class = format!("{roster}, show: name, where: {{course: k{n}}}");
        let club = format!("{roster}, where: {{clubs: {{has: c{n}, split: \"|\"}}}}");
        format!("  - {{pipe: room-{n}, title: T, members: [{{{class}}}, {{{club}}}]}}\n")
    });
    let (rooms, entries) = (rooms.collect::<String>(), entries.collect::<String>());
    let files = [
        (
            "courses.csv",
            courses.fold("id,term\n".to_owned(), |all, row| all + &row),
        ),
        (
            "enrol.csv",
            enrol.fold("course,user,name,clubs\n".to_owned(), |all, row| all + &row),
        ),
        (
            "rooms.yaml",
            format!("version: 1\nrooms:\n{rooms}generate:\n{entries}"),
        ),
    ];
    FileMap::new(
        files
            .iter()
            .map(|(name, text)| (Path::new(name), text.as_bytes())),
    )
}

/// Checks the allocations and bytes per room of one stage.
#[track_caller]
fn within<T>(what: &str, rooms: u64, most: (usize, usize), work: impl FnOnce() -> T) -> T {
    let region = Region::new(ALLOCATOR);
    let made = work();
    let spent = region.change();
    let each = rooms as usize;
    let (count, bytes) = (
        (spent.allocations + spent.reallocations) / each,
        spent.bytes_allocated / each,
    );
    assert!(
        count <= most.0 && bytes <= most.1,
        "{what} of {rooms} rooms: {count} allocations and {bytes} bytes a room, more than {most:?}"
    );
    // A much lower count means that nothing was counted, or that the maximum is out of date.
    assert!(
        count * 3 >= most.0 && bytes * 3 >= most.1,
        "{what} of {rooms} rooms: only {count} allocations and {bytes} bytes a room; lower {most:?}"
    );
    made
}

/// A single test: two in parallel would count each other's allocations.
#[test]
fn allocations_per_room_do_not_grow_with_the_number_of_rooms() {
    for rooms in [1_000, 10_000] {
        let text = inputs::manifest(rooms, Some(100));
        let (list, ledger) = (inputs::list(rooms), inputs::ledger_file(rooms).unwrap());
        let desired = within("check", rooms, CHECK, || inputs::desired(&text).unwrap());
        let observed = within("list", rooms, LIST, || {
            inputs::observed(&desired, &list).unwrap()
        });
        let recorded = within("ledger", rooms, LEDGER, || {
            inputs::recorded(ledger.path()).unwrap()
        });
        let plan = within("plan", rooms, PLAN, || {
            inputs::planned(&desired, &observed, &recorded)
        });
        assert_eq!(plan.changes.len() as u64, rooms / 100);
        assert_eq!(plan.summary.unchanged as u64, rooms - rooms / 100);
    }
    for uses in [100, 800] {
        let files = uses_of_one_file(uses);
        let loaded = within("check with rosters", 11 * uses, USES, || {
            load_from(&files, &["rooms.yaml".into()], Options::default())
        });
        assert_eq!(loaded.diagnostics, []);
        assert_eq!(loaded.desired.rooms.len() as u64, 2 * uses);
        // User 1 is a member of every course, and enrolled in one.
        assert_eq!(loaded.desired.memberships() as u64, 21 * uses - 1);
    }
}
