//! All files as written -> one [`Desired`]: defaults applied, names looked up, contradictions between files noted.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use super::explain::Tracer;
use super::generate;
use super::groups::{Directory, order, too_many};
use super::raw::{RawDefaults, RawManifest, RawRoom};
use super::roster::Rosters;
use super::welcome::Welcomes;
use super::{look_alike, validate};
use crate::model::{
    Desired, DesiredRoom, FileId, Member, MembersPolicy, Pipe, RoomKind, RoomState, UserId,
    WidgetId,
};
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems, Sources, clip};
use crate::tables::open::Tables;

/// Puts the files together. Mistakes go to `problems`; what comes back is only whole if there were none.
pub(super) fn resolve(
    mut files: Vec<(FileId, RawManifest)>,
    tables: &Tables,
    sources: &Sources,
    mut tracer: Option<&mut Tracer>,
    problems: &mut Problems,
) -> Desired {
    let taken = |(_, raw): &mut (FileId, RawManifest)| std::mem::take(&mut raw.rooms);
    let rooms: Vec<Vec<RawRoom>> = files.iter_mut().map(taken).collect();
    let directory = Directory::new(&files, Rosters { tables, sources }, problems);
    if let Some(tracer) = &mut tracer {
        tracer.meet(&directory);
    }
    let mut declared = Declared {
        tracer,
        fits: !directory.is_full(),
        welcomes: Welcomes::default(),
        rooms: Vec::with_capacity(rooms.iter().map(Vec::len).sum()),
        known: HashMap::new(),
    };
    for ((_, raw), rooms) in files.iter().zip(rooms) {
        let defaults = raw.defaults;
        for written in rooms {
            declared.take(written, Vec::new(), defaults, &directory, problems);
        }
        for bulk in &raw.generate {
            generate::each(bulk, &directory, problems, |written, joined, problems| {
                declared.take(written, joined, defaults, &directory, problems);
            });
        }
    }
    let rooms = declared.rooms;
    look_alikes(&rooms, problems);
    let widget = widget(&files, problems);
    let scope = single(&files, "scope", problems, |raw| {
        raw.scope.as_ref().map(|scope| scope.at)
    });
    let limits = single(&files, "limits", problems, |raw| {
        raw.limits.as_ref().map(|limits| limits.at)
    });
    let scope = scope
        .and_then(|raw| raw.scope.as_ref())
        .map(|scope| scope.value.as_slice())
        .unwrap_or_default();
    validate::globs(scope, problems);
    Desired {
        widget,
        scope: scope.iter().map(|glob| glob.value.clone()).collect(),
        limits: limits
            .and_then(|raw| raw.limits.as_ref())
            .map(|limits| limits.value)
            .unwrap_or_default(),
        rooms: rooms
            .into_iter()
            .map(|(room, _)| (room.pipe.clone(), room))
            .collect(),
        files: sources.names(),
        rosters: tables.files().clone(),
    }
}

/// Rooms in the order in which they are declared, each with the places of its pipe and its title.
type Rooms = Vec<(DesiredRoom, [At; 2])>;

/// Warns of names that people cannot tell apart, at the later place of two.
fn look_alikes(rooms: &Rooms, problems: &mut Problems) {
    let pipes = rooms
        .iter()
        .map(|(room, [at, _])| (room.pipe.as_str(), *at));
    let titles = rooms
        .iter()
        .map(|(room, [_, at])| (&*room.state.title, *at));
    let (mut pipes, mut titles): (Vec<_>, Vec<_>) = (pipes.collect(), titles.collect());
    pipes.retain(|(pipe, at)| validate::bad_pipe(pipe, *at).is_none());
    pipes.sort_by_key(|(_, at)| *at);
    titles.retain(|(title, at)| validate::bad_title(title, *at).is_none());
    titles.sort_by_key(|(_, at)| *at);
    look_alike::pipes(pipes.into_iter(), problems);
    look_alike::titles(titles.into_iter(), problems);
}

/// The rooms so far.
struct Declared<'t> {
    tracer: Option<&'t mut Tracer>,
    rooms: Rooms,
    /// Where in them a pipe is.
    known: HashMap<Pipe, usize>,
    /// Whether no list had to be left out because there were too many members.
    fits: bool,
    welcomes: Welcomes,
}

