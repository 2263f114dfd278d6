//! `doctor`: collects the inputs of the checks, and prints their findings.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use super::members::CountLimits;
use super::options::load_options;
use super::prompt::{NO_TERMINAL, check_can_ask, confirm};
use super::session::connect;
use super::target::{ResolvedTarget, find_target, read_auth, write_auth};
use super::{Console, interrupt};
use crate::cli::{DoctorArgs, DocumentFormat};
use crate::config::{Config, Found, StoreVariables};
use crate::doctor::{self, Finding, Known, ProbedUsers, Report, Verdict, WriteProbe};
use crate::document::DoctorDocument;
use crate::error::{Error, Exit, Result, bail, error};
use crate::imbachat::{
    Cause, Dice, Failure, Http, ReadAuth, ReadRooms, Reader, Writer, show_variable,
};
use crate::ledger::Name;
use crate::manifest::LONGEST_PIPE;
use crate::model::{LiveRoom, Pipe, RoomId, UserId, is_hidden};
use crate::plan::{Countable, Counting};
use crate::render::{self, few};

pub async fn run(args: &DoctorArgs, config: &Config, console: &mut Console) -> Result<Exit> {
    if let Some(pipe) = &args.write_probe {
        check_probe(pipe, args, console)?;
    }
    let mut report = Report::default();
    report.add("settings", settings(config));
    let (options, by_default) = (load_options(config, false), config.files.is_empty());
    let (loaded, finding) = doctor::manifest(&config.manifest(), by_default, options);
    report.add("manifest", finding);
    let located = match is_target_unreadable(config) {
        true => Err(Finding::skipped("needs `settings`")),
        false => find_target(config, loaded.desired.widget).map_err(failed),
    };
    let insecure = config.server.connection.allow_insecure_http;
    report.add("address", doctor::address(located.as_ref(), insecure));
    let (site, needed) = match located {
        Ok(_) => {
            let site = ResolvedTarget::new(config, loaded.desired.widget);
            (site.map_err(failed), "needs `ledger`")
        }
        Err(_) => (Err(Finding::skipped("needs `address`")), "needs `address`"),
    };
    let connected = match &site {
        Ok(site) => connect(config, site).await.map_err(|error| {
            let failure = error.source.downcast_ref::<Failure>();
            let is_tls = failure.is_some_and(|failure| failure.cause == Some(Cause::Tls));
            (if is_tls { "tls" } else { "connection" }, failed(error))
        }),
        Err(_) => Err(("connection", Finding::skipped(needed))),
    };
    let credentials = &config.credentials;
    let unreadable = credentials.troubled(&["IMBACHAT_SECRET_KEY", "IMBACHAT_JWT"]);
    let auth = read_auth(config).map_err(|error| match unreadable {
        true => Finding::skipped("needs `settings`"),
        false => failed(error),
    });
    let target = site.as_ref().ok().map(|site| &site.target);
    let http = connected.as_ref().map(|(http, _)| http);
    let http = http.map_err(Clone::clone);
    let is_jwt_set = credentials.jwt.is_some();
    let server =
        doctor::check_server(&mut report, target, http, auth, is_jwt_set, &Dice::random()).await;
    let (recorded, finding) = match &site {
        Ok(ResolvedTarget { ledger, target, .. }) => {
            let snapshot = ledger.read(target).await.map_err(Error::from);
            doctor::ledger(ledger, snapshot.map_err(failed))
        }
        Err(finding) => (None, finding.clone()),
    };
    report.add("ledger", finding);
    let known = server.as_ref().map(|(reader, survey)| Known {
        reader,
        rooms: &survey.rooms,
        loaded: &loaded,
        recorded: recorded.as_ref(),
    });
    doctor::check_list(&mut report, known.as_ref());
    if let Some(pipe) = &args.write_probe {
        let (finding, probe) = match (&site, &connected, &known) {
            (Ok(site), Ok((http, _)), Some(known)) => {
                write_probe(pipe, args, site, http, known, config, console).await?
            }
            _ => (Finding::skipped("needs `answers`"), None),
        };
        report.add("write-probe", finding);
        report.probe = probe;
    }
    if let Ok((_, Some(sandbox))) = connected {
        sandbox.stop().await?;
    }
    report.target = site.ok().map(|site| site.target);
    print(&report, args.format, console)
}

fn print(report: &Report, format: DocumentFormat, console: &mut Console) -> Result<Exit> {
    let exit = match report.count(Verdict::Failed) {
        0 => Exit::Done,
        _ => Exit::Failed,
    };
    let text = |paint| render::doctor(report, paint);
    let printed = console.print_as(format, text, || DoctorDocument::new(report, exit));
    // Only a person can remove the created room, so the error must name it.
    printed.map_err(|error| match &report.probe {
        None => error,
        Some(WriteProbe { room, .. }) => {
            let error = error.chain();
            error!(Failed: "room {room} was created, but the report could not be printed: {error}";
                "remove the room in ImbaChat")
        }
    })?;
    Ok(exit)
}

