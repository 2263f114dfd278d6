//! Makes a page fit a limit: omits whole items, the least dangerous first, and counts them.

use std::io::{self, Write};

use super::Dialect;
use super::prose::item;
use crate::view::grammar::sentence;
use crate::view::{self, SectionKind, View};

/// If the folds have at most this many items in total, they start open. That many items fit on one
/// or two screens.
const OPEN: usize = 12;
/// An estimate of the bytes of a section without its items and its name. The finished page is
/// measured exactly.
const AROUND: usize = 120;

/// A page before it is written. `head` and `foot` are already escaped.
pub(super) struct Page<'a> {
    pub(super) dialect: Dialect,
    /// The lines at the top of the page. They are never cut.
    pub(super) head: Vec<String>,
    /// The sections of the page, the most dangerous first.
    pub(super) sections: Vec<Section<'a>>,
    /// The lines at the end of the page. They are never cut.
    pub(super) foot: Vec<String>,
}

/// A section of the page. Its items are created again each time they are needed, because keeping all
/// items of a long page would take too much memory.
pub(super) struct Section<'a> {
    pub(super) view: &'a View<'a>,
    pub(super) section: &'a view::Section<'a>,
}

/// The total size in bytes of the first item of a section, of the first two items, and so on.
type Costs = Vec<usize>;

