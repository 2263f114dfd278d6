//! Makes a page fit a limit: omits whole items, the least dangerous first, and counts them.

use std::fmt::Write;

use super::Dialect;
use crate::view::SectionKind;
use crate::view::grammar::sentence;

/// If the folds have at most this many items in total, they start open. That many items fit on one
/// or two screens.
const OPEN: usize = 12;
/// An estimate of the bytes of a section without its items and its name. The finished page is
/// measured exactly.
const AROUND: usize = 120;

/// A page before it is written. All text in the page is already escaped.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) dialect: Dialect,
    /// The lines at the top of the page. They are never cut.
    pub(super) head: Vec<String>,
    /// The sections of the page, the most dangerous first.
    pub(super) sections: Vec<Section>,
    /// The lines at the end of the page. They are never cut.
    pub(super) foot: Vec<String>,
}

/// A section of the page, with items of one kind.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) kind: SectionKind,
    /// The items, without list markers.
    pub(super) items: Vec<String>,
    pub(super) is_folded: bool,
    /// The command that lists the items, if there is one. If the page is too long, the items
    /// that a command lists are the first to be replaced by their count.
    pub(super) listed_by: Option<&'static str>,
}

impl Page {
    /// Writes the page, with as many items as fit into `bytes`.
    pub(super) fn write(&self, bytes: Option<usize>) -> String {
        let count = |section: &Section| section.items.len();
        let whole = self.format(&self.sections.iter().map(count).collect::<Vec<_>>(), None);
        let Some(bytes) = bytes.filter(|bytes| whole.len() > *bytes) else {
            return whole;
        };
        let pinned = |section: &Section| match section.kind.is_pinned() {
            true => count(section),
            false => 0,
        };
        let mut shown: Vec<usize> = self.sections.iter().map(pinned).collect();
        let mut least = self.format(&shown, Some(bytes));
        let pinned_fit = least.len() <= bytes;
        if !pinned_fit {
            shown.fill(0);
            least = self.format(&shown, Some(bytes));
        }
        // The size of a section is only an estimate until it is written, so write the page, measure
        // it, and remove what does not fit.
        let mut room = bytes.saturating_sub(least.len());
        while room > 0 {
            self.fill(&mut shown, !pinned_fit, room);
            let filled = self.format(&shown, Some(bytes));
            let excess = filled.len().saturating_sub(bytes);
            if excess == 0 {
                return filled;
            }
            room = room.saturating_sub(excess);
        }
        least
    }

    /// Decides how many items of each section fit into this many bytes. Considers only the
    /// pinned sections if `pinned` is true. Otherwise, considers only the sections that are not
    /// pinned.
    fn fill(&self, shown: &mut [usize], pinned: bool, bytes: usize) {
        let wanted = |section: &Section| {
            let is_listed = section.listed_by.is_some();
            section.kind.is_pinned() == pinned && !is_listed && !section.items.is_empty()
        };
        let sections = self.sections.iter().enumerate();
        let mut waiting: Vec<(usize, Vec<usize>)> = sections
            .filter(|(_, section)| wanted(section))
            .map(|(index, section)| (index, section.costs()))
            .collect();
        // Start with the cheapest section, so that the others can share the space that it does not
        // need.
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

    fn format(&self, shown: &[usize], limit: Option<usize>) -> String {
        let items = self.sections.iter().flat_map(|section| &section.items);
        let size = || items.map(|item| item.len() + 8).sum();
        // Reserve the space, because the buffer of a long page would otherwise grow to twice its size.
        let mut text = String::with_capacity(limit.unwrap_or_else(size));
        for line in &self.head {
            let _ = writeln!(text, "{line}\n");
        }
        if let Some(cut) = limit.and_then(|limit| self.cut(shown, limit)) {
            let _ = writeln!(text, "{cut}\n");
        }
        let sections = self.sections.iter();
        let sections = sections.filter(|section| section.listed_by.is_none());
        let folded = sections.filter(|section| section.is_folded);
        let is_short = folded.map(|section| section.items.len()).sum::<usize>() <= OPEN;
        for (section, shown) in self.sections.iter().zip(shown) {
            let fold = (self.dialect == Dialect::Html && section.is_folded).then(|| {
                match is_short && section.listed_by.is_none() {
                    true => "<details open><summary>Rooms</summary>\n\n",
                    false => "<details><summary>Rooms</summary>\n\n",
                }
            });
            section.write(&mut text, *shown, fold);
        }
        for line in &self.foot {
            let _ = writeln!(text, "{line}\n");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }

    /// The exact counts of the omitted items, except those that a command lists.
    fn cut(&self, shown: &[usize], limit: usize) -> Option<String> {
        let counted = || self.sections.iter().zip(shown);
        let left_out: Vec<String> = counted()
            .filter(|(section, shown)| section.listed_by.is_none() && **shown < section.items.len())
            .map(|(section, shown)| {
                let (all, name) = (section.items.len(), section.kind.name());
                format!("{} of {all} under “{name}”", all - shown)
            })
            .collect();
        if left_out.is_empty() {
            return None;
        }
        let left_out = left_out.join(", ");
        let pinned = || counted().filter(|(section, _)| section.kind.is_pinned());
        let dangerous: usize = pinned().map(|(section, _)| section.items.len()).sum();
        let missing = dangerous - pinned().map(|(_, shown)| *shown).sum::<usize>();
        let cut = format!("**Cut to fit {limit} bytes.** Not shown: {left_out}.");
        Some(match (dangerous, missing) {
            (0, _) => cut,
            (1, 0) => cut + " The dangerous line is shown.",
            (_, 0) => format!("{cut} All {dangerous} dangerous lines are shown."),
            _ => format!(
                "**Not even the dangerous lines fit {limit} bytes: {missing} of {dangerous} are missing.** Read the whole plan \
                 before you approve it. Not shown: {left_out}."
            ),
        })
    }
}

impl Section {
    /// Returns the cost in bytes of the first item, of the first two items, and so on.
    fn costs(&self) -> Vec<usize> {
        let mut sum = AROUND + self.kind.name().len() + self.kind.remark().map_or(0, str::len);
        let cost = |item: &String| {
            sum += item.len() + self.kind.bullet().len() + 2;
            sum
        };
        self.items.iter().map(cost).collect()
    }

    fn write(&self, text: &mut String, shown: usize, fold: Option<&str>) {
        if shown == 0 && self.listed_by.is_none() {
            return;
        }
        let count = match self.items.len() {
            all if all == shown => all.to_string(),
            all => format!("{all}, {shown} of them shown"),
        };
        let _ = writeln!(text, "### {}: {count}\n", self.kind.name());
        if let Some(command) = self.listed_by.filter(|_| shown == 0) {
            let _ = writeln!(text, "`{command}` lists them.\n");
            return;
        }
        if let Some(remark) = self.kind.remark() {
            let _ = writeln!(text, "{}\n", sentence(remark));
        }
        text.push_str(fold.unwrap_or_default());
        for item in self.items.iter().take(shown) {
            let _ = writeln!(text, "{} {item}", self.kind.bullet());
        }
        text.push_str(fold.map_or("\n", |_| "\n</details>\n\n"));
    }
}
