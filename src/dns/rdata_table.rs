//! ONE table of RDATA formats: type -> fields. Zone file text, wire checks, name compression, canonical form
//! and additional data all interpret it; a type that is not here is opaque octets (RFC 3597).

use super::{NameRef, RrType};

/// One field of an RDATA format, as it stands in wire form. Each also fixes its text in zone files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// One octet, a decimal number.
    U8,
    /// Two octets, a decimal number.
    U16,
    /// Four octets, a decimal number.
    U32,
    /// Four octets, seconds; text may use the units of a TTL.
    Period,
    /// Four octets, an IPv4 address.
    Ipv4,
    /// Sixteen octets, an IPv6 address.
    Ipv6,
    /// A name of a type from RFC 1035: may be compressed when written (RFC 3597 section 4), folded in
    /// canonical form (RFC 4034 6.2).
    CompressibleName,
    /// A name that is never compressed when written but is folded in canonical form (RFC 4034 6.2), and may arrive
    /// compressed from old servers.
    FoldedName,
    /// A name that is neither compressed nor folded (RFC 3597 section 7, RFC 6840 5.1).
    PlainName,
    /// One character-string (RFC 1035 3.3).
    Text,
    /// One character-string or none to the end (RFC 1183 3.2).
    OptionalText,
    /// One or more character-strings to the end.
    Texts,
    /// Octets to the end, written as one quoted string without a length: a CAA value, a URI target.
    LongText,
    /// A CAA property tag: one length octet, letters and digits (RFC 8659 4.1).
    CaaTag,
    /// Octets to the end, hexadecimal, at least one.
    Hex,
    /// Octets to the end, base64, at least one.
    Base64,
    /// Octets to the end, base64, perhaps none.
    OptionalBase64,
    /// Octets to the end, base64, `-` when none: DOA data.
    DashedBase64,
    /// Eight octets, a decimal number or two of 32 bits with a dot between them: a bundle protocol node.
    NodeNumber,
    /// Six octets, `00-00-5e-00-53-2a` (RFC 7043 3.2).
    Eui48,
    /// Eight octets, `00-00-5e-ef-10-00-00-2a` (RFC 7043 4.2).
    Eui64,
    /// Eight octets, four groups of hexadecimal digits: an ILNP node or locator (RFC 6742 2.1).
    Locator64,
    /// One length octet and that many octets in hexadecimal, `-` when none: an NSEC3 salt.
    Salt,
    /// One length octet and that many octets in base32hex: the next hashed owner.
    HashedName,
    /// An RR type by mnemonic.
    Type,
    /// A type bitmap to the end (RFC 4034 4.1.2).
    Types,
    /// One bitmap of the types 1 to 127 to the end (RFC 2535 5.2).
    LowTypes,
    /// How a notification is sent: number or mnemonic (RFC 9859 2.1).
    Scheme,
    /// A DNSSEC algorithm: number or mnemonic (RFC 4034 appendix A.1).
    Algorithm,
    /// A CERT type: number or mnemonic (RFC 4398 2.1).
    CertType,
    /// Seconds since 1970 modulo 2^32, `YYYYMMDDHHmmSS` in text (RFC 4034 3.2).
    Timestamp,
    /// All sixteen octets of a LOC record (RFC 1876).
    Location,
    /// SvcParams to the end (RFC 9460 2.2).
    SvcParams,
    /// Address prefixes to the end, perhaps none (RFC 3123 4).
    Prefixes,
    /// To the end: gateway type, algorithm, the gateway, which has the form its type says, and the public key
    /// (RFC 4025 2.1). A name in it is neither compressed nor folded.
    Gateway,
    /// To the end: one bit and relay type in one octet, and the relay, which has the form its type says (RFC 8777 4.1).
    Relay,
    /// To the end: an IP protocol, and the ports it serves as a bitmap (RFC 1035 3.4.2).
    Services,
    /// To the end: the lengths of tag and key, the algorithm, host identity tag, public key, and names of rendezvous
    /// servers, perhaps none, neither compressed nor folded (RFC 8005 5).
    HostIdentity,
    /// To the end: how many bits the prefix has, the octets of the address behind it, and the name that has the prefix
    /// (RFC 2874 3.1).
    SplitAddress,
    /// Octets to the end, `0x` and hexadecimal digits with dots anywhere between them (RFC 1706 section 5).
    Nsap,
    /// To the end: one octet for the form, 0 an NSAP-like address in hexadecimal, 1 an E.164 number with `+` before it (ATM
    /// Forum af-saa-0069).
    AtmAddress,
}

