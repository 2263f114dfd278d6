//! docs/diagnostics.md has each code in order, with an example: the files, and the diagnostic that they cause.

use roomform::manifest::diagnostic::Code;
use roomform::sandbox::User;

use super::{page, root};
use crate::support::{Scene, assert_fresh, blocks, follow};

/// The first diagnostic with this code that the example of a section causes.
fn cause(code: Code, section: &str) -> String {
    let scene = Scene::new().sandbox();
    let banned = User {
        remote_user_id: 21,
        banned: true,
        ..User::default()
    };
    scene.world(|world| world.insert_user(627, banned, 0));
    // Without the expected output, which the caller compares.
    let (inputs, _) = section.rsplit_once("```text\n").unwrap();
    let command = if inputs.contains("\nroomform plan ") {
        inputs.to_owned()
    } else {
        format!("{inputs}```sh\nroomform check || true\n```\n")
    };
    let printed = follow(&scene, &command).pop().unwrap();
    let header = format!("[{} {}]: ", code.id(), code.name());
    let mut parts = printed.split("\n\n");
    let found = parts.find(|part| {
        part.lines()
            .next()
            .is_some_and(|line| line.contains(&header))
    });
    found
        .unwrap_or_else(|| panic!("no {header}in:\n{printed}"))
        .trim_end()
        .to_owned()
}

#[test]
fn each_example_causes_the_diagnostic_that_it_shows() {
    let document = page("docs/diagnostics.md");
    let mut sections = document.split("\n## ");
    let mut fresh = sections.next().unwrap().to_owned();
    for code in Code::ALL {
        let section = sections.next().unwrap_or_default();
        let start = format!("{} {}\n\n{}\n", code.id(), code.name(), code.meaning());
        assert!(
            section.starts_with(&start),
            "{start}is not next in docs/diagnostics.md"
        );
        assert!(blocks(section).len() >= 2, "{section}");
        let (inputs, _) = section.rsplit_once("```text\n").unwrap();
        fresh += &format!("\n## {inputs}```text\n{}\n```\n", cause(*code, section));
    }
    assert_eq!(sections.next(), None);
    assert_fresh(&root("docs/diagnostics.md"), &fresh);
}
