//! The manifests in `tests/manifests`: read by the program and by another YAML library, and
//! checked against the JSON Schema.
//!
//! Manifests in `valid/` and `warned/` are usable, manifests in `invalid/` are not. In
//! `warned/` and `invalid/`, a text file beside each manifest has the output of `check`.
//! `ROOMFORM_BLESS=1 cargo test --test it manifests` rewrites these text files; review the diff
//! before you commit it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use roomform::manifest::{Loaded, Options, load, load_text, schema};
use roomform::model::{Desired, DesiredRoom, FileId, Place};
use serde_json::{Value, json};

use crate::support::{Args, Ran, Scene, Shows, committed_schema, validator};

fn corpus(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/manifests")
        .join(part)
}

/// The manifests in `valid`, `warned` or `invalid`: files and directories.
fn manifests(part: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(corpus(part)).unwrap();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none_or(|extension| extension != "txt"))
        .collect();
    found.sort();
    assert!(found.len() > 3, "{found:?}");
    found
}

/// The YAML and JSON files of a manifest, without hidden ones.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() || has_extension(path, &["yaml", "yml"]))
        .filter(|path| !name(path).starts_with('.'))
        .flat_map(|path| files(&path))
        .collect();
    found.sort();
    found
}

/// All files of a manifest: the file itself, or all files in the manifest's directory.
fn all_files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap();
    let mut found: Vec<PathBuf> = entries
        .flat_map(|entry| all_files(&entry.unwrap().path()))
        .collect();
    found.sort();
    found
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    extensions
        .iter()
        .any(|extension| path.extension().is_some_and(|found| found == *extension))
}

/// A file as `serde_yaml` or `serde_json` reads it, in the data model of JSON Schema. `None` if
/// the file is not valid.
fn read_by_others(path: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).unwrap();
    if has_extension(path, &["json"]) {
        return serde_json::from_str(&text).ok();
    }
    // `serde_yaml` reads a byte order mark as part of the first key, but YAML 1.2 (5.2) allows
    // a file to start with one.
    let text = text.trim_start_matches('\u{feff}');
    let value: serde_yaml::Value = serde_yaml::from_str(text).ok()?;
    Some(as_json(&value))
}

fn as_json(value: &serde_yaml::Value) -> Value {
    match value {
        serde_yaml::Value::Sequence(items) => items.iter().map(as_json).collect(),
        serde_yaml::Value::Mapping(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| {
                let key = match as_json(key) {
                    Value::String(key) => key,
                    other => other.to_string(),
                };
                (key, as_json(value))
            });
            Value::Object(pairs.collect())
        }
        serde_yaml::Value::Tagged(tagged) => as_json(&tagged.value),
        scalar => serde_json::to_value(scalar).unwrap(),
    }
}

fn read(path: &Path) -> Loaded {
    load(&[path.to_owned()], Options::default())
}

/// Runs `check` on a copy of a manifest, so that the output contains the manifest's name, not
/// its path.
fn check(path: &Path, more: &[&str]) -> Ran {
    let scene = Scene::new();
    for file in all_files(path) {
        let below = file.strip_prefix(path.parent().unwrap()).unwrap();
        scene.write(below.to_str().unwrap(), fs::read(&file).unwrap());
    }
    scene.run([&["check", "-f", name(path)], more].concat())
}

#[test]
fn valid_manifests_pass_the_parser_and_the_schema() {
    let schema = validator("manifest");
    for path in manifests("valid") {
        let loaded = read(&path);
        assert_eq!(loaded.diagnostics, [], "{}", path.display());
        assert!(!loaded.desired.rooms.is_empty(), "{}", path.display());
        for file in files(&path) {
            let instance = read_by_others(&file).unwrap();
            let errors: Vec<String> = schema
                .iter_errors(&instance)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert_eq!(errors, Vec::<String>::new(), "{}", file.display());
        }
    }
}

