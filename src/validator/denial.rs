//! Denials: which proof an answer needs that says that something is not there (RFC 4035 5.4, RFC 5155 8).

use super::chain::{self, Keys};
use super::positive::{self, Expansion, aside};
use super::validate::{Changes, Trouble, Verdict, Work};
use crate::dns::{ErrorCode, Name, NameRef, RrType, SharedRrset};
use crate::dnssec::denial::{check_no_ds, check_nodata, check_nxdomain, check_wildcard_answer};
use crate::dnssec::{Denial, Evidence, Hashes, NoDs, Rrsig};
use crate::limits;
use crate::observe::Step;
use crate::resolver::{End, Failure, Leg, Task};

/// Judges an answer that denies the name or the type.
pub(super) async fn judge(leg: &Leg, work: &Work<'_>, changes: &mut Changes) -> Result<Verdict, Failure> {
    let name = leg.aliases.last().map_or(&leg.question.name, |(_, to)| to);
    let rr_type = leg.question.rr_type;
    let gathered = match gather(leg, name, rr_type, work, changes).await? {
        Ok(gathered) => gathered,
        Err(verdict) => return Ok(verdict),
    };
    let is_nxdomain = leg.end == End::NxDomain;
    let (asked, proofs) = (name.clone(), gathered.clone());
    let check = move |hashes: &mut Hashes| match is_nxdomain {
        true => check_nxdomain(&proofs.evidence(), asked.as_ref(), hashes),
        false => check_nodata(&proofs.evidence(), asked.as_ref(), rr_type, hashes),
    };
    let denial = checked(work.task, check, Denial::TooManyHashes).await?;
    let what = match is_nxdomain {
        true => format!("that {name} does not exist"),
        false => format!("that {name} has no {rr_type}"),
    };
    Ok(gathered.verdict(denial, what, work))
}

/// Judges data that was made from wildcards: each of these names must be proven not to exist itself (RFC 4035 5.3.4, RFC 5155
/// 8.8), and by the zone of the wildcard: what is below a cut the zone above does not know, so its hashes cover all of it.
pub(super) async fn judge_expansions(
    expanded: &[Expansion],
    leg: &Leg,
    work: &Work<'_>,
    changes: &mut Changes,
) -> Result<Verdict, Failure> {
    let mut whole = Verdict::Secure;
    for Expansion { owner: name, zone, labels, .. } in expanded {
        let gathered = match gather_of(zone, leg, work, changes).await? {
            Ok(gathered) => gathered,
            Err(verdict) => {
                whole = whole.and(verdict);
                continue;
            }
        };
        let (asked, labels, proofs) = (name.clone(), *labels, gathered.clone());
        let check = move |hashes: &mut Hashes| {
            let closest_encloser = asked.as_ref().trim_to(labels);
            check_wildcard_answer(&proofs.evidence(), asked.as_ref(), closest_encloser, hashes)
        };
        let denial = checked(work.task, check, Denial::TooManyHashes).await?;
        let what = format!("that {name} does not exist beside the wildcard it was made from");
        whole = whole.and(gathered.verdict(denial, what, work));
    }
    Ok(whole)
}

/// What was made from a wildcard of a zone whose closest encloser has so many labels.
pub(super) struct Expanded<'e> {
    pub(super) owner: &'e Name,
    pub(super) labels: usize,
    pub(super) zone: &'e Name,
}

/// Whether its zone proves beyond doubt that the wildcard is the one to answer, with the signatures looked at anew: the answer as
/// a whole may not have stood validation.
pub(super) async fn is_expansion_proven(
    Expanded { owner, labels, zone }: Expanded<'_>,
    authority: &[SharedRrset],
    keys: &SharedRrset,
    work: &Work<'_>,
) -> Result<bool, Failure> {
    let mut proofs = Vec::new();
    for rrset in authority.iter().filter(|rrset| rrset.rr_type.is_proof() && is_of(rrset, zone)) {
        let good = positive::verify(rrset, zone, keys, work).await?;
        proofs.extend(good.is_ok_and(|good| good.closest_encloser.is_none()).then(|| rrset.clone()));
    }
    let (owner, zone) = (owner.clone(), zone.clone());
    let check = move |hashes: &mut Hashes| {
        let evidence = Evidence::new(zone.as_ref(), proofs.iter().map(|rrset| rrset.view()));
        check_wildcard_answer(&evidence, owner.as_ref(), owner.as_ref().trim_to(labels), hashes)
    };
    Ok(checked(work.task, check, Denial::TooManyHashes).await? == Denial::Proven)
}

/// NSEC or NSEC3 RRsets with good signatures of one zone.
#[derive(Clone)]
struct Gathered {
    zone: Name,
    proofs: Vec<SharedRrset>,
    /// What was wrong with others.
    trouble: Option<Trouble>,
}

