//! Chains of trust: from an anchor over DS and DNSKEY RRsets to the keys of a zone (RFC 4035 5.2), or to the delegation
//! behind which nothing is signed.

use std::sync::Arc;

use super::positive;
use super::validate::{Changes, Trouble, Verdict, Work, of_cache, shortened};
use super::{Nearest, denial};
use crate::cache::{CachedAnswer, Kind, Lookup, Security};
use crate::dns::{ErrorCode, ExtendedError, Name, NameRef, Question, RecordsBuf, RrType, Rrset, SharedRrset};
use crate::dnssec::{Accepted, Dnskey, Ds, NoDs, Rrsig};
use crate::limits;
use crate::observe::{DsStep, KeyStep, Step};
use crate::resolver::{Failure, Leg, Resolution};

/// The keys of a zone.
pub(super) enum Keys {
    /// Its DNSKEY RRset, which has a chain of trust.
    Secure(SharedRrset),
    /// It has none that could be used, and what that means for its data.
    Not(Verdict),
}

/// The keys of a zone that has signed something.
pub(super) async fn keys_of(zone: &Name, work: &Work<'_>) -> Result<Keys, Failure> {
    if let Some(keys) = known_keys(zone, work) {
        work.task.step(Step::KnownKeys(zone.clone()));
        return Ok(Keys::Secure(keys));
    }
    let apex = match work.nearest(zone.as_ref()) {
        Nearest::Anchor(anchor) => anchor.apex.clone(),
        other => return Ok(Keys::Not(without_anchor(zone.as_ref(), other, work))),
    };
    // From the top, so that each step finds the one before it in the cache instead of waiting for it.
    for cut in known_cuts(&apex, zone.as_ref(), work) {
        match delegation(&cut, work).await? {
            Delegated::Signed(_) if cut != *zone => match ask_for_keys(&cut, work).await? {
                Keys::Secure(_) => {}
                not => return Ok(not),
            },
            Delegated::Signed(_) => {}
            Delegated::NotACut if cut == *zone => {
                let text = format!("{zone} has signed data, and is no zone as the one above it says");
                return Ok(Keys::Not(Verdict::Bogus(Trouble::new(ErrorCode::DNSSEC_BOGUS, text))));
            }
            Delegated::NotACut => {}
            Delegated::Not(verdict) => return Ok(Keys::Not(verdict)),
        }
    }
    if work.task.question.rr_type == RrType::DNSKEY && work.task.question.name == *zone {
        // They are what is being asked for, and this is what came instead.
        return Ok(Keys::Not(Verdict::Bogus(no_keys(zone))));
    }
    ask_for_keys(zone, work).await
}

fn no_keys(zone: &Name) -> Trouble {
    let text = format!("{zone} has no keys, though the zone above it has a DS record for one");
    Trouble::new(ErrorCode::DNSKEY_MISSING, text)
}

fn without_anchor(name: NameRef<'_>, nearest: Nearest<'_>, work: &Work<'_>) -> Verdict {
    let negative = match nearest {
        Nearest::Negative(apex) => Some(apex.clone()),
        _ => None,
    };
    work.task.step(Step::Unanchored(name.to_name(), negative));
    match nearest {
        Nearest::Negative(apex) => {
            let text = format!("{apex} is not validated here (negative trust anchor)");
            Verdict::Insecure(Some(Trouble::new(ErrorCode::NEGATIVE_TRUST_ANCHOR, text)))
        }
        _ => Verdict::Indeterminate,
    }
}

