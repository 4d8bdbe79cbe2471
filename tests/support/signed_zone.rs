//! Zones that are signed as their owners would sign them, and spoilt as an attacker or an accident would.
//!
//! Keys of Ed25519 come from their zone's name alone, so that the same text is signed the same way in every run.
// Each who takes this file in uses another part of it.
#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet};

use namu::dns::{Name, NameBuf, NameRef, RecordsBuf, RrClass, RrType, Rrset, Ttl};
use namu::dnssec::{Algorithm, Canonical, DigestType, Dnskey, Nsec3Params, Rrsig};
use namu::zonefile;

use super::signing::{KEY_SIGNING_KEY, SigningKey, ZONE_KEY, rrsets, rrsig_rdata, with_signatures};

/// The bit of a key that says of itself that it is not to be trusted (RFC 5011 7).
pub const REVOKED: u16 = 0x0080;

/// How a zone is signed.
#[derive(Debug, Clone)]
pub struct Signing {
    /// Of all keys.
    pub algorithm: Algorithm,
    /// The number that stands in records, when it is another.
    pub number: Option<u8>,
    /// Flags of its keys: the first signs the keys, the last the rest.
    pub flags: Vec<u16>,
    /// RDATA of keys that are there beside its own and sign nothing.
    pub idle_keys: Vec<Vec<u8>>,
    /// Another number makes other keys.
    pub generation: u8,
    /// The time signatures begin, in seconds since 1970.
    pub inception: u32,
    /// The time they end.
    pub expiration: u32,
    /// How it proves what is not there.
    pub chain: ChainKind,
}

/// How a zone proves what is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainKind {
    None,
    Nsec,
    Nsec3 { iterations: u16, salt: Vec<u8>, opt_out: bool },
}

impl Signing {
    /// With Ed25519 and NSEC, from an hour before `now` for 30 days.
    pub fn at(now: u64) -> Signing {
        let now = now as u32;
        Signing {
            algorithm: Algorithm::ED25519,
            number: None,
            flags: vec![KEY_SIGNING_KEY, ZONE_KEY],
            idle_keys: Vec::new(),
            generation: 0,
            inception: now - 3600,
            expiration: now + 30 * 86_400,
            chain: ChainKind::Nsec,
        }
    }
}

/// A key pair of a zone as its DNSKEY record shows it.
#[derive(Debug)]
pub struct ZoneKey {
    pair: SigningKey,
    /// RDATA of the record; flags and algorithm may be others than those of the pair.
    pub dnskey: Vec<u8>,
}

impl ZoneKey {
    /// The key of a zone with these flags.
    pub fn new(apex: &Name, signing: &Signing, flags: u16) -> ZoneKey {
        let pair = match signing.algorithm {
            Algorithm::ED25519 => {
                let text = format!("{apex} {flags} {}", signing.generation);
                SigningKey::ed25519_of(text.as_bytes(), flags)
            }
            algorithm => SigningKey::with_flags(algorithm, flags),
        };
        let mut dnskey = pair.dnskey().to_vec();
        dnskey[3] = signing.number.unwrap_or(dnskey[3]);
        ZoneKey { pair, dnskey }
    }

