//! What a reply means for the question: an answer, the way to one, or nothing.

use std::net::SocketAddr;

use super::alias::{self, AtEnd, Chain};
use super::delegation::Referral;
use super::reply::{Reply, proofs_in};
use super::scrub::Scrubbed;
use crate::dns::{Name, NameRef, Question, Rcode, RrType, Rrset};
use crate::limits;

/// What a reply means.
#[derive(Debug)]
pub enum Verdict {
    /// The server has said what it knows of the name.
    Found(Found),
    /// Others serve the zone further down.
    Referral(Referral),
    /// The server does not serve the zone, but somebody's cache has told it this of the name. Least credible
    /// (RFC 2181 5.4.1), and better than nothing.
    FromCache(Found),
    /// The server does not serve the zone.
    Lame,
    /// The reply contradicts itself.
    Junk,
    /// The server could not answer.
    Failed(Rcode),
}

/// What a server knows of the name asked for.
#[derive(Debug)]
pub struct Found {
    /// Aliases in the order they were followed, then data.
    pub rrsets: Vec<Rrset>,
    /// Each alias: from, to.
    pub aliases: Vec<(Name, Name)>,
    /// Where that ends.
    pub end: End,
    /// With a denial: the SOA RRset that says how long it holds (RFC 2308 3). A denial without is not remembered.
    pub soa: Option<Rrset>,
    /// NSEC or NSEC3 RRsets beside it, which prove what is not there.
    pub proofs: Vec<Rrset>,
    /// AA was set.
    pub authoritative: bool,
    /// Who said so.
    pub server: Option<SocketAddr>,
}

impl Found {
    /// Cut off behind the first alias: a server speaks for the name it was asked for. What it says of others may be old or
    /// lie in a zone further down, so "the client should query again, using the canonical name" (RFC 2181 5.4.1). A chain
    /// that leads nowhere stays whole: to ask for each of its links would cost more and end no better.
    pub fn of_name_asked(mut self) -> Found {
        let Some((from, to)) = self.aliases.first().cloned() else { return self };
        let last = self.aliases.last().map(|(_, to)| to);
        let is_ring = self.aliases.iter().any(|(from, _)| Some(from) == last);
        if is_ring || self.aliases.len() as u32 > limits::ALIASES {
            return self;
        }
        // A CNAME made from a DNAME stands behind it.
        let kept = self.rrsets.iter().position(|rrset| rrset.rr_type == RrType::CNAME && rrset.owner == from);
        self.rrsets.truncate(kept.map_or(0, |place| place + 1));
        self.aliases.truncate(1);
        Found { end: End::Alias(to), soa: None, ..self }
    }
}

/// Where the answer of a server ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With the data asked for.
    Data,
    /// With an alias to this name, of which the server says nothing.
    Alias(Name),
    /// With a name that has no data of the type.
    NoData,
    /// With a name that does not exist.
    NxDomain,
    /// With a DNAME that leads to no name (RFC 6672 2.2).
    Overlong,
}

/// Says what the scrubbed reply of a server of `zone` means for `question`.
pub fn classify(scrubbed: Scrubbed, question: &Question, zone: NameRef<'_>) -> Verdict {
    let Scrubbed { reply, named_others } = scrubbed;
    if !matches!(reply.rcode, Rcode::NOERROR | Rcode::NXDOMAIN | Rcode::YXDOMAIN) {
        return Verdict::Failed(reply.rcode);
    }
    let chain = match alias::follow(question, &reply.answer) {
        Ok(chain) => chain,
        Err(_) => return Verdict::Junk,
    };
    // An answer out of somebody's cache is not the zone's own word, though it may look like one.
    let from_cache = reply.recursive && !reply.authoritative;
    let soa = reply.authority.iter().find(|rrset| {
        rrset.rr_type == RrType::SOA && chain.end.as_ref().is_at_or_below(rrset.owner.as_ref())
    });
    let has_chain = !chain.rrsets.is_empty();
    let end = match (reply.rcode, chain.at_end) {
        (_, AtEnd::Overlong) => End::Overlong,
        (Rcode::YXDOMAIN, _) => return Verdict::Failed(reply.rcode),
        (Rcode::NXDOMAIN, AtEnd::Data) => return Verdict::Junk,
        (_, AtEnd::Data) => End::Data,
        // RFC 6604 3: the code speaks of the last name. Whether it is the server's to speak of, its SOA says.
        (Rcode::NXDOMAIN, _) if soa.is_some() => End::NxDomain,
        (_, _) if has_chain && soa.is_some() => End::NoData,
        (_, _) if has_chain => End::Alias(chain.end.clone()),
        // Without an SOA of this zone, but with the zone cut of another: the server has never heard of this one.
        (Rcode::NXDOMAIN, _) if named_others => return Verdict::Lame,
        (Rcode::NXDOMAIN, _) => End::NxDomain,
        (_, _) if soa.is_some() => End::NoData,
        (_, _) => return without_answer(&reply, named_others, question, zone),
    };
    let is_denial = matches!(end, End::NoData | End::NxDomain);
    let soa = soa.filter(|_| is_denial).cloned();
    let has_soa = soa.is_some();
    let found = |authoritative| Found {
        soa,
        proofs: proofs_in(&reply.authority),
        ..found(chain, end, authoritative)
    };
    match from_cache {
        false => Verdict::Found(found(reply.authoritative)),
        true if is_denial && !has_soa => Verdict::Lame,
        true => Verdict::FromCache(found(false)),
    }
}

