//! What differs between two manifests and leads to no change of a room: guards, policies, what is ignored, who is excluded.

use std::collections::BTreeSet;

use super::compare::{Difference, RoomDifference};
use crate::model::{Desired, DesiredRoom, Field, MembersPolicy, UserId};

/// What two manifests say differently as a whole.
pub(super) fn between(base: &Desired, head: &Desired) -> Vec<Difference> {
    let Desired {
        widget,
        scope,
        limits,
        rooms: _,
        files: _,
        rosters: _,
    } = base;
    let mut found = Vec::new();
    if *widget != head.widget {
        found.push(Difference::Widget {
            before: *widget,
            after: head.widget,
        });
    }
    let set = |globs: &[String]| -> BTreeSet<String> { globs.iter().cloned().collect() };
    if set(scope) != set(&head.scope) {
        found.push(Difference::Scope {
            before: scope.clone(),
            after: head.scope.clone(),
        });
    }
    let pairs = limits.each().into_iter().zip(head.limits.each());
    found.extend(
        pairs
            .filter(|((_, before), (_, after))| before != after)
            .map(|((key, before), (_, after))| Difference::Limit { key, before, after }),
    );
    found
}

/// What two manifests say differently of a room that both have, and no change of it tells.
pub(super) fn in_room(before: &DesiredRoom, after: &DesiredRoom) -> Vec<Difference> {
    let DesiredRoom {
        pipe,
        state,
        // Told by the change, and by what is left to people.
        members: _,
        exclude,
        policy,
        ignore,
        welcome,
        place: _,
    } = before;
    let mut found = Vec::new();
    if *policy != after.policy {
        found.push(RoomDifference::Policy(after.policy));
    }
    if after.policy == MembersPolicy::OnCreate {
        let came = after.members.iter().map(|member| member.user);
        let came: Vec<UserId> = came.filter(|user| !before.has_member(*user)).collect();
        push_users(&mut found, came, RoomDifference::NotSent);
    }
    for field in Field::ALL {
        let values = (state.value(field), after.state.value(field));
        match (ignore.contains(field), after.ignore.contains(field)) {
            (true, false) => found.push(RoomDifference::Managed(field, values.1)),
            (was, true) => {
                if !was {
                    found.push(RoomDifference::Ignored(field));
                }
                let (before, after) = values;
                if before != after {
                    found.push(RoomDifference::Kept {
                        field,
                        before,
                        after,
                    });
                }
            }
            (false, false) => {}
        }
    }
    if *welcome != after.welcome {
        found.push(RoomDifference::Welcome {
            before: welcome.clone(),
            after: after.welcome.clone(),
        });
    }
    let excluded = after.exclude.difference(exclude).copied().collect();
    push_users(&mut found, excluded, RoomDifference::Excluded);
    let readmitted = exclude.difference(&after.exclude).copied().collect();
    push_users(&mut found, readmitted, RoomDifference::Readmitted);
    found
        .into_iter()
        .map(|what| Difference::Room {
            pipe: pipe.clone(),
            what,
        })
        .collect()
}

fn push_users(
    found: &mut Vec<RoomDifference>,
    users: Vec<UserId>,
    what: fn(Vec<UserId>) -> RoomDifference,
) {
    if !users.is_empty() {
        found.push(what(users));
    }
}
