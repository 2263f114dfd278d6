//! `export`: prints the live rooms as a manifest, or writes them to files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use indexmap::IndexSet;

use super::Console;
use super::files::{PlannedFile, RunFiles, has_manifest, refuse_conflicting_paths, write_all};
use super::options::load_options;
use super::session::Session;
use super::target::ResolvedTarget;
use crate::cli::{ExportArgs, SplitBy};
use crate::config::Config;
use crate::error::{Error, Exit, Result, bail, error};
use crate::imbachat::{Dice, ReadRooms};
use crate::manifest::{
    Entry, FileMap, Loaded, Options, append, by_prefix, by_type, entries, load, load_from,
    load_text, page, read_back,
};
use crate::model::{LiveRoom, WidgetId};
use crate::plan::RoomFilter;
use crate::render::{Count, escape};
use crate::tables::files::resolve;

const ADD: &str =
    "use --add to keep the existing files and append the rooms that the files do not declare";

pub async fn run(args: &ExportArgs, config: &Config, console: &mut Console) -> Result<()> {
    // A manifest without rooms is allowed: the server may have no live rooms, and an existing
    // file may have no rooms yet.
    let options = load_options(config, true);
    let (globs, scope) = parse_scope(&args.scope, options)?;
    let destination = args.out.as_deref();
    let destination = destination.map(|path| Destination::new(path, args, config, options));
    let destination = destination.transpose()?;
    let before = destination.as_ref().and_then(|it| it.before.as_ref());
    if let Some(before) = before {
        console.report_diagnostics(&[before])?;
    }
    let resolved = ResolvedTarget::new(config, before.and_then(|it| it.desired.widget))?;
    let inputs = RunFiles::default().target(config, &resolved);
    inputs
        .clone()
        .writes("--out", args.out.as_deref())
        .check()?;
    let session = Session::open(config, resolved, console).await?;
    let recorded = session.resolved.read_ledger(console).await?.into_recorded();
    let collect = |rooms: &mut Vec<LiveRoom>, row: LiveRoom| {
        if scope.contains(&row.pipe) {
            rooms.push(row);
        }
    };
    let reader = &session.reader;
    let rooms = reader.collect(&Dice::random(), Vec::new, collect).await?;
    if session.reader.is_partial() {
        console.warn(
            "the export may be incomplete: a JWT may show only one user's rooms; read with the secret key",
        );
    }
    let widget = session.resolved.target.widget;
    session.close().await?;
    let entries = entries(&rooms, &recorded);
    if entries.is_empty() {
        console.warn(match args.scope.as_slice() {
            [] => "the server lists no live rooms",
            _ => "no live room matches --scope",
        });
    }
    // If a secret in a title or pipe were replaced by `***`, the manifest would declare a wrong
    // title or pipe.
    if entries
        .iter()
        .any(|entry| console.redact(&entry.text) != entry.text)
    {
        bail!(Failed: "the title or pipe of a room contains a credential of this run";
            "rename the room in ImbaChat, or change the credential");
    }
    match destination {
        Some(destination) => destination.write(widget, &globs, &entries, inputs, console),
        None => console.print(&page(widget, &globs, &Vec::from_iter(&entries))),
    }
}

/// Returns the globs of `--scope` without duplicates, and the filter that they form. The globs are
/// written to the manifest, so they must be valid there.
fn parse_scope(globs: &[String], options: Options) -> Result<(Vec<String>, RoomFilter)> {
    let globs = Vec::from_iter(globs.iter().cloned().collect::<IndexSet<_>>());
    let loaded = load_text("--scope", &page(WidgetId(1), &globs, &[]), options);
    let problem = match (loaded.diagnostics.first(), RoomFilter::new(&globs)) {
        (None, Ok(selection)) => return Ok((globs, selection)),
        (Some(diagnostic), _) => diagnostic.message.clone(),
        (None, Err(error)) => error.to_string(),
    };
    Err(error!(Usage: "--scope: {problem}"; "write it as --scope 'course-*'"))
}

struct Destination<'a> {
    path: &'a Path,
    args: &'a ExportArgs,
    /// The files and directories that the manifest is loaded from.
    roots: Vec<PathBuf>,
    options: Options,
    /// The manifest that rooms are added to, if it exists.
    before: Option<Loaded>,
}

impl<'a> Destination<'a> {
    /// Loads the manifest that rooms are added to.
    fn new(
        path: &'a Path,
        args: &'a ExportArgs,
        config: &Config,
        options: Options,
    ) -> Result<Self> {
        if args.split_by.is_none() && path.is_dir() {
            bail!(Usage: "--out: `{}` is a directory", path.display();
                "name a file in it, or add --split-by prefix");
        }
        let roots = find_roots(path, args, config);
        // Files named with `-f` must exist. The destination may be missing.
        let is_named = |root: &PathBuf| config.files.contains(root) && root != path;
        let mut existing = roots.clone();
        existing.retain(|root| is_named(root) || has_manifest(root));
        let before = (args.add && !existing.is_empty()).then(|| load(&existing, options));
        Ok(Self {
            path,
            args,
            roots,
            options,
            before,
        })
    }

