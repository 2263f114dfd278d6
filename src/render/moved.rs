//! What moved between two plans, as text: the dangerous first, then room by room what was planned and what is planned now.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::danger::Danger;
use super::escape::{apart, quoted, terminal};
use super::line::{Voice, what};
use super::paint::{Paint, Tone};
use super::plan::NAMED;
use super::sections::{conflict_words, section};
use super::words::few;
use crate::model::{Field, UserId};
use crate::plan::{ByHandMove, Change, Conflict, MoveKind, Moved, RoomMove};

/// The whole comparison. Ends with a line break.
pub fn moved(moved: &Moved, old: &str, new: &str, paint: Paint) -> String {
    let mut text = String::new();
    if let Some((before, after)) = &moved.targets {
        let (before, after) = (terminal(&before.to_string()), terminal(&after.to_string()));
        let sign = paint.tone(Tone::Danger, "!");
        let _ = writeln!(
            text,
            "  {sign} the plans are for different targets: {before} → {after}"
        );
    }
    for room in &moved.rooms {
        room_lines(&mut text, room, paint);
    }
    let conflicts = |conflicts: &[Conflict], word: &str| -> Vec<String> {
        let conflicts = conflicts.iter();
        conflicts
            .map(|it| {
                let words = conflict_words(&it.kind, &terminal);
                format!("{}: {word}: {words}", terminal(it.pipe.as_str()))
            })
            .collect()
    };
    let mut lines = conflicts(&moved.new_conflicts, "new");
    lines.extend(conflicts(&moved.gone_conflicts, "no longer"));
    section(&mut text, "conflicts", "", lines, paint);
    let by_hand = moved.by_hand.iter().map(by_hand).collect();
    section(&mut text, "by hand", "", by_hand, paint);
    if !text.is_empty() {
        text.push('\n');
    }
    let heading = paint.tone(Tone::Strong, "plans:");
    let _ = writeln!(text, "{heading} {}", verdict(moved));
    let _ = writeln!(text, "       {} → {}", terminal(old), terminal(new));
    text
}

fn verdict(moved: &Moved) -> String {
    let count = |of: fn(&MoveKind) -> bool| moved.rooms.iter().filter(|it| of(&it.kind)).count();
    let figures = [
        (count(|kind| matches!(kind, MoveKind::New(_))), "new"),
        (
            count(|kind| matches!(kind, MoveKind::Changed { .. })),
            "changed",
        ),
        (count(|kind| matches!(kind, MoveKind::Gone(_))), "gone"),
        (
            moved.rooms.iter().filter(|it| it.dangerous).count(),
            "of them dangerous",
        ),
    ];
    let mut parts: Vec<String> = figures
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if parts.is_empty() {
        let nothing = if moved.differs() {
            "no room moved"
        } else {
            "nothing moved"
        };
        parts.push(nothing.to_owned());
    }
    format!("{}; {} as before", parts.join(", "), moved.same)
}

fn voice() -> Voice<'static> {
    Voice {
        name: &terminal,
        title: &quoted,
        ids: &terminal,
        known: "recorded",
    }
}

fn room_lines(text: &mut String, room: &RoomMove, paint: Paint) {
    let pipe = paint.tone(Tone::Strong, terminal(room.pipe.as_str()));
    let sign = |own: &str, tone: Tone| {
        if room.dangerous {
            paint.tone(Tone::Danger, "!")
        } else {
            paint.tone(tone, own)
        }
    };
    let why = |after: &Change| match Danger::of(after).filter(|_| room.dangerous) {
        Some(danger) => format!(", {}", paint.tone(Tone::Danger, danger.words())),
        None => String::new(),
    };
    let _ = match &room.kind {
        MoveKind::New(after) => writeln!(
            text,
            "  {} {pipe} is new in the plan{}\n      {}",
            sign("+", Tone::Add),
            why(after),
            does(after, &after.send.title)
        ),
        MoveKind::Gone(before) => writeln!(
            text,
            "  {} {pipe} is not in the plan any more\n      was {}",
            sign("-", Tone::Remove),
            does(before, &before.send.title)
        ),
        MoveKind::Changed { before, after } => {
            let place = sign("~", Tone::Change);
            let _ = writeln!(text, "  {place} {pipe} changed{}", why(after));
            let titles = apart(&before.send.title, &after.send.title);
            let [was, is] = &titles;
            let _ = writeln!(text, "      was {}", does(before, was));
            let title = titled(before, after, &titles);
            writeln!(
                text,
                "      now {}{title}{}",
                does(after, is),
                users(before, after)
            )
        }
    };
}

/// What a change does, without its pipe; the title of a new room is part of it.
fn does(change: &Change, title: &str) -> String {
    let mut parts = what(change, voice());
    if change.room_id().is_none() {
        parts.insert(0, quoted(title));
    }
    if change.recreate {
        parts.push("made anew".to_owned());
    }
    parts.join(", ")
}

/// What differs in the titles that rooms get, where they are long: each change shows what differs in it.
fn titled(before: &Change, after: &Change, titles: &[String; 2]) -> String {
    let own = |change: &Change| {
        change
            .fields()
            .iter()
            .any(|field| field.field == Field::Title)
    };
    let [was, is] = titles;
    let cut = *was != before.send.title || *is != after.send.title;
    if !cut || was == is || !own(before) || !own(after) {
        return String::new();
    }
    format!("\n      title {} → {}", quoted(was), quoted(is))
}

/// Who is sent in the one and not in the other, since a list of many is cut.
fn users(before: &Change, after: &Change) -> String {
    let sent = |change: &Change| change.members.sent().collect::<BTreeSet<UserId>>();
    let (was, is) = (sent(before), sent(after));
    let only =
        |one: &BTreeSet<UserId>, other| -> Vec<UserId> { one.difference(other).copied().collect() };
    let mut text = String::new();
    for (word, users) in [("also", only(&is, &was)), ("no longer", only(&was, &is))] {
        if !users.is_empty() {
            let _ = write!(text, "\n      members {word} {}", few(&users, NAMED));
        }
    }
    text
}

fn by_hand(room: &ByHandMove) -> String {
    let ByHandMove { pipe, came, went } = room;
    let parts = [("take out also", came), ("no longer", went)];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(_, users)| !users.is_empty())
        .map(|(word, users)| format!("{word} {}", few(users, NAMED)))
        .collect();
    format!("{}: {}", terminal(pipe.as_str()), parts.join("; "))
}
