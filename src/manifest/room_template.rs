//! The template of generated rooms: compiled once and rendered for each row.
//!
//! Main type: [`RoomTemplate`]. The result is the same as a room written in the manifest.

use std::collections::BTreeMap;

use super::decode::KINDS;
use super::raw::{RawGenerate, RawMember, RawRoom, RawSettings, RawWelcome, Spanned};
use super::template::{Template, Value};
use super::welcome::FIELDS;
use crate::model::Presence;
use crate::tables::column::resolved;
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems, clip};
use crate::tables::header::word;
use crate::tables::number::{TOO_LARGE, is_digits, is_too_large, positive_id};
use crate::tables::row::{Column, Row};
use crate::tables::table::Table;

/// The values of `public` in a row.
const SWITCH: [(&str, bool); 4] = [("true", true), ("false", false), ("1", true), ("0", false)];
/// The name that gives a template all cells of a row, for columns whose names are not valid in templates.
const WHOLE_ROW: &str = "row";

/// A template and its place.
struct Text {
    template: Template,
    at: At,
}

/// A member in a room template.
enum Entry {
    /// The same in every room.
    Same(Spanned<RawMember>),
    /// Different for each row.
    Filled(Box<Text>, Presence),
}

pub(super) struct RoomTemplate<'a> {
    raw: &'a RawRoom,
    pipe: Text,
    title: Text,
    /// The names whose cells must not be empty, because the pipe is made from them.
    bare: Vec<String>,
    kind: Option<Text>,
    public: Option<Text>,
    members: Vec<Entry>,
    exclude: Vec<Entry>,
    /// The sender and the text. Columns are filled in here; the room's own fields are filled in later, when they are known.
    welcome: Option<(Entry, Text)>,
    /// The columns that the templates use.
    columns: BTreeMap<String, Column>,
}

impl<'a> RoomTemplate<'a> {
    pub(super) fn new(
        generate: &'a RawGenerate,
        table: &Table,
        problems: &mut Problems,
    ) -> Option<Self> {
        let raw = &generate.room;
        let pipe = Text::compile(&raw.pipe, problems);
        let title = Text::compile(&raw.title, problems);
        let kind = Text::compile_some(generate.from_row.kind.as_ref(), problems);
        let public = Text::compile_some(generate.from_row.public.as_ref(), problems);
        let members = entries(&raw.members, problems);
        let exclude = entries(&raw.exclude, problems);
        let welcome = match &raw.welcome {
            Some(raw) => {
                let from = entry(&raw.from, problems);
                let text = Text::compile(&raw.text, problems);
                from.zip(text).map(Some)
            }
            None => Some(None),
        };
        let (pipe, title, kind, public) = (pipe?, title?, kind?, public?);
        let (members, exclude, welcome) = (members?, exclude?, welcome?);

        let from = welcome.iter().map(|(from, _)| from);
        let entries = members.iter().chain(&exclude).chain(from);
        let texts = entries.filter_map(|entry| match entry {
            Entry::Filled(text, _) => Some(&**text),
            Entry::Same(_) => None,
        });
        let settings = kind.iter().chain(&public);
        let texts = [&pipe, &title].into_iter().chain(settings).chain(texts);
        let names = texts.flat_map(|text| {
            let names = text.template.names().iter();
            names.map(|name| (name, text.at))
        });
        let welcome_text = welcome.iter().map(|(_, text)| text);
        let names = names.chain(
            welcome_text.flat_map(|text| text.columns_of_welcome().map(|name| (name, text.at))),
        );
        // Without a title, the pipes are still checked.
        let has_pipe = !raw.broken || !raw.pipe.value.is_empty();
        let (mut columns, mut is_complete) = (BTreeMap::new(), has_pipe);
        for (name, at) in names {
            match column(name, at, table, problems) {
                Some(column) => columns.extend(column.map(|column| (name.clone(), column))),
                None => is_complete = false,
            }
        }
        is_complete.then(|| Self {
            raw,
            bare: pipe.template.bare_names(),
            pipe,
            title,
            kind,
            public,
            members,
            exclude,
            welcome,
            columns,
        })
    }

