//! Spans of time with units, as zone files write them.

const DAY: u64 = 86_400;

/// Seconds, or amounts with units such as `1w2d3h4m5s`, in any case. None when it is neither.
pub(super) fn parse_period(text: &[u8]) -> Option<u64> {
    let (mut total, mut amount) = (0u64, None);
    let mut has_unit = false;
    for octet in text {
        if octet.is_ascii_digit() {
            let digit = u64::from(octet - b'0');
            // Saturating: whatever is this long is out of every range.
            amount = Some(amount.unwrap_or(0u64).saturating_mul(10).saturating_add(digit));
            continue;
        }
        let unit = match octet.to_ascii_lowercase() {
            b'w' => 7 * DAY,
            b'd' => DAY,
            b'h' => 3600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        total = total.saturating_add(amount.take()?.saturating_mul(unit));
        has_unit = true;
    }
    match amount {
        Some(_) if has_unit => None,
        None if !has_unit => None,
        _ => Some(total.saturating_add(amount.unwrap_or(0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_take_units() {
        for (text, want) in [
            ("0", Some(0)),
            ("3600", Some(3600)),
            ("1h", Some(3600)),
            ("1H30M", Some(5400)),
            ("1w2d3h4m5s", Some(788_645)),
            ("4294967296", Some(4_294_967_296)),
            ("99999999999999999999999w", Some(u64::MAX)),
            ("", None),
            ("h", None),
            ("1x", None),
            ("1h30", None),
            ("-1", None),
            ("1hh", None),
        ] {
            assert_eq!(parse_period(text.as_bytes()), want, "{text}");
        }
    }
}
