//! The parsers of untrusted bytes: one function per format. A panic in any of them is a bug.
//!
//! The fuzz targets call these functions, and so does a test on the committed corpus.

use std::path::Path;

use roomform::document::read_plan;
use roomform::imbachat::{BadAnswer, ListStream};
use roomform::ledger::{bytes, compact, fold, parse};
use roomform::manifest::{FileMap, Options, load_from, load_text};
use roomform::model::{Observed, Recorded, Target, WidgetId};
use roomform::plan::{Inputs, PlanOptions, plan, select};
use roomform::render::markdown::{self, Dialect, Fit};
use roomform::render::{self, Paint, diagnostics, github, sarif};
use roomform::view;

fn target() -> Target {
    Target {
        origin: "https://chat.example".to_owned(),
        widget: WidgetId(627),
    }
}

/// Terminal output must not move the cursor, change colours or hide text.
fn assert_harmless(text: &str) {
    let bad = text.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    });
    assert_eq!(bad, None, "{text:?}");
}

/// A page must also contain no HTML except our own.
fn assert_page(page: &str) {
    assert_harmless(page);
    let ours = [
        "!-- ",
        "details>",
        "details open>",
        "/details>",
        "summary>",
        "/summary>",
    ];
    let words = page.split('`').step_by(2);
    let mut tags = words.flat_map(|words| words.split('<').skip(1));
    let strange = tags.find(|tag| !ours.iter().any(|ours| tag.starts_with(ours)));
    assert_eq!(strange, None);
}

/// A manifest: its diagnostics can be printed, and a valid one can be planned.
pub fn manifest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let loaded = load_text("rooms.yaml", text, Options::default());
    assert_harmless(&diagnostics::draw(
        &loaded.diagnostics,
        &loaded.sources,
        Paint::Plain,
    ));
    assert_harmless(&github::write(&view::check(&loaded)));
    // Serialising our own documents never fails.
    assert!(render::json(&sarif::check(&loaded)).is_ok());
    let page = |view, bytes, dialect| {
        let fit = Fit { bytes, dialect };
        render::to_text(|out| markdown::write(view, fit, out)).unwrap()
    };
    let check = view::check(&loaded);
    let html = page(&check, Some(4096), Dialect::Html);
    let plain = page(&check, Some(4096), Dialect::Plain);
    assert!(html.len().max(plain.len()) <= 4096);
    assert_page(&html);
    assert_harmless(&plain);
    if !loaded.is_valid() {
        return;
    }
    let (observed, recorded) = (Observed::default(), Recorded::default());
    let plan = plan(
        &target(),
        &loaded.desired,
        &observed,
        &recorded,
        &PlanOptions::default(),
    );
    assert_harmless(&render::plan(&plan, Paint::Plain));
    assert_harmless(&github::write(&view::plan(&plan, &loaded)));
    assert_page(&page(&view::plan(&plan, &loaded), None, Dialect::Html));
}

/// A manifest with every possible use of a file with rows.
const BULK: &str = r#"version: 1
people: {roster: a.csv, name: [user, id], id: id, allow_empty: true}
groups:
  wide: [{roster: a.csv, user: [id, user], where: {status: [active, ""]}, allow_empty: true}]
  plain: [{roster: a.txt, by: name, allow_empty: true}]
  dated: [{roster: a.csv, user: id, from: status, until: user, show: [user, id], allow_empty: true}]
  coded: [{roster: b.csv, encoding: windows-1251, delimiter: ";", allow_empty: true}]
rooms: [{pipe: first-room, title: First, members: ["@wide", "@plain", "@coded"]}]
generate:
  - each: {roster: a.csv, distinct: id, allow_empty: true}
    room:
      pipe: "{{ id | slug }}-{{ user | lower | trim }}"
      title: "{{ user | title }}{% if status %} {{ row['status'] | replace('a', 'bb') }}{% endif %}"
      members: ["{{ id }}", "@{{ status }}"]
      enrol: {roster: a.csv, numbered: [id], on: {user: user}, user: id, allow_empty: true, via: {roster: a.csv, on: {status: status}, allow_empty: true}}
"#;

