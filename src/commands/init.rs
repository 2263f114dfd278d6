//! `init`: writes a starter manifest with its schema, git settings, and CI files. If one file
//! cannot be written, it writes none. An existing manifest is kept.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Console;
use super::files::{PlannedFile, has_manifest, refuse_conflicting_paths, write_all};
use crate::cli::{Ci, InitArgs, LedgerStore};
use crate::error::{Exit, Result};
use crate::manifest;
use crate::render;

const STARTER: &str = include_str!("init/rooms.yaml");
/// Lines added to git's own files. They keep the sandbox out of git, and merge the ledgers of two
/// branches line by line.
const GIT_LINES: [(&str, &str); 2] = [
    (".gitignore", ".roomform/sandbox*"),
    (".gitattributes", ".roomform/*.jsonl merge=union"),
];
const GITHUB: (&str, &str) = (
    ".github/workflows/roomform.yaml",
    include_str!("init/github-workflow.yaml"),
);
const GITLAB: (&str, &str) = (".gitlab-ci.yml", include_str!("init/gitlab.yaml"));
/// Parts that several templates or jobs use.
const PARTS: [(&str, &str); 7] = [
    ("github-install", include_str!("init/github-install.yaml")),
    ("github-restore", include_str!("init/github-restore.yaml")),
    ("gitlab-api", include_str!("init/gitlab-api.sh")),
    ("install", include_str!("init/install.sh")),
    ("restore", include_str!("init/restore.sh")),
    ("apply", include_str!("init/apply.sh")),
    ("save", include_str!("init/save.sh")),
];

pub fn run(args: &InitArgs, console: &mut Console) -> Result<Exit> {
    let home = args.directory.as_deref().unwrap_or(Path::new("."));
    let schema = render::json(&manifest::schema())?;
    let existing = existing_manifest(home);
    let mut texts = vec![("schema/manifest.schema.json".to_owned(), schema)];
    if existing.is_none() {
        texts.insert(0, ("rooms.yaml".to_owned(), STARTER.to_owned()));
    }
    if let Some(ci) = args.ci {
        texts.push(ci_file(ci, existing.unwrap_or("rooms.yaml"), args));
    }
    let files = texts.into_iter();
    let files = files.map(|(path, text)| planned_file(home.join(path), text, args.force));
    let mut files: Vec<PlannedFile> = files.filter(|file| !file.is_done()).collect();
    refuse_conflicting_paths(&files, None)?;
    for (name, line) in GIT_LINES {
        files.extend(with_line(home.join(name), line)?);
    }
    write_all(&files, console)?;
    if files.is_empty() {
        console.print("everything exists already\n")?;
    }
    console.status(&next_steps(args, existing));
    Ok(Exit::Done)
}

/// The manifest that commands in this directory read by default.
fn existing_manifest(home: &Path) -> Option<&'static str> {
    let is_directory = |path: &Path| path.is_dir() && has_manifest(path);
    if has_manifest(&home.join("rooms.yaml")) {
        Some("rooms.yaml")
    } else {
        is_directory(&home.join("rooms")).then_some("rooms")
    }
}

fn planned_file(path: PathBuf, text: String, replaces: bool) -> PlannedFile {
    PlannedFile {
        message: format!("wrote {}\n", path.display()),
        path,
        text,
        replaces,
    }
}

/// Returns the file with this line added; `None` if the file already has the line.
fn with_line(path: PathBuf, line: &str) -> Result<Option<PlannedFile>> {
    let mut text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        read => read.with_context(|| format!("`{}` cannot be read", path.display()))?,
    };
    if text.lines().any(|other| other.trim() == line) {
        return Ok(None);
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(Some(planned_file(path, format!("{text}{line}\n"), true)))
}

/// Returns the path and the content of the CI file.
fn ci_file(ci: Ci, manifest: &str, args: &InitArgs) -> (String, String) {
    let store = match args.ledger {
        LedgerStore::Cache => "cache",
        LedgerStore::Branch => "branch",
        LedgerStore::Bucket => "bucket",
    };
    let (version, sum) = match &args.pin {
        Some((version, sum)) => (version.as_str(), sum.as_str()),
        None => (env!("CARGO_PKG_VERSION"), ""),
    };
    let ((path, template), fit, manual) = match ci {
        Ci::Github => (GITHUB, "github-comment", "this workflow"),
        Ci::Gitlab => (GITLAB, "gitlab", "a pipeline"),
    };
    let values = [
        ("@MANIFEST@", manifest),
        ("@VERSION@", version),
        ("@SHA256@", sum),
        ("@FILE@", path),
        ("@FIT@", fit),
        ("@MANUAL@", manual),
        ("@REPOSITORY@", env!("CARGO_PKG_REPOSITORY")),
    ];
    let text = lines_for(store, template, "");
    let values = values.iter();
    let text = values.fold(text, |text, (name, value)| text.replace(name, value));
    (path.to_owned(), text)
}

/// Returns the lines of a template, indented. A line `@cache LINE` is used only with the ledger
/// store `cache`. A line `@@NAME` is replaced by the part with this name.
fn lines_for(store: &str, template: &str, indent: &str) -> String {
    let mut text = String::new();
    for line in template.lines() {
        let marked = line.strip_prefix('@').filter(|it| !it.starts_with('@'));
        let line = match marked.map(|it| it.split_once(' ').unwrap_or((it, ""))) {
            Some((wanted, _)) if wanted != store => continue,
            Some((_, line)) => line,
            None => line,
        };
        let content = line.trim_start();
        let name = content.strip_prefix("@@");
        match name.and_then(|name| PARTS.iter().find(|part| part.0 == name)) {
            Some((_, part)) => {
                let within = line.strip_suffix(content).unwrap_or_default();
                text += &lines_for(store, part, &format!("{indent}{within}"));
            }
            None if line.is_empty() => text.push('\n'),
            None => text += &format!("{indent}{line}\n"),
        }
    }
    text
}

fn next_steps(args: &InitArgs, existing: Option<&str>) -> String {
    let steps = match existing {
        Some(name) => format!("kept the manifest `{name}`"),
        None => "next: edit rooms.yaml, then run `roomform plan --sandbox`, which needs no account"
            .to_owned(),
    };
    let mut ci_steps = match args.ci {
        None => return steps,
        Some(Ci::Github) => vec![
            "create the environments roomform-plan (secret IMBACHAT_SECRET_KEY) and roomform-apply (also IMBACHAT_LOGIN and IMBACHAT_PASSWORD), the second for the default branch only",
            "set the variable IMBACHAT_WIDGET",
        ],
        Some(Ci::Gitlab) => vec![
            "set the variables IMBACHAT_WIDGET and IMBACHAT_SECRET_KEY; set IMBACHAT_LOGIN and IMBACHAT_PASSWORD as protected variables of the environment roomform-apply",
            "set the protected variable ROOMFORM_TOKEN to a project access token with the scope api",
        ],
    };
    if args.ledger == LedgerStore::Bucket {
        ci_steps.push(
            "set ROOMFORM_LEDGER (as in s3://bucket/roomform/627.jsonl), AWS_REGION and the AWS keys",
        );
    }
    if args.pin.is_none() {
        ci_steps.push("set ROOMFORM_SHA256 in the file, or run this again with --pin and --force");
    }
    format!("{steps}\nfor CI: {}", ci_steps.join("; "))
}
