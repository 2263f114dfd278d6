//! `send`: one message, said once.

use std::fs::File;
use std::io::{Read, stdin};

use anyhow::Context;
use tracing::info;

use super::access::SendAccess;
use super::session::{Session, dice};
use super::target::ResolvedTarget;
use super::{Console, interrupt};
use crate::cli::{DocumentFormat, SendArgs};
use crate::config::Config;
use crate::document::SentDocument;
use crate::error::{Error, Exit};
use crate::imbachat::{Cause, Delivery, Failure, Message, ReadRooms, SendMessages};
use crate::model::{LiveRoom, Pipe, RoomId, UserId};
use crate::render::{Sent, sent};

/// A text with more bytes than this is a wrong file.
const LONGEST: u64 = 1 << 20;
const USAGE: &str =
    "write it as roomform send --user N PIPE TEXT, or with --room-id N in the pipe's place";

const UNDER_WAY: &str =
    "the message is under way; whoever ends this now does not learn whether it was sent";
const UNKNOWN: &str = "check the room and the user; `roomform get rooms` and `roomform get users` list them (remote_user_id is the one of --user)";

pub(super) async fn run(
    args: &SendArgs,
    config: &Config,
    console: &mut Console,
) -> Result<Exit, Error> {
    let (room, source) = understood(args)?;
    let access = SendAccess::new(config)?;
    let text = text(source)?;
    let session = Session::open(config, ResolvedTarget::new(config, None)?).await?;
    let (room, pipe) = match room {
        To::Id(id) => (id, None),
        To::Pipe(pipe) => (found(&pipe, &session).await?, Some(pipe)),
    };
    let from = UserId(args.user);
    let message = Message {
        room,
        from,
        text: &text,
    };
    let mut stopped = interrupt::channel()?;
    let halt = {
        let mut stopped = stopped.clone();
        async move {
            // An error means that no signal can come any more.
            if stopped.wait_for(|stopped| *stopped).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let sender = session.sender(access);
    let dice = dice();
    let delivered = sender.deliver(&message, &dice, halt);
    let delivered =
        interrupt::finished(delivered, stopped.clone(), || console.warn(UNDER_WAY)).await;
    let id = delivered.map_err(|failure| unsent(failure, room, *stopped.borrow_and_update()))?;
    info!(%room, %from, id = id.map(|id| id.0), text_length = text.chars().count(), "message sent");
    let told = Sent {
        target: &session.target,
        room,
        pipe: pipe.as_ref(),
        from,
        text: &text,
        id,
    };
    let printed = match args.format {
        DocumentFormat::Json => console.document(&SentDocument::new(&told)),
        DocumentFormat::Text => console.print(&sent(&told)),
    };
    printed.map_err(|error| untold(&error, &told))?;
    session.close().await?;
    Ok(Exit::Done)
}

enum To {
    Id(RoomId),
    Pipe(Pipe),
}

enum Source<'a> {
    Typed(&'a str),
    Stdin,
    File(&'a std::path::Path),
}

/// Which room, and where its text is: a room that a flag names leaves the first word for the text.
fn understood(args: &SendArgs) -> Result<(To, Source<'_>), Error> {
    let words = args.first.iter().chain(&args.second).map(String::as_str);
    let mut words = words.collect::<Vec<_>>().into_iter();
    let to = match (args.room_id, args.room.as_deref()) {
        (Some(id), _) => To::Id(RoomId(id)),
        (None, Some(pipe)) => To::Pipe(Pipe::new(pipe)),
        (None, None) => match words.next() {
            Some(pipe) => To::Pipe(Pipe::new(pipe)),
            None => return Err(usage("no room is named").hint(USAGE)),
        },
    };
    if matches!(&to, To::Pipe(pipe) if pipe.as_str().is_empty()) {
        return Err(usage("the pipe is empty").hint(USAGE));
    }
    let source = match (words.next(), &args.text_file) {
        (Some("-"), None) => Source::Stdin,
        (Some(text), None) => Source::Typed(text),
        (None, Some(file)) => Source::File(file),
        (None, None) => return Err(usage("there is no text").hint(USAGE)),
        (Some(_), Some(_)) => {
            return Err(usage("there are two texts").hint("give one, or --text-file"));
        }
    };
    if words.next().is_some() {
        let message = "the room is named twice, or the text is not in quotes";
        return Err(usage(message).hint(USAGE));
    }
    Ok((to, source))
}

fn usage(message: &str) -> Error {
    Error::message(Exit::Usage, message)
}

/// The text. The line break that ends a file is none of it.
fn text(source: Source<'_>) -> Result<String, Error> {
    let text = match source {
        Source::Typed(text) => text.to_owned(),
        Source::Stdin => whole(stdin().lock(), "stdin")?,
        Source::File(path) => {
            let name = format!("`{}`", path.display());
            let file = File::open(path).with_context(|| format!("{name} cannot be read"))?;
            whole(file, &name)?
        }
    };
    if text.trim().is_empty() {
        return Err(usage("the text is empty; nothing was sent").hint("say something"));
    }
    Ok(text)
}

fn whole(input: impl Read, name: &str) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let read = input.take(LONGEST + 1).read_to_end(&mut bytes);
    read.with_context(|| format!("{name} cannot be read"))?;
    if bytes.len() as u64 > LONGEST {
        let message = format!("{name} has more than {LONGEST} bytes; nothing was sent");
        return Err(Error::message(Exit::Failed, message).hint("send a shorter text"));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        let message = format!("{name} is not text in UTF-8; nothing was sent");
        Error::message(Exit::Failed, message).hint("save it as UTF-8")
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// The one live room with this pipe.
async fn found(pipe: &Pipe, session: &Session) -> Result<RoomId, Error> {
    let take = |rooms: &mut Vec<LiveRoom>, room: LiveRoom| {
        if room.pipe == *pipe {
            rooms.push(room);
        }
    };
    let rooms = session.reader.collect(&dice(), Vec::new, take).await?;
    let mut live: Vec<RoomId> = rooms
        .iter()
        .filter(|room| !room.deleted)
        .map(|room| room.id)
        .collect();
    live.sort_unstable();
    match live.as_slice() {
        [room] => Ok(*room),
        [] if rooms.is_empty() => {
            let message = format!("no room has the pipe `{pipe}`; nothing was sent");
            Err(Error::message(Exit::Failed, message)
                .hint("pipes are compared byte for byte; `roomform get rooms` lists them"))
        }
        [] => {
            let message = format!("the room with the pipe `{pipe}` was deleted; nothing was sent");
            Err(Error::message(Exit::Failed, message).hint("`roomform get rooms` lists the others"))
        }
        several => {
            let ids: Vec<String> = several.iter().map(ToString::to_string).collect();
            let message = format!(
                "{} live rooms have the pipe `{pipe}`: {}; nothing was sent",
                several.len(),
                ids.join(", ")
            );
            Err(Error::message(Exit::Failed, message).hint("name one with --room-id"))
        }
    }
}

/// The message is there, and where it should be told nothing can be written: who reads this must not send it once more.
fn untold(error: &Error, sent: &Sent<'_>) -> Error {
    let number = sent.id.map(|id| format!(" with the number {id}"));
    let message = format!(
        "the message was sent to room {}{}, and only telling so failed: {}",
        sent.room,
        number.unwrap_or_default(),
        error.chain()
    );
    Error::message(Exit::Failed, message).hint("do not send it once more")
}

/// Says plainly whether the message may be there. What may be there is for people to look for.
fn unsent(failure: Failure, room: RoomId, stopped: bool) -> Error {
    let Failure {
        message,
        hint,
        delivery,
        lasting,
        cause,
        ..
    } = failure;
    if delivery == Delivery::InDoubt {
        let message = format!(
            "in doubt: whether the message was sent to room {room} is not known, and it is not sent again: {message}"
        );
        let look = format!("look into room {room} before you send it once more");
        return Error::message(Exit::Failed, message).hint(look);
    }
    let exit = if stopped && !lasting {
        Exit::Interrupted
    } else {
        Exit::Failed
    };
    // Whether the server knows no such call or no such room, only its own words tell.
    let missed = matches!(cause, Some(Cause::Status(404) | Cause::Body(404)));
    let hints = missed.then(|| UNKNOWN.to_owned()).into_iter().chain(hint);
    let error = Error::message(exit, format!("the message was not sent: {message}"));
    hints.fold(error, Error::hint)
}
