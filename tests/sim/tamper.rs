//! Who sits before a host and changes what it says, record by record.

use std::sync::Arc;

use namu::dns::{Answer, Name, QuestionRef, RrType, RrsetRef};

/// Changes the response to a question.
pub type Tamper = Arc<dyn Fn(QuestionRef<'_>, &mut Message) + Send + Sync>;

/// A response in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub rcode: u16,
    pub authoritative: bool,
    pub records: Vec<Record>,
}

/// One record of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// 1, 2 and 3: answer, authority, additional.
    pub section: usize,
    pub owner: Name,
    pub rr_type: RrType,
    pub class: u16,
    pub ttl: u32,
    pub rdata: Vec<u8>,
}

impl Message {
    /// What a host would say.
    pub fn of(answer: &Answer<'_>) -> Message {
        let mut message =
            Message { rcode: answer.rcode.0, authoritative: answer.authoritative, records: Vec::new() };
        answer.answer.iter().for_each(|rrset| message.push(1, rrset.rrset()));
        answer.authority.iter().for_each(|rrset| message.push(2, rrset.rrset()));
        answer.additional.iter().for_each(|rrset| message.push(3, rrset.rrset()));
        message
    }

    /// One more RRset, with its signatures.
    pub fn push(&mut self, section: usize, rrset: RrsetRef<'_>) {
        let (owner, ttl, class) = (rrset.owner.to_name(), rrset.ttl.seconds(), 1);
        for rdata in rrset.records {
            let (owner, rdata) = (owner.clone(), rdata.to_vec());
            self.records.push(Record { section, owner, rr_type: rrset.rr_type, class, ttl, rdata });
        }
        for rdata in rrset.signatures {
            let (owner, rdata) = (owner.clone(), rdata.to_vec());
            self.records.push(Record { section, owner, rr_type: RrType::RRSIG, class, ttl, rdata });
        }
    }

    /// The octets, with nothing compressed.
    pub fn octets(&self, id: u16, question: QuestionRef<'_>) -> Vec<u8> {
        let count = |section| self.records.iter().filter(|record| record.section == section).count() as u16;
        let authoritative = if self.authoritative { 0x84 } else { 0x80 };
        let mut octets = [&id.to_be_bytes()[..], &[authoritative, self.rcode as u8]].concat();
        for count in [1, count(1), count(2), count(3) + 1] {
            octets.extend(count.to_be_bytes());
        }
        octets.extend(question.name.octets());
        octets.extend(question.rr_type.0.to_be_bytes());
        octets.extend([0, 1]);
        for section in 1..=3 {
            for record in self.records.iter().filter(|record| record.section == section) {
                octets.extend(record.owner.octets());
                octets.extend(record.rr_type.0.to_be_bytes());
                octets.extend(record.class.to_be_bytes());
                octets.extend(record.ttl.to_be_bytes());
                octets.extend((record.rdata.len() as u16).to_be_bytes());
                octets.extend(&record.rdata);
            }
        }
        // OPT with 1232 octets and DO.
        octets.extend([0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, 0]);
        octets
    }
}
