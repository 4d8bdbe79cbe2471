//! Reply: a server's message as values, before anything of it is believed.

use crate::dns::{Rcode, Rrset};
use crate::limits;
use crate::wire::names::Hops;
use crate::wire::{Flags, MessageView, SectionKind, WireError};

/// What a server said.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The response code with its EDNS bits.
    pub rcode: Rcode,
    /// AA: it claims to serve the zone.
    pub authoritative: bool,
    /// RA: it offers recursion.
    pub recursive: bool,
    /// The answer section.
    pub answer: Vec<Rrset>,
    /// The authority section.
    pub authority: Vec<Rrset>,
    /// The additional section, without OPT.
    pub additional: Vec<Rrset>,
}

impl Reply {
    /// Reads all sections; compression pointers are bounded for the whole message.
    pub fn read(message: &MessageView<'_>) -> Result<Reply, WireError> {
        let flags = message.header().flags;
        let mut hops = Hops::of_message();
        Ok(Reply {
            rcode: message.rcode(),
            authoritative: flags.has(Flags::AA),
            recursive: flags.has(Flags::RA),
            answer: message.rrsets(SectionKind::Answer, &mut hops)?,
            authority: message.rrsets(SectionKind::Authority, &mut hops)?,
            additional: message.rrsets(SectionKind::Additional, &mut hops)?,
        })
    }
}

/// The NSEC and NSEC3 RRsets of an authority section.
pub fn proofs_in(authority: &[Rrset]) -> Vec<Rrset> {
    let proofs = authority.iter().filter(|rrset| rrset.rr_type.is_proof());
    proofs.take(limits::PROOF_RRSETS).cloned().collect()
}
