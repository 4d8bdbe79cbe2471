//! RR types, classes, opcodes and response codes: numbers with their mnemonics (IANA DNS parameters).

use std::fmt;
use std::str::FromStr;

use super::NameRef;

macro_rules! numbers {
    ($(#[$doc:meta])* $name:ident($int:ty), $prefix:literal { $($constant:ident = $value:literal $mnemonic:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $int);

        #[allow(missing_docs)]
        impl $name {
            $(pub const $constant: $name = $name($value);)*

            /// Every number that has a mnemonic, with it.
            pub const KNOWN: &'static [($name, &'static str)] = &[$(($name($value), $mnemonic)),*];

            /// The mnemonic, none for a number without one.
            pub fn mnemonic(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($mnemonic),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.mnemonic() {
                    Some(mnemonic) => f.write_str(mnemonic),
                    None => write!(f, concat!($prefix, "{}"), self.0),
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = UnknownMnemonic;

            /// The mnemonic in any case, or the generic form with the number (RFC 3597 5).
            fn from_str(text: &str) -> Result<$name, UnknownMnemonic> {
                for (number, mnemonic) in $name::KNOWN {
                    if mnemonic.eq_ignore_ascii_case(text) {
                        return Ok(*number);
                    }
                }
                match text.get(..$prefix.len()) {
                    Some(prefix) if prefix.eq_ignore_ascii_case($prefix) => {}
                    _ => return Err(UnknownMnemonic),
                }
                let digits = &text[$prefix.len()..];
                if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
                    return Err(UnknownMnemonic);
                }
                digits.parse().map($name).map_err(|_| UnknownMnemonic)
            }
        }
    };
}

/// A mnemonic nobody has registered, or a number out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownMnemonic;

impl fmt::Display for UnknownMnemonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a registered mnemonic")
    }
}

impl std::error::Error for UnknownMnemonic {}

numbers! {
    /// The type of an RRset, or a QTYPE.
    RrType(u16), "TYPE" {
        A = 1 "A", NS = 2 "NS", MD = 3 "MD", MF = 4 "MF", CNAME = 5 "CNAME", SOA = 6 "SOA", MB = 7 "MB", MG = 8 "MG",
        MR = 9 "MR", NULL = 10 "NULL", WKS = 11 "WKS", PTR = 12 "PTR", HINFO = 13 "HINFO", MINFO = 14 "MINFO",
        MX = 15 "MX", TXT = 16 "TXT", RP = 17 "RP", AFSDB = 18 "AFSDB", X25 = 19 "X25", ISDN = 20 "ISDN", RT = 21 "RT",
        NSAP = 22 "NSAP", NSAP_PTR = 23 "NSAP-PTR", SIG = 24 "SIG", KEY = 25 "KEY", PX = 26 "PX", GPOS = 27 "GPOS",
        AAAA = 28 "AAAA", LOC = 29 "LOC", NXT = 30 "NXT", EID = 31 "EID", NIMLOC = 32 "NIMLOC", SRV = 33 "SRV",
        ATMA = 34 "ATMA", NAPTR = 35 "NAPTR", KX = 36 "KX", CERT = 37 "CERT", A6 = 38 "A6", DNAME = 39 "DNAME",
        SINK = 40 "SINK", OPT = 41 "OPT", APL = 42 "APL", DS = 43 "DS", SSHFP = 44 "SSHFP", IPSECKEY = 45 "IPSECKEY",
        RRSIG = 46 "RRSIG", NSEC = 47 "NSEC", DNSKEY = 48 "DNSKEY", DHCID = 49 "DHCID", NSEC3 = 50 "NSEC3",
        NSEC3PARAM = 51 "NSEC3PARAM", TLSA = 52 "TLSA", SMIMEA = 53 "SMIMEA", HIP = 55 "HIP", NINFO = 56 "NINFO",
        RKEY = 57 "RKEY", TALINK = 58 "TALINK", CDS = 59 "CDS", CDNSKEY = 60 "CDNSKEY", OPENPGPKEY = 61 "OPENPGPKEY",
        CSYNC = 62 "CSYNC", ZONEMD = 63 "ZONEMD", SVCB = 64 "SVCB", HTTPS = 65 "HTTPS", DSYNC = 66 "DSYNC",
        HHIT = 67 "HHIT", BRID = 68 "BRID", SPF = 99 "SPF", UINFO = 100 "UINFO", UID = 101 "UID", GID = 102 "GID",
        UNSPEC = 103 "UNSPEC", NID = 104 "NID", L32 = 105 "L32", L64 = 106 "L64", LP = 107 "LP", EUI48 = 108 "EUI48",
        EUI64 = 109 "EUI64", NXNAME = 128 "NXNAME", TKEY = 249 "TKEY", TSIG = 250 "TSIG", IXFR = 251 "IXFR",
        AXFR = 252 "AXFR", MAILB = 253 "MAILB", MAILA = 254 "MAILA", ANY = 255 "ANY", URI = 256 "URI", CAA = 257 "CAA",
        AVC = 258 "AVC", DOA = 259 "DOA", AMTRELAY = 260 "AMTRELAY", RESINFO = 261 "RESINFO", WALLET = 262 "WALLET",
        CLA = 263 "CLA", IPN = 264 "IPN", TA = 32768 "TA", DLV = 32769 "DLV",
    }
}

