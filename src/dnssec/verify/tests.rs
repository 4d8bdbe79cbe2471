use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::dns::{Name, NameRef, RecordsBuf, RrType, Rrset, Ttl};
use crate::dnssec::testing::{SigningKey, ZONE_KEY, rrset as rrset_of, rrsig_rdata};
use crate::limits;

/// One key of each algorithm that signs, RSA in three sizes.
static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
    let mut keys: Vec<SigningKey> = [
        Algorithm::RSASHA1,
        Algorithm::RSASHA1_NSEC3_SHA1,
        Algorithm::RSASHA256,
        Algorithm::RSASHA512,
        Algorithm::ECDSAP256SHA256,
        Algorithm::ECDSAP384SHA384,
        Algorithm::ED25519,
    ]
    .map(SigningKey::new)
    .into();
    for (algorithm, bits) in
        [(Algorithm::RSASHA1, 512), (Algorithm::RSASHA256, 512), (Algorithm::RSASHA512, 2048)]
    {
        keys.push(SigningKey::rsa(algorithm, ZONE_KEY, bits));
    }
    keys
});

fn signer() -> Name {
    "Example.".parse().unwrap()
}

/// RDATA of a signature over an RRset as it stands.
fn signed(key: &SigningKey, rrset: &Rrset) -> Vec<u8> {
    key.sign(rrset.view(), signer().as_ref(), 1_000, 2_000)
}

fn verified(rrset: &Rrset, signature: &[u8], key: &SigningKey) -> Result<(), Unverified> {
    verify(rrset.view(), &Rrsig::parse(signature).unwrap(), &key.key())
}

fn with_records(rrset: &Rrset, records: &[Vec<u8>]) -> Rrset {
    let records: RecordsBuf = records.iter().map(Vec::as_slice).collect();
    Rrset::new(rrset.owner.clone(), rrset.rr_type, rrset.ttl, records, RecordsBuf::new())
}

fn mx() -> Rrset {
    rrset_of("www.Example. 3600 MX 10 Mail.example.\nwww.example. 3600 MX 20 a.MAIL.example.")
}

#[test]
fn every_algorithm_verifies_what_it_signed_and_nothing_else() {
    let rrset = mx();
    for key in &*KEYS {
        let name = key.key().algorithm;
        let signature = signed(key, &rrset);
        assert_eq!(verified(&rrset, &signature, key), Ok(()), "{name}");
        for place in [0, 1] {
            let mut records: Vec<Vec<u8>> = rrset.records().iter().map(<[u8]>::to_vec).collect();
            records[place][1] ^= 1;
            let changed = with_records(&rrset, &records);
            assert_eq!(verified(&changed, &signature, key), Err(Unverified::BadSignature), "{name}");
        }
        let mut torn = signature.clone();
        *torn.last_mut().unwrap() ^= 1;
        assert_eq!(verified(&rrset, &torn, key), Err(Unverified::BadSignature), "{name}");
        for length in [0, 1, signature.len() - signature_start(&signature) - 1] {
            let cut = &signature[..signature_start(&signature) + length];
            assert_eq!(verified(&rrset, cut, key), Err(Unverified::BadSignature), "{name} {length}");
        }
        let longer = [&signature[..], b"\0"].concat();
        assert_eq!(verified(&rrset, &longer, key), Err(Unverified::BadSignature), "{name}");
    }
}

fn signature_start(rdata: &[u8]) -> usize {
    rdata.len() - Rrsig::parse(rdata).unwrap().signature.len()
}

#[test]
fn case_order_duplicates_and_ttl_are_not_signed() {
    let rrset = mx();
    for key in &*KEYS {
        let signature = signed(key, &rrset);
        for text in [
            "WWW.EXAMPLE. 3600 MX 10 mail.example.\nwww.example. 3600 MX 20 a.mail.example.",
            "www.example. 3600 MX 20 a.mail.example.\nwww.example. 3600 MX 10 mail.EXAMPLE.",
            "www.example. 17 MX 10 mail.example.\nwww.example. 17 MX 20 a.mail.example.",
        ] {
            assert_eq!(verified(&rrset_of(text), &signature, key), Ok(()), "{text}");
        }
        let mut records: Vec<Vec<u8>> = rrset.records().iter().map(<[u8]>::to_vec).collect();
        records.push(records[0].to_ascii_lowercase());
        assert_eq!(verified(&with_records(&rrset, &records), &signature, key), Ok(()));
    }
}

