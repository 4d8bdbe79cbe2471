//! A request as it comes in: scanned, and when it is a query, its question can be shown in a line of the log.
#![no_main]

use libfuzzer_sys::fuzz_target;
use namu::wire::{Query, Scan};

fuzz_target!(|octets: &[u8]| {
    if let Scan::Query(query) = Query::scan(octets) {
        assert!(!query.question.to_string().chars().any(char::is_control));
    }
});
