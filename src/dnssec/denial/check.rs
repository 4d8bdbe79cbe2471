//! Whether the records that came with an answer prove what it says: the half of the one who validates.

use super::super::nsec::TypeBitmap;
use super::by_nsec::ByNsec;
use super::by_nsec3::ByNsec3;
use super::evidence::{Evidence, Hashing};
use super::hashes::Hashes;
use super::verdict::{Denial, Failure, Missing, NoDs};
use crate::dns::{NameRef, RrType};
use crate::limits;

/// That neither the name exists nor a wildcard it could be made of (RFC 4035 5.4, RFC 5155 8.4).
pub fn check_nxdomain(evidence: &Evidence<'_>, name: NameRef<'_>, hashes: &mut Hashes) -> Denial {
    check(evidence, name, hashes, |chain| chain.nxdomain(name), |mut chain| chain.nxdomain(name)).into()
}

/// That a name has not this type, nor an alias, or that a wildcard has not that answers for it (RFC 4035 5.4, RFC 5155 8.5
/// to 8.7).
pub fn check_nodata(
    evidence: &Evidence<'_>,
    name: NameRef<'_>,
    rr_type: RrType,
    hashes: &mut Hashes,
) -> Denial {
    if rr_type == RrType::DS && name == evidence.apex && !name.is_root() {
        // RFC 4035 2.4: DS is data of the parent zone.
        return Denial::Unproven(Missing::ParentSide);
    }
    let (plain, hashed) = (
        |chain: ByNsec<'_>| chain.nodata(name, rr_type),
        |mut chain: ByNsec3<'_>| chain.nodata(name, rr_type),
    );
    check(evidence, name, hashes, plain, hashed).into()
}

/// That a name does not exist for which the wildcard below `closest_encloser` has answered, nor any name between the two (RFC
/// 4035 5.3.4, RFC 5155 8.8).
pub fn check_wildcard_answer(
    evidence: &Evidence<'_>,
    name: NameRef<'_>,
    closest_encloser: NameRef<'_>,
    hashes: &mut Hashes,
) -> Denial {
    if !closest_encloser.is_at_or_below(evidence.apex) || !name.is_below(closest_encloser) {
        return Denial::Unproven(Missing::OutOfZone);
    }
    let plain = |chain: ByNsec<'_>| chain.wildcard_answer(name, closest_encloser);
    let hashed = |mut chain: ByNsec3<'_>| chain.wildcard_answer(name, closest_encloser);
    check(evidence, name, hashes, plain, hashed).into()
}

/// What the parent zone's chain says of a name that has no DS there.
pub fn check_no_ds(evidence: &Evidence<'_>, name: NameRef<'_>, hashes: &mut Hashes) -> NoDs {
    if name == evidence.apex {
        return NoDs::Unproven(Missing::ParentSide);
    }
    let checked = check(evidence, name, hashes, |chain| chain.no_ds(name), |mut chain| chain.no_ds(name));
    checked.unwrap_or_else(NoDs::from)
}

/// Looks at the NSEC records, and where they prove nothing at the NSEC3 records.
fn check<T>(
    evidence: &Evidence<'_>,
    name: NameRef<'_>,
    hashes: &mut Hashes,
    plain: impl FnOnce(ByNsec<'_>) -> Result<T, Missing>,
    hashed: impl FnOnce(ByNsec3<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if !name.is_at_or_below(evidence.apex) {
        return Err(Missing::OutOfZone.into());
    }
    let by_nsec = (!evidence.nsecs.is_empty()).then(|| plain(ByNsec { evidence }));
    match (by_nsec, evidence.hashing) {
        (Some(Ok(proven)), _) => Ok(proven),
        (Some(Err(missing)), Hashing::None) => Err(missing.into()),
        (None, Hashing::None) => Err(Missing::Records.into()),
        (_, Hashing::Mixed) => Err(Missing::OneHashing.into()),
        (_, Hashing::With { iterations, .. }) if iterations > limits::NSEC3_ITERATIONS_CHECKED => {
            Err(Failure::TooManyIterations)
        }
        (_, Hashing::With { iterations, salt }) => hashed(ByNsec3 { evidence, iterations, salt, hashes }),
    }
}

/// Whether the types at a name, or at the wildcard that answers for it, say that there is no answer of this type.
pub(super) fn denies(types: TypeBitmap<'_>, name: NameRef<'_>, rr_type: RrType) -> Result<(), Missing> {
    if rr_type == RrType::DS {
        // RFC 6840 4.4: the parent of the root is nobody, so its DS is denied by itself.
        if types.has(RrType::SOA) && !name.is_root() {
            return Err(Missing::ParentSide);
        }
    } else if types.is_delegation() {
        return Err(Missing::ChildSide);
    }
    // Nothing but an empty non-terminal has no data at all.
    if types.has(rr_type) || (rr_type == RrType::ANY && !types.is_empty()) {
        return Err(Missing::NoType);
    }
    // RFC 6840 4.3: an alias would have been the answer.
    if types.has(RrType::CNAME) {
        return Err(Missing::NoAlias);
    }
    Ok(())
}

/// What the types at a name say of a delegation without DS there (RFC 6840 4.4).
pub(super) fn no_ds_at(types: TypeBitmap<'_>) -> Result<NoDs, Missing> {
    if types.has(RrType::SOA) {
        Err(Missing::ParentSide)
    } else if types.has(RrType::DS) {
        Err(Missing::NoType)
    } else if types.has(RrType::NS) {
        Ok(NoDs::InsecureDelegation)
    } else {
        Ok(NoDs::NotACut)
    }
}

/// That names below one with these types belong to the zone (RFC 6840 4.1).
pub(super) fn may_enclose(types: TypeBitmap<'_>) -> Result<(), Missing> {
    if types.is_delegation() {
        return Err(Missing::BelowDelegation);
    }
    if types.has(RrType::DNAME) {
        return Err(Missing::BelowDname);
    }
    Ok(())
}
