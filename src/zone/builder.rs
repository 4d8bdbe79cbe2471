//! From records in any order to a zone, or to a list of what is wrong with them.

use super::bulk::BulkTree;
use super::check::{Book, Findings, Problem, Report, ZoneError, advise, check_owner};
use super::denial::hashing_of;
use super::merge::{Record, merge};
use super::packed::Content;
use super::tree::NameTree;
use super::zone::Zone;
use crate::dns::{Name, NameRef, RrType, Ttl};

/// Takes the records of a zone, each with a mark that errors give back: a line of a file, a place in a transfer.
pub struct ZoneBuilder<M> {
    apex: Name,
    /// Owners and RDATA one after the other.
    octets: Vec<u8>,
    runs: Vec<Run>,
    records: Vec<Pushed<M>>,
    report: Report<M>,
}

/// A zone that was built, and what is odd about it.
pub struct Built<M> {
    /// The zone.
    pub zone: Zone,
    /// At most [`crate::limits::ZONEFILE_ERRORS`] warnings.
    pub warnings: Vec<ZoneError<M>>,
}

/// Records of one owner that were pushed in a row.
struct Run {
    /// The beginning of the owner's place in canonical order; see [`order_head`].
    head: u128,
    owner_at: usize,
    owner_octets: u8,
    first_record: usize,
    end_record: usize,
}

struct Pushed<M> {
    rdata_at: usize,
    rdata_octets: usize,
    rr_type: RrType,
    ttl: Ttl,
    mark: M,
}

impl<M: Copy> ZoneBuilder<M> {
    /// No record yet.
    pub fn new(apex: Name) -> ZoneBuilder<M> {
        ZoneBuilder { apex, octets: Vec::new(), runs: Vec::new(), records: Vec::new(), report: Report::new() }
    }

    /// Takes a record of class IN. RDATA is of its type's format, names in it uncompressed.
    pub fn push(&mut self, owner: NameRef<'_>, rr_type: RrType, ttl: Ttl, rdata: &[u8], mark: M) {
        let continues = self.runs.last().is_some_and(|run| run.owner(&self.octets) == owner);
        if !continues {
            if !owner.is_at_or_below(self.apex.as_ref()) {
                return self.report.add(Problem::OutOfZone, owner, Some(mark), None);
            }
            self.runs.push(Run {
                head: order_head(owner, self.apex.as_ref()),
                owner_at: self.octets.len(),
                owner_octets: owner.octet_count() as u8,
                first_record: self.records.len(),
                end_record: self.records.len(),
            });
            self.octets.extend_from_slice(owner.octets());
        }
        let (rdata_at, rdata_octets) = (self.octets.len(), rdata.len());
        self.octets.extend_from_slice(rdata);
        self.records.push(Pushed { rdata_at, rdata_octets, rr_type, ttl, mark });
        self.runs.last_mut().expect("a run was pushed unless one continues").end_record = self.records.len();
    }

    /// The zone of all records, or at most [`crate::limits::ZONEFILE_ERRORS`] errors.
    pub fn build(mut self) -> Result<Built<M>, Vec<ZoneError<M>>> {
        let mut report = std::mem::replace(&mut self.report, Report::new());
        self.sort();
        let apex = self.apex.as_ref();
        let mut trees = Trees::new(apex);
        let mut look = Look::new(&mut report);
        self.each_owner(|owner, is_apex, records| {
            if look.at(owner, is_apex, records) {
                trees.push(owner, is_apex, records, &look.content);
            }
        });
        look.finish(apex);
        if report.error_count > 0 {
            return Err(report.errors);
        }
        let zone = Zone::new(trees.finish()).expect("there is a SOA, and check_owner has read it");
        Ok(Built { zone, warnings: report.warnings })
    }

