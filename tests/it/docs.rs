//! Checks that the documentation matches the program.

mod api;
mod book;
mod diagnostics;
mod guides;
mod russian;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anstream::adapter::strip_str;
use anstyle::RgbColor;
use roomform::error::Exit;
use roomform::manifest::diagnostic::Code;

use crate::support::{Scene, Shows, assert_fresh, blocks};

fn root(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn page(name: &str) -> String {
    fs::read_to_string(root(name)).unwrap()
}

/// The first fenced block of this language that starts with this line.
fn block(page: &str, language: &str, start: &str) -> String {
    let mut blocks = blocks(page).into_iter();
    let found = blocks.find(|block| block.language == language && block.text.starts_with(start));
    found
        .unwrap_or_else(|| panic!("no {language} block with {start}"))
        .text
        .to_owned()
}

#[test]
fn the_picture_of_a_plan_is_up_to_date() {
    let scene = Scene::new();
    for name in ["before", "after"] {
        scene.write(
            &format!("{name}.yaml"),
            page(&format!("examples/change/{name}.yaml")),
        );
    }
    scene.run("apply --yes --sandbox -f before.yaml").ok();
    let plan = scene.run("plan --sandbox -f after.yaml --color always");
    let (white, black) = (RgbColor(230, 237, 243), RgbColor(13, 17, 23));
    let mut palette = anstyle_svg::VGA;
    // Red, green and yellow that are legible on black.
    palette.0[1..4].copy_from_slice(&[
        RgbColor(255, 123, 114),
        RgbColor(63, 185, 80),
        RgbColor(210, 153, 34),
    ]);
    let picture = anstyle_svg::Term::new()
        .palette(palette)
        .fg_color(white.into())
        .bg_color(black.into())
        .min_width_px(0)
        .render_svg(&wrap(&format!(
            "$ roomform plan --sandbox -f after.yaml\n{}",
            plan.out
        )));
    // Dimmed text must be legible, too.
    let (dimmed, legible) = (".dimmed { opacity: 0.4; }", ".dimmed { opacity: 0.6; }");
    picture.shows(dimmed);
    assert_fresh(&root("docs/plan.svg"), &picture.replace(dimmed, legible));
}

/// Breaks long lines between words, so that the picture is readable on a phone.
fn wrap(text: &str) -> String {
    let mut wrapped = String::new();
    for line in text.lines() {
        let mut width = 0;
        for (index, word) in line.split(' ').enumerate() {
            let length = strip_str(word).to_string().chars().count();
            if index > 0 && width + 1 + length > 54 {
                wrapped += "\n     ";
                width = 5;
            }
            if index > 0 {
                wrapped.push(' ');
                width += 1;
            }
            wrapped += word;
            width += length;
        }
        wrapped.push('\n');
    }
    wrapped
}

#[test]
fn the_documents_name_the_version_of_the_program() {
    let version = env!("CARGO_PKG_VERSION");
    page("CHANGELOG.md").shows(format!("\n## {version} - 20"));
    for name in [
        "docs/ci.md",
        "docs/install.md",
        "examples/github-matrix/roomform-apply.yaml",
        "examples/kubernetes/apply.yaml",
        "examples/kubernetes/drift.yaml",
    ] {
        page(name).shows(version);
    }
}

#[test]
fn every_roomform_command_in_the_readme_works() {
    let readme = page("README.md");
    let scene = Scene::new()
        .manifest(block(&readme, "yaml", "version: 1"))
        .sandbox();
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.args(args).current_dir(scene.path("."));
        assert!(git.status().unwrap().success(), "{args:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "rooms.yaml"]);
    git(&[
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@localhost",
        "commit",
        "-qm",
        "rooms",
    ]);
    git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    let mut commands = Vec::new();
    for block in blocks(&readme)
        .iter()
        .filter(|block| block.language == "sh")
    {
        let lines = block.text.lines();
        commands.extend(lines.filter_map(|line| line.strip_prefix("roomform ")));
    }
    assert_eq!(commands.len(), 10, "{commands:?}");
    for command in commands {
        let command = command.split('#').next().unwrap();
        let mut args: Vec<&str> = command.split_whitespace().collect();
        match args[..] {
            // Without `--yes`, `apply` asks on a terminal, and the test has none.
            ["apply"] | ["apply", "--sandbox"] => args.push("--yes"),
            ["export", ..] => fs::remove_file(scene.path("rooms.yaml")).unwrap(),
            _ => {}
        }
        let ran = scene.run(&args);
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.err);
    }
}

#[test]
fn the_readme_has_at_most_a_thousand_words() {
    assert!(page("README.md").split_whitespace().count() <= 1000);
}

#[test]
fn the_manifest_in_the_readme_is_valid() {
    let manifest = block(&page("README.md"), "yaml", "version: 1");
    assert_eq!(manifest.lines().count(), 10);
    let ran = Scene::new().manifest(&manifest).run("check");
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (0, "valid: 1 room, 3 memberships\n", "")
    );
}

