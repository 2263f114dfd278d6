//! `diff`: compares two manifests without a server.

mod git;
mod manifests;
mod unified;

use crate::support::{Ran, Scene};

fn diff(base: &str, head: &str, args: &[&str]) -> Ran {
    Scene::new()
        .file("base.yaml", base)
        .file("head.yaml", head)
        .run([&["diff", "base.yaml", "head.yaml"], args].concat())
}
