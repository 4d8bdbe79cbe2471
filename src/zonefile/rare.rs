//! Fields of types few zones have, between text and wire form: WKS, NSAP, ATMA, A6, NXT, HIP, AMTRELAY, IPN.

use std::fmt::{self, Write};
use std::net::Ipv6Addr;

use crate::dns::NameRef;
use crate::dns::rdata_rare::{self, HostIdentity, Relay, SplitAddress};
use crate::dns::rdata_table::{Field, PROTOCOLS, SERVICES};

use super::encodings::{self, Decoder};
use super::error::{Fault, Outcome, shown};
use super::mnemonics;
use super::printer::{Audience, write_field, write_separated, write_type};
use super::rdata::{Reader, decode, ipv6, mnemonic, number, wrong};

/// RFC 1035 3.4.2: a protocol and its services, each by name or number.
pub(super) fn read_services(reader: &mut Reader<'_, '_>) -> Outcome<()> {
    reader.word(Field::Services, |text| {
        mnemonic(PROTOCOLS, text).or_else(|| number(text)).map(u8::to_be_bytes)
    })?;
    let begin = reader.out.len();
    while let Some(token) = reader.lexer.next()? {
        let port: u16 = mnemonic(SERVICES, token.text).or_else(|| number(token.text)).ok_or_else(|| {
            Fault::of(&token, format!("unknown service {}", shown(token.text)))
                .help("write the number of its port")
        })?;
        let at = begin + usize::from(port / 8);
        if at >= reader.out.len() {
            reader.out.resize(at + 1, 0);
        }
        reader.out[at] |= 0x80 >> (port % 8);
    }
    Ok(())
}

/// Numbers only: which services have names is a matter of each system.
pub(super) fn write_services(octets: &[u8], out: &mut dyn Write) -> fmt::Result {
    let Some((protocol, ports)) = octets.split_first() else {
        return Ok(());
    };
    write!(out, "{protocol}")?;
    let is_set = |port: &usize| ports[port / 8] & (0x80 >> (port % 8)) != 0;
    (0..ports.len() * 8).filter(is_set).try_for_each(|port| write!(out, " {port}"))
}

/// RFC 2535 5.3: types from 1 to 127.
pub(super) fn read_low_types(reader: &mut Reader<'_, '_>) -> Outcome<()> {
    let mut bits = [0u8; 16];
    while let Some(token) = reader.lexer.next()? {
        let rr_type = mnemonics::rr_type(token.text).filter(|rr_type| (1..128).contains(&rr_type.0));
        let rr_type = rr_type.ok_or_else(|| {
            Fault::of(&token, format!("{} is no RR type from 1 to 127", shown(token.text)))
                .help("NXT knows no others; NSEC does")
        })?;
        bits[usize::from(rr_type.0 / 8)] |= 0x80 >> (rr_type.0 % 8);
    }
    let length = bits.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    reader.out.extend_from_slice(&bits[..length]);
    Ok(())
}

pub(super) fn write_low_types(octets: &[u8], audience: Audience, out: &mut dyn Write) -> fmt::Result {
    let is_set = |bit: &usize| octets[bit / 8] & (0x80 >> (bit % 8)) != 0;
    let types = (0..octets.len() * 8).filter(is_set).map(|bit| crate::dns::RrType(bit as u16));
    write_separated(types, " ", out, |rr_type, out| write_type(rr_type, audience, out))
}

/// `0x` and hexadecimal digits in pairs, with dots wherever they help the eye (RFC 1706 section 7).
pub(super) fn read_nsap(reader: &mut Reader<'_, '_>) -> Outcome<()> {
    let token = reader.token(Field::Nsap)?;
    let digits = token.text.strip_prefix(b"0x").or_else(|| token.text.strip_prefix(b"0X"));
    digits
        .and_then(|digits| dotted_hex(digits, reader.out))
        .ok_or_else(|| wrong(&token, Field::Nsap).help("write 0x and pairs of hexadecimal digits"))
}

pub(super) fn write_nsap(octets: &[u8], out: &mut dyn Write) -> fmt::Result {
    out.write_str("0x")?;
    encodings::write_hex(octets, out)
}

/// An E.164 number with `+` before it, or hexadecimal digits; both may have dots.
pub(super) fn read_atm_address(reader: &mut Reader<'_, '_>) -> Outcome<()> {
    let token = reader.token(Field::AtmAddress)?;
    let read = match token.text.strip_prefix(b"+") {
        Some(digits) => {
            let valid = digits.iter().all(|digit| digit.is_ascii_digit() || *digit == b'.')
                && digits.iter().any(u8::is_ascii_digit);
            reader.out.push(1);
            reader.out.extend(digits.iter().filter(|digit| **digit != b'.'));
            valid.then_some(())
        }
        None => {
            reader.out.push(0);
            dotted_hex(token.text, reader.out)
        }
    };
    read.ok_or_else(|| {
        wrong(&token, Field::AtmAddress).help("write + and a number, or pairs of hexadecimal digits")
    })
}

pub(super) fn write_atm_address(octets: &[u8], out: &mut dyn Write) -> fmt::Result {
    match octets.split_first() {
        Some((1, digits)) => {
            out.write_char('+')?;
            digits.iter().try_for_each(|digit| out.write_char(char::from(*digit)))
        }
        Some((_, address)) => encodings::write_hex(address, out),
        None => Ok(()),
    }
}

/// At least one octet.
fn dotted_hex(digits: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (begin, mut decoder) = (out.len(), Decoder::hex());
    for piece in digits.split(|octet| *octet == b'.') {
        decoder.push(piece, out).ok()?;
    }
    (decoder.is_whole() && out.len() > begin).then_some(())
}

