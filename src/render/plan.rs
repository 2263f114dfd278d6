//! A plan as text: changes, what cannot be done, the figures, and why it is refused. The dangerous lines stand last, where the eye is.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::compared;
use super::danger::Danger;
use super::escape::{quoted, terminal};
use super::line::{self, value};
use super::paint::{Paint, Tone};
use super::sections::{refused, sections, ticked};
use super::title;
use super::words::{Count, few};
use crate::model::{FieldValue, Welcome};
use crate::plan::{Action, Change, Difference, FieldChange, Note, Plan, RoomDifference};

/// Columns a pipe gets at least, so that the verbs stand under each other.
const PIPE_WIDTH: usize = 20;
/// And at most.
const WIDEST_PIPE: usize = 40;
/// Members named in one line.
pub(super) const NAMED: usize = 12;
/// Rooms named in one line.
pub(super) const NAMED_ROOMS: usize = 5;

/// The whole plan. Ends with a line break.
pub fn plan(plan: &Plan, paint: Paint) -> String {
    let mut text = String::new();
    let widths = plan
        .changes
        .iter()
        .map(|change| terminal(change.pipe.as_str()).width());
    let width = widths
        .max()
        .unwrap_or_default()
        .clamp(PIPE_WIDTH, WIDEST_PIPE);
    let order = [
        |change: &Change| !is_dangerous(change) && change.action == Action::Create,
        |change: &Change| !is_dangerous(change) && change.action != Action::Create,
        is_dangerous,
    ];
    for group in order {
        for change in plan.changes.iter().filter(|change| group(change)) {
            change_lines(&mut text, change, width, plan.compared.is_some(), paint);
        }
    }
    sections(&mut text, plan, paint);
    if !text.is_empty() {
        text.push('\n');
    }
    match &plan.compared {
        Some(compared) => compared::summary(&mut text, plan, compared, paint),
        None => summary(&mut text, plan, paint),
    }
    for refusal in &plan.refusals {
        let _ = writeln!(
            text,
            "{} {}",
            paint.tone(Tone::Danger, "refused:"),
            refused(refusal, &ticked)
        );
    }
    text
}

/// Whether somebody should look twice: a room opens to everyone, or is made anew.
fn is_dangerous(change: &Change) -> bool {
    Danger::of(change).is_some()
}

fn change_lines(text: &mut String, change: &Change, width: usize, compared: bool, paint: Paint) {
    let (glyph, tone) = match &change.action {
        _ if is_dangerous(change) => ("!", Tone::Danger),
        Action::Create => ("+", Tone::Add),
        Action::Update { .. } => ("~", Tone::Change),
    };
    let pipe = terminal(change.pipe.as_str());
    let padding = " ".repeat(width.saturating_sub(pipe.width()));
    let place = format!("# {}:{}", terminal(&change.file), change.line);
    let _ = writeln!(text, "  {}", paint.tone(Tone::Quiet, place));
    let _ = writeln!(
        text,
        "  {} {}{padding} {}",
        paint.tone(tone, glyph),
        paint.tone(Tone::Strong, pipe),
        headline(change, paint)
    );
    if change.action == Action::Create {
        let _ = writeln!(text, "      title   {}", quoted(&change.send.title));
    }
    for field in change
        .fields()
        .iter()
        .filter(|field| field.after != FieldValue::Public(true))
    {
        let _ = writeln!(text, "      {}", field_line(field, paint));
    }
    members_lines(text, change, compared);
    if let Some(Welcome { from, text: said }) = &change.welcome {
        let _ = writeln!(text, "      welcome from {from}: {}", quoted(said));
    }
}

