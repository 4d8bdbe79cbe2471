//! Points in time as signatures have them (RFC 4034 3.1.5): seconds since 1970 modulo 2^32, and their text.

use std::fmt;

const DAY: u64 = 86_400;

/// When a signature begins or ends to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureTime(pub u32);

impl fmt::Display for SignatureTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_timestamp(self.0, f)
    }
}

/// `YYYYMMDDHHmmSS`, or seconds since 1970 (RFC 4034 3.2), modulo 2^32.
pub fn parse_timestamp(text: &[u8]) -> Option<u32> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |digits: &[u8]| digits.iter().fold(0u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    match text.len() {
        1..=10 => u32::try_from(number(text)).ok(),
        14 => {
            let [year, month, day] = [&text[..4], &text[4..6], &text[6..8]].map(number);
            let [hour, minute, second] = [&text[8..10], &text[10..12], &text[12..]].map(number);
            let valid = year >= 1970
                && (1..=12).contains(&month)
                && (1..=days_in(year, month)).contains(&day)
                && hour < 24
                && minute < 60
                && second < 60;
            let seconds = days_before(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
            valid.then_some(seconds as u32)
        }
        _ => None,
    }
}

/// `YYYYMMDDHHmmSS`, taken as the time from 1970 to 2106.
pub fn write_timestamp(seconds: u32, out: &mut dyn fmt::Write) -> fmt::Result {
    let (mut days, seconds) = (u64::from(seconds) / DAY, u64::from(seconds) % DAY);
    let (mut year, mut month) = (1970, 1);
    while days >= days_in_year(year) {
        days -= days_in_year(year);
        year += 1;
    }
    while days >= days_in(year, month) {
        days -= days_in(year, month);
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    write!(out, "{year}{month:02}{:02}{hour:02}{minute:02}{second:02}", days + 1)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the beginning of 1970 to this day. Only asked for valid months; for others the number means nothing.
fn days_before(year: u64, month: u64, day: u64) -> u64 {
    // Leap days of all years before this one; 477 of them lie before 1970.
    let before = year.saturating_sub(1);
    let leap_days = (before / 4 - before / 100 + before / 400).saturating_sub(477);
    let months: u64 = (1..month.min(12)).map(|month| days_in(year, month)).sum();
    year.saturating_sub(1970) * 365 + leap_days + months + day.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn timestamps_are_dates_of_the_calendar() {
        for (text, want) in [
            ("19700101000000", Some(0)),
            ("20200101000000", Some(1_577_836_800)),
            ("20240229235959", Some(1_709_251_199)),
            ("20300101000000", Some(1_893_456_000)),
            ("21060207062815", Some(u32::MAX)),
            ("21060207062816", Some(0)),
            ("1893456000", Some(1_893_456_000)),
            ("4294967296", None),
            ("20230229000000", None),
            ("21000229000000", None),
            ("20301301000000", None),
            ("20300001000000", None),
            ("20300100000000", None),
            ("20300101240000", None),
            ("20300101006000", None),
            ("19691231235959", None),
            ("203001010000", None),
            ("2030010100000x", None),
            ("", None),
        ] {
            assert_eq!(parse_timestamp(text.as_bytes()), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn timestamps_come_back_from_their_text(seconds: u32) {
            let mut text = String::new();
            write_timestamp(seconds, &mut text).unwrap();
            prop_assert_eq!(parse_timestamp(text.as_bytes()), Some(seconds));
        }
    }
}
