//! RDATA from its text, field by field as `dns::rdata_table` has them, or in the generic form of RFC 3597.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::dns::rdata_table::{ALGORITHMS, CERT_TYPES, Field, Format, SCHEMES, format_of};
use crate::dns::{NameBuf, NameRef, RrType, name_text, rdata};

use super::encodings::Decoder;
use super::error::{Fault, Outcome, shown};
use super::lexer::{Lexer, Token};
use super::rdata_lists;
use super::svc_params::{self, Parameters};
use super::{location, mnemonics, rare, times};

/// Room that is used again for each record.
#[derive(Default)]
pub(super) struct Workspace {
    pub types: Vec<RrType>,
    pub parameters: Parameters,
}

/// Reads the RDATA of one record into `out`, in wire form.
pub(super) struct Reader<'r, 'a> {
    pub lexer: &'r mut Lexer<'a>,
    /// Completes relative names.
    pub origin: NameRef<'r>,
    pub rr_type: RrType,
    pub out: &'r mut Vec<u8>,
    pub workspace: &'r mut Workspace,
}

impl<'a> Reader<'_, 'a> {
    /// Reads to the end of the record, which must be the end of the data.
    pub fn read(mut self) -> Outcome<()> {
        self.out.clear();
        let generic = self.lexer.is_before_generic_form()?;
        let begin = self.lexer.position();
        match format_of(self.rr_type) {
            // RFC 3597 section 5: the generic form is open to every type.
            _ if generic => self.generic()?,
            Some(format) => self.fields(format)?,
            None => return Err(self.no_format()),
        }
        let whole =
            |error: rdata::RdataError| Fault::new(begin, self.lexer.position() - begin, error.to_string());
        if generic || self.out.len() > usize::from(u16::MAX) {
            rdata::check(self.rr_type, self.out).map_err(|error| {
                whole(error).help(format!("the octets must be those of a valid {} record", self.rr_type))
            })?;
        }
        debug_assert_eq!(rdata::check(self.rr_type, self.out), Ok(()), "{} {:?}", self.rr_type, self.out);
        rdata::check_sense(self.rr_type, self.out).map_err(whole)
    }

    fn fields(&mut self, format: &Format) -> Outcome<()> {
        for field in format.fields {
            self.field(*field)?;
        }
        match self.lexer.next()? {
            None => Ok(()),
            Some(extra) => {
                let message = format!("{} after the end of the {} data", shown(extra.text), self.rr_type);
                Err(Fault::of(&extra, message).help(format!("remove it; {}", self.format_help())))
            }
        }
    }

    pub fn field(&mut self, field: Field) -> Outcome<()> {
        match field {
            Field::U8 => self.word(field, |text| number(text).map(u8::to_be_bytes)),
            Field::U16 => self.word(field, |text| number(text).map(u16::to_be_bytes)),
            Field::U32 => self.word(field, |text| number(text).map(u32::to_be_bytes)),
            Field::Period => self.word(field, |text| {
                times::parse_period(text)
                    .and_then(|seconds| u32::try_from(seconds).ok())
                    .map(u32::to_be_bytes)
            }),
            Field::Timestamp => self
                .word(field, |text| crate::dns::signature_time::parse_timestamp(text).map(u32::to_be_bytes)),
            Field::Ipv4 => self.word(field, ipv4),
            Field::Ipv6 => self.word(field, ipv6),
            Field::Type => {
                self.word(field, |text| mnemonics::rr_type(text).map(|rr_type| rr_type.0.to_be_bytes()))
            }
            Field::Algorithm => self
                .word(field, |text| mnemonic(ALGORITHMS, text).or_else(|| number(text)).map(u8::to_be_bytes)),
            Field::CertType => self.word(field, |text| {
                mnemonic(CERT_TYPES, text).or_else(|| number(text)).map(u16::to_be_bytes)
            }),
            Field::Scheme => {
                self.word(field, |text| mnemonic(SCHEMES, text).or_else(|| number(text)).map(u8::to_be_bytes))
            }
            Field::NodeNumber => self.word(field, rare::node_number),
            Field::Eui48 => self.word(field, eui::<6>),
            Field::Eui64 => self.word(field, eui::<8>),
            Field::Locator64 => self.word(field, locator),
            Field::CompressibleName | Field::FoldedName | Field::PlainName => {
                let token = self.token(field)?;
                self.name(&token)
            }
            Field::Text => {
                let token = self.token(field)?;
                self.counted(&token, field, unescape)
            }
            Field::OptionalText => match self.lexer.next()? {
                Some(token) => self.counted(&token, Field::Text, unescape),
                None => Ok(()),
            },
            Field::Texts => self.texts(),
            Field::LongText => unescape(&self.token(field)?, self.out),
            Field::CaaTag => {
                let token = self.token(field)?;
                self.counted(&token, field, |token, out| {
                    out.extend_from_slice(token.text);
                    let valid = !token.text.is_empty() && token.text.iter().all(u8::is_ascii_alphanumeric);
                    valid.then_some(()).ok_or_else(|| wrong(token, field))
                })
            }
            Field::Salt => {
                let token = self.token(field)?;
                self.counted(&token, field, |token, out| match token.text {
                    b"-" => Ok(()),
                    _ => decode(Decoder::hex(), token, field, out),
                })
            }
            Field::HashedName => {
                let token = self.token(field)?;
                self.counted(&token, field, |token, out| decode(Decoder::base32hex(), token, field, out))
            }
            Field::Hex => {
                let first = self.token(field)?;
                self.encoded(first, Decoder::hex(), field)
            }
            Field::Base64 => {
                let first = self.token(field)?;
                self.encoded(first, Decoder::base64(), field)
            }
            Field::OptionalBase64 => self.key(),
            Field::DashedBase64 => {
                let first = self.token(field)?;
                match first.is_word(b"-") {
                    true => Ok(()),
                    false => self.encoded(first, Decoder::base64(), field),
                }
            }
            Field::Types => rdata_lists::read_types(self),
            Field::Prefixes => rdata_lists::read_prefixes(self),
            Field::LowTypes => rare::read_low_types(self),
            Field::Gateway => self.gateway(),
            Field::Relay => rare::read_relay(self),
            Field::Services => rare::read_services(self),
            Field::HostIdentity => rare::read_host_identity(self),
            Field::SplitAddress => rare::read_split_address(self),
            Field::Nsap => rare::read_nsap(self),
            Field::AtmAddress => rare::read_atm_address(self),
            Field::Location => self.location(),
            Field::SvcParams => svc_params::read(self),
        }
    }

    /// The next token, which must be there.
    pub fn token(&mut self, field: Field) -> Outcome<Token<'a>> {
        self.lexer.next()?.ok_or_else(|| self.missing(field))
    }

    /// One word that gives a fixed number of octets.
    pub fn word<const N: usize>(
        &mut self,
        field: Field,
        read: impl Fn(&[u8]) -> Option<[u8; N]>,
    ) -> Outcome<()> {
        let token = self.token(field)?;
        let octets = read(token.text).ok_or_else(|| match example(field) {
            Some(_) => wrong(&token, field),
            None => wrong(&token, field).help(self.format_help()),
        })?;
        self.out.extend_from_slice(&octets);
        Ok(())
    }

    pub fn name(&mut self, token: &Token<'_>) -> Outcome<()> {
        let mut buf = NameBuf::new();
        self.out.extend_from_slice(name(token, self.origin, &mut buf)?.octets());
        Ok(())
    }

    /// What `read` writes, with its length in one octet before it.
    fn counted(
        &mut self,
        token: &Token<'_>,
        field: Field,
        read: impl Fn(&Token<'_>, &mut Vec<u8>) -> Outcome<()>,
    ) -> Outcome<()> {
        let begin = self.out.len();
        self.out.push(0);
        read(token, self.out)?;
        let length = self.out.len() - begin - 1;
        match u8::try_from(length) {
            Ok(length) => {
                self.out[begin] = length;
                Ok(())
            }
            Err(_) => {
                let message = format!("{} of {length} octets; it may have 255", field.noun());
                let fault = Fault::of(token, message);
                Err(if field == Field::Text { fault.help("split it in two: \"..\" \"..\"") } else { fault })
            }
        }
    }

    fn texts(&mut self) -> Outcome<()> {
        let mut token = self.token(Field::Texts)?;
        loop {
            self.counted(&token, Field::Text, unescape)?;
            match self.lexer.next()? {
                Some(next) => token = next,
                None => return Ok(()),
            }
        }
    }

    /// This word and all to the end, as pieces of one encoded run of octets.
    fn encoded(&mut self, first: Token<'a>, mut decoder: Decoder, field: Field) -> Outcome<()> {
        let mut last = first;
        loop {
            decoder.push(last.text, self.out).map_err(|at| not_a_digit(&last, at, field))?;
            match self.lexer.next()? {
                Some(next) => last = next,
                None if decoder.is_whole() => return Ok(()),
                None => return Err(cut_short(&last, field)),
            }
        }
    }

    /// RFC 4025 section 3: what stands for the gateway depends on the number before it. A key may follow.
    fn gateway(&mut self) -> Outcome<()> {
        let begin = self.out.len();
        self.field(Field::U8)?;
        self.field(Field::Algorithm)?;
        let kind = self.out[begin];
        if kind > 3 {
            let message = format!("gateway type {kind}; it may be 0 (none), 1 (IPv4), 2 (IPv6) or 3 (name)");
            return Err(Fault::new(self.lexer.position() - 1, 1, message));
        }
        self.gateway_of_kind(kind)?;
        self.key()
    }

    /// A gateway or relay: nothing, an address of either family, or a name.
    pub fn gateway_of_kind(&mut self, kind: u8) -> Outcome<()> {
        match kind {
            0 => self.word(Field::Gateway, |text| (text == b".").then_some([])),
            1 => self.field(Field::Ipv4),
            2 => self.field(Field::Ipv6),
            _ => self.field(Field::PlainName),
        }
    }

    /// Base64 to the end, perhaps nothing.
    fn key(&mut self) -> Outcome<()> {
        match self.lexer.next()? {
            Some(first) => self.encoded(first, Decoder::base64(), Field::Base64),
            None => Ok(()),
        }
    }

    fn location(&mut self) -> Outcome<()> {
        // More words than a location can have: the one too many is found by `location::parse`.
        const MOST: usize = 13;
        let (mut words, mut spans, mut count) = ([&[][..]; MOST], [(0, 0); MOST], 0);
        while count < MOST
            && let Some(token) = self.lexer.next()?
        {
            (words[count], spans[count]) = (token.text, (token.at, token.length()));
            count += 1;
        }
        let octets = location::parse(&words[..count]).map_err(|bad| match spans[..count].get(bad.index) {
            Some((at, length)) => Fault::new(
                *at,
                *length,
                format!("{} where {} is expected", shown(words[bad.index]), bad.wanted),
            ),
            None => Fault::new(self.lexer.position(), 1, format!("the location ends before {}", bad.wanted)),
        })?;
        self.out.extend_from_slice(&octets);
        Ok(())
    }

    /// RFC 3597 section 5: `\#`, the number of octets, and as many in hexadecimal.
    fn generic(&mut self) -> Outcome<()> {
        const HELP: &str = "the generic form is \\# LENGTH HEX, such as \\# 4 C0000201";
        let marker = self.lexer.next()?;
        let Some(length) = self.lexer.next()? else {
            return Err(Fault::new(self.lexer.position(), 1, "the length of the data is missing").help(HELP));
        };
        let wanted: u16 = number(length.text).ok_or_else(|| wrong(&length, Field::U16).help(HELP))?;
        let mut last = marker.unwrap_or(length);
        let mut decoder = Decoder::hex();
        while let Some(token) = self.lexer.next()? {
            decoder.push(token.text, self.out).map_err(|at| not_a_digit(&token, at, Field::Hex))?;
            last = token;
        }
        if !decoder.is_whole() {
            return Err(cut_short(&last, Field::Hex));
        }
        match self.out.len() {
            found if found == usize::from(wanted) => Ok(()),
            found => {
                let message = format!("{wanted} octets are announced, but there are {found}");
                Err(Fault::of(&length, message).help(format!("write {found}, or correct the data")))
            }
        }
    }

    fn missing(&self, field: Field) -> Box<Fault> {
        let message = format!("the {} record ends where {} is expected", self.rr_type, field.noun());
        Fault::new(self.lexer.position(), 1, message).help(self.format_help())
    }

    /// What belongs into a record of this type.
    fn format_help(&self) -> String {
        let fields = format_of(self.rr_type).map_or(&[][..], |format| format.fields);
        let nouns: Vec<&str> = fields.iter().map(|field| field.noun()).collect();
        format!("{} data are: {}", self.rr_type, nouns.join(", "))
    }

    fn no_format(&self) -> Box<Fault> {
        let message = format!("the data of {} can only be written in the generic form", self.rr_type);
        Fault::new(self.lexer.position(), 1, message).help("write \\# LENGTH HEX, such as \\# 4 C0000201")
    }
}

