//! Local checks: settings, manifest, address and ledger.

use std::path::PathBuf;

use super::{Finding, quoted};
use crate::ledger::{LedgerBackend, Snapshot};
use crate::manifest::diagnostic::{Diagnostic, Severity, Sources};
use crate::manifest::{Loaded, Options, load};
use crate::model::{Count, Recorded, Target};

/// Reports which settings were found and where, but not their values. `problems` are invalid settings.
pub fn settings(found: &[(&str, String)], problems: Vec<Finding>) -> Finding {
    let details = found.iter().map(|(name, place)| format!("{name} {place}"));
    let mut problems = problems.into_iter();
    if let Some(first) = problems.next() {
        let others = problems.map(|problem| problem.message);
        return first.with(others.chain(details).collect());
    }
    let count = format!("{} found", Count(found.len(), "setting"));
    let has = |name: &str| found.iter().any(|(found, _)| *found == name);
    let half = |set: &str, missing: &str| {
        let message = format!("{count}; {set} is set and {missing} is not: `apply` needs both");
        Finding::warning(message, format!("set {missing} too"))
    };
    let finding = match (has("IMBACHAT_LOGIN"), has("IMBACHAT_PASSWORD")) {
        _ if found.is_empty() => Finding::ok("nothing is set"),
        (true, true) => Finding::ok(&count),
        (true, false) => half("IMBACHAT_LOGIN", "IMBACHAT_PASSWORD"),
        (false, true) => half("IMBACHAT_PASSWORD", "IMBACHAT_LOGIN"),
        (false, false) => Finding::ok(format!(
            "{count}; the credentials for writing are not set, but only `apply` needs them"
        )),
    };
    finding.with(details.collect())
}

/// Checks the manifest. If `by_default` is set, the manifest may be missing.
pub fn manifest(paths: &[PathBuf], by_default: bool, options: Options) -> (Loaded, Finding) {
    if by_default && paths.iter().all(|path| !path.exists()) {
        let finding = Finding::skipped("there is no rooms.yaml and no rooms/ here");
        return (Loaded::default(), finding);
    }
    let loaded = load(paths, options);
    let diagnostics = loaded.diagnostics.iter();
    let lines: Vec<String> = diagnostics.map(|it| line(it, &loaded.sources)).collect();
    if !loaded.is_valid() {
        let errors = loaded.diagnostics.iter();
        let errors = errors.filter(|it| it.severity() == Severity::Error);
        let errors = Count(errors.count(), "error");
        let message = format!("the manifest is invalid: {errors}");
        let remedy = "run `roomform check`, which shows how to fix each one";
        let finding = Finding::failed(message, remedy).with(lines);
        return (loaded, finding);
    }
    let files = Count(loaded.sources.names().len(), "file");
    let rooms = Count(loaded.desired.rooms.len(), "room");
    let memberships = Count(loaded.desired.memberships(), "membership");
    let found = format!("{files}: {rooms}, {memberships}");
    let message = format!("{found}; {}", Count(lines.len(), "warning"));
    let finding = Finding::cases(lines, &found, message, "run `roomform check`");
    (loaded, finding)
}

fn line(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let place = diagnostic.at.and_then(|at| {
        let name = &sources.file(at.file)?.name;
        Some(format!("{name}:{}: ", sources.locate(at).line))
    });
    let path = diagnostic.path.as_ref().map(|path| format!("{path}: "));
    let place = place.or(path).unwrap_or_default();
    let code = diagnostic.code.id();
    format!("{place}{code} {}", diagnostic.message)
}

/// Checks the widget and the address, which must be safe for credentials.
pub fn address(target: Result<&Target, &Finding>, allow_insecure_http: bool) -> Finding {
    match target {
        Err(finding) => finding.clone(),
        Ok(target) if target.origin.starts_with("http:") && allow_insecure_http => {
            let risk = "with --allow-insecure-http, credentials are sent there unencrypted";
            Finding::warning(format!("{target}: {risk}"), "use https")
        }
        Ok(target) => Finding::ok(target.to_string()),
    }
}

/// Checks that the ledger exists, is valid, and belongs to this widget. Also returns the content of
/// a usable ledger.
pub fn ledger(
    ledger: &LedgerBackend,
    snapshot: Result<Snapshot, Finding>,
) -> (Option<Recorded>, Finding) {
    let path = quoted(&ledger.to_string());
    match snapshot {
        Err(finding) => (None, finding),
        Ok(snapshot) if !snapshot.found => (
            None,
            Finding::skipped(format!("there is no ledger at {path} yet")),
        ),
        Ok(mut snapshot) => {
            let warnings = std::mem::take(&mut snapshot.warnings);
            let recorded = snapshot.into_recorded();
            let rooms = Count(recorded.ids.len(), "room");
            let message = format!("{path}: {rooms} on record");
            let remedy = "no action needed: the next write to the ledger repairs it";
            let finding = Finding::cases(warnings, &message.clone(), message, remedy);
            (Some(recorded), finding)
        }
    }
}
