//! A plan with hostile text in every text field: every renderer must escape it in every sentence.

use std::sync::Arc;

use roomform::manifest::{Loaded, Options, load_text};
use roomform::model::{
    Field, FieldValue, Limit, MembersPolicy, Observed, PendingField, Pipe, Recorded, Release,
    RoomId, RoomKind, Target, Time, UserId, UserNames, Welcome, WidgetId,
};
use roomform::plan::{
    Change, ChangedBy, Conflict, ConflictKind, Difference, FieldChange, LeaveReason, LeftRoom,
    LimitKind, ManifestDiff, ManualSteps, MemberTally, Members, Note, OpenStep, People, Plan,
    PlanOptions, Publish, PublishPermit, Removed, RoomDifference, ShownField, Violation, plan,
};
use roomform::render::markdown::{Dialect, Fit};
use roomform::render::{self, CsvReader, Paint, github, html};
use roomform::view::{self, View};

use super::hostile::{annotated, in_code};
use super::markdown_page;
use super::rendered::Rendered;
use crate::support::Shows;

/// Text that every renderer must escape.
const HOSTILE: &str =
    "@a|`<b>[x](y)\u{202e}##[z]#1 www.e.x :t: ::error::%0A\u{1b}[2J!1~l&e$s\\*_^{0}";

fn text() -> String {
    HOSTILE.to_owned()
}

fn pipe() -> Pipe {
    Pipe::new(HOSTILE)
}

fn file() -> Arc<str> {
    Arc::from(HOSTILE)
}

fn users() -> Vec<UserId> {
    vec![UserId(1_234_567), UserId(3)]
}

fn user_names() -> UserNames {
    let names = users().into_iter().map(|user| (user, text()));
    Arc::new(names.collect())
}

fn open_step(user: UserId) -> OpenStep {
    OpenStep {
        user,
        reason: LeaveReason::Excluded,
        since: Time(1_796_009_160_999),
        age: 14,
        run: Arc::from(HOSTILE),
    }
}

fn titles() -> (FieldValue, FieldValue) {
    let title = || FieldValue::Text(text());
    (title(), title())
}

/// A change of each kind.
fn changes() -> Vec<Change> {
    let text = serde_json::to_string(&HOSTILE.replace(char::is_control, " ")).unwrap();
    let loaded = load_text(
        "rooms.yaml",
        &format!("version: 1\nrooms: [{{pipe: {text}, title: {text}}}]\n"),
        Options::default(),
    );
    let (observed, recorded) = (Observed::default(), Recorded::default());
    let first = plan(
        &target(),
        &loaded.desired,
        &observed,
        &recorded,
        &PlanOptions::default(),
    );
    let mut create = first.changes[0].clone();
    create.pipe = pipe();
    create.file = file();
    create.send.title = HOSTILE.to_owned();
    create.welcome = Some(Welcome {
        from: UserId(3),
        text: HOSTILE.to_owned(),
    });
    create.members = Members {
        new: users().into(),
        unknown: users().into(),
        known: 2,
        adopted: 1,
    };
    let (before, after) = titles();
    let fields = [
        (Field::Title, before, after),
        (
            Field::Kind,
            FieldValue::Kind(RoomKind::Other(7)),
            FieldValue::Kind(RoomKind::Dialog),
        ),
        (
            Field::Public,
            FieldValue::Public(false),
            FieldValue::Public(true),
        ),
    ];
    let fields = fields.map(|(field, before, after)| FieldChange {
        was_sent: false,
        field,
        before,
        after,
        changed: ChangedBy {
            outside: true,
            manifest: true,
        },
    });
    let update = |fields: &[FieldChange]| Change {
        room_id: Some(RoomId(1_234_567)),
        fields: fields.to_vec(),
        publish: Some(Publish {
            inside: Some(2),
            to_remove: 1,
            permit: Some(PublishPermit::Limit {
                entry: HOSTILE.to_owned(),
                is_added: true,
            }),
        }),
        ..create.clone()
    };
    let again = Change {
        recreate: true,
        ..create.clone()
    };
    vec![
        update(&fields),
        update(&fields[..2]),
        update(&[]),
        again,
        create,
    ]
}

