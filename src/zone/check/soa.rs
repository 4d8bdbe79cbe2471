//! The SOA: timers, serial, mailbox; and the digest that names its serial.

use super::advice::Advice;
use super::book::{Book, Owner, Place};
use super::names::without_second_apex;
use super::{Advisor, join};
use crate::dns::{Name, NameRef, RrType};
use crate::zone::merge::Record;

/// Longest that a negative answer is worth remembering (RFC 2308 5).
const DAY: u32 = 86_400;

pub(super) fn look<M: Copy>(book: &Book<'_, M>, advisor: &mut Advisor<'_, M>) {
    let Some(apex) = book.exact(book.apex()) else {
        return;
    };
    let Some(soa) = apex.of_type(RrType::SOA).first() else {
        return;
    };
    let Some((mailbox, numbers)) = read(soa) else {
        return;
    };
    let [serial, refresh, retry, expire, minimum] = numbers;
    let mut say = |advice| advisor.say(advice, apex, soa.mark);
    if serial == 0 {
        say(Advice::SerialZero);
    }
    if retry > refresh {
        say(Advice::RetryOverRefresh);
    }
    if u64::from(expire) < u64::from(refresh) + u64::from(retry) {
        say(Advice::ExpireTooSoon);
    }
    let seconds = minimum.min(soa.ttl.seconds());
    if seconds > DAY {
        say(Advice::LongNegativeTtl { seconds });
    }
    if let Some(advice) = look_at_mailbox(apex, mailbox) {
        say(advice);
    }
    for zonemd in apex.of_type(RrType::ZONEMD) {
        let digested = zonemd.rdata.first_chunk().map_or(serial, |digested| u32::from_be_bytes(*digested));
        if digested != serial {
            advisor.say(Advice::ZonemdSerial { serial, digested }, apex, zonemd.mark);
        }
    }
}

/// The mailbox and the five numbers (RFC 1035 3.3.13).
fn read<'a, M>(soa: &Record<'a, M>) -> Option<(NameRef<'a>, [u32; 5])> {
    let (_, rest) = NameRef::split_from(soa.rdata).ok()?;
    let (mailbox, rest) = NameRef::split_from(rest).ok()?;
    let (numbers, []) = rest.as_chunks::<4>() else {
        return None;
    };
    let numbers: &[[u8; 4]; 5] = numbers.try_into().ok()?;
    Some((mailbox, numbers.map(u32::from_be_bytes)))
}

fn look_at_mailbox<M>(apex: Owner<'_, '_, M>, mailbox: NameRef<'_>) -> Option<Advice> {
    let zone = apex.name();
    if let Some(label) = mailbox.labels().find(|label| label.contains(&b'@')) {
        let meant = without_at(mailbox, label)?;
        // Written without its final dot it was completed, too.
        let meant = without_second_apex(meant.as_ref(), zone).unwrap_or(meant);
        return Some(Advice::MailboxWithAt { meant: meant.to_string() });
    }
    if let Some(meant) = without_second_apex(mailbox, zone) {
        return Some(Advice::TargetLacksDot { rr_type: RrType::SOA, target: mailbox.to_name(), meant });
    }
    // `john.doe.example.org.` is john@doe.example.org, and only if that domain is.
    let domain = mailbox.parent()?;
    if !domain.is_below(zone) || !matches!(apex.book().look_up(domain), Place::Missing) {
        return None;
    }
    let local: Vec<&[u8]> = mailbox.labels().take(mailbox.label_count() - zone.label_count()).collect();
    let meant = join([&local.join(&b'.')[..]].into_iter(), zone)?.to_string();
    Some(Advice::MailboxDomainMissing { domain: domain.to_name(), meant })
}

/// The mailbox as `hostmaster@example.org` was meant: up to the label with the `@`, and that one cut in two.
fn without_at(mailbox: NameRef<'_>, label: &[u8]) -> Option<Name> {
    let at = label.iter().position(|octet| *octet == b'@')?;
    let mut local: Vec<&[u8]> = mailbox.labels().take_while(|other| *other != label).collect();
    local.push(&label[..at]);
    let local = local.join(&b'.');
    let after = mailbox.labels().skip_while(|other| *other != label).skip(1);
    let domain = std::iter::once(&label[at + 1..]).filter(|label| !label.is_empty()).chain(after);
    join(std::iter::once(&local[..]).chain(domain), NameRef::ROOT)
}
