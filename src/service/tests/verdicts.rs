//! What validation says of an answer reaches the log and the counters on every path.

use super::*;
use crate::dns::Question;
use crate::observe::Security;
use crate::recursion::testing::SignedLab;
use crate::resolver::testing::question;
use crate::resolver::{Strategy, UpstreamKind, UpstreamZone, Upstreams};
use crate::validator::{NegativeAnchor, TrustAnchors, ValidationOptions};

/// Where the answer comes from, and what the log says of its security.
fn logged(lab: &SignedLab, asked: &str) -> (Source, Option<Security>) {
    let snapshot = Snapshot {
        zones: ZoneTable::new(),
        access: Access::compile(&AccessOptions::default(), &[] as &[AclOptions]).unwrap(),
        options: options(),
        recursion: Some(lab.recursion.clone()),
        #[cfg(debug_assertions)]
        panic_on: None,
    };
    let asked: Question = question(asked);
    let explained = lab.world.run(explain(Arc::new(snapshot), asked, lab.world.now())).unwrap();
    (explained.event.source, explained.event.security)
}

/// Each question is asked, and no other.
fn quiet() -> ValidationOptions {
    ValidationOptions { signaling: false, aggressive: false, ..ValidationOptions::default() }
}

#[test]
fn answers_of_servers_and_of_the_cache_are_logged_with_what_validation_said() {
    let lab = SignedLab::new(quiet());
    let (first, cache, denied, failed) =
        (Source::Recursion, Source::Cache, Source::NegativeCache, Source::FailureCache);
    for (asked, then, security) in [
        ("www.example. A", cache, Security::Secure),
        ("no.example. A", denied, Security::Secure),
        ("www.plain. A", cache, Security::Insecure),
        ("old.example. A", failed, Security::Bogus),
        ("bare.example. A", failed, Security::Bogus),
    ] {
        assert_eq!(logged(&lab, asked), (first, Some(security)), "{asked}");
        assert_eq!(logged(&lab, asked), (then, Some(security)), "{asked} again");
    }
    let counted = lab.recursion.validations();
    let of = |word: &str| counted.iter().find(|(known, _)| *known == word).unwrap().1;
    // Beside the answers: the keys of both zones, and what the zones above say of `example.`, `plain.` and `bare.example.`
    assert_eq!((of("secure"), of("insecure"), of("bogus"), of("indeterminate")), (2 + 2 + 3, 1, 2, 0));
}

#[test]
fn what_no_anchor_is_above_is_indeterminate_and_below_a_negative_one_insecure() {
    let none = |_: TrustAnchors, _: &_| TrustAnchors::none();
    let lab = SignedLab::with(quiet(), Upstreams::default(), none);
    assert_eq!(logged(&lab, "www.example. A"), (Source::Recursion, Some(Security::Indeterminate)));
    let negative = |anchors: TrustAnchors, _: &_| {
        anchors.with_negative(vec![NegativeAnchor { apex: "example.".parse().unwrap(), until: None }])
    };
    let lab = SignedLab::with(quiet(), Upstreams::default(), negative);
    assert_eq!(logged(&lab, "old.example. A"), (Source::Recursion, Some(Security::Insecure)));
}

#[test]
fn answers_of_forwarders_are_validated_too() {
    let upstream = UpstreamZone {
        apex: Name::root(),
        kind: UpstreamKind::Forward,
        servers: vec!["192.0.2.9:53".parse().unwrap()],
        strategy: Strategy::Ordered,
        fallback: false,
    };
    let lab = SignedLab::with(quiet(), Upstreams::new(vec![upstream]), |anchors, _| anchors);
    for (asked, security) in [
        ("www.example. A", Security::Secure),
        ("www.plain. A", Security::Insecure),
        ("old.example. A", Security::Bogus),
    ] {
        assert_eq!(logged(&lab, asked), (Source::Forward, Some(security)), "{asked}");
    }
}
