//! Keys that sign RRsets, for tests and benches of whoever verifies. Part of the library's own tests too (`dnssec::testing`),
//! which is why it names the library from outside.
// Each who takes this file in uses another part of it.
#![allow(dead_code)]

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair,
};
use namu::dns::{Name, NameRef, RecordsBuf, RrType, Rrset, RrsetRef, Ttl};
use namu::dnssec::{Algorithm, Canonical, DigestType, Dnskey, Rrsig};
use namu::zonefile::{self, Files, NoIncludes};
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Pkcs1v15Sign, RsaPrivateKey};

/// Flags of a key that signs a zone.
pub const ZONE_KEY: u16 = 256;
/// Flags of a key that signs the keys of a zone.
pub const KEY_SIGNING_KEY: u16 = 257;

/// A key pair with the DNSKEY record of its public half.
#[derive(Debug)]
pub struct SigningKey {
    pair: Pair,
    algorithm: Algorithm,
    dnskey: Vec<u8>,
}

#[derive(Debug)]
enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaPrivateKey>),
}

impl SigningKey {
    /// A new key that signs a zone; see [`SigningKey::with_flags`].
    pub fn new(algorithm: Algorithm) -> SigningKey {
        SigningKey::with_flags(algorithm, ZONE_KEY)
    }

    /// A new key, with RSA always the same one of 1024 bits.
    pub fn with_flags(algorithm: Algorithm, flags: u16) -> SigningKey {
        match algorithm {
            Algorithm::ECDSAP256SHA256 => {
                SigningKey::ecdsa(algorithm, flags, &ECDSA_P256_SHA256_FIXED_SIGNING)
            }
            Algorithm::ECDSAP384SHA384 => {
                SigningKey::ecdsa(algorithm, flags, &ECDSA_P384_SHA384_FIXED_SIGNING)
            }
            Algorithm::ED25519 => {
                let pair = Ed25519KeyPair::generate().unwrap();
                let public_key = pair.public_key().as_ref().to_vec();
                SigningKey::of(Pair::Ed25519(pair), algorithm, flags, &public_key)
            }
            _ => SigningKey::rsa(algorithm, flags, 1024),
        }
    }

    /// The key of Ed25519 that belongs to some octets: always the same.
    pub fn ed25519_of(octets: &[u8], flags: u16) -> SigningKey {
        let pair = Ed25519KeyPair::from_seed_unchecked(digest(&SHA256, octets).as_ref()).unwrap();
        let public_key = pair.public_key().as_ref().to_vec();
        SigningKey::of(Pair::Ed25519(pair), Algorithm::ED25519, flags, &public_key)
    }

    fn ecdsa(algorithm: Algorithm, flags: u16, signing: &'static EcdsaSigningAlgorithm) -> SigningKey {
        let pair = EcdsaKeyPair::generate(signing).unwrap();
        // RFC 6605 section 4: without the octet that says that both coordinates follow.
        let public_key = pair.public_key().as_ref()[1..].to_vec();
        SigningKey::of(Pair::Ecdsa(pair), algorithm, flags, &public_key)
    }

    /// The one RSA key of 512, 1024, 1030 or 2048 bits.
    pub fn rsa(algorithm: Algorithm, flags: u16, bits: usize) -> SigningKey {
        SigningKey::rsa_with_exponent(algorithm, flags, bits, 65_537)
    }

    /// The same modulus with another public exponent.
    pub fn rsa_with_exponent(algorithm: Algorithm, flags: u16, bits: usize, exponent: u64) -> SigningKey {
        let (_, p, q) = PRIMES.iter().find(|(size, ..)| *size == bits).expect("a size there is");
        let number = |text: &str| BigUint::parse_bytes(text.as_bytes(), 16).unwrap();
        let pair = RsaPrivateKey::from_p_q(number(p), number(q), BigUint::from(exponent)).unwrap();
        // RFC 3110 section 2.
        let exponent = pair.e().to_bytes_be();
        let public_key = [&[exponent.len() as u8], &*exponent, &pair.n().to_bytes_be()].concat();
        SigningKey::of(Pair::Rsa(Box::new(pair)), algorithm, flags, &public_key)
    }

    fn of(pair: Pair, algorithm: Algorithm, flags: u16, public_key: &[u8]) -> SigningKey {
        let head = [flags.to_be_bytes()[0], flags.to_be_bytes()[1], 3, algorithm.0];
        SigningKey { pair, algorithm, dnskey: [&head, public_key].concat() }
    }

