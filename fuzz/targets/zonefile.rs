//! A zone file: records that are well-formed, or mistakes that can be shown on a terminal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use namu::dns::{NameRef, rdata};
use namu::limits::ZONEFILE_ERRORS;
use namu::zonefile::{Files, NoIncludes, parse};

fuzz_target!(|octets: &[u8]| {
    let mut files = Files::new("zone", octets.to_vec());
    let read = parse(&mut files, NameRef::ROOT, &NoIncludes, &mut |record| {
        assert_eq!(rdata::check(record.rr_type, record.rdata), Ok(()));
    });
    let (Ok(mistakes) | Err(mistakes)) = read;
    assert!(mistakes.len() <= 2 * ZONEFILE_ERRORS);
    for mistake in &mistakes {
        let page = mistake.render(false);
        assert!(!page.contains(|c: char| c.is_control() && c != '\n'), "{page:?}");
    }
});