/// A name as written: `@` is the origin, and a name without a final dot is completed with it.
pub(super) fn name<'b>(token: &Token<'_>, origin: NameRef<'_>, buf: &'b mut NameBuf) -> Outcome<NameRef<'b>> {
    let named = match token.is_word(b"@") {
        true => buf.finish_with(origin),
        false => name_text::parse_into(token.text, Some(origin), buf),
    };
    named.map_err(|error| Fault::of(token, format!("{} is not a name: {error}", shown(token.text))))
}

/// The octets a token stands for.
pub(super) fn unescape(token: &Token<'_>, out: &mut Vec<u8>) -> Outcome<()> {
    if !token.escaped {
        out.extend_from_slice(token.text);
        return Ok(());
    }
    let mut rest = token.text;
    while let Some((octet, after)) = rest.split_first() {
        rest = after;
        if *octet != b'\\' {
            out.push(*octet);
            continue;
        }
        let at = token.at + usize::from(token.quoted) + (token.text.len() - after.len() - 1);
        let (meant, used) = name_text::unescape(after).map_err(|error| {
            Fault::new(at, 1, error.to_string()).help("write \\\\ for the backslash itself")
        })?;
        out.push(meant);
        rest = &after[used..];
    }
    Ok(())
}

/// A decimal number in the range of its type; without sign.
pub(super) fn number<T: TryFrom<u64>>(text: &[u8]) -> Option<T> {
    // Ten digits hold every number of 32 bits; leading zeros are no one's intention.
    if !(1..=10).contains(&text.len()) || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = text.iter().fold(0u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    T::try_from(value).ok()
}

pub(super) fn ipv4(text: &[u8]) -> Option<[u8; 4]> {
    std::str::from_utf8(text).ok()?.parse().ok().map(|address: Ipv4Addr| address.octets())
}

pub(super) fn ipv6(text: &[u8]) -> Option<[u8; 16]> {
    std::str::from_utf8(text).ok()?.parse().ok().map(|address: Ipv6Addr| address.octets())
}

pub(super) fn mnemonic<T: Copy>(known: &[(T, &str)], text: &[u8]) -> Option<T> {
    known
        .iter()
        .find(|(_, mnemonic)| mnemonic.as_bytes().eq_ignore_ascii_case(text))
        .map(|(number, _)| *number)
}

/// Octets in two digits each with `-` between them (RFC 7043 3.2 and 4.2).
fn eui<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut octets = [0; N];
    if text.len() != 3 * N - 1 {
        return None;
    }
    for (octet, digits) in octets.iter_mut().zip(text.chunks(3)) {
        let pair = std::str::from_utf8(&digits[..2]).ok()?;
        let plain =
            digits[..2].iter().all(u8::is_ascii_hexdigit) && matches!(digits.get(2), None | Some(b'-'));
        *octet = u8::from_str_radix(pair, 16).ok().filter(|_| plain)?;
    }
    Some(octets)
}

