//! The HTML plan in a real browser: search, filters, keyboard, window widths, and a title that must not run as a script.

mod driver;

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;

use crate::support::{Scene, Shows};
use driver::{Browser, installed};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

/// Known ways to make a page run code.
const HOSTILE: &str = r#"\e|```</script><script>alert(1)</script><img src=x onerror=alert(2)>[x](javascript:alert(3)) @channel \u202Egnp.exe <!-- <svg onload=alert(4)>"#;

/// A browser; `None` if it is not installed, which fails in CI.
fn browser(dark: bool) -> Option<Browser> {
    assert!(
        installed() || std::env::var_os("CI").is_none(),
        "install chromium and chromedriver in /usr/bin (Debian: chromium, chromium-driver)"
    );
    installed().then(|| Browser::start(dark))
}

fn page(scene: &Scene, args: &[&str]) -> PathBuf {
    let ran = scene.run([args, &["--format", "html"]].concat());
    ran.begins("<!doctype html>");
    scene.write("page.html", ran.out)
}

/// A plan with every kind of change.
fn mixed() -> (Scene, PathBuf) {
    let manifest = "version: 1\nscope: [\"*-room\"]\nrooms:\n  - {pipe: open-room, title: Open, members: [3, 104]}\n  - {pipe: old-room, title: \"Rust 101 autumn\", members: [3]}\n  - {pipe: same-room, title: Same}\n";
    let scene = Scene::new()
        .manifest(manifest)
        .after("apply --sandbox --yes")
        .file("roster.csv", "user\n17\n18\n");
    scene.declare(format!("version: 1\nscope: [\"*-room\"]\npeople: {{Директор: 42, Anna: 104}}\nrooms:\n  - {{pipe: open-room, title: Open, public: true, members: [3]}}\n  - {{pipe: old-room, title: \"Rust 101 spring\", members: [3, {{roster: roster.csv}}]}}\n  - {{pipe: same-room, title: Same}}\n  - {{pipe: physics-room, title: \"Физика 7б\", members: [{{roster: roster.csv}}, 42]}}\n  - pipe: evil-room\n    title: \"{}\"\n", HOSTILE.replace('"', "\\\"").replace("\\e", "").replace("\\u202E", "\u{202e}")));
    let path = page(&scene, &["plan", "--sandbox"]);
    (scene, path)
}

const VISIBLE: &str = "[...document.querySelectorAll('section[data-kind] > ul > li')].filter((li) => li.offsetParent !== null && !li.hidden).map((li) => (li.querySelector('.pipe') ?? li).textContent)";