#[test]
fn check_prints_the_expected_text_beside_each_manifest() {
    let bless = std::env::var_os("ROOMFORM_BLESS").is_some();
    let mut wrong = Vec::new();
    for (part, code) in [("invalid", 3), ("warned", 0)] {
        let mut expectations: BTreeSet<PathBuf> = fs::read_dir(corpus(part))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| has_extension(path, &["txt"]))
            .collect();
        for path in manifests(part) {
            let ran = check(&path, &[]);
            assert_eq!(ran.code, code, "{}: {ran:#?}", path.display());
            assert_eq!(
                ran.out.is_empty(),
                code == 3,
                "{}: {ran:#?}",
                path.display()
            );
            let beside = path.with_extension("txt");
            if bless {
                fs::write(&beside, &ran.err).unwrap();
            }
            let expected = fs::read_to_string(&beside).unwrap_or_default();
            if expected != ran.err {
                wrong.push(format!("{}\n{}", path.display(), ran.err));
            }
            expectations.remove(&beside);
        }
        assert_eq!(expectations, BTreeSet::new(), "they belong to no manifest");
    }
    assert!(
        wrong.is_empty(),
        "other than expected (write again with ROOMFORM_BLESS=1, then read the difference):\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_first_line_of_each_invalid_file_says_whether_the_schema_finds_the_error() {
    let schema = validator("manifest");
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for file in manifests("invalid").iter().flat_map(|path| files(path)) {
        let verdict = match read_by_others(&file) {
            None => "cannot parse",
            Some(instance) if schema.is_valid(&instance) => "accepts",
            Some(_) => "rejects",
        };
        let text = fs::read_to_string(&file).unwrap();
        let first = text.trim_start_matches('\u{feff}').lines().next().unwrap();
        if first != format!("# schema: {verdict}") {
            wrong.push(format!("{}: {first}, but it {verdict}", file.display()));
        }
        seen.insert(verdict);
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(seen.len(), 3, "the corpus has files of each kind: {seen:?}");
}

#[test]
fn the_committed_schema_is_the_printed_one() {
    let printed = Scene::new().run("schema manifest").ok();
    assert_eq!(
        committed_schema("manifest"),
        printed,
        "write it again: roomform schema manifest > schema/manifest.schema.json"
    );
    assert_eq!(schema(), serde_json::from_str::<Value>(&printed).unwrap());
}

/// Title, type, visibility and members of each pipe.
type Rooms = BTreeMap<String, (String, i64, bool, Vec<u64>)>;

/// The rooms in `documents`, computed without roomform's code. Another library has parsed the
/// documents.
fn rooms_by_others(documents: &[Value]) -> Rooms {
    let collect = |key: &str| -> BTreeMap<String, Value> {
        let maps = documents
            .iter()
            .filter_map(|document| document[key].as_object());
        maps.flatten()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    let (people, groups) = (collect("people"), collect("groups"));
    let mut rooms = Rooms::new();
    for document in documents {
        for room in document["rooms"].as_array().into_iter().flatten() {
            let or_default = |key: &str| match &room[key] {
                Value::Null => &document["defaults"][key],
                value => value,
            };
            let kind = match or_default("type") {
                Value::Null => 1,
                Value::String(word) if word == "dialog" => 0,
                Value::String(word) if word == "conference" => 1,
                Value::String(word) if word == "support" => 3,
                number => number.as_i64().unwrap(),
            };
            let mut members = BTreeSet::new();
            expand(&room["members"], &people, &groups, &mut members);
            let mut excluded = BTreeSet::new();
            expand(&room["exclude"], &people, &groups, &mut excluded);
            let text = |key: &str| room[key].as_str().unwrap().to_owned();
            let public = or_default("public").as_bool().unwrap_or(false);
            let members = members.difference(&excluded).copied().collect();
            rooms.insert(text("pipe"), (text("title"), kind, public, members));
        }
    }
    rooms
}

fn expand(
    list: &Value,
    people: &BTreeMap<String, Value>,
    groups: &BTreeMap<String, Value>,
    ids: &mut BTreeSet<u64>,
) {
    for member in list.as_array().into_iter().flatten() {
        match member.as_str() {
            None => drop(ids.insert(member.as_u64().unwrap())),
            Some(name) => match name.strip_prefix('@') {
                Some(group) => expand(&groups[group], people, groups, ids),
                None => drop(ids.insert(people[name].as_u64().unwrap())),
            },
        }
    }
}

fn rooms(desired: &Desired) -> Rooms {
    let members = |room: &DesiredRoom| room.members.iter().map(|user| user.0).collect();
    let rooms = desired.rooms.values().map(|room| {
        let state = &room.state;
        let seen = (
            state.title.clone(),
            state.kind.number(),
            state.public,
            members(room),
        );
        (room.pipe.as_str().to_owned(), seen)
    });
    rooms.collect()
}

#[test]
fn another_yaml_library_reads_the_same_rooms() {
    for path in manifests("valid") {
        let documents: Vec<Value> = files(&path)
            .iter()
            .map(|file| read_by_others(file).unwrap())
            .collect();
        assert_eq!(
            rooms(&read(&path).desired),
            rooms_by_others(&documents),
            "{}",
            path.display()
        );
    }
}

/// The manifest without source locations.
fn placeless(mut desired: Desired) -> Desired {
    let nowhere = Place {
        file: FileId(0),
        line: 0,
    };
    desired.files.clear();
    for room in desired.rooms.values_mut() {
        room.place = nowhere;
        room.member_places = Box::default();
    }
    desired
}

#[test]
fn a_manifest_means_the_same_in_yaml_and_json() {
    for path in manifests("valid").iter().filter(|path| path.is_file()) {
        let value = read_by_others(path).unwrap();
        let as_written = placeless(read(path).desired);
        for json in [value.to_string(), format!("{value:#}")] {
            let loaded = load_text("rooms.json", &json, Options::default());
            assert_eq!(loaded.diagnostics, [], "{}: {json}", path.display());
            assert_eq!(placeless(loaded.desired), as_written, "{}", path.display());
        }
    }
    let [yaml, json] = ["yaml", "json"].map(|extension| {
        let path = corpus("valid/every-key").with_extension(extension);
        placeless(read(&path).desired)
    });
    assert_eq!(yaml, json);
}

/// The code and location of each printed diagnostic. A line with the code is followed by a line
/// with the location, unless the diagnostic concerns a whole file.
fn drawn(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if let Some((_, rest)) = line
            .split_once('[')
            .filter(|(word, _)| matches!(*word, "error" | "warning"))
        {
            found.push((rest[..4].to_owned(), String::new()));
        } else if let Some(place) = line.trim_start().strip_prefix("--> ") {
            found.last_mut().unwrap().1 = place.to_owned();
        }
    }
    found
}

#[test]
fn text_and_json_report_the_same_diagnostics() {
    for path in [manifests("invalid"), manifests("warned")].concat() {
        let ran = check(&path, &["--format", "json"]);
        let document = ran.json();
        assert_eq!(document["exit"], ran.code, "{document:#}");
        assert_eq!(document["valid"], ran.code == 0, "{document:#}");
        let diagnostics = document["diagnostics"].as_array().unwrap();
        let reported: Vec<(String, String)> = diagnostics
            .iter()
            .map(|diagnostic| {
                let place = match (&diagnostic["line"], &diagnostic["column"]) {
                    (Value::Null, Value::Null) => String::new(),
                    (line, column) => {
                        format!("{}:{line}:{column}", diagnostic["file"].as_str().unwrap())
                    }
                };
                (diagnostic["code"].as_str().unwrap().to_owned(), place)
            })
            .collect();
        let beside = fs::read_to_string(path.with_extension("txt")).unwrap();
        assert_eq!(reported, drawn(&beside), "{}", path.display());
    }
}

#[test]
fn diagnostics_name_the_file_of_a_directory() {
    let ran = check(&corpus("valid/many-files"), &[]);
    assert_eq!(ran.ok(), "valid: 2 rooms, 3 memberships\n");
    let desired = read(&corpus("valid/many-files")).desired;
    let places: Vec<(bool, String, u32)> = desired
        .rooms
        .values()
        .map(|room| {
            let file = desired.file_name(room.place);
            let (_, below) = file.rsplit_once("many-files/").unwrap();
            (room.state.public, below.to_owned(), room.place.line)
        })
        .collect();
    assert_eq!(
        places,
        [
            (false, "rooms/closed.yaml".to_owned(), 4),
            (true, "rooms/open.yml".to_owned(), 5)
        ]
    );
}

const ROOM: &str = "version: 1\nrooms: [{pipe: first-room, title: First}]\n";

/// Checks the output of `check` for an invalid manifest.
#[track_caller]
fn refused(scene: &Scene, args: &str) -> String {
    let before = scene.files();
    let ran = scene.run(format!("check {args}"));
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:#?}");
    assert_eq!(scene.files(), before);
    ran.err
}

#[test]
fn a_missing_file_is_an_error() {
    insta::assert_snapshot!(refused(&Scene::new(), "-f no/such.yaml"), @r#"
    error[E001 unreadable]: no/such.yaml: no such file or directory
     |
     = help: create a manifest with `roomform init`, or from the live rooms with `roomform export`; or name another file or directory with -f

    the manifest is invalid: 1 error
    "#);
    insta::assert_snapshot!(refused(&Scene::new(), ""), @r#"
    error[E001 unreadable]: rooms.yaml: no such file or directory
     |
     = help: create a manifest with `roomform init`, or from the live rooms with `roomform export`; or name another file or directory with -f

    the manifest is invalid: 1 error
    "#);
}

#[test]
fn a_directory_without_a_manifest_is_an_error() {
    let scene = Scene::new();
    scene.write("rooms/notes.txt", ROOM);
    scene.write("rooms/.rooms.yaml", ROOM);
    scene.write("rooms/rooms.json", ROOM);
    insta::assert_snapshot!(refused(&scene, "-f rooms"), @r#"
    error[E001 unreadable]: rooms: the directory has no *.yaml or *.yml file
     |
     = help: name the directory of your manifest, or a file

    the manifest is invalid: 1 error
    "#);
}

#[test]
fn an_empty_file_is_an_error() {
    insta::assert_snapshot!(refused(&Scene::new().manifest(""), ""), @r#"
    error[E022 empty-manifest]: the file is empty
     --> rooms.yaml:1:1
      |
    1 |
      | ^
      |
      = help: start with `version: 1`, and list `rooms`

    the manifest is invalid: 1 error
    "#);
    refused(&Scene::new().manifest("\u{feff}"), "").shows("the file is empty");
    refused(&Scene::new().manifest("\n\n \n"), "").shows("the file is empty");
}

#[test]
fn no_rooms_are_allowed_with_allow_empty() {
    let scene = Scene::new().manifest("version: 1\nrooms: []\n");
    refused(&scene, "").shows("E022 empty-manifest");
    assert_eq!(
        scene.run("check --allow-empty").ok(),
        "valid: 0 rooms, 0 memberships\n"
    );
}

#[test]
fn a_file_that_is_not_utf_8_is_an_error() {
    let scene = Scene::new();
    scene.write(
        "rooms.yaml",
        b"version: 1\nrooms:\n  - {pipe: cafe, title: Caf\xe9}\n",
    );
    insta::assert_snapshot!(refused(&scene, ""), @r#"
    error[E002 not-utf8]: rooms.yaml: not valid UTF-8: byte 45 of the file, in line 3
     |
     = help: save the file as UTF-8

    the manifest is invalid: 1 error
    "#);
    scene.declare(
        "version: 1\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>(),
    );
    scene.declare([b"\xff\xfe".as_slice(), &scene.files()[0].1].concat());
    refused(&scene, "").shows("byte 0 of the file, in line 1");
}

#[test]
fn a_file_given_twice_counts_once() {
    let scene = Scene::new();
    scene.write("rooms/a.yaml", ROOM);
    let ran = scene.run("check -f rooms -f rooms/a.yaml -f ./rooms/../rooms/a.yaml");
    assert_eq!(ran.ok(), "valid: 1 room, 0 memberships\n");
}

#[test]
fn several_files_and_directories_are_one_manifest() {
    let scene = Scene::new().file("people.yaml", "version: 1\npeople: {head: 3}\n");
    scene.write(
        "rooms/deep/er/a.yml",
        ROOM.replace("First}", "First, members: [head]}"),
    );
    let ran = scene.run("check -f rooms -f people.yaml");
    assert_eq!(ran.ok(), "valid: 1 room, 1 membership\n");
    refused(&scene, "-f rooms").shows("`head` is not in `people`");
}

#[test]
#[cfg(unix)]
fn a_link_out_of_the_directory_is_an_error() {
    let scene = Scene::new();
    let secret = scene.write("secret/token.yaml", "token: s3cret\n");
    scene.write("rooms/a.yaml", ROOM);
    std::os::unix::fs::symlink(&secret, scene.path("rooms/b.yaml")).unwrap();
    std::os::unix::fs::symlink(scene.path("secret"), scene.path("rooms/c")).unwrap();
    insta::assert_snapshot!(refused(&scene, "-f rooms"), @r#"
    error[E023 outside-root]: rooms/b.yaml: a symbolic link that leads outside the manifest's directory
     |
     = help: copy the file into the directory, or name it with -f

    error[E023 outside-root]: rooms/c: a symbolic link that leads outside the manifest's directory
     |
     = help: copy the file into the directory, or name it with -f

    the manifest is invalid: 2 errors
    "#);
}

/// A checkout in `repo`, and a secret of the runner beside it.
#[cfg(unix)]
fn checkout() -> Scene {
    let scene = Scene::new().file("run/secrets/key", "api_key: s3cret\n");
    scene.write("run/secrets/rooms.yaml", "api_key: s3cret\n");
    scene.write("repo/shared/rooms.yaml", ROOM);
    scene.write("repo/good.yaml", ROOM);
    scene
}

#[cfg(unix)]
fn link(scene: &Scene, target: &str, name: &str) {
    std::os::unix::fs::symlink(target, scene.path(name)).unwrap();
}

/// Runs a command in the checkout; returns its exit code, followed by its output.
#[cfg(unix)]
fn in_checkout(scene: &Scene, args: impl Args) -> String {
    let mut command = scene.command(args);
    let output = command.current_dir(scene.path("repo")).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(!(out.clone() + &err).contains("s3cret"), "{out}{err}");
    format!("{} {out}{err}", output.status.code().unwrap())
}

#[test]
#[cfg(unix)]
fn a_manifest_that_is_itself_a_link_out_is_not_read() {
    for git in [None, Some("repo/.git/HEAD")] {
        let scene = checkout();
        git.map(|file| scene.write(file, "ref: refs/heads/main\n"));
        link(&scene, "../run/secrets/key", "repo/rooms.yaml");
        let output = in_checkout(&scene, "check");
        insta::allow_duplicates! {
            insta::assert_snapshot!(output, @r#"
            3 error[E023 outside-root]: rooms.yaml: a symbolic link that leads outside its directory or git work tree
             |
             = help: copy the file into the directory, or name the file itself with -f

            the manifest is invalid: 1 error
            "#);
        }
        for args in [
            "plan --sandbox",
            "apply --sandbox --yes",
            "render",
            "explain first-room",
            "check --format json",
            "check --format github",
            "diff good.yaml rooms.yaml",
            "diff ./rooms.yaml good.yaml",
        ] {
            let output = in_checkout(&scene, args);
            assert!(output.starts_with("3 "), "{args:?}: {output}");
            assert!(output.contains("leads out"), "{args:?}: {output}");
        }
        fs::remove_file(scene.path("repo/rooms.yaml")).unwrap();
        link(&scene, "../run/secrets", "repo/rooms");
        for args in [
            "check",
            "check -f rooms/",
            "check -f ./rooms/.",
            "diff good.yaml rooms/",
        ] {
            let output = in_checkout(&scene, args);
            assert!(output.contains("leads out"), "{args:?}: {output}");
        }
    }
}

#[test]
#[cfg(unix)]
fn a_link_may_lead_to_any_file_of_the_work_tree_but_not_of_git() {
    let scene = checkout();
    scene.write("repo/.git/config", "api_key: s3cret\n");
    fs::create_dir_all(scene.path("repo/env")).unwrap();
    link(&scene, "../shared/rooms.yaml", "repo/env/rooms.yaml");
    link(&scene, "../shared", "repo/env/rooms");
    link(&scene, "../.git/config", "repo/env/git.yaml");
    link(&scene, "../../run/secrets", "repo/env/out");
    for path in ["env/rooms.yaml", "env/rooms", "env/rooms/rooms.yaml"] {
        let output = in_checkout(&scene, ["check", "-f", path]);
        assert_eq!(output, "0 valid: 1 room, 0 memberships\n", "{path}");
    }
    for path in ["env/git.yaml", "env/out/rooms.yaml"] {
        let output = in_checkout(&scene, ["check", "-f", path]);
        assert!(output.contains("E023 outside-root"), "{path}: {output}");
    }
    // Without git, a link must stay in its own directory.
    fs::remove_dir_all(scene.path("repo/.git")).unwrap();
    let output = in_checkout(&scene, "check -f env/rooms.yaml");
    output.shows("E023 outside-root");
    link(&scene, "good.yaml", "repo/current.yaml");
    let output = in_checkout(&scene, "check -f current.yaml");
    output.begins("0 ");
}

#[test]
#[cfg(unix)]
fn files_in_dot_git_are_never_read() {
    let scene = checkout();
    scene.write("repo/.git/config", "[core]\ns3cret\n");
    scene.write("repo/.git/rooms.yaml", "api_key: s3cret\n");
    link(&scene, ".git/rooms.yaml", "repo/hooks.yaml");
    let output = in_checkout(&scene, "check -f .");
    output.shows("hooks.yaml: a symbolic link");
    let room =
        "version: 1\nrooms: [{pipe: a, title: A, members: [{roster: .git/config, user: id}]}]\n";
    scene.write("repo/rooms.yaml", room);
    let output = in_checkout(&scene, "check");
    output.shows("E023 outside-root");
}

#[test]
#[cfg(unix)]
fn a_path_given_by_the_user_may_be_anywhere() {
    let scene = checkout();
    scene.write("repo/.git/HEAD", "ref: refs/heads/main\n");
    let elsewhere = scene.write("elsewhere/rooms.yaml", ROOM);
    let absolute = elsewhere.to_str().unwrap();
    link(&scene, "elsewhere", "linked");
    for path in [absolute, "../elsewhere", "../linked/rooms.yaml"] {
        let output = in_checkout(&scene, ["check", "-f", path]);
        assert!(output.starts_with("0 "), "{path}: {output}");
    }
    // The system's link `/dev/stdin` leads out of the work tree, and is still accepted.
    let mut command = scene.command("check -f /dev/stdin");
    let manifest = fs::File::open(elsewhere).unwrap();
    let output = command.stdin(manifest).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
#[cfg(unix)]
fn links_within_the_directory_are_followed_once_and_broken_ones_reported() {
    let scene = Scene::new();
    scene.write("rooms/a.yaml", ROOM);
    std::os::unix::fs::symlink("a.yaml", scene.path("rooms/b.yaml")).unwrap();
    std::os::unix::fs::symlink(".", scene.path("rooms/loop")).unwrap();
    assert_eq!(
        scene.run("check -f rooms").ok(),
        "valid: 1 room, 0 memberships\n"
    );
    std::os::unix::fs::symlink("nowhere.yaml", scene.path("rooms/c.yaml")).unwrap();
    let ran = scene.run("check -f rooms");
    ran.exits(3);
    insta::assert_snapshot!(ran.err, @r#"
    error[E001 unreadable]: rooms/c.yaml: no such file or directory
     |
     = help: create a manifest with `roomform init`, or from the live rooms with `roomform export`; or name another file or directory with -f

    the manifest is invalid: 1 error
    "#);
}

#[test]
fn errors_name_the_right_file_of_several() {
    let document = check(
        &corpus("invalid/mistakes-in-every-file"),
        &["--format", "json"],
    )
    .json();
    let files: Vec<&Value> = document["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|diagnostic| &diagnostic["file"])
        .collect();
    let name = |file: &str| json!(format!("mistakes-in-every-file/{file}"));
    assert_eq!(files, [&name("a.yaml"), &name("b.yaml"), &name("c.yaml")]);
}

/// If `people` or `groups` is invalid, its names are unknown, so the uses of these names are
/// not reported as further mistakes.
#[test]
fn a_mistake_in_people_or_groups_is_reported_once() {
    let rooms = "rooms: [{pipe: team-a, title: A, members: [tutor, \"@staff\", {roster: a.csv}]}]";
    let (people, groups) = ("people: {T-1: 5, tutor: 4}", "groups: {staff: [5]}");
    for (people, groups, code) in [
        ("people: [{T-1: 5}, {tutor: 4}]", groups, "E007"),
        ("people: tutor", groups, "E007"),
        ("people:", groups, "E007"),
        ("people: {roster: people.csv, name: number}", groups, "E011"),
        ("peoples: {T-1: 5, tutor: 4}", groups, "E009"),
        ("people: {T-1: 5}\npeople: {tutor: 4}", groups, "E010"),
        (people, "groups: [{staff: [5]}]", "E007"),
        (people, "group: {staff: [5]}", "E009"),
        (people, "groups: {}\ngroups: {staff: [5]}", "E010"),
    ] {
        let scene = Scene::new()
            .manifest(format!("version: 1\n{people}\n{groups}\n{rooms}\n"))
            .file("a.csv", "user\nT-1\n")
            .file("people.csv", "number,id\nT-1,5\ntutor,4\n");
        let ran = scene.run("check");
        let codes = ran
            .err
            .lines()
            .filter_map(|line| line.strip_prefix("error["));
        let codes: Vec<&str> = codes.map(|line| &line[..4]).collect();
        assert_eq!(
            (ran.code, codes),
            (3, vec![code]),
            "{people} {groups}\n{}",
            ran.err
        );
    }
    let scene = Scene::new().file("a.csv", "user\nT-1\n").manifest(
        "version: 1\nrooms: [{pipe: team-a, title: A, members: [{roster: a.csv, people: [x]}]}]\n",
    );
    let ran = scene.run("check");
    ran.exits(3);
    ran.err
        .shows("E007")
        .shows("the manifest is invalid: 1 error\n");
}