impl RrType {
    /// Types that exist only in questions or messages and may not stand in a zone (RFC 6895 3.1).
    pub fn is_meta(self) -> bool {
        matches!(self.0, 0 | 41 | 128..=255)
    }

    /// Types that stand at the parent's side of a zone cut (RFC 4035 2.6, RFC 4034 5).
    pub fn is_parental(self) -> bool {
        self == RrType::DS
    }

    /// The name whose zone has the RRset of this type at `owner`: of DS it is the zone above.
    pub fn place(self, owner: NameRef<'_>) -> NameRef<'_> {
        owner.parent().filter(|_| self.is_parental()).unwrap_or(owner)
    }

    /// Types whose records prove what is not there (RFC 4034 4, RFC 5155 3).
    pub fn is_proof(self) -> bool {
        matches!(self, RrType::NSEC | RrType::NSEC3)
    }
}

numbers! {
    /// The class of an RRset, or a QCLASS.
    RrClass(u16), "CLASS" {
        IN = 1 "IN", CH = 3 "CH", HS = 4 "HS", NONE = 254 "NONE", ANY = 255 "ANY",
    }
}

numbers! {
    /// What a message asks for.
    Opcode(u8), "OPCODE" {
        QUERY = 0 "QUERY", IQUERY = 1 "IQUERY", STATUS = 2 "STATUS", NOTIFY = 4 "NOTIFY", UPDATE = 5 "UPDATE", DSO = 6 "DSO",
    }
}

numbers! {
    /// A response code, the upper bits of EDNS included (RFC 6895 2.3).
    Rcode(u16), "RCODE" {
        NOERROR = 0 "NOERROR", FORMERR = 1 "FORMERR", SERVFAIL = 2 "SERVFAIL", NXDOMAIN = 3 "NXDOMAIN",
        NOTIMP = 4 "NOTIMP", REFUSED = 5 "REFUSED", YXDOMAIN = 6 "YXDOMAIN", YXRRSET = 7 "YXRRSET",
        NXRRSET = 8 "NXRRSET", NOTAUTH = 9 "NOTAUTH", NOTZONE = 10 "NOTZONE", DSOTYPENI = 11 "DSOTYPENI",
        BADVERS = 16 "BADVERS", BADKEY = 17 "BADKEY", BADTIME = 18 "BADTIME", BADMODE = 19 "BADMODE",
        BADNAME = 20 "BADNAME", BADALG = 21 "BADALG", BADTRUNC = 22 "BADTRUNC", BADCOOKIE = 23 "BADCOOKIE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mnemonics_read_back_and_so_do_generic_forms() {
        for (number, mnemonic) in RrType::KNOWN {
            assert_eq!(mnemonic.parse::<RrType>(), Ok(*number));
        }
        assert_eq!("type65534".parse::<RrType>(), Ok(RrType(65534)));
        assert_eq!(RrType(65534).to_string(), "TYPE65534");
        assert_eq!("aaaa".parse::<RrType>(), Ok(RrType::AAAA));
        for bad in ["TYPE", "TYPE65536", "TYPE+1", "TYPE-1", "FOO", ""] {
            assert!(bad.parse::<RrType>().is_err(), "{bad}");
        }
        assert_eq!("CLASS3".parse::<RrClass>(), Ok(RrClass::CH));
    }
}
