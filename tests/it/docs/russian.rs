//! Checks that `README.ru.md` follows `README.md`.

use super::page;

/// The parts of a page that do not depend on its language: levels of headings, code without comments, and targets of links.
fn skeleton(name: &str) -> Vec<String> {
    let (mut parts, mut is_code) = (Vec::new(), false);
    for line in page(name).lines() {
        if line.starts_with("```") {
            is_code = !is_code;
            parts.push(line.to_owned());
        } else if is_code {
            let code = line.split("  #").next().unwrap_or_default();
            parts.push(code.trim_end().to_owned());
        } else if line.starts_with('#') {
            parts.extend(line.split(' ').next().map(str::to_owned));
        } else {
            let links = line.split("](").skip(1);
            parts.extend(links.filter_map(|link| Some(link.split_once(')')?.0.to_owned())));
        }
    }
    // Each page links to the other.
    parts.retain(|part| !part.starts_with("README"));
    parts
}

#[test]
fn the_russian_readme_has_the_headings_commands_and_links_of_the_english_one() {
    let english = skeleton("README.md");
    assert!(english.len() > 60, "{english:?}");
    assert_eq!(skeleton("README.ru.md"), english);
}
