//! What replies carry: how the house, its zones and its cache are, and how a question was answered.

use serde::{Deserialize, Serialize};

use crate::dns::Serial;

/// How the house is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// Of namu.
    pub version: String,
    /// Of the process.
    pub pid: u32,
    /// Whole seconds since the start.
    pub uptime_seconds: u64,
    /// The configuration; none when it runs without.
    pub config: Option<String>,
    /// Whether the configuration read last is in force, or why not.
    pub config_problem: Option<String>,
    /// Addresses with their transport, as `192.0.2.53:53 udp`.
    pub listening: Vec<String>,
    /// Zones that are served.
    pub zones: usize,
    /// Records in them.
    pub records: usize,
    /// Zones whose file is not what is served, and why.
    pub troubled: Vec<ZoneStatus>,
    /// Whether files are being read.
    pub is_loading: bool,
    /// Why changed files are only noticed when asked; none when they are watched.
    pub unwatched: Option<String>,
    /// Requests since the start.
    pub requests: u64,
    /// Connections open now.
    pub connections: usize,
}

/// A zone, and how what is served stands to its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ZoneStatus {
    /// Its apex, as people write it.
    pub zone: String,
    /// Where its records come from.
    pub file: String,
    /// How it is.
    pub state: ZoneState,
    /// The serial that is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u32>,
    /// Records that are served.
    pub records: usize,
    /// What is wrong with its file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Versions of its file that were not taken, since the start.
    pub load_errors: u64,
}

impl ZoneStatus {
    /// The serial, for those who compare.
    pub fn serial(&self) -> Option<Serial> {
        self.serial.map(Serial)
    }
}

/// How full the cache is, and what came of it since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CacheStatus {
    /// Answers and RRsets in it.
    pub entries: u64,
    /// Octets they take.
    pub octets: u64,
    /// Octets they may take.
    pub size: u64,
    /// Validated RRsets that deny names or make data of wildcards (RFC 8198), besides.
    #[serde(default)]
    pub denials: u64,
    /// Entries that had to make room, since the start or a change of the size.
    pub evicted: u64,
    /// Responses from it: positive, negative, remembered failures.
    pub hits: u64,
    /// Responses that had to be looked for.
    pub misses: u64,
    /// Responses that were stale.
    pub stale: u64,
    /// Answers fetched anew before they expired, since the start or a change of the resolver.
    pub prefetched: u64,
    /// Questions under way.
    pub under_way: usize,
}

/// Something the cache knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CacheEntry {
    /// `answer`, `rrset`, `failure` or `delegation`.
    pub is: String,
    /// The name.
    pub name: String,
    /// The type asked for.
    #[serde(rename = "type")]
    pub rr_type: String,
    /// Of an answer `positive`, `nodata`, `nxdomain`; of an RRset how far it is believed; else why or from whom.
    pub kind: String,
    /// What validation said.
    pub security: String,
    /// Why it is bogus, or insecure although it is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Seconds it is good for; negative ones since when it is stale.
    pub ttl: i64,
    /// Its records in zone file format, with what is left of their TTL.
    pub records: Vec<String>,
}

/// A version of a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct VersionStatus {
    /// The serial it was published with.
    pub serial: u32,
    /// When, in seconds since 1970.
    pub time: u64,
    /// What made it: start, signal, watch, command, edit, rollback.
    pub cause: String,
    /// What changed, in numbers; empty for the first.
    pub summary: String,
    /// Whether its content is still known.
    pub is_held: bool,
}

/// How what is served stands to the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZoneState {
    /// What the file says is served.
    Served,
    /// The file has errors; the version before is served.
    Kept,
    /// The file lost so much that it waits for a word; the version before is served.
    Held,
    /// The file has errors and no version was ever good; its names are SERVFAIL.
    Unavailable,
}

/// How a question was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Explanation {
    /// The name that was asked for.
    pub name: String,
    /// The mnemonic of the type.
    #[serde(rename = "type")]
    pub rr_type: String,
    /// The response code.
    pub rcode: String,
    /// Where the answer came from, in the word of the access log.
    pub source: String,
    /// What validation found, in the word of the access log; nothing when it did not look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dnssec: Option<String>,
    /// Microseconds it took.
    pub duration_us: u64,
    /// The name of its record, when it failed or took long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Of a record: when it ended, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
    /// What came of it, in one line.
    pub verdict: String,
    /// What to do about it, in one line.
    pub hint: String,
    /// INFO-CODE of the extended error that goes with it (RFC 8914).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ede: Option<u16>,
    /// The records of the answer section.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answer: Vec<String>,
    /// What was done, in order.
    pub steps: Vec<Branch>,
    /// What it cost of what it may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budget: Vec<Spent>,
}

/// One thing that was done, and what was done for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Branch {
    /// Its kind: local-zone, special-name, cache, failed-before, nearest, zone, exchange, referral, alias, found, child; of
    /// the chain of trust: link, anchor, unanchored, delegated, keys, known-keys, signature, proof, judged, asked-again.
    pub step: String,
    /// The whole of it in words.
    pub text: String,
    /// The name it is about: a question's or an apex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The type of the question.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub rr_type: Option<String>,
    /// Seconds the cache has known it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<u64>,
    /// Seconds the cache will know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u32>,
    /// How far it is believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credibility: Option<String>,
    /// Address and port of the server asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// How it was asked: udp, tcp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// What came of it: answered, or a word of the access log; of a signature good or wrong, of a proof whether it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Microseconds until the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_us: Option<u64>,
    /// Why this server was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Keys of a zone, or digests of them, that a chain of trust was made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Key>,
    /// A signature that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// Owner and type of each RRset that was taken for a proof.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<String>,
    /// INFO-CODE of the extended error that says why something is bogus, or insecure although it is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ede: Option<u16>,
    /// What was done for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub below: Vec<Branch>,
}

/// A key of a zone: itself, its digest in a DS record, or the trust anchor for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Key {
    /// Its tag.
    pub key_tag: u16,
    /// The mnemonic of its algorithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// Of a DS record: how it is digested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Of a DNSKEY record: its flags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<u16>,
    /// Of a DNSKEY record: whether a DS record or a trust anchor tells of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_trusted: Option<bool>,
}

/// A signature that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Signature {
    /// The zone whose it is.
    pub signer: String,
    /// The tag of the key it is by.
    pub key_tag: u16,
    /// The mnemonic of its algorithm.
    pub algorithm: String,
    /// From when on it holds, as RRSIG records write it.
    pub inception: String,
    /// Until when.
    pub expiration: String,
}

/// How much of a bound was spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Spent {
    /// Of what.
    pub what: String,
    /// How many.
    pub spent: u64,
    /// Of at most so many.
    pub most: u64,
}
