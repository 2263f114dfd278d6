//! `get`: prints rooms, users and messages as the server lists them.

use std::cmp::Reverse;

use indexmap::IndexMap;
use jiff::civil::DateTime;

use super::Console;
use super::options::{csv_reader, room_filter};
use super::session::Session;
use super::target::ResolvedTarget;
use crate::cli::{GetArgs, GetFormat, GetList};
use crate::config::Config;
use crate::document::FORMAT;
use crate::error::{Result, bail};
use crate::imbachat::{Dice, Query};
use crate::model::{Cell, Listing, Pipe, Row};
use crate::plan::RoomFilter;
use crate::render::rows::{self, Rows};
use crate::render::{Count, few};

/// Maximum number of columns. More are needed only if rows have different fields, and then nearly
/// every cell would be empty.
const MOST_COLUMNS: usize = 1000;
/// Maximum number of fields named in an error.
const NAMED: usize = 40;

pub async fn run(args: &GetArgs, config: &Config, console: &mut Console) -> Result<()> {
    let for_csv = csv_reader(args.csv, args.format == GetFormat::Csv)?;
    let only = match &args.list {
        GetList::Rooms(filters) => room_filter(&filters.filter)?,
        GetList::Users(_) | GetList::Messages(_) => RoomFilter::default(),
    };
    let resolved = ResolvedTarget::new(config, None)?;
    let session = Session::open(config, resolved, console).await?;
    let (query, widget) = (
        query(&args.list),
        session.resolved.target.widget.to_string(),
    );
    for (name, value) in &query.filters {
        if ["date", "last_message_date"].contains(name) && !is_date(value) {
            let flag = name.replace('_', "-");
            console.warn(&format!("--{flag}: `{value}` is not YYYY-MM-DD or YYYY-MM-DD HH:MM:SS, so the server may ignore it or find nothing"));
        }
    }
    let collect = |(rows, left_out): &mut (Vec<Row>, usize), row| {
        if passes_filters(&row, &query, &widget) && is_selected(&row, &only) {
            rows.push(row);
        } else {
            *left_out += 1;
        }
    };
    let (reader, dice) = (&session.reader, Dice::random());
    let answer = reader.query(&query, &dice, Default::default, collect);
    let (mut rows, left_out) = answer.await?;
    session.close().await?;
    sort(&mut rows, &args.sort);
    let columns = choose_columns(args, query.listing, &fields(&rows))?;
    let listing = query.listing;
    let shown = Rows {
        listing,
        columns: &columns,
        rows: &rows,
    };
    let (paint, screen) = (console.out_paint, console.streams.out_columns);
    console.print_stream(|out| match args.format {
        GetFormat::Json => shown.json(FORMAT, out),
        GetFormat::Csv => shown.csv(for_csv, out),
        GetFormat::Table => shown.table(screen, paint, out),
    })?;
    let count = Count(rows.len(), listing.noun());
    console.status(&match left_out {
        0 => count.to_string(),
        1 => format!("{count}; 1 more does not match the filters and is not shown"),
        more => format!("{count}; {more} more do not match the filters and are not shown"),
    });
    Ok(())
}

/// Whether a text is a date as the API writes it (`api: fact 9`), with or without the time.
fn is_date(text: &str) -> bool {
    let forms = ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S"];
    let date = text.parse::<DateTime>();
    date.is_ok_and(|date| {
        forms
            .iter()
            .any(|form| date.strftime(form).to_string() == text)
    })
}

fn query(list: &GetList) -> Query {
    fn text(value: Option<impl ToString>) -> Option<String> {
        value.map(|value| value.to_string())
    }
    let (listing, path) = match list {
        GetList::Rooms(_) => (Listing::Rooms, None),
        GetList::Users(_) => (Listing::Users, None),
        GetList::Messages(it) => (Listing::Messages, it.endpoint.clone()),
    };
    let filters = match list {
        GetList::Rooms(it) => [
            ("room_type", text(it.kind)),
            ("status", it.status.clone()),
            ("count_users", text(it.count_users)),
            ("last_message_date", it.last_message_date.clone()),
            ("banned", text(it.banned.map(u8::from))),
        ],
        GetList::Users(it) => [
            ("login", it.login.clone()),
            ("id", text(it.id)),
            ("status", it.status.clone()),
            ("last_message_date", it.last_message_date.clone()),
            ("banned", text(it.banned.map(u8::from))),
        ],
        GetList::Messages(it) => [
            ("date", it.date.clone()),
            ("id", text(it.id)),
            ("room_type", text(it.kind)),
            ("user_name", it.user_name.clone()),
            ("user_role", it.user_role.clone()),
        ],
    };
    let filters = filters.into_iter();
    let filters = filters.filter_map(|(name, value)| Some((name, value?)));
    Query {
        listing,
        path,
        filters: filters.collect(),
    }
}

