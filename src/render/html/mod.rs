//! A plan as a page: one file that asks nothing of anybody, to be read, searched and opened by hand.
//!
//! Main entry: [`plan`]. Without its script the page is whole, and long. All text of others is spelled out by `escape` and then put in
//! by a template that escapes it; the policy in the page lets nothing run but the script that is in it.

mod details;
mod rows;

use std::fmt;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use self::details::Details;
use super::compared;
use super::escape::{self, terminal};
use super::markdown::legend;
use super::plan::{made_anew, verdict};
use super::words::Count;
use crate::manifest::Loaded;
use crate::plan::Plan;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// What a part of the page is about, which is a colour and never only a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    Danger,
    Warn,
    Add,
    Change,
    Join,
    Hand,
    Plain,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Danger => "danger",
            Self::Warn => "warn",
            Self::Add => "add",
            Self::Change => "change",
            Self::Join => "join",
            Self::Hand => "hand",
            Self::Plain => "plain",
        }
    }
}

/// Markup of our own making: what is of others in it was escaped when it was put in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Markup(String);

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Markup {}

/// How the plan stands, in a word and a sentence.
struct State {
    tone: Tone,
    word: &'static str,
    words: String,
}

/// A number with its name.
struct Figure {
    label: &'static str,
    count: usize,
    tone: Tone,
}

/// Lines of one kind.
struct Section {
    kind: &'static str,
    name: &'static str,
    tone: Tone,
    remark: &'static str,
    /// Whether search and filter reach it.
    found: bool,
    /// Whether it is the first of those.
    is_first_found: bool,
    /// Whether more of it is shown at once.
    pinned: bool,
    rows: Vec<Row>,
}

/// One line.
#[derive(Default)]
struct Row {
    sign: &'static str,
    pipe: Option<String>,
    title: Option<Markup>,
    what: String,
    place: Option<String>,
    /// What it opens to, by its number in the details.
    detail: Option<usize>,
}

#[derive(Template)]
#[template(path = "page.html", config = "src/render/html/askama.toml")]
struct Page {
    policy: String,
    title: String,
    heading: String,
    state: State,
    figures: Vec<Figure>,
    lines: Vec<String>,
    sections: Vec<Section>,
    legend: Vec<String>,
    style: &'static str,
    script: &'static str,
    details: String,
}

/// The page of a plan, or of a comparison; `loaded` is the manifest it was made from, which knows where each member stands.
///
/// # Errors
/// If it cannot be made, which nothing in a plan can cause.
pub fn plan(
    plan: &Plan,
    loaded: &Loaded,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut details = Details::new(&loaded.desired, plan.compared.is_some());
    let mut sections = rows::sections(plan, loaded, &mut details);
    sections.retain(|section| !section.rows.is_empty());
    if let Some(first) = sections.iter_mut().find(|section| section.found) {
        first.is_first_found = true;
    }
    let heading = heading(plan);
    let page = Page {
        policy: policy(),
        title: format!("{heading} · roomform"),
        heading,
        state: state(plan),
        figures: figures(plan),
        lines: lines(plan),
        sections,
        legend: if plan.compared.is_none() {
            legend(plan)
        } else {
            Vec::new()
        },
        style: STYLE,
        script: SCRIPT,
        details: escape::html_script(&serde_json::to_string(&details)?),
    };
    Ok(page.render()?)
}

/// Nothing may be fetched, and nothing runs or is styled but what is in the page, known by its sum.
fn policy() -> String {
    let sum = |text: &str| STANDARD.encode(Sha256::digest(text));
    let (style, script) = (sum(STYLE), sum(SCRIPT));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
}

fn heading(plan: &Plan) -> String {
    match &plan.compared {
        Some(compared) => format!(
            "{} → {}",
            terminal(&compared.base),
            terminal(&compared.head)
        ),
        None => format!("Plan for {}", terminal(&plan.target.to_string())),
    }
}

fn state(plan: &Plan) -> State {
    let words = match &plan.compared {
        Some(compared) => compared::verdict(plan, compared),
        None => verdict(plan),
    };
    let (tone, word) = match plan {
        plan if !plan.refusals.is_empty() => (Tone::Danger, "Refused"),
        plan if plan.compared.is_some() => (Tone::Plain, "Compared"),
        plan if plan.is_pending() => (Tone::Change, "Pending"),
        _ => (Tone::Add, "Nothing to do"),
    };
    State { tone, word, words }
}

fn figures(plan: &Plan) -> Vec<Figure> {
    let summary = &plan.summary;
    let figure = |label, count, tone| Figure { label, count, tone };
    let mut figures = vec![
        figure("become public", summary.publish, Tone::Danger),
        figure("new and public", summary.create_public, Tone::Danger),
        figure("made anew", made_anew(plan), Tone::Danger),
        figure("conflicts", plan.conflicts.len(), Tone::Warn),
        figure("by hand", plan.by_hand.len(), Tone::Hand),
        figure("to create", summary.create, Tone::Add),
        figure("to update", summary.update, Tone::Change),
        figure("members to add", summary.members, Tone::Join),
        figure("members unverified", summary.unverified.members, Tone::Warn),
        figure("messages to send", summary.messages, Tone::Join),
    ];
    figures.retain(|figure| figure.count > 0);
    figures.push(figure("unchanged", summary.unchanged, Tone::Plain));
    figures
}

fn lines(plan: &Plan) -> Vec<String> {
    let Some(compared) = &plan.compared else {
        return vec![format!("{} in all", Count(plan.requests(), "request"))];
    };
    let people = compared::people(&compared.people);
    let mut lines = vec!["Two manifests; no server was asked.".to_owned()];
    if !people.is_empty() {
        lines.push(format!("People: {people}."));
    }
    lines
}

/// The file and line of a place.
fn place(file: &str, line: u32) -> String {
    format!("{}:{line}", terminal(file))
}