/// The bytes before a line `---` are a roster, and the bytes after it are a template in the
/// manifest. Without such a line, all bytes are a roster.
pub fn roster(bytes: &[u8]) {
    let cut = bytes.windows(4).position(|four| four == b"---\n");
    let (roster, template) = match cut {
        Some(at) => (&bytes[..at], std::str::from_utf8(&bytes[at + 4..]).ok()),
        None => (bytes, None),
    };
    let template = template.map(|template| serde_json::Value::from(template).to_string());
    let manifest = match &template {
        Some(text) => format!(
            "version: 1\ngenerate: [{{each: a.csv, room: {{pipe: {text}, title: {text}, members: [{text}]}}}}]\n"
        ),
        None => BULK.to_owned(),
    };
    let rosters = ["a.csv", "a.txt", "b.csv"].map(|name| (Path::new(name), roster));
    let manifest = (Path::new("rooms.yaml"), manifest.as_bytes());
    let files = FileMap::new(rosters.into_iter().chain([manifest]));
    let loaded = load_from(&files, &["rooms.yaml".into()], Options::default());
    let drawn = diagnostics::draw(&loaded.diagnostics, &loaded.sources, Paint::Plain);
    assert_harmless(&drawn);
    if loaded.is_valid() {
        assert!(!loaded.desired.rooms.is_empty());
    }
}

/// An answer of get_rooms: the elements do not depend on how the network splits the answer.
pub fn list(bytes: &[u8]) {
    let split = |size: usize| {
        let (mut rows, mut found) = (ListStream::default(), Vec::new());
        for piece in bytes.chunks(size) {
            rows.feed(piece, |row| {
                found.push(row.to_vec());
                Ok(())
            })?;
        }
        assert_eq!(rows.count(), found.len());
        Ok::<_, BadAnswer>((found, rows.finish()?))
    };
    let whole = split(bytes.len().max(1));
    assert_eq!(whole, split(1));
    // Every well-formed answer is accepted.
    let Ok(answer) = serde_json::from_slice::<serde_json::Value>(bytes) else {
        return;
    };
    let data = answer.get("data");
    let elements: Option<Vec<&serde_json::Value>> = match data {
        Some(serde_json::Value::Array(list)) => Some(list.iter().collect()),
        Some(serde_json::Value::Object(map)) => Some(map.values().collect()),
        _ => None,
    };
    let Some(elements) = elements.filter(|list| list.iter().all(|element| element.is_object()))
    else {
        return;
    };
    // Skip the comparison for answers with duplicate or escaped keys.
    let twice =
        bytes.windows(6).filter(|six| six == b"\"data\"").count() != 1 || bytes.contains(&b'\\');
    if !twice && let Ok((found, _)) = &whole {
        let found: Vec<serde_json::Value> = found
            .iter()
            .map(|row| serde_json::from_slice(row).unwrap_or_default())
            .collect();
        if matches!(data, Some(serde_json::Value::Array(_))) {
            assert_eq!(found.iter().collect::<Vec<_>>(), elements);
        } else {
            assert!(found.len() >= elements.len());
        }
    }
}

/// A ledger: it can be written, read again and compacted without a change to the recorded state.
pub fn ledger(text: &[u8]) {
    let path = Path::new("l.jsonl");
    let Ok(snapshot) = parse(path, text, &target()) else {
        return;
    };
    let Ok(written) = bytes(&target(), &snapshot.entries) else {
        panic!("cannot be written");
    };
    match parse(path, written.as_slice(), &target()) {
        Ok(again) => assert_eq!(again.entries, snapshot.entries),
        Err(error) => panic!("{error}"),
    }
    let small = compact(snapshot.entries.clone());
    assert_eq!(compact(small.clone()), small);
    assert_harmless(&render::ledger(
        &target(),
        snapshot.entries.len(),
        &fold(&small),
        &Default::default(),
    ));
}

/// A saved plan: `apply` writes only what the manifest asks for, whatever the file contains.
pub fn plan_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(saved) = read_plan(&text) else {
        return;
    };
    let manifest =
        "version: 1\nrooms:\n  - {pipe: a, title: A2, members: [1, 5]}\n  - {pipe: b, title: B}\n";
    let desired = load_text("rooms.yaml", manifest, Options::default()).desired;
    let (observed, recorded) = (Observed::default(), Recorded::default());
    let switches = PlanOptions::default();
    let new = plan(&target(), &desired, &observed, &recorded, &switches);
    let inputs = Inputs {
        desired: &desired,
        observed: &observed,
        recorded: &recorded,
    };
    let approved = select(saved, &new, inputs, &switches.allow);
    for change in &approved.plan.changes {
        let asked = new.changes.iter().find(|it| it.pipe == change.pipe);
        let Some(asked) = asked else {
            panic!("`{}` is not in the new plan", change.pipe);
        };
        let mut sent = change.members.sent();
        assert!(sent.all(|user| asked.members.sent().any(|it| it == user)));
        assert_eq!(change.send, asked.send);
        assert_eq!(
            (change.room_id, &change.fields),
            (asked.room_id, &asked.fields)
        );
        assert_eq!(change.welcome, asked.welcome);
    }
}
