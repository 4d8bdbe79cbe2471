//! Signatures by RSA keys of 512 to 1023 bits, which aws-lc does not take and RFC 5702 2.1 allows. The only user of the crate
//! `rsa`: its advisory is about private keys, and there are none here.

use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};

/// What stands before a SHA-1 digest in a signature (RFC 8017 9.2, note 1; RFC 3110 section 3).
pub(super) const SHA1_PREFIX: &[u8] = b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14";
/// The same for SHA-256 (RFC 8017 9.2, note 1; RFC 5702 3.1).
pub(super) const SHA256_PREFIX: &[u8] =
    b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";

/// Whether it is a signature of the digest (RFC 8017 8.2.2). The caller has looked at the sizes of modulus and exponent.
pub(super) fn verifies(
    modulus: &[u8],
    exponent: &[u8],
    prefix: &[u8],
    digest: &[u8],
    signature: &[u8],
) -> bool {
    let Ok(key) = RsaPublicKey::new(BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent)) else {
        return false;
    };
    let scheme = Pkcs1v15Sign { hash_len: Some(digest.len()), prefix: prefix.into() };
    key.verify(scheme, digest, signature).is_ok()
}