/// Checks the settings from the environment and the command line.
fn settings(config: &Config) -> Finding {
    if config.sandbox().is_some() {
        return Finding::ok("the sandbox's own settings; the environment is not used");
    }
    let place = |found: &Found| match found.in_file {
        true => (found.name, format!("in a file, by {}_FILE", found.name)),
        false => {
            let network = &mut config.credentials.network.iter();
            let value = network.find(|(name, _)| *name == found.name);
            let value = value.map(|(name, value)| format!(": {}", show_variable(name, value)));
            let place = format!("in the environment{}", value.unwrap_or_default());
            (found.name, place)
        }
    };
    let mut settings: Vec<_> = config.credentials.found.iter().map(place).collect();
    // Problems with the ledger's variables are reported by the check `address`, not here.
    if let Some(Ok(Name::Object(address))) = config.named_ledger().map(Name::parse)
        && let Ok(variables) = StoreVariables::from_environment(address.kind)
    {
        settings.extend(variables.found.iter().map(place));
    }
    let target = &config.server.target;
    let on_command_line = |name| (name, "on the command line".to_owned());
    settings.extend(target.widget.map(|_| on_command_line("--widget")));
    settings.extend(target.api_url.iter().map(|_| on_command_line("--api-url")));
    let problems = config.credentials.problems.iter();
    doctor::settings(&settings, problems.map(|it| failed(&it.error)).collect())
}

/// Whether a variable that locates the widget cannot be read. If so, nothing may be sent to the
/// default address.
fn is_target_unreadable(config: &Config) -> bool {
    let (target, credentials) = (&config.server.target, &config.credentials);
    let widget = target.widget.is_none() && credentials.troubled(&["IMBACHAT_WIDGET"]);
    widget || target.api_url.is_none() && credentials.troubled(&["IMBACHAT_API_URL"])
}

/// Before any check runs, refuses a write probe if the pipe or the users are invalid, or if
/// there is no terminal to ask on.
fn check_probe(pipe: &str, args: &DoctorArgs, console: &Console) -> Result<()> {
    let bad = pipe.is_empty() || pipe.len() > LONGEST_PIPE || pipe.trim() != pipe;
    if bad || pipe.contains(is_hidden) {
        bail!(Usage: "--write-probe: the pipe is invalid";
            "use 1 to 255 bytes, without hidden characters or surrounding spaces");
    }
    let users: BTreeSet<&u64> = args.probe_users.iter().collect();
    if users.len() == 1 || users.len() < args.probe_users.len() {
        bail!(Usage: "--probe-users needs at least two users, each once";
            "write it as --probe-users 3,4,5");
    }
    let hint = "add --yes to create one room, which the API cannot delete";
    if !args.yes {
        check_can_ask(&args.format, hint)?;
    }
    match args.yes || console.streams.interactive {
        true => Ok(()),
        false => Err(error!(Refused: "no room was created: {NO_TERMINAL}"; hint)),
    }
}

/// Runs the write probe, unless a check blocks it.
async fn write_probe(
    pipe: &str,
    args: &DoctorArgs,
    site: &ResolvedTarget,
    http: &Http,
    known: &Known<'_>,
    config: &Config,
    console: &mut Console,
) -> Result<(Finding, Option<WriteProbe>)> {
    let pipe = Pipe::new(pipe);
    if let Some(finding) = doctor::refuse_pipe(&pipe, known) {
        return Ok((finding, None));
    }
    let auth = match write_auth(config) {
        Ok(auth) => auth,
        Err(error) => return Ok((failed(error), None)),
    };
    let users: Vec<UserId> = args.probe_users.iter().copied().map(UserId).collect();
    let (cannot, with) = match users.as_slice() {
        [] => ("delete a room", String::new()),
        users => (
            "delete a room or remove its members",
            format!(
                ", with the users {} as permanent members",
                few(users.iter(), users.len())
            ),
        ),
    };
    let (name, target) = (pipe.as_str(), &site.target);
    let question = format!("The API cannot {cannot}. Create the room `{name}` in {target}{with}?");
    if !args.yes && !confirm(&question, console).await? {
        return Ok((Finding::skipped("the answer was not `yes`"), None));
    }
    let writer = Writer::new(http.clone(), site.target.widget, auth);
    interrupt::finish(Some(doctor::UNDER_WAY));
    let dice = Dice::random();
    // Counts the members of the probe's room, and reads the list with a JWT for one of these
    // members.
    let look = async |room| {
        let countable = Countable {
            pipe: Pipe::default(),
            room,
            expected: users.len() as u64,
            is_recorded: true,
            is_created: true,
            last_offset: None,
            open_removals: 0,
            is_public: false,
        };
        let limits = CountLimits {
            requests: 200,
            bytes: 64 << 20,
            parallelism: 1,
        };
        let counting = Counting::new(vec![countable]);
        let counts = limits.count(known.reader, counting).await;
        let key = config.credentials.secret_key.clone();
        let listed = match key.zip(users.first().copied()) {
            Some((key, user)) => {
                let auth = ReadAuth::Minted { key, user };
                let reader = Reader::new(http.clone(), site.target.widget, auth);
                let take = |rooms: &mut Vec<RoomId>, row: LiveRoom| rooms.push(row.id);
                Some(reader.collect(&dice, Vec::new, take).await)
            }
            None => None,
        };
        ProbedUsers { counts, listed }
    };
    Ok(doctor::write_probe(pipe.clone(), &users, &writer, known, &dice, look).await)
}

fn failed(error: impl Borrow<Error>) -> Finding {
    let error = error.borrow();
    let remedy = (!error.hints.is_empty()).then(|| error.hints.join("; "));
    Finding::new(Verdict::Failed, error.chain(), remedy)
}