/// The zone cuts below an anchor on the way to a zone that delegations are known of, from the top, and the zone itself.
fn known_cuts(anchor: &Name, zone: NameRef<'_>, work: &Work<'_>) -> Vec<Name> {
    let mut cuts = Vec::new();
    if zone != anchor.as_ref() {
        cuts.push(zone.to_name());
    }
    let mut above = zone.parent();
    while let Some(name) = above.filter(|name| name.is_below(anchor.as_ref())) {
        let Some(known) = work.task.cache().closest_delegation(name, work.task.now()) else { break };
        let is_below = known.apex.as_ref().is_below(anchor.as_ref());
        cuts.extend(is_below.then(|| known.apex.clone()));
        above = name.trim_to(known.apex.as_ref().label_count()).parent();
    }
    cuts.reverse();
    cuts
}

fn known_keys(zone: &Name, work: &Work<'_>) -> Option<SharedRrset> {
    let question = Question::new(zone.clone(), RrType::DNSKEY);
    match work.task.cache().lookup(question.as_ref(), work.task.now()) {
        Lookup::Fresh(known) if known.security == Security::Secure && known.kind == Kind::Positive => {
            let rrset = known.answer.iter().find(|cached| is_keys_of(&cached.rrset, zone));
            // The anchor may have been taken away, or a negative one put in its place.
            let is_below_anchor = matches!(work.nearest(zone.as_ref()), Nearest::Anchor(_));
            let rrset = rrset.map(|cached| cached.rrset.clone());
            rrset.filter(|rrset| is_below_anchor && is_signed_by(rrset, zone))
        }
        _ => None,
    }
}

fn is_keys_of(rrset: &Rrset, zone: &Name) -> bool {
    rrset.rr_type == RrType::DNSKEY && rrset.owner == *zone
}

/// Whether the name that keys are of is the only one to have signed them. Others stand there as data of the zone above (RFC 4035
/// 5.2: what keys a zone has the DS record says).
fn is_signed_by(keys: &Rrset, zone: &Name) -> bool {
    let mut signatures = keys.signatures().iter().filter_map(Rrsig::parse);
    signatures.all(|signature| signature.signer == zone.as_ref())
}

async fn ask_for_keys(zone: &Name, work: &Work<'_>) -> Result<Keys, Failure> {
    let known = ask(Question::new(zone.clone(), RrType::DNSKEY), work).await?;
    let rrset = known.answer.iter().find(|rrset| is_keys_of(rrset, zone));
    Ok(match (known.security, rrset) {
        (Security::Secure, Some(keys)) => Keys::Secure(keys.clone()),
        (Security::Secure, None) => Keys::Not(Verdict::Bogus(no_keys(zone).of_chain())),
        _ => Keys::Not(known.verdict()),
    })
}

/// What the zone above says of a name.
enum Delegated {
    /// It is a zone, with these keys.
    Signed(SharedRrset),
    /// It is no zone of its own.
    NotACut,
    /// It is a zone without keys that could be used, or there is trouble.
    Not(Verdict),
}

async fn delegation(cut: &Name, work: &Work<'_>) -> Result<Delegated, Failure> {
    // An anchor of its own is more than what is said above it.
    match work.nearest(cut.as_ref()) {
        Nearest::Anchor(anchor) if anchor.apex == *cut => {
            let ds = anchor.ds.iter().map(|rdata| &rdata[..]).collect();
            let rrset = Rrset::new(cut.clone(), RrType::DS, crate::dns::Ttl::ZERO, ds, RecordsBuf::new());
            work.task.step(Step::Anchor(cut.clone(), anchor.key_tags().collect()));
            return Ok(Delegated::Signed(Arc::new(rrset)));
        }
        Nearest::Anchor(_) => {}
        other => return Ok(Delegated::Not(without_anchor(cut.as_ref(), other, work))),
    }
    let known = ask(Question::new(cut.clone(), RrType::DS), work).await?;
    let ds = known.answer.iter().find(|rrset| rrset.rr_type == RrType::DS && rrset.owner == *cut);
    let delegated = match (known.security, ds) {
        (Security::Secure, Some(ds)) => match of_no_use(ds, work.options.accepted) {
            None => Delegated::Signed(ds.clone()),
            Some(trouble) => Delegated::Not(Verdict::Insecure(Some(trouble))),
        },
        // An alias stands there, or above: it cannot be a zone (RFC 1034 3.6.2, RFC 6672 2.4). Where that leads is all one.
        (Security::Secure, None) if !known.answer.is_empty() => Delegated::NotACut,
        (_, None) if is_alias(cut, &known, work).await? => Delegated::NotACut,
        (Security::Secure, None) => match no_ds(cut, &known.authority, work).await? {
            NoDs::InsecureDelegation | NoDs::OptOut => Delegated::Not(Verdict::Insecure(None)),
            NoDs::NotACut => Delegated::NotACut,
            other => Delegated::Not(denial::of_no_ds(other, cut)),
        },
        _ => Delegated::Not(known.verdict()),
    };
    let ds = ds.map(|ds| ds_steps(ds)).unwrap_or_default();
    work.task.step(Step::Delegated { name: cut.clone(), how: delegated.word(), ds });
    Ok(delegated)
}

