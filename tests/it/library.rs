//! The crate as a library: its examples run, and no input makes it panic.

use std::path::PathBuf;
use std::time::Duration;

use insta::assert_snapshot;
use proptest::prelude::*;
use roomform::model::{Limit, Limits, Pipe, RoomId, RoomKind, RoomState, Target, WidgetId};
use roomform::{
    Limiter, LiveRoom, Options, PlanOptions, Recorded, RowFilter, check, check_text, plan, rooms_of,
};

use crate::support::{Scene, Shows};

#[path = "../../examples/custom_reporter.rs"]
#[expect(dead_code, reason = "the example's own `main` is for cargo")]
mod custom_reporter;
#[path = "../../examples/offline_plan.rs"]
#[expect(dead_code, reason = "the example's own `main` is for cargo")]
mod offline_plan;

const MANIFEST: &str = "\
version: 1
widget: 627
rooms:
  - {pipe: team, title: Platform team, members: [3, 4]}
  - {pipe: lounge, title: Lounge, members: [5]}
";
const ANSWER: &str = r#"{"success":true,"code":200,"data":[
  {"id":7,"pipe":"lounge","name":"Lobby","type":"1","is_public":"0","deleted_at":null},
  {"id":8,"pipe":"old","name":"Old","type":1,"is_public":1,"deleted_at":null},
]}"#;

