//! Writes a view as an HTML page: one file that loads nothing else. Users can search its rows and
//! open them.
//!
//! Without its script, the page is complete but long. `escape` handles hidden characters in
//! untrusted text, and the template escapes markup. The content security policy allows only the
//! page's own script.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use similar::ChangeTag;

use super::escape::{brief, html, terminal};
use crate::model::{Field, Pipe, Place, UserId};
use crate::plan::Change;
use crate::view::grammar::{sentence, user};
use crate::view::title_diff::{both, by_words};
use crate::view::{
    self, Detail, Line, NAMED, SectionKind, Span, State, Text, Title, Tone, View, value,
};

const STYLE: &str = include_str!("style.css");
/// Maximum number of rows of each section in which changed words are marked. Too many marks
/// would make the browser slow.
const MARKED: usize = 1_000;
const SCRIPT: &str = include_str!("script.js");

struct Section<'a> {
    id: String,
    kind: SectionKind,
    remark: Option<String>,
    view: &'a View<'a>,
    lines: &'a view::Section<'a>,
}

impl Section<'_> {
    /// Returns the rows one at a time. Each row is dropped once it is written, because all rows
    /// together would need much memory.
    fn rows(&self) -> impl Iterator<Item = Row> {
        let lines = self.view.lines(self.lines).enumerate();
        lines.map(|(index, line)| row(self.view, self.kind, &line, index < MARKED))
    }
}

struct Row {
    pipe: Option<String>,
    /// HTML markup in which all untrusted text is escaped.
    title: Option<String>,
    what: String,
    hint: Option<String>,
    place: Option<String>,
    /// The content that the row shows when it is opened.
    panel: Option<Panel>,
}

#[derive(Template)]
#[template(path = "page.html", config = "src/render/html/askama.toml")]
struct Page<'a> {
    policy: String,
    title: String,
    heading: String,
    state: (Tone, &'static str),
    verdict: &'a str,
    facts: Vec<String>,
    sections: Vec<Section<'a>>,
    legend: Vec<String>,
}

/// Writes the page of a view.
///
/// # Errors
/// Returns an error if the output cannot be written.
pub fn write(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let sections = view.sections.values().map(|lines| Section {
        id: lines.kind.name().to_lowercase().replace(' ', "-"),
        kind: lines.kind,
        remark: lines.kind.remark().map(sentence),
        view,
        lines,
    });
    let heading = plain(&view.heading);
    let page = Page {
        policy: policy(),
        title: format!("{heading} · roomform"),
        heading,
        state: match view.state {
            State::Refused => (Tone::Danger, "Refused"),
            State::Overdue => (Tone::Danger, "Overdue"),
            State::Compared => (Tone::Plain, "Compared"),
            State::Pending => (Tone::Change, "Pending"),
            State::StepsOpen => (Tone::Hand, "Steps open"),
            State::Done => (Tone::Add, "Nothing to do"),
        },
        verdict: &view.verdict,
        facts: view.facts.iter().map(|fact| sentence(fact)).collect(),
        sections: sections.collect(),
        legend: view.legend.iter().map(|words| sentence(words)).collect(),
    };
    page.write_into(out)
}

/// Returns the content security policy. It forbids loading anything, and allows only the page's own
/// script and styles, by their hashes.
fn policy() -> String {
    let sum = |text: &str| STANDARD.encode(Sha256::digest(text));
    let (style, script) = (sum(STYLE), sum(SCRIPT));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
}

/// Joins the parts of a text. The template escapes the result.
fn plain(text: &Text<'_>) -> String {
    text.write(|span| match span {
        Span::Members(ids) => format!("({})", terminal(ids)),
        span => terminal(span.raw()),
    })
}

fn row(view: &View<'_>, kind: SectionKind, line: &Line<'_>, is_marked: bool) -> Row {
    let text = plain(&line.text);
    let what = match (kind, line.label.as_deref()) {
        (SectionKind::NeedsAttention, Some(label)) if text.is_empty() => label.to_owned(),
        (SectionKind::NeedsAttention, Some(label)) => format!("{label}, {text}"),
        (SectionKind::Members, _) | (_, None) => text,
        (_, Some(label)) => format!("{label}: {text}"),
    };
    Row {
        pipe: line.pipe.map(|pipe| terminal(pipe.as_str())),
        title: line.title.as_ref().map(|it| title(it, is_marked)),
        what,
        hint: line.hint.map(terminal),
        place: line.place.map(|place| terminal(&place.raw())),
        panel: Panel::new(view, &line.detail),
    }
}

