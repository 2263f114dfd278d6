//! The oracle for what a plan reports besides its changes: manual steps, ignored fields, notes, refusals, and all figures.

use std::collections::{BTreeMap, BTreeSet};

use roomform::model::{Field, Limit, MembersPolicy, Pipe, RoomId, Sending, UserId, nfc};
use roomform::plan::{LimitKind, MemberTally, Members, Note, Plan, Summary, Violation};

use super::record::Known;
use super::truth::{Truth, check};
use super::unseen;
use super::wishes::ROSTER;

/// The figures and notes of a plan that are false.
pub fn lies(truth: &Truth<'_>, plan: &Plan) -> Vec<String> {
    let mut wrong = Vec::new();
    let sorted = |pipes: Vec<&Pipe>| pipes.windows(2).all(|pair| pair[0] < pair[1]);
    let changes = plan.changes.iter().map(|change| &change.pipe).collect();
    check(
        &mut wrong,
        sorted(changes),
        "the changes are not sorted, each room once",
    );
    manual_steps(truth, plan, &mut wrong);
    plan.ignored
        .iter()
        .for_each(|line| unseen::ignored(truth, line, &mut wrong));
    notes(truth, plan, &mut wrong);
    summary(truth, plan, &mut wrong);
    refusals(truth, plan, &mut wrong);
    let known = truth.account.ids.keys();
    let left = known.filter(|pipe| !truth.wishes.rooms.contains_key(*pipe));
    let left: Vec<&Pipe> = left.filter(|_| truth.flags.only.is_none()).collect();
    check(
        &mut wrong,
        plan.undeclared.iter().eq(left),
        "other rooms left the manifest",
    );
    wrong
}

fn manual_steps(truth: &Truth<'_>, plan: &Plan, wrong: &mut Vec<String>) {
    let mut expected = Vec::new();
    for (pipe, wish) in &truth.wishes.rooms {
        let live = truth.live(pipe);
        let ([row], true) = (live.as_slice(), truth.flags.choose(pipe)) else {
            continue;
        };
        let (known, members) = (truth.known(row), &wish.members);
        let gone = |users: &BTreeSet<UserId>| -> Vec<UserId> {
            users.difference(members).copied().collect()
        };
        let (left, released) = (gone(&known.on), gone(&known.released));
        if !left.is_empty() || !released.is_empty() {
            let (pipe, id) = (pipe.clone(), row.id);
            expected.push((pipe, id, left, released));
        }
    }
    let planned = plan.manual_steps.iter().map(|room| {
        let released = room.previously_removed.iter().map(|step| step.user);
        let left = room.newly_removed.clone();
        (room.pipe.clone(), room.id, left, released.collect())
    });
    let planned: Vec<(Pipe, RoomId, Vec<UserId>, Vec<UserId>)> = planned.collect();
    if planned != expected {
        wrong.push(format!("manual steps: {planned:?}, not {expected:?}"));
    }
}

