//! LOC records (RFC 1876): degrees, metres and centimetres between text and their sixteen octets.

use std::fmt;

/// Thousandths of a second of arc in a degree.
const DEGREE: u64 = 3_600_000;
/// Equator and prime meridian are the middle of the range (RFC 1876 section 2).
const MIDDLE: u32 = 1 << 31;
/// Altitudes count from this many centimetres below the WGS 84 spheroid.
const DEPTH: i64 = 10_000_000;
/// Size and precisions when the text leaves them out: 1 m, 10 km, 10 m (RFC 1876 section 3).
const DEFAULT_SIZES: [u8; 3] = [0x12, 0x16, 0x13];

/// Why words are not a location: which of them, and what should stand there.
pub(super) struct BadWord {
    pub index: usize,
    pub wanted: &'static str,
}

/// Reads `d [m [s]] N|S d [m [s]] E|W altitude[m] [size[m] [horizontal[m] [vertical[m]]]]`.
pub(super) fn parse(words: &[&[u8]]) -> Result<[u8; 16], BadWord> {
    let mut words = Words { words, index: 0 };
    let latitude = words.angle(90, [b'N', b'S'], "a latitude (52 22 23.000 N)")?;
    let longitude = words.angle(180, [b'E', b'W'], "a longitude (4 53 32.000 E)")?;
    let altitude =
        words.next().and_then(centimetres).and_then(|altitude| u32::try_from(altitude + DEPTH).ok());
    let altitude = altitude.ok_or_else(|| words.bad("an altitude from -100000.00m to 42849672.95m"))?;
    let mut sizes = DEFAULT_SIZES;
    for size in &mut sizes {
        let Some(word) = words.next() else { break };
        let encoded = centimetres(word).and_then(encode_size);
        *size = encoded.ok_or_else(|| words.bad("a size from 0.00m to 90000000.00m"))?;
    }
    if words.next().is_some() {
        return Err(words.bad("the end of the location"));
    }
    let mut octets = [0; 16];
    octets[1..4].copy_from_slice(&sizes);
    octets[4..8].copy_from_slice(&latitude.to_be_bytes());
    octets[8..12].copy_from_slice(&longitude.to_be_bytes());
    octets[12..].copy_from_slice(&altitude.to_be_bytes());
    Ok(octets)
}

/// Writes sixteen octets that `dns::rdata` has found to be a location.
pub(super) fn write(octets: &[u8; 16], out: &mut dyn fmt::Write) -> fmt::Result {
    let [_, size, horizontal, vertical, a, b, c, d, e, f, g, h, altitude @ ..] = *octets;
    write_angle(u32::from_be_bytes([a, b, c, d]), ['N', 'S'], out)?;
    write_angle(u32::from_be_bytes([e, f, g, h]), ['E', 'W'], out)?;
    write_metres(i64::from(u32::from_be_bytes(altitude)) - DEPTH, out)?;
    for size in [size, horizontal, vertical] {
        out.write_char(' ')?;
        write_metres(i64::from(size >> 4) * 10i64.pow(u32::from(size & 15)), out)?;
    }
    Ok(())
}

struct Words<'a> {
    words: &'a [&'a [u8]],
    index: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        self.index += 1;
        self.words.get(self.index - 1).copied()
    }

    /// About the word that `next` gave last.
    fn bad(&self, wanted: &'static str) -> BadWord {
        BadWord { index: self.index - 1, wanted }
    }

    /// Degrees, perhaps minutes, perhaps seconds, and the hemisphere.
    fn angle(&mut self, most: u64, hemispheres: [u8; 2], wanted: &'static str) -> Result<u32, BadWord> {
        let mut thousandths = 0;
        for unit in [DEGREE, DEGREE / 60, DEGREE / 3600] {
            let word = self.next().unwrap_or_default();
            if let [hemisphere] = word
                && unit != DEGREE
                && hemispheres.contains(&hemisphere.to_ascii_uppercase())
            {
                return self.signed(thousandths, most, hemisphere, hemispheres, wanted);
            }
            // Only seconds have a fraction, and only degrees go beyond 59.
            let value = match unit {
                1000 => decimal(word, 3),
                unit => decimal(word, 0).map(|value| value * unit),
            };
            let limit = if unit == DEGREE { most * DEGREE + 1 } else { unit * 60 };
            thousandths += value.filter(|value| *value < limit).ok_or_else(|| self.bad(wanted))?;
        }
        match self.next() {
            Some([hemisphere]) => self.signed(thousandths, most, hemisphere, hemispheres, wanted),
            _ => Err(self.bad(wanted)),
        }
    }

    fn signed(
        &self,
        thousandths: u64,
        most: u64,
        hemisphere: &u8,
        [positive, negative]: [u8; 2],
        wanted: &'static str,
    ) -> Result<u32, BadWord> {
        let offset = u32::try_from(thousandths).ok().filter(|_| thousandths <= most * DEGREE);
        match (offset, hemisphere.to_ascii_uppercase()) {
            (Some(offset), sign) if sign == positive => Ok(MIDDLE + offset),
            (Some(offset), sign) if sign == negative => Ok(MIDDLE - offset),
            _ => Err(self.bad(wanted)),
        }
    }
}

