//! The files of an export: which, with what in them, and whether they may be written. What would be read of them is compared with
//! what is meant before the first one is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::cli::{ExportArgs, SplitBy};
use crate::commands::Console;
use crate::commands::files::{
    PlannedFile, has_manifest, make_directories, refuse_what_is_in_the_way,
};
use crate::commands::run_files::RunFiles;
use crate::config::Config;
use crate::error::{Error, Exit};
use crate::manifest::files::Files;
use crate::manifest::{
    Entry, FileMap, Loaded, Options, append, by_prefix, by_type, load, load_from, load_text, page,
    read_back,
};
use crate::model::WidgetId;
use crate::render::{Count, escape};

/// An export may be of no room at all, and a file that is added to may have none yet.
const OPTIONS: Options = Options { allow_empty: true };
const ADD: &str = "--add keeps them, and appends the rooms they do not declare";

/// Where an export goes.
pub(super) struct Out<'a> {
    path: &'a Path,
    args: &'a ExportArgs,
    /// What the files will be read with.
    roots: Vec<PathBuf>,
    /// The manifest that is added to, where there is one.
    before: Option<Loaded>,
}

/// A file's text, and what is said once it is written.
struct Text {
    file: PlannedFile,
    told: String,
    /// Whether it is an old text with rooms added.
    is_added_to: bool,
}

impl<'a> Out<'a> {
    /// Looks at what is there. `None` if it is a manifest to be added to, and invalid; its mistakes are told then.
    pub(super) fn open(
        path: &'a Path,
        args: &'a ExportArgs,
        config: &Config,
        console: &mut Console,
    ) -> Result<Option<Self>, Error> {
        if args.split_by.is_none() && path.is_dir() {
            let message = format!("--out: `{}` is a directory", path.display());
            return Err(Error::message(Exit::Usage, message)
                .hint("name a file in it, or add --split-by prefix"));
        }
        let roots = roots(path, args, config);
        // What the user names has to be there; what is to be made has not.
        let named = |root: &PathBuf| config.files.contains(root) && root != path;
        let mut there = roots.clone();
        there.retain(|root| named(root) || has_manifest(root));
        let before = (args.add && !there.is_empty()).then(|| load(&there, OPTIONS));
        if let Some(before) = &before
            && !console.diagnostics(&[before])?
        {
            return Ok(None);
        }
        Ok(Some(Self {
            path,
            args,
            roots,
            before,
        }))
    }

    /// The widget that the manifest is for which is added to.
    pub(super) fn widget(&self) -> Option<WidgetId> {
        self.before.as_ref()?.desired.widget
    }

    /// Writes all files or, where anything speaks against one of them, none.
    pub(super) fn write(
        &self,
        widget: WidgetId,
        scope: &[String],
        entries: &[Entry],
        inputs: RunFiles,
        console: &mut Console,
    ) -> Result<(), Error> {
        let entries = self.wanted(entries, console);
        let mut texts = Vec::new();
        // One file of a manifest says what its scope is; of one that is there already nothing is changed.
        let mut scope = if self.before.is_some() { &[] } else { scope };
        for (path, entries) in self.by_file(&entries) {
            texts.push(self.text(path, widget, scope, &entries)?);
            scope = &[];
        }
        texts.retain(|text| !text.file.is_done());
        if texts.is_empty() {
            return console.print(match self.args.split_by {
                Some(_) if entries.is_empty() && !self.args.add => "no room to be written\n",
                _ => "everything is there already\n",
            });
        }
        let outputs = texts.iter().map(|text| text.file.path.as_path());
        outputs
            .fold(inputs, |files, path| files.writes("--out", Some(path)))
            .check()?;
        let (added, new): (Vec<Text>, Vec<Text>) =
            texts.into_iter().partition(|text| text.is_added_to);
        let told: Vec<String> = added.iter().chain(&new).map(|it| it.told.clone()).collect();
        let [added, new] = [added, new]
            .map(|texts| -> Vec<PlannedFile> { texts.into_iter().map(|text| text.file).collect() });
        refuse_what_is_in_the_way(&added, true, None)?;
        refuse_what_is_in_the_way(&new, self.args.force, Some(ADD))?;
        self.read_back(added.iter().chain(&new), widget, &entries, console)?;
        make_directories(&new)?;
        let files = added.iter().chain(&new);
        files.clone().try_for_each(PlannedFile::check)?;
        for (file, told) in files.zip(told) {
            file.write()?;
            console.print(&told)?;
        }
        Ok(())
    }