#[test]
fn every_manifest_with_files_in_the_documents_is_valid() {
    let mut seen = 0;
    for document in ["docs/rosters.md", "docs/presets.md", "docs/manifest.md"] {
        let text = page(document);
        let blocks = blocks(&text).into_iter();
        let texts = blocks
            .filter(|block| block.language == "yaml")
            .map(|block| block.text);
        for manifest in texts.filter(|block| {
            block.starts_with("version: 1")
                && (block.contains("roster") || block.contains("format"))
        }) {
            let scene = Scene::new().manifest(manifest);
            scene.write(
                "people.csv",
                "number,login,site_id\nS-1,pupil,101\nT-1,teacher,201\nO-1,office,3\n",
            );
            scene.write("office.txt", "O-1\n");
            scene.write("opted-out.txt", "# no one yet\n");
            scene.write("class.csv", "teacher;pupil;status\nT-1;S-1;active\n");
            scene.write(
                "courses.csv",
                "id,code,name,term,status,teacher,assistant\n1,Rust 1,Rust,autumn,active,T-1,\n",
            );
            scene.write(
                "enrollments.csv",
                "course,section,student,status\n1,,S-1,active\n,a,T-1,active\n",
            );
            if !manifest.contains("via") {
                scene.write("enrollments.csv", "course,student,status\n1,S-1,active\n");
            }
            scene.write("sections.csv", "section,course\na,1\n");
            scene.write(
                "sis/courses.csv",
                "course_id,short_name,long_name,term_id,status\n1,R1,Rust,autumn,active\n",
            );
            scene.write(
                "sis/enrollments.csv",
                "course_id,user_id,role,status\n1,S-1,student,active\n",
            );
            scene.write("sis/users.csv", "user_id,site_id,status\nS-1,101,active\n");
            let ran = scene.run("check");
            assert_eq!(
                (ran.code, ran.err.as_str()),
                (0, ""),
                "{document}: {manifest}"
            );
            ran.begins("valid: 1 room, ");
            ran.lacks(" 0 memberships");
            seen += 1;
        }
    }
    assert_eq!(seen, 4);
}

#[test]
fn every_key_for_files_with_rows_is_documented() {
    let schema: serde_json::Value =
        serde_json::from_str(&page("schema/manifest.schema.json")).unwrap();
    let document = page("docs/rosters.md") + &page("docs/presets.md");
    for part in ["Roster", "Directory", "Enrol", "Via", "Generate"] {
        let keys = schema["definitions"][part]["properties"]
            .as_object()
            .unwrap();
        for key in keys.keys() {
            assert!(document.contains(&format!("`{key}`")), "{part}: {key}");
        }
    }
}

#[test]
fn docs_and_help_list_the_real_exit_codes() {
    let table = page("docs/exit-codes.md");
    let rows: Vec<(u8, String)> = table
        .lines()
        .filter_map(|line| {
            let mut cells = line.split('|').skip(1).map(str::trim);
            Some((cells.next()?.parse().ok()?, cells.next()?.to_owned()))
        })
        .collect();
    let exits: Vec<(u8, String)> = Exit::ALL
        .iter()
        .map(|exit| (exit.code(), exit.name().to_owned()))
        .collect();
    assert_eq!(rows, exits);
    let help = Scene::new().run("--help").ok();
    let words: Vec<&str> = help.split_whitespace().collect();
    for (code, _) in rows {
        assert!(
            words.contains(&code.to_string().as_str()),
            "--help does not tell of exit code {code}"
        );
    }
}

