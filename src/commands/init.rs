//! `init`: writes a starter manifest with its schema, git settings, and CI files: all of them or none.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Console;
use super::files::{PlannedFile, refuse_conflicting_paths, write_all};
use crate::cli::{Ci, InitArgs, LedgerStore};
use crate::error::{Exit, Result};
use crate::manifest;
use crate::render;

const STARTER: &str = include_str!("init/rooms.yaml");
/// Lines added to git's own files: the sandbox stays private, and the ledgers of two branches that both applied are merged line by
/// line.
const GIT_LINES: [(&str, &str); 2] = [
    (".gitignore", ".roomform/sandbox*"),
    (".gitattributes", ".roomform/*.jsonl merge=union"),
];
const GITHUB: [(&str, &str); 4] = [
    ("check", include_str!("init/github/check.yaml")),
    ("plan", include_str!("init/github/plan.yaml")),
    ("apply", include_str!("init/github/apply.yaml")),
    ("drift", include_str!("init/github/drift.yaml")),
];
const GITHUB_INSTALL: &str = include_str!("init/github/install.yaml");
const GITLAB: &str = include_str!("init/gitlab/pipeline.yaml");

pub fn run(args: &InitArgs, console: &mut Console) -> Result<Exit> {
    let home = args.directory.as_deref().unwrap_or(Path::new("."));
    let schema = render::json(&manifest::schema())?;
    let mut texts = vec![
        ("rooms.yaml".to_owned(), STARTER.to_owned()),
        ("schema/manifest.schema.json".to_owned(), schema),
    ];
    if let Some(ci) = args.ci {
        texts.extend(ci_files(ci, args.ledger, args.source.as_deref()));
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
    console.status(&next_steps(args));
    Ok(Exit::Done)
}

fn planned_file(path: PathBuf, text: String, replaces: bool) -> PlannedFile {
    PlannedFile {
        message: format!("wrote {}\n", path.display()),
        path,
        text,
        replaces,
    }
}

/// The file with this line added. `None` if it already has the line.
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

/// Paths and contents: the templates, filled with the ledger store, and the program's source and version.
fn ci_files(ci: Ci, store: LedgerStore, source: Option<&str>) -> Vec<(String, String)> {
    let parts = match (ci, store) {
        (Ci::Github, LedgerStore::Cache) => include_str!("init/github/cache.yaml"),
        (Ci::Github, LedgerStore::Branch) => include_str!("init/github/branch.yaml"),
        (Ci::Github, LedgerStore::Bucket) => include_str!("init/github/bucket.yaml"),
        (Ci::Gitlab, LedgerStore::Cache) => include_str!("init/gitlab/cache.yaml"),
        (Ci::Gitlab, LedgerStore::Branch) => include_str!("init/gitlab/branch.yaml"),
        (Ci::Gitlab, LedgerStore::Bucket) => include_str!("init/gitlab/bucket.yaml"),
    };
    let names: &[&str] = match ci {
        Ci::Github => &["@RESTORE@\n", "@SAVE@\n"],
        Ci::Gitlab => &["@READ@\n", "@WRITE@\n", "@RESTORE@\n", "@SAVE@\n"],
    };
    let contents = match store {
        LedgerStore::Branch => "write # the ledger's branch",
        LedgerStore::Cache | LedgerStore::Bucket => "read",
    };
    let values = [
        ("@INSTALL@\n", GITHUB_INSTALL),
        ("@CONTENTS@", contents),
        ("@VERSION@", env!("CARGO_PKG_VERSION")),
        ("@SOURCE@", source.unwrap_or_default()),
    ];
    let fill = |template: &str| {
        let parts = names.iter().copied().zip(parts.split("---\n"));
        let values = parts.chain(values);
        values.fold(template.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        })
    };
    match ci {
        Ci::Github => Vec::from(GITHUB.map(|(name, template)| {
            let path = format!(".github/workflows/roomform-{name}.yaml");
            (path, fill(template))
        })),
        Ci::Gitlab => vec![(".gitlab-ci.yml".to_owned(), fill(GITLAB))],
    }
}

fn next_steps(args: &InitArgs) -> String {
    let steps = "next: edit rooms.yaml, then run `roomform plan --sandbox`, which needs no account";
    let mut ci_steps = match args.ci {
        None => return steps.to_owned(),
        Some(Ci::Github) => vec![
            "create the environments roomform-plan (secret IMBACHAT_SECRET_KEY) and roomform-apply (also IMBACHAT_LOGIN and IMBACHAT_PASSWORD)",
            "set the variable IMBACHAT_WIDGET",
        ],
        Some(Ci::Gitlab) => vec![
            "set the variables IMBACHAT_WIDGET, IMBACHAT_SECRET_KEY and, for the environment roomform-apply, IMBACHAT_LOGIN and IMBACHAT_PASSWORD",
            "set ROOMFORM_TOKEN to a project access token with the scope api",
        ],
    };
    if args.ledger == LedgerStore::Bucket {
        ci_steps.push(
            "set ROOMFORM_LEDGER_BUCKET (as in s3://bucket/roomform), AWS_REGION and the AWS keys",
        );
    }
    if args.source.is_none() {
        ci_steps
            .push("set ROOMFORM_SOURCE in the files to the address of roomform's git repository");
    }
    format!("{steps}\nfor the CI: {}", ci_steps.join("; "))
}
