//! Data: one RRset and its signatures (RFC 4035 5.3).

use std::sync::{Arc, Mutex, PoisonError};

use super::chain::{self, Keys};
use super::validate::{Trouble, Verdict, Work, shortened};
use crate::cache::Proven;
use crate::cache::synthesis::source_of;
use crate::clock::Unix;
use crate::dns::{ErrorCode, Name, NameRef, RrType, Rrset, SharedRrset, SignatureTime, Ttl};
use crate::dnssec::{Accepted, Canonical, Dnskey, Period, Rrsig};
use crate::limits;
use crate::observe::{SignatureStep, Step};
use crate::resolver::{Budget, Failure, Limit, Task};

/// What is to be thought of an RRset.
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    /// When it was made from a wildcard: from which.
    pub(super) expansion: Option<Expansion>,
    /// The RRset with the TTL it may have, when that is less than it says.
    pub(super) shortened: Option<SharedRrset>,
}

/// How an RRset was made from a wildcard.
pub(super) struct Expansion {
    /// Which RRset it is.
    pub(super) owner: Name,
    /// The zone that signed the wildcard.
    pub(super) zone: Name,
    /// How many labels its closest encloser has.
    pub(super) labels: usize,
    /// The RRset as it was signed.
    pub(super) source: Option<Proven>,
}

impl From<Verdict> for Judged {
    fn from(verdict: Verdict) -> Judged {
        Judged { verdict, expansion: None, shortened: None }
    }
}

/// Judges an RRset of the answer section.
pub(super) async fn judge(rrset: &SharedRrset, work: &Work<'_>) -> Result<Judged, Failure> {
    // Signatures are not signed (RFC 4035 2.2).
    if rrset.rr_type == RrType::RRSIG {
        return Ok(Verdict::Insecure(None).into());
    }
    let place = rrset.rr_type.place(rrset.owner.as_ref());
    let mut signers = signers(rrset);
    signers.retain(|signer| work.counts(signer.as_ref(), place));
    if signers.is_empty() {
        return Ok(chain::judge_unsigned(rrset, work).await?.into());
    }
    let mut first = None;
    for signer in signers {
        let judged = judge_signed(rrset, &signer, work).await?;
        if !matches!(judged.verdict, Verdict::Bogus(_)) {
            return Ok(judged);
        }
        first.get_or_insert(judged);
    }
    Ok(first.expect("there is a signer"))
}

/// Judges an RRset by the signatures of one zone.
pub(super) async fn judge_signed(
    rrset: &SharedRrset,
    signer: &Name,
    work: &Work<'_>,
) -> Result<Judged, Failure> {
    let keys = match chain::keys_of(signer, work).await? {
        Keys::Secure(keys) => keys,
        Keys::Not(verdict) => return Ok(verdict.into()),
    };
    match verify(rrset, signer, &keys, work).await? {
        Ok(good) => {
            let shortened = shortened(rrset, good.ttl);
            let expansion = good.closest_encloser.map(|labels| {
                let source = source_of(shortened.as_ref().unwrap_or(rrset), labels);
                let proven = |source| Proven { zone: signer.clone(), rrset: Arc::new(source) };
                let (owner, zone) = (rrset.owner.clone(), signer.clone());
                Expansion { owner, zone, labels, source: source.map(proven) }
            });
            Ok(Judged { verdict: Verdict::Secure, expansion, shortened })
        }
        Err(trouble) => Ok(Verdict::Bogus(trouble).into()),
    }
}

/// The zones whose signatures an RRset has and might be believed for: at or above its owner, for a DS RRset above it
/// (RFC 4035 5.3.1). The nearest first; not more than two, an honest RRset has one.
pub(super) fn signers(rrset: &Rrset) -> Vec<Name> {
    let owner = rrset.owner.as_ref();
    let is_possible = |signer: NameRef<'_>| match rrset.rr_type.is_parental() {
        true => owner.is_below(signer),
        false => owner.is_at_or_below(signer),
    };
    let mut signers: Vec<Name> = Vec::new();
    for signature in rrset.signatures().iter().take(limits::SIGNATURES_READ).filter_map(Rrsig::parse) {
        if is_possible(signature.signer) && signers.iter().all(|known| known.as_ref() != signature.signer) {
            signers.push(signature.signer.to_name());
        }
    }
    signers.sort_by_key(|signer| std::cmp::Reverse(signer.as_ref().label_count()));
    signers.truncate(limits::SIGNERS_PER_RRSET);
    signers
}

/// What a good signature says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Good {
    /// The longest the RRset may live.
    pub(super) ttl: Ttl,
    pub(super) closest_encloser: Option<usize>,
}

