//! What a scenario says of signed zones and of trust in them.
//!
//! ```text
//! signed example.org            adds keys, signatures and a chain of NSEC; behind it, in any order: `algorithm 13`, `number 253` (what
//!                               records say it is), `combined`, `revoked`, `no-zone-bit`, `generation 2` (other keys), `idle 2` and
//!                               `idle-ksk 2` (keys of that generation that sign nothing), `idle-algorithm 13`, `nsec3`, `iterations 5`,
//!                               `salt aabb`, `opt-out`, `no-chain`, `begins -1h`, `ends 30d`, `ds none|sha1|sha384|NUMBER|wrong|both`
//! spoil example.org www A ...   `gone`, `unsigned`, `ends -1h`, `begins 1h`, `bent`, `labels 2`, `forged`, `by-stranger`, `by-ksk`, `number 253`,
//!                               `outnumbered`, `ttl 5`, `original-ttl 5`, `changed RDATA`
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use namu::clock::{Now, Unix};
use namu::dns::{Name, RecordsBuf, RrType, Rrset, Ttl};
use namu::dnssec::{Accepted, Algorithm, DigestType};
use namu::validator::{AnchorStore, Mode, NegativeAnchor, TrustAnchors, Validation, ValidationOptions};

use crate::scenario::Stage;
use crate::signed_zone::{ChainKind, REVOKED, SignedZone, Signing, ZoneKey, line};
use crate::signing::{KEY_SIGNING_KEY, ZONE_KEY, rrset, with_signatures};

/// The signed zones of a scenario, and the anchors.
#[derive(Default)]
pub struct Signed {
    zones: BTreeMap<String, SignedZone>,
    /// The DS records parents have for them.
    ds: BTreeMap<String, String>,
    anchors: TrustAnchors,
    negative: Vec<NegativeAnchor>,
    options: ValidationOptions,
    store: Arc<AnchorStore>,
}

impl Signed {
    /// A zone is told anew.
    pub fn forget(&mut self, apex: &str) {
        self.zones.remove(apex);
    }

    /// Its zone file, if it is signed.
    pub fn text_of(&self, apex: &str) -> Option<String> {
        self.zones.get(apex).map(SignedZone::text)
    }

    /// Signs a zone, which gets the DS records of these children that are signed.
    pub fn sign(
        &mut self,
        apex: &str,
        text: &str,
        children: &[String],
        how: &[&str],
        now: Now,
    ) -> Result<(), String> {
        let name = absolute(apex)?;
        let mut signing = Signing::at(now.unix.seconds());
        let mut ds = "sha256";
        let mut words = how.iter();
        while let Some(word) = words.next() {
            match *word {
                "ds" => ds = words.next().ok_or("which DS?")?,
                "idle" | "idle-ksk" => {
                    let generation = number(words.next().copied())?;
                    let flags = if *word == "idle" { ZONE_KEY } else { KEY_SIGNING_KEY };
                    let key = ZoneKey::new(&name, &Signing { generation, ..signing.clone() }, flags);
                    signing.idle_keys.push(key.dnskey);
                }
                "idle-algorithm" => {
                    let algorithm = Algorithm(number(words.next().copied())?);
                    let other = Signing { algorithm, ..signing.clone() };
                    signing.idle_keys.push(ZoneKey::new(&name, &other, KEY_SIGNING_KEY).dnskey);
                }
                word => signed_how(word, words.next_if_takes(word), &mut signing, now)?,
            }
        }
        let of_children = children.iter().filter_map(|child| self.ds.get(child));
        let text = format!("{text}{}", of_children.map(String::as_str).collect::<String>());
        let zone = SignedZone::new(&name.to_string(), &text, signing);
        self.ds.insert(apex.to_string(), ds_of(&zone, ds)?);
        self.zones.insert(apex.to_string(), zone);
        Ok(())
    }

