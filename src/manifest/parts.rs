//! Texts -> what each of them says, several at a time: no file of a manifest needs another to be parsed.
//!
//! Main entry: [`read`]. The order of what comes out is that of what went in, whatever was ready first.

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::decode::{FileDecoder, STREAMED};
use super::diagnostic::{Problems, Source};
use super::lists::{self, List};
use super::raw::{RawFile, RawManifest};
use super::yaml::{self, Item};
use crate::model::FileId;

/// Texts that have fewer bytes together are parsed before a thread is there to help.
const WORTH_THREADS: usize = 256 << 10;

/// A file's name and text.
pub(super) struct Text {
    pub(super) name: String,
    pub(super) text: String,
}

/// What a file says.
pub(super) struct Part {
    pub(super) source: Source,
    pub(super) raw: RawManifest,
    /// The files with rows that it names.
    pub(super) rosters: Vec<RawFile>,
    pub(super) problems: Problems,
}

/// Parses texts; their ids count up from `first`.
pub(super) fn read(texts: Vec<Text>, first: FileId) -> Vec<Part> {
    let bytes: usize = texts.iter().map(|text| text.text.len()).sum();
    let workers = match bytes {
        0..WORTH_THREADS => 1,
        _ => thread::available_parallelism().map_or(1, NonZero::get),
    };
    let ids = (first.0..).map(FileId);
    if workers.min(texts.len()) < 2 {
        return ids.zip(texts).map(|(id, text)| part(text, id)).collect();
    }
    let queue = Mutex::new(ids.zip(texts));
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || std::iter::from_fn(next).map(|(id, text)| (id, part(text, id)));
    let mut parts: Vec<(FileId, Part)> = thread::scope(|scope| {
        // One that the system does not allow is done without.
        let helper = |_| thread::Builder::new().spawn_scoped(scope, || work().collect::<Vec<_>>());
        let helpers: Vec<_> = (1..workers).flat_map(helper).collect();
        let mut parts: Vec<_> = work().collect();
        for helper in helpers {
            match helper.join() {
                Ok(more) => parts.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        parts
    });
    parts.sort_by_key(|(id, _)| *id);
    parts.into_iter().map(|(_, part)| part).collect()
}

fn part(Text { name, mut text }: Text, file: FileId) -> Part {
    let hidden = lists::hide(&mut text);
    let mut source = Source::new(name, text);
    let mut read = parsed(&source, &hidden, file);
    lists::show(&mut source.text, &hidden);
    if !read.is_good && !hidden.is_empty() {
        // What is wrong is told of the text as it is written.
        read = parsed(&source, &[], file);
    }
    let Read {
        raw,
        rosters,
        problems,
        ..
    } = read;
    Part {
        source,
        raw,
        rosters,
        problems,
    }
}

#[derive(Debug)]
struct Read {
    raw: RawManifest,
    rosters: Vec<RawFile>,
    problems: Problems,
    /// Whether it is YAML, and what was hidden were lists.
    is_good: bool,
}

/// What a text says in which some lists are hidden.
fn parsed(source: &Source, hidden: &[List], file: FileId) -> Read {
    let mut problems = Problems::default();
    let mut decoder = FileDecoder::new(file, source.lines(), &mut problems);
    let mut take = |item: Item<'_>| decoder.take(item);
    let end = yaml::read_hidden(&source.text, hidden, file, STREAMED, &mut take);
    let (raw, rosters) = decoder.finish(end.is_ok());
    let is_good = matches!(end, Ok(true));
    problems.extend(end.err().map(|mistake| *mistake));
    Read {
        raw,
        rosters,
        problems,
        is_good,
    }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]
mod tests {
    use std::fs;
    use std::path::Path;

    use proptest::prelude::*;
    use proptest::sample::select;
    use proptest::test_runner::Config as Trials;

    use super::*;

    /// What a text says with its lists hidden, if that could be told, and without.
    fn both_ways(text: &str) -> (Option<String>, String) {
        let told = |read: &Read| format!("{:#?}{:#?}{:#?}", read.raw, read.rosters, read.problems);
        let mut hidden = text.to_owned();
        let lists = lists::hide(&mut hidden);
        assert_eq!(hidden.len(), text.len());
        let source = Source::new("a", hidden.clone());
        let quick = parsed(&source, &lists, FileId(0));
        lists::show(&mut hidden, &lists);
        assert_eq!(hidden, text);
        let plain = parsed(&Source::new("a", hidden), &[], FileId(0));
        let is_quick = quick.is_good && !lists.is_empty();
        (is_quick.then(|| told(&quick)), told(&plain))
    }

    fn manifests(directory: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                manifests(&path, found);
            } else if path.extension().is_some_and(|it| it == "yaml") {
                found.extend(fs::read_to_string(path));
            }
        }
    }

    #[test]
    fn hidden_lists_say_what_they_say_in_the_open() {
        let mut texts = Vec::new();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        manifests(&root.join("tests/manifests"), &mut texts);
        manifests(&root.join("examples"), &mut texts);
        let room = |rest: &str| format!("version: 1\nrooms:\n  - {{pipe: a, title: A, {rest}}}\n");
        texts.extend(
            [
                "members: [1,2 , 3]",
                "members: [ 007, 12 ] ",
                "members: &a [1, 2], exclude: *a",
                "members: !!seq [1, 2]",
                "members: [1, 2] x",
                "members:[1, 2]",
                "\"members\":[1, 2]",
                "members: [1, 2]: 3",
                "[1, 2]: 3",
                "members: ? [1, 2]",
                "title: [1, 2]",
                "type: [1, 2], members: [3], members: [4]",
                "members: [0, 99999999999999999999, 1 2]",
                "members: [1, 2], welcome: {from: [1], text: 'it''s [1, 2], really'}",
                "members: [1, 2], # and [3, 4]\n exclude: [5]",
                "members: [[1, 2], [3]]",
                "members: [1, 2]#x",
                "members: [1, 2], title: L'a [1, 2], exclude: [3]",
                "members: [1, 2\n, 3]",
            ]
            .map(room),
        );
        texts.extend(
            [
                "version: 1\ngroups:\n  a: [1, 2]\n  b:\n    - [1, 2]\n  c: [1, 2]\nrooms: [1, 2]\n",
                "version: 1\nrooms:\n  - pipe: a\n    title: |\n      x [1, 2]\n      y: [1, 2]\n    members: [1, 2]\n",
                "version: 1\nrooms:\n  - pipe: a\n    title: \"x\n\n      [1, 2]\n      \"\n    members: [1, 2]\n",
                "version: 1\nrooms:\n  - pipe: a\n    title: x\n      [1, 2]\n    members: [1, 2]",
                "version: 1\nrooms:\n- pipe: a\n  title: [1, 2]\n  members: [3]\n  exclude: [4",
                "version: 1\nrooms: [1, 2]\nrooms: [3]\n",
                "- [1, 2]\n",
                "[1, 2]\n",
                " [1, 2]",
            ]
            .map(str::to_owned),
        );
        texts.push(format!("version: 1\nrooms: {} [1, 2]", "- ".repeat(62)));
        let deep = |depth| {
            format!(
                "version: 1\nwidget: {}a: [1]{}\n",
                "{a: ".repeat(depth),
                "}".repeat(depth)
            )
        };
        texts.extend((58..68).map(deep));
        let mut quickly = 0;
        for text in texts {
            let (quick, plain) = both_ways(&text);
            if let Some(quick) = quick {
                assert_eq!(quick, plain, "{text}");
                quickly += 1;
            }
        }
        assert!(quickly > 20, "{quickly}");
    }

    /// What YAML is made of, lists of numbers above all.
    const PIECES: &[&str] = &[
        "[1, 2]",
        "[3 ,4 ]",
        "[ 007]",
        "[99999999999999999999]",
        "[999999999999999999999]",
        "[5",
        "[",
        "]",
        "{",
        "}",
        ", ",
        ",",
        ": ",
        ":",
        "- ",
        "? ",
        "\n",
        "\n  ",
        "\n    ",
        "\n      ",
        "\r\n    ",
        "\r",
        "\t",
        " ",
        "'",
        "''",
        "\"",
        "#",
        " # ",
        "&a ",
        "*a",
        "*a ",
        "!t ",
        "|\n",
        ">-\n",
        "---\n",
        "...\n",
        "%",
        "\\",
        "é",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
        "x",
        "members: ",
        "exclude: ",
        "title: ",
        "welcome: ",
        "groups: ",
        "rooms: ",
        "\ngroups:\n  g: ",
        "\nrooms:\n  - pipe: b\n    members: ",
        "\"members\":",
        "{members: ",
        "members: [6]\n    ",
        "members:\n    ",
        "<<: ",
    ];
    const STARTS: &[&str] = &[
        "",
        "version: 1\n",
        "version: 1\nrooms:\n  - pipe: a\n    title: t\n    members: ",
        "version: 1\nrooms:\n  - pipe: a\n    title: ",
        "version: 1\nrooms:\n  - {pipe: a, title: t, members: ",
        "{version: 1, rooms: [{pipe: a, title: t, ",
        "version: 1\ngroups:\n  g: ",
    ];

    proptest! {
        #![proptest_config(Trials { cases: 3_000, failure_persistence: None, ..Trials::default() })]

        #[test]
        fn a_hidden_list_never_changes_what_is_said(
            start in select(STARTS),
            pieces in prop::collection::vec(select(PIECES), 1..12),
        ) {
            let text = format!("{start}{}", pieces.concat());
            if let (Some(quick), plain) = both_ways(&text) {
                prop_assert_eq!(quick, plain, "{:?}", text);
            }
        }
    }
}