fn notes(truth: &Truth<'_>, plan: &Plan, wrong: &mut Vec<String>) {
    let mut noted = Vec::new();
    let mut renamed = BTreeSet::new();
    let chosen = truth.wishes.rooms.keys();
    let chosen: Vec<&Pipe> = chosen.filter(|pipe| truth.flags.choose(pipe)).collect();
    let (mut again, mut left_out, mut doubtful) = (0, 0, 0);
    let mut public = Vec::new();
    for note in &plan.notes {
        let holds = match note {
            Note::Recreated {
                pipe,
                recorded,
                live,
            } => {
                again += 1;
                let rows = truth.live(pipe);
                let there = rows.len() == 1 && rows[0].id == *live;
                there && truth.account.ids.get(pipe) == Some(recorded) && live != recorded
            }
            Note::Renamed {
                from,
                to,
                same_title,
            } => renamed.insert(from) && is_renamed(truth, plan, from, to, *same_title),
            Note::WelcomeUncertain { pipe, room } => {
                doubtful += 1;
                uncertain(truth, pipe) == Some(*room)
            }
            Note::Pending { pipe, field, was } => {
                noted.push((pipe, *field));
                let known = truth.live(pipe).first().copied();
                let known = known.and_then(|row| truth.known(row).pending.get(field));
                let is_recorded = known.is_some_and(|known| {
                    (&was.sent, &was.shown) == (&known.sent, &known.shown)
                        && (&was.since, &was.updated_at) == (&known.since, &known.updated_at)
                });
                is_recorded && unseen::is_pending(truth, pipe, *field)
            }
            Note::LooksLike { pipe, live } => {
                let declared = |pipe| truth.wishes.rooms.contains_key(pipe);
                declared(pipe) && !declared(live) && !truth.live(live).is_empty()
            }
            Note::Assumed(MemberTally { rooms, members }) => {
                truth.flags.assume_members && *rooms > 0 && *members >= *rooms
            }
            Note::LeftOut { rooms, .. } => {
                left_out = *rooms;
                *rooms > 0
            }
            Note::AlreadyPublic(entries) => {
                public = entries.clone();
                true
            }
            Note::NotSent(MemberTally { rooms, members }) => {
                let policies = chosen.iter().map(|pipe| truth.wishes.rooms[*pipe].policy);
                let limited = policies.filter(|policy| *policy == MembersPolicy::OnCreate);
                (1..=limited.count()).contains(rooms) && members >= rooms
            }
            // Here, no process uses `--shard`, and no room is adopted or has dates.
            Note::Adopted(_) | Note::Ending(_) | Note::OtherShards { .. } => false,
        };
        if !holds {
            wrong.push(format!("not so: {note:?}"));
        }
    }
    let mut listed: BTreeMap<&str, bool> = BTreeMap::new();
    for pipe in &chosen {
        if let Some(entry) = truth.wishes.publish_entry(pipe) {
            let rows = truth.live(pipe);
            let is_live = !rows.is_empty() && rows.iter().all(|row| row.state.public);
            let is_public = is_live && truth.wishes.rooms[*pipe].state.public;
            *listed.entry(entry).or_insert(true) &= is_public;
        }
    }
    listed.retain(|_, is_public| *is_public);
    check(
        wrong,
        listed.into_keys().eq(public),
        "other entries are public already",
    );
    let is_again = |pipe: &&&Pipe| {
        let rows = truth.live(pipe);
        let recorded = truth.account.ids.get(**pipe);
        rows.len() == 1 && recorded.is_some_and(|id| *id != rows[0].id)
    };
    let expected = chosen.iter().filter(is_again).count();
    check(wrong, again == expected, "a recreated room is not reported");
    let expected = chosen
        .iter()
        .filter(|pipe| uncertain(truth, pipe).is_some());
    let expected = expected.count();
    check(
        wrong,
        doubtful == expected,
        "an uncertain welcome is not reported",
    );
    let fields = chosen.iter();
    let fields = fields.flat_map(|pipe| Field::ALL.map(|field| (*pipe, field)));
    let expected = fields.filter(|(pipe, field)| unseen::is_pending(truth, pipe, *field));
    check(
        wrong,
        noted == expected.collect::<Vec<_>>(),
        "a pending field is not reported",
    );
    let out = truth.wishes.rooms.len() - chosen.len();
    check(wrong, left_out == out, "another number was left out");
}

/// The pipe's live room, if a welcome is declared and may or may not have been sent.
fn uncertain(truth: &Truth<'_>, pipe: &Pipe) -> Option<RoomId> {
    let rows = truth.live(pipe);
    let [row] = rows.as_slice() else { return None };
    let declared = truth.wishes.rooms.get(pipe)?.welcome.is_some();
    let doubtful = truth.account.begun(row.id) == Some(Sending::Uncertain);
    (declared && doubtful).then_some(row.id)
}

