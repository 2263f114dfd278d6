//! Two manifests line by line, as `diff -u` shows two files. Rooms are matched by their pipes first, so that the work grows with
//! what changed, and a room is never shown as another.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::{Duration, Instant};

use similar::udiff::UnifiedHunkHeader;
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline, group_diff_ops};

use super::escape::terminal;
use super::paint::{Paint, Tone};
use super::yaml;
use crate::model::Pipe;
use crate::plan::{Selection, Side};

/// Lines shown around a change.
const CONTEXT: usize = 3;
/// After so long the shortest way to tell a difference is looked for no more.
const PATIENCE: Duration = Duration::from_secs(1);
/// What stands for a manifest that is not there.
const NOTHING: &str = "/dev/null";

/// The difference of the chosen rooms; empty if there is none.
pub fn unified(base: Side<'_>, head: Side<'_>, only: &Selection, paint: Paint) -> String {
    let pipes: BTreeSet<&Pipe> = [base, head]
        .into_iter()
        .flat_map(|side| side.desired.rooms.keys())
        .filter(|pipe| only.contains(pipe))
        .collect();
    let (before, after) = (Blocks::new(base, &pipes), Blocks::new(head, &pipes));
    let (old, new) = (before.lines(), after.lines());
    let hunks = group_diff_ops(ops(&before, &old, &after, &new), CONTEXT);
    let mut text = String::new();
    for (index, hunk) in hunks.iter().enumerate() {
        if index == 0 {
            for (sign, letter, name) in [("---", "a", base.name), ("+++", "b", head.name)] {
                let name = match name {
                    NOTHING => NOTHING.to_owned(),
                    name => format!("{letter}/{}", terminal(name)),
                };
                let line = format!("{sign} {name}");
                let _ = writeln!(text, "{}", paint.tone(Tone::Strong, line));
            }
        }
        write_hunk(&mut text, hunk, &old, &new, paint);
    }
    text
}

/// A manifest in pieces: what stands before the rooms, and one for each pipe, empty where there is no such room.
struct Blocks(Vec<String>);

impl Blocks {
    fn new(side: Side<'_>, pipes: &BTreeSet<&Pipe>) -> Self {
        let rooms = &side.desired.rooms;
        let room = |pipe: &&Pipe| rooms.get(*pipe).map(yaml::room).unwrap_or_default();
        let head = std::iter::once(yaml::head(side.desired));
        Self(head.chain(pipes.iter().map(room)).collect())
    }

    fn lines(&self) -> Vec<&str> {
        self.0.iter().flat_map(|block| block.lines()).collect()
    }
}

/// What became of the lines, in order; both have their pieces for the same pipes.
fn ops(before: &Blocks, old: &[&str], after: &Blocks, new: &[&str]) -> Vec<DiffOp> {
    let deadline = Instant::now() + PATIENCE;
    let mut ops = Vec::new();
    let (mut old_at, mut new_at) = (0, 0);
    for (before, after) in before.0.iter().zip(&after.0) {
        let old_end = old_at + before.lines().count();
        let new_end = new_at + after.lines().count();
        if before == after {
            push(
                &mut ops,
                DiffOp::Equal {
                    old_index: old_at,
                    new_index: new_at,
                    len: old_end - old_at,
                },
            );
        } else {
            let old = old.get(old_at..old_end).unwrap_or_default();
            let new = new.get(new_at..new_end).unwrap_or_default();
            let found = capture_diff_slices_deadline(Algorithm::Myers, old, new, Some(deadline));
            for op in found {
                push(&mut ops, moved(op, old_at, new_at));
            }
        }
        (old_at, new_at) = (old_end, new_end);
    }
    ops
}

/// The same, so many lines further down.
fn moved(op: DiffOp, old: usize, new: usize) -> DiffOp {
    let (tag, old_range, new_range) = op.as_tag_tuple();
    let (old_index, new_index) = (old + old_range.start, new + new_range.start);
    let (old_len, new_len) = (old_range.len(), new_range.len());
    match tag {
        similar::DiffTag::Equal => DiffOp::Equal {
            old_index,
            new_index,
            len: old_len,
        },
        similar::DiffTag::Delete => DiffOp::Delete {
            old_index,
            old_len,
            new_index,
        },
        similar::DiffTag::Insert => DiffOp::Insert {
            old_index,
            new_index,
            new_len,
        },
        similar::DiffTag::Replace => DiffOp::Replace {
            old_index,
            old_len,
            new_index,
            new_len,
        },
    }
}

/// Takes one more in. Equal lines that follow each other become one piece: they are what hunks are parted by.
fn push(ops: &mut Vec<DiffOp>, op: DiffOp) {
    match (ops.last_mut(), op) {
        (_, DiffOp::Equal { len: 0, .. }) => {}
        (Some(DiffOp::Equal { len, .. }), DiffOp::Equal { len: more, .. }) => *len += more,
        (_, op) => ops.push(op),
    }
}

fn write_hunk(text: &mut String, hunk: &[DiffOp], old: &[&str], new: &[&str], paint: Paint) {
    let header = UnifiedHunkHeader::new(hunk).to_string();
    // The room the first line is in, as diff shows the function.
    let start = hunk.first().map_or(0, |op| op.old_range().start);
    let room = old
        .iter()
        .take(start)
        .rev()
        .find(|line| line.starts_with("  - pipe: "));
    let room = room
        .map(|line| format!(" {}", line.trim_start()))
        .unwrap_or_default();
    let _ = writeln!(text, "{}{room}", paint.tone(Tone::Quiet, header));
    let mut write = |sign: char, tone: Option<Tone>, lines: &[&str]| {
        for line in lines {
            let line = format!("{sign}{line}");
            let _ = match tone {
                Some(tone) => writeln!(text, "{}", paint.tone(tone, line)),
                None => writeln!(text, "{line}"),
            };
        }
    };
    for op in hunk {
        let (tag, old_range, new_range) = op.as_tag_tuple();
        if tag == similar::DiffTag::Equal {
            write(' ', None, old.get(old_range).unwrap_or_default());
            continue;
        }
        let (old, new) = (old.get(old_range), new.get(new_range));
        write('-', Some(Tone::Remove), old.unwrap_or_default());
        write('+', Some(Tone::Add), new.unwrap_or_default());
    }
}