/// Whether an answer begins with an alias at or above a name that a zone above it has signed.
async fn is_alias(cut: &Name, known: &Known, work: &Work<'_>) -> Result<bool, Failure> {
    let is_alias = |rrset: &&SharedRrset| match rrset.rr_type {
        RrType::CNAME => rrset.owner == *cut,
        RrType::DNAME => cut.as_ref().is_below(rrset.owner.as_ref()),
        _ => false,
    };
    let Some(alias) = known.answer.first().filter(is_alias) else { return Ok(false) };
    for signer in positive::signers(alias).iter().filter(|signer| cut.as_ref().is_below(signer.as_ref())) {
        // Whoever found it good has left the keys.
        let Some(keys) = known_keys(signer, work) else { continue };
        let Ok(good) = positive::verify(alias, signer, &keys, work).await? else { continue };
        // One made from a wildcard may stand in the place of a zone that an opt-out span hides (RFC 5155 8.8).
        return match good.closest_encloser {
            None => Ok(true),
            Some(labels) => {
                let of = denial::Expanded { owner: &alias.owner, labels, zone: signer };
                denial::is_expansion_proven(of, &known.authority, &keys, work).await
            }
        };
    }
    Ok(false)
}

/// What is proven of a name that has no DS record.
async fn no_ds(cut: &Name, authority: &[SharedRrset], work: &Work<'_>) -> Result<NoDs, Failure> {
    if let Some(said) = work.walked.no_ds(cut) {
        return Ok(said);
    }
    let said = denial::no_ds(cut, authority, work).await?;
    work.walked.note_no_ds(cut, &said);
    Ok(said)
}

/// DS records as they are written down.
fn ds_steps(ds: &Rrset) -> Box<[DsStep]> {
    let step =
        |ds: Ds<'_>| DsStep { key_tag: ds.key_tag, algorithm: ds.algorithm.0, digest_type: ds.digest_type.0 };
    ds.records().iter().take(limits::DS_READ).filter_map(Ds::parse).map(step).collect()
}

/// Why none of the keys a DS RRset stands for can be used here (RFC 4035 5.2, RFC 6840 5.2).
fn of_no_use(ds: &Rrset, accepted: Accepted) -> Option<Trouble> {
    // All of them, for whoever sends them has a say in which come first; it costs a look at two octets each.
    let all: Vec<Ds<'_>> = ds.records().iter().filter_map(Ds::parse).collect();
    if all.iter().any(|ds| ds.algorithm.is_supported(accepted) && ds.digest_type.is_supported(accepted)) {
        return None;
    }
    let zone = &ds.owner;
    Some(match all.iter().find(|ds| ds.algorithm.is_supported(accepted)) {
        Some(ds) => Trouble::new(
            ErrorCode::UNSUPPORTED_DS_DIGEST_TYPE,
            format!(
                "{zone} is signed, its key {} is told by digests of no use here ({})",
                ds.key_tag, ds.digest_type
            ),
        ),
        None => {
            let algorithm = all.first().map_or_else(String::new, |ds| format!(" ({})", ds.algorithm));
            let text = format!("{zone} is signed in a way that is of no use here{algorithm}");
            Trouble::new(ErrorCode::UNSUPPORTED_DNSKEY_ALGORITHM, text)
        }
    })
}

