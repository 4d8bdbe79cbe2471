//! The chain of trust in an explanation: where it begins, what links it, and, where it breaks, who has to do what.

use super::explain_tree::named;
use super::report::{Branch, Key, Signature};
use crate::dns::{ErrorCode, Name, Question, SignatureTime};
use crate::dnssec::{Algorithm, DigestType};
use crate::observe::{DsStep, KeyStep, SignatureStep, Step};

/// A step of validation as a branch; none for other steps.
pub(super) fn trust(step: &Step) -> Option<Branch> {
    Some(match step {
        Step::Anchor(zone, tags) => {
            let keys: Vec<Key> = tags.iter().map(|tag| Key { key_tag: *tag, ..Key::default() }).collect();
            let spoken: Vec<String> = tags.iter().map(u16::to_string).collect();
            let plural = if tags.len() == 1 { "" } else { "s" };
            let text = format!(
                "the chain of trust begins at {zone}: trust anchor{plural} for key {}",
                spoken.join(", ")
            );
            Branch { keys, ..named("anchor", zone, text) }
        }
        Step::Unanchored(name, Some(apex)) => {
            let text = format!("{name} is not validated: there is a negative trust anchor for {apex}");
            named("unanchored", name, text)
        }
        Step::Unanchored(name, None) => named(
            "unanchored",
            name,
            format!("no trust anchor is above {name}, so nothing can be known of it"),
        ),
        Step::Delegated { name, how, ds } => {
            let spoken: Vec<String> = ds.iter().map(spoken_ds).collect();
            let text = match &spoken[..] {
                [] => format!("{name} is {how}"),
                _ => format!("{name} is {how}: DS {}", spoken.join(", ")),
            };
            Branch { keys: ds.iter().map(Key::of_ds).collect(), ..named("delegated", name, text) }
        }
        Step::Keys { zone, is_anchored, keys } => {
            let by = if *is_anchored { "trusted by anchor" } else { "trusted by DS" };
            let spoken: Vec<String> = keys.iter().map(|key| spoken_key(key, by)).collect();
            let text = format!("keys of {zone}: {}", spoken.join(", "));
            Branch { keys: keys.iter().map(Key::of_dnskey).collect(), ..named("keys", zone, text) }
        }
        Step::KnownKeys(zone) => {
            named("known-keys", zone, format!("the keys of {zone} are in the cache, validated before"))
        }
        Step::Signature(signature) => of_signature(signature),
        Step::Proof { what, zone, records, holds } => {
            let records: Vec<String> =
                records.iter().map(|(owner, rr_type)| format!("{owner} {rr_type}")).collect();
            let by = if records.is_empty() { "nothing".into() } else { records.join(", ") };
            let text = format!("{zone} says {what}, {holds} by {by}");
            Branch { records, result: Some((*holds).into()), ..named("proof", zone, text) }
        }
        _ => return None,
    })
}

fn spoken_ds(ds: &DsStep) -> String {
    format!("{} ({}, {})", ds.key_tag, Algorithm(ds.algorithm), DigestType(ds.digest_type))
}

fn spoken_key(key: &KeyStep, by: &str) -> String {
    let trusted = if key.is_trusted { format!(", {by}") } else { String::new() };
    format!("{} ({}{trusted})", key.key_tag, Algorithm(key.algorithm))
}

impl Key {
    fn of_ds(ds: &DsStep) -> Key {
        Key {
            key_tag: ds.key_tag,
            algorithm: Some(Algorithm(ds.algorithm).to_string()),
            digest: Some(DigestType(ds.digest_type).to_string()),
            ..Key::default()
        }
    }

    fn of_dnskey(key: &KeyStep) -> Key {
        Key {
            key_tag: key.key_tag,
            algorithm: Some(Algorithm(key.algorithm).to_string()),
            flags: Some(key.flags),
            is_trusted: Some(key.is_trusted),
            ..Key::default()
        }
    }
}

