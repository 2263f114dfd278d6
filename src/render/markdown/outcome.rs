//! What an apply did as a page: the rooms that need a look first, then what is left to people, then what went well.

use super::page::{Item, Page, Section};
use super::plan::{left_to_people, page};
use super::{Fit, fold, marker, pinned, site};
use crate::apply::{Outcome, RoomOutcome};
use crate::manifest::Loaded;
use crate::plan::Plan;
use crate::render::line::Quote;
use crate::render::outcome::{figures, hints, stopped};
use crate::render::plan::{cuts_by_hand, verdict};
use crate::render::result::{Gravity, gravity, words};

/// A plan that was not carried out: refused, or nothing to do.
pub fn not_applied(plan: &Plan, loaded: &Loaded, fit: Fit) -> String {
    page(plan, loaded, ["apply", "Nothing was applied to"], fit)
}

/// What became of a plan, and the plan that is left where one was made.
pub fn outcome(plan: &Plan, outcome: &Outcome, after: Option<&Plan>, fit: Fit) -> String {
    let dialect = fit.dialect;
    let quote = |text: &str| dialect.code(text);
    let of = |wanted: Gravity| -> Vec<String> {
        let rooms = outcome.rooms.iter().filter(|it| gravity(it) == wanted);
        let line =
            |room: &RoomOutcome| format!("{}: {}", quote(room.pipe.as_str()), words(room, &quote));
        rooms.map(line).collect()
    };
    let remedies = hints(outcome).into_iter().map(|hint| dialect.words(hint));
    let mut sections = vec![
        pinned("Stopped", "reasons", "", stops(outcome, &quote)),
        pinned("Not done", "not done", "", of(Gravity::Failed)),
        pinned("What to do", "remedies", "", remedies.collect()),
        pinned("Not as sent", "not as sent", "", of(Gravity::Odd)),
    ];
    let left = after.unwrap_or(plan);
    sections.extend(left_to_people(left, dialect));
    sections.push(well(of(Gravity::Well)));
    let foot = cuts_by_hand(left).then(|| "Lists are cut; all members: --format json.".to_owned());
    let page = Page {
        dialect,
        head: head(plan, outcome, after, fit),
        sections,
        foot: foot.into_iter().collect(),
    };
    page.write(fit.bytes)
}

fn head(plan: &Plan, outcome: &Outcome, after: Option<&Plan>, fit: Fit) -> Vec<String> {
    let dialect = fit.dialect;
    let done = if outcome.has_written() {
        "Applied to"
    } else {
        "Nothing was applied to"
    };
    let mut head = vec![
        dialect.marker(&marker("apply", Some(&plan.target))),
        format!("## {done} {}", site(&plan.target, dialect)),
        format!("**{}**", figures(outcome)),
    ];
    head.extend(after.map(|after| format!("Now: {}", verdict(after))));
    head
}

/// Why not everything was done, or looked at again.
fn stops(outcome: &Outcome, quote: Quote<'_>) -> Vec<String> {
    let halt = outcome.halt.iter().map(|halt| stopped(halt, quote));
    let unverified = outcome.unverified.iter();
    let unread = |why: &String| format!("the list could not be read again: {}", quote(why));
    halt.chain(unverified.map(unread)).collect()
}

fn well(lines: Vec<String>) -> Section {
    let heading = fold("Rooms".to_owned());
    let item = |text| Item {
        fold: heading.clone(),
        text,
    };
    Section {
        name: "As planned",
        noun: "as planned",
        remark: "",
        pinned: false,
        items: lines.into_iter().map(item).collect(),
    }
}
