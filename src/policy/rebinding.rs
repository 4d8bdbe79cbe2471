//! The rebinding guard: a public name has no business with the addresses of this house. A web page that makes its own name
//! point inside would make the browser attack from within.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::IpNet;

use crate::dns::svc_params::{SvcKey, SvcParams};
use crate::dns::{
    Answer, AnswerRrset, ErrorCode, ExtendedError, Name, NameRef, RecordsBuf, RrType, Rrset, RrsetRef,
};

/// Where nothing of the internet can be: unspecified, loopback and link-local (RFC 6890, RFC 4291).
const BUILTIN: [&str; 6] = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "::/128", "::1/128", "fe80::/10"];
/// What the client is told: the operator who misses a name of his own, or a block list of DNS, finds the option here.
const PRIVATE: &str =
    "private addresses of a public name were stripped (resolver.private-exceptions lets it through)";
/// RFC 6052 2.1: an IPv4 address behind it is reached through a translator.
const NAT64: Ipv6Addr = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0);

/// Which addresses are stripped from answers, and of which names not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebindingGuard {
    networks: Vec<IpNet>,
    /// Of IPv4 and IPv6, by first octet: whether an address may be in one of them. Of nearly all addresses this says no.
    may_be_private: [[bool; 256]; 2],
    exceptions: Vec<Name>,
}

impl RebindingGuard {
    /// Strips the addresses of these networks and those that are nobody's, except for names at or below these.
    pub fn new(networks: impl IntoIterator<Item = IpNet>, exceptions: Vec<Name>) -> RebindingGuard {
        let builtin =
            BUILTIN.map(|network| network.parse().expect("the networks of this file are read by a test"));
        let networks: Vec<IpNet> = builtin.into_iter().chain(networks).collect();
        let mut may_be_private = [[false; 256]; 2];
        for network in &networks {
            let (first, last) = (first_octet(network.network()), first_octet(network.broadcast()));
            let family = &mut may_be_private[usize::from(network.addr().is_ipv6())];
            family[usize::from(first)..=usize::from(last)].fill(true);
        }
        RebindingGuard { networks, may_be_private, exceptions }
    }

    /// Whether the answer to a question for this name is looked at.
    pub fn concerns(&self, asked: NameRef<'_>) -> bool {
        !self.exceptions.iter().any(|name| asked.is_at_or_below(name.as_ref()))
    }

