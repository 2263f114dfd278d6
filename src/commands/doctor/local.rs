//! What can be looked at without a server: variables, manifest, address, ledger.

use crate::config::{Config, Found, StoreVariables};
use crate::error::Error;
use crate::ledger::{Name, Remembered};
use crate::manifest::diagnostic::{Diagnostic, Sources};
use crate::manifest::{Loaded, Options, load};
use crate::model::{Recorded, Step};
use crate::render::Count;

use super::super::target::ResolvedTarget;
use super::quoted;

/// An error's remedies in one line.
pub(super) fn remedy(error: &Error) -> Option<String> {
    let hints = error.hints.as_slice();
    (!hints.is_empty()).then(|| hints.join("; "))
}

/// A step that failed with an error.
pub(super) fn failed(name: &'static str, error: &Error) -> Step {
    Step::failed(name, error.chain(), remedy(error))
}

/// Which variables are set, and where their values are; never the values.
pub(super) fn settings(config: &Config) -> Step {
    const NAME: &str = "settings";
    if config.sandbox().is_some() {
        return Step::ok(NAME, "the sandbox's own; the environment is not looked at");
    }
    let told = |found: &Found| {
        let place = if found.in_file {
            format!("in a file, by {}_FILE", found.name)
        } else {
            "in the environment".to_owned()
        };
        format!("{} {place}", found.name)
    };
    let credentials = &config.credentials;
    let mut details: Vec<String> = credentials.found.iter().map(told).collect();
    details.extend(of_the_ledger(config).iter().map(told));
    let flags = [
        ("--widget", config.server.target.widget.is_some()),
        ("--api-url", config.server.target.api_url.is_some()),
    ];
    let flags = flags.iter().filter(|(_, given)| *given);
    details.extend(flags.map(|(name, _)| format!("{name} on the command line")));
    if let Some(problem) = credentials.problems.first() {
        let mut step = failed(NAME, &problem.error);
        let more = credentials.problems.iter().skip(1);
        let more = more.map(|problem| problem.error.chain());
        step.details = more.chain(details).collect();
        return step;
    }
    let has = |name: &str| credentials.found.iter().any(|found| found.name == name);
    let found = format!("{} found", Count(details.len(), "setting"));
    let half = |set, missing| {
        let message = format!("{found}; {set} is set and {missing} is not: `apply` needs both");
        Step::warning(NAME, message, format!("set {missing} too"))
    };
    let step = match (has("IMBACHAT_LOGIN"), has("IMBACHAT_PASSWORD")) {
        _ if details.is_empty() => Step::ok(NAME, "nothing is set"),
        (true, true) => Step::ok(NAME, found),
        (true, false) => half("IMBACHAT_LOGIN", "IMBACHAT_PASSWORD"),
        (false, true) => half("IMBACHAT_PASSWORD", "IMBACHAT_LOGIN"),
        (false, false) => {
            let message = format!("{found}; none for writing, which only `apply` needs");
            Step::ok(NAME, message)
        }
    };
    step.with(details)
}

/// Which variables say how to reach the ledger, where it lies in a bucket. What is wrong with one is told by the step `address`.
fn of_the_ledger(config: &Config) -> Vec<Found> {
    let name = config.named_ledger().map(Name::parse);
    match name {
        Some(Ok(Name::Object(address))) => StoreVariables::from_environment(address.kind)
            .map_or_else(|_| Vec::new(), |variables| variables.found),
        _ => Vec::new(),
    }
}

/// The manifest, if there is one.
pub(super) fn manifest(config: &Config) -> (Loaded, Step) {
    const NAME: &str = "manifest";
    let paths = config.manifest();
    let by_default = config.files.is_empty();
    if by_default && paths.iter().all(|path| !path.exists()) {
        let step = Step::skipped(NAME, "there is no rooms.yaml and no rooms/ here");
        return (Loaded::default(), step);
    }
    let loaded = load(&paths, Options::default());
    let (files, rooms) = (loaded.sources.names().len(), loaded.desired.rooms.len());
    let found = format!(
        "{}: {}, {}",
        Count(files, "file"),
        Count(rooms, "room"),
        Count(loaded.desired.memberships(), "membership")
    );
    let told = loaded.diagnostics.iter();
    let told: Vec<String> = told.map(|it| told_of(it, &loaded.sources)).collect();
    let step = match (loaded.is_valid(), told.len()) {
        (true, 0) => Step::ok(NAME, found),
        (true, count) => {
            let message = format!("{found}; {}", Count(count, "warning"));
            Step::warning(NAME, message, "see roomform check").with(told)
        }
        (false, count) => {
            let message = format!("the manifest is invalid: {}", Count(count, "mistake"));
            let remedy = "see roomform check, which draws each with its remedy".to_owned();
            Step::failed(NAME, message, Some(remedy)).with(told)
        }
    };
    (loaded, step)
}

fn told_of(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let place = diagnostic.at.and_then(|at| {
        let name = &sources.file(at.file)?.name;
        Some(format!("{name}:{}: ", sources.locate(at).line))
    });
    let path = diagnostic.path.as_ref().map(|path| format!("{path}: "));
    let place = place.or(path).unwrap_or_default();
    let code = diagnostic.code.id();
    format!("{place}{code} {}", diagnostic.message)
}

/// Whether the environment means to say where the widget is, and cannot be understood. Then nothing may be sent to the place
/// that would be taken without it.
pub(super) fn misplaced(config: &Config) -> bool {
    let (target, credentials) = (&config.server.target, &config.credentials);
    let widget = target.widget.is_none() && credentials.troubled(&["IMBACHAT_WIDGET"]);
    widget || target.api_url.is_none() && credentials.troubled(&["IMBACHAT_API_URL"])
}

/// Which widget, and where: an address that credentials may be sent to.
pub(super) fn address(site: &Result<ResolvedTarget, Error>, config: &Config) -> Step {
    const NAME: &str = "address";
    let site = match site {
        _ if misplaced(config) => return Step::skipped(NAME, "needs `settings`"),
        Ok(site) => site,
        Err(error) => return failed(NAME, error),
    };
    let target = site.target.to_string();
    let origin = &site.target.origin;
    if origin.starts_with("http:") && config.server.connection.allow_insecure_http {
        let message = format!("{target}: with --allow-insecure-http credentials go there in clear");
        return Step::warning(NAME, message, "use https");
    }
    Step::ok(NAME, target)
}

/// The ledger: there, whole, and of this widget. What is on record, if it can be used.
pub(super) async fn ledger(site: Option<&ResolvedTarget>) -> (Option<Recorded>, Step) {
    const NAME: &str = "ledger";
    let Some(site) = site else {
        return (None, Step::skipped(NAME, "needs `address`"));
    };
    let path = quoted(&site.ledger.to_string());
    let remembered = match site.ledger.remember(&site.target).await {
        Ok(remembered) => remembered,
        Err(error) => return (None, failed(NAME, &error.into())),
    };
    let Remembered {
        recorded,
        warnings,
        found,
    } = remembered;
    if !found {
        return (
            None,
            Step::skipped(NAME, format!("there is none yet at {path}")),
        );
    }
    let rooms = Count(recorded.ids.len(), "room");
    let message = format!("{path}: {rooms} on record");
    let step = if warnings.is_empty() {
        Step::ok(NAME, message)
    } else {
        let remedy = "nothing: the next write mends it";
        Step::warning(NAME, message, remedy).with(warnings)
    };
    (Some(recorded), step)
}
