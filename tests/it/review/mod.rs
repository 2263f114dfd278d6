//! Output for reviewers: pages that fit, annotations, SARIF, and warnings about similar names; all safe against hostile names.

mod annotations;
mod every_field;
mod fit;
mod hostile;
mod in_full;
mod long_titles;
mod look_alikes;
mod pages;
mod rendered;
mod sarif;

use roomform::render::markdown::{self, Fit};
use roomform::render::to_text;
use roomform::view::View;

use crate::support::Scene;

/// A manifest. In its changed version, `AFTER`, a room becomes public, a room is new, members
/// are added, and a member is removed.
pub const BEFORE: &str = "\
version: 1
rooms:
  - {pipe: team-platform, title: Platform, members: [3, 4, 101, 104]}
  - {pipe: lounge, title: Lounge}
  - {pipe: help, title: Help, members: [3]}
";
pub const AFTER: &str = "\
version: 1
rooms:
  - {pipe: course-rust-101, title: \"Rust 101 · autumn\", members: [4, 101]}
  - {pipe: team-platform, title: Platform team, members: [3, 4, 17, 101]}
  - {pipe: lounge, title: Lounge, public: true}
  - {pipe: help, title: Help, members: [3, 5]}
  - {pipe: news, title: News, public: true}
";

/// A directory with the manifest `after`, and a sandbox that matches the manifest `before`.
pub fn changed(before: &str, after: &str) -> Scene {
    let scene = Scene::new()
        .manifest(before)
        .after("apply --yes --sandbox --allow-publish lounge");
    scene.declare(after);
    scene
}

pub fn markdown_page(view: &View<'_>, fit: Fit) -> String {
    to_text(|out| markdown::write(view, fit, out)).unwrap()
}