    /// Everything that is wrong or odd, for people who edit the zone; much more than loading it asks. Expiry of signatures is
    /// judged at `unix_seconds`. Of each kind at most [`crate::limits::ZONEFILE_ERRORS`]; see [`Findings`].
    pub fn check(mut self, unix_seconds: u64) -> Findings<M> {
        let mut report = std::mem::replace(&mut self.report, Report::new());
        report.keep_each_kind();
        self.sort();
        let mut look = Look::new(&mut report);
        let mut book = Book::new(self.apex.as_ref());
        self.each_owner(|owner, is_apex, records| {
            look.at(owner, is_apex, records);
            book.add(owner, records);
        });
        look.finish(self.apex.as_ref());
        advise(&book, unix_seconds, &mut report);
        Findings::of(report)
    }

    /// Brings the owners into canonical order. Stable, so that the records of an owner stay in the order they came.
    fn sort(&mut self) {
        let octets = &self.octets;
        self.runs.sort_by(|a, b| a.head.cmp(&b.head).then_with(|| a.owner(octets).cmp(&b.owner(octets))));
    }

    /// Each owner, whether it is the apex, and its records by [`Record::sort_key`]; after [`ZoneBuilder::sort`].
    fn each_owner<'b>(&'b self, mut visit: impl FnMut(NameRef<'b>, bool, &[Record<'b, M>])) {
        let ZoneBuilder { apex, octets, runs, records, .. } = self;
        let mut here: Vec<Record<'b, M>> = Vec::new();
        for runs in runs.chunk_by(|a, b| a.head == b.head && a.owner(octets) == b.owner(octets)) {
            let owner = runs[0].owner(octets);
            here.clear();
            for pushed in runs.iter().flat_map(|run| &records[run.first_record..run.end_record]) {
                let Pushed { rr_type, ttl, mark, .. } = *pushed;
                let rdata = &octets[pushed.rdata_at..pushed.rdata_at + pushed.rdata_octets];
                here.push(Record { rr_type, ttl, rdata, mark });
            }
            here.sort_by_key(Record::sort_key);
            visit(owner, owner.octet_count() == apex.octets().len(), &here);
        }
    }
}

/// What is looked at in every zone, one owner after the other in canonical order.
struct Look<'l, 'a, M> {
    report: &'l mut Report<M>,
    hidden: Hidden<'a, M>,
    has_soa: bool,
    /// The RRsets of the owner, after [`Look::at`] has returned true.
    content: Content,
}

impl<'l, 'a, M: Copy> Look<'l, 'a, M> {
    fn new(report: &'l mut Report<M>) -> Look<'l, 'a, M> {
        Look { report, hidden: Hidden::Nothing, has_soa: false, content: Content::default() }
    }

    /// Looks at one owner. Returns whether all was well so far, and then its RRsets are in `content`.
    fn at(&mut self, owner: NameRef<'a>, is_apex: bool, records: &[Record<'_, M>]) -> bool {
        let errors = self.report.error_count;
        self.has_soa |= is_apex && records.iter().any(|record| record.rr_type == RrType::SOA);
        check_owner(owner, is_apex, records, self.report);
        let hidden = std::mem::replace(&mut self.hidden, Hidden::Nothing);
        self.hidden = hidden.below(owner, is_apex, records, self.report);
        // Records with an error may not fit into a content.
        if self.report.error_count > errors {
            return false;
        }
        merge(records, &mut self.content, |problem, record, other| {
            self.report.add(problem, owner, Some(record.mark), Some(other.mark));
        });
        self.has_soa && errors == 0
    }

    fn finish(self, apex: NameRef<'_>) {
        if !self.has_soa {
            self.report.add(Problem::NoSoa, apex, None, None);
        }
    }
}

/// The tree of the zone, and that of its NSEC3 records, which is made when there is one.
struct Trees<'o> {
    own: BulkTree<'o>,
    nsec3: Option<BulkTree<'o>>,
    apex: NameRef<'o>,
    content: Content,
}

