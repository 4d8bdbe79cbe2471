//! The network a client is taken for: who can have one of its addresses can have them all.

use std::net::IpAddr;

/// The first bits of a client's address. Addresses of IPv4 that come as IPv6 are those of IPv4 (RFC 4291 2.5.5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientNetwork {
    is_ipv4: bool,
    bits: u128,
}

impl ClientNetwork {
    /// Of so many bits, at least one.
    pub fn new(client: IpAddr, ipv4_prefix: u8, ipv6_prefix: u8) -> ClientNetwork {
        let (is_ipv4, bits) = match client.to_canonical() {
            IpAddr::V4(address) => (true, u128::from(address.to_bits() >> (32 - ipv4_prefix.clamp(1, 32)))),
            IpAddr::V6(address) => (false, address.to_bits() >> (128 - ipv6_prefix.clamp(1, 128))),
        };
        ClientNetwork { is_ipv4, bits }
    }

    /// /24 or /56, what one site usually has.
    pub fn of_site(client: IpAddr) -> ClientNetwork {
        ClientNetwork::new(client, 24, 56)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_one_network_however_its_addresses_come() {
        for (one, other, is_same) in [
            ("192.0.2.77", "192.0.2.0", true),
            ("::ffff:192.0.2.77", "192.0.2.1", true),
            ("192.0.2.77", "192.0.3.77", false),
            ("2001:db8:1:2ff:3::4", "2001:db8:1:200::", true),
            ("2001:db8:1:2ff::", "2001:db8:1:300::", false),
            ("0.0.0.0", "::1:0:0:0", false),
        ] {
            let site = |text: &str| ClientNetwork::of_site(text.parse().unwrap());
            assert_eq!(site(one) == site(other), is_same, "{one} {other}");
        }
    }
}