/// RFC 6840 5.1 and RFC 3597 section 7: names in NSEC and in types of later days keep their case.
#[test]
fn names_are_folded_in_old_types_only() {
    let key = SigningKey::new(Algorithm::ED25519);
    for (text, folds) in [
        ("a. 1 NS Ns.", true),
        ("a. 1 SOA Ns. Mail. 1 2 3 4 5", true),
        ("a. 1 RP Mail. Text.", true),
        ("a. 1 SRV 1 2 3 Host.", true),
        ("a. 1 NAPTR 1 2 \"s\" \"sip\" \"\" Host.", true),
        ("a. 1 KX 1 Host.", true),
        ("a. 1 DNAME Host.", true),
        ("a. 1 A6 64 ::1 Host.", true),
        ("a. 1 NSEC Next. A", false),
        ("a. 1 HTTPS 1 Host.", false),
        ("a. 1 LP 1 Host.", false),
        ("a. 1 TXT \"Host\"", false),
        ("a. 1 HINFO Cpu Os", false),
    ] {
        let rrset = rrset_of(text);
        let lower: Vec<Vec<u8>> = rrset.records().iter().map(<[u8]>::to_ascii_lowercase).collect();
        let want = if folds { Ok(()) } else { Err(Unverified::BadSignature) };
        assert_eq!(verified(&with_records(&rrset, &lower), &signed(&key, &rrset), &key), want, "{text}");
    }
}

#[test]
fn each_field_of_a_signature_is_signed() {
    let rrset = mx();
    let key = SigningKey::new(Algorithm::ECDSAP256SHA256);
    let rdata = signed(&key, &rrset);
    let rrsig = Rrsig::parse(&rdata).unwrap();
    let other: Name = "other.".parse().unwrap();
    let upper: Name = "EXAMPLE.".parse().unwrap();
    let bad = Err(Unverified::BadSignature);
    for (changed, want) in [
        (rrsig, Ok(())),
        (Rrsig { signer: upper.as_ref(), ..rrsig }, Ok(())),
        (Rrsig { original_ttl: rrsig.original_ttl - 1, ..rrsig }, bad),
        (Rrsig { inception: 999, ..rrsig }, bad),
        (Rrsig { expiration: 2_001, ..rrsig }, bad),
        (Rrsig { signer: other.as_ref(), ..rrsig }, bad),
        (Rrsig { labels: 1, ..rrsig }, bad),
        (Rrsig { labels: 3, ..rrsig }, Err(Unverified::Labels)),
        (Rrsig { type_covered: RrType::A, ..rrsig }, Err(Unverified::OtherType)),
        (Rrsig { key_tag: rrsig.key_tag ^ 1, ..rrsig }, Err(Unverified::OtherKey)),
        (Rrsig { algorithm: Algorithm::ECDSAP384SHA384, ..rrsig }, Err(Unverified::OtherKey)),
    ] {
        assert_eq!(verify(rrset.view(), &changed, &key.key()), want, "{changed:?}");
    }
    let mut chaos = rrset.view();
    chaos.class = crate::dns::RrClass::CH;
    assert_eq!(verify(chaos, &rrsig, &key.key()), bad, "the class is signed");
}

#[test]
fn names_made_from_a_wildcard_have_its_signature() {
    let key = SigningKey::new(Algorithm::ED25519);
    let wildcard = rrset_of("*.w.example. 300 A 192.0.2.1");
    let signature = signed(&key, &wildcard);
    for (owner, want) in [
        ("*.w.example.", Ok(())),
        ("a.w.example.", Ok(())),
        ("A.b.W.example.", Ok(())),
        ("w.example.", Err(Unverified::BadSignature)),
        ("a.v.example.", Err(Unverified::BadSignature)),
        ("example.", Err(Unverified::Labels)),
    ] {
        let made = rrset_of(&format!("{owner} 300 A 192.0.2.1"));
        assert_eq!(verified(&made, &signature, &key), want, "{owner}");
    }
}

