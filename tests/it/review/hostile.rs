//! Hostile titles in pages, annotations and SARIF: they are shown, and have no other effect.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser};
use roomform::error::{Error, Exit};
use roomform::model::is_hidden;
use roomform::render::escape;
use roomform::render::markdown::{self, Dialect, Fit};

use super::rendered::Rendered;
use crate::support::{Scene, Shows, live_room};

/// One title for each kind of text that a parser, a site, a bot or a runner could misinterpret.
const TITLES: [&str; 59] = [
    "\u{1b}[31mred",
    "a|b|c",
    "```",
    "``` rust",
    "`code` ``two``",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</code></summary></details>",
    "<!-- x -->",
    "-->",
    "]]>",
    "[x](javascript:alert(1))",
    "![x](http://evil.example/x.png)",
    "[x]: http://evil.example",
    "[^1]",
    "[[wiki]]",
    "<http://evil.example>",
    "http://evil.example/?a=b",
    "www.evil.example",
    "see www.evil.example now",
    "evil.example",
    "me@evil.example",
    "xmpp:me@evil.example",
    "@channel",
    "@org/team please",
    "#123",
    "fixes #123",
    "org/repo#1",
    "GH-123",
    "0123456789abcdef0123456789abcdef01234567",
    "deadbee",
    ":tada:",
    "!12",
    "~label",
    "~\"a label\"",
    "%milestone",
    "&epic",
    "&1",
    "$snippet",
    "$1",
    "$`x`$ and $$y$$",
    "/close",
    "# heading",
    "- [ ] task",
    "- [X] task",
    "> quote",
    "***",
    "---",
    "1. one",
    "*a* _b_ **c** ~~d~~ ==e== ^f^",
    "\\*a\\*",
    "&lt;b&gt; &#64; &commat;",
    "::error::x",
    "##[add-mask]x",
    "##vso[task.setvariable variable=x]y",
    "50%25%0A::error::x",
    "{0} {{x}} ${{ github.token }}",
    "\u{202e}desrever\u{2066}",
    "zero\u{200b}width\u{feff}",
];

/// A text as it is shown, with hidden characters spelled out.
pub fn spelled(text: &str) -> String {
    text.chars().map(spelled_char).collect()
}

/// A text as it is shown in code on a page: without back-ticks, and without a ticked box.
pub fn in_code(text: &str) -> String {
    let text = spelled(text).replace('`', "\\u{60}");
    text.replace("[x]", "[x\\u{5d}").replace("[X]", "[X\\u{5d}")
}

fn spelled_char(c: char) -> String {
    if is_hidden(c) {
        format!("\\u{{{:x}}}", u32::from(c))
    } else {
        c.to_string()
    }
}

/// Where a text may appear: `@` marks the position.
const PLACES: [&str; 8] = [
    "@", "a @ b", "# @", "- @\n- @", "- [ ] @", "*@*", "**@**", "a\n@\n@",
];

/// The structure of a page as a parser sees it, without the content of its text and code.
fn skeleton(page: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for event in Parser::new_ext(page, Options::all()) {
        let kind = match event {
            Event::Text(_) => "text".to_owned(),
            Event::Code(_) => "code".to_owned(),
            other => format!("{other:?}"),
        };
        if kind != "text" || found.last().is_none_or(|last| last != "text") {
            found.push(kind);
        }
    }
    found
}

#[track_caller]
fn harmless_anywhere(text: &str) {
    for place in PLACES {
        let put = |text: &str| skeleton(&place.replace('@', text));
        assert_eq!(
            put(&escape::markdown(text)),
            put("`word`"),
            "{text:?} in {place:?}"
        );
    }
}

#[test]
fn hostile_titles_are_harmless_anywhere_in_a_page() {
    for title in TITLES {
        harmless_anywhere(title);
        let read = Rendered::new(&escape::markdown(title));
        assert_eq!(read.code, [in_code(title)]);
        assert_eq!(read.words, "");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_text_is_harmless_anywhere_in_a_page(text in "\\PC{1,40}|[ -~]{1,60}|.{1,40}") {
        harmless_anywhere(&text);
    }

    /// The message of a failure may contain any text, including back-ticks.
    #[test]
    fn any_failure_message_is_plain_text_or_code(text in "[ -~`]{1,60}|[a-z`@#:. ]{1,60}|.{1,40}") {
        for dialect in [Dialect::Html, Dialect::Plain] {
            let fit = Fit { bytes: None, dialect };
            let error = Error::message(Exit::Failed, &text).hint(text.clone());
            let read = Rendered::new(&markdown::failure(&error, "plan", None, fit).unwrap());
            let sign = read.words.chars().find(|c| "@#!~&$/<>[]{}|\\*^=`".contains(*c));
            prop_assert_eq!(sign, None, "{:?}", read);
        }
    }
}

/// A manifest and a widget with all these titles; titles that are invalid in a manifest are only in the widget.
fn widget() -> Scene {
    let scene = Scene::new().sandbox();
    let mut rooms = String::new();
    for (index, title) in TITLES.iter().enumerate() {
        scene.insert(live_room(&format!("room-{index}"), title));
        let wanted = if title.contains(char::is_control) {
            "plain"
        } else {
            title
        };
        let wanted = serde_json::to_string(&format!("{wanted} x")).unwrap();
        rooms.push_str(&format!(
            "  - {{pipe: room-{index}, title: {wanted}, public: {}}}\n",
            index % 2 == 0
        ));
    }
    scene.manifest(format!("version: 1\nrooms:\n{rooms}"))
}

#[test]
fn a_page_shows_hostile_titles_without_effect() {
    let scene = widget();
    for site in ["github-comment", "bitbucket"] {
        let ran = scene.run(["plan", "--format", "markdown", "--fit", site]);
        let read = Rendered::as_on_github(&ran.out);
        for title in TITLES {
            assert!(read.code.contains(&in_code(title)), "{title:?}");
        }
        let quick = ran
            .out
            .lines()
            .find(|line| line.trim_start().starts_with('/'));
        assert_eq!(quick, None);
        let sign = read.words.chars().find(|c| "@#!~&$/<>[]{}|\\".contains(*c));
        assert_eq!(sign, None, "{}", read.words);
    }
}

/// An annotation as GitHub's runner reads it.
pub struct Annotated {
    pub properties: Vec<(String, String)>,
    pub message: String,
}

/// Parses annotations, one per line. Panics on any other line, and on a line with more than one.
#[track_caller]
pub fn annotated(lines: &str) -> Vec<Annotated> {
    let decoded = |text: &str, signs: &[(&str, &str)]| {
        let signs = signs.iter();
        signs.fold(text.to_owned(), |text, (code, sign)| {
            text.replace(code, sign)
        })
    };
    let data = [("%0D", "\r"), ("%0A", "\n"), ("%25", "%")];
    let more = [("%3A", ":"), ("%2C", ",")];
    let line = |line: &str| {
        let hidden = line.chars().find(|c| is_hidden(*c));
        assert_eq!(hidden, None, "{line}");
        let (command, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
        let (kind, properties) = command.split_once(' ').unwrap();
        assert!(["error", "warning", "notice"].contains(&kind), "{line}");
        let properties = properties.split(',').map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            assert!(["file", "line", "col", "title"].contains(&name), "{line}");
            (name.to_owned(), decoded(&decoded(value, &more), &data))
        });
        Annotated {
            properties: properties.collect(),
            message: decoded(message, &data),
        }
    };
    lines.lines().map(line).collect()
}

