//! To and from hickory-proto values: the only bridge. hickory is never the first reader of foreign octets.

use hickory_proto::rr;
use hickory_proto::serialize::binary::{BinDecodable, BinEncodable};

use super::{Name, NameRef};

/// Our name as hickory's.
pub fn to_hickory_name(name: NameRef<'_>) -> rr::Name {
    rr::Name::from_bytes(name.octets()).expect("a valid wire form name is one for hickory too")
}

/// hickory's name as ours, made absolute.
pub fn from_hickory_name(name: &rr::Name) -> Name {
    let octets = name.to_bytes().expect("hickory writes the names it holds");
    Name::from_wire(&octets).expect("hickory writes absolute names uncompressed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cross_the_bridge_and_come_back() {
        for text in [".", "www.Example.org.", "a\\.b.\\000x.example."] {
            let name: Name = text.parse().unwrap();
            assert_eq!(from_hickory_name(&to_hickory_name(name.as_ref())).octets(), name.octets());
        }
    }
}