    /// Spoils one RRset of a signed zone.
    pub fn spoil(
        &mut self,
        apex: &str,
        owner: &str,
        rr_type: &str,
        how: &[&str],
        now: Now,
    ) -> Result<(), String> {
        let zone = self.zones.get_mut(apex).ok_or("no such signed zone")?;
        let rr_type: RrType = rr_type.parse().map_err(|_| "no such type")?;
        let owner = match owner {
            "@" => zone.apex.to_string(),
            owner if apex == "." => format!("{owner}."),
            owner => format!("{owner}.{apex}."),
        };
        spoil_rrset(zone, (&owner, rr_type), how, now)
    }

    /// Trusts the key of a zone, by DS or, with `key`, itself.
    pub fn anchor(&mut self, apex: &str, form: &[&str]) -> Result<(), String> {
        let zone = self.zones.get(apex).ok_or("no such signed zone")?;
        let key = zone.key_signing();
        let (rr_type, rdata) = match form {
            [] => (RrType::DS, key.ds(&zone.apex, DigestType::SHA256)),
            ["key"] => (RrType::DNSKEY, key.dnskey.clone()),
            _ => return Err("an anchor of what form?".into()),
        };
        self.anchors.insert(zone.apex.as_ref(), rr_type, &rdata).map_err(|error| error.to_string())?;
        self.publish();
        Ok(())
    }

    /// Trusts nothing at and below a name.
    pub fn negative_anchor(&mut self, apex: &str, time: Option<Duration>, now: Now) -> Result<(), String> {
        let until = time.map(|time| Unix::of_seconds(now.unix.seconds() + time.as_secs()));
        self.negative.push(NegativeAnchor { apex: absolute(apex)?, until });
        self.publish();
        Ok(())
    }

    fn publish(&self) {
        self.store.publish(self.anchors.clone().with_negative(self.negative.clone()));
    }

    /// `validation` and `dnssec-sha1`; says whether it was one of them.
    pub fn option(&mut self, name: &str, value: &str) -> Result<bool, String> {
        match (name, value) {
            ("validation", "log") => self.options.mode = Mode::Log,
            ("validation", "enforce") => self.options.mode = Mode::Enforce,
            ("dnssec-sha1", "validate") => self.options.accepted = Accepted { sha1: true },
            ("dnssec-sha1", "insecure") => self.options.accepted = Accepted { sha1: false },
            ("validation" | "dnssec-sha1", _) => return Err(format!("no such value: {value}")),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The same stage, with a resolver that validates if there is an anchor.
    pub fn validating(&self, stage: Stage) -> Stage {
        if self.anchors.is_empty() {
            return stage;
        }
        let validation = Validation { options: self.options.clone(), anchors: self.store.clone() };
        Stage { recursion: stage.recursion.validating(Arc::new(validation)), ..stage }
    }

    /// These words, with `ksk:ZONE` and `zsk:ZONE` as the tags of those keys.
    pub fn with_tags(&self, words: &[&str]) -> Result<String, String> {
        let mut text = words.join(" ");
        for (apex, zone) in &self.zones {
            for (which, key) in [("ksk", zone.key_signing()), ("zsk", zone.zone_signing())] {
                text = text.replace(&format!("{which}:{apex}"), &key.tag().to_string());
            }
        }
        Ok(text)
    }
}

/// The argument of a word that has one.
trait Arguments<'w> {
    fn next_if_takes(&mut self, word: &str) -> Option<&'w str>;
}

impl<'w> Arguments<'w> for std::slice::Iter<'_, &'w str> {
    fn next_if_takes(&mut self, word: &str) -> Option<&'w str> {
        let takes = ["algorithm", "number", "generation", "iterations", "salt", "begins", "ends"];
        takes.contains(&word).then(|| self.next().copied()).flatten()
    }
}

