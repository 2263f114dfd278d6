//! Measures each stage and its floor (lower bound): the bare library reads the same bytes.
//!
//! `cargo bench --bench stages [-- FILTER]`. Each room has 30 members; the argument is the number of rooms.

#![expect(
    clippy::unwrap_used,
    reason = "the inputs are generated here and valid"
)]

#[expect(dead_code, reason = "shared with the other benches")]
mod inputs;

use divan::{AllocProfiler, Bencher, black_box};
use roomform::document::PlanDocument;
use roomform::render::markdown::{self, Fit};
use roomform::render::{self, Paint, html};
use roomform::view;
use roomform::{Loaded, Options, Plan, check_text, rooms_of};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const ROOMS: [u64; 4] = [100, 1_000, 10_000, 100_000];

fn main() {
    divan::main();
}

#[divan::bench(args = ROOMS)]
fn manifest_to_desired(bencher: Bencher<'_, '_>, rooms: u64) {
    let text = inputs::manifest(rooms, None);
    bencher.bench_local(|| check_text("rooms.yaml", black_box(&text), Options::default()).is_ok());
}

/// The floor of `manifest_to_desired`.
#[divan::bench(args = ROOMS)]
fn manifest_bare_events(bencher: Bencher<'_, '_>, rooms: u64) {
    let text = inputs::manifest(rooms, None);
    bencher.bench_local(|| granit_parser::Parser::new_from_str(black_box(&text)).count());
}

#[divan::bench(args = ROOMS)]
fn list_to_rooms(bencher: Bencher<'_, '_>, rooms: u64) {
    let text = inputs::list(rooms);
    bencher.bench_local(|| rooms_of(black_box(text.as_bytes())).map(|rooms| rooms.len()));
}

/// The floor of `list_to_rooms`.
#[divan::bench(args = ROOMS)]
fn list_bare_json(bencher: Bencher<'_, '_>, rooms: u64) {
    let text = inputs::list(rooms);
    bencher.bench_local(|| serde_json::from_str::<serde::de::IgnoredAny>(black_box(&text)).is_ok());
}

/// The floor of rosters: rows are read and ignored.
#[divan::bench(args = ROOMS)]
fn roster_bare_csv(bencher: Bencher<'_, '_>, rooms: u64) {
    let text = inputs::roster(rooms);
    bencher.bench_local(|| {
        let mut reader = csv::Reader::from_reader(black_box(text.as_bytes()));
        let (mut record, mut rows) = (csv::ByteRecord::new(), 0_u64);
        while reader.read_byte_record(&mut record).is_ok_and(|more| more) {
            rows += 1;
        }
        rows
    });
}

#[divan::bench(args = ROOMS)]
fn ledger_to_recorded(bencher: Bencher<'_, '_>, rooms: u64) {
    let file = inputs::ledger_file(rooms).unwrap();
    bencher.bench_local(|| inputs::recorded(black_box(file.path())).is_ok());
}

/// Which rooms change: all are new, none, every hundredth.
#[derive(Debug, Clone, Copy)]
enum Change {
    Fresh,
    Nothing,
    Hundredth,
}

fn diff(bencher: Bencher<'_, '_>, rooms: u64, change: Change) {
    let edited = matches!(change, Change::Hundredth).then_some(100);
    let desired = inputs::desired(&inputs::manifest(rooms, edited)).unwrap();
    let there = if matches!(change, Change::Fresh) {
        0
    } else {
        rooms
    };
    let observed = inputs::observed(&desired, &inputs::list(there)).unwrap();
    let recorded = inputs::recorded(inputs::ledger_file(there).unwrap().path()).unwrap();
    bencher.bench_local(|| inputs::planned(black_box(&desired), &observed, &recorded));
}

#[divan::bench(args = ROOMS)]
fn diff_fresh(bencher: Bencher<'_, '_>, rooms: u64) {
    diff(bencher, rooms, Change::Fresh);
}

#[divan::bench(args = ROOMS)]
fn diff_no_change(bencher: Bencher<'_, '_>, rooms: u64) {
    diff(bencher, rooms, Change::Nothing);
}

#[divan::bench(args = ROOMS)]
fn diff_a_hundredth(bencher: Bencher<'_, '_>, rooms: u64) {
    diff(bencher, rooms, Change::Hundredth);
}

/// A plan that creates every room, and its manifest: the largest output.
fn fresh(rooms: u64) -> (Plan, Loaded) {
    let loaded = check_text(
        "rooms.yaml",
        &inputs::manifest(rooms, None),
        Options::default(),
    )
    .unwrap();
    let observed = inputs::observed(&loaded.desired, &inputs::list(0)).unwrap();
    let recorded = inputs::recorded(inputs::ledger_file(0).unwrap().path()).unwrap();
    (
        inputs::planned(&loaded.desired, &observed, &recorded),
        loaded,
    )
}

#[divan::bench(args = ROOMS)]
fn render_text(bencher: Bencher<'_, '_>, rooms: u64) {
    let (plan, _) = fresh(rooms);
    bencher.bench_local(|| render::plan(black_box(&plan), Paint::Plain));
}

#[divan::bench(args = ROOMS)]
fn render_json(bencher: Bencher<'_, '_>, rooms: u64) {
    let (plan, _) = fresh(rooms);
    bencher.bench_local(|| {
        let exit = roomform::error::Exit::Done;
        render::json(&PlanDocument::new(black_box(&plan), None, exit, Vec::new())).is_ok()
    });
}

#[divan::bench(args = ROOMS)]
fn render_markdown(bencher: Bencher<'_, '_>, rooms: u64) {
    let (plan, loaded) = fresh(rooms);
    bencher.bench_local(|| markdown::write(&view::plan(black_box(&plan), &loaded), Fit::default()));
}

#[divan::bench(args = ROOMS)]
fn render_html(bencher: Bencher<'_, '_>, rooms: u64) {
    let (plan, loaded) = fresh(rooms);
    bencher.bench_local(|| html::write(&view::plan(black_box(&plan), &loaded)).is_ok());
}
