//! How far an apply is: a bar on a terminal, elsewhere a plain line now and then, so that neither silence nor a flood ends a CI job.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::apply::{Event, Status};
use crate::view::Count;

/// How often a plain line is due.
pub const EVERY: Duration = Duration::from_secs(10);

/// Follows one apply.
pub struct Progress {
    total: usize,
    settled: usize,
    failed: usize,
    stage: String,
    show: Show,
}

enum Show {
    Bar(ProgressBar),
    Lines(Box<dyn Fn(&str)>),
    Nothing,
}

impl Progress {
    /// A bar on the terminal that stderr is.
    pub fn bar(total: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
        // The template is ours and fixed; were it wrong, the library's own would do.
        if let Ok(style) = ProgressStyle::with_template("  [{bar:16}] {pos}/{len} {wide_msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self::new(total, Show::Bar(bar))
    }

    /// Plain lines, to whatever prints them.
    pub fn lines(total: usize, out: impl Fn(&str) + 'static) -> Self {
        Self::new(total, Show::Lines(Box::new(out)))
    }

    /// Nothing at all.
    pub fn nothing() -> Self {
        Self::new(0, Show::Nothing)
    }

    fn new(total: usize, show: Show) -> Self {
        Self {
            total,
            settled: 0,
            failed: 0,
            stage: "writing".to_owned(),
            show,
        }
    }

    /// Takes a step in.
    pub fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Settled(room) => {
                self.settled = (self.settled + 1).min(self.total);
                let answered = matches!(
                    room.status,
                    Status::Applied | Status::Verified | Status::Ignored(_)
                );
                self.failed += usize::from(!answered || !room.errors.is_empty());
            }
            Event::Resolving(rooms) => {
                self.stage = format!(
                    "looking for {} whose create was not answered",
                    Count(*rooms, "room")
                );
                self.settled = self.settled.saturating_sub(*rooms);
                self.failed = self.failed.saturating_sub(*rooms);
                self.line();
            }
            Event::Verifying => {
                self.stage = "reading the list again".to_owned();
                self.line();
            }
            Event::Welcoming(rooms) => {
                self.stage = format!("sending {}", Count(*rooms, "message"));
                self.settled = self.settled.saturating_sub(*rooms);
                self.line();
            }
        }
        if let Show::Bar(bar) = &self.show {
            bar.set_position(self.settled as u64);
            bar.set_message(self.words());
        }
    }

    /// A plain line is due.
    pub fn tick(&mut self) {
        self.line();
    }

    /// Takes the bar away.
    pub fn finish(self) {
        if let Show::Bar(bar) = self.show {
            bar.finish_and_clear();
        }
    }

    fn words(&self) -> String {
        match self.failed {
            0 => self.stage.clone(),
            failed => format!("{}, {failed} not well", self.stage),
        }
    }

    fn line(&mut self) {
        let words = self.words();
        let (settled, total) = (self.settled, self.total);
        if let Show::Lines(out) = &self.show {
            out(&format!("{settled} of {}: {words}", Count(total, "room")));
        }
    }
}