impl Gathered {
    fn evidence(&self) -> Evidence<'_> {
        Evidence::new(self.zone.as_ref(), self.proofs.iter().map(|rrset| rrset.view()))
    }

    fn verdict(&self, denial: Denial, what: String, work: &Work<'_>) -> Verdict {
        let records = self.proofs.iter().map(|rrset| (rrset.owner.clone(), rrset.rr_type)).collect();
        let verdict = match denial {
            Denial::Proven => Verdict::Secure,
            Denial::OptOut => Verdict::Insecure(None),
            Denial::TooManyIterations => Verdict::Insecure(Some(too_many_iterations(&self.zone))),
            Denial::TooManyHashes => Verdict::Bogus(too_many_hashes(&self.zone)),
            Denial::Unproven(missing) => Verdict::Bogus(match &self.trouble {
                Some(trouble) => trouble.clone(),
                None => Trouble::new(
                    ErrorCode::NSEC_MISSING,
                    format!("{} does not prove {what}: {missing}", self.zone),
                ),
            }),
        };
        let holds = match &verdict {
            Verdict::Secure => "proven",
            Verdict::Bogus(_) => "not proven",
            _ => "proven but for unsigned delegations",
        };
        work.task.step(Step::Proof { what: what.into(), zone: self.zone.clone(), records, holds });
        verdict
    }
}

/// Gathers what an answer proves about a name. The error is the verdict on an answer that proves nothing.
async fn gather(
    leg: &Leg,
    name: &Name,
    rr_type: RrType,
    work: &Work<'_>,
    changes: &mut Changes,
) -> Result<Result<Gathered, Verdict>, Failure> {
    // RFC 4035 2.6: what DS there is, the zone above knows.
    let place = rr_type.place(name.as_ref());
    // Without proof, whoever signed the SOA has to answer for that.
    let Some(zone) = prover(leg, place, work).or_else(|| signer_of_soa(leg, place, work)) else {
        let (code, what) = match leg.authority.iter().any(|rrset| rrset.rr_type.is_proof()) {
            true => (ErrorCode::RRSIGS_MISSING, "what proves it is not signed"),
            false => (ErrorCode::NSEC_MISSING, "nothing proves it"),
        };
        let text = format!("{name} {rr_type}: nothing is there, and {what}, though the zone is signed");
        let bogus = || Verdict::Bogus(Trouble::new(code, text));
        return Ok(Err(chain::unsigned(place, work).await?.unwrap_or_else(bogus)));
    };
    gather_of(&zone, leg, work, changes).await
}

/// Gathers what a zone proves beside an answer. The error is the verdict on an answer that proves nothing.
async fn gather_of(
    zone: &Name,
    leg: &Leg,
    work: &Work<'_>,
    changes: &mut Changes,
) -> Result<Result<Gathered, Verdict>, Failure> {
    let keys = match chain::keys_of(zone, work).await? {
        Keys::Secure(keys) => keys,
        Keys::Not(verdict) => return Ok(Err(verdict)),
    };
    let mut gathered = Gathered { zone: zone.clone(), proofs: Vec::new(), trouble: None };
    for rrset in &leg.authority {
        if !is_of(rrset, zone) {
            changes.unproven.push(rrset.clone());
            continue;
        }
        if changes.is_good(rrset, zone) {
            gathered.proofs.extend((rrset.rr_type != RrType::SOA).then(|| rrset.clone()));
            continue;
        }
        match positive::verify(rrset, zone, &keys, work).await? {
            Ok(good) if rrset.rr_type == RrType::SOA => changes.good(rrset, zone, good.ttl),
            // RFC 4035 5.4: a proof made from a wildcard would prove anything.
            Ok(good) if good.closest_encloser.is_some() => {
                changes.unproven.push(rrset.clone());
                let text = format!(
                    "{} {} was made from a wildcard, and so proves nothing",
                    rrset.owner, rrset.rr_type
                );
                gathered.trouble = gathered.trouble.or(Some(Trouble::new(ErrorCode::DNSSEC_BOGUS, text)));
            }
            Ok(good) => {
                changes.good(rrset, zone, good.ttl);
                gathered.proofs.push(rrset.clone());
            }
            Err(trouble) if rrset.rr_type == RrType::SOA => return Ok(Err(Verdict::Bogus(trouble))),
            Err(trouble) => {
                changes.unproven.push(rrset.clone());
                gathered.trouble = gathered.trouble.or(Some(trouble));
            }
        }
    }
    Ok(Ok(gathered))
}

/// What of the authority section is of a zone: its proofs, and the SOA of a denial.
fn is_of(rrset: &SharedRrset, zone: &Name) -> bool {
    match rrset.rr_type {
        rr_type if rr_type.is_proof() => signer(rrset).is_some_and(|signer| signer == zone.as_ref()),
        RrType::SOA => rrset.owner == *zone,
        _ => false,
    }
}