impl Declared<'_> {
    /// Takes a room in. `joined` are the members that rosters give it beside those written down.
    fn take(
        &mut self,
        mut written: RawRoom,
        joined: Vec<Member>,
        defaults: RawDefaults,
        directory: &Directory<'_>,
        problems: &mut Problems,
    ) {
        if let Some(tracer) = &mut self.tracer {
            tracer.room(&written, &joined, directory);
        }
        let mut room = room(&mut written, joined, defaults, directory, problems);
        room.welcome = self.welcomes.of(&written, &room, directory, problems);
        if self.fits && directory.is_full() {
            self.fits = false;
            problems.push(too_many(written.at, "the rooms"));
        }
        if written.broken {
            return;
        }
        match self.known.entry(room.pipe.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(self.rooms.len());
                self.rooms.push((room, [written.pipe.at, written.title.at]));
            }
            Entry::Occupied(entry) => {
                let has_rows = |at: At| directory.rosters().tables.files().contains_key(&at.file);
                if let Some((_, [first, _])) = self.rooms.get(*entry.get()) {
                    let rows = has_rows(*first) && has_rows(written.pipe.at);
                    problems.push(duplicate_pipe(&written, *first, rows));
                }
            }
        }
    }
}

/// The room as it is written; its title is taken out.
fn room(
    written: &mut RawRoom,
    joined: Vec<Member>,
    defaults: RawDefaults,
    directory: &Directory<'_>,
    problems: &mut Problems,
) -> DesiredRoom {
    let RawRoom {
        at,
        broken,
        pipe,
        title,
        kind,
        public,
        members,
        exclude,
        members_policy,
        ignore,
        // Filled in once all else is known.
        welcome: _,
    } = written;
    let exclude: BTreeSet<UserId> = directory
        .members(exclude, problems)
        .into_iter()
        .map(|member| member.user)
        .collect();
    let mut members = directory.take_members(members, problems);
    if !joined.is_empty() {
        members.extend(joined);
        order(&mut members);
    }
    if !exclude.is_empty() {
        members.retain(|member| !exclude.contains(&member.user));
    }
    let room = DesiredRoom {
        pipe: Pipe::new(pipe.value.as_str()),
        state: RoomState {
            title: std::mem::take(&mut title.value),
            kind: kind.or(defaults.kind).unwrap_or(RoomKind::Conference),
            public: public.or(defaults.public).unwrap_or(false),
        },
        members,
        exclude,
        policy: members_policy
            .or(defaults.members_policy)
            .unwrap_or(MembersPolicy::Ensure),
        ignore: *ignore,
        welcome: None,
        place: directory.rosters().sources.place(*at),
    };
    if !*broken {
        validate::room(&room, pipe.at, title.at, problems);
    }
    room
}

fn duplicate_pipe(written: &RawRoom, first: At, rows: bool) -> Diagnostic {
    let pipe = clip(&written.pipe.value);
    let (message, hint) = if rows {
        (
            format!("two rows make the pipe `{pipe}`"),
            "take one of the two out, or make the pipe of a column that tells them apart",
        )
    } else {
        (
            format!("the pipe `{pipe}` is declared twice"),
            "a pipe is a room's identity: give one of the two another, or merge them",
        )
    };
    Diagnostic::at(Code::DuplicatePipe, written.pipe.at, message)
        .related(first, "first here")
        .hint(hint)
}

fn widget(files: &[(FileId, RawManifest)], problems: &mut Problems) -> Option<WidgetId> {
    let mut given = files.iter().filter_map(|(_, raw)| raw.widget.as_ref());
    let first = given.next()?;
    for other in given.filter(|other| other.value != first.value) {
        let message = format!("widget {} here, but {} elsewhere", other.value, first.value);
        let diagnostic =
            Diagnostic::at(Code::Disagreement, other.at, message).related(first.at, "elsewhere");
        problems
            .push(diagnostic.hint("one manifest is for one widget; run roomform once for each"));
    }
    Some(WidgetId(first.value))
}

/// The one file that has a block which may stand in one file only.
fn single<'a>(
    files: &'a [(FileId, RawManifest)],
    name: &str,
    problems: &mut Problems,
    at: impl Fn(&RawManifest) -> Option<At>,
) -> Option<&'a RawManifest> {
    let mut having = files.iter().filter_map(|(_, raw)| Some((raw, at(raw)?)));
    let (raw, first) = having.next()?;
    for (_, other) in having {
        let message = format!("`{name}` may stand in one file of a manifest only");
        let diagnostic =
            Diagnostic::at(Code::Disagreement, other, message).related(first, "first here");
        problems.push(diagnostic.hint("keep one of the two"));
    }
    Some(raw)
}
