//! Records that are signed well and prove nothing of what is claimed (RFC 6840 4, RFC 5155 8 and 12).

use super::*;

const NX: Claim = Claim::NxDomain;
const NO_DS: Claim = Claim::NoDs;
const A: Claim = Claim::NoData(RrType::A);
const DS: Claim = Claim::NoData(RrType::DS);

/// Case, the zone that signed, lines below `example.`, claim, name, what is found.
type Row<'a> = (&'a str, &'a str, &'a str, Claim, &'a str, &'a str);

fn assert_rows(rows: &[Row<'_>]) {
    for (case, apex, lines, claim, asked, want) in rows {
        let (apex, came) = (name(apex), records(lines));
        let got = found(&evidence(&apex, &came), claim, asked, &mut Hashes::new());
        assert_eq!(got, *want, "{case}");
    }
}

#[test]
fn false_proofs_by_nsec_are_refused() {
    let example = "example.";
    assert_rows(&[
        ("nothing came", example, "", NX, "a.example.", "Unproven(Records)"),
        ("next name out of the zone", example, "m NSEC z.test. A", NX, "n.example.", "Unproven(Records)"),
        (
            "owner out of the zone",
            "sub.example.",
            "m NSEC z.sub A",
            NX,
            "n.sub.example.",
            "Unproven(Records)",
        ),
        ("name out of the zone", example, "@ NSEC @ NS SOA", NX, "n.test.", "Unproven(OutOfZone)"),
        ("span that goes back", example, "m NSEC b A", NX, "n.example.", "Unproven(Records)"),
        ("no span", example, "a NSEC b A", NX, "m.example.", "Unproven(Cover)"),
        (
            "the name is the owner",
            example,
            "a NSEC c A\n@ NSEC a NS SOA",
            NX,
            "a.example.",
            "Unproven(Absence)",
        ),
        ("the name is the next", example, "a NSEC c A\n@ NSEC a NS SOA", NX, "c.example.", "Unproven(Cover)"),
        (
            "below a delegation",
            example,
            "@ NSEC cut NS SOA\ncut NSEC d NS",
            NX,
            "x.cut.example.",
            "Unproven(BelowDelegation)",
        ),
        (
            "types below a delegation",
            example,
            "cut NSEC x.y.cut NS",
            A,
            "y.cut.example.",
            "Unproven(BelowDelegation)",
        ),
        (
            "no cut below a delegation",
            example,
            "cut NSEC d NS DS",
            NO_DS,
            "x.cut.example.",
            "Unproven(BelowDelegation)",
        ),
        (
            "below a DNAME",
            example,
            "@ NSEC dn NS SOA\ndn NSEC e DNAME",
            NX,
            "x.dn.example.",
            "Unproven(BelowDname)",
        ),
        (
            "wildcard below a DNAME",
            example,
            "dn NSEC e DNAME",
            Claim::Wildcard("dn.example."),
            "x.dn.example.",
            "Unproven(BelowDname)",
        ),
        ("DNAME at the apex", example, "@ NSEC @ NS SOA DNAME", NX, "x.example.", "Unproven(BelowDname)"),
        ("beside a DNAME", example, "@ NSEC dn NS SOA\ndn NSEC e DNAME", NX, "dna.example.", "Proven"),
        ("empty non-terminal", example, "@ NSEC a.b NS SOA", NX, "b.example.", "Unproven(Absence)"),
        (
            "a wildcard that nobody denies",
            example,
            "a NSEC c A",
            NX,
            "b.example.",
            "Unproven(NoWildcard(*.example.))",
        ),
        (
            "a wildcard that exists",
            example,
            "a NSEC c A\n* NSEC a A",
            NX,
            "b.example.",
            "Unproven(NoWildcard(*.example.))",
        ),
        (
            "a wildcard that is empty",
            example,
            "@ NSEC x.* NS SOA\nx.* NSEC c A",
            NX,
            "b.example.",
            "Unproven(NoWildcard(*.example.))",
        ),
        ("the type is there", example, "a NSEC b A", A, "a.example.", "Unproven(NoType)"),
        (
            "any type is there",
            example,
            "a NSEC b A",
            Claim::NoData(RrType::ANY),
            "a.example.",
            "Unproven(NoType)",
        ),
        ("an alias is there", example, "a NSEC b CNAME", A, "a.example.", "Unproven(NoAlias)"),
        ("the type at the wildcard", example, "* NSEC c A", A, "b.example.", "Unproven(NoType)"),
        ("an alias at the wildcard", example, "* NSEC c CNAME", A, "b.example.", "Unproven(NoAlias)"),
        (
            "a wildcard further up",
            example,
            "* NSEC a.b TXT\na.b NSEC c A",
            A,
            "x.b.example.",
            "Unproven(WildcardTypes(*.b.example.))",
        ),
        (
            "NXDOMAIN sold as NODATA",
            example,
            "@ NSEC c NS SOA",
            A,
            "b.example.",
            "Unproven(WildcardTypes(*.example.))",
        ),
        ("the parent side of a cut", example, "cut NSEC d NS", A, "cut.example.", "Unproven(ChildSide)"),
        (
            "the child side of a cut",
            "sub.example.",
            "sub NSEC sub NS SOA",
            DS,
            "sub.example.",
            "Unproven(ParentSide)",
        ),
        ("a SOA at a cut", example, "sub NSEC sux NS SOA", DS, "sub.example.", "Unproven(ParentSide)"),
        (
            "no cut by the child",
            "sub.example.",
            "sub NSEC sub NS SOA",
            NO_DS,
            "sub.example.",
            "Unproven(ParentSide)",
        ),
        ("no cut by a SOA", example, "sub NSEC sux NS SOA", NO_DS, "sub.example.", "Unproven(ParentSide)"),
        ("a DS is there", example, "sub NSEC sux NS DS", NO_DS, "sub.example.", "Unproven(NoType)"),
        ("no cut without NS", example, "sub NSEC sux A", NO_DS, "sub.example.", "NotACut"),
        (
            "the name has data of its own",
            example,
            "a NSEC b A",
            Claim::Wildcard("example."),
            "a.example.",
            "Unproven(Absence)",
        ),
        (
            "a closer encloser",
            example,
            "a.b NSEC c A",
            Claim::Wildcard("example."),
            "x.b.example.",
            "Unproven(SourceOfSynthesis)",
        ),
        (
            "a wildcard of another zone",
            "b.example.",
            "a.b NSEC b A",
            Claim::Wildcard("example."),
            "x.b.example.",
            "Unproven(OutOfZone)",
        ),
        (
            "a wildcard beside the name",
            example,
            "a.b NSEC c A",
            Claim::Wildcard("c.example."),
            "x.b.example.",
            "Unproven(OutOfZone)",
        ),
    ]);
}

#[test]
fn the_root_denies_its_own_ds() {
    let (root, nsec) = (Name::root(), [rrset(".", RrType::NSEC, b"\0\0\x01\x22")]);
    assert_eq!(found(&evidence(&root, &nsec), &DS, ".", &mut Hashes::new()), "Proven");
}

#[test]
fn false_proofs_by_nsec3_are_refused() {
    let apex = nsec3_line("example.", false, "NS SOA");
    let covered = |of: &str| nsec3_line(of, true, "A");
    let cut =
        nsec3_line("cut.example.", false, "NS") + &covered("x.cut.example.") + &covered("*.cut.example.");
    let dname =
        nsec3_line("dn.example.", false, "DNAME") + &covered("x.dn.example.") + &covered("*.dn.example.");
    let whole = apex.clone() + &covered("b.example.") + &covered("*.example.");
    let changed = |from: &str, to: &str| whole.replace(from, to);
    let example = "example.";
    let many = "TooManyIterations";
    assert_rows(&[
        ("good", example, &whole, NX, "b.example.", "Proven"),
        ("below good", example, &whole, NX, "x.y.b.example.", "Proven"),
        ("name out of the zone", example, &whole, NX, "b.test.", "Unproven(OutOfZone)"),
        ("owner below another name", "other.example.", &whole, NX, "b.other.example.", "Unproven(Records)"),
        (
            "owner two labels down",
            example,
            &changed(" NSEC3", ".x NSEC3"),
            NX,
            "b.example.",
            "Unproven(Records)",
        ),
        ("owner is no hash", example, &format!("x{}", &apex[1..]), NX, "b.example.", "Unproven(Records)"),
        ("unknown algorithm", example, &changed("NSEC3 1", "NSEC3 2"), NX, "b.example.", "Unproven(Records)"),
        ("unknown flags", example, &changed("NSEC3 1 0", "NSEC3 1 2"), NX, "b.example.", "Unproven(Records)"),
        (
            "other parameters",
            example,
            &(apex.clone() + &changed("0 0 -", "0 1 -")),
            NX,
            "b.example.",
            "Unproven(OneHashing)",
        ),
        ("too many iterations", example, &changed("0 0 -", "0 51 -"), NX, "b.example.", many),
        ("too many for a cut", example, &changed("0 0 -", "0 51 -"), NO_DS, "b.example.", many),
        (
            "too many beside few",
            example,
            &(apex.clone() + &changed("0 0 -", "0 51 -")),
            NO_DS,
            "b.example.",
            "Unproven(OneHashing)",
        ),
        ("opt-out", example, &changed("NSEC3 1 0", "NSEC3 1 1"), NX, "b.example.", "OptOut"),
        ("no encloser", example, &covered("b.example."), NX, "b.example.", "Unproven(ClosestEncloser)"),
        ("no next closer", example, &apex, NX, "b.example.", "Unproven(NextCloser(b.example.))"),
        (
            "no wildcard denied",
            example,
            &(apex.clone() + &covered("b.example.")),
            NX,
            "b.example.",
            "Unproven(NoWildcard(*.example.))",
        ),
        ("NXDOMAIN sold as NODATA", example, &whole, A, "b.example.", "Unproven(WildcardTypes(*.example.))"),
        ("below a delegation", example, &cut, NX, "x.cut.example.", "Unproven(BelowDelegation)"),
        ("no cut below a delegation", example, &cut, NO_DS, "x.cut.example.", "Unproven(BelowDelegation)"),
        ("below a DNAME", example, &dname, NX, "x.dn.example.", "Unproven(BelowDname)"),
        ("the parent side of a cut", example, &cut, A, "cut.example.", "Unproven(ChildSide)"),
        ("an insecure cut", example, &cut, NO_DS, "cut.example.", "InsecureDelegation"),
        ("the child side of a cut", example, &apex, DS, "example.", "Unproven(ParentSide)"),
        (
            "a SOA at a cut",
            example,
            &nsec3_line("sub.example.", false, "NS SOA"),
            DS,
            "sub.example.",
            "Unproven(ParentSide)",
        ),
        (
            "no cut by a SOA",
            example,
            &nsec3_line("sub.example.", false, "NS SOA"),
            NO_DS,
            "sub.example.",
            "Unproven(ParentSide)",
        ),
        (
            "the type is there",
            example,
            &nsec3_line("b.example.", false, "A"),
            A,
            "b.example.",
            "Unproven(NoType)",
        ),
        (
            "an alias is there",
            example,
            &nsec3_line("b.example.", false, "CNAME"),
            A,
            "b.example.",
            "Unproven(NoAlias)",
        ),
        (
            "an alias at the wildcard",
            example,
            &(apex.clone() + &covered("b.example.") + &nsec3_line("*.example.", false, "CNAME")),
            A,
            "b.example.",
            "Unproven(NoAlias)",
        ),
        (
            "the name exists",
            example,
            &(apex.clone() + &nsec3_line("b.example.", false, "A")),
            Claim::Wildcard("example."),
            "b.example.",
            "Unproven(NextCloser(b.example.))",
        ),
        (
            "a closer encloser",
            example,
            &covered("x.b.example."),
            Claim::Wildcard("example."),
            "x.b.example.",
            "Unproven(NextCloser(b.example.))",
        ),
    ]);
}

#[test]
fn a_record_made_of_a_wildcard_proves_nothing() {
    let apex = name("example.");
    let signature = |labels: u8, signer: &str| {
        [&[0, 47, 8, labels][..], &[0; 14], name(signer).octets(), b"signature"].concat()
    };
    let (good, bad) = ("Proven", "Unproven(Records)");
    for (case, owner, signatures, want) in [
        ("checked elsewhere", "a.example.", vec![], good),
        ("as it stands", "a.example.", vec![signature(2, "example.")], good),
        ("of a wildcard", "a.example.", vec![signature(1, "example.")], bad),
        ("the wildcard itself", "*.example.", vec![signature(1, "example.")], good),
        ("more labels than there are", "a.example.", vec![signature(3, "example.")], bad),
        ("by another zone", "a.example.", vec![signature(2, "test.")], bad),
        ("one of two", "a.example.", vec![signature(1, "example."), signature(2, "EXAMPLE.")], good),
        ("cut short", "a.example.", vec![vec![0, 47, 8, 2]], bad),
    ] {
        let mut nsec = rrset(owner, RrType::NSEC, b"\x01z\x07example\0\0\x01\x40");
        let signatures: RecordsBuf = signatures.iter().map(Vec::as_slice).collect();
        nsec = Rrset::new(
            nsec.owner.clone(),
            nsec.rr_type,
            nsec.ttl,
            nsec.records().iter().collect(),
            signatures,
        );
        let got = found(&evidence(&apex, &[nsec]), &Claim::NoData(RrType::MX), owner, &mut Hashes::new());
        assert_eq!(got, want, "{case}");
    }
}

#[test]
fn a_name_with_two_records_of_a_chain_proves_nothing() {
    let (apex, rdata) =
        (name("example."), [&b"\x01z\x07example\0\0\x01\x40"[..], b"\x01y\x07example\0\0\x01\x40"]);
    for count in 0..=2 {
        let records: RecordsBuf = rdata[..count].iter().copied().collect();
        let nsec = Rrset::new(name("a.example."), RrType::NSEC, Ttl::ZERO, records, RecordsBuf::new());
        let got =
            found(&evidence(&apex, &[nsec]), &Claim::NoData(RrType::MX), "a.example.", &mut Hashes::new());
        assert_eq!(got == "Proven", count == 1, "{count} records: {got}");
    }
}

#[test]
fn what_is_missing_is_part_of_a_sentence() {
    for missing in [Missing::Records, Missing::NoWildcard(name("*.example.")), Missing::BelowDelegation] {
        let text = missing.to_string();
        assert!(text.starts_with(char::is_lowercase) || text.starts_with("NSEC"), "{text}");
        assert!(!text.ends_with('!') && text.len() < 100, "{text}");
    }
    assert_eq!(
        Missing::NoWildcard(name("*.example.")).to_string(),
        "no proof that *.example. does not exist"
    );
}