impl Page<'_> {
    /// Writes the page, with as many items as fit into `bytes`.
    pub(super) fn write(&self, bytes: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
        match bytes {
            None => self.write_items(&self.count_all(), None, out),
            Some(bytes) => out.write_all(&self.fit(bytes)?),
        }
    }

    fn count_all(&self) -> Vec<usize> {
        let counts = self.sections.iter().map(|section| section.section.count());
        counts.collect()
    }

    /// Returns the page with as many items as fit.
    fn fit(&self, bytes: usize) -> io::Result<Vec<u8>> {
        let costs: Vec<Costs> = self.sections.iter().map(Section::costs).collect();
        let make_page = |shown: &[usize]| -> io::Result<Vec<u8>> {
            let mut text = Vec::new();
            self.write_items(shown, Some(bytes), &mut text)?;
            Ok(text)
        };
        let make_page_if_it_fits = |shown: &[usize]| {
            let items = costs.iter().zip(shown);
            let items: usize = items.map(|(costs, shown)| cost_of(costs, *shown)).sum();
            if items > bytes {
                return Ok(None);
            }
            make_page(shown).map(|page| (page.len() <= bytes).then_some(page))
        };
        let all = self.count_all();
        if let Some(whole) = make_page_if_it_fits(&all)? {
            return Ok(whole);
        }
        let pinned = |(section, count): (&Section<'_>, &usize)| match section.kind().is_pinned() {
            true => *count,
            false => 0,
        };
        let mut shown: Vec<usize> = self.sections.iter().zip(&all).map(pinned).collect();
        let all_pinned = make_page_if_it_fits(&shown)?;
        let pinned_fit = all_pinned.is_some();
        let least = match all_pinned {
            Some(page) => page,
            None => {
                shown.fill(0);
                make_page(&shown)?
            }
        };
        // The size of a section is only an estimate until it is written, so write the page, measure
        // it, and remove what does not fit.
        let mut room = bytes.saturating_sub(least.len());
        while room > 0 {
            self.fill(&mut shown, &costs, !pinned_fit, room);
            let filled = make_page(&shown)?;
            let excess = filled.len().saturating_sub(bytes);
            if excess == 0 {
                return Ok(filled);
            }
            room = room.saturating_sub(excess);
        }
        Ok(least)
    }

    /// Decides how many items of each section fit into this many bytes. Considers only the
    /// pinned sections if `pinned` is true. Otherwise, considers only the sections that are not
    /// pinned.
    fn fill(&self, shown: &mut [usize], costs: &[Costs], pinned: bool, bytes: usize) {
        let sections = self.sections.iter().zip(costs).zip(shown);
        let mut waiting: Vec<_> = sections
            .filter(|((section, costs), _)| {
                let is_of_kind = section.kind().is_pinned() == pinned;
                is_of_kind && !section.is_listed() && !costs.is_empty()
            })
            .map(|((section, costs), shown)| (section.cost_around(), costs, shown))
            .collect();
        // Start with the cheapest section, so that the others can share the space that it does not
        // need.
        waiting.sort_by_key(|(around, costs, _)| around + cost_of(costs, costs.len()));
        let (mut left, mut sections) = (bytes, waiting.len());
        for (around, costs, shown) in waiting {
            *shown = costs.partition_point(|cost| around + cost <= left / sections);
            sections -= 1;
            if *shown > 0 {
                left -= around + cost_of(costs, *shown);
            }
        }
    }

    /// Writes the page with the first `shown` items of each section.
    fn write_items(
        &self,
        shown: &[usize],
        limit: Option<usize>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut out = Trimmed {
            out,
            space: Vec::new(),
        };
        for line in &self.head {
            writeln!(out, "{line}\n")?;
        }
        if let Some(cut) = limit.and_then(|limit| self.cut(shown, limit)) {
            writeln!(out, "{cut}\n")?;
        }
        let sections = self.sections.iter();
        let folded = sections.filter(|section| section.is_folded() && !section.is_listed());
        let is_short = folded.map(|section| section.section.count()).sum::<usize>() <= OPEN;
        for (section, shown) in self.sections.iter().zip(shown) {
            let fold =
                (self.dialect == Dialect::Html && section.is_folded()).then(|| {
                    match is_short && !section.is_listed() {
                        true => "<details open><summary>Rooms</summary>\n\n",
                        false => "<details><summary>Rooms</summary>\n\n",
                    }
                });
            section.write(&mut out, *shown, fold)?;
        }
        for line in &self.foot {
            writeln!(out, "{line}\n")?;
        }
        out.out.write_all(b"\n")
    }

    /// The exact counts of the omitted items, except those that a command lists.
    fn cut(&self, shown: &[usize], limit: usize) -> Option<String> {
        let counted = || self.sections.iter().zip(shown);
        let left_out: Vec<String> = counted()
            .filter(|(section, shown)| !section.is_listed() && **shown < section.section.count())
            .map(|(section, shown)| {
                let (all, name) = (section.section.count(), section.kind().name());
                format!("{} of {all} under “{name}”", all - shown)
            })
            .collect();
        if left_out.is_empty() {
            return None;
        }
        let left_out = left_out.join(", ");
        let pinned = || counted().filter(|(section, _)| section.kind().is_pinned());
        let dangerous: usize = pinned().map(|(section, _)| section.section.count()).sum();
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

impl Section<'_> {
    fn kind(&self) -> SectionKind {
        self.section.kind
    }

    /// Returns the items one at a time, without list markers.
    fn items(&self) -> impl Iterator<Item = String> {
        let lines = self.view.lines(self.section);
        lines.map(|line| item(self.kind(), &line))
    }

    /// Whether `roomform todo` lists the items. If the page is too long, they are the first to be
    /// replaced by their count.
    fn is_listed(&self) -> bool {
        self.kind().is_open() && self.view.verb != "todo"
    }

    /// Whether the items are folded. Changes are folded unless they need attention.
    fn is_folded(&self) -> bool {
        let has_changes = !self.kind().is_pinned() && !self.section.changes.is_empty();
        self.is_listed() || has_changes || self.kind() == SectionKind::AsPlanned
    }

    fn costs(&self) -> Costs {
        let mut sum = 0;
        let cost = |item: String| {
            sum += item.len() + self.kind().bullet().len() + 2;
            sum
        };
        self.items().map(cost).collect()
    }

    /// Estimates the bytes of the section without its items.
    fn cost_around(&self) -> usize {
        let kind = self.kind();
        AROUND + kind.name().len() + kind.remark().map_or(0, str::len)
    }

    fn write(&self, out: &mut dyn Write, shown: usize, fold: Option<&str>) -> io::Result<()> {
        if shown == 0 && !self.is_listed() {
            return Ok(());
        }
        let count = match self.section.count() {
            all if all == shown => all.to_string(),
            all => format!("{all}, {shown} of them shown"),
        };
        let kind = self.kind();
        writeln!(out, "### {}: {count}\n", kind.name())?;
        if shown == 0 {
            return writeln!(out, "`roomform todo` lists them.\n");
        }
        if let Some(remark) = kind.remark() {
            writeln!(out, "{}\n", sentence(remark))?;
        }
        write!(out, "{}", fold.unwrap_or_default())?;
        for item in self.items().take(shown) {
            writeln!(out, "{} {item}", kind.bullet())?;
        }
        write!(out, "{}", fold.map_or("\n", |_| "\n</details>\n\n"))
    }
}

fn cost_of(costs: &Costs, items: usize) -> usize {
    let cost = items.checked_sub(1).and_then(|last| costs.get(last));
    cost.copied().unwrap_or_default()
}

/// A writer that holds back spaces and line breaks until more text follows, because a page ends
/// with a single line break.
struct Trimmed<'a> {
    out: &'a mut dyn Write,
    space: Vec<u8>,
}

impl Write for Trimmed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = bytes.trim_ascii_end();
        let (text, space) = bytes.split_at(text.len());
        if !text.is_empty() {
            self.out.write_all(&self.space)?;
            self.out.write_all(text)?;
            self.space.clear();
        }
        self.space.extend(space);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