fn headline(change: &Change, paint: Paint) -> String {
    match &change.action {
        Action::Create => {
            let public = if change.send.public {
                paint.tone(Tone::Danger, "public")
            } else {
                "closed".to_owned()
            };
            let made = if change.recreate {
                paint.tone(Tone::Danger, "made anew")
            } else {
                "create".to_owned()
            };
            format!(
                "{made}  {}, {public}, {}",
                change.send.kind,
                Count(change.members.count(), "member")
            )
        }
        Action::Update { .. } if change.publishes() => {
            let public = change.fields().iter();
            let public = public.filter(|field| field.after == FieldValue::Public(true));
            let outside: String = public.map(line::outside).collect();
            format!(
                "publish: closed → {}{outside}",
                paint.tone(Tone::Danger, "public")
            )
        }
        Action::Update { .. } if change.is_welcome_only() => "send the welcome".to_owned(),
        Action::Update { fields, .. } if fields.is_empty() && change.members.new.is_empty() => {
            "send members again".to_owned()
        }
        Action::Update { fields, .. } if fields.is_empty() => "add members".to_owned(),
        Action::Update { .. } => "update".to_owned(),
    }
}

fn field_line(change: &FieldChange, paint: Paint) -> String {
    let (label, outside) = (change.field.name(), line::outside(change));
    match (&change.before, &change.after) {
        (FieldValue::Title(before), FieldValue::Title(after)) => {
            format!(
                "{label:<7} {}{outside}",
                title::change(before, after, paint)
            )
        }
        (before, after) => {
            let [before, after] = [before, after].map(|it| value(it, &quoted));
            format!("{label:<7} {before} → {after}{outside}")
        }
    }
}

fn members_lines(text: &mut String, change: &Change, compared: bool) {
    let members = &change.members;
    let recorded = if members.recorded > 0 {
        let known = if compared { "as before" } else { "recorded" };
        format!("   {} {known}", members.recorded)
    } else {
        String::new()
    };
    if !members.new.is_empty() {
        let sign = if change.action == Action::Create {
            String::new()
        } else {
            format!("+{} ", members.new.len())
        };
        let names = few(&members.new, NAMED);
        let names = if sign.is_empty() {
            names
        } else {
            format!("({names})")
        };
        let _ = writeln!(text, "      members {sign}{names}{recorded}");
    }
    if !members.unverified.is_empty() {
        let (count, names) = (members.unverified.len(), few(&members.unverified, NAMED));
        let _ = writeln!(
            text,
            "      members unverified: {count} sent again ({names})   nothing recorded"
        );
    }
}

/// The figures in one line, without `plan:`.
pub fn verdict(plan: &Plan) -> String {
    let mut parts = figures(plan);
    if parts.is_empty() {
        parts.push("nothing to do".to_owned());
    }
    let summary = &plan.summary;
    format!(
        "{}; {} unchanged, {} unmanaged",
        parts.join(", "),
        summary.unchanged,
        summary.unmanaged
    )
}

/// Rooms that are made anew.
pub(super) fn made_anew(plan: &Plan) -> usize {
    plan.changes.iter().filter(|change| change.recreate).count()
}

/// What there is to do, each kind with its figure.
pub(super) fn figures(plan: &Plan) -> Vec<String> {
    let summary = &plan.summary;
    let anew = made_anew(plan);
    let mut parts = Vec::new();
    let mut part = |count: usize, words: String| {
        if count > 0 {
            parts.push(words);
        }
    };
    let of_them = |kinds: &[(usize, &str)]| {
        let kinds = kinds.iter().filter(|(count, _)| *count > 0);
        let kinds: Vec<String> = kinds
            .map(|(count, words)| format!("{count} {words}"))
            .collect();
        if kinds.is_empty() {
            String::new()
        } else {
            format!(" ({})", kinds.join(", "))
        }
    };
    part(
        summary.create,
        format!(
            "{} to create{}",
            summary.create,
            of_them(&[(summary.create_public, "public"), (anew, "made anew")])
        ),
    );
    let becomes = if summary.publish == 1 {
        "becomes public"
    } else {
        "become public"
    };
    part(
        summary.update,
        format!(
            "{} to update{}",
            summary.update,
            of_them(&[
                (summary.publish, becomes),
                (summary.changed_outside, "changed outside")
            ])
        ),
    );
    part(
        summary.add_only,
        format!("{} to gain members only", summary.add_only),
    );
    part(
        summary.members,
        format!("{} to add", Count(summary.members, "member")),
    );
    let unverified = summary.unverified;
    part(
        unverified.members,
        format!(
            "{} of {} unverified, to send again",
            Count(unverified.members, "member"),
            Count(unverified.rooms, "room")
        ),
    );
    part(
        summary.messages,
        format!("{} to send", Count(summary.messages, "message")),
    );
    part(
        plan.conflicts.len(),
        Count(plan.conflicts.len(), "conflict").to_string(),
    );
    parts
}

