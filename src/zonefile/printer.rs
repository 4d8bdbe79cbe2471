//! Records as text that every server reads and that reads back as the same octets: absolute names, the class written,
//! types that not every server knows in the generic form (RFC 3597 section 5), nothing but visible ASCII.

use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::dns::rdata_rare::{HostIdentity, Relay, SplitAddress};
use crate::dns::rdata_table::{Field, SCHEMES, format_of, is_known_everywhere};
use crate::dns::{NameRef, RrClass, RrType, RrsetRef, Ttl, name_text, rdata};

use super::{encodings, location, rare, svc_params};

/// Writes one record and the end of its line.
pub fn write_record(
    owner: NameRef<'_>,
    ttl: Ttl,
    class: RrClass,
    rr_type: RrType,
    rdata: &[u8],
    out: &mut dyn Write,
) -> fmt::Result {
    write!(out, "{owner} {ttl} {class} ")?;
    write_type(rr_type, Audience::Servers, out)?;
    writeln!(out, " {}", RdataText { rr_type, rdata })
}

/// Writes the records of an RRset and the RRSIGs that cover it.
pub fn write_rrset(rrset: RrsetRef<'_>, out: &mut dyn Write) -> fmt::Result {
    for rdata in rrset.records {
        write_record(rrset.owner, rrset.ttl, rrset.class, rrset.rr_type, rdata, out)?;
    }
    for rdata in rrset.signatures {
        write_record(rrset.owner, rrset.ttl, rrset.class, RrType::RRSIG, rdata, out)?;
    }
    Ok(())
}

/// Uncompressed RDATA as its text. Octets that are not of the format of their type are shown in the generic form, and so
/// are those of types that not every server knows; the alternate form `{:#}` is for people and spells them out.
#[derive(Debug, Clone, Copy)]
pub struct RdataText<'a> {
    /// The type that says what the octets mean.
    pub rr_type: RrType,
    /// The octets.
    pub rdata: &'a [u8],
}

impl fmt::Display for RdataText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let valid = rdata::check(self.rr_type, self.rdata).is_ok();
        let audience = if f.alternate() { Audience::People } else { Audience::Servers };
        let Some(format) = format_of(self.rr_type)
            .filter(|format| valid && (format.everywhere || audience == Audience::People))
        else {
            return write_generic(self.rdata, f);
        };
        let mut rest = self.rdata;
        for (index, field) in format.fields.iter().enumerate() {
            let (octets, after) = rdata::split_field(*field, rest).map_err(|_| fmt::Error)?;
            rest = after;
            // SvcParams put a blank before each of theirs; of other lists there may be nothing to write.
            let is_silent = octets.is_empty() && !matches!(field, Field::LongText | Field::DashedBase64);
            if index > 0 && *field != Field::SvcParams && !is_silent {
                f.write_char(' ')?;
            }
            write_field(*field, octets, audience, f)?;
        }
        Ok(())
    }
}

/// For whom text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// Servers of other kinds and ages: names that not all of them know are written as numbers.
    Servers,
    /// Those who want to know what it means.
    People,
}

/// A type as the audience knows it.
pub(super) fn write_type(rr_type: RrType, audience: Audience, out: &mut dyn Write) -> fmt::Result {
    match audience == Audience::People || is_known_everywhere(rr_type) {
        true => write!(out, "{rr_type}"),
        false => write!(out, "TYPE{}", rr_type.0),
    }
}

fn write_generic(rdata: &[u8], out: &mut dyn Write) -> fmt::Result {
    write!(out, "\\# {}", rdata.len())?;
    if !rdata.is_empty() {
        out.write_char(' ')?;
        encodings::write_hex(rdata, out)?;
    }
    Ok(())
}

