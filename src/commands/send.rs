//! `send`: sends one message, at most once.

use std::fs::File;
use std::io::{Read, stdin};
use std::path::Path;

use anyhow::Context;
use tokio::time::sleep;
use tracing::info;

use super::session::Session;
use super::target::{ResolvedTarget, send_key};
use super::{Console, interrupt};
use crate::apply::Interrupt;
use crate::cli::SendArgs;
use crate::config::Config;
use crate::document;
use crate::error::{Error, Exit, Result, bail, error};
use crate::imbachat::{
    Call, Cause, Delivery, Dice, Failure, Message, ReadRooms, SendMessages, Sender, with_retries,
};
use crate::model::{LiveRoom, Pipe, RoomId, UserId};
use crate::render::{few, sent};
use crate::tables::files::read_at_most;
use crate::view::Sent;

/// Maximum size of a message file, in bytes. A larger file is probably the wrong one.
const MOST_BYTES: u64 = 1 << 20;
const USAGE: &str =
    "write it as roomform send --user N PIPE TEXT, or with --room-id N instead of PIPE";

const UNDER_WAY: &str =
    "the message is being sent; if you stop now, you will not know whether it was sent";
const UNKNOWN: &str = "check the room and the user; `roomform get rooms` and `roomform get users` list them (--user is the remote_user_id)";

pub async fn run(args: &SendArgs, config: &Config, console: &mut Console) -> Result<()> {
    let (room, text) = room_and_text(args)?;
    let (key, password) = (send_key(config)?, config.credentials.password.clone());
    let text = read_text(text, args.text_file.as_deref())?;
    let resolved = ResolvedTarget::new(config, None)?;
    let session = Session::open(config, resolved, console).await?;
    let (room, pipe) = match room {
        Room::Id(id) => (id, None),
        Room::Pipe(pipe) => (find_room(&pipe, &session).await?, Some(pipe)),
    };
    let from = UserId(args.user);
    let message = Message {
        room,
        from,
        text: &text,
    };
    let stopped = interrupt::finish(None);
    let sender = Sender::new(
        session.http.clone(),
        session.resolved.target.widget,
        key,
        password,
    );
    let send = || async {
        interrupt::finish(Some(UNDER_WAY));
        let sent = sender.send(&message).await;
        interrupt::finish(None);
        sent
    };
    // Between two attempts, a signal ends the delivery.
    let pause = async |time| interrupt::unless_interrupted(sleep(time)).await.is_some();
    let delivered = with_retries(Call::Message, &Dice::random(), pause, send).await;
    let is_interrupted = *stopped.borrow() != Interrupt::None;
    let id = delivered.map_err(|failure| describe_failure(failure, room, is_interrupted))?;
    info!(%room, %from, id = id.map(|id| id.0), text_length = text.chars().count(), "message sent");
    let message = Sent {
        target: &session.resolved.target,
        room,
        pipe: pipe.as_ref(),
        from,
        text: &text,
        id,
    };
    let document = || document::sent(&message);
    let printed = console.print_as(args.format, |_| sent(&message), document);
    printed.map_err(|error| {
        let number = id.map(|id| format!(" with the number {id}"));
        let (number, error) = (number.unwrap_or_default(), error.chain());
        error!(Failed: "the message{number} was sent to room {room}, but the result could not be printed: {error}";
            "do not send it again")
    })?;
    session.close().await
}

enum Room {
    Id(RoomId),
    Pipe(Pipe),
}

