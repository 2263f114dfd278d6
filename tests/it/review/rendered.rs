//! A page as a Markdown parser understands it, with every extension it has.

use pulldown_cmark::{Event, Options, Parser, Tag};

/// What is left of a page once it is read.
#[derive(Debug, Default)]
pub struct Rendered {
    /// The texts in code, in order.
    pub code: Vec<String>,
    /// All text outside of it.
    pub words: String,
    /// The headings.
    pub headings: Vec<String>,
    /// The items of lists.
    pub items: Vec<String>,
}

/// HTML that is ours, and nothing else: longest first.
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
    /// Reads a page. Panics on anything that a page of ours cannot have: a link, an image, a table, a fence, HTML of others.
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
    /// The text since the last tag: where some sites look for addresses once it is parsed, within HTML too.
    node: String,
}

/// Whether a site could make a link of a text: mails, and addresses with or without a scheme.
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
                // Code of the parser's own is looked into by nobody.
                (self.in_code, self.own_code) = (true, true);
                self.done.code.push(String::new());
                self.text(&text);
                (self.in_code, self.own_code) = (false, false);
            }
            Event::Html(html) | Event::InlineHtml(html) => self.html(&html),
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

/// The text of HTML: numbers stand for characters.
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
