//! As part of the normal tests, runs the fuzz corpora and earlier findings through the
//! functions that the fuzzers call.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use roomform::document::read_plan;

use crate::fuzz_entry;

/// Runs a function on every file of these directories. Returns the number of files.
fn each(directories: &[&str], entry: fn(&[u8])) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for directory in directories {
        let files = fs::read_dir(root.join(directory)).unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files.iter().filter(|file| file.is_file()) {
            let bytes = fs::read(file).unwrap();
            let ended = std::panic::catch_unwind(|| {
                entry(&bytes);
                // A killed run or a cut connection leaves a prefix of the input.
                let step = bytes.len() / 16 + 1;
                (0..bytes.len())
                    .step_by(step)
                    .for_each(|end| entry(&bytes[..end]));
            });
            assert!(ended.is_ok(), "{}", file.display());
            count += 1;
        }
    }
    count
}

#[test]
fn the_corpus_of_manifests() {
    let tests = [
        "tests/manifests/valid",
        "tests/manifests/invalid",
        "tests/manifests/warned",
    ];
    assert!(each(&["fuzz/corpus/manifest"], fuzz_entry::manifest) > 0);
    assert!(each(&tests, fuzz_entry::manifest) > 0);
}

#[test]
fn the_corpus_of_rosters() {
    assert!(each(&["fuzz/corpus/roster"], fuzz_entry::roster) > 3);
}

#[test]
fn the_corpus_of_list_answers() {
    assert!(each(&["fuzz/corpus/list", "tests/it/pages"], fuzz_entry::list) > 1);
}

#[test]
fn the_corpus_of_ledgers() {
    assert!(each(&["fuzz/corpus/ledger"], fuzz_entry::ledger) > 0);
}

#[test]
fn the_corpus_of_saved_plans() {
    assert!(each(&["fuzz/corpus/plan"], fuzz_entry::plan_file) > 0);
    // A seed that cannot be read would test nothing.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seed = fs::read_to_string(root.join("fuzz/corpus/plan/changes.json")).unwrap();
    read_plan(&seed).unwrap();
}

/// Inputs that fuzzing found to reach new code: a minimized set, one per line in Base64.
#[track_caller]
fn found(name: &str, entry: fn(&[u8])) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("fuzz/found").join(name)).unwrap();
    for (index, line) in text.lines().enumerate() {
        let bytes = STANDARD.decode(line).unwrap();
        let ended = std::panic::catch_unwind(|| entry(&bytes));
        assert!(ended.is_ok(), "{name}, line {}", index + 1);
    }
    assert!(text.lines().count() > 300, "{name} is cut short");
}

#[test]
fn manifests_found_by_fuzzing() {
    found("manifest.base64", fuzz_entry::manifest);
}

#[test]
fn rosters_found_by_fuzzing() {
    found("roster.base64", fuzz_entry::roster);
}

#[test]
fn list_answers_found_by_fuzzing() {
    found("list.base64", fuzz_entry::list);
}

#[test]
fn ledgers_found_by_fuzzing() {
    found("ledger.base64", fuzz_entry::ledger);
}
