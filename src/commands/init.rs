//! `init`: writes a starter manifest with its schema, git settings, and CI files. If one file
//! cannot be written, it writes none. An existing manifest is kept.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Console;
use super::files::{PlannedFile, has_manifest, refuse_conflicting_paths, write_all};
use super::target::relative;
use crate::cli::{Ci, InitArgs, LedgerStore};
use crate::error::Result;
use crate::manifest;
use crate::render;
use crate::tables::files::{Disk, Files, resolve};

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
const GITLAB: (&str, &str) = (".gitlab/roomform.yml", include_str!("init/gitlab.yaml"));
/// GitLab reads only this file. It may exist, with other jobs in it.
const GITLAB_MAIN: &str = ".gitlab-ci.yml";
const GITLAB_INCLUDE: &str = "include: [{local: .gitlab/roomform.yml}]";
/// Parts that several templates or jobs use.
const PARTS: [(&str, &str); 9] = [
    ("github-comment", include_str!("init/github-comment.sh")),
    ("github-install", include_str!("init/github-install.yaml")),
    ("github-restore", include_str!("init/github-restore.yaml")),
    ("gitlab-api", include_str!("init/gitlab-api.sh")),
    ("gitlab-save", include_str!("init/gitlab-save.sh")),
    ("install", include_str!("init/install.sh")),
    ("restore", include_str!("init/restore.sh")),
    ("apply", include_str!("init/apply.sh")),
    ("save", include_str!("init/save.sh")),
];

pub fn run(args: &InitArgs, console: &mut Console) -> Result<()> {
    let home = args.directory.as_deref().unwrap_or(Path::new("."));
    let schema = render::json(&manifest::schema())?;
    let existing = existing_manifest(home);
    let schema_path = home.join("schema/manifest.schema.json");
    let mut files = vec![planned_file(schema_path, schema, args.force)];
    if existing.is_none() {
        let starter = planned_file(home.join("rooms.yaml"), STARTER.to_owned(), args.force);
        files.insert(0, starter);
    }
    let (top, directory) = find_top(home);
    let mut must_include = false;
    if let Some(ci) = args.ci {
        let manifest = directory.join(existing.unwrap_or("rooms.yaml"));
        let (path, text) = ci_file(ci, &Disk.display(&manifest), args);
        files.push(planned_file(top.join(path), text, args.force));
        if ci == Ci::Gitlab {
            let main = top.join(GITLAB_MAIN);
            match fs::read_to_string(&main) {
                Ok(text) => must_include = !text.contains(path),
                Err(_) => files.push(planned_file(main, format!("{GITLAB_INCLUDE}\n"), false)),
            }
        }
    }
    files.retain(|file| !file.is_done());
    refuse_conflicting_paths(&files, None)?;
    for (name, line) in GIT_LINES {
        files.extend(with_line(home.join(name), line)?);
    }
    write_all(&files, console)?;
    if files.is_empty() {
        console.print("everything exists already\n")?;
    }
    console.status(&next_steps(args, existing, must_include));
    Ok(())
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

/// Returns the top of the git work tree, where CI files go, and the path from there to a directory.
/// The directory may not exist yet. Without git, it is the top.
fn find_top(directory: &Path) -> (PathBuf, PathBuf) {
    let find = || {
        let real = resolve(&Path::new(".").join(directory));
        let top = Disk.work_tree(&real)?;
        let below = real.strip_prefix(&top).ok()?.to_owned();
        let shown = match directory.is_absolute() {
            true => top,
            false => relative(&top, &resolve(Path::new("."))),
        };
        (below != Path::new("")).then_some((shown, below))
    };
    find().unwrap_or_else(|| (directory.to_owned(), PathBuf::new()))
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
fn ci_file(ci: Ci, manifest: &str, args: &InitArgs) -> (&'static str, String) {
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
    // A JSON string is valid YAML.
    let manifest = serde_json::Value::from(manifest).to_string();
    let values = [
        ("@MANIFEST@", manifest.as_str()),
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
    (path, text)
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

fn next_steps(args: &InitArgs, existing: Option<&str>, must_include: bool) -> String {
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
            "set the protected variable ROOMFORM_TOKEN to a project access token with the role Developer and the scope api",
            "create a pipeline schedule, which looks for drift",
        ],
    };
    let include = format!("add `{GITLAB_INCLUDE}` to {GITLAB_MAIN}");
    if must_include {
        ci_steps.insert(0, &include);
    }
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
