//! Checks that the sandbox matches the API's pages: runs every curl command on them with the real curl and changes only
//! host and credentials. The answers and effects must match the pages.

use std::collections::BTreeSet;

use roomform::sandbox::{Room, Sandbox};

use crate::pages::{
    HOSTS, MESSAGES_PAGE, Printed, ROOMS_PAGE, aimed, all_printed, assert_all_called,
    assert_like_printed, command, curl, pages_sandbox, printed, room, with_credentials,
    without_space,
};
use crate::support::Shows;

/// Runs a command against the sandbox with real credentials in place of the printed ones. Returns the HTTP status and
/// the body.
async fn run(sandbox: &Sandbox, printed: &Printed) -> (u16, String) {
    run_as_it_is(sandbox, &with_credentials(&printed.command)).await
}

async fn run_as_it_is(sandbox: &Sandbox, command: &str) -> (u16, String) {
    let command = aimed(command, &sandbox.base_url());
    let script = format!("{command} -s -w '\n%{{http_code}}'");
    let text = tokio::task::spawn_blocking(move || curl(&script));
    let text = text.await.unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), body.to_owned())
}

#[test]
fn the_pages_print_seven_commands() {
    let urls = |page| {
        let urls = printed(page).into_iter().map(|printed| {
            let url = printed.command.split('\'').nth(1).unwrap();
            HOSTS
                .iter()
                .find_map(|host| url.strip_prefix(host))
                .unwrap()
                .to_owned()
        });
        urls.collect::<Vec<_>>()
    };
    assert_eq!(
        urls(ROOMS_PAGE),
        [
            "/imbachat/v1/widget/imba_rooms",
            "/imbachat/v1/widget/imba_rooms",
            "/imbachat/v2/627/get_users",
            "/imbachat/v2/627/get_rooms",
        ]
    );
    assert_eq!(
        urls(MESSAGES_PAGE),
        [
            "/imbachat/v2/627/send_msg",
            "/imbachat/v2/627/get_users",
            "/imbachat/v2/627/get_rooms"
        ]
    );
    for page in [ROOMS_PAGE, MESSAGES_PAGE] {
        assert_eq!(
            printed(page).len(),
            page.matches("curl --").count(),
            "none is overlooked"
        );
    }
}

