//! Keys, digests and signatures that RFCs and the root zone publish: made by others, verified here.

#[path = "support/signing.rs"]
mod signing;

use namu::dns::{Name, Records, RrType, Rrset};
use namu::dnssec::{Algorithm, Dnskey, Ds, Period, Rrsig, Unverified, verify};
use signing::rrsets;

/// RFC 4034 5.4 and RFC 4509 2.3: one key, by its digests of two types.
const DELEGATION: &str = "
dskey.example.com. 86400 DNSKEY 256 3 5 (
    AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvx
    egXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw== )
dskey.example.com. 86400 DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118
dskey.example.com. 86400 DS 60485 5 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A
";

/// The trust anchors of the root zone, as IANA publishes them, and their keys.
const ROOT: &str = "
. 172800 DNSKEY 257 3 8 (
    AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN7SWXgnLh
    4+B5xQlNVz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8efS3rCj/EWgvIWgb
    9tarpVUDK/b58Da+sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/ilBmSVIzuDWfdRUfhHdY6
    +cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU= )
. 172800 DNSKEY 257 3 8 (
    AwEAAa96jeuknZlaeSrvyAJj6ZHv28hhOKkx3rLGXVaC6rXTsDc449/cidltpkyGwCJNnOAlFNKF2jBosZBU5eeHspaQWOmO
    ElZsjICMQMC3aeHbGiShvZsx4wMYSjH8e7Vrhbu6irwCzVBApESjbUdpWWmEnhathWu1jo+siFUiRAAxm9qyJNg/wOZqqzL/
    dL/q8PkcRU5oUKEpUge71M3ej2/7CPqpdVwuMoTvoB+ZOT4YeGyxMvHmbrxlFzGOHOijtzN+u1TQNatX2XBuzZNQ1K+s2CXk
    PIZo7s6JgZyvaBevYtxPvYLw4z9mR7K2vaF18UYH9Z9GNUUeayffKC73PYc= )
. 172800 DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D
. 172800 DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16
";

/// RFC 5702 section 6: RSA of 512 bits with SHA-256, and of 1024 with SHA-512.
const RSA: &str = "
example.net. 3600 DNSKEY 256 3 8 (
    AwEAAcFcGsaxxdgiuuGmCkVImy4h99CqT7jwY3pexPGcnUFtR2Fh36BponcwtkZ4cAgtvd4Qs8PkxUdp6p/DlUmObdk= )
example.net. 3600 DNSKEY 256 3 10 (
    AwEAAdHoNTOW+et86KuJOWRDp1pndvwb6Y83nSVXXyLA3DLroROUkN6X0O6pnWnjJQujX/AyhqFDxj13tOnD9u/1kTg7cV6r
    klMrZDtJCQ5PCl/D7QNPsgVsMu1J2Q8gpMpztNFLpPBz1bWXjDtaR7ZQBlZ3PFY12ZTSncorffcGmhOL )
www.example.net. 3600 A 192.0.2.91
www.example.net. 3600 RRSIG A 8 3 3600 20300101000000 20000101000000 9033 example.net. (
    kRCOH6u7l0QGy9qpC9l1sLncJcOKFLJ7GhiUOibu4teYp5VE9RncriShZNz85mwlMgNEacFYK/lPtPiVYP4bwg== )
www.example.net. 3600 RRSIG A 10 3 3600 20300101000000 20000101000000 3740 example.net. (
    tsb4wnjRUDnB1BUi+t6TMTXThjVnG+eCkWqjvvjhzQL1d0YRoOe0CbxrVDYd0xDtsuJRaeUw1ep94PzEWzr0iGYgZBWm/zpq
    +9fOuagYJRfDqfReKBzMweOLDiNa8iP5g9vMhpuv6OPlvpXwm9Sa9ZXIbNl1MBGk0fthPgxdDLw= )
";

/// RFC 6605 section 6: P-256 and P-384.
const ECDSA: &str = "
example.net. 3600 DNSKEY 257 3 13 (
    GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA== )