impl Delegated {
    fn word(&self) -> &'static str {
        match self {
            Delegated::Signed(_) => "signed",
            Delegated::NotACut => "no zone of its own",
            Delegated::Not(Verdict::Insecure(_)) => "unsigned",
            Delegated::Not(Verdict::Indeterminate) => "without trust anchor",
            Delegated::Not(_) => "broken",
        }
    }
}

/// Judges the DNSKEY RRset that answers a question for it. None when the name is no zone: there it is data like any other.
pub(super) async fn judge_keys(
    leg: &Leg,
    work: &Work<'_>,
    changes: &mut Changes,
) -> Result<Option<Verdict>, Failure> {
    let zone = &leg.question.name;
    let Some(rrset) = leg.answer.iter().find(|rrset| is_keys_of(rrset, zone)) else {
        let trouble = Trouble::new(ErrorCode::DNSKEY_MISSING, format!("{zone} has no keys"));
        return Ok(Some(Verdict::Bogus(trouble)));
    };
    let ds = match delegation(zone, work).await? {
        Delegated::Signed(ds) => ds,
        Delegated::NotACut => return Ok(None),
        Delegated::Not(verdict) => return Ok(Some(verdict)),
    };
    let anchored = match work.nearest(zone.as_ref()) {
        Nearest::Anchor(anchor) if anchor.apex == *zone => anchor.keys.clone(),
        _ => Vec::new(),
    };
    if anchored.is_empty()
        && let Some(trouble) = of_no_use(&ds, work.options.accepted)
    {
        return Ok(Some(Verdict::Insecure(Some(trouble))));
    }
    let is_anchored = matches!(work.nearest(zone.as_ref()), Nearest::Anchor(anchor) if anchor.apex == *zone);
    let trusted = trusted_keys(rrset, &ds, &anchored, is_anchored, work.options.accepted);
    let keys = key_steps(rrset, trusted.as_ref().ok());
    work.task.step(Step::Keys { zone: zone.clone(), is_anchored, keys });
    let trusted = match trusted {
        Ok(trusted) => Arc::new(trusted),
        Err(trouble) => return Ok(Some(Verdict::Bogus(trouble))),
    };
    Ok(Some(match positive::verify(rrset, zone, &trusted, work).await? {
        Ok(good) => {
            changes.shortened.extend(shortened(rrset, good.ttl));
            Verdict::Secure
        }
        Err(trouble) => Verdict::Bogus(trouble),
    }))
}

/// Keys as they are written down.
fn key_steps(keys: &Rrset, trusted: Option<&Rrset>) -> Box<[KeyStep]> {
    let is_trusted = |key: &Dnskey<'_>| {
        trusted.is_some_and(|trusted| trusted.records().iter().any(|rdata| rdata == key.rdata))
    };
    let step = |key: Dnskey<'_>| KeyStep {
        key_tag: key.key_tag(),
        flags: key.flags,
        algorithm: key.algorithm.0,
        is_trusted: is_trusted(&key),
    };
    keys.records().iter().take(limits::KEYS_READ).filter_map(Dnskey::parse).map(step).collect()
}

