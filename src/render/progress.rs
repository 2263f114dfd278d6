//! Shows the progress of an apply: a bar on a terminal, and otherwise a plain line from time to
//! time, so that a CI log is neither silent nor flooded.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::apply::{Event, Status};
use crate::view::Count;

/// The time between two plain lines.
pub const EVERY: Duration = Duration::from_secs(10);

/// The progress of one apply.
pub struct Progress {
    total: usize,
    settled: usize,
    failed: usize,
    stage: String,
    bar: ProgressBar,
    print: Box<dyn Fn(&str)>,
}

impl Progress {
    /// Shows a bar on stderr. Stderr must be a terminal.
    pub fn bar(total: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
        // This template is known to be valid. If it were not, the bar would have the library's
        // default style.
        if let Ok(style) = ProgressStyle::with_template("  [{bar:16}] {pos}/{len} {wide_msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self {
            bar,
            ..Self::lines(total, |_| ())
        }
    }

    /// Prints plain lines by calling `print`.
    pub fn lines(total: usize, print: impl Fn(&str) + 'static) -> Self {
        Self {
            total,
            settled: 0,
            failed: 0,
            stage: "writing".to_owned(),
            bar: ProgressBar::hidden(),
            print: Box::new(print),
        }
    }

    /// Shows no progress.
    pub fn nothing() -> Self {
        Self::lines(0, |_| ())
    }

    /// Updates the progress after a step of the apply.
    pub fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Settled(room) => {
                self.settled = (self.settled + 1).min(self.total);
                self.failed += usize::from(matches!(room.status, Status::Failed { .. }));
            }
            Event::Resolving(rooms, most) => {
                let (created, most) = (Count(*rooms, "room"), most.as_secs_f64().ceil());
                self.stage = format!(
                    "looking (for up to {most} s) for {created} whose create got no answer"
                );
                self.settled = self.settled.saturating_sub(*rooms);
                self.tick();
            }
            Event::Verifying => {
                self.stage = "reading the list again".to_owned();
                self.tick();
            }
            Event::Welcoming(rooms) => {
                self.stage = format!("sending {}", Count(*rooms, "message"));
                self.settled = self.settled.saturating_sub(*rooms);
                self.tick();
            }
        }
        self.bar.set_position(self.settled as u64);
        self.bar.set_message(self.message());
    }

    /// Prints the progress as a plain line.
    pub fn tick(&self) {
        let (settled, rooms) = (self.settled, Count(self.total, "room"));
        (self.print)(&format!("{settled} of {rooms}: {}", self.message()));
    }

    /// Prints a line. If there is a bar, the line appears above it.
    pub fn say(&self, line: &str) {
        self.bar.println(line);
        (self.print)(line);
    }

    /// Removes the bar from the terminal.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }

    fn message(&self) -> String {
        match self.failed {
            0 => self.stage.clone(),
            failed => format!("{}, {failed} failed", self.stage),
        }
    }
}