    /// What is to be written: everything, or what is not declared yet and can be.
    fn wanted<'e>(&self, entries: &'e [Entry], console: &mut Console) -> Vec<&'e Entry> {
        let declared = self.before.as_ref().map(|before| &before.desired.rooms);
        let is_new = |entry: &&Entry| declared.is_none_or(|it| !it.contains_key(&entry.pipe));
        let mut wanted: Vec<&Entry> = entries.iter().filter(is_new).collect();
        // One new file has a comment of each; else there is no place for it.
        if declared.is_some() || self.args.split_by.is_some() {
            for entry in wanted.iter().filter(|entry| !entry.declared) {
                console.warn(entry.text.trim().trim_start_matches("# "));
            }
            wanted.retain(|entry| entry.declared);
        }
        wanted
    }

    /// The entries by the file they go into.
    fn by_file<'e>(&self, entries: &[&'e Entry]) -> BTreeMap<PathBuf, Vec<&'e Entry>> {
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

    /// What a file will say: what it says now and the new rooms, or the new rooms alone.
    fn text(
        &self,
        path: PathBuf,
        widget: WidgetId,
        scope: &[String],
        entries: &[&Entry],
    ) -> Result<Text, Error> {
        let shown = escape::terminal(&path.display().to_string());
        let rooms = Count(entries.iter().filter(|it| it.declared).count(), "room");
        let old = match fs::metadata(&path) {
            Ok(there) if self.args.add && there.is_file() => Some(
                fs::read_to_string(&path)
                    .with_context(|| format!("`{}` cannot be read", path.display()))?,
            ),
            // What cannot be looked at is found to be in the way.
            _ => None,
        };
        let (text, told) = match &old {
            Some(old) => (
                append(old, entries).ok_or_else(|| no_lines(&path))?,
                format!("added {rooms} to {shown}\n"),
            ),
            None => (
                page(widget, scope, entries),
                format!("wrote {shown}: {rooms}\n"),
            ),
        };
        Ok(Text {
            file: PlannedFile { path, text },
            told,
            is_added_to: old.is_some(),
        })
    }

    /// Reads the manifest as it would be, and refuses it unless it is what was there and the new rooms.
    fn read_back<'f>(
        &self,
        files: impl Iterator<Item = &'f PlannedFile>,
        widget: WidgetId,
        entries: &[&Entry],
        console: &mut Console,
    ) -> Result<(), Error> {
        let files =
            FileMap::over_disk(files.map(|file| (file.path.as_path(), file.text.as_bytes())));
        let after = load_from(&files, &self.roots, OPTIONS);
        if !after.is_valid() {
            console.diagnostics(&[&after])?;
            let message = "what would be written is no valid manifest, with what is there";
            return Err(
                Error::message(Exit::Refused, message).hint(match self.args.add {
                    true => "mend the file, or export into another one; nothing was written",
                    false => "export into another directory, or use --add; nothing was written",
                }),
            );
        }
        let meant = load_text("export", &page(widget, &[], entries), OPTIONS);
        let before = self.before.as_ref().map(|before| &before.desired);
        read_back(&after.desired, &meant.desired, before).map_err(|unlike| {
            Error::new(Exit::Refused, unlike)
                .hint("export into another file, and move the rooms by hand; nothing was written")
        })
    }
}

/// What the files will be read with: those of `-f` or the default ones, where the export goes into them, and where it goes.
fn roots(path: &Path, args: &ExportArgs, config: &Config) -> Vec<PathBuf> {
    if !args.add {
        return vec![path.to_owned()];
    }
    let files = FileMap::over_disk([(path, "".as_bytes())]);
    let real = |path: &Path| files.real_path(path).ok();
    let out = real(path);
    let mut roots = config.manifest();
    let inside = roots.iter().any(|root| {
        let pair = out.as_ref().zip(real(root));
        pair.is_some_and(|(out, root)| out.starts_with(root))
    });
    if !inside {
        if config.files.is_empty() {
            roots.clear();
        }
        roots.push(path.to_owned());
    }
    roots
}

fn no_lines(path: &Path) -> Error {
    let message = format!(
        "`{}`: its `rooms` are no list of lines that start with `-`, so that nothing can be appended",
        path.display()
    );
    Error::message(Exit::Refused, message)
        .hint("write `rooms:` and below it a line `- pipe: …` for each room, or export into another file")
        .hint("nothing was written")
}
