//! SvcParams of SVCB and HTTPS records in wire form (RFC 9460): their keys, a walk and the rules they obey.

use std::fmt;

macro_rules! keys {
    ($($constant:ident = $value:literal $name:literal),* $(,)?) => {
        /// A SvcParamKey.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub struct SvcKey(pub u16);

        #[allow(missing_docs)]
        impl SvcKey {
            $(pub const $constant: SvcKey = SvcKey($value);)*

            /// The keys that have a name, with it.
            pub const KNOWN: &'static [(SvcKey, &'static str)] = &[$((SvcKey($value), $name)),*];
        }
    };
}

keys! {
    MANDATORY = 0 "mandatory", ALPN = 1 "alpn", NO_DEFAULT_ALPN = 2 "no-default-alpn", PORT = 3 "port",
    IPV4HINT = 4 "ipv4hint", ECH = 5 "ech", IPV6HINT = 6 "ipv6hint", DOHPATH = 7 "dohpath", OHTTP = 8 "ohttp",
    TLS_SUPPORTED_GROUPS = 9 "tls-supported-groups", DOCPATH = 10 "docpath", PVD = 11 "pvd",
}

impl SvcKey {
    /// The registered name, none for a key without one.
    pub fn name(self) -> Option<&'static str> {
        Self::KNOWN.iter().find(|(key, _)| *key == self).map(|(_, name)| *name)
    }

    /// Whether every server knows this key by its name; `keyNNNNN` they all read. The keys of RFC 9460 itself.
    pub fn is_known_everywhere(self) -> bool {
        self <= SvcKey::IPV6HINT
    }

    /// The key with this name or of this `keyNNNNN`. Names are lower case, numbers have no leading zero
    /// (RFC 9460 2.1).
    pub fn from_name(name: &str) -> Option<SvcKey> {
        if let Some((key, _)) = Self::KNOWN.iter().find(|(_, known)| *known == name) {
            return Some(*key);
        }
        let digits = name.strip_prefix("key")?;
        let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
        if !plain || (digits.len() > 1 && digits.starts_with('0')) {
            return None;
        }
        digits.parse().ok().map(SvcKey)
    }
}

impl fmt::Display for SvcKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "key{}", self.0),
        }
    }
}

/// What SvcParams do not obey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SvcParamsError {
    /// The octets end inside a parameter.
    Truncated,
    /// A key stands behind a greater one or occurs twice (RFC 9460 2.2).
    Order(SvcKey),
    /// A value has not the form its key asks for.
    Value(SvcKey),
    /// `mandatory` names a key that is not there, itself, or one twice (RFC 9460 section 8).
    Mandatory(SvcKey),
}

impl fmt::Display for SvcParamsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SvcParamsError::Truncated => f.write_str("the SvcParams end inside a parameter"),
            SvcParamsError::Order(key) => write!(f, "`{key}` is repeated or out of order"),
            SvcParamsError::Value(key) => write!(f, "the value of `{key}` is malformed"),
            SvcParamsError::Mandatory(key) if *key == SvcKey::MANDATORY => {
                f.write_str("`mandatory` may not name itself")
            }
            SvcParamsError::Mandatory(key) => {
                write!(f, "`mandatory` must name each key once and only keys that are there, not so `{key}`")
            }
        }
    }
}

impl std::error::Error for SvcParamsError {}

/// Walks SvcParams: key and value of each, or an error once and then nothing.
#[derive(Debug, Clone)]
pub struct SvcParams<'a> {
    rest: &'a [u8],
}

impl<'a> SvcParams<'a> {
    /// The parameters in such a field of RDATA.
    pub fn new(octets: &'a [u8]) -> SvcParams<'a> {
        SvcParams { rest: octets }
    }

    fn split_first(&self) -> Option<(SvcKey, &'a [u8], &'a [u8])> {
        let (key, rest) = self.rest.split_first_chunk::<2>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (value, rest) = rest.split_at_checked(u16::from_be_bytes(*length) as usize)?;
        Some((SvcKey(u16::from_be_bytes(*key)), value, rest))
    }
}

impl<'a> Iterator for SvcParams<'a> {
    type Item = Result<(SvcKey, &'a [u8]), SvcParamsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let (item, rest) = match self.split_first() {
            Some((key, value, rest)) => (Ok((key, value)), rest),
            None => (Err(SvcParamsError::Truncated), &[][..]),
        };
        self.rest = rest;
        Some(item)
    }
}

/// Checks all that RFC 9460 demands of SvcParams: keys in strictly increasing order, values of known keys in their
/// form, and `mandatory` telling the truth. Whether keys make sense together (2.4.3) is not asked.
pub fn check(octets: &[u8]) -> Result<(), SvcParamsError> {
    let mut last = None;
    for param in SvcParams::new(octets) {
        let (key, value) = param?;
        if last >= Some(key) {
            return Err(SvcParamsError::Order(key));
        }
        last = Some(key);
        if !has_form(key, value) {
            return Err(SvcParamsError::Value(key));
        }
        if key == SvcKey::MANDATORY {
            // It has the smallest number, so that all other keys are still to come.
            check_mandatory(value, octets)?;
        }
    }
    Ok(())
}