/// Four groups of one to four hexadecimal digits with `:` between them (RFC 6742 2.1.2).
fn locator(text: &[u8]) -> Option<[u8; 8]> {
    let mut octets = [0; 8];
    let mut groups = text.split(|octet| *octet == b':');
    for pair in octets.chunks_mut(2) {
        let group = groups.next()?;
        let plain = (1..=4).contains(&group.len()) && group.iter().all(u8::is_ascii_hexdigit);
        let value = u16::from_str_radix(std::str::from_utf8(group).ok()?, 16).ok().filter(|_| plain)?;
        pair.copy_from_slice(&value.to_be_bytes());
    }
    groups.next().is_none().then_some(octets)
}

/// One whole word of encoded octets, at least one.
pub(super) fn decode(
    mut decoder: Decoder,
    token: &Token<'_>,
    field: Field,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    decoder.push(token.text, out).map_err(|at| not_a_digit(token, at, field))?;
    if token.text.is_empty() || !decoder.is_whole() {
        return Err(cut_short(token, field));
    }
    Ok(())
}

fn not_a_digit(token: &Token<'_>, at: usize, field: Field) -> Box<Fault> {
    let bad = &token.text[at..at + 1];
    Fault::new(
        token.at + usize::from(token.quoted) + at,
        1,
        format!("{} is not part of {}", shown(bad), field.noun()),
    )
}