    /// Writes all files, or none if one of them cannot be written.
    fn write(
        &self,
        widget: WidgetId,
        scope: &[String],
        entries: &[Entry],
        inputs: RunFiles,
        console: &mut Console,
    ) -> Result<()> {
        let entries = self.choose_entries(entries, console);
        let mut files = Vec::new();
        // The first file of a new manifest declares the scope.
        let mut scope = if self.before.is_some() { &[] } else { scope };
        for (path, entries) in self.split(&entries) {
            files.push(self.plan_file(path, widget, std::mem::take(&mut scope), &entries)?);
        }
        files.retain(|file| !file.is_done());
        if files.is_empty() {
            return console.print(match self.args.split_by {
                Some(_) if entries.is_empty() && !self.args.add => "no rooms to write\n",
                _ => "everything exists already\n",
            });
        }
        // Existing files that gain rooms are written first.
        files.sort_by_key(|file| !file.replaces);
        let outputs = files.iter().map(|file| Some(file.path.as_path()));
        let run_files = outputs.fold(inputs, |all, path| all.writes("--out", path));
        run_files.check()?;
        refuse_conflicting_paths(&files, Some(ADD))?;
        self.check_read_back(&files, widget, &entries, console)?;
        write_all(&files, console)
    }

    /// Returns the entries that are not declared yet. Entries that cannot be declared are left out
    /// with a warning, unless all entries go to a single new file.
    fn choose_entries<'e>(&self, entries: &'e [Entry], console: &mut Console) -> Vec<&'e Entry> {
        let declared = self.before.as_ref().map(|before| &before.desired.rooms);
        let is_new = |entry: &&Entry| declared.is_none_or(|it| !it.contains_key(&entry.pipe));
        let mut chosen: Vec<&Entry> = entries.iter().filter(is_new).collect();
        // Rooms that cannot be declared are written as comments, but only if all entries go to
        // a single new file.
        if declared.is_some() || self.args.split_by.is_some() {
            for entry in chosen.iter().filter(|entry| !entry.declared) {
                console.warn(entry.text.trim().trim_start_matches("# "));
            }
            chosen.retain(|entry| entry.declared);
        }
        chosen
    }

    /// Groups the entries by the file they are written to.
    fn split<'e>(&self, entries: &[&'e Entry]) -> BTreeMap<PathBuf, Vec<&'e Entry>> {
        let name: fn(&Entry) -> String = match self.args.split_by {
            Some(SplitBy::Prefix) => by_prefix,
            Some(SplitBy::Type) => by_type,
            None if entries.is_empty() && self.before.is_some() => return BTreeMap::new(),
            None => return BTreeMap::from([(self.path.to_owned(), entries.to_vec())]),
        };
        let mut files: BTreeMap<PathBuf, Vec<&Entry>> = BTreeMap::new();
        for entry in entries {
            let path = self.path.join(format!("{}.yaml", name(entry)));
            files.entry(path).or_default().push(entry);
        }
        files
    }

    fn plan_file(
        &self,
        path: PathBuf,
        widget: WidgetId,
        scope: &[String],
        entries: &[&Entry],
    ) -> Result<PlannedFile> {
        let shown = escape::terminal(&path.display().to_string());
        let rooms = Count(entries.iter().filter(|it| it.declared).count(), "room");
        let is_added_to = self.args.add && path.is_file();
        let (text, message) = if is_added_to {
            let old = fs::read_to_string(&path)
                .with_context(|| format!("`{}` cannot be read", path.display()))?;
            let Some(text) = append(&old, entries) else {
                bail!(Refused: "`{}`: its `rooms` is not a list of lines that start with `-`, so nothing can be appended", path.display();
                    "write `rooms:` and, below it, a line `- pipe: …` for each room; or export into another file";
                    "nothing was written");
            };
            (text, format!("added {rooms} to {shown}\n"))
        } else {
            let text = page(widget, scope, entries);
            (text, format!("wrote {shown}: {rooms}\n"))
        };
        Ok(PlannedFile {
            path,
            text,
            replaces: is_added_to || self.args.force,
            message,
        })
    }

    /// Loads the manifest as it would be with these files. Refuses the files unless the
    /// manifest has its previous content and the new rooms.
    fn check_read_back(
        &self,
        files: &[PlannedFile],
        widget: WidgetId,
        entries: &[&Entry],
        console: &mut Console,
    ) -> Result<()> {
        let files = files.iter();
        let files = files.map(|file| (file.path.as_path(), file.text.as_bytes()));
        let after = load_from(&FileMap::over_disk(files), &self.roots, self.options);
        if !after.is_valid() {
            console.draw_diagnostics("error", &after.diagnostics, &after.sources);
            let hint = match self.args.add {
                true => "fix the file, or export into another one; nothing was written",
                false => "export into another directory, or use --add; nothing was written",
            };
            bail!(Refused: "together with the existing files, the export would not be a valid manifest";
                hint);
        }
        let meant = load_text("export", &page(widget, &[], entries), self.options);
        let before = self.before.as_ref().map(|before| &before.desired);
        read_back(&after.desired, &meant.desired, before).map_err(|unlike| {
            Error::new(Exit::Refused, unlike)
                .hint("export into another file, and move the rooms yourself; nothing was written")
        })
    }
}

/// Returns the files and directories that the manifest is loaded from. Without `--add`, that is
/// only the destination. With `--add`, these are the paths that `-f` names. If there is no
/// `-f`, these are the default paths, but only if they contain the destination. If none of
/// these paths contains the destination, it is added.
fn find_roots(path: &Path, args: &ExportArgs, config: &Config) -> Vec<PathBuf> {
    if !args.add {
        return vec![path.to_owned()];
    }
    let out = resolve(path);
    let mut roots = config.manifest();
    let is_inside = roots.iter().any(|root| out.starts_with(resolve(root)));
    if !is_inside {
        if config.files.is_empty() {
            roots.clear();
        }
        roots.push(path.to_owned());
    }
    roots
}
