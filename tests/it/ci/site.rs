//! A repository with the files of `init --ci`, connected to a sandbox.

use serde_json::json;

use super::runner::Runner;
#[cfg(feature = "object-store")]
use crate::bucket::{LEDGER, S3};
use crate::support::{Scene, Shows};

#[cfg(feature = "object-store")]
pub const STORES: &[&str] = &["cache", "branch", "bucket"];
#[cfg(not(feature = "object-store"))]
pub const STORES: &[&str] = &["cache", "branch"];

/// The first release.
pub const VERSION: &str = "1.2.3";

pub struct Site {
    pub scene: Scene,
    pub runner: Runner,
    /// The file that holds the CI configuration.
    file: &'static str,
    manifest: &'static str,
    #[cfg(feature = "object-store")]
    _bucket: S3,
}

impl Site {
    /// Creates a site with the manifest at the path `manifest`. The CI file calls it `named`.
    pub fn new(ci: &'static str, store: &str, (named, manifest): (&str, &'static str)) -> Self {
        let (scene, mut runner) = (Scene::new().sandbox(), Runner::new());
        #[cfg_attr(
            not(feature = "object-store"),
            expect(unused_mut, reason = "only a bucket adds variables")
        )]
        let mut variables = scene.vars();
        #[cfg(feature = "object-store")]
        let bucket = S3::start();
        #[cfg(feature = "object-store")]
        if store == "bucket" {
            variables.extend(bucket.env());
            variables.push(("ROOMFORM_LEDGER".to_owned(), LEDGER.to_owned()));
        }
        for (name, value) in variables {
            let is_secret = ["KEY", "KEY_ID", "LOGIN", "PASSWORD"]
                .iter()
                .any(|end| name.ends_with(end));
            let name = match (ci, is_secret) {
                ("github", true) => format!("secrets.{name}"),
                ("github", false) => format!("vars.{name}"),
                _ => name,
            };
            runner.context.insert(name, value);
        }
        if ci == "gitlab" {
            let token = ("ROOMFORM_TOKEN".to_owned(), "t".to_owned());
            runner.context.extend([token]);
        }
        let sum = runner.release(VERSION);
        let init = format!("roomform init --ci {ci} --ledger {store} --pin {VERSION}@{sum}");
        runner.shell("work", &init);
        let file = match ci {
            "github" => ".github/workflows/roomform.yaml",
            _ => ".gitlab/roomform.yml",
        };
        let site = Self {
            scene,
            runner,
            file,
            manifest,
            #[cfg(feature = "object-store")]
            _bucket: bucket,
        };
        if manifest != "rooms.yaml" {
            let directory = manifest.rsplit_once('/').unwrap().0;
            let moved = format!("mkdir -p {directory} && mv rooms.yaml {manifest}");
            site.runner.shell("work", &moved);
            site.edit("MANIFEST: \"rooms.yaml\"", &format!("MANIFEST: {named}"));
        }
        site.commit("start");
        site
    }

    /// Creates a site whose manifest is a directory, so that branches that add rooms merge
    /// without conflicts.
    pub fn with_directory(ci: &'static str, store: &str) -> Self {
        Self::new(ci, store, ("rooms", "rooms/rooms.yaml"))
    }

    /// Replaces a text in the CI file.
    #[track_caller]
    fn edit(&self, from: &str, to: &str) {
        let path = format!("work/{}", self.file);
        let text = self.runner.read(&path);
        text.shows(from);
        self.runner.write(&path, &text.replace(from, to));
    }

    /// Commits everything in the clone to `main` and returns the commit.
    pub fn commit(&self, message: &str) -> String {
        self.runner.shell(
            "work",
            &format!("git add --all && git commit --quiet --allow-empty --message {message} && git push --quiet origin main && git rev-parse HEAD"),
        )
    }

    /// Publishes another release, and pins it instead of the one before.
    pub fn upgrade(&self, before: &str, version: &str) -> String {
        let pin = |version: &str, sum: &str| {
            format!("ROOMFORM_VERSION: \"{version}\"\n  ROOMFORM_SHA256: \"{sum}\"")
        };
        let sum = self.runner.sum(before);
        self.edit(
            &pin(before, &sum),
            &pin(version, &self.runner.release(version)),
        );
        self.commit("upgrade")
    }

    /// Creates a branch that adds a file to the manifest, and returns the commit.
    pub fn branch(&self, name: &str, rooms: &str) -> String {
        let directory = self.manifest.rsplit_once('/').unwrap().0;
        self.runner
            .shell("work", &format!("git checkout --quiet -B {name} main"));
        let text = format!("version: 1\nrooms:\n{rooms}");
        self.runner
            .write(&format!("work/{directory}/{name}.yaml"), &text);
        let commit = format!(
            "git add --all && git commit --quiet --message {name} && git push --quiet --force origin {name} && git rev-parse HEAD && git checkout --quiet main"
        );
        self.runner.shell("work", &commit)
    }

    /// Replaces a text in the first file of the manifest on a branch, and returns the commit.
    pub fn edit_branch(&self, name: &str, from: &str, to: &str) -> String {
        let manifest = self.manifest;
        self.runner.shell("work", &format!("git checkout --quiet {name} && sed -i 's/{from}/{to}/' {manifest} && git commit --quiet --all --message edit && git push --quiet origin {name} && git rev-parse HEAD && git checkout --quiet main"))
    }

    /// Merges a branch of this repository and returns the merge commit.
    pub fn merge(&mut self, number: u64, name: &str, head: &str) -> String {
        self.merge_from("school/rooms", number, name, head)
    }

    /// Merges a branch of this repository or a fork.
    pub fn merge_from(&mut self, from: &str, number: u64, name: &str, head: &str) -> String {
        let merged = self.runner.shell("work", &format!("git merge --quiet --no-ff {name} -m merge && git push --quiet origin main && git rev-parse HEAD"));
        let merged_at = self.runner.now();
        self.runner.add(
            "pulls",
            json!({
                "number": number,
                "merged_at": merged_at,
                "base": {"ref": "main"},
                "head": {"sha": head},
                // The fields of a GitLab merge request.
                "iid": number,
                "state": "merged",
                "sha": head,
                "source_project_id": if from == "school/rooms" { 1 } else { 2 },
                "target_project_id": 1,
            }),
        );
        merged
    }

    /// The pipes of the rooms on the server.
    pub fn pipes(&self) -> Vec<String> {
        let rooms = self.scene.rooms().into_iter();
        let mut pipes: Vec<String> = rooms.map(|room| room.pipe).collect();
        pipes.sort();
        pipes
    }
}

/// One room of a manifest.
pub fn room(pipe: &str) -> String {
    format!("  - {{pipe: {pipe}, title: \"{pipe}\", members: [7]}}\n")
}
