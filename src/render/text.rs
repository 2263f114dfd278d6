//! Writes views as text for a terminal. What needs attention comes first, and the figures come
//! last.

use std::fmt::Write;
use std::io;

use anstyle::Style;
use similar::ChangeTag;

use super::column::{measure_pipes, pad};
use super::escape::{brief, quoted, terminal, within_quotes};
use super::paint::{Paint, Styles};
use super::to_text;
use crate::apply::{Outcome, RoomOutcome, Status};
use crate::manifest::Loaded;
use crate::model::{Field, FieldValue, UserNames, Welcome};
use crate::plan::{Change, FieldChange, Plan};
use crate::view::grammar::{user, users};
use crate::view::title_diff::{both, by_words};
use crate::view::{
    self, Count, Known, Section, SectionKind, Sent, Span, Text, Title, View, drift_remark, ended,
    hints, members_inside, result, risk, uncertain_remark,
};

/// The width of the column with a room's status after an apply.
const STATUS_WIDTH: usize = 12;
/// Maximum number of verified rooms to list. If there are more, they are counted.
const LISTED: usize = 50;

/// Returns a plan as text.
pub fn plan(plan: &Plan, paint: Paint) -> String {
    let loaded = Loaded::default();
    let text = to_text(|out| write(&view::plan(plan, &loaded), paint, out));
    // Writing to memory cannot fail.
    text.unwrap_or_default()
}

/// Writes a plan or a manifest diff as text, which ends with a line break. The text has no
/// diagnostics, because they are printed to stderr.
///
/// # Errors
/// Returns an error if the output cannot be written.
pub fn write(view: &View<'_>, paint: Paint, out: &mut dyn io::Write) -> io::Result<()> {
    let changes = view.sections.values().flat_map(|section| &section.changes);
    let width = measure_pipes(changes.map(|change| &change.pipe));
    let (first, mut rest): (Vec<_>, Vec<_>) = view
        .sections
        .values()
        .filter(|section| section.kind != SectionKind::Refused)
        .partition(|section| section.kind.needs_attention());
    rest.sort_by_key(|section| section.changes.is_empty());
    let (mut text, mut gap, mut is_after_lines) = (String::new(), "", false);
    for section in first.into_iter().chain(rest) {
        if is_after_lines && !section.changes.is_empty() {
            text.push('\n');
        }
        // There may be many changes, so write each before the next.
        for change in &section.changes {
            change_block(&mut text, change, width, view, paint);
            out.write_all(text.as_bytes())?;
            text.clear();
            gap = "\n";
        }
        section_lines(&mut text, section, gap, paint);
        if !text.is_empty() {
            gap = "\n";
        }
        is_after_lines = section.changes.is_empty() && !gap.is_empty();
    }
    text.push_str(gap);
    summary(&mut text, view, paint);
    let refused = view.sections.get(&SectionKind::Refused);
    for line in refused.into_iter().flat_map(|section| &section.lines) {
        let refused = paint.style(Styles::DANGER, "refused:");
        let _ = writeln!(text, "{refused} {}", sentence(&line.text));
    }
    out.write_all(text.as_bytes())
}

/// Writes the lines of a section, without diagnostics, after a `gap`.
fn section_lines(text: &mut String, section: &Section<'_>, gap: &str, paint: Paint) {
    let lines = section.lines.iter().filter(|line| !line.is_diagnostic());
    for (index, line) in lines.enumerate() {
        if index == 0 {
            let name = paint.style(Styles::STRONG, section.kind.name().to_lowercase());
            let remark = section.kind.remark().map(|remark| format!(": {remark}"));
            let _ = writeln!(text, "{gap}  {name}{}", remark.unwrap_or_default());
        }
        let place = line.place.map(|it| format!(" ({})", terminal(&it.raw())));
        let place = place.unwrap_or_default();
        let title = match &line.title {
            Some(Title::Same(title)) => format!(" {}", quoted(title)),
            _ => String::new(),
        };
        let subject = line
            .pipe
            .map(|pipe| format!("{}{title}{place}: ", terminal(pipe.as_str())));
        let words = sentence(&line.text);
        let _ = writeln!(text, "    {}{words}", subject.unwrap_or_default());
    }
}

/// Returns the lines that need attention, to be repeated before the confirmation prompt. The text
/// is empty if there are none.
pub fn attention(view: &View<'_>, paint: Paint) -> String {
    let mut text = String::new();
    let sections = view.sections.values();
    for section in sections.filter(|section| section.kind.needs_attention()) {
        for line in view.lines(section) {
            if text.is_empty() {
                let _ = writeln!(
                    text,
                    "\n{}",
                    paint.style(Styles::DANGER, "needs attention:")
                );
            }
            let label = line.label.as_deref().map(|label| format!("{label}: "));
            let label = label.unwrap_or_default();
            let (sign, words) = (section.kind.sign(), sentence(&line.sentence()));
            let _ = writeln!(text, "  {sign} {label}{words}");
        }
    }
    text
}

