//! Names in messages: compressed ones in (RFC 1035 4.1.4). Pointers lead only backwards and are counted.

use crate::dns::{NameBuf, NameError, NameRef};
use crate::limits;

use super::HEADER_OCTETS;

/// How many compression pointers may still be followed in a message.
#[derive(Debug)]
pub struct Hops {
    left: usize,
}

impl Hops {
    /// The allowance of one message.
    pub fn of_message() -> Hops {
        Hops { left: limits::POINTERS_PER_MESSAGE }
    }
}

/// Where the name at `at` ends, pointers not followed. Nothing is said of where they lead.
pub fn skip_name(message: &[u8], mut at: usize) -> Result<usize, NameError> {
    let start = at;
    loop {
        let length = usize::from(*message.get(at).ok_or(NameError::Truncated)?);
        match length >> 6 {
            0 => at += 1 + length,
            3 if at + 2 <= message.len() => return Ok(at + 2),
            3 => return Err(NameError::Truncated),
            _ => return Err(NameError::BadLabelType),
        }
        if length == 0 {
            return Ok(at);
        }
        if at - start >= crate::dns::name::MAX_NAME_OCTETS {
            return Err(NameError::NameTooLong);
        }
    }
}

/// Reads the name at `at` into `buf`, following pointers, and returns where it ends.
///
/// Each pointer must lead to before the place where this name, or the part it pointed to last, began, and what it leads to
/// must end there: no octet belongs to a name twice, and a chain ends by itself. The bounds in [`limits`] end it sooner.
pub fn read_name(message: &[u8], at: usize, hops: &mut Hops, buf: &mut NameBuf) -> Result<usize, NameError> {
    *buf = NameBuf::new();
    let (mut message, mut at, mut began, mut end) = (message, at, at, None);
    let mut left_in_name = limits::POINTERS_PER_NAME;
    // Labels that stand one after another are copied at once: one by one, 2048 names of 120 labels take a millisecond.
    let mut run = at;
    loop {
        let length = *message.get(at).ok_or(NameError::Truncated)?;
        match length >> 6 {
            0 if length == 0 => {
                buf.push_labels(&message[run..at])?;
                buf.finish_with(NameRef::ROOT)?;
                return Ok(end.unwrap_or(at + 1));
            }
            0 => {
                at += 1 + usize::from(length);
                if at > message.len() {
                    return Err(NameError::Truncated);
                }
                if at - run >= crate::dns::name::MAX_NAME_OCTETS {
                    return Err(NameError::NameTooLong);
                }
            }
            3 => {
                let low = *message.get(at + 1).ok_or(NameError::Truncated)?;
                let target = usize::from(length & 0x3f) << 8 | usize::from(low);
                if !(HEADER_OCTETS..began).contains(&target) || left_in_name == 0 || hops.left == 0 {
                    return Err(NameError::BadPointer);
                }
                buf.push_labels(&message[run..at])?;
                end = end.or(Some(at + 2));
                left_in_name -= 1;
                hops.left -= 1;
                (message, at, began, run) = (&message[..began], target, target, target);
            }
            _ => return Err(NameError::BadLabelType),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &[u8], at: usize) -> Result<(String, usize), NameError> {
        let mut buf = NameBuf::new();
        let end = read_name(message, at, &mut Hops::of_message(), &mut buf)?;
        Ok((buf.as_name()?.to_string(), end))
    }

    fn after_header(octets: &[u8]) -> Vec<u8> {
        [&[0; HEADER_OCTETS], octets].concat()
    }

    #[test]
    fn pointers_are_followed_backwards() {
        let message = after_header(b"\x01a\x01b\0\x01c\xc0\x0e\xc0\x11");
        assert_eq!(read(&message, 12), Ok(("a.b.".into(), 17)));
        assert_eq!(read(&message, 17), Ok(("c.b.".into(), 21)));
        assert_eq!(read(&message, 21), Ok(("c.b.".into(), 23)));
        assert_eq!(skip_name(&message, 17), Ok(21));
    }

    #[test]
    fn pointers_elsewhere_are_refused() {
        for octets in [&b"\xc0\x0c"[..], b"\xc0\x0e\0", b"\xc0\0\0", b"\x01a\xc0\x0c", b"\x01a\xc0\x0e"] {
            assert_eq!(read(&after_header(octets), 12), Err(NameError::BadPointer), "{octets:?}");
        }
        for octets in [&b"\x05a"[..], b"\xc0", b""] {
            assert_eq!(read(&after_header(octets), 12), Err(NameError::Truncated), "{octets:?}");
            assert_eq!(skip_name(&after_header(octets), 12), Err(NameError::Truncated), "{octets:?}");
        }
        assert_eq!(read(&after_header(b"\x41a\0"), 12), Err(NameError::BadLabelType));
        // The label at 12 runs over the pointer that leads to it.
        assert_eq!(read(&after_header(b"\x02a\xc0\x0c\0"), 14), Err(NameError::Truncated));
    }

    #[test]
    fn a_chain_of_pointers_ends_at_its_bound() {
        let mut message = after_header(b"\0");
        for _ in 0..=limits::POINTERS_PER_NAME {
            let target = if message.len() == 13 { 12 } else { message.len() - 2 };
            message.extend_from_slice(&(0xc000 | target as u16).to_be_bytes());
        }
        assert!(read(&message, message.len() - 4).is_ok());
        assert_eq!(read(&message, message.len() - 2), Err(NameError::BadPointer));
        let mut hops = Hops { left: 1 };
        let mut buf = NameBuf::new();
        assert!(read_name(&message, 13, &mut hops, &mut buf).is_ok());
        assert_eq!(read_name(&message, 13, &mut hops, &mut buf), Err(NameError::BadPointer));
    }

    #[test]
    fn names_longer_than_any_name_end_early() {
        let message = after_header(&[b"\x3f".as_slice(), &[b'a'; 63]].concat().repeat(5));
        assert_eq!(skip_name(&message, 12), Err(NameError::NameTooLong));
        assert_eq!(read(&message, 12), Err(NameError::NameTooLong));
    }
}