/// The zone whose proofs stand in the authority section and can speak of a name: the nearest above it. Not one above the zone
/// that the SOA RRset is of: its proofs are those of an alias that leads into that one.
fn prover(leg: &Leg, name: NameRef<'_>, work: &Work<'_>) -> Option<Name> {
    let soa = soa_above(leg, name).map(|soa| soa.owner.as_ref());
    let proofs = leg.authority.iter().filter(|rrset| rrset.rr_type.is_proof());
    let counts = |signer: &NameRef<'_>| {
        let is_above_soa = soa.is_some_and(|soa| soa.is_below(*signer));
        work.counts(*signer, name) && !is_above_soa
    };
    let signers = proofs.filter_map(signer).filter(counts);
    signers.max_by_key(|signer| signer.label_count()).map(NameRef::to_name)
}

/// The zone that signed the SOA RRset of a denial.
fn signer_of_soa(leg: &Leg, name: NameRef<'_>, work: &Work<'_>) -> Option<Name> {
    signer(soa_above(leg, name)?).filter(|signer| work.counts(*signer, name)).map(NameRef::to_name)
}

/// The SOA RRset of a denial of this name.
fn soa_above<'l>(leg: &'l Leg, name: NameRef<'_>) -> Option<&'l SharedRrset> {
    let is_above =
        |rrset: &&SharedRrset| rrset.rr_type == RrType::SOA && name.is_at_or_below(rrset.owner.as_ref());
    leg.authority.iter().find(is_above)
}

/// The zone that signed an RRset. The first signature that can be read says.
fn signer(rrset: &SharedRrset) -> Option<NameRef<'_>> {
    let signatures = rrset.signatures().iter().take(limits::SIGNATURES_READ);
    signatures.filter_map(Rrsig::parse).map(|signature| signature.signer).next()
}

/// What these RRsets, each validated, say of a name that has no DS record.
pub(super) async fn no_ds(cut: &Name, authority: &[SharedRrset], work: &Work<'_>) -> Result<NoDs, Failure> {
    // Where an alias has led to the name, the proofs of the alias stand there too, and they may be of another zone.
    let place = RrType::DS.place(cut.as_ref());
    let proofs = || authority.iter().filter(|rrset| rrset.rr_type.is_proof());
    let above = proofs().filter_map(signer).filter(|signer| place.is_at_or_below(*signer));
    let zone = above.max_by_key(|signer| signer.label_count()).unwrap_or(NameRef::ROOT).to_name();
    let proofs: Vec<SharedRrset> = proofs().filter(|rrset| is_of(rrset, &zone)).cloned().collect();
    let cut = cut.clone();
    let check = move |hashes: &mut Hashes| {
        let evidence = Evidence::new(zone.as_ref(), proofs.iter().map(|rrset| rrset.view()));
        check_no_ds(&evidence, cut.as_ref(), hashes)
    };
    checked(work.task, check, NoDs::TooManyHashes).await
}

/// Checks proofs where the flight is, which nearly always takes less than to wake a thread; what turns out to need too many
/// hashes for that is begun anew away from whoever answers clients.
async fn checked<V: PartialEq + Send + 'static>(
    task: &Task,
    check: impl Fn(&mut Hashes) -> V + Send + 'static,
    too_many: V,
) -> Result<V, Failure> {
    let verdict = check(&mut Hashes::within(limits::DENIAL_BLOCKS_AT_ONCE));
    if verdict == too_many { aside(task, move || check(&mut Hashes::new())).await } else { Ok(verdict) }
}

/// What trouble with that means.
pub(super) fn of_no_ds(said: NoDs, cut: &Name) -> Verdict {
    match said {
        NoDs::InsecureDelegation | NoDs::OptOut | NoDs::NotACut => Verdict::Insecure(None),
        NoDs::TooManyIterations => Verdict::Insecure(Some(too_many_iterations(cut))),
        NoDs::TooManyHashes => Verdict::Bogus(too_many_hashes(cut).of_chain()),
        NoDs::Unproven(missing) => {
            let text = format!("nothing proves that {cut} is an unsigned zone: {missing}");
            Verdict::Bogus(Trouble::new(ErrorCode::NSEC_MISSING, text).of_chain())
        }
    }
}

fn too_many_iterations(zone: &Name) -> Trouble {
    let most = limits::NSEC3_ITERATIONS_CHECKED;
    let text =
        format!("{zone} hashes its names more than {most} times over (NSEC3), so it counts as unsigned");
    Trouble::new(ErrorCode::UNSUPPORTED_NSEC3_ITERATIONS, text)
}

fn too_many_hashes(zone: &Name) -> Trouble {
    let text = format!("the proof of {zone} needs more hashes than one answer is worth");
    Trouble::new(ErrorCode::UNSUPPORTED_NSEC3_ITERATIONS, text)
}