/// A title as a terminal, a log or an annotation shows it.
fn in_a_log(title: &str) -> String {
    let shown = spelled(title).replace("##", "#\\u{23}");
    match shown.strip_prefix("::") {
        Some(rest) => format!("\\u{{3a}}:{rest}"),
        None => shown,
    }
}

#[test]
fn annotations_show_hostile_titles_without_effect() {
    let scene = widget();
    // GitHub shows ten annotations of a kind, so the titles need several runs.
    for (start, titles) in (0..).step_by(9).zip(TITLES.chunks(9)) {
        let mut args = vec!["plan".to_owned(), "--format=github".to_owned()];
        let rooms = (start..).take(titles.len());
        args.extend(rooms.map(|index| format!("--only=room-{index}")));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let annotations = annotated(&scene.run(&args).out);
        let of_rooms = annotations
            .iter()
            .filter(|it| it.properties[0].1 == "rooms.yaml");
        let messages: Vec<&str> = of_rooms.map(|it| it.message.as_str()).collect();
        assert!(messages.len() >= titles.len(), "{messages:#?}");
        for title in titles {
            let shown = in_a_log(title);
            let showing = |message: &&str| message.contains(&shown) && !message.contains('\n');
            assert!(messages.iter().any(showing), "{title:?}: {messages:#?}");
        }
    }
}

#[test]
fn hostile_titles_run_no_command_in_a_ci_log() {
    let scene = widget();
    let plan = scene.plan();
    // Commands that a runner executes: `::` at the start of a line, `##[` and `##vso[` anywhere.
    for line in plan.all().lines() {
        assert!(
            !line.trim_start().starts_with("::") && !line.contains("##"),
            "{line}"
        );
    }
    for title in TITLES {
        let shown = in_a_log(title).replace('"', "\\\"");
        assert!(plan.out.contains(&shown), "{title:?}");
    }
    let json = scene.run("plan --format json");
    json.lacks("##");
    let changes = json.json()["changes"].to_string();
    changes.shows("##[add-mask]x");
    // A diagnostic quotes a line of the manifest, here cut in three.
    for text in [
        "pipe: ##[add-mask]x",
        "pipe: \"#\"#[add-mask]x",
        "##[add-mask]x: 1",
    ] {
        let ran = Scene::new()
            .manifest(format!("version: 1\nrooms:\n  - {text}\n"))
            .run("check");
        assert_eq!((ran.code, ran.all().contains("##")), (3, false), "{ran:#?}");
    }
}

#[test]
fn sarif_shows_hostile_titles_without_links_or_hidden_text() {
    let mut rooms = String::new();
    for title in TITLES {
        let title = serde_json::to_string(&format!(" {title}")).unwrap();
        rooms.push_str(&format!(
            "  - {{pipe: {title}, title: {title}, {title}: 1}}\n"
        ));
    }
    let ran = Scene::new()
        .manifest(format!("version: 1\nrooms:\n{rooms}"))
        .run("check --format sarif");
    assert_eq!((ran.code, ran.err.as_str()), (3, ""));
    let log = ran.json();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert!(results.len() > TITLES.len());
    for result in results {
        let text = result["message"]["text"].as_str().unwrap();
        let hidden = text.chars().find(|c| is_hidden(*c));
        assert_eq!((hidden, text.contains("](")), (None, false), "{text}");
        let single = text.replace("{{", "").replace("}}", "");
        assert!(!single.contains(['{', '}']), "{text}");
    }
    let all = results
        .iter()
        .map(|result| result["message"]["text"].as_str().unwrap());
    let all: Vec<&str> = all.collect();
    assert!(
        all.iter()
            .any(|text| text.contains("[x] (javascript:alert(1))")),
        "{all:#?}"
    );
    assert!(
        all.iter().any(|text| text.contains("<U+202E>desrever")),
        "{all:#?}"
    );
    super::sarif::valid(&log);
}
