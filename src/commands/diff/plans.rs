//! Two plans instead of two manifests: what moved since one of them was approved.

use super::super::Console;
use super::side::Given;
use crate::cli::{DiffArgs, Format};
use crate::error::{Error, Exit};
use crate::plan::{Plan, Selection, moved, restore};
use crate::render;
use crate::render::json::{PlanDiffDocument, as_in_document, document_kind, read_plan};

/// A plan in either of its forms.
enum Form {
    Saved(Plan),
    Document(Plan),
}

/// What the two arguments are: plans, or `None` if neither is one.
///
/// # Errors
/// If only one is a plan, or one cannot be read.
fn both(base: &Given, head: &Given) -> Result<Option<[Form; 2]>, Error> {
    match (plan(base)?, plan(head)?) {
        (None, None) => Ok(None),
        (Some(old), Some(new)) => Ok(Some([old, new])),
        (one, _) => {
            let (plan, other) = if one.is_some() {
                (base, head)
            } else {
                (head, base)
            };
            let message = format!("`{}` is a plan and `{}` is none", plan.name, other.name);
            Err(Error::message(Exit::Usage, message)
                .hint("compare two manifests, or two plans (of plan --out or plan --format json)"))
        }
    }
}

/// The plan in a file; `None` if it is something that may be a manifest.
fn plan(given: &Given) -> Result<Option<Form>, Error> {
    let Some(text) = given.document()? else {
        return Ok(None);
    };
    let Some(kind) = document_kind(&text) else {
        return Ok(None);
    };
    let name = &given.name;
    let unreadable = |why: String| {
        Error::message(Exit::Failed, format!("`{name}`: {why}")).hint("make the plan again")
    };
    match kind.as_str() {
        "saved_plan" => {
            let (plan, _) = restore(&text).map_err(|error| unreadable(error.to_string()))?;
            Ok(Some(Form::Saved(plan)))
        }
        "plan" => {
            let plan = read_plan(&text).map_err(unreadable)?;
            Ok(Some(Form::Document(plan)))
        }
        _ => {
            let message =
                format!("`{name}` is a document of roomform, but no plan and no manifest");
            Err(Error::message(Exit::Usage, message)
                .hint("compare two manifests, or two plans (of plan --out or plan --format json)"))
        }
    }
}

/// Compares the arguments if they are plans; the exit, or `None` if they are none.
pub(super) fn run(
    [base, head]: [&Given; 2],
    args: &DiffArgs,
    only: &Selection,
    console: &mut Console,
) -> Result<Option<Exit>, Error> {
    let Some(plans) = both(base, head)? else {
        return Ok(None);
    };
    let json = console.format == Format::Json;
    if args.unified || !(json || console.format == Format::Text) {
        let message = "two plans are compared as text or as JSON only";
        return Err(Error::message(Exit::Usage, message)
            .hint("leave out --unified, and --format unless it is json"));
    }
    let (old, new) = match plans {
        [Form::Saved(old), Form::Saved(new)] => (old, new),
        // A document has the welcomes shortened, so the other plan has to have them so.
        [old, new] => (in_document(old), in_document(new)),
    };
    let moved = moved(&old, &new, only);
    let exit = if args.detailed_exitcode && moved.differs() {
        Exit::Pending
    } else {
        Exit::Done
    };
    if json {
        let names = [base.name.as_str(), head.name.as_str()];
        console.document(&PlanDiffDocument::new(&moved, names, exit))?;
    } else {
        let text = render::moved(&moved, &base.name, &head.name, console.out_paint);
        console.print(&text)?;
    }
    Ok(Some(exit))
}

fn in_document(form: Form) -> Plan {
    match form {
        Form::Saved(plan) => as_in_document(plan),
        Form::Document(plan) => plan,
    }
}
