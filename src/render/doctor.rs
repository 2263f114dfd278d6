//! A check-up as text: a line a step, its cases and its remedy below it.

use std::fmt::Write;

use super::escape::{brief, terminal};
use super::paint::{Paint, Tone};
use crate::model::{Checkup, Finding, Probe, Step, Verdict};
use crate::view::Count;

/// Cases told of one step.
const TOLD: usize = 8;
/// The column in which what was found begins.
const INDENT: usize = 25;

/// A check-up. Ends with a line break.
pub fn doctor(checkup: &Checkup, paint: Paint) -> String {
    let Checkup {
        target,
        steps,
        probe,
    } = checkup;
    let mut text = String::new();
    if let Some(target) = target {
        let _ = writeln!(text, "{}\n", terminal(&target.to_string()));
    }
    steps.iter().for_each(|one| step(&mut text, one, paint));
    if let Some(probe) = probe {
        probed(&mut text, probe);
    }
    let figures = [
        Verdict::Ok,
        Verdict::Warning,
        Verdict::Failed,
        Verdict::Skipped,
    ];
    let [ok, warnings, failed, skipped] = figures.map(|verdict| checkup.count(verdict));
    let warnings = Count(warnings, "warning");
    let _ = writeln!(
        text,
        "\ndoctor: {ok} ok, {warnings}, {failed} failed, {skipped} skipped"
    );
    text
}

fn step(text: &mut String, step: &Step, paint: Paint) {
    let Step {
        name,
        verdict,
        message,
        details,
        remedy,
    } = step;
    let (word, tone) = match verdict {
        Verdict::Ok => ("ok", Tone::Add),
        Verdict::Warning => ("warning", Tone::Change),
        Verdict::Failed => ("failed", Tone::Danger),
        Verdict::Skipped => ("skipped", Tone::Quiet),
    };
    let word = paint.tone(tone, format!("{word:<9}"));
    let _ = writeln!(text, "{word}{name:<16}{}", terminal(message));
    for detail in details.iter().take(TOLD) {
        let _ = writeln!(text, "{:INDENT$}{}", "", brief(detail));
    }
    if details.len() > TOLD {
        let _ = writeln!(text, "{:INDENT$}and {} more", "", details.len() - TOLD);
    }
    if let Some(remedy) = remedy {
        let _ = writeln!(text, "{:INDENT$}remedy: {}", "", terminal(remedy));
    }
}

fn probed(text: &mut String, probe: &Probe) {
    let Probe {
        pipe,
        room,
        findings,
    } = probe;
    let _ = writeln!(text, "\nwrite probe `{}`", brief(pipe.as_str()));
    for finding in findings {
        let Finding {
            question,
            settled,
            answer,
        } = finding;
        let word = if *settled { "settled" } else { "open" };
        let _ = writeln!(text, "  {word:<9}{question}: {}", terminal(answer));
    }
    if let Some(room) = room {
        let _ = writeln!(
            text,
            "  room {room} is there now, and the API cannot delete it: remove it by hand in ImbaChat"
        );
    }
}
