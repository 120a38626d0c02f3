//! Days since 1970 and dates of the Gregorian calendar, from one to the other.
//!
//! Years are counted from March, so that a leap day is the last of its year. Then 400 years have
//! always the same number of days, and the month follows from the day of the year.

const DAYS_IN_400_YEARS: i64 = 146_097;
/// From 1 March of the year 0 to 1 January 1970.
const EPOCH: i64 = 719_468;

/// Year, month and day.
pub(super) type Date = (i64, i64, i64);

/// Days from 1970-01-01 to a date. Where the day is none of its month, [`date`] gives another one
/// back.
pub(super) fn days((year, month, day): Date) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let before = (153 * month + 2) / 5;
    365 * year + leap_days + before + day - 1 - EPOCH
}

/// The date so many days after 1970-01-01.
pub(super) fn date(days: i64) -> Date {
    let days = days + EPOCH;
    let (era, day) = (
        days.div_euclid(DAYS_IN_400_YEARS),
        days.rem_euclid(DAYS_IN_400_YEARS),
    );
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = 400 * era + year + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_ten_thousand_years_comes_back() {
        let first = days((0, 1, 1));
        let mut before = date(first - 1);
        for day in first..=days((9999, 12, 31)) {
            let today = date(day);
            assert_eq!(days(today), day);
            assert!(today > before, "{before:?} then {today:?}");
            before = today;
        }
        assert_eq!(days((1970, 1, 1)), 0);
        assert_eq!(date(11_016), (2000, 2, 29));
    }
}