/// A decimal number with at most this many digits after the point, as a count of its last place.
fn decimal(text: &[u8], places: usize) -> Option<u64> {
    let point = text.iter().position(|octet| *octet == b'.');
    let (whole, fraction) = match point {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &[][..]),
    };
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    let fits = (1..=10).contains(&whole.len()) && fraction.len() <= places;
    if !fits || !digits(whole) || !digits(fraction) || (point.is_some() && fraction.is_empty()) {
        return None;
    }
    let padding = std::iter::repeat_n(&b'0', places - fraction.len());
    Some(whole.iter().chain(fraction).chain(padding).fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

/// Metres with at most two places and perhaps an `m`, in centimetres.
fn centimetres(text: &[u8]) -> Option<i64> {
    let text = text.strip_suffix(b"m").unwrap_or(text);
    let (sign, text) = text.strip_prefix(b"-").map_or((1, text), |text| (-1, text));
    // Ten digits and two places stay far below 2^63.
    decimal(text, 2).map(|value| sign * value as i64)
}

/// One digit and a power of ten; digits after the first are lost (RFC 1876 section 2).
fn encode_size(centimetres: i64) -> Option<u8> {
    let (mut base, mut exponent) = (u64::try_from(centimetres).ok()?, 0u8);
    while base > 9 {
        base /= 10;
        exponent += 1;
    }
    (exponent < 10).then_some((base as u8) << 4 | exponent)
}

fn write_angle(angle: u32, [positive, negative]: [char; 2], out: &mut dyn fmt::Write) -> fmt::Result {
    let hemisphere = if angle >= MIDDLE { positive } else { negative };
    let thousandths = u64::from(angle.abs_diff(MIDDLE));
    let (degrees, minutes) = (thousandths / DEGREE, thousandths / 60_000 % 60);
    let (seconds, fraction) = (thousandths / 1000 % 60, thousandths % 1000);
    write!(out, "{degrees} {minutes} {seconds}.{fraction:03} {hemisphere} ")
}

fn write_metres(centimetres: i64, out: &mut dyn fmt::Write) -> fmt::Result {
    let sign = if centimetres < 0 { "-" } else { "" };
    let centimetres = centimetres.unsigned_abs();
    write!(out, "{sign}{}.{:02}m", centimetres / 100, centimetres % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<[u8; 16]> {
        let words: Vec<&[u8]> = text.split(' ').map(str::as_bytes).collect();
        parse(&words).ok()
    }

    #[test]
    fn locations_read_and_write() {
        for (text, shown) in [
            (
                "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
                "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m",
            ),
            ("52 N 4 E 0", "52 0 0.000 N 4 0 0.000 E 0.00m 1.00m 10000.00m 10.00m"),
            (
                "90 s 180 w -100000 90000000",
                "90 0 0.000 S 180 0 0.000 W -100000.00m 90000000.00m 10000.00m 10.00m",
            ),
            (
                "0 0 0.5 n 0 1 e 42849672.95m 123 1.5m 0.01",
                "0 0 0.500 N 0 1 0.000 E 42849672.95m 100.00m 1.00m 0.01m",
            ),
        ] {
            let octets = parsed(text).unwrap_or_else(|| panic!("{text}"));
            let mut out = String::new();
            write(&octets, &mut out).unwrap();
            assert_eq!(out, shown);
            assert_eq!(parsed(shown), Some(octets));
        }
    }

    #[test]
    fn what_is_off_the_globe_is_refused() {
        for text in [
            "",
            "91 N 4 E 0",
            "90 0 0.001 N 4 E 0",
            "52 E 4 N 0",
            "52 N 181 E 0",
            "52 60 N 4 E 0",
            "52 1 60 N 4 E 0",
            "52 1.5 N 4 E 0",
            "N 4 E 0",
            "52 N 4 E",
            "52 1 1 1 N 4 E 0",
            "52 N 4 E 42849672.96m",
            "52 N 4 E -100000.01m",
            "52 N 4 E 0.001",
            "52 N 4 E 0 90000001000",
            "52 N 4 E 0 -1",
            "52 N 4 E 0 1 1 1 1",
            "99999999999999999999 N 4 E 0",
            "52 N 4 E .",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