fn signed_how(word: &str, argument: Option<&str>, signing: &mut Signing, now: Now) -> Result<(), String> {
    let unhashed = || ChainKind::Nsec3 { iterations: 0, salt: Vec::new(), opt_out: false };
    if matches!(word, "nsec3" | "iterations" | "salt" | "opt-out") && signing.chain == ChainKind::Nsec {
        signing.chain = unhashed();
    }
    match (word, &mut signing.chain) {
        ("nsec3", _) => {}
        ("iterations", ChainKind::Nsec3 { iterations, .. }) => *iterations = number(argument)?,
        ("salt", ChainKind::Nsec3 { salt, .. }) => {
            let digits = argument.unwrap_or_default().as_bytes().chunks(2);
            let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16);
            *salt = digits.map(octet).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        }
        ("opt-out", ChainKind::Nsec3 { opt_out, .. }) => *opt_out = true,
        ("no-chain", chain) => *chain = ChainKind::None,
        ("algorithm", _) => signing.algorithm = Algorithm(number(argument)?),
        ("number", _) => signing.number = Some(number(argument)?),
        ("generation", _) => signing.generation = number(argument)?,
        ("combined", _) => signing.flags = vec![KEY_SIGNING_KEY],
        ("revoked", _) => signing.flags[0] |= REVOKED,
        ("no-zone-bit", _) => *signing.flags.last_mut().unwrap() &= !ZONE_KEY,
        ("begins", _) => signing.inception = moment(argument, now)?,
        ("ends", _) => signing.expiration = moment(argument, now)?,
        _ => return Err(format!("signed how? {word}")),
    }
    Ok(())
}

/// The DS records of a zone, as lines of its parent.
pub fn ds_of(zone: &SignedZone, which: &str) -> Result<String, String> {
    let key = zone.key_signing();
    let ds = |digest_type| line(&zone.apex, RrType::DS, &key.ds(&zone.apex, digest_type));
    Ok(match which {
        "none" => String::new(),
        "sha1" => ds(DigestType::SHA1),
        "sha256" => ds(DigestType::SHA256),
        "sha384" => ds(DigestType::SHA384),
        "wrong" => {
            let mut rdata = key.ds(&zone.apex, DigestType::SHA256);
            *rdata.last_mut().unwrap() ^= 1;
            line(&zone.apex, RrType::DS, &rdata)
        }
        // One for each algorithm there is a key of.
        "both" => {
            let idle = zone.signing.idle_keys.iter().map(|dnskey| {
                let key = namu::dnssec::Dnskey::parse(dnskey).unwrap();
                let [high, low] = key.key_tag().to_be_bytes();
                let digest = namu::dnssec::digest(zone.apex.as_ref(), &key, DigestType::SHA256).unwrap();
                let rdata = [&[high, low, key.algorithm.0, 2], &*digest].concat();
                line(&zone.apex, RrType::DS, &rdata)
            });
            idle.chain([ds(DigestType::SHA256)]).collect()
        }
        kind => ds(DigestType(number(Some(kind))?)),
    })
}

/// Spoils one RRset of a zone.
pub fn spoil_rrset(
    zone: &mut SignedZone,
    rrset: (&str, RrType),
    how: &[&str],
    now: Now,
) -> Result<(), String> {
    let keys = std::mem::take(&mut zone.keys);
    let spoilt = spoil(zone, &keys, rrset, how, now);
    zone.keys = keys;
    spoilt
}

