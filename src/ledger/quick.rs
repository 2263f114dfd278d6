//! Lines of the kinds that a ledger is mostly made of, as this program writes them, read at one go.
//!
//! Main entry: [`read`]. Whatever stands otherwise there is [`Line`]'s to judge.

use std::borrow::Cow;

use super::entry::{Fact, StampRef};
use super::line::Line;
use crate::model::{Field, FieldSet, Pipe, RoomId, RoomKind, RoomState, UserId};

/// The entry of a line.
///
/// # Errors
/// What is wrong with the JSON, or with the entry in it.
pub(super) fn read(line: &[u8]) -> serde_json::Result<(StampRef<'_>, Fact)> {
    if let Some(entry) = as_written(line) {
        return Ok(entry);
    }
    let (stamp, fact) = serde_json::from_slice::<Line>(line)?.into_parts();
    Ok((stamp.into(), fact))
}

/// The entry of a line that has the keys in the order in which they are written, and no space.
pub(super) fn as_written(line: &[u8]) -> Option<(StampRef<'_>, Fact)> {
    let mut rest = Rest(line);
    let run = rest.text(br#"{"run":"#)?;
    let sequence = rest.number(br#","seq":"#)?;
    let time = rest.text(br#","time":"#)?;
    let kind = rest.text(br#","kind":"#)?;
    let pipe = Pipe::new(rest.text(br#","pipe":"#)?);
    let fact = match &*kind {
        "confirmed" => Fact::Confirmed {
            room: RoomId(rest.number(br#","room_id":"#)?),
            members: rest.users(br#","members":"#)?,
            sent: RoomState {
                title: rest.text(br#","title":"#)?.into_owned(),
                kind: RoomKind::from_number(rest.signed(br#","type":"#)?),
                public: rest.truth(br#","public":"#)?,
            },
            kept: rest.fields(br#","kept":"#)?,
            pipe,
        },
        "intent" => Fact::Intent {
            members: rest.users(br#","members":"#)?,
            welcome: rest.key(br#","welcome":true"#).is_some(),
            pipe,
        },
        "seen" => Fact::Seen {
            room: RoomId(rest.number(br#","room_id":"#)?),
            pipe,
        },
        _ => return None,
    };
    let stamp = StampRef {
        time,
        run,
        sequence,
    };
    (rest.0 == b"}").then_some((stamp, fact))
}

/// What is left of a line. Everything that is taken off it stands behind a key that is written out before it, commas and all.
struct Rest<'l>(&'l [u8]);

impl<'l> Rest<'l> {
    fn key(&mut self, key: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(key)?;
        Some(())
    }

    fn take(&mut self, length: usize) -> Option<&'l [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn text(&mut self, key: &[u8]) -> Option<Cow<'l, str>> {
        self.key(key)?;
        let quoted = self.0;
        self.key(b"\"")?;
        let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
        let text = self.take(self.0.iter().position(is_special)?)?;
        if self.key(b"\"").is_some() {
            return std::str::from_utf8(text).ok().map(Cow::Borrowed);
        }
        while self.key(b"\\").is_some() {
            self.take(1)?;
            self.take(self.0.iter().position(is_special)?)?;
        }
        self.key(b"\"")?;
        let quoted = quoted.get(..quoted.len() - self.0.len())?;
        serde_json::from_slice(quoted).ok().map(Cow::Owned)
    }

    fn number(&mut self, key: &[u8]) -> Option<u64> {
        self.key(key)?;
        self.digits()
    }

    fn signed(&mut self, key: &[u8]) -> Option<i64> {
        self.key(key)?;
        let is_negative = self.key(b"-").is_some();
        let number = i64::try_from(self.digits()?).ok()?;
        match is_negative {
            true => (number > 0).then_some(-number),
            false => Some(number),
        }
    }

    /// The names of fields; none where the key is not there.
    fn fields(&mut self, key: &[u8]) -> Option<FieldSet> {
        let mut fields = FieldSet::default();
        if self.key(key).is_none() {
            return Some(fields);
        }
        self.key(b"[")?;
        loop {
            fields.insert(Field::from_name(&self.text(b"")?)?);
            match self.take(1)? {
                b"," => {}
                b"]" => return Some(fields),
                _ => return None,
            }
        }
    }

    /// As JSON has a number: no zero in front.
    fn digits(&mut self) -> Option<u64> {
        // One digit more may be too much.
        const SURELY_FIT: usize = 19;
        let (mut number, mut count) = (0_u64, 0);
        for byte in self.0 {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            count += 1;
            if count > SURELY_FIT {
                return None;
            }
            number = number * 10 + u64::from(digit);
        }
        let digits = self.take(count)?;
        (count == 1 || !digits.starts_with(b"0") && count > 0).then_some(number)
    }

    fn truth(&mut self, key: &[u8]) -> Option<bool> {
        self.key(key)?;
        match self.key(b"true") {
            Some(()) => Some(true),
            None => self.key(b"false").map(|()| false),
        }
    }

    fn users(&mut self, key: &[u8]) -> Option<Vec<UserId>> {
        self.key(key)?;
        self.key(b"[")?;
        if self.key(b"]").is_some() {
            return Some(Vec::new());
        }
        let list = self.0.get(..memchr::memchr(b']', self.0)?)?;
        let mut users = Vec::with_capacity(memchr::memchr_iter(b',', list).count() + 1);
        loop {
            users.push(UserId(self.digits()?));
            match self.take(1)? {
                b"," => {}
                b"]" => return Some(users),
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;
    use proptest::test_runner::Config as Trials;

    use super::*;
    use crate::ledger::Stamp;

    /// Both ways of reading, an error by its words.
    fn both_ways(line: &str) -> [Result<(Stamp, Fact), String>; 2] {
        let slow = serde_json::from_str::<Line>(line).map(Line::into_parts);
        let quick = read(line.as_bytes()).map(|(stamp, fact)| (stamp.into(), fact));
        [quick, slow].map(|read| read.map_err(|error| error.to_string()))
    }

    /// A field, mostly as it is written, and now and then as nobody writes it.
    fn field() -> impl Strategy<Value = String> {
        let usual = select(vec![
            r#""run":"r""#,
            r#""seq":1"#,
            r#""time":"t""#,
            r#""kind":"confirmed""#,
            r#""kind":"intent""#,
            r#""kind":"seen""#,
            r#""pipe":"p\u00e9\n""#,
            r#""pipe":"pé""#,
            r#""room_id":18446744073709551615"#,
            r#""room_id":9999999999999999999"#,
            r#""members":[3,1,3]"#,
            r#""members":[]"#,
            r#""members":[0,9223372036854775807]"#,
            r#""title":"T\"""#,
            r#""type":-1"#,
            r#""public":true"#,
            r#""kept":["type","title"]"#,
            r#""welcome":true"#,
        ]);
        let odd = select(vec![
            r#""kind":"conf\u0069rmed""#,
            r#""k\u0069nd":"confirmed""#,
            r#""kind":"seen""#,
            r#""kind":"adopted""#,
            r#""kind":"intent""#,
            r#""kind":1"#,
            r#""kind":null"#,
            r#""welcome":true"#,
            r#""room_id":5.0"#,
            r#""room_id":18446744073709551616"#,
            r#""seq":-1"#,
            r#""seq":01"#,
            r#""seq":"#,
            r#""seq":1e2"#,
            r#""members":[1,]"#,
            r#""members":[1 ,2]"#,
            r#""members":[,1]"#,
            r#""members":[01]"#,
            r#""members":[1"#,
            "\"title\":\"a\u{1}b\"",
            "\"title\":\"a\u{7f}b\"",
            r#""members":null"#,
            r#""members":{"0":1}"#,
            r#""members":[true]"#,
            r#""type":9223372036854775808"#,
            r#""public":1"#,
            r#""kept":null"#,
            r#""kept":[]"#,
            r#""kept":["type"}"#,
            r#""kept":["t\u0079pe"]"#,
            r#""type":-0"#,
            r#""title":"\x""#,
            r#""title":"\ud800""#,
            r#""title":"\"#,
            r#""welcome":false"#,
            r#""kept":["other"]"#,
            r#""kept":[{"type":null}]"#,
            r#""more":{"kind":[1,"x"]}"#,
            r#""":0"#,
        ]);
        prop_oneof![3 => usual, 1 => odd].prop_map(str::to_owned)
    }

    /// The fields of each kind of line that is read at one go, as they are written; and one that is not.
    const KINDS: [(&str, &[usize]); 4] = [
        ("confirmed", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("intent", &[0, 1, 2, 3, 4, 6]),
        ("seen", &[0, 1, 2, 3, 4, 5]),
        ("adopted", &[0, 1, 2, 3, 4, 5, 6]),
    ];
    const WHOLE: [&str; 10] = [
        r#""run":"r""#,
        r#""seq":1"#,
        r#""time":"t""#,
        r#""kind":"KIND""#,
        r#""pipe":"p""#,
        r#""room_id":5"#,
        r#""members":[1,2]"#,
        r#""title":"T""#,
        r#""type":1"#,
        r#""public":false"#,
    ];

    #[test]
    fn fields_without_names_are_no_entry() {
        let [quick, slow] = both_ways(r#"["r",1,"t","confirmed","p",5,[1],"T",1,true,[]]"#);
        assert!(slow.is_err());
        assert_eq!(quick, slow);
    }

    #[test]
    fn what_is_written_is_read_at_one_go() {
        let (pipe, room) = (Pipe::new("p"), RoomId(7));
        let members = vec![UserId(0), UserId(9_999_999_999_999_999_999)];
        let sent = |title: &str, kind| RoomState {
            title: title.to_owned(),
            kind: RoomKind::from_number(kind),
            public: true,
        };
        let confirmed = |sent, kept: &[Field]| Fact::Confirmed {
            pipe: pipe.clone(),
            room,
            members: members.clone(),
            sent,
            kept: kept.iter().copied().collect(),
        };
        let intent = |members, welcome| Fact::Intent {
            pipe: pipe.clone(),
            members,
            welcome,
        };
        let facts = [
            confirmed(sent("Курс", 12), &[]),
            confirmed(sent("\"Курс\"\\ \n\u{1}\u{1f600}\\", -7), &Field::ALL),
            confirmed(sent("\"", i64::MAX), &[Field::Kind]),
            intent(Vec::new(), false),
            intent(members.clone(), true),
            Fact::Seen {
                pipe: pipe.clone(),
                room,
            },
        ];
        for fact in facts {
            let stamp = Stamp {
                time: "t".to_owned(),
                run: "r".to_owned(),
                sequence: 1,
            };
            let line = serde_json::to_vec(&Line::new(stamp.clone(), &fact)).unwrap_or_default();
            assert_eq!(as_written(&line), Some((stamp.into(), fact)));
        }
    }

    proptest! {
        #![proptest_config(Trials { cases: 2_000, failure_persistence: None, ..Trials::default() })]

        #[test]
        fn a_line_says_what_the_long_way_reads_in_it(
            (kind, fields) in select(&KINDS[..]),
            left_out in prop::option::of(0..WHOLE.len()),
            instead in prop::collection::vec((0..=WHOLE.len(), field()), 0..3),
            space in select(vec!["", "", " ", "\t"]),
        ) {
            let fields = fields.iter().filter_map(|at| WHOLE.get(*at));
            let mut fields: Vec<String> = fields.map(|it| it.replace("KIND", kind)).collect();
            if let Some(index) = left_out.filter(|index| *index < fields.len()) {
                fields.remove(index);
            }
            for (index, field) in instead {
                fields.insert(index.min(fields.len()), field);
            }
            let line = format!("{space}{{{}{space}}}{space}", fields.join(","));
            let [quick, slow] = both_ways(&line);
            prop_assert_eq!(quick, slow, "{}", line);
        }
    }
}
