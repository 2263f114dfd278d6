//! Creates the view of an apply's result, for the run as a whole and for each room.

use std::collections::{BTreeMap, BTreeSet};

use super::change::values;
use super::figures::describe_count;
use super::figures::verdict;
use super::grammar::counts;
use super::plan::{cuts_members, site};
use super::section::{Line, Place, SectionKind};
use super::text::text;
use super::{Count, Span, Text, View};
use crate::apply::{Doubt, Halt, Outcome, RoomOutcome, Status};
use crate::model::{Field, FieldValue};
use crate::plan::{Note, Plan};

/// The result for one room, as words.
#[derive(Debug, Clone)]
pub struct RoomResult<'a> {
    pub status: String,
    pub text: Text<'a>,
    pub section: SectionKind,
}

/// Creates the view of an apply's result. `after` is the new plan for what remains to be done,
/// if that plan was computed.
pub fn outcome<'a>(plan: &'a Plan, outcome: &'a Outcome, after: Option<&'a Plan>) -> View<'a> {
    let done = match outcome.has_written() {
        true => "Applied to",
        false => "Nothing was applied to",
    };
    let left = after.unwrap_or(plan);
    let cut = cuts_members(&[], &plan.manual_steps);
    let heading = text!("{} {}", done, site(&plan.target));
    let now = after.map(|plan| format!("now: {}", verdict(plan)));
    let mut view = View {
        facts: now.into_iter().collect(),
        names: plan.names.clone(),
        cut: cut.then(|| "all members: --format json".to_owned()),
        ..View::new("apply", Some(&plan.target), heading, ended(outcome))
    };
    view.add(SectionKind::Stopped, stops(outcome));
    let remedies = hints(outcome).into_iter();
    let remedies = remedies.map(|hint| Line::new(Span::Message(hint.into()).into()));
    view.add(SectionKind::Remedies, remedies);
    view.add_counts(left);
    view.add_conflicts(left);
    // Use the plan from before the run. In that plan, the steps that this run recorded are
    // still new.
    view.add_manual_steps(plan);
    let uncertain = |note: &&Note| matches!(note, Note::WelcomeUncertain { .. });
    view.add_notes(left.notes.iter().filter(uncertain));
    let mut changes = plan.changes.iter().peekable();
    for room in &outcome.rooms {
        while changes.next_if(|it| it.pipe < room.pipe).is_some() {}
        let change = changes.next_if(|it| it.pipe == room.pipe);
        let (result, is_verified) = (result(room), room.status == Status::Verified);
        let line = Line {
            place: change.map(|it| Place::new(&it.file, it.line)),
            label: (!is_verified).then(|| result.status.into()),
            ..Line::for_room(&room.pipe, result.text)
        };
        view.add(result.section, [line]);
    }
    view
}

/// Returns lines that say why the run stopped early, or why it did not verify the rooms.
pub fn stops(outcome: &Outcome) -> Vec<Line<'_>> {
    let halt = outcome.halt.iter().map(|halt| Line {
        label: Some("stopped".into()),
        ..Line::new(stopped(halt))
    });
    let verification_error = outcome.verification_error.iter().map(|why| Line {
        label: Some("not verified".into()),
        ..Line::new(text!(
            "the list could not be read again: {}",
            Span::Said(why.into())
        ))
    });
    halt.chain(verification_error).collect()
}

fn stopped(halt: &Halt) -> Text<'_> {
    match halt {
        Halt::Ledger { reason, .. } => {
            text!("{}; nothing more was sent", Span::Message(reason.into()))
        }
        Halt::Denied => {
            "the server rejects the credentials; writes to other rooms were not started".into()
        }
        Halt::FailFast => {
            "--fail-fast: writes to other rooms were not started after the first failure".into()
        }
        Halt::Interrupted => {
            "interrupted: no other requests were sent; run the same command again to continue"
                .into()
        }
    }
}

