//! A manifest with a number of rooms, a server that has them, and a ledger that knows them.

use std::error::Error;
use std::io::Write;
use std::path::Path;

use roomform::ledger::{Entries, Fact, PipeFact, RoomFact, Stamp, bytes, read};
use roomform::model::{
    FieldSet, Pipe, Recorded, RoomId, RoomKind, RoomState, Target, UserId, WidgetId,
};
use roomform::{Desired, Observed, Options, PlanOptions, RowFilter, check_text, plan, rooms_of};
use tempfile::NamedTempFile;

/// Members per room.
pub const MEMBERS: u64 = 30;

pub fn target() -> Target {
    Target {
        origin: "https://chat.example".to_owned(),
        widget: WidgetId(627),
    }
}

fn title(room: u64) -> String {
    format!("Курс {room} · осень")
}

fn members(room: u64) -> impl Iterator<Item = u64> {
    (0..MEMBERS).map(move |member| room * 7 % 100_000 + member * 13 + 1)
}

/// The manifest, with inline members. Every `edited`-th title differs from the server's.
pub fn manifest(rooms: u64, edited: Option<u64>) -> String {
    let mut text = "version: 1\nrooms:\n".to_owned();
    for room in 1..=rooms {
        let changed = edited.is_some_and(|every| room.is_multiple_of(every));
        let mark = if changed { " (new)" } else { "" };
        let users: Vec<String> = members(room).map(|user| user.to_string()).collect();
        let (title, users) = (title(room), users.join(", "));
        let line =
            format!("  - {{pipe: course-{room}, title: \"{title}{mark}\", members: [{users}]}}\n");
        text.push_str(&line);
    }
    text
}

/// The server's list.
pub fn list(rooms: u64) -> String {
    let rows: Vec<String> = (1..=rooms)
        .map(|room| {
            format!(
                r#"{{"id":{room},"pipe":"course-{room}","name":"{}","admin_id":1,"type":1,"tab":0,"is_public":0,"created_at":"2026-09-01 08:00:00","updated_at":"2026-09-01 08:00:00","deleted_at":null,"status":1,"imba_id":627}}"#,
                title(room)
            )
        })
        .collect();
    let rows = rows.join(",");
    format!(r#"{{"success":"true","data":[{rows}],"code":200}}"#)
}

/// The ledger of the apply that created the rooms: an intent and a confirmation for each.
pub fn ledger(rooms: u64) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut entries = Entries::new();
    for room in 1..=rooms {
        let stamp = |sequence| Stamp {
            time: "2026-09-01T08:00:00.000Z".into(),
            run: "0123456789abcdef".into(),
            sequence,
        };
        let intent = PipeFact::Intent {
            members: members(room).map(UserId).collect(),
            welcome: false,
        };
        let intent = Fact::Pipe(Pipe::new(format!("course-{room}")), intent);
        entries.insert(stamp(2 * room), intent);
        let fact = Fact::Room(
            Pipe::new(format!("course-{room}")),
            RoomId(room),
            RoomFact::Confirmed {
                members: members(room).map(UserId).collect(),
                sent: RoomState {
                    title: title(room),
                    kind: RoomKind::Conference,
                    public: false,
                },
                kept: FieldSet::default(),
                created: true,
                source: Some(format!("courses.csv:{room}").into()),
            },
        );
        entries.insert(stamp(2 * room + 1), fact);
    }
    Ok(bytes(&target(), &entries)?)
}

pub fn desired(text: &str) -> Result<Desired, Box<dyn Error>> {
    Ok(check_text("rooms.yaml", text, Options::default())?.desired)
}

pub fn observed(desired: &Desired, list: &str) -> Result<Observed, Box<dyn Error>> {
    Ok(RowFilter::new(desired).observed(rooms_of(list.as_bytes())?))
}

/// The ledger as a temporary file, which is deleted when the returned value is dropped.
pub fn ledger_file(rooms: u64) -> Result<NamedTempFile, Box<dyn Error>> {
    let mut file = NamedTempFile::new()?;
    file.write_all(&ledger(rooms)?)?;
    Ok(file)
}

pub fn recorded(ledger: &Path) -> Result<Recorded, Box<dyn Error>> {
    Ok(read(ledger, &target())?.into_recorded())
}

pub fn planned(desired: &Desired, observed: &Observed, recorded: &Recorded) -> roomform::Plan {
    plan(
        &target(),
        desired,
        observed,
        recorded,
        &PlanOptions::default(),
    )
}