fn spoil(
    zone: &mut SignedZone,
    keys: &[ZoneKey],
    (owner, rr_type): (&str, RrType),
    how: &[&str],
    now: Now,
) -> Result<(), String> {
    let place = if rr_type == RrType::DNSKEY { 0 } else { keys.len() - 1 };
    let own = &keys[place];
    let stranger = Signing { generation: zone.signing.generation + 100, ..zone.signing.clone() };
    let stranger = ZoneKey::new(&zone.apex, &stranger, zone.signing.flags[place]);
    match how {
        ["gone"] => {
            let name: Name = owner.parse().map_err(|_| "no such name")?;
            zone.rrsets.retain(|rrset| rrset.owner != name || rrset.rr_type != rr_type);
        }
        ["unsigned"] => zone.set_signatures(owner, rr_type, &[]),
        ["ends", time] => {
            let moment = moment(Some(time), now)?;
            zone.sign_again(owner, rr_type, own, |fields| fields.expiration = moment);
        }
        ["begins", time] => {
            let moment = moment(Some(time), now)?;
            zone.sign_again(owner, rr_type, own, |fields| fields.inception = moment);
        }
        ["labels", labels] => {
            let labels = number(Some(labels))?;
            zone.sign_again(owner, rr_type, own, |fields| fields.labels = labels);
        }
        ["ttl", ttl] => {
            let ttl = Ttl::from_wire(number(Some(ttl))?);
            zone.change(owner, rr_type, |_, old| {
                let mut new = old.clone();
                new.ttl = ttl;
                new
            });
        }
        ["original-ttl", ttl] => {
            let ttl = number(Some(ttl))?;
            zone.sign_again(owner, rr_type, own, |fields| fields.original_ttl = ttl);
        }
        ["number", number] => {
            let number = self::number(Some(number))?;
            zone.sign_again(owner, rr_type, own, |fields| fields.algorithm = Algorithm(number));
        }
        ["by-ksk"] => zone.sign_again(owner, rr_type, &keys[0], |_| {}),
        ["by-stranger"] => zone.sign_again(owner, rr_type, &stranger, |_| {}),
        ["forged"] => zone.sign_again(owner, rr_type, &stranger, |fields| fields.key_tag = own.tag()),
        // The good signature stands behind two that are not.
        ["outnumbered"] => {
            let good = zone.rrset(owner, rr_type).signatures().first().unwrap().to_vec();
            let mut bent = good.clone();
            *bent.last_mut().unwrap() ^= 1;
            let mut unknown = good.clone();
            unknown[2] = 253;
            zone.set_signatures(owner, rr_type, &[unknown, bent, good]);
        }
        ["bent"] => {
            let mut bent = zone.rrset(owner, rr_type).signatures().first().unwrap().to_vec();
            *bent.last_mut().unwrap() ^= 1;
            zone.set_signatures(owner, rr_type, &[bent]);
        }
        ["changed", rdata @ ..] => {
            let new = rrset(&format!("{owner} 3600 IN {rr_type} {}\n", rdata.join(" ")));
            zone.change(owner, rr_type, |_, old| with_records_of(old, &new));
        }
        _ => return Err(format!("spoilt how? {how:?}")),
    }
    Ok(())
}

/// The signatures of one RRset on the records of another.
fn with_records_of(signed: &Rrset, new: &Rrset) -> Rrset {
    let signatures: Vec<Vec<u8>> = signed.signatures().iter().map(<[u8]>::to_vec).collect();
    let records = new.records().iter().collect::<RecordsBuf>();
    let unsigned = Rrset::new(signed.owner.clone(), signed.rr_type, signed.ttl, records, RecordsBuf::new());
    with_signatures(unsigned.view(), &signatures)
}

fn absolute(apex: &str) -> Result<Name, String> {
    apex.parse().map_err(|error| format!("{apex}: {error}"))
}

fn number<T: std::str::FromStr>(text: Option<&str>) -> Result<T, String> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| format!("{text:?} is no such number"))
}

/// `-1h` and `30d` from now, in seconds since 1970.
fn moment(text: Option<&str>, now: Now) -> Result<u32, String> {
    let text = text.ok_or("when?")?;
    let (is_past, span) = text.strip_prefix('-').map_or((false, text), |span| (true, span));
    let (now, span) = (now.unix.seconds() as u32, crate::scenario::duration(span)?.as_secs() as u32);
    Ok(if is_past { now - span } else { now + span })
}
