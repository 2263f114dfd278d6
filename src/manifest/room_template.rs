//! The template of generated rooms. It is compiled once, and rendered for each row.
//!
//! Main type: [`RoomTemplate`]. A rendered room is like a room written in the manifest.

use super::decode::KINDS;
use super::raw::{RawGenerate, RawMember, RawRoom, RawSettings, RawWelcome, Spanned};
use super::roster::RosterReader;
use super::template::{Template, Value};
use super::welcome::FIELDS;
use crate::model::Presence;
use crate::tables::column::{optional, resolved};
use crate::tables::diagnostic::{At, Code, Diagnostic, clip};
use crate::tables::header::word;
use crate::tables::number::{TOO_LARGE, is_digits, is_too_large, positive_id};
use crate::tables::row::{Column, Row};
use crate::tables::table::TableUse;

/// The allowed results of a template for `public`.
const SWITCH: [(&str, bool); 4] = [("true", true), ("false", false), ("1", true), ("0", false)];
/// The name of the whole row in a template. Templates need it for columns whose names are not
/// valid in templates.
const WHOLE_ROW: &str = "row";

/// A template, its place, and the column for each of its names; `None` for the whole row.
struct Text {
    template: Template,
    at: At,
    columns: Vec<(String, Option<Column>)>,
}

/// A member in a room template.
enum Entry {
    /// The member is the same in every room.
    Same(Spanned<RawMember>),
    /// The member depends on the row, but the dates do not.
    Filled(Box<Text>, Presence),
}

pub(super) struct RoomTemplate<'a> {
    raw: &'a RawRoom,
    pipe: Text,
    title: Text,
    /// The columns whose cells must not be empty, because the pipe contains them.
    bare: Vec<Column>,
    kind: Option<Text>,
    public: Option<Text>,
    members: Vec<Entry>,
    exclude: Vec<Entry>,
    /// The sender and the text. Only columns are filled in here. The room's own fields are filled
    /// in later.
    welcome: Option<(Entry, Text)>,
}

impl<'a> RoomTemplate<'a> {
    pub(super) fn new(
        generate: &'a RawGenerate,
        table: TableUse<'_>,
        rosters: &RosterReader<'_>,
    ) -> Option<Self> {
        let entry = |written: &Spanned<RawMember>| Entry::new(written, table, rosters);

        let raw = &generate.room;
        let text = |text| Text::compile(text, table, &[]);
        let entries = |list: &[Spanned<RawMember>]| resolved(list.iter().map(entry));
        let (pipe, title) = (text(&raw.pipe), text(&raw.title));
        let from_row = generate.from_row.each_ref();
        let [kind, public] = from_row.map(|setting| optional(setting.as_ref(), text));
        let (members, exclude) = (entries(&raw.members), entries(&raw.exclude));
        let welcome = optional(raw.welcome.as_ref(), |raw| {
            entry(&raw.from).zip(Text::compile(&raw.text, table, &FIELDS))
        });
        let pipe = pipe?;
        let bare = pipe.template.bare_names();
        let bare = bare.iter().filter_map(|name| pipe.column(name)?.clone());
        let template = Self {
            raw,
            bare: bare.collect(),
            pipe,
            title: title?,
            kind: kind?,
            public: public?,
            members: members?,
            exclude: exclude?,
            welcome: welcome?,
        };
        // Without a valid title, still render the pipes to check them.
        (!raw.broken || !raw.pipe.value.is_empty()).then_some(template)
    }

    /// Renders the room of a row.
    pub(super) fn fill(&self, row: &Row<'_>) -> Option<RawRoom> {
        let pipe = self.pipe.render(row);
        let has_empty = self.note_empty_cells_of_pipe(row);
        let title = self.title.render(row);
        let list = |entries: &[Entry]| {
            let members = entries.iter();
            members.filter_map(|entry| entry.fill(row)).collect()
        };
        let (members, exclude) = (list(&self.members), list(&self.exclude));
        let kind = self.kind.as_ref();
        let kind = kind.and_then(|text| text.choose("type", &KINDS, row));
        let public = self.public.as_ref();
        let public = public.and_then(|text| text.choose("public", &SWITCH, row));
        let settings = self.raw.settings;
        Some(RawRoom {
            at: row.at(),
            pipe: pipe.filter(|_| !has_empty)?,
            broken: self.raw.broken || title.is_none(),
            title: title.unwrap_or_else(|| Spanned::new(String::new(), row.at())),
            members,
            exclude,
            welcome: self.welcome(row),
            settings: RawSettings {
                kind: kind.or(settings.kind),
                public: public.or(settings.public),
                ..settings
            },
            ignore: self.raw.ignore,
        })
    }

