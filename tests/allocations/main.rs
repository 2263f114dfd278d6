//! Checks the number and size of a plan's allocations. Unlike run times, they do not depend on
//! the load of the machine, so they show regressions reliably.
//!
//! This is a separate binary, because the allocator counts everything in its process.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod inputs;

use std::alloc::System;
use std::io::{self, Write};
use std::path::Path;

use cap::Cap;
use roomform::document::{self, PlanDocument};
use roomform::error::Exit;
use roomform::ledger::{LedgerFile, compact, history, read};
use roomform::manifest::{FileMap, load_from};
use roomform::model::Recorded;
use roomform::render::{self, Paint, html, markdown};
use roomform::{Options, check_text, view};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: Cap<&StatsAlloc<System>> = Cap::new(&INSTRUMENTED_SYSTEM, usize::MAX);

/// Maximum allocations and bytes per room of 30 members in each stage: a quarter above the values of November 2026.
const CHECK: (usize, usize) = (14, 4536);
const LIST: (usize, usize) = (5, 466);
const LEDGER: (usize, usize) = (17, 4831);
const PLAN: (usize, usize) = (0, 12);

/// Maximum allocations and bytes for each row, and for each use, of a file with rows.
const USES: (usize, usize) = (40, 10_400);

/// A manifest with many rooms and `generate` entries. All of them use the same two files, and
/// each uses a part of the rows.
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
    files([
        (
            "courses.csv",
            "id,term\n".to_owned() + &courses.collect::<String>(),
        ),
        (
            "enrol.csv",
            "course,user,name,clubs\n".to_owned() + &enrol.collect::<String>(),
        ),
        (
            "rooms.yaml",
            format!("version: 1\nrooms:\n{rooms}generate:\n{entries}"),
        ),
    ])
}

/// Maximum allocations and bytes for each room and its `generate` entry in [`equal_uses`].
const EQUAL_USES: (usize, usize) = (470, 115_000);

/// A manifest with many `generate` entries that join the same rosters, and with many rooms that
/// use `numbered` and `expand`.
fn equal_uses(uses: u64) -> FileMap {
    let courses = (0..uses).map(|n| format!("k{n},t{n}\n"));
    let sections = (0..uses).map(|n| format!("s{n},k{n}\n"));
    let people = (0..2 * uses).map(|n| format!("p{n},{}\n", n + 1));
    let enrol = (0..2 * uses).map(|n| format!("s{0},,p{n},c{0};all,g{0},\n", n % uses));
    let entries = (0..uses).map(|n| {
        let own = "people: {roster: people.csv, name: login, id: id}";
        let via = "via: {roster: sections.csv, on: {section: section}}";
        let enrol = format!("{{roster: enrol.csv, on: {{course: id}}, {via}, user: login, {own}}}");
        let room = format!("{{pipe: \"course-{{{{ id }}}}\", title: T, enrol: {enrol}}}");
        format!("  - {{each: courses.csv, where: {{term: t{n}}}, room: {room}}}\n")
    });
    let rooms = (0..uses).map(|n| {
        let roster =
            "roster: enrol.csv, user: login, people: {roster: people.csv, name: login, id: id}";
        let group = format!("{roster}, numbered: group, where: {{group: g{n}}}");
        let club = format!("{roster}, expand: {{column: clubs, split: ;}}, where: {{clubs: c{n}}}");
        let staff = format!("{roster}, where: {{course: {{present: true}}}}, allow_empty: true");
        format!(
            "  - {{pipe: room-{n}, title: T, members: [{{{group}}}, {{{club}}}, {{{staff}}}]}}\n"
        )
    });
    let (rooms, entries) = (rooms.collect::<String>(), entries.collect::<String>());
    files([
        (
            "courses.csv",
            "id,term\n".to_owned() + &courses.collect::<String>(),
        ),
        (
            "sections.csv",
            "section,course\n".to_owned() + &sections.collect::<String>(),
        ),
        (
            "people.csv",
            "login,id\n".to_owned() + &people.collect::<String>(),
        ),
        (
            "enrol.csv",
            "section,course,login,clubs,group1,group2\n".to_owned() + &enrol.collect::<String>(),
        ),
        (
            "rooms.yaml",
            format!("version: 1\nrooms:\n{rooms}generate:\n{entries}"),
        ),
    ])
}