/// Looks for a good signature of an RRset by one of these keys of the zone `signer`, away from whoever answers clients
/// unless it is done sooner than said.
pub(super) async fn verify(
    rrset: &SharedRrset,
    signer: &Name,
    keys: &SharedRrset,
    work: &Work<'_>,
) -> Result<Result<Good, Trouble>, Failure> {
    if let Some(good) = proven_before(rrset, signer, work) {
        return Ok(Ok(good));
    }
    let (rrset, signer, keys) = (rrset.clone(), signer.clone(), keys.clone());
    let (accepted, unix, budget) = (work.options.accepted, work.unix, work.task.budget().clone());
    let is_quick = rrset.signatures().iter().nth(limits::SIGNATURES_AT_ONCE).is_none();
    let search = move || {
        let mut search = Search::new(&rrset, &signer, accepted, unix, &budget);
        let verified = search.run(&keys);
        (verified, search.steps)
    };
    let (verified, steps) = if is_quick { search() } else { aside(work.task, search).await? };
    steps.into_iter().for_each(|step| work.task.step(Step::Signature(Box::new(step))));
    Ok(verified?)
}

/// What the signatures say of a proof that was verified a moment ago and has come again, as the SOA RRset does with each
/// denial of a zone.
fn proven_before(rrset: &Rrset, signer: &Name, work: &Work<'_>) -> Option<Good> {
    if !work.task.cache().is_proven(signer, rrset, work.task.now()) {
        return None;
    }
    let all = || rrset.signatures().iter().filter_map(Rrsig::parse);
    // Which of them it was that held then is not known.
    let ttl = all().map(|signature| allowed_ttl(&signature, work.unix)).min()?;
    (ttl > Ttl::ZERO).then_some(())?;
    all().for_each(|signature| {
        let step = signature_step(rrset, signer, &signature, None);
        work.task.step(Step::Signature(Box::new(step)));
    });
    Some(Good { ttl, closest_encloser: None })
}

/// The longest an RRset may live that this signature is of (RFC 4035 5.3.3).
fn allowed_ttl(signature: &Rrsig<'_>, unix: Unix) -> Ttl {
    let left = signature.seconds_left(unix.seconds());
    Ttl::saturating(left.into()).min(Ttl::from_wire(signature.original_ttl))
}

/// A signature as it is written down.
fn signature_step(rrset: &Rrset, signer: &Name, signature: &Rrsig<'_>, wrong: Option<&str>) -> SignatureStep {
    SignatureStep {
        owner: rrset.owner.clone(),
        rr_type: rrset.rr_type,
        signer: signer.clone(),
        key_tag: signature.key_tag,
        algorithm: signature.algorithm.to_string(),
        inception: signature.inception,
        expiration: signature.expiration,
        wrong: wrong.map(str::to_owned),
    }
}

/// Runs what takes long where it delays nobody who could be answered at once.
pub(super) async fn aside<T: Send + 'static>(
    task: &Task,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let place = Arc::new(Mutex::new(None));
    let result = place.clone();
    let work = move || {
        let done = work();
        *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
    };
    task.world().compute(Box::new(work)).await;
    // Nothing there: there were too many waiting for their turn, or the work broke.
    place.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or(Failure::Busy)
}

/// The search for a good signature of one RRset.
struct Search<'s> {
    rrset: &'s Rrset,
    signer: &'s Name,
    accepted: Accepted,
    unix: Unix,
    budget: &'s Budget,
    verified: usize,
    steps: Vec<SignatureStep>,
    /// The trouble that says most.
    trouble: Option<Trouble>,
}

