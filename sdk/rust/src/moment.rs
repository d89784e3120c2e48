//! Times as vendors write them, made from the Unix seconds that an adapter is told: it has no clock.

use std::fmt::Write as _;

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A second of the civil calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    seconds: u32,
    year: u32,
    /// 1 to 12.
    month: u32,
    /// 1 to 31.
    day: u32,
}

impl Moment {
    /// The moment so many seconds after 1970 began.
    pub fn at(seconds: u32) -> Moment {
        // Counted in eras of 400 years from the first of March of the year 0, so that a leap day ends its year.
        let days = seconds / 86_400 + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Moment { seconds, year: era * 400 + year_of_era + u32::from(month <= 2), month, day }
    }

    /// Reads `2023-11-14T22:13:20Z`, with or without a fraction and with `Z` or an offset. `None` for anything else, before 1970 and
    /// after 2106.
    pub fn parse(text: &str) -> Option<Moment> {
        let number = |from: usize, to: usize| -> Option<i64> {
            let digits = text.get(from..to)?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
        };
        let is = |at: usize, chars: &str| text.as_bytes().get(at).is_some_and(|byte| chars.as_bytes().contains(byte));
        if !(is(4, "-") && is(7, "-") && is(10, "Tt ") && is(13, ":") && is(16, ":")) {
            return None;
        }
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let zone = text[19..].trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
        let offset = offset(zone)?;
        let years = year - i64::from(month <= 2);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let days = years * 365 + years / 4 - years / 100 + years / 400 + of_year - 719_468;
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
        u32::try_from(seconds).ok().map(Moment::at)
    }

    /// Unix seconds.
    pub fn seconds(self) -> u32 {
        self.seconds
    }

    fn clock(self) -> (u32, u32, u32) {
        let of_day = self.seconds % 86_400;
        (of_day / 3600, of_day / 60 % 60, of_day % 60)
    }

    /// `2023-11-14`.
    pub fn date(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// `20231114`.
    pub fn compact_date(self) -> String {
        format!("{:04}{:02}{:02}", self.year, self.month, self.day)
    }

    /// `2023-11-14T22:13:20Z`.
    pub fn iso(self) -> String {
        let (hour, minute, second) = self.clock();
        format!("{}T{hour:02}:{minute:02}:{second:02}Z", self.date())
    }

    /// `20231114T221320Z`.
    pub fn compact_iso(self) -> String {
        let (hour, minute, second) = self.clock();
        format!("{}T{hour:02}{minute:02}{second:02}Z", self.compact_date())
    }

    /// `Tue, 14 Nov 2023 22:13:20 GMT`, as HTTP writes it.
    pub fn http(self) -> String {
        let (hour, minute, second) = self.clock();
        let week_day = DAYS[(self.seconds / 86_400 + 4) as usize % 7];
        let month = MONTHS[(self.month - 1) as usize];
        let mut out = format!("{week_day}, {:02} {month} {:04} ", self.day, self.year);
        let _never_fails = write!(out, "{hour:02}:{minute:02}:{second:02} GMT");
        out
    }
}

/// `Z`, `+08:00` or `-0330` in seconds.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = zone[1..].chars().filter(|c| *c != ':').collect();
    let number: i64 = (digits.len() == 4).then(|| digits.parse().ok())??;
    Some(sign * (number / 100 * 3600 + number % 100 * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_vendors_want_them() {
        let moment = Moment::at(1_700_000_000);
        assert_eq!(moment.date(), "2023-11-14");
        assert_eq!(moment.compact_date(), "20231114");
        assert_eq!(moment.iso(), "2023-11-14T22:13:20Z");
        assert_eq!(moment.compact_iso(), "20231114T221320Z");
        assert_eq!(moment.http(), "Tue, 14 Nov 2023 22:13:20 GMT");
    }

    #[test]
    fn the_calendar_has_its_leap_days() {
        for (seconds, iso, week_day) in [
            (0, "1970-01-01T00:00:00Z", "Thu"),
            (951_782_399, "2000-02-28T23:59:59Z", "Mon"),
            (951_782_400, "2000-02-29T00:00:00Z", "Tue"),
            (951_868_800, "2000-03-01T00:00:00Z", "Wed"),
            (1_709_164_800, "2024-02-29T00:00:00Z", "Thu"),
            (1_735_689_599, "2024-12-31T23:59:59Z", "Tue"),
            (4_107_542_400, "2100-03-01T00:00:00Z", "Mon"),
            (u32::MAX, "2106-02-07T06:28:15Z", "Sun"),
        ] {
            let moment = Moment::at(seconds);
            assert_eq!(moment.iso(), iso);
            assert!(moment.http().starts_with(week_day), "{iso}: {}", moment.http());
            assert_eq!(Moment::parse(iso), Some(moment), "{iso}");
        }
        // Every day is one after the day before it.
        for day in 1..49_710 {
            let (before, after) = (Moment::at((day - 1) * 86_400), Moment::at(day * 86_400));
            let next = (before.year, before.month, before.day + 1) == (after.year, after.month, after.day);
            assert!(next || after.day == 1, "{}", after.date());
            assert_eq!(Moment::parse(&after.iso()), Some(after));
        }
    }

    #[test]
    fn offsets_and_fractions_are_read() {
        let moment = Some(Moment::at(1_700_000_000));
        for text in ["2023-11-14T22:13:20.123456789Z", "2023-11-15T06:13:20+08:00", "2023-11-14 18:43:20-0330"] {
            assert_eq!(Moment::parse(text), moment, "{text}");
        }
        for text in [
            "",
            "2023-11-14",
            "2023-11-14T22:13:20",
            "2023-13-14T22:13:20Z",
            "1969-12-31T23:59:59Z",
            "2023-1a-14T22:13:20Z",
            "2023-11-14T22:13:20é",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }
}
