#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a failing unwrap is a failing test"
)]

use super::*;

/// Creates a server whose state can be saved. On it, each widget in `widgets` has already had
/// its first call.
fn touched(widgets: &[u64]) -> World {
    let mut world = World::for_saving();
    for widget in widgets {
        world.touch(*widget);
    }
    world
}

fn read_text(text: &[u8]) -> Result<(World, bool), SandboxError> {
    parse(Path::new("state"), text)
}

fn written(world: &World) -> String {
    String::from_utf8(serialize(world).unwrap()).unwrap()
}

#[test]
fn what_is_written_is_read_again() {
    let mut world = touched(&[7, 8]);
    world.add_user(7, 3, None, false);
    let text = written(&world);
    let (again, _) = read_text(text.as_bytes()).unwrap();
    assert_eq!(written(&again), text);
    assert_eq!(again.counters, world.counters);
    assert_eq!(again.widgets[&7].rooms, world.widgets[&7].rooms);
}

#[test]
fn changes_bring_an_older_text_up_to_date_and_a_torn_one_is_left_out() {
    let mut world = touched(&[7]);
    let mut text = written(&world);
    world.unsaved = Some(Vec::new());
    let mut room = world.widgets[&7].rooms[&1].clone();
    room.members.insert(3);
    world.add(Entry::Room(room));
    world.add_user(7, 3, Some("user"), false);
    world.new_room(7, 0, None);
    let changes = serialize_changes(world.counters, world.unsaved.as_ref().unwrap()).unwrap();
    text.push_str(&String::from_utf8(changes).unwrap());
    assert_eq!(text.lines().count(), 4 + 3);
    let (again, is_torn) = read_text(text.as_bytes()).unwrap();
    assert_eq!(written(&again), written(&world));
    assert!(!is_torn);
    for cut in [1, 2, 30] {
        let (torn, is_torn) = read_text(&text.as_bytes()[..text.len() - cut]).unwrap();
        assert!(is_torn && !torn.widgets[&7].users.contains_key(&3));
    }
    for damage in ["}", "{\"guest\":1}\n", "{\"room\":{}\n"] {
        let damaged = format!("{text}{damage}");
        let read = read_text(damaged.as_bytes());
        assert!(
            matches!(read, Err(SandboxError::Damaged { .. })),
            "{damage}"
        );
    }
}

#[test]
fn each_thing_has_its_line() {
    assert_eq!(written(&touched(&[])).lines().count(), 2);
    assert_eq!(written(&touched(&[7, 8])).lines().count(), 6);
}

#[test]
fn another_format_is_not_reported_as_damage() {
    assert!(matches!(
        read_text(b"{\"format\":2,\"shape\":[]}"),
        Err(SandboxError::Format { format: 2, .. })
    ));
    for text in [
        "",
        "{}",
        "[1]",
        "{\"format\":1}",
        "{\"format\":1,\"rooms\":[",
        "not json",
    ] {
        assert!(
            matches!(
                read_text(text.as_bytes()),
                Err(SandboxError::Damaged { .. })
            ),
            "{text}"
        );
    }
}

/// An earlier version of roomform wrote this state.
#[test]
fn a_state_of_format_1_is_still_read() {
    let text = br#"{"format":1,
"counters":{"room":1,"user":1,"message":0,"pipe_micros":1608410520000000},
"rooms":[
{"id":1,"widget":7,"pipe":"p","name":"Lounge","admin_id":1,"kind":3,"is_public":false,"created_at":"2020-12-19 20:42:07","updated_at":"2020-12-19 20:42:07","deleted_at":null,"members":[2]}],
"users":[
{"id":1,"widget":7,"remote":1,"login":"admin","admin":true,"banned":false,"created_at":"2020-12-19 20:42:07","updated_at":"2020-12-19 20:42:07"}],
"messages":[]}
{"counters":{"room":1,"user":1,"message":1,"pipe_micros":1608410520000000}}
{"message":{"id":1,"widget":7,"room":1,"author":1,"text":"hello","time":1608410527,"uuid":"1-2-3"}}
"#;
    let (world, is_torn) = read_text(text).unwrap();
    let widget = &world.widgets[&7];
    assert_eq!(widget.room_by_pipe("p").unwrap().name, "Lounge");
    assert_eq!((widget.users.len(), widget.messages.len()), (1, 1));
    assert!(!is_torn);
}