    /// Its record, read.
    pub fn key(&self) -> Dnskey<'_> {
        Dnskey::parse(&self.dnskey).unwrap()
    }

    /// Its tag.
    pub fn tag(&self) -> u16 {
        self.key().key_tag()
    }

    /// The fields of an honest signature of an RRset.
    pub fn fields<'a>(&self, rrset: &Rrset, signer: NameRef<'a>, period: (u32, u32)) -> Rrsig<'a> {
        let key = self.key();
        let fields = self.pair.fields(rrset.view(), signer, period.0, period.1);
        Rrsig { algorithm: key.algorithm, key_tag: key.key_tag(), ..fields }
    }

    /// The RDATA of a signature with these fields.
    pub fn sign_as(&self, rrset: &Rrset, fields: &Rrsig<'_>) -> Vec<u8> {
        // Of more labels than the owner has nothing can be signed.
        let message = Canonical::of(rrset.view()).signed_octets(fields).unwrap_or_default();
        rrsig_rdata(&Rrsig { signature: &self.pair.sign_octets(&message), ..*fields })
    }

    /// The RDATA of an honest signature.
    pub fn sign(&self, rrset: &Rrset, signer: NameRef<'_>, period: (u32, u32)) -> Vec<u8> {
        self.sign_as(rrset, &self.fields(rrset, signer, period))
    }

    /// The RDATA of the DS record a parent has for it.
    pub fn ds(&self, apex: &Name, digest_type: DigestType) -> Vec<u8> {
        let key = self.key();
        let [high, low] = key.key_tag().to_be_bytes();
        let head = [high, low, key.algorithm.0, digest_type.0];
        // A digest nobody knows is some octets.
        let digest = namu::dnssec::digest(apex.as_ref(), &key, digest_type).unwrap_or_else(|| vec![7; 32]);
        [&head, &*digest].concat()
    }
}

/// A zone with its signatures.
#[derive(Debug)]
pub struct SignedZone {
    pub apex: Name,
    pub signing: Signing,
    /// The first signs the keys, the last the rest.
    pub keys: Vec<ZoneKey>,
    pub rrsets: Vec<Rrset>,
}

impl SignedZone {
    /// The zone in a text, signed.
    pub fn new(apex: &str, text: &str, signing: Signing) -> SignedZone {
        let apex: Name = apex.parse().unwrap();
        let key = |flags: &u16| ZoneKey::new(&apex, &signing, *flags);
        let keys: Vec<ZoneKey> = signing.flags.iter().map(key).collect();
        let all: Vec<Vec<u8>> =
            keys.iter().map(|key| key.dnskey.clone()).chain(signing.idle_keys.clone()).collect();
        let mut zone = SignedZone { rrsets: rrsets(text), apex, signing, keys };
        all.iter().for_each(|key| zone.add_to_keys(key));
        zone.chain();
        zone.sign();
        zone
    }

    /// The key that signs the others, and that a parent names.
    pub fn key_signing(&self) -> &ZoneKey {
        &self.keys[0]
    }

    /// The key that signs the rest.
    pub fn zone_signing(&self) -> &ZoneKey {
        self.keys.last().unwrap()
    }