#[test]
fn search_filters_and_keyboard_work() {
    let Some(browser) = browser(false) else {
        return;
    };
    let (_dir, path) = mixed();
    browser.open(&path, 1600);
    let type_in = |text: &str| {
        browser.eval(
            "(document.getElementById('find').focus(), document.getElementById('find').select())",
        );
        browser.keys(text);
    };
    type_in("физика");
    assert_eq!(browser.eval(VISIBLE), json!(["physics-room"]));
    assert_eq!(
        browser.eval("document.getElementById('status').textContent.startsWith('1 of ')"),
        json!(true)
    );
    // A search by user finds the rooms to which the user is added, even from a roster, and the
    // rooms from which the user is removed.
    type_in("user:17");
    assert_eq!(browser.eval(VISIBLE), json!(["physics-room", "old-room"]));
    for sought in ["user:104", "anna"] {
        type_in(sought);
        assert_eq!(browser.eval(VISIBLE), json!(["open-room"]), "{sought}");
    }
    type_in("директор");
    assert_eq!(browser.eval(VISIBLE), json!(["physics-room"]));
    // A search for a user also accepts the text that the page shows for this user.
    for sought in ["(42)", "Директор (42)"] {
        type_in(sought);
        assert_eq!(browser.eval(VISIBLE), json!(["physics-room"]), "{sought}");
    }
    type_in("anna (42)");
    assert_eq!(browser.eval(VISIBLE), json!([]));
    browser.keys(ESCAPE);
    assert_eq!(
        browser.eval("document.getElementById('find').value"),
        json!("")
    );
    // Filter by kind, with the keyboard only.
    browser.eval("document.querySelector('input[value=create]').focus()");
    browser.keys(" ");
    assert_eq!(browser.eval(VISIBLE), json!(["evil-room", "physics-room"]));
    browser.keys(ESCAPE);
    // Enter opens a row and Escape closes it. The focus stays in place and is visible.
    let opened =
        "[...document.querySelectorAll('button.open')].find((it) => it.textContent === 'old-room')";
    browser.eval(&format!("{opened}.focus()"));
    browser.keys(ENTER);
    assert_eq!(
        browser.eval(&format!("{opened}.getAttribute('aria-expanded')")),
        json!("true")
    );
    let detail = browser.eval(&format!("{opened}.closest('li').innerText"));
    let detail = detail.as_str().unwrap();
    for expected in [
        "Rust 101 autumn",
        "Members to add",
        "roster.csv",
        "17 row 2",
        "18 row 3",
    ] {
        assert!(detail.contains(expected), "{expected}: {detail}");
    }
    assert_eq!(
        browser.eval("getComputedStyle(document.activeElement).outlineStyle"),
        json!("solid")
    );
    browser.keys(ESCAPE);
    assert_eq!(
        browser.eval(&format!("{opened}.getAttribute('aria-expanded')")),
        json!("false")
    );
    assert_eq!(
        browser.eval("document.activeElement.textContent"),
        json!("old-room")
    );
    // Changed words are marked, and the first tab stop leads to the content.
    assert_eq!(
        browser.eval(
            "[document.querySelector('del').textContent, document.querySelector('ins').textContent]"
        ),
        json!(["autumn", "spring"])
    );
    browser.eval("(document.activeElement.blur(), scrollTo(0, 0))");
    browser.open(&path, 1600);
    browser.keys(TAB);
    assert_eq!(
        browser.eval("document.activeElement.className"),
        json!("skip")
    );
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn a_hostile_title_runs_no_script_and_sends_no_request() {
    let Some(browser) = browser(false) else {
        return;
    };
    let (dir, path) = mixed();
    browser.open(&path, 1600);
    browser.eval("document.getElementById('unfold').click()");
    let title = browser.eval("[...document.querySelectorAll('li')].find((li) => li.textContent.includes('evil-room')).querySelector('.title').textContent");
    let title = title.as_str().unwrap().to_owned();
    title.shows("</script><script>alert(1)</script><img src=x onerror=alert(2)>");
    title.shows("\\u{202e}gnp.exe");
    assert_eq!(
        browser.eval("document.querySelectorAll('img, svg, a[href^=javascript], iframe').length"),
        json!(0)
    );
    assert_eq!(browser.eval("document.scripts.length"), json!(1));
    // If the title became markup, the content security policy would block the script and
    // report it on the console. The console is empty, so no script tried to run.
    assert_eq!(browser.console(), Vec::<String>::new());
    assert_eq!(browser.requests(), Vec::<String>::new());
    let text = dir.read("page.html");
    let policy = text
        .split("Content-Security-Policy\" content=\"")
        .nth(1)
        .unwrap()
        .split("\">")
        .next()
        .unwrap();
    policy
        .begins("default-src &#39;none&#39;; style-src &#39;sha256-")
        .lacks("unsafe");
}

#[test]
fn the_page_fits_phones_and_wide_screens_in_light_and_dark_mode() {
    for dark in [false, true] {
        let Some(browser) = browser(dark) else { return };
        let (_dir, path) = mixed();
        for width in [360, 1600] {
            browser.open(&path, width);
            browser.eval("document.getElementById('unfold').click()");
            assert_eq!(browser.eval("innerWidth"), json!(width));
            assert_eq!(
                browser.eval("document.documentElement.scrollWidth <= innerWidth"),
                json!(true),
                "{width}: it scrolls to the side"
            );
        }
        if !dark {
            // On a phone, 640 px high, the first lines are in view, and the person to remove is named without a click.
            browser.open(&path, 360);
            assert_eq!(
                browser.eval("[...document.querySelectorAll('li')].slice(0, 2).map((li) => [li.parentElement.parentElement.id, li.getBoundingClientRect().top < 640])"),
                json!([["refused", true], ["needs-attention", true]])
            );
            assert_eq!(
                browser.eval("document.querySelector('#manual-steps .words').innerText"),
                json!("remove Anna (104) from room 3")
            );
        }
        let paper = browser.eval("getComputedStyle(document.body).backgroundColor");
        assert_eq!(
            paper,
            json!(if dark {
                "rgb(15, 19, 23)"
            } else {
                "rgb(255, 255, 255)"
            })
        );
        assert_eq!(browser.console(), Vec::<String>::new());
    }
}

#[test]
fn ten_thousand_changes_stay_usable() {
    let Some(browser) = browser(false) else {
        return;
    };
    let mut manifest = String::from("version: 1\nrooms:\n");
    for room in 1..=10_000 {
        writeln!(
            manifest,
            "  - {{pipe: course-{room}, title: \"Курс {room}\", members: [{room}, 7]}}"
        )
        .unwrap();
    }
    let scene = Scene::new().manifest("version: 1\nrooms: []\n");
    scene.write("after.yaml", manifest);
    let path = page(
        &scene,
        &["diff", "rooms.yaml", "after.yaml", "--allow-empty"],
    );
    browser.open(&path, 1600);
    let shown =
        "[...document.querySelectorAll('#create > ul > li')].filter((li) => !li.hidden).length";
    assert_eq!(
        browser.eval("document.querySelectorAll('#create > ul > li').length"),
        json!(10_000)
    );
    assert_eq!(browser.eval(shown), json!(100));
    // With `display: list-item`, the browser would take 20 s for these rows. Rows that are visible at first are always rendered, so that
    // they are not blank in a screenshot of the whole page.
    assert_eq!(
        browser.eval("[...document.querySelectorAll('#create > ul > li:is(:nth-child(1), :nth-child(100), :nth-child(101))')].map((li) => { li.hidden = false; const style = getComputedStyle(li); return `${style.display} ${style.contentVisibility}`; })"),
        json!(["block visible", "block visible", "block auto"])
    );
    browser.eval("document.querySelector('#create > ul > li:nth-child(101)').hidden = true");
    browser.eval("document.getElementById('find').focus()");
    browser.keys("course-9999");
    assert_eq!(browser.eval(VISIBLE), json!(["course-9999"]));
    browser.keys(ESCAPE);
    browser.keys("user:7");
    assert_eq!(
        browser.eval("document.querySelector('#create h2 .n').textContent"),
        json!("10000")
    );
    browser.eval("document.querySelector('.more button').click()");
    assert_eq!(browser.eval(shown), json!(200));
    assert_eq!(browser.console(), Vec::<String>::new());
}

/// Browsers use floating-point numbers: 2^53 + 1 would be shown, and found, as 2^53.
#[test]
fn large_ids_are_shown_and_found_exactly() {
    let scene = Scene::new().manifest("version: 1\nrooms:\n  - {pipe: team-a, title: A, members: [9007199254740993, 9223372036854775807]}\n  - {pipe: team-b, title: B, members: [9007199254740992]}\n");
    let path = page(&scene, &["plan", "--sandbox"]);
    let text = scene.read("page.html");
    text.shows("data-u=\"9007199254740993 9223372036854775807 \"");
    let Some(browser) = browser(false) else {
        return;
    };
    browser.open(&path, 1600);
    browser.eval("document.getElementById('unfold').click()");
    let shown = browser
        .eval("[...document.querySelectorAll('.panel')].map((it) => it.textContent.split(': ')[1]).join(' ')");
    assert_eq!(
        shown,
        json!("9007199254740993, 9223372036854775807 9007199254740992")
    );
    for (sought, found) in [
        ("user:9007199254740993", json!(["team-a"])),
        ("user:9007199254740992", json!(["team-b"])),
        ("user:09223372036854775807", json!(["team-a"])),
        ("user:9007199254740994", json!([])),
    ] {
        browser.eval(
            "(document.getElementById('find').focus(), document.getElementById('find').select())",
        );
        browser.keys(sought);
        assert_eq!(browser.eval(VISIBLE), found, "{sought}");
    }
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn the_page_is_complete_without_its_script() {
    let (scene, _) = mixed();
    let text = scene.read("page.html");
    let body = text.split("<script").next().unwrap();
    for expected in [
        "become public",
        "open-room",
        "physics-room",
        "Физика 7б",
        "Refused",
        " from room ",
        "create conference, closed, 3 members (17, 18, Директор (42))",
        "17 row 2, 18 row 3",
    ] {
        body.shows(expected);
    }
    let again = scene.run("plan --sandbox --format html");
    assert_eq!(again.out, text, "equal input, equal bytes");
    scene.run("check --format html").exits(64);
}