    /// The answer without the addresses; none when it may go as it is. What the whole answer says belongs to the name asked
    /// for, at whichever alias's end an address stands.
    pub fn strip(&self, answer: &Answer<'_>) -> Option<Answer<'static>> {
        if !answer.answer.iter().any(|rrset| self.has_private(rrset.rrset())) {
            return None;
        }
        let error = ExtendedError::new(ErrorCode::BLOCKED, PRIVATE);
        let mut stripped = Answer {
            authoritative: answer.authoritative,
            extended_error: Some(error),
            ..Answer::empty(answer.rcode)
        };
        for rrset in answer.answer.iter().map(AnswerRrset::rrset) {
            if let Some(kept) = self.without_private(rrset) {
                stripped.answer.push(AnswerRrset::shared(Arc::new(kept)));
            }
        }
        for rrset in answer.authority.iter().map(AnswerRrset::rrset) {
            stripped.authority.push(AnswerRrset::shared(Arc::new(rrset.to_rrset())));
        }
        Some(stripped)
    }

    /// Whether addresses of this RRset are to be stripped.
    pub fn has_private(&self, rrset: RrsetRef<'_>) -> bool {
        match rrset.rr_type {
            RrType::A | RrType::AAAA => rrset.records.iter().any(|rdata| self.is_private_rdata(rdata)),
            RrType::SVCB | RrType::HTTPS => rrset.records.iter().any(|rdata| self.has_private_hint(rdata)),
            _ => false,
        }
    }

    /// None when no record is left.
    fn without_private(&self, rrset: RrsetRef<'_>) -> Option<Rrset> {
        if !self.has_private(rrset) {
            return Some(rrset.to_rrset());
        }
        let mut records = RecordsBuf::new();
        for rdata in rrset.records {
            match rrset.rr_type {
                RrType::SVCB | RrType::HTTPS if self.has_private_hint(rdata) => {
                    if let Some(rdata) = self.without_hints(rdata) {
                        records.push(&rdata);
                    }
                }
                RrType::A | RrType::AAAA if self.is_private_rdata(rdata) => {}
                _ => _ = records.push(rdata),
            }
        }
        let is_left = records.as_records().first().is_some();
        // Signatures do not hold for part of an RRset.
        let (owner, rr_type) = (rrset.owner.to_name(), rrset.rr_type);
        is_left.then(|| Rrset::new(owner, rr_type, rrset.ttl, records, RecordsBuf::new()))
    }

    fn is_private_rdata(&self, rdata: &[u8]) -> bool {
        if let Ok(octets) = <[u8; 4]>::try_from(rdata) {
            return self.is_private(Ipv4Addr::from(octets).into());
        }
        <[u8; 16]>::try_from(rdata).is_ok_and(|octets| self.is_private(Ipv6Addr::from(octets).into()))
    }

    /// Also when it is an IPv4 address in the dress of IPv6: mapped, compatible (RFC 4291 2.5.5) or behind a translator.
    fn is_private(&self, address: IpAddr) -> bool {
        // In the dress of IPv6 all begin with 0, as the unspecified address does.
        if !self.may_be_private[usize::from(address.is_ipv6())][usize::from(first_octet(address))] {
            return false;
        }
        let listed = |address: &IpAddr| self.networks.iter().any(|network| network.contains(address));
        if listed(&address) {
            return true;
        }
        let IpAddr::V6(v6) = address else { return false };
        let octets = v6.octets();
        let is_dressed = v6.to_ipv4().is_some() || octets[..12] == NAT64.octets()[..12];
        let last = Ipv4Addr::new(octets[12], octets[13], octets[14], octets[15]);
        is_dressed && listed(&last.into())
    }

    fn has_private_hint(&self, rdata: &[u8]) -> bool {
        let Some(params) = svc_params(rdata) else { return false };
        SvcParams::new(params).map_while(Result::ok).any(|(key, value)| self.private_hints(key, value))
    }

    fn private_hints(&self, key: SvcKey, value: &[u8]) -> bool {
        octets_of(key).is_some_and(|octets| value.chunks(octets).any(|hint| self.is_private_rdata(hint)))
    }

    /// The RDATA with only public hints. None when it would not be well formed without (RFC 9460 8: a mandatory key).
    fn without_hints(&self, rdata: &[u8]) -> Option<Vec<u8>> {
        let params = svc_params(rdata)?;
        let mut kept = rdata[..rdata.len() - params.len()].to_vec();
        for param in SvcParams::new(params) {
            let (key, value) = param.ok()?;
            let value: Vec<u8> = match octets_of(key) {
                Some(octets) => {
                    let hints = value.chunks(octets).filter(|hint| !self.is_private_rdata(hint));
                    hints.flatten().copied().collect()
                }
                None => value.to_vec(),
            };
            if value.is_empty() && octets_of(key).is_some() {
                continue;
            }
            kept.extend(key.0.to_be_bytes());
            kept.extend(u16::try_from(value.len()).ok()?.to_be_bytes());
            kept.extend(value);
        }
        crate::dns::svc_params::check(svc_params(&kept)?).ok().map(|()| kept)
    }
}

fn first_octet(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(address) => address.octets()[0],
        IpAddr::V6(address) => address.octets()[0],
    }
}

/// Octets of one address of a hint.
fn octets_of(key: SvcKey) -> Option<usize> {
    match key {
        SvcKey::IPV4HINT => Some(4),
        SvcKey::IPV6HINT => Some(16),
        _ => None,
    }
}