fn notes() -> Vec<Note> {
    let (recorded, live) = (RoomId(1_234_567), RoomId(2));
    let all = vec![
        Note::Recreated {
            pipe: pipe(),
            recorded,
            live,
        },
        Note::Renamed {
            from: pipe(),
            to: pipe(),
            same_title: true,
        },
        Note::WelcomeUncertain {
            pipe: pipe(),
            room: recorded,
        },
        Note::Pending {
            pipe: pipe(),
            field: Field::Title,
            was: PendingField {
                sent: FieldValue::Text(HOSTILE.to_owned()),
                shown: FieldValue::Text(HOSTILE.to_uppercase()),
                since: Time(1_767_225_600_000),
                updated_at: Some(HOSTILE.into()),
            },
        },
        Note::LooksLike {
            pipe: pipe(),
            live: Pipe::new(HOSTILE.to_uppercase()),
        },
        Note::Assumed(MemberTally {
            rooms: 1,
            members: 2,
        }),
        Note::Adopted(MemberTally {
            rooms: 1,
            members: 2,
        }),
        Note::Ending(MemberTally {
            rooms: 1,
            members: 2,
        }),
        Note::NotSent(MemberTally {
            rooms: 1,
            members: 2,
        }),
        Note::AlreadyPublic(vec![text()]),
        Note::LeftOut {
            rooms: 3,
            flags: "--only",
        },
        Note::OtherShards {
            shard: roomform::plan::Shard::new(1, std::num::NonZeroU32::MIN),
            rooms: 3,
        },
    ];
    // Add new notes to the list above.
    for note in &all {
        match note {
            Note::Recreated { .. } | Note::Renamed { .. } | Note::WelcomeUncertain { .. } => {}
            Note::LooksLike { .. } | Note::Assumed(_) | Note::LeftOut { .. } => {}
            Note::Adopted(_) | Note::AlreadyPublic(_) | Note::Pending { .. } => {}
            Note::OtherShards { .. } | Note::Ending(_) | Note::NotSent(_) => {}
        }
    }
    all
}

fn refusals() -> Vec<Violation> {
    let rooms = || vec![pipe(), pipe()];
    let limit = |kind| Violation::Limit {
        kind,
        count: 7,
        allowed: 1,
        share: Some(1250),
    };
    let mut all: Vec<Violation> = LimitKind::ALL.into_iter().map(limit).collect();
    all.push(Violation::Publish {
        count: 7,
        rooms: rooms(),
    });
    all.push(Violation::Recreate {
        count: 7,
        rooms: rooms(),
    });
    all.push(Violation::MassChange {
        created: 3,
        left: 4,
        known: 5,
    });
    all.push(Violation::Shrunk {
        source: text().into(),
        now: 3,
        before: 9,
    });
    for refusal in &all {
        match refusal {
            Violation::Limit { .. } | Violation::Publish { .. } => {}
            Violation::Recreate { .. } => {}
            Violation::MassChange { .. } | Violation::Shrunk { .. } => {}
        }
    }
    all
}

fn differences() -> Vec<Difference> {
    let (before, after) = titles();
    let welcome = || {
        Some(Welcome {
            from: UserId(3),
            text: text(),
        })
    };
    let rooms = vec![
        RoomDifference::NotSent(users()),
        RoomDifference::Policy(MembersPolicy::Ensure),
        RoomDifference::Policy(MembersPolicy::OnCreate),
        RoomDifference::Kept {
            field: Field::Title,
            before: before.clone(),
            after,
        },
        RoomDifference::Ignored(Field::Title),
        RoomDifference::Managed(Field::Title, before),
        RoomDifference::Welcome {
            before: welcome(),
            after: welcome(),
        },
        RoomDifference::Excluded(users()),
        RoomDifference::Readmitted(users()),
    ];
    for what in &rooms {
        match what {
            RoomDifference::NotSent(_) | RoomDifference::Policy(_) => {}
            RoomDifference::Kept { .. } | RoomDifference::Ignored(_) => {}
            RoomDifference::Managed(..) | RoomDifference::Welcome { .. } => {}
            RoomDifference::Excluded(_) | RoomDifference::Readmitted(_) => {}
        }
    }
    let rooms = rooms
        .into_iter()
        .map(|what| Difference::Room { pipe: pipe(), what });
    let whole = [
        Difference::Widget {
            before: None,
            after: Some(WidgetId(7)),
        },
        Difference::Scope {
            before: vec![text()],
            after: Vec::new(),
        },
        Difference::Publish {
            before: Vec::new(),
            after: vec![text()],
        },
        Difference::Limit {
            key: "update",
            before: None,
            after: Some(Limit::Share(1250)),
        },
    ];
    whole.into_iter().chain(rooms).collect()
}

fn target() -> Target {
    Target {
        origin: format!("https://{HOSTILE}"),
        widget: WidgetId(627),
    }
}

