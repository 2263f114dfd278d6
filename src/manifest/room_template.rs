//! The template of generated rooms: compiled once, filled in for each row.
//!
//! Main type: [`RoomTemplate`]. The result is a room as a manifest would have it.

use std::collections::BTreeMap;

use super::raw::{RawGenerate, RawMember, RawRoom, RawWelcome, Spanned};
use super::template::{Complaint, Filling, Template};
use super::welcome::FIELDS;
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems, Sources, clip};
use crate::tables::header::word;
use crate::tables::number::{is_digits, positive_id};
use crate::tables::row::{Column, Row};
use crate::tables::table::Table;

/// The name under which a template finds all cells of a row, for columns whose names are no words.
const WHOLE_ROW: &str = "row";

/// A template and where it is written.
struct Text {
    template: Template,
    at: At,
}

/// A member as it stands in the room of a template.
enum Entry {
    /// The same in every room.
    Same(Spanned<RawMember>),
    /// Different from row to row.
    Made(Box<Text>),
}

/// A welcome to be filled in: in part here, with the row's cells, in part once the rest of the room is known.
struct Said {
    from: Entry,
    text: Text,
}

/// A room to be filled in.
pub(super) struct RoomTemplate<'a> {
    raw: &'a RawRoom,
    sources: &'a Sources,
    pipe: Text,
    title: Text,
    /// The names that a pipe is nothing without.
    bare: Vec<String>,
    members: Vec<Entry>,
    exclude: Vec<Entry>,
    welcome: Option<Said>,
    /// The columns that the templates name.
    columns: BTreeMap<String, Column>,
}

impl<'a> RoomTemplate<'a> {
    pub(super) fn new(
        generate: &'a RawGenerate,
        table: &Table,
        sources: &'a Sources,
        problems: &mut Problems,
    ) -> Option<Self> {
        let raw = &generate.room;
        let pipe = Text::new(&raw.pipe, problems);
        let title = Text::new(&raw.title, problems);
        let members = entries(&raw.members, problems);
        let exclude = entries(&raw.exclude, problems);
        let welcome = raw.welcome.as_ref().map(|raw| Said::new(raw, problems));
        let mut filled = Self {
            raw,
            sources,
            bare: pipe.as_ref()?.template.bare_names(),
            pipe: pipe?,
            title: title?,
            members: members?,
            exclude: exclude?,
            welcome: match welcome {
                Some(said) => Some(said?),
                None => None,
            },
            columns: BTreeMap::new(),
        };
        let mut columns = BTreeMap::new();
        let mut whole = true;
        for (name, at) in filled.names() {
            match column(name, at, table, problems) {
                Some(Some(column)) => drop(columns.insert(name.clone(), column)),
                Some(None) => {}
                None => whole = false,
            }
        }
        filled.columns = columns;
        (whole && !raw.broken).then_some(filled)
    }

    /// The columns that are named, and where.
    fn names(&self) -> impl Iterator<Item = (&String, At)> {
        let names = self.texts().flat_map(|text| {
            let names = text.template.names().iter();
            names.map(|name| (name, text.at))
        });
        let said = self.welcome.iter();
        names.chain(said.flat_map(|said| said.names().map(|name| (name, said.text.at))))
    }

    fn texts(&self) -> impl Iterator<Item = &Text> {
        let from = self.welcome.iter().map(|said| &said.from);
        let entries = self
            .members
            .iter()
            .chain(&self.exclude)
            .chain(from)
            .filter_map(|entry| match entry {
                Entry::Made(text) => Some(&**text),
                Entry::Same(_) => None,
            });
        [&self.pipe, &self.title].into_iter().chain(entries)
    }