impl Field {
    /// What stands there, for sentences.
    pub fn noun(self) -> &'static str {
        match self {
            U8 => "a number from 0 to 255",
            U16 => "a number from 0 to 65535",
            U32 => "a number from 0 to 4294967295",
            Period => "a number of seconds",
            Ipv4 => "an IPv4 address",
            Ipv6 => "an IPv6 address",
            CompressibleName | FoldedName | PlainName => "a name",
            Text | OptionalText | Texts => "a character-string",
            LongText => "a string",
            CaaTag => "a tag of letters and digits",
            Hex => "hexadecimal data",
            Base64 | OptionalBase64 | DashedBase64 => "base64 data",
            NodeNumber => "a number from 0 to 18446744073709551615",
            Eui48 => "a 48-bit address",
            Eui64 => "a 64-bit address",
            Locator64 => "a 64-bit locator",
            Salt => "a salt",
            HashedName => "a hashed owner name",
            Type => "an RR type",
            Types => "a list of RR types",
            LowTypes => "a list of RR types from 1 to 127",
            Scheme => "a scheme",
            Algorithm => "an algorithm",
            CertType => "a certificate type",
            Timestamp => "a point in time",
            Location => "a location",
            SvcParams => "a list of SvcParams",
            Prefixes => "a list of address prefixes",
            Gateway => "a gateway",
            Relay => "a relay",
            Services => "a protocol and its services",
            HostIdentity => "a host identity",
            SplitAddress => "a prefix length, an address suffix and a prefix name",
            Nsap => "an NSAP address",
            AtmAddress => "an ATM address",
        }
    }
}

/// The format of one type.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// The type.
    pub rr_type: RrType,
    /// Its fields in order.
    pub fields: &'static [Field],
    /// Whether the name it holds leads to address records worth adding (RFC 1035 3.3, RFC 2782, RFC 9460 4.1).
    pub additional: bool,
    /// Whether every server of today reads its mnemonic and its text: BIND 9.18, Knot DNS 3.2 and NSD 4.6 are asked. What
    /// is written for servers has the generic form of RFC 3597 otherwise, which all of them read.
    pub everywhere: bool,
}

const fn format(rr_type: RrType, fields: &'static [Field]) -> Format {
    Format { rr_type, fields, additional: false, everywhere: true }
}

const fn leading(rr_type: RrType, fields: &'static [Field]) -> Format {
    Format { rr_type, fields, additional: true, everywhere: true }
}

/// A type that some server is too old or too young for.
const fn rare(rr_type: RrType, fields: &'static [Field]) -> Format {
    Format { rr_type, fields, additional: false, everywhere: false }
}

use Field::*;

