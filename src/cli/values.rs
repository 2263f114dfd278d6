//! Values as people write them: durations, rates, parts of a whole.

use std::num::NonZeroU32;
use std::time::Duration;

/// `30s`, `500ms`, `2m`: longer than nothing or nothing, at most a day.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed: Result<jiff::SignedDuration, _> = text.parse();
    let duration = parsed
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok());
    duration
        .filter(|duration| *duration <= Duration::from_secs(86_400))
        .ok_or_else(|| "write it as 30s, 500ms or 2m".to_owned())
}

/// A duration longer than nothing.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    let timeout = duration(text)?;
    if timeout.is_zero() {
        Err("nothing is ever answered in no time at all".to_owned())
    } else {
        Ok(timeout)
    }
}

/// `20/s`, `20`, `0.5/s`: more than nothing.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let number = text
        .strip_suffix("/s")
        .unwrap_or(text)
        .trim()
        .parse::<f64>();
    let rate = number
        .ok()
        .filter(|rate| rate.is_finite() && (0.001..=1e6).contains(rate));
    rate.ok_or_else(|| "write it as 20/s".to_owned())
}

/// A part of a whole: 0 to 1.
pub(super) fn part(text: &str) -> Result<f64, String> {
    let part = text
        .parse::<f64>()
        .ok()
        .filter(|part| (0.0..=1.0).contains(part));
    part.ok_or_else(|| "write it as a number from 0 to 1".to_owned())
}

/// `0/8`: a part of all rooms, counted from 0, and of how many.
pub(super) fn shard(text: &str) -> Result<(u32, NonZeroU32), String> {
    let numbers = text.split_once('/').and_then(|(index, count)| {
        let (index, count) = (index.parse().ok()?, count.parse().ok()?);
        Some((index, NonZeroU32::new(count)?))
    });
    let (index, count) = numbers.ok_or_else(|| "write it as 0/8".to_owned())?;
    let last = count.get() - 1;
    if index > last {
        return Err(format!(
            "parts are counted from 0: the last is {last}/{count}"
        ));
    }
    Ok((index, count))
}

/// The least a page may be: its figures, and what was left out, always fit.
const SMALLEST_PAGE: usize = 4096;

/// The size of a page in bytes.
pub(super) fn page(text: &str) -> Result<usize, String> {
    let bytes = text
        .parse::<usize>()
        .ok()
        .filter(|bytes| *bytes >= SMALLEST_PAGE);
    bytes.ok_or_else(|| format!("a page needs at least {SMALLEST_PAGE} bytes to hold its figures"))
}

/// An address that can stand between quotes in YAML and in a shell.
pub(super) fn source(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/@+%".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("write the address as git takes it, without spaces or quotes".to_owned())
    }
}

/// A text that says something: an empty filter would be none.
pub(super) fn filled(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("write something, or leave the flag out".to_owned()),
        text => Ok(text.to_owned()),
    }
}

/// A room's type, by its name or its number.
pub(super) fn kind(text: &str) -> Result<i64, String> {
    match text {
        "dialog" => Ok(0),
        "conference" => Ok(1),
        "support" => Ok(3),
        text => text
            .parse()
            .map_err(|_| "write it as dialog, conference or support, or as a number".to_owned()),
    }
}

/// A path below the API's address. Credentials go there, so it is none to somewhere else.
pub(super) fn path(text: &str) -> Result<String, String> {
    let is_path = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '\\' | '%');
    let climbs = text.split('/').any(|part| matches!(part, "." | ".."));
    if text.is_empty() || text.contains("//") || climbs || !text.chars().all(is_path) {
        return Err("write it as a path, as in /imbachat/v2/{imba_id}/get_messages".to_owned());
    }
    Ok(text.to_owned())
}
