//! A configuration: understood, or a bounded number of mistakes that can be shown on a terminal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use namu::config::Config;
use namu::limits::CONFIG_ERRORS;

fuzz_target!(|octets: &[u8]| {
    let Err(mistakes) = Config::parse("config", octets.to_vec()) else { return };
    assert!((1..=CONFIG_ERRORS).contains(&mistakes.len()));
    for mistake in &mistakes {
        let page = mistake.render(false);
        assert!(!page.contains(|c: char| c.is_control() && c != '\n'), "{page:?}");
    }
});
