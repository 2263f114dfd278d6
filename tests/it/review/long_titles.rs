//! Two long titles that differ near the end: the output always shows the difference.

use crate::support::{Scene, Shows, ignoring_updates};

/// A manifest whose room has a title of this many phrases of 13 characters, followed by `end`.
fn long(words: usize, end: &str) -> String {
    let title = "Осень · long ".repeat(words);
    format!("version: 1\nrooms:\n  - {{pipe: team, title: \"{title}{end}\"}}\n")
}

/// A manifest whose room has a title of nearly the maximum length.
fn manifest(end: &str) -> String {
    long(18, end)
}

#[test]
fn pages_and_annotations_show_the_different_part_of_long_titles() {
    let scene = Scene::new().manifest(manifest("first")).applied();
    scene.declare(manifest("second"));
    scene.write("base.yaml", long(50, "first"));
    scene.write("head.yaml", long(50, "second"));
    for format in ["markdown", "github", "html"] {
        for args in ["plan", "diff base.yaml head.yaml"] {
            let page = scene.run(format!("{args} --format {format}")).ok();
            assert!(
                page.contains("first") && page.contains("second"),
                "{args:?}: {page}"
            );
        }
    }
    // A long title does not make the page long, and only its words that differ are marked.
    let page = scene.run("diff base.yaml head.yaml --format html").ok();
    page.shows("<del>first</del>")
        .shows("<ins>second</ins>")
        .shows("more) …");
    assert!(page.matches("long").count() < 12, "{page}");
    let page = scene.run("plan --format markdown").ok();
    assert!(page.chars().count() < 3_000, "{page}");
    for site in ["github-comment", "bitbucket"] {
        let page = scene
            .run(["plan", "--format", "markdown", "--fit", site])
            .ok();
        page.shows("first").shows("second");
    }
}

#[test]
fn notes_on_ignored_titles_show_the_different_part() {
    let scene = Scene::new()
        .manifest(manifest("first"))
        .sandbox_with(ignoring_updates())
        .applied();
    scene.declare(manifest("second"));
    for format in ["text", "markdown", "github"] {
        let ran = scene.run(format!(
            "apply --yes --verify-timeout 100ms --format {format}"
        ));
        ran.exits(4);
        let word = |line: &&str| line.contains("as") && line.contains("second");
        let line = ran.out.lines().rfind(word).unwrap_or_default();
        assert!(line.contains("first"), "{format}: {}", ran.out);
    }
}
