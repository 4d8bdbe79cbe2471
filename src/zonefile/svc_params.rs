//! SvcParams of SVCB and HTTPS records between text and wire form (RFC 9460 2.1 and 7, RFC 9461).

use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use crate::diagnostic;
use crate::dns::rdata_table::Field;
use crate::dns::svc_params::{self, SvcKey, SvcParams, SvcParamsError};

use super::encodings::{self, Decoder};
use super::error::{Fault, Outcome, did_you_mean, shown};
use super::lexer::Token;
use super::printer::{Audience, write_quoted};
use super::rdata::{Reader, decode, ipv4, ipv6, number, unescape};

/// The parameters of one record as they were met, before they are sorted.
#[derive(Default)]
pub(super) struct Parameters {
    list: Vec<Parameter>,
    values: Vec<u8>,
    /// A value without its escapes.
    plain: Vec<u8>,
}

struct Parameter {
    key: SvcKey,
    value: Range<usize>,
    at: usize,
    length: usize,
}

impl Parameter {
    fn fault(&self, message: impl Into<String>) -> Box<Fault> {
        Fault::new(self.at, self.length, message)
    }
}

/// Parameters to the end of the record, in any order (RFC 9460 2.1), perhaps none.
pub(super) fn read(reader: &mut Reader<'_, '_>) -> Outcome<()> {
    let parameters = &mut reader.workspace.parameters;
    parameters.list.clear();
    parameters.values.clear();
    while let Some((word, quoted)) = reader.lexer.next_parameter()? {
        parameters.add(&word, quoted)?;
    }
    parameters.list.sort_by_key(|parameter| parameter.key);
    let begin = reader.out.len();
    for parameter in &parameters.list {
        let value = &parameters.values[parameter.value.clone()];
        let length = u16::try_from(value.len()).map_err(|_| {
            parameter.fault(format!("the value of `{}` has more than 65535 octets", parameter.key))
        })?;
        reader.out.extend_from_slice(&parameter.key.0.to_be_bytes());
        reader.out.extend_from_slice(&length.to_be_bytes());
        reader.out.extend_from_slice(value);
    }
    svc_params::check(&reader.out[begin..]).map_err(|error| parameters.fault(error))
}

impl Parameters {
    fn add(&mut self, word: &Token<'_>, quoted: Option<Token<'_>>) -> Outcome<()> {
        let equals = word.text.iter().position(|octet| *octet == b'=').filter(|_| !word.quoted);
        let name = &word.text[..equals.unwrap_or(word.text.len())];
        let value = quoted.or(equals.map(|equals| Token {
            text: &word.text[equals + 1..],
            at: word.at + equals + 1,
            ..*word
        }));
        let key = std::str::from_utf8(name).ok().and_then(SvcKey::from_name).filter(|_| !word.quoted);
        let key = key.ok_or_else(|| unknown_key(word, name))?;
        let begin = self.values.len();
        match value {
            Some(value) if !value.text.is_empty() => {
                let generic = name.starts_with(b"key");
                read_value(key, generic, &value, &mut self.plain, &mut self.values)?;
            }
            _ => {}
        }
        self.list.push(Parameter {
            key,
            value: begin..self.values.len(),
            at: word.at,
            length: quoted.map_or(word.end(), |quoted| quoted.end()) - word.at,
        });
        Ok(())
    }

    /// The rules of the wire form, said of the parameter that breaks them.
    fn fault(&self, error: SvcParamsError) -> Box<Fault> {
        let key = match error {
            SvcParamsError::Order(key) | SvcParamsError::Value(key) => key,
            SvcParamsError::Mandatory(_) | SvcParamsError::Truncated => SvcKey::MANDATORY,
        };
        // The later of two: that is the one to remove.
        let Some(parameter) = self.list.iter().rev().find(|parameter| parameter.key == key) else {
            return Fault::new(0, 1, error.to_string());
        };
        parameter.fault(match error {
            SvcParamsError::Order(_) => format!("`{key}` is there twice"),
            SvcParamsError::Value(SvcKey::NO_DEFAULT_ALPN | SvcKey::OHTTP | SvcKey::PVD) => {
                format!("`{key}` takes no value")
            }
            SvcParamsError::Value(_) if parameter.value.is_empty() => format!("`{key}` needs a value"),
            _ => error.to_string(),
        })
    }
}

