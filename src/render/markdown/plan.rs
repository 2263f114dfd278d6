//! A plan as a page: what refuses it and what is dangerous first, then the rest by kind and file.

use std::collections::HashMap;
use std::sync::Arc;

use super::dialect::Dialect;
use super::mistakes;
use super::page::{Item, Page, Section};
use super::{Fit, fold, marker, pinned, section, site};
use crate::manifest::Loaded;
use crate::plan::{Change, Note, Plan};
use crate::render::compared;
use crate::render::danger::{Concern, Danger, Kind};
use crate::render::line::{self, Voice};
use crate::render::plan::{in_full, made_anew, verdict};
use crate::render::sections::{conflict_words, note, refused};
use crate::render::words::{Count, few};

/// Members, or rooms, named in one line.
const NAMED: usize = 12;

/// A plan, and what was found in the manifest it was made from.
pub fn plan(plan: &Plan, loaded: &Loaded, fit: Fit) -> String {
    page(plan, loaded, ["plan", "Plan for"], fit)
}

/// The page of a plan under a verb and a heading.
pub(super) fn page(plan: &Plan, loaded: &Loaded, [verb, heading]: [&str; 2], fit: Fit) -> String {
    let dialect = fit.dialect;
    let loaded = &[loaded];
    let mut sections = dangers(plan, dialect);
    sections.extend(left_to_people(plan, dialect));
    sections.push(look_alikes(plan, loaded, dialect));
    sections.extend(remarks(plan, dialect));
    sections.push(mistakes::warnings(loaded, dialect));
    sections.extend(changes(plan, dialect));
    let mut foot = legend(plan);
    foot.extend(in_full(plan, NAMED).map(|all| format!("Lists are cut; {all}.")));
    let page = Page {
        dialect,
        head: head(plan, [verb, heading], dialect),
        sections,
        foot,
    };
    page.write(fit.bytes)
}

fn head(plan: &Plan, [verb, heading]: [&str; 2], dialect: Dialect) -> Vec<String> {
    let Some(compared) = &plan.compared else {
        return vec![
            dialect.marker(&marker(verb, Some(&plan.target))),
            format!("## {heading} {}", site(&plan.target, dialect)),
            format!("**{}**", verdict(plan)),
        ];
    };
    let (base, head) = (dialect.code(&compared.base), dialect.code(&compared.head));
    let mut lines = vec![
        dialect.marker("diff"),
        format!("## {base} → {head}"),
        format!("**{}**", compared::verdict(plan, compared)),
    ];
    let people = compared::people(&compared.people);
    if !people.is_empty() {
        lines.push(format!("People: {people}."));
    }
    lines
}

/// What refuses the plan, and what opens rooms or makes them anew.
fn dangers(plan: &Plan, dialect: Dialect) -> Vec<Section> {
    let quote = |text: &str| dialect.code(text);
    let voice = Voice::of(plan, &quote);
    let refusals = plan.refusals.iter().map(|it| refused(it, &quote));
    let compared = plan.compared.iter();
    let guards = compared.flat_map(|it| &it.would_refuse);
    let of = |wanted: &[Danger]| -> Vec<String> {
        let dangerous = plan.changes.iter().filter_map(|change| {
            let danger = Danger::of(change).filter(|danger| wanted.contains(danger))?;
            let (words, line) = (danger.words(), line::change(change, voice));
            let place = place(&change.file, change.line, dialect);
            Some(format!("**{words}:** {line} ({place})"))
        });
        dangerous.collect()
    };
    vec![
        pinned("Refused", "refusals", "", refusals.collect()),
        pinned(
            "Would be refused",
            "guards",
            "A plan of the second manifest would be refused, unless allowed.",
            guards.map(|it| compared::guard(it, &quote)).collect(),
        ),
        pinned(
            "Guards",
            "guards changed",
            "",
            differences(plan, true, dialect),
        ),
        pinned(
            "Open to everyone",
            "open to everyone",
            "",
            of(&[
                Danger::Publishes,
                Danger::NewAndPublic,
                Danger::AnewAndPublic,
            ]),
        ),
        pinned(
            "Made anew",
            "made anew",
            "The rooms of these pipes were deleted or have vanished.",
            of(&[Danger::MadeAnew]),
        ),
    ]
}

/// What a person has to settle.
pub(super) fn left_to_people(plan: &Plan, dialect: Dialect) -> [Section; 2] {
    let quote = |text: &str| dialect.code(text);
    let conflicts = plan.conflicts.iter().map(|it| {
        let words = conflict_words(&it.kind, &quote);
        let place = place(&it.file, it.line, dialect);
        format!("{}: {words} ({place})", quote(it.pipe.as_str()))
    });
    [
        pinned(
            "Conflicts",
            "conflicts",
            "Nothing is written to these rooms.",
            conflicts.collect(),
        ),
        pinned(
            "By hand",
            "to do by hand",
            "The API cannot remove members or rooms.",
            [
                match &plan.compared {
                    Some(it) => compared::by_hand(plan, it, Voice::of(plan, &quote)),
                    None => by_hand(plan, dialect),
                },
                notes(plan, Concern::ByHand, dialect),
            ]
            .concat(),
        ),
    ]
}

/// What differs between two manifests beside their rooms' changes: the guards, or the rest.
fn differences(plan: &Plan, guards: bool, dialect: Dialect) -> Vec<String> {
    let quote = |text: &str| dialect.code(text);
    let voice = Voice::of(plan, &quote);
    let all = plan.compared.iter().flat_map(|it| &it.differences);
    all.filter(|it| compared::is_guard(it) == guards)
        .map(|it| compared::difference(it, voice))
        .collect()
}