/// The parameters behind priority and target (RFC 9460 2.2).
fn svc_params(rdata: &[u8]) -> Option<&[u8]> {
    NameRef::split_from(rdata.get(2..)?).ok().map(|(_, params)| params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Rcode, Ttl};

    fn guard(networks: &[&str]) -> RebindingGuard {
        let exceptions = vec!["corp.example.".parse().unwrap()];
        RebindingGuard::new(networks.iter().map(|network| network.parse().unwrap()), exceptions)
    }

    #[test]
    fn addresses_of_the_house_are_known_in_every_dress() {
        let guard = guard(&["10.0.0.0/8", "fd00::/8"]);
        for (address, is_private) in [
            ("127.0.0.1", true),
            ("169.254.1.1", true),
            ("0.0.0.0", true),
            ("10.1.2.3", true),
            ("192.168.1.1", false),
            ("192.0.2.1", false),
            ("::", true),
            ("::1", true),
            ("fe80::1", true),
            ("fd00::1", true),
            ("::ffff:10.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("::10.0.0.1", true),
            ("::ffff:192.0.2.1", false),
            ("64:ff9b::10.0.0.1", true),
            ("64:ff9b::7f00:1", true),
            ("64:ff9b::192.0.2.1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(guard.is_private(address.parse().unwrap()), is_private, "{address}");
        }
        assert!(!super::tests::guard(&[]).is_private("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn exceptions_hold_for_the_name_and_below() {
        for (name, is_concerned) in [("corp.example.", false), ("a.CORP.example.", false), ("example.", true)]
        {
            assert_eq!(guard(&[]).concerns(name.parse::<Name>().unwrap().as_ref()), is_concerned, "{name}");
        }
    }

    fn rrset(rr_type: RrType, records: &[&[u8]]) -> AnswerRrset<'static> {
        let records: RecordsBuf = records.iter().copied().collect();
        let owner = "a.example.".parse().unwrap();
        AnswerRrset::shared(
            Rrset::new(owner, rr_type, Ttl::saturating(60), records, RecordsBuf::new()).into(),
        )
    }

    fn stripped(rrsets: Vec<AnswerRrset<'static>>) -> Option<Vec<(RrType, Vec<Vec<u8>>)>> {
        let answer = Answer { answer: rrsets.into_iter().collect(), ..Answer::empty(Rcode::NOERROR) };
        let stripped = guard(&[]).strip(&answer)?;
        assert_eq!(stripped.extended_error.as_ref().map(|error| error.code), Some(ErrorCode::BLOCKED));
        let records = |rrset: &AnswerRrset<'_>| {
            let rrset = rrset.rrset();
            (rrset.rr_type, rrset.records.iter().map(<[u8]>::to_vec).collect())
        };
        Some(stripped.answer.iter().map(records).collect())
    }

    #[test]
    fn only_what_is_private_is_stripped() {
        let (public, private) = ([192, 0, 2, 1], [127, 0, 0, 1]);
        assert_eq!(stripped(vec![rrset(RrType::A, &[&public])]), None);
        assert_eq!(stripped(vec![rrset(RrType::TXT, &[&private])]), None);
        let alias = || rrset(RrType::CNAME, &[b"\x01b\0"]);
        let mixed = vec![alias(), rrset(RrType::A, &[&public, &private])];
        let want = vec![(RrType::CNAME, vec![b"\x01b\0".to_vec()]), (RrType::A, vec![public.to_vec()])];
        assert_eq!(stripped(mixed), Some(want));
        let only_private = vec![alias(), rrset(RrType::A, &[&private])];
        assert_eq!(stripped(only_private), Some(vec![(RrType::CNAME, vec![b"\x01b\0".to_vec()])]));
    }

    #[test]
    fn hints_are_stripped_and_a_record_that_needs_them_goes() {
        let beginning = b"\0\x01\0"; // priority 1, the owner itself
        let alpn = b"\0\x01\0\x03\x02h2";
        let hints = b"\0\x04\0\x08\x7f\0\0\x01\xc0\0\x02\x01";
        let private = b"\0\x04\0\x04\x7f\0\0\x01";
        let public = b"\0\x04\0\x04\xc0\0\x02\x01";
        let mandatory = b"\0\0\0\x02\0\x04";
        for (what, params, want) in [
            ("one of two", vec![&alpn[..], hints], Some([&beginning[..], alpn, public].concat())),
            ("the only one", vec![&alpn[..], private], Some([&beginning[..], alpn].concat())),
            ("a mandatory one", vec![&mandatory[..], private], None),
        ] {
            let rdata = [&beginning[..], &params.concat()].concat();
            let left = stripped(vec![rrset(RrType::HTTPS, &[&rdata])]).unwrap();
            let left = left.first().map(|(_, records)| records[0].clone());
            assert_eq!(left, want, "{what}");
        }
        let clean = [&beginning[..], alpn, public].concat();
        assert_eq!(stripped(vec![rrset(RrType::HTTPS, &[&clean])]), None);
    }
}