/// Every format known, by type number.
#[rustfmt::skip]
pub const TABLE: &[Format] = &[
    format(RrType::A, &[Ipv4]),
    leading(RrType::NS, &[CompressibleName]),
    rare(RrType::MD, &[CompressibleName]),
    rare(RrType::MF, &[CompressibleName]),
    format(RrType::CNAME, &[CompressibleName]),
    format(RrType::SOA, &[CompressibleName, CompressibleName, U32, Period, Period, Period, Period]),
    rare(RrType::MB, &[CompressibleName]),
    rare(RrType::MG, &[CompressibleName]),
    rare(RrType::MR, &[CompressibleName]),
    rare(RrType::WKS, &[Ipv4, Services]),
    format(RrType::PTR, &[CompressibleName]),
    format(RrType::HINFO, &[Text, Text]),
    format(RrType::MINFO, &[CompressibleName, CompressibleName]),
    leading(RrType::MX, &[U16, CompressibleName]),
    format(RrType::TXT, &[Texts]),
    format(RrType::RP, &[FoldedName, FoldedName]),
    format(RrType::AFSDB, &[U16, FoldedName]),
    rare(RrType::X25, &[Text]),
    rare(RrType::ISDN, &[Text, OptionalText]),
    format(RrType::RT, &[U16, FoldedName]),
    rare(RrType::NSAP, &[Nsap]),
    rare(RrType::NSAP_PTR, &[PlainName]),
    rare(RrType::SIG, &[Type, Algorithm, U8, U32, Timestamp, Timestamp, U16, FoldedName, Base64]),
    rare(RrType::KEY, &[U16, U8, Algorithm, OptionalBase64]),
    rare(RrType::PX, &[U16, FoldedName, FoldedName]),
    rare(RrType::GPOS, &[Text, Text, Text]),
    format(RrType::AAAA, &[Ipv6]),
    format(RrType::LOC, &[Location]),
    rare(RrType::NXT, &[FoldedName, LowTypes]),
    rare(RrType::EID, &[Hex]),
    rare(RrType::NIMLOC, &[Hex]),
    leading(RrType::SRV, &[U16, U16, U16, FoldedName]),
    rare(RrType::ATMA, &[AtmAddress]),
    format(RrType::NAPTR, &[U16, U16, Text, Text, Text, FoldedName]),
    format(RrType::KX, &[U16, FoldedName]),
    format(RrType::CERT, &[CertType, U16, Algorithm, Base64]),
    rare(RrType::A6, &[SplitAddress]),
    format(RrType::DNAME, &[FoldedName]),
    rare(RrType::SINK, &[U8, U8, U8, OptionalBase64]),
    format(RrType::APL, &[Prefixes]),
    format(RrType::DS, &[U16, Algorithm, U8, Hex]),
    format(RrType::SSHFP, &[U8, U8, Hex]),
    format(RrType::IPSECKEY, &[U8, Gateway]),
    format(RrType::RRSIG, &[Type, Algorithm, U8, U32, Timestamp, Timestamp, U16, FoldedName, Base64]),
    format(RrType::NSEC, &[PlainName, Types]),
    format(RrType::DNSKEY, &[U16, U8, Algorithm, Base64]),
    format(RrType::DHCID, &[Base64]),
    format(RrType::NSEC3, &[U8, U8, U16, Salt, HashedName, Types]),
    format(RrType::NSEC3PARAM, &[U8, U8, U16, Salt]),
    format(RrType::TLSA, &[U8, U8, U8, Hex]),
    format(RrType::SMIMEA, &[U8, U8, U8, Hex]),
    rare(RrType::HIP, &[HostIdentity]),
    rare(RrType::NINFO, &[Texts]),
    rare(RrType::RKEY, &[U16, U8, Algorithm, Base64]),
    rare(RrType::TALINK, &[PlainName, PlainName]),
    format(RrType::CDS, &[U16, Algorithm, U8, Hex]),
    format(RrType::CDNSKEY, &[U16, U8, Algorithm, Base64]),
    format(RrType::OPENPGPKEY, &[Base64]),
    format(RrType::CSYNC, &[U32, U16, Types]),
    format(RrType::ZONEMD, &[U32, U8, U8, Hex]),
    leading(RrType::SVCB, &[U16, PlainName, SvcParams]),
    leading(RrType::HTTPS, &[U16, PlainName, SvcParams]),
    rare(RrType::DSYNC, &[Type, Scheme, U16, PlainName]),
    rare(RrType::HHIT, &[Base64]),
    rare(RrType::BRID, &[Base64]),
    format(RrType::SPF, &[Texts]),
    format(RrType::NID, &[U16, Locator64]),
    format(RrType::L32, &[U16, Ipv4]),
    format(RrType::L64, &[U16, Locator64]),
    format(RrType::LP, &[U16, PlainName]),
    format(RrType::EUI48, &[Eui48]),
    format(RrType::EUI64, &[Eui64]),
    format(RrType::URI, &[U16, U16, LongText]),
    format(RrType::CAA, &[U8, CaaTag, LongText]),
    rare(RrType::AVC, &[Texts]),
    rare(RrType::DOA, &[U32, U32, U8, Text, DashedBase64]),
    rare(RrType::AMTRELAY, &[U8, Relay]),
    rare(RrType::RESINFO, &[Texts]),
    rare(RrType::WALLET, &[Texts]),
    rare(RrType::CLA, &[Texts]),
    rare(RrType::IPN, &[NodeNumber]),
    rare(RrType::TA, &[U16, Algorithm, U8, Hex]),
    rare(RrType::DLV, &[U16, Algorithm, U8, Hex]),
];

/// The format of a type, none for one that is opaque here.
pub fn format_of(rr_type: RrType) -> Option<&'static Format> {
    // The types of everyday are below 66: those are found by index, the rest by search.
    const SMALL: usize = 66;
    const BY_NUMBER: [u8; SMALL] = {
        let mut places = [u8::MAX; SMALL];
        let mut at = 0;
        while at < TABLE.len() {
            if (TABLE[at].rr_type.0 as usize) < SMALL {
                places[TABLE[at].rr_type.0 as usize] = at as u8;
            }
            at += 1;
        }
        places
    };
    match BY_NUMBER.get(rr_type.0 as usize) {
        Some(&place) => TABLE.get(place as usize),
        None => {
            let place = TABLE.binary_search_by_key(&rr_type, |format| format.rr_type).ok()?;
            TABLE.get(place)
        }
    }
}

/// Whether every server knows this type by its mnemonic; `TYPEnnn` they all read.
pub fn is_known_everywhere(rr_type: RrType) -> bool {
    format_of(rr_type).is_some_and(|format| format.everywhere)
}