    /// RDATA of its DNSKEY record.
    pub fn dnskey(&self) -> &[u8] {
        &self.dnskey
    }

    /// Its DNSKEY record, read.
    pub fn key(&self) -> Dnskey<'_> {
        Dnskey::parse(&self.dnskey).unwrap()
    }

    /// RDATA of the DS record by which a parent names it.
    pub fn ds(&self, owner: NameRef<'_>, digest_type: DigestType) -> Vec<u8> {
        let [high, low] = self.key().key_tag().to_be_bytes();
        let head = [high, low, self.algorithm.0, digest_type.0];
        [&head, &*namu::dnssec::digest(owner, &self.key(), digest_type).unwrap()].concat()
    }

    /// RDATA of an RRSIG record of the zone `signer` over an RRset of it, as the zone would have it.
    pub fn sign(&self, rrset: RrsetRef<'_>, signer: NameRef<'_>, inception: u32, expiration: u32) -> Vec<u8> {
        self.sign_as(rrset, &self.fields(rrset, signer, inception, expiration))
    }

    /// The fields that [`SigningKey::sign`] signs, for tests to change some of them.
    pub fn fields<'a>(
        &self,
        rrset: RrsetRef<'_>,
        signer: NameRef<'a>,
        inception: u32,
        expiration: u32,
    ) -> Rrsig<'a> {
        Rrsig {
            type_covered: rrset.rr_type,
            algorithm: self.algorithm,
            labels: (rrset.owner.label_count() - usize::from(rrset.owner.is_wildcard())) as u8,
            original_ttl: rrset.ttl.seconds(),
            expiration,
            inception,
            key_tag: self.key().key_tag(),
            signer,
            signature: b"",
        }
    }

    /// A signature with these fields, whether they make sense or not. With fewer labels than the owner has, a wildcard is
    /// signed.
    pub fn sign_as(&self, rrset: RrsetRef<'_>, fields: &Rrsig<'_>) -> Vec<u8> {
        let message = Canonical::of(rrset).signed_octets(fields).unwrap();
        rrsig_rdata(&Rrsig { signature: &self.sign_octets(&message), ..*fields })
    }

    /// The signature alone.
    pub fn sign_octets(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Ecdsa(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let (hash, prefix) = match self.algorithm {
                    Algorithm::RSASHA256 => (&SHA256, SHA256_PREFIX),
                    Algorithm::RSASHA512 => (&SHA512, SHA512_PREFIX),
                    _ => (&SHA1_FOR_LEGACY_USE_ONLY, SHA1_PREFIX),
                };
                let digest = digest(hash, message);
                let scheme = Pkcs1v15Sign { hash_len: Some(digest.as_ref().len()), prefix: prefix.into() };
                pair.sign(scheme, digest.as_ref()).unwrap()
            }
        }
    }
}

/// RDATA of an RRSIG record with these fields.
pub fn rrsig_rdata(rrsig: &Rrsig<'_>) -> Vec<u8> {
    let mut rdata = rrsig.type_covered.0.to_be_bytes().to_vec();
    rdata.extend([rrsig.algorithm.0, rrsig.labels]);
    for number in [rrsig.original_ttl, rrsig.expiration, rrsig.inception] {
        rdata.extend(number.to_be_bytes());
    }
    rdata.extend(rrsig.key_tag.to_be_bytes());
    rdata.extend(rrsig.signer.octets());
    rdata.extend(rrsig.signature);
    rdata
}

/// The same RRset with these signatures.
pub fn with_signatures(rrset: RrsetRef<'_>, signatures: &[Vec<u8>]) -> Rrset {
    let owned = |records: &mut dyn Iterator<Item = &[u8]>| records.collect::<RecordsBuf>();
    let (mut records, mut signatures) = (rrset.records.iter(), signatures.iter().map(Vec::as_slice));
    let (records, signatures) = (owned(&mut records), owned(&mut signatures));
    Rrset::new(rrset.owner.to_name(), rrset.rr_type, rrset.ttl, records, signatures)
}