/// With a label of one octet the wildcard is as long as the longest name; with a root encloser it is the shortest.
#[test]
fn wildcards_of_any_length_fit() {
    let key = SigningKey::new(Algorithm::ED25519);
    let longest = Name::from_wire(&[b"\x01a".repeat(127), vec![0]].concat()).unwrap();
    for labels in 0..=127 {
        let records: RecordsBuf = [&b"\xc0\0\x02\x01"[..]].into_iter().collect();
        let rrset = Rrset::new(longest.clone(), RrType::A, Ttl::ZERO, records, RecordsBuf::new());
        let fields = Rrsig { labels, ..key.fields(rrset.view(), NameRef::ROOT, 0, 1) };
        assert_eq!(verified(&rrset, &key.sign_as(rrset.view(), &fields), &key), Ok(()), "{labels}");
    }
}

/// A DNSKEY of that algorithm and public key, and a signature that points to it.
fn verdict(algorithm: Algorithm, public_key: &[u8], signature: &[u8]) -> Result<(), Unverified> {
    let rrset = mx();
    let rdata = [&[1, 0, 3, algorithm.0], public_key].concat();
    let key = Dnskey::parse(&rdata).unwrap();
    let rrsig = Rrsig {
        algorithm,
        key_tag: key.key_tag(),
        signature,
        ..KEYS[0].fields(rrset.view(), NameRef::ROOT, 1, 2)
    };
    verify(rrset.view(), &rrsig, &key)
}

#[test]
fn keys_of_other_sizes_and_off_their_curve_are_bad() {
    for (algorithm, length) in
        [(Algorithm::ECDSAP256SHA256, 64), (Algorithm::ECDSAP384SHA384, 96), (Algorithm::ED25519, 32)]
    {
        for wrong in [0, 1, length - 1, length + 1, 2 * length] {
            assert_eq!(verdict(algorithm, &vec![1; wrong], &[1; 64]), Err(Unverified::BadKey), "{wrong}");
        }
    }
    assert_eq!(verdict(Algorithm::ECDSAP256SHA256, &[1; 64], &[1; 64]), Err(Unverified::BadKey));
    assert_eq!(verdict(Algorithm::ECDSAP384SHA384, &[0; 96], &[1; 96]), Err(Unverified::BadKey));
    assert_eq!(verdict(Algorithm::ECDSAP384SHA384, &[0xff; 96], &[1; 96]), Err(Unverified::BadKey));
    for unknown in [0, 1, 2, 3, 6, 12, 16, 17, 252, 253, 255] {
        assert_eq!(verdict(Algorithm(unknown), &[1; 64], &[1; 64]), Err(Unverified::UnknownAlgorithm));
    }
}