fn of_signature(step: &SignatureStep) -> Branch {
    let SignatureStep { owner, rr_type, signer, key_tag, algorithm, inception, expiration, wrong } = step;
    let (from, until) = (SignatureTime(*inception).to_string(), SignatureTime(*expiration).to_string());
    let text = match wrong {
        Some(wrong) => format!("{wrong} (from {from} to {until})"),
        None => {
            format!(
                "{owner} {rr_type} is signed by key {key_tag} ({algorithm}) of {signer}, from {from} to {until}"
            )
        }
    };
    let (signer, algorithm) = (signer.to_string(), algorithm.clone());
    let signature =
        Some(Signature { signer, key_tag: *key_tag, algorithm, inception: from, expiration: until });
    let result = Some(if wrong.is_some() { "wrong" } else { "good" }.into());
    let rr_type = Some(rr_type.to_string());
    Branch { signature, result, rr_type, ..named("signature", owner, text) }
}

/// Who has to do what about an answer that is bogus, or insecure although it is signed, in one sentence; none for other
/// codes of extended errors.
pub(super) fn hint(code: ErrorCode, asked: &Question, steps: &[Step]) -> Option<String> {
    let link = broken_link(steps);
    let zone = link.map_or(&asked.name, |link| link.zone);
    let owner = format!("the owner of {zone}");
    let bypass = format!(
        "until then `namu query {asked} +cd` shows the data, and `negative-trust-anchors` lets clients have it"
    );
    let hint = match code {
        ErrorCode::UNSUPPORTED_DNSKEY_ALGORITHM => {
            format!("{owner} should sign with an algorithm of today, as 13 or 15; until then it counts as unsigned")
        }
        ErrorCode::UNSUPPORTED_DS_DIGEST_TYPE => {
            format!("{owner} should have a DS record of digest type 2 (SHA-256) put into the zone above; until then it counts as unsigned")
        }
        ErrorCode::DNSSEC_INDETERMINATE => {
            format!("it can be judged when the servers named above answer; {bypass}")
        }
        ErrorCode::NEGATIVE_TRUST_ANCHOR => {
            "`negative-trust-anchors` has the zone; take it out there when its owner has mended it".into()
        }
        ErrorCode::SIGNATURE_EXPIRED => {
            format!("{owner} has to sign it anew, unless the clock of this machine is ahead; {bypass}")
        }
        ErrorCode::SIGNATURE_NOT_YET_VALID => {
            format!("set the clock of this machine; if it is right, {owner} signed with one that is ahead; {bypass}")
        }
        ErrorCode::DNSKEY_MISSING => match link {
            Some(Link { kind: LinkKind::Anchor, .. }) => {
                format!("if {zone} has other keys now, configure them in `trust-anchors`; else somebody on the way changed its answer; {bypass}")
            }
            Some(Link { kind: LinkKind::Ds, .. }) => {
                format!("{owner} has to have the DS records in the zone above replaced by those of its present keys; {bypass}")
            }
            _ => format!("{owner} has to publish the key that signed, or sign with one it publishes; {bypass}"),
        },
        ErrorCode::RRSIGS_MISSING if is_forwarded(steps) => {
            "the servers that the configuration names leave signatures out; name others that pass them on, or a negative trust anchor"
                .into()
        }
        ErrorCode::RRSIGS_MISSING => {
            format!("{owner} has to sign it, or see to it that all its servers send the signatures; {bypass}")
        }
        ErrorCode::NO_ZONE_KEY_BIT_SET => {
            format!("{owner} has to sign with a key of the flags 256 or 257 that is not revoked; {bypass}")
        }
        ErrorCode::NSEC_MISSING if is_forwarded(steps) => {
            "the servers that the configuration names leave out proofs (NSEC, NSEC3); name others that pass them on, or a negative trust anchor"
                .into()
        }
        ErrorCode::NSEC_MISSING => {
            format!("{owner} has to mend its chain of NSEC or NSEC3 records by signing it anew; {bypass}")
        }
        ErrorCode::UNSUPPORTED_NSEC3_ITERATIONS => {
            format!("{owner} should sign with 0 NSEC3 iterations (RFC 9276)")
        }
        ErrorCode::DNSSEC_BOGUS => {
            format!("{owner} has to sign it anew, unless somebody on the way changed it; {bypass}")
        }
        _ => return None,
    };
    Some(hint)
}