/// Describes the result for a room.
pub fn result(room: &RoomOutcome) -> RoomResult<'_> {
    use SectionKind::{AsPlanned, NotAsSent, NotDone};
    let id = room.id.filter(|_| room.create);
    let id = id.map(|id| text!(" as room {}", id)).unwrap_or_default();
    let done = text!("{}{}", room.done(), id);
    let confirmed = [(room.members, "member"), (room.messages, "message")];
    let confirmed = confirmed.into_iter().filter(|(count, _)| *count > 0);
    let confirmed = confirmed.map(|(count, noun)| text!(", {} confirmed", Count(count, noun)));
    let members = Count(room.members, "member");
    let (section, text) = match &room.status {
        Status::Verified => (AsPlanned, text!("{}{}", done, Text::join(confirmed, ""))),
        Status::Applied => (AsPlanned, text!("{}, not verified", done)),
        Status::UpToDate => (AsPlanned, Text::default()),
        Status::Undeclared => (NotDone, "not in the manifest".into()),
        Status::Pending(fields) | Status::Ignored(fields) => {
            (NotAsSent, Text::join(fields.iter().map(differing), "; "))
        }
        Status::NotVisible => (NotAsSent, text!("{}, but the list does not show it", done)),
        Status::Partial => (NotDone, text!("{}, {} confirmed", done, members)),
        Status::Conflict(reason) | Status::Stale(reason) => {
            (NotDone, Span::Message(reason.into()).into())
        }
        Status::Uncertain(Doubt::Welcome, reason) => {
            (NotDone, Span::Said(welcome_uncertain(reason).into()).into())
        }
        Status::Uncertain(Doubt::Create | Doubt::OtherRun, reason) => {
            let reason = Span::Said(reason.into());
            (
                NotDone,
                text!("{}; the next run checks whether the room exists", reason),
            )
        }
        Status::Failed { reason, .. } => {
            let requests = Count(room.requests as usize, "request");
            (
                NotDone,
                text!("{}, after {}", Span::Said(reason.into()), requests),
            )
        }
        Status::Unfinished if room.answered_at.is_some() => {
            let left = "the remaining requests were not sent, or their results were not recorded";
            (NotDone, text!("{}, {} confirmed; {}", done, members, left))
        }
        Status::Unfinished => (
            NotDone,
            text!(
                "{} confirmed; the remaining requests were not sent",
                members
            ),
        ),
        Status::NotStarted => (NotDone, Text::default()),
    };
    RoomResult {
        status: room.status.name().replace('_', " "),
        text: text!("{}{}", text, remarks(room)),
        section,
    }
}

fn differing((field, sent, shown): &(Field, FieldValue, FieldValue)) -> Text<'_> {
    let [sent, shown] = values(sent, shown);
    text!("{} sent as {}, shown as {}", field.name(), sent, shown)
}

/// Returns the errors in successful answers, and a remark if fewer members were counted than
/// expected.
pub fn remarks(room: &RoomOutcome) -> Text<'_> {
    let errors = (!room.errors.is_empty()).then(|| {
        let errors = room.errors.join("; ");
        text!("; the server answered: {}", Span::Said(errors.into()))
    });
    let short = room.short.iter();
    let short = short.map(|room| text!("; {}", describe_count(room)));
    Text::join(errors.into_iter().chain(short), "")
}

/// Returns why a room did not succeed; `None` if its status gives no reason.
pub fn failure(status: &Status) -> Option<String> {
    match status {
        Status::Stale(reason) | Status::Conflict(reason) => Some(reason.clone()),
        Status::Uncertain(Doubt::Create | Doubt::OtherRun, reason) => Some(reason.clone()),
        Status::Uncertain(Doubt::Welcome, reason) => Some(welcome_uncertain(reason)),
        Status::Failed { reason, .. } => Some(reason.clone()),
        _ => None,
    }
}

fn welcome_uncertain(reason: &str) -> String {
    format!(
        "the welcome may have been sent: {reason}; check the room; the welcome is not sent again"
    )
}

/// Returns the hints for all failures. Duplicates are removed, because many failures have the same
/// cause.
pub fn hints(outcome: &Outcome) -> BTreeSet<&str> {
    let statuses = outcome.rooms.iter().map(|room| &room.status);
    statuses
        .filter_map(|status| match status {
            Status::Failed { hint, .. } => hint.as_deref(),
            _ => None,
        })
        .collect()
}

/// Returns the figures of an outcome in one line.
pub fn ended(outcome: &Outcome) -> String {
    let mut tally = BTreeMap::<_, usize>::new();
    for room in &outcome.rooms {
        *tally.entry(room.status.figure()).or_default() += 1;
    }
    let mut rooms = counts(
        tally
            .into_iter()
            .map(|((_, name), count)| (count, name.replace('_', " "))),
    );
    if rooms.is_empty() {
        rooms.push_str("nothing to do");
    }
    let members: usize = outcome.rooms.iter().map(|room| room.members).sum();
    let messages: usize = outcome.rooms.iter().map(|room| room.messages).sum();
    let messages = match messages {
        0 => String::new(),
        messages => format!(", {}", Count(messages, "message")),
    };
    let sends = match outcome.sends() {
        0 => String::new(),
        sends => format!(", {sends} to send"),
    };
    let (members, writes) = (Count(members, "member"), outcome.writes());
    let reads = outcome.reads;
    format!(
        "{rooms}; {members}{messages} confirmed; requests: {writes} to write, {reads} to verify{sends}"
    )
}