/// RFC 3110 section 2, RFC 5702 sections 2.1 and 2.2.
#[test]
fn rsa_keys_have_their_sizes() {
    let modulus = |bits: usize| {
        let mut octets = vec![0xff; bits.div_ceil(8)];
        octets[0] >>= octets.len() * 8 - bits;
        octets
    };
    let key = |exponent: &[u8], modulus: &[u8]| [&[exponent.len() as u8], exponent, modulus].concat();
    let long = |exponent: &[u8], modulus: &[u8]| {
        [&[0], &(exponent.len() as u16).to_be_bytes()[..], exponent, modulus].concat()
    };
    let (sha1, sha256, sha512) = (Algorithm::RSASHA1, Algorithm::RSASHA256, Algorithm::RSASHA512);
    let (used, bad) = (Unverified::BadSignature, Unverified::BadKey);
    let even = [modulus(1016), vec![0xfe]].concat();
    for (algorithm, public_key, want) in [
        (sha256, key(&[3], &modulus(512)), used),
        (sha1, key(&[3], &modulus(512)), used),
        (sha256, key(&[3], &modulus(511)), bad),
        (sha256, key(&[3], &modulus(1023)), used),
        (sha256, key(&[3], &modulus(1024)), used),
        (sha256, key(&[3], &modulus(4096)), used),
        (sha256, key(&[3], &modulus(4097)), bad),
        (sha256, key(&[3], &vec![0xff; 65_000]), bad),
        (sha512, key(&[3], &modulus(1023)), bad),
        (sha512, key(&[3], &modulus(1024)), used),
        (sha256, long(&[3], &modulus(1024)), used),
        (sha256, long(&[1, 0, 1], &modulus(1024)), used),
        (sha256, key(&[0, 0, 3], &modulus(1024)), used),
        (sha256, key(&[3], &[vec![0; 3], modulus(1024)].concat()), used),
        (sha256, key(&[1, 0, 0, 0, 1], &modulus(1024)), used),
        (sha256, key(&[1, 0, 0, 0, 1], &modulus(512)), used),
        (sha256, key(&[2, 0, 0, 0, 1], &modulus(1024)), bad),
        (sha256, key(&[0xff; 128], &modulus(1024)), bad),
        (sha256, long(&[0xff; 512], &modulus(4096)), bad),
        (sha256, key(&[1], &modulus(1024)), bad),
        (sha256, key(&[2], &modulus(1024)), bad),
        (sha256, key(&[0], &modulus(1024)), bad),
        (sha256, key(&[], &modulus(1024)), bad),
        (sha256, key(&[3], &even), bad),
        (sha256, key(&[3], &[]), bad),
        (sha256, key(&[3], &[0; 128]), bad),
        (sha256, vec![], bad),
        (sha256, vec![0], bad),
        (sha256, vec![0, 0], bad),
        (sha256, vec![0, 0, 0], bad),
        (sha256, vec![0, 0xff, 0xff, 1], bad),
        (sha256, vec![200, 1, 1], bad),
    ] {
        for signature in [&[0xff; 64][..], &[1; 128], b""] {
            let length = public_key.len();
            assert_eq!(verdict(algorithm, &public_key, signature), Err(want), "{algorithm} {length}");
        }
    }
}

#[test]
fn rsa_keys_of_odd_sizes_and_large_exponents_verify() {
    let rrset = mx();
    for (bits, exponent) in
        [(1030, 65_537), (512, (1 << 32) + 1), (1024, (1 << 32) + 1), (2048, (1 << 33) - 9)]
    {
        let key = SigningKey::rsa_with_exponent(Algorithm::RSASHA256, ZONE_KEY, bits, exponent);
        assert_eq!(verified(&rrset, &signed(&key, &rrset), &key), Ok(()), "{bits} {exponent}");
    }
}

#[test]
fn leading_zeros_of_an_rsa_key_change_nothing() {
    let rrset = mx();
    for bits in [512, 1024] {
        let key = SigningKey::rsa(Algorithm::RSASHA256, ZONE_KEY, bits);
        let modulus = &key.key().public_key[4..];
        let rdata = [&b"\x01\0\x03\x08\0\0\x04\0\x01\0\x01\0\0"[..], modulus].concat();
        let padded = Dnskey::parse(&rdata).unwrap();
        let fields = key.fields(rrset.view(), NameRef::ROOT, 1, 2);
        let fields = Rrsig { key_tag: padded.key_tag(), ..fields };
        let signature = key.sign_as(rrset.view(), &fields);
        assert_eq!(verify(rrset.view(), &Rrsig::parse(&signature).unwrap(), &padded), Ok(()), "{bits}");
    }
}

#[test]
fn an_rrset_is_verified_up_to_its_limit() {
    let key = SigningKey::new(Algorithm::ED25519);
    // Each record is its two-octet owner, ten octets, and its RDATA of 1,000.
    let records_of = |count: u16| {
        (0..count).map(|number| [&number.to_be_bytes()[..], &[0; 998]].concat()).collect::<Vec<_>>()
    };
    let rrset = rrset_of("a. 1 TYPE65280 \\# 0");
    let most = ((limits::SIGNED_OCTETS - 18 - 9) / (3 + 10 + 1_000)) as u16;
    let good = with_records(&rrset, &records_of(most));
    assert_eq!(verified(&good, &signed(&key, &good), &key), Ok(()));
    let long = with_records(&rrset, &records_of(most + 1));
    assert_eq!(verified(&long, &signed(&key, &good), &key), Err(Unverified::TooLong));
}