/// Returns the room, and the text unless `--text-file` is set. If a flag names the room, the first
/// argument is the text.
fn room_and_text(args: &SendArgs) -> Result<(Room, Option<&str>)> {
    let words = [&args.room, &args.first, &args.second].into_iter();
    let mut words = words.flatten().map(String::as_str);
    let room = match args.room_id {
        Some(id) => Room::Id(RoomId(id)),
        None => match words.next() {
            None => bail!(Usage: "no room was given"; USAGE),
            Some("") => bail!(Usage: "the pipe is empty"; USAGE),
            Some(pipe) => Room::Pipe(Pipe::new(pipe)),
        },
    };
    match (words.next(), &args.text_file, words.next()) {
        (None, None, _) => bail!(Usage: "no text was given"; USAGE),
        (Some(_), Some(_), _) => {
            bail!(Usage: "two texts were given"; "give TEXT or --text-file, not both")
        }
        (_, _, Some(_)) => {
            bail!(Usage: "the room is given twice, or the text is not quoted"; USAGE)
        }
        (text, _, None) => Ok((room, text)),
    }
}

/// Reads the text from the argument, from stdin for `-`, or from a file.
fn read_text(text: Option<&str>, file: Option<&Path>) -> Result<String> {
    let text = match (text, file) {
        (None, Some(path)) => {
            let name = format!("`{}`", path.display());
            let file = File::open(path).with_context(|| format!("{name} cannot be read"))?;
            read_all(file, &name)?
        }
        (Some("-"), _) => read_all(stdin().lock(), "stdin")?,
        (text, _) => text.unwrap_or_default().to_owned(),
    };
    if text.trim().is_empty() {
        bail!(Usage: "the text is empty; nothing was sent"; "give the message text");
    }
    Ok(text)
}

/// Reads a whole text, without its final line break.
fn read_all(input: impl Read, name: &str) -> Result<String> {
    let read = read_at_most(input, MOST_BYTES);
    let Some(bytes) = read.with_context(|| format!("{name} cannot be read"))? else {
        bail!(Failed: "{name} has more than {MOST_BYTES} bytes; nothing was sent";
            "send a shorter text");
    };
    let Ok(text) = String::from_utf8(bytes) else {
        bail!(Failed: "{name} is not text in UTF-8; nothing was sent"; "save it as UTF-8");
    };
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Maximum number of rooms that an error names.
const MOST_IDS: usize = 20;

/// Finds the only live room with this pipe.
async fn find_room(pipe: &Pipe, session: &Session) -> Result<RoomId> {
    let take = |rooms: &mut Vec<LiveRoom>, room: LiveRoom| {
        if room.pipe == *pipe {
            rooms.push(room);
        }
    };
    let rooms = session
        .reader
        .collect(&Dice::random(), Vec::new, take)
        .await?;
    let live = rooms.iter().filter(|room| !room.deleted);
    let mut live: Vec<RoomId> = live.map(|room| room.id).collect();
    live.sort_unstable();
    match live.as_slice() {
        [room] => Ok(*room),
        [] if rooms.is_empty() => bail!(Failed: "no room has the pipe `{pipe}`; nothing was sent";
            "pipes are compared byte for byte; `roomform get rooms` lists them"),
        [] => bail!(Failed: "the room with the pipe `{pipe}` was deleted; nothing was sent";
            "`roomform get rooms` lists the other rooms"),
        several => {
            let (count, ids) = (several.len(), few(several.iter(), MOST_IDS));
            bail!(Failed: "{count} live rooms have the pipe `{pipe}`: {ids}; nothing was sent";
                "name one with --room-id")
        }
    }
}

/// Describes a failure. If the message may have been sent, the user has to check the room.
fn describe_failure(failure: Failure, room: RoomId, stopped: bool) -> Error {
    let message = failure.message;
    if failure.delivery == Delivery::Uncertain {
        return error!(Failed: "uncertain: the message may have been sent to room {room}, so roomform does not send it again: {message}";
            format!("check room {room} before you send it again"));
    }
    let exit = match stopped && !failure.lasting {
        true => Exit::Interrupted,
        false => Exit::Failed,
    };
    // The server uses the same status for an unknown call and an unknown room.
    let is_unknown = matches!(failure.cause, Some(Cause::Status(404) | Cause::Body(404)));
    Error::message(exit, format!("the message was not sent: {message}"))
        .hints(is_unknown.then_some(UNKNOWN))
        .hints(failure.hint)
}
