//! `get`: rooms, users and messages as the server lists them.

mod filters;
mod rows;

use self::filters::Asked;
use self::rows::{Order, fields, sort};
use super::Console;
use super::selection::selection;
use super::session::{Session, dice};
use super::target::ResolvedTarget;
use crate::cli::{GetArgs, GetFormat, GetList};
use crate::config::Config;
use crate::document;
use crate::error::{Error, Exit};
use crate::model::{Listing, Row};
use crate::plan::RoomFilter;
use crate::render::Count;
use crate::render::rows::{self as listed, Columns};

pub(super) async fn run(
    args: &GetArgs,
    config: &Config,
    console: &mut Console,
) -> Result<Exit, Error> {
    let only = match &args.list {
        GetList::Rooms(filters) => selection(&filters.filter)?,
        GetList::Users(_) | GetList::Messages(_) => RoomFilter::default(),
    };
    let session = Session::open(config, ResolvedTarget::new(config, None)?).await?;
    let asked = Asked::new(&args.list, session.target.widget, only);
    let (mut rows, left_out) = session
        .reader
        .query(
            &asked.query,
            &dice(),
            || (Vec::new(), 0),
            |(rows, left_out), row| {
                if asked.admits(&row) {
                    rows.push(row);
                } else {
                    *left_out += 1;
                }
            },
        )
        .await?;
    session.close().await?;
    sort(&mut rows, &order(args));
    let listing = asked.query.listing;
    let columns = columns(args, listing, &fields(&rows))?;
    print(listing, &columns, &rows, args.format, console)?;
    console.status(&told(listing, rows.len(), left_out));
    Ok(Exit::Done)
}

/// Columns that are chosen for nobody: of fields that differ from row to row every cell but one would be empty.
const MOST_COLUMNS: usize = 1000;
/// Fields that are named where one is not there.
const NAMED: usize = 40;

/// `-name` is backwards.
fn order(args: &GetArgs) -> Order {
    let fields = args.sort.iter().map(|field| match field.strip_prefix('-') {
        Some(name) => (name.to_owned(), true),
        None => (field.clone(), false),
    });
    fields.collect()
}

/// The columns of a format; refused if one is asked for that no row has.
fn columns(args: &GetArgs, listing: Listing, fields: &[(String, bool)]) -> Result<Columns, Error> {
    let known = listed::known(listing);
    let is_there = |name: &str| {
        fields.is_empty() || known.contains(&name) || fields.iter().any(|(field, _)| field == name)
    };
    let sorted = args.sort.iter();
    let sorted = sorted.map(|name| name.strip_prefix('-').unwrap_or(name));
    let asked = args.columns.iter().map(String::as_str);
    let missing: Vec<&str> = asked.chain(sorted).filter(|name| !is_there(name)).collect();
    if let Some(name) = missing.first() {
        let message = format!("no {} has a field `{name}`", listing.noun());
        let there = format!("they have {}", some(fields));
        return Err(Error::message(Exit::Usage, message).hint(there));
    }
    let columns = match (args.format, args.columns.as_slice()) {
        (_, [_, ..]) => Columns::Named(args.columns.clone()),
        (GetFormat::Table, []) => Columns::Named(listed::table_columns(listing, fields)),
        (GetFormat::Json, []) => Columns::All,
        (GetFormat::Csv, []) => Columns::Named(listed::csv_columns(listing, fields)),
    };
    match &columns {
        Columns::Named(names) if names.len() > MOST_COLUMNS && args.columns.is_empty() => {
            let count = names.len();
            let message = format!("the rows have {count} different fields, too many for columns");
            let hint = "choose some with --columns, or use --format json";
            Err(Error::message(Exit::Failed, message).hint(hint))
        }
        _ => Ok(columns),
    }
}

/// The names of fields, not all of very many.
fn some(fields: &[(String, bool)]) -> String {
    let names = fields.iter().take(NAMED).map(|(name, _)| name.as_str());
    let names = names.collect::<Vec<_>>().join(", ");
    match fields.len().saturating_sub(NAMED) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

fn print(
    listing: Listing,
    columns: &Columns,
    rows: &[Row],
    format: GetFormat,
    console: &mut Console,
) -> Result<(), Error> {
    let (paint, screen) = (console.out_paint, console.out_columns);
    console.stream(|out| match format {
        GetFormat::Json => document::rows(listing, columns, rows, out),
        GetFormat::Csv => listed::csv(columns, rows, out),
        GetFormat::Table => {
            let widths = listed::widths(listing, columns, rows);
            match (listed::fit(&widths, columns, screen), screen) {
                (None, Some(screen)) => listed::blocks(listing, columns, screen, paint, rows, out),
                (fitting, _) => {
                    let widths = fitting.unwrap_or(widths);
                    listed::table(listing, columns, &widths, paint, rows, out)
                }
            }
        }
    })
}

fn told(listing: Listing, count: usize, left_out: usize) -> String {
    let rows = Count(count, listing.noun());
    match left_out {
        0 => rows.to_string(),
        1 => format!("{rows}; 1 more was sent that does not pass the filters, and is left out"),
        more => {
            format!("{rows}; {more} more were sent that do not pass the filters, and are left out")
        }
    }
}