/// Formats a sentence, and escapes it for a terminal.
pub fn sentence(text: &Text<'_>) -> String {
    text.write(|span| match span {
        Span::Words(words) => words.to_string(),
        Span::Name(name) => format!("`{}`", terminal(name)),
        Span::Title(title) => quoted(title),
        Span::Ids(ids) | Span::Members(ids) => terminal(ids),
        Span::Message(message) => terminal(message),
        Span::Said(said) => brief(said),
    })
}

/// Writes the figures and the explanations of terms.
fn summary(text: &mut String, view: &View<'_>, paint: Paint) {
    let verb = paint.style(Styles::STRONG, format!("{}:", view.verb));
    let _ = writeln!(text, "{verb} {}", view.verdict);
    let mut lines = view.facts.clone();
    if let Some(target) = view.target {
        lines.push(format!("target: {}", terminal(&target.to_string())));
        lines.extend(view.legend.iter().map(ToString::to_string));
    } else {
        let sides = view.heading.write(|span| terminal(span.raw()));
        lines.push(format!("{sides}: {}", view.legend.join("; ")));
    }
    lines.extend(view.cut.clone());
    for line in lines {
        let _ = writeln!(text, "      {line}");
    }
}

fn change_block(text: &mut String, change: &Change, width: usize, view: &View<'_>, paint: Paint) {
    let (known, names) = (view.known, &view.names);
    let (glyph, style) = match risk(change) {
        Some(_) => ("!", Styles::DANGER),
        None if change.is_create() => ("+", Styles::ADD),
        None => ("~", Styles::CHANGE),
    };
    let place = format!("# {}:{}", terminal(&change.file), change.line);
    let _ = writeln!(text, "  {}", paint.style(Styles::QUIET, place));
    let pipe = pad(&terminal(change.pipe.as_str()), width);
    let (glyph, pipe) = (paint.style(style, glyph), paint.style(Styles::STRONG, pipe));
    let _ = writeln!(text, "  {glyph} {pipe} {}", headline(change, known, paint));
    if change.is_create() {
        for field in Field::ALL {
            if let FieldValue::Text(value) = change.send.raw(field) {
                let _ = writeln!(text, "      {:<7} {}", field.name(), quoted(value));
            }
        }
    }
    let fields = change.fields.iter();
    for field in fields.filter(|field| field.after != FieldValue::Public(true)) {
        let _ = writeln!(text, "      {}", field_line(field, paint));
    }
    if let Some(permit) = change.publish.as_ref().and_then(view::permit) {
        let _ = writeln!(text, "      {}", sentence(&permit));
    }
    members_lines(text, change, known, names);
    if let Some(Welcome { from, text: said }) = &change.welcome {
        let from = terminal(&user(*from, names));
        let _ = writeln!(text, "      welcome from {from}: {}", quoted(said));
    }
}

fn headline(change: &Change, known: Known, paint: Paint) -> String {
    let publish = change.publish.as_ref();
    let public = paint.style(Styles::DANGER, "public");
    match publish {
        _ if change.is_create() => {
            let public = match change.send.public {
                true => public.as_str(),
                false => "closed",
            };
            let create = match change.recreate {
                true => paint.style(Styles::DANGER, "recreated"),
                false => "create".to_owned(),
            } + &uncertain_remark(change);
            let (kind, members) = (change.send.kind, Count(change.members.count(), "member"));
            format!("{create}  {kind}, {public}, {members}")
        }
        Some(publish) => {
            let mut fields = change.fields.iter();
            let opened = fields.find(|field| field.after == FieldValue::Public(true));
            let drift = opened.map_or("", drift_remark);
            let inside = sentence(&members_inside(publish, known));
            format!("publish: closed → {public}{drift}, {inside}")
        }
        None if change.is_welcome_only() => "send the welcome".to_owned(),
        None if !change.fields.is_empty() => "update".to_owned(),
        None if change.members.new.is_empty() => "send members again".to_owned(),
        None => "add members".to_owned(),
    }
}

fn field_line(change: &FieldChange, paint: Paint) -> String {
    let (label, drift) = (change.field.name(), drift_remark(change));
    match (&change.before, &change.after) {
        (FieldValue::Text(before), FieldValue::Text(after)) => {
            format!("{label:<7} {}{drift}", title_change(before, after, paint))
        }
        (before, after) => {
            let [before, after] = view::values(before, after).map(|text| sentence(&text));
            format!("{label:<7} {before} → {after}{drift}")
        }
    }
}

/// Formats a changed title, for example `"Platform" → "Platform team"`. With colour, the changed
/// words are marked.
fn title_change(before: &str, after: &str, paint: Paint) -> String {
    let [before, after] = both(before, after).map(|text| within_quotes(&terminal(&text)));
    if paint == Paint::Plain {
        return format!("\"{before}\" → \"{after}\"");
    }
    let mark = |tag: ChangeTag, text: &str| match tag {
        ChangeTag::Equal => text.to_owned(),
        ChangeTag::Delete => paint.style(Styles::DELETED, text),
        ChangeTag::Insert => paint.style(Styles::INSERTED, text),
    };
    let [before, after] = by_words(&before, &after, mark);
    format!("\"{before}\" → \"{after}\"")
}