/// Reads a value that is not empty.
fn read_value(
    key: SvcKey,
    generic: bool,
    value: &Token<'_>,
    plain: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    plain.clear();
    unescape(value, plain)?;
    let items = || plain.split(|octet| *octet == b',');
    let bad = |wanted: &str| Fault::of(value, format!("{} is not {wanted}", shown(value.text)));
    match key {
        _ if generic => out.extend_from_slice(plain),
        SvcKey::MANDATORY => {
            let keys = items().map(|item| std::str::from_utf8(item).ok().and_then(SvcKey::from_name));
            let keys: Option<Vec<SvcKey>> = keys.collect();
            let mut keys = keys.ok_or_else(|| bad("a list of SvcParam keys"))?;
            keys.sort_unstable();
            out.extend(keys.iter().flat_map(|key| key.0.to_be_bytes()));
        }
        SvcKey::ALPN => {
            read_alpn(plain, out).ok_or_else(|| bad("a list of protocol identifiers").help(ALPN_HELP))?
        }
        SvcKey::PORT => {
            let port: u16 = number(plain).ok_or_else(|| bad(Field::U16.noun()))?;
            out.extend_from_slice(&port.to_be_bytes());
        }
        SvcKey::TLS_SUPPORTED_GROUPS => {
            for item in items() {
                let group: u16 = number(item).ok_or_else(|| bad("a list of numbers of groups"))?;
                out.extend_from_slice(&group.to_be_bytes());
            }
        }
        SvcKey::DOCPATH => read_alpn(plain, out)
            .ok_or_else(|| bad("a list of path segments").help("write segments with commas between them"))?,
        SvcKey::IPV4HINT => {
            for item in items() {
                out.extend_from_slice(&ipv4(item).ok_or_else(|| bad("a list of IPv4 addresses"))?);
            }
        }
        SvcKey::IPV6HINT => {
            for item in items() {
                out.extend_from_slice(&ipv6(item).ok_or_else(|| bad("a list of IPv6 addresses"))?);
            }
        }
        SvcKey::ECH => decode(Decoder::base64(), value, Field::Base64, out)?,
        _ => out.extend_from_slice(plain),
    }
    Ok(())
}

const ALPN_HELP: &str = "write identifiers of 1 to 255 octets with commas between them, such as h2,h3";

/// RFC 9460 appendix A.1: within the string, which has lost its own escapes, a backslash protects commas and itself.
fn read_alpn(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut begin = out.len();
    out.push(0);
    let mut octets = text.iter();
    loop {
        match octets.next() {
            Some(b'\\') => match octets.next()? {
                octet @ (b'\\' | b',') => out.push(*octet),
                _ => return None,
            },
            end @ (Some(b',') | None) => {
                let length = u8::try_from(out.len() - begin - 1).ok().filter(|length| *length > 0)?;
                out[begin] = length;
                if end.is_none() {
                    return Some(());
                }
                begin = out.len();
                out.push(0);
            }
            Some(octet) => out.push(*octet),
        }
    }
}

fn unknown_key(word: &Token<'_>, name: &[u8]) -> Box<Fault> {
    let fault = Fault::of(word, format!("unknown SvcParam key {}", shown(name)));
    let known = SvcKey::KNOWN.iter().map(|(_, name)| *name);
    match diagnostic::nearest(&String::from_utf8_lossy(&name[..name.len().min(64)]), known) {
        Some(near) => fault.help(did_you_mean(near)),
        None => fault.help("write key=value, the key by name or as keyNNNNN (0 to 65535)"),
    }
}

/// Writes checked SvcParams, each with a blank before it. A key that a server does not know by name it knows by number,
/// with its value in octets.
pub(super) fn write(octets: &[u8], audience: Audience, out: &mut dyn Write) -> fmt::Result {
    let is_spelled = |key: SvcKey| audience == Audience::People || key.is_known_everywhere();
    let write_key = |key: SvcKey, out: &mut dyn Write| match is_spelled(key) {
        true => write!(out, "{key}"),
        false => write!(out, "key{}", key.0),
    };
    for (key, value) in SvcParams::new(octets).map_while(Result::ok) {
        out.write_char(' ')?;
        write_key(key, out)?;
        match key {
            _ if value.is_empty() => {}
            _ if !is_spelled(key) => {
                out.write_char('=')?;
                write_quoted(value, out)?;
            }
            SvcKey::MANDATORY => {
                for (index, key) in value.as_chunks::<2>().0.iter().enumerate() {
                    out.write_char(if index == 0 { '=' } else { ',' })?;
                    write_key(SvcKey(u16::from_be_bytes(*key)), out)?;
                }
            }
            SvcKey::ALPN | SvcKey::DOCPATH => {
                out.write_char('=')?;
                write_quoted(&alpn_text(value), out)?;
            }
            SvcKey::PORT | SvcKey::TLS_SUPPORTED_GROUPS => {
                write_list(value.as_chunks::<2>().0.iter().map(|port| u16::from_be_bytes(*port)), out)?
            }
            SvcKey::IPV4HINT => {
                write_list(value.as_chunks::<4>().0.iter().map(|address| Ipv4Addr::from(*address)), out)?
            }
            SvcKey::IPV6HINT => {
                write_list(value.as_chunks::<16>().0.iter().map(|address| Ipv6Addr::from(*address)), out)?
            }
            SvcKey::ECH => {
                out.write_char('=')?;
                encodings::write_base64(value, out)?;
            }
            _ => {
                out.write_char('=')?;
                write_quoted(value, out)?;
            }
        }
    }
    Ok(())
}

fn write_list(items: impl Iterator<Item = impl fmt::Display>, out: &mut dyn Write) -> fmt::Result {
    for (index, item) in items.enumerate() {
        write!(out, "{}{item}", if index == 0 { '=' } else { ',' })?;
    }
    Ok(())
}

/// The identifiers with commas between them and the inner one of the two escapes.
fn alpn_text(value: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.len());
    for identifier in crate::dns::rdata::character_strings(value).flatten() {
        if !text.is_empty() {
            text.push(b',');
        }
        for octet in identifier {
            if matches!(octet, b',' | b'\\') {
                text.push(b'\\');
            }
            text.push(*octet);
        }
    }
    text
}
