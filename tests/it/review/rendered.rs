//! A page as a Markdown parser reads it, with all extensions enabled.

use pulldown_cmark::{Event, Options, Parser, Tag};

/// The content of a parsed page.
#[derive(Debug, Default)]
pub struct Rendered {
    /// The texts in code, in order.
    pub code: Vec<String>,
    /// All other text.
    pub words: String,
    pub headings: Vec<String>,
    pub items: Vec<String>,
}

/// The HTML that our pages use: longest first.
const OURS: [&str; 8] = [
    "<!-- -->",
    "<details open>",
    "</details>",
    "<details>",
    "</summary>",
    "<summary>",
    "</code>",
    "<code>",
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
        assert!(!read.in_code, "code is left open");
        assert_eq!(read.folds, 0, "a fold is left open");
        read.done
    }
}

#[derive(Default)]
struct Reader {
    done: Rendered,
    in_code: bool,
    own_code: bool,
    folds: i32,
    heading: bool,
    /// The text since the last tag. Some sites look for addresses here after parsing, within HTML too.
    node: String,
}

/// Whether a site could turn a text into a link: mail addresses, and URLs with or without a scheme.
fn holds_an_address(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find(['@', ':', '.']) {
        let (before, after) = rest.split_at(at);
        let sign = after.chars().next().unwrap();
        let after = &after[sign.len_utf8()..];
        let user = before.chars().last().is_some_and(|c| c != ' ');
        let host = before.chars().last().is_some_and(char::is_alphanumeric);
        let found = match sign {
            '@' => user,
            ':' => after.starts_with('/'),
            _ => host && after.starts_with(char::is_alphanumeric),
        };
        if found {
            return true;
        }
        rest = after;
    }
    false
}

impl Reader {
    #[track_caller]
    fn event(&mut self, event: Event<'_>) {
        if !matches!(event, Event::Text(_)) {
            self.node.clear();
        }
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
            Event::Text(text) => self.text(&text),
            Event::Code(text) => {
                // Sites do not look for addresses in code that the parser recognizes.
                (self.in_code, self.own_code) = (true, true);
                self.done.code.push(String::new());
                self.text(&text);
                (self.in_code, self.own_code) = (false, false);
            }
            Event::Html(html) | Event::InlineHtml(html) => self.html(&html),
            Event::TaskListMarker(false) => {}
            Event::SoftBreak => self.text("\n"),
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn text(&mut self, text: &str) {
        if self.in_code && !self.own_code {
            self.node.push_str(text);
            assert!(!holds_an_address(&self.node), "{}", self.node);
        }
        let done = &mut self.done;
        if self.in_code {
            done.code.last_mut().unwrap().push_str(text);
        } else {
            done.words.push_str(text);
        }
        if self.heading {
            done.headings.last_mut().unwrap().push_str(text);
        } else if let Some(item) = done.items.last_mut() {
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
        while let Some((text, tag)) = rest.split_once('<') {
            self.text(&decoded(text));
            let tag = rest[text.len()..].to_owned() + &tag[tag.len()..];
            let ours = OURS.iter().find(|ours| tag.starts_with(**ours));
            let ours = ours.unwrap_or_else(|| panic!("HTML of others: {html:?}"));
            rest = &rest[text.len() + ours.len()..];
            self.node.clear();
            match *ours {
                "<code>" => {
                    assert!(!self.in_code, "code in code: {html:?}");
                    self.in_code = true;
                    self.done.code.push(String::new());
                }
                "</code>" => self.in_code = false,
                "</details>" => self.folds -= 1,
                fold if fold.starts_with("<details") => self.folds += 1,
                _ => {}
            }
        }
        assert!(!rest.contains('>'), "{html:?}");
        self.text(&decoded(rest));
    }
}

/// The text of HTML with its numeric character references decoded.
fn decoded(html: &str) -> String {
    let mut parts = html.split("&#");
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let (number, after) = part.split_once(';').unwrap();
        text.push(char::from_u32(number.parse().unwrap()).unwrap());
        text.push_str(after);
    }
    text
}