fn cut_short(token: &Token<'_>, field: Field) -> Box<Fault> {
    Fault::of(token, format!("{} that does not end with a whole octet", field.noun()))
}

/// A token that is not what the field asks for.
pub(super) fn wrong(token: &Token<'_>, field: Field) -> Box<Fault> {
    let fault = Fault::of(token, format!("{} is not {}", shown(token.text), field.noun()));
    match example(field) {
        Some(example) => fault.help(example),
        None => fault,
    }
}

fn example(field: Field) -> Option<&'static str> {
    Some(match field {
        Field::Ipv4 => "write four numbers from 0 to 255 without leading zeros, such as 192.0.2.1",
        Field::Ipv6 => "write groups of hexadecimal digits, such as 2001:db8::1",
        Field::Period => "write seconds, or units as in 1w2d3h4m5s",
        Field::Timestamp => "write YYYYMMDDHHmmSS in UTC, or seconds since 1970",
        Field::Eui48 => "write six octets, such as 00-00-5e-00-53-2a",
        Field::Eui64 => "write eight octets, such as 00-00-5e-ef-10-00-00-2a",
        Field::Locator64 => "write four groups of digits, such as 2001:0db8:1140:1000",
        Field::CaaTag => "write a property of RFC 8659, such as issue, issuewild or iodef",
        Field::Gateway => "for gateway type 0 write a lone dot",
        Field::Type => "write a mnemonic such as AAAA, or TYPEnnn",
        _ => return None,
    })
}
