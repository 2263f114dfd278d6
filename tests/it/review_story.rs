//! `examples/review`: a pull request, and all output that a reviewer sees, kept up to date.
//!
//! `ROOMFORM_BLESS=1 cargo test --test it review_story` rewrites the output; review the diff.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::Scene;

/// The output files, and the command that prints each.
const SHOWN: [(&str, &[&str]); 6] = [
    (
        "comment.md",
        &[
            "plan",
            "--sandbox=sandbox.json",
            "-f",
            "after",
            "--format",
            "markdown",
            "--fit",
            "github-comment",
        ],
    ),
    (
        "page.html",
        &[
            "plan",
            "--sandbox=sandbox.json",
            "-f",
            "after",
            "--format",
            "html",
        ],
    ),
    (
        "annotations.txt",
        &[
            "plan",
            "--sandbox=sandbox.json",
            "-f",
            "after",
            "--format",
            "github",
        ],
    ),
    (
        "plan.json",
        &[
            "plan",
            "--sandbox=sandbox.json",
            "-f",
            "after",
            "--format",
            "json",
            "--today",
            "2026-11-30",
        ],
    ),
    (
        "plan.txt",
        &["plan", "--sandbox=sandbox.json", "-f", "after"],
    ),
    (
        "diff.md",
        &["diff", "before", "after", "--format", "markdown"],
    ),
];

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/review")
}

/// A directory where the base of the pull request was applied.
fn story() -> Scene {
    let scene = Scene::new();
    for side in ["before", "after"] {
        for entry in fs::read_dir(example().join(side)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            scene.write(&format!("{side}/{name}"), fs::read(&path).unwrap());
        }
    }
    // The rooms are created one after another, so that their ids in the output do not vary.
    scene
        .run("apply --yes --sandbox=sandbox.json -f before --parallelism 1")
        .ok();
    scene
}

#[test]
fn the_review_example_is_up_to_date() {
    let scene = story();
    let bless = std::env::var_os("ROOMFORM_BLESS").is_some();
    let readme = fs::read_to_string(example().join("README.md")).unwrap();
    for (name, args) in SHOWN {
        let ran = scene.run(args);
        let refused = args[0] == "plan";
        assert_eq!(ran.code, if refused { 5 } else { 0 }, "{ran:#?}");
        let path = example().join("shown").join(name);
        if bless {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &ran.out).unwrap();
        }
        assert_eq!(
            fs::read_to_string(&path).unwrap_or_default(),
            ran.out,
            "{name}"
        );
        assert!(
            readme.contains(&format!("(shown/{name})")),
            "the README shows {name}"
        );
        assert!(
            readme.contains(&format!("roomform {}", args.join(" "))),
            "the README says how {name} is made"
        );
    }
    // Each output has the dangerous lines, and a page has hostile text only in code.
    for (name, _) in SHOWN {
        let text = fs::read_to_string(example().join("shown").join(name)).unwrap();
        assert!(text.contains("lounge"), "{name}");
        if name.ends_with(".md") {
            let words: String = text.split('`').step_by(2).collect();
            for bad in ["<b>", "@everyone", "](javascript:"] {
                assert!(text.contains(bad) && !words.contains(bad), "{name}: {bad}");
            }
        }
    }
}