impl<'o> Trees<'o> {
    fn new(apex: NameRef<'o>) -> Trees<'o> {
        Trees { own: BulkTree::new(apex), nsec3: None, apex, content: Content::default() }
    }

    /// Adds the records of an owner, sorted, whose RRsets are `content`; the apex first. Where NSEC3 records stand among others
    /// the two are taken apart and merged anew; what was odd about them has been reported.
    fn push<M: Copy>(
        &mut self,
        owner: NameRef<'o>,
        is_apex: bool,
        records: &[Record<'_, M>],
        content: &Content,
    ) {
        if is_apex {
            let params = records.iter().filter(|record| record.rr_type == RrType::NSEC3PARAM);
            self.own.keep_hashes(hashing_of(params.map(|record| record.rdata)));
        }
        if !records.iter().any(|record| record.rr_type == RrType::NSEC3) {
            return self.own.push(owner, content);
        }
        let (nsec3, own): (Vec<_>, Vec<_>) = records
            .iter()
            .partition(|record| record.rr_type == RrType::NSEC3 || record.covered() == RrType::NSEC3);
        if !own.is_empty() {
            merge(&own, &mut self.content, |_, _, _| {});
            self.own.push(owner, &self.content);
        }
        let tree = self.nsec3.get_or_insert_with(|| {
            let mut tree = BulkTree::new(self.apex);
            if !is_apex {
                tree.push(self.apex, &Content::default());
            }
            tree
        });
        merge(&nsec3, &mut self.content, |_, _, _| {});
        tree.push(owner, &self.content);
    }

    fn finish(self) -> NameTree {
        self.own.finish().with_nsec3(self.nsec3.map(BulkTree::finish))
    }
}

impl Run {
    fn owner<'o>(&self, octets: &'o [u8]) -> NameRef<'o> {
        NameRef::from_wire(&octets[self.owner_at..self.owner_at + self.owner_octets as usize])
            .expect("push copied it from a name")
    }
}

/// What hides the names that come next in canonical order.
enum Hidden<'a, M> {
    Nothing,
    /// All names below this cut: glue, or nobody's concern.
    ByCut(NameRef<'a>),
    /// All names below this DNAME, which has this mark; one report is enough.
    ByDname {
        owner: NameRef<'a>,
        mark: M,
        is_apex: bool,
        is_reported: bool,
    },
}

impl<'a, M: Copy> Hidden<'a, M> {
    /// Reports an owner that a DNAME hides; returns what hides the names that follow it.
    fn below(
        mut self,
        owner: NameRef<'a>,
        is_apex: bool,
        records: &[Record<'_, M>],
        report: &mut Report<M>,
    ) -> Hidden<'a, M> {
        match &mut self {
            Hidden::ByCut(cut) if owner.is_below(*cut) => return self,
            Hidden::ByDname { owner: dname, mark, is_apex, is_reported } if owner.is_below(*dname) => {
                // NSEC3 records of the zone stand below its apex, and below a DNAME there too (RFC 5155 3, 7.1).
                let mut plain =
                    records.iter().filter(|record| ![RrType::NSEC3, RrType::RRSIG].contains(&record.rr_type));
                if let (Some(record), false) = (plain.next(), *is_reported) {
                    let problem = if *is_apex { Problem::BelowApexDname } else { Problem::BelowDname };
                    report.add(problem, owner, Some(record.mark), Some(*mark));
                    *is_reported = true;
                }
                return self;
            }
            _ => {}
        }
        let first = |rr_type| records.iter().find(|record| record.rr_type == rr_type);
        match (first(RrType::NS), first(RrType::DNAME)) {
            (Some(_), _) if !is_apex => Hidden::ByCut(owner),
            (_, Some(dname)) => Hidden::ByDname { owner, mark: dname.mark, is_apex, is_reported: false },
            _ => Hidden::Nothing,
        }
    }
}

/// The first sixteen octets of a key whose order is canonical order: the labels below the apex from the root on,
/// in lower case, each ended by an octet 0; before an octet 0 or 1 of a label stands a 1. Most pairs of names are
/// told apart by it, so that a million are sorted without touching their octets.
fn order_head(owner: NameRef<'_>, apex: NameRef<'_>) -> u128 {
    let mut head = 0;
    let below = owner.label_count() - apex.label_count();
    for label in owner.labels().take(below) {
        let (mut front, mut room) = (0, 128);
        let mut put = |octet: u8| {
            if room > 0 {
                room -= 8;
                front |= u128::from(octet) << room;
            }
        };
        for octet in label.iter().map(u8::to_ascii_lowercase) {
            match octet {
                0 | 1 => {
                    put(1);
                    put(octet);
                }
                _ => put(octet),
            }
        }
        put(0);
        // The labels to the left come after this one.
        head = front | u128::checked_shr(head, 128 - room).unwrap_or(0);
    }
    head
}

