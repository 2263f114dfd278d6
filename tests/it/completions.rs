//! Completion scripts and man pages.

use std::process::Command;

use crate::support::{Scene, Shows};

#[test]
fn every_command_has_a_man_page_and_completions() {
    let scene = Scene::new();
    scene.run("man man").ok();
    for page in [
        "roomform.1",
        "roomform-plan.1",
        "roomform-apply.1",
        "roomform-sandbox-serve.1",
    ] {
        scene.read(&format!("man/{page}")).shows(".TH");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = scene.run(["completions", shell]).ok();
        assert!(
            script.contains("roomform") && script.contains("detailed-exitcode"),
            "{shell}"
        );
    }
}

/// What bash offers for the last word.
fn complete(scene: &Scene, words: &[&str]) -> Vec<String> {
    let script = "source ./script; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1))
        _roomform roomform \"${@:$#}\" \"${@:$#-1:1}\"; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let done = Command::new("bash")
        .args(["-c", script, "bash", "roomform"])
        .args(words)
        .current_dir(scene.path("."))
        .output()
        .unwrap();
    let offered = String::from_utf8(done.stdout).unwrap();
    offered.lines().map(str::to_owned).collect()
}

#[test]
fn files_are_completed_where_files_go() {
    let scene = Scene::new().file("rooms.yaml", "").file("rows.csv", "");
    let script = scene.run("completions bash").ok();
    scene.write("script", script);
    for words in [
        ["plan", "-f", "roo"],
        ["plan", "--ledger", "roo"],
        ["apply", "--report", "roo"],
        ["export", "--out", "roo"],
        ["send", "--text-file", "roo"],
    ] {
        assert_eq!(complete(&scene, &words), ["rooms.yaml"], "{words:?}");
    }
    for words in [
        ["plan", "--only", "roo"],
        ["todo", "--user", "roo"],
        ["plan", "--widget", "roo"],
    ] {
        assert_eq!(complete(&scene, &words), ["roo"], "{words:?}");
    }
    let formats = complete(&scene, &["check", "--format", "j"]);
    assert_eq!(formats, ["json"]);
}

/// `--sandbox` takes a value only after `=`, so the next word is another flag or an argument of
/// the verb.
#[test]
fn the_word_after_sandbox_is_not_its_value() {
    let scene = Scene::new().file("rooms.yaml", "");
    let script = scene.run("completions bash").ok();
    scene.write("script", script);
    assert!(complete(&scene, &["get", "--sandbox", ""]).contains(&"rooms".to_owned()));
    assert_eq!(
        complete(&scene, &["apply", "--sandbox", "--ver"]),
        ["--verify-timeout", "--verbose"]
    );

    let zsh = scene.run("completions zsh").ok();
    assert!(
        zsh.lines()
            .any(|line| line.contains("'--sandbox[") || line.contains(")--sandbox["))
    );
    zsh.lacks("--sandbox=");
    let fish = scene.run("completions fish").ok();
    let lines: Vec<&str> = fish
        .lines()
        .filter(|line| line.contains(" -l sandbox "))
        .collect();
    assert!(lines.len() > 5);
    assert!(lines.iter().all(|line| !line.contains(" -r")), "{lines:?}");
}
