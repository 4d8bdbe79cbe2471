//! What a check advises: code, sentence and remedy of each kind in one place.

use crate::dns::{Name, RrType};

/// Something odd that keeps no zone from being served.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Advice {
    // Names as they are written.
    /// The owner ends in the apex twice; this was meant.
    OwnerLacksDot { meant: Name },
    /// A name in the RDATA was completed with the origin, but looks absolute; this was meant.
    TargetLacksDot { rr_type: RrType, target: Name, meant: Name },
    /// An address where a name stands.
    TargetIsAddress { rr_type: RrType, address: String },
    /// A host name with an octet no host name has (RFC 1123 2.1).
    OddHostName { octet: u8 },
    /// An asterisk that is not a label of its own on the left (RFC 4592 2.1.1).
    AsteriskWithin,
    /// A type that has no sound meaning at a wildcard (RFC 4592 4.2, 4.4).
    AtWildcard { rr_type: RrType },
    // Where names lead.
    /// A target in this zone that does not exist.
    TargetMissing { rr_type: RrType, target: Name },
    /// A target that is an alias (RFC 2181 10.3).
    TargetIsAlias { rr_type: RrType, target: Name },
    /// A target that exists without an address.
    TargetHasNoAddress { rr_type: RrType, target: Name },
    /// CNAMEs that lead back to where they began.
    AliasLoop,
    // Delegations.
    /// A name server below its own zone cut without an address (RFC 1034 4.2.1).
    GlueMissing { server: Name },
    /// Data at or below a zone cut that is never answered.
    HiddenByCut { rr_type: RrType, cut: Name },
    /// An address below a zone cut that no NS asks for.
    GlueOfNobody { cut: Name },
    /// DS without a delegation (RFC 4034 5).
    DsWithoutNs,
    /// DS at the apex, where it belongs to the parent (RFC 4035 2.4).
    DsAtApex,
    /// A type that means something at the apex only.
    BelowApex { rr_type: RrType },
    // The SOA.
    /// Serial 0.
    SerialZero,
    /// Retry above refresh (RFC 1912 2.2).
    RetryOverRefresh,
    /// Expire below refresh and retry together (RFC 1912 2.2).
    ExpireTooSoon,
    /// Negative answers for more than a day (RFC 2308 5).
    LongNegativeTtl { seconds: u32 },
    /// A mail address written with `@` (RFC 1035 3.3.13).
    MailboxWithAt { meant: String },
    /// A mailbox in a domain that does not exist, perhaps for want of a backslash (RFC 1035 5.1).
    MailboxDomainMissing { domain: Name, meant: String },
    /// A digest of another version of the zone (RFC 8976 4).
    ZonemdSerial { serial: u32, digested: u32 },
    // Mail.
    /// More than one SPF record (RFC 7208 4.5).
    TwoSpf,
    /// Text that looks like SPF and is none (RFC 7208 4.5).
    NotSpf { why: &'static str },
    /// An SPF record receivers do not accept.
    BadSpf { why: String, help: String },
    /// SPF in a record of type SPF only (RFC 7208 3.1).
    SpfType,
    /// More than one DMARC record (RFC 7489 6.6.3).
    TwoDmarc,
    /// A DMARC record at a name nobody asks.
    DmarcElsewhere,
    /// A DMARC record that is not accepted (RFC 7489 6.3).
    BadDmarc { why: String, help: &'static str },
    // Services.
    /// A CAA tag near a known one.
    CaaTag { tag: String, near: &'static str },
    /// A CAA tag no authority knows, marked critical (RFC 8659 4.1).
    CaaCritical { tag: String },
    /// CAA flags other than 0 and 128 (RFC 8659 4.1).
    CaaFlags { flags: u8 },
    /// A CAA value of another form (RFC 8659 4.2, 4.4).
    CaaValue { tag: &'static str },
    /// A type that is only looked for below labels with underscores.
    NoServiceLabel { rr_type: RrType, example: &'static str },
    /// AliasMode beside ServiceMode (RFC 9460 2.4.1).
    MixedModes { rr_type: RrType },
    // Reverse zones.
    /// More labels than an address has.
    ReverseTooDeep,
    /// Fewer labels than an IPv6 address has.
    ReverseTooShort { labels: usize },
    /// A label that is no octet or no nibble.
    ReverseLabel { label: String, wanted: &'static str },
    // Signatures.
    /// NSEC3 iterations above 0 (RFC 9276 3.1).
    Nsec3Iterations { iterations: u16 },
    /// NSEC3 salt (RFC 9276 3.1).
    Nsec3Salt,
    /// NSEC3 without NSEC3PARAM (RFC 5155 7.3).
    Nsec3WithoutParam,
    /// NSEC3PARAM without NSEC3.
    ParamWithoutNsec3,
    /// Signatures that have expired.
    Expired { count: usize, of: usize },
    /// Signatures that expire soon.
    ExpireSoon { count: usize, of: usize, hours: u32 },
    /// Signatures that are not valid yet.
    NotYetValid { count: usize, of: usize },
    /// A signature over records that are not there.
    SignatureOfNothing { covered: RrType },
    /// A signature by another zone (RFC 4035 2.2).
    Signer { signer: Name },
    /// An RRset without a signature in a signed zone.
    Unsigned { rr_type: RrType },
}

impl Advice {
    /// Its name for programs.
    pub fn code(&self) -> &'static str {
        self.text("").0
    }

    /// The sentence part about `owner`.
    pub(super) fn message(&self, owner: &Name) -> String {
        self.text(&owner.to_string()).1
    }

    /// What to write instead.
    pub fn help(&self) -> String {
        self.text("").2
    }

    /// Whether it says that something is missing.
    pub fn is_absence(&self) -> bool {
        use Advice::*;
        matches!(
            self,
            TargetMissing { .. }
                | TargetHasNoAddress { .. }
                | TargetLacksDot { .. }
                | GlueMissing { .. }
                | GlueOfNobody { .. }
                | DsWithoutNs
                | MailboxDomainMissing { .. }
                | SpfType
                | Nsec3WithoutParam
                | ParamWithoutNsec3
                | SignatureOfNothing { .. }
                | Unsigned { .. }
        )
    }

    /// Code, sentence and remedy.
    fn text(&self, owner: &str) -> (&'static str, String, String) {
        use Advice::*;
        let signatures = |count: usize, of: usize| format!("{count} of {of} signatures");
        match self {
            OwnerLacksDot { meant } => (
                "missing-final-dot",
                format!("the owner {owner} ends in the name of the zone twice"),
                format!("write `{meant}` with its final dot, or leave the name of the zone out"),
            ),
            TargetLacksDot { rr_type, target, meant } => (
                "missing-final-dot",
                format!("the {rr_type} at {owner} points to {target}, completed with the origin"),
                format!("write `{meant}` with its final dot"),
            ),
            TargetIsAddress { rr_type, address } => (
                "address-for-a-name",
                format!("the {rr_type} at {owner} points to {address}, an address where a name belongs"),
                format!("give the address a name, such as `host A {address}`, and point there"),
            ),
            OddHostName { octet: 128.. } => (
                "odd-host-name",
                format!("the host name {owner} is not ASCII; no program looks it up in this form"),
                "write the A-label, which begins with `xn--` (RFC 5890)".into(),
            ),
            OddHostName { octet } => (
                "odd-host-name",
                format!("the host name {owner} contains `{}`", octet.escape_ascii()),
                "host names are of letters, digits and hyphens (RFC 1123 2.1)".into(),
            ),
            AsteriskWithin => (
                "no-wildcard",
                format!("the asterisk in {owner} is an ordinary character and matches nothing"),
                "a wildcard has its asterisk alone in the leftmost label, as `*.example.org.`".into(),
            ),
            AtWildcard { rr_type } => (
                "wildcard-trap",
                format!("{rr_type} at the wildcard {owner}; servers and resolvers disagree on what it means"),
                "write the names out (RFC 4592 4.2 and 4.4)".into(),
            ),
            TargetMissing { rr_type, target } => (
                "target-missing",
                format!("the {rr_type} at {owner} points to {target}, which does not exist in this zone"),
                format!("add {target}, or correct the name; a name elsewhere ends with a dot"),
            ),
            TargetIsAlias { rr_type, target } => (
                "target-is-alias",
                format!("the {rr_type} at {owner} points to {target}, which is a CNAME"),
                "point to the name the CNAME leads to (RFC 2181 10.3)".into(),
            ),
            TargetHasNoAddress { rr_type, target } => (
                "target-without-address",
                format!("the {rr_type} at {owner} points to {target}, which has neither A nor AAAA"),
                format!("add an address, such as `{target} A 192.0.2.1`, or point to a name that has one"),
            ),
            AliasLoop => (
                "alias-loop",
                format!("the CNAME at {owner} leads back to itself"),
                "let one of the names have the data".into(),
            ),
            GlueMissing { server } => (
                "missing-glue",
                format!(
                    "the name server {server} of {owner} is inside the delegated zone and has no address here"
                ),
                format!("add glue, such as `{server} A 192.0.2.1`; nobody could find it otherwise"),
            ),
            HiddenByCut { rr_type, cut } => (
                "hidden-by-delegation",
                format!("{rr_type} at {owner} is hidden by the delegation of {cut}"),
                format!("move it to the zone {cut}, or remove the delegation"),
            ),
            GlueOfNobody { cut } => (
                "glue-of-nobody",
                format!("the address of {owner} is hidden by the delegation of {cut}, and no NS names it"),
                format!("move it to the zone {cut}, or name it in an NS"),
            ),
            DsWithoutNs => (
                "ds-without-ns",
                format!("DS at {owner}, which is not delegated"),
                "add the NS of the delegation, or remove the DS".into(),
            ),
            DsAtApex => (
                "ds-at-apex",
                format!("DS at the apex {owner}"),
                "the DS of a zone belongs into its parent zone".into(),
            ),
            BelowApex { rr_type } => (
                "below-apex",
                format!("{rr_type} at {owner}; it means something at the apex only"),
                "move it to the apex, or remove it".into(),
            ),
            SerialZero => (
                "serial-zero",
                "the serial is 0".into(),
                "begin with 1 or a date, as 2026010100; some software takes 0 for `no serial`".into(),
            ),
            RetryOverRefresh => (
                "soa-timers",
                "retry is longer than refresh".into(),
                "a failed refresh is tried again sooner: make retry a fraction of refresh".into(),
            ),
            ExpireTooSoon => (
                "soa-timers",
                "expire is shorter than refresh and retry together".into(),
                "secondaries would drop the zone after one failed refresh; two to four weeks are usual"
                    .into(),
            ),
            LongNegativeTtl { seconds } => (
                "long-negative-ttl",
                format!("that a name does not exist is remembered for {seconds} seconds"),
                "make the last number of the SOA one to three hours (RFC 2308 5)".into(),
            ),
            MailboxWithAt { meant } => (
                "mailbox-with-at",
                "the mailbox of the SOA has an `@`".into(),
                format!("write a dot in its place: `{meant}`"),
            ),
            MailboxDomainMissing { domain, meant } => (
                "mailbox-domain-missing",
                format!("the mailbox of the SOA is in {domain}, which does not exist in this zone"),
                format!("if the dot belongs to the local part, write `{meant}`"),
            ),
            ZonemdSerial { serial, digested } => (
                "zonemd-serial",
                format!("ZONEMD is of serial {digested}, but the SOA has {serial}"),
                "compute it again, or remove it; it verifies nothing (RFC 8976 4)".into(),
            ),
            TwoSpf => (
                "two-spf",
                format!("a second SPF record at {owner}; receivers then accept none"),
                "make one record of both (RFC 7208 4.5)".into(),
            ),
            NotSpf { why } => (
                "broken-spf",
                format!("the TXT at {owner} looks like SPF, but {why}"),
                "begin it with `v=spf1` and a space".into(),
            ),
            BadSpf { why, help } => ("broken-spf", format!("the SPF record at {owner} {why}"), help.clone()),
            SpfType => (
                "spf-type",
                format!("SPF at {owner} in a record of type SPF only, which receivers do not ask for"),
                "publish it as TXT (RFC 7208 3.1)".into(),
            ),
            TwoDmarc => (
                "two-dmarc",
                format!("a second DMARC record at {owner}; receivers then accept none"),
                "keep one of them (RFC 7489 6.6.3)".into(),
            ),
            DmarcElsewhere => (
                "dmarc-elsewhere",
                format!("a DMARC record at {owner}, where nobody looks for it"),
                "move it to `_dmarc` below the name it is for".into(),
            ),
            BadDmarc { why, help } => {
                ("broken-dmarc", format!("the DMARC record at {owner} {why}"), (*help).into())
            }
            CaaTag { tag, near } => (
                "caa-tag",
                format!("CAA at {owner} with the unknown tag `{tag}`"),
                format!("did you mean `{near}`?"),
            ),
            CaaCritical { tag } => (
                "caa-tag",
                format!(
                    "CAA at {owner} with the unknown tag `{tag}`, marked critical: no certificates are issued"
                ),
                "write 0 in place of 128, or a known tag".into(),
            ),
            CaaFlags { flags } => (
                "caa-flags",
                format!("CAA at {owner} with the flags {flags}"),
                "write 0, or 128 for a critical property (RFC 8659 4.1)".into(),
            ),
            CaaValue { tag: "iodef" } => (
                "caa-value",
                format!("CAA iodef at {owner} with a value that is no URL"),
                "write `mailto:` and an address, or an https URL (RFC 8659 4.4)".into(),
            ),
            CaaValue { tag } => (
                "caa-value",
                format!("CAA {tag} at {owner} with a value that is no domain name"),
                "write the authority's domain, as \"ca.example.net\", or \";\" for none (RFC 8659 4.2)"
                    .into(),
            ),
            NoServiceLabel { rr_type, example } => (
                "no-service-label",
                format!("{rr_type} at {owner}, where no client looks for one"),
                format!("the owner begins with underscored labels, such as `{example}`"),
            ),
            MixedModes { rr_type } => (
                "mixed-modes",
                format!(
                    "{rr_type} at {owner} in AliasMode (priority 0) beside ServiceMode, which is then ignored"
                ),
                "keep either the alias or the services (RFC 9460 2.4.1)".into(),
            ),
            ReverseTooDeep => (
                "reverse-name",
                format!("{owner} has more labels than an address"),
                "leave out what $ORIGIN adds, or end the name with a dot".into(),
            ),
            ReverseTooShort { labels } => (
                "reverse-name",
                format!("{owner} has {labels} of the 32 digits of an IPv6 address"),
                "write every digit, zeros too, from the last to the first".into(),
            ),
            ReverseLabel { label, wanted } => (
                "reverse-name",
                format!("the label `{label}` of {owner} is not {wanted}"),
                "no address leads to this name; correct the label".into(),
            ),
            Nsec3Iterations { iterations } => (
                "nsec3-iterations",
                format!(
                    "NSEC3 with {iterations} additional iterations; validators may take the zone for insecure"
                ),
                "sign with 0 iterations (RFC 9276 3.1)".into(),
            ),
            Nsec3Salt => (
                "nsec3-salt",
                "NSEC3 with a salt, which protects nothing".into(),
                "sign with an empty salt, `-` (RFC 9276 3.1)".into(),
            ),
            Nsec3WithoutParam => (
                "nsec3-without-nsec3param",
                "NSEC3 records, but no NSEC3PARAM at the apex".into(),
                "sign the zone again; servers choose the chain by that record (RFC 5155 7.3)".into(),
            ),
            ParamWithoutNsec3 => (
                "nsec3param-without-nsec3",
                "NSEC3PARAM at the apex, but no NSEC3 records".into(),
                "sign the zone again, or remove the NSEC3PARAM".into(),
            ),
            Expired { count, of } => (
                "signatures-expired",
                format!("{} have expired, the first of them at {owner}", signatures(*count, *of)),
                "sign the zone again; validating resolvers answer SERVFAIL".into(),
            ),
            ExpireSoon { count, of, hours } => (
                "signatures-expire-soon",
                format!("{} expire soon, the first in {hours} hours at {owner}", signatures(*count, *of)),
                "sign the zone again".into(),
            ),
            NotYetValid { count, of } => (
                "signatures-not-yet-valid",
                format!("{} are not valid yet, one of them at {owner}", signatures(*count, *of)),
                "compare the clocks of this machine and of the signer".into(),
            ),
            SignatureOfNothing { covered } => (
                "signature-of-nothing",
                format!("RRSIG at {owner} for {covered}, which does not exist there"),
                "sign the zone again, or remove the RRSIG".into(),
            ),
            Signer { signer } => (
                "foreign-signature",
                format!("RRSIG at {owner} by {signer}, which is not this zone"),
                "records are signed by the zone they are in (RFC 4035 2.2)".into(),
            ),
            Unsigned { rr_type } => (
                "unsigned",
                format!("{rr_type} at {owner} has no signature, but the zone is signed"),
                "sign the zone again; validating resolvers answer SERVFAIL".into(),
            ),
        }
    }
}