    /// Reports empty cells that the pipe needs. If a user filled them in later, the pipe would
    /// change, and another room would be created.
    fn note_empty_cells_of_pipe(&self, row: &Row<'_>) -> bool {
        let empty = self.bare.iter().filter(|it| row.cell(it).is_empty());
        let mut has_empty = false;
        for column in empty {
            has_empty = true;
            let message = "the cell is empty, but the pipe needs it";
            let mistake = row.mistake(Code::BadCell, column, message);
            let mistake = mistake.related(self.pipe.at, "the template");
            row.table.problems.push(mistake.hint(
                "fill in the cell; if it may be empty, write {% if column %}{{ column }}{% endif %} in the template",
            ));
        }
        has_empty
    }

    /// Renders the welcome of a row, and collects the cells that its text uses.
    fn welcome(&self, row: &Row<'_>) -> Option<Box<RawWelcome>> {
        let ((from, text), raw) = self.welcome.as_ref().zip(self.raw.welcome.as_ref())?;
        let cells = text.columns.iter().filter_map(|(name, column)| {
            let cell = row.cell(column.as_ref()?);
            Some((name.clone(), cell.to_owned()))
        });
        Some(Box::new(RawWelcome {
            from: from.fill(row)?,
            text: raw.text.clone(),
            cells: cells.collect(),
        }))
    }
}

impl Text {
    /// Compiles a template. Its names must be columns or names in `fields`.
    fn compile(text: &Spanned<String>, table: TableUse<'_>, fields: &[&str]) -> Option<Self> {
        let template = Template::compile(text, "this template cannot be read", table.problems)?;
        let at = text.at;
        let names = template.names().iter();
        let names = names.filter(|name| !fields.contains(&name.as_str()));
        let columns = names.map(|name| Some((name.clone(), column(name, at, table)?)));
        Some(Self {
            columns: resolved(columns)?,
            template,
            at,
        })
    }

    fn column(&self, name: &str) -> Option<&Option<Column>> {
        let mut columns = self.columns.iter();
        let found = columns.find(|(other, _)| other == name);
        found.map(|(_, column)| column)
    }

    fn render(&self, row: &Row<'_>) -> Option<Spanned<String>> {
        let value = |name: &str| {
            Some(match self.column(name)? {
                Some(column) => Value::from(row.cell(column)),
                None => Value::from_pairs(row.cells()),
            })
        };
        match self.template.render(value) {
            Ok(value) => {
                let column = self.only_column();
                let at = column.map_or_else(|| row.at(), |column| row.cell_at(column));
                Some(Spanned { value, at })
            }
            Err(error) => {
                let what = "a template cannot be rendered for this row";
                let mistake = error.to_diagnostic(Code::BadTemplate, row.at(), what);
                let problems = row.table.problems;
                problems.push(mistake.related(self.at, "the template"));
                None
            }
        }
    }

    /// Renders a value of a row's room. An empty result means no value, and is allowed only if the
    /// template has a condition.
    fn render_value(&self, row: &Row<'_>) -> Option<Spanned<String>> {
        let Spanned { value, at } = self.render(row)?;
        let value = value.trim();
        let is_given = !(value.is_empty() && self.template.is_conditional());
        is_given.then(|| Spanned::new(value.to_owned(), at))
    }

