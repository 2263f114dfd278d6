//! Calendar dates, points in time, and periods in which something is declared. Nothing here reads a
//! clock.

use std::fmt;

use jiff::tz::Offset;
use jiff::{Span, Timestamp, ToSpan as _, civil};

/// Plans start to announce the end of a membership this many days in advance.
pub const NOTICE: i32 = 14;

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub civil::Date);

impl Date {
    /// Parses the form `2026-09-01`.
    pub fn parse(text: &str) -> Option<Self> {
        let date = Self(text.parse().ok()?);
        (date.0.year() >= 0 && date.to_string() == text).then_some(date)
    }

    /// Returns the last day of a period of `days` days that starts on this day.
    pub(crate) fn last_of(self, days: u64) -> Option<Self> {
        let more = i64::try_from(days.checked_sub(1)?).ok()?;
        let last = self.0.checked_add(Span::new().try_days(more).ok()?);
        last.ok().map(Self)
    }

    /// Returns the number of days from `earlier` to this day; 0 if `earlier` is after this day.
    pub fn days_since(self, earlier: Self) -> u64 {
        let hours = self.0.duration_since(earlier.0).as_hours();
        u64::try_from(hours / 24).unwrap_or_default()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Milliseconds since 1970, UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// Returns the day in UTC.
    pub fn day(self) -> Date {
        Date(Offset::UTC.to_datetime(self.timestamp()).date())
    }

    /// Converts the time. A time outside the calendar becomes the start of 1970.
    fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or_default()
    }
}

/// Displays the time as RFC 3339 in whole seconds: `2026-11-30T03:26:00Z`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}", self.timestamp())
    }
}

/// Whether something is declared today, and whether it is declared after the notice period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    pub(crate) today: bool,
    /// Whether it is declared on the day after the notice period.
    pub(crate) later: bool,
}

impl Presence {
    /// The presence of something that is always declared.
    pub(crate) const ALWAYS: Self = Self {
        today: true,
        later: true,
    };

    /// Returns the presence of something that is declared from one day until another, both
    /// inclusive.
    pub(crate) fn between(from: Option<Date>, until: Option<Date>, today: Date) -> Self {
        // Skip the date arithmetic for the many rows without dates.
        if (from, until) == (None, None) {
            return Self::ALWAYS;
        }
        let is_within = |day: Date| {
            from.is_none_or(|from| from <= day) && until.is_none_or(|until| day <= until)
        };
        Self {
            today: is_within(today),
            later: is_within(Date(today.0.saturating_add((NOTICE + 1).days()))),
        }
    }

    /// Returns the presence of something that is declared only while both `self` and `other`
    /// are declared.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            today: self.today && other.today,
            later: self.later && other.later,
        }
    }

    /// Returns the presence of something that is declared while `self`, `other` or both are
    /// declared.
    #[must_use]
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            today: self.today || other.today,
            later: self.later || other.later,
        }
    }

    /// Whether the declaration ends within the notice period.
    pub(crate) fn ends_soon(self) -> bool {
        self.today && !self.later
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        for text in ["2026-09-01", "2024-02-29", "2000-02-29", "0001-12-31"] {
            assert_eq!(
                Date::parse(text).map(|date| date.to_string()).as_deref(),
                Some(text)
            );
        }
        for text in [
            "",
            "2026-9-1",
            "2026-09-31",
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "26-01-01",
            "+026-01-01",
            "-000001-01-01",
            "20260901",
            "2026-01-01 ",
            "2026/01/01",
            "2026-01-01-1",
            "2147483647-01-01",
            "2026-2147483647-01",
            "2026-01-2147483647",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
        assert!(Date::parse("2025-12-31") < Date::parse("2026-01-01"));
    }

    #[test]
    fn the_first_day_is_one_of_the_days() {
        let first = Date::parse("2026-12-31");
        let last = |days| {
            first
                .and_then(|first| first.last_of(days))
                .map(|last| last.to_string())
        };
        assert_eq!(last(0), None);
        assert_eq!(last(1).as_deref(), Some("2026-12-31"));
        assert_eq!(last(32).as_deref(), Some("2027-01-31"));
        assert_eq!(last(u64::MAX), None);
    }

    #[test]
    fn every_day_of_four_centuries_is_read_as_it_is_written() {
        for day in -10_000..140_000 {
            let day = Time(day * 86_400_000).day();
            assert_eq!(Date::parse(&day.to_string()), Some(day));
        }
    }

    #[test]
    fn dates_are_inclusive_and_end_soon_within_fourteen_days() {
        let date = |text: &str| Date::parse(text);
        let today = Date::parse("2026-11-30").unwrap_or_default();
        let presence = |from, until| Presence::between(date(from), date(until), today);
        assert_eq!(presence("", ""), Presence::ALWAYS);
        for (from, until, is_declared, ends_soon) in [
            ("2026-11-30", "", true, false),
            ("2026-12-01", "", false, false),
            ("", "2026-11-30", true, true),
            ("", "2026-11-29", false, false),
            ("", "2026-12-14", true, true),
            ("", "2026-12-15", true, false),
            ("2026-12-01", "2026-12-05", false, false),
        ] {
            let presence = presence(from, until);
            let found = (presence.today, presence.ends_soon());
            assert_eq!(found, (is_declared, ends_soon), "{from} {until}");
        }
        // A membership that continues under other dates does not end.
        let (this, next) = (presence("", "2026-12-05"), presence("2026-12-06", ""));
        assert!(!this.or(next).ends_soon());
        assert!(!this.and(next).today);
    }

    #[test]
    fn days_are_counted_by_the_calendar() {
        let day = |hours: i64| Time(hours * 3_600_000).day();
        for (from, to, days) in [(23, 24, 1), (0, 23, 0), (0, 48, 2), (48, 0, 0), (-1, 0, 1)] {
            assert_eq!(day(to).days_since(day(from)), days, "{from} to {to}");
        }
    }

    #[test]
    fn times_are_shown_as_a_calendar_does() {
        let shown = [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_796_009_160_999, "2026-11-30T03:26:00Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ];
        for (milliseconds, expected) in shown {
            assert_eq!(Time(milliseconds).to_string(), expected);
        }
    }
}