/// Where a chain of trust broke.
#[derive(Clone, Copy)]
struct Link<'s> {
    /// The zone whose owner can mend it.
    zone: &'s Name,
    kind: LinkKind,
}

#[derive(Clone, Copy)]
enum LinkKind {
    /// The trust anchors here are of keys it does not have.
    Anchor,
    /// The zone above tells of keys it does not have.
    Ds,
    Other,
}

/// The first answer that was judged bogus, or insecure for a reason, is the link nearest to the anchor: the others only
/// hang on it. What was looked at last before that is what broke, links that held left out.
fn broken_link(steps: &[Step]) -> Option<Link<'_>> {
    let is_end = |step: &Step| matches!(step, Step::Judged(_, _, Some(_)));
    let (before, from_end) = steps.split_at(steps.iter().position(is_end)?);
    let Some(Step::Judged(asked, ..)) = from_end.first() else { return None };
    let mut inside = 0u32;
    let looked_at = before.iter().rev().find_map(|step| {
        match step {
            Step::Judged(..) => inside += 1,
            Step::Link(_) => inside = inside.saturating_sub(1),
            _ if inside > 0 => {}
            Step::Signature(signature) if signature.wrong.is_some() => {
                return Some((&signature.signer, LinkKind::Other));
            }
            Step::Proof { zone, holds, .. } if *holds != "proven" => return Some((zone, LinkKind::Other)),
            Step::Keys { zone, keys, is_anchored } if keys.iter().all(|key| !key.is_trusted) => {
                return Some((zone, if *is_anchored { LinkKind::Anchor } else { LinkKind::Ds }));
            }
            Step::Delegated { name, ds, .. } if !ds.is_empty() => return Some((name, LinkKind::Other)),
            Step::Anchor(zone, _) => return Some((zone, LinkKind::Other)),
            _ => {}
        }
        None
    });
    let (zone, kind) = looked_at.unwrap_or((&asked.name, LinkKind::Other));
    Some(Link { zone, kind })
}