/// NOERROR, and neither an answer nor an SOA.
fn without_answer(reply: &Reply, named_others: bool, question: &Question, zone: NameRef<'_>) -> Verdict {
    let nothing = || {
        let chain =
            Chain { rrsets: vec![], aliases: vec![], end: question.name.clone(), at_end: AtEnd::Nothing };
        Verdict::Found(Found {
            proofs: proofs_in(&reply.authority),
            ..found(chain, End::NoData, reply.authoritative)
        })
    };
    let is_cut_above = |rrset: &&Rrset| {
        let owner = rrset.owner.as_ref();
        rrset.rr_type == RrType::NS && owner.is_below(zone) && question.name.as_ref().is_at_or_below(owner)
    };
    // Several NS RRsets on the way down: the lowest is the most useful, and all are below the zone that was asked.
    let cuts = reply.authority.iter().filter(is_cut_above);
    if let Some(cut) = cuts.max_by_key(|rrset| rrset.owner.as_ref().label_count()) {
        // A parent that knows no DS refers to the child instead, which has none (RFC 4035 2.6 and 3.1.4.1).
        if question.rr_type.is_parental() && cut.owner == question.name {
            return nothing();
        }
        return match Referral::read(cut, &reply.additional) {
            Some(referral) => Verdict::Referral(referral.with_security(&reply.authority)),
            None => Verdict::Lame,
        };
    }
    // Records of other types at the name: it exists, and the type that was asked for would stand among them.
    let tells_of_name = reply.answer.iter().any(|rrset| rrset.owner == question.name);
    match (reply.authoritative || tells_of_name && !reply.recursive) && !named_others {
        true => nothing(),
        // An upward referral, one to the zone itself, or an empty reply.
        false => Verdict::Lame,
    }
}

