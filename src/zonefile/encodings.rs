//! Base64, hexadecimal and base32hex as zone files write them (RFC 4648 sections 4, 7 and 8).

use std::fmt;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32HEX: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
const HEX: &[u8; 16] = b"0123456789abcdef";

/// No digit of the alphabet.
const NONE: u8 = 0xff;

const BASE64_VALUES: [u8; 256] = values(BASE64, false);
const BASE32HEX_VALUES: [u8; 256] = values(BASE32HEX, true);
const HEX_VALUES: [u8; 256] = values(HEX, true);

const fn values(alphabet: &[u8], any_case: bool) -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < alphabet.len() {
        values[alphabet[value] as usize] = value as u8;
        if any_case {
            values[alphabet[value].to_ascii_uppercase() as usize] = value as u8;
        }
        value += 1;
    }
    values
}

/// Collects digits of a power of two into octets. Pieces may be handed in one after the other, as zone files
/// may break long data with blanks.
pub(super) struct Decoder {
    values: &'static [u8; 256],
    digit_bits: u32,
    /// Whether the digits are filled up with `=` to whole groups.
    padded: bool,
    bits: u32,
    bit_count: u32,
    digits: usize,
    padding: usize,
}

impl Decoder {
    pub fn base64() -> Decoder {
        Decoder::new(&BASE64_VALUES, 6, true)
    }

    pub fn base32hex() -> Decoder {
        Decoder::new(&BASE32HEX_VALUES, 5, false)
    }

    pub fn hex() -> Decoder {
        Decoder::new(&HEX_VALUES, 4, false)
    }

    fn new(values: &'static [u8; 256], digit_bits: u32, padded: bool) -> Decoder {
        Decoder { values, digit_bits, padded, bits: 0, bit_count: 0, digits: 0, padding: 0 }
    }

    /// Takes one piece; the place of the first octet in it that does not belong is an error.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), usize> {
        for (at, octet) in piece.iter().enumerate() {
            if self.padded && *octet == b'=' && self.padding < 2 {
                self.padding += 1;
                continue;
            }
            let value = self.values[usize::from(*octet)];
            if value == NONE || self.padding > 0 {
                return Err(at);
            }
            self.digits += 1;
            self.bits = self.bits << self.digit_bits | u32::from(value);
            self.bit_count += self.digit_bits;
            if self.bit_count >= 8 {
                self.bit_count -= 8;
                out.push((self.bits >> self.bit_count) as u8);
                self.bits &= (1 << self.bit_count) - 1;
            }
        }
        Ok(())
    }

    /// Whether the digits make up whole octets, with nothing in the bits left over.
    pub fn is_whole(&self) -> bool {
        let groups = !self.padded || (self.digits + self.padding).is_multiple_of(4);
        groups && self.bit_count < self.digit_bits && self.bits == 0
    }
}

pub(super) fn write_hex(octets: &[u8], out: &mut dyn fmt::Write) -> fmt::Result {
    write_digits(octets, HEX, 4, out)
}

pub(super) fn write_base32hex(octets: &[u8], out: &mut dyn fmt::Write) -> fmt::Result {
    write_digits(octets, BASE32HEX, 5, out)
}

pub(super) fn write_base64(octets: &[u8], out: &mut dyn fmt::Write) -> fmt::Result {
    write_digits(octets, BASE64, 6, out)?;
    out.write_str(["", "==", "="][octets.len() % 3])
}

fn write_digits(octets: &[u8], alphabet: &[u8], digit_bits: u32, out: &mut dyn fmt::Write) -> fmt::Result {
    let mask = (1u32 << digit_bits) - 1;
    let (mut bits, mut bit_count) = (0u32, 0);
    for octet in octets {
        bits = bits << 8 | u32::from(*octet);
        bit_count += 8;
        while bit_count >= digit_bits {
            bit_count -= digit_bits;
            out.write_char(char::from(alphabet[(bits >> bit_count & mask) as usize]))?;
        }
        bits &= (1 << bit_count) - 1;
    }
    if bit_count > 0 {
        out.write_char(char::from(alphabet[(bits << (digit_bits - bit_count) & mask) as usize]))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(mut decoder: Decoder, pieces: &[&str]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        for piece in pieces {
            decoder.push(piece.as_bytes(), &mut out).ok()?;
        }
        decoder.is_whole().then_some(out)
    }

    #[test]
    fn the_vectors_of_rfc_4648_hold() {
        for (octets, base64, base32hex) in [
            ("", "", ""),
            ("f", "Zg==", "co"),
            ("fo", "Zm8=", "cpng"),
            ("foo", "Zm9v", "cpnmu"),
            ("foob", "Zm9vYg==", "cpnmuog"),
            ("fooba", "Zm9vYmE=", "cpnmuoj1"),
            ("foobar", "Zm9vYmFy", "cpnmuoj1e8"),
        ] {
            assert_eq!(decode(Decoder::base64(), &[base64]).unwrap(), octets.as_bytes());
            assert_eq!(decode(Decoder::base32hex(), &[base32hex]).unwrap(), octets.as_bytes());
            let mut text = String::new();
            write_base64(octets.as_bytes(), &mut text).unwrap();
            assert_eq!(text, base64);
            text.clear();
            write_base32hex(octets.as_bytes(), &mut text).unwrap();
            assert_eq!(text, base32hex);
        }
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        assert_eq!(decode(Decoder::base64(), &["Zm", "9", "v"]).unwrap(), b"foo");
        for bad in ["Z", "Zg", "Zg=", "Zg===", "Zh==", "AAAA=", "=", "====", "Zg==Zg==", "Zg=g", "!!!!"] {
            assert_eq!(decode(Decoder::base64(), &[bad]), None, "{bad}");
        }
        for bad in ["0", "000", "0g"] {
            assert_eq!(decode(Decoder::hex(), &[bad]), None, "{bad}");
        }
        for bad in ["0", "01", "w0", "000"] {
            assert_eq!(decode(Decoder::base32hex(), &[bad]), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn octets_come_back_from_their_text(octets in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut text = String::new();
            write_hex(&octets, &mut text).unwrap();
            prop_assert_eq!(decode(Decoder::hex(), &[&text.to_ascii_uppercase()]).unwrap(), &octets[..]);
            text.clear();
            write_base64(&octets, &mut text).unwrap();
            prop_assert_eq!(decode(Decoder::base64(), &[&text]).unwrap(), &octets[..]);
            text.clear();
            write_base32hex(&octets, &mut text).unwrap();
            prop_assert_eq!(decode(Decoder::base32hex(), &[&text]).unwrap(), &octets[..]);
        }
    }
}
