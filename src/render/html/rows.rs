//! The lines of a page, in the order of a reviewer who stops reading: what refuses, what is dangerous, what is left to people, the rest.

use similar::ChangeTag;

use super::details::Details;
use super::{Markup, Row, Section, Tone, place};
use crate::manifest::Loaded;
use crate::model::FieldValue;
use crate::plan::{Change, Plan};
use crate::render::compared;
use crate::render::danger::{Concern, Danger, Kind};
use crate::render::escape::{brief, html, terminal};
use crate::render::line::{self, Voice};
use crate::render::sections::{conflict_words, note, refused};
use crate::render::title::sides;
use crate::render::words::{Count, few};

/// Rooms named in one line.
const NAMED: usize = 12;

/// Every section a page may have; those without lines are left out by the caller.
pub(super) fn sections(plan: &Plan, loaded: &Loaded, details: &mut Details<'_>) -> Vec<Section> {
    let mut sections = refusals(plan);
    sections.push(changes(plan, details, Kind::Dangerous));
    sections.push(conflicts(plan));
    sections.push(by_hand(plan, details));
    sections.push(warnings(plan, loaded));
    for kind in [Kind::Create, Kind::Update, Kind::Members] {
        sections.push(changes(plan, details, kind));
    }
    sections
}

fn spelled(text: &str) -> String {
    terminal(text)
}

fn section(kind: &'static str, name: &'static str, tone: Tone, rows: Vec<Row>) -> Section {
    Section {
        kind,
        name,
        tone,
        remark: "",
        found: true,
        is_first_found: false,
        pinned: false,
        rows,
    }
}

/// A line that is only words.
fn words(sign: &'static str, what: String) -> Row {
    Row {
        sign,
        what,
        ..Row::default()
    }
}

fn refusals(plan: &Plan) -> Vec<Section> {
    let now = plan
        .refusals
        .iter()
        .map(|it| words("✗", refused(it, &spelled)));
    let refused = Section {
        found: false,
        ..section("refused", "Refused", Tone::Danger, now.collect())
    };
    let compared = plan.compared.iter().flat_map(|it| &it.would_refuse);
    let would = compared.map(|it| words("✗", compared::guard(it, &spelled)));
    let would = Section {
        found: false,
        remark: "A plan of the second manifest would be refused, unless allowed.",
        ..section(
            "would-refuse",
            "Would be refused",
            Tone::Danger,
            would.collect(),
        )
    };
    let differences = plan.compared.iter().flat_map(|it| &it.differences);
    let voice = Voice::of(plan, &spelled);
    let guards = differences
        .filter(|it| compared::is_guard(it))
        .map(|it| words("!", compared::difference(it, voice)));
    let guards = Section {
        found: false,
        ..section("guards", "Guards", Tone::Danger, guards.collect())
    };
    vec![refused, would, guards]
}

fn changes(plan: &Plan, details: &mut Details<'_>, kind: Kind) -> Section {
    let (id, name, tone, sign) = match kind {
        Kind::Dangerous => ("dangerous", "Look twice", Tone::Danger, "!"),
        Kind::Create => ("create", "Create", Tone::Add, "+"),
        Kind::Update => ("update", "Update", Tone::Change, "~"),
        Kind::Members => ("members", "Members and messages", Tone::Join, "~"),
    };
    let wanted = plan
        .changes
        .iter()
        .filter(|change| Kind::of(change) == kind);
    let rows = wanted
        .map(|change| row(plan, change, sign, details))
        .collect();
    Section {
        pinned: kind == Kind::Dangerous,
        ..section(id, name, tone, rows)
    }
}

fn row(plan: &Plan, change: &Change, sign: &'static str, details: &mut Details<'_>) -> Row {
    let voice = Voice::of(plan, &spelled);
    let danger = Danger::of(change).map(|danger| danger.words().to_owned());
    let parts = line::without_title(change, voice);
    Row {
        sign,
        pipe: Some(terminal(change.pipe.as_str())),
        title: Some(title(change)),
        what: danger
            .into_iter()
            .chain(parts)
            .collect::<Vec<_>>()
            .join(", "),
        place: Some(place(&change.file, change.line)),
        detail: Some(details.change(change)),
    }
}

