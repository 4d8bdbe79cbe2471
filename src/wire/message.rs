//! A message walked with every boundary checked: what a reply from a server is read with.

use super::groups::Groups;
use super::names::{self, Hops};
use super::opt::Opt;
use super::{HEADER_OCTETS, Header, WireError, u16_at, u32_at};
use crate::dns::rdata;
use crate::dns::rdata_table::{Field, format_of};
use crate::dns::{NameBuf, NameRef, QuestionRef, Rcode, RrClass, RrType, Rrset, Ttl};

/// A section of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum SectionKind {
    Answer,
    Authority,
    Additional,
}

/// A well-formed message: every name, record and option lies inside it, nothing lies behind the last.
#[derive(Debug, Clone, Copy)]
pub struct MessageView<'a> {
    octets: &'a [u8],
    header: Header,
    question: Option<QuestionRef<'a>>,
    /// Where the answer, authority and additional sections begin, and where the last ends.
    sections: [usize; 4],
    opt: Option<Opt<'a>>,
}

/// One record, its names still compressed.
#[derive(Debug, Clone, Copy)]
pub struct RecordView<'a> {
    message: &'a [u8],
    owner_at: usize,
    rdata_at: usize,
    rdata_end: usize,
    /// The type.
    pub rr_type: RrType,
    /// The class.
    pub class: RrClass,
    /// The TTL.
    pub ttl: Ttl,
}

impl<'a> MessageView<'a> {
    /// Walks the whole message once: one question or none, then the records the header counts. Names are only stepped
    /// over here; reading them is bounded by a [`Hops`] of the caller's.
    pub fn parse(octets: &'a [u8]) -> Result<MessageView<'a>, WireError> {
        let header = Header::read(octets).ok_or(WireError::Truncated)?;
        let (question, mut at) = match header.counts[0] {
            0 => (None, HEADER_OCTETS),
            1 => {
                let (name, _) = NameRef::split_from(&octets[HEADER_OCTETS..])?;
                let at = HEADER_OCTETS + name.octet_count();
                let (rr_type, class) = (RrType(u16_at(octets, at)?), RrClass(u16_at(octets, at + 2)?));
                (Some(QuestionRef { name, rr_type, class }), at + 4)
            }
            _ => return Err(WireError::TooManyRecords),
        };
        let mut sections = [at; 4];
        let mut opt = None;
        for section in 0..3 {
            for _ in 0..header.counts[section + 1] {
                let record = RecordView::read(octets, at)?;
                if record.rr_type == RrType::OPT {
                    if section != 2 || opt.is_some() || octets[at] != 0 {
                        return Err(WireError::Opt);
                    }
                    let ttl = u32_at(octets, record.rdata_at - 6)?;
                    opt = Some(Opt::read(record.class.0, ttl, &octets[record.rdata_at..record.rdata_end])?);
                }
                at = record.rdata_end;
            }
            sections[section + 1] = at;
        }
        if at != octets.len() {
            return Err(WireError::TrailingOctets);
        }
        Ok(MessageView { octets, header, question, sections, opt })
    }

    /// The header.
    pub fn header(&self) -> Header {
        self.header
    }

    /// The question, if the message repeats one.
    pub fn question(&self) -> Option<QuestionRef<'a>> {
        self.question
    }

    /// The OPT record.
    pub fn opt(&self) -> Option<Opt<'a>> {
        self.opt
    }

    /// The response code with its EDNS bits.
    pub fn rcode(&self) -> Rcode {
        let extended = self.opt.map_or(0, |opt| u16::from(opt.extended_rcode));
        Rcode(extended << 4 | self.header.flags.rcode().0)
    }

    /// The records of a section, OPT left out.
    pub fn records(&self, section: SectionKind) -> impl Iterator<Item = RecordView<'a>> + use<'a> {
        let (mut at, end) = (self.sections[section as usize], self.sections[section as usize + 1]);
        let octets = self.octets;
        std::iter::from_fn(move || {
            let record = (at < end).then(|| RecordView::read(octets, at).ok()).flatten()?;
            at = record.rdata_end;
            Some(record)
        })
        .filter(|record| record.rr_type != RrType::OPT)
    }

    /// The RRsets of a section, RRSIGs with the RRset they cover, in the order their first record stands. Records of
    /// one RRset need not be adjacent; their TTL is the lowest of them (RFC 2181 5.2); duplicates count once.
    ///
    /// Records of a class other than IN are passed over. An RRSIG whose RRset is not there is one of type RRSIG.
    pub fn rrsets(&self, section: SectionKind, hops: &mut Hops) -> Result<Vec<Rrset>, WireError> {
        let mut groups = Groups::new();
        let (mut owner, mut rdata) = (NameBuf::new(), Vec::new());
        let mut owner_pointer = None;
        for record in self.records(section).filter(|record| record.class == RrClass::IN) {
            // Records of an RRset nearly always repeat the pointer to their owner: such a name is read once, so that
            // an RRset of thousands of records does not look like a message made of pointers.
            let pointer = record.owner_pointer();
            if pointer.is_none() || pointer != owner_pointer {
                record.read_owner(hops, &mut owner)?;
                owner_pointer = pointer;
            }
            rdata.clear();
            record.read_rdata(hops, &mut rdata)?;
            groups.add(owner.as_name()?, record.rr_type, record.ttl, &rdata)?;
        }
        Ok(groups.into_rrsets())
    }
}

