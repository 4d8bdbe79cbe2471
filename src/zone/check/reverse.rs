//! Names of addresses, below in-addr.arpa (RFC 1035 3.5) and ip6.arpa (RFC 3596 2.5).

use super::Advisor;
use super::advice::Advice;
use super::book::Owner;
use super::names::relative;
use crate::dns::{Name, NameRef, RrType};

/// Labels of an address below ip6.arpa.
const NIBBLES: usize = 32;
/// Labels of an address below in-addr.arpa.
const OCTETS: usize = 4;

pub(super) fn look<M: Copy>(owner: Owner<'_, '_, M>, advisor: &mut Advisor<'_, M>) {
    let Some(ptr) = owner.of_type(RrType::PTR).first() else {
        return;
    };
    // Service discovery has PTR records of its own (RFC 6763 11).
    let is_plain = |label: &[u8]| !label.starts_with(b"_") && label != b"*";
    if !owner.name().labels().all(is_plain) {
        return;
    }
    let advice = match family(owner.name()) {
        Some((labels, Family::V4)) => look_at_v4(&labels, owner.book().apex()),
        Some((labels, Family::V6)) => look_at_v6(&labels),
        None => return,
    };
    if let Some(advice) = advice {
        return advisor.say(advice, owner, ptr.mark);
    }
    for record in owner.of_type(RrType::PTR) {
        if let Some((target, meant)) = points_into_zone(owner, record.rdata) {
            let advice = Advice::TargetLacksDot { rr_type: RrType::PTR, target, meant };
            advisor.say(advice, owner, record.mark);
        }
    }
}

/// Labels of in-addr.arpa.
const SUFFIX: usize = 2;

enum Family {
    V4,
    V6,
}

/// Whether a name is one of the names of addresses, whose PTR records are looked at here.
pub(super) fn is_reverse(name: NameRef<'_>) -> bool {
    family(name).is_some()
}

/// The labels before the suffix of the family, as text.
fn family(name: NameRef<'_>) -> Option<(Vec<String>, Family)> {
    let labels: Vec<String> =
        name.labels().map(|label| String::from_utf8_lossy(label).to_ascii_lowercase()).collect();
    let (labels, [family, arpa]) = labels.split_last_chunk::<2>()?;
    match (family.as_str(), arpa.as_str()) {
        ("in-addr", "arpa") => Some((labels.to_vec(), Family::V4)),
        ("ip6", "arpa") => Some((labels.to_vec(), Family::V6)),
        _ => None,
    }
}

fn look_at_v4(labels: &[String], apex: NameRef<'_>) -> Option<Advice> {
    // Smaller delegations have a label such as `0/25` of their own (RFC 2317).
    if !labels.iter().all(|label| label.bytes().all(|octet| octet.is_ascii_digit())) {
        return None;
    }
    // The parent of such a delegation may also lead to names that are longer than addresses. Only a name that has the
    // octets of its zone twice is a mistake for certain.
    if labels.len() > OCTETS {
        let of_zone = apex.label_count().saturating_sub(SUFFIX);
        let (own, zone) = labels.split_at(labels.len().checked_sub(of_zone)?);
        return (of_zone > 0 && own.ends_with(zone)).then_some(Advice::ReverseTooDeep);
    }
    let is_octet = |label: &String| label.parse::<u8>().is_ok_and(|octet| octet.to_string() == *label);
    let label = labels.iter().find(|label| !is_octet(label))?.clone();
    Some(Advice::ReverseLabel { label, wanted: "a number from 0 to 255" })
}

fn look_at_v6(labels: &[String]) -> Option<Advice> {
    if !labels.iter().all(|label| label.bytes().all(|octet| octet.is_ascii_hexdigit())) {
        return None;
    }
    if let Some(label) = labels.iter().find(|label| label.len() != 1) {
        return Some(Advice::ReverseLabel { label: label.clone(), wanted: "one hexadecimal digit" });
    }
    match labels.len() {
        NIBBLES => None,
        0..NIBBLES => Some(Advice::ReverseTooShort { labels: labels.len() }),
        _ => Some(Advice::ReverseTooDeep),
    }
}

/// The target of a PTR that is in the reverse zone itself, and what was meant.
fn points_into_zone<M>(owner: Owner<'_, '_, M>, rdata: &[u8]) -> Option<(Name, Name)> {
    let (target, book) = (NameRef::from_wire(rdata).ok()?, owner.book());
    if !target.is_below(book.apex()) || book.exact(target).is_some() {
        return None;
    }
    Some((target.to_name(), relative(target, book.apex())?))
}
