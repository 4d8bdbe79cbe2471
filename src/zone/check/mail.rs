//! TXT records that mail servers read: SPF and DMARC.

use super::advice::Advice;
use super::book::Owner;
use super::{Advisor, spf};
use crate::dns::RrType;
use crate::dns::rdata::character_strings;
use crate::zone::merge::{Record, distinct};

pub(super) fn look<M: Copy>(owner: Owner<'_, '_, M>, advisor: &mut Advisor<'_, M>) {
    let texts: Vec<(Vec<u8>, M)> =
        once_each(owner).map(|record| (joined(record.rdata), record.mark)).collect();
    look_at_spf(owner, &texts, advisor);
    look_at_dmarc(owner, &texts, advisor);
}

/// TXT records without those that repeat another; repetitions are reported as such.
fn once_each<'b, 'a, M: Copy>(owner: Owner<'b, 'a, M>) -> impl Iterator<Item = &'b Record<'a, M>> {
    let records = owner.of_type(RrType::TXT);
    let kept = distinct(records);
    records.iter().filter(move |record| kept.iter().any(|rdata| std::ptr::eq(*rdata, record.rdata)))
}

/// The character-strings as one text: receivers put nothing between them (RFC 7208 3.3).
fn joined(rdata: &[u8]) -> Vec<u8> {
    character_strings(rdata).flatten().flatten().copied().collect()
}

fn look_at_spf<M: Copy>(owner: Owner<'_, '_, M>, texts: &[(Vec<u8>, M)], advisor: &mut Advisor<'_, M>) {
    let mut first = None;
    for (text, mark) in texts {
        if let Some(why) = spf::is_no_spf(text) {
            advisor.say(Advice::NotSpf { why }, owner, *mark);
        }
        if !spf::is_spf(text) {
            continue;
        }
        match first {
            None => first = Some(*mark),
            Some(first) => advisor.say_both(Advice::TwoSpf, owner, *mark, first),
        }
        if let Some(spf::Mistake { why, help }) = spf::check(text) {
            advisor.say(Advice::BadSpf { why, help }, owner, *mark);
        }
    }
    let of_old_type = owner.of_type(RrType::SPF).iter().find(|record| spf::is_spf(&joined(record.rdata)));
    if let (Some(record), None) = (of_old_type, first) {
        advisor.say(Advice::SpfType, owner, record.mark);
    }
}

fn look_at_dmarc<M: Copy>(owner: Owner<'_, '_, M>, texts: &[(Vec<u8>, M)], advisor: &mut Advisor<'_, M>) {
    let is_asked = owner.name().labels().any(|label| label.eq_ignore_ascii_case(b"_dmarc"));
    let mut first = None;
    for (text, mark) in texts {
        let text = String::from_utf8_lossy(text);
        let is_dmarc = text.starts_with("v=DMARC1");
        if is_dmarc && !is_asked && !owner.name().is_wildcard() {
            advisor.say(Advice::DmarcElsewhere, owner, *mark);
        }
        if !is_asked {
            continue;
        }
        if is_dmarc && let Some(first) = first {
            advisor.say_both(Advice::TwoDmarc, owner, *mark, first);
        }
        first = first.or(is_dmarc.then_some(*mark));
        if let Some((why, help)) = bad_dmarc(&text) {
            advisor.say(Advice::BadDmarc { why, help }, owner, *mark);
        }
    }
}

fn bad_dmarc(text: &str) -> Option<(String, &'static str)> {
    let starts = |start: &str| text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start));
    if !starts("v=dmarc") {
        return None;
    }
    if !text.starts_with("v=DMARC1")
        || !matches!(text["v=DMARC1".len()..].trim_start().as_bytes(), [] | [b';', ..])
    {
        let why = "does not begin with `v=DMARC1` and a semicolon, so that it is passed over";
        return Some((why.into(), "write `v=DMARC1;` in capitals (RFC 7489 6.3)"));
    }
    let tags = text.split(';').filter_map(|tag| tag.split_once('='));
    let mut policies = tags.filter(|(tag, _)| ["p", "sp"].contains(&tag.trim()));
    let (tag, policy) = policies.find(|(_, policy)| {
        !["none", "quarantine", "reject"].iter().any(|known| known.eq_ignore_ascii_case(policy.trim()))
    })?;
    let why = format!("has the policy `{}={}`", tag.trim(), policy.trim().escape_default());
    Some((why, "the policies are none, quarantine and reject"))
}