fn is_forwarded(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::Upstream(_)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dns::{ExtendedError, RrType};

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn question(owner: &str, rr_type: RrType) -> Question {
        Question::new(name(owner), rr_type)
    }

    fn judged(owner: &str, rr_type: RrType, code: Option<ErrorCode>) -> Step {
        let word = if code.is_some() { "bogus" } else { "secure" };
        let error = code.map(|code| Arc::new(ExtendedError::new(code, "why")));
        Step::Judged(question(owner, rr_type), word, error)
    }

    fn signature(signer: &str, wrong: Option<&str>) -> Step {
        Step::Signature(Box::new(SignatureStep {
            owner: name("www.a.test."),
            rr_type: RrType::A,
            signer: name(signer),
            key_tag: 7,
            algorithm: "ED25519".into(),
            inception: 0,
            expiration: 86_400,
            wrong: wrong.map(str::to_owned),
        }))
    }

    fn keys(zone: &str, is_trusted: bool) -> Step {
        let key = KeyStep { key_tag: 7, flags: 257, algorithm: 15, is_trusted };
        Step::Keys { zone: name(zone), is_anchored: false, keys: [key].into() }
    }

    fn of_anchor(keys: Step) -> Step {
        match keys {
            Step::Keys { zone, keys, .. } => Step::Keys { zone, is_anchored: true, keys },
            other => other,
        }
    }

    fn signed(zone: &str) -> Step {
        let ds = DsStep { key_tag: 7, algorithm: 15, digest_type: 2 };
        Step::Delegated { name: name(zone), how: "signed", ds: [ds].into() }
    }

    fn unproven(zone: &str) -> Step {
        Step::Proof { what: "that it is so".into(), zone: name(zone), records: vec![], holds: "not proven" }
    }

    #[test]
    fn each_code_names_who_has_to_do_what() {
        let asked = question("www.a.test.", RrType::A);
        let link = Step::Link(question("a.test.", RrType::DNSKEY));
        let is_good = judged("a.test.", RrType::DNSKEY, None);
        // A link that holds although one of its signatures does not is not where it broke.
        let good_link =
            vec![link.clone(), signature("other.test.", Some("old")), keys("a.test.", true), is_good];
        let after = |steps: Vec<Step>| [good_link.clone(), steps].concat();
        for (code, steps, want) in [
            (
                ErrorCode::UNSUPPORTED_DNSKEY_ALGORITHM,
                after(vec![signed("a.test.")]),
                "the owner of a.test. should sign with",
            ),
            (
                ErrorCode::UNSUPPORTED_DS_DIGEST_TYPE,
                after(vec![signed("a.test.")]),
                "the owner of a.test. should have a DS record",
            ),
            (ErrorCode::DNSSEC_INDETERMINATE, vec![], "when the servers named above answer"),
            (ErrorCode::NEGATIVE_TRUST_ANCHOR, vec![], "take it out there"),
            (
                ErrorCode::DNSSEC_BOGUS,
                after(vec![signature("a.test.", Some("wrong"))]),
                "the owner of a.test. has to sign it anew, unless somebody",
            ),
            (
                ErrorCode::SIGNATURE_EXPIRED,
                after(vec![signature("a.test.", Some("old"))]),
                "the owner of a.test. has to sign it anew, unless the clock",
            ),
            (
                ErrorCode::SIGNATURE_NOT_YET_VALID,
                after(vec![signature("a.test.", Some("new"))]),
                "set the clock of this machine; if it is right, the owner of a.test.",
            ),
            (
                ErrorCode::DNSKEY_MISSING,
                vec![link.clone(), keys("a.test.", false)],
                "the owner of a.test. has to have the DS records in the zone above replaced",
            ),
            (
                ErrorCode::DNSKEY_MISSING,
                vec![link.clone(), of_anchor(keys("a.test.", false))],
                "if a.test. has other keys now, configure them in `trust-anchors`",
            ),
            (
                ErrorCode::DNSKEY_MISSING,
                after(vec![signature("a.test.", Some("by none"))]),
                "the owner of a.test. has to publish the key",
            ),
            (
                ErrorCode::RRSIGS_MISSING,
                after(vec![signed("a.test.")]),
                "the owner of a.test. has to sign it, or see",
            ),
            (
                ErrorCode::RRSIGS_MISSING,
                vec![Step::Upstream(Name::root())],
                "the configuration names leave signatures out",
            ),
            (
                ErrorCode::NO_ZONE_KEY_BIT_SET,
                after(vec![signature("a.test.", Some("flags"))]),
                "a key of the flags 256 or 257",
            ),
            (
                ErrorCode::NSEC_MISSING,
                after(vec![unproven("a.test.")]),
                "the owner of a.test. has to mend its chain",
            ),
            (ErrorCode::NSEC_MISSING, vec![Step::Upstream(Name::root())], "leave out proofs"),
            (
                ErrorCode::UNSUPPORTED_NSEC3_ITERATIONS,
                after(vec![unproven("a.test.")]),
                "the owner of a.test. should sign with 0 NSEC3",
            ),
        ] {
            // The question hangs on its link.
            let steps = [
                steps,
                vec![
                    judged("a.test.", RrType::DNSKEY, Some(code)),
                    judged("www.a.test.", RrType::A, Some(code)),
                ],
            ]
            .concat();
            let hint = hint(code, &asked, &steps).unwrap();
            assert!(hint.contains(want), "{code} {hint}");
            for length in 0..steps.len() {
                assert!(super::hint(code, &asked, &steps[..length]).is_some(), "{code} {length}");
            }
        }
        for other in [ErrorCode::OTHER, ErrorCode::STALE_ANSWER, ErrorCode::NETWORK_ERROR] {
            assert_eq!(hint(other, &asked, &[]), None, "{other}");
        }
    }
}
