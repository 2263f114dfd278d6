//! Plans, comparisons and what became of them, as annotations.

use std::fmt::Write;

use super::{Annotation, Kind, mistake, text, tick};
use crate::apply::Outcome;
use crate::manifest::Loaded;
use crate::plan::{Action, Plan};
use crate::render::compared::{self, guard};
use crate::render::danger::{Concern, Danger};
use crate::render::line::{self, Voice, change};
use crate::render::outcome::{figures, hints, stopped};
use crate::render::plan::verdict;
use crate::render::result::{Gravity, gravity, words};
use crate::render::sections::{conflict_words, note, refused};
use crate::render::words::few;

/// Members named in one line.
const NAMED: usize = 12;

/// A plan, and what was found in the manifest it was made from.
pub fn plan(plan: &Plan, loaded: &Loaded) -> String {
    let (title, verdict) = match &plan.compared {
        Some(compared) => ("roomform diff", compared::verdict(plan, compared)),
        None => ("roomform plan", verdict(plan)),
    };
    let mut all: Vec<Annotation> = refusals(plan).chain(dangers(plan)).collect();
    all.extend(left_to_people(plan));
    all.extend(loaded.diagnostics.iter().map(|it| mistake(it, loaded)));
    all.extend(remarks(plan));
    all.extend(changes(plan));
    text(&all, title, &verdict)
}

/// What became of a plan, and the plan that is left where one was made.
pub fn outcome(plan: &Plan, outcome: &Outcome, after: Option<&Plan>) -> String {
    let mut all = Vec::new();
    let stopped = outcome.halt.as_ref().map(|halt| stopped(halt, &tick));
    all.extend(stopped.map(|why| Annotation::new(Kind::Error, "stopped", why)));
    let unverified = outcome.unverified.as_deref();
    all.extend(unverified.map(|why| {
        let message = format!("the list could not be read again: {}", tick(why));
        Annotation::new(Kind::Error, "not verified", message)
    }));
    all.extend(rooms(plan, outcome));
    all.extend(left_to_people(after.unwrap_or(plan)));
    let mut verdict = figures(outcome);
    for hint in hints(outcome) {
        let _ = write!(verdict, "; {hint}");
    }
    text(&all, "roomform apply", &verdict)
}

fn refusals(plan: &Plan) -> impl Iterator<Item = Annotation> {
    let refusals = plan.refusals.iter();
    let refusals = refusals.map(|it| Annotation::new(Kind::Error, "refused", refused(it, &tick)));
    let guards = plan.compared.iter().flat_map(|it| &it.would_refuse);
    refusals.chain(
        guards.map(|it| Annotation::new(Kind::Warning, "would be refused", guard(it, &tick))),
    )
}

fn dangers(plan: &Plan) -> impl Iterator<Item = Annotation> {
    let dangers = plan
        .changes
        .iter()
        .filter_map(|it| Some((it, Danger::of(it)?)));
    dangers.map(|(it, danger)| {
        let words = change(it, Voice::of(plan, &tick));
        Annotation::new(Kind::Warning, danger.words(), words).at(&it.file, it.line)
    })
}

fn left_to_people(plan: &Plan) -> impl Iterator<Item = Annotation> {
    let voice = Voice::of(plan, &tick);
    let compared = plan.compared.iter();
    let gone = compared.flat_map(move |it| compared::by_hand(plan, it, voice));
    let gone = gone.map(|words| Annotation::new(Kind::Warning, "by hand", words));
    let conflicts = plan.conflicts.iter().map(|it| {
        let words = conflict_words(&it.kind, &str::to_owned);
        let message = format!("{}: {words}", tick(it.pipe.as_str()));
        Annotation::new(Kind::Warning, "conflict", message).at(&it.file, it.line)
    });
    let of_plan = plan.compared.is_none();
    let by_hand = plan.by_hand.iter().filter(move |_| of_plan).map(|it| {
        let mut gone = [it.left.as_slice(), it.released.as_slice()].concat();
        gone.sort_unstable();
        let message = format!("{}: take out {}", tick(it.pipe.as_str()), few(&gone, NAMED));
        Annotation::new(Kind::Warning, "by hand", message)
    });
    let undeclared = plan.undeclared.iter().filter(move |_| of_plan).map(|pipe| {
        let message = format!("{}: recorded and no longer declared", tick(pipe.as_str()));
        Annotation::new(Kind::Warning, "by hand", message)
    });
    conflicts.chain(by_hand).chain(undeclared).chain(gone)
}

fn remarks(plan: &Plan) -> impl Iterator<Item = Annotation> {
    let ignored = plan.ignored.iter().map(|it| {
        let [sent, shown] = line::values(&it.sent, &it.shown, &tick);
        let (pipe, field) = (tick(it.pipe.as_str()), it.field.name());
        let message = format!("{pipe}: {field} was sent as {sent}, the server shows {shown}");
        Annotation::new(Kind::Notice, "ignored by the server", message)
    });
    let voice = Voice::of(plan, &tick);
    let differences = plan.compared.iter().flat_map(|it| &it.differences);
    let differences = differences.map(move |it| {
        let kind = if compared::is_guard(it) {
            Kind::Warning
        } else {
            Kind::Notice
        };
        Annotation::new(kind, "also differs", compared::difference(it, voice))
    });
    let notes = plan.notes.iter().map(|it| {
        let concern = Concern::of(it);
        let kind = match concern {
            Concern::ByHand | Concern::LookAlike => Kind::Warning,
            Concern::ToKnow => Kind::Notice,
        };
        Annotation::new(kind, concern.words(), note(it, &tick))
    });
    ignored.chain(differences).chain(notes)
}

fn changes(plan: &Plan) -> impl Iterator<Item = Annotation> {
    let harmless = plan.changes.iter().filter(|it| Danger::of(it).is_none());
    harmless.map(|it| {
        let title = match &it.action {
            Action::Create => "create",
            Action::Update { .. } if it.is_welcome_only() => "welcome",
            Action::Update { fields, .. } if fields.is_empty() => "members",
            Action::Update { .. } => "update",
        };
        Annotation::new(Kind::Notice, title, change(it, Voice::of(plan, &tick)))
            .at(&it.file, it.line)
    })
}

/// The rooms that did not end well, on the lines that declare them.
fn rooms(plan: &Plan, outcome: &Outcome) -> Vec<Annotation> {
    let mut changes = plan.changes.iter().peekable();
    let mut all = Vec::new();
    for room in &outcome.rooms {
        while changes.next_if(|it| it.pipe < room.pipe).is_some() {}
        let kind = match gravity(room) {
            Gravity::Well => continue,
            Gravity::Odd => Kind::Warning,
            Gravity::Failed => Kind::Error,
        };
        let message = format!("{}: {}", tick(room.pipe.as_str()), words(room, &tick));
        let told = Annotation::new(kind, room.status.name().replace('_', " "), message);
        all.push(match changes.next_if(|it| it.pipe == room.pipe) {
            Some(it) => told.at(&it.file, it.line),
            None => told,
        });
    }
    all
}
