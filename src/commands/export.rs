//! `export`: the live rooms as a manifest.

use super::Console;
use super::target::{Connection, dice, switches};
use crate::error::{Error, Exit};
use crate::imbachat::ReadRooms;
use crate::manifest::export;
use crate::model::LiveRoom;
use crate::settings::Settings;

pub(super) async fn run(settings: &Settings, console: &mut Console) -> Result<Exit, Error> {
    let only = switches(&settings.common)?.only;
    let connection = Connection::open(settings, None).await?;
    let recorded = connection.recorded(console)?;
    let rooms: Vec<LiveRoom> = connection
        .reader
        .collect(&dice(), Vec::new, |rooms, row| {
            if only.contains(&row.pipe) {
                rooms.push(row);
            }
        })
        .await?;
    console.print(&export(connection.target.widget, &rooms, &recorded))?;
    connection.close().await?;
    Ok(Exit::Done)
}