example.net. 3600 DNSKEY 257 3 14 (
    xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8/uX45NBw
    Y8rp65F6Glur8I/mlVNgF6W/qTI37m40 )
example.net. 3600 DS 55648 13 2 B4C8C1FE2E7477127B27115656AD6256F424625BF5C1E2770CE6D6E37DF61D17
example.net. 3600 DS 10771 14 4 (
    72D7B62976CE06438E9C0BF319013CF801F09ECC84B8D7E9495F27E305C6A9B0563A9B5F4D288405C3008A946DF983D6 )
www.example.net. 3600 A 192.0.2.1
www.example.net. 3600 RRSIG A 13 3 3600 20100909100439 20100812100439 55648 example.net. (
    qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw== )
www.example.net. 3600 RRSIG A 14 3 3600 20100909102025 20100812102025 10771 example.net. (
    /L5hDKIvGDyI1fcARX3z65qrmPsVz73QD1Mr5CEqOiLP95hxQouuroGCeZOvzFaxsT8Glr74hbavRKayJNuydCuzWTSSPdz7
    wnqXL5bdcJzusdnI0RSMROxxwGipWcJm )
";

/// RFC 8080 6.1 as erratum 4935 corrects it: Ed25519.
const ED25519: &str = "
example.com. 3600 DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=
example.com. 3600 DNSKEY 257 3 15 zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs=
example.com. 3600 DS 3613 15 2 3AA5AB37EFCE57F737FC1627013FEE07BDF241BD10F3B1964AB55C78E79A304B
example.com. 3600 DS 35217 15 2 401781B934E392DE492EC77AE2E15D70F6575A1C0BC59C5275C04EBE80C6614C
example.com. 3600 MX 10 mail.example.com.
example.com. 3600 RRSIG MX 15 2 3600 1440021600 1438207200 3613 example.com. (
    oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg== )
example.com. 3600 RRSIG MX 15 2 3600 1440021600 1438207200 35217 example.com. (
    zXQ0bkYgQTEFyfLyi9QoiY6D8ZdYo4wyUhVioYZXFdT410QPRITQSqJSnzQoSm5poJ7gD7AQR0O7KuI5k2pcBg== )
";

/// The answers of RFC 4035 appendix B: RSA of 1024 bits with exponent 3 and SHA-1. The MX RRset is one made from a wildcard.
const RFC_4035: &str = "
example. 3600 DNSKEY 256 3 5 (
    AQOy1bZVvpPqhg4j7EJoM9rI3ZmyEx2OzDBVrZy/lvI5CQePxXHZS4i8dANH4DX3tbHol61ek8EFMcsGXxKciJFHyhl94C+N
    wILQdzsUlSFovBZsyl/NX6yEbtw/xN9ZNcrbYvgjjZ/UVPZIySFNsgEYvh0z2542lzMKR4Dh8uZffQ== )
example. 3600 SOA ns1.example. bugs.x.w.example. 1081539377 3600 300 3600000 3600
example. 3600 RRSIG SOA 5 1 3600 20040509183619 20040409183619 38519 example. (
    ONx0k36rcjaxYtcNgq6iQnpNV5+drqYAsC9h7TSJaHCqbhE67Sr6aH2xDUGcqQWu/n0UVzrFvkgO9ebarZ0GWDKcuwlM6eNB
    5SiX2K74l5LWDA7S/Un/IbtDq4Ay8NMNLQI7Dw7n4p8/rjkBjV7j86HyQgM5e7+miRAz8V01b0I= )
example. 3600 NS ns1.example.
example. 3600 NS ns2.example.
example. 3600 RRSIG NS 5 1 3600 20040509183619 20040409183619 38519 example. (
    gl13F00f2U0R+SWiXXLHwsMY+qStYy5k6zfdEuivWc+wd1fmbNCyql0Tk7lHTX6UOxc8AgNf4ISFve8XqF4q+o9qlnqIzmpp
    U3LiNeKT4FZ8RO5urFOvoMRTbQxW3U0hXWuggE4g3ZpsHv480HjMeRaZB/FRPGfJPajngcq6Kwg= )