#[test]
fn one_sorting_serves_all_signatures() {
    let rrset = mx();
    let canonical = Canonical::of(rrset.view());
    for key in &*KEYS {
        let signature = signed(key, &rrset);
        assert_eq!(canonical.verify(&Rrsig::parse(&signature).unwrap(), &key.key()), Ok(()));
    }
}

/// The keys of the property below, whose signatures cost least.
fn fast_key() -> impl Strategy<Value = &'static SigningKey> {
    prop::sample::select(vec![2usize, 4, 6, 8]).prop_map(|place| &KEYS[place])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn one_changed_octet_makes_a_signature_fail(
        key in fast_key(),
        mut records in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 1..6),
        place in any::<prop::sample::Index>(),
        octet in any::<prop::sample::Index>(),
        bit in 0..8u32,
    ) {
        records.sort();
        records.dedup();
        let rrset = with_records(&rrset_of("www.example. 1 TYPE65280 \\# 0"), &records);
        let signature = signed(key, &rrset);
        prop_assert_eq!(verified(&rrset, &signature, key), Ok(()));
        records.reverse();
        records.push(records[0].clone());
        prop_assert_eq!(verified(&with_records(&rrset, &records), &signature, key), Ok(()));
        records.pop();

        let mut changed = records.clone();
        let record = place.get_mut(&mut changed);
        *octet.get_mut(record) ^= 1 << bit;
        let changed = with_records(&rrset, &changed);
        prop_assert_eq!(verified(&changed, &signature, key), Err(Unverified::BadSignature));

        // The RDATA of the signature, past type, algorithm, and with its label count and key tag.
        let mut torn = signature.clone();
        *octet.get_mut(&mut torn[..]) ^= 1 << bit;
        if let Some(rrsig) = Rrsig::parse(&torn) {
            let is_case = rrsig.signer == signer().as_ref() && rrsig.signature == Rrsig::parse(&signature).unwrap().signature
                && torn[..18] == signature[..18];
            prop_assert_eq!(verify(rrset.view(), &rrsig, &key.key()).is_ok(), is_case);
        }

        let mut owner = rrset.owner.octets().to_vec();
        *octet.get_mut(&mut owner[..]) ^= 1 << bit;
        if let Ok(owner) = Name::from_wire(&owner) {
            let is_case = owner == rrset.owner;
            let other = Rrset::new(owner, rrset.rr_type, rrset.ttl, rrset.records().iter().collect(), RecordsBuf::new());
            prop_assert_eq!(verified(&other, &signature, key).is_ok(), is_case);
        }
    }

    #[test]
    fn arbitrary_octets_are_judged_without_panic(
        algorithm in prop::sample::select(vec![1u8, 5, 7, 8, 10, 13, 14, 15, 16]),
        public_key in prop::collection::vec(any::<u8>(), 0..140),
        rdata in prop::collection::vec(any::<u8>(), 0..80),
        rr_type in prop::sample::select(vec![1u16, 2, 6, 15, 35, 38, 46, 47, 64]),
        labels in 0..4u8,
        signature in prop::collection::vec(any::<u8>(), 0..140),
    ) {
        let _ = (Dnskey::parse(&rdata).map(|key| key.key_tag()), Rrsig::parse(&rdata), crate::dnssec::Ds::parse(&rdata));
        let dnskey = [&[1, 0, 3, algorithm], &public_key[..]].concat();
        let key = Dnskey::parse(&dnskey).unwrap();
        let mut rrset = with_records(&rrset_of("www.example. 1 TYPE65280 \\# 0"), &[rdata.clone(), rdata]);
        rrset.rr_type = RrType(rr_type);
        let rrsig = Rrsig {
            type_covered: RrType(rr_type),
            algorithm: Algorithm(algorithm),
            labels,
            key_tag: key.key_tag(),
            signature: &signature,
            ..KEYS[0].fields(rrset.view(), NameRef::ROOT, 1, 2)
        };
        prop_assert!(verify(rrset.view(), &rrsig, &key).is_err());
        let written = rrsig_rdata(&rrsig);
        prop_assert_eq!(Rrsig::parse(&written), Some(rrsig));
    }
}
