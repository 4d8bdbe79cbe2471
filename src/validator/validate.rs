//! From what was resolved to whether it can be believed (RFC 4035 4.3 and 5).

use std::net::SocketAddr;
use std::sync::Arc;

use super::walked::Walked;
use super::{AnchorStore, Nearest, TrustAnchors, ValidationOptions};
use super::{chain, denial, positive};
use crate::cache::{Proven, Security};
use crate::clock::Unix;
use crate::dns::{ErrorCode, ExtendedError, Name, NameRef, RrType, Rrset, SharedRrset, Ttl};
use crate::observe::Step;
use crate::resolver::{End, Failure, Leg, Origin, Resolution, Task};

/// What validation needs beside the answer.
#[derive(Debug)]
pub struct Validation {
    /// How.
    pub options: ValidationOptions,
    /// Where chains of trust begin.
    pub anchors: Arc<AnchorStore>,
}

/// What came of it.
#[derive(Debug)]
pub struct Validated {
    /// The same answer, with what is to be thought of it, and TTLs no longer than its signatures hold.
    pub resolution: Resolution,
    /// When it is bogus and others might say better: the servers that said it.
    pub suspects: Option<Arc<[SocketAddr]>>,
}

/// What is to be thought of something.
#[derive(Debug, Clone)]
pub(super) enum Verdict {
    /// There is a chain of trust to it.
    Secure,
    /// There is none and need not be; and why not, when it is signed.
    Insecure(Option<Trouble>),
    /// There is no trust anchor above it.
    Indeterminate,
    /// There should be one, and is none.
    Bogus(Trouble),
}

/// Why something is bogus, or insecure although it is signed.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub(super) code: ErrorCode,
    pub(super) text: String,
    /// It lies in what was said of the question itself, so that another server may say better.
    pub(super) is_of_answer: bool,
}

impl Trouble {
    pub(super) fn new(code: ErrorCode, text: impl Into<String>) -> Trouble {
        Trouble { code, text: text.into(), is_of_answer: true }
    }

    /// The same, in the chain of trust above what was said.
    pub(super) fn of_chain(self) -> Trouble {
        Trouble { is_of_answer: false, ..self }
    }

    pub(super) fn of_error(error: &ExtendedError) -> Trouble {
        Trouble::new(error.code, error.text.clone()).of_chain()
    }

    fn error(&self) -> ExtendedError {
        ExtendedError { code: self.code, text: self.text.clone().into() }
    }
}

/// The validation of one answer: what it is judged by.
pub(super) struct Work<'t> {
    pub(super) task: &'t Task,
    pub(super) options: &'t ValidationOptions,
    pub(super) anchors: Arc<TrustAnchors>,
    pub(super) unix: Unix,
    pub(super) walked: Walked,
}

impl Work<'_> {
    /// The trust anchor nearest above a name. What is served here without keys is its owner's word, so below such a zone
    /// there is none unless the operator gave one.
    pub(super) fn nearest(&self, name: NameRef<'_>) -> Nearest<'_> {
        let nearest = self.anchors.nearest(name, self.unix);
        let depth = self.task.here().and_then(|here| here.depth(name));
        match (depth, nearest) {
            (Some(depth), Nearest::Anchor(anchor)) if depth > anchor.apex.as_ref().label_count() => {
                Nearest::None
            }
            _ => nearest,
        }
    }

    /// Whether the word of a zone counts for data of a place, which it must be at or above. Not that of a zone above the nearest
    /// trust anchor: a chain of trust begins there for all that is below.
    pub(super) fn counts(&self, zone: NameRef<'_>, place: NameRef<'_>) -> bool {
        place.is_at_or_below(zone)
            && match self.nearest(place) {
                Nearest::Anchor(anchor) => zone.is_at_or_below(anchor.apex.as_ref()),
                _ => true,
            }
    }
}

/// Validates an answer leg by leg. The error is one of getting what that takes, or of the budget.
pub async fn validate(
    found: &Arc<Resolution>,
    validation: &Validation,
    task: &Task,
) -> Result<Validated, Failure> {
    let (anchors, unix) = (validation.anchors.current(), task.now().unix);
    let work = Work { task, options: &validation.options, anchors, unix, walked: Walked::default() };
    let resolution = Resolution { denial: None, ..Resolution::clone(found) };
    let mut judged = Judged { resolution, verdict: Verdict::Secure };
    for leg in &found.legs {
        let verdict = match &leg.origin {
            // A zone served here answers for itself; for others that is no proof.
            Origin::Here { .. } => Verdict::Insecure(None),
            Origin::Cache(security, error) if *security != Security::Unchecked => {
                // With aliases before it, it was judged as a whole.
                judged.resolution.denial = leg.answer.is_empty().then_some(*security);
                of_cache(*security, error.as_deref())
            }
            Origin::Cache(..) | Origin::Network { .. } => {
                let mut changes = Changes::default();
                let verdict = judge(leg, &work, &mut changes).await?;
                // Who wants what is bogus wants it as it came.
                if !matches!(verdict, Verdict::Bogus(_)) {
                    judged.change(changes);
                }
                verdict
            }
        };
        judged.take(verdict);
        if matches!(judged.verdict, Verdict::Bogus(_)) {
            break;
        }
    }
    Ok(judged.end(found, task))
}