example. 3600 NSEC a.example. NS SOA MX RRSIG NSEC DNSKEY
example. 3600 RRSIG NSEC 5 1 3600 20040509183619 20040409183619 38519 example. (
    O0k558jHhyrC97ISHnislm4kLMW48C7U7cBmFTfhke5iVqNRVTB1STLMpgpbDIC9hcryoO0VZ9ME5xPzUEhbvGnHd5sfzgFV
    eGxr5Nyyq4tWSDBgIBiLQUv1ivy29vhXy7WgR62dPrZ0PWvmjfFJ5arXf4nPxp/kEowGgBRzY/U= )
a.example. 3600 DS 57855 5 1 B6DCD485719ADCA18E5F3D48A2331627FDD3636B
a.example. 3600 RRSIG DS 5 2 3600 20040509183619 20040409183619 38519 example. (
    oXIKit/QtdG64J/CB+Gi8dOvnwRvqrto1AdQoRkAN15FP3iZ7suB7gvTBmXzCjL7XUgQVcoHkdhyCuzp8W9qJHgRUSwKKkcz
    SyuL64nhgjuDEML8l9wlWVsl7PR2VnZduM9bLyBhaaPmRKX/Fm+v6ccF2EGNLRiY08kdkz+XHHo= )
b.example. 3600 NSEC ns1.example. NS RRSIG NSEC
b.example. 3600 RRSIG NSEC 5 2 3600 20040509183619 20040409183619 38519 example. (
    GNuxHn844wfmUhPzGWKJCPY5ttEX/RfjDoOx9ueK1PtYkOWKOOdiJ/PJKCYB3hYX+858dDWSxb2qnV/LSTCNVBnkm6owOpys
    Y97MVj5VQEWs0lm9tFoqjcptQkmQKYPrwUnCSNwvvclSF1xZvhRXgWT7OuFXldoCG6TfVFMs9xE= )
ns1.example. 3600 A 192.0.2.1
ns1.example. 3600 RRSIG A 5 2 3600 20040509183619 20040409183619 38519 example. (
    F1C9HVhIcs10cZU09G5yIVfKJy5yRQQ3qVet5pGhp82pzhAOMZ3K22JnmK4c+IjUeFp/to06im5FVpHtbFisdjyPq84bhTv8
    vrXt5AB1wNB++iAqvIfdgW4sFNC6oADb1hK8QNauw9VePJhKv/iVXSYC0b7mPSU+EOlknFpVECs= )
ns1.example. 3600 NSEC ns2.example. A RRSIG NSEC
ns1.example. 3600 RRSIG NSEC 5 2 3600 20040509183619 20040409183619 38519 example. (
    I4hj+Kt6+8rCcHcUdolks2S+Wzri9h3fHas81rGN/eILdJHN7JpV6lLGPIh/8fIBkfvdyWnBjjf1q3O7JgYO1UdI7FvBNWqa
    aEPJK3UkddBqZIaLi8Qr2XHkjq38BeQsbp8X0+6h4ETWSGT8IZaIGBLryQWGLw6Y6X8dqhlnxJM= )
ns2.example. 3600 A 192.0.2.2
ns2.example. 3600 RRSIG A 5 2 3600 20040509183619 20040409183619 38519 example. (
    V7cQRw1TR+knlaL1z/psxlS1PcD37JJDaCMqQo6/u1qFQu6x+wuDHRH22Ap9ulJPQjFwMKOuyfPGQPC8KzGdE3vt5snFEAoE
    1Vn3mQqtu7SO6amIjk13Kj/jyJ4nGmdRIc/3cM3ipXFhNTKqrdhx8SZ0yy4ObIRzIzvBFLiSS8o= )
*.w.example. 3600 NSEC x.w.example. MX RRSIG NSEC
*.w.example. 3600 RRSIG NSEC 5 2 3600 20040509183619 20040409183619 38519 example. (
    r/mZnRC3I/VIcrelgIcteSxDhtsdlTDt8ng9HSBlABOlzLxQtfgTnn8f+aOwJIAFe1Ee5RvU5cVhQJNP5XpXMJHfyps8tVvf
    xSAXfahpYqtx91gsmcV/1V9/bZAG55CefP9cM4Z9Y9NT9XQ8s1InQ2UoIv6tJEaaKkP701j8OLA= )