/// The RRsets of a zone text in the order of their first records, RRSIG records with those that they cover.
pub fn rrsets(text: &str) -> Vec<Rrset> {
    type Found = (Name, RrType, Ttl, RecordsBuf, RecordsBuf);
    let mut found: Vec<Found> = Vec::new();
    let mut files = Files::new("text", text.as_bytes().to_vec());
    let parsed = zonefile::parse(&mut files, NameRef::ROOT, &NoIncludes, &mut |record| {
        let covered = match record.rr_type {
            RrType::RRSIG => Rrsig::parse(record.rdata).unwrap().type_covered,
            rr_type => rr_type,
        };
        let is_of = |(owner, rr_type, ..): &Found| owner.as_ref() == record.owner && *rr_type == covered;
        let place = found.iter().position(is_of).unwrap_or_else(|| {
            found.push((record.owner.to_name(), covered, record.ttl, RecordsBuf::new(), RecordsBuf::new()));
            found.len() - 1
        });
        let (.., records, signatures) = &mut found[place];
        if record.rr_type == RrType::RRSIG { signatures } else { records }.push(record.rdata);
    });
    parsed.unwrap_or_else(|faults| panic!("{faults:?}"));
    let rrset =
        |(owner, rr_type, ttl, records, signatures)| Rrset::new(owner, rr_type, ttl, records, signatures);
    found.into_iter().map(rrset).collect()
}

/// The one RRset of a zone text.
pub fn rrset(text: &str) -> Rrset {
    let mut found = rrsets(text);
    assert_eq!(found.len(), 1, "one RRset: {text}");
    found.remove(0)
}

/// What stands before a digest (RFC 8017 9.2, note 1).
const SHA1_PREFIX: &[u8] = &[48, 33, 48, 9, 6, 5, 43, 14, 3, 2, 26, 5, 0, 4, 20];
const SHA256_PREFIX: &[u8] = &[48, 49, 48, 13, 6, 9, 96, 134, 72, 1, 101, 3, 4, 2, 1, 5, 0, 4, 32];
const SHA512_PREFIX: &[u8] = &[48, 81, 48, 13, 6, 9, 96, 134, 72, 1, 101, 3, 4, 2, 3, 5, 0, 4, 64];

/// Bits, and the two primes of the RSA keys, which are a secret to nobody.
const PRIMES: &[(usize, &str, &str)] = &[
    (
        512,
        "E56BABE3E18A25B3112FDF602D784CA578A493B66200B56D015C158321EF9CDD",
        "F443B2C626DD7B4544FC039F1A597642A0418B25FD40A54B569155A9F57FEFE1",
    ),
    (
        1024,
        "F72A74E8DC6E22539FBCBBEC20D9607EF1EEB20242ABACC7E6697DE040FF8FB7\
         862830922C4829876D4F8E24C77C1B614C7BB4961DB86D4C29E338057BB4DAE1",
        "F12B0F82A76B7D05DD4C4D49AEDBC3F2325C9466045AE722245021E7DCB8B002\
         A41567CF2A2FEDCE7A42FC607A63AB3A8C51BDCEFB44704CC982BB9B8D652AC5",
    ),
    (
        1030,
        "07CF78D389DFB7F35A0C8C69C496FFD2052AD1FBEC84FDC2E2507C0695260854\
         24A86BD617B19F0BD6253D938A70DFB4221BC29BD32B5E4EF4693029E5202609\
         FB",
        "0761D2CB73CF1F68E2018C780DA08463FC0B8CDB926395C934662DF62E147D9F\
         D87DE3DE68E400F57AC8EC713FE77932C59759EB9B641F5E1EE230CEDAC99D2F\
         77",
    ),
    (
        2048,
        "D1D49D021F0F1899FAFA77E2E42185493F01A6A4E0EDDCA260680D04AB01CF3F\
         261C7B17D8621326EA2D8516FCD591A2212FCA570EB8C6B9857ADE4E86F03A48\
         AD146EB24E29B218D8FC9278A00EF43BE84F731F010650D135893ECB912DA236\
         3A3DC024327A7D0A1494BF46AE37BBBEB5A09759DCC8CB06034ED9D3B92AAC65",
        "D8F093D8DB32472ABE73FD3F9AF77371D2BC4255193F1B1499DE594614D02316\
         50CF48E57CB7C1DDFC1C46FCB19A73C8B4A6332316F4A0BFE4974EF1F7842F09\
         EC10FD0C4A9B902B08A952C2D8919E0BE7B253A29D54BBB3331CEEC02F6EC4E7\
         9A65E5734BED1BEF895EE4246B10FC1F27A1BDB2DC707DE14F778BB02540E45F",
    ),
];
