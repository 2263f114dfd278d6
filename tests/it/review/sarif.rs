//! `check --format sarif` against the published schema.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Scene, Shows};

fn schema() -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sarif/sarif-schema-2.1.0.json");
    let text = fs::read_to_string(path).unwrap();
    // The published schema has an invalid regular expression for languages: a bracket is closed but never opened.
    let (wrong, fixed) = ("-[a-zA-Z]{2}]?$", "-[a-zA-Z]{2}\\\\]?$");
    assert_eq!(text.matches(wrong).count(), 2);
    let schema: Value = serde_json::from_str(&text.replace(wrong, fixed)).unwrap();
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap()
}

/// Validates a log against the schema.
#[track_caller]
pub fn valid(log: &Value) {
    let errors: Vec<String> = schema()
        .iter_errors(log)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn sarif_of_the_whole_corpus_matches_the_schema() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests");
    let (mut logs, mut found) = (0, 0);
    for part in ["invalid", "warned", "valid"] {
        let scene = Scene::new();
        for entry in fs::read_dir(corpus.join(part)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "txt") {
                continue;
            }
            let ran = scene.run(["check", "--format", "sarif", "-f", path.to_str().unwrap()]);
            assert_eq!(ran.err, "", "{}", path.display());
            let log = ran.json();
            valid(&log);
            logs += 1;
            found += log["runs"][0]["results"].as_array().unwrap().len();
            assert_eq!(ran.code, if part == "invalid" { 3 } else { 0 });
        }
    }
    assert!(logs > 80 && found > 200, "{logs} logs, {found} findings");
}

#[test]
fn a_finding_has_rule_place_and_related_place() {
    let scene = Scene::new();
    let file = "rooms/Über uns.yaml";
    let room = "  - {pipe: team-a, title: A}\n";
    scene.write(
        file,
        format!("version: 1\nrooms:\n{room}  - {{title: Жж, pipe: team-a}}\n"),
    );
    let ran = scene.run("check --format sarif");
    assert_eq!((ran.code, ran.err.as_str()), (3, ""));
    let log = ran.json();
    valid(&log);
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let finding = &run["results"][0];
    let place = |line, column| {
        json!({
            "artifactLocation": {"uri": "rooms/%C3%9Cber%20uns.yaml", "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": line, "startColumn": column},
        })
    };
    assert_eq!(finding["ruleId"], "E012");
    assert_eq!(finding["level"], "error");
    assert_eq!(
        finding["locations"],
        json!([{"physicalLocation": place(4, 23)}])
    );
    assert_eq!(
        finding["relatedLocations"],
        json!([{"physicalLocation": place(3, 12), "message": {"text": "first here"}}])
    );
    let rule = finding["ruleIndex"].as_u64().unwrap() as usize;
    assert_eq!(
        run["tool"]["driver"]["rules"][rule]["name"],
        "duplicate-pipe"
    );
}

#[test]
fn the_schema_check_rejects_invalid_sarif() {
    let log = json!({"version": "2.1.0", "runs": [{"tool": {}, "results": []}]});
    assert!(schema().iter_errors(&log).next().is_some());
}

#[test]
fn missing_and_absolute_paths_are_valid_sarif() {
    let scene = Scene::new();
    let log = scene.run("check --format sarif").json();
    valid(&log);
    let place =
        |log: &Value| log["runs"][0]["results"][0]["locations"][0]["physicalLocation"].clone();
    assert_eq!(
        place(&log),
        json!({"artifactLocation": {"uri": "rooms.yaml", "uriBaseId": "%SRCROOT%"}})
    );
    let path = scene.write("room s.yaml", "version: 2\n");
    let log = scene
        .run(["check", "--format", "sarif", "-f", path.to_str().unwrap()])
        .json();
    valid(&log);
    let uri = place(&log)["artifactLocation"]["uri"]
        .as_str()
        .unwrap()
        .to_owned();
    uri.begins("file:///").ends("/room%20s.yaml");
}
