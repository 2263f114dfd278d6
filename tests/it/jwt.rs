//! Tokens for reading. A token is either given in `IMBACHAT_JWT`, or signed with the secret key
//! for `--read-as`. A list that is read with a token may lack rooms.

use std::sync::atomic::{AtomicUsize, Ordering};

use insta::assert_snapshot;
use roomform::apply::{Interrupt, Patience};
use roomform::imbachat::{Written, expiry};
use roomform::ledger::{Claim, Claimed, LedgerError};
use roomform::model::{MessageId, Target, WidgetId};
use roomform::sandbox::{Quirks, Room};
use roomform::{
    Control, Delivery, Dice, Fact, Failure, Job, Limiter, LiveRoom, Message, Observed, Options,
    Outcome, PlanOptions, ReadRooms, Record, Recorded, RoomWrite, RowFilter, SendMessages, Status,
    WriteRooms, apply, check_text, plan,
};
use secrecy::SecretString;
use tokio::sync::watch;

use crate::support::{Canned, Scene, Shows, answer, header, live_room, runtime};

const MANIFEST: &str = "version: 1\nrooms:\n  - {pipe: team-a, title: Team A, members: [3, 4]}\n";
const EMPTY_LIST: &str = r#"{"success":"true","data":[],"code":200}"#;
/// Signed with the sandbox's key; expired in 2023.
const EXPIRED: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3MDAwMDAwMDAsInVzZXJfaWQiOjF9.dw2hV-pAQRIIa7b8zeF4EVqP1exhKJG_bd_C8SmYyik";

/// Signed with the sandbox's key for user 7; valid until 2100.
const OF_USER_7: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsInVzZXJfaWQiOjd9.u37G3L1f2EO8oRf0hdJuJUqIJcdMhVASfsmpZOhNupo";

fn at(url: &str, key: &str) -> Scene {
    Scene::new()
        .manifest(MANIFEST)
        .at(url)
        .env("IMBACHAT_WIDGET", "627")
        .env("IMBACHAT_SECRET_KEY", key)
}

#[test]
fn every_reading_command_works_with_a_token() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    let user = ["--read-as", "7"];
    let read = |args: &[&str]| scene.run([args, &user].concat()).ok();
    scene.apply().ok();
    assert_eq!(read(&["plan"]), scene.plan().ok());
    scene.declare(MANIFEST.replace("Team A", "Team B"));
    read(&["apply", "--yes"]);
    assert_eq!(scene.room("team-a").name, "Team B");
    assert_eq!(read(&["export"]), scene.run("export").ok());
    read(&["plan", "--detailed-exitcode"]);
    // Listing users and sending messages need the key.
    for verb in ["get users", "send --user 3 team-a Hello"] {
        let ran = scene.run(format!("{verb} --read-as 7"));
        ran.exits(64);
        ran.err.shows("has no flag `--read-as`");
    }
    read(&["plan", "--check-users"]);
    assert_eq!(scene.room("team-a").members, [3, 4].into());
    scene.run("plan --sandbox --read-as 7").ok();
}

#[test]
fn read_as_sends_a_token_for_an_hour_and_never_the_key() {
    let server = Canned::answer("200 OK", "", EMPTY_LIST);
    at(&server.url(), "secret_key")
        .env("IMBACHAT_JWT", EXPIRED)
        .run("plan --read-as 7")
        .ok();
    let request = server.requests().remove(0);
    assert_eq!(header(&request, "authorization"), None);
    let token = header(&request, "jwt").unwrap();
    token.begins("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.");
    let left = expiry(&SecretString::from(token)).unwrap().as_second()
        - jiff::Timestamp::now().as_second();
    assert!((3_500..=3_600).contains(&left), "{left}");
}

