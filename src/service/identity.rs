//! What the server says of itself, if the operator wants it to (RFC 4892, RFC 5001).

use std::sync::Arc;

use crate::dns::{
    Answer, AnswerRrset, Name, QuestionRef, RecordsBuf, RrClass, RrType, Rrset, SharedRrset, Ttl,
};
use crate::limits;

/// The name of each question and whether it asks for the version, else for the name.
const QUESTIONS: [(&[u8], bool); 4] = [
    (b"\x07version\x04bind\0", true),
    (b"\x07version\x06server\0", true),
    (b"\x02id\x06server\0", false),
    (b"\x08hostname\x04bind\0", false),
];

/// What is told about the version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Version {
    /// Nothing: who knows the version knows its faults.
    #[default]
    Hidden,
    /// The true one.
    Full,
    /// What the operator likes to say.
    Text(String),
}

/// What the server says of itself. By default, nothing.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    nsid: Option<Arc<[u8]>>,
    name: Option<SharedRrset>,
    version: Option<SharedRrset>,
}

impl Identity {
    /// A server called `name`, of at most [`limits::IDENTITY`] octets.
    pub fn new(name: Option<&str>, version: &Version) -> Identity {
        let version = match version {
            Version::Hidden => None,
            Version::Full => Some(concat!("namu ", env!("CARGO_PKG_VERSION"))),
            Version::Text(text) => Some(&**text),
        };
        Identity {
            nsid: name.map(|name| name.as_bytes()[..name.len().min(limits::IDENTITY)].into()),
            name: name.map(text),
            version: version.map(text),
        }
    }

    /// The name, for who asks for it by EDNS (RFC 5001).
    pub(super) fn nsid(&self) -> Option<&[u8]> {
        self.nsid.as_deref()
    }

    /// The answer to a question of class CH; none when nothing is said.
    pub(super) fn answer<'a>(&self, question: QuestionRef<'a>) -> Option<Answer<'a>> {
        let asked = |octets: &[u8]| question.name.octets().eq_ignore_ascii_case(octets);
        let (_, is_version) = QUESTIONS.iter().find(|(octets, _)| asked(octets))?;
        let set = if *is_version { &self.version } else { &self.name };
        let mut answer = Answer::empty(crate::dns::Rcode::NOERROR);
        answer.authoritative = true;
        let set = AnswerRrset::shared(set.clone()?).with_owner(question.name);
        // Another type is NODATA without a SOA: there is no zone.
        if matches!(question.rr_type, RrType::TXT | RrType::ANY) {
            answer.answer.push(set);
        }
        Some(answer)
    }
}

/// A text as a TXT RRset of class CH; its owner is that of the question.
fn text(text: &str) -> SharedRrset {
    let text = &text.as_bytes()[..text.len().min(255)];
    let rdata = [&[text.len() as u8], text].concat();
    let records: RecordsBuf = [&rdata[..]].into_iter().collect();
    let mut set = Rrset::new(Name::root(), RrType::TXT, Ttl::ZERO, records, RecordsBuf::new());
    set.class = RrClass::CH;
    set.into()
}