/// The octets of a field of fixed size, none for one whose end only its octets tell.
pub fn fixed_octets(field: Field) -> Option<usize> {
    Some(match field {
        U8 | Algorithm | Scheme => 1,
        U16 | Type | CertType => 2,
        U32 | Period | Ipv4 | Timestamp => 4,
        Eui48 => 6,
        Eui64 | Locator64 | NodeNumber => 8,
        Ipv6 | Location => 16,
        _ => return None,
    })
}

/// Mnemonics of DNSSEC algorithms (RFC 4034 appendix A.1 and the IANA registry after it).
#[rustfmt::skip]
pub const ALGORITHMS: &[(u8, &str)] = &[
    (1, "RSAMD5"), (2, "DH"), (3, "DSA"), (5, "RSASHA1"), (6, "DSA-NSEC3-SHA1"), (7, "RSASHA1-NSEC3-SHA1"),
    (8, "RSASHA256"), (10, "RSASHA512"), (12, "ECC-GOST"), (13, "ECDSAP256SHA256"), (14, "ECDSAP384SHA384"),
    (15, "ED25519"), (16, "ED448"), (17, "SM2SM3"), (23, "ECC-GOST12"), (252, "INDIRECT"), (253, "PRIVATEDNS"),
    (254, "PRIVATEOID"),
];

/// Mnemonics of CERT types (RFC 4398 2.1).
#[rustfmt::skip]
pub const CERT_TYPES: &[(u16, &str)] = &[
    (1, "PKIX"), (2, "SPKI"), (3, "PGP"), (4, "IPKIX"), (5, "ISPKI"), (6, "IPGP"), (7, "ACPKIX"), (8, "IACPKIX"),
    (253, "URI"), (254, "OID"),
];

/// Mnemonics of DSYNC schemes (RFC 9859 2.1).
pub const SCHEMES: &[(u8, &str)] = &[(1, "NOTIFY")];

/// Mnemonics of IP protocols in WKS records (RFC 1035 3.4.2).
pub const PROTOCOLS: &[(u8, &str)] = &[(6, "TCP"), (17, "UDP")];

/// Mnemonics of the services that WKS records were used for (RFC 1010 and the registry after it). Others are written as
/// port numbers.
#[rustfmt::skip]
pub const SERVICES: &[(u16, &str)] = &[
    (7, "ECHO"), (9, "DISCARD"), (13, "DAYTIME"), (20, "FTP-DATA"), (21, "FTP"), (22, "SSH"), (23, "TELNET"), (25, "SMTP"),
    (37, "TIME"), (42, "NAMESERVER"), (43, "WHOIS"), (53, "DOMAIN"), (69, "TFTP"), (70, "GOPHER"), (79, "FINGER"),
    (80, "HTTP"), (88, "KERBEROS"), (109, "POP2"), (110, "POP3"), (111, "SUNRPC"), (113, "AUTH"), (119, "NNTP"),
    (123, "NTP"), (143, "IMAP"), (161, "SNMP"), (162, "SNMP-TRAP"), (179, "BGP"), (443, "HTTPS"),
];

/// The name in `rdata` that leads to additional data, for the types that have one.
pub fn additional_name(rr_type: RrType, rdata: &[u8]) -> Option<NameRef<'_>> {
    let format = format_of(rr_type).filter(|format| format.additional)?;
    let skip: usize = format.fields.iter().map_while(|field| fixed_octets(*field)).sum();
    NameRef::split_from(rdata.get(skip..)?).ok().map(|(name, _)| name)
}

/// Where compressible names stand in RDATA of a type: that many octets before them, that many names in a
/// row. (0, 0) for the types without; the writer asks this for each RRset.
pub fn compressible_names(rr_type: RrType) -> (usize, usize) {
    let Some(format) = format_of(rr_type) else {
        return (0, 0);
    };
    let names = format.fields.iter().filter(|field| **field == CompressibleName).count();
    match names {
        0 => (0, 0),
        _ => (format.fields.iter().map_while(|field| fixed_octets(*field)).sum(), names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_found() {
        assert!(TABLE.is_sorted_by_key(|format| format.rr_type));
        for format in TABLE {
            assert_eq!(format_of(format.rr_type).unwrap().rr_type, format.rr_type);
        }
        assert!(format_of(RrType(65_534)).is_none() && format_of(RrType(0)).is_none());
    }

    #[test]
    fn names_are_where_the_writer_looks_for_them() {
        assert_eq!(compressible_names(RrType::MX), (2, 1));
        assert_eq!(compressible_names(RrType::SOA), (0, 2));
        assert_eq!(compressible_names(RrType::SRV), (0, 0));
        assert_eq!(additional_name(RrType::SRV, b"\0\0\0\0\0\x35\x01a\0").unwrap().to_string(), "a.");
        assert_eq!(additional_name(RrType::CNAME, b"\x01a\0"), None);
    }
}
