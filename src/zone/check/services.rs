//! CAA, and types whose owners and priorities have rules of their own.

use super::Advisor;
use super::advice::Advice;
use super::book::Owner;
use crate::diagnostic::nearest;
use crate::dns::{Name, RrType};

pub(super) fn look<M: Copy>(owner: Owner<'_, '_, M>, advisor: &mut Advisor<'_, M>) {
    for record in owner.of_type(RrType::CAA) {
        if let Some(advice) = look_at_caa(record.rdata) {
            advisor.say(advice, owner, record.mark);
        }
    }
    look_at_label(owner, RrType::SRV, "_sip._tcp", advisor);
    look_at_label(owner, RrType::TLSA, "_443._tcp", advisor);
    look_at_modes(owner, RrType::SVCB, advisor);
    look_at_modes(owner, RrType::HTTPS, advisor);
}

/// Tags with a meaning (RFC 8659 4, RFC 9495, CA/Browser Forum, registry of IANA).
const TAGS: [&str; 7] =
    ["issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"];
/// The flag that forbids to issue when the tag is unknown.
const CRITICAL: u8 = 128;

fn look_at_caa(rdata: &[u8]) -> Option<Advice> {
    let (flags, rest) = rdata.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (tag, value) = rest.split_at_checked(usize::from(*length))?;
    let tag = String::from_utf8_lossy(tag).to_ascii_lowercase();
    if *flags & !CRITICAL != 0 {
        return Some(Advice::CaaFlags { flags: *flags });
    }
    let Some(known) = TAGS.into_iter().find(|known| *known == tag) else {
        return match nearest(&tag, TAGS) {
            Some(near) => Some(Advice::CaaTag { tag, near }),
            None => (*flags == CRITICAL).then_some(Advice::CaaCritical { tag }),
        };
    };
    let value = String::from_utf8_lossy(value);
    let is_good = match known {
        "issue" | "issuewild" | "issuemail" | "issuevmc" => is_issuer(&value),
        "iodef" => ["mailto:", "http:", "https:"]
            .iter()
            .any(|scheme| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))),
        _ => true,
    };
    (!is_good).then_some(Advice::CaaValue { tag: known })
}

/// A domain name and perhaps parameters after a semicolon; without a name nobody may issue (RFC 8659 4.2).
fn is_issuer(value: &str) -> bool {
    let domain = value.split(';').next().unwrap_or_default().trim_matches([' ', '\t']);
    let is_label_octet = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'.';
    domain.is_empty() || domain.bytes().all(is_label_octet) && domain.parse::<Name>().is_ok()
}

/// RFC 2782, RFC 6698 3: service, port and protocol are labels that begin with an underscore.
fn look_at_label<M: Copy>(
    owner: Owner<'_, '_, M>,
    rr_type: RrType,
    example: &'static str,
    advisor: &mut Advisor<'_, M>,
) {
    let is_service = owner.name().is_wildcard() || owner.name().labels().any(|label| label.starts_with(b"_"));
    if let ([record, ..], false) = (owner.of_type(rr_type), is_service) {
        advisor.say(Advice::NoServiceLabel { rr_type, example }, owner, record.mark);
    }
}

fn look_at_modes<M: Copy>(owner: Owner<'_, '_, M>, rr_type: RrType, advisor: &mut Advisor<'_, M>) {
    let records = owner.of_type(rr_type);
    let is_alias = |rdata: &[u8]| rdata.starts_with(&[0, 0]);
    let alias = records.iter().find(|record| is_alias(record.rdata));
    let service = records.iter().find(|record| !is_alias(record.rdata));
    if let (Some(alias), Some(service)) = (alias, service) {
        advisor.say_both(Advice::MixedModes { rr_type }, owner, service.mark, alias.mark);
    }
}