/// The octets of one field as `split_field` gives them.
pub(super) fn write_field(
    field: Field,
    octets: &[u8],
    audience: Audience,
    out: &mut dyn Write,
) -> fmt::Result {
    match field {
        Field::U8 | Field::U16 | Field::U32 | Field::Period | Field::Algorithm | Field::CertType => {
            write!(out, "{}", number(octets))
        }
        Field::Ipv4 => {
            octets.first_chunk::<4>().map_or(Ok(()), |four| write!(out, "{}", Ipv4Addr::from(*four)))
        }
        Field::Ipv6 => {
            octets.first_chunk::<16>().map_or(Ok(()), |sixteen| write!(out, "{}", Ipv6Addr::from(*sixteen)))
        }
        Field::CompressibleName | Field::FoldedName | Field::PlainName => write_name(octets, out),
        Field::Text => write_quoted(&octets[1..], out),
        Field::OptionalText | Field::Texts => {
            write_separated(rdata::character_strings(octets).flatten(), " ", out, write_quoted)
        }
        Field::LongText => write_quoted(octets, out),
        // Letters and digits, as `split_field` has made sure.
        Field::CaaTag => octets[1..].iter().try_for_each(|octet| out.write_char(char::from(*octet))),
        Field::Hex => encodings::write_hex(octets, out),
        Field::DashedBase64 if octets.is_empty() => out.write_char('-'),
        Field::Base64 | Field::OptionalBase64 | Field::DashedBase64 => encodings::write_base64(octets, out),
        Field::NodeNumber => {
            octets.first_chunk::<8>().map_or(Ok(()), |eight| write!(out, "{}", u64::from_be_bytes(*eight)))
        }
        Field::Scheme => match SCHEMES.iter().find(|(scheme, _)| u32::from(*scheme) == number(octets)) {
            Some((_, mnemonic)) => out.write_str(mnemonic),
            None => write!(out, "{}", number(octets)),
        },
        Field::Salt if octets.len() == 1 => out.write_char('-'),
        Field::Salt => encodings::write_hex(&octets[1..], out),
        Field::HashedName => encodings::write_base32hex(&octets[1..], out),
        Field::Type => write_type(RrType(number(octets) as u16), audience, out),
        Field::Types => write_separated(rdata::bitmap_types(octets), " ", out, |rr_type, out| {
            write_type(rr_type, audience, out)
        }),
        Field::LowTypes => rare::write_low_types(octets, audience, out),
        Field::Timestamp => crate::dns::signature_time::write_timestamp(number(octets), out),
        Field::Eui48 | Field::Eui64 => write_separated(octets.chunks(1), "-", out, encodings::write_hex),
        Field::Locator64 => write_separated(octets.chunks(2), ":", out, encodings::write_hex),
        Field::Location => octets.first_chunk().map_or(Ok(()), |octets| location::write(octets, out)),
        Field::SvcParams => svc_params::write(octets, audience, out),
        Field::Prefixes => write_separated(rdata::prefixes(octets).flatten(), " ", out, write_prefix),
        Field::Gateway => {
            rdata::Gateway::split_from(octets).map_or(Ok(()), |gateway| write_gateway(gateway, audience, out))
        }
        Field::Relay => {
            Relay::split_from(octets).map_or(Ok(()), |relay| rare::write_relay(relay, audience, out))
        }
        Field::Services => rare::write_services(octets, out),
        Field::HostIdentity => {
            HostIdentity::split_from(octets).map_or(Ok(()), |host| rare::write_host_identity(host, out))
        }
        Field::SplitAddress => {
            SplitAddress::split_from(octets).map_or(Ok(()), |split| rare::write_split_address(split, out))
        }
        Field::Nsap => rare::write_nsap(octets, out),
        Field::AtmAddress => rare::write_atm_address(octets, out),
    }
}

/// Up to four octets, the highest first.
fn number(octets: &[u8]) -> u32 {
    octets.iter().fold(0, |number, octet| number << 8 | u32::from(*octet))
}

fn write_name(octets: &[u8], mut out: &mut dyn Write) -> fmt::Result {
    NameRef::from_wire(octets).map_or(Ok(()), |name| name_text::write_name(name, &mut out))
}

/// A string in quotes, so that it reads back as the same octets whatever they are.
pub(super) fn write_quoted(octets: &[u8], out: &mut dyn Write) -> fmt::Result {
    out.write_char('"')?;
    for octet in octets {
        match octet {
            b'"' | b'\\' => write!(out, "\\{}", char::from(*octet))?,
            b' '..=b'~' => out.write_char(char::from(*octet))?,
            _ => write!(out, "\\{octet:03}")?,
        }
    }
    out.write_char('"')
}

pub(super) fn write_separated<T>(
    items: impl Iterator<Item = T>,
    separator: &str,
    out: &mut dyn Write,
    write: impl Fn(T, &mut dyn Write) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.write_str(separator)?;
        }
        write(item, out)?;
    }
    Ok(())
}

fn write_prefix(prefix: rdata::Prefix<'_>, out: &mut dyn Write) -> fmt::Result {
    let mut address = [0; 16];
    address[..prefix.address.len()].copy_from_slice(prefix.address);
    write!(out, "{}{}:", if prefix.negated { "!" } else { "" }, prefix.family)?;
    match (prefix.family, address) {
        (1, [a, b, c, d, ..]) => write!(out, "{}", Ipv4Addr::new(a, b, c, d))?,
        _ => write!(out, "{}", Ipv6Addr::from(address))?,
    }
    write!(out, "/{}", prefix.length)
}

fn write_gateway(gateway: rdata::Gateway<'_>, audience: Audience, out: &mut dyn Write) -> fmt::Result {
    write!(out, "{} {} ", gateway.kind, gateway.algorithm)?;
    rare::write_gateway_of_kind(gateway.kind, gateway.gateway, audience, out)?;
    if !gateway.key.is_empty() {
        out.write_char(' ')?;
        encodings::write_base64(gateway.key, out)?;
    }
    Ok(())
}
