//! A page of sections, and how it is made to fit: whole items are left out, the least dangerous first, and counted.

use std::fmt::Write;
use std::sync::Arc;

use super::dialect::Dialect;
use crate::view::SectionKind;
use crate::view::grammar::sentence;

/// Up to so many folded items the folds stand open: they fit a screen or two.
const OPEN: usize = 12;
/// What a section or a fold takes besides its items and names, in bytes, roughly: the page is measured once it is made.
const AROUND: usize = 120;

/// A page before it is written. Every text in it is harmless already.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) dialect: Dialect,
    /// Lines that always stand at the top.
    pub(super) head: Vec<String>,
    /// The sections, most dangerous first.
    pub(super) sections: Vec<Section>,
    /// Lines that always stand at the end.
    pub(super) foot: Vec<String>,
}

/// Items of one kind.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) kind: SectionKind,
    pub(super) items: Vec<Item>,
}

/// One line.
#[derive(Debug)]
pub(super) struct Item {
    /// The fold it lies in, by its heading.
    pub(super) fold: Option<Arc<str>>,
    /// The line, without the list's sign.
    pub(super) text: String,
}

impl Page {
    /// The page, with as many items as so many bytes can bear; with all of them where there is no limit.
    pub(super) fn write(&self, bytes: Option<usize>) -> String {
        let count = |section: &Section| section.items.len();
        let whole = self.text(&self.sections.iter().map(count).collect::<Vec<_>>(), None);
        let Some(bytes) = bytes.filter(|bytes| whole.len() > *bytes) else {
            return whole;
        };
        let pinned = |section: &Section| {
            if section.kind.is_pinned() {
                count(section)
            } else {
                0
            }
        };
        let mut shown: Vec<usize> = self.sections.iter().map(pinned).collect();
        let mut least = self.text(&shown, Some(bytes));
        let pinned_fit = least.len() <= bytes;
        if !pinned_fit {
            shown.fill(0);
            least = self.text(&shown, Some(bytes));
        }
        // What a section costs is only known roughly before it is written: try, measure, and take away what is too much.
        let mut room = bytes.saturating_sub(least.len());
        while room > 0 {
            self.fill(&mut shown, !pinned_fit, room);
            let filled = self.text(&shown, Some(bytes));
            let excess = filled.len().saturating_sub(bytes);
            if excess == 0 {
                return filled;
            }
            room = room.saturating_sub(excess);
        }
        least
    }

    /// How many items of each section, of the pinned or of the others, so many bytes can bear.
    fn fill(&self, shown: &mut [usize], pinned: bool, bytes: usize) {
        let wanted =
            |section: &Section| section.kind.is_pinned() == pinned && !section.items.is_empty();
        let sections = self.sections.iter().enumerate();
        let mut waiting: Vec<(usize, Vec<usize>)> = sections
            .filter(|(_, section)| wanted(section))
            .map(|(index, section)| (index, section.costs()))
            .collect();
        // The cheapest first: what it does not need of its equal share the others get.
        waiting.sort_by_key(|(_, costs)| costs.last().copied());
        let (mut left, mut sections) = (bytes, waiting.len());
        for (index, costs) in waiting {
            let here = costs.partition_point(|cost| *cost <= left / sections);
            sections -= 1;
            let cost = here.checked_sub(1).and_then(|last| costs.get(last));
            left -= cost.copied().unwrap_or_default();
            if let Some(shown) = shown.get_mut(index) {
                *shown = here;
            }
        }
    }

    fn text(&self, shown: &[usize], limit: Option<usize>) -> String {
        let mut text = String::new();
        for line in &self.head {
            let _ = writeln!(text, "{line}\n");
        }
        if let Some(limit) = limit {
            let _ = writeln!(text, "{}\n", self.cut(shown, limit));
        }
        let folded = self.sections.iter().flat_map(|section| &section.items);
        let open = folded.filter(|item| item.fold.is_some()).count() <= OPEN;
        for (section, shown) in self.sections.iter().zip(shown) {
            section.write(&mut text, *shown, self.dialect, open);
        }
        for line in &self.foot {
            let _ = writeln!(text, "{line}\n");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }

    /// What was left out, exactly.
    fn cut(&self, shown: &[usize], limit: usize) -> String {
        let counted = || self.sections.iter().zip(shown);
        let left_out: Vec<String> = counted()
            .filter(|(section, shown)| **shown < section.items.len())
            .map(|(section, shown)| {
                let (all, noun) = (section.items.len(), section.kind.noun());
                format!("{} of {all} {noun}", all - shown)
            })
            .collect();
        let left_out = left_out.join(", ");
        let pinned = || counted().filter(|(section, _)| section.kind.is_pinned());
        let dangerous: usize = pinned().map(|(section, _)| section.items.len()).sum();
        let missing = dangerous - pinned().map(|(_, shown)| *shown).sum::<usize>();
        match (dangerous, missing) {
            (0, _) => format!("**Cut to fit {limit} bytes.** Not shown: {left_out}."),
            (1, 0) => format!(
                "**Cut to fit {limit} bytes.** Not shown: {left_out}. The dangerous line is."
            ),
            (_, 0) => format!(
                "**Cut to fit {limit} bytes.** Not shown: {left_out}. All {dangerous} dangerous lines are."
            ),
            _ => format!(
                "**Not even the dangerous lines fit {limit} bytes: {missing} of {dangerous} are missing.** Read the whole plan \
                 before you approve it. Not shown: {left_out}."
            ),
        }
    }
}

impl Section {
    /// What the first item costs, the first two, and so on.
    fn costs(&self) -> Vec<usize> {
        let mut sum = AROUND + self.kind.name().len() + self.kind.remark().len();
        let mut fold = None;
        let cost = |item: &Item| {
            let known = fold == item.fold.as_ref().map(Arc::as_ptr);
            fold = item.fold.as_ref().map(Arc::as_ptr);
            let heading = item.fold.as_ref().filter(|_| !known);
            sum += item.text.len() + 3 + heading.map_or(0, |fold| fold.len() + AROUND);
            sum
        };
        self.items.iter().map(cost).collect()
    }

    fn write(&self, text: &mut String, shown: usize, dialect: Dialect, open: bool) {
        let all = self.items.len();
        if shown == 0 {
            return;
        }
        let _ = writeln!(text, "### {}: {}\n", self.kind.name(), part(all, shown));
        if !self.kind.remark().is_empty() {
            let _ = writeln!(text, "{}\n", sentence(self.kind.remark()));
        }
        let mut rest = self.items.as_slice();
        let mut left = shown;
        while let Some(first) = rest.first().filter(|_| left > 0) {
            let same = |item: &&Item| item.fold == first.fold;
            let size = rest.iter().take_while(same).count();
            let (items, after) = rest.split_at(size);
            let here = size.min(left);
            if let Some(fold) = &first.fold {
                let heading = format!("{fold}: {}", part(size, here));
                text.push_str(&dialect.unfold(&heading, open));
            }
            for item in items.iter().take(here) {
                let _ = writeln!(text, "- {}", item.text);
            }
            if first.fold.is_some() {
                text.push_str(dialect.fold());
            }
            text.push('\n');
            (rest, left) = (after, left - here);
        }
    }
}

/// `12`, or `12, 3 of them shown`.
fn part(all: usize, shown: usize) -> String {
    if shown == all {
        all.to_string()
    } else {
        format!("{all}, {shown} of them shown")
    }
}