#[cfg(test)]
mod tests {
    use super::super::page::PAGE_OCTETS;
    use super::super::{Found, Node, NodeKind};
    use super::*;
    use crate::dns::{Records, RrsetRef, Serial};
    use crate::limits::{ZONE_OWNER_OCTETS, ZONEFILE_ERRORS};

    const SOA: &[u8] = b"\0\0\0\0\0\x07\0\0\x1c\x20\0\0\x03\x84\0\x12\x75\0\0\0\x01\x2c";
    const OTHER_SOA: &[u8] = b"\0\0\0\0\0\x08\0\0\x1c\x20\0\0\x03\x84\0\x12\x75\0\0\0\x01\x2c";
    const B: &[u8] = b"\x01b\0";
    const C: &[u8] = b"\x01c\0";
    /// An RRSIG as far as this room reads it: the type it covers.
    const RRSIG_OF_A: &[u8] = b"\0\x01signature";

    type Line<'a> = (&'a str, RrType, u32, &'a [u8]);
    /// A name for the case, the lines, and what is reported with the marks of two of them.
    type Case<'a> = (&'a str, &'a [Line<'a>], Problem, Option<usize>, Option<usize>);

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    /// Builds `example.` from lines whose marks are their numbers, counted from 0.
    fn build(lines: &[Line<'_>]) -> Result<Built<usize>, Vec<ZoneError<usize>>> {
        let mut builder = ZoneBuilder::new(name("example."));
        for (number, (owner, rr_type, ttl, rdata)) in lines.iter().enumerate() {
            builder.push(name(owner).as_ref(), *rr_type, Ttl::saturating((*ttl).into()), rdata, number);
        }
        builder.build()
    }

    /// Lines 0 and 1 are a proper apex; `lines` count from 2.
    fn build_with(lines: &[Line<'_>]) -> Result<Built<usize>, Vec<ZoneError<usize>>> {
        let apex: [Line<'_>; 2] = [("example.", RrType::SOA, 60, SOA), ("example.", RrType::NS, 60, B)];
        build(&[&apex, lines].concat())
    }

    fn exact<'z>(zone: &'z Zone, owner: &str) -> Node<'z> {
        match zone.find(name(owner).as_ref()) {
            Found::Exact(node) => node,
            Found::Below { closest_encloser } => panic!("{owner} is not there, only {closest_encloser:?}"),
        }
    }

    fn rrset<'z>(zone: &'z Zone, owner: &str, rr_type: RrType) -> RrsetRef<'z> {
        exact(zone, owner).rrset(rr_type).unwrap()
    }

    fn rdata<'r>(records: Records<'r>) -> Vec<&'r [u8]> {
        records.iter().collect()
    }

    #[test]
    fn a_zone_knows_its_numbers() {
        let zone = build_with(&[("www.example.", RrType::A, 60, b"abcd")]).unwrap().zone;
        assert_eq!((zone.apex().to_string().as_str(), zone.serial()), ("example.", Serial(7)));
        assert_eq!((zone.record_count(), zone.rrset_count(), zone.nodes().count()), (3, 3, 2));
        // RFC 2308 section 3: the SOA's TTL of 60 is less than its last field, 300.
        assert_eq!((zone.negative_ttl().seconds(), zone.soa().ttl.seconds()), (60, 60));
        let zone = build(&[("example.", RrType::SOA, 900, SOA)]).unwrap().zone;
        assert_eq!((zone.negative_ttl().seconds(), zone.soa().ttl.seconds()), (300, 900));
    }

    #[test]
    fn errors_name_the_record_and_the_one_it_contradicts() {
        use Problem::*;
        let soa: Line<'_> = ("example.", RrType::SOA, 60, SOA);
        let cases: &[Case<'_>] = &[
            ("no record", &[], NoSoa, None, None),
            ("no SOA", &[("example.", RrType::NS, 60, B)], NoSoa, None, None),
            ("no apex", &[("a.example.", RrType::A, 60, b"abcd")], NoSoa, None, None),
            ("two SOAs", &[soa, ("example.", RrType::SOA, 60, OTHER_SOA)], SecondSoa, Some(1), Some(0)),
            ("SOA elsewhere", &[soa, ("a.example.", RrType::SOA, 60, SOA)], SoaBelowApex, Some(1), None),
            ("half a SOA", &[("example.", RrType::SOA, 60, b"\0\0\0")], BadSoa, Some(0), None),
            ("out of zone", &[soa, ("x.invalid.", RrType::A, 60, b"abcd")], OutOfZone, Some(1), None),
            ("the parent", &[soa, (".", RrType::A, 60, b"abcd")], OutOfZone, Some(1), None),
            ("meta type", &[soa, ("a.example.", RrType::ANY, 60, b"")], MetaType(RrType::ANY), Some(1), None),
            (
                "CNAME beside A",
                &[soa, ("a.example.", RrType::A, 60, b"abcd"), ("A.example.", RrType::CNAME, 60, B)],
                CnameBeside(RrType::A),
                Some(2),
                Some(1),
            ),
            (
                "CNAME at the apex",
                &[soa, ("example.", RrType::CNAME, 60, B)],
                CnameBeside(RrType::SOA),
                Some(1),
                Some(0),
            ),
            (
                "CNAME beside DNAME",
                &[soa, ("a.example.", RrType::DNAME, 60, B), ("a.example.", RrType::CNAME, 60, C)],
                CnameBeside(RrType::DNAME),
                Some(2),
                Some(1),
            ),
            (
                "two CNAMEs",
                &[
                    soa,
                    ("a.example.", RrType::CNAME, 60, B),
                    ("b.example.", RrType::A, 60, b"abcd"),
                    ("a.example.", RrType::CNAME, 60, C),
                ],
                TwoCnames,
                Some(3),
                Some(1),
            ),
            (
                "two DNAMEs",
                &[soa, ("a.example.", RrType::DNAME, 60, B), ("a.example.", RrType::DNAME, 60, C)],
                TwoDnames,
                Some(2),
                Some(1),
            ),
            (
                "the zone below a DNAME at its apex",
                &[("x.a.example.", RrType::A, 60, b"abcd"), soa, ("example.", RrType::DNAME, 60, B)],
                BelowApexDname,
                Some(0),
                Some(2),
            ),
        ];
        for (case, lines, problem, mark, other) in cases {
            let errors = build(lines).err().unwrap_or_else(|| panic!("{case} was built"));
            let found: Vec<_> =
                errors.iter().map(|error| (error.problem.clone(), error.mark, error.other)).collect();
            assert_eq!(found, [(problem.clone(), *mark, *other)], "{case}");
        }
    }

    #[test]
    fn errors_are_sentences() {
        let errors = build_with(&[
            ("www.example.", RrType::CNAME, 60, B),
            ("www.example.", RrType::TXT, 60, b"\x01x"),
        ]);
        let error = errors.err().unwrap().remove(0);
        assert_eq!(error.to_string(), "CNAME beside TXT at www.example.");
        assert_eq!(error.problem.help(), "remove one of them; a CNAME stands alone");
    }

    #[test]
    fn all_errors_come_at_once_up_to_the_bound() {
        let errors = build(&[
            ("a.example.", RrType::CNAME, 60, B),
            ("a.example.", RrType::CNAME, 60, C),
            ("b.invalid.", RrType::A, 60, b"abcd"),
        ]);
        assert_eq!(errors.err().unwrap().len(), 3, "out of zone, two CNAMEs, no SOA");
        let stray: Line<'_> = ("b.invalid.", RrType::A, 60, b"abcd");
        assert_eq!(build_with(&vec![stray; ZONEFILE_ERRORS + 5]).err().unwrap().len(), ZONEFILE_ERRORS);
    }

    #[test]
    fn warnings_do_not_keep_a_zone_from_being_served() {
        use Problem::*;
        let cases: &[Case<'_>] = &[
            (
                "TTLs differ",
                &[
                    ("a.example.", RrType::A, 60, b"abcd"),
                    ("a.example.", RrType::A, 20, b"efgh"),
                    ("a.example.", RrType::A, 40, b"ijkl"),
                ],
                TtlsDiffer(RrType::A),
                Some(3),
                Some(2),
            ),
            (
                "a CNAME twice",
                &[("a.example.", RrType::CNAME, 60, B), ("a.example.", RrType::CNAME, 60, b"\x01B\0")],
                Duplicate(RrType::CNAME),
                Some(3),
                Some(2),
            ),
            (
                "data below a DNAME",
                &[
                    ("x.a.example.", RrType::A, 60, b"abcd"),
                    ("a.example.", RrType::DNAME, 60, B),
                    ("y.a.example.", RrType::A, 60, b"abcd"),
                ],
                BelowDname,
                Some(2),
                Some(3),
            ),
            (
                "DNAME at a cut",
                &[
                    ("a.example.", RrType::NS, 60, C),
                    ("a.example.", RrType::DNAME, 60, B),
                    ("x.a.example.", RrType::A, 60, b"abcd"),
                ],
                DnameAtCut,
                Some(3),
                Some(2),
            ),
        ];
        for (case, lines, problem, mark, other) in cases {
            let warnings = build_with(lines).unwrap_or_else(|errors| panic!("{case}: {errors:?}")).warnings;
            let found: Vec<_> = warnings
                .iter()
                .map(|warning| (warning.problem.clone(), warning.mark, warning.other))
                .collect();
            assert_eq!(found, [(problem.clone(), *mark, *other)], "{case}");
        }
        let warnings = build(&[("example.", RrType::SOA, 60, SOA)]).unwrap().warnings;
        assert_eq!(warnings[0].problem, NoApexNs);
    }

    #[test]
    fn harmless_oddities_are_silent() {
        let cases: &[(&str, &[Line<'_>])] = &[
            ("the SOA twice", &[("example.", RrType::SOA, 60, SOA)]),
            (
                "a signed CNAME",
                &[
                    ("a.example.", RrType::CNAME, 60, B),
                    ("a.example.", RrType::RRSIG, 60, b"\0\x05"),
                    ("a.example.", RrType::NSEC, 60, C),
                ],
            ),
            (
                "data below a cut",
                &[("d.example.", RrType::NS, 60, B), ("x.d.example.", RrType::TXT, 60, b"\x01x")],
            ),
            ("DNAME at the apex alone", &[("example.", RrType::DNAME, 60, C)]),
            (
                "NSEC3 below a DNAME at the apex",
                &[("example.", RrType::DNAME, 60, C), ("hash.example.", RrType::NSEC3, 60, b"")],
            ),
        ];
        for (case, lines) in cases {
            let built = build_with(lines).unwrap_or_else(|errors| panic!("{case}: {errors:?}"));
            assert!(built.warnings.is_empty(), "{case}: {:?}", built.warnings);
        }
    }

    #[test]
    fn records_become_rrsets() {
        let zone = build_with(&[
            ("a.example.", RrType::A, 60, b"efgh"),
            ("b.example.", RrType::A, 60, b"abcd"),
            ("a.example.", RrType::RRSIG, 60, RRSIG_OF_A),
            ("A.example.", RrType::A, 20, b"abcd"),
            ("a.example.", RrType::A, 60, b"efgh"),
            ("a.example.", RrType::NS, 60, b"\x01N\0"),
            ("a.example.", RrType::NS, 60, b"\x01n\0"),
            ("b.example.", RrType::RRSIG, 30, b"\0\x10signature"),
            ("b.example.", RrType::RRSIG, 50, RRSIG_OF_A),
        ]);
        let zone = zone.unwrap().zone;
        let a = rrset(&zone, "a.example.", RrType::A);
        assert_eq!((rdata(a.records), a.ttl.seconds()), (vec![&b"efgh"[..], b"abcd"], 20));
        assert_eq!((rdata(a.signatures), a.owner.octets()), (vec![RRSIG_OF_A], &b"\x01a\x07example\0"[..]));
        assert!(exact(&zone, "a.example.").rrset(RrType::RRSIG).is_none());
        assert_eq!(rdata(rrset(&zone, "a.example.", RrType::NS).records), [b"\x01N\0"]);
        // A signature of nothing is kept under its own type.
        let orphan = rrset(&zone, "b.example.", RrType::RRSIG);
        assert_eq!((rdata(orphan.records), orphan.ttl.seconds()), (vec![&b"\0\x10signature"[..]], 30));
        assert_eq!(rdata(rrset(&zone, "b.example.", RrType::A).signatures), [RRSIG_OF_A]);
        assert_eq!((zone.rrset_count(), zone.record_count()), (6, 9));
    }

    #[test]
    fn names_above_a_name_are_empty_non_terminals() {
        let zone = build_with(&[("_sip._tcp.a.example.", RrType::TXT, 60, b"\x01x")]).unwrap().zone;
        let ent = exact(&zone, "_TCP.a.example.");
        assert_eq!((ent.kind(), ent.rrsets().count()), (NodeKind::EmptyNonTerminal, 0));
        let Found::Below { closest_encloser } = zone.find(name("x.y._tcp.a.example.").as_ref()) else {
            panic!("nothing is there");
        };
        assert_eq!(closest_encloser.owner(), ent.owner());
    }

    #[test]
    fn a_hundred_thousand_records_at_one_name_are_a_page_of_their_own() {
        let mut builder = ZoneBuilder::new(name("example."));
        builder.push(name("example.").as_ref(), RrType::SOA, Ttl::ZERO, SOA, ());
        for number in 0..100_000u32 {
            builder.push(name("big.example.").as_ref(), RrType::A, Ttl::ZERO, &number.to_be_bytes(), ());
            if number % 1000 == 0 {
                let neighbour = name(&format!("b{number}.example."));
                builder.push(neighbour.as_ref(), RrType::A, Ttl::ZERO, b"abcd", ());
            }
        }
        let zone = builder.build().ok().unwrap().zone;
        assert_eq!(rrset(&zone, "big.example.", RrType::A).records.count(), 100_000);
        // Neighbours that come later do not join it either.
        let new = Node::rrsets(exact(&zone, "b1000.example.")).next().unwrap();
        let tree = ["bia.example.", "bih.example."]
            .iter()
            .fold(zone.tree().clone(), |tree, owner| tree.with(name(owner).as_ref(), [new]));
        for page in tree.pages.iter().filter(|page| page.count() > 1) {
            assert!(page.nodes().map(|node| node.octets.len()).sum::<usize>() <= PAGE_OCTETS);
        }
        assert_eq!(tree.nodes().count(), 104);
    }

    #[test]
    fn what_is_too_much_for_one_name_is_refused_at_the_bound() {
        // Each record fills 2^16 octets with its length; types differ so that none is a duplicate.
        let rdata = vec![0; (1 << 16) - 2];
        let build = |count: usize| {
            let mut builder = ZoneBuilder::new(name("example."));
            builder.push(name("example.").as_ref(), RrType::SOA, Ttl::ZERO, SOA, 0);
            for number in 0..count {
                builder.push(
                    name("a.example.").as_ref(),
                    RrType(1000 + number as u16),
                    Ttl::ZERO,
                    &rdata,
                    number,
                );
            }
            builder.build()
        };
        assert!(build(ZONE_OWNER_OCTETS >> 16).is_ok());
        let errors = build((ZONE_OWNER_OCTETS >> 16) + 1).err().unwrap();
        assert_eq!(errors[0].problem, Problem::TooMuchAtOneName);
    }

    #[test]
    fn rdata_longer_than_a_record_is_refused() {
        let (most, more) = (vec![0; 65_535], vec![0; 65_536]);
        assert!(build_with(&[("a.example.", RrType::NULL, 60, &most)]).is_ok());
        let errors = build_with(&[("a.example.", RrType::NULL, 60, &more)]).err().unwrap();
        assert_eq!(errors[0].problem, Problem::RdataTooLong(RrType::NULL));
    }
}