impl<'a> RecordView<'a> {
    pub(super) fn read(message: &'a [u8], owner_at: usize) -> Result<RecordView<'a>, WireError> {
        let fixed = names::skip_name(message, owner_at)?;
        let rdata_at = fixed + 10;
        let rdata_end = rdata_at + usize::from(u16_at(message, fixed + 8)?);
        if rdata_end > message.len() {
            return Err(WireError::Truncated);
        }
        Ok(RecordView {
            message,
            owner_at,
            rdata_at,
            rdata_end,
            rr_type: RrType(u16_at(message, fixed)?),
            class: RrClass(u16_at(message, fixed + 2)?),
            ttl: Ttl::from_wire(u32_at(message, fixed + 4)?),
        })
    }

    /// Reads the owner name into `owner`.
    pub fn read_owner(&self, hops: &mut Hops, owner: &mut NameBuf) -> Result<(), WireError> {
        names::read_name(self.message, self.owner_at, hops, owner)?;
        Ok(())
    }

    /// The pointer that is all of the owner name.
    fn owner_pointer(&self) -> Option<u16> {
        u16_at(self.message, self.owner_at).ok().filter(|pointer| *pointer >= 0xc000)
    }

    /// Appends the RDATA to `rdata` with its names uncompressed; an error when it does not have the format of its type.
    /// Types without a format here are copied as they are.
    pub fn read_rdata(&self, hops: &mut Hops, rdata: &mut Vec<u8>) -> Result<(), WireError> {
        let fields = format_of(self.rr_type).map_or(&[][..], |format| format.fields);
        // Nothing may be read from behind the end of the RDATA; pointers lead backwards anyway.
        let message = &self.message[..self.rdata_end];
        let start = rdata.len();
        let mut at = self.rdata_at;
        let mut name = NameBuf::new();
        for field in fields {
            if matches!(field, Field::CompressibleName | Field::FoldedName | Field::PlainName) {
                at = names::read_name(message, at, hops, &mut name)?;
                rdata.extend_from_slice(name.as_name()?.octets());
                continue;
            }
            let rest = message.get(at..).ok_or(WireError::Rdata)?;
            let (octets, _) = rdata::split_field(*field, rest).map_err(|_| WireError::Rdata)?;
            rdata.extend_from_slice(octets);
            at += octets.len();
        }
        let rest = message.get(at..).ok_or(WireError::Rdata)?;
        rdata.extend_from_slice(rest);
        // Each field is of its format; names without their pointers may make it too long (RFC 1035 3.2.1).
        let is_whole = fields.is_empty() || rest.is_empty();
        if is_whole && rdata.len() - start <= usize::from(u16::MAX) { Ok(()) } else { Err(WireError::Rdata) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;

    fn reply(counts: [u16; 4], rest: &[&[u8]]) -> Vec<u8> {
        let header = Header { id: 1, flags: crate::wire::Flags::QR, counts };
        [&header.octets(), rest.concat().as_slice()].concat()
    }

    const QUESTION: &[u8] = b"\x01a\x07example\0\0\x0f\0\x01";

    fn record(rr_type: u16, ttl: u32, rdata: &[u8]) -> Vec<u8> {
        let mut octets = b"\xc0\x0c".to_vec();
        octets.extend(rr_type.to_be_bytes());
        octets.extend(1u16.to_be_bytes());
        octets.extend(ttl.to_be_bytes());
        octets.extend((rdata.len() as u16).to_be_bytes());
        octets.extend(rdata);
        octets
    }

    fn rrsets(message: &[u8]) -> Result<Vec<Rrset>, WireError> {
        MessageView::parse(message)?.rrsets(SectionKind::Answer, &mut Hops::of_message())
    }

    #[test]
    fn records_are_grouped_decompressed_and_merged() {
        let signature = b"\0\x0f\x0d\x02\0\0\0\x3c\0\0\0\0\0\0\0\0\0\x01\x07example\0sig";
        let records = [
            record(15, 300, b"\0\x0a\x04mail\xc0\x0e"),
            record(46, 300, signature),
            record(15, 60, b"\0\x14\x05mail2\xc0\x0e"),
            record(15, 300, b"\0\x0a\x04mail\xc0\x0e"),
        ];
        let message = reply([1, 4, 0, 0], &[QUESTION, &records.concat()]);
        let sets = rrsets(&message).unwrap();
        let mail = b"\0\x0a\x04mail\x07example\0".as_slice();
        let mail2 = b"\0\x14\x05mail2\x07example\0".as_slice();
        assert_eq!(sets.len(), 1);
        assert_eq!(sets[0].records().iter().collect::<Vec<_>>(), [mail, mail2]);
        assert_eq!(sets[0].signatures().iter().collect::<Vec<_>>(), [signature.as_slice()]);
        assert_eq!(sets[0].ttl.seconds(), 60);
        assert_eq!(sets[0].owner, "a.example.".parse::<Name>().unwrap());
    }

    #[test]
    fn a_signature_alone_is_an_rrset_of_its_own() {
        let signature = b"\0\x0f\x0d\x02\0\0\0\x3c\0\0\0\0\0\0\0\0\0\x01\0sig";
        let message = reply([1, 1, 0, 0], &[QUESTION, &record(46, 300, signature)]);
        assert_eq!(rrsets(&message).unwrap()[0].rr_type, RrType::RRSIG);
    }

    #[test]
    fn malformed_replies_are_refused() {
        let good = reply([1, 1, 0, 0], &[QUESTION, &record(1, 5, b"\x01\x02\x03\x04")]);
        assert!(rrsets(&good).is_ok());
        for cut in 0..good.len() {
            assert!(MessageView::parse(&good[..cut]).is_err(), "cut at {cut}");
        }
        let opt = b"\0\0\x29\x04\xd0\0\0\0\0\0\0".as_slice();
        for (what, message, want) in [
            ("behind the end", reply([1, 0, 0, 0], &[QUESTION, b"x"]), WireError::TrailingOctets),
            ("OPT as answer", reply([1, 1, 0, 0], &[QUESTION, opt]), WireError::Opt),
            ("two OPT", reply([1, 0, 0, 2], &[QUESTION, opt, opt]), WireError::Opt),
            (
                "name cut by RDLENGTH",
                reply([1, 1, 0, 0], &[QUESTION, &record(15, 1, b"\0\x0a\x04mai")]),
                WireError::Name(crate::dns::NameError::Truncated),
            ),
            (
                "string longer than RDATA",
                reply([1, 1, 0, 0], &[QUESTION, &record(13, 1, b"\x09abc")]),
                WireError::Rdata,
            ),
        ] {
            assert_eq!(rrsets(&message), Err(want), "{what}");
        }
    }

    #[test]
    fn an_rrset_of_more_records_than_pointers_are_followed_is_read_and_other_names_are_not() {
        let count = crate::limits::POINTERS_PER_MESSAGE + 1;
        let address = |n: usize| record(1, 1, &(n as u32).to_be_bytes());
        let addresses: Vec<u8> = (0..count).flat_map(address).collect();
        let sets = rrsets(&reply([1, count as u16, 0, 0], &[QUESTION, &addresses])).unwrap();
        assert_eq!(sets.iter().map(|set| set.records().count()).collect::<Vec<_>>(), [count]);

        let servers: Vec<u8> = (0..count).flat_map(|_| record(2, 1, b"\xc0\x0c")).collect();
        let message = reply([1, count as u16, 0, 0], &[QUESTION, &servers]);
        assert_eq!(rrsets(&message), Err(WireError::Name(crate::dns::NameError::BadPointer)));
    }

    #[test]
    fn more_rrsets_than_are_told_apart_are_an_error() {
        let records =
            |count: usize| -> Vec<u8> { (0..count).flat_map(|n| record(1000 + n as u16, 1, b"x")).collect() };
        let message = |count| reply([1, count as u16, 0, 0], &[QUESTION, &records(count)]);
        assert_eq!(
            rrsets(&message(crate::limits::RRSETS_PER_SECTION)).unwrap().len(),
            crate::limits::RRSETS_PER_SECTION
        );
        assert_eq!(rrsets(&message(crate::limits::RRSETS_PER_SECTION + 1)), Err(WireError::TooManyRecords));
    }
}
