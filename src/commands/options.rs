//! Converts flags to the options of other modules: which rooms are selected, which guards are
//! lifted, and how a page or a CSV is written. Also finds pipes by glob, and users by
//! id or name.

use std::collections::BTreeSet;
use std::fmt::Display;

use super::members::CountLimits;
use crate::cli::{CsvFlags, FilterFlags, Fit, PageFlags, RunFlags};
use crate::config::Config;
use crate::error::{Result, bail, error};
use crate::manifest::{Options, Subject, explain};
use crate::model::{Desired, Pipe, UserId, UserNames};
use crate::plan::{Allow, PlanOptions, RoomFilter, Shard};
use crate::render::CsvReader;
use crate::render::markdown::{self, Dialect};
use crate::tables::nearest::nearest;
use crate::tables::number::positive_id;

/// The rooms selected by `--only` and `--except`.
pub fn room_filter(filter: &FilterFlags) -> Result<RoomFilter> {
    let wrong = |flag: &str, error: &dyn Display| {
        let hint = format!("write it as {flag} 'course-*'");
        error!(Usage: "{flag}: {error}"; hint)
    };
    RoomFilter::new(&filter.only)
        .map_err(|error| wrong("--only", &error))?
        .except(&filter.except)
        .map_err(|error| wrong("--except", &error))
}

/// Returns the pipes that a pipe or a glob matches. The name of an existing pipe is not treated as
/// a glob.
pub fn match_pipes<'p>(
    name: &str,
    pipes: impl Iterator<Item = &'p Pipe>,
) -> Result<BTreeSet<Pipe>> {
    let mut pipes: BTreeSet<Pipe> = pipes.cloned().collect();
    if pipes.contains(name) {
        return Ok(BTreeSet::from([Pipe::new(name)]));
    }
    let globs = RoomFilter::new(&[name.to_owned()]).map_err(|error| {
        error!(Usage: "`{name}`: {error}"; "write a pipe or a glob of pipes, as in 'course-*'")
    })?;
    pipes.retain(|pipe| globs.contains(pipe));
    Ok(pipes)
}

pub fn load_options(config: &Config, allow_empty: bool) -> Options {
    Options {
        allow_empty,
        today: config.today,
        hide_names: config.hide_names,
    }
}

/// Finds a user by id, by name, or by the form in which outputs show users: `tutor (5)`.
pub fn find_user(name: &str, config: &Config) -> Result<UserId> {
    if let Some(id) = positive_id(name) {
        return Ok(UserId(id));
    }
    let (loaded, explained) = explain(&config.manifest(), load_options(config, false), name);
    let user = match explained.map(|it| it.subject) {
        Some(Subject::User(Some(user), _)) => Some(user),
        _ => find_shown_user(name, &loaded.desired.names),
    };
    user.ok_or_else(|| {
        error!(Usage: "`{name}` is neither a user's id nor a user's name in the manifest";
            "for a person who left the manifest, write the id without a sign or leading zeros")
    })
}

/// If `shown` has the form `tutor (5)`, returns the user with the id in parentheses. Otherwise,
/// returns the only user whose readable name is `shown`.
pub fn find_shown_user(shown: &str, names: &UserNames) -> Option<UserId> {
    let id = shown.strip_suffix(')').and_then(|it| it.rsplit_once('('));
    if let Some(id) = id.and_then(|(_, id)| positive_id(id)) {
        return Some(UserId(id));
    }
    let mut users = names.iter().filter(|(_, name)| *name == shown);
    let (user, _) = users.next()?;
    users.next().is_none().then_some(*user)
}

/// Converts the room selection and the lifted guards to plan options.
pub fn plan_options(flags: &RunFlags) -> Result<PlanOptions> {
    let shard = flags.shard.map(|(index, count)| Shard::new(index, count));
    let only = room_filter(&flags.manifest.filter)?.in_shard(shard);
    let publish = flags.allow_publish.iter();
    let allow = Allow {
        publish: publish.map(|it| Pipe::new(it.as_str())).collect(),
        recreate: flags.allow_recreate,
        beyond_limits: flags.ignore_limits,
    };
    Ok(PlanOptions {
        only,
        allow,
        resend_ignored: flags.resend_ignored,
        assume_members: flags.assume_members,
    })
}

/// Returns the budget for counting members; `None` if they are not counted.
pub fn count_limits(flags: &RunFlags) -> Option<CountLimits> {
    let count = &flags.count;
    count.count_members.then_some(CountLimits {
        requests: count.count_requests,
        bytes: count.count_bytes,
        parallelism: flags.parallelism.get(),
    })
}

/// Refuses an `--allow-publish` that names no declared room.
pub fn check_allowed(allow: &Allow, desired: &Desired) -> Result<()> {
    let is_declared = |pipe: &&Pipe| desired.rooms.contains_key(*pipe);
    let Some(pipe) = allow.publish.iter().find(|pipe| !is_declared(pipe)) else {
        return Ok(());
    };
    let near = nearest(pipe.as_str(), desired.rooms.keys().map(Pipe::as_str));
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write the pipe of one room, and repeat the flag for others".to_owned(),
    };
    bail!(Usage: "--allow-publish: `{pipe}` is not a declared pipe"; hint)
}

/// Refuses a glob of `--only` or `--except` that matches no room, and globs that together
/// select no room. Such globs are probably typing errors, and the run would write the wrong
/// rooms or none. An empty shard is allowed: with few rooms in many shards, some shards are
/// empty.
pub fn check_filter<'p>(
    only: &RoomFilter,
    pipes: impl IntoIterator<Item = &'p Pipe>,
    noun: &str,
) -> Result<()> {
    let pipes = Vec::from_iter(pipes);
    if only.is_all() || pipes.is_empty() {
        return Ok(());
    }
    if let Some((flag, glob)) = only.find_unused(&pipes) {
        bail!(Usage: "{flag}: no {noun} matches `{glob}`";
            "write a pipe or a glob of pipes, as in 'course-*'");
    }
    if !pipes.iter().any(|pipe| only.is_matched(pipe)) {
        bail!(Usage: "{}: no {noun} is left", only.flags(); "leave out one of the globs");
    }
    Ok(())
}

/// Returns the intended reader of the CSV. Refuses `--spreadsheet` without `--format csv`.
pub fn csv_reader(flags: CsvFlags, is_csv: bool) -> Result<CsvReader> {
    match flags.spreadsheet {
        true if !is_csv => bail!(Usage: "--spreadsheet is for CSV"; "add --format csv"),
        true => Ok(CsvReader::Spreadsheet),
        false => Ok(CsvReader::Program),
    }
}

/// Bytes reserved for text that a bot may add around a page.
const AROUND: usize = 256;

/// Returns the limits of a page. Sites count characters, UTF-16 units or bytes, and some do not
/// document which. A text never has fewer bytes than characters or UTF-16 units, so pages are
/// limited by bytes.
pub fn page_limits(flags: PageFlags) -> markdown::Fit {
    let (site, dialect) = match flags.fit {
        None => (None, Dialect::Html),
        Some(Fit::GithubComment) => (Some(65_536), Dialect::Html),
        Some(Fit::GithubSummary) => (Some(1 << 20), Dialect::Html),
        Some(Fit::Gitlab) => (Some(1_000_000), Dialect::Html),
        Some(Fit::Azure) => (Some(150_000), Dialect::Html),
        Some(Fit::Bitbucket) => (Some(32_768), Dialect::Plain),
    };
    let site = site.map(|bytes| bytes - AROUND);
    markdown::Fit {
        bytes: site.into_iter().chain(flags.max_bytes).min(),
        dialect,
    }
}
