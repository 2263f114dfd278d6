//! Parsers of flag values. An error says how to write the value.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use jiff::civil::Date;

type Parsed<T> = Result<T, &'static str>;

pub(super) fn positive() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..)
}

/// Counting needs at least five requests: one for a number of users, two for the next lower and
/// the next higher number, and two to check the answers.
pub(super) fn count_requests() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(5..)
}

/// Parses a duration of at most a day.
pub(super) fn duration(text: &str) -> Parsed<Duration> {
    let parsed = text.parse::<jiff::SignedDuration>().ok();
    let duration = parsed.and_then(|duration| Duration::try_from(duration).ok());
    let duration = duration.filter(|duration| *duration <= Duration::from_secs(86_400));
    duration.ok_or("write it as 30s, 500ms or 2m")
}

/// Parses a number of days, such as `14d`.
pub(super) fn days(text: &str) -> Parsed<u64> {
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
    days.ok_or("write it as 14d")
}

pub(super) fn timeout(text: &str) -> Parsed<Duration> {
    match duration(text)? {
        Duration::ZERO => Err("use a duration above zero"),
        timeout => Ok(timeout),
    }
}

pub(super) fn rate(text: &str) -> Parsed<f64> {
    let rate = text.strip_suffix("/s").unwrap_or(text).trim().parse().ok();
    let rate = rate.filter(|rate| (0.001..=1e6).contains(rate));
    rate.ok_or("write it as 20/s")
}

pub(super) fn part(text: &str) -> Parsed<f64> {
    let part = text.parse().ok().filter(|part| (0.0..=1.0).contains(part));
    part.ok_or("write it as a number from 0 to 1")
}

pub(super) fn date(text: &str) -> Parsed<Date> {
    let date = text.parse::<Date>().ok();
    let date = date.filter(|date| date.to_string() == text);
    date.ok_or("write it as 2026-09-01")
}

/// Parses `I/N`: the index of a part, from 0, and the number of parts.
pub(super) fn shard(text: &str) -> Result<(u32, NonZeroU32), String> {
    let numbers = text.split_once('/');
    let numbers =
        numbers.and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
    let (index, count): (u32, NonZeroU32) = numbers.ok_or("write it as 0/8")?;
    let last = count.get() - 1;
    if index > last {
        return Err(format!(
            "shards are numbered from 0: the last one is {last}/{count}"
        ));
    }
    Ok((index, count))
}

/// Refuses a page size that is too small for the figures and the note about omitted items.
pub(super) fn page_size(text: &str) -> Parsed<usize> {
    let bytes = text.parse().ok().filter(|bytes| *bytes >= 4096);
    bytes.ok_or("use at least 4096 bytes, so that the figures fit on the page")
}

/// Parses a release and its SHA-256 sum. Accepts only characters that are safe between quotes
/// in YAML and in a shell.
pub(super) fn pin(text: &str) -> Parsed<(String, String)> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let is_version = |version: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let (release, pre) = version.split_once('-').unwrap_or((version, "0"));
        release.split('.').count() == 3
            && release.split('.').all(is_number)
            && !pre.is_empty()
            && pre.chars().all(plain)
    };
    let is_sum = |sum: &str| sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts = text.split_once('@');
    let pin = parts.filter(|(version, sum)| is_version(version) && is_sum(sum));
    let pin = pin.map(|(version, sum)| (version.to_owned(), sum.to_ascii_lowercase()));
    pin.ok_or(
        "write it as 0.2.0@SHA256, with the 64 digits from the file SHA256SUMS of the release",
    )
}

/// Refuses an empty filter, because it would select everything.
pub(super) fn not_empty(text: &str) -> Parsed<String> {
    match text.trim() {
        "" => Err("write a value, or leave the flag out"),
        text => Ok(text.to_owned()),
    }
}

pub(super) fn room_type(text: &str) -> Parsed<i64> {
    match text {
        "dialog" => Ok(0),
        "conference" => Ok(1),
        "support" => Ok(3),
        text => text
            .parse()
            .map_err(|_| "write it as dialog, conference or support, or as a number"),
    }
}

/// Parses a path below the API's address. Credentials are sent to this path, so the path must
/// stay below the API's address.
pub(super) fn api_path(text: &str) -> Parsed<String> {
    let is_path = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '\\' | '%');
    let climbs = text.split('/').any(|part| matches!(part, "." | ".."));
    if text.is_empty() || text.contains("//") || climbs || !text.chars().all(is_path) {
        return Err("write it as a path, as in /imbachat/v2/{imba_id}/get_messages");
    }
    Ok(text.to_owned())
}
