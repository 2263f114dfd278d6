//! Sentences about what a plan will not do: conflicts, notes and refusals.

use super::grammar::rooms_and_memberships;
use super::section::{Line, SectionKind};
use super::text::{names, text};
use super::{Count, NAMED, Span, Text, values};
use crate::model::{Limit, NOTICE, Pipe, difference};
use crate::plan::{ConflictKind, LimitKind, MemberTally, Note, Overdue, Violation};

/// Maximum number of likely renames that one line names.
const EXAMPLES: usize = 3;

pub(super) fn conflict(kind: &ConflictKind) -> Text<'_> {
    match kind {
        ConflictKind::Several(ids) => text!(
            "live rooms {} have this pipe; delete or rename all but one in ImbaChat",
            ids.as_slice()
        ),
        ConflictKind::Deleted(ids) => text!(
            "only deleted rooms have this pipe (id {}); --allow-recreate creates a new room",
            ids.as_slice()
        ),
        ConflictKind::Vanished(id) => text!(
            "the ledger records room {}, but the list does not show it: it was deleted, or the list is truncated; --allow-recreate creates a new room",
            *id
        ),
        ConflictKind::NotListed(id) => {
            let known = id.map(|id| text!(" (room {} in the ledger)", id));
            text!(
                "the room is not listed{}: a JWT may show only one user's rooms; read with the secret key",
                known.unwrap_or_default()
            )
        }
    }
}

/// Converts a note to a line, and returns the section that the line belongs to.
pub(super) fn note(note: &Note) -> (SectionKind, Line<'_>) {
    let members = |counted: &MemberTally| {
        let members = Count(counted.members, "membership");
        text!("{} of {}", members, Count(counted.rooms, "room"))
    };
    let kind = match note {
        Note::WelcomeUncertain { .. } => SectionKind::ManualSteps,
        Note::LooksLike { .. } => SectionKind::LookAlikes,
        _ => SectionKind::Notes,
    };
    let line = match note {
        Note::Recreated {
            pipe,
            recorded,
            live,
        } => {
            let text = text!(
                "the ledger has room {}, but the server shows room {}, which is not in the ledger",
                *recorded,
                *live
            );
            Line::for_room(pipe, text)
        }
        Note::Renamed { .. } => renames(&[note]),
        Note::WelcomeUncertain { pipe, room } => {
            let text = text!(
                "the welcome may have been sent, so it is not sent again; look for it in room {}, then remove `welcome` from the manifest",
                *room
            );
            Line::for_room(pipe, text)
        }
        Note::Pending { pipe, field, was } => {
            let [sent, shown] = values(&was.sent, &was.shown);
            let text = text!(
                "{} was sent as {} before, but the list showed {} at {}; the field is sent again",
                field.name(),
                sent,
                shown,
                Span::words(was.since.to_string())
            );
            Line::for_room(pipe, text)
        }
        Note::LooksLike { pipe, live } => {
            let text = text!(
                "looks like the live room {} ({}), which is not declared; a server that ignores case would confuse the two rooms",
                live,
                Span::words(difference(pipe.as_str(), live.as_str()))
            );
            Line::for_room(pipe, text)
        }
        Note::Assumed(assumed) => Line::new(text!(
            "--assume-members: {} assumed to be present, although the ledger does not record them; nothing is sent for them",
            members(assumed)
        )),
        Note::Adopted(adopted) => Line::new(text!(
            "{} adopted: declared as present, never confirmed by the server",
            members(adopted)
        )),
        Note::Ending(ending) => {
            let verb = if ending.members == 1 { "ends" } else { "end" };
            let soon = Span::words(format!("{verb} within {NOTICE} days"));
            Line::new(text!("{} {}", members(ending), soon))
        }
        Note::NotSent(not_sent) => Line::new(text!(
            "{} not sent: `members_policy: on_create` adds members only to a new room",
            members(not_sent)
        )),
        Note::AlreadyPublic(entries) => Line::new(text!(
            "entries of `limits.publish` that are no longer needed, because the rooms are already public: {}",
            names(entries.iter().map(String::as_str), NAMED)
        )),
        Note::LeftOut { rooms, flags } => {
            let rooms = Count(*rooms, "declared room");
            Line::new(text!("{} leaves out {}", *flags, rooms))
        }
        Note::OtherShards { shard, rooms } => Line::new(text!(
            "--shard {} leaves {} to the other shards; guards check all shards together",
            Span::words(shard.to_string()),
            Count(*rooms, "declared room")
        )),
    };
    (kind, line)
}

