//! The JSON form of a ledger: a header line, then one entry per line.

use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::entry::{Entries, Fact, PipeFact, RoomFact, Stage, Stamp, parse_time, time_text};
use crate::model::{
    Field, FieldSet, FieldValue, Pipe, RoomId, RoomKind, RoomState, Target, UserId, WidgetId,
};

/// The format version to write, and the newest version that can be read.
pub(super) const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) roomform_ledger: u32,
    pub(super) origin: String,
    pub(super) widget: u64,
    /// The fingerprints of the ledgers that this ledger was made from, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) replaces: Vec<String>,
    #[serde(flatten)]
    pub(super) link: Link,
}

/// Refers to the objects in a bucket that were written before a piece. A reader can then tell
/// if one of these objects is lost.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Link {
    /// The fingerprint of the base when the piece was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) base: Option<String>,
    /// The names of the last pieces that are not in this base.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) follows: Vec<String>,
}

impl Header {
    pub(super) fn new(target: &Target) -> Self {
        Self {
            roomform_ledger: VERSION,
            origin: target.origin.clone(),
            widget: target.widget.0,
            replaces: Vec::new(),
            link: Link::default(),
        }
    }

    pub(super) fn target(&self) -> Target {
        Target {
            origin: self.origin.clone(),
            widget: WidgetId(self.widget),
        }
    }
}

/// A text in a line. It is copied only if it has escapes.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a, T: Into<Cow<'a, str>>> From<T> for Text<'a> {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

/// The keys of all kinds of entries, in the order in which they are written. A line has only the
/// keys of its kind.
#[derive(Debug, Default, Serialize, Deserialize)]
struct EntryLine<'a> {
    #[serde(borrow)]
    run: Text<'a>,
    seq: u64,
    time: Text<'a>,
    kind: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pipe: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public: Option<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    kept: Vec<Text<'a>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    created: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    welcome: bool,
    /// Whether the manual step of a `released` entry is done. Only old versions wrote this key.
    #[serde(default, skip_serializing)]
    taken_out: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shown: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    of_run: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    declared: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
}

/// Serializes a ledger: its header, and then its entries.
///
/// # Errors
/// Does not fail in practice, because every entry can be serialized.
pub fn bytes(target: &Target, entries: &Entries) -> Result<Vec<u8>, serde_json::Error> {
    bytes_after(&Header::new(target), entries)
}

/// Serializes a ledger with this header.
pub(super) fn bytes_after(header: &Header, entries: &Entries) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write_ledger(&mut bytes, header, entries)?;
    Ok(bytes)
}

pub(super) fn write_ledger(
    out: &mut impl Write,
    header: &Header,
    entries: &Entries,
) -> serde_json::Result<()> {
    write_line(out, header)?;
    let mut entries = entries.iter();
    entries.try_for_each(|(stamp, fact)| write_entry(out, stamp, fact))
}

pub(super) fn write_entry(
    out: &mut impl Write,
    stamp: &Stamp,
    fact: &Fact,
) -> serde_json::Result<()> {
    write_line(out, &EntryLine::new(stamp, fact))
}

fn write_line(out: &mut impl Write, line: &impl Serialize) -> serde_json::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n").map_err(serde_json::Error::custom)
}

/// Parses an entry. Its stamp shares the texts that it has in common with the stamp `before`.
pub(super) fn parse_entry(
    line: &[u8],
    before: Option<&Stamp>,
) -> serde_json::Result<(Stamp, Fact)> {
    // Check the encoding once, and not for each text.
    let line = str::from_utf8(line).map_err(serde_json::Error::custom)?;
    serde_json::from_str::<EntryLine<'_>>(line)?.into_entry(before)
}