impl<'s> Search<'s> {
    fn new(
        rrset: &'s Rrset,
        signer: &'s Name,
        accepted: Accepted,
        unix: Unix,
        budget: &'s Budget,
    ) -> Search<'s> {
        let (verified, steps, trouble) = (0, Vec::new(), None);
        Search { rrset, signer, accepted, unix, budget, verified, steps, trouble }
    }

    /// The outer error is one of the budget.
    fn run(&mut self, keys: &Rrset) -> Result<Result<Good, Trouble>, Limit> {
        let mut canonical = None;
        let keys = keys.records().iter().take(limits::KEYS_READ).filter_map(Dnskey::parse);
        let keys: Vec<_> = keys.map(|key| (key.key_tag(), key)).collect();
        let signatures: Vec<_> = self.rrset.signatures().iter().take(limits::SIGNATURES_READ).collect();
        for signature in signatures {
            let Some(signature) = Rrsig::parse(signature) else { continue };
            if signature.signer != self.signer.as_ref() || signature.type_covered != self.rrset.rr_type {
                continue;
            }
            if let Some(good) = self.try_signature(&signature, &keys, &mut canonical)? {
                return Ok(Ok(good));
            }
        }
        let text = || format!("no signature of {} by {} can be read", self.name(), self.signer);
        let missing = || Trouble::new(ErrorCode::RRSIGS_MISSING, text());
        Ok(Err(self.trouble.clone().unwrap_or_else(missing)))
    }

    fn try_signature(
        &mut self,
        signature: &Rrsig<'_>,
        keys: &[(u16, Dnskey<'_>)],
        canonical: &mut Option<Canonical<'s>>,
    ) -> Result<Option<Good>, Limit> {
        let what = self.described(signature);
        if !signature.algorithm.is_supported(self.accepted) {
            self.note(
                signature,
                ErrorCode::UNSUPPORTED_DNSKEY_ALGORITHM,
                format!("{what} is of no use here"),
            );
            return Ok(None);
        }
        match signature.period(self.unix.seconds(), limits::CLOCK_SKEW) {
            Period::Valid => {}
            Period::Expired => {
                let end = SignatureTime(signature.expiration);
                let text = format!("{what} expired at {end}; the zone has to be signed anew");
                self.note(signature, ErrorCode::SIGNATURE_EXPIRED, text);
                return Ok(None);
            }
            Period::NotYetValid => {
                let begin = SignatureTime(signature.inception);
                let text = format!("{what} is not valid before {begin}; is a clock wrong?");
                self.note(signature, ErrorCode::SIGNATURE_NOT_YET_VALID, text);
                return Ok(None);
            }
        }
        let Ok(closest_encloser) = signature.closest_encloser(self.rrset.owner.as_ref()) else {
            self.note(signature, ErrorCode::DNSSEC_BOGUS, format!("{what} counts labels the name has not"));
            return Ok(None);
        };
        let (mut tried, mut is_no_zone_key) = (0, false);
        let fits = |(tag, key): &&(u16, Dnskey<'_>)| {
            key.algorithm == signature.algorithm && *tag == signature.key_tag
        };
        for (tag, key) in keys.iter().filter(fits) {
            // RFC 4035 5.3.1; a revoked key signs its own revocation and nothing else (RFC 5011 2.1).
            if !key.is_zone_key() || key.is_revoked() {
                is_no_zone_key = true;
                continue;
            }
            if tried >= limits::KEYS_OF_ONE_TAG || self.verified >= limits::SIGNATURES_PER_RRSET {
                break;
            }
            (tried, self.verified) = (tried + 1, self.verified + 1);
            self.budget.verification()?;
            let canonical = canonical.get_or_insert_with(|| Canonical::of(self.rrset.view()));
            match canonical.verify(signature, key) {
                Ok(()) => {
                    self.write_down(signature, None);
                    let ttl = allowed_ttl(signature, self.unix);
                    let closest_encloser = closest_encloser.map(|name| name.label_count());
                    return Ok(Some(Good { ttl, closest_encloser }));
                }
                Err(_) => {
                    let text = format!("{what} does not fit the data and key {tag}");
                    self.note(signature, ErrorCode::DNSSEC_BOGUS, text);
                }
            }
        }
        match (tried, is_no_zone_key) {
            (0, true) => {
                let text = format!("{what} is by a key that may not sign the zone");
                self.note(signature, ErrorCode::NO_ZONE_KEY_BIT_SET, text);
            }
            (0, false) => {
                let text = format!("{what} is by a key that {} does not have", self.signer);
                self.note(signature, ErrorCode::DNSKEY_MISSING, text);
            }
            _ => {}
        }
        Ok(None)
    }

    fn name(&self) -> String {
        format!("{} {}", self.rrset.owner, self.rrset.rr_type)
    }

    fn described(&self, signature: &Rrsig<'_>) -> String {
        let Rrsig { key_tag, algorithm, .. } = signature;
        format!("the signature of {} by key {key_tag} ({algorithm}) of {}", self.name(), self.signer)
    }

    /// Keeps the trouble that says most: one with the data itself, else the first.
    fn note(&mut self, signature: &Rrsig<'_>, code: ErrorCode, text: String) {
        self.write_down(signature, Some(&text));
        let is_better = code == ErrorCode::DNSSEC_BOGUS
            || self.trouble.as_ref().is_none_or(|known| {
                known.code == ErrorCode::UNSUPPORTED_DNSKEY_ALGORITHM
                    || known.code == ErrorCode::DNSKEY_MISSING
            });
        if is_better {
            self.trouble = Some(Trouble::new(code, text));
        }
    }

    fn write_down(&mut self, signature: &Rrsig<'_>, wrong: Option<&str>) {
        self.steps.push(signature_step(self.rrset, self.signer, signature, wrong));
    }
}
