//! `diff`: compares two manifests. It contacts no server and reads no credentials.

use std::path::Path;

use super::Console;
use super::git::GitFiles;
use super::options::{check_filter, load_options, room_filter};
use crate::cli::{DiffArgs, PlanFormat};
use crate::config::Config;
use crate::document::{DiffDocument, diagnostics};
use crate::error::{Exit, Result, bail, error};
use crate::manifest::{Loaded, Options, load, load_from, load_text};
use crate::plan::{PlanOptions, Side, compare};
use crate::render;
use crate::view;

/// The name for a manifest without rooms. Git uses the same name for a missing file.
const NOTHING: &str = "/dev/null";

pub fn run(args: &DiffArgs, config: &Config, console: &mut Console) -> Result<Exit> {
    if args.unified && args.format != PlanFormat::Text {
        bail!(Usage: "--unified works only with --format text"; "leave out --format, or --unified");
    }
    let options = PlanOptions {
        only: room_filter(&args.filter)?,
        ..PlanOptions::default()
    };
    // The base may be empty, so that the first manifest of a repository can be compared. The head
    // may be empty only with `--allow-empty`, as in `plan`.
    let before = load_input(&args.base, load_options(config, true))?;
    let after = load_input(&args.head, load_options(config, args.allow_empty))?;
    console.report_diagnostics(&[&before, &after])?;
    let pipes = [&before, &after].map(|loaded| loaded.desired.rooms.keys());
    let pipes = pipes.into_iter().flatten();
    check_filter(&options.only, pipes, "room of either manifest")?;
    let names = [&args.base, &args.head].map(|path| path.to_string_lossy());
    let [base, head] = &names;
    let [base, head] = [(base, &before), (head, &after)].map(|(name, loaded)| Side {
        name,
        desired: &loaded.desired,
    });
    let diff = compare(base, head, &options);
    let exit = match args.detailed_exitcode && diff.differs() {
        true => Exit::Pending,
        false => Exit::Done,
    };
    if args.unified {
        let text = render::unified(base, head, &options.only, console.out_paint);
        console.print(&text)?;
    } else {
        let view = || view::manifest_diff(&diff, &after);
        let warnings = || diagnostics(&after.diagnostics, &after.sources);
        let document = || DiffDocument::new(&diff, exit, warnings());
        console.print_view(args.format, view, document)?;
    }
    Ok(exit)
}

/// Loads the manifest at a path on disk, or at `REVISION:PATH` in git.
fn load_input(argument: &Path, options: Options) -> Result<Loaded> {
    let name = argument.to_string_lossy();
    match argument.to_str().and_then(split_revision) {
        _ if name == NOTHING => Ok(load_text(NOTHING, "version: 1\nrooms: []\n", options)),
        _ if argument.exists() => Ok(load(&[argument.to_owned()], options)),
        Some(("", _)) => Err(error!(Usage: "`{name}`: no revision before the colon";
            "write it as HEAD:rooms.yaml; in git, `:PATH` is a staged file, which roomform does not read")),
        Some((revision, path)) => {
            let files = GitFiles::open(&name, revision)?;
            let root = files.root(path)?;
            Ok(load_from(&files, &[root], options))
        }
        None => Err(error!(Invalid: "`{name}`: no such file or directory";
            "to compare with a git revision, write a path after the revision, as in origin/main:rooms.yaml")),
    }
}

/// Splits `REVISION:PATH` at the first colon outside braces, as git does. Does not split a
/// Windows path such as `C:\rooms`.
fn split_revision(argument: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    let (revision, path) = argument.split_once(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ':' && depth == 0
    })?;
    let is_drive = revision.len() == 1
        && revision.starts_with(|c: char| c.is_ascii_alphabetic())
        && path.starts_with(['\\', '/']);
    (!is_drive).then_some((revision, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_ends_at_the_first_colon_outside_of_braces() {
        assert_eq!(
            split_revision("origin/main:rooms/"),
            Some(("origin/main", "rooms/"))
        );
        assert_eq!(
            split_revision("HEAD^{/fix: it}:a:b.yaml"),
            Some(("HEAD^{/fix: it}", "a:b.yaml"))
        );
        assert_eq!(split_revision("HEAD:"), Some(("HEAD", "")));
        assert_eq!(split_revision(":rooms.yaml"), Some(("", "rooms.yaml")));
        assert_eq!(split_revision("rooms.yaml"), None);
        assert_eq!(split_revision(r"C:\rooms"), None);
        assert_eq!(split_revision("c:/rooms"), None);
        assert_eq!(split_revision("v:rooms"), Some(("v", "rooms")));
    }
}
