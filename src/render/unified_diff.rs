//! Compares two manifests line by line, like `diff -u`. Rooms are first matched by their pipes. So
//! a room is never compared with a different room, and the work grows only with the number of
//! changes.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::{Duration, Instant};

use anstyle::Style;
use similar::udiff::UnifiedHunkHeader;
use similar::{Algorithm, DiffOp, DiffTag, capture_diff_deadline, group_diff_ops};

use super::escape::terminal;
use super::paint::{Paint, Styles};
use super::resolved_manifest::{yaml_head, yaml_room};
use crate::model::Pipe;
use crate::plan::{RoomFilter, Side};

/// The number of unchanged lines to show before and after a change.
const CONTEXT: usize = 3;
/// After this time, the comparison stops looking for the shortest diff.
const PATIENCE: Duration = Duration::from_secs(1);
/// The file name to show for a missing manifest.
const NOTHING: &str = "/dev/null";

/// Returns the diff of the selected rooms; empty if they are the same.
pub fn unified(base: Side<'_>, head: Side<'_>, only: &RoomFilter, paint: Paint) -> String {
    let pipes: BTreeSet<&Pipe> = [base, head]
        .into_iter()
        .flat_map(|side| side.desired.rooms.keys())
        .filter(|pipe| only.contains(pipe))
        .collect();
    let [before, after] = [base, head].map(|side| write_blocks(side, &pipes));
    let [old, new] = [&before, &after].map(|blocks| {
        let lines = blocks.iter().flat_map(|block| block.lines());
        lines.collect::<Vec<&str>>()
    });
    let hunks = group_diff_ops(diff_lines(&before, &old, &after, &new), CONTEXT);
    let mut text = String::new();
    for (index, hunk) in hunks.iter().enumerate() {
        if index == 0 {
            for (sign, letter, name) in [("---", "a", base.name), ("+++", "b", head.name)] {
                let name = match name {
                    NOTHING => NOTHING.to_owned(),
                    name => format!("{letter}/{}", terminal(name)),
                };
                let line = format!("{sign} {name}");
                let _ = writeln!(text, "{}", paint.style(Styles::STRONG, line));
            }
        }
        write_hunk(&mut text, hunk, &old, &new, paint);
    }
    text
}

/// Returns the lines of a manifest in blocks: first the lines before the rooms, then one block
/// for each pipe. A block is empty if no room has the pipe.
fn write_blocks(side: Side<'_>, pipes: &BTreeSet<&Pipe>) -> Vec<String> {
    let rooms = &side.desired.rooms;
    let room = |pipe: &&Pipe| rooms.get(*pipe).map(yaml_room).unwrap_or_default();
    let head = std::iter::once(yaml_head(side.desired));
    head.chain(pipes.iter().map(room)).collect()
}

/// Returns the differences between the lines, in order. Both manifests have one block of lines for
/// each pipe.
fn diff_lines(before: &[String], old: &[&str], after: &[String], new: &[&str]) -> Vec<DiffOp> {
    let deadline = Some(Instant::now() + PATIENCE);
    let mut ops: Vec<DiffOp> = Vec::new();
    let (mut old_at, mut new_at) = (0, 0);
    for (before, after) in before.iter().zip(after) {
        let old_range = old_at..old_at + before.lines().count();
        let new_range = new_at..new_at + after.lines().count();
        (old_at, new_at) = (old_range.end, new_range.end);
        let found =
            capture_diff_deadline(Algorithm::Myers, old, old_range, new, new_range, deadline);
        for op in found {
            match (ops.last_mut(), op) {
                // Join the equal lines of adjacent blocks into one run, because the diff is
                // split into hunks at long runs of equal lines.
                (Some(DiffOp::Equal { len, .. }), DiffOp::Equal { len: more, .. }) => *len += more,
                (_, op) => ops.push(op),
            }
        }
    }
    ops
}

fn write_hunk(text: &mut String, hunk: &[DiffOp], old: &[&str], new: &[&str], paint: Paint) {
    let header = UnifiedHunkHeader::new(hunk).to_string();
    // Show the room of the hunk's first line in the header, where `diff` shows the function.
    let start = hunk.first().map_or(0, |op| op.old_range().start);
    let mut above = old.iter().take(start).rev();
    let room = above.find(|line| line.starts_with("  - pipe: "));
    let room = room.map(|line| format!(" {}", line.trim_start()));
    let header = paint.style(Styles::QUIET, header);
    let _ = writeln!(text, "{header}{}", room.unwrap_or_default());
    let mut write = |sign: char, style: Option<Style>, lines: Option<&[&str]>| {
        for line in lines.unwrap_or_default() {
            let line = format!("{sign}{line}");
            let line = style.map_or(line.clone(), |style| paint.style(style, &line));
            let _ = writeln!(text, "{line}");
        }
    };
    for op in hunk {
        let (tag, old_range, new_range) = op.as_tag_tuple();
        if tag == DiffTag::Equal {
            write(' ', None, old.get(old_range));
        } else {
            write('-', Some(Styles::REMOVE), old.get(old_range));
            write('+', Some(Styles::ADD), new.get(new_range));
        }
    }
}