x.w.example. 3600 MX 1 xx.example.
x.w.example. 3600 RRSIG MX 5 3 3600 20040509183619 20040409183619 38519 example. (
    Il2WTZ+Bkv+OytBx4LItNW5mjB4RCwhOO8y1XzPHZmZUTVYL7LaA63f6T9ysVBzJRI3KRjAPH3U1qaYnDoN1DrWqmi9RJe4F
    oObkbcdm7P3Ikx70ePCoFgRz1Yq+bVVXCvGuAU4xALv3W/Y1jNSlwZ2mSWKHfxFQxPtLj8s32+k= )
x.y.w.example. 3600 NSEC xx.example. MX RRSIG NSEC
x.y.w.example. 3600 RRSIG NSEC 5 4 3600 20040509183619 20040409183619 38519 example. (
    OvE6WUzN2ziieJcvKPWbCAyXyP6ef8cr6CspArVSTzKSquNwbezZmkU7E34o5lmb6CWSSSpgxw098kNUFnHcQf/LzY2zqRom
    ubrNQhJTiDTXa0ArunJQCzPjOYq5t0SLjm6qp6McJI1AP5VrQoKqJDCLnoAlcPOPKAm/jJkn3jk= )
xx.example. 3600 A 192.0.2.10
xx.example. 3600 RRSIG A 5 2 3600 20040509183619 20040409183619 38519 example. (
    kBF4YxMGWF0D8r0cztL+2fWWOvN1U/GYSpYP7SoKoNQ4fZKyk+weWGlKLIUM+uE1zjVTPXoa0Z6WG0oZp46rkl1EzMcdMgoa
    eUzzAJ2BMq+YVdxG9IK1yZkYGY9AgbTOGPoAgbJyO9EPULsxkbIDV6GPPSZVusnZU6OMgdgzHV4= )
xx.example. 3600 AAAA 2001:db8::f00:baaa
xx.example. 3600 RRSIG AAAA 5 2 3600 20040509183619 20040409183619 38519 example. (
    Zzj0yodDxcBLnnOIwDsuKo5WqiaK24DlKg9CaGaxDFiKgKobUj2jilYQHpGFn2poFRetZd4zulyQkssz2QHrVrPuTMS22knu
    dCiwP4LWpVTrU4zfeA+rDz9stmSBP/4PekH/x2IoAYnwctd/xS9cL2QgW7FChw16mzlkH6/vsfs= )
a.z.w.example. 3600 MX 1 ai.example.
a.z.w.example. 3600 RRSIG MX 5 2 3600 20040509183619 20040409183619 38519 example. (
    OMK8rAZlepfzLWW75Dxd63jy2wswESzxDKG2f9AMN1CytCd10cYISAxfAdvXSZ7xujKAtPbctvOQ2ofO7AZJ+d01EeeQTVBP
    q4/6KCWhqe2XTjnkVLNvvhnc0u28aoSsG0+4InvkkOHknKxw4kX18MMR34i8lC36SR5xBni8vHI= )
";

/// Of RFC 5155 appendices A and B: RSA of 512 bits with SHA-1. The MX RRset is one made from a wildcard.
const RFC_5155: &str = "
example. 3600 DNSKEY 256 3 7 (
    AwEAAaetidLzsKWUt4swWR8yu0wPHPiUi8LUsAD0QPWU+wzt89epO6tHzkMBVDkC7qphQO2hTY4hHn9npWFRw5BYubE= )
example. 3600 DNSKEY 257 3 7 (
    AwEAAcUlFV1vhmqx6NSOUOq2R/dsR7Xm3upJj7IommWSpJABVfW8Q0rOvXdM6kzt+TAu92L9AbsUdblMFin8CVF3n4s= )