impl<'a> EntryLine<'a> {
    fn new(stamp: &'a Stamp, fact: &'a Fact) -> Self {
        let members = fact.members();
        let mut line = Self {
            run: (&*stamp.run).into(),
            seq: stamp.sequence,
            time: (&*stamp.time).into(),
            kind: kind_name(fact).into(),
            pipe: fact.pipe().map(|pipe| pipe.as_str().into()),
            room_id: fact.room().map(|room| room.0),
            members: members.map(|members| members.iter().map(|user| user.0).collect()),
            source: fact.source().map(Into::into),
            ..Self::default()
        };
        match fact {
            Fact::Pipe(_, fact) => match fact {
                PipeFact::Intent { welcome, .. } => line.welcome = *welcome,
                PipeFact::NotCreated(of_run) => line.of_run = of_run.as_deref().map(Into::into),
                PipeFact::Declared(declared) => line.declared = Some(*declared),
                PipeFact::Forgotten => {}
            },
            Fact::Room(.., fact) => match fact {
                RoomFact::Confirmed {
                    sent,
                    kept,
                    created,
                    ..
                } => {
                    line.title = Some(sent.title.as_str().into());
                    line.r#type = Some(sent.kind.number());
                    line.public = Some(sent.public);
                    line.kept = kept.iter().map(|field| field.name().into()).collect();
                    line.created = *created;
                }
                RoomFact::Pending {
                    field,
                    sent,
                    shown,
                    updated_at,
                    since,
                } => {
                    line.set_field(*field, sent, shown);
                    line.updated_at = updated_at.as_deref().map(Into::into);
                    line.since = since.map(|since| time_text(since).into());
                }
                RoomFact::Shown { field, sent, shown } => line.set_field(*field, sent, shown),
                RoomFact::Message { from, stage } => {
                    line.from = Some(from.0);
                    line.stage = Some(stage.name().into());
                }
                RoomFact::Counted { count, offset } => {
                    line.count = Some(*count);
                    line.offset = *offset;
                }
                RoomFact::Adopted(_) | RoomFact::Released { .. } | RoomFact::Seen => {}
            },
            Fact::Roster { given, .. } => line.given = Some(*given),
        }
        line
    }

    fn set_field(&mut self, field: Field, sent: &FieldValue, shown: &FieldValue) {
        self.field = Some(field.name().into());
        self.sent = Some(json_value(sent));
        self.shown = Some(json_value(shown));
    }

