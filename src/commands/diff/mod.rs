//! `diff`: two manifests against each other. It asks no server, and reads no credential.

mod side;

use self::side::Given;
use super::Console;
use super::target::switches;
use crate::cli::{DiffArgs, Format};
use crate::document::{DiffDocument, diagnostics};
use crate::error::{Error, Exit};
use crate::manifest::{Loaded, Options};
use crate::plan::{Side, Switches, compare};
use crate::render;
use crate::settings::Settings;
use crate::view;

pub(super) fn run(
    args: &DiffArgs,
    settings: &Settings,
    console: &mut Console,
) -> Result<Exit, Error> {
    if !settings.common.file.is_empty() {
        let message = "-f is not for diff: it compares the two manifests that are named";
        return Err(Error::message(Exit::Usage, message).hint("write roomform diff BASE HEAD"));
    }
    if args.unified && console.format != Format::Text {
        let message = "--unified is text";
        return Err(Error::message(Exit::Usage, message).hint("leave out --format, or --unified"));
    }
    let switches = switches(&settings.common)?;
    let (base, head) = (Given::new(&args.base)?, Given::new(&args.head)?);
    // An empty base is every manifest's beginning; an empty head would be refused by `plan` too.
    let allow_empty = settings.common.allow_empty;
    let before = base.load(Options { allow_empty: true });
    let after = head.load(Options { allow_empty });
    if console.invalid(&before, &after)? {
        return Ok(Exit::Invalid);
    }
    chosen(&before, &after, &switches)?;
    let (base, head) = (side(&base, &before), side(&head, &after));
    let diff = compare(base, head, &switches);
    let exit = if args.detailed_exitcode && diff.differs() {
        Exit::Pending
    } else {
        Exit::Done
    };
    match console.format {
        Format::Json => {
            let warnings = diagnostics(&after.diagnostics, &after.sources);
            console.document(&DiffDocument::new(&diff, exit, warnings))?;
        }
        Format::Text if args.unified => {
            let text = render::unified(base, head, &switches.only, console.out_paint);
            console.print(&text)?;
        }
        _ => console.page(&view::manifest_diff(&diff, &after))?,
    }
    Ok(exit)
}

fn side<'a>(given: &'a Given, loaded: &'a Loaded) -> Side<'a> {
    Side {
        name: &given.name,
        desired: &loaded.desired,
    }
}

/// Refuses an `--only` that chooses nothing in either manifest.
fn chosen(before: &Loaded, after: &Loaded, switches: &Switches) -> Result<(), Error> {
    let rooms = || {
        let both = [before, after].into_iter();
        both.flat_map(|loaded| loaded.desired.rooms.keys())
    };
    if switches.only.is_all()
        || rooms().next().is_none()
        || rooms().any(|pipe| switches.only.is_matched(pipe))
    {
        return Ok(());
    }
    let message = "--only: no room of either manifest matches";
    Err(Error::message(Exit::Usage, message)
        .hint("it takes a pipe or a glob of pipes, as in --only 'course-*'"))
}
