//! Runs `examples/kubernetes`. As in Kubernetes, the variables in the container's arguments are
//! expanded, and the manifest and the secrets are files.

use std::fs;
use std::path::Path;

use serde_yaml::Value;

use super::S3;
use roomform::sandbox::Quirks;

use crate::support::{Running, Scene};

fn document(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/kubernetes");
    serde_yaml::from_str(&fs::read_to_string(path.join(name)).unwrap()).unwrap()
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_sequence().unwrap().iter();
    list.map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The file system of a pod. All mounts are below one directory, and the pod's environment
/// variables point to that directory.
fn pod(pod: &Value, server: &Scene, s3: &S3) -> Scene {
    let container = &pod["containers"][0];
    let place = |path: &str| path.trim_start_matches('/').to_owned();
    let manifest = document("manifest.yaml");
    let mut scene = Scene::new();
    for mount in container["volumeMounts"].as_sequence().unwrap() {
        let path = place(mount["mountPath"].as_str().unwrap());
        let name = &mount["name"];
        let volumes = pod["volumes"].as_sequence().unwrap();
        let volume = volumes
            .iter()
            .find(|volume| volume["name"] == *name)
            .unwrap();
        let files: Vec<(&str, String)> = match volume["secret"]["secretName"].as_str() {
            None => {
                assert_eq!(volume["configMap"]["name"], manifest["metadata"]["name"]);
                let files = manifest["data"].as_mapping().unwrap().iter();
                files
                    .map(|(name, text)| (name.as_str().unwrap(), text.as_str().unwrap().to_owned()))
                    .collect()
            }
            Some("roomform-reading") => vec![("secret-key", "secret_key".to_owned())],
            Some("roomform-writing") => vec![
                ("secret-key", "secret_key".to_owned()),
                ("login", "admin\n".to_owned()),
                ("password", "admin".to_owned()),
            ],
            Some("roomform-ledger" | "roomform-ledger-reading") => vec![
                ("access-key-id", s3.env()[1].1.clone()),
                ("secret-access-key", format!("{}\n", s3.env()[2].1)),
            ],
            Some(other) => panic!("what is in {other}?"),
        };
        for (name, text) in files {
            scene.write(&format!("{path}/{name}"), text);
        }
    }
    for variable in container["env"].as_sequence().unwrap() {
        let [name, value] = ["name", "value"].map(|key| variable[key].as_str().unwrap());
        scene = scene.env(name, &place(value));
    }
    scene.at(&server.url()).env("AWS_ENDPOINT_URL", &s3.url())
}

/// The arguments of a container in the pod with this index.
fn arguments(container: &Value, index: u64) -> Vec<String> {
    let arguments = texts(&container["args"]).into_iter();
    let expanded = arguments.map(|argument| {
        argument
            .replace("$(JOB_COMPLETION_INDEX)", &index.to_string())
            .replace("=/etc", "=etc")
            .replace("s3://example-ledgers/", "s3://bucket/")
    });
    expanded.collect()
}

#[test]
fn the_job_applies_all_parts_and_the_cron_job_finds_drift() {
    let (server, s3) = (Scene::new().sandbox(), S3::start());
    let job = document("apply.yaml");
    let template = &job["spec"]["template"]["spec"];
    let container = &template["containers"][0];
    let parts = job["spec"]["completions"].as_u64().unwrap();
    assert_eq!(job["spec"]["completionMode"], "Indexed");
    let whole = format!("/{parts}");
    assert!(
        texts(&container["args"])
            .iter()
            .any(|argument| argument.ends_with(&whole))
    );
    let pods: Vec<Scene> = (0..parts).map(|_| pod(template, &server, &s3)).collect();
    let begin = |(index, scene): (usize, &Scene)| {
        let arguments = arguments(container, index as u64);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        scene.spawn(&arguments)
    };
    let children: Vec<Running> = pods.iter().enumerate().map(begin).collect();
    for mut child in children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    let pipes: Vec<String> = server.rooms().into_iter().map(|room| room.pipe).collect();
    assert_eq!((pipes.len(), server.writes()), (3, 3), "{pipes:?}");

    let job = document("drift.yaml");
    let template = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let scene = pod(template, &server, &s3);
    let arguments = arguments(&template["containers"][0], 0);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ran = scene.run(&arguments);
    ran.exits(0);
    let id = server.room("lounge").id;
    server.world(|world| {
        // The list shows the room as deleted. If the room were missing from the list, the list
        // might only be out of date.
        world.set_quirks(Quirks {
            show_deleted: true,
            ..Quirks::default()
        });
        assert!(world.delete_room(627, id, 0));
    });
    let ran = scene.run(&arguments);
    ran.exits(2);
}
