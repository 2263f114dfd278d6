//! `diff`: two manifests against each other. It asks no server, and reads no credential.

mod side;

use self::side::Given;
use super::Console;
use super::selection::{check_selection, selection};
use crate::cli::{DiffArgs, PlanFormat};
use crate::document::{DiffDocument, diagnostics};
use crate::error::{Error, Exit};
use crate::manifest::{Loaded, Options};
use crate::plan::{PlanOptions, Side, compare};
use crate::render;
use crate::view;

pub(super) fn run(args: &DiffArgs, console: &mut Console) -> Result<Exit, Error> {
    if args.unified && args.format != PlanFormat::Text {
        let message = "--unified is text";
        return Err(Error::message(Exit::Usage, message).hint("leave out --format, or --unified"));
    }
    let switches = PlanOptions {
        only: selection(&args.filter)?,
        ..PlanOptions::default()
    };
    let (base, head) = (Given::new(&args.base)?, Given::new(&args.head)?);
    // An empty base is every manifest's beginning; an empty head would be refused by `plan` too.
    let before = base.load(Options { allow_empty: true });
    let after = head.load(Options {
        allow_empty: args.allow_empty,
    });
    if !console.diagnostics(&[&before, &after])? {
        return Ok(Exit::Invalid);
    }
    let pipes = [&before, &after].map(|loaded| loaded.desired.rooms.keys());
    let pipes = pipes.into_iter().flatten();
    check_selection(&switches.only, pipes, "room of either manifest")?;
    let (base, head) = (side(&base, &before), side(&head, &after));
    let diff = compare(base, head, &switches);
    let exit = if args.detailed_exitcode && diff.differs() {
        Exit::Pending
    } else {
        Exit::Done
    };
    if args.unified {
        let text = render::unified(base, head, &switches.only, console.out_paint);
        console.print(&text)?;
    } else {
        let view = || view::manifest_diff(&diff, &after);
        let warnings = || diagnostics(&after.diagnostics, &after.sources);
        let document = || DiffDocument::new(&diff, exit, warnings());
        console.view(args.format, view, document)?;
    }
    Ok(exit)
}

fn side<'a>(given: &'a Given, loaded: &'a Loaded) -> Side<'a> {
    Side {
        name: &given.name,
        desired: &loaded.desired,
    }
}
