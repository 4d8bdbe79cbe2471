//! A DNS message as a play writes it and as it stands on the wire. Nothing of the server's own writer is used here, so
//! that the judge does not share its mistakes.

use std::fmt;

use namu::dns::{Name, NameBuf, Question, Rcode, RrClass, RrType};
use namu::wire::names::Hops;
use namu::wire::{Flags, MessageView, SectionKind};
use namu::zonefile::RdataText;

/// EDNS payload size of every message a play sends.
const PAYLOAD: u16 = 4096;

/// One record of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub owner: Name,
    pub rr_type: RrType,
    pub class: RrClass,
    pub ttl: u32,
    pub rdata: Vec<u8>,
}

/// What an OPT record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edns {
    pub version: u8,
    pub payload: u16,
    pub dnssec_ok: bool,
    pub options: Vec<(u16, Vec<u8>)>,
}

impl Default for Edns {
    fn default() -> Edns {
        Edns { version: 0, payload: PAYLOAD, dnssec_ok: false, options: Vec::new() }
    }
}

/// A message. The flags are those of the header with the opcode, without the response code.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: u16,
    pub flags: Flags,
    pub rcode: Rcode,
    pub question: Option<Question>,
    /// Answer, authority, additional without OPT.
    pub sections: [Vec<Record>; 3],
    pub edns: Option<Edns>,
}

impl Default for Message {
    fn default() -> Message {
        let (flags, rcode) = (Flags::default(), Rcode::NOERROR);
        Message { id: 0, flags, rcode, question: None, sections: Default::default(), edns: None }
    }
}

impl Message {
    /// Reads what somebody sent.
    pub fn read(octets: &[u8]) -> Result<Message, String> {
        let malformed = |error: &dyn fmt::Display| format!("malformed message: {error}");
        let view = MessageView::parse(octets).map_err(|error| malformed(&error))?;
        let mut hops = Hops::of_message();
        let mut sections = <[Vec<Record>; 3]>::default();
        let kinds = [SectionKind::Answer, SectionKind::Authority, SectionKind::Additional];
        for (kind, section) in kinds.into_iter().zip(&mut sections) {
            for record in view.records(kind) {
                let (mut owner, mut rdata) = (NameBuf::new(), Vec::new());
                record.read_owner(&mut hops, &mut owner).map_err(|error| malformed(&error))?;
                record.read_rdata(&mut hops, &mut rdata).map_err(|error| malformed(&error))?;
                let owner = owner.as_name().map_err(|error| malformed(&error))?.to_name();
                let ttl = record.ttl.seconds();
                section.push(Record { owner, rr_type: record.rr_type, class: record.class, ttl, rdata });
            }
        }
        let edns = view.opt().map(|opt| Edns {
            version: opt.edns.version,
            payload: opt.edns.udp_payload_size,
            dnssec_ok: opt.edns.dnssec_ok,
            options: opt.options().map(|(code, data)| (code, data.to_vec())).collect(),
        });
        let header = view.header();
        Ok(Message {
            id: header.id,
            flags: Flags(header.flags.0 & !0x000f),
            rcode: view.rcode(),
            question: view.question().map(|question| question.to_question()),
            sections,
            edns,
        })
    }

    /// The octets, no name compressed.
    pub fn octets(&self) -> Vec<u8> {
        let [answer, authority, additional] = &self.sections;
        let counts = [
            usize::from(self.question.is_some()),
            answer.len(),
            authority.len(),
            additional.len() + usize::from(self.edns.is_some()),
        ];
        let mut out = Vec::with_capacity(512);
        out.extend(self.id.to_be_bytes());
        out.extend((self.flags.0 | (self.rcode.0 & 0x0f)).to_be_bytes());
        for count in counts {
            out.extend((count as u16).to_be_bytes());
        }
        if let Some(question) = &self.question {
            out.extend(question.name.octets());
            out.extend(question.rr_type.0.to_be_bytes());
            out.extend(question.class.0.to_be_bytes());
        }
        for record in self.sections.iter().flatten() {
            out.extend(record.owner.octets());
            out.extend(record.rr_type.0.to_be_bytes());
            out.extend(record.class.0.to_be_bytes());
            out.extend(record.ttl.to_be_bytes());
            out.extend((record.rdata.len() as u16).to_be_bytes());
            out.extend(&record.rdata);
        }
        if let Some(edns) = &self.edns {
            let options = edns.options.iter().flat_map(|(code, data)| {
                let head = [code.to_be_bytes(), (data.len() as u16).to_be_bytes()].concat();
                [head, data.clone()].concat()
            });
            let options: Vec<u8> = options.collect();
            out.extend([0, 0, 41]);
            out.extend(edns.payload.to_be_bytes());
            out.extend([(self.rcode.0 >> 4) as u8, edns.version, u8::from(edns.dnssec_ok) << 7, 0]);
            out.extend((options.len() as u16).to_be_bytes());
            out.extend(options);
        }
        out
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rdata = RdataText { rr_type: self.rr_type, rdata: &self.rdata };
        write!(f, "{} {} {} {}", self.owner, self.ttl, self.rr_type, rdata)
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.rcode)?;
        let names = [
            (Flags::QR, "QR"),
            (Flags::AA, "AA"),
            (Flags::TC, "TC"),
            (Flags::RD, "RD"),
            (Flags::RA, "RA"),
            (Flags::AD, "AD"),
            (Flags::CD, "CD"),
        ];
        for (_, name) in names.iter().filter(|(flag, _)| self.flags.has(*flag)) {
            write!(f, " {name}")?;
        }
        if let Some(question) = &self.question {
            write!(f, "\n      {question}?")?;
        }
        for (section, name) in self.sections.iter().zip(["answer", "authority", "additional"]) {
            for record in section {
                write!(f, "\n      {name}: {record}")?;
            }
        }
        for (code, data) in self.edns.iter().flat_map(|edns| &edns.options).filter(|(code, _)| *code == 15) {
            let (info_code, text) = data.split_at(data.len().min(2));
            write!(f, "\n      option {code}: {info_code:?} {}", String::from_utf8_lossy(text))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let record = |owner: &str, ttl| Record {
            owner: owner.parse().unwrap(),
            rr_type: RrType::A,
            class: RrClass::IN,
            ttl,
            rdata: vec![192, 0, 2, 1],
        };
        let message = Message {
            id: 7,
            flags: Flags::QR.set_if(Flags::AA, true),
            rcode: Rcode(17),
            question: Some(Question::new("Www.example.".parse().unwrap(), RrType::A)),
            sections: [vec![record("www.example.", 5)], vec![], vec![record("ns.example.", 6)]],
            edns: Some(Edns { dnssec_ok: true, options: vec![(15, vec![0, 3])], ..Edns::default() }),
        };
        let read = Message::read(&message.octets()).unwrap();
        assert_eq!(read.octets(), message.octets());
        assert!(Message::read(&message.octets()[..40]).is_err());
        assert_eq!((read.rcode, read.sections, read.edns), (message.rcode, message.sections, message.edns));
    }
}