/// Whether a row passes the filters, as far as its fields show. The server may return other rows:
/// some sample rows in the API's documentation do not pass. The room filter `status` is not
/// checked, because it means a user's status in the room and a row's `status` means something else.
fn passes_filters(row: &Row, query: &Query, widget: &str) -> bool {
    let is_number = |field: &str, wanted: &str| match row.get(field) {
        Some(Cell::Number(number)) => number == wanted,
        // A value of another type does not show whether the row matches.
        _ => true,
    };
    let is_text = |field: &str, wanted: &str, normalize: fn(&str) -> String| match row.get(field) {
        Some(Cell::Text(text)) => normalize(text) == normalize(wanted),
        // The server writes `NULL` for an empty text.
        Some(Cell::Nothing) => wanted == "NULL",
        _ => true,
    };
    // The API documentation says `administrator`, but its sample says `admin`.
    let normalize_status = |it: &str| it.to_lowercase().replace("administrator", "admin");
    let mut filters = query.filters.iter();
    filters.all(|(name, wanted)| match (query.listing, *name) {
        (Listing::Rooms, "room_type") => is_number("type", wanted),
        (Listing::Users, "id") => is_number("id", wanted),
        (Listing::Users, "login") => is_text("login", wanted, str::to_owned),
        (Listing::Users, "status") => is_text("status", wanted, normalize_status),
        _ => true,
    }) && is_number("imba_id", widget)
}

fn is_selected(row: &Row, only: &RoomFilter) -> bool {
    let pipe = match row.get("pipe") {
        Some(Cell::Text(pipe)) => pipe.as_str(),
        _ => "",
    };
    only.is_all() || only.contains(&Pipe::new(pipe))
}

/// Sorts rows by fields; `-field` is descending. Equal rows keep the server's order.
fn sort(rows: &mut [Row], fields: &[String]) {
    // Sort by the first field last. The sort is stable, so rows that are equal in a field keep
    // the order that they had.
    for field in fields.iter().rev() {
        match field.strip_prefix('-') {
            Some(field) => rows.sort_by_cached_key(|row| Reverse(SortKey::new(row.get(field)))),
            None => rows.sort_by_cached_key(|row| SortKey::new(row.get(field))),
        }
    }
}

/// Sort order: no value, then numbers, then text.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum SortKey {
    Nothing,
    /// The bits of the number as a float, arranged so that they sort as floats do. Then, for a
    /// whole number, the integer, because large integers can round to the same float.
    Number(i64, Option<i128>),
    Text(String),
}

impl SortKey {
    fn new(cell: Option<&Cell>) -> Self {
        let text = match cell {
            None | Some(Cell::Nothing) => return Self::Nothing,
            Some(Cell::Truth(false)) => "0",
            Some(Cell::Truth(true)) => "1",
            // Ids may be strings, and are still sorted as numbers.
            Some(Cell::Number(text) | Cell::Text(text) | Cell::Nested(text)) => text,
        };
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => {
                let bits = number.to_bits().cast_signed();
                // Reverses the order of negative numbers, as `f64::total_cmp` does.
                let ordered = bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed();
                Self::Number(ordered, text.parse().ok())
            }
            _ => Self::Text(text.to_owned()),
        }
    }
}

/// Returns the fields of all rows in order of first occurrence, and for each field whether any row
/// has a value.
fn fields(rows: &[Row]) -> Vec<(String, bool)> {
    let mut fields = IndexMap::new();
    for (name, cell) in rows.iter().flat_map(Row::fields) {
        *fields.entry(name).or_insert(false) |= *cell != Cell::Nothing;
    }
    let fields = fields.into_iter();
    let fields = fields.map(|(name, filled)| (name.to_owned(), filled));
    fields.collect()
}

/// Returns the columns to print. An empty list means all fields. Refuses a field that no row has.
fn choose_columns(
    args: &GetArgs,
    listing: Listing,
    fields: &[(String, bool)],
) -> Result<Vec<String>> {
    let known = listing.documented_fields();
    let exists = |name: &str| {
        fields.is_empty() || known.contains(&name) || fields.iter().any(|(field, _)| field == name)
    };
    let sorted = args.sort.iter();
    let sorted = sorted.map(|name| name.strip_prefix('-').unwrap_or(name));
    let mut named = args.columns.iter().map(String::as_str).chain(sorted);
    if let Some(name) = named.find(|name| !exists(name)) {
        let names = few(fields.iter().map(|(name, _)| name), NAMED);
        bail!(Usage: "no {} has a field `{name}`", listing.noun();
            format!("use one of these: {names}"));
    }
    if !args.columns.is_empty() {
        return Ok(args.columns.clone());
    }
    let names = match args.format {
        GetFormat::Json => return Ok(Vec::new()),
        GetFormat::Table => rows::table_columns(listing, fields),
        GetFormat::Csv => rows::csv_columns(listing, fields),
    };
    let count = names.len();
    if count > MOST_COLUMNS {
        bail!(Failed: "the rows have {count} different fields, too many for columns";
            "choose some with --columns, or use --format json");
    }
    Ok(names)
}
