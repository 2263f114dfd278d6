//! Inputs of the benches: a manifest with a number of rooms, a server that has them, and a ledger that knows them.

use std::error::Error;
use std::io::Write;
use std::path::Path;

use roomform::ledger::{Entries, Fact, RoomFact, Stamp, bytes, read};
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

/// The same as JSON, which is also YAML; one room per line.
pub fn json(rooms: u64) -> String {
    let lines: Vec<String> = (1..=rooms)
        .map(|room| {
            let users: Vec<String> = members(room).map(|user| user.to_string()).collect();
            let (title, users) = (title(room), users.join(","));
            format!(r#"{{"pipe":"course-{room}","title":"{title}","members":[{users}]}}"#)
        })
        .collect();
    let rooms = lines.join(",\n");
    format!("{{\"version\":1,\"rooms\":[\n{rooms}\n]}}\n")
}

/// A roster with one row per membership.
pub fn roster(rooms: u64) -> String {
    let mut text = "course_id,user_id\n".to_owned();
    for room in 1..=rooms {
        for user in members(room) {
            text.push_str(&format!("{room},{user}\n"));
        }
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

/// A sandbox file with the rooms. They have no members, because the list does not show members.
pub fn state(rooms: u64) -> String {
    let rows: Vec<String> = (1..=rooms)
        .map(|room| {
            format!(
                r#"{{"id":{room},"widget":627,"pipe":"course-{room}","name":"{}","admin_id":1,"kind":1,"is_public":false,"created_at":"2026-09-01 08:00:00","updated_at":"2026-09-01 08:00:00","deleted_at":null,"members":[]}}"#,
                title(room)
            )
        })
        .collect();
    let rows = rows.join(",\n");
    format!(
        r#"{{"format":1,"counters":{{"room":0,"user":0,"message":0,"pipe_micros":0}},"rooms":[{rows}],"users":[],"messages":[]}}"#
    )
}

/// The ledger of the apply that created the rooms.
pub fn ledger(rooms: u64) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut entries = Entries::new();
    for room in 1..=rooms {
        let stamp = Stamp {
            time: "2026-09-01T08:00:00.000Z".to_owned(),
            run: "0123456789abcdef".to_owned(),
            sequence: room,
        };
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
        entries.insert(stamp, fact);
    }
    Ok(bytes(&target(), &entries)?)
}

pub fn desired(text: &str) -> Result<Desired, Box<dyn Error>> {
    Ok(check_text("rooms.yaml", text, Options::default())?.desired)
}

pub fn observed(desired: &Desired, list: &str) -> Result<Observed, Box<dyn Error>> {
    Ok(RowFilter::new(desired).observed(rooms_of(list.as_bytes())?))
}

/// The ledger as a file, which is deleted when this is dropped.
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
