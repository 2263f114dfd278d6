//! `--write-probe`: one room is made and written to once more, to see what the API does where its pages say nothing.
//!
//! It adds no members, opens nothing, says nothing, and is on no record: only people can take the room away again.

use std::time::Duration;

use super::super::prompt::confirm;
use super::super::session::{WriteAccess, dice};
use super::super::target::ResolvedTarget;
use super::super::{Console, interrupt};
use super::findings::{NAME, Notes};
use super::server::Outside;
use super::{local, quoted};
use crate::cli::{DoctorArgs, DocumentFormat};
use crate::config::Config;
use crate::error::{Error, Exit};
use crate::imbachat::{
    Delivery, Failure, ReadRooms, Reader, RoomWrite, WriteRooms, Writer, Written,
};
use crate::manifest::Loaded;
use crate::model::{
    LiveRoom, Pipe, Probe, Recorded, RoomId, RoomKind, RoomState, Step, is_hidden, looks,
};

/// Bytes a pipe may have.
const LONGEST: usize = 255;
/// Reads of the list after the second call: it may lag.
const READS: u32 = 3;
const UNDER_WAY: &str =
    "the probe is under way; whoever ends this now does not learn which room it made";
const PAUSE: Duration = Duration::from_millis(250);

/// What is known before anything is written.
pub(super) struct Known<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) recorded: Option<&'a Recorded>,
    pub(super) site: Option<&'a ResolvedTarget>,
    pub(super) outside: &'a Outside,
}

/// Refuses, before anything is looked at, what cannot be asked about or cannot be a pipe.
pub(super) fn allowed(pipe: &str, args: &DoctorArgs, console: &Console) -> Result<(), Error> {
    let bad = pipe.is_empty() || pipe.len() > LONGEST || pipe.trim() != pipe;
    if bad || pipe.contains(is_hidden) {
        let message = "--write-probe: this cannot be a pipe";
        return Err(Error::message(Exit::Usage, message)
            .hint("1 to 255 bytes, without hidden characters and without spaces around"));
    }
    if args.yes {
        return Ok(());
    }
    let refused = |message: String| {
        let hint = "add --yes: one room is made that the API cannot delete again";
        Err(Error::message(Exit::Refused, message).hint(hint))
    };
    if args.format != DocumentFormat::Text {
        return refused("--format json cannot ask, and --yes was not given".into());
    }
    if !console.interactive {
        return refused("no room was made: nobody is there to ask, and --yes was not given".into());
    }
    Ok(())
}

/// Makes the probe, if nothing speaks against it.
pub(super) async fn look(
    pipe: &str,
    yes: bool,
    known: Known<'_>,
    config: &Config,
    console: &mut Console,
) -> Result<(Step, Option<Probe>), Error> {
    let pipe = Pipe::new(pipe);
    let outside = known.outside;
    let (Some(site), Some(http), Some(reader), Some(survey)) =
        (known.site, &outside.http, &outside.reader, &outside.survey)
    else {
        return Ok((Step::skipped(NAME, "needs `answers`"), None));
    };
    if reader.is_partial() {
        let message = "nothing was written: the pipe may be a live room's, as a JWT may show only one user's rooms";
        let remedy = "read with the secret key".to_owned();
        return Ok((Step::failed(NAME, message, Some(remedy)), None));
    }
    if let Some(reason) = taken(&pipe, &known) {
        let message = format!("nothing was written: {} {reason}", quoted(pipe.as_str()));
        let remedy = "name a pipe that nobody uses, as in roomform-probe-1".to_owned();
        return Ok((Step::failed(NAME, message, Some(remedy)), None));
    }
    let access = match WriteAccess::new(config) {
        Ok(access) => access,
        Err(error) => return Ok((local::failed(NAME, &error), None)),
    };
    let question = format!(
        "The API cannot delete a room again. Make a room `{}` in {}?",
        pipe.as_str(),
        site.target
    );
    if !yes && !confirm(&question, console).await? {
        return Ok((Step::skipped(NAME, "the answer was not `yes`"), None));
    }
    let writer = access.writer(http.clone(), site.target.widget);
    let stopped = interrupt::channel()?;
    let probe = probe(pipe, &writer, reader, &survey.rooms);
    Ok(interrupt::finished(probe, stopped, || console.warn(UNDER_WAY)).await)
}