/// RFC 2874 3.2: the prefix length, the suffix unless the prefix is all, the name unless there is no prefix.
pub(super) fn read_split_address(reader: &mut Reader<'_, '_>) -> Outcome<()> {
    let token = reader.token(Field::SplitAddress)?;
    let length: u8 = number(token.text).filter(|length| *length <= 128).ok_or_else(|| {
        Fault::of(&token, format!("{} is not a prefix length from 0 to 128", shown(token.text)))
    })?;
    reader.out.push(length);
    if length < 128 {
        let token = reader.token(Field::Ipv6)?;
        let suffix = ipv6(token.text).ok_or_else(|| wrong(&token, Field::Ipv6))?;
        if !(SplitAddress { prefix_length: length, suffix, prefix_name: None }).is_padded() {
            let message = format!("{} has bits among the first {length}", shown(token.text));
            return Err(Fault::of(&token, message).help("those come from the prefix name: leave them zero"));
        }
        reader.out.extend_from_slice(&suffix[usize::from(length / 8)..]);
    }
    match length {
        0 => Ok(()),
        _ => reader.field(Field::PlainName),
    }
}

pub(super) fn write_split_address(address: SplitAddress<'_>, out: &mut dyn Write) -> fmt::Result {
    write!(out, "{}", address.prefix_length)?;
    if address.prefix_length < 128 {
        write!(out, " {}", Ipv6Addr::from(address.suffix))?;
    }
    match address.prefix_name {
        Some(name) => write!(out, " {name}"),
        None => Ok(()),
    }
}

/// RFC 8005 section 6: algorithm, tag in hexadecimal, key in base64, each one word, and names.
pub(super) fn read_host_identity(reader: &mut Reader<'_, '_>) -> Outcome<()> {
    let begin = reader.out.len();
    reader.out.extend_from_slice(&[0; 4]);
    let algorithm = reader.token(Field::Algorithm)?;
    reader.out[begin + 1] = number(algorithm.text).ok_or_else(|| wrong(&algorithm, Field::U8))?;
    let tag = reader.token(Field::Hex)?;
    decode(Decoder::hex(), &tag, Field::Hex, reader.out)?;
    let tag_octets = reader.out.len() - begin - 4;
    reader.out[begin] = u8::try_from(tag_octets)
        .map_err(|_| Fault::of(&tag, format!("a tag of {tag_octets} octets; it may have 255")))?;
    let key = reader.token(Field::Base64)?;
    decode(Decoder::base64(), &key, Field::Base64, reader.out)?;
    let key_octets = reader.out.len() - begin - 4 - tag_octets;
    let length = u16::try_from(key_octets)
        .map_err(|_| Fault::of(&key, format!("a key of {key_octets} octets; it may have 65535")))?;
    reader.out[begin + 2..begin + 4].copy_from_slice(&length.to_be_bytes());
    while let Some(token) = reader.lexer.next()? {
        reader.name(&token)?;
    }
    Ok(())
}

pub(super) fn write_host_identity(host: HostIdentity<'_>, out: &mut dyn Write) -> fmt::Result {
    write!(out, "{} ", host.algorithm)?;
    encodings::write_hex(host.tag, out)?;
    out.write_char(' ')?;
    encodings::write_base64(host.key, out)?;
    rdata_rare::names(host.servers).flatten().try_for_each(|name: NameRef<'_>| write!(out, " {name}"))
}

/// RFC 8777 4.3: 0 or 1, the kind of relay, the relay.
pub(super) fn read_relay(reader: &mut Reader<'_, '_>) -> Outcome<()> {
    let optional = reader.token(Field::U8)?;
    let discovery_optional: u8 = number(optional.text).filter(|bit| *bit <= 1).ok_or_else(|| {
        Fault::of(&optional, format!("{} is not 0 or 1", shown(optional.text)))
            .help("1 when a gateway may leave out the discovery message")
    })?;
    let token = reader.token(Field::U8)?;
    let kind: u8 = number(token.text).filter(|kind| *kind <= 3).ok_or_else(|| {
        Fault::of(&token, format!("relay type {}", shown(token.text)))
            .help("it may be 0 (none), 1 (IPv4), 2 (IPv6) or 3 (name)")
    })?;
    reader.out.push(discovery_optional << 7 | kind);
    reader.gateway_of_kind(kind)
}

pub(super) fn write_relay(relay: Relay<'_>, audience: Audience, out: &mut dyn Write) -> fmt::Result {
    write!(out, "{} {} ", u8::from(relay.discovery_optional), relay.kind)?;
    write_gateway_of_kind(relay.kind, relay.relay, audience, out)
}

/// What stands for a gateway or relay of that kind.
pub(super) fn write_gateway_of_kind(
    kind: u8,
    octets: &[u8],
    audience: Audience,
    out: &mut dyn Write,
) -> fmt::Result {
    match kind {
        0 => out.write_char('.'),
        1 => write_field(Field::Ipv4, octets, audience, out),
        2 => write_field(Field::Ipv6, octets, audience, out),
        _ => write_field(Field::PlainName, octets, audience, out),
    }
}

/// A number of 64 bits, or its two halves with a dot between them.
pub(super) fn node_number(text: &[u8]) -> Option<[u8; 8]> {
    let text = std::str::from_utf8(text).ok()?;
    let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let number = match text.split_once('.') {
        Some((high, low)) if plain(high) && plain(low) => {
            u64::from(high.parse::<u32>().ok()?) << 32 | u64::from(low.parse::<u32>().ok()?)
        }
        None if plain(text) => text.parse().ok()?,
        _ => return None,
    };
    Some(number.to_be_bytes())
}
