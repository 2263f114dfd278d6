//! Allowed imports between modules: checks the import table of ARCHITECTURE.md against the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each module, and the modules it may use besides itself. `error` is only for errors that end a run; stages have their own
/// errors.
const TABLE: [(&str, &[&str]); 18] = [
    ("main", &["commands"]),
    (
        "commands",
        &[
            "apply", "cli", "config", "doctor", "document", "error", "imbachat", "ledger",
            "manifest", "model", "plan", "render", "sandbox", "tables", "view",
        ],
    ),
    ("library", &["manifest", "render"]),
    ("config", &["cli", "error", "model"]),
    ("cli", &[]),
    ("error", &[]),
    ("doctor", &["imbachat", "ledger", "manifest", "model"]),
    (
        "document",
        &[
            "apply", "doctor", "error", "manifest", "model", "plan", "view",
        ],
    ),
    (
        "render",
        &[
            "apply", "doctor", "error", "manifest", "model", "plan", "view",
        ],
    ),
    ("view", &["apply", "manifest", "model", "plan"]),
    ("apply", &["imbachat", "ledger", "model", "plan"]),
    ("plan", &["model"]),
    ("manifest", &["model", "tables"]),
    ("tables", &["model"]),
    ("imbachat", &["model"]),
    ("ledger", &["model"]),
    ("sandbox", &[]),
    ("model", &[]),
];

/// Libraries and parts of std that a module must not name, whatever path leads to them.
const NEVER: [(&str, &[&str]); 9] = [
    // `document` serializes the doctor's findings, in a versioned form.
    ("doctor", &["serde"]),
    (
        "view",
        &[
            "std::fs",
            "std::net",
            "std::env",
            "std::time",
            "tokio",
            "jiff",
            "serde",
            "tracing",
            "async ",
        ],
    ),
    (
        "plan",
        &[
            "std::fs",
            "std::net",
            "std::env",
            "std::time",
            "tokio",
            "reqwest",
            "jiff",
            "tracing",
            "async ",
        ],
    ),
    (
        "model",
        &[
            "std::fs",
            "std::net",
            "std::env",
            "std::time",
            "tokio",
            "reqwest",
            "::now(",
            "serde",
            "tracing",
            "async ",
        ],
    ),
    (
        "manifest",
        &["std::net", "std::env", "tokio", "reqwest", "jiff", "async "],
    ),
    (
        "tables",
        &["std::net", "std::env", "tokio", "reqwest", "jiff", "async "],
    ),
    (
        "apply",
        &[
            "println!",
            "print!",
            "eprintln!",
            "std::io",
            "std::fs",
            "std::env",
        ],
    ),
    ("imbachat", &["std::env", "std::fs"]),
    ("render", &["std::env", "std::fs", "std::net", "tokio"]),
];

#[test]
fn every_import_is_in_the_table() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> = TABLE
        .iter()
        .map(|(module, others)| (*module, others.iter().copied().collect()))
        .collect();
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        let allowed_modules = allowed
            .get(module.as_str())
            .unwrap_or_else(|| panic!("{module} is not in the table"));
        for used in used(&text).into_iter().filter(|used| *used != module) {
            assert!(
                allowed.contains_key(used.as_str()),
                "{}: `{used}` is not in the table",
                path.display()
            );
            if !allowed_modules.contains(used.as_str()) {
                wrong.push(format!("{}: {module} must not use {used}", path.display()));
            }
        }
        seen.insert(module);
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(
        seen.len(),
        TABLE.len(),
        "the table lists a module that no longer exists: {seen:?}"
    );
}

#[test]
fn the_import_table_matches_the_architecture_page() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (module, others) in TABLE {
        let row = format!(
            "| `{module}` | {} |",
            if others.is_empty() {
                "no other module".to_owned()
            } else {
                others.join(", ")
            }
        );
        assert!(page.contains(&row), "ARCHITECTURE.md lacks the row\n{row}");
    }
}

#[test]
fn every_file_is_in_the_code_map() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, page) = page.split_once("## Code map").unwrap();
    let (map, _) = page.split_once("## Allowed imports").unwrap();
    let mut missing = Vec::new();
    for (module, path, _) in sources() {
        let stem = path.file_stem().unwrap().to_string_lossy();
        let row = format!("| `src/{module}/`");
        let is_named = map
            .lines()
            .filter(|line| path.components().count() == 1 || line.starts_with(&row))
            .any(|line| {
                let name = |start: &str, end: &str| line.contains(&format!("`{start}{stem}{end}`"));
                name("", "") || name("", ".rs") || name("src/", ".rs")
            });
        if !is_named && stem != "mod" && !stem.ends_with("_tests") {
            missing.push(path.display().to_string());
        }
    }
    missing.sort();
    assert_eq!(
        missing,
        Vec::<String>::new(),
        "name each in the code map of ARCHITECTURE.md, in the row of its directory"
    );
}

