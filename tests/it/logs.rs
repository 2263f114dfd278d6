//! What a run tells beside its output: a run id that leads from the server's log to ours, decisions under `-v`, requests under `-vv`.

use std::collections::BTreeSet;

use roomform::sandbox::Config;

use crate::fault_matrix::Proxy;
use crate::support::{Api, Dir};

const MANIFEST: &str = "version: 1\nrooms:\n  - {pipe: team-a, title: Team A, members: [3, 4]}\n";

/// The ids in a text, each after the same words.
fn ids(text: &str, before: &str) -> BTreeSet<String> {
    let found = text.split(before).skip(1);
    found
        .map(|rest| rest.chars().take_while(char::is_ascii_hexdigit).collect())
        .collect()
}

#[test]
fn one_id_leads_from_the_servers_log_to_ledger_and_report() {
    let api = Api::start(Config::default());
    let proxy = Proxy::start(&api.env().swap_remove(0).1, |_, _| None);
    let dir = Dir::with(MANIFEST)
        .envs(&api.env())
        .env("IMBACHAT_API_URL", &proxy.url());
    let report = dir.run(&["apply", "--yes", "--format", "json", "--ledger", "l.jsonl"]);
    let run = report.json()["run"].as_str().unwrap().to_owned();
    assert_eq!(run.len(), 16);
    let own = BTreeSet::from([run.clone()]);
    let sent: Vec<String> = proxy.seen().into_iter().map(|call| call.request).collect();
    assert_eq!(sent.len(), 3, "list, write, verify");
    for request in &sent {
        let agent = format!(
            "user-agent: roomform/{} (run {run})\r\n",
            env!("CARGO_PKG_VERSION")
        );
        assert!(request.contains(&agent), "{request}");
    }
    assert_eq!(ids(&dir.read("l.jsonl"), "\"run\":\""), own);
    // Another run, another id; also where nothing was carried out.
    let again = dir.run(&["apply", "--yes", "--format", "json", "--ledger", "l.jsonl"]);
    assert_ne!(again.json()["run"], *run);
    assert_eq!(again.json()["applied"], false);
}