#[test]
fn the_examples_are_valid_without_warnings() {
    let scene = Scene::new();
    for name in [
        "quickstart/rooms.yaml",
        "change/before.yaml",
        "change/after.yaml",
    ] {
        let path = root("examples").join(name);
        let ran = scene.run(["check", "-f", path.to_str().unwrap()]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{name}");
    }
}

#[test]
fn every_documented_flag_and_variable_exists() {
    let help = page("docs/command-line.md");
    let commands = page("docs/cli.md");
    let mut text = page("README.md") + &commands;
    for name in [
        "adoption",
        "counting",
        "doctor",
        "faults",
        "first-manifest",
        "formats",
        "get",
        "ledger",
        "operations",
        "plans",
        "review",
        "sandbox",
        "several-machines",
        "term",
        "wordpress",
    ] {
        text += &page(&format!("docs/{name}.md"));
    }
    let flags = |text: &str| -> BTreeSet<String> {
        let flags = text.match_indices("--").map(|(at, _)| {
            text[at..]
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '-')
                .collect::<String>()
        });
        flags
            .filter(|flag| flag.len() > 3 && !flag.starts_with("---"))
            .collect()
    };
    let (named, known) = (flags(&text), flags(&help));
    assert!(named.len() > 50, "{named:?}");
    let unknown: Vec<&String> = named.difference(&known).collect();
    // Flags of cargo, gh and the test binary.
    assert_eq!(unknown, ["--input", "--locked", "--nocapture", "--path"]);
    for variable in [
        "WIDGET",
        "SECRET_KEY",
        "JWT",
        "LOGIN",
        "PASSWORD",
        "API_URL",
    ] {
        let name = format!("IMBACHAT_{variable}");
        commands.shows(&name);
        help.shows(&name);
    }
}

#[test]
fn codes_are_unique_and_numbered_by_their_severity() {
    let mut ids: Vec<&str> = Code::ALL.iter().map(|code| code.id()).collect();
    assert!(
        ids.iter()
            .all(|id| id.len() == 4 && (id.starts_with('E') || id.starts_with("W1"))),
        "{ids:?}"
    );
    ids.extend(Code::RETIRED);
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "{ids:?}");
}

#[test]
fn every_api_fact_cited_in_the_code_exists() {
    let facts = page("docs/api-facts.md");
    let mut cited = 0;
    let mut directories = vec![root("src")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for (at, start) in text.match_indices("api: fact ") {
                let number: String = text[at + start.len()..]
                    .chars()
                    .take_while(char::is_ascii_digit)
                    .collect();
                assert!(
                    facts.contains(&format!("\n{number}. ")),
                    "{}: fact {number} is not in docs/api-facts.md",
                    path.display()
                );
                cited += 1;
            }
        }
    }
    assert!(cited > 5, "{cited}");
}

#[test]
fn docs_and_help_have_the_same_page_sizes() {
    let (docs, help) = (page("docs/review.md"), Scene::new().run("plan --help").ok());
    let help: Vec<&str> = help.split_whitespace().collect();
    let help = help.join(" ");
    let rows: Vec<Vec<&str>> = docs
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').map(str::trim).collect())
        .filter(|row: &Vec<&str>| row[2].contains("characters") || row[2].contains("MiB"))
        .collect();
    assert_eq!(rows.len(), 5, "{rows:?}");
    for row in rows {
        let (name, limit) = (row[1].trim_matches('`'), row[2].split(' ').next().unwrap());
        let description = help.split(&format!("- {name}:")).nth(1).unwrap();
        let description = description.split(" - ").next().unwrap();
        assert!(description.contains(limit), "{name}: {description}");
    }
}