fn members_lines(text: &mut String, change: &Change, known: Known, names: &UserNames) {
    let members = &change.members;
    let known = view::known_members(members, known).map(|known| format!("   {known}"));
    let known = known.unwrap_or_default();
    if !members.new.is_empty() {
        let names = terminal(&users(&members.new, names));
        let names = match change.is_create() {
            true => names,
            false => format!("+{} ({names})", members.new.len()),
        };
        let _ = writeln!(text, "      members {names}{known}");
    }
    if !members.unknown.is_empty() {
        let (count, names) = (
            members.unknown.len(),
            terminal(&users(&members.unknown, names)),
        );
        let again = format!("{count} sent again ({names})   none known");
        let _ = writeln!(text, "      members unknown: {again}");
    }
}

/// Returns as text the plan that remains after an apply: its figures, and the rooms that lack
/// members.
pub fn remaining(plan: &Plan, paint: Paint) -> String {
    let loaded = Loaded::default();
    let view = view::plan(plan, &loaded);
    let mut text = format!("now:  {}\n", view.verdict);
    if let Some(counts) = &plan.counts {
        let _ = writeln!(text, "      {}", view::count_figures(counts));
    }
    if let Some(section) = view.sections.get(&SectionKind::FewerMembers) {
        section_lines(&mut text, section, "\n", paint);
    }
    text
}

/// Returns the result of an apply: a line for each room, and the figures. Many verified rooms are
/// only counted. The text ends with a line break.
pub fn outcome(outcome: &Outcome, paint: Paint) -> String {
    let mut text = String::new();
    let is_verified = |room: &&RoomOutcome| room.status == Status::Verified;
    let verified = outcome.rooms.iter().filter(is_verified).count();
    let width = measure_pipes(outcome.rooms.iter().map(|room| &room.pipe));
    for room in &outcome.rooms {
        if is_verified(&room) && verified > LISTED {
            continue;
        }
        let pipe = pad(&terminal(room.pipe.as_str()), width);
        let result = result(room);
        let (glyph, style) = glyph(&room.status, result.section);
        let glyph = paint.style(style, glyph);
        let status = match result.status {
            status if status.len() > STATUS_WIDTH => format!("{status}:"),
            status => format!("{status:<STATUS_WIDTH$}"),
        };
        let words = sentence(&result.text);
        let line = format!("  {glyph} {pipe} {status} {words}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if verified > LISTED {
        let _ = writeln!(text, "  {} verified", Count(verified, "room"));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let apply = paint.style(Styles::STRONG, "apply:");
    let _ = writeln!(text, "{apply} {}", ended(outcome));
    for hint in hints(outcome) {
        let _ = writeln!(text, "  hint: {}", terminal(hint));
    }
    for line in view::stops(outcome) {
        let label = line.label.unwrap_or_default();
        let label = paint.style(Styles::DANGER, format!("{label}:"));
        let _ = writeln!(text, "{label} {}", sentence(&line.text));
    }
    text
}

fn glyph(status: &Status, section: SectionKind) -> (&'static str, Style) {
    match (section, status) {
        (_, Status::Applied) => ("..", Styles::CHANGE),
        (_, Status::UpToDate) => ("ok", Styles::QUIET),
        (SectionKind::AsPlanned, _) => ("ok", Styles::ADD),
        (SectionKind::NotAsSent, _) => ("??", Styles::DANGER),
        _ => ("!!", Styles::DANGER),
    }
}

/// Returns the result of an apply in one sentence. The sentence is not escaped, so it is not
/// safe to print.
pub fn briefly(outcome: &Outcome) -> String {
    let stops = view::stops(outcome).into_iter();
    let stops = stops.filter(|line| line.label.as_deref() == Some("stopped"));
    let stops = stops.map(|line| format!("; stopped: {}", line.text.raw()));
    ended(outcome) + &stops.collect::<String>()
}

/// Returns the sent message, its room and its id as text, which ends with a line break.
pub fn sent(sent: &Sent<'_>) -> String {
    let id = match sent.id {
        Some(id) => format!("message {id}"),
        None => "message (the server gave no id)".to_owned(),
    };
    let room = match sent.pipe {
        Some(pipe) => format!("{} (room {})", terminal(pipe.as_str()), sent.room),
        None => format!("room {}", sent.room),
    };
    let (from, text) = (sent.from, quoted(sent.text));
    let target = terminal(&sent.target.to_string());
    format!("sent: {id} to {room}\n      from {from}: {text}\n      target: {target}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_words_that_changed_are_marked() {
        assert_eq!(
            title_change("Platform", "Platform team", Paint::Plain),
            "\"Platform\" → \"Platform team\""
        );
        assert_eq!(
            title_change("Party\" → \"Platform", "Platform", Paint::Plain),
            "\"Party\\\" → \\\"Platform\" → \"Platform\""
        );
        let coloured = title_change("Rust 101 autumn", "Rust 101 spring", Paint::Colour);
        assert_eq!(
            coloured,
            "\"Rust 101 \u{1b}[9m\u{1b}[31mautumn\u{1b}[0m\" → \"Rust 101 \u{1b}[1m\u{1b}[32mspring\u{1b}[0m\""
        );
    }
}