    /// Renders a setting of a row's room.
    fn choose<T: Copy>(&self, key: &str, choices: &[(&str, T)], row: &Row<'_>) -> Option<T> {
        let result = self.render_value(row)?;
        let mut known = choices.iter();
        let found = known.find(|(name, _)| name.eq_ignore_ascii_case(&result.value));
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            let hint = format!("use one of: {}", names.join(", "));
            self.note_result(&result, row, &format!("`{key}`"), &hint);
        }
        found.map(|(_, value)| *value)
    }

    /// Reports an invalid result of a template.
    fn note_result(&self, result: &Spanned<String>, row: &Row<'_>, what: &str, hint: &str) {
        let message = match result.value.as_str() {
            "" => format!("{what} is empty in this row"),
            value => format!("{what} becomes `{}` in this row", clip(value)),
        };
        let mistake = match self.only_column() {
            Some(column) => row.mistake(Code::BadCell, column, &message),
            None => Diagnostic::at(Code::BadCell, result.at, message),
        };
        let mistake = mistake.related(self.at, "the template").hint(hint);
        row.table.problems.push(mistake);
    }

    /// Returns the column if the template uses only one. Errors are then reported at its cell.
    fn only_column(&self) -> Option<&Column> {
        match self.columns.as_slice() {
            [(_, column)] => column.as_ref(),
            _ => None,
        }
    }
}

impl Entry {
    fn new(
        written: &Spanned<RawMember>,
        table: TableUse<'_>,
        rosters: &RosterReader<'_>,
    ) -> Option<Self> {
        let at = written.at;
        let (member, presence) = written.value.split_dates();
        let value = match member {
            RawMember::Person(text) => text.clone(),
            RawMember::Group(text) => format!("@{text}"),
            RawMember::Roster(raw) => {
                let users = RawMember::Shared(rosters.roster_members(raw));
                return Some(Self::Same(Spanned::new(users, at)));
            }
            RawMember::Id(_) | RawMember::Ids(_) | RawMember::Shared(_) | RawMember::Dated(..) => {
                return Some(Self::Same(written.clone()));
            }
        };
        let text = Text::compile(&Spanned { value, at }, table, &[])?;
        let is_same = text.columns.is_empty() && !text.template.is_conditional();
        Some(match is_same {
            true => Self::Same(written.clone()),
            false => Self::Filled(Box::new(text), presence),
        })
    }

    /// Renders a member of a row's room.
    fn fill(&self, row: &Row<'_>) -> Option<Spanned<RawMember>> {
        let (text, presence) = match self {
            Self::Same(member) => return Some(member.clone()),
            Self::Filled(text, presence) => (text, *presence),
        };
        let result = text.render_value(row)?;
        let value = result.value.as_str();
        let group = value.strip_prefix('@');
        let member = if let Some(group) = group.filter(|_| presence == Presence::ALWAYS) {
            RawMember::Group(group.to_owned())
        } else if let Some(id) = positive_id(value) {
            RawMember::Id(id)
        } else if !value.is_empty() && !is_digits(value) {
            RawMember::Person(value.to_owned())
        } else {
            let hint = match is_too_large(value) {
                true => TOO_LARGE,
                false => {
                    "use a whole number above zero, without leading zeros; {% if column %}{{ column }}{% endif %} adds no one if the cell is empty"
                }
            };
            text.note_result(&result, row, "a member", hint);
            return None;
        };
        let value = match presence {
            Presence::ALWAYS => member,
            presence => RawMember::Dated(Box::new(member), presence),
        };
        Some(Spanned::new(value, result.at))
    }
}

/// Finds the column that a template names. Ignores case, and reads `_` as any character that is not
/// valid in template names. Returns `Some(None)` for the whole row, and `None` for an unknown
/// column, which is reported.
fn column(name: &str, at: At, table: TableUse<'_>) -> Option<Option<Column>> {
    let columns = &table.header;
    let likely = columns.in_template(name);
    if likely.is_some() || table.is_special(name) {
        let value = likely.unwrap_or(name).to_owned();
        return table.column(&Spanned { value, at }).map(Some);
    }
    if name == WHOLE_ROW {
        return Some(None);
    }
    let (shown, file) = (clip(name), &table.file.name);
    let message = format!("the template names `{shown}`, which is not a column of `{file}`");
    let diagnostic = Diagnostic::at(Code::UnknownColumn, at, message);
    table.problems.push_with_hint(diagnostic, |search| {
        let words: Vec<String> = columns.columns.iter().map(|name| word(name)).collect();
        let known = words.iter().map(String::as_str);
        let near = search.find(&word(name), known, |_| true);
        let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        format!("{near}the columns are {}", table.list_columns())
    });
    None
}
