//! Rooms in bulk: a row and a template -> a room as if somebody had written it, with the members that joined files give it.
//!
//! Main entry: [`each`]. The rooms are looked up and checked like all others, elsewhere.

use std::collections::{BTreeMap, HashSet};

use super::diagnostic::{At, Code, Diagnostic, Problems, Sources};
use super::enrol::Enrolled;
use super::fields::{clip, nearest, whole_number};
use super::groups::Directory;
use super::raw::{RawGenerate, RawMember, RawRoom, Spanned};
use super::row::{Column, Row};
use super::table::Table;
use super::tables::empty;
use super::template::{Complaint, Filling, Template};
use crate::model::Member;

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

/// A room to be filled in.
struct Mould<'a> {
    raw: &'a RawRoom,
    sources: &'a Sources,
    pipe: Text,
    title: Text,
    members: Vec<Entry>,
    exclude: Vec<Entry>,
    /// The columns that the templates name.
    columns: BTreeMap<String, Column>,
}

/// Calls `take` with the room of each row that counts, and the members that joined rosters give it.
pub(super) fn each(
    raw: &RawGenerate,
    directory: &Directory<'_>,
    problems: &mut Problems,
    mut take: impl FnMut(RawRoom, Vec<Member>, &mut Problems),
) {
    let rosters = directory.rosters();
    let Some(table) = rosters.tables.get(&raw.each) else {
        return;
    };
    let columns = table.all_columns(&raw.each.numbered, problems);
    let distinct = raw.distinct.as_ref();
    let distinct = distinct.map(|name| table.column(name, problems));
    let filters = table.filters(&raw.filter, problems);
    let mould = Mould::new(raw, table, rosters.sources, problems);
    let enrolled: Vec<Option<Enrolled>> = raw
        .enrol
        .iter()
        .map(|enrol| Enrolled::new(enrol, table, directory, problems))
        .collect();
    let found = (
        columns,
        distinct.map_or(Some(None), |found| found.map(Some)),
    );
    let ((Some(columns), Some(distinct)), Some(filters), Some(mould)) = (found, filters, mould)
    else {
        return;
    };
    let mut enrolled: Vec<Enrolled> = enrolled.into_iter().flatten().collect();
    let (mut rows, mut seen) = (0_usize, HashSet::new());
    table.rows(rosters.sources, &columns, problems, |row, problems| {
        let counts = row.counts(&filters, rosters.sources, problems)
            && distinct
                .as_ref()
                .is_none_or(|column| seen.insert(row.cell(column).to_owned()));
        let mut members = Vec::new();
        for enrolled in &mut enrolled {
            let joined = enrolled.of(row);
            if counts {
                directory.add(joined, &mut members);
            }
        }
        if !counts {
            return;
        }
        rows += 1;
        if let Some(room) = mould.fill(row, problems) {
            take(room, members, problems);
        }
    });
    if rows == 0 && !raw.each.allow_empty {
        problems.push(empty(&raw.each, rosters.sources, table));
    }
    for enrolled in enrolled {
        enrolled.unjoined(table, rosters.sources, problems);
    }
}

impl<'a> Mould<'a> {
    fn new(
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
        let mut mould = Self {
            raw,
            sources,
            pipe: pipe?,
            title: title?,
            members: members?,
            exclude: exclude?,
            columns: BTreeMap::new(),
        };
        let mut columns = BTreeMap::new();
        let mut whole = true;
        for text in mould.texts() {
            for name in text.template.names() {
                match column(name, text.at, table, problems) {
                    Some(Some(column)) => drop(columns.insert(name.clone(), column)),
                    Some(None) => {}
                    None => whole = false,
                }
            }
        }
        mould.columns = columns;
        (whole && !raw.broken).then_some(mould)
    }

    fn texts(&self) -> impl Iterator<Item = &Text> {
        let entries = self
            .members
            .iter()
            .chain(&self.exclude)
            .filter_map(|entry| match entry {
                Entry::Made(text) => Some(&**text),
                Entry::Same(_) => None,
            });
        [&self.pipe, &self.title].into_iter().chain(entries)
    }

    /// The room of a row.
    fn fill(&self, row: &Row<'_>, problems: &mut Problems) -> Option<RawRoom> {
        let pipe = self.text(&self.pipe, row, problems);
        let title = self.text(&self.title, row, problems);
        let members = self.list(&self.members, row, problems);
        let exclude = self.list(&self.exclude, row, problems);
        Some(RawRoom {
            at: row.at(),
            pipe: pipe?,
            title: title?,
            members,
            exclude,
            ..self.raw.clone()
        })
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
        let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let member = match (
            value,
            value.strip_prefix('@'),
            whole_number(value).filter(|id| *id > 0),
        ) {
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
        RawMember::Id(_) | RawMember::Roster(_) => return Some(Entry::Same(written.clone())),
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
    let word = |text: &str| -> String {
        let letters = text
            .trim()
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '_' });
        letters.collect::<String>().to_lowercase()
    };
    let wanted = word(name);
    let exact = table
        .columns
        .iter()
        .find(|column| column.eq_ignore_ascii_case(name));
    let likely = exact.or_else(|| table.columns.iter().find(|column| word(column) == wanted));
    let meant = likely.map_or(name, String::as_str);
    if likely.is_some() || table.is_special(name) {
        let spanned = Spanned {
            value: meant.to_owned(),
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
    let words: Vec<String> = table.columns.iter().map(|column| word(column)).collect();
    let hint = match nearest(&wanted, words.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "the columns are {}",
            words
                .iter()
                .take(20)
                .map(|word| clip(word))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    problems.push(Diagnostic::at(Code::UnknownColumn, at, message).hint(hint));
    None
}