/// The title, or both of them with the words that changed.
fn title(change: &Change) -> Markup {
    let titles = change
        .fields()
        .iter()
        .find_map(|field| match (&field.before, &field.after) {
            (FieldValue::Title(before), FieldValue::Title(after)) => {
                Some((before, after, line::outside(field)))
            }
            _ => None,
        });
    let Some((before, after, outside)) = titles else {
        return Markup(html(&brief(&change.send.title)));
    };
    // As a whole: what changed may stand behind what a line can bear.
    let (before, after) = (terminal(before), terminal(after));
    let mark = |tag: ChangeTag, text: &str| match tag {
        ChangeTag::Equal => html(text),
        ChangeTag::Delete => format!("<del>{}</del>", html(text)),
        ChangeTag::Insert => format!("<ins>{}</ins>", html(text)),
    };
    let [before, after] = sides(&before, &after, mark);
    Markup(format!(
        "<bdi class=\"side\">{before}</bdi> → <bdi class=\"side\">{after}</bdi>{outside}"
    ))
}

fn conflicts(plan: &Plan) -> Section {
    let rows = plan.conflicts.iter().map(|it| Row {
        sign: "?",
        pipe: Some(terminal(it.pipe.as_str())),
        what: conflict_words(&it.kind, &spelled),
        place: Some(place(&it.file, it.line)),
        ..Row::default()
    });
    Section {
        remark: "Nothing is written to these rooms.",
        pinned: true,
        ..section("conflicts", "Conflicts", Tone::Warn, rows.collect())
    }
}

fn by_hand(plan: &Plan, details: &mut Details<'_>) -> Section {
    let mut rows: Vec<Row> = Vec::new();
    for room in &plan.by_hand {
        let gone = Count(room.left.len() + room.released.len(), "member");
        rows.push(Row {
            sign: "−",
            pipe: Some(terminal(room.pipe.as_str())),
            what: format!("take out {gone}, not wanted any more"),
            detail: Some(details.by_hand(room)),
            ..Row::default()
        });
    }
    match &plan.compared {
        Some(compared) => {
            let removed = compared.removed.iter().map(|it| Row {
                sign: "−",
                pipe: Some(terminal(it.pipe.as_str())),
                what: "no longer declared: the room stays until somebody deletes it".to_owned(),
                ..Row::default()
            });
            rows.extend(removed);
        }
        None if !plan.undeclared.is_empty() => {
            let pipes: Vec<String> = plan
                .undeclared
                .iter()
                .map(|pipe| terminal(pipe.as_str()))
                .collect();
            let rooms = Count(pipes.len(), "room");
            rows.push(words(
                "−",
                format!(
                    "{rooms} recorded and no longer declared: {}",
                    few(&pipes, NAMED)
                ),
            ));
        }
        None => {}
    }
    let notes = plan
        .notes
        .iter()
        .filter(|it| Concern::of(it) == Concern::ByHand);
    rows.extend(notes.map(|it| words("−", note(it, &spelled))));
    Section {
        remark: "The API cannot remove members or rooms.",
        pinned: true,
        ..section("by-hand", "By hand", Tone::Hand, rows)
    }
}

/// What somebody should know: of the manifest, of the server, of this run.
fn warnings(plan: &Plan, loaded: &Loaded) -> Section {
    let found = loaded.diagnostics.iter().map(|it| {
        let told = it.at.map(|at| loaded.sources.told(at));
        Row {
            sign: "i",
            what: format!("{} {}", it.code.id(), terminal(&it.message)),
            place: told.map(|(name, at)| place(name, at.line)),
            ..Row::default()
        }
    });
    let ignored = plan.ignored.iter().map(|it| {
        let (sent, shown) = (
            line::value(&it.sent, &spelled),
            line::value(&it.shown, &spelled),
        );
        let what = format!(
            "ignored by the server: {} was sent as {sent}, it shows {shown}",
            it.field.name()
        );
        Row {
            sign: "i",
            pipe: Some(terminal(it.pipe.as_str())),
            what,
            ..Row::default()
        }
    });
    let notes = plan
        .notes
        .iter()
        .filter(|it| Concern::of(it) != Concern::ByHand);
    let notes = notes.map(|it| words("i", note(it, &spelled)));
    let voice = Voice::of(plan, &spelled);
    let differences = plan.compared.iter().flat_map(|it| &it.differences);
    let other = differences
        .filter(|it| !compared::is_guard(it))
        .map(|it| words("i", compared::difference(it, voice)));
    let rows = found.chain(ignored).chain(notes).chain(other);
    section("warnings", "Warnings", Tone::Warn, rows.collect())
}
