//! The JSON form of the member counts.

use crate::model::{CountGap, CountResult, MemberCounts, RoomCount, Size};

define_documents! {
    /// What the server reported about the number of members in rooms.
    pub(super) struct CountsDocument(counts: &MemberCounts) {
        /// How the server interprets the filter `count_users`: `exact`, `at_least`,
        /// `exact_or_at_least`, `ignored` or `unclear`.
        meaning: &'static str = counts.meaning.name(),
        /// Whether the server counts the writing user as a member of rooms that roomform created.
        counts_writing_user: bool = counts.offset == Some(1),
        requests: u64 = counts.requests,
        /// The total size of the rows that the server sent.
        bytes: u64 = counts.bytes,
        /// Number of rooms that have as many members as expected.
        equal: usize = counts.rooms.iter().filter(|room| room.result == CountResult::Equal).count(),
        /// The rooms whose number of members is unknown or differs from the expected number.
        rooms: Vec<RoomCountDocument> = counts.rooms.iter().filter_map(room).collect(),
    }

    struct RoomCountDocument(
        room: &RoomCount,
        (result, size, gap): (&'static str, Option<Size>, Option<CountGap>)
    ) {
        pipe: String = room.pipe.to_string(),
        room_id: u64 = room.room.0,
        /// The number of members on record who may be in the room. If the ledger has no record
        /// of the room, the number of declared members.
        expected: u64 = room.expected,
        /// Whether the ledger has a record of the room. Only such a room can make the plan pending.
        recorded: bool = room.is_recorded,
        /// `fewer`, `more`, `outside` (not in the range from `least` to `most`) or `unknown`.
        result: &'static str = result,
        /// The smallest possible number of members; for `outside`, the start of the range.
        least: Option<u64> =? size.map(|size| size.least),
        /// The largest possible number of members; for `outside`, the end of the range.
        most: Option<u64> =? size.and_then(|size| size.most),
        /// The number of expected members whose removal is still an open manual step.
        open_removals: Option<u64> =? Some(room.open_removals).filter(|removals| *removals > 0),
        /// Why the number of members is unknown: `budget`, `failed`, `changed`, `ignored`,
        /// `unclear`, `none_found` or `writer`.
        reason: Option<&'static str> =? gap.map(CountGap::name),
    }
}

fn room(room: &RoomCount) -> Option<RoomCountDocument> {
    let result = match room.result {
        CountResult::Equal => return None,
        CountResult::Fewer(size) => ("fewer", Some(size), None),
        CountResult::More(size) => ("more", Some(size), None),
        CountResult::Outside(size) => ("outside", Some(size), None),
        CountResult::Unknown(gap) => ("unknown", None, Some(gap)),
    };
    Some(RoomCountDocument::new(room, result))
}