    /// Renders the room of a row.
    pub(super) fn fill(&self, row: &Row<'_>, problems: &mut Problems) -> Option<RawRoom> {
        let pipe = self.render(&self.pipe, row, problems);
        let has_empty = self.note_empty_cells_of_pipe(row, problems);
        let title = self.render(&self.title, row, problems);
        let mut list = |entries: &[Entry]| {
            let members = entries.iter();
            let members = members.filter_map(|entry| self.member(entry, row, problems));
            members.collect()
        };
        let (members, exclude) = (list(&self.members), list(&self.exclude));
        let kind = self.setting(self.kind.as_ref(), "type", &KINDS, row, problems);
        let public = self.setting(self.public.as_ref(), "public", &SWITCH, row, problems);
        let broken = self.raw.broken || title.is_none();
        let settings = self.raw.settings;
        Some(RawRoom {
            at: row.at(),
            pipe: pipe.filter(|_| !has_empty)?,
            title: title.unwrap_or_else(|| Spanned {
                value: String::new(),
                at: row.at(),
            }),
            members,
            exclude,
            welcome: self.welcome(row, problems),
            broken,
            settings: RawSettings {
                kind: kind.or(settings.kind),
                public: public.or(settings.public),
                ..settings
            },
            ignore: self.raw.ignore,
        })
    }

    /// Reports empty cells that the pipe uses. A pipe never changes: a value that is added later would make another room.
    fn note_empty_cells_of_pipe(&self, row: &Row<'_>, problems: &mut Problems) -> bool {
        let columns = self.bare.iter().filter_map(|name| self.columns.get(name));
        let mut has_empty = false;
        for column in columns.filter(|column| row.cell(column).is_empty()) {
            has_empty = true;
            let message = "the cell is empty, but the pipe needs it";
            let mistake = row.mistake(Code::BadCell, column, message);
            problems.push(mistake.related(self.pipe.at, "the template").hint(
                "fill it in; if it may be empty, write {% if column %}{{ column }}{% endif %}",
            ));
        }
        has_empty
    }

    fn render(
        &self,
        text: &Text,
        row: &Row<'_>,
        problems: &mut Problems,
    ) -> Option<Spanned<String>> {
        let value = |name: &str| match self.columns.get(name) {
            Some(column) => Some(Value::from(row.cell(column))),
            None => (name == WHOLE_ROW).then(|| Value::from_pairs(row.cells())),
        };
        match text.template.render(value) {
            Ok(value) => {
                let column = self.only_column(text);
                let at = column.map_or_else(|| row.at(), |column| row.cell_at(column));
                Some(Spanned { value, at })
            }
            Err(error) => {
                let what = "a template cannot be rendered for this row";
                let mistake = error.to_diagnostic(row.at(), what);
                problems.push(mistake.related(text.at, "the template"));
                None
            }
        }
    }

    /// Renders a setting of a row's room. An empty result means the default, and is allowed only if the template has a condition.
    fn setting<T: Copy>(
        &self,
        text: Option<&Text>,
        key: &str,
        choices: &[(&str, T)],
        row: &Row<'_>,
        problems: &mut Problems,
    ) -> Option<T> {
        let text = text?;
        let Spanned { value, at } = self.render(text, row, problems)?;
        let value = value.trim();
        let mut known = choices.iter();
        let found = known.find(|(name, _)| name.eq_ignore_ascii_case(value));
        if found.is_none() && !(value.is_empty() && text.template.is_conditional()) {
            let message = match value {
                "" => format!("`{key}` is empty in this row"),
                value => format!("`{key}` becomes `{}` in this row", clip(value)),
            };
            let mistake = self.bad_result(text, at, row, &message);
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            let hint = format!("use one of: {}", names.join(", "));
            problems.push(mistake.hint(hint));
        }
        found.map(|(_, value)| *value)
    }

    /// Creates the error for a result that cannot be used.
    fn bad_result(&self, text: &Text, at: At, row: &Row<'_>, message: &str) -> Diagnostic {
        let mistake = match self.only_column(text) {
            Some(column) => row.mistake(Code::BadCell, column, message),
            None => Diagnostic::at(Code::BadCell, at, message),
        };
        mistake.related(text.at, "the template")
    }

    /// Returns the column of a template that uses a single column, so that errors are reported there.
    fn only_column(&self, text: &Text) -> Option<&Column> {
        match text.template.names() {
            [name] => self.columns.get(name),
            _ => None,
        }
    }

    /// Renders the welcome of a row, and collects the cells that its text uses.
    fn welcome(&self, row: &Row<'_>, problems: &mut Problems) -> Option<Box<RawWelcome>> {
        let ((from, text), raw) = self.welcome.as_ref().zip(self.raw.welcome.as_ref())?;
        let cells = text.columns_of_welcome().filter_map(|name| {
            let column = self.columns.get(name)?;
            Some((name.clone(), row.cell(column).to_owned()))
        });
        Some(Box::new(RawWelcome {
            from: self.member(from, row, problems)?,
            text: raw.text.clone(),
            cells: cells.collect(),
        }))
    }

