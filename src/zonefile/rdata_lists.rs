//! Lists of RR types (RFC 4034 4.1.2) and of address prefixes (RFC 3123) from their text.

use crate::dns::RrType;

use super::error::{Fault, Outcome, shown};
use super::lexer::Token;
use super::mnemonics;
use super::rdata::{Reader, ipv4, ipv6, number};

/// Types to the end of the record, in any order and perhaps none, as a type bitmap.
pub(super) fn read_types(reader: &mut Reader<'_, '_>) -> Outcome<()> {
    reader.workspace.types.clear();
    while let Some(token) = reader.lexer.next()? {
        let rr_type = mnemonics::rr_type(token.text).ok_or_else(|| {
            Fault::of(&token, format!("unknown RR type {}", shown(token.text)))
                .help(mnemonics::suggest_type(token.text))
        })?;
        reader.workspace.types.push(rr_type);
    }
    reader.workspace.types.sort_unstable();
    write_bitmap(&reader.workspace.types, reader.out);
    Ok(())
}

/// `types` sorted.
fn write_bitmap(types: &[RrType], out: &mut Vec<u8>) {
    for window in types.chunk_by(|a, b| a.0 >> 8 == b.0 >> 8) {
        let mut bits = [0u8; 32];
        let mut length = 0;
        for rr_type in window {
            let bit = usize::from(rr_type.0 & 0xff);
            bits[bit / 8] |= 0x80 >> (bit % 8);
            length = bit / 8 + 1;
        }
        out.extend_from_slice(&[(window[0].0 >> 8) as u8, length as u8]);
        out.extend_from_slice(&bits[..length]);
    }
}

/// Prefixes to the end of the record, perhaps none.
pub(super) fn read_prefixes(reader: &mut Reader<'_, '_>) -> Outcome<()> {
    while let Some(token) = reader.lexer.next()? {
        write_prefix(&token, reader.out).ok_or_else(|| {
            Fault::of(&token, format!("{} is not an address prefix", shown(token.text)))
                .help("write `1:192.0.2.0/24` or `2:2001:db8::/32`, with `!` before it for an exception")
        })?;
    }
    Ok(())
}

/// `[!]family:address/length` (RFC 3123 section 5).
fn write_prefix(token: &Token<'_>, out: &mut Vec<u8>) -> Option<()> {
    let negated = token.text.first() == Some(&b'!');
    let text = &token.text[usize::from(negated)..];
    let (family, rest) = split_at_octet(text, b':')?;
    let (address, length) = split_at_octet(rest, b'/')?;
    let (v4, v6);
    let (family, most, address): (u16, u8, &[u8]) = match number(family)? {
        1u16 => {
            v4 = ipv4(address)?;
            (1, 32, &v4)
        }
        2 => {
            v6 = ipv6(address)?;
            (2, 128, &v6)
        }
        _ => return None,
    };
    let length = number(length).filter(|length: &u8| *length <= most)?;
    let count = address.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    out.extend_from_slice(&family.to_be_bytes());
    out.extend_from_slice(&[length, (negated as u8) << 7 | count as u8]);
    out.extend_from_slice(&address[..count]);
    Some(())
}

fn split_at_octet(text: &[u8], octet: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|here| *here == octet)?;
    Some((&text[..at], &text[at + 1..]))
}