/// Whether a room that left the manifest and a new room have the same title, or share most of
/// their members.
fn is_renamed(truth: &Truth<'_>, plan: &Plan, from: &Pipe, to: &Pipe, same_title: bool) -> bool {
    let id = truth.account.ids.get(from);
    let known = id.and_then(|id| truth.account.rooms.get(id));
    let change = plan.changes.iter().find(|change| change.pipe == *to);
    let (Some(known), Some(change)) = (known, change) else {
        return false;
    };
    let stood = truth.account.declared.get(from) != Some(&false);
    let has_left = stood && !truth.wishes.rooms.contains_key(from) && change.is_create();
    let title = nfc(&change.send.title);
    let has_title = |room: &Known| {
        room.sent
            .as_ref()
            .is_some_and(|sent| nfc(&sent.title) == title)
    };
    let with_title = truth
        .account
        .rooms
        .values()
        .filter(|room| has_title(room))
        .count();
    let sent: BTreeSet<UserId> = change.members.sent().collect();
    let shared = sent.intersection(&known.on).count();
    has_left
        && match same_title {
            true => has_title(known),
            // A title of several rooms identifies none of them.
            false => {
                let is_named = has_title(known) && with_title == 1;
                !is_named && shared * 2 > sent.len().max(known.on.len())
            }
        }
}

fn summary(truth: &Truth<'_>, plan: &Plan, wrong: &mut Vec<String>) {
    let count = |test: &dyn Fn(&roomform::plan::Change) -> bool| {
        plan.changes.iter().filter(|change| test(change)).count()
    };
    let create = roomform::plan::Change::is_create;
    let of = |change: &roomform::plan::Change| truth.wishes.rooms[&change.pipe].state.public;
    let was_closed = |change: &roomform::plan::Change| {
        let rows = truth.live(&change.pipe);
        rows.first().is_some_and(|row| !row.state.public)
    };
    let sends = |change: &roomform::plan::Change| change.send.public;
    let chosen = truth.wishes.rooms.keys();
    let chosen = chosen.filter(|pipe| truth.flags.choose(pipe)).count();
    let unknown = plan
        .changes
        .iter()
        .map(|change| change.members.unknown.len());
    let unmanaged = truth.shown.iter().filter(|row| {
        let in_scope = truth
            .wishes
            .scope
            .is_none_or(|glob| row.pipe.as_str().starts_with(glob.trim_end_matches('*')));
        !row.deleted && in_scope && !truth.wishes.rooms.contains_key(&row.pipe)
    });
    let calls = plan.changes.iter().map(|change| {
        let members = change.members.new.len() + change.members.unknown.len();
        let nothing = !create(change) && change.fields.is_empty() && members == 0;
        members.div_ceil(200).max(usize::from(!nothing))
    });
    let expected = Summary {
        create: count(&create),
        update: count(&|change| !change.fields.is_empty()),
        changed_outside: count(&|change| {
            let mut fields = change.fields.iter();
            fields.any(|field| field.changed.outside)
        }),
        add_only: count(&|change| {
            !create(change) && change.fields.is_empty() && !change.members.new.is_empty()
        }),
        resend_only: count(&|change| {
            let Members { new, unknown, .. } = &change.members;
            let only = new.is_empty() && !unknown.is_empty();
            !create(change) && change.fields.is_empty() && only
        }),
        welcome_only: count(&|change| {
            !create(change) && change.fields.is_empty() && change.members.count() == 0
        }),
        messages: count(&|change| change.welcome.is_some()),
        publish: count(&|change| {
            !create(change)
                && was_closed(change)
                && of(change)
                && sends(change)
                && change
                    .fields
                    .iter()
                    .any(|field| field.field.name() == "public")
        }),
        create_public: count(&|change| create(change) && of(change)),
        members: plan
            .changes
            .iter()
            .map(|change| change.members.new.len())
            .sum(),
        unknown: MemberTally {
            rooms: count(&|change| !change.members.unknown.is_empty()),
            members: unknown.sum(),
        },
        unchanged: chosen - plan.changes.len() - plan.conflicts.len(),
        unmanaged: unmanaged.count(),
        declared: truth.wishes.rooms.len(),
        writes: calls.sum(),
    };
    if plan.summary != expected {
        wrong.push(format!("figures: {:?}, and not {expected:?}", plan.summary));
    }
}