    fn into_entry(self, before: Option<&Stamp>) -> serde_json::Result<(Stamp, Fact)> {
        let stamp = Stamp {
            time: shared(&self.time.0, before.map(|before| &before.time)),
            run: shared(&self.run.0, before.map(|before| &before.run)),
            sequence: self.seq,
        };
        let pipe = || required(self.pipe, "pipe").map(|pipe| Pipe::new(pipe.0));
        let members = || {
            let numbers = required(self.members, "members")?;
            serde_json::Result::Ok(numbers.into_iter().map(UserId).collect())
        };
        let values = || {
            let field = parse_field(&required(self.field, "field")?.0)?;
            let sent = parse_value(field, &required(self.sent, "sent")?)?;
            let shown = parse_value(field, &required(self.shown, "shown")?)?;
            serde_json::Result::Ok((field, sent, shown))
        };
        let fact = match &*self.kind.0 {
            "intent" => {
                let (members, welcome) = (members()?, self.welcome);
                Fact::Pipe(pipe()?, PipeFact::Intent { members, welcome })
            }
            "not_created" => {
                let of_run = self.of_run.map(|run| run.0.into_owned());
                Fact::Pipe(pipe()?, PipeFact::NotCreated(of_run))
            }
            "declared" => {
                let declared = required(self.declared, "declared")?;
                Fact::Pipe(pipe()?, PipeFact::Declared(declared))
            }
            "forgotten" => Fact::Pipe(pipe()?, PipeFact::Forgotten),
            "roster" => Fact::Roster {
                source: required(self.source, "source")?.0.into_owned(),
                given: required(self.given, "given")?,
            },
            kind => {
                let fact = match kind {
                    "confirmed" => RoomFact::Confirmed {
                        members: members()?,
                        sent: RoomState {
                            title: required(self.title, "title")?.0.into_owned(),
                            kind: RoomKind::from_number(required(self.r#type, "type")?),
                            public: required(self.public, "public")?,
                        },
                        kept: parse_fields(&self.kept)?,
                        created: self.created,
                        source: self.source.map(|source| source.0.into()),
                    },
                    "adopted" => RoomFact::Adopted(members()?),
                    "released" | "done" => RoomFact::Released {
                        members: members()?,
                        taken_out: self.taken_out || kind == "done",
                    },
                    "pending" => {
                        let (field, sent, shown) = values()?;
                        RoomFact::Pending {
                            field,
                            sent,
                            shown,
                            updated_at: self.updated_at.map(|at| at.0.into()),
                            since: self.since.and_then(|since| parse_time(&since.0)),
                        }
                    }
                    "shown" => {
                        let (field, sent, shown) = values()?;
                        RoomFact::Shown { field, sent, shown }
                    }
                    "message" => RoomFact::Message {
                        from: UserId(required(self.from, "from")?),
                        stage: parse_stage(&required(self.stage, "stage")?.0)?,
                    },
                    "seen" => RoomFact::Seen,
                    "counted" => RoomFact::Counted {
                        count: required(self.count, "count")?,
                        offset: self.offset,
                    },
                    other => return Err(unknown("kind", other)),
                };
                Fact::Room(pipe()?, RoomId(required(self.room_id, "room_id")?), fact)
            }
        };
        Ok((stamp, fact))
    }
}

pub(super) fn kind_name(fact: &Fact) -> &'static str {
    match fact {
        Fact::Pipe(_, PipeFact::Intent { .. }) => "intent",
        Fact::Pipe(_, PipeFact::NotCreated(_)) => "not_created",
        Fact::Pipe(_, PipeFact::Declared(_)) => "declared",
        Fact::Pipe(_, PipeFact::Forgotten) => "forgotten",
        Fact::Room(.., RoomFact::Confirmed { .. }) => "confirmed",
        Fact::Room(.., RoomFact::Adopted(_)) => "adopted",
        Fact::Room(.., RoomFact::Released { taken_out, .. }) => match taken_out {
            true => "done",
            false => "released",
        },
        Fact::Room(.., RoomFact::Pending { .. }) => "pending",
        Fact::Room(.., RoomFact::Shown { .. }) => "shown",
        Fact::Room(.., RoomFact::Message { .. }) => "message",
        Fact::Room(.., RoomFact::Seen) => "seen",
        Fact::Room(.., RoomFact::Counted { .. }) => "counted",
        Fact::Roster { .. } => "roster",
    }
}

fn shared(text: &str, known: Option<&Arc<str>>) -> Arc<str> {
    let known = known.filter(|known| ***known == *text);
    known.map_or_else(|| text.into(), Arc::clone)
}

fn required<T>(value: Option<T>, key: &'static str) -> serde_json::Result<T> {
    value.ok_or_else(|| serde_json::Error::missing_field(key))
}

fn unknown(key: &str, name: &str) -> serde_json::Error {
    serde_json::Error::custom(format!("unknown {key} `{name}`"))
}

fn parse_field(name: &str) -> serde_json::Result<Field> {
    Field::from_name(name).ok_or_else(|| unknown("field", name))
}

fn parse_fields(names: &[Text<'_>]) -> serde_json::Result<FieldSet> {
    names.iter().map(|name| parse_field(&name.0)).collect()
}

fn parse_stage(name: &str) -> serde_json::Result<Stage> {
    Stage::from_name(name).ok_or_else(|| unknown("stage", name))
}

fn json_value(value: &FieldValue) -> Value {
    match value {
        FieldValue::Text(text) => text.as_str().into(),
        FieldValue::Kind(kind) => kind.number().into(),
        FieldValue::Public(public) => (*public).into(),
    }
}

fn parse_value(field: Field, value: &Value) -> serde_json::Result<FieldValue> {
    let parsed = match field {
        Field::Title => value.as_str().map(|it| FieldValue::Text(it.to_owned())),
        Field::Kind => value
            .as_i64()
            .map(|it| FieldValue::Kind(RoomKind::from_number(it))),
        Field::Public => value.as_bool().map(FieldValue::Public),
    };
    let name = field.name();
    parsed.ok_or_else(|| serde_json::Error::custom(format!("`{value}` is not a value of `{name}`")))
}
