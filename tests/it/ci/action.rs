//! `action.yml`: installs a release of its own repository.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_yaml::Value;

use super::runner::Runner;
use crate::support::Shows;

/// Runs the step of the action with variables on a runner of this platform.
fn install(runner: &mut Runner, platform: &str, variables: &[(&str, &str)]) -> Output {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml");
    let action: Value = serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let step = &action["runs"]["steps"][0];
    let script = step["run"].as_str().unwrap();
    assert!(!script.contains("${{"), "{script}");
    let tools = runner.path("tools");
    let temp = runner.path("temp");
    fs::create_dir_all(&temp).unwrap();
    fs::create_dir_all(runner.path("run-home")).unwrap();
    let mut command = runner.job_command("temp");
    command
        .arg(script)
        .env("REPOSITORY", "roomform/roomform")
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("RUNNER_TOOL_CACHE", tools)
        .env("RUNNER_TEMP", temp)
        .env("GITHUB_PATH", runner.path("path"))
        .env("PLATFORM", platform)
        .envs(variables.iter().copied());
    command.output().unwrap()
}

#[test]
fn the_action_installs_the_release_of_its_ref() {
    let mut runner = Runner::new();
    let sum = runner.release("1.2.3");
    let tarball = "roomform-1.2.3-x86_64-unknown-linux-gnu.tar.gz";
    let sums = format!(
        "{}  roomform-1.2.3-x86_64-unknown-linux-musl.tar.gz\n{sum}  {tarball}\n",
        "0".repeat(64)
    );
    runner.write("store/releases/SHA256SUMS", &sums);
    let linux = "Linux-X64";
    for variables in [
        &[("REF", "v1.2.3")][..],
        &[("REF", "main"), ("VERSION", "1.2.3")],
        &[
            ("REF", "main"),
            ("VERSION", "v1.2.3"),
            ("SHA256", sum.as_str()),
        ],
    ] {
        drop(fs::remove_file(runner.path("path")));
        let ran = install(&mut runner, linux, variables);
        assert!(ran.status.success(), "{ran:?}");
        let installed = runner.read("path");
        let roomform = Path::new(installed.trim()).join("roomform");
        assert!(roomform.starts_with(runner.path("tools")) && roomform.is_file());
    }
    drop(fs::remove_file(runner.path("path")));
    let wrong = "f".repeat(64);
    for (platform, variables, error) in [
        (linux, &[("REF", "main")][..], "`main` is not a release"),
        (
            linux,
            &[("REF", "v1.2.3"), ("SHA256", wrong.as_str())],
            "expected SHA-256 sum",
        ),
        (linux, &[("REF", "v1.2.4")], "error: 404"),
        (
            "Linux-RISCV",
            &[("REF", "v1.2.3")],
            "no release of roomform for Linux-RISCV",
        ),
        // The sum of the release is not the one in the list of sums.
        (
            "Linux-X64",
            &[("REF", "v1.2.3"), ("SHA256", "")],
            "expected SHA-256 sum",
        ),
    ] {
        if variables.len() == 2 && variables[1].1.is_empty() {
            runner.write("store/releases/SHA256SUMS", &sums.replace(&sum, &wrong));
        }
        let ran = install(&mut runner, platform, variables);
        assert!(!ran.status.success(), "{variables:?}");
        let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
        said.shows(error);
        assert!(!runner.path("path").exists());
    }
}