    /// Renders a member of a row's room. An empty result means no member, and is allowed only if the template has a condition.
    fn member(
        &self,
        entry: &Entry,
        row: &Row<'_>,
        problems: &mut Problems,
    ) -> Option<Spanned<RawMember>> {
        let (text, presence) = match entry {
            Entry::Same(member) => return Some(member.clone()),
            Entry::Filled(text, presence) => (text, *presence),
        };
        let Spanned { value, at } = self.render(text, row, problems)?;
        let value = value.trim();
        if value.is_empty() && text.template.is_conditional() {
            return None;
        }
        let group = value.strip_prefix('@');
        let member = if let Some(group) = group.filter(|_| presence == Presence::ALWAYS) {
            RawMember::Group(group.to_owned())
        } else if let Some(id) = positive_id(value) {
            RawMember::Id(id)
        } else if !value.is_empty() && !is_digits(value) {
            RawMember::Person(value.to_owned())
        } else {
            let message = match value {
                "" => "a member is empty in this row".to_owned(),
                value if is_too_large(value) => {
                    format!(
                        "a member becomes `{}` in this row: {TOO_LARGE}",
                        clip(value)
                    )
                }
                value => format!("a member becomes `{}` in this row", clip(value)),
            };
            let mistake = self.bad_result(text, at, row, &message);
            problems.push(mistake.hint(
                "use a whole number above zero, without leading zeros; {% if column %}{{ column }}{% endif %} adds no one if the cell is empty",
            ));
            return None;
        };
        let value = match presence {
            Presence::ALWAYS => member,
            presence => RawMember::Dated(Box::new(member), presence),
        };
        Some(Spanned { value, at })
    }
}

impl Text {
    fn compile(text: &Spanned<String>, problems: &mut Problems) -> Option<Self> {
        let template = Template::compile(text, "this template cannot be read", problems)?;
        let at = text.at;
        Some(Self { template, at })
    }

    fn compile_some(
        text: Option<&Spanned<String>>,
        problems: &mut Problems,
    ) -> Option<Option<Self>> {
        match text {
            Some(text) => Self::compile(text, problems).map(Some),
            None => Some(None),
        }
    }

    /// Returns the names in a welcome that are not fields of the room, and therefore must be columns.
    fn columns_of_welcome(&self) -> impl Iterator<Item = &String> {
        let names = self.template.names().iter();
        names.filter(|name| !FIELDS.contains(&name.as_str()))
    }
}

fn entries(written: &[Spanned<RawMember>], problems: &mut Problems) -> Option<Vec<Entry>> {
    resolved(written.iter().map(|member| entry(member, problems)))
}

fn entry(written: &Spanned<RawMember>, problems: &mut Problems) -> Option<Entry> {
    let (member, presence) = written.value.split_dates();
    let value = match member {
        RawMember::Person(text) => text.clone(),
        RawMember::Group(text) => format!("@{text}"),
        RawMember::Id(_) | RawMember::Ids(_) | RawMember::Roster(_) | RawMember::Dated(..) => {
            return Some(Entry::Same(written.clone()));
        }
    };
    let at = written.at;
    let text = Text::compile(&Spanned { value, at }, problems)?;
    let is_same = text.template.names().is_empty() && !text.template.is_conditional();
    Some(match is_same {
        true => Entry::Same(written.clone()),
        false => Entry::Filled(Box::new(text), presence),
    })
}

/// Finds the column that a template names. Ignores case, and reads `_` as any character that is not valid in template names.
/// Returns `Some(None)` for the whole row; `None` if there is no such column, which is reported.
fn column(name: &str, at: At, table: &Table, problems: &mut Problems) -> Option<Option<Column>> {
    let columns = &table.header.columns;
    let likely = columns.in_template(name);
    if likely.is_some() || table.is_special(name) {
        let value = likely.unwrap_or(name).to_owned();
        return table.column(&Spanned { value, at }, problems).map(Some);
    }
    if name == WHOLE_ROW {
        return Some(None);
    }
    let (shown, file) = (clip(name), &table.name);
    let message = format!("the template names `{shown}`, which is not a column of `{file}`");
    let diagnostic = Diagnostic::at(Code::UnknownColumn, at, message);
    problems.push_with_hint(diagnostic, |search| {
        let words: Vec<String> = columns.names.iter().map(|name| word(name)).collect();
        let known = words.iter().map(String::as_str);
        let near = search.find(&word(name), known, |_| true);
        let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        format!("{near}the columns are {}", table.list_columns())
    });
    None
}