fn found(chain: Chain, end: End, authoritative: bool) -> Found {
    let (soa, proofs, server) = (None, Vec::new(), None);
    Found { rrsets: chain.rrsets, aliases: chain.aliases, end, soa, proofs, authoritative, server }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolver::scrub::keep_in_bailiwick;
    use crate::resolver::testing::{question, reply};

    const SOA: &str = "example. SOA ns.example. h.example. 1 2 3 4 60";

    /// What a server of `example.` means by this reply.
    fn verdict(asked: &str, flags: &str, answer: &str, authority: &str, additional: &str) -> String {
        let zone: Name = "example.".parse().unwrap();
        let scrubbed = keep_in_bailiwick(reply(flags, answer, authority, additional), zone.as_ref());
        match classify(scrubbed, &question(asked), zone.as_ref()) {
            Verdict::Found(found) => {
                let soa = if found.soa.is_some() { " soa" } else { "" };
                format!("{:?} {}{soa}", found.end, found.rrsets.len())
            }
            Verdict::Referral(referral) => format!("referral {}", referral.apex),
            Verdict::FromCache(found) => format!("lame, but {:?} {}", found.end, found.rrsets.len()),
            Verdict::Lame => "lame".into(),
            Verdict::Junk => "junk".into(),
            Verdict::Failed(rcode) => rcode.to_string(),
        }
    }

    #[test]
    fn replies_are_told_apart() {
        let cname = "a.example. CNAME b.example.";
        let cname_out = "a.example. CNAME b.test.";
        let sub = "sub.example. NS ns.sub.example.";
        let rows: &[(&str, &str, &str, &str, &str, &str)] = &[
            ("answer", "a.example. A", "aa", "a.example. A 192.0.2.1", "", "Data 1"),
            ("answer without AA", "a.example. A", "", "a.example. A 192.0.2.1", "", "Data 1"),
            ("answer of a recursor", "a.example. A", "ra", "a.example. A 192.0.2.1", "", "lame, but Data 1"),
            ("letter case", "A.example. A", "aa", "a.EXAMPLE. A 192.0.2.1", "", "Data 1"),
            ("promiscuous NS", "a.example. A", "aa", "a.example. A 192.0.2.1", sub, "Data 1"),
            (
                "alias and data",
                "a.example. A",
                "aa",
                "a.example. CNAME b.example. | b.example. A 192.0.2.1",
                "",
                "Data 2",
            ),
            (
                "alias out",
                "a.example. A",
                "aa",
                "a.example. CNAME b.test. | b.test. A 192.0.2.1",
                "",
                "Alias(b.test.) 1",
            ),
            ("alias without more", "a.example. A", "aa", cname, "", "Alias(b.example.) 1"),
            ("alias to nothing", "a.example. A", "aa", cname, SOA, "NoData 1 soa"),
            ("alias to NXDOMAIN", "a.example. A", "aa nxdomain", cname, SOA, "NxDomain 1 soa"),
            (
                "alias out, NXDOMAIN",
                "a.example. A",
                "aa nxdomain",
                cname_out,
                "test. SOA a. b. 1 2 3 4 5",
                "Alias(b.test.) 1",
            ),
            (
                "alias into a referral",
                "a.example. A",
                "aa",
                "a.example. CNAME b.sub.example.",
                sub,
                "Alias(b.sub.example.) 1",
            ),
            ("NODATA", "a.example. A", "aa", "", SOA, "NoData 0 soa"),
            ("NODATA without SOA", "a.example. A", "aa", "", "", "NoData 0"),
            ("NODATA without AA", "a.example. A", "", "", SOA, "NoData 0 soa"),
            ("NODATA with own NS", "a.example. A", "aa", "", "example. NS ns.example.", "NoData 0"),
            ("NODATA of a recursor", "a.example. A", "ra", "", SOA, "lame, but NoData 0"),
            ("NODATA of the parent", "a.example. A", "aa", "", ". SOA a. b. 1 2 3 4 5", "lame"),
            ("SOA of a sibling", "a.example. A", "aa", "", "b.example. SOA a. b. 1 2 3 4 5", "NoData 0"),
            ("NXDOMAIN", "a.example. A", "aa nxdomain", "", SOA, "NxDomain 0 soa"),
            ("NXDOMAIN without SOA", "a.example. A", "aa nxdomain", "", "", "NxDomain 0"),
            ("NXDOMAIN of the root", "a.example. A", "aa nxdomain", "", ". SOA a. b. 1 2 3 4 5", "lame"),
            ("NXDOMAIN of a recursor", "a.example. A", "ra nxdomain", "", SOA, "lame, but NxDomain 0"),
            ("NXDOMAIN of a recursor without SOA", "a.example. A", "ra nxdomain", "", "", "lame"),
            ("NXDOMAIN with data", "a.example. A", "aa nxdomain", "a.example. A 192.0.2.1", "", "junk"),
            ("referral", "a.sub.example. A", "", "", sub, "referral sub.example."),
            ("referral with RA", "a.sub.example. A", "ra", "", sub, "referral sub.example."),
            ("referral at the name", "sub.example. A", "", "", sub, "referral sub.example."),
            (
                "two cuts",
                "a.b.sub.example. A",
                "",
                "",
                "sub.example. NS n. | b.sub.example. NS n.",
                "referral b.sub.example.",
            ),
            ("referral for DS", "sub.example. DS", "", "", sub, "NoData 0"),
            ("referral for DS below", "a.sub.example. DS", "", "", sub, "referral sub.example."),
            ("sideways", "a.example. A", "", "", "example. NS ns.example.", "lame"),
            ("upward", "a.example. A", "", "", ". NS a.root-servers.net.", "lame"),
            ("upward with AA", "a.example. A", "aa", "", ". NS a.root-servers.net.", "lame"),
            ("elsewhere", "a.example. A", "", "", "b.example. NS ns.b.example.", "lame"),
            ("NS that is no name", "a.sub.example. A", "", "", "sub.example. NS-JUNK x", "lame"),
            ("other type", "a.example. A", "", "a.example. AAAA 2001:db8::1", "", "NoData 0"),
            ("other type of a recursor", "a.example. A", "ra", "a.example. AAAA 2001:db8::1", "", "lame"),
            ("other name", "a.example. A", "", "b.example. A 192.0.2.1", "", "lame"),
            ("empty", "a.example. A", "", "", "", "lame"),
            ("REFUSED", "a.example. A", "refused", "", "", "REFUSED"),
            ("SERVFAIL with data", "a.example. A", "servfail", "a.example. A 192.0.2.1", "", "SERVFAIL"),
            ("YXDOMAIN alone", "a.example. A", "aa yxdomain", "", "", "YXDOMAIN"),
            ("two CNAMEs", "a.example. A", "aa", "a.example. CNAME b. | a.example. CNAME c.", "", "junk"),
        ];
        for (what, asked, flags, answer, authority, want) in rows {
            assert_eq!(&verdict(asked, flags, answer, authority, ""), want, "{what}");
        }
    }
}