/// Returns one line for all likely renames, with examples. In a likely rename, a new room looks
/// like a room that left the manifest.
pub(super) fn renames<'a>(renames: &[&'a Note]) -> Line<'a> {
    let examples = renames.iter().copied().take(EXAMPLES);
    let examples = examples.filter_map(|note| match note {
        Note::Renamed {
            from,
            to,
            same_title,
        } => {
            let same = match same_title {
                true => "the title",
                false => "most members",
            };
            Some(text!("{} has {} of {}", to, same, from))
        }
        _ => None,
    });
    let mut examples = Text::join(examples, ", ");
    if let more @ 1.. = renames.len().saturating_sub(EXAMPLES) {
        examples.push(text!(" … {} more", more));
    }
    let count = Count(renames.len(), "likely rename");
    Line::new(text!(
        "{}: {}; a pipe is an identity, so new rooms are created and the old ones stay as they are",
        count,
        examples
    ))
}

/// Why a plan is overdue.
pub(super) fn overdue(overdue: &Overdue) -> Line<'_> {
    let (steps, rooms) = (Count(overdue.steps, "manual step"), overdue.rooms.iter());
    Line::new(text!(
        "{} open for {} or longer, in {}; `roomform todo` lists the open steps",
        steps,
        Count(overdue.days as usize, "day"),
        names(rooms.map(Pipe::as_str), NAMED)
    ))
}

/// Formats a refusal as a sentence: the guard, the count, and the flag or key that lifts the
/// refusal.
pub fn refusal(refusal: &Violation) -> Text<'_> {
    guard(refusal, [" since the last apply", "when last applied"])
}

/// Formats a refusal in a manifest diff, where a manifest is compared with another manifest and
/// not with a ledger.
pub fn would_be_refused(refusal: &Violation) -> Text<'_> {
    guard(refusal, ["", "before"])
}

fn guard<'a>(refusal: &'a Violation, [since, when]: [&'static str; 2]) -> Text<'a> {
    let flag = flag_that_lifts(refusal);
    match refusal {
        Violation::Limit {
            kind,
            count,
            allowed,
            share,
        } => {
            let key = kind.name();
            let counted = match kind {
                LimitKind::Create => format!("{count} to create"),
                LimitKind::Update => format!("{count} to update"),
                LimitKind::Messages => format!("{} to send", Count(*count as usize, "message")),
                LimitKind::AddMembers => format!("{} to send", Count(*count as usize, "member")),
            };
            let share = share.map(|share| format!(" ({})", percent(share)));
            let share = share.unwrap_or_default();
            Span::words(format!(
                "{counted}, but `limits.{key}` allows {allowed}{share}; allow it with {flag} or `limits.{key}: {count}`"
            ))
            .into()
        }
        Violation::Publish { count, rooms } => text!(
            "{} would become public; allow it with {} PIPE or in `limits.publish`",
            pipes(rooms, *count),
            flag
        ),
        Violation::Recreate { count, rooms } => text!(
            "{} would be recreated; allow it with {}",
            pipes(rooms, *count),
            flag
        ),
        Violation::MassChange {
            created,
            left,
            known,
        } => Span::words(format!(
            "{left} of {known} rooms left the manifest{since} while {created} would be created: was a prefix changed? if a new term replaces the old one, allow the change once with {flag}"
        ))
        .into(),
        Violation::Shrunk {
            source,
            now,
            before,
        } => {
            let now = rooms_and_memberships(*now);
            let words = format!(
                " has {now}, but had {before} {when}: is the file complete? if it is, allow the change with {flag}"
            );
            text!("{}{}", Span::Name(source.as_ref().into()), Span::words(words))
        }
    }
}

pub fn flag_that_lifts(refusal: &Violation) -> &'static str {
    match refusal {
        Violation::Publish { .. } => "--allow-publish",
        Violation::Recreate { .. } => "--allow-recreate",
        Violation::Limit { .. } | Violation::MassChange { .. } | Violation::Shrunk { .. } => {
            "--ignore-limits"
        }
    }
}

fn pipes(rooms: &[Pipe], count: u64) -> Text<'_> {
    let mut text = names(rooms.iter().map(Pipe::as_str), rooms.len());
    if let more @ 1.. = (count as usize).saturating_sub(rooms.len()) {
        text.push(text!(" and {} more", more));
    }
    text
}

/// Formats a limit as in a manifest.
pub fn limit_words(limit: Limit) -> String {
    match limit {
        Limit::Count(count) => count.to_string(),
        Limit::Share(share) => percent(share),
    }
}

/// Formats a share: 1250 becomes `12.5%`.
pub fn percent(share: u64) -> String {
    let text = format!("{}.{:02}", share / 100, share % 100);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}
