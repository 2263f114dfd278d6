//! Sentences about what a plan will not do: conflicts, notes, refusals.

use super::section::{Line, Section, SectionKind};
use super::text::{names, text};
use super::{Count, Span, Text};
use crate::model::{Limit, Pipe, difference};
use crate::plan::{ConflictKind, LimitKind, Note, Refusal, Unverified};

pub(super) fn conflict<'a>(kind: &'a ConflictKind) -> Text<'a> {
    match kind {
        ConflictKind::Several(ids) => text![
            "live rooms ",
            ids.as_slice(),
            " have this pipe; delete or rename all but one in ImbaChat"
        ],
        ConflictKind::Deleted(ids) => text![
            "only deleted rooms have this pipe (id ",
            ids.as_slice(),
            "); --allow-recreate makes a new one"
        ],
        ConflictKind::Vanished(id) => text![
            "the ledger knows it as room ",
            *id,
            ", and the list lacks it: deleted, or the list is capped; --allow-recreate makes a new one"
        ],
        ConflictKind::NotListed(id) => {
            let known = id.map(|id| text![" (the ledger knows it as room ", id, ")"]);
            text![
                "not listed",
                known.unwrap_or_default(),
                ": a JWT may show only one user's rooms; read with the secret key"
            ]
        }
    }
}

/// The notes that belong to a section.
pub(super) fn notes(kind: SectionKind, notes: &[Note]) -> Section<'_> {
    let section = |note: &Note| match note {
        Note::WelcomeInDoubt { .. } => SectionKind::ByHand,
        Note::LooksLike { .. } => SectionKind::LookAlikes,
        Note::MadeAnew { .. }
        | Note::Renamed { .. }
        | Note::Assumed(_)
        | Note::Adopted(_)
        | Note::LeftOut { .. }
        | Note::OtherShards { .. } => SectionKind::Notes,
    };
    let notes = notes.iter().filter(|note| section(note) == kind);
    let line = |note| {
        let (pipe, text) = self::note(note);
        Line {
            pipe,
            ..Line::new(text)
        }
    };
    Section::new(kind, notes.map(line))
}

/// A note, and the room it is about.
fn note(note: &Note) -> (Option<&Pipe>, Text<'_>) {
    match note {
        Note::MadeAnew {
            pipe,
            recorded,
            live,
        } => {
            let text = text![
                "the ledger knows room ",
                *recorded,
                ", the server shows room ",
                *live,
                "; nothing is on record of that one"
            ];
            (Some(pipe), text)
        }
        Note::Renamed {
            from,
            to,
            same_title,
        } => {
            let like = if *same_title {
                "the title"
            } else {
                "most members"
            };
            let text = text![
                "has ",
                like,
                " of ",
                from,
                ", which left the manifest; a pipe is an identity, so a new room is made and the old one stays as it is"
            ];
            (Some(to), text)
        }
        Note::WelcomeInDoubt { pipe, room } => {
            let text = text![
                "whether its welcome was sent is not known, and it is not sent again; look into room ",
                *room,
                ", and take `welcome` out of the manifest once that is settled"
            ];
            (Some(pipe), text)
        }
        Note::LooksLike { pipe, live } => {
            let text = text![
                "looks like the live room ",
                live,
                ", which nobody declares (",
                Span::words(difference(pipe.as_str(), live.as_str())),
                "); a server that folds case or letters would take one for the other"
            ];
            (Some(pipe), text)
        }
        Note::Assumed(assumed) => {
            let count = memberships(assumed);
            let words = format!(
                "--assume-members: {count} taken for present without a record; nothing is sent for them"
            );
            (None, Span::words(words).into())
        }
        Note::Adopted(adopted) => {
            let count = memberships(adopted);
            let words =
                format!("{count} recorded by adoption only: taken for present, never confirmed");
            (None, Span::words(words).into())
        }
        Note::LeftOut { rooms, flags } => {
            let rooms = Count(*rooms, "declared room");
            let words = format!("{flags} leaves out {rooms}");
            (None, Span::words(words).into())
        }
        Note::OtherShards { shard, rooms } => {
            let rooms = Count(*rooms, "declared room");
            let words = format!(
                "--shard {shard} leaves {rooms} to the other parts; guards judge all parts together"
            );
            (None, Span::words(words).into())
        }
    }
}

