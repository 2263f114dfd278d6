//! The files of a CI: texts with places that the ledger's store, the program's source and version are put in.

use crate::cli::{Ci, LedgerStore};

const VERSION: &str = env!("CARGO_PKG_VERSION");

const GITHUB: [(&str, &str); 4] = [
    (
        ".github/workflows/roomform-check.yaml",
        include_str!("github/check.yaml"),
    ),
    (
        ".github/workflows/roomform-plan.yaml",
        include_str!("github/plan.yaml"),
    ),
    (
        ".github/workflows/roomform-apply.yaml",
        include_str!("github/apply.yaml"),
    ),
    (
        ".github/workflows/roomform-drift.yaml",
        include_str!("github/drift.yaml"),
    ),
];
const GITHUB_INSTALL: &str = include_str!("github/install.yaml");
const GITLAB: (&str, &str) = (".gitlab-ci.yml", include_str!("gitlab/pipeline.yaml"));

/// Paths and texts.
pub(super) fn files(
    ci: Ci,
    store: LedgerStore,
    source: Option<&str>,
) -> Vec<(&'static str, String)> {
    let texts: Vec<(&'static str, &'static str)> = match ci {
        Ci::Github => GITHUB.to_vec(),
        Ci::Gitlab => vec![GITLAB],
    };
    let filled = |text: &str| {
        filled(text, ci, store)
            .replace("@SOURCE@", source.unwrap_or_default())
            .replace("@VERSION@", VERSION)
    };
    texts
        .into_iter()
        .map(|(path, text)| (path, filled(text)))
        .collect()
}

/// A text with the parts of its store in the lines that name them.
fn filled(text: &str, ci: Ci, store: LedgerStore) -> String {
    let parts = parts(ci, store);
    let contents = if store == LedgerStore::Branch {
        "write # the ledger's branch"
    } else {
        "read"
    };
    let mut filled = String::with_capacity(text.len() * 2);
    for line in text.lines() {
        match parts.iter().find(|(name, _)| line.trim() == *name) {
            Some((_, part)) => filled.push_str(part),
            None => {
                filled.push_str(&line.replace("@CONTENTS@", contents));
                filled.push('\n');
            }
        }
    }
    filled
}

fn parts(ci: Ci, store: LedgerStore) -> Vec<(&'static str, &'static str)> {
    let text = match (ci, store) {
        (Ci::Github, LedgerStore::Cache) => include_str!("github/cache.yaml"),
        (Ci::Github, LedgerStore::Branch) => include_str!("github/branch.yaml"),
        (Ci::Github, LedgerStore::Bucket) => include_str!("github/bucket.yaml"),
        (Ci::Gitlab, LedgerStore::Cache) => include_str!("gitlab/cache.yaml"),
        (Ci::Gitlab, LedgerStore::Branch) => include_str!("gitlab/branch.yaml"),
        (Ci::Gitlab, LedgerStore::Bucket) => include_str!("gitlab/bucket.yaml"),
    };
    let pieces = text.split("---\n");
    match ci {
        Ci::Github => ["@RESTORE@", "@SAVE@"]
            .into_iter()
            .zip(pieces)
            .chain([("@INSTALL@", GITHUB_INSTALL)])
            .collect(),
        Ci::Gitlab => ["@READ@", "@WRITE@", "@RESTORE@", "@SAVE@"]
            .into_iter()
            .zip(pieces)
            .collect(),
    }
}

/// What has to be set up in the CI before the files work.
pub(super) fn needs(ci: Ci, store: LedgerStore, has_source: bool) -> String {
    let mut needs = match ci {
        Ci::Github => vec![
            "make the environments roomform-plan (secret IMBACHAT_SECRET_KEY) and roomform-apply (that, IMBACHAT_LOGIN and IMBACHAT_PASSWORD)",
            "set the variable IMBACHAT_WIDGET",
        ],
        Ci::Gitlab => vec![
            "set the variables IMBACHAT_WIDGET, IMBACHAT_SECRET_KEY and, for the environment roomform-apply, IMBACHAT_LOGIN and IMBACHAT_PASSWORD",
            "set ROOMFORM_TOKEN to a project access token with the scope api",
        ],
    };
    if store == LedgerStore::Bucket {
        needs.push(
            "set ROOMFORM_LEDGER_BUCKET (as in s3://bucket/roomform), AWS_REGION and the AWS keys",
        );
    }
    if !has_source {
        needs.push("say in ROOMFORM_SOURCE of the files where the git repository of roomform lies");
    }
    needs.join("; ")
}
