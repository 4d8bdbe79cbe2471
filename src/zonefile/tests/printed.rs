//! What is printed reads back, and octets of any kind do no harm.

use std::fmt::Write;

use proptest::prelude::*;

use super::super::*;
use super::any_rdata::{name, typed_rdata};
use super::read_with;
use crate::dns::{NameRef, RrClass, RrType, Ttl, rdata as wire};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_reads_back_as_the_same_octets((rr_type, rdata) in typed_rdata(), owner in name(), ttl in 0..=0x7fff_ffffu64) {
        prop_assert_eq!(wire::check(rr_type, &rdata), Ok(()));
        // What makes no sense is for the wire, not for zone files.
        prop_assume!(wire::check_sense(rr_type, &rdata).is_ok());
        printed_and_read(NameRef::from_wire(&owner).unwrap(), Ttl::saturating(ttl), rr_type, &rdata)?;
    }

    #[test]
    fn octets_that_pass_the_check_have_a_text_and_others_the_generic_form(
        (rr_type, mut rdata) in typed_rdata(),
        at: prop::sample::Index,
        octet: u8,
        cut: prop::sample::Index,
    ) {
        if !rdata.is_empty() {
            let at = at.index(rdata.len());
            rdata[at] = octet;
            rdata.truncate(cut.index(4 * rdata.len()));
        }
        let text = RdataText { rr_type, rdata: &rdata }.to_string();
        match wire::check(rr_type, &rdata) {
            Ok(()) if wire::check_sense(rr_type, &rdata).is_ok() => {
                printed_and_read(NameRef::ROOT, Ttl::ZERO, rr_type, &rdata)?;
            }
            Ok(()) => {}
            Err(_) => prop_assert!(text.starts_with("\\# "), "{}", text),
        }
    }

    #[test]
    fn arbitrary_octets_do_no_harm(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let (_, said) = read_with(&octets, &NoIncludes);
        let _ = said.map_err(|errors| errors.iter().map(|error| error.render(false).len()).sum::<usize>());
        guess_origin(&octets);
    }

    #[test]
    fn mutated_zones_do_no_harm(
        list in prop::collection::vec(typed_rdata(), 1..6),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&b"\"\\();\n\r\t $@=,.:-0aZ\0\xff"[..])), 1..10),
    ) {
        let mut text = String::from("$ORIGIN a.\n$TTL 1h\n$INCLUDE x\n");
        for (rr_type, rdata) in list {
            write_record(NameRef::ROOT, Ttl::ZERO, RrClass::IN, rr_type, &rdata, &mut text).unwrap();
        }
        let mut octets = text.into_bytes();
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        // `read_with` checks all that comes out.
        let (_, said) = read_with(&octets, &NoIncludes);
        // Most are refused, for the include at least; a change may have made a comment of it.
        for error in said.err().into_iter().flatten() {
            prop_assert!(!error.render(false).is_empty());
        }
    }
}

/// What a record reads back as that was printed for servers and for people.
fn printed_and_read(
    owner: NameRef<'_>,
    ttl: Ttl,
    rr_type: RrType,
    rdata: &[u8],
) -> Result<(), TestCaseError> {
    let mut text = String::new();
    write_record(owner, ttl, RrClass::IN, rr_type, rdata, &mut text).unwrap();
    writeln!(text, "{owner} {ttl} {rr_type} {:#}", RdataText { rr_type, rdata }).unwrap();
    prop_assert!(
        text.ends_with('\n') && text.bytes().all(|octet| matches!(octet, b' '..=b'~' | b'\n')),
        "{}",
        text
    );
    let mut seen = 0;
    let mut files = Files::new("printed", text.clone().into_bytes());
    let said = parse(&mut files, NameRef::ROOT, &NoIncludes, &mut |record| {
        seen += 1;
        assert_eq!(record.owner.octets(), owner.octets(), "{text}");
        assert_eq!((record.ttl, record.rr_type), (ttl, rr_type));
        assert_eq!(record.rdata, rdata, "{text}");
    });
    prop_assert_eq!(said, Ok(vec![]), "{}", text);
    prop_assert_eq!(seen, 2);
    Ok(())
}
