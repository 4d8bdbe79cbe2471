//! Messages on a stream: two octets of length before each (RFC 1035 4.2.2, RFC 7766 section 8).

/// The frame of a response, length first, ready for one write. Over 65,535 octets there is no frame.
pub fn frame(message: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(message.len()).ok()?;
    let mut octets = Vec::with_capacity(2 + message.len());
    octets.extend_from_slice(&length.to_be_bytes());
    octets.extend_from_slice(message);
    Some(octets)
}

/// The first whole message in what has been received so far, and how many octets it took with its length.
pub fn split(received: &[u8]) -> Option<(&[u8], usize)> {
    let (length, rest) = received.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    Some((rest.get(..length)?, 2 + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_split_again_and_not_before_they_are_whole() {
        let two = [frame(b"one").unwrap(), frame(b"").unwrap()].concat();
        assert_eq!(split(&two), Some((&b"one"[..], 5)));
        assert_eq!(split(&two[5..]), Some((&b""[..], 2)));
        for cut in 0..5 {
            assert_eq!(split(&two[..cut]), None);
        }
        assert!(frame(&vec![0; 65_536]).is_none());
    }
}
