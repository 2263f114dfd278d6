//! Lines of the kind that a ledger is mostly made of, read at one go.
//!
//! Main entry: [`read`]. Whatever does not fit is [`Line`]'s to judge.

use serde::Deserialize;

use super::entry::{Fact, Stamp};
use super::line::{FactLine, Line};
use super::word::FieldWord;

/// The entry of a line.
///
/// # Errors
/// What is wrong with the JSON, or with the entry in it.
pub(super) fn read(line: &[u8]) -> serde_json::Result<(Stamp, Fact)> {
    // Fields in a row without their names would do for one struct too.
    let is_object = line.trim_ascii_start().starts_with(b"{");
    let confirmed = is_object.then(|| serde_json::from_slice::<Confirmed>(line));
    match confirmed.map(|it| it.map(Confirmed::into_parts)) {
        Some(Ok(Some(parts))) => Ok(parts),
        _ => serde_json::from_slice::<Line>(line).map(Line::into_parts),
    }
}

/// A confirmed write as [`Line`] has it, without the detour: a flattened entry is put together from a copy of all its values.
#[derive(Deserialize)]
struct Confirmed<'l> {
    run: String,
    seq: u64,
    time: String,
    kind: &'l str,
    pipe: String,
    room_id: u64,
    members: Vec<u64>,
    title: String,
    r#type: i64,
    public: bool,
    #[serde(default)]
    kept: Vec<FieldWord>,
}

impl Confirmed<'_> {
    fn into_parts(self) -> Option<(Stamp, Fact)> {
        let fact = FactLine::Confirmed {
            pipe: self.pipe,
            room_id: self.room_id,
            members: self.members,
            title: self.title,
            r#type: self.r#type,
            public: self.public,
            kept: self.kept,
        };
        let line = Line {
            run: self.run,
            seq: self.seq,
            time: self.time,
            fact,
        };
        (self.kind == "confirmed").then(|| line.into_parts())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;
    use proptest::test_runner::Config as Trials;

    use super::*;

    /// Both ways of reading, an error by its words.
    fn both_ways(line: &str) -> [Result<(Stamp, Fact), String>; 2] {
        let slow = serde_json::from_str::<Line>(line).map(Line::into_parts);
        [read(line.as_bytes()), slow].map(|read| read.map_err(|error| error.to_string()))
    }

    /// A field, mostly as it is written, and now and then as nobody writes it.
    fn field() -> impl Strategy<Value = String> {
        let usual = select(vec![
            r#""run":"r""#,
            r#""seq":1"#,
            r#""time":"t""#,
            r#""kind":"confirmed""#,
            r#""pipe":"p\u00e9\n""#,
            r#""room_id":18446744073709551615"#,
            r#""members":[3,1,3]"#,
            r#""title":"T\"""#,
            r#""type":-1"#,
            r#""public":true"#,
            r#""kept":["type","title"]"#,
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
            r#""members":null"#,
            r#""members":{"0":1}"#,
            r#""members":[true]"#,
            r#""type":9223372036854775808"#,
            r#""public":1"#,
            r#""kept":null"#,
            r#""kept":["other"]"#,
            r#""kept":[{"type":null}]"#,
            r#""more":{"kind":[1,"x"]}"#,
            r#""":0"#,
        ]);
        prop_oneof![3 => usual, 1 => odd].prop_map(str::to_owned)
    }

    const WHOLE: [&str; 10] = [
        r#""run":"r""#,
        r#""seq":1"#,
        r#""time":"t""#,
        r#""kind":"confirmed""#,
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

    proptest! {
        #![proptest_config(Trials { cases: 2_000, failure_persistence: None, ..Trials::default() })]

        #[test]
        fn a_line_says_what_the_long_way_reads_in_it(
            left_out in prop::option::of(0..WHOLE.len()),
            instead in prop::collection::vec((0..=WHOLE.len(), field()), 0..3),
            space in select(vec!["", " ", "\t"]),
        ) {
            let mut fields: Vec<String> = WHOLE.iter().map(|it| (*it).to_owned()).collect();
            if let Some(index) = left_out {
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
