//! Signatures and NSEC3, without cryptography: what is expired, missing, or costs more than it should.

use super::Advisor;
use super::advice::Advice;
use super::book::{Book, Owner};
use crate::dns::{NameRef, RrType};
use crate::limits::SIGNATURES_EXPIRE_SOON;
use crate::zone::merge::Record;

pub(super) fn look<M: Copy>(book: &Book<'_, M>, unix_seconds: u64, advisor: &mut Advisor<'_, M>) {
    let Some(apex) = book.exact(book.apex()) else {
        return;
    };
    look_at_nsec3(book, apex, advisor);
    let is_signed = covers(apex, RrType::SOA);
    let mut validity = Validity::new(unix_seconds);
    for owner in book.owners().filter(|owner| owner.hidden_by().is_none()) {
        for record in owner.of_type(RrType::RRSIG) {
            look_at_signature(owner, record, &mut validity, advisor);
        }
        if is_signed {
            look_for_signatures(owner, advisor);
        }
    }
    validity.tell(advisor);
}

fn look_at_nsec3<'b, 'a, M: Copy>(
    book: &'b Book<'a, M>,
    apex: Owner<'b, 'a, M>,
    advisor: &mut Advisor<'_, M>,
) {
    let nsec3 = book.owners().find_map(|owner| Some((owner, owner.of_type(RrType::NSEC3).first()?)));
    let param = apex.of_type(RrType::NSEC3PARAM).first().map(|param| (apex, param));
    match (nsec3, param) {
        (Some((owner, record)), None) => advisor.say(Advice::Nsec3WithoutParam, owner, record.mark),
        (None, Some((owner, record))) => advisor.say(Advice::ParamWithoutNsec3, owner, record.mark),
        _ => {}
    }
    // Both begin with hash algorithm, flags, iterations and salt (RFC 5155 3.2, 4.2).
    let Some((owner, record)) = param.or(nsec3) else {
        return;
    };
    let [_, _, high, low, salt, ..] = record.rdata else {
        return;
    };
    let iterations = u16::from_be_bytes([*high, *low]);
    if iterations > 0 {
        advisor.say(Advice::Nsec3Iterations { iterations }, owner, record.mark);
    }
    if *salt > 0 {
        advisor.say(Advice::Nsec3Salt, owner, record.mark);
    }
}

/// Whether there is an RRSIG over this type. An RRSIG begins with the type it covers (RFC 4034 3.1).
fn covers<M>(owner: Owner<'_, '_, M>, rr_type: RrType) -> bool {
    owner.of_type(RrType::RRSIG).iter().any(|record| covered(record) == Some(rr_type))
}

fn covered<M>(signature: &Record<'_, M>) -> Option<RrType> {
    signature.rdata.first_chunk().map(|covered| RrType(u16::from_be_bytes(*covered)))
}

fn look_at_signature<'b, 'a, M: Copy>(
    owner: Owner<'b, 'a, M>,
    record: &Record<'a, M>,
    validity: &mut Validity<'b, 'a, M>,
    advisor: &mut Advisor<'_, M>,
) {
    let Some((expiration, inception, signer)) = read(record.rdata) else {
        return;
    };
    validity.add(owner, record.mark, expiration, inception);
    if signer != owner.book().apex() {
        advisor.say(Advice::Signer { signer: signer.to_name() }, owner, record.mark);
    }
    if let Some(covered) = covered(record)
        && !owner.has(covered)
    {
        advisor.say(Advice::SignatureOfNothing { covered }, owner, record.mark);
    }
}

/// Expiration, inception and signer's name of an RRSIG (RFC 4034 3.1).
fn read(rdata: &[u8]) -> Option<(u32, u32, NameRef<'_>)> {
    let (expiration, rest) = rdata.get(8..)?.split_first_chunk()?;
    let (inception, rest) = rest.split_first_chunk()?;
    let (signer, _) = NameRef::split_from(rest.get(2..)?).ok()?;
    Some((u32::from_be_bytes(*expiration), u32::from_be_bytes(*inception), signer))
}

/// In a signed zone everything authoritative is signed (RFC 4035 2.2): not the NS of a delegation, nor glue.
fn look_for_signatures<M: Copy>(owner: Owner<'_, '_, M>, advisor: &mut Advisor<'_, M>) {
    for records in owner.records().chunk_by(|a, b| a.rr_type == b.rr_type) {
        let rr_type = records[0].rr_type;
        let is_parents = !owner.is_cut() || [RrType::DS, RrType::NSEC].contains(&rr_type);
        if is_parents && rr_type != RrType::RRSIG && !covers(owner, rr_type) {
            advisor.say(Advice::Unsigned { rr_type }, owner, records[0].mark);
        }
    }
}

/// When signatures begin and end to be valid. A zone is signed in one go, so one finding for all is enough.
struct Validity<'b, 'a, M> {
    now: u32,
    count: usize,
    expired: Option<Group<'b, 'a, M>>,
    soon: Option<Group<'b, 'a, M>>,
    early: Option<Group<'b, 'a, M>>,
}

/// Signatures with the same trouble, and the one that has it most.
struct Group<'b, 'a, M> {
    count: usize,
    owner: Owner<'b, 'a, M>,
    mark: M,
    seconds: i32,
}

impl<'b, 'a, M: Copy> Validity<'b, 'a, M> {
    fn new(unix_seconds: u64) -> Validity<'b, 'a, M> {
        // The times of signatures are modulo 2^32 (RFC 4034 3.1.5).
        Validity { now: unix_seconds as u32, count: 0, expired: None, soon: None, early: None }
    }

    fn add(&mut self, owner: Owner<'b, 'a, M>, mark: M, expiration: u32, inception: u32) {
        self.count += 1;
        let left = expiration.wrapping_sub(self.now) as i32;
        let (group, seconds) = if left < 0 {
            (&mut self.expired, left)
        } else if (inception.wrapping_sub(self.now) as i32) > 0 {
            (&mut self.early, left)
        } else if (left as u32) < SIGNATURES_EXPIRE_SOON {
            (&mut self.soon, left)
        } else {
            return;
        };
        let count = group.as_ref().map_or(0, |group| group.count) + 1;
        match group {
            Some(group) if group.seconds <= seconds => group.count = count,
            _ => *group = Some(Group { count, owner, mark, seconds }),
        }
    }

    fn tell(self, advisor: &mut Advisor<'_, M>) {
        let of = self.count;
        if let Some(Group { count, owner, mark, .. }) = self.expired {
            advisor.say(Advice::Expired { count, of }, owner, mark);
        }
        if let Some(Group { count, owner, mark, seconds }) = self.soon {
            advisor.say(Advice::ExpireSoon { count, of, hours: seconds as u32 / 3600 }, owner, mark);
        }
        if let Some(Group { count, owner, mark, .. }) = self.early {
            advisor.say(Advice::NotYetValid { count, of }, owner, mark);
        }
    }
}