example. 3600 RRSIG DNSKEY 7 1 3600 20150420235959 20051021000000 12708 example. (
    AuU4juU9RaxescSmStrQks3Gh9FblGBlVU31uzMZ/U/FpsUb8aC6QZS+sTsJXnLnz7flGOsmMGQZf3bH+QsCtg== )
0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. 3600 NSEC3 1 1 12 aabbccdd (
    2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG )
0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. 3600 RRSIG NSEC3 7 2 3600 20150420235959 20051021000000 40430 example. (
    OSgWSm26B+cS+dDL8b5QrWr/dEWhtCsKlwKLIBHYH6blRxK9rC0bMJPwQ4mLIuw85H2EY762BOCXJZMnpuwhpA== )
b4um86eghhds6nea196smvmlo4ors995.example. 3600 NSEC3 1 1 12 aabbccdd gjeqe526plbf1g8mklp59enfd789njgi MX RRSIG
b4um86eghhds6nea196smvmlo4ors995.example. 3600 RRSIG NSEC3 7 2 3600 20150420235959 20051021000000 40430 example. (
    ZkPG3M32lmoHM6pa3D6gZFGB/rhL//Bs3Omh5u4m/CUiwtblEVOaAKKZd7S959OeiX43aLX3pOv0TSTyiTxIZg== )
35mthgpgcu1qg68fab165klnsnk3dpvl.example. 3600 NSEC3 1 1 12 aabbccdd b4um86eghhds6nea196smvmlo4ors995 NS DS RRSIG
35mthgpgcu1qg68fab165klnsnk3dpvl.example. 3600 RRSIG NSEC3 7 2 3600 20150420235959 20051021000000 40430 example. (
    g6jPUUpduAJKRljUsN8gB4UagAX0NxY9shwQAynzo8EUWH+z6hEIBlUTPGj15eZll6VhQqgZXtAIR3chwgW+SA== )
q04jkcevqvmu85r014c7dkba38o0ji5r.example. 3600 NSEC3 1 1 12 aabbccdd r53bq7cc2uvmubfu5ocmm6pers9tk9en A RRSIG
q04jkcevqvmu85r014c7dkba38o0ji5r.example. 3600 RRSIG NSEC3 7 2 3600 20150420235959 20051021000000 40430 example. (
    hV5I89b+4FHJDATp09g4bbN0R1F845CaXpL3ZxlMKimoPAyqletMlEWwLfFia7sdpSzn+ZlNNlkxWcLsIlMmUg== )
a.z.w.example. 3600 MX 1 ai.example.
a.z.w.example. 3600 RRSIG MX 7 2 3600 20150420235959 20051021000000 40430 example. (
    CikebjQwGQPwijVcxgcZcSJKtfynugtlBiKb9FcBTrmOoyQ4InoWVudhCWsh/URX3lc4WRUMivEBP6+4KS3ldA== )
";

/// The RRset of keys of an example, and the others.
fn read(text: &str) -> (Rrset, Vec<Rrset>) {
    let (mut keys, others): (Vec<Rrset>, _) =
        rrsets(text).into_iter().partition(|rrset| rrset.rr_type == RrType::DNSKEY);
    assert_eq!(keys.len(), 1);
    (keys.remove(0), others)
}

fn key_of<'k>(keys: Records<'k>, rrsig: &Rrsig<'_>) -> Dnskey<'k> {
    let mut keys = keys.iter().map(|rdata| Dnskey::parse(rdata).unwrap());
    keys.find(|key| key.key_tag() == rrsig.key_tag && key.algorithm == rrsig.algorithm)
        .expect("its key is there")
}

#[test]
fn published_digests_name_their_keys_and_no_others() {
    for (text, want) in [(DELEGATION, 2), (ROOT, 2), (ECDSA, 2), (ED25519, 2)] {
        let (keys, others) = read(text);
        let keys_read = || keys.records().iter().map(|rdata| Dnskey::parse(rdata).unwrap());
        let mut found = 0;
        for rrset in others.iter().filter(|rrset| rrset.rr_type == RrType::DS) {
            for ds in rrset.records().iter().map(|rdata| Ds::parse(rdata).unwrap()) {
                let named = |owner: &Name| keys_read().filter(|key| ds.is_of(owner.as_ref(), key)).count();
                assert_eq!(named(&keys.owner), 1, "{ds:?}");
                let upper = Name::from_wire(&keys.owner.octets().to_ascii_uppercase()).unwrap();
                assert_eq!(named(&upper), 1, "{ds:?} in another case");
                assert_eq!(named(&"other.".parse().unwrap()), 0, "{ds:?} of another zone");
                let short = Ds { digest: &ds.digest[1..], ..ds };
                assert!(keys_read().all(|key| !short.is_of(keys.owner.as_ref(), &key)), "{ds:?} cut short");
                found += 1;
            }
        }
        assert_eq!(found, want);
    }
}

#[test]
fn published_signatures_verify_and_changed_ones_do_not() {
    for (text, want) in [(RSA, 2), (ECDSA, 2), (ED25519, 2), (RFC_4035, 14), (RFC_5155, 6)] {
        let (keys, mut rrsets) = read(text);
        rrsets.push(keys.clone());
        let mut found = 0;
        for rrset in &rrsets {
            for rrsig in rrset.signatures().iter().map(|rdata| Rrsig::parse(rdata).unwrap()) {
                let key = key_of(keys.records(), &rrsig);
                assert_eq!(verify(rrset.view(), &rrsig, &key), Ok(()), "{} {}", rrset.owner, rrset.rr_type);
                let later = Rrsig { expiration: rrsig.expiration + 1, ..rrsig };
                assert_eq!(verify(rrset.view(), &later, &key), Err(Unverified::BadSignature));
                found += 1;
            }
        }
        assert_eq!(found, want);
    }
}

#[test]
fn published_keys_have_their_tags() {
    for (text, want) in [
        (DELEGATION, vec![60_485]),
        (ROOT, vec![20_326, 38_696]),
        (RSA, vec![9_033, 3_740]),
        (ECDSA, vec![55_648, 10_771]),
        (ED25519, vec![3_613, 35_217]),
        (RFC_4035, vec![38_519]),
        (RFC_5155, vec![40_430, 12_708]),
    ] {
        let (keys, _) = read(text);
        let tags: Vec<u16> =
            keys.records().iter().map(|rdata| Dnskey::parse(rdata).unwrap().key_tag()).collect();
        assert_eq!(tags, want);
        assert!(keys.records().iter().all(|rdata| Dnskey::parse(rdata).unwrap().is_zone_key()));
    }
}

/// RFC 4035 B.6: two labels say that `*.w.example.` was signed.
#[test]
fn the_label_count_of_a_published_wildcard_gives_the_closest_encloser() {
    for text in [RFC_4035, RFC_5155] {
        let (_, rrsets) = read(text);
        let made = rrsets.iter().find(|rrset| rrset.owner == "a.z.w.example.".parse().unwrap()).unwrap();
        let rrsig = Rrsig::parse(made.signatures().first().unwrap()).unwrap();
        let encloser = rrsig.closest_encloser(made.owner.as_ref()).unwrap().unwrap();
        assert_eq!(encloser.to_string(), "w.example.");
        let others = rrsets.iter().filter(|rrset| rrset.owner != made.owner);
        for rrset in others {
            let rrsig = Rrsig::parse(rrset.signatures().first().unwrap()).unwrap();
            assert_eq!(rrsig.closest_encloser(rrset.owner.as_ref()), Ok(None), "{}", rrset.owner);
        }
    }
}

#[test]
fn published_signatures_are_of_their_time() {
    let (_, rrsets) = read(RFC_4035);
    let rrsig = Rrsig::parse(rrsets[0].signatures().first().unwrap()).unwrap();
    assert_eq!(rrsig.algorithm, Algorithm::RSASHA1);
    // 2004-05-01 and two days outside of the month.
    for (now, want) in [
        (1_083_369_600, Period::Valid),
        (1_081_449_379, Period::NotYetValid),
        (1_084_214_180, Period::Expired),
    ] {
        assert_eq!(rrsig.period(now, 3_600), want, "{now}");
    }
}
