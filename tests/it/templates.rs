//! Templates of generated rooms: columns in any script, and settings that come from a row.

use insta::assert_snapshot;

use crate::support::{Scene, Shows, validator};

/// Rooms from `classes.csv`. `room` has keys in addition to `pipe` and `title`.
fn classes(pipe: &str, title: &str, room: &str) -> Scene {
    let text = format!(
        "version: 1\ngenerate:\n  - each: classes.csv\n    room: {{pipe: '{pipe}', title: '{title}'{room}}}\n"
    );
    let schema = validator("manifest");
    let manifest: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    assert!(schema.is_valid(&manifest), "{text}");
    Scene::new().manifest(text)
}

fn rooms(scene: &Scene) -> String {
    let rendered = scene.run("render --format csv").ok();
    let rows = rendered.lines().skip(1);
    rows.map(|row| row.trim_end_matches(','))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn templates_name_columns_in_any_script_and_case() {
    for (header, pipe, title) in [
        ("Класс,Имя", "{{ Класс | slug }}", "{{ имя }}"),
        ("КЛАСС,ИМЯ", "{{ класс | slug }}", "{{ Имя }}"),
        ("Клас,Ґатунок", "{{ КЛАС | slug }}", "{{ ґатунок }}"),
        ("Сынып,Оқушы аты", "{{ сынып | slug }}", "{{ оқушы_аты }}"),
        ("კლასი,სახელი", "{{ კლასი | slug }}", "{{ სახელი }}"),
        ("Τάξη,Όνομα", "{{ τάξη | slug }}", "{{ όνομα }}"),
        ("Դաս,Անուն", "{{ դաս | slug }}", "{{ ԱՆՈՒՆ }}"),
        ("班级,姓名", "{{ 班级 | slug }}", "{{ 姓名 }}"),
        ("कक्षा,नाम", "{{ कक्षा | slug }}", "{{ नाम }}"),
        ("class,given name", "{{ Class | slug }}", "{{ Given_Name }}"),
        // In the header, `й` is two characters, as some systems write it; in the template, it is
        // one.
        ("Класс,Фи\u{306}о", "{{ класс | slug }}", "{{ ф\u{439}о }}"),
    ] {
        let scene = classes(pipe, title, "");
        scene.write("classes.csv", format!("{header}\n7 Б,Анна\n"));
        assert_eq!(rooms(&scene), "7-b,Анна,conference,false", "{header}");
    }
}

#[test]
fn the_error_about_an_unknown_column_lists_the_columns() {
    let scene = classes("{{ класс | slug }}", "{{ тема }}{{ Клас }}", "");
    scene.write("classes.csv", "Класс,Имя ученика,Course Name\n7,x,y\n");
    assert_snapshot!(scene.run("check").err, @r"
    error[E026 unknown-column]: the template names `Клас`, which is not a column of `classes.csv`
     --> rooms.yaml:4:47
      |
    4 |     room: {pipe: '{{ класс | slug }}', title: '{{ тема }}{{ Клас }}'}
      |                                               ^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean `класс`? the columns are Класс, Имя ученика, Course Name

    error[E026 unknown-column]: the template names `тема`, which is not a column of `classes.csv`
     --> rooms.yaml:4:47
      |
    4 |     room: {pipe: '{{ класс | slug }}', title: '{{ тема }}{{ Клас }}'}
      |                                               ^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: the columns are Класс, Имя ученика, Course Name

    the manifest is invalid: 2 errors
    ");
}

#[test]
fn type_and_public_can_be_templates() {
    let scene = classes(
        "{{ code }}",
        "{{ code }}",
        r#", public: "{{ open }}", type: "{% if kind %}{{ kind }}{% endif %}""#,
    );
    scene.write(
        "classes.csv",
        "code,open,kind\nc-01,true,support\nc-02,FALSE,\nc-03,1,Dialog\nc-04,0,3\n",
    );
    assert_snapshot!(rooms(&scene), @r"
    c-01,c-01,support,true
    c-02,c-02,conference,false
    c-03,c-03,dialog,true
    c-04,c-04,support,false
    ");
    // If the template has an empty result, the room gets the default.
    scene.write("classes.csv", "code,open,kind\nc-01,true,\n");
    let text = scene.read("rooms.yaml");
    scene.declare(format!("{text}defaults: {{type: support}}\n"));
    assert_eq!(rooms(&scene), "c-01,c-01,support,true");
    let scene = classes(
        "{{ code }}",
        "{{ code }}",
        r#", public: "{{ status == 'public' }}""#,
    );
    scene.write("classes.csv", "code,status\nc-01,public\nc-02,hidden\n");
    assert_eq!(
        rooms(&scene),
        "c-01,c-01,conference,true\nc-02,c-02,conference,false"
    );
}

#[test]
fn an_invalid_type_or_public_is_an_error_at_its_cell() {
    let scene = classes(
        "{{ code }}",
        "{{ code }}",
        r#", public: "{{ open }}", type: "{{ kind | lower }}-""#,
    );
    scene.write(
        "classes.csv",
        "code,open,kind\nc-01,yes,support\nc-02,,support\n",
    );
    assert_snapshot!(scene.run("check").err, @r#"
    error[E028 bad-cell]: classes.csv:2:open: `public` becomes `yes` in this row
     --> classes.csv:2:6
      |
    2 | c-01,yes,support
      |      ^^^
      |
     ::: rooms.yaml:4:61
      |
    4 |     room: {pipe: '{{ code }}', title: '{{ code }}', public: "{{ open }}", type: "{{ kind | lower }}-"}
      |                                                             ------------ the template
      |
      = help: use one of: true, false, 1, 0

    error[E028 bad-cell]: classes.csv:2:kind: `type` becomes `support-` in this row
     --> classes.csv:2:10
      |
    2 | c-01,yes,support
      |          ^^^^^^^
      |
     ::: rooms.yaml:4:81
      |
    4 |     room: {pipe: '{{ code }}', title: '{{ code }}', public: "{{ open }}", type: "{{ kind | lower }}-"}
      |                                                                                 --------------------- the template
      |
      = help: use one of: dialog, conference, support, 0, 1, 3

    error[E028 bad-cell]: classes.csv:3:open: `public` is empty in this row
     --> classes.csv:3:6
      |
    3 | c-02,,support
      |      ^
      |
     ::: rooms.yaml:4:61
      |
    4 |     room: {pipe: '{{ code }}', title: '{{ code }}', public: "{{ open }}", type: "{{ kind | lower }}-"}
      |                                                             ------------ the template
      |
      = help: use one of: true, false, 1, 0

    error[E028 bad-cell]: classes.csv:3:kind: `type` becomes `support-` in this row
     --> classes.csv:3:7
      |
    3 | c-02,,support
      |       ^^^^^^^
      |
     ::: rooms.yaml:4:81
      |
    4 |     room: {pipe: '{{ code }}', title: '{{ code }}', public: "{{ open }}", type: "{{ kind | lower }}-"}
      |                                                                                 --------------------- the template
      |
      = help: use one of: dialog, conference, support, 0, 1, 3

    the manifest is invalid: 4 errors
    "#);
    // A room that is not generated has no row, so its `public` cannot come from a column.
    let room = "rooms: [{pipe: p-01, title: x, public: \"{{ open }}\"}]";
    let scene = Scene::new().manifest(format!("version: 1\n{room}\n"));
    scene
        .run("check")
        .err
        .shows("`public` must be true or false");
}