fn memberships(counted: &Unverified) -> String {
    let members = Count(counted.members, "membership");
    format!("{members} of {}", Count(counted.rooms, "room"))
}

/// A refusal in words: the guard, the figure, and what would allow it.
pub fn refusal(refusal: &Refusal) -> Text<'_> {
    guard(refusal, [" since the last apply", "when last applied"])
}

/// A guard of a manifest that is compared with another one and not with a ledger.
pub fn would_be_refused(refusal: &Refusal) -> Text<'_> {
    guard(refusal, ["", "before"])
}

fn guard<'a>(refusal: &'a Refusal, [since, when]: [&'static str; 2]) -> Text<'a> {
    let flag = flag_that_lifts(refusal);
    match refusal {
        Refusal::Limit {
            kind,
            count,
            allowed,
            share,
            rooms,
        } => {
            let key = kind.key();
            let what = match kind {
                LimitKind::Publish => text![pipes(rooms, *count), " would become public"],
                LimitKind::Create => over(*count, "to create", key, *allowed),
                LimitKind::Update => over(*count, "to update", key, *allowed),
                LimitKind::Messages => over(*count, "messages to send", key, *allowed),
                LimitKind::AddMembers => over(*count, "members to send", key, *allowed),
            };
            let share = share.map(|share| format!(" ({})", percent(share)));
            let allow = format!(
                "{}; allow it with {flag} or `limits.{key}: {count}`",
                share.unwrap_or_default()
            );
            text![what, Span::words(allow)]
        }
        Refusal::Recreate { count, rooms } => text![
            pipes(rooms, *count),
            " would be recreated; allow it with ",
            flag
        ],
        Refusal::MassChange {
            created,
            left,
            known,
        } => Span::words(format!(
            "{left} of {known} rooms left the manifest{since} while {created} would be created anew: \
             was a prefix changed? allow it with {flag}"
        ))
        .into(),
        Refusal::Shrunk {
            source,
            now,
            before,
        } => text![
            Span::Name(source.as_ref().into()),
            Span::words(format!(
                " gives {now} rooms and memberships, {before} {when}: is the file whole? allow it with {flag}"
            ))
        ],
    }
}

fn over<'a>(count: u64, what: &str, key: &str, allowed: u64) -> Text<'a> {
    Span::words(format!("{count} {what}, `limits.{key}` allows {allowed}")).into()
}

/// The flag that lifts a guard.
pub fn flag_that_lifts(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Limit {
            kind: LimitKind::Publish,
            ..
        } => "--allow-publish",
        Refusal::Recreate { .. } => "--allow-recreate",
        Refusal::Limit { .. } | Refusal::MassChange { .. } | Refusal::Shrunk { .. } => {
            "--ignore-limits"
        }
    }
}

fn pipes(rooms: &[Pipe], count: u64) -> Text<'_> {
    let mut text = names(rooms.iter().map(Pipe::as_str), rooms.len());
    let more = (count as usize).saturating_sub(rooms.len());
    if more > 0 {
        text.push(Span::words(format!(" and {more} more")));
    }
    text
}

/// A limit as a manifest writes it.
pub fn limit_words(limit: Limit) -> String {
    match limit {
        Limit::Count(count) => count.to_string(),
        Limit::Share(share) => percent(share),
    }
}

/// 1250 -> `12.5%`.
pub fn percent(share: u64) -> String {
    let text = format!("{}.{:02}", share / 100, share % 100);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}
