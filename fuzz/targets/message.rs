//! A message of another server: read whole or refused, and what was read can be printed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use namu::dns::rdata;
use namu::limits::RRSETS_PER_SECTION;
use namu::wire::names::Hops;
use namu::wire::{MessageView, SectionKind};
use namu::zonefile::write_rrset;

fuzz_target!(|octets: &[u8]| {
    let Ok(view) = MessageView::parse(octets) else { return };
    let _ = (view.rcode(), view.question().map(|question| question.to_string()));
    if let Some(opt) = view.opt() {
        let _ = (opt.options().count(), opt.wishes().is_some(), opt.extended_error());
    }
    let mut hops = Hops::of_message();
    for section in [SectionKind::Answer, SectionKind::Authority, SectionKind::Additional] {
        let Ok(sets) = view.rrsets(section, &mut hops) else { return };
        assert!(sets.len() <= RRSETS_PER_SECTION);
        for set in &sets {
            assert!(set.records().iter().all(|octets| rdata::check(set.rr_type, octets).is_ok()), "{set:?}");
            let mut text = String::new();
            write_rrset(set.view(), &mut text).unwrap();
            assert!(text.bytes().all(|octet| matches!(octet, b' '..=b'~' | b'\n')), "{text:?}");
        }
    }
});
