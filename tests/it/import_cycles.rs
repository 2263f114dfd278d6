//! No files in `src` or `tests/it` import each other, directly or indirectly. If a file imports a
//! name that its `mod.rs` imports or re-exports, this counts as an import from the file that defines
//! the name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

type Module = Vec<String>;

#[test]
fn no_files_import_each_other() {
    for root in ["src", "tests/it"] {
        let mut modules = BTreeMap::new();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
        collect(&root, &mut Vec::new(), &mut modules);
        assert!(modules.len() > 50, "the sources were not found");
        assert_eq!(in_cycles(&modules), Vec::<String>::new());
    }
}

#[test]
fn a_cycle_through_an_import_of_the_parent_is_found() {
    let module = |path: &str| -> Module { path.split('/').map(str::to_owned).collect() };
    for parent in [
        "pub use two::{Other, Thing as Name};",
        "use two::Other;",
        "use crate::a::two::Thing as Other;",
    ] {
        let modules = BTreeMap::from([
            (module("a"), format!("mod one;\nmod two;\n{parent}\n")),
            (module("a/one"), "use super::Other;\n".to_owned()),
            (module("a/two"), "use crate::a::one::One;\n".to_owned()),
            (module("b"), "use crate::a::Other;\n".to_owned()),
        ]);
        assert_eq!(in_cycles(&modules), ["a/one", "a/two"], "{parent}");
    }
}

fn collect(directory: &Path, module: &mut Module, modules: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        module.push(stem.clone());
        if path.is_dir() {
            collect(&path, module, modules);
        } else if path.extension().is_some_and(|it| it == "rs") && !stem.ends_with("_tests") {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("\n#[cfg(test)]").next().unwrap().to_owned();
            let own = if stem == "mod" {
                &module[..module.len() - 1]
            } else {
                &module[..]
            };
            modules.insert(own.to_vec(), without_comments(&text));
        }
        module.pop();
    }
}

fn without_comments(text: &str) -> String {
    let lines = text.lines();
    let code = lines.map(|line| line.split("//").next().unwrap_or_default());
    code.collect::<Vec<_>>().join("\n")
}

/// The files that are part of an import cycle.
fn in_cycles(modules: &BTreeMap<Module, String>) -> Vec<String> {
    // For each name that a module imports, the module that defines it, and its name there.
    let mut imports = BTreeMap::new();
    for (module, code) in modules {
        for Import { path, name } in imports_of(code) {
            if let Some((target, rest)) = resolve(module, &path, modules)
                && let [original] = rest.as_slice()
                && target != *module
            {
                imports.insert((module.clone(), name), (target, original.clone()));
            }
        }
    }
    let mut uses: BTreeMap<&Module, BTreeSet<Module>> = BTreeMap::new();
    for (module, code) in modules {
        for path in used_paths(code) {
            let Some((mut target, rest)) = resolve(module, &path, modules) else {
                continue;
            };
            if let Some(name) = rest.first() {
                let (mut item, mut seen) = ((target, name.clone()), BTreeSet::new());
                while seen.insert(item.clone())
                    && let Some(imported) = imports.get(&item)
                {
                    item.clone_from(imported);
                }
                target = item.0;
            }
            if target != *module && modules.contains_key(&target) {
                uses.entry(module).or_default().insert(target);
            }
        }
    }
    let is_file = |module: &Module| {
        let mut others = modules.keys();
        !others.any(|other| other != module && other.starts_with(module))
    };
    let files = modules.keys().filter(|module| is_file(module));
    let leads_back = |start: &&Module| {
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![*start]);
        while let Some(module) = waiting.pop() {
            for next in uses.get(module).into_iter().flatten() {
                if next == *start {
                    return true;
                }
                if is_file(next) && seen.insert(next) {
                    waiting.push(next);
                }
            }
        }
        false
    };
    files
        .filter(leads_back)
        .map(|module| module.join("/"))
        .collect()
}

struct Import {
    path: Module,
    /// The name of the item in the module that imports it.
    name: String,
}

/// What code imports, and what it re-exports.
fn imports_of(code: &str) -> Vec<Import> {
    let mut imports = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let before = code[..at].rsplit('\n').next().unwrap_or_default().trim();
        if before.is_empty() || before.starts_with("pub") {
            let tree = code[at + 4..].split(';').next().unwrap_or_default();
            expand(tree, &[], &mut imports);
        }
    }
    imports
}

/// The paths that code imports, or uses through `super`, `self` or `crate`.
fn used_paths(code: &str) -> Vec<Module> {
    let imports = imports_of(code).into_iter();
    let mut paths: Vec<Module> = imports.map(|import| import.path).collect();
    for start in ["super::", "self::", "crate::"] {
        for (at, _) in code.match_indices(start) {
            let in_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            let path: String = code[at..].chars().take_while(|c| in_path(*c)).collect();
            paths.push(path.split("::").map(str::to_owned).collect());
        }
    }
    paths
}

fn expand(tree: &str, prefix: &[String], imports: &mut Vec<Import>) {
    let (mut depth, mut from) = (0_usize, 0);
    let mut items = Vec::new();
    for (at, c) in tree.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                items.push(&tree[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    items.push(&tree[from..]);
    for item in items.into_iter().map(str::trim).filter(|it| !it.is_empty()) {
        let (head, group) = match item.split_once('{') {
            Some((head, rest)) => (head, rest.rsplit_once('}').map(|(group, _)| group)),
            None => (item, None),
        };
        let (head, alias) = match head.split_once(" as ") {
            Some((head, alias)) => (head, Some(alias)),
            None => (head, None),
        };
        let parts = head.split("::").map(str::trim).filter(|it| !it.is_empty());
        let path: Module = prefix
            .iter()
            .cloned()
            .chain(parts.map(str::to_owned))
            .collect();
        match group {
            Some(group) => expand(group, &path, imports),
            None => {
                let name = alias
                    .or(path.last().map(String::as_str))
                    .unwrap_or_default();
                imports.push(Import {
                    name: name.to_owned(),
                    path,
                });
            }
        }
    }
}

/// The module that a path resolves to, and the rest of the path.
fn resolve(
    module: &Module,
    path: &[String],
    modules: &BTreeMap<Module, String>,
) -> Option<(Module, Module)> {
    let mut rest = path;
    let mut target = match path.first()?.as_str() {
        "crate" => {
            rest = &rest[1..];
            Vec::new()
        }
        "self" => {
            rest = &rest[1..];
            module.clone()
        }
        "super" => {
            let mut target = module.clone();
            while rest.first().is_some_and(|part| part == "super") {
                target.pop();
                rest = &rest[1..];
            }
            target
        }
        first => {
            let child = [module.as_slice(), &[first.to_owned()]].concat();
            modules.contains_key(&child).then(|| module.clone())?
        }
    };
    while let Some(part) = rest.first() {
        target.push(part.clone());
        if !modules.contains_key(&target) {
            target.pop();
            break;
        }
        rest = &rest[1..];
    }
    Some((target, rest.to_vec()))
}