/// Returns the title, or both titles if it changed. If `is_marked` is true, the changed words
/// are marked.
fn title(title: &Title<'_>, is_marked: bool) -> String {
    let (texts, drift) = match title {
        Title::Same(title) => return html(&brief(title)),
        Title::Changed(before, after, drift) => (both(before, after), drift),
    };
    let mark = |tag: ChangeTag, text: &str| match tag {
        ChangeTag::Equal => html(text),
        ChangeTag::Delete => format!("<del>{}</del>", html(text)),
        ChangeTag::Insert => format!("<ins>{}</ins>", html(text)),
    };
    let [before, after] = texts.map(|text| terminal(&text));
    let [before, after] = match is_marked {
        true => by_words(&before, &after, mark),
        false => [before, after].map(|text| html(&text)),
    };
    format!("<bdi class=\"side\">{before}</bdi> → <bdi class=\"side\">{after}</bdi>{drift}")
}

/// What a row shows when it is opened: the fields, the members by source, and the welcome. A panel
/// is a single text, because many elements would make the browser slow.
#[derive(Default)]
struct Panel {
    /// The ids of the users in the panel, for the search.
    users: String,
    /// The lines of the panel, such as `Members to add (rooms.yaml:7): tutor (5), 17`. The template
    /// escapes them.
    lines: String,
}

impl Panel {
    fn new(view: &View<'_>, detail: &Detail<'_>) -> Option<Self> {
        let mut panel = Self::default();
        let (name, users) = match detail {
            Detail::None => return None,
            Detail::Change(change) => {
                panel.add_change(view, change);
                return Some(panel);
            }
            Detail::Removed(users) => ("Remove", users.to_vec()),
            Detail::OpenSteps(steps) => {
                let users = steps.iter().map(|step| step.user);
                ("Removed earlier", users.collect::<Vec<UserId>>())
            }
        };
        panel.add_users(view, name, None, &users);
        // The row itself names the first users, so a short list needs no panel.
        if users.len() <= NAMED {
            panel.lines.clear();
        }
        Some(panel)
    }

    fn add_change(&mut self, view: &View<'_>, change: &Change) {
        let fields = change.fields.iter();
        for field in fields.filter(|field| field.field != Field::Title) {
            let [before, after] = [&field.before, &field.after].map(|it| plain(&value(it)));
            let _ = writeln!(self.lines, "{}: {before} → {after}", field.field.name());
        }
        let pipe = Some(&change.pipe);
        self.add_users(view, "Members to add", pipe, &change.members.new);
        self.add_users(view, "Sent again", pipe, &change.members.unknown);
        if let Some(welcome) = &change.welcome {
            let from = terminal(&user(welcome.from, &view.names));
            let _ = writeln!(
                self.lines,
                "Welcome from {from}: {}",
                terminal(&welcome.text)
            );
            let _ = write!(self.users, "{} ", welcome.from);
        }
        // A manifest diff has no live rooms. Its room ids are made up, so do not show them.
        if let Some(id) = change.room_id.filter(|_| view.state != State::Compared) {
            let _ = writeln!(self.lines, "Room: {id}");
        }
    }

    /// Adds users, grouped by the place that adds them to the room. Users without a place get
    /// the place of the room. A roster is one group, and its users are shown with their row
    /// numbers.
    fn add_users(&mut self, view: &View<'_>, name: &str, pipe: Option<&Pipe>, users: &[UserId]) {
        let desired = view.desired;
        let room = pipe.and_then(|pipe| desired?.rooms.get(pipe));
        let mut groups: BTreeMap<Option<Place>, Vec<String>> = BTreeMap::new();
        for id in users {
            let _ = write!(self.users, "{id} ");
            let mut shown = terminal(&user(*id, &view.names));
            let place = room.map(|room| room.member_place(*id).unwrap_or(room.place));
            let place = place.map(|place| match desired {
                Some(desired) if desired.rosters.contains_key(&place.file) => {
                    let _ = write!(shown, " row {}", place.line);
                    Place { line: 0, ..place }
                }
                _ => place,
            });
            groups.entry(place).or_default().push(shown);
        }
        for (place, users) in groups {
            let place = desired.zip(place).map(|(desired, place)| {
                let file = terminal(&desired.file_name(place));
                match place.line {
                    0 => format!(" ({file})"),
                    line => format!(" ({file}:{line})"),
                }
            });
            let (place, users) = (place.unwrap_or_default(), users.join(", "));
            let _ = writeln!(self.lines, "{name}{place}: {users}");
        }
    }
}