/// Both lists are sorted: one walk over each.
fn check_mandatory(value: &[u8], octets: &[u8]) -> Result<(), SvcParamsError> {
    let mut present = SvcParams::new(octets).map_while(Result::ok).map(|(key, _)| key);
    let mut last = SvcKey::MANDATORY;
    for wanted in value.as_chunks::<2>().0.iter().map(|key| SvcKey(u16::from_be_bytes(*key))) {
        if wanted <= last || present.by_ref().find(|key| *key >= wanted) != Some(wanted) {
            return Err(SvcParamsError::Mandatory(wanted));
        }
        last = wanted;
    }
    Ok(())
}

fn has_form(key: SvcKey, value: &[u8]) -> bool {
    let many_of = |size: usize| !value.is_empty() && value.len().is_multiple_of(size);
    match key {
        // The groups: draft-ietf-tls-key-share-prediction section 3.1.
        SvcKey::MANDATORY | SvcKey::TLS_SUPPORTED_GROUPS => many_of(2),
        SvcKey::ALPN => is_alpn_list(value),
        SvcKey::NO_DEFAULT_ALPN | SvcKey::OHTTP | SvcKey::PVD => value.is_empty(),
        SvcKey::PORT => value.len() == 2,
        SvcKey::IPV4HINT => many_of(4),
        SvcKey::IPV6HINT => many_of(16),
        SvcKey::ECH => !value.is_empty(),
        // RFC 9461 section 5: a URI template in UTF-8.
        SvcKey::DOHPATH => !value.is_empty() && std::str::from_utf8(value).is_ok(),
        // RFC 9953 section 3.1: the segments of a path, none for the root.
        SvcKey::DOCPATH => value.is_empty() || is_alpn_list(value),
        _ => true,
    }
}

/// One or more identifiers, each with its length before it and not empty (RFC 9460 7.1.1).
fn is_alpn_list(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some((length, after)) = rest.split_first() {
        match after.split_at_checked(*length as usize) {
            Some((identifier, after)) if !identifier.is_empty() => rest = after,
            _ => return false,
        }
    }
    !value.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(list: &[(u16, &[u8])]) -> Vec<u8> {
        list.iter()
            .flat_map(|(key, value)| {
                [&key.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat()
            })
            .collect()
    }

    #[test]
    fn svc_params_obey_rfc_9460() {
        use SvcParamsError::*;
        let h2 = (1, &b"\x02h2"[..]);
        for (list, want) in [
            (vec![], Ok(())),
            (vec![h2, (3, b"\x01\xbb")], Ok(())),
            (vec![(0, b"\0\x01\0\x03"), h2, (3, b"\x01\xbb")], Ok(())),
            (vec![(3, b"\x01\xbb"), h2], Err(Order(SvcKey::ALPN))),
            (vec![h2, h2], Err(Order(SvcKey::ALPN))),
            (vec![(0, b"\0\x03"), h2], Err(Mandatory(SvcKey::PORT))),
            (vec![(0, b"\0\0")], Err(Mandatory(SvcKey::MANDATORY))),
            (vec![(0, b"\0\x01\0\x01"), h2], Err(Mandatory(SvcKey::ALPN))),
            (vec![(0, b"\0\x03\0\x01"), h2, (3, b"\x01\xbb")], Err(Mandatory(SvcKey::ALPN))),
            (vec![(0, b"")], Err(Value(SvcKey::MANDATORY))),
            (vec![(1, b"")], Err(Value(SvcKey::ALPN))),
            (vec![(1, b"\0")], Err(Value(SvcKey::ALPN))),
            (vec![(1, b"\x03h2")], Err(Value(SvcKey::ALPN))),
            (vec![(2, b"x")], Err(Value(SvcKey::NO_DEFAULT_ALPN))),
            (vec![(3, b"\0")], Err(Value(SvcKey::PORT))),
            (vec![(4, b"\0\0\0")], Err(Value(SvcKey::IPV4HINT))),
            (vec![(6, b"")], Err(Value(SvcKey::IPV6HINT))),
            (vec![(7, b"\xff")], Err(Value(SvcKey::DOHPATH))),
            (vec![(9, b"\0\x1d\0\x17")], Ok(())),
            (vec![(9, b"\0")], Err(Value(SvcKey::TLS_SUPPORTED_GROUPS))),
            (vec![(9, b"")], Err(Value(SvcKey::TLS_SUPPORTED_GROUPS))),
            (vec![(10, b""), (11, b"")], Ok(())),
            (vec![(10, b"\x03dns\x01q")], Ok(())),
            (vec![(10, b"\x04dns")], Err(Value(SvcKey::DOCPATH))),
            (vec![(11, b"x")], Err(Value(SvcKey::PVD))),
            (vec![(65535, b"")], Ok(())),
        ] {
            assert_eq!(check(&params(&list)), want, "{list:?}");
        }
        assert_eq!(check(b"\0\x01\0\x04\x02h2"), Err(Truncated));
        assert_eq!(check(b"\0"), Err(Truncated));
    }

    #[test]
    fn keys_have_one_spelling() {
        for (name, want) in [
            ("alpn", Some(1)),
            ("key1", Some(1)),
            ("key65535", Some(65535)),
            ("key0", Some(0)),
            ("key065", None),
            ("key65536", None),
            ("key", None),
            ("key+1", None),
            ("ALPN", None),
        ] {
            assert_eq!(SvcKey::from_name(name).map(|key| key.0), want, "{name}");
        }
        assert_eq!(SvcKey(65000).to_string(), "key65000");
    }
}
