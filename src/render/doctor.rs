//! Writes the findings of `doctor` as text: a line for each check, and below it the details and the
//! hint.

use std::fmt::Write;

use super::escape::{brief, terminal};
use super::paint::{Paint, Styles};
use crate::doctor::{Answer, Finding, Report, Verdict, WriteProbe};
use crate::view::Count;

/// Maximum number of details that are shown for a check.
const SHOWN: usize = 8;
/// The column at which messages start.
const INDENT: usize = 25;

/// Returns the report as text, which ends with a line break.
pub fn doctor(report: &Report, paint: Paint) -> String {
    let Report {
        target,
        findings,
        probe,
    } = report;
    let mut text = String::new();
    if let Some(target) = target {
        let _ = writeln!(text, "{}\n", terminal(&target.to_string()));
    }
    for (name, finding) in findings {
        write_finding(&mut text, name, finding, paint);
    }
    if let Some(probe) = probe {
        write_probe(&mut text, probe);
    }
    let [ok, failed, skipped] =
        [Verdict::Ok, Verdict::Failed, Verdict::Skipped].map(|verdict| report.count(verdict));
    let warnings = Count(report.count(Verdict::Warning), "warning");
    let tally = format!("{ok} ok, {warnings}, {failed} failed, {skipped} skipped");
    let _ = writeln!(text, "\ndoctor: {tally}");
    text
}

fn write_finding(text: &mut String, name: &str, finding: &Finding, paint: Paint) {
    let Finding {
        verdict,
        message,
        details,
        remedy,
    } = finding;
    let (word, style) = match verdict {
        Verdict::Ok => ("ok", Styles::ADD),
        Verdict::Warning => ("warning", Styles::CHANGE),
        Verdict::Failed => ("failed", Styles::DANGER),
        Verdict::Skipped => ("skipped", Styles::QUIET),
    };
    let word = paint.style(style, format!("{word:<9}"));
    let _ = writeln!(text, "{word}{name:<16}{}", terminal(message));
    for detail in details.iter().take(SHOWN) {
        let _ = writeln!(text, "{:INDENT$}{}", "", brief(detail));
    }
    if details.len() > SHOWN {
        let _ = writeln!(text, "{:INDENT$}and {} more", "", details.len() - SHOWN);
    }
    if let Some(remedy) = remedy {
        let _ = writeln!(text, "{:INDENT$}remedy: {}", "", terminal(remedy));
    }
}

fn write_probe(text: &mut String, probe: &WriteProbe) {
    let WriteProbe {
        pipe,
        room,
        answers,
    } = probe;
    let _ = writeln!(text, "\nwrite probe `{}`", brief(pipe.as_str()));
    for answer in answers {
        let Answer {
            question,
            settled,
            answer,
        } = answer;
        let word = if *settled { "settled" } else { "open" };
        let _ = writeln!(text, "  {word:<9}{question}: {}", terminal(answer));
    }
    let remedy = "the API cannot delete it: remove it in ImbaChat";
    let _ = writeln!(text, "  room {room} exists now, and {remedy}");
}
