//! What a plan will not do, in words: conflicts, what is left to people, what the server ignored, warnings, refusals.

use std::fmt::Write;

use super::compared;
use super::escape::{quoted, terminal};
use super::line::{Quote, Voice, values};
use super::paint::{Paint, Tone};
use super::plan::{NAMED, NAMED_ROOMS};
use super::words::{Count, few};
use crate::model::{Pipe, difference};
use crate::plan::{ConflictKind, LimitKind, Note, Plan, Refusal};

/// The sections after the changes, each only if it has something.
pub(super) fn sections(text: &mut String, plan: &Plan, paint: Paint) {
    let voice = Voice {
        title: &titled,
        ids: &str::to_owned,
        ..Voice::of(plan, &terminal)
    };
    let conflicts = plan.conflicts.iter().map(|conflict| {
        let place = format!("{}:{}", terminal(&conflict.file), conflict.line);
        format!(
            "{} ({place}): {}",
            terminal(conflict.pipe.as_str()),
            conflict_words(&conflict.kind, &terminal)
        )
    });
    section(
        text,
        "conflicts",
        "nothing is written to these rooms",
        conflicts.collect(),
        paint,
    );
    section(
        text,
        "by hand",
        "the API cannot remove members or rooms",
        plan.compared
            .as_ref()
            .map_or_else(|| by_hand(plan), |it| compared::by_hand(plan, it, voice)),
        paint,
    );
    let ignored = plan.ignored.iter().map(|field| {
        let [sent, shown] = values(&field.sent, &field.shown, &titled);
        format!(
            "{}: {} was sent as {sent}, the server shows {shown}",
            terminal(field.pipe.as_str()),
            field.field.name()
        )
    });
    section(
        text,
        "ignored by the server",
        "sent again only with --resend",
        ignored.collect(),
        paint,
    );
    let mut warnings: Vec<String> = plan.notes.iter().map(|it| note(it, &terminal)).collect();
    if let Some(compared) = &plan.compared {
        let differences = compared::differences(compared, voice);
        section(text, "also differs", "", differences, paint);
        let guards = compared.would_refuse.iter();
        warnings.extend(guards.map(|it| compared::would_refuse(it, &ticked)));
    }
    section(text, "warnings", "", warnings, paint);
}

pub(super) fn section(
    text: &mut String,
    name: &str,
    remark: &str,
    lines: Vec<String>,
    paint: Paint,
) {
    if lines.is_empty() {
        return;
    }
    let remark = if remark.is_empty() {
        String::new()
    } else {
        format!(": {remark}")
    };
    let gap = if text.is_empty() { "" } else { "\n" };
    let _ = writeln!(text, "{gap}  {}{remark}", paint.tone(Tone::Strong, name));
    for line in lines {
        let _ = writeln!(text, "    {line}");
    }
}

/// A conflict in words, with the ids of rooms as a sink shows them.
pub(super) fn conflict_words(kind: &ConflictKind, quote: Quote<'_>) -> String {
    match kind {
        ConflictKind::Several(ids) => {
            format!(
                "live rooms {} have this pipe; delete or rename all but one in ImbaChat",
                quote(&few(ids, 8))
            )
        }
        ConflictKind::Deleted(ids) => {
            format!(
                "only deleted rooms have this pipe (id {}); --allow-recreate makes a new one",
                quote(&few(ids, 8))
            )
        }
        ConflictKind::Vanished(id) => format!(
            "the ledger knows it as room {}, and the list lacks it: deleted, or the list is capped; \
             --allow-recreate makes a new one",
            quote(&id.to_string())
        ),
        ConflictKind::NotListed(id) => {
            let known =
                id.map(|id| format!(" (the ledger knows it as room {})", quote(&id.to_string())));
            format!(
                "not listed{}: a JWT may show only one user's rooms; read with the secret key",
                known.unwrap_or_default()
            )
        }
    }
}

fn by_hand(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for room in &plan.by_hand {
        let mut gone = [room.left.as_slice(), room.released.as_slice()].concat();
        gone.sort_unstable();
        let names = few(&gone, NAMED);
        lines.push(format!(
            "{}: not wanted any more, recorded as added: {names}",
            terminal(room.pipe.as_str())
        ));
    }
    if !plan.undeclared.is_empty() {
        let pipes: Vec<String> = plan
            .undeclared
            .iter()
            .map(|pipe| terminal(pipe.as_str()))
            .collect();
        lines.push(format!(
            "{} recorded and no longer declared: {}",
            Count(pipes.len(), "room"),
            few(&pipes, NAMED_ROOMS)
        ));
    }
    lines
}

