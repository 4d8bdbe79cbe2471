//! What a request for an incremental transfer says (RFC 1995).

use crate::dns::{NameRef, RrType, Serial};
use crate::wire::names::Hops;
use crate::wire::{MessageView, SectionKind};

/// The serial the client has of zone `apex`: its SOA stands in the authority section (RFC 1995 section 3). None when
/// it does not.
pub fn serial_of_client(request: &[u8], apex: NameRef<'_>) -> Option<Serial> {
    let message = MessageView::parse(request).ok()?;
    let sets = message.rrsets(SectionKind::Authority, &mut Hops::of_message()).ok()?;
    let soa = sets.iter().find(|set| set.rr_type == RrType::SOA && set.owner.as_ref() == apex)?;
    // Two names, then five numbers of four octets.
    let (_, numbers) = soa.records().first()?.split_last_chunk::<20>()?;
    let serial = numbers.first_chunk().expect("20 octets have a first four");
    Some(Serial(u32::from_be_bytes(*serial)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;

    #[test]
    fn the_serial_stands_in_the_authority_section() {
        let question = b"\x07example\0\0\xfb\0\x01";
        let soa = b"\xc0\x0c\0\x06\0\x01\0\0\0\0\0\x18\xc0\x0c\xc0\x0c\x12\x34\x56\x78\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        let request = |counts: [u8; 4], records: &[u8]| {
            let [questions, answers, authorities, _] = counts;
            let header = [0, 1, 0, 0, 0, questions, 0, answers, 0, authorities, 0, 0];
            [&header[..], question, records].concat()
        };
        let apex: Name = "EXAMPLE.".parse().unwrap();
        let other: Name = "example.org.".parse().unwrap();
        for (what, octets, apex, want) in [
            ("as it should be", request([1, 0, 1, 0], soa), &apex, Some(Serial(0x1234_5678))),
            ("in the answer section", request([1, 1, 0, 0], soa), &apex, None),
            ("of another zone", request([1, 0, 1, 0], soa), &other, None),
            ("not there", request([1, 0, 0, 0], b""), &apex, None),
        ] {
            assert_eq!(serial_of_client(&octets, apex.as_ref()), want, "{what}");
        }
    }
}
