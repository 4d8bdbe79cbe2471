//! What is looked at while a zone is built: the records of one owner among themselves.

use super::problem::{Problem, Report};
use crate::dns::{NameRef, RrType};
use crate::dnssec::Nsec3Params;
use crate::limits::{NSEC3_ITERATIONS, ZONE_OWNER_OCTETS};
use crate::zone::merge::{Record, distinct};
use crate::zone::zone::SoaNumbers;

/// Looks at the records of one owner, sorted by type.
pub(in crate::zone) fn check_owner<M: Copy>(
    owner: NameRef<'_>,
    is_apex: bool,
    records: &[Record<'_, M>],
    report: &mut Report<M>,
) {
    let of_type = |rr_type: RrType| {
        let start = records.partition_point(|record| record.rr_type < rr_type);
        let end = records.partition_point(|record| record.rr_type <= rr_type);
        &records[start..end]
    };
    let mut octets = 0;
    for record in records {
        octets += 2 + record.rdata.len();
        if record.rr_type.is_meta() {
            report.add(Problem::MetaType(record.rr_type), owner, Some(record.mark), None);
        }
        if record.rdata.len() > usize::from(u16::MAX) {
            report.add(Problem::RdataTooLong(record.rr_type), owner, Some(record.mark), None);
        }
    }
    if octets > ZONE_OWNER_OCTETS {
        report.add(Problem::TooMuchAtOneName, owner, Some(records[0].mark), None);
    }
    check_soa(owner, is_apex, of_type(RrType::SOA), report);
    for record in of_type(RrType::NSEC3PARAM) {
        let params = Nsec3Params::from_nsec3param(record.rdata);
        if let Some(params) = params.filter(|params| is_apex && params.iterations > NSEC3_ITERATIONS) {
            report.add(Problem::TooManyIterations(params.iterations), owner, Some(record.mark), None);
        }
    }
    if is_apex && of_type(RrType::NS).is_empty() {
        report.add(Problem::NoApexNs, owner, None, None);
    }
    if let [cname, ..] = of_type(RrType::CNAME) {
        // RFC 4035 2.5: its signature and NSEC are the only company of a CNAME.
        let company = [RrType::CNAME, RrType::RRSIG, RrType::NSEC];
        if let Some(beside) = records.iter().find(|record| !company.contains(&record.rr_type)) {
            report.add(Problem::CnameBeside(beside.rr_type), owner, Some(cname.mark), Some(beside.mark));
        }
        check_single(owner, of_type(RrType::CNAME), Problem::TwoCnames, report);
    }
    if let [dname, ..] = of_type(RrType::DNAME) {
        check_single(owner, of_type(RrType::DNAME), Problem::TwoDnames, report);
        if let ([ns, ..], false) = (of_type(RrType::NS), is_apex) {
            report.add(Problem::DnameAtCut, owner, Some(dname.mark), Some(ns.mark));
        }
    }
}

fn check_soa<M: Copy>(owner: NameRef<'_>, is_apex: bool, soas: &[Record<'_, M>], report: &mut Report<M>) {
    let Some(first) = soas.first() else {
        return;
    };
    if !is_apex {
        return report.add(Problem::SoaBelowApex, owner, Some(first.mark), None);
    }
    if SoaNumbers::read(first.rdata).is_none() {
        report.add(Problem::BadSoa, owner, Some(first.mark), None);
    }
    check_single(owner, soas, Problem::SecondSoa, report);
}

/// Of some types a name has one record; the same one twice is no harm.
fn check_single<M: Copy>(
    owner: NameRef<'_>,
    records: &[Record<'_, M>],
    problem: Problem,
    report: &mut Report<M>,
) {
    if let [_, second, ..] = distinct(records).as_slice() {
        // The first whose octets are those of the second kept: it came before all its own duplicates.
        let second = records.iter().find(|record| record.rdata == *second);
        report.add(problem, owner, second.map(|record| record.mark), Some(records[0].mark));
    }
}
