//! The rooms after rosters and templates: as a manifest in JSON, and as CSV with a line for each member. Written as they come, so that
//! a hundred thousand rooms are not piled up first; equal input gives equal bytes.

use std::io::{self, Write};
use std::iter;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::manifest::verbatim;
use crate::model::{
    Desired, DesiredRoom, Field, FieldValue, Limit, Limits, MembersPolicy, RoomKind, RoomState,
    UserId, Welcome,
};

/// A room of a manifest, as the manifest's language has it.
#[derive(Debug, Serialize)]
struct RoomLine<'a> {
    pipe: &'a str,
    #[serde(flatten)]
    state: StateLine<'a>,
    members: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exclude: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members_policy: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignore: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    welcome: Option<WelcomeLine>,
}

/// A welcome whose text is filled in, and a template that comes to it.
#[derive(Debug, Serialize)]
struct WelcomeLine {
    from: u64,
    text: String,
}

/// The fields of a room as a manifest has them.
#[derive(Debug)]
struct StateLine<'a>(&'a RoomState);

impl Serialize for StateLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for field in Field::ALL {
            let name = field.name();
            match self.0.raw(field) {
                FieldValue::Text(text) => map.serialize_entry(name, &text)?,
                FieldValue::Kind(RoomKind::Other(number)) => map.serialize_entry(name, &number)?,
                FieldValue::Kind(kind) => map.serialize_entry(name, &kind.to_string())?,
                FieldValue::Public(public) => map.serialize_entry(name, &public)?,
            }
        }
        map.end()
    }
}

/// The guards, in the manifest's words.
#[derive(Debug, Default, Serialize)]
struct LimitLines {
    #[serde(skip_serializing_if = "Option::is_none")]
    create: Option<LimitLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update: Option<LimitLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    add_members: Option<LimitLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<LimitLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publish: Option<LimitLine>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum LimitLine {
    Count(u64),
    Share(String),
}

/// Writes the rooms as a manifest, one line a room. Fed back, it gives the same plan.
///
/// # Errors
/// If they cannot be written.
pub fn manifest(desired: &Desired, rooms: &[&DesiredRoom], out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\n\"version\": 1,\n")?;
    if let Some(widget) = desired.widget {
        writeln!(out, "\"widget\": {widget},")?;
    }
    if !desired.scope.is_empty() {
        writeln!(
            out,
            "\"scope\": {},",
            serde_json::to_string(&desired.scope)?
        )?;
    }
    if desired.limits != Limits::default() {
        writeln!(
            out,
            "\"limits\": {},",
            serde_json::to_string(&LimitLines::from(desired.limits))?
        )?;
    }
    write!(out, "\"rooms\": [")?;
    for (index, room) in rooms.iter().enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &RoomLine::from(*room))?;
    }
    out.write_all(b"\n]\n}\n")
}

/// Writes `pipe,title,type,public,user`, one line a member; a room without any has a line without a user.
///
/// # Errors
/// If they cannot be written.
pub fn members(rooms: &[&DesiredRoom], out: &mut dyn Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    let names = Field::ALL.iter().map(|field| field.name());
    let header = iter::once("pipe").chain(names).chain(["user"]);
    table.write_record(header).map_err(plainly)?;
    for room in rooms {
        let values = Field::ALL.map(|field| match room.state.raw(field) {
            FieldValue::Public(public) => public.to_string(),
            value => value.to_string(),
        });
        let mut line = |user: &str| {
            let values = values.iter().map(String::as_str);
            let line = iter::once(room.pipe.as_str()).chain(values).chain([user]);
            table.write_record(line).map_err(plainly)
        };
        if room.members.is_empty() {
            line("")?;
        }
        for member in &room.members {
            line(&member.user.to_string())?;
        }
    }
    table.flush()
}

/// What went wrong with the writing itself: wrapped, a reader that went away could not be told from a full disk.
fn plainly(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}

impl<'a> From<&'a DesiredRoom> for RoomLine<'a> {
    fn from(room: &'a DesiredRoom) -> Self {
        let DesiredRoom {
            pipe,
            state,
            members,
            exclude,
            policy,
            ignore,
            welcome,
            place: _,
        } = room;
        let ids = |users: &mut dyn Iterator<Item = UserId>| users.map(|user| user.0).collect();
        let fields = Field::ALL
            .into_iter()
            .filter(|field| ignore.contains(*field));
        Self {
            pipe: pipe.as_str(),
            state: StateLine(state),
            members: ids(&mut members.iter().map(|member| member.user)),
            exclude: ids(&mut exclude.iter().copied()),
            members_policy: (*policy == MembersPolicy::OnCreate).then_some("on_create"),
            ignore: fields.map(Field::name).collect(),
            welcome: welcome.as_ref().map(|Welcome { from, text }| WelcomeLine {
                from: from.0,
                text: verbatim(text),
            }),
        }
    }
}

impl From<Limits> for LimitLines {
    fn from(limits: Limits) -> Self {
        let line = |limit: Option<Limit>| limit.map(LimitLine::from);
        let Limits {
            create,
            update,
            add_members,
            messages,
            publish,
        } = limits;
        Self {
            create: line(create),
            update: line(update),
            add_members: line(add_members),
            messages: line(messages),
            publish: line(publish),
        }
    }
}

impl From<Limit> for LimitLine {
    fn from(limit: Limit) -> Self {
        match limit {
            Limit::Count(count) => Self::Count(count),
            Limit::Share(hundredths) => {
                Self::Share(format!("{}.{:02}%", hundredths / 100, hundredths % 100))
            }
        }
    }
}