fn of_a_widget() -> Plan {
    let loaded = Loaded::default();
    let (observed, recorded) = (Observed::default(), Recorded::default());
    let mut plan = plan(
        &target(),
        &loaded.desired,
        &observed,
        &recorded,
        &PlanOptions::default(),
    );
    let kinds = [
        ConflictKind::Several(vec![RoomId(1), RoomId(1_234_567)]),
        ConflictKind::Deleted(vec![RoomId(1_234_567)]),
        ConflictKind::Vanished(RoomId(1_234_567)),
        ConflictKind::NotListed(Some(RoomId(1_234_567))),
    ];
    let conflict = |kind| Conflict {
        pipe: pipe(),
        file: file(),
        line: 3,
        kind,
    };
    let (sent, shown) = titles();
    plan.changes = changes();
    plan.names = user_names();
    plan.conflicts = kinds.map(conflict).to_vec();
    plan.manual_steps = vec![ManualSteps {
        pipe: pipe(),
        id: RoomId(1_234_567),
        title: HOSTILE.to_owned(),
        place: Some((file(), 3)),
        newly_removed: users(),
        previously_removed: users().into_iter().map(open_step).collect(),
    }];
    plan.left_rooms = vec![LeftRoom {
        pipe: pipe(),
        id: RoomId(1_234_567),
        title: HOSTILE.to_owned(),
        members: users(),
        release: Release {
            since: Time(1_796_009_160_999),
            run: Arc::from(HOSTILE),
        },
        age: 14,
    }];
    plan.baseline.left = vec![pipe(), pipe()];
    plan.note_overdue(14);
    let ignored = |(field, sent, shown)| ShownField {
        pipe: pipe(),
        room: RoomId(1_234_567),
        field,
        sent,
        shown,
    };
    let visibility = [true, false].map(FieldValue::Public);
    let [closed, public] = visibility;
    plan.ignored = [(Field::Title, sent, shown), (Field::Public, closed, public)]
        .map(ignored)
        .to_vec();
    plan.notes = notes();
    plan.refusals = refusals();
    plan.summary.unknown = MemberTally {
        rooms: 1,
        members: 2,
    };
    plan
}

fn two_manifests() -> ManifestDiff {
    let removed = Removed {
        pipe: pipe(),
        file: file(),
        line: 3,
        title: text(),
        members: 2,
    };
    ManifestDiff {
        base: text(),
        head: text(),
        plan: of_a_widget(),
        removed: vec![removed],
        differences: differences(),
        people: People {
            join: 1,
            joined_rooms: 1,
            leave: 1,
            left_rooms: 1,
        },
    }
}

/// Calls `each` with the view of a plan and with that of a diff.
fn views(each: impl Fn(&View<'_>)) {
    let loaded = Loaded::default();
    each(&view::plan(&of_a_widget(), &loaded));
    each(&view::manifest_diff(&two_manifests(), &loaded));
}

#[test]
fn a_checklist_escapes_every_field() {
    let plan = of_a_widget();
    let view = view::todo(
        &plan.target,
        &plan.manual_steps,
        &plan.left_rooms,
        &plan.names,
    );
    let page = markdown_page(&view, Fit::default());
    let read = Rendered::as_on_github(&page);
    let shown = in_code(HOSTILE);
    let hostile = read.code.iter().filter(|code| **code == shown);
    assert_eq!(hostile.count(), 9, "{page}");
    read.words.lacks("1234567");
    let text = as_text(&view);
    text.lacks("##").lacks("\u{1b}").lacks("::error");
    for reader in [CsvReader::Program, CsvReader::Spreadsheet] {
        let mut csv = Vec::new();
        render::todo(
            &plan.manual_steps,
            &plan.left_rooms,
            &plan.names,
            reader,
            &mut csv,
        )
        .unwrap();
        let csv = String::from_utf8(csv).unwrap();
        csv.lacks("\u{1b}");
    }
}

#[test]
fn markdown_escapes_every_field() {
    views(|view| {
        for dialect in [Dialect::Html, Dialect::Plain] {
            let fit = Fit {
                bytes: None,
                dialect,
            };
            let page = markdown_page(view, fit);
            let read = Rendered::as_on_github(&page);
            let shown = in_code(HOSTILE);
            assert!(
                read.code.iter().filter(|code| **code == shown).count() > 30,
                "{page}"
            );
            // `--shard 1/1` is text of the program, so it is not escaped.
            let words = read.words.replace("--shard 1/1 ", "");
            let sign = words.chars().find(|c| "@#!~&$/<>[]{}|\\*^".contains(*c));
            assert_eq!(sign, None, "{}", read.words);
            // A site could turn a number of seven digits into a link to a commit.
            read.words.lacks("1234567");
        }
    });
}

fn as_text(view: &View<'_>) -> String {
    let mut text = Vec::new();
    render::write(view, Paint::Plain, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn text_and_annotations_escape_every_field() {
    views(|view| {
        let text = as_text(view);
        let hidden = text
            .chars()
            .find(|c| *c != '\n' && roomform::model::is_hidden(*c));
        assert_eq!(hidden, None, "{text}");
        text.lacks("##");
        let lines = github::write(view);
        let annotations = annotated(&lines);
        assert!(annotations.len() > 15, "{lines}");
    });
}

#[test]
fn html_escapes_every_field() {
    views(|view| {
        let mut page = Vec::new();
        html::write(view, &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        let (body, _) = page.split_once("<script>").unwrap();
        let (_, body) = body.split_once("<body>").unwrap();
        let hidden = body
            .chars()
            .find(|c| *c != '\n' && roomform::model::is_hidden(*c));
        assert_eq!(hidden, None, "{body}");
        body.lacks("<b>").lacks("##");
    });
}
