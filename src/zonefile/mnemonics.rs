//! Types and classes by their mnemonics, quickly: each record of a file is asked for one.

use crate::diagnostic;
use crate::dns::{RrClass, RrType};

use super::error::did_you_mean;

/// No mnemonic of a type is longer.
const LONGEST: usize = 15;

/// A short word as one number, in upper case, so that words compare in one step.
const fn packed(word: &[u8]) -> u128 {
    // The one before the first octet keeps words of different lengths apart.
    let mut number = 1;
    let mut at = 0;
    while at < word.len() {
        number = number << 8 | word[at].to_ascii_uppercase() as u128;
        at += 1;
    }
    number
}

const TYPES: [(u128, RrType); RrType::KNOWN.len()] = {
    let mut types = [(0, RrType::A); RrType::KNOWN.len()];
    let mut count = 0;
    while count < types.len() {
        let (rr_type, mnemonic) = RrType::KNOWN[count];
        assert!(mnemonic.len() <= LONGEST);
        types[count] = (packed(mnemonic.as_bytes()), rr_type);
        // Into its place among those before it.
        let mut at = count;
        while at > 0 && types[at - 1].0 > types[at].0 {
            let lower = types[at];
            types[at] = types[at - 1];
            types[at - 1] = lower;
            at -= 1;
        }
        count += 1;
    }
    types
};

/// The type with this mnemonic or of this `TYPEnnn`, in any case.
pub(super) fn rr_type(word: &[u8]) -> Option<RrType> {
    if word.len() <= LONGEST {
        let packed = packed(word);
        if let Ok(found) = TYPES.binary_search_by_key(&packed, |(packed, _)| *packed) {
            return Some(TYPES[found].1);
        }
    }
    generic(word, b"TYPE").map(RrType)
}

/// The class with this mnemonic or of this `CLASSnnn`, in any case; only those of records.
pub(super) fn class(word: &[u8]) -> Option<RrClass> {
    match word {
        _ if word.eq_ignore_ascii_case(b"IN") => Some(RrClass::IN),
        _ if word.eq_ignore_ascii_case(b"CH") => Some(RrClass::CH),
        _ if word.eq_ignore_ascii_case(b"HS") => Some(RrClass::HS),
        // The CSNET class, obsolete since RFC 1035 3.2.4.
        _ if word.eq_ignore_ascii_case(b"CS") => Some(RrClass(2)),
        _ => generic(word, b"CLASS").map(RrClass),
    }
}

/// RFC 3597 section 5.
fn generic(word: &[u8], prefix: &[u8]) -> Option<u16> {
    let (head, digits) = word.split_at_checked(prefix.len())?;
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if !plain || !head.eq_ignore_ascii_case(prefix) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What was perhaps meant by a word that is no type.
pub(super) fn suggest_type(word: &[u8]) -> String {
    let word = String::from_utf8_lossy(&word[..word.len().min(2 * LONGEST)]).to_ascii_uppercase();
    if word.bytes().next().is_some_and(|first| first.is_ascii_digit() || first == b'-') {
        return "a TTL is a number of seconds or has the units w, d, h, m, s, such as 1h30m".into();
    }
    if word == "AA" || word == "AAA" {
        return "did you mean `A` or `AAAA`?".into();
    }
    match diagnostic::nearest(&word, RrType::KNOWN.iter().map(|(_, mnemonic)| *mnemonic)) {
        Some(near) => did_you_mean(near),
        None => "a type without a mnemonic is written TYPEnnn, its data \\# LENGTH HEX".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_types_and_classes_of_the_registry() {
        for (number, mnemonic) in RrType::KNOWN {
            assert_eq!(rr_type(mnemonic.as_bytes()), Some(*number), "{mnemonic}");
            assert_eq!(rr_type(mnemonic.to_ascii_lowercase().as_bytes()), Some(*number));
        }
        for word in [
            "type65534",
            "TYPE1",
            "TYPE00001",
            "TYPE65536",
            "TYPE",
            "TYPE+1",
            "FOO",
            "",
            "ACCCCCCCCCCCCCCCCCCC",
        ] {
            assert_eq!(rr_type(word.as_bytes()), word.parse().ok(), "{word}");
        }
        assert_eq!(rr_type(b"\0A"), None);
        for (word, want) in
            [("in", Some(1)), ("Ch", Some(3)), ("CLASS1", Some(1)), ("ANY", None), ("CLASS", None)]
        {
            assert_eq!(class(word.as_bytes()).map(|class| class.0), want, "{word}");
        }
    }

    #[test]
    fn suggestions_name_what_was_meant() {
        for (word, want) in [
            ("AA", "`A` or `AAAA`"),
            ("CNAM", "`CNAME`"),
            ("-1", "units"),
            ("zzzzzzzz", "TYPEnnn"),
            ("1x", "units"),
        ] {
            assert!(
                suggest_type(word.as_bytes()).contains(want),
                "{word}: {}",
                suggest_type(word.as_bytes())
            );
        }
    }
}