    /// The zone file.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for rrset in &self.rrsets {
            zonefile::write_rrset(rrset.view(), &mut text).unwrap();
        }
        text
    }

    /// An RRset, with its signatures.
    pub fn rrset(&self, owner: &str, rr_type: RrType) -> &Rrset {
        let owner: Name = owner.parse().unwrap();
        let is_it = |rrset: &&Rrset| rrset.owner == owner && rrset.rr_type == rr_type;
        self.rrsets.iter().find(is_it).unwrap_or_else(|| panic!("{owner} {rr_type} is not there"))
    }

    /// One more key among the keys, without a new signature.
    pub fn add_to_keys(&mut self, dnskey: &[u8]) {
        let apex = self.apex.clone();
        let keys =
            self.rrsets.iter_mut().find(|rrset| rrset.rr_type == RrType::DNSKEY && rrset.owner == apex);
        let known = keys.as_deref().map(|keys| keys.records().iter().map(<[u8]>::to_vec).collect::<Vec<_>>());
        let all: Vec<Vec<u8>> = known.unwrap_or_default().into_iter().chain([dnskey.to_vec()]).collect();
        let records = all.iter().map(Vec::as_slice).collect::<RecordsBuf>();
        let new = Rrset::new(apex, RrType::DNSKEY, Ttl::saturating(3600), records, RecordsBuf::new());
        match keys {
            Some(keys) => *keys = new,
            None => self.rrsets.push(new),
        }
    }

    /// Changes an RRset, its signatures apart.
    pub fn change(&mut self, owner: &str, rr_type: RrType, new: impl FnOnce(&SignedZone, &Rrset) -> Rrset) {
        let new = new(self, self.rrset(owner, rr_type));
        let owner: Name = owner.parse().unwrap();
        let place = self.rrsets.iter().position(|rrset| rrset.owner == owner && rrset.rr_type == rr_type);
        self.rrsets[place.unwrap()] = new;
    }

    /// Gives an RRset these signatures.
    pub fn set_signatures(&mut self, owner: &str, rr_type: RrType, signatures: &[Vec<u8>]) {
        self.change(owner, rr_type, |_, rrset| with_signatures(rrset.view(), signatures));
    }

    /// Signs an RRset anew, with fields that `spoil` may change.
    pub fn sign_again(
        &mut self,
        owner: &str,
        rr_type: RrType,
        by: &ZoneKey,
        spoil: impl FnOnce(&mut Rrsig<'_>),
    ) {
        let rrset = self.rrset(owner, rr_type).clone();
        let mut fields = by.fields(&rrset, self.apex.as_ref(), self.period());
        spoil(&mut fields);
        let signature = by.sign_as(&rrset, &fields);
        self.set_signatures(owner, rr_type, &[signature]);
    }

    /// Inception and expiration of its signatures.
    pub fn period(&self) -> (u32, u32) {
        (self.signing.inception, self.signing.expiration)
    }

    /// Names that are delegated, and those whose subtree is elsewhere.
    fn is_hidden(&self, owner: &Name) -> bool {
        self.rrsets.iter().any(|rrset| {
            let hides = rrset.rr_type == RrType::DNAME || self.is_cut(rrset);
            hides && owner.as_ref().is_below(rrset.owner.as_ref())
        })
    }

    fn is_cut(&self, rrset: &Rrset) -> bool {
        rrset.rr_type == RrType::NS && rrset.owner != self.apex
    }

    /// RFC 4035 2.2: at a cut the zone's own are the DS and what proves that there is none.
    fn is_own(&self, rrset: &Rrset) -> bool {
        let is_at_cut = self.rrsets.iter().any(|other| self.is_cut(other) && other.owner == rrset.owner);
        let is_of_cut = matches!(rrset.rr_type, RrType::DS | RrType::NSEC | RrType::NSEC3);
        (!is_at_cut || is_of_cut) && !self.is_hidden(&rrset.owner)
    }

    fn sign(&mut self) {
        let sign = |rrset: &Rrset| {
            if !self.is_own(rrset) || rrset.is_signed() {
                return rrset.clone();
            }
            let by: Vec<&ZoneKey> = match rrset.rr_type {
                RrType::DNSKEY if rrset.owner == self.apex => vec![self.key_signing()],
                _ => vec![self.zone_signing()],
            };
            let sign = |key: &&ZoneKey| key.sign(rrset, self.apex.as_ref(), self.period());
            with_signatures(rrset.view(), &by.iter().map(sign).collect::<Vec<_>>())
        };
        self.rrsets = self.rrsets.iter().map(sign).collect();
    }

    /// The types at each name the zone speaks of.
    fn names(&self) -> BTreeMap<Name, BTreeSet<RrType>> {
        let mut names: BTreeMap<Name, BTreeSet<RrType>> = BTreeMap::new();
        for rrset in self.rrsets.iter().filter(|rrset| !self.is_hidden(&rrset.owner)) {
            let is_own = self.is_own(rrset);
            let types = names.entry(rrset.owner.clone()).or_default();
            if is_own || self.is_cut(rrset) {
                types.insert(rrset.rr_type);
            }
            if is_own {
                types.insert(RrType::RRSIG);
            }
        }
        names
    }

    fn chain(&mut self) {
        match self.signing.chain.clone() {
            ChainKind::None => {}
            ChainKind::Nsec => self.chain_by_nsec(),
            ChainKind::Nsec3 { iterations, salt, opt_out } => self.chain_by_nsec3(iterations, &salt, opt_out),
        }
    }

    fn chain_by_nsec(&mut self) {
        let names: Vec<(Name, BTreeSet<RrType>)> = self.names().into_iter().collect();
        for (place, (owner, types)) in names.iter().enumerate() {
            let (next, _) = &names[(place + 1) % names.len()];
            let types = types.iter().copied().chain([RrType::RRSIG, RrType::NSEC]);
            self.push(owner, RrType::NSEC, [next.octets(), &bitmap(types)].concat());
        }
    }

    fn chain_by_nsec3(&mut self, iterations: u16, salt: &[u8], opt_out: bool) {
        let [high, low] = iterations.to_be_bytes();
        let params = |flags: u8| [&[1, flags, high, low, salt.len() as u8], salt].concat();
        let apex = self.apex.clone();
        self.push(&apex, RrType::NSEC3PARAM, params(0));
        let mut names = self.names();
        if opt_out {
            names.retain(|_, types| !types.contains(&RrType::NS) || types.len() > 1);
        }
        // RFC 5155 7.1: empty non-terminals have one too.
        for name in names.keys().cloned().collect::<Vec<_>>() {
            let between = name.as_ref().ancestors().skip(1);
            for name in between.take_while(|name| name.is_below(apex.as_ref())) {
                names.entry(name.to_name()).or_default();
            }
        }
        let hashing = Nsec3Params::from_nsec3param(&params(0)).unwrap();
        let hashed = names.into_iter().map(|(name, types)| (hashing.hash(name.as_ref()), types));
        let hashed: Vec<_> = hashed.collect::<BTreeMap<_, _>>().into_iter().collect();
        for (place, (hash, types)) in hashed.iter().enumerate() {
            let (next, _) = &hashed[(place + 1) % hashed.len()];
            let mut buf = NameBuf::new();
            let owner = hash.owner(apex.as_ref(), &mut buf).unwrap().to_name();
            let head = params(u8::from(opt_out));
            self.push(
                &owner,
                RrType::NSEC3,
                [&*head, &[20], &next.0, &bitmap(types.iter().copied())].concat(),
            );
        }
    }

    /// An RRset of one record, with the TTL of denials (RFC 9077).
    fn push(&mut self, owner: &Name, rr_type: RrType, rdata: Vec<u8>) {
        let soa = self.rrset(&self.apex.to_string(), RrType::SOA);
        let minimum = soa.records().first().and_then(|rdata| rdata.last_chunk().copied());
        let ttl = soa.ttl.min(Ttl::from_wire(u32::from_be_bytes(minimum.unwrap())));
        let records = [rdata.as_slice()].into_iter().collect::<RecordsBuf>();
        self.rrsets.push(Rrset::new(owner.clone(), rr_type, ttl, records, RecordsBuf::new()));
    }
}

/// A record as a line of a zone file.
pub fn line(owner: &Name, rr_type: RrType, rdata: &[u8]) -> String {
    let mut line = String::new();
    let ttl = Ttl::saturating(3600);
    zonefile::write_record(owner.as_ref(), ttl, RrClass::IN, rr_type, rdata, &mut line).unwrap();
    line
}

/// RFC 4034 4.1.2.
pub fn bitmap(types: impl IntoIterator<Item = RrType>) -> Vec<u8> {
    let mut windows: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    for rr_type in types {
        let [window, low] = rr_type.0.to_be_bytes();
        let bits = windows.entry(window).or_default();
        bits.resize(bits.len().max(usize::from(low / 8) + 1), 0);
        bits[usize::from(low / 8)] |= 0x80 >> (low % 8);
    }
    windows.into_iter().flat_map(|(window, bits)| [vec![window, bits.len() as u8], bits].concat()).collect()
}
