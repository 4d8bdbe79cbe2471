//! A name in a message, read at the place the first octet gives: the same end when it is skipped, the same name when its
//! text is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use namu::dns::{Name, NameBuf};
use namu::wire::names::{Hops, read_name, skip_name};

fuzz_target!(|octets: &[u8]| {
    let Some((at, message)) = octets.split_first() else { return };
    let (mut buf, mut hops) = (NameBuf::new(), Hops::of_message());
    let Ok(end) = read_name(message, usize::from(*at), &mut hops, &mut buf) else { return };
    assert_eq!(skip_name(message, usize::from(*at)), Ok(end));
    let name = buf.as_name().expect("a name was read");
    let again: Name = name.to_string().parse().expect("what is printed is read");
    assert_eq!(again.octets(), name.octets());
});