#[tokio::test]
async fn all_commands_run_in_sequence() {
    let sandbox = pages_sandbox().await;
    for printed in all_printed() {
        let (status, body) = run(&sandbox, &printed).await;
        assert_eq!(status, 200, "{}: {body}", printed.command);
    }
    assert_all_called(&sandbox);
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn the_printed_create_makes_a_closed_room_because_of_a_space() {
    let sandbox = pages_sandbox().await;
    let printed = command(ROOMS_PAGE, "/imba_rooms", 0);
    // The printed name of the field ends with a space.
    printed.command.shows("'room_is_public =1'");
    let (status, body) = run(&sandbox, &printed).await;

    let made = room(&sandbox, 209, 1538);
    assert_eq!(status, 200);
    assert_eq!(
        body,
        without_space(&printed.answers[0]).replace("613", "1538")
    );
    assert_eq!(made.name, "Тестовая API группа 9");
    assert_eq!(made.kind, 1);
    assert_eq!(made.members, BTreeSet::from([3, 4]));
    assert!(
        !made.is_public,
        "PHP reads another name, so the room stays closed"
    );
    let (clock, epoch) = made.pipe.split_once('_').unwrap();
    assert_eq!(
        (clock.len(), epoch.len()),
        (13, 10),
        "an empty pipe gets a generated one"
    );
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn the_create_without_the_space_makes_a_public_room() {
    let sandbox = pages_sandbox().await;
    let printed = command(ROOMS_PAGE, "/imba_rooms", 0);
    let command = printed
        .command
        .replace("room_is_public =1", "room_is_public=1");
    assert_eq!(run_as_it_is(&sandbox, &command).await.0, 200);
    assert!(room(&sandbox, 209, 1538).is_public);
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn a_member_is_added_to_room_613() {
    let sandbox = pages_sandbox().await;
    let printed = command(ROOMS_PAGE, "/imba_rooms", 1);
    let rooms = sandbox.with_world(|world| world.rooms(209).len());
    let (status, body) = run(&sandbox, &printed).await;

    assert_eq!(status, 200);
    assert_eq!(printed.answers.len(), 2, "both shapes are printed here");
    assert_eq!(
        body,
        without_space(&printed.answers[1]),
        "the second one, not quite JSON"
    );
    let made = room(&sandbox, 209, 613);
    let expected = Room {
        id: 613,
        pipe: "5fbca000aaaaa_1606200000".to_owned(),
        name: "Тестовая API группа 9".to_owned(),
        kind: 1,
        is_public: false,
        members: BTreeSet::from([1, 9]),
        deleted_at: None,
        ..made.clone()
    };
    assert_eq!(made, expected);
    assert_eq!(
        sandbox.with_world(|world| world.rooms(209).len()),
        rooms + 1,
        "only the support room is new"
    );
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn users_are_listed_by_status() {
    for page in [ROOMS_PAGE, MESSAGES_PAGE] {
        let sandbox = pages_sandbox().await;
        let printed = command(page, "/get_users", 0);
        let (status, body) = run(&sandbox, &printed).await;
        assert_eq!(status, 200);
        let answer = assert_like_printed(&body, &printed);
        let rows = answer["data"].as_array().unwrap();
        assert_eq!(rows.len(), 1, "the administrator is filtered out: {body}");
        assert_eq!(rows[0]["remote_user_id"], "2");
        assert_eq!(rows[0]["login"], "two");
        sandbox.stop().await.unwrap();
    }
}

#[tokio::test]
async fn rooms_are_listed_by_type() {
    for page in [ROOMS_PAGE, MESSAGES_PAGE] {
        let sandbox = pages_sandbox().await;
        let printed = command(page, "/get_rooms", 0);
        let (status, body) = run(&sandbox, &printed).await;
        assert_eq!(status, 200);
        let answer = assert_like_printed(&body, &printed);
        let rows = answer["data"].as_array().unwrap();
        assert_eq!(
            rows.len(),
            1,
            "the conference and the support room are filtered out: {body}"
        );
        assert_eq!(rows[0]["id"], 1314);
        assert_eq!(rows[0]["name"], "New conversation");
        assert_eq!(rows[0]["created_at"], "2020-12-19 20:42:07");
        sandbox.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_message_is_sent_and_stored() {
    let sandbox = pages_sandbox().await;
    let printed = command(MESSAGES_PAGE, "/send_msg", 0);
    let (status, body) = run(&sandbox, &printed).await;
    assert_eq!(status, 200);
    let answer = assert_like_printed(&body, &printed);
    assert_eq!(answer["message"]["message"], "api message");
    assert_eq!(answer["message"]["room_id"], "1536");
    assert_eq!(answer["user"]["name"], "spray");
    assert_eq!(answer["user"]["chat_role"], "admin");

    let kept = sandbox.with_world(|world| world.messages(627));
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (
            kept[0].room_id,
            kept[0].remote_user_id,
            kept[0].text.as_str()
        ),
        (1536, 1, "api message")
    );
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn the_printed_user_is_a_placeholder() {
    let sandbox = pages_sandbox().await;
    for path in ["/send_msg", "/get_users", "/get_rooms"] {
        let printed = command(MESSAGES_PAGE, path, 0);
        let (status, body) = run_as_it_is(&sandbox, &printed.command).await;
        assert_eq!(status, 401, "{path}: {body}");
    }
    assert!(sandbox.with_world(|world| world.messages(627)).is_empty());
    sandbox.stop().await.unwrap();
}
