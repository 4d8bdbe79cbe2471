//! A journal from a disk nobody can vouch for: every version it says it holds is a zone or a stated lack of one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use namu::dns::Name;
use namu::zone::journal::Journal;

fuzz_target!(|octets: &[u8]| {
    let apex: Name = "example.".parse().expect("a name");
    let Ok(journal) = Journal::read(octets, apex.as_ref()) else { return };
    assert!(journal.good_octets() <= octets.len());
    for at in 0..journal.versions().len() {
        let _ = journal.zone(at);
    }
});