/// Of the keys of a zone those that are told by a DS record, or are anchors themselves.
fn trusted_keys(
    keys: &Rrset,
    ds: &Rrset,
    anchored: &[Box<[u8]>],
    is_anchored: bool,
    accepted: Accepted,
) -> Result<Rrset, Trouble> {
    let told = strongest(ds, accepted);
    let mut digests = 0;
    let mut trusted = RecordsBuf::new();
    let mut is_revoked = None;
    for key in keys.records().iter().take(limits::KEYS_READ).filter_map(Dnskey::parse) {
        let mut is_told = || {
            told.iter().any(|ds| {
                let may_be = ds.key_tag == key.key_tag() && ds.algorithm == key.algorithm;
                digests += usize::from(may_be);
                may_be && digests <= limits::DS_DIGESTS && ds.is_of(keys.owner.as_ref(), &key)
            })
        };
        let is_trusted = key.is_zone_key() && (anchored.iter().any(|own| **own == *key.rdata) || is_told());
        // RFC 5011 2.1: it says of itself that it is not to be trusted.
        if is_trusted && key.is_revoked() {
            is_revoked = Some(key.key_tag());
        } else if is_trusted {
            trusted.push(key.rdata);
        }
    }
    let zone = &keys.owner;
    if trusted.as_records().is_empty() {
        let text = match is_revoked {
            Some(tag) => format!("the key {tag} of {zone} is revoked, and the only one that is trusted"),
            None if is_anchored => {
                format!("none of the keys of {zone} is a trust anchor; are the trust anchors up to date?")
            }
            None => {
                let tags: Vec<_> = told.iter().take(4).map(|ds| ds.key_tag.to_string()).collect();
                let tags = tags.join(", ");
                format!(
                    "none of the keys of {zone} is one that the zone above tells of ({tags}); does its DS fit?"
                )
            }
        };
        return Err(Trouble::new(ErrorCode::DNSKEY_MISSING, text));
    }
    let none = RecordsBuf::new();
    Ok(Rrset::new(zone.clone(), RrType::DNSKEY, keys.ttl, trusted, none))
}

/// Those DS records that count. RFC 4509 3: where there is a stronger digest SHA-1 does not.
fn strongest(ds: &Rrset, accepted: Accepted) -> Vec<Ds<'_>> {
    let usable = |ds: &Ds<'_>| ds.algorithm.is_supported(accepted) && ds.digest_type.is_supported(accepted);
    let all = ds.records().iter().take(limits::DS_READ).filter_map(Ds::parse);
    let mut all: Vec<_> = all.filter(usable).collect();
    if all.iter().any(|ds| ds.digest_type != crate::dnssec::DigestType::SHA1) {
        all.retain(|ds| ds.digest_type != crate::dnssec::DigestType::SHA1);
    }
    all
}

/// Judges an RRset without signatures: it is insecure below an insecure delegation, and else bogus.
pub(super) async fn judge_unsigned(rrset: &Rrset, work: &Work<'_>) -> Result<Verdict, Failure> {
    let missing = || {
        let text = format!("{} {} is not signed, though its zone is", rrset.owner, rrset.rr_type);
        Trouble::new(ErrorCode::RRSIGS_MISSING, text)
    };
    // RFC 4035 2.6: DS is the word of the zone above.
    let place = rrset.rr_type.place(rrset.owner.as_ref());
    Ok(unsigned(place, work).await?.unwrap_or_else(|| Verdict::Bogus(missing())))
}

/// What makes data at a name good without signatures; none when nothing does.
pub(super) async fn unsigned(name: NameRef<'_>, work: &Work<'_>) -> Result<Option<Verdict>, Failure> {
    if let Some(verdict) = work.walked.unsigned(name) {
        return Ok(verdict);
    }
    let verdict = walk_to(name, work).await?;
    work.walked.note_unsigned(name, &verdict);
    Ok(verdict)
}