#[test]
fn a_refused_token_and_a_missing_key_are_reported() {
    let scene = Scene::new().sandbox();
    let url = scene.url();
    let said = |scene: Scene, args: &[&str]| {
        let ran = scene.run([&["plan"], args].concat());
        format!("exit {}\n{}", ran.code, ran.all())
    };
    assert_snapshot!(said(at(&url, "another key"), &["--read-as", "7"]), @"
    exit 1
    error: the server does not accept the JWT signed with the widget's secret key (HTTP 401): the widget's number or its secret key is wrong
      hint: check --read-as, IMBACHAT_WIDGET, IMBACHAT_SECRET_KEY and this machine's clock; if you omit --read-as, roomform sends the secret key itself instead of a JWT
    ");
    let unsigned = at(&url, "").env("IMBACHAT_JWT", EXPIRED);
    assert_snapshot!(said(unsigned, &["--read-as", "7"]), @"
    exit 1
    error: no credentials for signing a JWT (--read-as): IMBACHAT_SECRET_KEY not set
      hint: set them in the environment, or name files with ..._FILE
      hint: or try --sandbox, which needs no credentials
    ");
    assert_snapshot!(said(at(&url, "").env("IMBACHAT_JWT", EXPIRED), &[]), @"
    exit 1
    error: the server does not accept the JWT (HTTP 401): the widget's number or its secret key is wrong
      hint: check IMBACHAT_JWT: it may have expired, or be signed with another widget's key
    ");
    assert_eq!(dir_code(&url, "0"), 64);
}

fn dir_code(url: &str, user: &str) -> i32 {
    at(url, "key").run(["plan", "--read-as", user]).code
}

#[test]
fn a_token_is_hidden_if_the_server_repeats_it() {
    let echo = |status: &'static str| {
        Canned::by(move |request| {
            let token = header(request, "jwt").unwrap_or_default();
            let body = format!(r#"{{"code":403,"error":"no right for {token}!"}}"#);
            answer(status, &format!("X-Token: {token}\r\n"), &body)
        })
    };
    for status in ["403 Forbidden", "200 OK"] {
        let server = echo(status);
        let ran = at(&server.url(), "secret_key").run("plan -vv --read-as 7");
        ran.exits(1);
        let requests = server.requests();
        ran.all().lacks(header(&requests[0], "jwt").unwrap());
        ran.err.shows("no right for ***!");
        ran.err.shows("JWT signed with the secret key");
    }
}

/// A token of user 7 lists only the room `seen`.
fn narrow() -> Scene {
    let scene = Scene::new()
        .sandbox_with_quirks(Quirks {
            jwt_lists_own: true,
            ..Quirks::default()
        })
        .manifest(
            "\
version: 1
limits: {create: 0}
rooms:
  - {pipe: new, title: New}
  - {pipe: seen, title: Seen}
  - {pipe: unseen, title: Unseen, public: true}
",
        );
    for (pipe, members) in [("seen", [3, 7]), ("unseen", [3, 4])] {
        scene.insert(Room {
            members: members.into(),
            ..live_room(pipe, "Old title")
        });
    }
    scene
}

/// Runs the program with a token of user 7, either given or signed with the key.
fn with_token(scene: &Scene, given: bool, args: &str) -> crate::support::Ran {
    if !given {
        return scene.run(format!("{args} --read-as 7"));
    }
    Scene::new()
        .manifest(scene.read("rooms.yaml"))
        .beside(scene)
        .env("IMBACHAT_SECRET_KEY", "")
        .env("IMBACHAT_JWT", OF_USER_7)
        .run(args)
}

#[test]
fn a_room_that_a_token_does_not_list_is_a_conflict_and_is_never_created() {
    for given in [false, true] {
        let scene = narrow();
        let ran = with_token(&scene, given, "apply --yes --allow-recreate");
        ran.exits(4);
        assert_eq!(scene.rooms().len(), 2, "{given}: a room was created");
        assert_eq!(scene.room("seen").name, "Seen", "the others are applied");
        let unseen = scene.room("unseen");
        assert_eq!(
            (unseen.name.as_str(), unseen.is_public),
            ("Old title", false)
        );
    }
}

#[test]
fn plans_show_rooms_that_are_not_listed_as_conflicts() {
    let scene = narrow();
    let token = ["--read-as", "7"];
    let run = |args: &[&str]| scene.run([args, &token].concat());
    assert_snapshot!(run(&["plan", "--assume-members"]).ok().replace(&scene.url(), "API"), @r#"
      conflicts: nothing is written to these rooms
        new (rooms.yaml:4): the room is not listed: a JWT may show only one user's rooms; read with the secret key
        unseen (rooms.yaml:6): the room is not listed: a JWT may show only one user's rooms; read with the secret key

      # rooms.yaml:5
      ~ seen                 update
          title   "Old title" → "Seen"

    plan: 1 to update, 2 conflicts; 0 unchanged, 0 unmanaged
          3 requests: 1 to list, 1 to write, 1 to verify
          target: widget 627 on API
    "#);
    run(&["plan", "--detailed-exitcode"]).exits(2);
    // The list that is read with the key contains the room, so a limit and a guard refuse the
    // plan.
    scene.plan().exits(5);
    scene
        .run("apply --yes --ignore-limits --allow-publish unseen")
        .ok();
    // If the ledger records a room, the room is not treated as missing, and is not recreated.
    let plan = run(&["plan", "--allow-recreate", "--format", "json"]);
    plan.exits(0);
    let conflicts = &plan.json()["conflicts"];
    let unseen = scene.room("unseen").id;
    assert_eq!(conflicts[1]["pipe"], "unseen");
    assert_eq!(conflicts[1]["kind"], "not_listed");
    assert_eq!(conflicts[1]["room_ids"], serde_json::json!([unseen]));
    for format in ["text", "markdown", "html", "github"] {
        let plan = run(&["plan", "--format", format]).ok();
        assert!(plan.contains("not listed"), "{format}: {plan}");
        let hint = "read with the secret key";
        assert!(plan.contains(hint), "{format}: {plan}");
        let gone = ["vanished", "deleted", "--allow-recreate"];
        assert!(
            !gone.iter().any(|word| plan.contains(word)),
            "{format}: {plan}"
        );
    }
    let ran = run(&[
        "apply",
        "--yes",
        "--allow-recreate",
        "--report",
        "report.json",
    ]);
    assert_eq!((ran.code, scene.rooms().len()), (4, 3), "{ran:#?}");
    scene.read("report.json").shows("\"not_listed\"");
    // Another room with the pipe does not prove that the recorded one is gone.
    let other = Room {
        pipe: "unseen".to_owned(),
        members: [7].into(),
        kind: 1,
        ..Room::default()
    };
    scene.insert(other);
    let conflicts = run(&["plan", "--format", "json"]).json()["conflicts"].clone();
    assert_eq!(conflicts[1]["room_ids"], serde_json::json!([unseen]));
}

#[test]
fn a_plan_saved_with_the_key_creates_nothing_through_a_token() {
    let scene = narrow();
    let allowed = ["--ignore-limits", "--allow-publish", "unseen"];
    scene
        .run([&["plan", "-o", "plan.json"], &allowed[..]].concat())
        .ok();
    let applied = |more: &[&str]| {
        let args = ["apply", "plan.json", "--read-as", "7"];
        scene.run([&args, &allowed[..], more].concat())
    };
    let ran = applied(&[]);
    ran.exits(5);
    ran.err.shows("may show only one user's rooms");
    applied(&["--apply-fresh"]).exits(4);
    assert_eq!(scene.rooms().len(), 2);
    assert_eq!(scene.room("seen").name, "Seen");
}

#[test]
fn export_adoption_and_doctor_say_that_rooms_may_be_missing() {
    let scene = narrow();
    let token = ["--read-as", "7"];
    let run = |args: &[&str]| scene.run([args, &token].concat());
    let export = run(&["export"]);
    export.lacks("unseen");
    assert_snapshot!(export.err, @"warning: the export may be incomplete: a JWT may show only one user's rooms; read with the secret key");
    assert_snapshot!(run(&["ledger", "adopt", "--roster", "--yes"]).ok().replace(&scene.url(), "API"), @"
      seen                 room 1: the room itself

    adopt: 0 memberships of 1 room to record as present
           2 declared rooms not listed: a JWT may show only one user's rooms; read with the secret key
           target: widget 627 on API
           nothing is sent to the server, and it confirms nothing: `apply` will not add a recorded user who is not in the room
    ");
    scene
        .run("apply --yes --ignore-limits --allow-publish unseen")
        .ok();
    let doctor = run(&["doctor", "--write-probe", "probe", "--yes"]);
    let lines = doctor.out.lines().filter(|line| line.contains("JWT"));
    assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
    ok       credentials     for user 7, the server accepts a JWT signed with the secret key
    ok       token           a new JWT is signed for each request, and is valid for an hour
    warning  rooms           1 room: 1 conference; 0 public; a JWT may show only one user's rooms
                             remedy: use the secret key for reading: with a JWT, a declared room that is not in the list is a conflict, and roomform does not create it
                             remedy: read with the secret key: a JWT may show only one user's rooms
    failed   write-probe     nothing was written: a JWT may show only one user's rooms, so the pipe may belong to a live room that is not in the list
    ");
    assert_eq!(scene.rooms().len(), 3, "no probe was made");
}

/// A server that returns an empty list and answers no write.
#[derive(Default)]
struct Silent(AtomicUsize);

impl ReadRooms for Silent {
    async fn list(&self, _: &mut dyn FnMut(LiveRoom)) -> Result<(), Failure> {
        Ok(())
    }

    fn is_partial(&self) -> bool {
        true
    }
}

impl WriteRooms for Silent {
    async fn write(&self, _: &RoomWrite<'_>) -> Result<Written, Failure> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(Failure::passing(Delivery::Uncertain, "no answer"))
    }
}

impl SendMessages for Silent {
    async fn send(&self, _: &Message<'_>) -> Result<Option<MessageId>, Failure> {
        panic!("nothing should be printed")
    }
}

impl Record for Silent {
    async fn append(&self, _: Vec<Fact>) -> Result<(), LedgerError> {
        Ok(())
    }

    async fn claim(&self, _: Claim, _: Fact) -> Result<Claimed, LedgerError> {
        Ok(Claimed::Ours)
    }
}

/// The plan was made from a complete list, but the list that is read after the create may be incomplete.
#[test]
fn an_unanswered_create_stays_uncertain_if_the_list_may_lack_the_room() {
    let desired = check_text("rooms.yaml", MANIFEST, Options::default())
        .unwrap()
        .desired;
    let target = Target {
        origin: "https://api.imbachat.com".to_owned(),
        widget: WidgetId(627),
    };
    let (observed, recorded) = (Observed::default(), Recorded::default());
    let plan = plan(
        &target,
        &desired,
        &observed,
        &recorded,
        &PlanOptions::default(),
    );
    assert_eq!(plan.summary.create, 1);
    let server = Silent::default();
    let (_interrupt, interrupted) = watch::channel(Interrupt::None);
    let outcome: Outcome = runtime().block_on(async {
        tokio::time::pause();
        let (pace, dice) = (Limiter::new(1, None), Dice::new(7));
        let control = Control::new(pace, dice, false, Patience::default(), interrupted);
        let job = Job {
            plan: &plan,
            filter: RowFilter::new(&desired),
            reader: &server,
            writer: &server,
            ledger: &server,
            control,
        };
        apply(job, |_| {}).await
    });
    assert_eq!(server.0.load(Ordering::SeqCst), 1, "it was sent again");
    let Status::Uncertain(_, reason) = &outcome.rooms[0].status else {
        panic!("{:?}", outcome.rooms);
    };
    assert_eq!(
        reason,
        "no answer; the list does not show the room, but it may show only one user's rooms"
    );
}
