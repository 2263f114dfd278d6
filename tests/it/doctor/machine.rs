//! `doctor --format json`, its schema, and colors.

use super::*;

#[test]
fn the_document_matches_its_schema_and_the_text() {
    let scene = Scene::new().sandbox();
    let probe = ["--write-probe", "probe-1", "--yes"];
    let dirs = [
        (Scene::new().manifest(MANIFEST).beside(&scene), &[][..]),
        (Scene::new().manifest(MANIFEST).beside(&scene), &probe[..]),
        (
            at(&scene.url()).env("IMBACHAT_SECRET_KEY", "wrong"),
            &[][..],
        ),
        (Scene::new(), &[][..]),
    ];
    for (scene, args) in dirs {
        let ran = scene.run([&["doctor", "--format", "json"], args].concat());
        let document = ran.json();
        scene.fits_schema("doctor", &document);
        assert_eq!(document["exit"], ran.code, "{document:#}");
        assert_eq!(ran.err, "");
        let failed = document["steps"].as_array().unwrap().iter();
        let failed = failed.filter(|step| step["verdict"] == "failed").count();
        assert_eq!(ran.code, i32::from(failed > 0), "{document:#}");
        assert_eq!(document.get("probe").is_some(), !args.is_empty());
    }
}

#[test]
fn results_are_readable_without_colour() {
    let scene = Scene::new();
    let plain = scene.run("doctor").out;
    let colour = scene.run("doctor --color always").out;
    let mut stripped = String::new();
    for part in colour.split('\u{1b}') {
        stripped.push_str(
            part.split_once('m')
                .filter(|_| part.starts_with('['))
                .map_or(part, |it| it.1),
        );
    }
    assert!(colour.contains('\u{1b}'));
    assert_eq!(stripped, plain);
}