fn files<const N: usize>(files: [(&str, String); N]) -> FileMap {
    let files = files.iter();
    FileMap::new(files.map(|(name, text)| (Path::new(*name), text.as_bytes())))
}

/// Checks the allocations and bytes per room of one stage.
#[track_caller]
fn within<T>(what: &str, rooms: u64, most: (usize, usize), work: impl FnOnce() -> T) -> T {
    let region = Region::new(&INSTRUMENTED_SYSTEM);
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

/// Ignores what is written to it, and remembers the most memory that was in use meanwhile.
#[derive(Default)]
struct Watch {
    most: usize,
    written: usize,
}

impl Write for Watch {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.most = self.most.max(ALLOCATOR.allocated());
        self.written += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Checks that writing an output needs little memory in addition to the data that it is made
/// from.
#[track_caller]
fn streams(what: &str, write: impl FnOnce(&mut Watch) -> io::Result<()>) {
    let before = ALLOCATOR.allocated();
    let mut out = Watch::default();
    write(&mut out).unwrap();
    let peak = out.most.saturating_sub(before);
    let written = out.written;
    assert!(written > 2 << 20, "{what}: only {written} bytes");
    assert!(peak < 1 << 20, "{what}: {peak} bytes for {written}");
}

/// A single test: two in parallel would count each other's allocations.
#[test]
fn memory_and_allocations_are_bounded() {
    compacting_needs_little_memory();
    outputs_are_written_as_they_are_made();
    allocations_per_room_do_not_grow_with_the_number_of_rooms();
}

/// This check must run first, because the process's peak memory use cannot be reset.
fn compacting_needs_little_memory() {
    let file = inputs::ledger_file(20_000).unwrap();
    let length = file.as_file().metadata().unwrap().len() as usize;
    let before = ALLOCATOR.allocated();
    let ledger = LedgerFile::new(file.path());
    let compacted = ledger.rewrite(&inputs::target(), compact).unwrap();
    let peak = ALLOCATOR.max_allocated() - before;
    // The limit for allocated memory is 3.5 times the size of the file. The process uses less
    // than three times the size, because it never touches some of the memory that it allocates.
    assert!(2 * peak < 7 * length, "{peak} bytes for a file of {length}");
    assert_eq!(compacted.entries.len(), 20_000, "no settled intent is left");
}

fn outputs_are_written_as_they_are_made() {
    let text = inputs::manifest(11_000, None);
    let loaded = check_text("rooms.yaml", &text, Options::default()).unwrap();
    let observed = inputs::observed(&loaded.desired, &inputs::list(0)).unwrap();
    let plan = inputs::planned(&loaded.desired, &observed, &Recorded::default());
    streams("a plan in JSON", |out| {
        let document = PlanDocument::new(&plan, None, Exit::Done, Vec::new());
        render::write_json(&document, out)
    });
    let view = view::plan(&plan, &loaded);
    streams("a plan in HTML", |out| html::write(&view, out));
    let fit = markdown::Fit::default();
    streams("a plan in Markdown", |out| markdown::write(&view, fit, out));
    streams("a plan as text", |out| {
        render::write(&view, Paint::Plain, out)
    });
    let file = inputs::ledger_file(10_000).unwrap();
    let snapshot = read(file.path(), &inputs::target()).unwrap();
    let entries = history(&snapshot.entries, None, None);
    let (target, names) = (inputs::target(), &loaded.desired.names);
    streams("the history of a ledger in JSON", |out| {
        render::write_json(&document::history(&target, false, &entries, names), out)
    });
    let recorded = snapshot.into_recorded();
    streams("the record of a ledger in JSON", |out| {
        render::write_json(
            &document::ledger(&target, 10_000, &recorded, &Default::default()),
            out,
        )
    });
}

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
        // User 1 is a member of every course and is also enrolled in one of them. In that
        // course, this is one membership, not two.
        assert_eq!(loaded.desired.memberships() as u64, 21 * uses - 1);
    }
    for uses in [100, 1_000] {
        let files = equal_uses(uses);
        let loaded = within("check with equal uses", uses, EQUAL_USES, || {
            load_from(&files, &["rooms.yaml".into()], Options::default())
        });
        assert_eq!(loaded.diagnostics, []);
        assert_eq!(loaded.desired.rooms.len() as u64, 2 * uses);
        assert_eq!(loaded.desired.memberships() as u64, 4 * uses);
    }
}
