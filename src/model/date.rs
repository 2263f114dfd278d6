//! Calendar dates, and whether something with dates is declared on a day.

use std::fmt;

/// Plans announce the end of a membership this many days ahead.
pub const NOTICE: i32 = 14;

/// A day of the Gregorian calendar, counted from 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(i32);

impl Date {
    /// Parses the form `2026-09-01`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-').map(|part| part.parse::<i32>().ok());
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        // Years start in March, so that a leap day is the last day of a year.
        let year = if month < 3 {
            year.checked_sub(1)?
        } else {
            year
        };
        let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
        let day_of_year = month.checked_add(9)?.rem_euclid(12).checked_mul(153)?;
        let day_of_year = ((day_of_year + 2) / 5).checked_add(day)?.checked_sub(1)?;
        let day_of_era = 365 * year + year / 4 - year / 100;
        let day = era.checked_mul(146_097)?.checked_add(day_of_era)?;
        let date = Self(day.checked_add(day_of_year)?.checked_sub(719_468)?);
        // A text that is not a date, such as the 31st of a shorter month, gives a day that is written differently.
        (date.to_string() == text).then_some(date)
    }

    /// Returns the last day of a period of this length that starts on this day.
    pub(crate) fn last_of(self, days: u64) -> Option<Self> {
        let more = i32::try_from(days.checked_sub(1)?).ok()?;
        self.0.checked_add(more).map(Self)
    }

    /// Returns the day that starts this number of days after 1970.
    pub fn from_days(days: i64) -> Self {
        Self(i32::try_from(days).unwrap_or(i32::MAX))
    }

    /// Returns the days since another day; 0 if that is later.
    pub fn days_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or_default()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAYS_IN_400_YEARS: i64 = 146_097;
        // Years start in March, so that a leap day is the last day of a year. The first day is 1 March of the year 0.
        let day = i64::from(self.0) + 719_468;
        let era = day.div_euclid(DAYS_IN_400_YEARS);
        let day = day.rem_euclid(DAYS_IN_400_YEARS);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (year, month) = match month {
            0..=9 => (year + era * 400, month + 3),
            _ => (year + era * 400 + 1, month - 9),
        };
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Whether something is declared today, and whether it is declared after the days of notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    pub(crate) today: bool,
    /// After the days of notice.
    pub(crate) later: bool,
}

impl Presence {
    /// Declared on both days.
    pub(crate) const ALWAYS: Self = Self {
        today: true,
        later: true,
    };

    /// Something that is declared from one day until another, both inclusive.
    pub(crate) fn between(from: Option<Date>, until: Option<Date>, today: Date) -> Self {
        let is_within = |day: Date| {
            from.is_none_or(|from| from <= day) && until.is_none_or(|until| day <= until)
        };
        Self {
            today: is_within(today),
            later: is_within(Date(today.0.saturating_add(NOTICE + 1))),
        }
    }

    /// Something that is declared when both are.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            today: self.today && other.today,
            later: self.later && other.later,
        }
    }

    /// Something that is declared when either is.
    #[must_use]
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            today: self.today || other.today,
            later: self.later || other.later,
        }
    }

    /// Whether it ends within the days of notice.
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
            assert_eq!(Date::parse(&Date(day).to_string()), Some(Date(day)));
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
        // A membership that goes on with other dates does not end.
        let (this, next) = (presence("", "2026-12-05"), presence("2026-12-06", ""));
        assert!(!this.or(next).ends_soon());
        assert!(!this.and(next).today);
    }
}
