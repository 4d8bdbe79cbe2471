//! What a run of random signed internets has reached, so that it cannot pass by not trying.

use std::collections::BTreeMap;

use crate::random_signed_liars::LIES;
use crate::random_signed_tree::Chain;
use crate::random_signed_twin::What;

/// What must be seen, beside each way to deny by each kind of chain, each lie and each fault. The numbers are extended error
/// codes (RFC 8914).
const MUST_BE: [&str; 20] = [
    "sound: secure NOERROR",
    "sound: secure NXDOMAIN",
    "sound: insecure NOERROR",
    "sound: insecure NXDOMAIN",
    "sound: indeterminate NOERROR",
    "sound: bogus SERVFAIL",
    "faults: secure NOERROR",
    "faults: insecure NOERROR",
    "faults: bogus SERVFAIL",
    "lies: secure NOERROR",
    "lies: insecure NOERROR",
    "lies: bogus SERVFAIL",
    "lied: secure NOERROR",
    "bogus for 1",
    "bogus for 6",
    "bogus for 7",
    "bogus for 8",
    "bogus for 9",
    "bogus for 10",
    "bogus for 12",
];

const WHATS: [What; 6] =
    [What::Data, What::Expanded, What::NoData, What::Empty, What::WildNoData, What::NxDomain];

const CHAINS: [Chain; 6] =
    [Chain::Nsec, Chain::Nsec3, Chain::Salted, Chain::Dear, Chain::TooDear, Chain::OptOut];

/// How often what was seen.
#[derive(Default)]
pub struct Counts(BTreeMap<String, usize>);

impl Counts {
    pub fn see(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    /// A zone with a chain of trust has said this, or would have.
    pub fn said(&mut self, what: What, chain: Chain, is_synthesised: bool) {
        self.see(format!("{what:?} by {chain:?}"));
        if is_synthesised {
            self.see(synthesised(what, chain));
        }
    }

    /// All that must be was seen at least thrice.
    pub fn assert_all(&self, faults: &[&[&str]]) {
        let of_chains = CHAINS.iter().flat_map(|chain| WHATS.map(|what| format!("{what:?} by {chain:?}")));
        let of_synthesis = [Chain::Nsec, Chain::Nsec3].into_iter().flat_map(|chain| {
            let whats = WHATS.into_iter().filter(|what| *what != What::Data);
            whats.map(move |what| synthesised(what, chain))
        });
        let of_others = MUST_BE.map(String::from).into_iter();
        let of_lies = LIES.iter().map(|(lie, _)| lie.to_string());
        let of_faults = faults.iter().map(|fault| fault[0].to_string());
        let all = of_others.chain(of_chains).chain(of_synthesis).chain(of_lies).chain(of_faults);
        let count = |what: &String| self.0.get(what).copied().unwrap_or_default();
        let missing: Vec<String> = all.filter(|what| count(what) < 3).collect();
        assert!(missing.is_empty(), "not reached, or hardly: {missing:?} of {:?}", self.0);
    }
}

/// From proofs nobody has asked for (RFC 8198).
fn synthesised(what: What, chain: Chain) -> String {
    format!("synthesised {what:?} by {}", if chain == Chain::Nsec { "NSEC" } else { "NSEC3" })
}
