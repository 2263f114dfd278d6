//! Resolves all raw files into one [`Desired`]: applies defaults, looks up names, and reports contradictions between files.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::explain::Tracer;
use super::generate::{Joins, generate_rooms};
use super::groups::{Directory, too_many};
use super::raw::{RawManifest, RawRoom, RawSettings, Spanned};
use super::roster::SkipReason;
use super::validate;
use super::welcome::Welcomes;
use crate::model::{
    Desired, DesiredRoom, FileId, Limits, Member, MemberList, MembersPolicy, Pipe, Presence,
    RoomKind, RoomState, UserId, WidgetId,
};
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems, Sources, clip};
use crate::tables::open::Tables;

/// Combines the files. Errors go to `problems`. The result is complete only if there are no errors.
pub(super) fn resolve(
    mut files: Vec<RawManifest>,
    tables: &Tables,
    sources: &Sources,
    mut tracer: Option<&mut Tracer>,
    problems: &Problems,
) -> Desired {
    let rooms = files.iter_mut().map(|raw| std::mem::take(&mut raw.rooms));
    let rooms: Vec<Vec<RawRoom>> = rooms.collect();
    let asked = tracer.as_ref().map(|tracer| tracer.asked.as_str());
    let directory = Directory::new(&files, tables, sources, asked, problems);
    if let Some(tracer) = &mut tracer {
        tracer.find_user(&directory);
    }
    let count = rooms.iter().map(Vec::len).sum();
    let mut declared = Declared {
        directory: &directory,
        tracer,
        was_full: directory.is_full(),
        welcomes: Welcomes::default(),
        rooms: Vec::with_capacity(count),
        known: HashMap::with_capacity(count),
        outside_dates: BTreeMap::new(),
    };
    let mut joins = Joins::default();
    for (raw, rooms) in files.iter().zip(rooms) {
        for written in rooms {
            let joined = MemberList::default();
            declared.add(written, joined, Presence::ALWAYS, raw.defaults);
        }
        for bulk in &raw.generate {
            generate_rooms(bulk, &directory, &mut joins, |written, joined, presence| {
                declared.add(written, joined, presence, raw.defaults);
            });
        }
    }
    joins.finish(&directory);
    let Declared {
        mut rooms,
        known,
        outside_dates,
        tracer,
        ..
    } = declared;
    if let Some(tracer) = tracer {
        tracer.skipped = directory.skipped.take().into_iter().collect();
    }
    warn_of_look_alikes(&rooms, problems);
    // Sort by small keys first: rooms are large, and the map below sorts its entries.
    rooms.sort_by_cached_key(|(room, _)| room.pipe.clone());
    let scope = files.iter().filter_map(|raw| raw.scope.as_ref());
    let scope = single(scope, "scope", problems).map_or(&[][..], |scope| &scope.value);
    validate::globs(scope, |_| false, problems);
    let limits = files.iter().filter_map(|raw| raw.limits.as_ref());
    let limits = single(limits, "limits", problems).map(|limits| &limits.value);
    let publish = limits.map_or(&[][..], |limits| &limits.publish);
    validate::publish(publish, |pipe| known.contains_key(pipe), problems);
    Desired {
        widget: widget(&files, problems),
        scope: scope.iter().map(|glob| glob.value.clone()).collect(),
        limits: Limits {
            publish: publish.iter().map(|entry| entry.value.clone()).collect(),
            ..limits.map_or_else(Limits::default, |limits| limits.counted.clone())
        },
        rooms: rooms
            .into_iter()
            .map(|(room, _)| (room.pipe.clone(), room))
            .collect(),
        files: sources.names(),
        rosters: tables.files.clone(),
        outside_dates,
        names: directory.rosters.display.finish().into(),
        today: tables.today,
    }
}

/// Rooms in declaration order, each with the places of its pipe and title.
type Rooms = Vec<(DesiredRoom, [At; 2])>;

/// Warns of pipes that look the same, and of titles that look the same. Each warning is at the
/// place of the later pipe or title.
fn warn_of_look_alikes(rooms: &Rooms, problems: &Problems) {
    let pipes = rooms
        .iter()
        .map(|(room, [at, _])| (room.pipe.as_str(), *at))
        .filter(|(pipe, at)| validate::bad_pipe(pipe, *at).is_none());
    let hint = "make the pipes clearly different: a server that ignores case would merge the rooms";
    validate::warn_of_look_alikes(pipes.collect(), Code::LookAlike, hint, problems);
    let titles = rooms
        .iter()
        .map(|(room, [_, at])| (room.state.title.as_str(), *at))
        .filter(|(title, at)| validate::bad_title(title, *at).is_none());
    let hint = "make the titles clearly different, so that people can tell the rooms apart; equal titles are allowed";
    validate::warn_of_look_alikes(titles.collect(), Code::LookAlikeTitle, hint, problems);
}

/// The rooms declared so far.
struct Declared<'r, 'a> {
    directory: &'r Directory<'a>,
    tracer: Option<&'r mut Tracer>,
    rooms: Rooms,
    /// The first place that declares each pipe, even if the room declared there has errors.
    known: HashMap<Pipe, At>,
    /// For each file, the number of rooms and members whose dates do not include today.
    outside_dates: BTreeMap<FileId, u64>,
    /// Whether the limit on members was already exceeded. The error is reported only once.
    was_full: bool,
    welcomes: Welcomes,
}