/// What validation has said before, as a verdict on what is built on it.
pub(super) fn of_cache(security: Security, error: Option<&ExtendedError>) -> Verdict {
    let trouble = || error.map(Trouble::of_error);
    match security {
        Security::Secure => Verdict::Secure,
        Security::Indeterminate => Verdict::Indeterminate,
        Security::Insecure | Security::Unchecked => Verdict::Insecure(trouble()),
        Security::Bogus => Verdict::Bogus(trouble().unwrap_or_else(|| {
            Trouble::new(ErrorCode::DNSSEC_BOGUS, "the answer did not stand validation").of_chain()
        })),
    }
}

/// What becomes of the RRsets of an answer when their signatures are read.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// With the TTL they may have, when that is less than they say.
    pub(super) shortened: Vec<SharedRrset>,
    /// Proofs without a good signature: nobody is to rely on them, now or later.
    pub(super) unproven: Vec<SharedRrset>,
    /// What has a good signature and says more than it was asked for.
    pub(super) proven: Vec<Proven>,
    /// RRsets of the answer, each with what is to be thought of it alone.
    judged: Vec<(SharedRrset, Security)>,
    /// What is to be thought of the denial alone.
    denial: Option<Security>,
}

impl Changes {
    /// A proof of a zone, or its SOA, has a good signature that holds for so long.
    pub(super) fn good(&mut self, rrset: &SharedRrset, zone: &Name, most: Ttl) {
        let shorter = shortened(rrset, most);
        let rrset = shorter.as_ref().unwrap_or(rrset).clone();
        self.proven.push(Proven { zone: zone.clone(), rrset });
        self.shortened.extend(shorter);
    }

    /// Whether it was found to be so before, for another name of the same answer.
    pub(super) fn is_good(&self, rrset: &Rrset, zone: &Name) -> bool {
        self.proven.iter().any(|proven| proven.zone == *zone && proves(&proven.rrset, rrset))
    }
}

/// What is to be thought of one leg.
async fn judge(leg: &Leg, work: &Work<'_>, changes: &mut Changes) -> Result<Verdict, Failure> {
    if leg.question.rr_type == RrType::DNSKEY
        && leg.end == End::Data
        && leg.aliases.is_empty()
        && let Some(verdict) = chain::judge_keys(leg, work, changes).await?
    {
        changes.judged.extend(leg.answer.iter().map(|rrset| (rrset.clone(), verdict.security())));
        return Ok(verdict);
    }
    let mut whole = Verdict::Secure;
    let mut expanded = Vec::new();
    let mut dname: Option<(&SharedRrset, Ttl)> = None;
    for rrset in &leg.answer {
        // RFC 6672 5.3.1: it was made here from the DNAME, whose signature is the one to verify, and holds as long (3.1). One
        // beside the DNAME, as an answer to ANY may have it, was not.
        if let Some((dname, ttl)) = dname.take()
            && rrset.rr_type == RrType::CNAME
            && !rrset.is_signed()
            && rrset.owner.as_ref().is_below(dname.owner.as_ref())
        {
            changes.shortened.extend(shortened(rrset, ttl));
            continue;
        }
        let judged = positive::judge(rrset, work).await?;
        if rrset.rr_type == RrType::DNAME {
            dname = Some((rrset, judged.shortened.as_ref().unwrap_or(rrset).ttl));
        }
        changes.shortened.extend(judged.shortened);
        if let Some(mut expansion) = judged.expansion {
            changes.proven.extend(expansion.source.take());
            expanded.push(expansion);
        }
        changes.judged.push((rrset.clone(), judged.verdict.security()));
        whole = whole.and(judged.verdict);
        // What is insecure is no word on what stands beside it: an alias of an unsigned zone may lead into a signed one.
        if matches!(whole, Verdict::Bogus(_)) {
            return Ok(whole);
        }
    }
    if matches!(leg.end, End::NoData | End::NxDomain) {
        let verdict = denial::judge(leg, work, changes).await?;
        changes.denial = Some(verdict.security());
        whole = whole.and(verdict);
    } else if expanded.is_empty() {
        // Nothing needs them, so nobody has looked at them: they are not to be shown as if somebody had.
        changes.unproven.extend(leg.authority.iter().cloned());
    }
    // Whatever an alias leads to, it is an alias of this name only if the wildcard may speak for it.
    Ok(whole.and(denial::judge_expansions(&expanded, leg, work, changes).await?))
}

