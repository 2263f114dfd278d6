//! Points in time as plain values. Nothing here reads a clock.

use std::fmt;

use super::Date;

/// Milliseconds since 1970, UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// The day in UTC.
    pub fn day(self) -> Date {
        Date::from_days(self.0.div_euclid(86_400_000))
    }
}

/// RFC 3339 in whole seconds: `2026-11-30T03:26:00Z`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(1000);
        let date = self.day();
        let second = seconds.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{date}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
