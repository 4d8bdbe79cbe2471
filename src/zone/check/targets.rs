//! Names in RDATA that lead to other names of the zone: do they exist, and are they of use there?

use super::advice::Advice;
use super::book::{Owner, Place};
use super::names::{relative, without_second_apex};
use super::{Advisor, reverse};
use crate::dns::{NameRef, RrType};
use crate::limits::LOCAL_ALIASES;
use crate::zone::merge::Record;

pub(super) fn look<M: Copy>(owner: Owner<'_, '_, M>, advisor: &mut Advisor<'_, M>) {
    for record in owner.records() {
        let Some(target) = target_of(record) else {
            continue;
        };
        // RFC 7505, RFC 2782, RFC 9460 2.5: the root says that there is no such service, or means the owner itself.
        let is_of_address = record.rr_type == RrType::PTR && reverse::is_reverse(owner.name());
        if target.is_root() || is_of_address {
            continue;
        }
        if let Some(advice) = misspelt(owner, record.rr_type, target) {
            advisor.say(advice, owner, record.mark);
            continue;
        }
        match needs(record.rr_type) {
            Needs::Nothing => {}
            needs => look_at_target(owner, record, target, needs, advisor),
        }
        if record.rr_type == RrType::CNAME && is_loop(owner, target) {
            advisor.say(Advice::AliasLoop, owner, record.mark);
        }
    }
}

/// What a type asks of its target.
#[derive(Clone, Copy, PartialEq)]
enum Needs {
    Nothing,
    /// That it exists.
    Existence,
    /// That it has an address.
    Address,
    /// That it has an address and is no alias (RFC 2181 10.3, RFC 2782).
    AddressWithoutAlias,
}

fn needs(rr_type: RrType) -> Needs {
    match rr_type {
        RrType::NS | RrType::MX | RrType::SRV => Needs::AddressWithoutAlias,
        RrType::SVCB | RrType::HTTPS => Needs::Address,
        RrType::CNAME => Needs::Existence,
        // Of a hidden primary only those know that need it; PTR and DNAME may point at what will be.
        _ => Needs::Nothing,
    }
}

fn target_of<'a, M>(record: &Record<'a, M>) -> Option<NameRef<'a>> {
    let at = match record.rr_type {
        RrType::NS | RrType::CNAME | RrType::PTR | RrType::DNAME | RrType::SOA => 0,
        RrType::MX | RrType::SVCB | RrType::HTTPS => 2,
        RrType::SRV => 6,
        _ => return None,
    };
    NameRef::split_from(record.rdata.get(at..)?).ok().map(|(name, _)| name)
}

/// A target that is one for want of a final dot.
fn misspelt<M>(owner: Owner<'_, '_, M>, rr_type: RrType, target: NameRef<'_>) -> Option<Advice> {
    let (book, target_name) = (owner.book(), target.to_name());
    let apex = book.apex();
    if apex.is_root() || !target.is_below(apex) || book.exact(target).is_some() {
        return None;
    }
    if let Some(meant) = without_second_apex(target, apex) {
        return Some(Advice::TargetLacksDot { rr_type, target: target_name, meant });
    }
    let meant = relative(target, apex)?;
    if is_address(meant.as_ref()) {
        let address = meant.to_string().trim_end_matches('.').to_owned();
        return Some(Advice::TargetIsAddress { rr_type, address });
    }
    let looks_absolute =
        meant.as_ref().label_count() > 1
            && meant.as_ref().labels().last().is_some_and(|label| {
                TOP_LEVEL.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(label))
            });
    let is_missing = matches!(book.look_up(target), Place::Missing);
    (looks_absolute && is_missing).then_some(Advice::TargetLacksDot { rr_type, target: target_name, meant })
}

/// Top-level domains that nobody calls a host or a department.
const TOP_LEVEL: [&str; 8] = ["com", "net", "org", "edu", "gov", "info", "biz", "arpa"];

fn is_address(name: NameRef<'_>) -> bool {
    let is_octet = |label: &[u8]| std::str::from_utf8(label).is_ok_and(|label| label.parse::<u8>().is_ok());
    name.label_count() == 4 && name.labels().all(is_octet)
}

fn look_at_target<M: Copy>(
    owner: Owner<'_, '_, M>,
    record: &Record<'_, M>,
    target: NameRef<'_>,
    needs: Needs,
    advisor: &mut Advisor<'_, M>,
) {
    let (rr_type, name) = (record.rr_type, || target.to_name());
    // The addresses of a delegation's servers are its glue, which `delegations` looks at.
    if rr_type == RrType::NS && owner.is_cut() && target.is_at_or_below(owner.name()) {
        return;
    }
    match owner.book().look_up(target) {
        Place::Elsewhere | Place::Cut => {}
        Place::Missing => advisor.say(Advice::TargetMissing { rr_type, target: name() }, owner, record.mark),
        Place::Empty if needs == Needs::Existence => {}
        Place::Empty => {
            advisor.say(Advice::TargetHasNoAddress { rr_type, target: name() }, owner, record.mark)
        }
        Place::Records(there) => match there.of_type(RrType::CNAME) {
            [alias, ..] if needs == Needs::AddressWithoutAlias => {
                advisor.say_both(
                    Advice::TargetIsAlias { rr_type, target: name() },
                    owner,
                    record.mark,
                    alias.mark,
                );
            }
            // An AliasMode record may lead to records of its own type (RFC 9460 2.4.2).
            [] if needs == Needs::Address && there.name() != owner.name() && there.has(rr_type) => {}
            [] if needs != Needs::Existence && !there.has_address() => {
                advisor.say(Advice::TargetHasNoAddress { rr_type, target: name() }, owner, record.mark);
            }
            _ => {}
        },
    }
}

/// Whether aliases lead from `target` to `owner`.
fn is_loop<'a, M>(owner: Owner<'_, 'a, M>, mut target: NameRef<'a>) -> bool {
    for _ in 0..LOCAL_ALIASES {
        if target == owner.name() {
            return true;
        }
        let Place::Records(there) = owner.book().look_up(target) else {
            return false;
        };
        match there.of_type(RrType::CNAME).first().and_then(target_of) {
            Some(next) => target = next,
            None => return false,
        }
    }
    false
}