impl Verdict {
    /// Of two parts of one answer: it is as good as the worse.
    pub(super) fn and(self, other: Verdict) -> Verdict {
        let rank = |verdict: &Verdict| match verdict {
            Verdict::Secure => 0,
            Verdict::Insecure(None) => 1,
            Verdict::Insecure(Some(_)) => 2,
            Verdict::Indeterminate => 3,
            Verdict::Bogus(_) => 4,
        };
        if rank(&other) > rank(&self) { other } else { self }
    }

    fn security(&self) -> Security {
        match self {
            Verdict::Secure => Security::Secure,
            Verdict::Insecure(_) => Security::Insecure,
            Verdict::Indeterminate => Security::Indeterminate,
            Verdict::Bogus(_) => Security::Bogus,
        }
    }
}

struct Judged {
    resolution: Resolution,
    verdict: Verdict,
}

impl Judged {
    fn take(&mut self, verdict: Verdict) {
        let before = std::mem::replace(&mut self.verdict, Verdict::Secure);
        self.verdict = before.and(verdict);
    }

    fn change(&mut self, Changes { shortened, unproven, proven, judged, denial }: Changes) {
        self.resolution.denial = denial;
        // What proves nothing of one name may prove something of another.
        let is_proven = |rrset: &Rrset| proven.iter().any(|proven| proves(&proven.rrset, rrset));
        let Resolution { answer, authority, learnt, .. } = &mut self.resolution;
        for (rrset, security) in &judged {
            let own = learnt.iter_mut().filter(|learnt| is_same(&learnt.rrset, rrset));
            own.for_each(|learnt| learnt.security = *security);
        }
        let is_unproven = |rrset: &Rrset| unproven.iter().any(|unproven| is_same(unproven, rrset));
        authority.retain(|rrset| is_proven(rrset) || !is_unproven(rrset));
        let learnt = learnt.iter_mut().map(|learnt| &mut learnt.rrset);
        for rrset in answer.iter_mut().chain(authority).chain(learnt) {
            if let Some(new) = shortened.iter().find(|new| is_same(new, rrset)) {
                *rrset = new.clone();
            }
        }
        self.resolution.proven.extend(proven);
    }

    fn end(mut self, found: &Resolution, task: &Task) -> Validated {
        let security = self.verdict.security();
        let trouble = match self.verdict {
            Verdict::Secure | Verdict::Indeterminate => None,
            Verdict::Insecure(trouble) => trouble,
            Verdict::Bogus(trouble) => Some(trouble),
        };
        let error = trouble.as_ref().map(|trouble| Arc::new(trouble.error()));
        task.step(Step::Judged(task.question.clone(), security.word(), error.clone()));
        self.resolution.security = security;
        self.resolution.error = error;
        // RFC 8198 4: only what is secure speaks of other names.
        if security != Security::Secure {
            self.resolution.proven.clear();
        }
        if security == Security::Bogus {
            self.resolution.denial = None;
        }
        // What is bogus is not kept by itself, nor what nobody has looked at. The rest is as good as it is alone, whatever
        // an alias leads to, or comes from.
        match security {
            Security::Bogus => self.resolution.learnt.clear(),
            _ => self.resolution.learnt.retain(|learnt| learnt.security != Security::Unchecked),
        }
        let is_of_answer = trouble.is_some_and(|trouble| trouble.is_of_answer);
        let suspects = (security == Security::Bogus && is_of_answer).then(|| servers(found));
        Validated { resolution: self.resolution, suspects }
    }
}

fn is_same(one: &Rrset, other: &Rrset) -> bool {
    one.owner == other.owner && one.rr_type == other.rr_type
}

/// Whether a signature that is good for the one is good for the other, which may stand in another section and say other things
/// of the same name.
fn proves(one: &Rrset, other: &Rrset) -> bool {
    is_same(one, other) && one.records() == other.records() && one.signatures() == other.signatures()
}

fn servers(found: &Resolution) -> Arc<[SocketAddr]> {
    let server = |leg: &Leg| match &leg.origin {
        Origin::Network { server, .. } => *server,
        _ => None,
    };
    found.legs.iter().filter_map(server).collect()
}

/// The RRset as long as its signature holds, when that is shorter.
pub(super) fn shortened(rrset: &Rrset, most: Ttl) -> Option<SharedRrset> {
    (most < rrset.ttl).then(|| {
        let mut shorter = rrset.clone();
        shorter.ttl = most;
        Arc::new(shorter)
    })
}
