//! Plans without a network, against a stored list of rooms.
//!
//! `cargo run --example offline_plan -- MANIFEST ROOMS [LEDGER]`. ROOMS is a raw answer of get_rooms (`*.json`, not the output of
//! `roomform get`), or the output of `roomform export`.

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use roomform::ledger::read;
use roomform::model::{RecordedRoom, RoomId, Target, WidgetId};
use roomform::render::{self, Paint, escape};
use roomform::{
    Desired, LiveRoom, Options, PlanOptions, Recorded, RowFilter, check, plan, rooms_of,
};

/// The widget, if the manifest does not name one.
const WIDGET: WidgetId = WidgetId(627);

fn main() -> ExitCode {
    let args: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    match run(&args, &mut io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints the plan of a manifest against stored rooms, and uses a ledger if one is given.
pub fn run(args: &[PathBuf], out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let (manifest, rooms, ledger) = match args {
        [manifest, rooms] => (manifest, rooms, None),
        [manifest, rooms, ledger] => (manifest, rooms, Some(ledger)),
        _ => return Err("usage: offline_plan MANIFEST ROOMS [LEDGER]".into()),
    };
    let desired = check(std::slice::from_ref(manifest), Options::default())?.desired;
    let target = Target {
        origin: "https://api.imbachat.com".to_owned(),
        widget: desired.widget.unwrap_or(WIDGET),
    };
    let (live, mut recorded) = known(rooms)?;
    if let Some(ledger) = ledger {
        recorded = read(ledger, &target)?.into_recorded();
    }
    let observed = RowFilter::new(&desired).observed(live);
    let plan = plan(
        &target,
        &desired,
        &observed,
        &recorded,
        &PlanOptions::default(),
    );
    write!(out, "{}", render::plan(&plan, Paint::Plain))?;
    Ok(())
}

/// The rooms in a file and their known members. An answer of get_rooms has no members.
fn known(rooms: &Path) -> Result<(Vec<LiveRoom>, Recorded), Box<dyn Error>> {
    if rooms
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        let unread = |error| {
            format!(
                "{}: {error}",
                escape::terminal(&rooms.display().to_string())
            )
        };
        let answer = fs::read(rooms).map_err(unread)?;
        // Text from a server is untrusted.
        let live = rooms_of(&answer).map_err(|error| escape::terminal(&error.to_string()))?;
        return Ok((live, Recorded::default()));
    }
    let options = Options {
        allow_empty: true,
        ..Options::default()
    };
    Ok(exported(&check(&[rooms.to_owned()], options)?.desired))
}

/// The rooms of an export. An export has no ids, so the function makes up unique ones.
fn exported(exported: &Desired) -> (Vec<LiveRoom>, Recorded) {
    let mut recorded = Recorded::default();
    let mut live = Vec::new();
    for (id, room) in (1..).map(RoomId).zip(exported.rooms.values()) {
        let members = room.members.iter().copied().collect();
        recorded.ids.insert(room.pipe.clone(), id);
        recorded.rooms.insert(
            id,
            RecordedRoom {
                members,
                ..RecordedRoom::default()
            },
        );
        live.push(LiveRoom {
            id,
            pipe: room.pipe.clone(),
            state: room.state.clone(),
            deleted: false,
            updated_at: None,
        });
    }
    (live, recorded)
}