#[test]
fn pure_modules_do_no_io_and_only_config_reads_the_environment() {
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        let code: String = code(&text);
        let never = NEVER
            .iter()
            .filter(|(of, _)| *of == module)
            .flat_map(|(_, words)| words.iter());
        wrong.extend(
            never
                .filter(|word| code.contains(**word))
                .map(|word| format!("{}: {word}", path.display())),
        );
        let environment = ["env::var", "env::vars", "var_os("];
        let reads = environment.iter().any(|word| code.contains(word));
        if reads && module != "config" {
            wrong.push(format!("{}: reads the environment", path.display()));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn only_apply_and_the_write_probe_get_write_access() {
    let asking = |word: &str| -> Vec<String> {
        let found = sources()
            .into_iter()
            .filter(|(module, _, text)| module == "commands" && names(&code(text), word));
        let mut files: Vec<String> = found
            .map(|(_, path, _)| path.display().to_string())
            .collect();
        files.sort();
        files
    };
    let [apply, doctor, target] =
        ["apply", "doctor", "target"].map(|name| format!("commands/{name}.rs"));
    assert_eq!(
        asking("write_auth"),
        [apply, doctor.clone(), target.clone()]
    );
    // Each `Writer` gets its credentials from `write_auth`.
    assert_eq!(asking("WriteAuth"), ["commands/apply_run.rs", &target]);
    assert_eq!(asking("Writer::new"), ["commands/apply_run.rs", &doctor]);
    // Sending messages is a separate capability, which cannot change rooms.
    assert_eq!(asking("send_key"), ["commands/send.rs", &target]);
    assert_eq!(asking("Sender::new"), ["commands/send.rs"]);
}

#[test]
fn no_file_has_more_than_450_lines() {
    let long: Vec<String> = sources()
        .into_iter()
        .map(|(_, path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > 450)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn each_io_library_is_used_in_one_module_only() {
    let naming = |word: &str| -> Vec<String> {
        let found = sources()
            .into_iter()
            .filter(|(_, _, text)| code(text).contains(word));
        found
            .map(|(_, path, _)| path.display().to_string())
            .collect()
    };
    assert_eq!(naming("granit_parser"), ["manifest/yaml.rs"]);
    assert_eq!(naming("Subscriber"), ["commands/log.rs"]);
    assert!(
        naming("object_store")
            .iter()
            .all(|path| path.starts_with("ledger/bucket/")),
        "{:?}",
        naming("object_store")
    );
    assert!(
        naming("reqwest")
            .iter()
            .all(|path| path.starts_with("imbachat/")),
        "{:?}",
        naming("reqwest")
    );
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file: its module, its path below `src`, its text.
fn sources() -> Vec<(String, PathBuf, String)> {
    let src = root().join("src");
    let mut found = Vec::new();
    collect(&src, &src, &mut found);
    assert!(found.len() > 50, "the sources were not found");
    found
}

fn collect(src: &Path, directory: &Path, found: &mut Vec<(String, PathBuf, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let below = path.strip_prefix(src).unwrap().to_owned();
        if path.is_dir() {
            collect(src, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !below.ends_with("lib.rs")
        {
            let first = below
                .components()
                .next()
                .unwrap()
                .as_os_str()
                .to_string_lossy()
                .into_owned();
            found.push((
                first.trim_end_matches(".rs").to_owned(),
                below,
                fs::read_to_string(&path).unwrap(),
            ));
        }
    }
}

/// The modules that code names through `crate::` or the crate's name, alone or in braces.
fn used(text: &str) -> BTreeSet<String> {
    let code = code(text);
    let mut found = BTreeSet::new();
    for start in ["crate::", "roomform::"] {
        for (at, _) in code.match_indices(start) {
            let rest = &code[at + start.len()..];
            assert!(
                !rest.starts_with('{'),
                "a grouped import hides its modules: {}",
                rest.lines().next().unwrap()
            );
            let word: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            found.insert(word);
        }
    }
    found
}

/// Whether code contains this name at the start of a word: `Writer` is not found in
/// `BufWriter::new`.
fn names(code: &str, word: &str) -> bool {
    let in_a_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = code.match_indices(word);
    found.any(|(at, _)| !code[..at].ends_with(in_a_word))
}

/// The text without comments. A `//` inside a literal hides the rest of its line; no import shares such a line.
fn code(text: &str) -> String {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}
