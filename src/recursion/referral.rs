//! For those who ask without recursion: the nearest zone whose servers are known (RFC 1034 4.3.1). That is also what
//! tools begin with that walk down from the root themselves.

use std::net::IpAddr;
use std::sync::Arc;

use super::Recursion;
use crate::cache::{NameServer, remaining};
use crate::clock::Now;
use crate::dns::{Answer, AnswerRrset, Name, QuestionRef, Rcode, RecordsBuf, RrType, Rrset, Ttl};

impl Recursion {
    /// A referral to the servers of the nearest zone that is known, else to the root hints. To the question for the
    /// root's own servers it is the answer.
    pub fn referral(&self, question: QuestionRef<'_>, now: Now) -> Answer<'static> {
        let cache = self.cache();
        let known = cache.closest_delegation(question.name, now);
        let (apex, servers, ttl) = match &known {
            Some(known) => (known.apex.clone(), &known.servers, remaining(known.expires, now)),
            None => (Name::root(), &self.hints().servers, Ttl::MAX),
        };
        let ttl = cache.clamp(ttl);
        let names: RecordsBuf = servers.iter().map(|server| server.name.octets()).collect();
        let is_answer = apex.as_ref() == question.name && question.rr_type == RrType::NS;
        let ns = AnswerRrset::shared(Arc::new(Rrset::new(apex, RrType::NS, ttl, names, RecordsBuf::new())));
        let mut answer = Answer::empty(Rcode::NOERROR);
        if is_answer {
            answer.answer.push(ns)
        } else {
            answer.authority.push(ns)
        }
        for glue in servers.iter().flat_map(|server| glue(server, ttl)) {
            answer.additional.push(glue);
        }
        answer
    }
}

/// The addresses of a name server that came with its delegation.
fn glue(server: &NameServer, ttl: Ttl) -> impl Iterator<Item = AnswerRrset<'static>> {
    let of_type = move |rr_type: RrType| {
        let octets = server.addresses.iter().filter_map(|address| match (address, rr_type) {
            (IpAddr::V4(address), RrType::A) => Some(address.octets().to_vec()),
            (IpAddr::V6(address), RrType::AAAA) => Some(address.octets().to_vec()),
            _ => None,
        });
        let octets: Vec<_> = octets.collect();
        let records: RecordsBuf = octets.iter().map(|octets| &octets[..]).collect();
        let rrset = || Rrset::new(server.name.clone(), rr_type, ttl, records, RecordsBuf::new());
        (!octets.is_empty()).then(|| AnswerRrset::shared(Arc::new(rrset())))
    };
    [RrType::A, RrType::AAAA].into_iter().filter_map(of_type)
}