async fn walk_to(name: NameRef<'_>, work: &Work<'_>) -> Result<Option<Verdict>, Failure> {
    let apex = match work.nearest(name) {
        Nearest::Anchor(anchor) => anchor.apex.clone(),
        other => return Ok(Some(without_anchor(name, other, work))),
    };
    let known = work.task.cache().closest_delegation(name, work.task.now());
    let known = known.filter(|known| known.apex.as_ref().is_below(apex.as_ref()));
    let cuts = known.map_or_else(Vec::new, |known| known_cuts(&apex, known.apex.as_ref(), work));
    let deepest = cuts.last().unwrap_or(&apex).as_ref().label_count();
    // Below the last cut that is known each label may be one, if the same servers have both zones.
    let below = (deepest + 1..=name.label_count()).map(|labels| name.trim_to(labels).to_name());
    let below: Vec<Name> = below.collect();
    // Who asks for DS and was told an alias has it from no zone of that name (RFC 1034 3.6.2).
    let asked = &work.task.question;
    let is_asked = |cut: &&Name| asked.rr_type == RrType::DS && asked.name == **cut;
    for cut in cuts.iter().chain(&below).filter(|cut| !is_asked(cut)) {
        match delegation(cut, work).await {
            Ok(Delegated::Signed(_) | Delegated::NotACut) => {}
            // Nobody tells of an unsigned zone here, so nothing makes the data good.
            Ok(Delegated::Not(Verdict::Bogus(trouble))) if is_silence(&trouble) => break,
            // Of a name that may be no zone at all its own servers say nothing. Of one that is, the zone above would have said
            // whether it is signed, and could not be asked: that is indeterminate (RFC 4035 4.3).
            Err(failure) if !failure.is_of_asker() && !cuts.contains(cut) => break,
            Ok(Delegated::Not(verdict)) => return Ok(Some(verdict)),
            Err(failure) => return Err(failure),
        }
    }
    Ok(None)
}

/// Whether a zone has not said what it is expected to say, or not in a way that proves it.
fn is_silence(trouble: &Trouble) -> bool {
    matches!(trouble.code, ErrorCode::NSEC_MISSING | ErrorCode::RRSIGS_MISSING)
}

/// What is known of a question for keys, from the cache or just asked for.
struct Known {
    security: Security,
    error: Option<Arc<ExtendedError>>,
    answer: Vec<SharedRrset>,
    authority: Vec<SharedRrset>,
}

impl Known {
    fn of_cache(cached: &CachedAnswer) -> Known {
        let rrsets =
            |of: &[crate::cache::CachedRrset]| of.iter().map(|cached| cached.rrset.clone()).collect();
        Known {
            security: cached.security,
            error: cached.error.clone(),
            answer: rrsets(&cached.answer),
            authority: rrsets(&cached.authority),
        }
    }

    fn of_failure(error: Arc<ExtendedError>) -> Known {
        Known { security: Security::Bogus, error: Some(error), answer: Vec::new(), authority: Vec::new() }
    }

    fn of_flight(found: &Resolution) -> Known {
        Known {
            security: found.security,
            error: found.error.clone(),
            answer: found.answer.clone(),
            authority: found.authority.clone(),
        }
    }

    /// What it means for what was to be proven with it.
    fn verdict(&self) -> Verdict {
        of_cache(self.security, self.error.as_deref())
    }
}

async fn ask(question: Question, work: &Work<'_>) -> Result<Known, Failure> {
    let (cache, now) = (work.task.cache(), work.task.now());
    if let Lookup::Fresh(known) = cache.lookup(question.as_ref(), now)
        && known.security != Security::Unchecked
    {
        return Ok(Known::of_cache(&known));
    }
    // What was too large to be kept has left word of what was wrong with it.
    let failure = cache.failure(question.as_ref(), now);
    if let Some(error) = failure.filter(|error| error.code.is_of_validation()) {
        return match error.code {
            ErrorCode::DNSSEC_INDETERMINATE => Err(Failure::Cached(error)),
            _ => Ok(Known::of_failure(error)),
        };
    }
    let found = work.task.child_validated(question.clone()).await;
    Ok(Known::of_flight(&*found.map_err(|failure| failure.of_keys(question))?))
}