fn summary(text: &mut String, plan: &Plan, paint: Paint) {
    let _ = writeln!(
        text,
        "{} {}",
        paint.tone(Tone::Strong, "plan:"),
        verdict(plan)
    );
    let calls = [
        (1, "to list"),
        (plan.summary.writes, "to write"),
        (plan.verifies(), "to verify"),
        (plan.summary.messages, "to send"),
    ];
    let calls = calls.into_iter().filter(|(count, _)| *count > 0);
    let calls: Vec<String> = calls
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let requests = Count(plan.requests(), "request");
    let _ = writeln!(text, "      {requests}: {}", calls.join(", "));
    let _ = writeln!(text, "      target: {}", terminal(&plan.target.to_string()));
    let told = |change: &Change| !change.members.new.is_empty() && change.members.recorded > 0;
    let legend = [
        (
            plan.changes.iter().any(told) || !plan.by_hand.is_empty(),
            if plan
                .notes
                .iter()
                .any(|note| matches!(note, Note::Adopted(_)))
            {
                "recorded: confirmed to roomform in an earlier run, or adopted; the API does not tell who is in a room"
            } else {
                "recorded: confirmed to roomform in an earlier run; the API does not tell who is in a room"
            },
        ),
        (
            plan.summary.unverified.members > 0,
            "unverified: nothing is on record of who is in these rooms; sending members again breaks nothing",
        ),
        (
            made_anew(plan) > 0,
            "made anew: the old room was deleted or has vanished; whoever was in it is not in the new one",
        ),
        (
            plan.summary.changed_outside > 0,
            "changed outside: since the last write on record, and by nobody this ledger knows of",
        ),
    ];
    for (_, words) in legend.into_iter().filter(|(due, _)| *due) {
        let _ = writeln!(text, "      {words}");
    }
    if let Some(words) = in_full(plan, NAMED_ROOMS) {
        let _ = writeln!(text, "      {words}");
    }
}

/// Where everyone is named, if a list of members is cut, or one of more than so many rooms. An `apply` says it of its plan too.
pub(super) fn in_full(plan: &Plan, named_rooms: usize) -> Option<String> {
    let sent = plan.changes.iter().map(|change| &change.members);
    let mut sent = sent.map(|members| members.new.len().max(members.unverified.len()));
    let members = sent.any(|count| count > NAMED) || cuts_by_hand(plan);
    let differences = plan.compared.iter().flat_map(|it| &it.differences);
    let differing = differences.map(differing_users).any(|count| count > NAMED);
    // Of two manifests each room that is removed has a line of its own.
    let rooms = plan.compared.is_none() && plan.undeclared.len() > named_rooms;
    // A page for a browser opens each room to its members; the rest is all named in JSON only.
    let (what, formats) = match (members || differing, rooms) {
        (false, false) => return None,
        (true, false) if differing => ("members", "json"),
        (true, false) if plan.compared.is_some() => ("members", "json, or html"),
        (true, false) => ("members", "json, or plan --format html"),
        (false, true) => ("rooms", "json"),
        (true, true) => ("members and rooms", "json"),
    };
    Some(format!("all {what}: --format {formats}"))
}

/// Whether a list of members who are left to people is cut.
pub(super) fn cuts_by_hand(plan: &Plan) -> bool {
    let gone = plan.by_hand.iter();
    let mut gone = gone.map(|room| room.left.len() + room.released.len());
    gone.any(|count| count > NAMED)
}

/// How many users one difference of two manifests names.
fn differing_users(difference: &Difference) -> usize {
    match difference {
        Difference::Room {
            what:
                RoomDifference::NotSent(users)
                | RoomDifference::Excluded(users)
                | RoomDifference::Readmitted(users),
            ..
        } => users.len(),
        _ => 0,
    }
}
