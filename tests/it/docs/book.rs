//! The pages of the site: every page is in the table of contents, every link leads somewhere,
//! and generated pages are up to date.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Arg;
use indexmap::IndexMap;

use super::{page, root};
use crate::help::verbs;
use crate::support::{Shows, assert_fresh};

/// The Markdown pages of the repository whose links are checked.
pub fn pages() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for directory in [
        "",
        "docs",
        "examples/review",
        "examples/school-term",
        "examples/kubernetes",
    ] {
        let entries = fs::read_dir(root(directory)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        found.extend(paths.filter(|path| path.extension().is_some_and(|it| it == "md")));
    }
    assert!(found.len() > 40, "{found:?}");
    found
}

/// The lines of a page that are not code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// The anchor of a heading, as GitHub and mdbook make it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        _ => c.is_alphanumeric().then_some(c),
    });
    kept.flat_map(char::to_lowercase).collect()
}

fn anchors(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let headings = prose(&text).filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
    headings.map(anchor).collect()
}

/// The targets of the links of a page, without those to other sites.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text) {
        for rest in line.split("](").skip(1) {
            let target = rest.split(')').next().unwrap();
            if !target.contains(':') && !target.contains('`') {
                found.push(target.to_owned());
            }
        }
    }
    found
}

#[test]
fn every_link_of_the_documentation_leads_to_a_file_and_a_heading() {
    let (mut broken, mut seen) = (Vec::new(), 0);
    for from in pages() {
        let text = fs::read_to_string(&from).unwrap();
        for link in links(&text) {
            seen += 1;
            let (path, heading) = link.split_once('#').unwrap_or((&link, ""));
            let to = match path {
                "" => from.clone(),
                path => from.parent().unwrap().join(path),
            };
            if !to.exists() || (!heading.is_empty() && !anchors(&to).contains(&heading.to_owned()))
            {
                broken.push(format!("{}: {link}", from.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(seen > 200, "{seen}");
}

#[test]
fn the_contents_of_the_site_list_every_page_once() {
    let mut listed = links(&page("docs/SUMMARY.md"));
    listed.push("SUMMARY.md".to_owned());
    listed.sort_unstable();
    let mut files: Vec<String> = pages()
        .iter()
        .filter_map(|path| path.strip_prefix(root("docs")).ok())
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    files.sort_unstable();
    assert_eq!(listed, files);
}

#[test]
fn links_out_of_the_site_lead_to_the_repository() {
    let repository = page("Cargo.toml");
    let address = repository.split("repository = \"").nth(1).unwrap();
    page("docs/book.toml").shows(format!(
        "git-repository-url = \"{}\"",
        address.split('"').next().unwrap()
    ));
}

/// Help text as Markdown. `<` and `*` are escaped, because they are markup.
fn escaped(help: impl ToString) -> String {
    help.to_string().replace('<', "&lt;").replace('*', "\\*")
}

/// A flag or an argument as an item of a list: its names, help, values and default.
fn flag(arg: &Arg) -> String {
    let short = arg.get_short().map(|short| format!("-{short}, "));
    let mut names = format!("{}{arg}", short.unwrap_or_default());
    for alias in arg.get_visible_aliases().unwrap_or_default() {
        names += &format!(", --{alias}");
    }
    let help = escaped(arg.get_long_help().or(arg.get_help()).unwrap());
    let mut text = format!("- `{names}`: {}", help.replace("\n\n", "\n\n  "));
    if arg.get_action().takes_values() {
        for value in arg.get_possible_values() {
            let help = value.get_help().map(|help| format!(": {}", escaped(help)));
            text += &format!("\n  - `{}`{}", value.get_name(), help.unwrap_or_default());
        }
        for default in arg
            .get_default_values()
            .iter()
            .filter(|_| !arg.is_hide_default_value_set())
        {
            text += &format!("\n\n  Default: `{}`", default.display());
        }
    }
    text
}

#[test]
fn the_page_of_flags_is_the_help_of_the_program() {
    let mut text = String::from(
        "# Every flag\n\nThe help of each command, as `--help` prints it. [Commands](cli.md) explains the most important flags. The flags of\n`roomform` itself work with every command. The subcommands of `get`, `ledger` and `todo` also accept\nthe flags of these commands, except that `todo done` has no `--user`.\n",
    );
    // The flags that the verbs below a verb inherit. They are listed once.
    let mut inherited: Vec<(String, String)> = Vec::new();
    for (name, mut verb) in verbs() {
        let about = verb.get_long_about().or(verb.get_about()).unwrap();
        text += &format!("\n## {name}\n\n{}\n", escaped(about));
        let usage = verb.render_usage().to_string();
        text += &format!("\n```text\n{}\n```\n", usage.trim_start_matches("Usage: "));
        let mut groups: IndexMap<&str, Vec<String>> = IndexMap::new();
        for arg in verb.get_arguments() {
            let id = arg.get_id().as_str();
            let is_inherited = inherited
                .iter()
                .any(|(owner, flag)| flag == id && name.starts_with(&format!("{owner} ")));
            if arg.is_global_set() && !is_inherited {
                inherited.push((name.clone(), id.to_owned()));
            }
            if !is_inherited && !["help", "version"].contains(&id) {
                let other = if arg.is_positional() {
                    "Arguments"
                } else {
                    "Options"
                };
                let heading = arg.get_help_heading().unwrap_or(other);
                groups.entry(heading).or_default().push(flag(arg));
            }
        }
        for (heading, flags) in groups {
            text += &format!("\n**{heading}**\n\n{}\n", flags.join("\n"));
        }
        let examples = verb.get_after_help().unwrap().to_string();
        let examples = examples
            .trim_start_matches("Examples:\n")
            .replace("\n  ", "\n");
        text += &format!("\n```console\n{}\n```\n", examples.trim());
    }
    assert_fresh(&root("docs/command-line.md"), &text);
}