/// What somebody should know, with text of others as a sink shows it.
pub(super) fn note(note: &Note, quote: Quote<'_>) -> String {
    match note {
        Note::MadeAnew {
            pipe,
            recorded,
            live,
        } => {
            format!(
                "{}: the ledger knows room {}, the server shows room {}; nothing is on record of that one",
                quote(pipe.as_str()),
                quote(&recorded.to_string()),
                quote(&live.to_string())
            )
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
            format!(
                "{}: has {like} of {}, which left the manifest; a pipe is an identity, so a new room is made and the old one stays as it is",
                quote(to.as_str()),
                quote(from.as_str())
            )
        }
        Note::WelcomeInDoubt { pipe, room } => format!(
            "{}: whether its welcome was sent is not known, and it is not sent again; look into room {}, and take `welcome` \
             out of the manifest once that is settled",
            quote(pipe.as_str()),
            quote(&room.to_string())
        ),
        Note::LooksLike { pipe, live } => format!(
            "{}: looks like the live room {}, which nobody declares ({}); a server that folds case or letters would take one for the other",
            quote(pipe.as_str()),
            quote(live.as_str()),
            difference(pipe.as_str(), live.as_str())
        ),
        Note::Assumed(assumed) => format!(
            "--assume-members: {} of {} taken for present without a record; nothing is sent for them",
            Count(assumed.members, "membership"),
            Count(assumed.rooms, "room")
        ),
        Note::Adopted(adopted) => format!(
            "{} of {} recorded by adoption only: taken for present, never confirmed",
            Count(adopted.members, "membership"),
            Count(adopted.rooms, "room")
        ),
        Note::LeftOut(rooms) => format!("--only leaves out {}", Count(*rooms, "declared room")),
        Note::OtherShards {
            shard,
            rooms,
            guarded,
        } => {
            let guards = match guarded {
                true => "; guards judge all parts together",
                false => "",
            };
            let rooms = Count(*rooms, "declared room");
            format!("--shard {shard} leaves {rooms} to the other parts{guards}")
        }
    }
}

/// A title, for a terminal.
fn titled(title: &str) -> String {
    quoted(title)
}

/// Text of others between back-ticks, for a terminal.
pub(crate) fn ticked(text: &str) -> String {
    format!("`{}`", terminal(text))
}

/// A refusal in words: the guard, the figure, and what would allow it.
pub(crate) fn refused(refusal: &Refusal, quote: Quote<'_>) -> String {
    let flag = lifted_by(refusal);
    match refusal {
        Refusal::Limit {
            kind,
            count,
            allowed,
            share,
            rooms,
        } => {
            let line = match kind {
                LimitKind::Publish => {
                    format!("{} would become public", pipes(rooms, *count, quote))
                }
                LimitKind::Create => format!("{count} to create, `limits.create` allows {allowed}"),
                LimitKind::Update => format!("{count} to update, `limits.update` allows {allowed}"),
                LimitKind::Messages => {
                    format!("{count} messages to send, `limits.messages` allows {allowed}")
                }
                LimitKind::AddMembers => {
                    format!("{count} members to send, `limits.add_members` allows {allowed}")
                }
            };
            let share = share
                .map(|share| format!(" ({})", percent(share)))
                .unwrap_or_default();
            format!(
                "{line}{share}; allow it with {flag} or `limits.{}: {count}`",
                kind.key()
            )
        }
        Refusal::Recreate { count, rooms } => {
            format!(
                "{} would be made anew; allow it with {flag}",
                pipes(rooms, *count, quote)
            )
        }
        Refusal::MassChange {
            created,
            left,
            known,
        } => format!(
            "{left} of {known} rooms left the manifest since the last apply while {created} would be created anew: was a prefix changed? \
             allow it with {flag}"
        ),
        Refusal::Shrunk {
            source,
            now,
            before,
        } => shrunk(&quote(source), *now, *before, "when last applied"),
    }
}

/// The flag that lifts what guards against a plan.
pub fn lifted_by(refusal: &Refusal) -> &'static str {
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

/// A file that gives much less than it did; its name is quoted already.
pub(crate) fn shrunk(source: &str, now: u64, before: u64, when: &str) -> String {
    format!(
        "{source} gives {now} rooms and memberships, {before} {when}: is the file whole? allow it with --ignore-limits"
    )
}

fn pipes(rooms: &[Pipe], count: u64, quote: Quote<'_>) -> String {
    let names: Vec<String> = rooms.iter().map(|pipe| quote(pipe.as_str())).collect();
    let more = (count as usize).saturating_sub(names.len());
    if more > 0 {
        format!("{} and {more} more", names.join(", "))
    } else {
        names.join(", ")
    }
}

/// 1250 -> `12.5%`.
pub(crate) fn percent(share: u64) -> String {
    let text = format!("{}.{:02}", share / 100, share % 100);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}
