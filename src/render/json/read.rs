//! A plan out of its document: enough to compare it with another, not to apply it.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::FORMAT;
use crate::model::{
    Field, FieldSet, FieldValue, Observed, Pipe, RoomId, RoomKind, RoomState, Target, UserId,
    Welcome, WidgetId,
};
use crate::plan::{
    Action, ByHand, Change, Changed, Conflict, ConflictKind, Digest, FieldChange, Members, Plan,
};
use crate::render::escape::brief;

/// What every document of ours starts with, and no manifest has.
#[derive(Debug, Deserialize)]
struct Head {
    format: Option<IgnoredAny>,
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
struct PlanText {
    format: u32,
    target: TargetText,
    changes: Vec<ChangeText>,
    conflicts: Vec<ConflictText>,
    by_hand: Vec<ByHandText>,
}

#[derive(Debug, Deserialize)]
struct TargetText {
    origin: String,
    widget: u64,
}

#[derive(Debug, Deserialize)]
struct ChangeText {
    pipe: String,
    file: String,
    line: u32,
    action: String,
    room_id: Option<u64>,
    recreate: bool,
    fields: Vec<FieldText>,
    send: StateText,
    members: MembersText,
    welcome: Option<WelcomeText>,
}

#[derive(Debug, Deserialize)]
struct FieldText {
    field: String,
    before: ValueText,
    after: ValueText,
    /// Absent in plans of before it was told.
    #[serde(default)]
    changed: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ValueText {
    Text(String),
    Bool(bool),
}

#[derive(Debug, Deserialize)]
struct StateText {
    title: String,
    r#type: String,
    public: bool,
}

#[derive(Debug, Deserialize)]
struct MembersText {
    new: Vec<u64>,
    unverified: Vec<u64>,
    recorded: usize,
}

#[derive(Debug, Deserialize)]
struct WelcomeText {
    from: u64,
    text: String,
}

#[derive(Debug, Deserialize)]
struct ConflictText {
    pipe: String,
    file: String,
    line: u32,
    kind: String,
    room_ids: Vec<u64>,
}

#[derive(Debug, Deserialize)]
struct ByHandText {
    pipe: String,
    room_id: u64,
    left: Vec<u64>,
    released: Vec<u64>,
}

/// The `kind` of a document of ours; empty if it has a `format` and no kind, `None` if it is something else, such as a manifest.
pub fn document_kind(text: &str) -> Option<String> {
    let head: Head = serde_json::from_str(text).ok()?;
    head.format.map(|_| head.kind.unwrap_or_default())
}

/// The plan of a [`PlanDocument`](super::PlanDocument). Its digests are those of nothing.
///
/// # Errors
/// What is wrong with the text.
pub fn read_plan(text: &str) -> Result<Plan, String> {
    let plan: PlanText = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if plan.format != FORMAT {
        return Err(format!(
            "it has format {}, this roomform reads format {FORMAT}",
            plan.format
        ));
    }
    let mut read = Plan::empty(&Target {
        origin: plan.target.origin,
        widget: WidgetId(plan.target.widget),
    });
    for text in plan.changes {
        read.push(change(text)?);
    }
    for text in plan.conflicts {
        read.conflicts.push(conflict(text)?);
    }
    read.by_hand = plan.by_hand.into_iter().map(by_hand).collect();
    Ok(read)
}

/// The same plan with its welcomes as a document has them: shortened for reading.
#[must_use]
pub fn as_in_document(mut plan: Plan) -> Plan {
    for welcome in plan.changes.iter_mut().filter_map(|it| it.welcome.as_mut()) {
        welcome.text = brief(&welcome.text);
    }
    plan
}

fn change(text: ChangeText) -> Result<Change, String> {
    let fields = text
        .fields
        .into_iter()
        .map(field)
        .collect::<Result<_, _>>()?;
    let action = match (text.action.as_str(), text.room_id) {
        ("create", _) => Action::Create,
        ("update" | "add_members" | "welcome", Some(id)) => Action::Update {
            id: RoomId(id),
            fields,
        },
        (other, _) => return Err(format!("`{other}` is no action of a plan")),
    };
    let pipe = Pipe::new(text.pipe);
    Ok(Change {
        digest: Digest::of(&Observed::default(), &pipe),
        pipe,
        file: text.file.into(),
        line: text.line,
        action,
        send: RoomState {
            title: text.send.title,
            kind: kind(&text.send.r#type)?,
            public: text.send.public,
        },
        // A document is compared, not applied.
        kept: FieldSet::default(),
        members: Members {
            new: users(text.members.new),
            unverified: users(text.members.unverified),
            recorded: text.members.recorded,
        },
        welcome: text.welcome.map(|WelcomeText { from, text }| Welcome {
            from: UserId(from),
            text,
        }),
        recreate: text.recreate,
    })
}

fn field(text: FieldText) -> Result<FieldChange, String> {
    let name = text.field;
    let field = Field::from_name(&name).ok_or_else(|| format!("`{name}` is no field of a room"))?;
    let value = |value: ValueText| match (field, value) {
        (Field::Title, ValueText::Text(title)) => Ok(FieldValue::Title(title)),
        (Field::Kind, ValueText::Text(word)) => kind(&word).map(FieldValue::Kind),
        (Field::Public, ValueText::Bool(public)) => Ok(FieldValue::Public(public)),
        _ => Err(format!("a value that `{name}` cannot have")),
    };
    Ok(FieldChange {
        field,
        before: value(text.before)?,
        after: value(text.after)?,
        changed: Changed {
            outside: text.changed.iter().any(|who| who == "outside"),
            manifest: text.changed.iter().any(|who| who == "manifest"),
        },
    })
}

fn kind(word: &str) -> Result<RoomKind, String> {
    let named = [RoomKind::Dialog, RoomKind::Conference, RoomKind::Support]
        .into_iter()
        .find(|kind| kind.to_string() == word);
    let number = || word.strip_prefix("type ")?.parse().ok();
    named
        .or_else(|| number().map(RoomKind::from_number))
        .ok_or_else(|| format!("`{word}` is no type of a room"))
}

fn conflict(text: ConflictText) -> Result<Conflict, String> {
    let ids: Vec<RoomId> = text.room_ids.into_iter().map(RoomId).collect();
    let kind = match (text.kind.as_str(), ids.as_slice()) {
        ("several", _) => ConflictKind::Several(ids),
        ("deleted", _) => ConflictKind::Deleted(ids),
        ("vanished", [id]) => ConflictKind::Vanished(*id),
        (other, _) => return Err(format!("`{other}` is no conflict of a plan")),
    };
    Ok(Conflict {
        pipe: Pipe::new(text.pipe),
        file: text.file.into(),
        line: text.line,
        kind,
    })
}

fn by_hand(text: ByHandText) -> ByHand {
    ByHand {
        pipe: Pipe::new(text.pipe),
        id: RoomId(text.room_id),
        left: users(text.left),
        released: users(text.released),
    }
}

fn users(ids: Vec<u64>) -> Vec<UserId> {
    ids.into_iter().map(UserId).collect()
}
