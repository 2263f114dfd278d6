//! A page as two Markdown parsers read it: one with all extensions enabled, and GitHub's own.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use pulldown_cmark::{Event, Options, Parser, Tag};

use crate::support::Running;

/// The content of a parsed page.
#[derive(Debug, Default)]
pub struct Rendered {
    /// The text of each code span, in order.
    pub code: Vec<String>,
    /// All other text.
    pub words: String,
    pub headings: Vec<String>,
    pub items: Vec<String>,
}

/// The HTML tags that our pages use.
const OURS: [&str; 5] = [
    "<details open>",
    "</details>",
    "<details>",
    "</summary>",
    "<summary>",
];

impl Rendered {
    /// Reads a page. Panics on anything that our pages never contain: a link, an image, a table, a fence, other HTML.
    #[track_caller]
    pub fn new(page: &str) -> Self {
        let options = Options::all() - Options::ENABLE_SMART_PUNCTUATION;
        let mut read = Reader::default();
        for event in Parser::new_ext(page, options) {
            read.event(event);
        }
        assert_eq!(read.folds, 0, "a fold is left open");
        read.done
    }

    /// Reads a page as [`Rendered::new`] does, and checks that GitHub's own engine finds the same
    /// code and words in it, and no other element. The engine is `cmarkgfm` from PyPI, in the
    /// Python that `ROOMFORM_CMARKGFM` names. If the variable is not set, the check is skipped,
    /// but in CI the test fails.
    #[track_caller]
    pub fn as_on_github(page: &str) -> Self {
        let read = Self::new(page);
        let python = std::env::var_os("ROOMFORM_CMARKGFM");
        let hint = "set ROOMFORM_CMARKGFM to a Python that has cmarkgfm";
        assert!(
            python.is_some() || std::env::var_os("CI").is_none(),
            "{hint}"
        );
        if let Some(python) = python {
            let html = github_html(Path::new(&python), page);
            let (code, words) = text_of(&html);
            assert_eq!(code, read.code, "{html}");
            let plain = |words: &str| words.split_whitespace().collect::<String>();
            assert_eq!(plain(&words), plain(&read.words), "{html}");
        }
        read
    }
}

/// The HTML that GitHub's engine makes of a page, before GitHub's filters remove any.
fn github_html(python: &Path, page: &str) -> String {
    let mut command = Command::new(python);
    command.args(["-c", ENGINE]);
    let mut engine = Running::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
    let mut stdin = engine.stdin.take().unwrap();
    stdin.write_all(page.as_bytes()).unwrap();
    drop(stdin);
    let ended = engine.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    String::from_utf8(ended.stdout).unwrap()
}

const ENGINE: &str = "
import sys, cmarkgfm
from cmarkgfm.cmark import Options
page = sys.stdin.buffer.read().decode()
options = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES
sys.stdout.buffer.write(cmarkgfm.github_flavored_markdown_to_html(page, options).encode())
";

/// The elements of our pages, as GitHub's engine writes them.
const ELEMENTS: [&str; 22] = [
    "<p>",
    "</p>",
    "<h2>",
    "</h2>",
    "<h3>",
    "</h3>",
    "<ul>",
    "</ul>",
    "<li>",
    "</li>",
    "<strong>",
    "</strong>",
    "<em>",
    "</em>",
    "<code>",
    "</code>",
    "<details>",
    "<details open>",
    "</details>",
    "<summary>",
    "</summary>",
    "<input type=\"checkbox\" disabled=\"\" />",
];

/// The texts of the code spans, and all other text. Panics on anything but the elements of our
/// pages.
#[track_caller]
fn text_of(html: &str) -> (Vec<String>, String) {
    let (mut code, mut words, mut in_code) = (Vec::new(), String::new(), false);
    let after_marker = html.strip_prefix("<!-- roomform:");
    let after_marker = after_marker.and_then(|comment| comment.split_once("-->"));
    let mut rest = after_marker.map_or(html, |(_, after)| after);
    while let Some((text, tag)) = rest.split_once('<') {
        let text = [
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&amp;", "&"),
        ]
        .iter()
        .fold(text.to_owned(), |text, (entity, sign)| {
            text.replace(entity, sign)
        });
        match in_code {
            true => code.push(text),
            false => words.push_str(&text),
        }
        let (tag, after) = tag.split_once('>').unwrap();
        let tag = format!("<{tag}>");
        assert!(ELEMENTS.contains(&tag.as_str()), "{tag} in {html}");
        in_code = tag == "<code>";
        rest = after;
    }
    (code, words + rest)
}

#[derive(Default)]
struct Reader {
    done: Rendered,
    folds: i32,
    heading: bool,
}

impl Reader {
    #[track_caller]
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(Tag::Paragraph | Tag::List(None) | Tag::Strong | Tag::Emphasis) => {}
            Event::Start(Tag::Item) => self.done.items.push(String::new()),
            Event::Start(Tag::HtmlBlock) => {}
            Event::Start(Tag::Heading { .. }) => {
                self.heading = true;
                self.done.headings.push(String::new());
            }
            Event::Start(tag) => panic!("{tag:?}"),
            Event::End(_) => {
                self.heading &= !matches!(event, Event::End(pulldown_cmark::TagEnd::Heading(_)))
            }
            Event::Text(text) => {
                self.text(&text);
                self.done.words.push_str(&text);
            }
            Event::Code(text) => {
                self.text(&text);
                self.done.code.push(text.to_string());
            }
            Event::Html(html) | Event::InlineHtml(html) => self.html(&html),
            Event::TaskListMarker(false) => {}
            Event::SoftBreak => {
                self.text("\n");
                self.done.words.push('\n');
            }
            other => panic!("{other:?}"),
        }
    }

    fn text(&mut self, text: &str) {
        if self.heading {
            self.done.headings.last_mut().unwrap().push_str(text);
        } else if let Some(item) = self.done.items.last_mut() {
            item.push_str(text);
        }
    }

    #[track_caller]
    fn html(&mut self, html: &str) {
        let mut rest = html;
        if let Some(comment) = html.strip_prefix("<!-- roomform:") {
            let (comment, after) = comment.split_once("-->").unwrap();
            assert!(
                !comment.contains(['<', '>']) && !comment.contains("--"),
                "{html}"
            );
            rest = after;
        }
        while let Some(at) = rest.find('<') {
            let (text, tag) = rest.split_at(at);
            self.done.words.push_str(text);
            let ours = OURS.iter().find(|ours| tag.starts_with(**ours));
            let ours = ours.unwrap_or_else(|| panic!("HTML of others: {html:?}"));
            rest = &tag[ours.len()..];
            match *ours {
                "</details>" => self.folds -= 1,
                fold if fold.starts_with("<details") => self.folds += 1,
                _ => {}
            }
        }
        assert!(!rest.contains(['>', '&']), "{html:?}");
        self.done.words.push_str(rest);
    }
}
