//! The recipes of docs/recipes.md, run with files in the form of each system.

use crate::support::{Scene, blocks};

/// A directory with the manifest of a recipe and these files.
fn recipe(name: &str, files: &[(&str, &str)]) -> Scene {
    let document = include_str!("../../docs/recipes.md");
    let section = document.split(&format!("\n## {name}\n")).nth(1).unwrap();
    let mut blocks = blocks(section).into_iter();
    let manifest = blocks.find(|block| block.language == "yaml").unwrap();
    let scene = Scene::new().manifest(manifest.text);
    for (name, content) in files {
        scene.write(name, content);
    }
    scene
}

fn members(scene: &Scene) -> Vec<String> {
    let rendered = scene.run("render --format csv").ok();
    let rows = rendered.lines().skip(1);
    rows.map(|row| {
        row.replace(",conference,false", "")
            .trim_end_matches(',')
            .to_owned()
    })
    .collect()
}

#[test]
fn school_data_sync_has_students_and_teachers_of_each_section() {
    let scene = recipe(
        "School Data Sync",
        &[
            (
                "Section.csv",
                "SIS ID,School SIS ID,Section Name,Section Number,Term SIS ID\n11,S1,Algebra 7B,1,T1\n12,S1,Физика,2,T1\n",
            ),
            (
                "StudentEnrollment.csv",
                "Section SIS ID,SIS ID\n11,1001\n11,1002\n12,1002\n",
            ),
            (
                "TeacherRoster.csv",
                "Section SIS ID,SIS ID\n11,1001\n12,1001\n",
            ),
            (
                "ids.csv",
                "sis_id,role,site_id\n1001,student,5\n1002,student,6\n1001,teacher,7\n",
            ),
        ],
    );
    assert_eq!(
        members(&scene),
        [
            "class-11,Algebra 7B,5",
            "class-11,Algebra 7B,6",
            "class-11,Algebra 7B,7",
            "class-12,Физика,6",
            "class-12,Физика,7",
        ]
    );
}

#[test]
fn learndash_has_a_room_for_each_course_in_progress() {
    let report = "user_id,name,email,course_id,course_title,steps_completed,steps_total,course_completed,course_completed_on
4,Ann,ann@example.org,301,\"Bread, basics\",2,8,NO,
5,Ben,ben@example.org,301,\"Bread, basics\",8,8,YES,2026-05-01
4,Ann,ann@example.org,302,Cakes,0,5,NO,
";
    let scene = recipe("LearnDash", &[("learndash.csv", report)]);
    assert_eq!(
        members(&scene),
        ["course-301,\"Bread, basics\",4", "course-302,Cakes,4"]
    );
}

#[test]
fn brightspace_leaves_out_deleted_rows_and_other_roles() {
    let scene = recipe(
        "D2L Brightspace",
        &[
            (
                "06-Sections.csv",
                "type,action,code,name,start_date,end_date,is_active,department_code,template_code,semester_code,offering_code,custom_code\nsection,UPDATE,sec101,Biology 101,,,1,,,,off1,\nsection,DELETE,sec102,Old,,,1,,,,off1,\n",
            ),
            (
                "08-Enrollments.csv",
                "type,action,child_code,role_name,parent_code\nenrollment,UPDATE,s1,Student,sec101\nenrollment,,t1,Teacher,sec101\nenrollment,DELETE,s2,Student,sec101\nenrollment,UPDATE,p1,Parent,sec101\nenrollment,UPDATE,s2,Student,sec102\n",
            ),
            ("ids.csv", "org_defined_id,site_id\ns1,21\ns2,22\nt1,23\n"),
        ],
    );
    assert_eq!(
        members(&scene),
        [
            "section-sec101,Biology 101,21",
            "section-sec101,Biology 101,23"
        ]
    );
}

#[test]
fn blackboard_has_the_enabled_members_of_enabled_courses() {
    let scene = recipe(
        "Blackboard Learn",
        &[
            (
                "courses.txt",
                "external_course_key|course_id|course_name|available_ind|row_status\nBIO.1|BIO-1|Biology|Y|enabled\nOLD.1|OLD-1|Old|N|disabled\n",
            ),
            (
                "memberships.txt",
                "external_course_key|external_person_key|role|available_ind|row_status\nBIO.1|p1|student|Y|enabled\nBIO.1|p2|student|Y|disabled\nBIO.1|p3|P||ENABLED\nBIO.1|p3|S|Y|DISABLED\nBIO.1|p4|student|N|enabled\nOLD.1|p1|student|Y|enabled\n",
            ),
            (
                "ids.csv",
                "person_key,site_id\np1,31\np2,32\np3,33\np4,34\n",
            ),
        ],
    );
    assert_eq!(
        members(&scene),
        ["course-bio-1,Biology,31", "course-bio-1,Biology,33"]
    );
}

#[test]
fn rainlab_user_has_a_room_for_each_group() {
    let scene = recipe(
        "RainLab.User",
        &[(
            "users.csv",
            "id,name,email,groups\n1,Ann,a@example.org,guest|registered\n2,Ben,b@example.org,registered\n3,Cat,c@example.org,\n",
        )],
    );
    assert_eq!(
        members(&scene),
        [
            "group-guest,guest,1",
            "group-registered,registered,1",
            "group-registered,registered,2"
        ]
    );
}