impl Declared<'_, '_> {
    /// Adds a room. `joined` has the members from joined rosters; the room's own list does not
    /// contain them.
    fn add(
        &mut self,
        mut written: RawRoom,
        joined: MemberList,
        presence: Presence,
        defaults: RawSettings,
    ) {
        let (directory, problems) = (self.directory, self.directory.problems);
        if let Some(tracer) = self.tracer.as_mut().filter(|_| presence.today) {
            tracer.trace_room(&written, &joined, directory);
        }
        let lists = (joined, presence);
        let (mut room, outside) = room(&mut written, lists, defaults, directory);
        for member in &outside {
            directory.skip(Some(member.user), member.place, SkipReason::Dates);
        }
        if directory.is_full() && !self.was_full {
            self.was_full = true;
            problems.push(too_many(written.at, "the rooms"));
        }
        let files = outside.iter().map(|member| member.place.file);
        for file in files.chain((!presence.today).then_some(room.place.file)) {
            *self.outside_dates.entry(file).or_default() += 1;
        }
        if !presence.today {
            return;
        }
        room.welcome = self.welcomes.resolve(&written, &room, directory);
        if written.broken && written.pipe.value.is_empty() {
            return;
        }
        match self.known.entry(room.pipe.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(written.pipe.at);
                if !written.broken {
                    self.rooms.push((room, [written.pipe.at, written.title.at]));
                }
            }
            Entry::Occupied(entry) => {
                let first = *entry.get();
                let has_rows = |at: At| directory.tables.files.contains_key(&at.file);
                let rows = has_rows(first) && has_rows(written.pipe.at);
                problems.push(duplicate_pipe(&written, first, rows));
            }
        }
    }
}

/// Resolves a raw room, and moves its title and ids out. Also returns the members whose dates do
/// not include today.
fn room(
    written: &mut RawRoom,
    (joined, presence): (MemberList, Presence),
    defaults: RawSettings,
    directory: &Directory<'_>,
) -> (DesiredRoom, Vec<Member>) {
    let exclude = directory.members(&written.exclude);
    let exclude: BTreeSet<UserId> = exclude.today().map(|member| member.user).collect();
    let mut members = directory.take_members(&mut written.members);
    if members.len() == 0 {
        members = joined;
    } else {
        members.extend(&joined);
    }
    members.order();
    members.restrict(presence);
    let (members, outside, ending) = members.split(&exclude);
    let settings = written.settings;
    let kind = settings.kind.or(defaults.kind);
    let public = settings.public.or(defaults.public);
    let policy = settings.members_policy.or(defaults.members_policy);
    let room = DesiredRoom {
        pipe: Pipe::new(written.pipe.value.as_str()),
        state: RoomState {
            title: std::mem::take(&mut written.title.value),
            kind: kind.unwrap_or(RoomKind::Conference),
            public: public.unwrap_or(false),
        },
        member_places: members.iter().map(|member| member.place).collect(),
        members: members.iter().map(|member| member.user).collect(),
        ending,
        exclude,
        policy: policy.unwrap_or(MembersPolicy::Ensure),
        ignore: written.ignore,
        // Rendered later, when the room is complete.
        welcome: None,
        place: directory.sources.to_place(written.at),
    };
    if !written.broken {
        let (pipe, title) = (written.pipe.at, written.title.at);
        validate::room(&room, pipe, title, directory.problems);
    }
    (room, outside)
}

fn duplicate_pipe(written: &RawRoom, first: At, rows: bool) -> Diagnostic {
    let pipe = clip(&written.pipe.value);
    let (message, hint) = match rows {
        true => (
            format!("two rows produce the pipe `{pipe}`"),
            "remove one of the rows, use `distinct`, or build the pipe from a column that differs",
        ),
        false => (
            format!("the pipe `{pipe}` is declared twice"),
            "change one of the pipes, or merge the rooms: a pipe identifies one room",
        ),
    };
    Diagnostic::at(Code::DuplicatePipe, written.pipe.at, message)
        .related(first, "first here")
        .hint(hint)
}

fn widget(files: &[RawManifest], problems: &Problems) -> Option<WidgetId> {
    let mut given = files.iter().filter_map(|raw| raw.widget.as_ref());
    let first = given.next()?;
    for other in given.filter(|other| other.value != first.value) {
        let (here, elsewhere) = (other.value, first.value);
        let message = format!("widget {here} here, but {elsewhere} elsewhere");
        let hint = "use one manifest per widget, and run roomform once for each";
        let diagnostic = Diagnostic::at(Code::ConflictingFiles, other.at, message).hint(hint);
        problems.push(diagnostic.related(first.at, "elsewhere"));
    }
    Some(WidgetId(first.value))
}

/// Returns the first of `blocks`. Reports all others, because only one file may have this
/// block.
fn single<'a, T>(
    mut blocks: impl Iterator<Item = &'a Spanned<T>>,
    name: &str,
    problems: &Problems,
) -> Option<&'a Spanned<T>> {
    let first = blocks.next()?;
    for other in blocks {
        let message = format!("`{name}` is allowed in only one file of a manifest");
        let diagnostic = Diagnostic::at(Code::ConflictingFiles, other.at, message);
        let diagnostic = diagnostic.related(first.at, "first here");
        problems.push(diagnostic.hint("keep one of the two"));
    }
    Some(first)
}