/// Why a pipe may not be used.
fn taken(pipe: &Pipe, known: &Known<'_>) -> Option<String> {
    let rooms = known.outside.survey.iter().flat_map(|survey| &survey.rooms);
    let mut rooms = rooms.filter(|room| room.pipe == *pipe);
    match rooms.next() {
        Some(room) if room.deleted => {
            return Some("belonged to a room that was deleted".to_owned());
        }
        Some(_) => return Some("is a live room".to_owned()),
        None => {}
    }
    if !known.loaded.is_valid() {
        return Some("may be declared: the manifest is invalid".to_owned());
    }
    if known.loaded.desired.rooms.contains_key(pipe) {
        return Some("is in the manifest".to_owned());
    }
    if known.recorded.is_some_and(|it| it.ids.contains_key(pipe)) {
        return Some("is on record in the ledger".to_owned());
    }
    looks_like(pipe, known)
}

/// A server that folds case, or more, would write over the room of such a pipe.
fn looks_like(pipe: &Pipe, known: &Known<'_>) -> Option<String> {
    let look = looks(pipe.as_str());
    let is_like = |other: &&Pipe| looks(other.as_str()) == look;
    let rooms = known.outside.survey.iter().flat_map(|survey| &survey.rooms);
    let listed = rooms.map(|room| &room.pipe).find(is_like);
    let other = listed.or_else(|| known.loaded.desired.rooms.keys().find(is_like))?;
    let other = quoted(other.as_str());
    Some(format!(
        "looks like {other}, and a server may take the one for the other"
    ))
}

fn state(title: &str, kind: RoomKind) -> RoomState {
    RoomState::new(title, kind, false)
}

/// Two calls, and what the list shows after each.
async fn probe(
    pipe: Pipe,
    writer: &Writer,
    reader: &Reader,
    before: &[LiveRoom],
) -> (Step, Option<Probe>) {
    let first = state("roomform write probe", RoomKind::Dialog);
    let second = state(
        "roomform write probe: remove this room",
        RoomKind::Conference,
    );
    let call = async |room: Option<RoomId>, state: &RoomState| {
        let write = RoomWrite {
            room,
            pipe: &pipe,
            state,
            members: &[],
        };
        writer.write(&write).await
    };
    let Written { room: id, errors } = match call(None, &first).await {
        Ok(written) => written,
        Err(failure) => return (not_made(&failure), None),
    };
    if let Some(room) = before.iter().find(|room| room.id == id) {
        return (written_over(room), None);
    }
    let mut notes = Notes::new(pipe.clone(), id);
    notes.carried(&errors);
    let made = read(reader, &pipe, id).await;
    notes.made(made.as_deref(), &first);
    let again = call(Some(id), &second).await;
    let mut seen = Err(Failure::lasting(Delivery::NotSent, "not read"));
    let mut reads = 0;
    if let Ok(Written { room, errors }) = &again {
        notes.carried(errors);
        notes.answered(*room);
        while reads < READS && !shows(seen.as_deref(), id, &second) {
            tokio::time::sleep(PAUSE * reads).await;
            seen = read(reader, &pipe, id).await;
            reads += 1;
        }
        notes.updated(seen.as_deref(), &first, &second, reads);
    }
    let failure = [
        made.err(),
        again.err(),
        (reads > 0).then_some(seen.err()).flatten(),
    ];
    let failure = failure.into_iter().flatten().next();
    (notes.step(failure.as_ref()), Some(notes.probe))
}

fn shows(rows: Result<&[LiveRoom], &Failure>, id: RoomId, state: &RoomState) -> bool {
    rows.is_ok_and(|rows| rows.iter().any(|row| row.id == id && row.state == *state))
}

/// The rows that may be the probe's.
async fn read(reader: &Reader, pipe: &Pipe, id: RoomId) -> Result<Vec<LiveRoom>, Failure> {
    let take = |rows: &mut Vec<LiveRoom>, row: LiveRoom| {
        if row.id == id || row.pipe == *pipe {
            rows.push(row);
        }
    };
    reader.collect(&dice(), Vec::new, take).await
}

/// It is not to be removed, nor written to once more.
fn written_over(room: &LiveRoom) -> Step {
    let LiveRoom {
        id, pipe, state, ..
    } = room;
    let message = format!(
        "no room was made: the server named room {id}, which was there before with the pipe {}, and may have written over it",
        quoted(pipe.as_str())
    );
    let publicity = if state.public { "public" } else { "closed" };
    let remedy = format!(
        "look at room {id} in ImbaChat, and do not remove it: before the probe it was {}, {}, {publicity}",
        quoted(&state.title),
        state.kind
    );
    Step::failed(NAME, message, Some(remedy))
}

fn not_made(failure: &Failure) -> Step {
    let message = match failure.delivery {
        Delivery::InDoubt => format!("the room may have been made: {}", failure.message),
        _ => format!("no room was made: {}", failure.message),
    };
    let look = "look for the room in ImbaChat, and remove it by hand if it is there";
    let remedy = match failure.delivery {
        Delivery::InDoubt => Some(look.to_owned()),
        _ => failure.hint.clone(),
    };
    Step::failed(NAME, message, remedy)
}
