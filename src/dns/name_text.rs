//! Presentation form of names (RFC 1035 5.1, RFC 4343 2.1): the only place that escapes and unescapes them.

use std::fmt;
use std::str::FromStr;

use super::name::{Name, NameBuf, NameError, NameRef};

/// Writes a name so that it reads back as the same octets and can forge nothing: all but visible ASCII is
/// `\DDD`, and what the zone file syntax gives a meaning is escaped. The root is a lone dot.
pub fn write_name(name: NameRef<'_>, out: &mut impl fmt::Write) -> fmt::Result {
    if name.is_root() {
        return out.write_char('.');
    }
    for label in name.labels() {
        for &octet in label {
            write_octet(octet, out)?;
        }
        out.write_char('.')?;
    }
    Ok(())
}

/// Writes one octet of a label, escaped as [`write_name`] says.
pub fn write_octet(octet: u8, out: &mut impl fmt::Write) -> fmt::Result {
    match octet {
        b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => {
            out.write_char('\\')?;
            out.write_char(octet as char)
        }
        0x21..=0x7e => out.write_char(octet as char),
        _ => write!(out, "\\{octet:03}"),
    }
}

/// Reads presentation form. A name without a final dot is completed with `origin`; without an origin it is
/// taken as absolute. `@` alone is not special here: that belongs to zone files.
pub fn parse_name(text: &[u8], origin: Option<NameRef<'_>>) -> Result<Name, NameError> {
    let mut buf = NameBuf::new();
    parse_into(text, origin, &mut buf).map(NameRef::to_name)
}

/// As [`parse_name`], into a buffer of the caller's: the zone file scanner reads a million names this way.
pub fn parse_into<'b>(
    text: &[u8],
    origin: Option<NameRef<'_>>,
    buf: &'b mut NameBuf,
) -> Result<NameRef<'b>, NameError> {
    if text == b"." {
        return buf.finish();
    }
    let mut label = [0; super::name::MAX_LABEL_OCTETS];
    let mut length = 0;
    let mut at = 0;
    while at < text.len() {
        let octet = match text[at] {
            b'.' => {
                buf.push_label(&label[..length])?;
                length = 0;
                at += 1;
                continue;
            }
            b'\\' => {
                let (octet, used) = unescape(&text[at + 1..])?;
                at += used;
                octet
            }
            octet => octet,
        };
        at += 1;
        *label.get_mut(length).ok_or(NameError::LabelTooLong)? = octet;
        length += 1;
    }
    if length > 0 {
        buf.push_label(&label[..length])?;
        return buf.finish_with(origin.unwrap_or(NameRef::ROOT));
    }
    match text {
        [] => Err(NameError::EmptyLabel),
        _ => buf.finish(),
    }
}

/// What follows a backslash: the octet meant and how many characters it took (RFC 1035 5.1).
pub fn unescape(after: &[u8]) -> Result<(u8, usize), NameError> {
    match after {
        [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', ..] => {
            let value = [a, b, c].iter().fold(0u32, |sum, digit| sum * 10 + u32::from(*digit - b'0'));
            u8::try_from(value).map(|octet| (octet, 3)).map_err(|_| NameError::BadEscape)
        }
        [b'0'..=b'9', ..] | [] => Err(NameError::BadEscape),
        [octet, ..] => Ok((*octet, 1)),
    }
}

impl FromStr for Name {
    type Err = NameError;

    /// Reads presentation form; the final dot may be missing.
    fn from_str(text: &str) -> Result<Name, NameError> {
        parse_name(text.as_bytes(), None)
    }
}

impl fmt::Display for NameRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(*self, f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(self.as_ref(), f)
    }
}

impl fmt::Debug for NameRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(*self, f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(self.as_ref(), f)
    }
}

impl fmt::Debug for NameBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_name() {
            Ok(name) => write_name(name, f),
            Err(_) => f.write_str("(unfinished name)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_octets_agree() {
        for (text, octets, shown) in [
            (".", &b"\0"[..], "."),
            ("a.b.", b"\x01a\x01b\0", "a.b."),
            ("a.b", b"\x01a\x01b\0", "a.b."),
            ("a\\.b.c.", b"\x03a.b\x01c\0", "a\\.b.c."),
            ("\\097\\000.", b"\x02a\0\0", "a\\000."),
            ("\\\\.", b"\x01\\\0", "\\\\."),
            ("\\032x.", b"\x02 x\0", "\\032x."),
            ("a\u{e9}.", b"\x03a\xc3\xa9\0", "a\\195\\169."),
            ("\\$\\@.", b"\x02$@\0", "\\$\\@."),
        ] {
            let name: Name = text.parse().unwrap();
            assert_eq!(name.octets(), octets, "{text}");
            assert_eq!(name.to_string(), shown);
            assert_eq!(shown.parse::<Name>().unwrap().octets(), octets);
        }
    }

    #[test]
    fn relative_names_take_the_origin() {
        let origin: Name = "example.org.".parse().unwrap();
        assert_eq!(parse_name(b"www", Some(origin.as_ref())).unwrap().to_string(), "www.example.org.");
        assert_eq!(parse_name(b"www.", Some(origin.as_ref())).unwrap().to_string(), "www.");
    }

    #[test]
    fn bad_text_is_named() {
        let long_label = format!("{}.", "a".repeat(64));
        let long_name =
            format!("{}.", ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(62)].join("."));
        for (text, error) in [
            ("", NameError::EmptyLabel),
            ("a..b.", NameError::EmptyLabel),
            (".a.", NameError::EmptyLabel),
            ("..", NameError::EmptyLabel),
            ("a\\", NameError::BadEscape),
            ("a\\12", NameError::BadEscape),
            ("a\\256", NameError::BadEscape),
            (long_label.as_str(), NameError::LabelTooLong),
            (long_name.as_str(), NameError::NameTooLong),
        ] {
            assert_eq!(text.parse::<Name>().err(), Some(error), "{text}");
        }
    }
}