    /// The room of a row.
    pub(super) fn fill(&self, row: &Row<'_>, problems: &mut Problems) -> Option<RawRoom> {
        let pipe = self.text(&self.pipe, row, problems);
        let empty = self.empty_cells_of_pipe(row);
        let pipe = pipe.filter(|_| empty.is_empty());
        problems.extend(empty);
        let title = self.text(&self.title, row, problems);
        let members = self.list(&self.members, row, problems);
        let exclude = self.list(&self.exclude, row, problems);
        Some(RawRoom {
            at: row.at(),
            pipe: pipe?,
            title: title?,
            members,
            exclude,
            welcome: self.said(row, problems),
            broken: self.raw.broken,
            kind: self.raw.kind,
            public: self.raw.public,
            members_policy: self.raw.members_policy,
            ignore: self.raw.ignore,
        })
    }

    /// The mistakes of cells that the pipe is made of and that are empty. A pipe never changes: what is filled in later makes
    /// another room.
    fn empty_cells_of_pipe(&self, row: &Row<'_>) -> Vec<Diagnostic> {
        let columns = self.bare.iter().filter_map(|name| self.columns.get(name));
        let empty = columns.filter(|column| row.cell(column).is_empty());
        let mistakes = empty.map(|column| {
            let message = "the cell is empty, and the pipe is made of it";
            let mistake = row.mistake(Code::BadCell, column, message, self.sources);
            mistake.related(self.pipe.at, "the template").hint(
                "fill it in, for a pipe never changes; {% if column %}{{ column }}{% endif %} says that it may be empty",
            )
        });
        mistakes.collect()
    }

    fn text(&self, text: &Text, row: &Row<'_>, problems: &mut Problems) -> Option<Spanned<String>> {
        let value = |name: &str| match self.columns.get(name) {
            Some(column) => Some(Filling::Text(row.cell(column))),
            None => (name == WHOLE_ROW).then(|| Filling::Row(row.cells())),
        };
        match text.template.render(value) {
            Ok(value) => Some(Spanned {
                value,
                at: self
                    .cell(text)
                    .map_or(row.at(), |column| row.cell_at(column)),
            }),
            Err(Complaint { message, hint }) => {
                let message = format!("a template cannot be filled in with this row: {message}");
                let diagnostic = Diagnostic::at(Code::BadTemplate, row.at(), message);
                problems.push(diagnostic.related(text.at, "the template").hint(hint));
                None
            }
        }
    }

    /// The welcome of a row, with the cells that its text names.
    fn said(&self, row: &Row<'_>, problems: &mut Problems) -> Option<Box<RawWelcome>> {
        let (said, raw) = self.welcome.as_ref().zip(self.raw.welcome.as_ref())?;
        let from = match &said.from {
            Entry::Same(member) => member.clone(),
            Entry::Made(text) => self.member(text, row, problems)?,
        };
        let cells = said.names().filter_map(|name| {
            let column = self.columns.get(name)?;
            Some((name.clone(), row.cell(column).to_owned()))
        });
        Some(Box::new(RawWelcome {
            from,
            text: raw.text.clone(),
            cells: cells.collect(),
        }))
    }

    /// The only column that a template is made of, if it is one: mistakes are told there.
    fn cell(&self, text: &Text) -> Option<&Column> {
        match text.template.names() {
            [name] => self.columns.get(name),
            _ => None,
        }
    }

    fn list(
        &self,
        entries: &[Entry],
        row: &Row<'_>,
        problems: &mut Problems,
    ) -> Vec<Spanned<RawMember>> {
        let members = entries.iter().filter_map(|entry| match entry {
            Entry::Same(member) => Some(member.clone()),
            Entry::Made(text) => self.member(text, row, problems),
        });
        members.collect()
    }