fn refusals(truth: &Truth<'_>, plan: &Plan, wrong: &mut Vec<String>) {
    let (limits, summary) = (&truth.wishes.limits, &plan.summary);
    let rooms = truth.wishes.rooms.len() as u64;
    let members = truth
        .wishes
        .rooms
        .values()
        .map(|wish| wish.members.len() as u64);
    let over = |limit: Option<Limit>, count: usize, of: u64| match limit {
        None => false,
        Some(Limit::Count(most)) => count as u64 > most,
        Some(Limit::Share(share)) => count as u64 > of * share / 10_000,
    };
    let bound = !truth.flags.beyond_limits;
    let adds = summary.members + summary.unknown.members;
    let unlisted = plan.changes.iter().filter(|change| {
        let is_listed = truth.wishes.publish_entry(&change.pipe).is_some();
        change.publishes() && !is_listed
    });
    let unlisted = unlisted.count() as u64;
    let publish = plan.refusals.iter().find_map(|refusal| match refusal {
        Violation::Publish { count, .. } => Some(*count),
        _ => None,
    });
    check(
        wrong,
        publish == (unlisted > 0 && !truth.flags.publish).then_some(unlisted),
        "other rooms are refused to become public",
    );
    let expected = [
        (
            LimitKind::Messages,
            bound && over(limits.messages, summary.messages, rooms),
        ),
        (
            LimitKind::Create,
            bound && over(limits.create, summary.create, rooms),
        ),
        (
            LimitKind::Update,
            bound && over(limits.update, summary.update, rooms),
        ),
        (
            LimitKind::AddMembers,
            bound && over(limits.add_members, adds, members.sum()),
        ),
    ];
    for (kind, refused) in expected {
        let reported = plan
            .refusals
            .iter()
            .any(|refusal| matches!(refusal, Violation::Limit { kind: reported, .. } if *reported == kind));
        if reported != refused {
            wrong.push(format!(
                "{kind:?}: refused {reported}, over the limit {refused}"
            ));
        }
    }
    let again = plan.changes.iter().any(|change| change.recreate);
    let reported = plan
        .refusals
        .iter()
        .any(|refusal| matches!(refusal, Violation::Recreate { .. }));
    check(
        wrong,
        reported == (again && !truth.flags.recreate),
        "recreated without a refusal",
    );
    let stood = |pipe: &&Pipe| truth.account.declared.get(*pipe) != Some(&false);
    let known = truth.account.ids.keys().filter(stood).count();
    let left = truth.account.ids.keys().filter(stood);
    let left = left.filter(|pipe| !truth.wishes.rooms.contains_key(*pipe));
    let suspicious = known > 0 && summary.create.min(left.count()) * 2 > known;
    let reported = plan
        .refusals
        .iter()
        .any(|refusal| matches!(refusal, Violation::MassChange { .. }));
    check(
        wrong,
        reported == (bound && suspicious),
        "a mass change is not reported, or reported wrongly",
    );
    let (now, before) = (truth.wishes.given(), truth.account.given.get(ROSTER));
    let reported = plan.refusals.iter().find_map(|refusal| match refusal {
        Violation::Shrunk { now, before, .. } => Some((*now, *before)),
        _ => None,
    });
    let before = before.copied().unwrap_or_default();
    check(
        wrong,
        reported == (bound && now * 2 < before).then_some((now, before)),
        "a shrunk roster is not reported, or reported wrongly",
    );
}