/// `rooms.yaml:12`, as code.
fn place(file: &str, line: u32, dialect: Dialect) -> String {
    dialect.code(&format!("{file}:{line}"))
}

fn by_hand(plan: &Plan, dialect: Dialect) -> Vec<String> {
    let room = plan.by_hand.iter().map(|room| {
        let mut gone = [room.left.as_slice(), room.released.as_slice()].concat();
        gone.sort_unstable();
        let (pipe, users) = (
            dialect.code(room.pipe.as_str()),
            dialect.code(&few(&gone, NAMED)),
        );
        format!("{pipe}: take out {users}, recorded as added and not wanted any more")
    });
    let mut lines: Vec<String> = room.collect();
    if !plan.undeclared.is_empty() {
        let pipes: Vec<String> = plan
            .undeclared
            .iter()
            .take(NAMED)
            .map(|pipe| dialect.code(pipe.as_str()))
            .collect();
        let more = match plan.undeclared.len() - pipes.len() {
            0 => String::new(),
            more => format!(" … {more} more"),
        };
        let rooms = Count(plan.undeclared.len(), "room");
        lines.push(format!(
            "{rooms} recorded and no longer declared: {}{more}",
            pipes.join(", ")
        ));
    }
    lines
}

/// Notes that ask this.
fn notes(plan: &Plan, concern: Concern, dialect: Dialect) -> Vec<String> {
    let quote = |text: &str| dialect.code(text);
    let wanted = plan.notes.iter().filter(|it| Concern::of(it) == concern);
    wanted.map(|it| note(it, &quote)).collect()
}

/// Names people cannot tell apart, declared or live.
fn look_alikes(plan: &Plan, loaded: &[&Loaded], dialect: Dialect) -> Section {
    let mut section = mistakes::look_alikes(loaded, dialect);
    let live = notes(plan, Concern::LookAlike, dialect).into_iter();
    section
        .items
        .extend(live.map(|text| Item { fold: None, text }));
    section
}

/// What somebody should know.
fn remarks(plan: &Plan, dialect: Dialect) -> Vec<Section> {
    let quote = |text: &str| dialect.code(text);
    let ignored = plan.ignored.iter().map(|it| {
        let [sent, shown] = line::values(&it.sent, &it.shown, &quote);
        let (pipe, field) = (quote(it.pipe.as_str()), it.field.name());
        format!("{pipe}: {field} was sent as {sent}, the server shows {shown}")
    });
    vec![
        section(
            "Also differs",
            "other differences",
            "",
            differences(plan, false, dialect),
        ),
        section(
            "Ignored by the server",
            "fields ignored by the server",
            "Sent again only with --resend.",
            ignored.collect(),
        ),
        section(
            "To know",
            "to know",
            "",
            notes(plan, Concern::ToKnow, dialect),
        ),
    ]
}

/// The changes nobody has to fear, by kind, folded by file.
fn changes(plan: &Plan, dialect: Dialect) -> Vec<Section> {
    let folded = |name, noun, kind| {
        let changes = plan.changes.iter().filter(|it| Kind::of(it) == kind);
        Section {
            name,
            noun,
            remark: "",
            pinned: false,
            items: by_file(plan, changes.collect(), dialect),
        }
    };
    vec![
        folded("Create", "to create", Kind::Create),
        folded("Update", "to update", Kind::Update),
        folded("Members", "to get members or a welcome only", Kind::Members),
    ]
}

fn by_file(plan: &Plan, mut changes: Vec<&Change>, dialect: Dialect) -> Vec<Item> {
    changes.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    let quote = |text: &str| dialect.code(text);
    let mut folds: HashMap<&str, Option<Arc<str>>> = HashMap::new();
    let voice = Voice::of(plan, &quote);
    let item = |change: &Change| format!("{} (line {})", line::change(change, voice), change.line);
    changes
        .into_iter()
        .map(|change| Item {
            fold: folds
                .entry(&change.file)
                .or_insert_with(|| fold(dialect.code(&change.file)))
                .clone(),
            text: item(change),
        })
        .collect()
}

/// What the words of the figures mean, as far as they stand in this plan.
pub(in crate::render) fn legend(plan: &Plan) -> Vec<String> {
    let told = |change: &Change| !change.members.new.is_empty() && change.members.recorded > 0;
    let mut lines = Vec::new();
    if plan.compared.is_some() {
        lines.push("Two manifests; no server was asked.".to_owned());
        return lines;
    }
    if plan.changes.iter().any(told) || !plan.by_hand.is_empty() {
        let adopted = plan
            .notes
            .iter()
            .any(|note| matches!(note, Note::Adopted(_)));
        let adopted = if adopted { ", or adopted" } else { "" };
        lines.push(format!(
            "Recorded: confirmed to roomform in an earlier run{adopted}; the API does not tell who is in a room."
        ));
    }
    if made_anew(plan) > 0 {
        lines.push(
            "Made anew: the old room was deleted or has vanished; whoever was in it is not in the new one."
                .to_owned(),
        );
    }
    if plan.summary.changed_outside > 0 {
        lines.push(
            "Changed outside: since the last write on record, and by nobody this ledger knows of."
                .to_owned(),
        );
    }
    if plan.summary.unverified.members > 0 {
        lines.push(
            "Unverified: nothing is on record of who is in these rooms; sending members again breaks nothing."
                .to_owned(),
        );
    }
    lines
}