fn offline(args: &[PathBuf]) -> Result<String, String> {
    let mut out = Vec::new();
    offline_plan::run(args, &mut out).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn the_offline_plan_example_works() {
    let scene = Scene::new().manifest(MANIFEST);
    let manifest = scene.path("rooms.yaml");
    let answer = scene.write("get_rooms.json", ANSWER);
    let text = offline(&[manifest.clone(), answer.clone()]).unwrap();
    let shown = text.replace(
        &format!("{}/", scene.path("").display()).replace("//", "/"),
        "",
    );
    assert_snapshot!(shown, @r#"
      # rooms.yaml:4
      + team                 create  conference, closed, 2 members
          title   "Platform team"
          members 3, 4
      # rooms.yaml:5
      ~ lounge               update
          title   "Lobby" → "Lounge"
          members unknown: 1 sent again (5)   none known

    plan: 1 to create, 1 to update, 2 members to add, 1 member of 1 room to send again (membership unknown); 0 unchanged, 1 unmanaged
          4 requests: 1 to list, 2 to write, 1 to verify
          target: widget 627 on https://api.imbachat.com
          unknown: the ledger does not record these members; sending them also re-adds people who were removed in ImbaChat
    "#);
    // With a ledger no member is unknown; a ledger of another target is refused.
    let target = r#"{"roomform_ledger":1,"origin":"https://api.imbachat.com","widget":627}"#;
    let entry = r#"{"run":"r","seq":1,"time":"2026-01-01T00:00:00.000Z","kind":"confirmed","pipe":"lounge","room_id":7,"members":[5],"title":"Lobby","type":1,"public":false}"#;
    let ledger = scene.write("ledger.jsonl", format!("{target}\n{entry}\n"));
    let text = offline(&[manifest.clone(), answer.clone(), ledger]).unwrap();
    text.shows("1 to create, 1 to update, 2 members to add");
    text.lacks("unknown");
    let other = scene.write("other.jsonl", target.replace("627", "628") + "\n");
    let refused = offline(&[manifest, answer, other]).unwrap_err();
    refused.shows("628");
}

#[test]
fn the_offline_plan_example_reads_an_export_and_reports_errors() {
    let scene = Scene::new().manifest(MANIFEST);
    let manifest = scene.path("rooms.yaml");
    scene.run("apply --sandbox --yes").ok();
    let export = scene.write("export.yaml", scene.run("export --sandbox").ok());
    let text = offline(&[manifest.clone(), export]).unwrap();
    text.shows("plan: nothing to do");
    let no = scene.write(
        "no.json",
        r#"{"success":false,"error":"\u001b[31mgo away"}"#,
    );
    assert_snapshot!(offline(&[manifest.clone(), no]).unwrap_err(), @r"the answer reports an error: \u{1b}[31mgo away");
    let bad = scene.write(
        "bad.yaml",
        "version: 1\nrooms:\n  - {pipe: 0123, titel: x}\n",
    );
    let mistakes = offline(&[bad, manifest]).unwrap_err();
    mistakes.shows("titel").shows("the manifest is invalid");
    assert_eq!(
        offline(&[]).unwrap_err(),
        "usage: offline_plan MANIFEST ROOMS [LEDGER]"
    );
}

#[test]
fn the_custom_reporter_example_works() {
    let mut out = Vec::new();
    custom_reporter::run(&mut out).unwrap();
    assert_snapshot!(String::from_utf8(out).unwrap(), @r"
    course-rust: created
    lounge: updated
    team-platform: created
    verifying
    welcoming 1
    course-rust: welcomed
    course-rust: verified, 3 members
    lounge: verified, 0 members
    team-platform: verified, 2 members
    said: Welcome to Rust
    complete: true
    left to do: 0
    ");
}

#[test]
fn an_invalid_manifest_gives_an_error_with_every_mistake() {
    let good = check_text("rooms.yaml", MANIFEST, Options::default()).unwrap();
    assert_eq!((good.desired.rooms.len(), good.diagnostics.len()), (2, 0));
    let bad = "version: 1\nrooms:\n  - {pipe: 0123}\n  - {pipe: a, title: A, members: [no one]}\n";
    let bad = check_text("rooms.yaml", bad, Options::default()).unwrap_err();
    let codes: Vec<&str> = bad.problems().iter().map(|it| it.code.name()).collect();
    assert_eq!(
        codes,
        [
            "missing-key",
            "needs-quotes",
            "unusual-pipe",
            "unknown-person"
        ]
    );
    bad.to_string().ends("3 errors, 1 warning");
    assert!(!bad.into_loaded().is_valid());
    let missing = check(&[PathBuf::from("/nowhere/at/all.yaml")], Options::default());
    missing.unwrap_err().to_string().shows("no such file");
}

#[test]
fn no_rate_makes_the_limiter_panic() {
    let rates = [
        0.0,
        -1.0,
        f64::NAN,
        f64::INFINITY,
        f64::MIN_POSITIVE,
        1e-300,
        1e300,
    ];
    for rate in rates {
        assert_eq!(Limiter::new(3, Some(rate)).width(), 3);
    }
    assert_eq!(
        Limiter::new(0, None).width(),
        1,
        "at least one call must be in flight"
    );
    let _ = Limiter::new(usize::MAX, None).width();
    assert_eq!(
        roomform::Dice::new(1).jitter(Duration::ZERO),
        Duration::ZERO
    );
}

fn live() -> impl Strategy<Value = LiveRoom> {
    (
        any::<u64>(),
        "[a-c\u{0}-\u{20}Ω]{0,3}",
        any::<String>(),
        any::<i64>(),
        any::<[bool; 2]>(),
    )
        .prop_map(|(id, pipe, title, kind, [public, deleted])| LiveRoom {
            updated_at: None,
            id: RoomId(id),
            pipe: Pipe::new(pipe),
            state: RoomState {
                title,
                kind: RoomKind::from_number(kind),
                public,
            },
            deleted,
        })
}

fn limit() -> impl Strategy<Value = Option<Limit>> {
    prop_oneof![
        Just(None),
        any::<u64>().prop_map(|count| Some(Limit::Count(count))),
        any::<u64>().prop_map(|share| Some(Limit::Share(share))),
    ]
}

/// Bytes that resemble a server's answer, and arbitrary bytes.
fn answer() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(ANSWER.to_owned()),
        Just(r#"{"data":["#.to_owned()),
        Just(r#"{"id":18446744073709551616,"type":1e999,"is_public":[]}"#.to_owned()),
        Just("]}".to_owned()),
        Just(",".to_owned()),
        Just("\u{feff}".to_owned()),
        any::<String>(),
    ];
    let text = prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![text, prop::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_makes_the_reader_panic(bytes in answer(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(bytes.len() + 1);
        for bytes in [&bytes[..], &bytes[..cut], &bytes[cut..]] {
            if let Err(error) = rooms_of(bytes) {
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }

    #[test]
    fn no_text_makes_the_check_panic(text in any::<String>(), cut in any::<prop::sample::Index>()) {
        let mut whole = MANIFEST.to_owned();
        let at = (0..=cut.index(MANIFEST.len() + 1)).rev().find(|at| MANIFEST.is_char_boundary(*at));
        whole.insert_str(at.unwrap_or(0), &text);
        for text in [&text, &whole] {
            if let Err(invalid) = check_text("rooms.yaml", text, Options::default()) {
                prop_assert!(invalid.to_string().contains("the manifest is invalid"));
            }
        }
    }

    #[test]
    fn no_list_and_no_limit_makes_the_plan_panic(
        rows in prop::collection::vec(live(), 0..8),
        limits in [limit(), limit(), limit(), limit()],
        publish in prop::collection::vec(any::<String>(), 0..3),
        scope in prop::collection::vec(any::<String>(), 0..3),
    ) {
        let text = "version: 1\nrooms:\n  - {pipe: a, title: A, members: [1]}\n  - {pipe: b, title: B}\n";
        let mut desired = check_text("rooms.yaml", text, Options::default()).unwrap().desired;
        let [create, update, add_members, messages] = limits;
        desired.limits = Limits { create, update, add_members, messages, publish };
        // The globs of a manifest are checked when it is read. A program that uses the library
        // can set globs that were not checked.
        desired.scope = scope;
        let observed = RowFilter::new(&desired).observed(rows);
        let target = Target { origin: String::new(), widget: WidgetId(0) };
        let plan = plan(&target, &desired, &observed, &Recorded::default(), &PlanOptions::default());
        let text = roomform::render::plan(&plan, roomform::render::Paint::Plain);
        prop_assert!(text.contains("plan:"), "{}", text);
    }
}