    /// What a template of a member comes to: nobody only where it says when.
    fn member(
        &self,
        text: &Text,
        row: &Row<'_>,
        problems: &mut Problems,
    ) -> Option<Spanned<RawMember>> {
        let Spanned { value, at } = self.text(text, row, problems)?;
        let value = value.trim();
        let digits = is_digits(value);
        let member = match (value, value.strip_prefix('@'), positive_id(value)) {
            ("", _, _) if text.template.is_conditional() => return None,
            (_, Some(group), _) => RawMember::Group(group.to_owned()),
            (_, _, Some(id)) => RawMember::Id(id),
            (name, _, None) if !name.is_empty() && !digits => RawMember::Person(name.to_owned()),
            _ => {
                let message = match value {
                    "" => "a member comes to nothing in this row".to_owned(),
                    value => format!("a member comes to `{}` in this row", clip(value)),
                };
                let diagnostic = match self.cell(text) {
                    Some(column) => row.mistake(Code::BadCell, column, &message, self.sources),
                    None => Diagnostic::at(Code::BadCell, at, message),
                };
                let diagnostic = diagnostic.related(text.at, "the template");
                problems.push(diagnostic.hint(
                    "an id is a whole number above zero, without leading zeros; {% if column %}{{ column }}{% endif %} adds nobody where the cell is empty",
                ));
                return None;
            }
        };
        Some(Spanned { value: member, at })
    }
}

impl Said {
    fn new(raw: &RawWelcome, problems: &mut Problems) -> Option<Self> {
        let from = entry(&raw.from, problems);
        let text = Text::new(&raw.text, problems);
        Some(Self {
            from: from?,
            text: text?,
        })
    }

    /// The names in its text that are no field of the room's own, and so columns.
    fn names(&self) -> impl Iterator<Item = &String> {
        let names = self.text.template.names().iter();
        names.filter(|name| !FIELDS.contains(&name.as_str()))
    }
}

impl Text {
    fn new(written: &Spanned<String>, problems: &mut Problems) -> Option<Self> {
        match Template::new(&written.value) {
            Ok(template) => Some(Self {
                template,
                at: written.at,
            }),
            Err(Complaint { message, hint }) => {
                let message = format!("this template cannot be read: {message}");
                problems.push(Diagnostic::at(Code::BadTemplate, written.at, message).hint(hint));
                None
            }
        }
    }
}

fn entries(written: &[Spanned<RawMember>], problems: &mut Problems) -> Option<Vec<Entry>> {
    let entries: Vec<Option<Entry>> = written
        .iter()
        .map(|member| entry(member, problems))
        .collect();
    entries.into_iter().collect()
}

fn entry(written: &Spanned<RawMember>, problems: &mut Problems) -> Option<Entry> {
    let text = match &written.value {
        RawMember::Person(text) => text.clone(),
        RawMember::Group(text) => format!("@{text}"),
        RawMember::Id(_) | RawMember::Ids(_) | RawMember::Roster(_) => {
            return Some(Entry::Same(written.clone()));
        }
    };
    let made = Text::new(
        &Spanned {
            value: text,
            at: written.at,
        },
        problems,
    )?;
    let same = made.template.names().is_empty() && !made.template.is_conditional();
    Some(if same {
        Entry::Same(written.clone())
    } else {
        Entry::Made(Box::new(made))
    })
}

/// The column a template means by a name: one of that name in whatever case, signs that no name has taken for `_`. `Some(None)` for
/// the whole row; `None` if there is none, which is noted.
fn column(name: &str, at: At, table: &Table, problems: &mut Problems) -> Option<Option<Column>> {
    let columns = &table.header.columns;
    let likely = columns.in_template(name);
    if likely.is_some() || table.is_special(name) {
        let spanned = Spanned {
            value: likely.unwrap_or(name).to_owned(),
            at,
        };
        return table.column(&spanned, problems).map(Some);
    }
    if name == WHOLE_ROW {
        return Some(None);
    }
    let message = format!(
        "the template names `{}`, which is no column of `{}`",
        clip(name),
        table.name
    );
    let diagnostic = Diagnostic::at(Code::UnknownColumn, at, message);
    problems.push_with_hint(diagnostic, |search| {
        let words: Vec<String> = columns.names.iter().map(|name| word(name)).collect();
        let known = words.iter().map(String::as_str);
        match search.find(&word(name), known, |_| true) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let words: Vec<String> = words.iter().take(20).map(|word| clip(word)).collect();
                format!("the columns are {}", words.join(", "))
            }
        }
    });
    None
}
