//! Owner names: forgotten final dots, asterisks, characters no host has.

use super::advice::Advice;
use super::book::Owner;
use super::{Advisor, join};
use crate::dns::{Name, NameRef, RrType};

pub(super) fn look<M: Copy>(owner: Owner<'_, '_, M>, advisor: &mut Advisor<'_, M>) {
    let [first, ..] = owner.records() else {
        return;
    };
    let (name, apex) = (owner.name(), owner.book().apex());
    if let Some(meant) = without_second_apex(name, apex) {
        return advisor.say(Advice::OwnerLacksDot { meant }, owner, first.mark);
    }
    if has_idle_asterisk(name) {
        return advisor.say(Advice::AsteriskWithin, owner, first.mark);
    }
    if name.is_wildcard() {
        for rr_type in [RrType::NS, RrType::DNAME] {
            if let [record, ..] = owner.of_type(rr_type) {
                advisor.say(Advice::AtWildcard { rr_type }, owner, record.mark);
            }
        }
    }
    // Other types name services, people and keys; they may look as they like.
    let host = [RrType::A, RrType::AAAA].into_iter().find_map(|rr_type| owner.of_type(rr_type).first());
    if let (Some(host), Some(octet)) = (host, odd_octet(name)) {
        advisor.say(Advice::OddHostName { octet }, owner, host.mark);
    }
}

/// Of a name that ends in the apex twice, the name without the second. A zone of one label may well have a name of its
/// own below it.
pub(super) fn without_second_apex(name: NameRef<'_>, apex: NameRef<'_>) -> Option<Name> {
    let (labels, of_apex) = (name.label_count(), apex.label_count());
    if of_apex < 2 || labels < 2 * of_apex || !name.is_at_or_below(apex) {
        return None;
    }
    let inner = name.trim_to(2 * of_apex);
    let repeats = inner.labels().zip(apex.labels()).all(|(a, b)| a.eq_ignore_ascii_case(b));
    repeats.then(|| relative(name, apex)).flatten()
}

/// The labels of a name before the apex as a name of their own.
pub(super) fn relative(name: NameRef<'_>, apex: NameRef<'_>) -> Option<Name> {
    join(name.labels().take(name.label_count() - apex.label_count()), NameRef::ROOT)
}

fn has_idle_asterisk(name: NameRef<'_>) -> bool {
    let rest = if name.is_wildcard() { 1 } else { 0 };
    name.labels().skip(rest).any(|label| label.contains(&b'*'))
}

/// The first octet that stands in no host name. Underscores do no harm and are common.
fn odd_octet(name: NameRef<'_>) -> Option<u8> {
    let is_host = |octet: u8| octet.is_ascii_alphanumeric() || b"-_*".contains(&octet);
    name.labels().flatten().copied().find(|octet| !is_host(*octet))
}
